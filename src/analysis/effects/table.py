"""Cells as arrays: one row per village × cohort × stratum, one column per period.

Shapes: c rows, t periods, k outcomes. Everything an estimator needs, and nothing of how cells were
made.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, NoReturn

import numpy as np
import polars as pl

from analysis.cells.result import Cells
from analysis.faults import Fault, FaultsError
from analysis.inference.arrays import Booleans, Floats, Integers


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
    imputed : Table or None
        The rows of households seen untreated at least once; None where these are all.
    rows_in : int
        Household × period records of the source.
    left_out : mapping of str to int
        Records not used, by reason.
    programme, tier : str
        What was treated, and the evidence tier.
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
    imputed: Table | None = None
    rows_in: int = 0
    left_out: Mapping[str, int] = field(default_factory=dict)
    programme: str = ""
    tier: str = "yours"
    units: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.periods.size < 2:
            refuse("there is one period only", "effects need a period before and one after",
                   column="period", value=self.periods.tolist())  # fmt: skip
        for k, name in enumerate(self.outcomes):
            if not np.isfinite(self.total[:, :, k]).all():
                refuse("a sum is missing or infinite", "correct or leave out such incomes",
                       column=name)  # fmt: skip
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
                refuse("the cells lack this pair of periods",
                       "make them with the anticipation that the effects are asked with",
                       column="base, period", value=f"{base}, {period}")  # fmt: skip
            return (self.pairs[base, period],)
        return (Leg(1.0, self.n[:, b], self.weight[:, b], self.total[:, t] - self.total[:, b]),)

    def rows(self, kept: Booleans) -> Table:
        """Return the table with some of its rows, all villages named."""

        def chosen(moments: Moments | None) -> Moments | None:
            return moments and Moments(moments.a[kept], moments.b[kept])

        names = ("village", "cohort", "stratum", "n", "weight", "total", "n_ever", "weight_ever")
        arrays: dict[str, Any] = {name: getattr(self, name)[kept] for name in names}
        pairs = {key: Leg(leg.sign, leg.n[kept], leg.weight[kept], leg.total[kept])
                 for key, leg in self.pairs.items()}  # fmt: skip
        return replace(self, **arrays, pairs=pairs, imputed=None,
                       untreated=chosen(self.untreated),
                       all_periods=chosen(self.all_periods))  # fmt: skip

    def select(self, *outcomes: str) -> Table:
        """Return the table with some of its outcomes."""
        unknown = [name for name in outcomes if name not in self.outcomes]
        if unknown:
            refuse("no such outcome", f"choose from {', '.join(self.outcomes)}",
                   column="outcome", value=", ".join(unknown))  # fmt: skip
        at = [self.outcomes.index(name) for name in outcomes]

        def chosen(moments: Moments | None) -> Moments | None:
            return moments and Moments(moments.a, moments.b[..., at])

        return replace(
            self, outcomes=outcomes, total=self.total[:, :, at],
            pairs={key: replace(leg, total=leg.total[:, at]) for key, leg in self.pairs.items()},
            untreated=chosen(self.untreated), all_periods=chosen(self.all_periods),
            imputed=self.imputed and self.imputed.select(*outcomes),
        )  # fmt: skip


def check_constant(table: Table) -> None:
    """Refuse an outcome that has the same mean in every cell and period.

    Raises
    ------
    FaultsError
        Naming every such outcome.
    """
    seen = table.weight > 0
    faults = []
    for k, name in enumerate(table.outcomes):
        mean = table.total[:, :, k][seen] / table.weight[seen]
        if mean.size and np.ptp(mean) <= 1e-12 * np.abs(mean).max(initial=0):
            faults.append(Fault("effects", "the outcome is the same everywhere and always",
                                "leave it out", column=name, value=f"{mean[0]:g}"))  # fmt: skip
    if faults:
        raise FaultsError(faults)


def from_cells(cells: Cells, *outcomes: str) -> Table:
    """Lay cells out as arrays.

    Parameters
    ----------
    cells : Cells
        Of one programme.
    outcomes : str
        Names of outcomes; all if none is named.

    Raises
    ------
    FaultsError
        If the cells are those of a pair of programmes, or a number is missing or infinite.
    """
    if len(cells.design.programmes) > 1:
        refuse("the cells are of two programmes", "make cells of one programme",
               column="programmes", value=", ".join(cells.design.programmes))  # fmt: skip
    names = outcomes or tuple(outcome.name for outcome in cells.design.outcomes)
    columns = [cells.column(name) for name in names]
    whole = _arrays(cells, cells.totals, cells.ever, names, columns)
    if cells.pairs is not None:
        whole = replace(whole, pairs=_pairs(cells.pairs, whole, columns))
    if cells.inverse is None:
        return whole
    every = _moments(cells.inverse.filter(omega="all"), whole, names)
    if cells.untreated is None:
        return replace(whole, all_periods=every)
    part = _arrays(cells, cells.untreated, _ever_of(cells.untreated), names, columns)
    untreated = _moments(cells.inverse.filter(omega="untreated"), part, names)
    return replace(whole, all_periods=every, imputed=replace(part, untreated=untreated))


def _ever_of(totals: pl.DataFrame) -> pl.DataFrame:
    """Return the keys of totals; imputation does not use shares, so counts are of the largest."""
    keys = ["village", "cohort", "stratum"]
    largest = totals.group_by(keys).agg(
        n_ever=pl.col("n").max(), weight_ever=pl.col("weight").max()
    )
    return largest.sort(keys)


def _arrays(
    cells: Cells,
    totals: pl.DataFrame,
    ever: pl.DataFrame,
    names: tuple[str, ...],
    columns: list[str],
) -> Table:
    villages = tuple(cells.ever["village"].unique().sort().to_list())
    strata = tuple(cells.ever["stratum"].unique().sort().to_list())
    periods = np.array(sorted(cells.periods), np.int64)
    row, at = _places(totals, ever), np.searchsorted(periods, totals["period"].to_numpy())
    shape = (ever.height, periods.size)
    n, weight = np.zeros(shape, np.int64), np.zeros(shape)
    total = np.zeros((*shape, len(names)))
    n[row, at], weight[row, at] = totals["n"].to_numpy(), totals["weight"].to_numpy()
    total[row, at] = _floats(totals, columns)
    return Table(
        villages=villages, strata=strata, outcomes=names, periods=periods,
        village=np.searchsorted(villages, ever["village"].to_numpy()),
        cohort=ever["cohort"].to_numpy().astype(np.int64),
        stratum=np.searchsorted(strata, ever["stratum"].to_numpy()),
        n=n, weight=weight, total=total,
        n_ever=ever["n_ever"].to_numpy(), weight_ever=ever["weight_ever"].to_numpy(),
        handling=cells.design.handling, weighted=cells.weighted,
        rows_in=cells.account.rows_read, left_out=dict(cells.account.left_out),
        programme=cells.design.programmes[0], tier=cells.tier,
        units={name: cells.design.outcome(name).unit for name in names},
    )  # fmt: skip


def _places(frame: pl.DataFrame, ever: pl.DataFrame) -> Integers:
    """Return the row of the table that each row of a frame belongs to."""
    keys = ["village", "cohort", "stratum"]
    found = frame.select(keys).join(
        ever.select(keys).with_row_index("row"), on=keys, how="left", maintain_order="left"
    )["row"]
    if found.null_count():
        refuse("a cell's households are not among those ever seen", "make the cells again")
    return found.to_numpy().astype(np.int64)


def _floats(frame: pl.DataFrame, columns: list[str]) -> Floats:
    """Return columns as numbers; an empty one becomes NaN, which the table refuses."""
    chosen = frame.select(pl.col(name).cast(pl.Float64).fill_null(np.nan) for name in columns)
    return chosen.to_numpy()


def _pairs(pairs: pl.DataFrame, table: Table, columns: list[str]) -> dict[tuple[int, int], Leg]:
    keys = pl.DataFrame(
        {"village": [table.villages[v] for v in table.village],
         "cohort": pl.Series(table.cohort, dtype=pl.Int32),
         "stratum": [table.strata[s] for s in table.stratum]}
    )  # fmt: skip
    found = {}
    for (base, period), part in pairs.group_by("base", "period", maintain_order=True):
        row = _places(part, keys)
        n, weight = np.zeros(row_count := table.village.size, np.int64), np.zeros(row_count)
        total = np.zeros((row_count, len(columns)))
        n[row], weight[row] = part["n"].to_numpy(), part["weight"].to_numpy()
        after = _floats(part, [f"{name}_period" for name in columns])
        total[row] = after - _floats(part, [f"{name}_base" for name in columns])
        found[int(str(base)), int(str(period))] = Leg(1.0, n, weight, total)
    return found


def _moments(moments: pl.DataFrame, table: Table, names: tuple[str, ...]) -> Moments | None:
    if not moments.height:
        return None
    c, t, k = table.total.shape
    a, b = np.zeros((c, t, t)), np.zeros((c, t, t, k))
    keys = pl.DataFrame(
        {"village": [table.villages[v] for v in table.village],
         "cohort": pl.Series(table.cohort, dtype=pl.Int32),
         "stratum": [table.strata[s] for s in table.stratum]}
    )  # fmt: skip
    at = (
        _places(moments, keys),
        np.searchsorted(table.periods, moments["base"].to_numpy()),
        np.searchsorted(table.periods, moments["period"].to_numpy()),
    )
    a[at] = moments["a"].to_numpy()
    b[at] = _floats(moments, [f"b_{name}" for name in names])
    return Moments(a, b)
