"""Calendars: how the whole numbers that count periods follow from years, quarters or waves."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

CALENDARS: Final[Mapping[str, int]] = {
    "year": 1,
    "half_year": 2,
    "quarter": 4,
    "month": 12,
    "number": 0,
}
"""Periods in a year; 0 where periods are numbered by the survey (waves, rounds)."""
LETTER: Final = {"half_year": " H", "quarter": " Q", "month": " M"}


def period_of(calendar: str, year: int, part: int = 1) -> int:
    """Return the number of a period: periods that follow each other differ by one.

    Parameters
    ----------
    calendar : str
        A key of `CALENDARS` other than ``number``.
    year, part : int
        Calendar year, and which of its parts, from 1.

    Examples
    --------
    >>> period_of("year", 2019), period_of("quarter", 2019, 3), period_of("quarter", 2020, 1)
    (2019, 8078, 8080)
    """
    return CALENDARS[calendar] * year + part - 1


def year_of(calendar: str, period: int) -> int | None:
    """Return the calendar year of a period; None where periods are numbered by the survey.

    Examples
    --------
    >>> year_of("quarter", 8078), year_of("number", 3)
    (2019, None)
    """
    parts = CALENDARS[calendar]
    return period // parts if parts else None


def label(calendar: str, period: int) -> str:
    """Return a period as people write it.

    Examples
    --------
    >>> label("quarter", 8078), label("year", 2019), label("number", 3)
    ('2019 Q3', '2019', '3')
    """
    parts = CALENDARS[calendar]
    if parts < 2:
        return str(period)
    return f"{period // parts}{LETTER[calendar]}{period % parts + 1}"
