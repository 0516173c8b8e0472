"""Money: fen and yuan, prices of a year, poverty lines.

Incomes are whole fen (a hundredth of a yuan), so their sums are the same on every machine and in
every order. A poverty line is brought to the prices of a period once, and rounded to a whole fen
once; incomes are compared with it as they stand.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from fractions import Fraction
from functools import cache
from pathlib import Path

import dataframely as dy
import polars as pl

from analysis import contract, paths
from analysis.faults import Fault, raise_if_any

FEN_PER_YUAN = 100
STATUSES = ["found", "from_memory", "derived", "assumption"]
WEAKER = ("found", "derived", "from_memory", "assumption")
"""The same words, each less certain than the one before."""
PRICE_INDEX = "tibet_cpi"
"""Consumer prices of Tibet, urban and rural together."""
HUNDREDTH = "0.01 "
"""Stands before a currency in a unit of money; a hundredth of a yuan is a fen."""
DECIMAL = r"^-?\d+(\.\d+)?$"


def weakest(statuses: Iterable[str]) -> str:
    """Return the least certain of several statuses: what is made of all of them is no better.

    Examples
    --------
    >>> weakest(["found", "from_memory", "derived"])
    'from_memory'
    """
    return max(statuses, key=WEAKER.index)


class Prices(contract.Row):
    """Consumer prices of a year over those of the year before."""

    series = dy.String(primary_key=True, description="name of the price index")
    year = dy.Int64(primary_key=True, min=1978, max=2100, description="calendar year")
    change = dy.String(regex=DECIMAL, description="change over the year before")
    unit = dy.Enum(["percent"], description="unit of the change")
    source = dy.String(description="who published it")
    address = dy.String(nullable=True, description="where it was found")
    status = dy.Enum(STATUSES, description="found in a document, from memory, or assumed")


class PovertyLines(contract.Row):
    """A published poverty line in current prices of a year."""

    line_name = dy.String(primary_key=True, description="name of the line")
    year = dy.Int64(primary_key=True, min=1978, max=2100, description="year whose prices it is in")
    value = dy.String(regex=DECIMAL, description="the line")
    unit = dy.Enum(["yuan/persons/years"], description="its unit")
    definition = dy.String(description="what the line is")
    source = dy.String(description="who published it")
    address = dy.String(nullable=True, description="where it was found")
    status = dy.Enum(STATUSES, description="found in a document, from memory, or assumed")


@dataclass(frozen=True)
class Money:
    """Price indices and poverty lines.

    Attributes
    ----------
    changes : dict of (str, int) to Fraction
        Price index and year to prices over those of the year before (1.02 for two per cent).
    lines : dict of (str, int) to Fraction
        Line and year to yuan per person a year in the prices of that year, as published.
    status : dict of (str, int) to str
        How well each published line is verified.
    change_status : dict of (str, int) to str
        How well each price change is verified.
    """

    changes: dict[tuple[str, int], Fraction]
    lines: dict[tuple[str, int], Fraction]
    status: dict[tuple[str, int], str]
    change_status: dict[tuple[str, int], str] = field(default_factory=dict)

    def factor(self, year: int, base: int, series: str = PRICE_INDEX) -> Fraction:
        """Return prices of `year` over prices of `base`, exactly.

        Raises
        ------
        FaultsError
            If a year between the two has no price change.

        Examples
        --------
        >>> money = Money({("cpi", 2020): Fraction(102, 100), ("cpi", 2021): Fraction(110, 100)},
        ...               {}, {})
        >>> float(money.factor(2021, 2019, "cpi")), float(money.factor(2019, 2020, "cpi"))
        (1.122, 0.9803921568627451)
        """
        first, last = sorted((year, base))
        wanted = range(first + 1, last + 1)
        raise_if_any(
            Fault(
                "data/parameters/prices.csv",
                "no price change for this year",
                f"add a row for {series} {missing}",
                column="year",
                value=str(missing),
            )
            for missing in wanted
            if (series, missing) not in self.changes
        )
        product = Fraction(1)
        for between in wanted:
            product *= self.changes[series, between]
        return product if year >= base else 1 / product

    def line_fen(self, name: str, period: int, series: str = PRICE_INDEX) -> int:
        """Return a poverty line in nominal fen per person in the prices of a period.

        As published for that year; otherwise the published line of the nearest year (the earlier
        of two) carried over by the price index, rounded once, half to even.

        Raises
        ------
        FaultsError
            If there is no such line, or no price change on the way.

        Examples
        --------
        >>> money = Money({("cpi", 2011): Fraction(105, 100)}, {("low", 2010): Fraction(2300)}, {})
        >>> money.line_fen("low", 2010), money.line_fen("low", 2011, "cpi")
        (230000, 241500)
        """
        nearest = self._nearest(name, period)
        factor = Fraction(1) if nearest == period else self.factor(period, nearest, series)
        return round(self.lines[name, nearest] * factor * FEN_PER_YUAN)

    def line_status(self, name: str, period: int, series: str = PRICE_INDEX) -> str:
        """Return how well a poverty line in the prices of a period is verified.

        A line carried over is derived at best, and no better than the published line and the
        price changes it comes from.

        Examples
        --------
        >>> money = Money({}, {("low", 2010): Fraction(2300)}, {("low", 2010): "found"},
        ...               {("cpi", 2011): "found", ("cpi", 2012): "from_memory"})
        >>> [money.line_status("low", year, "cpi") for year in (2010, 2011, 2012)]
        ['found', 'derived', 'from_memory']
        """
        nearest = self._nearest(name, period)
        if nearest == period:
            return self.status[name, period]
        first, last = sorted((nearest, period))
        changes = [self.change_status[series, year] for year in range(first + 1, last + 1)]
        return weakest(["derived", self.status[name, nearest], *changes])

    def _nearest(self, name: str, period: int) -> int:
        """Return the year nearest to a period in which a line was published, the earlier of two."""
        years = [year for line, year in self.lines if line == name]
        raise_if_any(
            []
            if years
            else [
                Fault(
                    "data/parameters/poverty_lines.csv",
                    "no such poverty line",
                    "use a line_name of that file",
                    value=name,
                )
            ]
        )
        return min(years, key=lambda year: (abs(year - period), year))

    def line_names(self) -> tuple[str, ...]:
        """Return the names of the lines, in file order."""
        return tuple(dict.fromkeys(name for name, _ in self.lines))

    def line_table(
        self, periods: tuple[int, int], *, series: str = PRICE_INDEX, names: tuple[str, ...] = ()
    ) -> pl.DataFrame:
        """Return each line in each period: line_name, period, line_fen (per person), status.

        Parameters
        ----------
        periods : tuple of int
            First and last period.
        series : str
            Price index that carries a line to years in which it was not published.
        names : tuple of str
            Lines to keep; all if empty.
        """
        return pl.DataFrame(
            [
                {
                    "line_name": name,
                    "period": period,
                    "line_fen": self.line_fen(name, period, series),
                    "status": self.line_status(name, period, series),
                }
                for name in names or self.line_names()
                for period in range(periods[0], periods[1] + 1)
            ],
            schema={
                "line_name": pl.String,
                "period": pl.Int32,
                "line_fen": pl.Int64,
                "status": pl.String,
            },
        )

    def to_real(
        self,
        frame: pl.LazyFrame,
        columns: tuple[str, ...],
        base: int,
        periods: tuple[int, int],
        series: str = PRICE_INDEX,
    ) -> pl.LazyFrame:
        """Bring fen columns to the prices of a base year; each is rounded to a whole fen.

        Add up after, not before: the rounded sources then add up to the total exactly.

        Parameters
        ----------
        frame : polars.LazyFrame
            With `period` and the columns, Int64 fen in the prices of each period.
        columns : tuple of str
            Columns to convert.
        base : int
            Year whose prices the result is in.
        periods : tuple of int
            First and last period in the frame.
        series : str
            Price index.
        """
        years = range(periods[0], periods[1] + 1)
        factor = pl.col("period").replace_strict(
            {year: float(self.factor(base, year, series)) for year in years},
            return_dtype=pl.Float64,
        )
        return frame.with_columns(
            (pl.col(name) * factor).round(mode="half_to_even").cast(pl.Int64) for name in columns
        )


@cache
def load(folder: Path | None = None) -> Money:
    """Read prices and poverty lines.

    Parameters
    ----------
    folder : Path, optional
        Where the files are; ``data/parameters`` of the project by default.

    Raises
    ------
    FaultsError
        With every cell that does not fit.
    """
    folder = folder or paths.data() / "parameters"
    prices = contract.read(folder / "prices.csv", Prices)
    lines = contract.read(folder / "poverty_lines.csv", PovertyLines)
    return Money(
        {
            (row["series"], row["year"]): 1 + Fraction(row["change"]) / 100
            for row in prices.iter_rows(named=True)
        },
        {
            (row["line_name"], row["year"]): Fraction(row["value"])
            for row in lines.iter_rows(named=True)
        },
        {(row["line_name"], row["year"]): row["status"] for row in lines.iter_rows(named=True)},
        {(row["series"], row["year"]): row["status"] for row in prices.iter_rows(named=True)},
    )


def main_unit(unit: str) -> str:
    """Return the unit of money in place of its hundredth; any other unit as it is.

    Examples
    --------
    >>> main_unit("fen/households/years"), main_unit("0.01 dollars/heads/years"), main_unit("hours")
    ('yuan/households/years', 'dollars/heads/years', 'hours')
    """
    if unit.startswith("fen/"):
        return unit.replace("fen/", "yuan/", 1)
    return unit.removeprefix(HUNDREDTH)


def is_in_hundredths(unit: str) -> bool:
    """Say whether a unit is a hundredth of a currency."""
    return main_unit(unit) != unit
