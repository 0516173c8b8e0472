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
    """

    price_year: int
    power: float
    level: float
    poverty_line: str


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
