"""From a number as printed in an article to what it says: a value, and the interval it allows.

The conventions, in one place:

* A count printed in full is exact; trailing zeros are not rounding unless a word marks them.
* A figure in 万 (ten thousand) or 亿 (hundred million), a percentage, or a figure with decimals
  may have been rounded or cut at its last printed digit: from half a step below to one step above.
* A target or threshold is the rule's own number, hence exact.
* "More than" (余, 多) is open above; "at least" (以上, 至少) includes its number.
* "Nearly" (近) and "about" (约) need a margin; that end is marked as an assumption.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from fractions import Fraction

from analysis.claims.intervals import INFINITE, End, Interval

MULTIPLIERS = {"万": 10**4, "萬": 10**4, "亿": 10**8, "億": 10**8}
DIGITS = {
    "零": 0,
    "〇": 0,
    "一": 1,
    "二": 2,
    "两": 2,
    "兩": 2,
    "双": 2,
    "雙": 2,
    "三": 3,
    "四": 4,
    "五": 5,
    "六": 6,
    "七": 7,
    "八": 8,
    "九": 9,
}
TENS = {"十": 10, "百": 100, "千": 1000}
ARABIC = re.compile(r"(\d+(?:\.\d+)?)\s*([万萬亿億])?")
CHINESE = re.compile("[" + "".join([*DIGITS, *TENS]) + "]+")


HEDGES = {
    "more_than": ("余", "餘", "多", "超过", "超過"),
    "at_least": ("以上", "至少", "不少于", "不少於", "上万", "上萬"),
    "nearly": ("近", "接近"),
    "about": ("约", "約"),
    "up_to": ("以下", "最多", "以内"),
}
"""Words beside a number, and the bound each implies."""


def bound_of(phrase: str) -> str:
    """Return the bound that the words of a printed phrase imply.

    Examples
    --------
    >>> bound_of("近2万名"), bound_of("2.4万余人"), bound_of("281个")
    ('nearly', 'more_than', 'exact')
    """
    for bound, words in HEDGES.items():
        if any(word in phrase for word in words):
            return bound
    return "exact"


@dataclass(frozen=True)
class Reading:
    """The number inside a printed phrase.

    Attributes
    ----------
    value : Fraction
        Normalised: 10.63万 is 106300.
    step : Fraction
        One unit of the last printed digit: 100 for 10.63万, 1 for 1357.
    in_full : bool
        Whether it is a whole number printed digit by digit, hence exact.
    """

    value: Fraction
    step: Fraction
    in_full: bool


def read_number(phrase: str) -> Reading | None:
    """Read the first number of a phrase, in Arabic or Chinese numerals; None if there is none.

    Examples
    --------
    >>> read_number("10.63万人次")
    Reading(value=Fraction(106300, 1), step=Fraction(100, 1), in_full=False)
    >>> read_number("十一步").value
    Fraction(11, 1)
    """
    arabic = ARABIC.search(phrase)
    if arabic:
        digits, unit = arabic.groups()
        multiplier = MULTIPLIERS.get(unit or "", 1)
        decimals = len(digits.partition(".")[2])
        step = Fraction(multiplier, 10**decimals)
        return Reading(Fraction(digits) * multiplier, step, unit is None and not decimals)
    chinese = CHINESE.search(phrase)
    if not chinese:
        return None
    total, digit = 0, None
    for sign in chinese.group():
        if sign in DIGITS:
            digit = DIGITS[sign]
        else:
            total += (1 if digit is None else digit) * TENS[sign]
            digit = None
    return Reading(Fraction(total + (digit or 0)), Fraction(1), True)


@dataclass(frozen=True)
class Margins:
    """How far a hedged number may lie from what is printed, as shares of it (assumptions)."""

    nearly: Fraction
    about: Fraction


def interval_of(
    value: Fraction, step: Fraction, bound: str, margins: Margins, *, in_full: bool
) -> Interval:
    """Return the numbers that a printed figure allows.

    Parameters
    ----------
    value, step : Fraction
        As `read_number` gives them.
    bound : str
        ``exact``, ``more_than``, ``at_least``, ``nearly``, ``about`` or ``up_to``.
    margins : Margins
        The assumed reach of "nearly" and "about".
    in_full : bool
        Whether the number is exact when no word hedges it.

    Raises
    ------
    ValueError
        If the bound is none of these.

    Examples
    --------
    >>> margins = Margins(Fraction(1, 10), Fraction(1, 10))
    >>> print(interval_of(Fraction(106300), Fraction(100), "exact", margins, in_full=False))
    [106250, 106400)
    """
    point = End(value)
    if bound == "exact":
        return (
            Interval(point, point)
            if in_full
            else Interval(End(value - step / 2), End(value + step, True))
        )
    if bound == "more_than":
        return Interval(End(value, is_open=True), INFINITE)
    if bound == "at_least":
        return Interval(point, INFINITE)
    if bound == "nearly":
        return Interval(End(value * (1 - margins.nearly), assumed=True), End(value, is_open=True))
    if bound == "about":
        low, high = value * (1 - margins.about), value * (1 + margins.about)
        return Interval(End(low, assumed=True), End(high, assumed=True))
    if bound == "up_to":
        return Interval(End(Fraction(0)), point)
    raise ValueError(f"unknown bound {bound!r}")
