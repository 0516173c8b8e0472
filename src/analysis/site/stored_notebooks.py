"""Notebooks on fetched data: committed with their outputs, run again wherever the data are.

A notebook in ``notebooks/data/`` reads microdata that are not passed on. It is committed with its
outputs, never rows, and with the digests of the data files and of the code that made them. Where
the files are here it is run like any other, and what it prints is compared with what is committed;
where they are not, the committed outputs are shown and dated. Outputs of other code are a fault.

``python -m analysis.site.stored_notebooks [NAME…]`` runs notebooks again and stores their outputs.
"""

from __future__ import annotations

import ast
import asyncio
import json
import os
import sys
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from analysis.faults import Fault, FaultsError
from analysis.files import digest_files, digest_of, write_atomic
from analysis.site.annotate import cell_options, quoted
from analysis.site.digest import PACKAGE, ImportGraph, package_files, source_of
from analysis.templates import fill

TEMPLATES: Final = Path(__file__).parent / "templates"
FOLDER: Final = Path("notebooks") / "data"
CATALOGUE: Final = Path("data") / "external.toml"
FETCHED: Final = Path("data") / "external"
VARIABLE: Final = "ANALYSIS_EXTERNAL"
"""Environment variable that names another folder with the fetched files."""
COMMAND: Final = "python -m analysis.site.stored_notebooks"
DRAWING: Final = frozenset(
    f"{PACKAGE}.results.{name}"
    for name in (
        "bars",
        "display",
        "distribution",
        "event_plot",
        "figure_svg",
        "forest",
        "labels",
        "marks",
        "plot",
        "saving",
        "table_html",
    )
)
"""Modules that draw or save: how a figure looks makes no stored number stale."""
SHOWN: Final = ("text/plain", "text/markdown")
"""Forms of an output that are compared: what is said, not how it is marked up or drawn."""


@dataclass(frozen=True)
class FetchedSet:
    """One fetched file that a notebook reads.

    Attributes
    ----------
    name, sha256 : str
        As in ``data/external.toml``.
    path : Path or None
        Where the file is; None where it has not been fetched.
    """

    name: str
    sha256: str
    path: Path | None


def _trees(content: Mapping[str, Any]) -> Iterator[ast.Module]:
    for cell in content["cells"]:
        if cell["cell_type"] == "code":
            try:
                yield ast.parse(source_of(cell))
            except SyntaxError:  # it fails in the kernel, with its line
                continue


def fetched_sets(content: Mapping[str, Any], root: Path) -> tuple[FetchedSet, ...]:
    """Return the fetched data sets that a notebook names in calls of ``data("…")``.

    Parameters
    ----------
    content : mapping
        The notebook.
    root : Path
        The project folder.
    """
    file = root / CATALOGUE
    catalogue = tomllib.loads(file.read_text(encoding="utf-8")) if file.is_file() else {}
    named = [
        node.args[0].value
        for tree in _trees(content)
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
        and getattr(node.func, "attr", getattr(node.func, "id", "")) == "data"
        and node.args
        and isinstance(node.args[0], ast.Constant)
    ]
    elsewhere = os.environ.get(VARIABLE)
    folders = [*([Path(elsewhere)] if elsewhere else []), root / FETCHED]
    fetched_sets = []
    for name in dict.fromkeys(map(str, named)):
        if name in catalogue:
            places = [folder / catalogue[name]["file"] for folder in folders]
            here = next((path for path in places if path.is_file()), None)
            fetched_sets.append(FetchedSet(name, catalogue[name]["sha256"], here))
    return tuple(fetched_sets)


