"""The stage: dressed notebooks, generated pages, and only what changed is written."""

from __future__ import annotations

import io
import json
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import matplotlib as mpl
import pytest
import yaml
from matplotlib import pyplot as plt

from analysis import paths
from analysis.faults import FaultsError
from analysis.site import cite
from analysis.site.annotate import axis_labels, cell_options, dress
from analysis.site.cite import Source
from analysis.site.execute import Executed
from analysis.site.exhibit_menu import Exhibits
from analysis.site.stage import StageReport, stage, unique_records

if TYPE_CHECKING:
    from conftest import Project

mpl.use("agg")
SVG = "<svg xmlns='http://www.w3.org/2000/svg'></svg>"


def shown(source: str, *outputs: dict[str, Any]) -> dict[str, Any]:
    """A code cell that has run."""
    return {
        "cell_type": "code",
        "id": "shown",
        "metadata": {},
        "source": source,
        "execution_count": 1,
        "outputs": list(outputs),
    }


def display(data: dict[str, Any], about: dict[str, Any] | None = None) -> dict[str, Any]:
    """Something displayed, with what the project says about it."""
    metadata = {"analysis": about} if about else {}
    return {"output_type": "display_data", "data": data, "metadata": metadata}


def ran(*cells: dict[str, Any], name: str = "a", records: Any = ()) -> Executed:
    """An executed notebook that no kernel was needed for."""
    content = {
        "nbformat": 4,
        "nbformat_minor": 5,
        "metadata": {"analysis": {"digest": "0", "checksum": "0", "findings": list(records)}},
        "cells": list(cells),
    }
    return Executed(f"notebooks/{name}.ipynb", Path("a"), "0", True, 0.0, content)


FIGURE = shown(
    '#| label: fig-a\n#| fig-cap: "How many"\ndraw()',
    display(
        {"image/svg+xml": [SVG[:10], SVG[10:]]},
        {"name": "fig-a", "alt": 'Bars: "one"\nand: two.', "csv": "x\n1\n"},
    ),
)
TABLE = shown(
    "#| label: tbl-a\n#| tbl-cap: Rows\nshow()",
    display({"text/html": "<table></table>"}, {"name": "tbl-a", "csv": "x\n1"}),
)


def record(identity: str, value: float, page: str = "a") -> dict[str, Any]:
    return {
        "id": identity,
        "kind": "number",
        "page": page,
        "tier": "reported",
        "what": "claims: all",
        "value": value,
        "low": None,
        "high": None,
        "unit": "",
        "text": f"{value:g}",
        "rows_in": None,
        "rows_used": 3,
        "n_villages_treated": None,
        "n_villages_control": None,
        "method": "count",
        "function": "f",
        "inputs": "",
        "digest": "",
        "tolerance": 1e-9,
    }


def test_a_figure_gets_alt_text_downloads_and_links() -> None:
    dressed = dress(ran(FIGURE).content, "notebooks/a.ipynb")
    assert dressed.faults == ()
    assert dressed.downloads == {"fig-a.csv": "x\n1\n", "fig-a.svg": SVG}
    figure, links = dressed.content["cells"]
    assert cell_options(figure["source"]) == {
        "label": "fig-a",
        "fig-cap": "How many",
        "fig-alt": 'Bars: "one" and: two.',
    }
    assert figure["source"].endswith("\ndraw()")
    assert [output["metadata"]["analysis"] for output in figure["outputs"]] == [
        {"name": "fig-a", "alt": 'Bars: "one"\nand: two.'}
    ]
    assert links["id"] == "links-fig-a" and links["cell_type"] == "markdown"
    assert links["source"] == (
        "::: {.figure-links}\n[Data (CSV)](/downloads/fig-a.csv){.download} · "
        "[Image (SVG)](/downloads/fig-a.svg){.download}\n:::"
    )
    assert "analysis" not in dressed.content["metadata"]


