"""Outcomes of a household and period, and what of them one scan has to add up.

Money is whole fen. An outcome in prices of another year, or a sum over sources, is not scanned: it
follows from sums that are, so it costs nothing and cannot disagree with them.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal

from analysis.cells.reference import APPROXIMATE, Reference
from analysis.panels import schemas

Source = Literal["wage", "business", "property", "transfer", "total"]
Per = Literal["household", "head"]
Kind = Literal["headcount", "gap", "squared_gap", "threshold", "rif_quantile", "rif_gini"]
POVERTY: Final = ("headcount", "gap", "squared_gap")
NAME: Final = re.compile(r"[a-z][a-z0-9_]*")


@dataclass(frozen=True)
class Transform:
    """What is made of an income before it is added up; use the functions of these names.

    Attributes
    ----------
    kind : str
        ``headcount``, ``gap``, ``squared_gap`` or ``threshold``; ``rif_quantile`` or ``rif_gini``
        are made by `analysis.cells.recentred.outcomes`.
    line : str
        Name of a poverty line of ``poverty_lines.csv``; empty if `fen` is given.
    fen : int or None
        The amount: per person for the first three, per household or head for a threshold.
    reference : Reference or None
        What the recentred influence is at.
    share : float or None
        Of the quantile.
    """

    kind: Kind
    line: str = ""
    fen: int | None = None
    reference: Reference | None = field(default=None, repr=False)
    share: float | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        if self.kind.startswith("rif_") != (self.reference is not None):
            raise ValueError(f"{self.kind}: recentred influence has a reference, nothing else has")
        if self.reference is not None:
            if (self.kind == "rif_quantile") != (self.share is not None):
                raise ValueError(f"{self.kind}: a quantile has a share, the Gini index has none")
            if self.share is not None:
                self.reference.quantile(self.share)
            return
        if bool(self.line) == (self.fen is not None):
            raise ValueError(f"{self.kind}: give the name of a line or an amount in fen, not both")
        if self.fen is not None and self.fen <= 0 and self.kind != "threshold":
            raise ValueError(f"{self.kind}: a line of {self.fen} fen is not above zero")

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Transform:
        """Read what `dataclasses.asdict` wrote, through JSON or not."""
        frozen = values.get("reference")
        return cls(**{**values, "reference": Reference.from_dict(frozen) if frozen else None})


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
            raise ValueError(
                f"outcome {self.name}: source {self.source!r} is none of the four, nor total"
            )
        if self.per not in ("household", "head"):
            raise ValueError(f"outcome {self.name}: per {self.per!r} is neither household nor head")
        frozen = self.transform.reference if self.transform else None
        if frozen and (self.source, self.per, self.real) != (
            frozen.source,
            frozen.per,
            frozen.real,
        ):
            raise ValueError(f"outcome {self.name}: its reference is of another income")
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
        exact = self.transform is None or self.transform.kind == "gap"
        return self.per == "household" and self.real is None and exact

    @property
    def unit(self) -> str:
        """Unit of a mean of it; says where the mean is only approximate."""
        if self.is_approximate:
            if self.transform and self.transform.kind == "rif_gini":
                return f"index, {APPROXIMATE}"
            return f"{self._money}, {APPROXIMATE}"
        if not self.is_money:
            return "share"
        return self._money

    @property
    def is_approximate(self) -> bool:
        """Whether it is recentred influence: its mean is a statistic to first order only."""
        return self.transform is not None and self.transform.reference is not None

    @property
    def _money(self) -> str:
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
