"""Findings record themselves: a page is run in a kernel of this package, without a call in it."""

from __future__ import annotations

import asyncio
import hashlib
from pathlib import Path
from typing import Any

import nbformat
import pytest

from analysis import paths
from analysis.faults import FaultsError
from analysis.findings.table import COLUMNS
from analysis.site.annotate import dress
from analysis.site.kernel import run_notebook
from analysis.site.recording import cell_behind

SETUP = """\
import polars as pl
import analysis as va
from analysis.results import Account, Comparison, Number, Provenance, Result, Word
from analysis.results.result import frame_of
rows = [{"term": "offer", "outcome": "earnings", "estimate": 1129.7, "std_error": 353.0,
         "ci_low": 437.9, "ci_high": 1821.5, "n": 9872, "unit": "dollars",
         "n_clusters_treated": 12, "n_clusters_control": 14}]
made = Provenance(evidence="public", function="analysis.money.load", method="difference in means",
                  inputs=("jtpa:abc",))
fit = Result(frame=frame_of(rows), comparison=Comparison(estimator="means", estimand="offer"),
             account=Account(rows_in=9900, rows_used=9872, left_out={}), provenance=made)
mean = Number(value=17191.0, unit="dollars", what="mean", provenance=made)
"""


def run(tmp_path: Path, *sources: str) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """Run cells as the build does; text that starts with ``md:`` is Markdown."""
    cells = [
        nbformat.v4.new_markdown_cell(text[3:], id=f"c{n}")
        if text.startswith("md:")
        else nbformat.v4.new_code_cell(text, id=f"c{n}")
        for n, text in enumerate((SETUP, *sources))
    ]
    notebook = nbformat.v4.new_notebook(cells=cells)
    name = "notebooks/01-training.ipynb"
    found = asyncio.run(run_notebook(notebook, name, paths.root(), tmp_path, "0"))
    return notebook, found


def faults(tmp_path: Path, *sources: str) -> list[tuple[str, str, str]]:
    with pytest.raises(FaultsError) as caught:
        run(tmp_path, *sources)
    return [(f.column, f.value, f.problem) for f in caught.value.faults]


def printed(cell: dict[str, Any]) -> list[str]:
    return [v["result"]["data"]["text/markdown"] for v in cell["metadata"]["user_expressions"]]


def test_inline_values_are_recorded_by_page_and_place(tmp_path: Path) -> None:
    notebook, found = run(
        tmp_path,
        "md:It raised earnings by `{python} fit.effect` dollars (`{python} fit.interval`).",
        "share = va.number(100 * fit.effect / mean, 'per cent of the mean')\n"
        "va.keep(share, 'training-share')\nva.keep(mean, 'training-mean')\n"
        "from types import SimpleNamespace\n"
        "sure = SimpleNamespace(word=Word(word='likely', what='rating', provenance=made))",
        "md:That is `{python} va.keep(share, 'training-share')`, or `{python} sure`.",
    )
    link = "[{}](/findings/01-training.qmd#{}){{.finding}}"
    assert printed(notebook["cells"][1]) == [
        link.format("1,130", "01-training.1"),
        link.format("440 to 1,820", "01-training.2"),
    ]
    assert printed(notebook["cells"][3]) == [
        link.format("6.57", "training-share"),
        link.format("likely", "01-training.4"),
    ]
    by_id = {record["id"]: record for record in found}
    assert list(by_id) == [
        "01-training.1",
        "01-training.2",
        "training-share",
        "01-training.4",
        "training-mean",
    ]
    first = by_id["01-training.1"]
    assert {*COLUMNS, "cell"} == first.keys()
    assert (first["value"], first["low"], first["high"]) == (1129.7, 437.9, 1821.5)
    assert (first["rows_in"], first["rows_used"], first["unit"]) == (9900, 9872, "dollars")
    assert (first["n_villages_treated"], first["n_villages_control"]) == (12, 14)
    assert (first["tier"], first["function"]) == ("public", "analysis.money.load")
    assert (first["inputs"], first["method"]) == ("jtpa:abc", "difference in means")
    assert (first["kind"], by_id["01-training.4"]["kind"]) == ("number", "word")
    assert [by_id[name]["cell"] for name in ("01-training.1", "training-share")] == ["c0", "c2"]
    assert by_id["training-share"]["what"] == "offer: offer on earnings and mean"


