"""Delimited text made fit to be read: encoding, delimiter, and the rows that cannot be a row.

The check reads bytes once, in blocks, so a file of any size passes in the same memory. A file that
is in order is read where it lies; otherwise a mended copy is written in which each broken row is
empty, so that row numbers still hold.
"""

from __future__ import annotations

import codecs
import csv
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, NoReturn

from analysis.faults import Fault, FaultsError

ENCODINGS: Final = ("utf-8", "gb18030", "cp1252", "latin-1", "utf-16")
UNNAMED: Final = "row_names"
"""Name of a first column that has none."""
DELIMITERS: Final = (",", ";", "\t", "|")
BLOCK: Final = 1 << 22
MOST_ABOVE: Final = 50
"""Lines among which the names of the columns are looked for."""
MOST_BROKEN: Final = 100_000
"""More broken rows than this mean a wrong delimiter, not a damaged file."""

# Three bytes of UTF-8 that spell a common Chinese character, and only such or ASCII in the line:
# text in GB18030 hardly ever looks so, while two bytes often do.
_CHINESE_UTF8: Final = re.compile(rb"(?:[\x00-\x7f]|[\xe4-\xe9][\x80-\xbf]{2})*")


# A character of GB2312: two bytes, both beyond ASCII. A Western letter mostly stands alone.
_GB2312: Final = re.compile(rb"[\xb0-\xf7][\xa1-\xfe]")


@dataclass(frozen=True)
class PlainText:
    """A delimited text that is ready to read.

    Attributes
    ----------
    path : Path
        The file itself or its mended copy; UTF-8.
    encoding : str
        Of the original, one of `ENCODINGS`.
    delimiter : str
        One character.
    columns : tuple of str
        The header.
    n_rows : int
        Rows below the header; blank lines do not count.
    broken : mapping of int to tuple of str
        Row number (1-based, below the header) to its cells, where there are too many or too few.
    header : int
        Line of the header, from 1.
    """

    path: Path
    encoding: str
    delimiter: str
    columns: tuple[str, ...]
    n_rows: int
    broken: dict[int, tuple[str, ...]] = field(default_factory=dict)
    header: int = 1


def prepare(
    path: Path,
    scratch: Path,
    encoding: str | None = None,
    delimiter: str | None = None,
    header: int | None = None,
) -> PlainText:
    """Find encoding and delimiter, count rows, set broken rows apart.

    Parameters
    ----------
    path : Path
        The text file.
    scratch : Path
        Folder for a mended copy, should one be needed.
    encoding, delimiter : str, optional
        What a map says; found by looking if not given.
    header : int, optional
        Line of the header, from 1; 0: found by looking; left out: the first.

    Raises
    ------
    FaultsError
        If the encoding is mixed or unknown, the header is empty, names a column twice or seems to
        stand further down, the delimiter is ambiguous, or quoting never ends.
    """
    text = encoding or find_encoding(path)
    if encoding and not _decodes(path, encoding):
        raise FaultsError(
            [Fault(path.name, f"not {encoding}", "say another encoding, or none, to have it found")]
        )
    lines = _first_lines(path, text)
    first = [line for line in lines if line.strip()]
    mark = delimiter or find_delimiter(path.name, first)
    at = header
    if not at:
        at = find_header([next(csv.reader([line], delimiter=mark), []) for line in lines])
        if header is None and any(line.strip() for line in lines[: at - 1]):
            refuse_header(path.name, at)
        at = at if header == 0 else 1
    below = [line for line in lines[at - 1 :] if line.strip()]
    columns = _header(path.name, below, mark)
    named = _has_row_names(below, mark)
    if named:
        columns = (UNNAMED, *columns)
    elif at == 1:
        shape = _shape(path, text, mark, len(columns))
        if shape.plain and text == "utf-8":
            return PlainText(path, text, mark, columns, shape.n_rows)
    copy = scratch / f"{path.stem}.utf8.csv"
    n_rows, broken = _mended(path, copy, text, mark, len(columns), at - 1)
    return PlainText(copy, text, mark, columns, n_rows, broken, at)