def test_dressing_leaves_the_executed_copy_alone() -> None:
    notebook = ran(FIGURE, TABLE)
    before = json.dumps(notebook.content)
    dress(notebook.content, notebook.name)
    assert json.dumps(notebook.content) == before


def test_a_table_gets_its_data() -> None:
    dressed = dress(ran(TABLE).content, "notebooks/a.ipynb")
    assert dressed.downloads == {"tbl-a.csv": "x\n1\n"}
    assert "fig-alt" not in dressed.content["cells"][0]["source"]
    assert "[Data (CSV)](/downloads/tbl-a.csv)" in dressed.content["cells"][1]["source"]
    assert "svg" not in dressed.content["cells"][1]["source"]


def test_alt_text_written_by_hand_stays() -> None:
    cell = {**FIGURE, "source": '#| label: fig-a\n#| fig-alt: "By hand"\ndraw()'}
    dressed = dress(ran(cell).content, "n")
    assert dressed.content["cells"][0]["source"] == cell["source"]


@pytest.mark.parametrize(
    ("cells", "said"),
    [
        ([shown("#| label: fig-a\ndraw()", display({"image/svg+xml": SVG}))], "no alt text"),
        ([shown("draw()", *FIGURE["outputs"])], "without a label"),
        ([shown("#| label: [a\ndraw()")], "not YAML"),
        ([FIGURE, FIGURE], "downloads would collide"),
    ],
)
def test_what_cannot_be_published_names_notebook_and_cell(
    cells: list[dict[str, Any]], said: str
) -> None:
    [fault] = dress(ran(*cells).content, "notebooks/a.ipynb").faults
    assert said in fault.problem
    assert fault.file == "notebooks/a.ipynb"
    assert fault.column.partition(",")[0] == f"cell {len(cells)}"


def test_one_id_for_two_values_is_a_fault_and_for_one_value_is_one_record() -> None:
    first = ran(name="01", records=[record("n", 1, "01"), record("m", 2, "01")])
    again = ran(name="02", records=[{**record("n", 1, "02"), "cell": "c9"}])
    assert [found["id"] for found in unique_records([first, again])] == ["n", "m"]
    other = ran(name="03", records=[record("n", 5, "03"), record("m", 6, "03")])
    with pytest.raises(FaultsError) as raised:
        unique_records([first, other])
    assert [fault.value for fault in raised.value.faults] == ["n", "m"]
    assert "another one in notebooks/01.ipynb (text, value differ)" in str(raised.value)


def staged(project: Project, *notebooks: Executed) -> StageReport:
    return stage(project.root, notebooks)


def test_the_stage_is_a_whole_project(project: Project) -> None:
    project.write("pages/methods.qmd", "# M\n")
    project.write("data/a.txt", "not staged\n")
    report = staged(project, ran(FIGURE, name="01-a", records=[record("n", 193)]))
    assert {name for name in report.files if not name.startswith("reference/")} == {
        "_quarto.yml",
        "_values.json",
        "_variables.yml",
        "index.qmd",
        "findings.qmd",
        "pages/methods.qmd",
        "findings/01-a.qmd",
        "assets/site.css",
        "notebooks/01-a.ipynb",
        "downloads/fig-a.csv",
        "downloads/fig-a.svg",
        "downloads/findings.csv",
        "downloads/fig-a.parquet",
        "downloads/findings.parquet",
        "downloads/data/datapackage.json",
        "downloads/all-data.zip",
        "downloads/summary.docx",
        "pages/_datasets.qmd",
        "pages/_changes.qmd",
    }
    assert "reference/index.qmd" in report.files
    folder = report.folder
    variables = yaml.safe_load((folder / "_variables.yml").read_text())
    assert variables == {"finding": {"n": "[193](/findings/a.qmd#n){.finding}"}}
    assert 'id="n"' in (folder / "findings/01-a.qmd").read_text()
    assert (folder / "downloads/findings.csv").read_text().startswith("id,kind,page")


