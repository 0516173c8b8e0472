"""Expressions over claims: parsed, checked for units, place and period, then ranged exactly.

The grammar is a small part of Python's: names of claims, official figures and constants;
``+ - * /`` and parentheses; one comparison at the top; ``missing("what")`` for a quantity nobody
reports; ``distinct(x)`` for the persons behind a count of person-times. Numbers other than 0 and 1
are refused: a constant has a name, a unit and a source.
"""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date
from fractions import Fraction
from typing import Protocol, Self, TypeVar

from analysis.claims.intervals import End, Interval
from analysis.claims.rational import NotMonotoneError, Polynomial, Ratio, corner_range
from analysis.claims.units import Unit

COMPARISONS: dict[type[ast.cmpop], str] = {
    ast.Eq: "==",
    ast.LtE: "<=",
    ast.Lt: "<",
    ast.GtE: ">=",
    ast.Gt: ">",
}
PERSON_TIMES, PERSONS = Unit.parse("person_times"), Unit.parse("persons")


class ExpressionError(ValueError):
    """The expression is not of the grammar; the message names the part."""


class NotComputableError(ValueError):
    """The quantity cannot be computed from what is reported; the message says what stops it."""


@dataclass(frozen=True)
class Operand:
    """A number an expression can name.

    Attributes
    ----------
    interval : Interval
        In `unit`; a percentage is already a fraction of one.
    unit : Unit
        Base units and exponents.
    time_type : str
        ``stock``, ``flow``, ``cumulative``, or ``none`` for what has no time (a constant).
    place : str
        Empty for what has no place.
    period : tuple of date, or None
        First and last day the figure refers to.
    """

    interval: Interval
    unit: Unit
    time_type: str = "none"
    place: str = ""
    period: tuple[date, date] | None = None


@dataclass(frozen=True)
class Expression:
    """A parsed expression.

    Attributes
    ----------
    text : str
        As written.
    comparison : str
        ``==``, ``<=``, ``<``, ``>=``, ``>``, or empty for a quantity.
    left, right : ast.expr
        The two sides; without a comparison, `right` is None.
    """

    text: str
    comparison: str
    left: ast.expr
    right: ast.expr | None


def parse(text: str) -> Expression:
    """Parse an expression and refuse what the grammar lacks.

    Raises
    ------
    ExpressionError
        Naming the part that does not fit.

    Examples
    --------
    >>> parse("S0_001 / S0_002 == S0_003").comparison
    '=='
    >>> parse("S0_001 * 12")
    Traceback (most recent call last):
    ...
    analysis.claims.expressions.ExpressionError: the number 12 has no name: add it to constants.csv
    """
    try:
        tree = ast.parse(text, mode="eval").body
    except SyntaxError as error:
        raise ExpressionError(f"not an expression: {error.msg}") from None
    if isinstance(tree, ast.Compare):
        if len(tree.ops) != 1 or type(tree.ops[0]) not in COMPARISONS:
            raise ExpressionError("at most one of == <= < >= > is allowed")
        _refuse(tree.left)
        _refuse(tree.comparators[0])
        return Expression(text, COMPARISONS[type(tree.ops[0])], tree.left, tree.comparators[0])
    _refuse(tree)
    return Expression(text, "", tree, None)


def _refuse(node: ast.expr) -> None:
    match node:
        case ast.Name():
            return
        case ast.Constant(value=0 | 1):
            return
        case ast.Constant(value=int() | float() as number):
            raise ExpressionError(f"the number {number} has no name: add it to constants.csv")
        case ast.BinOp(left=left, op=ast.Add() | ast.Sub() | ast.Mult() | ast.Div(), right=right):
            _refuse(left)
            _refuse(right)
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            _refuse(operand)
        case ast.Call(func=ast.Name(id="missing"), args=[ast.Constant(value=str())], keywords=[]):
            return
        case ast.Call(func=ast.Name(id="distinct"), args=[ast.Name()], keywords=[]):
            return
        case _:
            raise ExpressionError(f"{ast.unparse(node)!r} is not part of the grammar")


def _leaves(node: ast.AST) -> Iterator[ast.Name | ast.Call]:
    """Yield names and calls in reading order; `distinct(x)` is one leaf, a variable of its own."""
    if isinstance(node, ast.Name | ast.Call):
        yield node
        return
    for child in ast.iter_child_nodes(node):
        yield from _leaves(child)


