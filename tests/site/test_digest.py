"""The cache key sees what can change a result, and nothing else."""

from __future__ import annotations

import ast
import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from analysis.faults import FaultsError
from analysis.site.digest import ImportGraph, Key, imports, notebook_key, surroundings

if TYPE_CHECKING:
    from conftest import Project


def keys(project: Project, **environment: str) -> dict[str, Key]:
    """The key of each notebook."""
    shared, graph = surroundings(project.root, environment), ImportGraph.read(project.root / "src")
    return {
        path.stem: notebook_key(json.loads(path.read_text()), project.root, shared, graph)
        for path in sorted((project.root / "notebooks").glob("*.ipynb"))
    }


def edit(project: Project, change: Callable[[dict[str, Any]], object]) -> None:
    """Change the first notebook."""
    path = project.root / "notebooks" / "01-first.ipynb"
    content = json.loads(path.read_text())
    change(content)
    path.write_text(json.dumps(content))


CHANGES = {
    "a module the first notebook imports": ("src/analysis/money.py", {"01-first"}),
    "a module nobody imports": ("src/analysis/other.py", set()),
    "the package itself": ("src/analysis/__init__.py", {"01-first"}),
    "a new module beside": ("src/analysis/new.py", set()),
    "a file beside the modules": ("src/analysis/style.mplstyle", {"01-first"}),
    "the site pipeline": ("src/analysis/site/__init__.py", set()),
    "a style sheet": ("assets/site.css", set()),
    "a page": ("index.qmd", set()),
    "a data file": ("data/a.csv", {"01-first", "02-second"}),
    "a new data file": ("data/b/c.csv", {"01-first", "02-second"}),
    "external data": ("data/external/big.csv", set()),
    "the lock": ("requirements.lock", {"01-first", "02-second"}),
}


@pytest.mark.parametrize("change", CHANGES)
def test_a_change_reaches_the_notebooks_it_can_change(project: Project, change: str) -> None:
    name, reached = CHANGES[change]
    before = keys(project)
    project.write(name, "changed = 2\n")
    after = keys(project)
    assert {key for key in before if before[key] != after[key]} == reached


def test_the_key_of_a_notebook_sees_source_and_not_outputs(project: Project) -> None:
    before = keys(project)

    def run_by_hand(content: dict[str, Any]) -> None:
        cell = content["cells"][0]
        cell["execution_count"] = 7
        cell["outputs"] = [{"output_type": "stream", "name": "stdout", "text": "a\n"}]
        cell["source"] = cell["source"].splitlines(keepends=True)
        content["metadata"]["language_info"] = {"name": "python"}

    edit(project, run_by_hand)
    assert keys(project) == before
    edit(project, lambda content: content["cells"][1].update(source="Other prose."))
    assert keys(project)["01-first"] != before["01-first"]
    assert keys(project)["02-second"] == before["02-second"]


def test_imports_are_followed_through_packages_and_relative_names(project: Project) -> None:
    project.write("src/analysis/claims/__init__.py", "from .ledger import read\n")
    project.write("src/analysis/claims/ledger.py", "from ..money import RATE\n\nread = 1\n")
    project.write("src/analysis/claims/unused.py", "from . import ledger\n")
    graph = ImportGraph.read(project.root / "src")
    assert graph.closure({"analysis.claims"}) == {
        "analysis",
        "analysis.claims",
        "analysis.claims.ledger",
        "analysis.money",
    }
    assert "analysis.claims.ledger" in graph.edges["analysis.claims.unused"]


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ("import analysis.money as m", {"analysis.money"}),
        ("from analysis.claims.ledger import read", {"analysis.claims.ledger"}),
        ("def f():\n    from analysis import money", {"analysis.money"}),
        ("import importlib\nimportlib.import_module('analysis.money')", {"analysis.money"}),
        ("import analysistools\nfrom polars import analysis", set()),
    ],
)
def test_every_way_to_import(source: str, found: set[str]) -> None:
    assert found <= imports(ast.parse(source))
    assert bool(imports(ast.parse(source))) == bool(found)


