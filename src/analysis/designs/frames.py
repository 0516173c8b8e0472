"""Frames of Polars, pandas or Arrow, read once: columns, evidence, digest, units."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import polars as pl

from analysis.faults import Fault, FaultsError
from analysis.frames import to_polars
from analysis.panels.table_files import read_table
from analysis.results import FrameDigest

PUBLIC = "public"
YOURS = "yours"


@dataclass(frozen=True)
class Source:
    """What was handed to an estimator.

    Attributes
    ----------
    frame : polars.DataFrame
        Its rows.
    evidence : str
        ``public`` for a public data set with its card, otherwise ``yours``.
    name : str
        Of the data set; ``data`` where it has none.
    digest : str
        First digits of the file's sha256; empty where that is taken from the columns.
    units : mapping of str to str
        Unit of each column that the card names.
    """

    frame: pl.DataFrame
    evidence: str = YOURS
    name: str = "data"
    digest: str = ""
    units: Mapping[str, str] = field(default_factory=dict)

    def input(self, columns: list[str]) -> object:
        """Return what a record names as the input: the file, or the columns that entered."""
        if self.digest:
            return f"{self.name}:{self.digest}"
        return FrameDigest(self.frame.select(columns), self.name)


def read(data: Any, evidence: str = "") -> Source:
    """Return a frame of any of the libraries as a source.

    Parameters
    ----------
    data : frame
        Polars, pandas or Arrow, or the path of a file; a Polars lazy frame is collected.
    evidence : str
        Kind of evidence; by the data if left out.

    Raises
    ------
    FaultsError
        If it is no frame, or has no rows.

    Examples
    --------
    >>> read(pl.DataFrame({"a": [1]})).frame.height
    1
    """
    frame = to_polars(read_table(data) if isinstance(data, (str, Path)) else data)
    if not frame.height:
        raise FaultsError([Fault("data", "there are no rows", "look at how it was read")])
    card = getattr(data, "card", None)
    if card is None:
        return Source(frame, evidence or YOURS)
    units = {column.name: column.unit for column in card.columns if column.unit}
    return Source(frame, evidence or PUBLIC, card.id, str(data.sha256)[:12], units)


def unit_of(unit: str | Mapping[str, str] | None, outcome: str, source: Source) -> str:
    """Return the unit of an outcome: as said, by the card of the data, or the column's name."""
    if isinstance(unit, str):
        return unit
    return (unit or {}).get(outcome) or source.units.get(outcome) or outcome
