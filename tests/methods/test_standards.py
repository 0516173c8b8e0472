"""Standards: what passes on this project, and that each fails where it should."""

from __future__ import annotations

import ast
import json
from pathlib import Path

import polars as pl
import pytest
import yaml
from typer.testing import CliRunner

from analysis import cli
from analysis.cli import panels as cli_panels
from analysis.methods import exhibits, packages, replication, seeds, standards
from analysis.panels import dictionary
from analysis.panels.model.simulate import SEED
from analysis.site import runtimes

ROOT = Path(__file__).resolve().parents[2]
MOVING = {"exhibits", "runtimes", "numbers"}
"""Standards that move with every edit of a notebook; `analysis standards` has them all."""


@pytest.mark.parametrize("name", [name for name in standards.STANDARDS if name not in MOVING])
def test_this_project_passes(name):
    asked, make = standards.STANDARDS[name]
    item = standards._tried(name, asked, make, ROOT)
    assert item.faults == (), (
        "python -m analysis.methods.packages and .replication make files again"
    )


def test_the_command_says_pass_or_fail_and_exits(monkeypatch):
    good, bad = standards.Item("one", "a", "b"), standards.Item("two", "c", "d", ("the fault",))
    monkeypatch.setattr(standards, "check", lambda root: (good, bad))
    failed = CliRunner().invoke(cli.app, ["standards"])
    assert failed.exit_code == 1
    monkeypatch.setattr(standards, "check", lambda root: (good,))
    assert CliRunner().invoke(cli.app, ["standards", "--seeds"]).exit_code == 0


def test_a_missing_file_fails_its_standard_and_stops_no_other(tmp_path):
    items = standards.check(tmp_path)
    assert [item.id for item in items] == list(standards.STANDARDS)
    by_name = {item.id: item for item in items}
    assert not by_name["citation"].passed and not by_name["licences"].passed


# ------------------------------------------------------------------------------------ packages

ROWS = "id,kind,value,day,of\na,x,1.5,2020-01-02,b\nb,y,,2020-01-03,\n"
PACKAGE = {
    "name": "p",
    "resources": [
        {
            "name": "t",
            "path": "t.csv",
            "format": "csv",
            "schema": {
                "fields": [
                    {
                        "name": "id",
                        "type": "string",
                        "constraints": {"required": True, "pattern": "^[a-z]$"},
                    },
                    {"name": "kind", "type": "string", "constraints": {"enum": ["x", "y"]}},
                    {
                        "name": "value",
                        "type": "number",
                        "constraints": {"minimum": 0, "maximum": 2},
                    },
                    {"name": "day", "type": "date"},
                    {"name": "of", "type": "string"},
                ],
                "primaryKey": ["id"],
                "foreignKeys": [{"fields": "of", "reference": {"resource": "t", "fields": "id"}}],
            },
        }
    ],
}


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "data" / "p").mkdir(parents=True)
    (tmp_path / "reports").mkdir()
    (tmp_path / "data/p/datapackage.json").write_text(json.dumps(PACKAGE), encoding="utf-8")
    (tmp_path / "data/p/t.csv").write_text(ROWS, encoding="utf-8")
    return tmp_path


BROKEN = {
    "required": ("\na,x", "\n,x", "the cell is empty"),
    "pattern": ("\na,x", "\nab,x", "not of the required form"),
    "enum": ("a,x", "a,z", "not in the list"),
    "type": ("1.5", "one", "not of type number"),
    "limit": ("1.5", "2.5", "above 2"),
    "not a number": ("1.5", "NaN", "below 0"),
    "date": ("2020-01-02", "02.01.2020", "not of type date"),
    "key": ("\nb,y", "\na,y", "the key stands twice"),
    "reference": ("02,b", "02,c", "t has no such id"),
    "columns": ("id,kind", "kind,id", "the columns are not those of the package"),
}


