"""Cells of a workbook that hold no value though they look so: errors, formulas never calculated."""

from __future__ import annotations

import re
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

CELL: Final = re.compile(rb'<c r="([A-Z]+\d+)"([^>/]*)>(.*?)</c>', re.DOTALL)
VALUE: Final = re.compile(rb"<v>([^<]+)</v>")
SHEET: Final = re.compile(r'<sheet [^>]*?name="([^"]*)"[^>]*?r:id="([^"]*)"')
TARGET: Final = re.compile(r"<Relationship [^>]*>")
SHOWN: Final = 3
"""Cells that a note names."""


@dataclass(frozen=True)
class CellFaults:
    """What a sheet has instead of values.

    Attributes
    ----------
    errors : tuple of str
        Cells with an error, as ``C2 = #DIV/0!``.
    uncalculated : tuple of str
        Cells with a formula and no value: no program has calculated it yet.
    """

    errors: tuple[str, ...] = ()
    uncalculated: tuple[str, ...] = ()

    def notes(self) -> tuple[str, ...]:
        """Return a line for each kind, with its count and the first cells."""
        kinds = (
            (self.errors, "cells hold an error of the spreadsheet and are taken as empty"),
            (
                self.uncalculated,
                "cells hold a formula without a value and are taken as empty:"
                " open and save the workbook to calculate them",
            ),
        )
        return tuple(
            f"{len(cells):,} {what} ({', '.join(cells[:SHOWN])}{', …' * (len(cells) > SHOWN)})"
            for cells, what in kinds
            if cells
        )


def look(path: Path, sheet: str) -> CellFaults:
    """Return the cells of a sheet of an ``.xlsx`` that hold no value; none of other workbooks."""
    if path.suffix.lower() != ".xlsx":
        return CellFaults()
    errors, uncalculated = [], []
    with zipfile.ZipFile(path) as archive:
        for name in _files(archive, sheet):
            for cell in CELL.finditer(archive.read(name)):
                value = VALUE.search(cell[3])
                if b't="e"' in cell[2]:
                    told = value[1].decode() if value else "error"
                    errors.append(f"{cell[1].decode()} = {told}")
                elif value is None and re.search(rb"<f[ >/]", cell[3]) and b"<is>" not in cell[3]:
                    uncalculated.append(cell[1].decode())
    return CellFaults(tuple(errors), tuple(uncalculated))


def _files(archive: zipfile.ZipFile, sheet: str) -> Iterator[str]:
    """Yield the file of a sheet inside the workbook."""
    names = archive.namelist()
    if "xl/workbook.xml" not in names or "xl/_rels/workbook.xml.rels" not in names:
        return
    ids = dict(SHEET.findall(archive.read("xl/workbook.xml").decode()))
    for relation in TARGET.findall(archive.read("xl/_rels/workbook.xml.rels").decode()):
        told = dict(re.findall(r'(\w+)="([^"]*)"', relation))
        target = told.get("Target", "").lstrip("/").removeprefix("xl/")
        if told.get("Id") == ids.get(sheet) and f"xl/{target}" in names:
            yield f"xl/{target}"
