"""Assumed ranges: what a programme costs, how long an effect lasts, how many take part.

None of these numbers is an observation. Each stands in ``data/parameters/`` with its unit, year,
source and status, and each is a range: results that use it are ranges too.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import dataframely as dy
import polars as pl

from analysis import contract, paths, programmes
from analysis.claims.intervals import Interval
from analysis.faults import Fault, raise_if_any

STATUSES = ["assumption", "unverified", "found", "derived"]
PAYERS = ["government", "village collective", "household", "firm"]


class Assumed(contract.Row):
    """An assumed range: a low, a central and a high value."""

    id = dy.String(primary_key=True, regex=r"^[a-z][a-z_]*$", description="name")
    what = dy.String(min_length=10, description="what it is")
    low = dy.Float64(description="low end")
    central = dy.Float64(description="value between, the most likely one")
    high = dy.Float64(description="high end")
    unit = dy.String(description="unit, as in the ledger")
    year = dy.Int64(min=1990, max=2040, description="year of its prices, or that it refers to")
    source = dy.String(min_length=5, description="where it comes from")
    status = dy.Enum(STATUSES, description="assumption, remembered and unverified, or found")

    @dy.rule()
    def the_range_is_not_in_order(cls) -> pl.Expr:
        """Require low, central and high in this order."""
        return (pl.col("low") <= pl.col("central")) & (pl.col("central") <= pl.col("high"))


class UnitCost(Assumed):
    """What one unit of a programme is assumed to cost, and who would pay."""

    programme = dy.String(description="programme of the catalogue")
    recurrence = dy.Enum(["once", "yearly"], description="paid once, or every year it runs")
    payer = dy.Enum(PAYERS, description="who would pay")


class Spending(contract.Row):
    """What an article reports of the money behind an activity, over claims and constants."""

    programme = dy.String(description="programme of the catalogue")
    title = dy.String(primary_key=True, min_length=5, description="the activity")
    payer = dy.String(min_length=3, description="who paid, as reported")
    spending = dy.String(description="yuan spent: expression over claims, or what is missing")
    income = dy.String(description="yuan of income it is said to have brought, or what is missing")
    reached = dy.String(description="households reached, or what is missing")
    assumes = dy.String(nullable=True, description="mismatches the row accepts")
    assumption = dy.String(nullable=True, description="the assumption in words")


@dataclass(frozen=True)
class Range:
    """Three values of one quantity, in order.

    Raises
    ------
    ValueError
        If they are not in order.
    """

    low: float
    central: float
    high: float

    def __post_init__(self) -> None:
        if not self.low <= self.central <= self.high:
            raise ValueError(f"not in order: {self.low}, {self.central}, {self.high}")

    def __mul__(self, factor: float) -> Range:
        """Multiply by a number; a negative one turns the range round."""
        ends = sorted((self.low * factor, self.high * factor))
        return Range(ends[0], self.central * factor, ends[1])

    @property
    def interval(self) -> Interval:
        """The ends as the decimals they are written as, not as the nearest binary fraction."""
        return Interval.between(Fraction(str(self.low)), Fraction(str(self.high)))


@dataclass(frozen=True)
class Ranges:
    """Every assumed range.

    Attributes
    ----------
    assumed, unit_costs : polars.DataFrame
        As the files hold them.
    """

    assumed: pl.DataFrame
    unit_costs: pl.DataFrame

    def __getitem__(self, name: str) -> Range:
        """Return a range that is not a cost, by its id."""
        return _range(self.assumed, "id", name)

    def cost(self, programme: str) -> Range | None:
        """Return what a unit of a programme costs, yuan; None where nothing is assumed."""
        if self.unit_costs.filter(pl.col("programme") == programme).is_empty():
            return None
        return _range(self.unit_costs, "programme", programme)

    def unit(self, programme: str) -> str:
        """Return the unit of a programme's cost."""
        frame = self.unit_costs.filter(pl.col("programme") == programme)
        return str(frame["unit"].item())


def _range(frame: pl.DataFrame, column: str, value: str) -> Range:
    row = frame.row(by_predicate=pl.col(column) == value, named=True)
    return Range(row["low"], row["central"], row["high"])


def load(folder: Path | None = None) -> Ranges:
    """Read the ranges.

    Parameters
    ----------
    folder : Path, optional
        Where the files are; ``data/parameters`` of the project by default.

    Raises
    ------
    FaultsError
        With every cell that does not fit, and every cost of an unknown programme.
    """
    folder = folder or paths.data() / "parameters"
    found = Ranges(
        contract.read(folder / "assumed_ranges.csv", Assumed),
        contract.read(folder / "unit_costs.csv", UnitCost),
    )
    raise_if_any(_faults(found.unit_costs, contract.project_name(folder / "unit_costs.csv")))
    return found


def _faults(costs: pl.DataFrame, file: str) -> Iterator[Fault]:
    known = set(programmes.load().programmes.filter(pl.col("is_programme") == "yes")["id"])
    seen: set[str] = set()
    for line, programme in costs.select("line", "programme").iter_rows():
        if programme not in known or programme in seen:
            problem = "unknown programme" if programme not in known else "a second cost"
            yield Fault(
                file,
                problem,
                "write one row for a programme of the catalogue",
                line,
                "programme",
                programme,
            )
        seen.add(programme)


def income_effect(size_range: Range, scale: str, ranges: Ranges) -> Range:
    """Bring a published size to per cent of household income.

    Parameters
    ----------
    size_range : Range
        Per cent, on its scale.
    scale : str
        ``income``: as it is (spending counts as income); ``earnings``: of one person, times the
        assumed part that person earns.
    ranges : Ranges
        For that part.

    Examples
    --------
    >>> income_effect(Range(-2.0, 1.0, 4.0), "income", load())
    Range(low=-2.0, central=1.0, high=4.0)
    """
    if scale == "income":
        return size_range
    part = ranges["earner"]
    ends = [
        end * share for end in (size_range.low, size_range.high) for share in (part.low, part.high)
    ]
    return Range(min(ends), size_range.central * part.central, max(ends))
