"""A file with one table, read as a frame: text, Stata, SPSS, SAS, workbook, Parquet."""

from __future__ import annotations

import tempfile
import warnings
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import polars as pl

from analysis.columns import Style, refuse_number, styles, yes_or_no
from analysis.frames import to_polars
from analysis.panels.importing.mapping import SurveyFile
from analysis.panels.importing.sources import KINDS, READERS, Source, open_source, sheet_of

EMPTY: Final = ("", "NA", "N/A", ".")
"""Texts that stand for no value in files that R, spreadsheets and Stata write."""
WHOLE: Final = r"^[+-]?\d{1,18}$"
FORMULAS: Final = "{} has formulas: the values last stored are read, none is computed"
SHOWN: Final = 3
"""Rows and columns that a note names."""


@dataclass(frozen=True)
class HowRead:
    """How a file is to be read; what is empty is found out.

    Attributes
    ----------
    encoding, delimiter : str
        Of a text.
    decimal, thousands : str
        Marks in its numbers.
    missing : tuple of str
        Codes that mean no answer, in every column.
    sheet : str
        Of a workbook.
    header : int
        Line of a text, or row of a sheet, that names the columns, from 1; 0: the first.
    """

    encoding: str = ""
    delimiter: str = ""
    decimal: str = ""
    thousands: str = ""
    missing: tuple[str, ...] = ()
    sheet: str = ""
    header: int = 0

    @property
    def style(self) -> Style | None:
        """How numbers are written, if it is said."""
        if not (self.decimal or self.thousands):
            return None
        other = "," if self.thousands == "." else "."
        return Style(self.decimal or other, self.thousands)


def read_table(
    file: str | Path,
    *,
    encoding: str = "",
    delimiter: str = "",
    decimal: str = "",
    thousands: str = "",
    missing: Sequence[object] = (),
    sheet: str = "",
    header: int = 0,
) -> pl.DataFrame:
    r"""Read a file with one table: CSV or other text, Stata, SPSS, SAS, a workbook, Parquet.

    Parameters
    ----------
    file : path
        Its ending names its kind.
    encoding, delimiter : str
        Of a text, such as ``gb18030`` and ``;``; found out if left out.
    decimal, thousands : str
        Marks in the numbers of a text; found out where only one reading is possible.
    missing : sequence
        Codes that mean no answer, such as ``-9``, in every column.
    sheet : str
        Of a workbook with several.
    header : int
        Line of a text, or row of a sheet, that names the columns, from 1; left out: the first.

    Returns
    -------
    polars.DataFrame
        Numbers as numbers; the names of columns as in the file.

    Raises
    ------
    FaultsError
        If the file is missing or of another kind, cannot be decoded, has several sheets, or lines
        above the names of its columns.

    Warns
    -----
    UserWarning
        What was found out rather than said: encoding, marks, cells without a value; how many cells
        hold a code or a word for no answer.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> import analysis as va
    >>> file = pathlib.Path(tempfile.mkdtemp()) / "survey.csv"
    >>> _ = file.write_text("village,income\na,1200\nb,-9\n")
    >>> va.read_table(file, missing=[-9])["income"].to_list()
    [1200, None]
    """
    how = HowRead(encoding, delimiter, decimal, thousands, tuple(map(str, missing)), sheet, header)
    frame, notes = read(Path(file), how)
    for note in notes:
        warnings.warn(note, stacklevel=2)
    return frame


def read(
    path: Path, how: HowRead | None = None, numbers: Sequence[str] = ()
) -> tuple[pl.DataFrame, tuple[str, ...]]:
    """Read a file with one table, and say what was found out.

    Parameters
    ----------
    path : Path
        See `read_table`.
    how : HowRead, optional
        All found out if left out.
    numbers : sequence of str
        Columns that have to be numbers, or yes and no: named by row where they are not.
    """
    how = how or HowRead()
    with tempfile.TemporaryDirectory() as scratch:
        file = SurveyFile(
            "file",
            path.name,
            "household",
            "fixed",
            None,  # type: ignore[arg-type]  # no key is read
            encoding=how.encoding or None,
            delimiter=how.delimiter or None,
            sheet=how.sheet or None,
            header=how.header or None,
        )
        source = open_source(path, Path(scratch), file)
        kind = KINDS[path.suffix.lower()]
        if kind == "parquet":
            return _without_codes(pl.read_parquet(path), how, path.name)
        if kind == "workbook":
            frame = sheet_of(source, schema_sample_rows=None)
            cells = [f"{path.name}: {note}" for note in source.cells.notes("taken as empty")]
            formulas = (FORMULAS.format(path.name),) if source.formulas else ()
            frame, none = _without_codes(frame, how, path.name)
            frame, more = _numbers(frame, how, path.name, numbers)
            return frame, (*formulas, *cells, *none, *more)
        if kind != "text":
            frame = _single_precision(to_polars(READERS[kind](str(path))[0]), source)
            return _without_codes(frame, how, path.name)
        assert source.text is not None  # noqa: S101  # a text has one
        frame = pl.read_csv(
            source.text.path,
            separator=source.text.delimiter,
            infer_schema=False,
            has_header=False,
            skip_rows=1,
            new_columns=list(source.text.columns),
        )
        broken = sorted(source.text.broken)
        notes = [*_read_as(path.name, source.text, how)]
        frame = frame.with_columns(pl.all().str.strip_chars())
        frame, none = _without_codes(frame, replace(how, missing=(*EMPTY, *how.missing)), path.name)
        notes += none
        frame, more = _numbers(frame, how, path.name, numbers)
        if broken:
            frame = frame.with_row_index("__row", 1).filter(~pl.col("__row").is_in(broken))
            frame = frame.drop("__row")
            shown = ", ".join(str(row + 1) for row in broken[:SHOWN])
            notes.append(
                f"{path.name}: {len(broken):,} rows have too many or too few cells and are left out"
                f" (lines {shown})"
            )
    return frame, (*notes, *more)


