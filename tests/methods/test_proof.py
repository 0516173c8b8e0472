"""From a function to its line and its tests: on a small package made here, and on this one."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from analysis import findings
from analysis.methods import api, proof

ROOT = Path(__file__).resolve().parents[2]

SUMS = """Adds up.

    Examples
    --------
    >>> 1
    1
    """
FILES = {
    "src/analysis/__init__.py": "",
    "src/analysis/sums.py": f'''"""Sums `of` things."""

TABLE = {{"plus": lambda x: below(x)}}


def add(a: int, *, by: int = 1) -> int:
    """{SUMS}"""
    return below(a) + by


def below(a):
    """Go down to {{{{< var x >}}}} and `{{{{python}}}} x`."""
    return a


def alone(a):
    return a


class Box:
    """A box.

    Attributes
    ----------
    size : int
        How large, 2 * 3 < 7.
    """

    def open(self):
        """Open it."""
'''.replace("{{", "{").replace("}}", "}"),
    "src/analysis/rooms/__init__.py": '"""A room."""',
    "src/analysis/rooms/one.py": "from analysis import sums\n\ndef use():\n    return sums.add(1)\n",
    "tests/test_rooms.py": (
        "from analysis.rooms.one import use\n\ndef helper():\n    return use()\n\n"
        "def test_use():\n    assert helper() == 2\n"
    ),
}


@pytest.fixture
def project(tmp_path: Path) -> Path:
    for name, text in FILES.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text, encoding="utf-8")
    return tmp_path


def test_a_function_is_found_where_it_stands(project: Path) -> None:
    known = proof.read(project)
    assert str(known.places["analysis.rooms.one.use"]) == "src/analysis/rooms/one.py:3"
    assert known.places["analysis.sums.Box.open"].file == "src/analysis/sums.py"


def test_a_test_holds_what_it_names_through_its_helpers(project: Path) -> None:
    (test,) = proof.read(project).tests("analysis.rooms.one.use")
    assert (test.name, test.through) == ("tests/test_rooms.py::test_use", "")


def test_the_nearest_user_lends_its_tests_and_an_example_is_a_test(project: Path) -> None:
    known = proof.read(project)
    (test,) = known.tests("analysis.sums.add")
    assert test.name == "the example of analysis.sums.add"
    (test,) = known.tests("analysis.sums.below")
    assert (test.name, test.through) == ("the example of analysis.sums.add", "analysis.sums.add")
    assert known.tests("analysis.sums.alone") == ()


def test_the_reference_shows_signs_and_hides_nothing(project: Path) -> None:
    page = api.pages(project, proof.read(project))["reference/sums.qmd"]
    assert "add(a: int, *, by: int = 1) -> int" in page
    assert "2 \\* 3 \\< 7" in page
    assert "## add {#analysis.sums.add}" in page and "- `open`: Open it." in page


def test_every_public_function_of_the_package_is_in_the_reference(places: proof.Proof) -> None:
    text = "".join(api.pages(ROOT, places).values())
    rooms = api.load(ROOT).modules.items()
    wanted = [
        member.path
        for name, room in rooms
        if name != "__main__"
        for module in api.modules(room)
        for member in api.public(module)
    ]
    assert len(wanted) > 500
    assert [name for name in wanted if f"{{#{name}}}" not in text] == []
    assert "{{<" not in text.replace("{{{<", "")


def test_every_function_behind_a_published_number_has_a_test(places: proof.Proof) -> None:
    records = findings.read_csv(ROOT / "reports" / "findings.csv")
    functions = sorted({str(record["function"]) for record in records})
    assert [name for name in functions if name not in places.places] == []
    assert [name for name in functions if not places.tests(name)] == []


def test_what_is_known_serves_as_json(project: Path) -> None:
    pages = api.pages(project, proof.read(project))
    assert json.loads(json.dumps(pages)) == pages
