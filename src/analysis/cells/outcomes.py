"""Outcomes of a household and period, and what of them one scan has to add up.

Money is whole fen. An outcome in prices of another year, or a sum over sources, is not scanned: it
follows from sums that are, so it costs nothing and cannot disagree with them.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final, Literal

from analysis.panels import schemas

Source = Literal["wage", "business", "property", "transfer", "total"]
Per = Literal["household", "head"]
Kind = Literal["headcount", "gap", "squared_gap", "threshold"]
POVERTY: Final = ("headcount", "gap", "squared_gap")
NAME: Final = re.compile(r"[a-z][a-z0-9_]*")


@dataclass(frozen=True)
class Transform:
    """What is made of an income before it is added up; use the functions of these names.

    Attributes
    ----------
    kind : str
        ``headcount``, ``gap``, ``squared_gap`` or ``threshold``.
    line : str
        Name of a poverty line of ``poverty_lines.csv``; empty if `fen` is given.
    fen : int or None
        The amount: per person for the first three, per household or head for a threshold.
    """

    kind: Kind
    line: str = ""
    fen: int | None = None

    def __post_init__(self) -> None:
        if bool(self.line) == (self.fen is not None):
            raise ValueError(f"{self.kind}: give the name of a line or an amount in fen, not both")
        if self.fen is not None and self.fen <= 0 and self.kind != "threshold":
            raise ValueError(f"{self.kind}: a line of {self.fen} fen is not above zero")


def headcount(line: str | int) -> Transform:
    """Return 1 for a household below a line, else 0 (Foster, Greer & Thorbecke 1984, α = 0).

    Poor is who has less than line × baseline members; who is exactly on the line is not poor.

    Parameters
    ----------
    line : str or int
        Name of a line, or fen per person a year in prices of each period.

    Examples
    --------
    >>> headcount("relative"), headcount(230_000)
    (Transform(kind='headcount', line='relative', fen=None), Transform(kind='headcount', line='', fen=230000))
    """  # noqa: E501
    return _transform("headcount", line)


def gap(line: str | int) -> Transform:
    """Return what a household lacks to the line: line × baseline members − income, fen, or 0."""
    return _transform("gap", line)


def squared_gap(line: str | int) -> Transform:
    """Return (gap / (line × members))², a share: Foster, Greer & Thorbecke (1984), α = 2."""
    return _transform("squared_gap", line)


def threshold(fen: int) -> Transform:
    """Return 1 for an income below an amount, else 0: one point of the distribution function."""
    return _transform("threshold", fen)


def _transform(kind: Kind, line: str | int) -> Transform:
    return Transform(kind, line=line) if isinstance(line, str) else Transform(kind, fen=line)


@dataclass(frozen=True)
class Outcome:
    """An outcome of a household in a period.

    Attributes
    ----------
    name : str
        Name in columns and results; lower case, digits, underscores.
    source : str
        A source of income, or ``total``.
    per : str
        ``household``, or ``head``: divided by members at baseline.
    real : int or None
        None: prices of each period. A year: prices of that year. A line is always brought to the
        prices of each period, so headcounts take no year; an amount in a threshold with a year is
        an amount in prices of that year.
    transform : Transform or None
        What is made of the income.

    Examples
    --------
    >>> Outcome("wage").source, Outcome("total_2020", source="total", real=2020).unit
    ('wage', 'fen/households/years, prices of 2020')
    >>> Outcome("poor", transform=headcount("relative")).is_whole
    True
    """

    name: str
    source: Source | Literal[""] = ""
    per: Per = "household"
    real: int | None = None
    transform: Transform | None = None

    def __post_init__(self) -> None:
        if not NAME.fullmatch(self.name):
            raise ValueError(f"outcome {self.name!r}: use lower case, digits and underscores")
        if not self.source:
            guess = self.name if self.name in schemas.SOURCES else "total"
            object.__setattr__(self, "source", guess)
        if self.source not in (*schemas.SOURCES, "total"):
            raise ValueError(f"outcome {self.name}: source {self.source!r} is none of the four,"
                             " nor total")  # fmt: skip
        if self.per not in ("household", "head"):
            raise ValueError(f"outcome {self.name}: per {self.per!r} is neither household nor head")
        kind = self.transform.kind if self.transform else ""
        if kind in ("headcount", "squared_gap") and (self.per == "head" or self.real is not None):
            raise ValueError(
                f"outcome {self.name}: a {kind} has no unit of money; leave `per` and `real` out"
                " (persons are counted by a design whose unit is person)"
            )

    @property
    def is_money(self) -> bool:
        """Whether it is an amount; otherwise a share."""
        return self.transform is None or self.transform.kind == "gap"

    @property
    def is_whole(self) -> bool:
        """Whether each household's value is a whole number, so that sums are exact."""
        if self.transform and self.transform.kind in ("headcount", "threshold"):
            return True
        squared = self.transform is not None and self.transform.kind == "squared_gap"
        return self.per == "household" and self.real is None and not squared

    @property
    def unit(self) -> str:
        """Unit of a mean of it."""
        if not self.is_money:
            return "share"
        prices = "prices of each year" if self.real is None else f"prices of {self.real}"
        return f"fen/{self.per}s/years, {prices}"


def standard(real: int | None = None) -> tuple[Outcome, ...]:
    """Return the four sources and the total, per household.

    Examples
    --------
    >>> [outcome.name for outcome in standard()]
    ['wage', 'business', 'property', 'transfer', 'total']
    """
    return tuple(Outcome(name, real=real) for name in (*schemas.SOURCES, "total"))
