"""Survey files read as tables of text with row numbers; nothing in a file is ever executed.

Every cell becomes the text it stands for, an empty cell null. So one way of reading numbers, codes
and dates serves every format, and a rejected row can be shown as it was.
"""

from __future__ import annotations

import re
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final, NoReturn

import fastexcel
import polars as pl
import pyreadstat

from analysis.faults import Fault, FaultsError
from analysis.panels.importing.mapping import SurveyFile
from analysis.panels.importing.parameters import parameters
from analysis.panels.importing.text import (
    MOST_ABOVE,
    UNNAMED,
    PlainText,
    find_header,
    prepare,
    refuse_header,
)
from analysis.panels.importing.workbook_cells import CellFaults, look

ROW: Final = "_row"
"""1-based number of a row of the source: below the header of a text or sheet."""

KINDS: Final[Mapping[str, str]] = {
    ".csv": "text",
    ".tsv": "text",
    ".txt": "text",
    ".dta": "stata",
    ".sav": "spss",
    ".zsav": "spss",
    ".por": "spss portable",
    ".sas7bdat": "sas",
    ".xpt": "sas transport",
    ".xlsx": "workbook",
    ".xls": "workbook",
    ".ods": "workbook",
    ".parquet": "parquet",
}
READERS: Final[Mapping[str, Any]] = {
    "stata": pyreadstat.read_dta,
    "spss": pyreadstat.read_sav,
    "spss portable": pyreadstat.read_por,
    "sas": pyreadstat.read_sas7bdat,
    "sas transport": pyreadstat.read_xport,
}
CAN_EXECUTE: Final = (
    ".pkl",
    ".pickle",
    ".joblib",
    ".rds",
    ".rda",
    ".rdata",
    ".npy",
    ".h5",
    ".hdf5",
)


@dataclass(frozen=True)
class Column:
    """What a file says of one of its columns.

    Attributes
    ----------
    name, label, type : str
        Name, label (empty if none) and type as the format calls it.
    values : mapping of str to str
        Code to value label.
    """

    name: str
    label: str = ""
    type: str = "text"
    values: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Source:
    """An opened survey file.

    Attributes
    ----------
    path : Path
        The file.
    kind : str
        A value of `KINDS`.
    columns : tuple of Column
        In order.
    n_rows : int
        Rows.
    serial_dates : int or None
        Days from 1899-12-30 to day 0 of a workbook's calendar; None if no workbook.
    formulas : int
        Cells of a workbook that hold a formula: the value last stored is read, none is computed.
    cells : CellFaults
        Cells of a workbook that hold no value though they look so.
    text : PlainText or None
        Of a delimited text.
    sheet : str or None
        Of a workbook.
    header : int
        Row of a sheet that names the columns, from 1; 0: the first that is not empty.
    """

    path: Path
    kind: str
    columns: tuple[Column, ...]
    n_rows: int
    serial_dates: int | None = None
    formulas: int = 0
    cells: CellFaults = field(default_factory=CellFaults)
    text: PlainText | None = None
    sheet: str | None = None
    header: int = 0

    def names(self) -> tuple[str, ...]:
        """Return the names of the columns."""
        return tuple(column.name for column in self.columns)


def open_source(path: Path, scratch: Path, how: SurveyFile | None = None) -> Source:
    """Open a survey file and learn its columns.

    Parameters
    ----------
    path : Path
        The file; its ending says the format.
    scratch : Path
        Folder for mended copies of text files.
    how : SurveyFile, optional
        Encoding, delimiter, sheet, header from a map; a header of 0 is looked for.

    Raises
    ------
    FaultsError
        If the format is unknown or can carry code, the content is not what the ending says, or the
        file cannot be read.
    """
    kind = KINDS.get(path.suffix.lower())
    if path.suffix.lower() in CAN_EXECUTE:
        _stop(
            path,
            "this format can carry code or needs its own program",
            "export it as CSV, Parquet or Stata",
        )
    if not path.exists():
        _stop(path, "the file is missing", "check its name and folder")
    if kind is None:
        _stop(path, "unknown format", f"use one of: {', '.join(KINDS)}", path.suffix)
    if not path.is_file():
        _stop(path, "this is a folder", "name a file in it, a panel, cells or a pack")
    if path.stat().st_size == 0:
        _stop(path, "the file is empty", "export it again")
    try:
        return _open(path, kind, scratch, how)
    except (
        pyreadstat.ReadstatError,
        pyreadstat.PyreadstatError,
        pl.exceptions.PolarsError,
        fastexcel.FastExcelError,
        zipfile.BadZipFile,
        ValueError,
        OSError,
    ) as error:
        words = re.sub(r"\s+", " ", str(error))[:120]
        _stop(path, f"cannot be read as {kind}: {words}", "check that it is whole, export it again")