def code_digest(content: Mapping[str, Any], root: Path, graph: ImportGraph) -> str:
    """Return one digest over a notebook's own source and the modules that its calls reach.

    Of the front door only the names that the notebook uses count, so that work on one estimator
    leaves the notebooks of another alone.

    Parameters
    ----------
    content : mapping
        The notebook.
    root : Path
        The project folder.
    graph : ImportGraph
        Who imports whom in the package.
    """
    source = root / "src"
    files = package_files(graph, reached(content, root, graph)) if source.is_dir() else []
    cells = [
        source_of(cell) for cell in content["cells"] if cell["cell_type"] in ("code", "markdown")
    ]
    code = [path for path in files if path.suffix == ".py"]
    return digest_of({"cells": json.dumps(cells), "code": digest_files(source, code)})[:16]


def reached(content: Mapping[str, Any], root: Path, graph: ImportGraph) -> set[str]:
    """Return the modules that a notebook's calls reach, by way of the front door or not."""
    door = graph.door
    waiting: list[str] = []
    for tree in _trees(content):
        for node in ast.walk(tree):
            if isinstance(node, ast.Attribute) and node.attr in door:
                waiting.append(door[node.attr])
            elif isinstance(node, ast.ImportFrom) and (node.module or "").startswith(PACKAGE):
                waiting.append(node.module or "")
    names: set[str] = set()
    while waiting:
        name = waiting.pop()
        # The package itself imports all of the front door, by name and only when asked.
        if name not in names | DRAWING and name != PACKAGE and name in graph.files:
            names.add(name)
            waiting += graph.edges[name]
    return names


def stored(content: Mapping[str, Any]) -> dict[str, Any]:
    """Return what is noted in a committed notebook: digests, date, findings; empty if nothing."""
    return dict(content.get("metadata", {}).get(PACKAGE) or {})


def accepted(
    content: Mapping[str, Any], name: str, root: Path, graph: ImportGraph
) -> dict[str, Any] | None:
    """Return a notebook as committed where its data are not here; None where it can be run.

    Parameters
    ----------
    content : mapping
        The committed notebook.
    name : str
        As the project names it.
    root : Path
        The project folder.
    graph : ImportGraph
        Who imports whom in the package.

    Raises
    ------
    FaultsError
        If the outputs are missing, or were made by other code or from another file.
    """
    sets = fetched_sets(content, root)
    absent = [known.name for known in sets if known.path is None]
    if not absent:
        return None
    noted, stem = stored(content), Path(name).stem
    remedy = f'make data ARGS="{" ".join(absent)}", then: {COMMAND} {stem}'
    if "code" not in noted:
        fault = Fault(name, "the notebook has no stored outputs and its data are not here", remedy)
        raise FaultsError([fault])
    if noted["code"] != code_digest(content, root, graph):
        problem = f"the outputs stored on {noted['computed']} were made by other code"
        raise FaultsError([Fault(name, problem, remedy)])
    if {"data": noted["data"]} != digests(content, root):
        problem = f"the outputs stored on {noted['computed']} were made from another file"
        raise FaultsError([Fault(name, problem, remedy)])
    return dict(content)


def differences(committed: Mapping[str, Any], run: Mapping[str, Any], name: str) -> list[Fault]:
    """Return where a run prints something else than the committed notebook.

    Parameters
    ----------
    committed, run : mapping
        The notebook as committed, and as run in this build.
    name : str
        As the project names it.
    """
    remedy = f"look at the difference, then store it: {COMMAND} {Path(name).stem}"
    faults = []
    cells = zip(committed["cells"], run["cells"], strict=True)
    for number, (before, after) in enumerate(cells, start=1):
        if _printed(before) != _printed(after):
            problem = "prints something else than its stored outputs"
            faults.append(Fault(name, problem, remedy, column=f"cell {number}"))
    return faults


def _printed(cell: Mapping[str, Any]) -> list[str]:
    """Return what a cell prints, form by form, and the inline values of its text."""
    printed = []
    for output in cell.get("outputs", []):
        data = output.get("data") or {"text/plain": output.get("text", "")}
        printed += [_joined(data[form]) for form in SHOWN if form in data]
    for value in cell.get("metadata", {}).get("user_expressions", []):
        data = value["result"].get("data", {})
        printed.append(_joined(data.get("text/markdown", data.get("text/plain", ""))))
    return [" ".join(text.split()) for text in printed]