@pytest.mark.parametrize("case", BROKEN)
def test_a_broken_table_is_named(folder, case):
    assert list(packages.check(folder)) == []
    before, after, said = BROKEN[case]
    text = ROWS.replace(before, after, 1)
    assert text != ROWS
    (folder / "data/p/t.csv").write_text(text, encoding="utf-8")
    assert said in [fault.problem for fault in packages.check(folder)]


def test_a_table_without_a_package_and_a_package_without_its_table_are_named(folder):
    (folder / "data/p/t.csv").rename(folder / "reports/other.csv")
    found = {fault.file: fault.problem for fault in packages.check(folder)}
    assert found == {
        "data/p/datapackage.json": "a described file is missing",
        "reports/other.csv": "no data package describes this file",
    }


def test_data_that_are_not_committed_are_left_alone(folder):
    for name in packages.NOT_COMMITTED:
        (folder / name).mkdir(parents=True)
        (folder / name / "x.csv").write_text("a\n1\n", encoding="utf-8")
    assert packages.csv_files(folder) == ["data/p/t.csv"]


def test_each_folder_is_described_in_one_place():
    here = {folder.removeprefix("data/") for folder in packages.TABLES}
    assert not here & dictionary.packages().keys()


# ------------------------------------------------------------------------- seeds, citation, README


def test_bare_and_missing_seeds_are_found():
    code = (
        "import random\n"
        "import numpy as np\n"
        "SEED = 4\n"
        "a = np.random.default_rng(SEED)\n"
        "b = np.random.default_rng(7)\n"
        "c = np.random.Generator(np.random.Philox())\n"
        "d = random.random()\n"
        "e = fit(x, random_state=0)\n"
        "def f(n, *, seed=SEED): ...\n"
        "def g(n, seed=3): ...\n"
        "h = np.random.default_rng(SEED + 1)\n"
    )
    found = {
        int(one.place.split(":")[1]): one.named for one in seeds.of_tree(ast.parse(code), "x.py")
    }
    assert found == {4: True, 5: False, 6: False, 7: False, 8: False, 9: True, 10: False, 11: True}


def test_a_generator_of_ones_own_may_be_called_random():
    code = "random = default_rng(SEED)\nx = random.random()\n"
    assert [one.named for one in seeds.of_tree(ast.parse(code), "x.py")] == [True]


def test_the_command_simulates_with_the_seed_of_the_function():
    assert cli_panels.SEED == SEED


BAD_CITATIONS = {
    "message": {"message": None},
    "version": {"cff-version": "1.1.0"},
    "authors": {"authors": [{"email": "a@b"}]},
    "unknown": {"colour": "red"},
    "keywords": {"keywords": "rural"},
    "date": {"date-released": "May 2020"},
}


@pytest.mark.parametrize("case", BAD_CITATIONS)
def test_a_citation_that_does_not_fit_is_refused(case):
    content = yaml.safe_load((ROOT / standards.CITATION).read_text(encoding="utf-8"))
    assert list(standards.citation_faults(content)) == []
    changed = {
        key: value for key, value in (content | BAD_CITATIONS[case]).items() if value is not None
    }
    assert len(list(standards.citation_faults(changed))) == 1


def test_exhibits_are_counted_by_cell(tmp_path):
    cells = [
        {"cell_type": "markdown", "source": ["#| label: fig-no\n"]},
        {"cell_type": "code", "source": ["#| label: tbl-a\n", '#| tbl-cap: "What a is."\n', "x\n"]},
        {"cell_type": "code", "source": ["plain\n"]},
        {"cell_type": "code", "source": ["#| label: fig-b\n", "y\n"]},
    ]
    (tmp_path / "notebooks").mkdir()
    (tmp_path / "notebooks/01-a.ipynb").write_text(json.dumps({"cells": cells}), encoding="utf-8")
    assert exhibits.find(tmp_path) == (
        exhibits.Exhibit("tbl-a", "What a is.", "notebooks/01-a.ipynb", 2),
        exhibits.Exhibit("fig-b", "", "notebooks/01-a.ipynb", 4),
    )


