"""The tables of the costs page, in words and printed numbers."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

import polars as pl

from analysis import printing
from analysis.claims.intervals import Interval
from analysis.costs.ranges import Range, Ranges
from analysis.costs.reported import Activity
from analysis.costs.value import YEARLY_FUND, Return, break_even
from analysis.studies.comparison import names
from analysis.studies.sizes import Size

YEARS: Final = (1, 3, 5, 10)
"""Years within which a cost is to be paid back."""


def span(value: Range | None, digits: int | None = None) -> str:
    """Print a range: central value, and ends rounded outward.

    Examples
    --------
    >>> span(Range(800, 2000, 5000)), span(Range(5, 5, 5)), span(None)
    ('2,000 (800 to 5,000)', '5', '')
    """
    if value is None:
        return ""
    middle = printing.number(value.central, digits)
    if value.low == value.high:
        return middle
    return f"{middle} ({printing.interval(value.interval, digits)})"


def _interval(value: Interval | None, digits: int | None = None) -> str:
    return "not reported" if value is None else printing.interval(value, digits)


def reported_table(found: Iterable[Activity]) -> pl.DataFrame:
    """Return each activity with what is reported of its money.

    Returns
    -------
    polars.DataFrame
        programme (name), title, payer, spending and income (yuan, nominal), reached (households),
        per_household (yuan), per_yuan (or what stands in the way), assumption.
    """
    called = dict(names().iter_rows())
    return pl.DataFrame(
        [
            {
                "programme": called[one.programme],
                "title": one.title,
                "payer": one.payer,
                "spending": _interval(one.spending, 0),
                "income": _interval(one.income, 0),
                "reached": _interval(one.reached, 0),
                "per_household": _interval(one.per_household, 0),
                "per_yuan": "not computable: " + "; ".join(one.lacking)
                if one.lacking
                else _interval(one.per_yuan, 2),
                "assumption": one.assumption,
            }
            for one in found
        ]
    )


def returns_table(found: Iterable[Return]) -> pl.DataFrame:
    """Return what a yuan would bring, by programme.

    Returns
    -------
    polars.DataFrame
        name, cost (yuan for each household), effect (per cent of household income), range (all
        combinations of ends), median and drawn (of the draws), note (why there is none, or
        what reports no effect), and the numbers themselves: low, draws_low, middle, draws_high,
        high.
    """
    rows = []
    for one in found:
        result = one.per_yuan
        rows.append(
            {
                "name": one.name,
                "cost": _cost(one),
                "effect": span(one.effect, 1),
                "range": printing.interval(result.interval, 1) if result else "not computed",
                "median": printing.number(result.median, 1) if result else "",
                "drawn": printing.interval(result.drawn, 1) if result else "",
                "note": one.why or _note(one.size),
                "low": result.low if result else None,
                "draws_low": result.draws_low if result else None,
                "middle": result.median if result else None,
                "draws_high": result.draws_high if result else None,
                "high": result.high if result else None,
            }
        )
    return pl.DataFrame(rows)


def _cost(one: Return) -> str:
    """Print a cost for each household; the yearly fund's is reported."""
    text = span(one.cost, 0)
    return f"{text} a year, amount as reported" if one.programme == YEARLY_FUND else text


def _note(size: Size) -> str:
    """Say what a published size rests on and leaves out."""
    said = f"{size.basis}, {size.n} estimate{'s' if size.n > 1 else ''}"
    said = size.basis if size.n == 1 else said
    if size.scale == "earnings":
        said += "; earnings of one person, times the assumed part of household income"
    if size.unseen_null:
        said += f"; {size.unseen_null} more without effect and without a number"
    return said


def break_even_table(found: Iterable[Return], income: Range, ranges: Ranges) -> pl.DataFrame:
    """Return the yearly effect on a household that pays a cost back, by years.

    Returns
    -------
    polars.DataFrame
        name, cost, one column for each of `YEARS` (yuan a year for each household), percent (of
        household income, at five years), published (per cent). Only programmes with a cost.
    """
    rows = []
    for one in found:
        if one.cost is None:
            continue
        yearly = one.programme == YEARLY_FUND
        needed = {n: one.cost if yearly else break_even(one.cost, n, ranges) for n in YEARS}
        five = needed[5]
        percent = Range(
            100 * five.low / income.high,
            100 * five.central / income.central,
            100 * five.high / income.low,
        )
        rows.append(
            {
                "name": f"{one.name} (paid every year)" if yearly else one.name,
                "cost": _cost(one),
                **{f"years_{n}": span(value, 0) for n, value in needed.items()},
                "percent": span(percent, 1),
                "published": span(one.effect, 1) or "no number",
            }
        )
    return pl.DataFrame(rows)


def payers_table(found: Iterable[Activity], ranges: Ranges) -> pl.DataFrame:
    """Return who pays: as reported, and as assumed for the costs of this page."""
    activities = list(found)
    rows = []
    for programme, name in names().iter_rows():
        said = {one.payer for one in activities if one.programme == programme}
        costs = ranges.unit_costs.filter(pl.col("programme") == programme)
        assumed, what = "no cost assumed", ""
        if costs.height:
            assumed, what = costs["payer"].item(), costs["what"].item()
        elif programme == YEARLY_FUND:
            assumed = "as reported"
            what = "the fund as reported, over the assumed households of a village"
        rows.append(
            {
                "name": name,
                "reported": "; ".join(sorted(said)) or "nothing is reported",
                "assumed": assumed,
                "for": what,
            }
        )
    return pl.DataFrame(rows)


def assumptions_table(ranges: Ranges) -> pl.DataFrame:
    """Return every assumed range with unit, year, source and status."""
    columns = ["what", "low", "central", "high", "unit", "year", "source", "status"]
    both = pl.concat([ranges.unit_costs.select(columns), ranges.assumed.select(columns)])
    return both.with_columns(
        pl.col("low", "central", "high").map_elements(printing.number, pl.String),
        pl.col("unit").map_elements(_unit, pl.String),
        pl.col("year").cast(pl.String),
    )


def _unit(text: str) -> str:
    words = {"share": "share", "share/years": "share a year", "yuan/yuan": "yuan for each yuan"}
    return words.get(text) or printing.unit(text)


def undecided(found: Iterable[Return]) -> tuple[int, int]:
    """Return how many programmes have a result, and for how many it lies on both sides of one."""
    results = [one.per_yuan for one in found if one.per_yuan is not None]
    return len(results), sum(result.low < 1 < result.high for result in results)
