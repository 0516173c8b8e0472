"""README, changelog, citation and licences say what is there."""

from __future__ import annotations

import re
import tomllib
from importlib import metadata
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
AUTHORS = "The village programmes and household income authors"


def section(title: str) -> str:
    """Return one section of the README."""
    return README.split(f"## {title}\n", 1)[1].split("\n## ", 1)[0]


def test_the_readme_shows_both_commands() -> None:
    blocks = "\n".join(re.findall(r"```[a-z]*\n(.*?)```", README, re.S))
    assert re.search(r"^make report\b", blocks, re.M)
    assert re.search(r"^make test\b", blocks, re.M)


def test_the_readme_is_short() -> None:
    assert README.count("\n") <= 120


PLACES = re.findall(r"^\| \[?`([^`]+)`", section("Where things are"), re.M)


def test_the_readme_says_where_things_are() -> None:
    assert len(PLACES) >= 8


@pytest.mark.parametrize("place", PLACES)
def test_what_the_readme_names_is_there(place: str) -> None:
    assert (ROOT / place).exists(), f"README names {place}"


@pytest.mark.parametrize("name", ["README.md", "CONTRIBUTING.md", "CHANGELOG.md"])
def test_links_to_files_lead_somewhere(name: str) -> None:
    text = (ROOT / name).read_text(encoding="utf-8")
    for target in re.findall(r"(?<!!)\[[^\]]+\]\(([^)#:]+)\)", text):
        assert (ROOT / target).exists(), f"{name} links to {target}"


@pytest.mark.parametrize("command", sorted(set(re.findall(r"(?m)(?:`|^)make ([a-z]+)\b", README))))
def test_each_make_command_of_the_readme_is_in_the_makefile(command: str) -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    assert re.search(rf"^{command}:", makefile, re.M)


def test_the_citation_is_valid() -> None:
    cited = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    assert cited["cff-version"] == "1.2.0"
    assert {"message", "title", "authors"} <= set(cited)
    assert cited["authors"] == [{"name": AUTHORS}]
    assert cited["type"] == "software"
    assert str(cited["version"]) == PROJECT["version"]
    assert cited["license"] == ["MIT", "CC-BY-4.0"]
    known = {
        "cff-version",
        "message",
        "type",
        "title",
        "abstract",
        "authors",
        "version",
        "license",
        "keywords",
        "date-released",
        "doi",
        "url",
        "repository-code",
    }
    assert set(cited) <= known


def test_the_changelog_leads_with_this_version() -> None:
    text = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    versions = re.findall(r"^## \[([^\]]+)\] - (unreleased|\d{4}-\d\d-\d\d)$", text, re.M)
    assert versions[0][0] == PROJECT["version"]


def test_the_licences_say_what_they_cover() -> None:
    code = (ROOT / "LICENSE").read_text(encoding="utf-8")
    assert code.startswith("MIT License\n")
    assert AUTHORS in code
    assert "MERCHANTABILITY" in code
    data = (ROOT / "LICENSE-DATA").read_text(encoding="utf-8")
    assert "https://creativecommons.org/licenses/by/4.0/" in data
    assert AUTHORS in data
    assert PROJECT["license"] == "MIT"
    assert set(PROJECT["license-files"]) == {"LICENSE", "LICENSE-DATA"}
    for name in ("LICENSE", "LICENSE-DATA", "CITATION.cff"):
        assert f"]({name})" in README


def test_the_distribution_has_a_name_of_its_own_and_the_package_is_called_analysis() -> None:
    """As the build backend writes the metadata of a wheel; the registry has another `analysis`."""
    from flit_core.common import Metadata, Module, make_metadata
    from flit_core.config import read_flit_config

    config = read_flit_config(ROOT / "pyproject.toml")
    about: Metadata = make_metadata(Module(config.module, ROOT), config)
    assert (about.name, about.version) == ("village-programmes", PROJECT["version"])
    assert config.module == "analysis" and (ROOT / "src" / "analysis" / "__init__.py").is_file()
    assert metadata.version(about.name) == PROJECT["version"]


def test_security_names_a_private_channel() -> None:
    text = (ROOT / "SECURITY.md").read_text(encoding="utf-8")
    assert "Report a vulnerability" in text.split("## Report a fault")[1]