def _stop(path: Path, problem: str, remedy: str, value: str = "") -> NoReturn:
    raise FaultsError([Fault(path.name, problem, remedy, value=value)])


def _open(path: Path, kind: str, scratch: Path, how: SurveyFile | None) -> Source:
    if kind == "text":
        said = (how.encoding, how.delimiter, how.header) if how else (None, None, None)
        text = prepare(path, scratch, *said)
        columns = tuple(Column(name) for name in text.columns)
        return Source(path, kind, columns, text.n_rows, text=text)
    if kind == "parquet":
        frame = pl.scan_parquet(path)
        columns = tuple(Column(n, type=str(t)) for n, t in frame.collect_schema().items())
        return Source(path, kind, columns, frame.select(pl.len()).collect().item())
    if kind == "workbook":
        return _open_workbook(path, how)
    about = READERS[kind](path, metadataonly=True)[1]
    labels = dict(zip(about.column_names, about.column_labels, strict=True))
    columns = tuple(
        Column(
            name,
            labels[name] or "",
            about.readstat_variable_types.get(name, "text"),
            {_code(k): v for k, v in about.variable_value_labels.get(name, {}).items()},
        )
        for name in about.column_names
    )
    n_rows = about.number_rows
    if n_rows is None or n_rows < 0:
        # The header of these two formats does not say how many rows follow.
        n_rows = sum(batch.height for batch in _statistical_batches(path, kind, None))
    return Source(path, kind, columns, n_rows)


def _code(value: object) -> str:
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)


def _open_workbook(path: Path, how: SurveyFile | None) -> Source:
    sheet = how.sheet if how else None
    offset = formulas = 0
    if path.suffix.lower() != ".xls":
        with zipfile.ZipFile(path) as archive:
            size = sum(entry.file_size for entry in archive.infolist())
            if size > parameters().largest_workbook:
                _stop(
                    path,
                    "unpacks to more than a survey can hold",
                    "export it as CSV",
                    f"{size // 10**6} MB",
                )
            names = archive.namelist()
            if "xl/workbook.xml" in names and re.search(
                rb'date1904="(1|true)"', archive.read("xl/workbook.xml")
            ):
                offset = 1462
            sheets = [n for n in names if re.fullmatch(r"xl/worksheets/[^/]+\.xml", n)]
            formulas = sum(len(re.findall(rb"<f[ >/]", archive.read(name))) for name in sheets)
    book = fastexcel.read_excel(path)
    chosen = sheet or book.sheet_names[0]
    if chosen not in book.sheet_names:
        _stop(
            path,
            "the workbook has no such sheet",
            f"use one of: {', '.join(book.sheet_names)}",
            chosen,
        )
    if sheet is None and len(book.sheet_names) > 1:
        _stop(
            path,
            f"the workbook has {len(book.sheet_names)} sheets",
            f"name one, as sheet in the map or --sheet: {', '.join(book.sheet_names)}",
        )
    top = book.load_sheet(chosen, header_row=None, skip_rows=0, n_rows=MOST_ABOVE, dtypes="string")
    at = how.header if how and how.header is not None else 0
    if not at:
        rows = top.to_polars().rows()
        found = find_header(rows)
        if found > 1 and how is not None and how.header == 0:
            at = found
        elif any(any(row) for row in rows[: found - 1]):
            refuse_header(path.name, found)
    cells = look(path, chosen)
    source = Source(path, "workbook", (), 0, offset, formulas, cells, sheet=chosen, header=at)
    frame = sheet_of(source, dtypes="string")
    columns = tuple(Column(name) for name in frame.columns)
    return replace(source, columns=columns, n_rows=frame.height)


