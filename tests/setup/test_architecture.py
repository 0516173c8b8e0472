"""One direction: a room imports only from rooms before it; every import is a stated dependency."""

from __future__ import annotations

import ast
import importlib
import inspect
import json
import sys
import tomllib
from dataclasses import dataclass
from functools import cache
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from analysis.doctor import normalise

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "src" / "analysis"

# The rooms in the order in which data flows through them. A new room is added here, in its place.
# A file of a room may stand earlier than the rest of it, where rooms between need just that file.
ORDER = (
    "faults",
    "paths",
    "folders",
    "files",
    "columns",
    "locks",
    "frames",
    "stored_tables",
    "datapackage",
    "contract",
    "doctor",
    "programmes",
    "money",
    "claims/intervals",
    "printing",
    "templates",
    "results",
    "benchmarks",
    "changes",
    "claims",
    "studies",
    "household/calibration",
    "household/inputs",
    "household/costs",
    "panels",
    "inference/arrays",
    "cells",
    "inference",
    "did/estimators/record",
    "did/estimators/table",
    "did/estimators/entered",
    "designs/frames",
    "designs/sample",
    "designs/least_squares",
    "designs/arms",
    "designs/propensity",
    "designs/lee_bounds",
    "did/estimators",
    "sensitivity",
    "designs",
    "did",
    "welfare",
    "household",
    "power",
    "validation",
    "findings",
    "figures",
    "tables",
    "methods",
    "site",
    "terminal",
    "cli",
    "__main__",
)
DATA = frozenset({"claims", "studies", "panels", "cells"})
ESTIMATORS = frozenset(
    {
        "panels",
        "inference/arrays",
        "cells",
        "inference",
        "did/estimators",
        "sensitivity",
        "welfare",
        "household",
        "power",
        "validation",
    }
)


@dataclass(frozen=True)
class Import:
    """One import statement: where it stands, the module, the names taken from it."""

    place: str
    module: str
    names: tuple[str, ...]
    only_types: bool


def imports_of(tree: ast.Module, place: str, package: str) -> list[Import]:
    """Return every import of a module, those inside functions too."""
    typing_only = {
        id(inner)
        for node in ast.walk(tree)
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test)
        for statement in node.body
        for inner in ast.walk(statement)
    }
    found = []
    for node in ast.walk(tree):
        where = f"{place}:{getattr(node, 'lineno', 0)}"
        if isinstance(node, ast.Import):
            found += [
                Import(where, alias.name, (), id(node) in typing_only) for alias in node.names
            ]
        elif isinstance(node, ast.ImportFrom):
            above = package.split(".")[: len(package.split(".")) - node.level + 1]
            base = ".".join(above) if node.level else ""
            module = ".".join(part for part in (base, node.module or "") if part)
            names = tuple(alias.name for alias in node.names)
            found.append(Import(where, module, names, id(node) in typing_only))
    return found


@cache
def sources() -> dict[str, list[Import]]:
    """Return the imports of each file of the package, by its path."""
    found = {}
    for file in sorted(PACKAGE.rglob("*.py")):
        inner = file.relative_to(ROOT / "src").with_suffix("").parts
        package = ".".join(inner[:-1])
        place = file.relative_to(ROOT).as_posix()
        tree = ast.parse(file.read_text(encoding="utf-8"), filename=place)
        found[place] = imports_of(tree, place, package)
    return found


def room_of(parts: list[str]) -> str:
    """Return the room of a module of the package, by its path inside the package."""
    paths = ("/".join(parts[:depth]) for depth in (3, 2))
    return next((path for path in paths if path in ORDER), parts[0])


def room(place: str) -> str:
    """Return the room that a file of the package stands in."""
    return room_of(list(Path(place).relative_to("src/analysis").with_suffix("").parts))


def rooms_used(one: Import) -> list[str]:
    """Return the rooms that an import reaches."""
    if one.module == "analysis":
        return [name for name in one.names if not name.startswith("__")]
    if not one.module.startswith("analysis."):
        return []
    inner = one.module.split(".")[1:]
    if len(inner) == 1 and any(earlier.startswith(f"{inner[0]}/") for earlier in ORDER):
        return sorted({room_of([*inner, name]) for name in one.names} or {inner[0]})
    return [room_of(inner)]


