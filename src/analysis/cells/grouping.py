"""Villages told apart by whether, or when, anybody in them is first treated.

Where a programme is given to households, the declared controls in other villages follow only from
totals that keep such villages apart. The names of groups say no village.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

import polars as pl

from analysis.cells.result import TABLES, Cells

NOBODY: Final = "nobody treated"
SOME: Final = "somebody treated"
FROM: Final = "somebody treated from {}"
"""Names of groups of villages by when anybody in them is first treated."""


def by_first_period(cells: Cells, how: Mapping[str, str]) -> pl.DataFrame:
    """Group villages by whether, or when, anybody in them is first treated.

    Controls in other villages follow from totals over such groups, and from none without them
    where a programme is given to households.

    Parameters
    ----------
    cells : Cells
        By village.
    how : mapping of str to str
        For a programme of the cells ``never`` (treated or not) or ``not_yet`` (the first period).

    Returns
    -------
    polars.DataFrame
        village, group.
    """
    parts = []
    for programme, kind in how.items():
        number = cells.design.programmes.index(programme)
        cohort = pl.col("cohort_2" if number else "cohort")
        first = cohort.filter(cohort > 0).min()
        when = pl.lit(SOME) if kind == "never" else pl.format(FROM, first)
        parts.append(pl.when(first.is_null()).then(pl.lit(NOBODY)).otherwise(when))
    frame = cells.ever.group_by("village").agg(pl.concat_str(parts, separator=" · ").alias("group"))
    return frame.sort("village")


def apart(cells: Cells, how: Mapping[str, str]) -> Cells:
    """Return cells over groups of `by_first_period`, or as they are if nothing is asked."""
    if not how:
        return cells
    widest: Any = "not_yet" if "not_yet" in how.values() else "never"
    design = replace(cells.design, control_villages=widest)
    return replace(merge(cells, by_first_period(cells, how)), design=design)


def merge(cells: Cells, groups: pl.DataFrame) -> Cells:
    """Return the cells with each village replaced by its group, and added up."""
    tables = {name: getattr(cells, name) for name in TABLES}
    merged: dict[str, Any] = {
        name: _merge(frame, groups) for name, frame in tables.items() if frame is not None
    }
    return replace(cells, **merged)


def _merge(frame: pl.DataFrame, groups: pl.DataFrame) -> pl.DataFrame:
    index = ("village", "cohort", "cohort_2", "stratum", "omega", "pattern", "base", "period")
    by = [name for name in index if name in frame.columns]
    values = [name for name in frame.columns if name not in by]
    tops = [name for name in values if name.startswith(("top_", "wtop_"))]
    named = frame.join(groups, on="village", how="left", maintain_order="left")
    named = named.with_columns(pl.col("group").alias("village"))
    added = named.group_by(by, maintain_order=True).agg(
        pl.col([name for name in values if name not in tops]).sum(), pl.col(tops).max()
    )
    return added.select(frame.columns).sort(by)