def find_encoding(path: Path) -> str:
    """Tell the encoding of a text by reading the whole file.

    UTF-16 by its mark; UTF-8 if all of it is; else GB18030 where most of what is not ASCII are
    pairs of bytes that spell common Chinese characters, or the Western European code pages.

    Raises
    ------
    FaultsError
        If some lines are UTF-8 and others are not: the first of each is named.
    """
    with path.open("rb") as handle:
        start = handle.read(4)
    if start.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    if _decodes(path, "utf-8"):
        return "utf-8"
    utf8_line, other_line = _line_encodings(path)
    western = "cp1252" if _decodes(path, "cp1252") else "latin-1"
    name = "gb18030" if _chinese(path) else western
    if utf8_line and other_line:
        raise FaultsError(
            [
                Fault(
                    path.name,
                    f"mixed encodings: this line is {name.upper()}, line {utf8_line} is UTF-8",
                    "save every part as UTF-8 before joining them",
                    other_line,
                )
            ]
        )
    return name


def _chinese(path: Path) -> bool:
    """Return whether lines that are no UTF-8 are GB18030, half of their bytes pairs of GB2312."""
    paired = beyond = 0
    with path.open("rb") as handle:
        for line in handle:
            if not _is(line, "utf-8"):
                if not _is(line, "gb18030"):
                    return False
                paired += 2 * len(_GB2312.findall(line))
                beyond += sum(byte > 127 for byte in line)  # beyond ASCII
    return 2 * paired >= beyond


def _decodes(path: Path, encoding: str) -> bool:
    decoder = codecs.getincrementaldecoder(encoding)()
    try:
        with path.open("rb") as handle:
            while block := handle.read(BLOCK):
                if b"\0" in block and encoding != "utf-16":
                    raise FaultsError(
                        [Fault(path.name, "holds bytes that no text has", "export it as CSV")]
                    )
                decoder.decode(block)
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return False
    return True


def _line_encodings(path: Path) -> tuple[int, int]:
    """Return the first line surely UTF-8 and the first that is not; 0 where there is none."""
    utf8_line = other_line = 0
    with path.open("rb") as handle:
        for number, line in enumerate(handle, 1):
            if line.isascii():
                continue
            if not _is(line, "utf-8"):
                other_line = other_line or number
            elif not utf8_line and _CHINESE_UTF8.fullmatch(line):
                utf8_line = number
    return utf8_line, other_line


def _is(line: bytes, encoding: str) -> bool:
    try:
        line.decode(encoding)
    except UnicodeDecodeError:
        return False
    return True


def _first_lines(path: Path, encoding: str) -> list[str]:
    codec = "utf-8-sig" if encoding == "utf-8" else encoding
    with path.open(encoding=codec, newline="") as handle:
        return [line for line, _ in zip(handle, range(MOST_ABOVE), strict=False)]


def find_header(rows: Sequence[Sequence[str | None]]) -> int:
    """Return the line of the names of columns, from 1: the first with half of the cells filled.

    Parameters
    ----------
    rows : sequence of sequences
        Cells of the first lines.

    Examples
    --------
    >>> find_header([["Survey of 2019"], [], ["hh", "year", "wage"], ["1", "2019", ""]])
    3
    >>> find_header([["", "year", "wage"], ["1", "2019", "5"]])
    1
    """
    widths = [len(row) for row in rows if len(row) > 1]
    if not widths:
        return 1
    width = max(sorted(set(widths)), key=widths.count)
    filled = [sum(bool(cell and cell.strip()) for cell in row) for row in rows]
    return next((i for i, n in enumerate(filled, 1) if 2 * n >= width and n > 1), 1)


def _has_row_names(lines: Sequence[str], delimiter: str) -> bool:
    """Return whether each row has one cell more than the header, as R writes row names.

    Examples
    --------
    >>> _has_row_names(["hh,wage", "1,7,500"], ","), _has_row_names(["hh,wage", "7,500,"], ",")
    (True, False)
    """
    header, *rows = csv.reader(lines, delimiter=delimiter)
    longer = all(len(row) == len(header) + 1 for row in rows)
    return bool(rows) and longer and any(row[-1].strip() for row in rows) and UNNAMED not in header


def refuse_header(name: str, at: int) -> NoReturn:
    """Refuse a file whose names of columns seem to stand further down.

    Raises
    ------
    FaultsError
        Always.
    """
    raise FaultsError(
        [
            Fault(
                name,
                f"the first line has fewer cells than the names of columns, which seem to stand in"
                f" line {at}",
                f"say so: header = {at} in the map, --header {at} (1 if it is the first)",
                1,
            )
        ]
    )


