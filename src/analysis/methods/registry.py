"""The registry of methods: one record for each way to make a number, from ``data/methods``.

A record says what is asked, what is assumed, the equation, where it fails and what proves it. Its
functions tie it to the code: a test refuses an estimator without a record (`estimators`).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from analysis import contract
from analysis.faults import Fault, raise_if_any
from analysis.methods.schemas import Decisions, Helpers
from analysis.panels.records import read_toml

FOLDER: Final = Path("data") / "methods"
PACKAGE: Final = "analysis."
PAGE: Final = "methods.qmd"
STATUSES: Final = {
    "validated": "held to an independent package, a published number or a known truth",
    "by_hand": "checked by hand calculation and its own properties only",
    "experimental": "checked by hand only, approximate, and on no page as a result",
}
TEXTS: Final = ("id", "name", "question", "estimand", "equation", "errors", "edges", "fails")
LISTS: Final = ("assumptions", "sources", "functions", "tests")
PROOF: Final = ("montecarlo", "parity", "published", "stored")
_KEY = re.compile(r"^([a-z]+\d{4}[a-z]?)(?:, (.+))?$")


@dataclass(frozen=True)
class Method:
    """One record.

    Attributes
    ----------
    id, family, name : str
        Its permanent name, the group it belongs to, and its title.
    question, estimand : str
        What is asked, and the quantity that answers it.
    assumptions : tuple of str
        In words.
    equation : str
        LaTeX.
    sources : tuple of str
        Key of ``references.bib`` and place in it, or words.
    errors, edges, fails : str
        Standard errors, edge cases, and where it goes wrong.
    functions : tuple of str
        Dotted names of the functions that implement it.
    tests : tuple of str
        Tests that hold it, beside those that name its functions.
    montecarlo, parity : tuple of str
        Estimators of the stored validation.
    published : tuple of str
        Beginnings of cases in ``data/validation/published.csv``.
    stored : tuple of str
        Further stored references of packages, files of ``data/validation/parity``.
    status : str
        A key of `STATUSES`.
    grounds : str
        What a method is held to that has no stored comparison; empty if it has one.
    measure : str
        What of the Monte Carlo speaks of it, of `analysis.methods.evidence.MEASURES`.
    """

    id: str
    family: str
    name: str
    question: str
    estimand: str
    assumptions: tuple[str, ...]
    equation: str
    sources: tuple[str, ...]
    errors: str
    edges: str
    fails: str
    functions: tuple[str, ...]
    tests: tuple[str, ...]
    status: str
    montecarlo: tuple[str, ...] = ()
    parity: tuple[str, ...] = ()
    published: tuple[str, ...] = ()
    stored: tuple[str, ...] = ()
    grounds: str = ""
    measure: str = "coverage_simple"

    @property
    def address(self) -> str:
        """Where it is described, relative to the site."""
        return f"{PAGE}#{self.id}"

    @property
    def keys(self) -> tuple[str, ...]:
        """Keys of ``references.bib`` among its sources."""
        return tuple(match[1] for source in self.sources if (match := _KEY.match(source)))


@dataclass(frozen=True)
class Registry:
    """All records, with what else is known of functions and choices.

    Attributes
    ----------
    methods : tuple of Method
        In file order.
    helpers : mapping of str to str
        Functions and modules that make no estimate of their own, with why.
    decisions : tuple of mapping
        Rows of ``decisions.csv``.
    """

    methods: tuple[Method, ...]
    helpers: Mapping[str, str]
    decisions: tuple[Mapping[str, Any], ...]

    def of(self, function: str) -> Method | None:
        """Return the record of a function; None if it has none.

        A function that stands in several records belongs to the first.
        """
        return next((method for method in self.methods if function in method.functions), None)

    def helps(self, function: str) -> str:
        """Return why a function needs no record; empty if nothing says so."""
        parts = function.split(".")
        names = (".".join(parts[:cut]) for cut in range(len(parts), 1, -1))
        return next((self.helpers[name] for name in names if name in self.helpers), "")


def load(root: Path) -> Registry:
    """Read the registry of a project.

    Parameters
    ----------
    root : Path
        The project folder.

    Raises
    ------
    FaultsError
        With every missing or unknown key, empty text, unknown status, id that stands twice, and
        claim to be validated without a ground.
    """
    folder = root / FOLDER
    methods: list[Method] = []
    faults: list[Fault] = []
    for path in sorted(folder.glob("*.toml")):
        content, file = read_toml(path), (FOLDER / path.name).as_posix()
        family = str(content.get("family", ""))
        if not family:
            faults.append(Fault(file, "the family has no name", "write it", column="family"))
        for number, table in enumerate(content.get("method", ()), start=1):
            problems = list(_faults(table, file, str(table.get("id", number))))
            faults += problems
            if not problems:
                methods.append(_method_of(table, family))
    seen = [method.id for method in methods]
    faults += [
        Fault(FOLDER.as_posix(), "two records have this id", "rename one", column="id", value=name)
        for name in sorted({name for name in seen if seen.count(name) > 1})
    ]
    raise_if_any(faults)
    helpers = contract.read(folder / "helpers.csv", Helpers)
    decisions = contract.read(folder / "decisions.csv", Decisions)
    return Registry(
        tuple(methods),
        {PACKAGE + row["name"]: row["why"] for row in helpers.iter_rows(named=True)},
        tuple(decisions.iter_rows(named=True)),
    )


def _faults(table: Mapping[str, Any], file: str, name: str) -> Iterator[Fault]:
    known = {*TEXTS, *LISTS, *PROOF, "status", "grounds", "measure"}
    for key in sorted(table.keys() - known):
        yield Fault(file, "unknown key", "remove it or correct its name", column=f"{name}.{key}")
    for key in TEXTS:
        if not isinstance(table.get(key), str) or not table[key].strip():
            yield Fault(file, "a text is missing", "write it", column=f"{name}.{key}")
    for key in (*LISTS, *PROOF):
        value = table.get(key, [] if key in PROOF else None)
        if not isinstance(value, list) or not all(isinstance(item, str) and item for item in value):
            yield Fault(file, "not a list of texts", "write one", column=f"{name}.{key}")
        elif key in LISTS and not value:
            yield Fault(file, "the list is empty", "fill it", column=f"{name}.{key}")
    status = table.get("status")
    if status not in STATUSES:
        yield Fault(
            file,
            "unknown status",
            f"use one of {', '.join(STATUSES)}",
            column=f"{name}.status",
            value=str(status),
        )
    compared = any(table.get(key) for key in PROOF)
    if status == "validated" and not compared and not table.get("grounds"):
        yield Fault(
            file,
            "validated by nothing",
            "name a stored comparison, or its grounds",
            column=f"{name}.status",
        )


def _method_of(table: Mapping[str, Any], family: str) -> Method:
    fields: dict[str, Any] = {key: tuple(table.get(key, ())) for key in (*LISTS, *PROOF)}
    fields |= {key: table[key].strip() for key in (*TEXTS, "status")}
    fields |= {key: table[key] for key in ("grounds", "measure") if key in table}
    fields["family"] = family
    fields["functions"] = tuple(PACKAGE + name for name in fields["functions"])
    return Method(**fields)


def cited(source: str) -> str:
    """Return a source as a citation in Markdown, or as it is.

    Examples
    --------
    >>> cited("callaway2021, equations 2.2 to 2.6"), cited("lee2009"), cited("a definition")
    ('[@callaway2021, equations 2.2 to 2.6]', '[@lee2009]', 'a definition')
    """
    match = _KEY.match(source)
    if not match:
        return source
    return f"[@{match[1]}, {match[2]}]" if match[2] else f"[@{match[1]}]"