def _joined(text: str | Sequence[str]) -> str:
    return text if isinstance(text, str) else "".join(text)


def digests(content: Mapping[str, Any], root: Path) -> dict[str, Any]:
    """Return what is noted of the fetched data of a notebook; empty where it has none."""
    sets = fetched_sets(content, root)
    return {"data": {known.name: known.sha256 for known in sets}} if sets else {}


def marked(content: Mapping[str, Any]) -> dict[str, Any]:
    """Return a notebook whose page and captions say when its numbers were computed.

    Parameters
    ----------
    content : mapping
        A notebook as run in this build, or as committed; one without fetched data comes back as
        it is.
    """
    noted = stored(content)
    if not noted.get("data"):
        return dict(content)
    computed = fill(TEMPLATES / "computed.md.j2", computed=noted.get("computed", ""))
    text = fill(TEMPLATES / "stored-outputs.md.j2", computed=computed, data=noted["data"]).rstrip(
        "\n"
    )
    mark = {"cell_type": "markdown", "id": "stored-outputs", "metadata": {}, "source": text}
    cells = [_captioned(cell, computed) for cell in content["cells"]]
    first = 1 if cells and cells[0]["cell_type"] == "raw" else 0
    return {**content, "cells": [*cells[:first], mark, *cells[first:]]}


def _captioned(cell: Mapping[str, Any], computed: str) -> dict[str, Any]:
    """Return a cell whose caption ends with when its exhibit was computed."""
    if cell["cell_type"] != "code":
        return dict(cell)
    lines = source_of(cell).split("\n")
    for key, caption in cell_options("\n".join(lines)).items():
        if key in ("tbl-cap", "fig-cap"):
            new = f"#| {key}: {quoted(f'{caption} {computed}.')}"
            lines = [new if line.startswith(f"#| {key}:") else line for line in lines]
    return {**cell, "source": "\n".join(lines)}


def refresh(root: Path, names: Sequence[str] = ()) -> list[str]:
    """Run the notebooks whose data are here and store their outputs in them.

    Parameters
    ----------
    root : Path
        The project folder.
    names : sequence of str
        Stems; all notebooks of the folder if left out.

    Returns
    -------
    list of str
        What became of each, a line a notebook.
    """
    import nbformat

    from analysis.site.environment import commit_time
    from analysis.site.execute import CACHE, read_notebook, without_outputs
    from analysis.site.kernel import run_notebook

    graph, epoch, lines = ImportGraph.read(root / "src"), commit_time(root), []
    for path in sorted((root / FOLDER).glob("*.ipynb")):
        if names and path.stem not in names:
            continue
        name = (FOLDER / path.name).as_posix()
        content = read_notebook(path, name)
        sets = fetched_sets(content, root)
        absent = [known.name for known in sets if known.path is None]
        if not sets:
            lines.append(f"{name}: no fetched data, so every build runs it")
            continue
        if absent:
            lines.append(f'{name}: left as it is, make data ARGS="{" ".join(absent)}"')
            continue
        notebook = nbformat.from_dict(without_outputs(content))  # type: ignore[no-untyped-call]
        settings = root / CACHE / "settings"
        findings = asyncio.run(run_notebook(notebook, name, root, settings, epoch))
        notebook.metadata[PACKAGE] = {
            "code": code_digest(content, root, graph),
            "computed": datetime.now(UTC).date().isoformat(),
            "findings": findings,
            **digests(content, root),
        }
        text = str(nbformat.v4.writes(notebook))  # type: ignore[no-untyped-call]
        write_atomic(path, (text + "\n").encode())
        lines.append(f"{name}: run and stored")
    return lines


def main() -> int:
    """Run and store the named notebooks, or all of them."""
    from analysis import paths

    for line in refresh(paths.root(), sys.argv[1:]):
        print(line)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
