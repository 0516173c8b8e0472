"""Income per yuan spent, as far as the articles report both: interval arithmetic, nothing assumed.

What stands in the way is named: the number that nobody reports.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from analysis import contract, paths
from analysis.claims.expressions import (
    ExpressionError,
    NotComputableError,
    check_fit,
    evaluate,
    missing,
    names,
    parse,
)
from analysis.claims.intervals import Interval
from analysis.claims.ledger import Ledger
from analysis.claims.units import Unit
from analysis.costs.ranges import Range, Ranges, Spending
from analysis.faults import Fault, raise_if_any

MONEY = (Unit.parse("yuan"), Unit.parse("yuan/years"))
HOUSEHOLDS = Unit.parse("households")


@dataclass(frozen=True)
class Activity:
    """An activity with the money the articles report of it.

    Attributes
    ----------
    programme, title, payer, assumption : str
        As in ``reported_spending.csv``.
    spending, income : Interval or None
        Yuan, or yuan a year, nominal; None where not reported.
    reached : Interval or None
        Households.
    per_household : Interval or None
        Spending for each household reached.
    per_yuan : Interval or None
        Income for each yuan spent.
    lacking : tuple of str
        What would have to be reported for `per_yuan`.
    claims : tuple of str
        What the numbers are made of.
    """

    programme: str
    title: str
    payer: str
    assumption: str
    spending: Interval | None
    income: Interval | None
    reached: Interval | None
    per_household: Interval | None
    per_yuan: Interval | None
    lacking: tuple[str, ...]
    claims: tuple[str, ...]


def activities(ledger: Ledger, folder: Path | None = None) -> tuple[Activity, ...]:
    """Evaluate every row of ``reported_spending.csv``, in file order.

    Parameters
    ----------
    ledger : Ledger
        The claims.
    folder : Path, optional
        Where the file is; ``data/parameters`` of the project by default.

    Raises
    ------
    FaultsError
        With every expression that is not of the grammar, names something unknown, or is not in
        yuan or households.
    """
    path = (folder or paths.data() / "parameters") / "reported_spending.csv"
    file = contract.project_name(path)
    outcomes = [
        _activity(row, ledger, file) for row in contract.read(path, Spending).iter_rows(named=True)
    ]
    raise_if_any(outcome for outcome in outcomes if isinstance(outcome, Fault))
    return tuple(outcome for outcome in outcomes if isinstance(outcome, Activity))


def _activity(row: dict[str, str | int], ledger: Ledger, file: str) -> Activity | Fault:
    assumes = frozenset(str(row["assumes"] or "").split(";"))
    texts = {name: str(row[name]) for name in ("spending", "income", "reached")}
    values: dict[str, Interval | None] = {}
    lacking: list[str] = []
    claims: list[str] = []

    def fault(column: str, problem: str) -> Fault:
        return Fault(
            file,
            problem,
            "see the grammar in claims/expressions.py",
            int(row["line"]),
            column,
            texts[column],
        )

    for name, text in texts.items():
        try:
            expression = parse(text)
        except ExpressionError as error:
            return fault(name, str(error))
        unknown = [one for one in names(expression) if one not in ledger.operands]
        if unknown or expression.comparison:
            return fault(name, f"unknown {', '.join(unknown)}" if unknown else "a comparison")
        absent = missing(expression)
        values[name] = None
        if absent:
            lacking += absent if name != "reached" else []
            continue
        try:
            unit = check_fit(expression, ledger.operands, assumes).unit
            if unit not in (MONEY if name != "reached" else (HOUSEHOLDS,)):
                return fault(name, f"it is in {unit}")
            values[name] = evaluate(expression, ledger.operands)
        except NotComputableError as error:
            return fault(name, str(error))
        claims += names(expression)

    def ratio(top: str, under: str) -> Interval | None:
        if values[top] is None or values[under] is None:
            return None
        return evaluate(parse(f"({texts[top]}) / ({texts[under]})"), ledger.operands)

    return Activity(
        programme=str(row["programme"]),
        title=str(row["title"]),
        payer=str(row["payer"]),
        assumption=str(row["assumption"] or ""),
        spending=values["spending"],
        income=values["income"],
        reached=values["reached"],
        per_household=ratio("spending", "reached"),
        per_yuan=ratio("income", "spending"),
        lacking=tuple(lacking),
        claims=tuple(dict.fromkeys(claims)),
    )


@dataclass(frozen=True)
class Reporting:
    """How many activities report what."""

    activities: int
    spending: int
    income: int
    both: int


def reporting(found: Iterable[Activity]) -> Reporting:
    """Count the activities whose spending, income, or both are reported."""
    rows = list(found)
    return Reporting(
        len(rows),
        sum(one.spending is not None for one in rows),
        sum(one.income is not None for one in rows),
        sum(one.per_yuan is not None for one in rows),
    )


INCOME_YEAR = 2019
"""Year of the official income that per cents are turned into yuan with."""
OFFICIAL = "O_rural_tibet_2019"


def household_income(ledger: Ledger) -> Range:
    """Return the yearly income that stands for a household's: yuan, nominal, of `INCOME_YEAR`.

    Official rural disposable income per head of Tibet, times the members of a household: of Cai
    Village (low), of the assigned households of Ngari (central) and of Guoqing Village (high). An
    average per head over all of Tibet is no household's income; it gives the scale.
    """
    per_head = ledger.official.row(by_predicate=pl.col("id") == OFFICIAL, named=True)["value"]
    sizes = [
        evaluate(parse(text), ledger.operands).low.value
        for text in ("S3_028 / S3_027", "S0_065 / S0_064", "S3_002 / S3_001")
    ]
    low, central, high = (float(size) * float(per_head) for size in sizes if size is not None)
    return Range(low, central, high)


FUND = "S4_011"
"""The claim of the yearly fund of every village."""


def fund_per_household(ledger: Ledger, ranges: Ranges) -> Range:
    """Return the yearly village fund for each household of a village, yuan.

    The amount as printed, its last digit rounded or cut, over the assumed households of a village.
    """
    printed = ledger.operands[FUND].interval
    homes = ranges["village_households"]
    row = ledger.claims.row(by_predicate=pl.col("id") == FUND, named=True)
    assert printed.low.value is not None  # noqa: S101 — the amount is printed without "more than"
    assert printed.high.value is not None  # noqa: S101
    return Range(
        float(printed.low.value) / homes.high,
        float(row["value"]) / homes.central,
        float(printed.high.value) / homes.low,
    )
