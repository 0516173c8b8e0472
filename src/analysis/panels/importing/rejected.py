"""What an import rejected: read from its folder, shown, exported."""

from __future__ import annotations

from pathlib import Path

import polars as pl

from analysis.contract import project_name
from analysis.faults import Fault, FaultsError
from analysis.files import write_atomic
from analysis.panels.importing.convert import REASONS
from analysis.panels.importing.limits import REJECTED, places


def read(folder: Path) -> pl.DataFrame:
    """Return the rejected records of the last import into a folder.

    Parameters
    ----------
    folder : Path
        The panel's. An import that stopped has left them beside it.

    Returns
    -------
    polars.DataFrame
        reason, detail, file, row (1-based, below the header), period, household, original.

    Raises
    ------
    FaultsError
        If nothing was imported there.
    """
    folder = folder.resolve()
    where = (folder.parent / f"{folder.name}.{REJECTED}", folder / REJECTED)
    for place in where:
        if place.is_file():
            return pl.read_parquet(place)
    raise FaultsError(
        [
            Fault(
                project_name(folder),
                "no import has written here",
                "name the folder that was given to analysis import as --out",
            )
        ]
    )


def summary(rejected: pl.DataFrame) -> str:
    """Return the count of each reason, and its first rows: file, row, column = value.

    Examples
    --------
    >>> row = {"reason": "not_a_number", "detail": "wage = 12OO; text", "file": "a.csv", "row": 5}
    >>> print(summary(pl.DataFrame([row])))
    1 records rejected
      1  text where a number should be (not_a_number)
         a.csv, row 5: wage = 12OO
    """
    lines = [f"{rejected.height:,} records rejected"]
    counts = rejected.group_by("reason").len().sort("len", "reason", descending=[True, False])
    for reason, n in counts.iter_rows():
        lines.append(f"  {n:,}  {REASONS[reason]} ({reason})")
        lines += [f"     {place}" for place in places(rejected.filter(pl.col("reason") == reason))]
    return "\n".join(lines)


def export(rejected: pl.DataFrame, file: Path) -> None:
    """Write rejected records as CSV, or as Parquet if the file's name ends so."""
    if file.suffix.lower() == ".parquet":
        rejected.write_parquet(file)
        return
    write_atomic(file, rejected.write_csv().encode())
