"""How household income varies inside villages and between them, over the years of a panel."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import polars as pl

from analysis import money
from analysis.faults import Fault, FaultsError
from analysis.inference.arrays import Booleans, Floats, Integers
from analysis.panels import schemas
from analysis.panels.panel import Panel

LONGEST: Final = 6
"""Years of the panel that are used, the last ones: the longer, the fewer households have all."""
FEWEST: Final = 10
"""Villages below which no variance between villages is estimated."""


@dataclass(frozen=True)
class Incomes:
    """Incomes of the households seen in each of the last years.

    Attributes
    ----------
    household : tuple of str
        Names, n of them.
    village : array, shape (n,)
        Number of the village.
    villages : tuple of str
        Their names.
    amount : array, shape (n, t)
        Total disposable income, units of the currency (yuan) a year, per household.
    periods : tuple of int
        Years, t of them.
    price_year : int or None
        Prices of that year; None: of each year.
    rows_in, rows_used : int
        Household-years in these years, and of households complete in all of them.
    """

    household: tuple[str, ...]
    village: Integers
    villages: tuple[str, ...]
    amount: Floats
    periods: tuple[int, ...]
    price_year: int | None
    rows_in: int
    rows_used: int


@dataclass(frozen=True)
class Components:
    """How incomes vary inside villages and between them, over t years.

    Attributes
    ----------
    within, between : array, shape (t, t)
        Covariances of years: of a household about its village, and of villages about the mean of
        all. `between` has no negative eigenvalue: those of the moment estimate are set to zero.
    mean : float
        Mean income of the last year.
    n_households, n_villages : int
        What they were estimated from.
    """

    within: Floats
    between: Floats
    mean: float
    n_households: int
    n_villages: int

    @property
    def share_between(self) -> float:
        """Intraclass correlation of the last year's income."""
        return float(self.between[-1, -1] / (self.between[-1, -1] + self.within[-1, -1]))

    def autocorrelation(self, households: int) -> float:
        """Return the correlation of a village's mean with that of the year before."""
        if len(self.within) == 1:
            return float("nan")
        both = self.between + self.within / households
        return float(both[-1, -2] / np.sqrt(both[-1, -1] * both[-2, -2]))


def incomes(panel: Panel, years: int = LONGEST) -> Incomes:
    """Read the incomes of the last years, of households complete in all of them.

    Money in nominal fen is brought to prices of the last year; other money stays as it is. Weights
    are not used: these are variances for a new sample.

    Raises
    ------
    FaultsError
        If no household is complete in all these years.
    """
    complete = panel.income.filter("complete")
    periods = tuple(complete.select(pl.col("period").unique().sort()).collect()["period"])[-years:]
    rows = complete.filter(pl.col("period").is_in(periods))
    price_year = panel.price_year
    if panel.currency == "yuan" and panel.prices and price_year is None and periods:
        price_year = periods[-1]
        rows = money.load().to_real(rows, schemas.SOURCES, price_year, (periods[0], periods[-1]))
    long = (
        rows.select("household", "period", total=schemas.total() / money.FEN_PER_YUAN)
        .join(panel.households.select("household", "village"), on="household")
        .sort("household", "period")
        .collect()
    )
    kept = long.filter(pl.len().over("household") == len(periods))
    if kept.is_empty():
        raise FaultsError(
            [
                Fault(
                    "income.parquet",
                    "no household is complete in every year used",
                    "ask for fewer years",
                    value=str(periods),
                )
            ]
        )
    first = kept.filter(pl.col("period") == periods[0])
    names = first["village"].unique().sort()
    number = first["village"].replace_strict(names, range(len(names)), return_dtype=pl.Int64)
    return Incomes(
        household=tuple(first["household"]),
        village=number.to_numpy(),
        villages=tuple(names),
        amount=kept["total"].to_numpy().reshape(-1, len(periods)),
        periods=periods,
        price_year=price_year,
        rows_in=int(
            panel.income.filter(pl.col("period").is_in(periods)).select(pl.len()).collect().item()
        ),
        rows_used=kept.height,
    )


def components(incomes: Incomes, kept: Booleans | None = None) -> Components:
    r"""Estimate variances and autocovariances within and between villages.

    Parameters
    ----------
    incomes : Incomes
        As `incomes` reads them.
    kept : array of bool, shape (n,), optional
        Households to use; all by default.

    Raises
    ------
    FaultsError
        With fewer than `FEWEST` villages, or one household in each.

    Notes
    -----
    The analysis of variance of one factor, for matrices. With :math:`y_{iv}` the years of
    household i in village v, :math:`W = \sum (y_{iv}-\bar y_v)(y_{iv}-\bar y_v)'/(N-V)` and
    :math:`B = \sum n_v(\bar y_v-\bar y)(\bar y_v-\bar y)'/(V-1)`, the covariance between villages
    is :math:`(B-W)/n_0`, :math:`n_0=(N-\sum n_v^2/N)/(V-1)` (Searle, Casella & McCulloch 1992,
    section 3.6).
    """
    kept = np.ones(len(incomes.village), dtype=bool) if kept is None else kept
    amount, village = incomes.amount[kept], incomes.village[kept]
    _, village, sizes = np.unique(village, return_inverse=True, return_counts=True)
    n, v = len(village), len(sizes)
    if v < FEWEST or n == v:
        raise FaultsError(
            [
                Fault(
                    "households.parquet",
                    "too few villages or households in them",
                    f"at least {FEWEST} villages, some with two households",
                    value=f"{v} villages, {n} households",
                )
            ]
        )
    means = np.zeros((v, amount.shape[1]))
    np.add.at(means, village, amount)
    means /= sizes[:, None]
    inside = amount - means[village]
    within = inside.T @ inside / (n - v)
    apart = means - amount.mean(axis=0)
    mean_size = (n - (sizes**2).sum() / n) / (v - 1)
    between = ((sizes[:, None] * apart).T @ apart / (v - 1) - within) / mean_size
    return Components(
        within=within,
        between=_no_negative(between),
        mean=float(amount[:, -1].mean()),
        n_households=n,
        n_villages=v,
    )


def _no_negative(matrix: Floats) -> Floats:
    """Set negative eigenvalues of a symmetric matrix to zero."""
    values, vectors = np.linalg.eigh(matrix)
    return np.asarray((vectors * values.clip(min=0)) @ vectors.T)
