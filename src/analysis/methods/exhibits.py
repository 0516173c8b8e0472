"""The list of exhibits: every figure and table, the notebook and the cell that makes it."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final

NOTEBOOKS: Final = "notebooks"
STORED: Final = f"{NOTEBOOKS}/data"
"""Notebooks on fetched data, stored with their outputs."""
_LABEL: Final = re.compile(r"^#\| label: ((?:fig|tbl)-\S+)\s*$", re.MULTILINE)
_CAPTION: Final = re.compile(r"^#\| (?:fig|tbl)-cap: (.+)$", re.MULTILINE)


@dataclass(frozen=True)
class Exhibit:
    """A figure or table.

    Attributes
    ----------
    label : str
        Its permanent name, ``fig-...`` or ``tbl-...``.
    caption : str
        As the page prints it; empty if it is computed.
    notebook : str
        File, relative to the project.
    cell : int
        Number of its cell in the file, the first is 1.
    """

    label: str
    caption: str
    notebook: str
    cell: int

    @property
    def stored(self) -> bool:
        """Whether it is a stored result, as its data are fetched and never committed."""
        return self.notebook.startswith(f"{STORED}/")


def find(root: Path) -> tuple[Exhibit, ...]:
    """Return every exhibit in reading order.

    Parameters
    ----------
    root : Path
        The project folder.
    """
    exhibits: list[Exhibit] = []
    for path in sorted((root / NOTEBOOKS).rglob("*.ipynb")):
        # The page of a reader's own panel is no part of what is published.
        if ".ipynb_checkpoints" in path.parts or path.parent.name == "yours":
            continue
        cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
        for number, cell in enumerate(cells, start=1):
            source = "".join(cell["source"])
            label = _LABEL.search(source) if cell["cell_type"] == "code" else None
            if label:
                caption = _CAPTION.search(source)
                text = caption[1].strip().strip('"') if caption else ""
                name = path.relative_to(root).as_posix()
                exhibits.append(
                    Exhibit(label[1], "" if text.startswith("!") else text, name, number)
                )
    return tuple(exhibits)
