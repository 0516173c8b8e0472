"""What would be lost on the way to the page stops the build, and names its cell.

The first five are cases of public bug reports of other tools, with the right value that stands
beside each: all words on the page as written, or a fault.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from analysis.faults import FaultsError
from analysis.site.embedded.render import render_project
from analysis.site.stage import stage

if TYPE_CHECKING:
    from conftest import Project

TITLE = "md:# Title\n\nBefore."


def markdown(source: str, **more: Any) -> dict[str, Any]:
    return {"cell_type": "markdown", "id": "m", "metadata": {}, "source": source, **more}


def published(project: Project, *cells: str | dict[str, Any]) -> str:
    """Run, stage and render one notebook; return its page."""
    for old in (project.root / "notebooks").glob("*.ipynb"):
        old.unlink()
    project.notebook("01-first", *cells)
    staged = stage(project.root, project.execute().notebooks)
    render_project(staged.folder, project.root / "out")
    return (project.root / "out/notebooks/01-first.html").read_text(encoding="utf-8")


def places(project: Project, *cells: str | dict[str, Any]) -> list[tuple[str, str]]:
    """Return cell and value of each fault that stops the build."""
    with pytest.raises(FaultsError) as caught:
        published(project, *cells)
    return [(fault.column.split(",")[0], fault.value) for fault in caught.value.faults]


def test_a_rule_followed_by_text(project: Project) -> None:
    """pandoc reads it as front matter up to the next rule."""
    cells = (
        TITLE,
        "md:---\nResult: the programme raised income by 12 per cent",
        markdown("The interval is wide and holds zero: read it with care."),
        "md:---\nAfter the rule.",
    )
    assert places(project, *cells) == [
        ("cell 2", "Result: the programme raised income by 12 per cent"),
        ("cell 4", "After the rule."),
    ]
    kept = published(project, TITLE, "md:---\n\nAfter the rule.", "md:Head\n---\nand text")
    assert "After the rule." in kept and "and text" in kept


def test_a_chart_that_only_a_script_draws(project: Project) -> None:
    shown = (
        "from IPython.display import display\ndisplay({FORM: {}, 'text/plain': 'Chart'}, raw=True)"
    )
    for form in ("application/vnd.vegalite.v5+json", "application/vnd.plotly.v1+json"):
        [(cell, value)] = places(project, TITLE, shown.replace("FORM", repr(form)))
        assert cell == "cell 2" and form in value
    hidden = f"#| output: false\n{shown}".replace("FORM", "'application/x-chart+json'")
    assert "Chart" not in published(project, TITLE, hidden).split("</code>")[-1]


def test_a_backslash_before_letters(project: Project) -> None:
    """pandoc takes it for TeX and drops it from a web page."""
    text = "md:The file lies in C:\\data\\panel and \\emph{this} is gone."
    found = places(project, TITLE, text)
    assert found == [("cell 2", "\\data"), ("cell 2", "\\panel"), ("cell 2", "\\emph")]
    kept = published(project, TITLE, "md:In `C:\\data`, $\\alpha$, C:\\\\data and 5 \\$.")
    assert "C:\\data" in kept and "C:\\data and 5 $" in kept


def test_a_plain_value_with_a_line_end(project: Project) -> None:
    text = "md:The range is `{python} nl` yuan."
    assert places(project, TITLE, "nl = 'low\\nhigh'", text) == [("cell 3", "nl")]


def test_an_image_pasted_into_a_cell(project: Project) -> None:
    pasted = {"map.png": {"image/png": "iVBORw0KGgo="}}
    cell = markdown("Look: ![A map](attachment:map.png)", attachments=pasted)
    assert places(project, TITLE, cell) == [("cell 2", "map.png")]


@pytest.mark.parametrize("key", ["format", "raw_mimetype"])
def test_a_raw_cell(project: Project, key: str) -> None:
    raw = {"cell_type": "raw", "id": "r", "source": "<b>raw html</b> kept?"}
    form = {"metadata": {key: "text/html"}}
    assert "<b>raw html</b> kept?" in published(project, TITLE, {**raw, **form})
    assert places(project, TITLE, {**raw, "metadata": {key: "text/latex"}}) == [
        ("cell 2", "text/latex")
    ]
    assert places(project, TITLE, {**raw, "metadata": {}}) == [("cell 2", raw["source"])]


def test_numbers_of_numpy_dates_and_plain_text(project: Project) -> None:
    code = (
        "import numpy as np, datetime\n"
        "x=np.float64(3.5); n=np.int64(7); d=datetime.date(2020,1,1); t='a*b*c'"
    )
    text = "md:Value `{python} x`, count `{python} n`, date `{python} d`, words `{python} t`."
    assert places(project, TITLE, code, text) == [("cell 3", name) for name in "xndt"]


def test_a_value_that_prints_nothing(project: Project) -> None:
    code = "class Silent:\n    def _repr_markdown_(self):\n        return ' '\nx = Silent()"
    assert places(project, TITLE, code, "md:So `{python} x`.") == [("cell 3", "x")]


def test_pages_are_held_to_the_same(project: Project) -> None:
    project.write(
        "index.qmd", "---\ntitle: Home\n---\n\nIn C:\\data.\n\n---\nlost: yes\n\n```\n---\n"
    )
    with pytest.raises(FaultsError) as caught:
        published(project, TITLE)
    assert [(f.file, f.row, f.value) for f in caught.value.faults] == [
        ("index.qmd", 7, "lost: yes"),
        ("index.qmd", 5, "\\data"),
    ]


def test_a_staged_notebook_is_as_nbformat_writes_it(project: Project) -> None:
    """Quarto drops the line ends of a source that is one string."""
    nbformat = pytest.importorskip("nbformat")
    for old in (project.root / "notebooks").glob("*.ipynb"):
        old.unlink()
    project.notebook("01-first", TITLE, "a = 1\nprint('one\\ntwo')")
    executed = project.execute().notebooks
    staged = stage(project.root, executed)
    for path in (staged.folder / "notebooks/01-first.ipynb", Path(executed[0].path)):
        text = path.read_text(encoding="utf-8")
        assert text == nbformat.writes(nbformat.reads(text, as_version=4)) + "\n"
        cells = json.loads(text)["cells"]
        assert cells[0]["source"] == ["# Title\n", "\n", "Before."]
        assert cells[1]["source"] == ["a = 1\n", "print('one\\ntwo')"]
        assert cells[1]["outputs"][0]["text"] == ["one\n", "two\n"]
