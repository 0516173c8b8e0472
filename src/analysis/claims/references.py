"""What one file of the ledger says of another, and each printed phrase against its value."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from fractions import Fraction

import polars as pl

from analysis import programmes
from analysis.claims.printed import bound_of, read_number
from analysis.claims.schemas import MISMATCHES
from analysis.faults import Fault

Tables = Mapping[str, pl.DataFrame]


def faults(tables: Tables, files: Mapping[str, str], faulty: frozenset[str]) -> Iterator[Fault]:
    """Yield every reference that leads nowhere and every phrase that says something else.

    Parameters
    ----------
    tables : mapping of str to polars.DataFrame
        The rows of each file that fit their schema.
    files : mapping of str to str
        What each file is called in a message.
    faulty : frozenset of str
        Files with rows that did not fit: a reference into one of them is not judged, because the
        row it leads to may be one of those.
    """
    known = {
        "unit": ("units", {*tables["units"]["unit"], "1"}, ("claims", "constants", "official")),
        "source": ("sources", set(tables["sources"]["id"]), ("claims",)),
        "official": ("official", set(tables["official"]["id"]), ("implied",)),
    }
    for column, (target, names, places) in known.items():
        if target not in faulty:
            for place in places:
                remedy = f"add it to {files[target]} or correct it"
                yield from _unknown(tables[place], column, names, files[place], remedy)
    catalogue = set(programmes.load().programmes["id"])
    for place in ("claims", "relations", "implied"):
        remedy = "use an id of data/programmes/programmes.csv"
        yield from _unknown(tables[place], "programme", catalogue, files[place], remedy)
    for place in ("relations", "implied"):
        remedy = "use " + ", ".join(sorted(MISMATCHES))
        yield from _unknown(tables[place], "assumes", MISMATCHES, files[place], remedy)
    for row in tables["claims"].iter_rows(named=True):
        yield from _phrase(row, files["claims"])


PARTS = {"unit": "/", "assumes": ";"}
"""Columns whose cells hold several names."""


def _unknown(
    frame: pl.DataFrame, column: str, known: set[str], file: str, remedy: str
) -> Iterator[Fault]:
    """Yield a fault for every cell that names something unknown."""
    for line, cell in frame.select("line", column).iter_rows():
        names = (cell or "").split(PARTS[column]) if column in PARTS else [cell]
        unknown = [name for name in names if name and name not in known]
        if unknown:
            problem = f"unknown {column} {', '.join(unknown)}"
            yield Fault(file, problem, remedy, line, column, cell)


def _phrase(row: Mapping[str, str | int], file: str) -> Iterator[Fault]:
    """Check value and bound against what the printed phrase says."""
    line, printed = int(row["line"]), str(row["printed"])
    reading = read_number(printed)
    if reading is not None and reading.value != Fraction(str(row["value"])):
        problem = f"the phrase {printed} says {reading.value}"
        remedy = "correct the value or the phrase"
        yield Fault(file, problem, remedy, line, "value", str(row["value"]))
    text = bound_of(printed)
    if text != row["bound"]:
        problem = f"the phrase {printed} says {text.replace('_', ' ')}"
        remedy = "correct the bound or the phrase"
        yield Fault(file, problem, remedy, line, "bound", str(row["bound"]))
