"""Prices of a panel: the index of its place and currency, and what it brings to another year."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fractions import Fraction

from analysis import money
from analysis.faults import Fault, FaultsError
from analysis.panels.calendar import label, year_of
from analysis.panels.panel import Panel


@dataclass(frozen=True)
class Prices:
    """In which prices the amounts of a panel are, and how to bring them to others.

    Attributes
    ----------
    index : str or mapping of int to str
        A series of ``prices.csv``, or index by year; empty: none is known.
    price_year : int or None
        Year whose prices all amounts are in; None: those of each period.
    calendar : str
        What a period is.
    """

    index: str | Mapping[int, str] = ""
    price_year: int | None = None
    calendar: str = "year"

    @classmethod
    def of(cls, panel: Panel, series: str = "") -> Prices:
        """Return the prices of a panel, by a series in place of its own if one is named."""
        return cls(series or panel.prices, panel.price_year, panel.calendar)

    def year(self, period: int) -> int | None:
        """Return the year whose prices the amounts of a period are in; None if it is not known."""
        return self.price_year or year_of(self.calendar, period)

    def factor(self, period: int, real: int) -> Fraction:
        """Return what brings an amount of the period to the prices of a year.

        Raises
        ------
        FaultsError
            If the index lacks a year.

        Examples
        --------
        >>> Prices({2019: "100", 2020: "102.5"}).factor(2019, 2020)
        Fraction(41, 40)
        """
        year = self.year(period)
        if isinstance(self.index, str):
            if not self.index or year is None:
                raise _unknown(label(self.calendar, period))
            return money.load().factor(real, year, self.index)
        lacking = [str(y) for y in (year, real) if y not in self.index]
        if lacking or year is None:
            raise _unknown(", ".join(lacking) or label(self.calendar, period))
        return Fraction(self.index[real]) / Fraction(self.index[year])

    def lacking(self, periods: Iterable[int], real: int) -> str:
        """Return why the amounts of these periods cannot be brought to a year; empty if they can.

        Examples
        --------
        >>> Prices({2020: "100"}).lacking((2019, 2020), 2020)
        'no price index for 2019'
        """
        without = []
        for period in periods:
            try:
                self.factor(period, real)
            except FaultsError:
                without.append(label(self.calendar, period))
        if not self.index:
            return "the panel names no price index"
        return f"no price index for {', '.join(without)}" if without else ""


def _unknown(year: str) -> FaultsError:
    remedy = "name one in the map: prices = { index = { 2019 = 100, 2020 = 102.5 } }"
    return FaultsError([Fault("panel.json", "no price index", remedy, column="prices", value=year)])
