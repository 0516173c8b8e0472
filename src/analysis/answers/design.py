"""The design in which a programme's effect is looked for, fitted to what a panel has."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import polars as pl

from analysis import money, programmes
from analysis.answers import choices
from analysis.answers.missing import Missing
from analysis.cells.design import CellsDesign
from analysis.cells.outcomes import Outcome, headcount, standard
from analysis.effects.declared import WHERE
from analysis.effects.group_time import Comparison
from analysis.faults import FaultsError
from analysis.panels import views
from analysis.panels.panel import Panel
from analysis.panels.schemas import SOURCES

TOTAL: Final = "total"
PER_HEAD: Final = "total_per_head"
NOMINAL: Final = "total_nominal"
POOR: Final = "poor"
SHOWN: Final = (TOTAL, *SOURCES)
"""Outcomes of the figures: the total, then what it is made of."""


@dataclass(frozen=True)
class Design:
    """How the effect of one programme is estimated on one panel.

    Attributes
    ----------
    programme, level : str
        What was given, and to whom: ``household`` or ``village``.
    cells : CellsDesign
        The sums that are made.
    comparison : Comparison
        Who is compared with whom; universal base, so that leads are a path.
    money : str
        What the money is called, such as ``yuan``.
    prices : str
        Whose prices, such as ``prices of 2020``.
    price_year : int or None
        None: prices of each period.
    periods : tuple of int
        Periods with complete incomes.
    why : str
        Reasons for the design.
    """

    programme: str
    level: str
    cells: CellsDesign
    comparison: Comparison
    money: str
    prices: str
    price_year: int | None
    periods: tuple[int, ...]
    why: str

    @property
    def unit(self) -> str:
        """Unit of an effect per household, in words."""
        return f"{self.money} per household a year, {self.prices}"


def design_of(panel: Panel, programme: str) -> Design | Missing:
    """Return the design of a programme for a panel, or why the panel cannot have one.

    Parameters
    ----------
    panel : Panel
        Any panel.
    programme : str
        An id of the catalogue with a row in ``designs.csv``.

    Raises
    ------
    KeyError
        If the catalogue has no design for the programme.
    """
    designs = programmes.load().designs.filter(pl.col("programme") == programme)
    if designs.is_empty():
        raise KeyError(f"no design for {programme} in data/programmes/designs.csv")
    row = designs.row(0, named=True)
    levels = _levels(panel, programme)
    if not levels:
        return Missing("nobody in this panel is recorded in the programme")
    periods = _periods(panel)
    if len(periods) < 2:
        count = "no period" if not periods else "one period"
        return Missing(
            f"the panel has {count} in which all four sources of income are known, "
            "and a change needs two"
        )
    level = "village" if "village" in levels and len(levels) > 1 else levels[0]
    real = _price_year(panel, periods)
    anticipation = int(row["anticipation"])
    return Design(
        programme=programme,
        level=level,
        cells=CellsDesign(
            (programme,),
            level=level,  # type: ignore[arg-type]
            outcomes=outcomes(real, yuan=panel.currency_unit == views.FEN, periods=periods),
            handling=row["handling"],
            stratum=row["stratum"],
            anticipation=anticipation,
        ),
        comparison=Comparison(
            controls=row["controls"],
            where=WHERE[row["villages"]],  # type: ignore[arg-type]
            base="universal",
            anticipation=anticipation,
        ),
        money=views.money_words(panel),
        prices=_prices(real, panel.price_year),
        price_year=real if real is not None else panel.price_year,
        periods=periods,
        why=row["why"],
    )


def outcomes(real: int | None, *, yuan: bool, periods: tuple[int, ...]) -> tuple[Outcome, ...]:
    """Return the total and its sources, per household and per head, and the headcount.

    The headcount is there only for incomes in yuan of years with a poverty line.

    Examples
    --------
    >>> [outcome.name for outcome in outcomes(None, yuan=False, periods=(2012, 2013))]
    ['wage', 'business', 'property', 'transfer', 'total', 'total_per_head', 'total_nominal']
    """
    made = [
        *standard(real),
        Outcome(PER_HEAD, source="total", per="head", real=real),
        Outcome(NOMINAL, source="total"),
    ]
    line = choices.load().poverty_line
    if yuan and _known(lambda: [money.load().line_fen(line, period) for period in periods]):
        made.append(Outcome(POOR, transform=headcount(line)))
    return tuple(made)


def _levels(panel: Panel, programme: str) -> list[str]:
    rows = panel.participation.filter(pl.col("programme") == programme)
    levels = rows.select(pl.col("unit_level").cast(pl.String)).unique().collect()
    return sorted(levels["unit_level"].to_list())


def _periods(panel: Panel) -> tuple[int, ...]:
    seen = panel.income.filter("complete").select("period").unique().collect()
    return tuple(sorted(seen["period"].to_list()))


def _price_year(panel: Panel, periods: tuple[int, ...]) -> int | None:
    """Return the year whose prices incomes can be brought to; None where no index covers them."""
    if panel.currency_unit != views.FEN:
        return None
    year = choices.load().price_year
    there = money.load()
    ends = (periods[0], periods[-1]) if panel.price_year is None else (panel.price_year,)
    return year if _known(lambda: [there.factor(end, year) for end in ends]) else None


def _known(look: Callable[[], object]) -> bool:
    try:
        look()
    except FaultsError:
        return False
    return True


def _prices(real: int | None, price_year: int | None) -> str:
    year = real if real is not None else price_year
    return "prices of each year" if year is None else f"prices of {year}"