def names(expression: Expression) -> list[str]:
    """Return the names an expression uses, once each, in reading order.

    Examples
    --------
    >>> names(parse("distinct(S2_031) <= S2_005 + S2_005"))
    ['S2_031', 'S2_005']
    """
    names = [
        name
        for side in (expression.left, expression.right)
        if side is not None
        for leaf in _leaves(side)
        if (name := _named(leaf))
    ]
    return list(dict.fromkeys(names))


def _named(leaf: ast.Name | ast.Call) -> str:
    """Return the claim behind a leaf; empty for what is missing."""
    inner = leaf if isinstance(leaf, ast.Name) else leaf.args[0]
    return inner.id if isinstance(inner, ast.Name) else ""


def missing(expression: Expression) -> list[str]:
    """Return what the expression says nobody reports."""
    return [
        str(leaf.args[0].value)
        for side in (expression.left, expression.right)
        if side is not None
        for leaf in _leaves(side)
        if isinstance(leaf, ast.Call) and isinstance(leaf.args[0], ast.Constant)
    ]


def uses_distinct(expression: Expression) -> bool:
    """Say whether person-times are turned into persons somewhere."""
    return "distinct(" in expression.text


@dataclass(frozen=True)
class Kind:
    """The unit and time type of a subexpression."""

    unit: Unit
    time_type: str


def check_fit(
    expression: Expression, operands: Mapping[str, Operand], assumes: frozenset[str]
) -> Kind:
    """Check that units, times, places and periods fit, and return what the result is.

    Parameters
    ----------
    expression : Expression
        As parsed.
    operands : mapping of str to Operand
        At least every name the expression uses.
    assumes : frozenset of str
        Mismatches the row accepts and says so: ``place``, ``period``, ``time_type``.

    Raises
    ------
    NotComputableError
        Naming what is missing or does not fit.
    """
    absent = missing(expression)
    if absent:
        raise NotComputableError("not reported: " + "; ".join(absent))
    used = {name: operands[name] for name in names(expression)}
    _check_places(used, assumes)
    _check_periods(used, assumes)
    kind = _kind(expression.left, operands, assumes)
    if expression.right is not None:
        _same(kind, _kind(expression.right, operands, assumes), "compare", assumes)
    return kind


def _check_places(used: Mapping[str, Operand], assumes: frozenset[str]) -> None:
    places = {name: operand.place for name, operand in used.items() if operand.place}
    if "place" not in assumes and len(set(places.values())) > 1:
        text = ", ".join(f"{name} is about {place}" for name, place in places.items())
        raise NotComputableError(f"places differ: {text}")


def _check_periods(used: Mapping[str, Operand], assumes: frozenset[str]) -> None:
    periods = {name: operand.period for name, operand in used.items() if operand.period}
    starts = {name: period[0] for name, period in periods.items()}
    ends = {name: period[1] for name, period in periods.items()}
    if "period" in assumes or not periods or max(starts.values()) <= min(ends.values()):
        return
    late = max(starts, key=lambda name: starts[name])
    early = min(ends, key=lambda name: ends[name])
    raise NotComputableError(
        f"periods do not meet: {late} begins {starts[late]}, {early} ends {ends[early]}"
    )


def _kind(node: ast.expr, operands: Mapping[str, Operand], assumes: frozenset[str]) -> Kind:
    match node:
        case ast.Constant():
            return Kind(Unit(), "none")
        case ast.Name(id=name):
            return Kind(operands[name].unit, operands[name].time_type)
        case ast.UnaryOp(operand=operand):
            return _kind(operand, operands, assumes)
        case ast.Call(args=[ast.Name(id=name)]):
            if operands[name].unit != PERSON_TIMES:
                raise NotComputableError(f"{name} counts {operands[name].unit}, not person_times")
            return Kind(PERSONS, operands[name].time_type)
        case ast.BinOp(left=left, op=op, right=right):
            a, b = _kind(left, operands, assumes), _kind(right, operands, assumes)
            if isinstance(op, ast.Add | ast.Sub):
                return _same(a, b, "add", assumes)
            unit = a.unit * b.unit if isinstance(op, ast.Mult) else a.unit / b.unit
            return Kind(
                unit,
                a.time_type
                if b.time_type == "none"
                else b.time_type
                if a.time_type == "none"
                else "none",
            )
    raise ExpressionError(f"{ast.unparse(node)!r} is not part of the grammar")


