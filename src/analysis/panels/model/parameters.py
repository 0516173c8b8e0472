"""The parameters of the model panel, read from ``data/parameters/`` with their sources."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final

import dataframely as dy
import numpy as np
import polars as pl

from analysis import contract, money, paths
from analysis.faults import Fault, FaultsError, raise_if_any
from analysis.panels.model.draws import Floats
from analysis.panels.schemas import SOURCES

KEYS: Final = {"value", "unit", "what", "source", "status"}
PRICE_YEAR: Final = 2020
"""Amounts in the parameter files are in prices of this year."""


class IncomePath(contract.Row):
    """Official income per head of a year, in total or of one source."""

    year = dy.Int64(primary_key=True, min=1978, max=2100, description="calendar year")
    source_of_income = dy.Enum(["total", *SOURCES], primary_key=True, description="of what")
    value = dy.Float64(min_exclusive=0, description="mean income per head")
    unit = dy.Enum(["yuan/persons/years"], description="its unit, nominal")
    source = dy.String(description="who published it")
    address = dy.String(nullable=True, description="where it was found")
    status = dy.Enum(money.STATUSES, description="found in a document, derived, from memory")


@dataclass(frozen=True)
class Section:
    """One table of a parameter file.

    Attributes
    ----------
    file, name : str
        Where it stands.
    entries : mapping of str to dict
        Parameter to its value, unit, what, source and status.
    """

    file: str
    name: str
    entries: Mapping[str, Mapping[str, Any]]

    def value(self, key: str) -> Any:
        """Return the value of a parameter.

        Raises
        ------
        FaultsError
            If the section lacks it.
        """
        if key not in self.entries:
            raise FaultsError(
                [Fault(self.file, "parameter missing", "add it", column=f"{self.name}.{key}")]
            )
        return self.entries[key]["value"]

    def number(self, key: str, default: float | None = None) -> float:
        """Return a parameter as a number; a default for a parameter left out."""
        if key not in self.entries and default is not None:
            return default
        return float(self.value(key))

    def numbers(self, key: str, default: tuple[float, ...] = ()) -> tuple[float, ...]:
        """Return a parameter as a row of numbers; a default for a parameter left out."""
        if key not in self.entries and default:
            return default
        return tuple(float(number) for number in self.value(key))


@dataclass(frozen=True)
class Rule:
    """One programme as the model runs it; amounts in yuan a year, prices of `PRICE_YEAR`.

    Attributes
    ----------
    number : int
        Its place in the file: the item of its random streams.
    name, level, eligible, dose_unit : str
        Programme id; ``household`` or ``village``; ``all`` or ``registered``; unit of the dose.
    covers_all : bool
        Whether the realistic variant gives it to nearly everyone.
    villages, take_up : float
        Share of villages, and of eligible households there.
    first_years : tuple of int
        Years in which villages begin, with `year_shares` adding up to one.
    delays : tuple of float
        Shares of participants who join 0, 1, 2 ... years later.
    per_member : bool
        Whether effects are per member.
    effects : dict of int to tuple of float
        Source by number to the effect by years since the start; the last one stays.
    spillovers, anticipations : dict of int to float
        Effect of all others taking part; effect in the year before.
    village_amount : float
        Sum that every village gets, yuan a year; the dose is then this over its persons. 0: none.
    dip : float
        Fall of wages in the year before, as a share; not an effect, it would come anyway.
    registered, spread, dose, dose_sd, dose_elasticity : float
        How effects differ between households.
    select_household, select_village, select_trend : float
        Correlations of the latent propensity, used by the realistic variant.
    """

    number: int
    name: str
    level: str
    eligible: str
    covers_all: bool
    villages: float
    take_up: float
    first_years: tuple[int, ...]
    year_shares: tuple[float, ...]
    delays: tuple[float, ...]
    per_member: bool
    effects: dict[int, tuple[float, ...]]
    spillovers: dict[int, float]
    anticipations: dict[int, float]
    village_amount: float
    dip: float
    registered: float
    spread: float
    dose: float
    dose_sd: float
    dose_unit: str
    dose_elasticity: float
    select_household: float
    select_village: float
    select_trend: float


@dataclass(frozen=True)
class Parameters:
    """Everything the model is made of.

    Attributes
    ----------
    sections : dict of str to Section
        Tables of ``model.toml``.
    rules : tuple of Rule
        Programmes, in file order.
    path : dict of (int, str) to float
        Year and source (or ``total``) to official mean income per head, nominal yuan.
    path_status : dict of (int, str) to str
        How well each of them is verified, one of `money.STATUSES`.
    """

    sections: dict[str, Section]
    rules: tuple[Rule, ...]
    path: dict[tuple[int, str], float]
    path_status: dict[tuple[int, str], str]

    def __getitem__(self, section: str) -> Section:
        return self.sections[section]

    def means(self, years: range) -> Floats:
        """Return the target mean per head by year and source, yuan, shape (t, 4).

        Shares of the sources are known for two years and move evenly between them.

        Raises
        ------
        FaultsError
            If a year has no official mean.
        """
        raise_if_any(
            Fault(
                "data/parameters/income_path.csv",
                "no official income for this year",
                "add a row, or choose other periods",
                column="year",
                value=str(year),
            )
            for year in years
            if (year, "total") not in self.path
        )
        known = sorted({year for year, source in self.path if source != "total"})
        shares = np.array([[self.path[y, s] for s in SOURCES] for y in known])
        shares /= shares.sum(axis=1, keepdims=True)
        totals = np.array([self.path[year, "total"] for year in years])
        by_year = np.column_stack([np.interp(list(years), known, shares[:, s]) for s in range(4)])
        result: Floats = totals[:, None] * by_year / by_year.sum(axis=1, keepdims=True)
        return result


def _sections(path: Path) -> dict[str, Section]:
    """Read a parameter file; every parameter must say where it comes from."""
    file = contract.project_name(path)
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise FaultsError([Fault(file, "the file is missing", "restore it from git")]) from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise FaultsError([Fault(file, str(error), "correct it")]) from None
    raise_if_any(_faults(file, content))
    return {name: Section(file, name, entries) for name, entries in content.items()}


def _faults(file: str, content: Mapping[str, Any]) -> Iterator[Fault]:
    for section, entries in content.items():
        for name, entry in entries.items() if isinstance(entries, dict) else [("", None)]:
            column = f"{section}.{name}"
            if not isinstance(entry, dict) or set(entry) != KEYS:
                yield Fault(
                    file, "not a parameter", f"give it {', '.join(sorted(KEYS))}", column=column
                )
            elif entry["status"] not in money.STATUSES:
                yield Fault(
                    file,
                    "unknown status",
                    f"use one of: {', '.join(money.STATUSES)}",
                    column=column,
                    value=str(entry["status"]),
                )


def _rule(number: int, part: Section) -> Rule:
    def by_source(prefix: str) -> dict[int, Any]:
        return {
            s: part.value(f"{prefix}_{source}")
            for s, source in enumerate(SOURCES)
            if f"{prefix}_{source}" in part.entries
        }

    first = next(key for key in part.entries if key.startswith("effect_"))
    return Rule(
        number=number,
        name=part.name,
        level=str(part.value("level")),
        eligible=str(part.value("eligible")),
        covers_all=bool(part.value("covers_all")),
        villages=part.number("villages"),
        take_up=part.number("take_up"),
        first_years=tuple(int(year) for year in part.value("first_years")),
        year_shares=part.numbers("year_shares"),
        delays=part.numbers("delays", (1.0,)),
        per_member="per member" in part.entries[first]["unit"],
        effects={s: tuple(map(float, path)) for s, path in by_source("effect").items()},
        spillovers={s: float(yuan) for s, yuan in by_source("spillover").items()},
        anticipations={s: float(yuan) for s, yuan in by_source("anticipation").items()},
        village_amount=part.number("village_amount", 0.0),
        dip=part.number("dip", 0.0),
        registered=part.number("registered"),
        spread=part.number("spread"),
        dose=part.number("dose"),
        dose_sd=part.number("dose_sd", 0.0),
        dose_unit=str(part.entries["dose"]["unit"]),
        dose_elasticity=part.number("dose_elasticity"),
        select_household=part.number("select_household"),
        select_village=part.number("select_village"),
        select_trend=part.number("select_trend"),
    )


@cache
def load(folder: Path | None = None) -> Parameters:
    """Read the parameters.

    Parameters
    ----------
    folder : Path, optional
        Where the files are; ``data/parameters`` of the project by default.

    Raises
    ------
    FaultsError
        With every parameter that lacks its unit, source or status.
    """
    folder = folder or paths.data() / "parameters"
    programmes = _sections(folder / "model_programmes.toml")
    path = contract.read(folder / "income_path.csv", IncomePath)
    return Parameters(
        _sections(folder / "model.toml"),
        tuple(_rule(number, part) for number, part in enumerate(programmes.values())),
        {
            (row["year"], row["source_of_income"]): row["value"]
            for row in path.iter_rows(named=True)
        },
        {
            (row["year"], row["source_of_income"]): row["status"]
            for row in path.iter_rows(named=True)
        },
    )


def table(folder: Path | None = None) -> pl.DataFrame:
    """Return every parameter of the model: section, name, value (as text), unit, what, source, status.

    The data page prints it, so that an assumption is seen to be one.
    """  # noqa: E501
    folder = folder or paths.data() / "parameters"
    return pl.DataFrame(
        {
            "section": section.name,
            "name": name,
            **{key: _as_text(entry[key]) for key in ("value", "unit", "what", "source", "status")},
        }
        for file in ("model.toml", "model_programmes.toml")
        for section in _sections(folder / file).values()
        for name, entry in section.entries.items()
    )


def _as_text(value: object) -> str:
    if isinstance(value, list):
        return ", ".join(map(str, value))
    return str(value).lower() if isinstance(value, bool) else str(value)
