"""Words for a wave in the column names of a wide file: wage_2012, wage12, wage_t0, w1_wage."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

from analysis.panels.importing.mapping import WAVE

ENDING: Final = re.compile(
    r"^(?P<stem>.+?)(?P<wave>(?:19|20)\d\d|(?<=[_. -])[twr]\d{1,2}|\d\d|(?<=_)\d)$", re.IGNORECASE
)
BEGINNING: Final = re.compile(r"^(?P<wave>[twr]\d{1,2})(?P<stem>[_. -].+)$", re.IGNORECASE)
CENTURY: Final = 35
"""Two digits up to here are of this century: 2035 is the last year that a map allows."""


def split(name: str) -> tuple[str, str] | None:
    """Return the name with ``{wave}`` in place of the word for the wave, and the word.

    Examples
    --------
    >>> split("wage12"), split("hours_t0"), split("w1_income"), split("hhid")
    (('wage{wave}', '12'), ('hours_{wave}', 't0'), ('{wave}_income', 'w1'), None)
    """
    match = ENDING.match(name)
    if match:
        return f"{match['stem']}{WAVE}", match["wave"]
    match = BEGINNING.match(name)
    return (f"{WAVE}{match['stem']}", match["wave"]) if match else None


def waves_of(names: Iterable[str]) -> tuple[str, ...]:
    """Return the words for waves that at least two groups of columns share; none if there are none.

    Examples
    --------
    >>> waves_of(["fid", "size_t0", "size_t1", "wage_t0", "wage_t1"])
    ('t0', 't1')
    """
    groups: dict[str, list[str]] = {}
    for found in map(split, names):
        if found:
            groups.setdefault(found[0], []).append(found[1])
    sets = [tuple(waves) for waves in groups.values() if len(waves) > 1]
    common = [waves for waves in sets if sets.count(waves) > 1]
    return common[0] if common else ()


def templated(name: str, waves: tuple[str, ...]) -> str:
    """Return a name with ``{wave}`` if it is of one of these waves, else as it is."""
    found = split(name)
    return found[0] if found and found[1] in waves else name


def year_of(wave: str) -> int | None:
    """Return the year that a word for a wave stands for; None if it is none.

    Examples
    --------
    >>> year_of("2012"), year_of("98"), year_of("t0")
    (2012, 1998, None)
    """
    if not wave.isdigit() or len(wave) == 1:
        return None
    number = int(wave)
    return number if number > 99 else number + (2000 if number <= CENTURY else 1900)
