"""Where the project's folders are."""

from __future__ import annotations

import os
from pathlib import Path

MARKER = "_quarto.yml"


def root() -> Path:
    """Return the project folder: the one that holds ``_quarto.yml``.

    ``ANALYSIS_ROOT`` names it outright (a test uses that); otherwise it is the nearest folder
    above this file, then above the current folder.

    Raises
    ------
    FileNotFoundError
        If neither route finds the marker file.
    """
    named = os.environ.get("ANALYSIS_ROOT")
    if named:
        return Path(named)
    for start in (Path(__file__).resolve(), Path.cwd() / MARKER):
        for folder in start.parents:
            if (folder / MARKER).exists():
                return folder
    raise FileNotFoundError(
        f"no {MARKER} above {Path.cwd()}: run the command inside the project, "
        "or set ANALYSIS_ROOT to its folder"
    )


def data() -> Path:
    """Return the folder of committed data."""
    return root() / "data"
