"""Cells of a workbook that hold no value though they look so: errors, formulas never calculated."""

from __future__ import annotations

import html
import re
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import polars as pl

CELL: Final = re.compile(rb'<c r="([A-Z]+)(\d+)"([^>/]*)>(.*?)</c>', re.DOTALL)
VALUE: Final = re.compile(rb"<v>([^<]+)</v>")
FORMULA: Final = re.compile(rb"<f[^>]*>([^<]*)</f>|<f[ >/]")
SHEET: Final = re.compile(r'<sheet [^>]*?name="([^"]*)"[^>]*?r:id="([^"]*)"')
TARGET: Final = re.compile(r"<Relationship [^>]*>")
NOT_CALCULATED: Final = re.compile(rb'<calcPr[^>]*fullCalcOnLoad="(1|true)"')
"""What a library writes that stores a 0 beside each formula and leaves it to be calculated."""
ERROR: Final = r"^#(?:N/A|DIV/0!|REF!|VALUE!|NAME\?|NUM!|NULL!|SPILL!|CALC!)$"
"""Text of an error of a spreadsheet."""
ODS_ERROR: Final = b'calcext:value-type="error"'
SHOWN: Final = 3
"""Cells that a note names."""


@dataclass(frozen=True)
class BadCell:
    """A cell without a value.

    Attributes
    ----------
    name, text : str
        Its place as ``C2``; its error, or its formula after ``=``.
    row, column : int
        Of the sheet, from 0.
    """

    name: str
    text: str
    row: int
    column: int


@dataclass(frozen=True)
class CellFaults:
    """What a sheet has instead of values.

    Attributes
    ----------
    errors : tuple of BadCell
        Cells with an error.
    uncalculated : tuple of BadCell
        Cells with a formula and no value: no program has calculated it yet.
    first_row, first_column : int
        Where the cells of the sheet begin, from 0.
    unplaced : int
        Cells of an ``.ods`` with an error, which come as empty.
    unknown : bool
        Whether errors cannot be told from empty cells, as in ``.xls``.
    """

    errors: tuple[BadCell, ...] = ()
    uncalculated: tuple[BadCell, ...] = ()
    first_row: int = 0
    first_column: int = 0
    unplaced: int = 0
    unknown: bool = False

    def notes(self, taken: str) -> tuple[str, ...]:
        """Return a line for each kind, with its count and the first cells.

        Parameters
        ----------
        taken : str
            What is made of them.
        """
        kinds = (
            (self.errors, f"cells hold an error of the spreadsheet and are {taken}"),
            (
                self.uncalculated,
                f"cells hold a formula without a value and are {taken}:"
                " open and save the workbook in a spreadsheet to calculate them",
            ),
        )
        told = [f"{len(cells):,} {what} ({_listed(cells)})" for cells, what in kinds if cells]
        if self.unplaced:
            told.append(
                f"{self.unplaced:,} cells hold an error of the spreadsheet and come as empty"
            )
        return tuple(told)

    def put_back(self, frame: pl.DataFrame, header: int, *, as_text: bool) -> pl.DataFrame:
        """Return a sheet with the text of its bad cells, or nothing, where they stand.

        Parameters
        ----------
        frame : polars.DataFrame
            The rows below the header.
        header : int
            Line of the header, from 1; 0: the first that is not empty.
        as_text : bool
            The text of an error or formula; otherwise null.
        """
        top = header - 1 if header else self.first_row
        by_column: dict[str, dict[int, str]] = {}
        for cell in (*self.errors, *self.uncalculated):
            row, column = cell.row - top - 1, cell.column - self.first_column
            if 0 <= row < frame.height and 0 <= column < frame.width:
                by_column.setdefault(frame.columns[column], {})[row] = cell.text
        made = []
        for name, cells in by_column.items():
            values = list(cells.values()) if as_text else [None] * len(cells)
            made.append(frame[name].scatter(list(cells), values))
        return frame.with_columns(made)


def _listed(cells: Sequence[BadCell]) -> str:
    named = (f"{c.name} = {c.text}" if c.text else c.name for c in cells[:SHOWN])
    return ", ".join(named) + ", …" * (len(cells) > SHOWN)


def look(path: Path, sheet: str) -> CellFaults:
    """Return the cells of a sheet that hold no value; of an ``.ods`` those of all its sheets."""
    if path.suffix.lower() == ".ods":
        with zipfile.ZipFile(path) as archive:
            return CellFaults(unplaced=archive.read("content.xml").count(ODS_ERROR))
    if path.suffix.lower() != ".xlsx":
        return CellFaults(unknown=True)
    errors, uncalculated, rows, columns = [], [], [], []
    with zipfile.ZipFile(path) as archive:
        unsure = bool(NOT_CALCULATED.search(archive.read("xl/workbook.xml")))
        for name in _files(archive, sheet):
            for found in CELL.finditer(archive.read(name)):
                value, formula = VALUE.search(found[4]), FORMULA.search(found[4])
                text = (formula[1] or b"") if formula else b""
                row, column = int(found[2]) - 1, _number(found[1].decode())
                line = "=" + html.unescape(text.decode())
                if value or b"<is>" in found[4]:
                    rows.append(row)
                    columns.append(column)
                place = f"{found[1].decode()}{row + 1}"
                if b't="e"' in found[3]:
                    line = value[1].decode() if value else "error"
                    errors.append(BadCell(place, line, row, column))
                elif (
                    formula
                    and b"<is>" not in found[4]
                    and (value is None or (unsure and value[1] == b"0"))
                ):
                    uncalculated.append(BadCell(place, line, row, column))
    return CellFaults(
        tuple(errors), tuple(uncalculated), min(rows, default=0), min(columns, default=0)
    )


def _number(letters: str) -> int:
    """Return the number of a column, from 0.

    Examples
    --------
    >>> _number("A"), _number("AB")
    (0, 27)
    """
    found = 0
    for letter in letters:
        found = 26 * found + ord(letter) - ord("A") + 1
    return found - 1


def _files(archive: zipfile.ZipFile, sheet: str) -> Iterator[str]:
    """Yield the file of a sheet inside the workbook."""
    names = archive.namelist()
    if "xl/workbook.xml" not in names or "xl/_rels/workbook.xml.rels" not in names:
        return
    ids = dict(SHEET.findall(archive.read("xl/workbook.xml").decode()))
    for relation in TARGET.findall(archive.read("xl/_rels/workbook.xml.rels").decode()):
        by_key = dict(re.findall(r'(\w+)="([^"]*)"', relation))
        target = by_key.get("Target", "").lstrip("/").removeprefix("xl/")
        if by_key.get("Id") == ids.get(sheet) and f"xl/{target}" in names:
            yield f"xl/{target}"
