"""Verdicts on every arithmetic relation among the claims, computed and never typed.

A relation has a role. An *identity* or *bound* tests the source; a failed *hypothesis* rejects a
reading and says nothing against the source; a *derived* quantity is a number nobody printed. What
cannot be computed says which operand is missing or does not fit.

Identities and bounds are judged on what was printed, as they test it; readings and derived
quantities take each claim as narrow as its article makes it (`narrowing`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from fractions import Fraction

from analysis import contract, paths
from analysis.claims.expressions import (
    Expression,
    ExpressionError,
    NotComputableError,
    Operand,
    check_fit,
    evaluate,
    names,
    parse,
    uses_distinct,
)
from analysis.claims.intervals import Interval
from analysis.claims.ledger import Ledger
from analysis.claims.narrowing import CONSTRAINING, narrowed_operands
from analysis.claims.units import Unit
from analysis.faults import Fault, raise_if_any

VERDICTS = (
    "consistent",
    "borderline",
    "inconsistent",  # an equality
    "certain",
    "possible",
    "impossible",  # a bound
    "reading stands",
    "reading open",
    "reading rejected",  # a hypothesis
    "bounded",
    "one-sided",  # a derived quantity
    "not computable",
)
OF_EQUALITY = {
    "consistent": "reading stands",
    "borderline": "reading open",
    "inconsistent": "reading rejected",
}
OF_BOUND = {
    "certain": "reading stands",
    "possible": "reading open",
    "impossible": "reading rejected",
}


@dataclass(frozen=True)
class Verdict:
    """What the arithmetic says of one relation.

    Attributes
    ----------
    id, role, programme, question, expression, assumption : str
        As in ``relations.csv``.
    verdict : str
        One of `VERDICTS`.
    interval : Interval or None
        Range of the quantity, or of left minus right for a comparison; None if not computable.
    left, right : Interval or None
        The two sides of a comparison, each on its own.
    unit : str
        Unit of the interval.
    reason : str
        Why it is not computable; empty otherwise.
    claims : tuple of str
        Claims, official figures and constants used.
    narrowed : tuple of str
        Those of them that were taken narrower than printed.
    """

    id: str
    role: str
    programme: str
    question: str
    expression: str
    assumption: str
    verdict: str
    interval: Interval | None
    left: Interval | None
    right: Interval | None
    unit: str
    reason: str
    claims: tuple[str, ...]
    narrowed: tuple[str, ...] = ()


def judge(ledger: Ledger) -> tuple[Verdict, ...]:
    """Evaluate every relation of the ledger, in file order.

    Raises
    ------
    FaultsError
        With every row whose expression is not of the grammar, names something unknown, compares
        where it should not, declares another unit than it has, or assumes without saying what.
    """
    expressions = {
        row["id"]: _parsed(row, ledger) for row in ledger.relations.iter_rows(named=True)
    }
    raise_if_any(fault for fault in expressions.values() if isinstance(fault, Fault))
    parsed = {name: e for name, e in expressions.items() if isinstance(e, Expression)}
    narrower = narrowed_operands(ledger)
    outcomes = [
        _judge(row, parsed[row["id"]], ledger.operands, narrower)
        for row in ledger.relations.iter_rows(named=True)
    ]
    raise_if_any(outcome for outcome in outcomes if isinstance(outcome, Fault))
    return tuple(outcome for outcome in outcomes if isinstance(outcome, Verdict))


def _fault(row: Mapping[str, object], column: str, problem: str, remedy: str) -> Fault:
    line = row["line"]
    file = contract.project_name(paths.data() / "claims" / "relations.csv")
    return Fault(
        file, problem, remedy, line if isinstance(line, int) else None, column, str(row[column])
    )


def _parsed(row: Mapping[str, object], ledger: Ledger) -> Expression | Fault:
    try:
        expression = parse(str(row["expression"]))
    except ExpressionError as error:
        return _fault(row, "expression", str(error), "see the grammar in claims/expressions.py")
    unknown = [name for name in names(expression) if name not in ledger.operands]
    if unknown:
        return _fault(
            row,
            "expression",
            f"unknown {', '.join(unknown)}",
            "use ids of claims.csv, official.csv or constants.csv",
        )
    if bool(expression.comparison) == (row["role"] == "derived"):
        return _fault(
            row,
            "role",
            "a derived quantity has no comparison, every other role has one",
            "change the role or the expression",
        )
    if uses_distinct(expression) and not row["assumption"]:
        return _fault(
            row,
            "expression",
            "distinct() reads person-times as persons",
            "say so in the assumption",
        )
    return expression


def _judge(
    row: Mapping[str, object],
    expression: Expression,
    printed: Mapping[str, Operand],
    narrower: Mapping[str, Operand],
) -> Verdict | Fault:
    operands = printed if row["role"] in CONSTRAINING else narrower
    used = tuple(names(expression))
    assumes = frozenset(str(row["assumes"] or "").split(";")) - {""}
    unit, reason = "", ""
    interval = left = right = None
    try:
        unit = str(check_fit(expression, operands, assumes).unit)
        interval = evaluate(expression, operands)
        if expression.right is not None:
            left = evaluate(Expression(expression.text, "", expression.left, None), operands)
            right = evaluate(Expression(expression.text, "", expression.right, None), operands)
    except NotComputableError as error:
        reason = str(error)
    declared = Unit.parse(str(row["unit"] or ""))
    if row["role"] == "derived" and not reason and declared != Unit.parse(unit):
        return _fault(row, "unit", f"the expression is in {unit}", "declare that unit")
    return Verdict(
        id=str(row["id"]),
        role=str(row["role"]),
        programme=str(row["programme"]),
        question=str(row["question"]),
        expression=expression.text,
        assumption=str(row["assumption"] or ""),
        verdict=_verdict(str(row["role"]), expression, interval, operands),
        interval=interval,
        left=left,
        right=right,
        unit=str(row["unit"] or unit),
        reason=reason,
        claims=used,
        narrowed=tuple(n for n in used if operands[n].interval != printed[n].interval),
    )


def _verdict(
    role: str, expression: Expression, interval: Interval | None, operands: Mapping[str, Operand]
) -> str:
    if interval is None:
        return "not computable"
    if role == "derived":
        return "bounded" if interval.is_bounded else "one-sided"
    if expression.comparison == "==":
        verdict = equality(interval, _as_printed(expression, operands))
        return OF_EQUALITY[verdict] if role == "hypothesis" else verdict
    verdict = order(interval, expression.comparison)
    return OF_BOUND[verdict] if role == "hypothesis" else verdict


def equality(difference: Interval, printed_only: Interval | None) -> str:
    """Judge left == right from the range of their difference.

    Parameters
    ----------
    difference : Interval
        Range of left minus right.
    printed_only : Interval or None
        The same with every assumed end drawn back to the printed number; None if that is empty.

    Returns
    -------
    str
        ``inconsistent`` if zero lies outside; ``borderline`` if it lies inside only through an
        unbounded side or an assumption; else ``consistent``.

    Examples
    --------
    >>> equality(Interval.point(0), Interval.point(0))
    'consistent'
    >>> equality(Interval.more_than(-5), Interval.more_than(-5))
    'borderline'
    """
    if not difference.holds(0):
        return "inconsistent"
    if not difference.is_bounded or printed_only is None or not printed_only.holds(0):
        return "borderline"
    return "consistent"


def order(difference: Interval, comparison: str) -> str:
    """Judge left <= right (or <, >=, >) from the range of left minus right.

    An end that rests on an assumption never makes a bound certain or impossible.

    Examples
    --------
    >>> order(Interval.between(-3, 0), "<="), order(Interval.between(-3, 0), "<")
    ('certain', 'possible')
    >>> order(Interval.more_than(2), "<=")
    'impossible'
    """
    if comparison in (">=", ">"):
        return order(-difference, {">=": "<=", ">": "<"}[comparison])
    low, high = difference.low, difference.high
    strict = comparison == "<"
    if high.value is not None and not high.assumed:
        below = high.value < 0 or (high.value == 0 and (high.is_open or not strict))
        if below:
            return "certain"
    if low.value is not None and not low.assumed:
        above = low.value > 0 or (low.value == 0 and (low.is_open or strict))
        if above:
            return "impossible"
    return "possible"


def _as_printed(expression: Expression, operands: Mapping[str, Operand]) -> Interval | None:
    """Range left minus right with every assumed end drawn back to the number printed."""
    drawn = {name: replace(o, interval=_draw_back(o.interval)) for name, o in operands.items()}
    try:
        return evaluate(expression, drawn)
    except NotComputableError:
        return None


def _draw_back(interval: Interval) -> Interval:
    """Replace assumed ends by the printed end, or by the middle if both are assumed."""
    low, high = interval.low, interval.high
    if low.assumed and high.assumed and low.value is not None and high.value is not None:
        return Interval.point((low.value + high.value) / Fraction(2))
    if low.assumed and high.value is not None:
        return Interval.point(high.value)
    if high.assumed and low.value is not None:
        return Interval.point(low.value)
    return interval


def by_id(verdicts: Iterable[Verdict]) -> dict[str, Verdict]:
    """Return the verdicts by the id of their relation."""
    return {verdict.id: verdict for verdict in verdicts}


def count(verdicts: Iterable[Verdict], *which: str) -> int:
    """Count relations by verdict or by role.

    Examples
    --------
    >>> count([], "certain", "consistent")
    0
    """
    return sum(v.verdict in which or v.role in which for v in verdicts)
