"""What the client asks the recorder in the kernel, and what it does with the answers.

See `analysis.findings.recorder` for the other side.
"""

from __future__ import annotations

import ast
import json
from collections.abc import Mapping, Sequence
from typing import Any

import yaml
from nbformat import NotebookNode

from analysis.site.annotate import cell_options

_RECORDER = '__import__("analysis.findings.recorder", fromlist=["inline"])'
DRAWN = "svg"
"""What the display of figures (`analysis.results.display`) says of each, beside other things."""


def inline(expression: str, page: str, number: int, cell: str) -> str:
    """Return what is asked for an inline value: the expression, recorded by page and place."""
    return f"{_RECORDER}.inline(({expression}), {page!r}, {number}, {cell!r})"


def export(page: str) -> str:
    """Return what is asked after the last cell; a notebook without the package has no findings."""
    there = '"analysis" in __import__("sys").modules'
    return f'{_RECORDER}.export_json({page!r}) if {there} else "[]"'


def inline_problem(answer: Mapping[str, Any]) -> tuple[str, str]:
    """Return what keeps the answer of a kernel from being printed, and the remedy; or nothing.

    Parameters
    ----------
    answer : mapping
        What the kernel says of one expression.

    Examples
    --------
    >>> inline_problem({"status": "error", "ename": "NameError", "evalue": "x"})[0]
    'the inline value fails: NameError: x'
    """
    if answer.get("status") != "ok":
        problem = str(answer.get("evalue"))
        if answer.get("ename") == "PlainValueError":
            remedy = "print a number of a result, or va.number(expression of results, unit)"
            return problem, remedy
        return (
            f"the inline value fails: {answer.get('ename')}: {problem}",
            "correct the expression, or define what it names in a cell above",
        )
    if not "".join((answer.get("data") or {}).get("text/markdown", "")).strip():
        return "the inline value prints nothing", "print something, or leave the value out"
    return "", ""


def names_in(code: str, stored: bool) -> set[str]:
    r"""Return the names that code assigns or imports, or those that it reads.

    Examples
    --------
    >>> sorted(names_in("import analysis as va\nfit, n = va.did(x), 2", stored=True))
    ['fit', 'n', 'va']
    >>> sorted(names_in("100 * fit.overall / mean", stored=False))
    ['fit', 'mean']
    """
    try:
        tree = ast.parse(code)
    except SyntaxError:  # magics; a fault of the cell is told when it runs
        return set()
    names: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store) == stored:
            names.add(node.id)
        elif stored and isinstance(node, ast.FunctionDef | ast.ClassDef):
            names.add(node.name)
        elif stored and isinstance(node, ast.Import | ast.ImportFrom):
            names |= {(alias.asname or alias.name).split(".")[0] for alias in node.names}
    return names


def cell_behind(expression: str, cells: Sequence[Mapping[str, Any]]) -> str:
    """Return the id of the last code cell that made what an expression prints; empty if none.

    Parameters
    ----------
    expression : str
        An inline value.
    cells : sequence of mapping
        The cells above it.
    """
    wanted = names_in(expression, stored=False)
    for cell in reversed(cells):
        if cell["cell_type"] == "code" and names_in(cell["source"], stored=True) & wanted:
            return str(cell.get("id", ""))
    return ""


def results_of(cell: NotebookNode) -> list[NotebookNode]:
    """Return what the last line of a cell gave."""
    return [output for output in cell.outputs if output.output_type == "execute_result"]


def exhibit(cell: NotebookNode, page: str) -> str:
    """Return what is asked of a cell that shows a figure or table; empty for any other."""
    try:
        options = cell_options(cell.source) if cell.cell_type == "code" else {}
    except yaml.YAMLError:  # named where cells are dressed
        return ""
    if cell.cell_type != "code":
        return ""
    noted = [o.metadata["analysis"] for o in cell.outputs if "analysis" in o.get("metadata", {})]
    drawn = any(DRAWN in about for about in noted)
    results, label = results_of(cell), str(options.get("label", ""))
    if not drawn and not label.startswith(("fig-", "tbl-")):
        return ""
    caption = str(options.get("fig-cap") or options.get("tbl-cap") or "")
    value = f"_oh.get({cell.execution_count})" if results else "None"
    place = f"{label!r}, {page!r}, {str(cell.get('id', ''))!r}, {caption!r}"
    return f"{_RECORDER}.exhibit({value}, {place})"


def exhibit_of(answer: Mapping[str, Any]) -> dict[str, str]:
    """Return what the recorder says of a figure or table."""
    if answer.get("status") == "ok":
        return dict(json.loads(ast.literal_eval(answer["data"]["text/plain"])))
    return {
        "problem": f"cannot be recorded: {answer.get('ename')}: {answer.get('evalue')}",
        "remedy": "give it a label of its own, and data that do not change",
    }


def put_exhibit(cell: NotebookNode, about: dict[str, str]) -> None:
    """Say at the last output of a cell what it shows, as the recorder returns it."""
    results_of(cell)[-1]["metadata"]["analysis"] = about
