"""Every degree of freedom of an estimate, read from ``data/sensitivity/specifications.toml``."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Any

import polars as pl

from analysis import paths
from analysis.contract import project_name
from analysis.faults import Fault, raise_if_any
from analysis.panels.records import read_toml

NOT_ASKED = "not asked"
"""Value of a choice that an estimator does not leave open."""
ESTIMATORS_WITHOUT = {
    "imputation": ("controls", "where", "strata", "handling"),
    "two_way": ("controls", "where", "strata", "handling"),
}
"""Choices that these estimators do not leave open: they use everybody who is untreated, on balanced
cells."""
KNOWN = {
    "estimator": ("group_time", "imputation", "two_way"),
    "controls": ("never", "not_yet"),
    "where": ("other_villages", "same_village", "anywhere"),
    "anticipation": ("0", "1"),
    "strata": ("registered", "none", "county"),
    "handling": ("balanced", "pairs"),
    "income": ("household_nominal", "household_real", "head_nominal", "head_real"),
}
"""What the code can run; the file says which of it is defensible, and why."""


@dataclass(frozen=True)
class Option:
    """One way to choose: its value in the code, its name, why it is defensible."""

    value: str
    label: str
    reason: str
    main: bool = False


@dataclass(frozen=True)
class Choice:
    """One degree of freedom.

    Attributes
    ----------
    name, title, question : str
        In the code, on a page, and what is decided.
    options : tuple of Option
        Exactly one is the report's own; empty where the choice does not vary.
    held : str
        Why it does not vary.
    """

    name: str
    title: str
    question: str
    options: tuple[Option, ...] = ()
    held: str = ""

    @property
    def main(self) -> str:
        """Value of the report's own option."""
        return next(option.value for option in self.options if option.main)


def load(path: Path | None = None) -> tuple[Choice, ...]:
    """Read the list.

    Parameters
    ----------
    path : Path, optional
        Another file of the same form.

    Raises
    ------
    FaultsError
        With every option that the code does not know, choice without or with two main options, and
        missing text.

    Examples
    --------
    >>> [choice.name for choice in load() if choice.options]
    ['estimator', 'controls', 'where', 'anticipation', 'strata', 'handling', 'income']
    """
    path = path or paths.data() / "sensitivity" / "specifications.toml"
    content = read_toml(path)
    file = project_name(path)
    raise_if_any(_faults(content, file))
    return tuple(
        Choice(
            item["name"],
            item["title"],
            item["question"],
            tuple(Option(**option) for option in item.get("option", ())),
            item.get("held", ""),
        )
        for item in content["choice"]
    )


def _faults(content: dict[str, Any], file: str) -> Iterator[Fault]:
    seen: set[str] = set()
    for item in content.get("choice", ()):
        name, options = str(item.get("name", "")), item.get("option", ())
        for key in ("name", "title", "question"):
            if not item.get(key):
                yield Fault(file, "a choice lacks its text", "add it", column=f"{name}.{key}")
        if name in seen:
            yield Fault(file, "a choice stands twice", "join them", column=name)
        seen.add(name)
        if bool(options) == bool(item.get("held")):
            yield Fault(
                file, "a choice has options or says why it is held", "give one of both", column=name
            )
        if options and sum(bool(option.get("main")) for option in options) != 1:
            yield Fault(file, "a choice has one main option", "mark the report's own", column=name)
        for option in options:
            value = str(option.get("value", ""))
            if value not in KNOWN.get(name, ()):
                yield Fault(
                    file,
                    "the code has no such option",
                    f"use one of {', '.join(KNOWN.get(name, ())) or 'no option'}",
                    column=name,
                    value=value,
                )
            for key in ("label", "reason"):
                if not option.get(key):
                    yield Fault(
                        file, "an option lacks its text", "add it", column=f"{name}.{value}.{key}"
                    )
    for name in set(KNOWN) - seen:
        yield Fault(file, "a choice is not listed", "add it, held or with options", column=name)


Specification = dict[str, str]
"""Value of each choice that varies, by its name."""


def specifications(listed: tuple[Choice, ...]) -> tuple[Specification, ...]:
    """Return every combination of the choices that vary, each once.

    An estimator that leaves a choice no room has `NOT_ASKED` there.

    Examples
    --------
    >>> small = (Choice("estimator", "", "", (Option("group_time", "", "", True),
    ...                                       Option("imputation", "", ""))),
    ...          Choice("controls", "", "", (Option("never", "", "", True),
    ...                                      Option("not_yet", "", ""))))
    >>> [tuple(one.values()) for one in specifications(small)]
    [('group_time', 'never'), ('group_time', 'not_yet'), ('imputation', 'not asked')]
    """
    varied = [choice for choice in listed if choice.options]
    names = [choice.name for choice in varied]
    by_key: dict[tuple[str, ...], Specification] = {}
    for values in product(*([option.value for option in choice.options] for choice in varied)):
        row = dict(zip(names, values, strict=True))
        closed = ESTIMATORS_WITHOUT.get(row.get("estimator", ""), ())
        row = {name: NOT_ASKED if name in closed else value for name, value in row.items()}
        by_key.setdefault(tuple(row.values()), row)
    return tuple(by_key.values())


def main(listed: tuple[Choice, ...]) -> Specification:
    """Return the report's own specification."""
    return {choice.name: choice.main for choice in listed if choice.options}


def as_table(listed: tuple[Choice, ...]) -> pl.DataFrame:
    """Return the list for a page: choice, question, option, why, and whether it is the main one."""
    rows = []
    for choice in listed:
        for option in choice.options:
            rows.append(
                (
                    choice.title,
                    choice.question,
                    option.label,
                    option.reason,
                    "yes" if option.main else "no",
                )
            )
        if choice.held:
            rows.append((choice.title, choice.question, "does not vary", choice.held, "yes"))
    return pl.DataFrame(
        rows, schema=["choice", "question", "option", "reason", "main"], orient="row"
    )


def label(listed: tuple[Choice, ...], name: str, value: str) -> str:
    """Return what an option is called on a page."""
    known = {
        option.value: option.label
        for choice in listed
        if choice.name == name
        for option in choice.options
    }
    return known.get(value, value)