PLAIN = {
    "3": "int",
    "'twelve'": "str",
    "1129.7": "float",
    "fit.frame['estimate'][0]": "float",
    "float(fit.effect)": "float",
    "str(fit.effect)": "str",
    "f'{fit.effect}'": "str",
    "Number(value=3.0)": "no function",
    "__import__('IPython').display.Markdown('3')": "Markdown",
    "None": "NoneType",
    "fit.effect), ('x'": "arguments",
}


def test_a_value_without_a_record_is_a_fault(tmp_path: Path) -> None:
    found = faults(tmp_path, "md:" + ", ".join(f"`{{python}} {text}`" for text in PLAIN))
    assert [value for _, value, _ in found] == list(PLAIN)
    for cell, value, problem in found:
        assert cell == "cell 2" and PLAIN[value] in problem


def test_a_kept_name_for_two_values_is_a_fault(tmp_path: Path) -> None:
    text = "md:`{python} va.keep(mean, 'a')` and `{python} va.keep(fit.effect, 'a')`"
    [(_, value, problem)] = faults(tmp_path, text)
    assert value == "va.keep(fit.effect, 'a')" and "twice" in problem


def test_labelled_exhibits_are_recorded_from_what_they_show(tmp_path: Path) -> None:
    caption = '#| label: {0}-offer\n#| {0}-cap: "Effect of the offer."\n'
    notebook, found = run(
        tmp_path,
        caption.format("fig") + "fit.plot()",
        caption.format("tbl") + "va.table(fit, names=['offer'])",
        "#| label: tbl-itself\nfit",
    )
    figure, table, itself = found
    assert (figure["id"], figure["kind"], figure["what"]) == (
        "fig-offer",
        "figure",
        "Effect of the offer.",
    )
    assert (table["id"], table["kind"]) == ("tbl-offer", "table")
    assert (itself["id"], itself["what"]) == ("tbl-itself", "tbl-itself")
    for record in found:
        assert (record["tier"], record["function"]) == ("public", "analysis.money.load")
        assert len(record["digest"]) == 12 and record["inputs"] == "jtpa:abc"
    assert [record["cell"] for record in found] == ["c1", "c2", "c3"]
    [output] = notebook["cells"][1]["outputs"]
    assert "<text" in output["data"]["text/html"] and "1,130" in output["data"]["text/html"]
    dressed = dress(notebook, "notebooks/01-training.ipynb")
    assert dressed.faults == ()
    assert {*dressed.downloads} >= {"fig-offer.csv", "fig-offer.svg", "tbl-offer.csv"}
    assert "1129.7" in dressed.downloads["tbl-offer.csv"]


def test_two_runs_give_the_same_page(tmp_path: Path) -> None:
    """great_tables draws an id by chance, Matplotlib dates its drawings."""
    sources = ('#| label: fig-a\n#| fig-cap: "A."\nfit.plot()', "#| label: tbl-a\nfit", "fit")
    digests = set()
    for number in (1, 2):
        notebook, _ = run(tmp_path / str(number), *sources)
        dressed = dress(notebook, "notebooks/01-training.ipynb")
        digests.add(hashlib.sha256(repr(dressed).encode()).hexdigest())
    assert len(digests) == 1


def test_an_exhibit_without_a_record_is_a_fault(tmp_path: Path) -> None:
    sources = {
        "#| label: tbl-plain\npl.DataFrame({'a': [1]})": "DataFrame",
        "#| label: tbl-nothing\nx = 1": "shows nothing",
        "import matplotlib.pyplot as plt\n#\nplt.subplots()[1]": "without a label",
        "#| label: fig-own\nplt.subplots()[1]": "Axes",
    }
    found = faults(tmp_path, *sources)
    assert [cell for cell, _, _ in found] == [f"cell {n}" for n in (2, 3, 4, 5)]
    for (_, _, problem), words in zip(found, sources.values(), strict=True):
        assert words in problem


def test_the_cell_behind_a_value() -> None:
    cells = [
        {"cell_type": "code", "id": "a", "source": "fit = 1"},
        {"cell_type": "code", "id": "b", "source": "%time\n"},
        {"cell_type": "code", "id": "c", "source": "for other in fit: pass"},
        {"cell_type": "markdown", "id": "d", "source": "fit = 2"},
    ]
    assert [cell_behind(text, cells) for text in ("fit.overall", "other[0]", "new", "1 +")] == [
        "a",
        "c",
        "",
        "",
    ]
