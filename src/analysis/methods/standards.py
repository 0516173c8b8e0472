"""The standards this project holds itself to, each checked: what `analysis standards` prints."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import yaml

from analysis import contract, findings
from analysis.faults import FaultsError
from analysis.methods import (
    estimators,
    exhibits,
    packages,
    proof,
    registry,
    replication,
    seeds,
)
from analysis.methods.schemas import Runtimes

TEMPLATE: Final = (
    "Overview",
    "Data availability and provenance",
    "Dataset list",
    "Computational requirements",
    "Description of programs",
    "Instructions to replicators",
    "List of exhibits",
    "References",
)
"""Sections that data editors ask for."""
LONGEST: Final = 2200
"""Words of four pages, the tables among them."""
EXHIBITS: Final = "exhibits.csv"
"""The list that moves with every edit of a notebook."""
CITATION: Final = "CITATION.cff"
REQUIRED: Final = ("cff-version", "message", "title", "authors")
KNOWN: Final = frozenset(
    {
        *REQUIRED,
        "abstract",
        "commit",
        "contact",
        "date-released",
        "doi",
        "identifiers",
        "keywords",
        "license",
        "license-url",
        "preferred-citation",
        "references",
        "repository",
        "repository-artifact",
        "repository-code",
        "type",
        "url",
        "version",
    }
)
"""Keys of the Citation File Format 1.2.0."""
AUTHOR: Final = frozenset({"name", "family-names", "given-names", "alias"})
LICENCES: Final = {
    "LICENSE": ("MIT License", "code"),
    "LICENSE-DATA": ("creativecommons.org/licenses/by/4.0", "data"),
}


@dataclass(frozen=True)
class Item:
    """One standard.

    Attributes
    ----------
    id, asked : str
        Its name, and what it asks.
    found : str
        What was found, in words.
    faults : tuple of str
        Everything that fails it; empty if it passes.
    """

    id: str
    asked: str
    found: str
    faults: tuple[str, ...] = ()

    @property
    def passed(self) -> bool:
        """Whether nothing fails it."""
        return not self.faults


def check(root: Path) -> tuple[Item, ...]:
    """Check every standard.

    Parameters
    ----------
    root : Path
        The project folder.
    """
    return tuple(_tried(name, asked, make, root) for name, (asked, make) in STANDARDS.items())


def _tried(
    name: str, asked: str, make: Callable[[Path], tuple[str, list[str]]], root: Path
) -> Item:
    """Return an item; an input at fault fails it and stops no other."""
    try:
        text, faults = make(root)
    except FaultsError as error:
        text, faults = "could not be read", [str(fault) for fault in error.faults]
    except OSError as error:
        text, faults = "could not be read", [f"{error.strerror}: {Path(str(error.filename)).name}"]
    return Item(name, asked, text, tuple(faults))


def _replication(root: Path) -> tuple[str, list[str]]:
    written = (root / replication.FILE).read_text(encoding="utf-8")
    there = replication.parts(written)
    faults = [
        f"{replication.FILE} lacks the section {title}"
        for title in TEMPLATE
        if not there.get(title)
    ]
    words = len(written.split())
    if words > LONGEST:
        faults.append(f"{replication.FILE} has {words} words, more than four pages")
    faults += [fault for fault in _stale(root) if EXHIBITS not in fault]
    return f"{len(there)} sections, {words} words", faults


def _stale(root: Path) -> list[str]:
    remedy = "python -m analysis.methods.replication"
    return [
        f"{path.relative_to(root).as_posix()} is out of date: {remedy}"
        for path, content in replication.outputs(root).items()
        if not path.is_file() or path.read_text(encoding="utf-8") != content
    ]


def _exhibits(root: Path) -> tuple[str, list[str]]:
    faults = [fault for fault in _stale(root) if EXHIBITS in fault]
    result = exhibits.find(root)
    places = {(exhibit.label, exhibit.notebook) for exhibit in result}
    if len(places) != len(result):
        faults.append("a notebook gives one label to two exhibits")
    return f"{len(result)} figures and tables with notebook and cell", faults


def _packages(root: Path) -> tuple[str, list[str]]:
    stale = [
        path.relative_to(root).as_posix()
        for path, text in packages.outputs(root).items()
        if not path.is_file() or path.read_text(encoding="utf-8") != text
    ]
    faults = [f"{name} is out of date: python -m analysis.methods.packages" for name in stale]
    faults += [str(fault) for fault in packages.check(root)]
    return f"{len(packages.csv_files(root))} CSV files described and checked", faults


def citation_faults(content: Mapping[str, Any]) -> Iterator[str]:
    """Yield what the Citation File Format 1.2.0 refuses in the fields that are used here.

    Examples
    --------
    >>> list(citation_faults({"cff-version": "1.2.0", "message": "m", "title": "t", "authors": []}))
    ['authors: name at least one']
    """
    yield from (f"{key}: missing" for key in REQUIRED if key not in content)
    yield from (f"{key}: not a key of the format" for key in content if key not in KNOWN)
    if content.get("cff-version") != "1.2.0":
        yield "cff-version: not 1.2.0"
    if content.get("type", "software") not in ("software", "dataset"):
        yield "type: neither software nor dataset"
    authors = content.get("authors", [{}])
    if not isinstance(authors, list) or not authors:
        yield "authors: name at least one"
    elif any(not isinstance(item, dict) or not AUTHOR & item.keys() for item in authors):
        yield "authors: one has no name"
    for key in ("message", "title", "abstract", "url"):
        if key in content and not (isinstance(content[key], str) and content[key]):
            yield f"{key}: not a text"
    words = content.get("keywords", ["one"])
    if not isinstance(words, list) or not words or not all(isinstance(w, str) for w in words):
        yield "keywords: not a list of texts"
    day = content.get("date-released")
    if day is not None and not re.fullmatch(r"\d{4}-\d\d-\d\d", str(day)):
        yield "date-released: not YYYY-MM-DD"


def _citation(root: Path) -> tuple[str, list[str]]:
    content = yaml.safe_load((root / CITATION).read_text(encoding="utf-8"))
    return f"version {content.get('version')}", list(citation_faults(content))


def _licences(root: Path) -> tuple[str, list[str]]:
    faults = [
        f"{name} is not the licence for {what}"
        for name, (words, what) in LICENCES.items()
        if words not in (root / name).read_text(encoding="utf-8")
    ]
    return "MIT for code, CC BY 4.0 for text and data", faults


def _seeds(root: Path) -> tuple[str, list[str]]:
    sources = seeds.find(root)
    faults = [
        f"{source.place}: {source.call} is seeded by {source.seed or 'nothing'}"
        for source in sources
        if not source.named
    ]
    return f"{len(sources)} generators and seeds handed on, each with a name", faults


def _methods(root: Path) -> tuple[str, list[str]]:
    known = registry.load(root)
    records = findings.read_csv(root / "reports" / "findings.csv")
    result = estimators.find(root, records)
    faults = [
        f"{estimator.function} ({estimator.why}) has no record in data/methods"
        for estimator in estimators.unrecorded(result, known)
    ]
    return f"{len(known.methods)} records, {len(result)} functions that make estimates", faults


def _references(root: Path) -> tuple[str, list[str]]:
    text = (root / replication.BIBLIOGRAPHY).read_text(encoding="utf-8")
    keys = re.findall(r"^@\w+\{(\w+)", text, re.MULTILINE)
    faults = [
        f"the key {key} stands twice" for key in sorted({k for k in keys if keys.count(k) > 1})
    ]
    cited = {key for method in registry.load(root).methods for key in method.keys}
    faults += [f"{key} is cited by a method and is not there" for key in sorted(cited - {*keys})]
    return f"{len(keys)} works", faults


def _numbers(root: Path) -> tuple[str, list[str]]:
    known = proof.read(root)
    records = findings.read_csv(root / "reports" / "findings.csv")
    functions = sorted({str(record["function"]) for record in records})
    faults = [f"{name} is nowhere" for name in functions if name not in known.places]
    faults += [
        f"no test reaches {name}"
        for name in functions
        if name in known.places and not known.tests(name)
    ]
    return f"{len(records)} findings by {len(functions)} functions", faults


def _runtimes(root: Path) -> tuple[str, list[str]]:
    rows = contract.read(root / replication.RUNTIMES, Runtimes)
    timed = set(rows.filter(stage="notebook")["what"])
    there = {path.stem for path in (root / exhibits.NOTEBOOKS).glob("*.ipynb")}
    faults = [
        f"{name} has no runtime: python -m analysis.site.runtimes" for name in sorted(there - timed)
    ]
    return f"{len(timed)} notebooks timed on one machine, stated", faults


STANDARDS: Final[Mapping[str, tuple[str, Callable[[Path], tuple[str, list[str]]]]]] = {
    "replication": ("the README of data editors, current", _replication),
    "exhibits": ("every figure and table with its notebook and cell", _exhibits),
    "runtimes": ("runtimes with the machine they were measured on", _runtimes),
    "packages": ("a valid Frictionless data package for every CSV file", _packages),
    "citation": ("CITATION.cff fits its format", _citation),
    "licences": ("a licence for code and one for data", _licences),
    "seeds": ("every source of random numbers has a named seed", _seeds),
    "methods": ("every estimator has its record", _methods),
    "numbers": ("every published number leads to a line and a test", _numbers),
    "references": ("every work once, every citation of a method there", _references),
}
"""Name, what is asked, and how it is checked."""
