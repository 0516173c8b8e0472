"""Official facts on rural incomes, and how a year without one is filled in.

``data/household/facts.csv`` holds every fact with its unit, year and source; what is not printed in
a source but computed is flagged there. Years between two official ones are interpolated (totals
geometrically, shares of the four sources of income linearly); years outside are moved with a
larger place. Each such figure says so.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

import dataframely as dy
import polars as pl

from analysis import contract, paths
from analysis.faults import Fault, raise_if_any

SOURCES: Final = ("wage", "business", "property", "transfer")
"""The four official sources of income."""
INCOME: Final = "rural disposable income per head"
PERIODS: Final = ["year", "first half", "first quarter", "first nine months", "span"]
BASES: Final = ["published", "computed", "unverified"]


class Facts(contract.Row):
    """An official or computed fact on incomes, households or spending of a place and year."""

    place = dy.String(primary_key=True, description="place, as the source names it")
    item = dy.String(primary_key=True, min_length=5, description="what is measured")
    component = dy.String(
        primary_key=True, description="part of it: a source of income, a quantile"
    )
    year = dy.Int64(primary_key=True, min=1990, max=2030, description="calendar year, or the first")
    year_end = dy.Int64(nullable=True, min=1990, max=2030, description="last year of a span")
    period = dy.Enum(PERIODS, primary_key=True, description="part of the year, or a span of years")
    value = dy.Float64(min=0, description="the number")
    unit = dy.String(description="its unit")
    basis = dy.Enum(BASES, description="printed in a source, computed from one, or not seen")
    source = dy.String(min_length=5, description="who published it, or what it is computed from")
    address = dy.String(nullable=True, description="where it was seen")
    note = dy.String(nullable=True, description="how it was computed, or a remark")


class Places(contract.Row):
    """A place whose average household can be asked for."""

    id = dy.String(primary_key=True, regex=r"^[a-z][a-z_]*$", description="name in the code")
    name_en = dy.String(description="name in English")
    name_zh = dy.String(description="name in Chinese")
    facts = dy.String(description="name of the place in facts.csv")
    moves_with = dy.String(
        nullable=True, description="larger place whose growth fills years outside its own"
    )
    split = dy.String(description="place whose four sources of income are used")
    size = dy.Float64(min=1, max=20, description="members of a household, persons/households")
    size_low = dy.Float64(min=1, max=20, description="low end, persons/households")
    size_high = dy.Float64(min=1, max=20, description="high end, persons/households")
    size_source = dy.String(min_length=10, description="where the three are from")
    rural_people = dy.Float64(nullable=True, min=1, description="rural population, persons")
    people_year = dy.Int64(nullable=True, min=1990, max=2030, description="its year")
    people_source = dy.String(nullable=True, description="where it is from")

    @dy.rule()
    def the_sizes_are_not_in_order(cls) -> pl.Expr:
        """Require low, size and high in this order."""
        return (pl.col("size_low") <= pl.col("size")) & (pl.col("size") <= pl.col("size_high"))


class AccountRows(contract.Row):
    """What a reported programme would add to the average of a place."""

    id = dy.String(primary_key=True, regex=r"^A\d{2}$", description="name")
    place = dy.String(description="id of the place in places.csv")
    programme = dy.String(description="programme of the catalogue")
    source = dy.Enum(list(SOURCES), description="source of income that it enters")
    against = dy.Enum(["growth", "level"], description="what it is set against")
    what = dy.String(min_length=10, description="what is counted")
    expression = dy.String(
        description="over claims, official figures, constants, people (rural population), and "
        "labour_income and labour_income_before (all transferred workers, yuan)"
    )
    assumption = dy.String(min_length=10, description="the assumption in words")


SCHEMAS: Final[Mapping[str, type[contract.Row]]] = {
    "facts": Facts,
    "places": Places,
    "accounts": AccountRows,
}


@dataclass(frozen=True)
class Fact:
    """One figure with how it is known.

    Attributes
    ----------
    value : float
        In `unit`.
    low, high : float
        Range of its readings; equal to the value for a published figure.
    unit : str
        Unit.
    basis : str
        ``published``, ``computed`` or ``unverified``.
    how : str
        Source, or how it was computed.
    """

    value: float
    low: float
    high: float
    unit: str
    basis: str
    how: str


@dataclass(frozen=True)
class Calibration:
    """Every fact and place, checked.

    Attributes
    ----------
    facts, places : polars.DataFrame
        As `Facts` and `Places` say.
    digest : str
        ``data/household/facts.csv`` with 12 digits of its sha256.
    """

    facts: pl.DataFrame
    places: pl.DataFrame
    digest: str

    def fact(self, place: str, item: str, year: int, component: str = "all") -> Fact:
        """Return one annual fact.

        Raises
        ------
        KeyError
            If it is not there.
        """
        return self._years(place, item, component)[year]

    def total(self, place: str, year: int, moves_with: str = "") -> Fact:
        """Return rural disposable income per head, yuan a year.

        Official if that year is; interpolated at a constant rate between two official years; else
        the nearest official year moved with the growth of a larger place.
        """
        known = self._years(place, INCOME, "total")
        if year in known:
            return known[year]
        before = max((y for y in known if y < year), default=None)
        after = min((y for y in known if y > year), default=None)
        unit = "yuan/persons/years"
        if before is not None and after is not None:
            weight = (year - before) / (after - before)
            a, b = known[before].value, known[after].value
            value = math.exp((1 - weight) * math.log(a) + weight * math.log(b))
            how = f"at a constant rate between {before} and {after}"
            return Fact(value, value, value, unit, "computed", how)
        if not moves_with:
            raise KeyError(year)
        nearest = before if before is not None else after
        assert nearest is not None  # noqa: S101  # every place has at least one official year
        growth = self.total(moves_with, year).value / self.total(moves_with, nearest).value
        value = known[nearest].value * growth
        how = f"the figure of {nearest}, moved with the growth of {moves_with}"
        return Fact(value, value, value, unit, "computed", how)

    def shares(self, place: str, year: int) -> dict[str, Fact]:
        """Return the shares of the four sources in income, adding up to one.

        Official where all four are; else interpolated linearly between the years that have all
        four, or taken from the nearest; low and high are the least and largest of those years.
        """
        splits = self._splits(place)
        years = sorted(splits)
        if year in splits:
            period, split, basis = splits[year]
            how = "official" if period == "year" else f"of the {period} of {year}"
            return {s: Fact(split[s], split[s], split[s], "share", basis, how) for s in SOURCES}
        before = max((y for y in years if y < year), default=years[0])
        after = min((y for y in years if y > year), default=years[-1])
        weight = 0.0 if before == after else (year - before) / (after - before)
        if before > after:  # outside all official years
            before = after = years[0] if year < years[0] else years[-1]
        how = f"between {before} and {after}" if before != after else f"as in {before}"
        if splits[before][0] != "year":
            how += f" ({splits[before][0]})"
        by_name = {}
        for source in SOURCES:
            a, b = splits[before][1][source], splits[after][1][source]
            value = (1 - weight) * a + weight * b
            every = [splits[y][1][source] for y in years]
            low, high = min(*every, value), max(*every, value)
            by_name[source] = Fact(value, low, high, "share", "computed", how)
        return by_name

    def earnings(self, year: int) -> Fact:
        """Return the labour income of a worker transferred to work in Tibet, yuan a year.

        It is revenue over workers counted, so one person may be counted for each trip.
        """
        known = self._years("Tibet AR", "labour income per transferred worker", "all")
        if year in known:
            return known[year]
        before = max((y for y in known if y < year), default=min(known))
        after = min((y for y in known if y > year), default=max(known))
        weight = (year - before) / (after - before)
        a, b = known[before].value, known[after].value
        value = math.exp((1 - weight) * math.log(a) + weight * math.log(b))
        how = f"at a constant rate between {before} and {after}"
        unit = "yuan/persons/years"
        return Fact(value, min(a, value), max(b, value), unit, "computed", how)

    def _years(self, place: str, item: str, component: str) -> dict[int, Fact]:
        rows = self.facts.filter(
            pl.col("place") == place,
            pl.col("item") == item,
            pl.col("component") == component,
            pl.col("period") == "year",
        )
        return {
            r["year"]: Fact(r["value"], r["value"], r["value"], r["unit"], r["basis"], r["source"])
            for r in rows.iter_rows(named=True)
        }

    def _splits(self, place: str) -> dict[int, tuple[str, dict[str, float], str]]:
        """Return, by year, the part of the year, shares and basis where all four are known."""
        rows = self.facts.filter(pl.col("place") == place, pl.col("item") == INCOME)
        by_key: dict[int, tuple[str, dict[str, float], str]] = {}
        for (year, period), part in rows.group_by("year", "period", maintain_order=True):
            by = dict(part.select("component", "value").iter_rows())
            if set(SOURCES) <= set(by) and (year not in by_key or period == "year"):
                whole = sum(by[s] for s in SOURCES)
                computed = bool((part["basis"] != "published").any()) or period != "year"
                basis = "computed" if computed else "published"
                by_key[int(str(year))] = (str(period), {s: by[s] / whole for s in SOURCES}, basis)
        # A quarter or a half stands in only where no whole year is known.
        whole_years = {y: v for y, v in by_key.items() if v[0] == "year"}
        return whole_years or by_key


def load(folder: Path | None = None) -> Calibration:
    """Read facts and places, checked.

    Parameters
    ----------
    folder : path, optional
        Where the two files are; ``data/household`` of the project if left out.

    Raises
    ------
    FaultsError
        With every cell that does not fit, two rows of one fact, an unknown place, or four sources
        of a whole year that do not add up to their total.
    """
    return _load(folder or paths.data() / "household")


@cache
def _load(folder: Path) -> Calibration:
    facts = contract.read(folder / "facts.csv", Facts)
    places = contract.read(folder / "places.csv", Places)
    file = contract.project_name(folder / "facts.csv")
    faults: list[Fault] = []
    known = set(facts["place"])
    faults += [
        Fault(
            contract.project_name(folder / "places.csv"),
            "no fact is of this place",
            "name it as facts.csv does",
            row["line"],
            column,
            row[column],
        )
        for row in places.iter_rows(named=True)
        for column in ("facts", "moves_with", "split")
        if row[column] is not None and row[column] not in known
    ]
    faults += _sums(facts, file)
    raise_if_any(faults)
    digest = hashlib.sha256((folder / "facts.csv").read_bytes()).hexdigest()[:12]
    return Calibration(facts, places, f"{file}:{digest}")


def _sums(facts: pl.DataFrame, file: str) -> list[Fault]:
    """Say where the four sources of a whole year differ from their total by more than rounding."""
    faults = []
    rows = facts.filter(pl.col("item") == INCOME, pl.col("period") == "year")
    for (place, year), part in rows.group_by("place", "year", maintain_order=True):
        by = dict(part.select("component", "value").iter_rows())
        if {*SOURCES, "total"} <= set(by):
            off = sum(by[s] for s in SOURCES) - by["total"]
            if abs(off) > len(SOURCES) / 2:
                line = part["line"].max()
                problem = f"the sources of {place} in {year} differ from their total by {off:g}"
                faults.append(
                    Fault(file, problem, "correct one", line if isinstance(line, int) else None)
                )
    return faults
