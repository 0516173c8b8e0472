"""Notebooks are stored without outputs, and define nothing."""

from __future__ import annotations

import ast
import copy
import json
from pathlib import Path
from typing import Any

import nbformat
import pytest

ROOT = Path(__file__).resolve().parents[2]
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
ON_DISK = pytest.mark.parametrize("file", NOTEBOOKS, ids=lambda file: file.name)


def left_over(notebook: dict[str, Any]) -> list[str]:
    """Return what a run left in a notebook, cell by cell."""
    found = []
    for number, cell in enumerate(notebook["cells"], 1):
        if cell.get("outputs"):
            found.append(f"cell {number} stores outputs")
        if cell.get("execution_count") is not None:
            found.append(f"cell {number} stores an execution count")
        if "user_expressions" in cell.get("metadata", {}):
            found.append(f"cell {number} stores inline values")
    return found


def definitions(notebook: dict[str, Any]) -> list[str]:
    """Return the functions and classes that a notebook defines, at any depth."""
    found = []
    for number, cell in enumerate(notebook["cells"], 1):
        if cell["cell_type"] == "code":
            for node in ast.walk(ast.parse("".join(cell["source"]))):
                if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
                    found.append(f"cell {number} defines {node.name}")
    return found


@ON_DISK
def test_a_notebook_is_stored_without_outputs(file: Path) -> None:
    found = left_over(json.loads(file.read_text(encoding="utf-8")))
    assert not found, f"{file.name}: {found}: clear all outputs, then save"


@ON_DISK
def test_a_notebook_defines_nothing(file: Path) -> None:
    found = definitions(json.loads(file.read_text(encoding="utf-8")))
    assert not found, f"{file.name}: {found}: move it into src/analysis, with a test"


@ON_DISK
def test_a_notebook_is_valid_and_named_in_reading_order(file: Path) -> None:
    notebook = nbformat.read(file, as_version=4)
    nbformat.validate(notebook)
    identifiers = [cell["id"] for cell in notebook.cells]
    assert len(identifiers) == len(set(identifiers))
    assert file.name[:2].isdigit() and file.name[2] == "-", "name it NN-what-it-shows.ipynb"


CLEAN: dict[str, Any] = {
    "cells": [
        {"cell_type": "markdown", "metadata": {}, "source": ["# A title"]},
        {
            "cell_type": "code",
            "metadata": {},
            "execution_count": None,
            "outputs": [],
            "source": ["import math\n", "math.pi"],
        },
    ]
}


def test_a_clean_notebook_passes() -> None:
    assert left_over(CLEAN) == []
    assert definitions(CLEAN) == []


def test_each_trace_of_a_run_is_found() -> None:
    run = copy.deepcopy(CLEAN)
    run["cells"][0]["metadata"]["user_expressions"] = []
    run["cells"][1]["execution_count"] = 3
    run["cells"][1]["outputs"] = [{"output_type": "stream", "name": "stdout", "text": "3"}]
    assert left_over(run) == [
        "cell 1 stores inline values",
        "cell 2 stores outputs",
        "cell 2 stores an execution count",
    ]


@pytest.mark.parametrize(
    "source",
    ["def f():\n    return 1", "class A:\n    pass", "if True:\n    def f():\n        ..."],
)
def test_a_definition_is_found(source: str) -> None:
    run = copy.deepcopy(CLEAN)
    run["cells"][1]["source"] = source.splitlines(keepends=True)
    assert len(definitions(run)) == 1