def test_the_readme_of_data_editors_has_every_section_on_four_pages():
    text = replication.text(ROOT)
    made = replication.parts(text)
    assert tuple(made) == standards.TEMPLATE
    assert len(text.split()) <= standards.LONGEST
    for package in ("polars 2.", "statsmodels 0."):
        assert package in made["Computational requirements"], package
    assert "`nsw`" in made["Data availability and provenance"]
    assert "data/claims/claims.csv" in replication.files(ROOT)["file"].to_list()
    assert set(replication.sources(ROOT)["id"]) == set(replication.citations(ROOT)["source"])


def test_exhibits_of_fetched_data_are_listed_as_stored():
    found = replication.exhibit_list(ROOT)
    stored = found.filter(pl.col("notebook").str.starts_with("notebooks/data/"))
    assert stored.height
    assert stored["stored"].all()
    assert not found.join(stored, on=["label", "notebook"], how="anti")["stored"].any()


def test_files_changed_by_hand_and_a_readme_too_long_are_found(tmp_path, monkeypatch):
    def content(word):
        return "# R\n" + "".join(f"\n## {title}\n\n{word}\n" for title in standards.TEMPLATE)

    readme, table = tmp_path / replication.FILE, tmp_path / "sources.csv"
    made = {readme: content("a"), table: "id\nx\n"}
    monkeypatch.setattr(replication, "outputs", lambda root: made)
    for path, text in made.items():
        path.write_text(text, encoding="utf-8")
    assert standards._replication(tmp_path)[1] == []
    readme.write_text(content("b"), encoding="utf-8")
    table.write_text("id\ny\n", encoding="utf-8")
    assert len(standards._replication(tmp_path)[1]) == 2
    readme.write_text(content("a " * standards.LONGEST), encoding="utf-8")
    assert any("more than four pages" in said for said in standards._replication(tmp_path)[1])
    readme.write_text("# R\n", encoding="utf-8")
    lacking = [said for said in standards._replication(tmp_path)[1] if "lacks" in said]
    assert len(lacking) == len(standards.TEMPLATE)


def test_runtimes_say_each_notebook_and_the_machine(monkeypatch, tmp_path):
    """A run and a build made here: two notebooks, two steps."""

    class Ran:
        def __init__(self, name, seconds):
            self.name, self.seconds = name, seconds

    class Execution:
        notebooks = (Ran("notebooks/01-a.ipynb", 2.04), Ran("notebooks/02-b.ipynb", 3.0))

    class Built:
        seconds = (("execute", 0.1), ("stage", 1.0), ("render", 4.0))

    monkeypatch.setattr(runtimes, "execute", lambda root, **_: Execution)
    monkeypatch.setattr(runtimes, "build", lambda root: Built)
    (tmp_path / "reports").mkdir()
    runtimes.main(tmp_path)
    found = pl.read_csv(tmp_path / runtimes.TABLE)
    assert found["stage"].to_list() == ["notebook", "notebook", "execute", "stage", "render"]
    assert found["seconds"].to_list() == [2.0, 3.0, 5.0, 1.0, 4.0]
    assert set(found["machine"]) == {runtimes.machine()}


def test_runtimes_of_notebooks_are_kept_if_the_build_fails(monkeypatch, tmp_path):
    monkeypatch.setattr(
        runtimes, "notebooks", lambda root: runtimes._table([("notebook", "a", 1.0, 5)])
    )
    monkeypatch.setattr(runtimes, "build", lambda root: 1 / 0)
    (tmp_path / "reports").mkdir()
    with pytest.raises(ZeroDivisionError):
        runtimes.main(tmp_path)
    assert pl.read_csv(tmp_path / runtimes.TABLE)["what"].to_list() == ["a"]
