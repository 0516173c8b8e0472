"""How an estimate is printed, everywhere: text, tables, figures, alt text.

An estimate is rounded where its standard error has its second digit, and so are both ends of its
interval: to the nearest, never outward. Numbers without an error keep three digits.
"""

from __future__ import annotations

import math

from analysis import printing

ERROR_DIGITS = 2
"""Significant digits of a standard error that are printed (Guide to the expression of uncertainty
in measurement, JCGM 100:2008, 7.2.6)."""
NONE = "–"
"""Printed where there is no number."""


def places(error: float | None) -> int | None:
    """Return the decimals at which an error has its last printed digit; None without an error.

    Examples
    --------
    >>> places(353.0), places(0.0116), places(1.0), places(None), places(float("nan"))
    (-1, 3, 1, None, None)
    """
    if error is None or not math.isfinite(error) or error <= 0:
        return None
    # By its printed form: 0.0996 has its second digit where 0.10 has it.
    exponent = int(f"{error:.{ERROR_DIGITS - 1}e}".partition("e")[2])
    return ERROR_DIGITS - 1 - exponent


def number(value: float, decimals: int | None = None) -> str:
    """Print a number; negative decimals round to tens or hundreds.

    Examples
    --------
    >>> number(1129.7, -1), number(-0.03994, 3), number(12345.6), number(float("nan"))
    ('1,130', '−0.040', '12,346', '–')
    """
    if not math.isfinite(value):
        return NONE if math.isnan(value) else ("∞" if value > 0 else "−∞")
    if decimals is None:
        decimals = printing.decimals(value)
    rounded = round(value, decimals) + 0.0
    return printing.number(0.0 if rounded == 0 else rounded, max(decimals, 0))


def span(low: float, high: float, decimals: int | None = None) -> str:
    """Print an interval, both ends to the same place.

    Examples
    --------
    >>> span(437.9, 1821.5, -1), span(-0.0634, -0.0164, 3)
    ('440 to 1,820', '−0.063 to −0.016')
    """
    if math.isnan(low) or math.isnan(high):
        return NONE
    if decimals is None:
        wide = high - low
        decimals = places(wide / 4) if math.isfinite(wide) and wide > 0 else None
    return f"{number(low, decimals)} to {number(high, decimals)}"


def p_value(value: float) -> str:
    """Print a p value: three decimals, and what is smaller as such.

    Examples
    --------
    >>> p_value(0.0421), p_value(0.00001), p_value(1.0)
    ('0.042', '< 0.001', '1.000')
    """
    if math.isnan(value):
        return NONE
    return "< 0.001" if value < 0.001 else f"{value:.3f}"


_LATEX = {c: f"\\{c}" for c in "&%$#_{}"} | {
    "−": "$-$",
    "–": "--",
    "<": "$<$",
    "\\": r"\textbackslash{}",
}


def escaped(text: str) -> str:
    r"""Return a text as LaTeX prints it.

    Examples
    --------
    >>> escaped("a_b < −1 %")
    'a\\_b $<$ $-$1 \\%'
    """
    return "".join(_LATEX.get(c, c) for c in text)