def test_code_that_does_not_parse_depends_on_everything(project: Project) -> None:
    graph = ImportGraph.read(project.root / "src")
    broken = {"cells": [{"cell_type": "code", "source": "x = = 1"}]}
    magic = {"cells": [{"cell_type": "code", "source": "%config X\nimport analysis.money"}]}
    assert graph.of_notebook(broken) == set(graph.files)
    recorder = {"analysis.findings", "analysis.findings.recorder"}
    assert graph.of_notebook(magic) == {"analysis", "analysis.money", *recorder}


def test_a_notebook_depends_on_the_names_of_the_front_door_that_it_uses(project: Project) -> None:
    project.write(
        "src/analysis/__init__.py",
        "from typing import TYPE_CHECKING\n"
        "if TYPE_CHECKING:\n    from analysis.money import RATE\n    from analysis.other import X\n"
        '_PLACES = {"RATE": "analysis.money", "UNUSED": "analysis.other"}\n',
    )
    graph = ImportGraph.read(project.root / "src")
    by_attribute = {"cells": [{"cell_type": "code", "source": "import analysis as va\nva.RATE"}]}
    by_name = {"cells": [{"cell_type": "code", "source": "from analysis import RATE"}]}
    for notebook in (by_attribute, by_name):
        reached = graph.of_notebook(notebook)
        assert "analysis.money" in reached and "analysis.other" not in reached


def test_a_broken_module_is_still_part_of_the_key(project: Project) -> None:
    project.write("src/analysis/money.py", "RATE = = 3\n")
    before = keys(project)
    project.write("src/analysis/money.py", "RATE = = 4\n")
    assert keys(project)["01-first"] != before["01-first"]


READERS = {
    "a module": ("src/analysis/money.py", "import os\n\nRATE = os.environ.get('{name}')\n"),
    "a module further off": (
        "src/analysis/money.py",
        "from analysis.other import HERE as RATE\n",
        "src/analysis/other.py",
        "import os\n\nHERE = '{name}' in os.environ\n",
    ),
    "a broken module": ("src/analysis/money.py", "RATE = = 3\n"),
}


@pytest.mark.parametrize("reader", READERS)
@pytest.mark.parametrize("name", ["PANEL", "PACK"])
def test_what_a_reader_brings_is_part_of_the_key_of_who_reads_it(
    project: Project, name: str, reader: str
) -> None:
    parts = READERS[reader]
    for file, text in zip(parts[::2], parts[1::2], strict=True):
        project.write(file, text.format(name=name))
    file, folder = project.write("mine.csv", "a\n"), project.root / "mine"
    project.write("mine/part.csv", "a\n")
    project.write("mine/panel.json", "{}")
    plain = keys(project)
    for path, inside in ((file, file), (folder, folder / "part.csv")):
        brought = keys(project, **{name: str(path)})
        assert brought["02-second"] == plain["02-second"]
        assert brought["01-first"].digest != plain["01-first"].digest
        assert (len(brought["01-first"].brought), plain["01-first"].brought) == (8, "")
        inside.write_text("b\n")
        changed = keys(project, **{name: str(path)})["01-first"]
        assert changed.digest != brought["01-first"].digest
        # Another content of the same panel takes the place of the older copy.
        assert changed.brought == brought["01-first"].brought


def test_a_folder_that_is_no_panel_is_refused_before_any_notebook_runs(project: Project) -> None:
    project.write("mine/part.csv", "a\n")
    with pytest.raises(FaultsError, match=r"holds no panel \(no panel\.json\)"):
        surroundings(project.root, {"PANEL": "mine"})


def test_a_notebook_may_read_what_is_brought_itself(project: Project) -> None:
    project.write("mine.csv", "a\n")
    project.notebook("02-second", "import os\nos.environ.get('PANEL')")
    plain, brought = keys(project), keys(project, PANEL="mine.csv")
    assert [name for name in plain if plain[name] != brought[name]] == ["02-second"]
    # A panel says nothing about a pack.
    assert keys(project, PACK="mine.csv") == plain


def test_a_panel_that_is_not_there_and_a_lost_lock_come_together(project: Project) -> None:
    (project.root / "requirements.lock").unlink()
    with pytest.raises(FaultsError) as raised:
        surroundings(project.root, {"PANEL": str(Path("no") / "panel.parquet")})
    assert {fault.file for fault in raised.value.faults} == {"requirements.lock", "PANEL"}
    assert "make report PANEL=path" in str(raised.value)