def _read_as(name: str, text: Any, how: HowRead) -> list[str]:
    """Return what was found out of a text that is no plain CSV."""
    names = []
    if not how.encoding and text.encoding != "utf-8":
        names.append(f"encoding {text.encoding}")
    if not how.delimiter and text.delimiter != ",":
        names.append(f"delimiter {text.delimiter!r}")
    return [f"{name}: {', '.join(names)}, as far as can be told"] if names else []


def _without_codes(
    frame: pl.DataFrame, how: HowRead, file: str
) -> tuple[pl.DataFrame, tuple[str, ...]]:
    """Empty the cells that hold a code for no answer, as number or text; say how many did."""
    if not how.missing:
        return frame, ()
    codes = [float(c) for c in how.missing if styles(pl.Series([c])) == [Style()]]
    hit = {}
    for name, kind in frame.schema.items():
        if kind.is_numeric():
            hit[name] = pl.col(name).cast(pl.Float64).is_in(codes)
        elif kind == pl.String:
            hit[name] = pl.col(name).is_in(list(how.missing))
    counts = frame.select(
        (there & (pl.col(name).cast(pl.String) != "")).sum().alias(name)
        for name, there in hit.items()
    )
    found = {name: n for name, n in zip(counts.columns, counts.row(0), strict=True) if n}
    told = ", ".join(f"{name} {n:,}" for name, n in list(found.items())[:SHOWN])
    more = ", …" * (len(found) > SHOWN)
    total = f"{file}: {sum(found.values()):,} cells hold a code or word for no answer and are empty"
    frame = frame.with_columns(
        pl.when(~there).then(pl.col(name)).alias(name) for name, there in hit.items()
    )
    return frame, (f"{total} ({told}{more})",) if found else ()


def _single_precision(frame: pl.DataFrame, source: Source) -> pl.DataFrame:
    """Mark columns of codes that a file keeps with too few digits by their type.

    Stata's ``float`` comes as Float64; as Float32 it is refused where it has to tell codes apart.
    """
    single = [c.name for c in source.columns if c.type == "float"]
    far = [
        name
        for name in single
        if (frame[name].abs() > 2**24).any()
        and (frame[name].drop_nulls() == frame[name].drop_nulls().round()).all()
    ]
    return frame.with_columns(pl.col(far).cast(pl.Float32))


def _numbers(
    frame: pl.DataFrame, how: HowRead, file: str, numbers: Sequence[str]
) -> tuple[pl.DataFrame, tuple[str, ...]]:
    """Read texts that are numbers as such: in the style that is said, or the only one that fits."""
    texts = [name for name, kind in frame.schema.items() if kind == pl.String]
    fits = {name: styles(frame[name]) for name in texts}
    item = how.style
    sure = {s for result in fits.values() if len(result) == 1 for s in result if s != Style()}
    series: list[pl.Series] = []
    marked: dict[Style, list[str]] = {}
    for name in texts:
        styled = fits[name]
        if item is not None:
            ok = frame[name].drop_nulls().str.contains(item.pattern).all()
            styled = [item] if ok and frame[name].null_count() < frame.height else []
        elif len(styled) > 1 and len(sure) == 1:
            # Another column of the file tells which mark is which.
            (one,) = sure
            styled = [s for s in styled if s.decimal == one.decimal][:1]
        if not styled and name in numbers and yes_or_no(frame[name]) is None:
            refuse_number(frame[name], file, item)
        if len(styled) > 1 and name in numbers:
            refuse_number(frame[name], file, None, styled)
        if len(styled) != 1:
            continue
        column = _as_numbers(frame[name], styled[0])
        if column is not None:
            series.append(column)
            if styled[0] != Style():
                marked.setdefault(styled[0], []).append(name)
    notes = tuple(
        f"{file}: {style.words()} in {', '.join(names[:SHOWN])}{', …' * (len(names) > SHOWN)}"
        for style, names in marked.items()
        if item is None
    )
    return frame.with_columns(series), notes


def _as_numbers(column: pl.Series, style: Style) -> pl.Series | None:
    """Return texts as whole numbers or fractions; None where two texts would become one number."""
    frame = column.to_frame("x")
    if style == Style() and column.drop_nulls().str.contains(WHOLE).all():
        series = frame.select(pl.col("x").str.replace(r"^\+", "").cast(pl.Int64)).to_series()
    else:
        series = frame.select(style.numbers(pl.col("x"))).to_series()
    if series.null_count() > column.null_count():
        return None
    padded = column.drop_nulls().str.contains(r"^[+-]?0\d").any()
    if padded and series.n_unique() < column.n_unique():
        return None  # 007 and 7 are two names
    return series.alias(column.name)
