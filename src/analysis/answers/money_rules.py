"""What the pages on payments and collective books assume, from ``data/parameters``."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from analysis import paths
from analysis.panels import records


@dataclass(frozen=True)
class Rules:
    """Values of ``data/parameters/money_rules.toml``.

    Attributes
    ----------
    multiple : float
        Most yuan of total income per yuan paid, in the first year of a payment.
    floor : float
        Yuan a year that every village collective is to take in.
    above, below : float
        Shares of the floor: reports up to `above` over it count as just above, and bins are as
        wide, in logs; reports from `below` times the floor to there are left out of the curve.
    span : float
        How far from the floor reports enter the curve, log of income.
    degree : float
        Power of the polynomial through the counts.
    """

    multiple: float
    floor: float
    above: float
    below: float
    degree: float
    span: float


@cache
def rules() -> Rules:
    """Read the file once.

    Examples
    --------
    >>> rules().floor, rules().multiple
    (50000.0, 1.0)
    """
    content = records.read_toml(paths.data() / "parameters" / "money_rules.toml")
    return Rules(**{name: entry["value"] for name, entry in content.items()})