def find_delimiter(name: str, lines: list[str]) -> str:
    """Find the delimiter: the one that cuts the first lines into equally many cells, most of them.

    Raises
    ------
    FaultsError
        If two do so equally well.

    Examples
    --------
    >>> find_delimiter("a.csv", ["a;b;c", "1,5;2;3"])
    ';'
    """
    cuts = {mark: [len(row) for row in csv.reader(lines, delimiter=mark)] for mark in DELIMITERS}
    cells = {mark: widths[0] for mark, widths in cuts.items() if widths and widths[0] > 1}
    if not cells:
        # A title stands above the header: what most lines have.
        usual = {m: max(sorted(set(w)), key=w.count) for m, w in cuts.items() if w}
        cells = {mark: n for mark, n in usual.items() if n > 1}
    if not cells:
        return ","
    steady = {m: n for m, n in cells.items() if cuts[m].count(n) > len(cuts[m]) / 2} or cells
    best = [mark for mark, n in steady.items() if n == max(steady.values())]
    if len(best) > 1:
        shown = " or ".join(repr(mark) for mark in best)
        raise FaultsError(
            [Fault(name, f"the delimiter may be {shown}", "say which: delimiter (--delimiter)")]
        )
    return best[0]


def _header(name: str, lines: list[str], delimiter: str) -> tuple[str, ...]:
    columns = next(csv.reader(lines, delimiter=delimiter), [])
    if not columns:
        raise FaultsError([Fault(name, "the file is empty", "export it again")])
    if len(columns) > 1 and not columns[0].strip() and UNNAMED not in columns:
        # What R and pandas write before the columns of a frame: its row names.
        columns[0] = UNNAMED
    faults = [
        *(
            Fault(name, "a column has no name", "name it", 1, value=f"column {i}")
            for i, column in enumerate(columns, 1)
            if not column.strip()
        ),
        *(
            Fault(name, "two columns have this name", "rename one", 1, column)
            for column in sorted({c for c in columns if c.strip() and columns.count(c) > 1})
        ),
    ]
    if faults:
        raise FaultsError(faults)
    return tuple(columns)


@dataclass(frozen=True)
class _Shape:
    """Whether the file can be read as it lies, and its rows if so."""

    plain: bool
    n_rows: int


def _shape(path: Path, encoding: str, delimiter: str, width: int) -> _Shape:
    """Count delimiters line by line; quotes, blank or ragged lines need the slower way."""
    mark, n_lines = delimiter.encode(), 0
    if encoding != "utf-8":
        return _Shape(plain=False, n_rows=0)
    with path.open("rb") as handle:
        while lines := handle.readlines(BLOCK):
            if b'"' in b"".join(lines) or any(line.count(mark) != width - 1 for line in lines):
                return _Shape(plain=False, n_rows=0)
            if width == 1 and any(not line.strip() for line in lines):
                return _Shape(plain=False, n_rows=0)
            n_lines += len(lines)
    return _Shape(plain=True, n_rows=n_lines - 1)


def _mended(
    path: Path, copy: Path, encoding: str, delimiter: str, width: int, above: int
) -> tuple[int, dict[int, tuple[str, ...]]]:
    """Write a copy in UTF-8 where every row has its cells; return rows and the broken ones."""
    broken: dict[int, tuple[str, ...]] = {}
    number = -1
    with copy.open("w", encoding="utf-8", newline="") as out:
        writer = csv.writer(out, delimiter=delimiter, lineterminator="\n")
        for row in _rows(path, encoding, delimiter, above):
            number += 1
            if number == 0 and len(row) == width - 1:
                row = [UNNAMED, *row]
            if len(row) == width:
                writer.writerow(row)
                continue
            if len(broken) == MOST_BROKEN:
                raise FaultsError(
                    [
                        Fault(
                            path.name,
                            f"more than {MOST_BROKEN} rows have too many or too few cells",
                            "check the delimiter",
                            number,
                        )
                    ]
                )
            broken[number] = tuple(row)
            # A single column needs a quoted blank, or readers skip the line.
            out.write(delimiter * (width - 1) + "\n" if width > 1 else '""\n')
    return max(number, 0), broken


def _rows(path: Path, encoding: str, delimiter: str, above: int) -> Iterator[list[str]]:
    """Yield every row that is not blank, the header first; some lines stand above it."""
    codec = "utf-8-sig" if encoding == "utf-8" else encoding
    with path.open(encoding=codec, newline="") as handle:
        for _ in range(above):
            handle.readline()
        reader = csv.reader(handle, delimiter=delimiter, strict=True)
        try:
            yield from (row for row in reader if row and any(cell.strip() for cell in row))
        except csv.Error as error:
            raise FaultsError(
                [Fault(path.name, str(error), "mend the quoting", above + reader.line_num)]
            ) from None
