"""A file with one table, read as a frame: text, Stata, SPSS, SAS, workbook, Parquet."""

from __future__ import annotations

from pathlib import Path

import fastexcel
import polars as pl

from analysis.faults import Fault, FaultsError
from analysis.frames import to_polars
from analysis.panels.importing.sources import KINDS, READERS
from analysis.panels.importing.text import find_delimiter, find_encoding

EMPTY = ["", "NA", "N/A", "."]
"""Texts that stand for no value in files that R, spreadsheets and Stata write."""
LINES = 50
"""Lines of a text that its delimiter is told from."""


def read_table(
    path: Path, *, encoding: str = "", delimiter: str = "", sheet: str = ""
) -> pl.DataFrame:
    """Read a file with one table.

    Parameters
    ----------
    path : Path
        A file whose ending names its kind; see `analysis.panels.importing.sources.KINDS`.
    encoding, delimiter : str
        Of a text; found out if left out.
    sheet : str
        Of a workbook with several.

    Returns
    -------
    polars.DataFrame
        Numbers as numbers; the names of columns as in the file.

    Raises
    ------
    FaultsError
        If the file is missing or of another kind, cannot be decoded, or has several sheets.
    """
    name = path.name
    if not path.is_file():
        raise FaultsError([Fault(name, "there is no such file", "look at the path")])
    kind = KINDS.get(path.suffix.lower())
    if kind is None:
        known = ", ".join(sorted(KINDS))
        raise FaultsError([Fault(name, "not a kind of file that is read", f"use {known}")])
    if kind == "parquet":
        return pl.read_parquet(path)
    if kind == "text":
        coded = encoding or find_encoding(path)
        text = path.read_text(encoding=coded)
        lines = text.splitlines()[:LINES]
        return pl.read_csv(
            text.encode(),
            separator=delimiter or find_delimiter(name, lines),
            null_values=EMPTY,
            infer_schema_length=None,
        )
    if kind == "workbook":
        book = fastexcel.read_excel(path)
        if not sheet and len(book.sheet_names) > 1:
            listed = ", ".join(book.sheet_names)
            raise FaultsError([Fault(name, "several sheets", f"name one: --sheet ({listed})")])
        return book.load_sheet(sheet or book.sheet_names[0]).to_polars()
    frame, _ = READERS[kind](str(path))
    return to_polars(frame)
