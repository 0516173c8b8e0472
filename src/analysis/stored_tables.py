"""Tables that take long or need optional data: made by a command, committed, read by pages."""

from __future__ import annotations

from pathlib import Path

import polars as pl

from analysis import paths
from analysis.faults import Fault, FaultsError
from analysis.files import write_atomic


def read(file: Path, module: str) -> pl.DataFrame:
    """Return a stored table.

    Parameters
    ----------
    file : Path
        Where it is, from the project's folder.
    module : str
        The module that makes it when it is run.

    Raises
    ------
    FaultsError
        If it is not there.
    """
    path = paths.root() / file
    if not path.is_file():
        raise FaultsError(
            [Fault(file.as_posix(), "the file is missing", f"make it: python -m {module}")]
        )
    return pl.read_csv(path)


def write(file: Path, table: pl.DataFrame) -> None:
    """Store a table whole or not at all."""
    write_atomic(paths.root() / file, table.write_csv().encode())