def _same(a: Kind, b: Kind, verb: str, assumes: frozenset[str]) -> Kind:
    if a.unit != b.unit:
        raise NotComputableError(f"units do not fit: cannot {verb} {a.unit} and {b.unit}")
    times = {a.time_type, b.time_type} - {"none"}
    if len(times) > 1 and "time_type" not in assumes:
        raise NotComputableError(f"cannot {verb} a {a.time_type} and a {b.time_type}")
    return Kind(a.unit, min(times, default="none"))


def evaluate(expression: Expression, operands: Mapping[str, Operand]) -> Interval:
    """Return the exact range of a quantity, or of left minus right for a comparison.

    Each claim is one variable however often it occurs.

    Raises
    ------
    NotComputableError
        If a divisor can be zero, or the range cannot be found exactly.
    """
    node = expression.left
    if expression.right is not None:
        node = ast.BinOp(left=expression.left, op=ast.Sub(), right=expression.right)
    box = _box(node, operands)
    try:
        return _range(node, box)
    except (ZeroDivisionError, NotMonotoneError) as error:
        raise NotComputableError(str(error)) from None


def _key(leaf: ast.Name | ast.Call) -> str:
    return ast.unparse(leaf)


def _box(node: ast.expr, operands: Mapping[str, Operand]) -> dict[str, Interval]:
    """Return one interval per variable; `distinct(x)` lies between one person and all of x."""
    box: dict[str, Interval] = {}
    for leaf in _leaves(node):
        if isinstance(leaf, ast.Name):
            box[_key(leaf)] = operands[leaf.id].interval
        elif isinstance(leaf.args[0], ast.Name):
            box[_key(leaf)] = replace(operands[leaf.args[0].id].interval, low=End(Fraction(1)))
    return box


def _range(node: ast.expr, box: Mapping[str, Interval]) -> Interval:
    """Range a node: plain interval arithmetic if nothing repeats, else by corners."""
    counts = Counter(_key(leaf) for leaf in _leaves(node))
    if max(counts.values(), default=0) <= 1:
        return _plain(node, box)
    for part in ast.walk(node):
        if (
            isinstance(part, ast.BinOp)
            and isinstance(part.op, ast.Div)
            and _range(part.right, box).holds(0)
        ):
            raise ZeroDivisionError(f"{ast.unparse(part.right)} can be zero")
    return corner_range(_expand(node), {name: box[name] for name in counts})


def _plain(node: ast.expr, box: Mapping[str, Interval]) -> Interval:
    """Range a node in which nothing repeats."""
    return _fold(node, Interval.point, lambda leaf: box[_key(leaf)])


def expand(expression: Expression) -> Ratio:
    """Write a quantity, or left minus right of a comparison, as one polynomial over another."""
    left = _expand(expression.left)
    return left if expression.right is None else left - _expand(expression.right)


def _expand(node: ast.expr) -> Ratio:
    """Write a node as one polynomial over another."""
    polynomial = Polynomial.constant(Fraction(1))
    return _fold(
        node,
        lambda number: Ratio(Polynomial.constant(Fraction(number)), polynomial),
        lambda leaf: Ratio(Polynomial.variable(_key(leaf)), polynomial),
    )


class Number(Protocol):
    """What an expression can be computed in: intervals, or ratios of polynomials."""

    def __neg__(self) -> Self: ...
    def __add__(self, other: Self, /) -> Self: ...
    def __sub__(self, other: Self, /) -> Self: ...
    def __mul__(self, other: Self, /) -> Self: ...
    def __truediv__(self, other: Self, /) -> Self: ...


N = TypeVar("N", bound=Number)


def _fold(
    node: ast.expr, number: Callable[[int], N], leaf: Callable[[ast.Name | ast.Call], N]
) -> N:
    """Compute a node from its numbers and leaves."""
    match node:
        case ast.Constant(value=int() as value):
            return number(value)
        case ast.Name() | ast.Call():
            return leaf(node)
        case ast.UnaryOp(operand=operand):
            return -_fold(operand, number, leaf)
        case ast.BinOp(left=left, op=op, right=right):
            a, b = _fold(left, number, leaf), _fold(right, number, leaf)
            match op:
                case ast.Add():
                    return a + b
                case ast.Sub():
                    return a - b
                case ast.Mult():
                    return a * b
            return a / b
    raise ExpressionError(f"{ast.unparse(node)!r} is not part of the grammar")
