"""How a number is printed, everywhere: one formatter for text, tables and alt text."""

from __future__ import annotations

import re
from fractions import Fraction

import polars as pl

SINGULAR = {"batches": "batch", "communities": "community", "counties": "county"}
"""Units whose singular is more than their plural without its last letter."""


def number(value: float | Fraction | int, digits: int | None = None) -> str:
    """Print a number with thousands separators.

    Parameters
    ----------
    value : float, Fraction or int
        The number.
    digits : int, optional
        Decimals. By default none for whole numbers and for numbers of four digits or more, else
        as many as give three significant digits.

    Examples
    --------
    >>> number(12951), number(2038.32), number(4.7312), number(0.0471), number(-3)
    ('12,951', '2,038', '4.73', '0.0471', '−3')
    """
    if digits is None:
        digits = decimals(value)
    text = f"{float(value):,.{digits}f}"
    return text.replace("-", "−")


def decimals(value: float | Fraction | int) -> int:
    """Return how many decimals `number` prints by default.

    Examples
    --------
    >>> decimals(4.7312), decimals(123456), decimals(5)
    (2, 0, 0)
    """
    if value == int(value):
        return 0
    size = abs(float(value))
    if size >= 1000:
        return 0
    whole = len(str(int(size))) if size >= 1 else 1 + int(f"{size:e}".rpartition("e")[2])
    return max(0, 3 - whole)


def unit(text: str, number: str = "") -> str:
    """Put a unit of the ledger into words, in the singular after a printed 1.

    Examples
    --------
    >>> unit("yuan/persons/years"), unit("person_times"), unit("percent"), unit("ratio")
    ('yuan per person a year', 'person-times', '%', '')
    >>> unit("weeks", "1"), unit("persons/households", "1")
    ('week', 'person per household')
    """
    if text in ("", "ratio", "1"):
        return ""
    if text == "percent":
        return "%"
    top, *under = text.split("/")
    if number == "1":
        top = SINGULAR.get(top, top.removesuffix("s"))
    words = [SINGULAR.get(base, base.removesuffix("s")).replace("_", "-") for base in under]
    line = "".join(f" a {word}" if word in ("year", "month") else f" per {word}" for word in words)
    return top.replace("_", "-") + line


# A spreadsheet runs what begins so, blanks and invisible signs before it left out; some read the
# full-width signs alike. What begins a line or a cell inside a text counts too.
_START = r"(?:^|[\t\r\n;])[\s\x00-\x1f\u200b-\u200f\u2060\ufeff]*"
_SIGN = "[=@+\\-＝＠＋－]"
_FORMULA = f"{_START}{_SIGN}"
_RUN = re.compile(f"({_START})({_SIGN})")
_GUARDED = re.compile(f"({_START})'({_SIGN})")
_PLAIN_NUMBER = r"^[+-]?(?:\d[\d,]*)?\.?\d+(?:[eE][+-]?\d+)?(?: ?%)?$"
_MARKUP = re.compile(r"([\\`*_\[\](){}<>$@#|~^!\"'])")


def escaped(text: str) -> str:
    r"""Return Markdown that prints a text as it is, whatever signs are in it.

    Examples
    --------
    >>> escaped("−26.9 to 44.2"), escaped("[x](javascript:a)")
    ('−26.9 to 44.2', '\\[x\\]\\(javascript:a\\)')
    """
    return _MARKUP.sub(r"\\\1", text)


def formulas(column: str) -> pl.Expr:
    """Return whether a spreadsheet may take the texts of a column for formulas."""
    text = pl.col(column)
    return text.str.contains(_FORMULA) & ~text.str.contains(_PLAIN_NUMBER)


def guarded(text: str) -> str:
    """Return a text that no spreadsheet takes for a formula: an apostrophe stands before its signs.

    Examples
    --------
    >>> guarded("=1+1"), guarded("+1+1"), guarded("-5"), guarded("a;＝1")
    ("'=1+1", "'+1+1", '-5', "a;'＝1")
    >>> unguarded(guarded("=1+1")), unguarded("'tis")
    ('=1+1', "'tis")
    """
    return text if re.match(_PLAIN_NUMBER, text) else _RUN.sub(r"\1'\2", text)


def unguarded(text: str) -> str:
    """Return a text as it was before `guarded`."""
    return _GUARDED.sub(r"\1\2", text)


def download(frame: pl.DataFrame) -> str:
    """Return a table as CSV in which no text and no heading is a formula: see `guarded`.

    Parameters
    ----------
    frame : polars.DataFrame
        What is offered; texts may come from a survey.

    Notes
    -----
    OWASP, "CSV Injection".

    Examples
    --------
    >>> print(download(pl.DataFrame({"@a": ["=1+1", "-5", "+x", "ok"]})))
    '@a
    '=1+1
    -5
    '+x
    ok
    <BLANKLINE>
    """
    safe = [
        pl.Series(name, [None if text is None else guarded(text) for text in frame[name]])
        .cast(pl.String)
        .alias(name)
        for name, kind in frame.schema.items()
        if isinstance(kind, pl.String | pl.Enum | pl.Categorical)
    ]
    return frame.with_columns(safe).rename(guarded).write_csv()
