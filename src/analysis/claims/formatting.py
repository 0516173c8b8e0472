"""Exact intervals as printed: to the nearest digit, as many as tell the ends apart."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from analysis import printing
from analysis.claims.intervals import Interval
from analysis.results import formatting
from analysis.results.number import Number

MORE: Final = 1
"""Decimals added at most to tell two ends apart; ends that still agree are one number."""


def decimals(low: float, high: float) -> int:
    """Return the decimals at which two ends are printed: one more than usual where they need it.

    Examples
    --------
    >>> decimals(14993.46, 15013.09), decimals(729.64, 729.8), decimals(3, 3)
    (0, 1, 0)
    >>> decimals(15.736, 15.744)
    1
    """
    if low == int(low) and high == int(high):
        return 0
    usual = printing.decimals(max(abs(low), abs(high)))
    apart = [
        places
        for places in range(usual, usual + MORE + 1)
        if formatting.number(low, places) != formatting.number(high, places)
    ]
    return apart[0] if apart else usual


def interval(value: Interval) -> str:
    """Print an interval.

    Examples
    --------
    >>> interval(Interval.between(14500, 16000)), interval(Interval.more_than(2200))
    ('14,500 to 16,000', 'more than 2,200')
    >>> interval(Interval.point(8)), interval(Interval.at_least(3)), interval(-Interval.at_least(3))
    ('8', 'at least 3', 'at most −3')
    >>> interval(Interval.between(15736, 15744) / Interval.point(1000))
    '15.7'
    """
    low, high = (None if end.value is None else float(end.value) for end in (value.low, value.high))
    if low is not None and high is not None:
        if low == high:
            return formatting.number(low)
        places = decimals(low, high)
        first, last = formatting.number(low, places), formatting.number(high, places)
        return first if first == last else f"{first} to {last}"
    if low is not None:
        return f"{'more than' if value.low.is_open else 'at least'} {formatting.number(low)}"
    if high is not None:
        return f"{'less than' if value.high.is_open else 'at most'} {formatting.number(high)}"
    return "anything"


@dataclass(frozen=True, eq=False, kw_only=True)
class ClaimNumber(Number):
    """A number of the articles: its interval is of wording and rounding, not of sampling.

    Examples
    --------
    >>> dividend = ClaimNumber(value=15000, low=14993.46, high=15013.09)
    >>> print(dividend, dividend.interval)
    15,000 14,993 to 15,013
    """

    @property
    def decimals(self) -> int | None:
        """Decimals at which both ends are printed apart; None without an interval."""
        if self.point is None or None in self.ends:
            return None
        return decimals(self.low, self.high)
