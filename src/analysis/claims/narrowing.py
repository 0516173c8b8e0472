"""A claim narrowed by others of the same article: constraints propagated over exact intervals.

An article that prints a total and a headcount says more of the amount per head than its rounded
phrase does. Each identity and bound of ``relations.csv`` that joins claims of one article, and
needs no assumption, is solved for each of its claims; what the others allow is intersected with
what was printed, until nothing changes (hull consistency: Benhamou, Goualard, Granvilliers and
Puget 1999, "Revising hull and box consistency"). Ends stay exact fractions, open or closed, and an
end that rests on a convention stays marked as assumed.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Final

import polars as pl

from analysis.claims.expressions import (
    Expression,
    NotComputableError,
    Operand,
    check_fit,
    evaluate,
    expand,
    missing,
    names,
    parse,
    uses_distinct,
)
from analysis.claims.intervals import INFINITE, End, Interval
from analysis.claims.ledger import Ledger
from analysis.claims.rational import NotMonotoneError, Polynomial, Ratio, corner_range

SWEEPS: Final = 20
"""Most rounds of propagation; each round is sound, so stopping early only leaves more room."""
CONSTRAINING: Final = ("identity", "bound")


@dataclass(frozen=True)
class Narrowing:
    """A claim whose interval others of its article make smaller.

    Attributes
    ----------
    claim : str
        The claim.
    printed, narrowed : Interval
        What its own phrase allows, and what is left of it.
    relations : tuple of str
        Relations that narrowed it.
    others : tuple of str
        The claims and constants they bring in.
    """

    claim: str
    printed: Interval
    narrowed: Interval
    relations: tuple[str, ...]
    others: tuple[str, ...]


@lru_cache(maxsize=4)  # asked for by every table of a page, with the same answer
def narrow(ledger: Ledger) -> tuple[Narrowing, ...]:
    """Propagate the constraints of each article and return every claim they narrow.

    Examples
    --------
    >>> from analysis.claims import ledger
    >>> found = {row.claim: row for row in narrow(ledger.load())}
    >>> print(found["S3_029"].printed)
    [14500, 16000)
    >>> [round(float(end.value), 1) for end in (found["S3_029"].narrowed.low,
    ...     found["S3_029"].narrowed.high)]
    [14993.5, 15013.1]
    """
    box = {name: operand.interval for name, operand in ledger.operands.items()}
    used: dict[str, list[tuple[str, Expression]]] = {}
    constraints = tuple(_constraints(ledger))
    for _ in range(SWEEPS):
        before = dict(box)
        for relation, expression in constraints:
            for name in names(expression):
                if name not in ledger.claims["id"]:
                    continue
                allowed = solve(expression, name, box)
                smaller = None if allowed is None else intersect(box[name], allowed)
                if smaller is not None and smaller != box[name]:
                    box[name] = smaller
                    used.setdefault(name, []).append((relation, expression))
        if box == before:
            break
    return tuple(
        Narrowing(
            claim=claim,
            printed=ledger.operands[claim].interval,
            narrowed=box[claim],
            relations=tuple(dict.fromkeys(relation for relation, _ in by)),
            others=tuple(dict.fromkeys(n for _, e in by for n in names(e) if n != claim)),
        )
        for claim, by in sorted(used.items())
    )


def narrowed_operands(ledger: Ledger) -> dict[str, Operand]:
    """Return the ledger's operands, each claim as narrow as its article makes it."""
    narrower = {row.claim: row.narrowed for row in narrow(ledger)}
    return {
        name: replace(operand, interval=narrower.get(name, operand.interval))
        for name, operand in ledger.operands.items()
    }