def test_only_what_changed_is_written_and_what_is_gone_is_removed(project: Project) -> None:
    first = staged(project, ran(FIGURE, name="01-a"), ran(TABLE, name="02-b"))
    (first.folder / ".quarto").mkdir()
    (first.folder / ".quarto" / "state").write_text("Quarto's own\n")
    again = staged(project, ran(FIGURE, name="01-a"), ran(TABLE, name="02-b"))
    assert (again.written, again.removed, again.digest) == ((), (), first.digest)
    project.write("index.qmd", "Other.\n")
    less = staged(project, ran(FIGURE, name="01-a"))
    assert less.written == (
        "downloads/all-data.zip",
        "downloads/data/datapackage.json",
        "downloads/summary.docx",
        "index.qmd",
        "pages/_datasets.qmd",
    )
    assert less.removed == (
        "downloads/tbl-a.csv",
        "downloads/tbl-a.parquet",
        "notebooks/02-b.ipynb",
    )
    assert less.digest != first.digest
    assert (first.folder / ".quarto" / "state").exists()


def test_cache_keys_do_not_reach_the_stage(project: Project) -> None:
    notebook = ran(FIGURE, name="01-a")
    before = staged(project, notebook).digest
    notebook.content["metadata"]["analysis"]["digest"] = "another"
    assert staged(project, notebook).digest == before


def test_own_variables_are_kept_and_resources_come_along(project: Project) -> None:
    project.write("_variables.yml", "version: 1.0\n")
    config = (project.root / "_quarto.yml").read_text()
    project.write("_quarto.yml", config.replace("[downloads]", "[downloads, 'data/*.csv']"))
    report = staged(project)
    assert "data/a.csv" in report.files and "data/external/big.csv" not in report.files
    assert yaml.safe_load((report.folder / "_variables.yml").read_text())["version"] == 1.0
    project.write("_variables.yml", "finding: {}\n")
    with pytest.raises(FaultsError, match=r"_variables\.yml"):
        staged(project)


def test_a_broken_configuration_names_its_line(project: Project) -> None:
    project.write("_quarto.yml", "project:\n  type: website\n bad: [\n")
    with pytest.raises(FaultsError) as raised:
        staged(project)
    assert raised.value.faults[0].file == "_quarto.yml" and raised.value.faults[0].row == 3


def test_an_output_does_not_name_this_machine(project: Project) -> None:
    path = {"output_type": "stream", "name": "stderr", "text": f"{project.root}/a.py:3: Warning\n"}
    with pytest.raises(FaultsError, match="names the folder") as raised:
        staged(project, ran(shown("x", path), name="01-a"))
    assert raised.value.faults[0].file == "notebooks/01-a.ipynb"


def test_labels_are_taken_once_over_all_notebooks(project: Project) -> None:
    with pytest.raises(FaultsError, match="collide"):
        staged(project, ran(FIGURE, name="01-a"), ran(FIGURE, name="02-b"))


SOURCE = Source("A", "Villages", "0.1.0", "2026-03-01")
FRONT = {"cell_type": "raw", "id": "front", "metadata": {}, "source": "---\ntitle: The data\n---"}


def test_a_figure_that_is_a_finding_leads_to_its_record_and_says_how_to_cite_it() -> None:
    about = Exhibits({"fig-a": "Shares <of> all"}, SOURCE, {"fig-a": "c1"})
    content = ran(FRONT, FIGURE).content
    links = dress(content, "notebooks/19-data.ipynb", about).content["cells"][-1]["source"]
    assert (
        "[Image (SVG)](/downloads/fig-a.svg){.download} · [Code](/findings/19-data.qmd#cell-c1)"
        " · [Record](/findings/19-data.qmd#fig-a)\n"
    ) in links
    cited = (
        "A (2026). Shares &lt;of&gt; all. In: The data. Villages, version 0.1.0 of 2026-03-01,"
        " notebooks/19-data.html#fig-a."
    )
    assert f'<summary>Cite</summary>\n<cite class="text">{cited}</cite>' in links
    assert '<cite class="bibtex">@misc{fig-a,\n  author = {A},' in links
    assert "url" not in links
    assert '<cite class="ris">TY  - GEN\nAU  - A\n' in links
    chinese = {**FRONT, "source": "---\ntitle: T\nlang: zh-Hans\n---"}
    links = dress(ran(chinese, FIGURE).content, "notebooks/03-data.ipynb", about).content["cells"]
    assert "[数据（CSV）](/downloads/fig-a.csv)" in links[-1]["source"]


