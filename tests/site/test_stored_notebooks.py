"""Notebooks on fetched data: shown as committed where the data are not, run and compared elsewhere."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from analysis.faults import FaultsError
from analysis.site import stored_notebooks
from analysis.site.digest import ImportGraph
from analysis.site.execute import read_notebook

if TYPE_CHECKING:
    from conftest import Project

DOOR = """\
from importlib import import_module
_PLACES = {"data": "analysis.store", "mean": "analysis.money", "other": "analysis.other"}
def __getattr__(name):
    return getattr(import_module(_PLACES[name]), name)
"""
STORE = """\
import os, pathlib
def data(name):
    return pathlib.Path(os.environ["ANALYSIS_ROOT"], "data", "external", name + ".csv").read_text()
"""
CATALOGUE = f"""\
[people]
file = "people.csv"
sha256 = "{"0" * 64}"
[other_people]
file = "other.csv"
sha256 = "{"1" * 64}"
"""
MONEY = """\
class Mean(float):
    def _repr_markdown_(self):
        return str(self)
def mean(text):
    return Mean(len(text) / 2)
"""
NAME = "notebooks/data/people.ipynb"


@pytest.fixture
def project(project: Project) -> Project:
    project.write("src/analysis/__init__.py", DOOR)
    project.write("src/analysis/store.py", STORE)
    project.write("src/analysis/money.py", MONEY)
    project.write("data/external.toml", CATALOGUE)
    project.write("data/external/people.csv", "1234")
    project.notebook("01-first", "1")
    project.notebook(
        "data/people",
        "import analysis as va\npeople = va.data('people')",
        '#| label: tbl-mean\n#| tbl-cap: "Mean."\nprint(va.mean(people))',
        "md:The mean is `{python} va.mean(people)`.",
    )
    return project


def read(project: Project) -> dict[str, Any]:
    return read_notebook(project.root / NAME, NAME)


def absent(project: Project) -> Path:
    path = project.root / "data" / "external" / "people.csv"
    path.unlink()
    return path


def test_a_notebook_is_stored_with_outputs_digests_and_date(project: Project) -> None:
    assert stored_notebooks.refresh(project.root) == [f"{NAME}: run and stored"]
    content = read(project)
    assert content["cells"][1]["outputs"][0]["text"] == ["2.0\n"]
    noted = content["metadata"]["analysis"]
    assert noted["data"] == {"people": "0" * 64}
    assert len(noted["code"]) == 16 and noted["computed"] >= "2026-01-01"


def test_without_the_data_the_stored_outputs_are_shown_with_their_date(project: Project) -> None:
    stored_notebooks.refresh(project.root)
    absent(project)
    report = project.execute()
    kept = next(one for one in report.notebooks if one.name == NAME)
    assert kept.cached and kept.content["cells"][1]["outputs"]
    shown = stored_notebooks.marked(kept.content)
    date = kept.content["metadata"]["analysis"]["computed"]
    assert f"Computed on {date} from data" in shown["cells"][0]["source"]
    assert f'#| tbl-cap: "Mean. Computed on {date}."' in shown["cells"][2]["source"]


def test_with_the_data_it_is_run_and_the_two_differ_in_nothing_but_the_mark(
    project: Project,
) -> None:
    stored_notebooks.refresh(project.root)
    ran = next(one for one in project.execute().notebooks if one.name == NAME)
    assert not ran.cached
    absent(project)
    kept = next(one for one in project.execute().notebooks if one.name == NAME)
    here, away = (stored_notebooks.marked(one.content)["cells"] for one in (ran, kept))
    date = kept.content["metadata"]["analysis"]["computed"]
    for cell in here:
        cell["source"] = cell["source"].replace("in this build", f"on {date}")

    def words(cells: list[dict[str, Any]]) -> list[Any]:
        return [("".join(c["source"]), stored_notebooks._printed(c)) for c in cells]

    assert words(here) == words(away)


def test_outputs_of_other_code_fail_and_the_command_is_named(project: Project) -> None:
    stored_notebooks.refresh(project.root)
    absent(project)
    project.write("src/analysis/money.py", "def mean(text):\n    return len(text) / 3\n")
    with pytest.raises(FaultsError, match=r"were made by other code; make data ARGS=\"people\""):
        project.execute()


def test_code_that_the_notebook_does_not_call_leaves_it_alone(project: Project) -> None:
    stored_notebooks.refresh(project.root)
    absent(project)
    project.write("src/analysis/other.py", "UNUSED = 2\n")
    project.execute()


def test_a_changed_result_is_noticed_where_the_data_are(project: Project) -> None:
    stored_notebooks.refresh(project.root)
    project.write("src/analysis/money.py", MONEY.replace("/ 2", "/ 4"))
    with pytest.raises(FaultsError) as caught:
        project.execute()
    assert [fault.column for fault in caught.value.faults] == ["cell 2", "cell 3"]
    assert "stored_notebooks people" in caught.value.faults[0].remedy


def test_outputs_from_another_file_fail(project: Project) -> None:
    stored_notebooks.refresh(project.root)
    absent(project)
    project.write("data/external.toml", CATALOGUE.replace("0" * 64, "2" * 64))
    with pytest.raises(FaultsError, match="were made from another file"):
        project.execute()


def test_a_notebook_never_run_fails_without_its_data(project: Project) -> None:
    absent(project)
    with pytest.raises(FaultsError, match="no stored outputs and its data are not here"):
        project.execute()
    assert stored_notebooks.refresh(project.root) == [
        f'{NAME}: left as it is, make data ARGS="people"'
    ]


def test_the_calls_of_a_notebook_decide_which_code_counts(project: Project) -> None:
    graph = ImportGraph.read(project.root / "src")
    found = stored_notebooks.reached(read(project), project.root, graph)
    assert found == {"analysis.store", "analysis.money"}


# --------------------------------------------------------------------------- the project's own

ROOT = Path(__file__).resolve().parents[2]
OWN = sorted((ROOT / stored_notebooks.FOLDER).glob("*.ipynb"))


@pytest.mark.parametrize("file", OWN, ids=lambda file: file.stem)
def test_a_notebook_of_fetched_data_is_stored_with_this_code_and_these_files(file: Path) -> None:
    content = json.loads(file.read_text(encoding="utf-8"))
    sets = stored_notebooks.digests(content, ROOT)
    noted = stored_notebooks.stored(content)
    if not sets:
        assert not noted and not any(cell.get("outputs") for cell in content["cells"])
        return
    assert noted["data"] == sets["data"]
    code = stored_notebooks.code_digest(content, ROOT, ImportGraph.read(ROOT / "src"))
    assert noted["code"] == code, f"run: {stored_notebooks.COMMAND} {file.stem}"


@pytest.mark.parametrize("file", OWN, ids=lambda file: file.stem)
def test_no_stored_output_holds_rows(file: Path) -> None:
    content = json.loads(file.read_text(encoding="utf-8"))
    for cell in content["cells"]:
        for output in cell.get("outputs", []):
            printed = "".join((output.get("data") or output).get("text/plain", ""))
            assert not printed.startswith("shape: ("), "a frame prints its first rows"
            assert output["output_type"] != "error"
