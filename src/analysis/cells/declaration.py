"""The estimands file: what will be estimated, written before any outcome is read.

It is a pre-analysis plan that the computer holds one to: cells are made from its design, a pack
carries its text and digest, and a pack is refused if it holds an estimand that was not declared.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any, Final

from analysis.cells.design import CellsDesign
from analysis.cells.keys import KEYS, words
from analysis.cells.outcomes import Outcome, Transform
from analysis.cells.parameters import parameters
from analysis.contract import project_name
from analysis.faults import Fault, FaultsError, raise_if_any
from analysis.panels import records

CHOICES: Final = ("aggregation", "controls", "where", "base", "method")
"""Keys of an estimand that take one of a few words."""
LISTS: Final = ("outcomes", "covariates", "drop")
HOW: Final = {
    "name": 'write name = "..."',
    "design": "write [design]",
    "estimand": "write [[estimand]]",
}
"""How each part that must be there is written."""


@dataclass(frozen=True)
class Declared:
    """One estimand as declared.

    Attributes
    ----------
    name : str
        Its name in results.
    aggregation : str
        ``group_time`` or an aggregation of `analysis.panels.estimands`.
    controls : str
        ``never`` treated or ``not_yet`` treated.
    where : str
        Controls from ``other_villages``, the ``same_village``, or ``anywhere``.
    base : str
        ``varying`` or ``universal``.
    outcomes : tuple of str
        Outcomes it is for; all if the file names none.
    method : str
        A key of `analysis.cells.keys.METHODS`.
    covariates, strata, psu
        Columns of the households: adjusted for; strata and sampling units of the sample.
    drop : tuple of int
        Cohorts left out.
    """

    name: str
    aggregation: str
    controls: str = "never"
    where: str = "other_villages"
    base: str = "varying"
    outcomes: tuple[str, ...] = ()
    method: str = "doubly_robust"
    covariates: tuple[str, ...] = ()
    strata: str = ""
    psu: str = ""
    drop: tuple[int, ...] = ()

    @property
    def needs_records(self) -> tuple[str, ...]:
        """Keys that need the households themselves: cells and packs do not have what they ask."""
        return tuple(key for key in ("covariates", "strata", "psu") if getattr(self, key))

    @property
    def beyond_a_pack(self) -> tuple[str, ...]:
        """Keys that a pack cannot answer."""
        method = () if self.method == "doubly_robust" else ("method",)
        return (*self.needs_records, *method, *(("drop",) if self.drop else ()))


@dataclass(frozen=True)
class Rules:
    """How strict disclosure control is.

    Attributes
    ----------
    min_households : int
        Households in every published group and in every difference of two.
    two_largest : float
        Most that the two largest households may make of the absolute values of a sum or change.
    within : float
        How closely, as a share, the second largest household may not know the largest.
    min_villages : int
        Villages in every published group, and in each arm of an estimate.
    all_or_none : bool
        Whether it may be published that everyone, or nobody, in a group is poor or has an income.
    """

    min_households: int = field(default_factory=lambda: parameters().min_households)
    two_largest: float = field(default_factory=lambda: parameters().two_largest)
    within: float = field(default_factory=lambda: parameters().within)
    min_villages: int = field(default_factory=lambda: parameters().min_villages)
    all_or_none: bool = False


@dataclass(frozen=True)
class Declaration:
    """An estimands file.

    Attributes
    ----------
    name : str
        What the pack will be called.
    design : CellsDesign
        Cells to make; with what disclosure control needs.
    estimands : tuple of Declared
        What will be estimated.
    rules : Rules
        Disclosure rules.
    text : str
        The file, to the letter.
    """

    name: str
    design: CellsDesign
    estimands: tuple[Declared, ...]
    rules: Rules
    text: str

    @property
    def digest(self) -> str:
        """sha256 of the text."""
        return hashlib.sha256(self.text.encode()).hexdigest()


def read(path: Path) -> Declaration:
    """Read an estimands file.

    Raises
    ------
    FaultsError
        With every key and value that does not fit.
    """
    content = records.read_toml(path)
    return parse(content, path.read_text(encoding="utf-8"), project_name(path))


def parse(content: Mapping[str, Any], text: str, file: str) -> Declaration:
    """Make a declaration of the content of a TOML file.

    Parameters
    ----------
    content : mapping
        Keys ``name``, ``design``, ``outcome`` (list), ``estimand`` (list), ``disclosure``.
    text : str
        The file's text.
    file : str
        Its name, for faults.
    """
    known = set(KEYS[""])
    raise_if_any(
        [
            *_unknown(content, known, file, ""),
            *(
                Fault(file, "missing", HOW[key], column=key)
                for key in ("name", "design", "estimand")
                if not content.get(key)
            ),
        ]
    )
    faults: list[Fault] = []
    rows = enumerate(content.get("outcome", []), 1)
    read_ones = [_outcome(row, file, number, faults) for number, row in rows]
    outcomes = tuple(outcome for outcome in read_ones if outcome is not None)
    raise_if_any(faults)
    design = _design(content["design"], outcomes, file)
    names = [outcome.name for outcome in design.outcomes]
    estimands = tuple(
        _estimand(row, names, file, number, faults)
        for number, row in enumerate(content["estimand"], 1)
    )
    rules = _rules(content.get("disclosure", {}), file, faults)
    raise_if_any(faults)
    return Declaration(str(content["name"]), design, estimands, rules, text)


def _unknown(table: Mapping[str, Any], known: set[str], file: str, where: str) -> Iterator[Fault]:
    for key in table:
        if key not in known:
            yield Fault(
                file,
                "unknown key",
                f"use {', '.join(sorted(known))}",
                None,
                f"{where}{key}",
                str(table[key]),
            )


def _design(table: Mapping[str, Any], outcomes: tuple[Outcome, ...], file: str) -> CellsDesign:
    raise_if_any(_unknown(table, set(KEYS["design"]), file, "design."))
    values: dict[str, Any] = {
        key: tuple(value) if isinstance(value, list) else value for key, value in table.items()
    }
    if outcomes:
        values["outcomes"] = outcomes
    try:
        return CellsDesign(**values, disclosure=True)
    except (TypeError, ValueError) as error:
        raise FaultsError([Fault(file, str(error), "correct it", column="design")]) from None


def _outcome(row: Mapping[str, Any], file: str, number: int, faults: list[Fault]) -> Outcome | None:
    """Read one outcome; ``headcount``, ``gap``, ``squared_gap`` name a line, or fen a person."""
    where, kinds = f"outcome {number}.", ("headcount", "gap", "squared_gap", "threshold")
    odd = list(_unknown(row, set(KEYS["outcome"]), file, where))
    entries = [(kind, row[kind]) for kind in (*kinds, "transform", "winsorised") if kind in row]
    if len(entries) > 1:
        odd.append(Fault(file, "two transforms", "write one outcome for each", column=where))
    faults += odd
    if odd:
        return None
    plain = {key: row[key] for key in ("name", "source", "per", "real") if key in row}
    try:
        transform = None
        if entries:
            transform = _transform(*entries[0])
        return Outcome(**plain, transform=transform)
    except (TypeError, ValueError) as error:
        faults.append(Fault(file, str(error), "correct it", column=where))
        return None


def _transform(key: str, value: Any) -> Transform:
    """Read what is made of an outcome."""
    if key == "transform":
        if value not in words("outcome", key):
            raise ValueError(f"transform {value!r} is none of {', '.join(words('outcome', key))}")
        return Transform(value)
    if key == "winsorised":
        return Transform("winsorised", shares=tuple(value) if isinstance(value, list) else ())
    kind: Any = key
    return Transform(kind, **{"line" if isinstance(value, str) else "fen": value})


def _estimand(
    row: Mapping[str, Any], outcomes: list[str], file: str, number: int, faults: list[Fault]
) -> Declared:
    where = f"estimand {number}."
    faults += _unknown(row, set(KEYS["estimand"]), file, where)
    faults += [
        Fault(file, "the key is missing", "write it", column=where + key)
        for key in ("name", "aggregation")
        if key not in row
    ]
    faults += [
        Fault(
            file,
            "no such choice",
            f"use one of: {', '.join(words('estimand', key))}",
            column=where + key,
            value=str(row[key]),
        )
        for key in CHOICES
        if key in row and row[key] not in words("estimand", key)
    ]
    faults += [
        Fault(file, "not a list", "write [ … ]", column=where + key, value=str(row[key]))
        for key in LISTS
        if key in row and not isinstance(row[key], list)
    ]
    chosen = {key: tuple(row[key]) for key in LISTS if isinstance(row.get(key), list)}
    wanted = chosen.pop("outcomes", tuple(outcomes))
    faults += [
        Fault(
            file,
            "no such outcome",
            f"use some of: {', '.join(outcomes)}",
            column=f"{where}outcomes",
            value=name,
        )
        for name in wanted
        if name not in outcomes
    ]
    plain = {key: str(row[key]) for key in ("name", "strata", "psu", *CHOICES) if key in row}
    return Declared(**{"name": "", "aggregation": "", **plain}, outcomes=wanted, **chosen)  # type: ignore[arg-type]


def _rules(table: Mapping[str, Any], file: str, faults: list[Fault]) -> Rules:
    defaults = Rules()
    kinds = {one.name: type(getattr(defaults, one.name)) for one in fields(Rules)}
    faults += _unknown(table, set(kinds), file, "disclosure.")
    wrong = [key for key, value in table.items() if key in kinds and type(value) is not kinds[key]]
    faults += [
        Fault(
            file,
            "the value has the wrong type",
            f"write a {kinds[key].__name__}",
            column=f"disclosure.{key}",
            value=str(table[key]),
        )
        for key in wrong
    ]
    rules = Rules(**{k: v for k, v in table.items() if k in kinds and k not in wrong})
    limits = parameters()
    for key, low, high in (
        ("min_households", limits.fewest_ever, None),
        ("min_villages", limits.min_villages, None),
        ("two_largest", 0, limits.two_largest),
        ("within", limits.within, 1),
    ):
        value = getattr(rules, key)
        if value < low or (high is not None and not 0 < value <= high):
            remedy = f"use {low} or more" if value < low else f"use {high} or less, above 0"
            problem = "too loose to protect anyone"
            faults.append(
                Fault(file, problem, remedy, column=f"disclosure.{key}", value=str(value))
            )
    return rules


def not_its_cells(design: CellsDesign, declared: Declaration) -> Iterator[Fault]:
    """Yield a fault if cells of this design are not those a file declares."""
    same = replace(design, level=declared.design.level) == declared.design
    if not (same and declared.design.level in ("auto", design.level)):
        yield Fault(
            "cells",
            "the cells are not those of the estimands file",
            "build them from its design",
            column="design",
        )
