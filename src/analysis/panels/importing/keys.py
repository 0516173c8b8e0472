"""Which columns tell the rows of a file apart, tried on its first rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import polars as pl

from analysis.panels.importing.sources import ROW

CANDIDATES: Final = 3
"""Columns that are offered as a key."""


def told_apart(first: pl.DataFrame, fields: Mapping[str, str], *, several: bool) -> tuple[str, str]:
    """Return what a row seems to be, and in words whether the guessed key tells rows apart.

    Parameters
    ----------
    first : polars.DataFrame
        First rows, as text.
    fields : mapping of str to str
        Column guessed for each field.
    several : bool
        Whether the survey has other files.

    Examples
    --------
    >>> rows = pl.DataFrame({"hh": ["1", "1", "2"], "year": ["1"] * 3, "pid": ["1", "2", "1"]})
    >>> told_apart(rows, {"household": "hh", "period": "year", "person": "pid", "village": ""},
    ...            several=False)
    ('person', 'hh, year and pid tell the first 3 rows apart')
    """
    household, period = fields["household"], fields["period"]
    if not household:
        if several and fields["village"] and not repeated(first, [fields["village"]]):
            return "village", ""
        return "household", _candidates(first, period)
    key = [household, period] if period else [household]
    again = repeated(first, key)
    person = fields["person"]
    if person and (again or several):
        unit, key = "person", [*key, person]
        again = repeated(first, key)
    else:
        unit = "person" if again else "household"
    if not again:
        verb = "tells" if len(key) == 1 else "tell"
        return unit, f"{_listed(key)} {verb} the first {first.height:,} rows apart"
    return (
        unit,
        f"{again:,} of the first {first.height:,} rows repeat {_listed(key)}: rows of items or"
        ' persons are summed (unit = "person"); otherwise the key lacks a column',
    )


def repeated(first: pl.DataFrame, key: Sequence[str]) -> int:
    """Return how many rows repeat the key of an earlier one; rows without a key do not count."""
    known = first.select(key).drop_nulls()
    return known.height - known.n_unique()


def _candidates(first: pl.DataFrame, period: str) -> str:
    """Name columns that tell rows apart, with the period if there is one."""
    names = [n for n in first.columns if n not in (ROW, period) and first[n].null_count() == 0]
    alone = [n for n in names if not repeated(first, [n, period] if period else [n])]
    if not alone:
        return "no column alone tells rows apart: the household may need a list of columns"
    together = f"with {period} " if period else ""
    return f"tells rows apart {together}in the first {first.height:,}: " + ", ".join(
        alone[:CANDIDATES]
    )


def _listed(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
