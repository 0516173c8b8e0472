"""The choices of the programme pages, from ``data/parameters/answers.toml``."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from analysis import paths
from analysis.panels import records


@dataclass(frozen=True)
class Choices:
    """Values of the file.

    Attributes
    ----------
    price_year : int
        Prices of every yuan figure of an effect.
    power : float
        With which something is called detectable.
    level : float
        Of intervals and bands.
    poverty_line : str
        Line of the headcount.
    pooled_least : int
        Samples drawn by lot that a pooled mean needs to be called firm.
    small : float
        Per cent of household income or spending within which an interval says: little or nothing.
    """

    price_year: int
    power: float
    level: float
    poverty_line: str
    pooled_least: int
    small: float


@cache
def load() -> Choices:
    """Read the file once.

    Examples
    --------
    >>> load().price_year, load().poverty_line
    (2020, 'national')
    """
    content = records.read_toml(paths.data() / "parameters" / "answers.toml")
    return Choices(**{name: entry["value"] for name, entry in content.items()})