PLACES = [place for place in sources() if room(place) != "__init__"]


@pytest.mark.parametrize("place", PLACES)
def test_every_file_stands_in_a_room_of_the_plan(place: str) -> None:
    assert room(place) in ORDER, f"{room(place)} has no place in the order: add it to ORDER here"


@pytest.mark.parametrize("place", PLACES)
def test_a_room_imports_only_from_rooms_before_it(place: str) -> None:
    rank = {name: number for number, name in enumerate(ORDER)}
    for one in sources()[place]:
        for used in rooms_used(one):
            assert rank.get(used, len(ORDER)) <= rank[room(place)], (
                f"{one.place}: {room(place)} imports {used}, a later room"
            )


@pytest.mark.parametrize("place", [p for p in PLACES if room(p) in ("figures", "tables")])
def test_figures_and_tables_take_results_never_data(place: str) -> None:
    """At run time they may know the classes of results, and nothing that loads data."""
    for one in sources()[place]:
        if one.only_types or not DATA & set(rooms_used(one)):
            continue
        assert one.module != "analysis" and one.names, f"{one.place}: imports a whole data room"
        module = importlib.import_module(one.module)
        for name in one.names:
            assert inspect.isclass(getattr(module, name)), (
                f"{one.place}: {name} of {one.module} is no class of results"
            )


@pytest.mark.parametrize("place", [p for p in PLACES if room(p) == "site"])
def test_the_site_knows_notebooks_and_findings_never_estimators(place: str) -> None:
    for one in sources()[place]:
        used = ESTIMATORS & set(rooms_used(one))
        assert not used, f"{one.place}: the site imports {sorted(used)}"


def declared(*extras: str) -> frozenset[str]:
    """Return the distributions that pyproject.toml names."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    lines = [*project["dependencies"]]
    for extra in extras:
        lines += project["optional-dependencies"][extra]
    return frozenset(normalise(Requirement(line).name) for line in lines)


def undeclared(modules: list[Import], allowed: frozenset[str]) -> list[str]:
    """Return the imports whose distribution is in the environment by chance only."""
    of = packages_distributions()
    own = {"analysis", "conftest", "environment", "licences", "record_template"}
    odd = []
    for one in modules:
        top = one.module.split(".")[0]
        if not top or top in sys.stdlib_module_names or top in own:
            continue
        if not allowed & {normalise(name) for name in of.get(top, [])}:
            odd.append(f"{one.place}: {top}")
    return odd


def test_the_package_imports_only_what_pyproject_declares() -> None:
    everything = [one for found in sources().values() for one in found]
    assert not undeclared(everything, declared())


def test_the_notebooks_import_only_what_pyproject_declares() -> None:
    found = []
    for file in sorted((ROOT / "notebooks").glob("*.ipynb")):
        cells = json.loads(file.read_text(encoding="utf-8"))["cells"]
        for number, cell in enumerate(cells, 1):
            if cell["cell_type"] == "code":
                place = f"{file.name} cell {number}"
                found += imports_of(ast.parse("".join(cell["source"])), place, "")
    assert not undeclared(found, declared())


def test_the_tests_import_only_what_pyproject_declares() -> None:
    found = []
    for file in sorted((ROOT / "tests").rglob("*.py")):
        place = file.relative_to(ROOT).as_posix()
        found += imports_of(ast.parse(file.read_text(encoding="utf-8")), place, "")
    assert not undeclared(found, declared("test", "public", "build"))


def test_this_very_reading_of_imports() -> None:
    text = (
        "from . import digest\nfrom ..claims import ledger\nfrom analysis import money, paths\n"
        "import analysis.cells.build\nfrom typing import TYPE_CHECKING\n"
        "if TYPE_CHECKING:\n    from analysis.panels.model import Panel\n"
        "def late():\n    from analysis.did.estimators import att\n"
    )
    found = imports_of(ast.parse(text), "x.py", "analysis.site")
    reached = {room for one in found for room in rooms_used(one)}
    assert reached == {"site", "claims", "money", "paths", "cells", "panels", "did/estimators"}
    assert [one.module for one in found if one.only_types] == ["analysis.panels.model"]
