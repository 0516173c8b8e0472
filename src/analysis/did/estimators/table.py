"""Cells as arrays: one row per village × cohort × stratum, one column per period.

Shapes: c rows, t periods, k outcomes. Everything an estimator needs, and nothing of how cells were
made.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final, NoReturn

import numpy as np

from analysis.faults import Fault, FaultsError, raise_if_any
from analysis.inference.arrays import Booleans, Floats, Integers

CONSTANT: Final = "the outcome is the same everywhere and always"


def refuse(problem: str, remedy: str, *, column: str = "", value: object = "") -> NoReturn:
    """Say in the user's words why an effect cannot be estimated.

    Raises
    ------
    FaultsError
        Always.
    """
    raise FaultsError([Fault("effects", problem, remedy, column=column, value=str(value))])


@dataclass(frozen=True)
class Leg:
    """A part of a comparison: a weighted mean over each arm.

    Attributes
    ----------
    sign : float
        1, or -1 where the mean is subtracted.
    n : array, shape (c,)
        Households.
    weight : array, shape (c,)
        Their weight W.
    total : array, shape (c, k)
        ΣwΔY, or ΣwY.
    """

    sign: float
    n: Integers
    weight: Floats
    total: Floats


@dataclass(frozen=True)
class Moments:
    """Inverse-count pair moments of unbalanced panels, s and t periods.

    Attributes
    ----------
    a : array, shape (c, t, t)
        A[s, t]: Σ_i w_i 1{s in Ω_i, t seen} / |Ω_i|.
    b : array, shape (c, t, t, k)
        B[s, t]: the same of w_i Y_is.
    """

    a: Floats
    b: Floats


@dataclass(frozen=True)
class Seen:
    """Units by the periods that they are seen in: p kinds of units.

    Attributes
    ----------
    cell : array, shape (p,)
        Row of the table.
    periods : array, shape (p, t)
        Whether such units are seen in a period.
    n : array, shape (p,)
        How many they are.
    """

    cell: Integers
    periods: Booleans
    n: Integers


@dataclass(frozen=True)
class Table:
    """Cells as arrays.

    Attributes
    ----------
    villages, strata, outcomes : tuple of str
        Names; rows hold their numbers.
    periods : array, shape (t,)
        Ascending; they need not follow each other.
    village, cohort, stratum : array, shape (c,)
        Of each row; cohort is the first treated period, 0 for never.
    n : array, shape (c, t)
        Households.
    weight : array, shape (c, t)
        Their weight.
    total : array, shape (c, t, k)
        ΣwY.
    n_ever, weight_ever : array, shape (c,)
        Households seen in any period, and their weight.
    handling : str
        ``balanced``, ``pairs`` or ``cross_sections``.
    weighted : bool
        Whether weights differ from 1.
    pairs : mapping of (base, period) to Leg
        Changes of the households seen in both; handling ``pairs`` only.
    untreated, all_periods : Moments or None
        For household effects on unbalanced panels.
    seen : Seen or None
        Who is seen when, on unbalanced panels made from a frame; only to count rows.
    imputed : Table or None
        The rows of households seen untreated at least once; None where these are all.
    rows_in : int
        Household × period records of the source.
    left_out : mapping of str to int
        Records not used, by reason.
    programme, tier : str
        What was treated, and the evidence tier.
    first_in_village : array, shape (v,), or None
        First period in which anybody of a village is treated, 0 for nobody, where rows that are
        not in the table count too; None: as the rows say.
    units : mapping of str to str
        Unit of each outcome.

    Raises
    ------
    FaultsError
        If a number is missing or infinite, a row occurs twice, or there is one period only.
    """

    villages: tuple[str, ...]
    strata: tuple[str, ...]
    outcomes: tuple[str, ...]
    periods: Integers
    village: Integers
    cohort: Integers
    stratum: Integers
    n: Integers
    weight: Floats
    total: Floats
    n_ever: Integers
    weight_ever: Floats
    handling: str = "balanced"
    weighted: bool = False
    pairs: Mapping[tuple[int, int], Leg] = field(default_factory=dict)
    untreated: Moments | None = None
    all_periods: Moments | None = None
    seen: Seen | None = None
    imputed: Table | None = None
    rows_in: int = 0
    left_out: Mapping[str, int] = field(default_factory=dict)
    programme: str = ""
    tier: str = "yours"
    first_in_village: Integers | None = None
    units: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.periods.size < 2:
            refuse(
                "there is one period only",
                "effects need a period before and one after",
                column="period",
                value=self.periods.tolist(),
            )
        for k, name in enumerate(self.outcomes):
            if not np.isfinite(self.total[:, :, k]).all():
                refuse(
                    "a sum is missing or infinite", "correct or leave out such incomes", column=name
                )
        if not (np.isfinite(self.weight).all() and (self.weight >= 0).all()):
            refuse("a weight is missing, infinite or negative", "correct it", column="weight")
        keys = np.stack([self.village, self.cohort, self.stratum])
        if np.unique(keys, axis=1).shape[1] < self.village.size:
            refuse("a village × cohort × stratum occurs twice", "make the cells again")

    @property
    def cohorts(self) -> tuple[int, ...]:
        """First treated periods, ascending, without the never treated."""
        return tuple(int(g) for g in np.unique(self.cohort) if g > 0)

    def village_cohort(self) -> Integers:
        """Return the first period in which any household of a village is treated, 0 for none."""
        if self.first_in_village is not None:
            return self.first_in_village
        late = np.iinfo(np.int64).max
        first = np.full(len(self.villages), late)
        np.minimum.at(first, self.village, np.where(self.cohort > 0, self.cohort, late))
        return np.where(first == late, 0, first)

    def place(self, period: int) -> int:
        """Return the column of a period."""
        return int(np.searchsorted(self.periods, period))

    def legs(self, base: int, period: int) -> tuple[Leg, ...]:
        """Return what compares a period with its base: the change, or two cross-sections.

        Raises
        ------
        FaultsError
            If the cells lack that pair of periods.
        """
        b, t = self.place(base), self.place(period)
        if self.handling == "cross_sections":
            return tuple(
                Leg(sign, self.n[:, at], self.weight[:, at], self.total[:, at])
                for sign, at in ((1.0, t), (-1.0, b))
            )
        if self.handling == "pairs":
            if (base, period) not in self.pairs:
                refuse(
                    "the cells lack this pair of periods",
                    "make them with the anticipation that the effects are asked with",
                    column="base, period",
                    value=f"{base}, {period}",
                )
            return (self.pairs[base, period],)
        return (Leg(1.0, self.n[:, b], self.weight[:, b], self.total[:, t] - self.total[:, b]),)

    def rows(self, kept: Booleans) -> Table:
        """Return the table with some of its rows, all villages named."""

        def chosen(moments: Moments | None) -> Moments | None:
            return moments and Moments(moments.a[kept], moments.b[kept])

        names = ("village", "cohort", "stratum", "n", "weight", "total", "n_ever", "weight_ever")
        arrays: dict[str, Any] = {name: getattr(self, name)[kept] for name in names}
        pairs = {
            key: Leg(leg.sign, leg.n[kept], leg.weight[kept], leg.total[kept])
            for key, leg in self.pairs.items()
        }
        seen = self.seen
        if seen is not None:
            there = kept[seen.cell]
            number = np.cumsum(kept) - 1
            seen = Seen(number[seen.cell[there]], seen.periods[there], seen.n[there])
        return replace(
            self,
            **arrays,
            pairs=pairs,
            seen=seen,
            imputed=None,
            untreated=chosen(self.untreated),
            all_periods=chosen(self.all_periods),
        )

    def select(self, *outcomes: str) -> Table:
        """Return the table with some of its outcomes."""
        unknown = [name for name in outcomes if name not in self.outcomes]
        if unknown:
            refuse(
                "no such outcome",
                f"choose from {', '.join(self.outcomes)}",
                column="outcome",
                value=", ".join(unknown),
            )
        at = [self.outcomes.index(name) for name in outcomes]

        def chosen(moments: Moments | None) -> Moments | None:
            return moments and Moments(moments.a, moments.b[..., at])

        return replace(
            self,
            outcomes=outcomes,
            total=self.total[:, :, at],
            pairs={key: replace(leg, total=leg.total[:, at]) for key, leg in self.pairs.items()},
            untreated=chosen(self.untreated),
            all_periods=chosen(self.all_periods),
            imputed=self.imputed and self.imputed.select(*outcomes),
        )


def constant(table: Table) -> dict[str, float]:
    """Return the outcomes that have the same mean in every cell and period, with that mean."""
    seen = table.weight > 0
    by_name = {}
    for k, name in enumerate(table.outcomes):
        mean = table.total[:, :, k][seen] / table.weight[seen]
        if mean.size and np.ptp(mean) <= 1e-12 * np.abs(mean).max(initial=0):
            by_name[name] = float(mean[0])
    return by_name


def check_constant(table: Table) -> None:
    """Refuse an outcome that has the same mean in every cell and period.

    Raises
    ------
    FaultsError
        Naming every such outcome.
    """
    raise_if_any(
        Fault("effects", CONSTANT, "leave it out", column=name, value=f"{mean:g}")
        for name, mean in constant(table).items()
    )
