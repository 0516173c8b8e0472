"""The map of a filled spreadsheet of the page "what to record", found by its headings."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from analysis import paths
from analysis.faults import Fault, FaultsError
from analysis.panels.importing import records
from analysis.panels.importing.mapfile import read_map
from analysis.panels.importing.staging import open_files

MAPS: Final = ("record.toml", "record-zh.toml")
"""Committed maps of the spreadsheets, English first."""


def map_of(files: Sequence[Path]) -> Path:
    """Return the committed map that a spreadsheet fits.

    Parameters
    ----------
    files : sequence of Path
        The spreadsheet.

    Raises
    ------
    FaultsError
        If it is none, or a heading was changed: then each that is missing.
    """
    nearest: tuple[Fault, ...] = ()
    for name in MAPS:
        path = paths.data() / "maps" / name
        survey = read_map(path)
        with tempfile.TemporaryDirectory() as scratch:
            _, faults = open_files(survey, files, Path(scratch))
        if not faults:
            return path
        missing = tuple(fault for fault in faults if fault.column)
        columns = len(list(records.columns_read(survey, survey.files[0])))
        # With half of its headings it is ours, and what is missing is worth naming.
        if missing and 2 * len(missing) <= columns:
            nearest = missing
    if nearest:
        raise FaultsError(nearest)
    named = " ".join(path.name for path in files)
    remedy = f"write a map to start from: analysis import --init {named}"
    problem = "no map is named, and this is not the spreadsheet of the page what to record"
    raise FaultsError([Fault(files[0].name if files else "import", problem, remedy)])
