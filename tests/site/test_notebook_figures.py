"""A real kernel of the site shows each figure once, as one inline drawing."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import nbformat

from analysis import paths
from analysis.site.annotate import dress
from analysis.site.kernel import run_notebook

PLOT = """#| label: fig-a
#| fig-cap: "A line"
import polars as pl
from matplotlib import pyplot as plt
from analysis.results.plot import note
from analysis.results.provenance import Provenance
_, ax = plt.subplots()
ax.plot([0, 1])
note(ax, pl.DataFrame({"x": [0, 1]}), "A line from 0 to 1.", Provenance(function="f.g"))
"""


def ran(tmp_path: Path, *sources: str) -> Any:
    """Run cells in a kernel of the site and return the notebook."""
    cells = [nbformat.v4.new_code_cell(source) for source in sources]  # type: ignore[no-untyped-call]
    for number, cell in enumerate(cells):
        cell["id"] = f"c{number}"
    notebook = nbformat.v4.new_notebook(cells=cells)  # type: ignore[no-untyped-call]
    asyncio.run(run_notebook(notebook, "notebooks/a.ipynb", paths.root(), tmp_path, "0"))
    return notebook


def test_a_figure_is_one_output_and_the_same_twice(tmp_path: Path) -> None:
    first = ran(tmp_path, PLOT, "plt.subplots();", "1 + 1")
    [shown] = first.cells[0].outputs
    drawn = shown["data"]["text/html"]
    assert drawn.startswith('<div class="exhibit">')
    assert "image/png" not in shown["data"]
    assert '<desc id="fig-a-alt">A line from 0 to 1.</desc>' in drawn
    # A figure left open at the end of a cell is shown, once, and does not come back later.
    assert len(first.cells[1].outputs) == 1
    assert [one["data"] for one in first.cells[2].outputs] == [{"text/plain": "2"}]
    assert ran(tmp_path, PLOT).cells[0].outputs[0]["data"]["text/html"] == drawn
    dressed = dress({**first, "metadata": {}}, "notebooks/a.ipynb")
    assert dressed.downloads["fig-a.csv"] == "x\n0\n1\n"
    assert dressed.downloads["fig-a.svg"].startswith("<?xml")