def sheets_of(path: Path) -> tuple[str, ...]:
    """Return the sheets of a workbook with several; nothing for any other file.

    A file that cannot be read as a workbook is told when it is opened.
    """
    if KINDS.get(path.suffix.lower()) != "workbook" or not path.is_file():
        return ()
    try:
        names = fastexcel.read_excel(path).sheet_names
    except (fastexcel.FastExcelError, ValueError, OSError):
        return ()
    return tuple(names) if len(names) > 1 else ()


def sheet_of(source: Source, **how: Any) -> pl.DataFrame:
    """Read a sheet below its header; rows wholly empty stay, so that numbers hold.

    Parameters
    ----------
    source : Source
        A workbook, opened.
    **how
        Options of ``load_sheet`` of fastexcel; with ``dtypes="string"`` an error or a formula that
        was never calculated stands as text, otherwise it is null.
    """
    book = fastexcel.read_excel(source.path)
    at = max(source.header - 1, 0)
    frame = book.load_sheet(source.sheet or 0, header_row=at, **how).to_polars()
    if frame.columns and frame.columns[0] == "__UNNAMED__0" and UNNAMED not in frame.columns:
        frame = frame.rename({"__UNNAMED__0": UNNAMED})
    return source.cells.put_back(frame, source.header, as_text="dtypes" in how)


def batches(source: Source, columns: Sequence[str]) -> Iterator[pl.LazyFrame]:
    """Yield the rows of a file, in order, as text with their number.

    Parameters
    ----------
    source : Source
        An opened file.
    columns : sequence of str
        The columns to read.

    Yields
    ------
    polars.LazyFrame
        `ROW` (UInt32) and the columns as text; blank cells are null.
    """
    start = 1
    for frame in _raw(source, columns):
        yield frame.with_columns(_as_texts(frame.collect_schema())).with_row_index(ROW, start)
        if isinstance(source.text, PlainText) or source.kind == "parquet":
            return  # one lazy frame for the whole file
        start += frame.select(pl.len()).collect().item()


def _raw(source: Source, columns: Sequence[str]) -> Iterator[pl.LazyFrame]:
    wanted = list(columns)
    if source.text is not None:
        # The names are given: Polars keeps doubled quotes in a header, csv does not.
        names = list(source.text.columns)
        yield pl.scan_csv(
            source.text.path,
            separator=source.text.delimiter,
            infer_schema=False,
            glob=False,
            with_column_names=lambda _: names,
        ).select(wanted)
    elif source.kind == "parquet":
        yield pl.scan_parquet(source.path, glob=False).select(wanted)
    elif source.kind == "workbook":
        yield sheet_of(source, dtypes="string").select(wanted).lazy()
    else:
        yield from (b.lazy() for b in _statistical_batches(source.path, source.kind, wanted))


def _statistical_batches(
    path: Path, kind: str, columns: list[str] | None
) -> Iterator[pl.DataFrame]:
    # Some formats are read from their start to reach an offset, so few large steps.
    step, offset = parameters().rows_at_once, 0
    while True:
        frame, _ = READERS[kind](
            path, output_format="polars", usecols=columns, row_offset=offset, row_limit=step
        )
        # pyreadstat gives the columns in the order of the file.
        yield frame.select(columns) if columns else frame
        offset += step
        if frame.height < step:
            return


def _as_texts(schema: Mapping[str, pl.DataType]) -> list[pl.Expr]:
    """Write every cell as text: 3.0 as 3, so that a key is the same in every format."""
    return [_as_text(name, kind) for name, kind in schema.items()]


def _as_text(name: str, kind: pl.DataType) -> pl.Expr:
    column = pl.col(name)
    if kind.is_nested() or kind == pl.Object or kind == pl.Binary:
        return pl.lit(None, dtype=pl.String).alias(name)
    if kind == pl.Boolean:
        return pl.when(column).then(pl.lit("1")).when(~column).then(pl.lit("0")).alias(name)
    if kind.is_float():
        # Whole numbers up to 2**53 are exact in a float and print without the ".0".
        whole = (column == column.round(0)) & (column.abs() < 2**53)
        short = column.cast(pl.Int64, strict=False).cast(pl.String)
        return pl.when(whole).then(short).otherwise(column.cast(pl.String)).alias(name)
    text = column.cast(pl.String).str.strip_chars()
    return pl.when(text != "").then(text).alias(name)
