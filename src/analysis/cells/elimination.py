"""Exact elimination in whole numbers: which sums follow from which others.

A row is a published sum: what it counts of each unknown. Rows are scaled to whole numbers and kept
without a common factor, so nothing is rounded.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from fractions import Fraction
from math import gcd, lcm
from typing import Any

Column = Any
Row = dict[Column, int]


def whole(row: Mapping[Column, Fraction | int]) -> Row:
    """Return a row times what makes it whole, without common factor.

    Examples
    --------
    >>> whole({"a": Fraction(1, 2), "b": Fraction(1, 3)})
    {'a': 3, 'b': 2}
    """
    scale = lcm(*(Fraction(x).denominator for x in row.values()))
    found = {name: int(x * scale) for name, x in row.items() if x}
    common = gcd(*found.values()) or 1
    return {name: x // common for name, x in found.items()}


def reduced(
    rows: Iterable[Mapping[Column, Fraction | int]], order: Mapping[Column, int]
) -> list[Row]:
    """Return the reduced row echelon form, with pivots as early in an order as can be.

    The combinations of rows in which only the last m columns occur are then exactly those of the
    reduced rows whose pivot is among them.

    Parameters
    ----------
    rows : iterable of mapping
        Published sums.
    order : mapping of column to int
        Place of each column.

    Examples
    --------
    Three sums of pairs tell each part, but for the sign that a row has.

    >>> reduced([{1: 1, 2: 1}, {1: 1, 3: 1}, {2: 1, 3: 1}], {1: 1, 2: 2, 3: 3})
    [{1: 1}, {2: 1}, {3: -1}]
    """
    pivots: dict[Column, Row] = {}
    for given in rows:
        row = remainder(given, pivots)
        if not row:
            continue
        pivot = min(row, key=order.__getitem__)
        for other, known in pivots.items():
            if pivot in known:
                pivots[other] = _without(known, pivot, row)
        pivots[pivot] = row
    return [pivots[name] for name in sorted(pivots, key=order.__getitem__)]


def remainder(given: Mapping[Column, Fraction | int], pivots: Mapping[Column, Row]) -> Row:
    """Return what of a row does not follow from reduced rows, each by its pivot.

    Examples
    --------
    >>> remainder({1: 1, 2: 2, 3: 1}, {1: {1: 1, 2: 1}})
    {2: 1, 3: 1}
    """
    row = whole(given)
    for column in [name for name in row if name in pivots]:
        row = _without(row, column, pivots[column])
    return row


def _without(row: Row, column: Column, pivot: Row) -> Row:
    """Return a row minus what takes a column out of it."""
    a, b = pivot[column], row[column]
    found = {name: a * x for name, x in row.items()}
    for name, x in pivot.items():
        found[name] = found.get(name, 0) - b * x
    return whole(found)


def supports(rows: Collection[Row], order: Mapping[Column, int]) -> Iterator[frozenset[Column]]:
    """Yield the unknowns of combinations of reduced rows that involve few of them.

    Every combination of one or of two unknowns is among them; of more unknowns, each reduced row,
    and so whatever lies in the last columns alone.
    """
    by_rest: dict[tuple[tuple[Column, Fraction], ...], Column] = {}
    for row in rows:
        yield frozenset(row)
        pivot = min(row, key=order.__getitem__)
        rest = sorted((name for name in row if name != pivot), key=order.__getitem__)
        key = tuple((name, Fraction(row[name], row[rest[0]])) for name in rest)
        if key and key in by_rest:
            yield frozenset({pivot, by_rest[key]})
        by_rest[key] = pivot
