"""The source of what stands behind the findings: functions, their tests, the cells that call them.

From a number a reader comes to its record, and from there to these texts, inside the site.
"""

from __future__ import annotations

import ast
import html
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from analysis.methods.api import room_of
from analysis.methods.proof import Proof
from analysis.site.digest import source_of

FOLDER = "source"
TESTS = 2
"""Tests whose text is shown below a function."""
FENCE = "````"


def address(function: str) -> str:
    """Return where the source of a function stands, relative to the site.

    Examples
    --------
    >>> address("analysis.did.estimate.did")
    'source/did.qmd#analysis.did.estimate.did'
    """
    return f"{FOLDER}/{room_of(function)}.qmd#{function}"


def known(function: str, proof: Proof) -> bool:
    """Say whether a name is that of a function or class of the package."""
    return function in proof.places and function not in proof.modules


def pages(root: Path, functions: Iterable[str], proof: Proof) -> dict[str, str]:
    """Return a page for each room with the source of its functions and their tests.

    Parameters
    ----------
    root : Path
        The project folder.
    functions : iterable of str
        Those that findings name.
    proof : Proof
        Where they stand, and what tests them.
    """
    by_room: dict[str, list[str]] = {}
    for function in sorted({name for name in functions if known(name, proof)}):
        by_room.setdefault(room_of(function), []).append(function)
    return {
        f"{FOLDER}/{room}.qmd": "\n".join(_page(root, room, names, proof))
        for room, names in by_room.items()
    }


def _page(root: Path, room: str, functions: Sequence[str], proof: Proof) -> list[str]:
    lines = [
        "---",
        f'title: "Source: {room}"',
        f'description: "The functions of {room} behind the findings, and their tests"',
        "search: false",
        "toc: false",
        "---",
        "",
    ]
    for function in functions:
        place = proof.places[function]
        lines += [
            f"## {function.rpartition('.')[2]} {{#{function}}}",
            "",
            f"`{place}` · [reference](/reference/{room}.qmd)",
            "",
            *code(definition(root / place.file, place.line)),
        ]
        for test in proof.tests(function, most=TESTS):
            file, _, name = test.name.partition("::")
            text = test_text(root / file, name) if name else ""
            if text:
                how = f", by way of `{test.through}`" if test.through else ""
                lines += [f"Tested by `{test.name}`{how}:", "", *code(text)]
    return lines


def code(text: str) -> list[str]:
    """Return a text as a block of code in Markdown."""
    return [f"{FENCE}python", text, FENCE, ""]


@cache
def _parsed(file: Path) -> tuple[ast.Module, tuple[str, ...]]:
    text = file.read_text(encoding="utf-8")
    return ast.parse(text), tuple(text.splitlines())


def _lines(file: Path, node: ast.stmt) -> str:
    first = min([node.lineno, *(d.lineno for d in getattr(node, "decorator_list", []))])
    return "\n".join(_parsed(file)[1][first - 1 : node.end_lineno])


def definition(file: Path, line: int) -> str:
    """Return the text of what is defined on a line of a file; empty if nothing is."""
    kinds = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef
    nodes = (node for node in ast.walk(_parsed(file)[0]) if isinstance(node, kinds))
    return next((_lines(file, node) for node in nodes if node.lineno == line), "")


def test_text(file: Path, name: str) -> str:
    """Return the text of a test, which may be a method of a class."""
    result: Any = _parsed(file)[0]
    for part in name.split("::"):
        result = next((n for n in result.body if getattr(n, "name", "") == part), None)
        if result is None:
            return ""
    return _lines(file, result)


# ---------------------------------------------------------------------------------------- cells


def cell_of(record: Mapping[str, Any], cells: Sequence[Mapping[str, Any]]) -> str:
    """Return the id of the code cell that made a finding; empty if it cannot be told.

    Parameters
    ----------
    record : mapping
        The finding. One that recorded itself names its cell; the name of another stands as text
        in the cell that noted it.
    cells : sequence of mapping
        Code cells of its notebook.
    """
    if record.get("cell"):
        return str(record["cell"])
    quoted = f'"{record["id"]}"'
    ids = (str(cell["id"]) for cell in cells if quoted in source_of(cell))
    return next(ids, "")


def cells_of(content: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Return the code cells of a notebook."""
    return [cell for cell in content["cells"] if cell["cell_type"] == "code" and cell.get("id")]


def cell_blocks(cells: Sequence[Mapping[str, Any]], wanted: Iterable[str]) -> list[str]:
    """Return the sources of cells, each under an anchor, as Markdown.

    Parameters
    ----------
    cells : sequence of mapping
        Code cells of a notebook.
    wanted : iterable of str
        Ids of those to show.
    """
    chosen = set(wanted)
    lines: list[str] = []
    for number, cell in enumerate(cells, start=1):
        if cell["id"] in chosen:
            anchor = html.escape(f"cell-{cell['id']}")
            lines += [f"### Code cell {number} {{#{anchor}}}", "", *code(source_of(cell))]
    return ["## The cells that made them {#cells}", "", *lines] if lines else []
