"""Groups of villages that may be shipped: chosen from sizes and county alone, never from outcomes.

A pack by groups of villages lets others recompute errors, not only points. There is one grouping:
two would be subtracted. A pack without such groups may tell villages apart by when anybody in them
is first treated, as it tells households apart by cohort.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

import polars as pl

from analysis.cells.result import TABLES, Cells
from analysis.faults import Fault, FaultsError

DIGITS: Final = 8
NOBODY: Final = "nobody treated"
SOME: Final = "somebody treated"
FROM: Final = "somebody treated from {}"
"""Names of groups of villages by when anybody in them is first treated."""


def by_size(villages: pl.DataFrame, least: int) -> pl.DataFrame:
    """Group the villages of each county, in the order of their names, until a group is large enough.

    What is left of a county joins its last group; a county too small for one joins the county
    before it (the first: the one after).

    Parameters
    ----------
    villages : polars.DataFrame
        village, county, n (households).
    least : int
        Households that a group has at least.

    Returns
    -------
    polars.DataFrame
        village, group. The name of a group ends in a digest of its members, so that another
        grouping has other names.

    Raises
    ------
    FaultsError
        If all villages together are too few for two groups.

    Examples
    --------
    >>> found = by_size(pl.DataFrame({"village": ["a", "b", "c", "d", "e"],
    ...     "county": ["x", "x", "x", "x", "y"], "n": [5, 6, 7, 3, 4]}), 10)
    >>> found.group_by("group", maintain_order=True).agg("village")["village"].to_list()
    [['a', 'b'], ['c', 'd', 'e']]
    """  # noqa: E501
    groups: list[tuple[str, list[str], int]] = []
    rows = villages.select("county", "village", "n").sort("county", "village").iter_rows()
    for county, village, n in rows:
        if groups and groups[-1][0] == county and groups[-1][2] < least:
            _, members, size = groups.pop()
            groups.append((county, [*members, village], size + n))
        else:
            groups.append((county, [village], n))
    merged: list[tuple[str, list[str], int]] = []
    for county, members, n in groups:
        if merged and min(n, merged[-1][2]) < least:
            name, before, size = merged.pop()
            merged.append((name, [*before, *members], size + n))
        else:
            merged.append((county, members, n))
    if len(merged) < 2:
        raise FaultsError(
            [
                Fault(
                    "pack",
                    f"the villages do not make two groups of {least}",
                    "ask for smaller groups",
                    column="village_groups",
                )
            ]
        )
    named = [
        (village, f"{county} {number} {_digest(members)}")
        for number, (county, members, _) in enumerate(merged, 1)
        for village in members
    ]
    return pl.DataFrame(named, schema=["village", "group"], orient="row")


def _digest(members: list[str]) -> str:
    return hashlib.sha256("\n".join(sorted(members)).encode()).hexdigest()[:DIGITS]


def sizes(cells: Cells, villages: pl.DataFrame) -> pl.DataFrame:
    """Return village, county and the households of cells that were ever seen in it."""
    counted = cells.ever.group_by("village").agg(pl.col("n_ever").sum().alias("n"))
    return counted.join(
        villages.select("village", "county"), on="village", how="left"
    ).with_columns(pl.col("county").fill_null(""))


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
    found = cells.ever.group_by("village").agg(pl.concat_str(parts, separator=" · ").alias("group"))
    return found.sort("village")


def apart(cells: Cells, how: Mapping[str, str]) -> Cells:
    """Return cells over groups of `by_first_period`, or as they are if nothing is asked.

    Cells by groups of villages stay as they are: a group holds treated and other villages.
    """
    if not how or cells.design.village_groups:
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
