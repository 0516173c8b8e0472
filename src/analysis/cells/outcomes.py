"""Outcomes of a household and period, and what of them one scan has to add up.

Money is whole hundredths of the currency; other outcomes are floats, never rounded. An outcome in
prices of another year, or a sum over sources, is not scanned: it follows from sums that are, so it
costs nothing and cannot disagree with them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal, get_args

from analysis.cells.reference import APPROXIMATE, Reference
from analysis.money import HUNDREDTH, main_unit
from analysis.panels import schemas
from analysis.panels.outcomes import MONEY, NAME

Per = Literal["household", "head", "adult_equivalent"]
Kind = Literal[
    "headcount",
    "gap",
    "squared_gap",
    "threshold",
    "rif_quantile",
    "rif_gini",
    "log",
    "asinh",
    "winsorised",
]
POVERTY: Final = ("headcount", "gap", "squared_gap")
VALUES: Final = ("log", "asinh", "winsorised")
"""Transforms of a value of any kind; the others are of incomes."""
ADULT_EQUIVALENTS: Final = "x_adult_equivalents"
"""Column of the households that ``per = "adult_equivalent"`` divides by."""


@dataclass(frozen=True)
class Transform:
    """What is made of an income before it is added up; use the functions of these names.

    Attributes
    ----------
    kind : str
        ``headcount``, ``gap``, ``squared_gap`` or ``threshold``; ``log``, ``asinh`` or
        ``winsorised``; ``rif_quantile`` or ``rif_gini`` are made by
        `analysis.cells.recentred.outcomes`.
    line : str
        Name of a poverty line of ``poverty_lines.csv``; empty if `fen` is given.
    fen : int or None
        The amount: per person for the first three, per household or head for a threshold.
    reference : Reference or None
        What the recentred influence is at.
    share : float or None
        Of the quantile.
    shares : tuple of float
        Lower and upper share of the values that ``winsorised`` draws in to their quantiles.
    """

    kind: Kind
    line: str = ""
    fen: int | None = None
    reference: Reference | None = field(default=None, repr=False)
    share: float | None = field(default=None, repr=False)
    shares: tuple[float, ...] = field(default=(), repr=False)

    def __post_init__(self) -> None:
        low, high = self.shares if len(self.shares) == 2 else (1.0, 0.0)
        if (self.kind == "winsorised") != (0 <= low < high <= 1):
            raise ValueError(f"{self.kind}: winsorised has two shares, as in [0.01, 0.99]")
        if self.kind.startswith("rif_") != (self.reference is not None):
            raise ValueError(f"{self.kind}: recentred influence has a reference, nothing else has")
        if self.reference is not None:
            if (self.kind == "rif_quantile") != (self.share is not None):
                raise ValueError(f"{self.kind}: a quantile has a share, the Gini index has none")
            if self.share is not None:
                self.reference.quantile(self.share)
            return
        if self.kind in VALUES:
            if self.line or self.fen is not None:
                raise ValueError(f"{self.kind}: it has neither a line nor an amount")
            return
        if bool(self.line) == (self.fen is not None):
            raise ValueError(f"{self.kind}: give the name of a line or an amount in fen, not both")
        if self.fen is not None and self.fen <= 0 and self.kind != "threshold":
            raise ValueError(f"{self.kind}: a line of {self.fen} fen is not above zero")

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Transform:
        """Read what `dataclasses.asdict` wrote, through JSON or not."""
        frozen = values.get("reference")
        return cls(
            **{
                **values,
                "reference": Reference.from_dict(frozen) if frozen else None,
                "shares": tuple(values.get("shares", ())),
            }
        )


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
class Measured:
    """What a panel says of an outcome; read from it when cells are made.

    Attributes
    ----------
    kind : str
        A key of `analysis.panels.outcomes.KINDS`.
    unit : str
        Of a number, in words.
    currency : str
        Main unit of money.
    nominal : bool
        Whether prices of a year were asked for and the panel has no index for them.
    bounds : tuple of float
        Where a winsorised outcome is cut.
    """

    kind: str = "money"
    unit: str = ""
    currency: str = "yuan"
    nominal: bool = False
    bounds: tuple[float, ...] = ()


@dataclass(frozen=True)
class Outcome:
    """An outcome of a household in a period.

    Attributes
    ----------
    name : str
        Name in columns and results; lower case, digits, underscores.
    source : str
        A source of income, ``total``, or another outcome of the panel; left out: `name`, and
        ``total`` under a transform of income.
    per : str
        ``household``, ``head``: divided by members at baseline, or ``adult_equivalent``: divided by
        the households' column ``x_adult_equivalents``.
    real : int or None
        None: prices of each period. A year: prices of that year. A line is always brought to the
        prices of each period, so headcounts take no year; an amount in a threshold with a year is
        an amount in prices of that year.
    transform : Transform or None
        What is made of it.
    measured : Measured
        What the panel says of it; never declared, and no part of what makes two outcomes equal.

    Examples
    --------
    >>> Outcome("total_2020", source="total", real=2020).unit
    'fen/households/years, prices of 2020'
    >>> Outcome("poor", transform=headcount("relative")).is_whole
    True
    """

    name: str
    source: str = ""
    per: Per = "household"
    real: int | None = None
    transform: Transform | None = None
    measured: Measured = field(default=Measured(), compare=False, repr=False)

    def __post_init__(self) -> None:
        if not NAME.fullmatch(self.name):
            raise ValueError(f"outcome {self.name!r}: use lower case, digits and underscores")
        of_income = self.transform is not None and self.transform.kind not in VALUES
        if not self.source:
            known = self.name in schemas.SOURCES or not of_income
            object.__setattr__(self, "source", self.name if known else "total")
        if of_income and self.source not in (*schemas.SOURCES, "total"):
            raise ValueError(
                f"outcome {self.name}: source {self.source!r} is none of the four, nor total"
            )
        if self.per not in get_args(Per):
            raise ValueError(
                f"outcome {self.name}: per {self.per!r} is none of {', '.join(get_args(Per))}"
            )
        frozen = self.transform.reference if self.transform else None
        if frozen and (self.source, self.per, self.real) != (
            frozen.source,
            frozen.per,
            frozen.real,
        ):
            raise ValueError(f"outcome {self.name}: its reference is of another income")
        kind = self.transform.kind if self.transform else ""
        if kind in ("headcount", "squared_gap") and (
            self.per != "household" or self.real is not None
        ):
            raise ValueError(
                f"outcome {self.name}: a {kind} has no unit of money; leave `per` and `real` out"
                " (persons are counted by a design whose unit is person)"
            )

    @property
    def is_money(self) -> bool:
        """Whether it is an amount of money."""
        transform = self.transform
        return self.measured.kind in MONEY and (
            transform is None or transform.kind in ("gap", "winsorised")
        )

    @property
    def is_amount(self) -> bool:
        """Whether one household can make most of its sum: money, and numbers in a unit."""
        plain = self.transform is None or self.transform.kind == "winsorised"
        return self.is_money or (self.measured.kind == "number" and plain)

    @property
    def is_count(self) -> bool:
        """Whether each household is one or none of those counted."""
        if self.transform is not None:
            return self.transform.kind in ("headcount", "threshold")
        return self.measured.kind == "yes_no" and self.per == "household"

    @property
    def is_of_sources(self) -> bool:
        """Whether it is one of the four sources of income or their total, as it is."""
        return self.transform is None and self.source in (*schemas.SOURCES, "total")

    @property
    def is_gap(self) -> bool:
        """Whether it is what lacks to a line, an amount of money."""
        return self.transform is not None and self.transform.kind == "gap"

    @property
    def columns(self) -> tuple[str, ...]:
        """Columns of the income table that it is made of."""
        return schemas.SOURCES if self.source == "total" else (self.source,)

    @property
    def is_whole(self) -> bool:
        """Whether each household's value is a whole number, so that sums are exact."""
        if self.is_count:
            return True
        exact = self.transform is None or self.transform.kind == "gap"
        nominal = self.real is None or self.measured.nominal
        return self.is_money and self.per == "household" and nominal and exact

    @property
    def unit(self) -> str:
        """Unit of a mean of it; says where the mean is only approximate."""
        if self.is_approximate:
            if self.transform and self.transform.kind == "rif_gini":
                return f"index, {APPROXIMATE}"
            return f"{self._money}, {APPROXIMATE}"
        transform = self.transform
        if transform is not None and transform.kind not in (*VALUES, "gap"):
            return "share"
        if transform is not None and transform.kind in ("log", "asinh"):
            name = {"log": "log", "asinh": "inverse hyperbolic sine"}[transform.kind]
            return f"{name} of {main_unit(self._plain)}"
        if transform is not None and transform.kind == "winsorised":
            low, high = (f"{100 * share:g}" for share in transform.shares)
            return f"{self._plain}, winsorised at {low} and {high} %"
        return self._plain

    @property
    def _plain(self) -> str:
        """Unit of the values before a transform."""
        if self.measured.kind in MONEY:
            return self._money
        unit = self.measured.unit or self.measured.kind.replace("_", " or ")
        return unit if self.per == "household" else f"{unit} per {self.per.replace('_', ' ')}"

    @property
    def is_approximate(self) -> bool:
        """Whether it is recentred influence: its mean is a statistic to first order only."""
        return self.transform is not None and self.transform.reference is not None

    @property
    def _money(self) -> str:
        real = self.real is not None and not self.measured.nominal
        prices = f"prices of {self.real}" if real else "prices of each year"
        currency = self.measured.currency
        hundredth = "fen" if currency == "yuan" else f"{HUNDREDTH}{currency}"
        years = "/years" if self.measured.kind == "money" else ""
        return f"{hundredth}/{self.per}s{years}, {prices}"


def standard(real: int | None = None) -> tuple[Outcome, ...]:
    """Return the four sources and the total, per household.

    Examples
    --------
    >>> [outcome.name for outcome in standard()]
    ['wage', 'business', 'property', 'transfer', 'total']
    """
    return tuple(Outcome(name, real=real) for name in (*schemas.SOURCES, "total"))
