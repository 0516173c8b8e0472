"""Spending and income of each activity, as far as the articles report them, and who paid.

Nothing is assumed: where income for a yuan spent cannot be computed, the number that nobody reports
is named.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import dataframely as dy

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
from analysis.faults import Fault, raise_if_any

MONEY = (Unit.parse("yuan"), Unit.parse("yuan/years"))
HOUSEHOLDS = Unit.parse("households")
FILE = "spending.csv"


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
class Activity:
    """An activity with the money the articles report of it.

    Attributes
    ----------
    programme, title, payer, assumption : str
        As in ``spending.csv``.
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
    """Evaluate every row of ``spending.csv``, in file order.

    Parameters
    ----------
    ledger : Ledger
        The claims.
    folder : Path, optional
        Where the file is; ``data/claims`` of the project by default.

    Raises
    ------
    FaultsError
        With every expression that is not of the grammar, names something unknown, or is not in
        yuan or households.
    """
    path = (folder or paths.data() / "claims") / FILE
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
        unknown = [line for line in names(expression) if line not in ledger.operands]
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
