"""Findings as a file: written, read back, compared between two runs."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path

from analysis import printing
from analysis.faults import Fault, FaultsError
from analysis.files import write_atomic
from analysis.findings.record import Finding

COLUMNS = tuple(field.name for field in fields(Finding))
DIGITS = 12
"""Significant digits that are written: the last ones of a double are those of one processor."""


def write_csv(records: Sequence[Mapping[str, object]], path: Path) -> None:
    """Write the records, sorted by id, whole or not at all."""
    buffer = io.StringIO()
    writer = csv.DictWriter(buffer, COLUMNS, lineterminator="\n")
    writer.writeheader()
    for record in sorted(records, key=lambda record: str(record["id"])):
        writer.writerow({name: _cell(record[name]) for name in COLUMNS})
    write_atomic(path, buffer.getvalue().encode())


def _cell(value: object) -> str:
    if isinstance(value, str):
        return printing.guarded(value)
    if isinstance(value, float):
        return f"{value:.{DIGITS}g}"
    return "" if value is None else repr(value)


def read_csv(path: Path) -> list[dict[str, object]]:
    """Read records as `write_csv` wrote them.

    Raises
    ------
    FaultsError
        If the file is missing or is not such a file.
    """
    name = path.name
    try:
        with path.open(encoding="utf-8", newline="") as handle:
            rows = list(csv.DictReader(handle))
    except FileNotFoundError:
        raise FaultsError([Fault(name, "the file is missing", "make it: make report")]) from None
    if rows and tuple(rows[0]) != COLUMNS:
        raise FaultsError(
            [Fault(name, "the columns are not those of a findings file", "restore it from git", 1)]
        )
    floats = {"value", "low", "high", "tolerance"}
    integers = {"rows_in", "rows_used", "n_villages_treated", "n_villages_control"}
    return [
        {
            column: (
                None
                if text == "" and column in floats | integers
                else float(text)
                if column in floats
                else int(text)
                if column in integers
                else printing.unguarded(text)
            )
            for column, text in row.items()
        }
        for row in rows
    ]


@dataclass(frozen=True)
class Moved:
    """A finding that differs between two runs.

    Attributes
    ----------
    id, page : str
        Which finding, and where it is shown.
    column : str
        ``value``, ``low``, ``high``, ``digest``, ``unit``, ``rows_used`` ..., or ``record`` if one
        of the runs lacks it.
    before, after : str
        What the two runs say.
    """

    id: str
    page: str
    column: str
    before: str
    after: str


COMPARED = (
    "kind",
    "page",
    "what",
    "method",
    "function",
    "value",
    "low",
    "high",
    "unit",
    "text",
    "tier",
    "rows_in",
    "rows_used",
    "n_villages_treated",
    "n_villages_control",
    "digest",
)


def compare(
    before: Iterable[Mapping[str, object]], after: Iterable[Mapping[str, object]]
) -> tuple[Moved, ...]:
    """Return what moved between two runs, by id; numbers within their tolerance did not move."""
    old = {str(record["id"]): record for record in before}
    new = {str(record["id"]): record for record in after}
    moved = []
    for name in sorted(old.keys() | new.keys()):
        if name not in old or name not in new:
            page = str((old.get(name) or new[name])["page"])
            known = ("published", "gone") if name in old else ("not published", "new")
            moved.append(Moved(name, page, "record", *known))
            continue
        for column in COMPARED:
            a, b = old[name][column], new[name][column]
            if not _agree(a, b, new[name]["tolerance"]):
                moved.append(Moved(name, str(new[name]["page"]), column, _cell(a), _cell(b)))
    return tuple(moved)


def _agree(a: object, b: object, tolerance: object) -> bool:
    if isinstance(a, float) and isinstance(b, float) and isinstance(tolerance, float):
        return math.isclose(a, b, rel_tol=tolerance, abs_tol=0)
    return a == b
