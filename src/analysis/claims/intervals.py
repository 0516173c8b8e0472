"""Intervals with exact ends, each end open or closed, printed or assumed.

A reported number is not a point. "More than 2,200" has no top; "nearly 20,000" has a bottom only
by convention. Arithmetic is done in fractions, so nothing is rounded before it is printed.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction


@dataclass(frozen=True)
class End:
    """One end of an interval.

    Attributes
    ----------
    value : Fraction or None
        The end itself; None is infinite (minus on the low side, plus on the high side).
    is_open : bool
        Whether the end itself is excluded. An infinite end is always open.
    assumed : bool
        Whether the end rests on a convention (how near is "nearly") and not on what was printed.
    """

    value: Fraction | None
    is_open: bool = False
    assumed: bool = False


INFINITE = End(None, is_open=True)


@dataclass(frozen=True)
class Interval:
    """A set of numbers between two ends.

    Raises
    ------
    ValueError
        If the low end lies above the high end.

    Examples
    --------
    >>> print(Interval.point(3) + Interval.between(1, 2))
    [4, 5]
    >>> print(Interval.more_than(10))
    (10, ∞)
    """

    low: End
    high: End

    def __post_init__(self) -> None:
        if self.low.value is not None and self.high.value is not None:
            empty = self.low.value > self.high.value
            pinched = self.low.value == self.high.value and self.low.is_open and self.high.is_open
            if empty or pinched:
                raise ValueError(f"empty interval: {self.low.value} to {self.high.value}")

    @classmethod
    def point(cls, value: Fraction | int) -> Interval:
        """Return the interval that holds one number."""
        end = End(Fraction(value))
        return cls(end, end)

    @classmethod
    def between(
        cls, low: Fraction | int, high: Fraction | int, *, high_open: bool = False
    ) -> Interval:
        """Return the interval from low to high, both printed."""
        return cls(End(Fraction(low)), End(Fraction(high), high_open))

    @classmethod
    def more_than(cls, low: Fraction | int) -> Interval:
        """Return everything above a number, the number excluded."""
        return cls(End(Fraction(low), is_open=True), INFINITE)

    @classmethod
    def at_least(cls, low: Fraction | int) -> Interval:
        """Return everything from a number on, the number included."""
        return cls(End(Fraction(low)), INFINITE)

    @property
    def is_bounded(self) -> bool:
        """Whether both ends are finite."""
        return self.low.value is not None and self.high.value is not None

    @property
    def is_point(self) -> bool:
        """Whether the interval is a single number."""
        return self.is_bounded and self.low.value == self.high.value

    def holds(self, value: Fraction | int) -> bool:
        """Say whether a number lies in the interval.

        Examples
        --------
        >>> Interval.more_than(10).holds(10)
        False
        """
        low, high = self.low, self.high
        above = low.value is None or value > low.value or (value == low.value and not low.is_open)
        below = (
            high.value is None or value < high.value or (value == high.value and not high.is_open)
        )
        return above and below

    def capped(self, most: Fraction) -> Interval:
        """Return the part of the interval up to a number, the number included.

        Examples
        --------
        >>> print(Interval.between(0, 3).capped(Fraction(1)))
        [0, 1]
        """
        within = self.high.value is not None and self.high.value <= most
        return self if within else Interval(self.low, End(most))

    def __neg__(self) -> Interval:
        def flip(end: End) -> End:
            return End(None if end.value is None else -end.value, end.is_open, end.assumed)

        return Interval(flip(self.high), flip(self.low))

    def __add__(self, other: Interval) -> Interval:
        return Interval(_plus(self.low, other.low), _plus(self.high, other.high))

    def __sub__(self, other: Interval) -> Interval:
        return self + -other

    def __mul__(self, other: Interval) -> Interval:
        products = [
            _times(a, a_sign, b, b_sign)
            for a, a_sign in ((self.low, -1), (self.high, 1))
            for b, b_sign in ((other.low, -1), (other.high, 1))
        ]
        return hull(products)

    def __truediv__(self, other: Interval) -> Interval:
        """Divide; the divisor must exclude zero.

        Raises
        ------
        ZeroDivisionError
            If zero lies in the divisor. (Zero as its open end is allowed: no bound on that side.)
        """
        if other.holds(0):
            raise ZeroDivisionError("the divisor can be zero")
        return self * _reciprocal(other)

    def __str__(self) -> str:
        left = "(" if self.low.is_open else "["
        right = ")" if self.high.is_open else "]"
        low = "−∞" if self.low.value is None else str(self.low.value)
        high = "∞" if self.high.value is None else str(self.high.value)
        return low if self.is_point else f"{left}{low}, {high}{right}"


Signed = tuple[End, int]
"""An end with the sign of infinity that its None stands for (−1 or 1)."""


def _plus(a: End, b: End) -> End:
    if a.value is None or b.value is None:
        return End(None, True, a.assumed or b.assumed)
    return End(a.value + b.value, a.is_open or b.is_open, a.assumed or b.assumed)


def _times(a: End, a_sign: int, b: End, b_sign: int) -> Signed:
    """Multiply two ends; zero times anything, infinity included, is zero in a product's hull."""
    assumed = a.assumed or b.assumed
    for zero, other in ((a, b), (b, a)):
        if zero.value == 0:
            # A closed zero reaches zero whatever the other factor does.
            is_open = zero.is_open and not (other.value == 0 and not other.is_open)
            return End(Fraction(0), is_open, zero.assumed), 0
    if a.value is None or b.value is None:
        sign_a = a_sign if a.value is None else (1 if a.value > 0 else -1)
        sign_b = b_sign if b.value is None else (1 if b.value > 0 else -1)
        return End(None, True, assumed), sign_a * sign_b
    return End(a.value * b.value, a.is_open or b.is_open, assumed), 0


def _reciprocal(x: Interval) -> Interval:
    def invert(end: End, sign: int) -> Signed:
        if end.value is None:
            return End(Fraction(0), True, end.assumed), 0
        if end.value == 0:
            return End(None, True, end.assumed), -sign
        return End(1 / end.value, end.is_open, end.assumed), 0

    return hull([invert(x.low, -1), invert(x.high, 1)])


def hull(ends: list[Signed]) -> Interval:
    """Return the smallest interval that holds every end given.

    Among equal ends a closed one wins over an open one, and a printed one over an assumed one.
    """

    def rank(pair: Signed) -> Fraction | float:
        end, sign = pair
        return math.inf * sign if end.value is None else end.value

    def best(pairs: list[Signed]) -> End:
        return min((end for end, _ in pairs), key=lambda end: (end.is_open, end.assumed))

    lowest, highest = min(map(rank, ends)), max(map(rank, ends))
    return Interval(
        best([pair for pair in ends if rank(pair) == lowest]),
        best([pair for pair in ends if rank(pair) == highest]),
    )