def _constraints(ledger: Ledger) -> Iterator[tuple[str, Expression]]:
    """Yield identities and bounds of one article that hold without an assumption."""
    sources = dict(ledger.claims.select("id", "source").iter_rows())
    official = set(ledger.official["id"])
    for row in ledger.relations.filter(pl.col("role").is_in(CONSTRAINING)).iter_rows(named=True):
        if row["assumes"] or row["assumption"]:
            continue
        expression = parse(row["expression"])
        parts = names(expression)
        articles = {sources[name] for name in parts if name in sources}
        alone = len(articles) == 1 and not official & set(parts)
        if not alone or missing(expression) or uses_distinct(expression):
            continue
        try:
            check_fit(expression, ledger.operands, frozenset())
            evaluate(expression, ledger.operands)
        except NotComputableError:
            continue
        yield row["id"], expression


def solve(expression: Expression, name: str, box: Mapping[str, Interval]) -> Interval | None:
    """Return what a relation allows one of its variables, the others lying in their intervals.

    The relation is written as ``A·x + B`` over a denominator, compared with zero, and the range of
    ``−B/A`` is found exactly. None where it says nothing: the variable is squared, its coefficient
    can be zero, or the range cannot be found.

    Parameters
    ----------
    expression : Expression
        A comparison.
    name : str
        The variable.
    box : mapping of str to Interval
        Every variable's interval.

    Examples
    --------
    >>> box = {"n": Interval.point(4), "total": Interval.between(11, 13), "each": Interval.point(3)}
    >>> print(solve(parse("n * each == total"), "each", box))
    [11/4, 13/4]
    >>> print(solve(parse("each < total"), "each", box))
    (−∞, 13)
    """
    difference = expand(expression)
    top, bottom = difference.top, difference.bottom
    if top.degree(name) != 1 or bottom.degree(name) > 1:
        return None
    factor = top.leading(name)
    rest = top - factor * Polynomial.variable(name)
    try:
        polynomial = Polynomial.constant(1)
        sign = _sign(corner_range(Ratio(factor, polynomial), box))
        sign_below = _sign(corner_range(Ratio(bottom, polynomial), box))
        if not sign or not sign_below:
            return None
        root = corner_range(Ratio(-rest, factor), box)
    except (NotMonotoneError, ZeroDivisionError):
        return None
    if expression.comparison == "==":
        return root
    upward = expression.comparison in (">=", ">")
    strict = expression.comparison in ("<", ">")
    below = (sign * sign_below > 0) != upward
    end = root.high if below else root.low
    if end.value is None:
        return None
    end = End(end.value, end.is_open or strict, end.assumed)
    return Interval(INFINITE, end) if below else Interval(end, INFINITE)


def _sign(interval: Interval) -> int:
    """Return 1 or −1 if every number of an interval has that sign, else 0."""
    if interval.holds(0):
        return 0
    low, high = interval.low.value, interval.high.value
    if low is not None and low >= 0:
        return 1
    return -1 if high is not None and high <= 0 else 0


def intersect(a: Interval, b: Interval) -> Interval | None:
    """Return what two intervals share; None if they share nothing.

    Of two equal ends the open one is kept if it is printed; an end that is open only by a
    convention does not shut out a number that print allows.

    Examples
    --------
    >>> print(intersect(Interval.between(0, 3), Interval.more_than(1)))
    (1, 3]
    >>> intersect(Interval.point(1), Interval.more_than(1)) is None
    True
    """
    low = _inner(a.low, b.low, higher=True)
    high = _inner(a.high, b.high, higher=False)
    try:
        return Interval(low, high) if _holds_any(low, high) else None
    except ValueError:
        return None


def _holds_any(low: End, high: End) -> bool:
    if low.value is None or high.value is None or low.value < high.value:
        return True
    return low.value == high.value and not low.is_open and not high.is_open


def _inner(a: End, b: End, *, higher: bool) -> End:
    if a.value is None or b.value is None:
        return b if a.value is None else a
    if a.value != b.value:
        return a if (a.value > b.value) == higher else b
    if a.is_open == b.is_open:
        return End(a.value, a.is_open, a.assumed and b.assumed)
    opened, closed = (a, b) if a.is_open else (b, a)
    return closed if opened.assumed and not closed.assumed else opened
