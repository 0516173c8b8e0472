"""From a place on a built page back to the line a person can edit.

A check of the built site sees HTML. What it found was written in a page, a notebook or a file that
every page includes; the fault is moved there where the text it quotes can be found again.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

from analysis.faults import Fault

# What every page includes, searched after the page's own source.
SHARED = ("assets/*.html", "pages/_*.qmd", "_quarto.yml")
_MARKUP = re.compile(r"\{#[^}]*\}|\{\.[^}]*\}|[*_`]|(?<=\])\([^)]*\)|[\[\]]")
_HEADING = re.compile(r"\s*#{1,6}\s+(?P<text>.*?)\s*#*\s*$")


@dataclass(frozen=True)
class Written:
    """One line that a person wrote.

    Attributes
    ----------
    file : str
        Path in the project.
    row : int
        Line of the file, or of the cell if there is one.
    cell : str
        Cell of a notebook, else empty.
    text : str
        The line.
    """

    file: str
    row: int
    cell: str
    text: str


def bare(text: str) -> str:
    """Return Markdown as it reads: without emphasis, link targets and attributes.

    Examples
    --------
    >>> bare("A *new* [word](a.qmd#b) {#sec-a}")
    'A new word'
    """
    return " ".join(_MARKUP.sub("", text).split())


def relocate(faults: Iterable[Fault], root: Path) -> tuple[Fault, ...]:
    """Move faults on built pages to the lines they come from; each is told once.

    Parameters
    ----------
    faults : iterable of Fault
        As `check_site` finds them, named relative to the site.
    root : Path
        The project folder.

    Returns
    -------
    tuple of Fault
        Those whose text stands in no source keep the built page.
    """

    @cache
    def lines(file: str) -> tuple[Written, ...]:
        return tuple(_lines(root, file))

    shared = [
        path.relative_to(root).as_posix()
        for pattern in SHARED
        for path in sorted(root.glob(pattern))
    ]

    def moved(fault: Fault) -> Fault:
        stem, dot, suffix = fault.file.rpartition(".")
        if suffix != "html" or not dot or not fault.value:
            return fault
        for file in (f"{stem}.qmd", f"{stem}.ipynb", *shared):
            written = _find(lines(file), fault)
            if written:
                column = (
                    f"{written.cell}, line counted in the cell" if written.cell else fault.column
                )
                return replace(fault, file=written.file, row=written.row, column=column)
        return fault

    return tuple(dict.fromkeys(moved(fault) for fault in faults))


def _find(lines: tuple[Written, ...], fault: Fault) -> Written | None:
    """Return the line that a fault is about: a heading as a whole, other text as a part."""
    if fault.problem.startswith("a heading"):
        wanted = bare(fault.value)
        headings = ((line, _HEADING.match(line.text)) for line in lines)
        return next((line for line, at in headings if at and bare(at["text"]) == wanted), None)
    for wanted in _spellings(fault):
        pattern = r"\s+".join(re.escape(word) for word in wanted.split())
        match = re.search(pattern, "\n".join(line.text for line in lines))
        if match:
            return lines[match.string.count("\n", 0, match.start())]
    return None


def _spellings(fault: Fault) -> Iterator[str]:
    """Yield the forms in which a source may hold what a built page shows."""
    if fault.problem.startswith("two elements"):
        yield from (f"{{#{fault.value}", f'id="{fault.value}"')
        return
    yield fault.value
    if fault.problem.startswith("broken"):
        yield from (fault.value.replace(".html", suffix) for suffix in (".qmd", ".ipynb"))


def _lines(root: Path, file: str) -> Iterator[Written]:
    """Yield the lines of a source, or nothing where there is none."""
    try:
        text = (root / file).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return
    if not file.endswith(".ipynb"):
        for row, line in enumerate(text.splitlines(), start=1):
            yield Written(file, row, "", line)
        return
    try:
        cells: list[dict[str, Any]] = json.loads(text)["cells"]
    except (ValueError, KeyError, TypeError):
        return
    for number, cell in enumerate(cells, start=1):
        source = cell.get("source", "")
        whole = source if isinstance(source, str) else "".join(source)
        for row, line in enumerate(whole.splitlines(), start=1):
            yield Written(file, row, f"cell {number}", line)