def test_author_and_address_are_set_in_one_file(tmp_path: Path) -> None:
    said = "authors:\n- name: A\n- {family-names: B, given-names: C}\ntitle: T\nversion: 0.1.0\n"
    (tmp_path / cite.FILE).write_text(f"{said}url: https://a.org/report/\n")
    found = cite.read(tmp_path, "86400")
    assert found == Source("A and B, C", "T", "0.1.0", "1970-01-02", "https://a.org/report")
    assert found.forms("Income", "Page", "a.html#fig-a")["ris"] == (
        "TY  - GEN\nAU  - A\nAU  - B, C\nTI  - Income. In: Page. T, version 0.1.0\nPY  - 1970\n"
        "DA  - 1970/01/02\nUR  - https://a.org/report/a.html#fig-a\nER  -"
    )
    # While it is unset there is no address anywhere, and no placeholder.
    (tmp_path / cite.FILE).write_text(said)
    unset = cite.read(tmp_path, "86400")
    assert unset == replace(found, address="")
    assert "UR" not in unset.forms("Income", "Page", "a.html#fig-a")["ris"]
    assert cite.configured("website:\n", cite.address(tmp_path)) == "website:\n"
    assert cite.read(tmp_path / "none", "0") is None


def test_the_citation_file_of_this_project_names_no_placeholder() -> None:
    assert ".example" not in (paths.root() / cite.FILE).read_text(encoding="utf-8")
    assert "site-url" not in (paths.root() / "_quarto.yml").read_text(encoding="utf-8")


def drawn() -> str:
    """An SVG by Matplotlib, as it notes texts."""
    figure, axes = plt.subplots()
    axes.plot([1, 2000], [0, 1])
    axes.text(1, 1, "yuan inside")
    axes.set_xlabel("yuan a year")
    axes.set_ylabel("share")
    image = io.StringIO()
    with plt.rc_context({"svg.fonttype": "none"}):
        figure.savefig(image, format="svg")
    plt.close(figure)
    return image.getvalue()


def test_an_axis_of_yuan_without_a_year_is_a_fault() -> None:
    image = drawn()
    assert axis_labels(image) == ["yuan a year", "share"]
    output = {
        "output_type": "display_data",
        "data": {"image/svg+xml": image},
        "metadata": {"analysis": {"name": "fig-a", "alt": "A.", "csv": "x\n1\n"}},
    }
    [fault] = dress(ran({**FIGURE, "outputs": [output]}).content, "notebooks/a.ipynb").faults
    assert (fault.value, fault.problem) == (
        "yuan a year",
        "an axis of fig-a has yuan, but not of which year",
    )


def test_an_embedded_exhibit_brings_its_menu(project: Project) -> None:
    """Its data are offered wherever it stands, below the block that frames it."""
    embed = "{{< embed notebooks/a.ipynb#tbl-a >}}"
    project.write("index.qmd", f"---\ntitle: Home\n---\n\n::: {{#fig-x}}\n{embed}\n\nCap\n:::\n")
    cell = {"cell_type": "markdown", "id": "m", "metadata": {}, "source": f"Text\n\n{embed}"}
    report = staged(project, ran(TABLE, name="a"), ran(cell, name="b"))
    page = (report.folder / "index.qmd").read_text(encoding="utf-8")
    assert page.index("Cap\n:::") < page.index("](/downloads/tbl-a.csv)")
    assert page.count("/downloads/tbl-a.csv") == 1
    other = json.loads((report.folder / "notebooks/b.ipynb").read_text(encoding="utf-8"))
    assert "](/downloads/tbl-a.csv)" in "".join(other["cells"][0]["source"])
