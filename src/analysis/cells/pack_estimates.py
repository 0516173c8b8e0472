"""Estimates that a pack carries: points, and one covariance of few digits and of low rank.

Covariances at full precision gave village sums back to the fen: two Gram matrices of the same
villages have the villages as generalised eigenvectors once their rank is near the number of
villages. So a pack carries one matrix, its rank far below that number, in three digits.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, Final

import numpy as np

from analysis.cells.parameters import parameters
from analysis.inference.arrays import Booleans, Floats

RANK_ZERO: Final = 1e-9
"""Eigenvalue of a correlation matrix, relative to the largest, up to which it is rounding."""
NOT_ALL: Final = "no error is told of estimates with fewer than {} villages in an arm"
NO_RANK: Final = (
    "the estimates are too many for the villages of the smaller arm: no covariance is told, and the"
    " errors of at most {} aggregates"
)
SMALL_VILLAGE: Final = "a village has fewer households than the rules ask for: no error is told"
"""Why a pack tells less than its estimates have."""


@dataclass(frozen=True)
class Point:
    """One estimate of a pack.

    Attributes
    ----------
    estimand : str
        Name of a declared estimand.
    outcome : str
        Name of a declared outcome.
    cohort, period, at : int or None
        Which effect of it; `at` as in `analysis.panels.estimands`.
    estimate : float
        In the outcome's unit.
    n_villages_treated, n_villages_control : int
        Villages with influence on it, by arm.
    n_villages : int
        Villages that it uses, those that only count in the shares of cohorts too.
    degrees : float
        Degrees of freedom of its interval, rounded down to one decimal: they follow from the
        weights of villages, which stay inside.
    effective_treated, effective_control : float
        Effective clusters by arm, (Σw)²/Σw² of the weights of villages, to one decimal.
    std_error : float or None
        By the jackknife over villages (CV3), in few digits; None where it is not told.
    """

    estimand: str
    outcome: str
    estimate: float
    n_villages_treated: int
    n_villages_control: int
    n_villages: int
    degrees: float
    effective_treated: float
    effective_control: float
    cohort: int | None = None
    period: int | None = None
    at: int | None = None
    std_error: float | None = None


@dataclass(frozen=True)
class Estimated:
    """Estimates as the cells give them: they stay inside.

    Attributes
    ----------
    points : tuple of Point
        The k estimates, without errors.
    matrix : ndarray of shape (k, k)
        Their jackknife covariance at full precision; NaN where an estimate has no error.
    """

    points: tuple[Point, ...]
    matrix: Floats


@dataclass(frozen=True)
class Covariance:
    """Estimates and how they vary together, as published.

    Attributes
    ----------
    points : tuple of Point
        The k estimates, with their errors.
    correlations : ndarray of shape (k, k) or None
        In three decimals, NaN beside an estimate without an error; None where only errors are told.
    rank : int
        Of the matrix before it was rounded, or how many errors are told.
    note : str
        Why the matrix or an error is not told; empty if all is.
    """

    points: tuple[Point, ...]
    correlations: Floats | None = None
    rank: int = 0
    note: str = ""

    def __post_init__(self) -> None:
        k = len(self.points)
        if self.correlations is not None and self.correlations.shape != (k, k):
            raise ValueError(f"correlations are {self.correlations.shape}, not {(k, k)}")

    @property
    def errors(self) -> Floats:
        """Standard errors, shape (k,); NaN where none is told."""
        values = [np.nan if p.std_error is None else p.std_error for p in self.points]
        return np.array(values, np.float64)

    @property
    def matrix(self) -> Floats:
        """Covariance that follows from errors and correlations, shape (k, k); NaN where untold."""
        errors = self.errors
        values = np.full((errors.size, errors.size), np.nan)
        there = np.isfinite(errors)
        if self.correlations is not None:
            square = np.ix_(there, there)
            values[square] = semidefinite(self.correlations[square])
        np.fill_diagonal(values, np.where(there, 1.0, np.nan))
        return values * np.outer(errors, errors)


def published(
    inside: Estimated, *, households: int, least: int, rank_before: int = 0
) -> Covariance:
    """Return what of estimates and their covariance may be published.

    Estimates with the fewest villages in an arm lose their errors first, until the rank of the
    covariance of the others is far enough below the villages of the smaller arm. Where none is left
    the errors of few declared aggregates are told, and no covariance.

    Parameters
    ----------
    inside : Estimated
        As the cells give them.
    households : int
        Of the smallest village.
    least : int
        Households that every village must have.
    rank_before : int
        Rank of the matrices, and number of errors, released before of the same villages.

    Examples
    --------
    Forty villages in each arm and two estimates that move together: three digits.

    >>> point = Point("overall", "total", 1.5, 40, 40, 80, 38.27, 40.0, 40.0)
    >>> v = np.array([[2.0, 1.0], [1.0, 3.0]])
    >>> found = published(Estimated((point, point), v), households=20, least=10)
    >>> found.errors.tolist(), found.correlations[0, 1].item(), found.rank
    ([1.41, 1.73], 0.408, 2)

    Eleven villages in the smaller arm leave no ten degrees beside two estimates.

    >>> few = (replace(point, n_villages_treated=11),) * 2
    >>> found = published(Estimated(few, v), households=20, least=10)
    >>> found.errors.tolist(), found.correlations, found.note[:26]
    ([1.41, 1.73], None, 'the estimates are too many')
    """
    limits, matrix = parameters(), inside.matrix
    points = tuple(replace(p, degrees=float(np.floor(p.degrees * 10) / 10)) for p in inside.points)
    values = np.isfinite(np.diag(matrix))
    if households < least:
        return Covariance(points, note=SMALL_VILLAGE)
    arms = np.array([min(p.n_villages_treated, p.n_villages_control) for p in points])
    for arm in np.unique(arms[values]):
        kept = values & (arms >= arm)
        rank = matrix_rank(matrix[np.ix_(kept, kept)])
        if arm > limits.few_villages and rank + rank_before <= arm - limits.residual_degrees:
            spread = np.sqrt(np.where(kept, np.diag(matrix), np.nan))
            correlations = np.round(matrix / np.outer(spread, spread), limits.digits)
            note = NOT_ALL.format(arm) if kept.sum() < values.sum() else ""
            return Covariance(_with_errors(points, matrix, kept), correlations, rank, note)
    kept = values & _aggregates(points, values, limits.errors_without_matrix - rank_before)
    note = NO_RANK.format(limits.errors_without_matrix) if values.any() else ""
    return Covariance(_with_errors(points, matrix, kept), None, int(kept.sum()), note)


def matrix_rank(matrix: Floats) -> int:
    """Return how many independent estimates a covariance is of, whatever their units."""
    spread = np.sqrt(np.diag(matrix))
    values = np.linalg.eigvalsh(matrix / np.outer(spread, spread))
    return int((values > RANK_ZERO * values.max()).sum())


def _aggregates(points: Sequence[Point], mask: Booleans, most: int) -> Booleans:
    """Return the first estimates that are one number of an estimand and outcome."""
    single = mask & [p.cohort is None and p.period is None and p.at is None for p in points]
    return single & (np.cumsum(single) <= most)


def _with_errors(points: Sequence[Point], matrix: Floats, kept: Booleans) -> tuple[Point, ...]:
    """Return points with their errors, in fewer digits where an arm has few villages."""
    limits, result = parameters(), []
    for point, variance, text in zip(points, np.diag(matrix), kept, strict=True):
        few = min(point.n_villages_treated, point.n_villages_control) <= limits.few_villages
        digits = limits.digits_few_villages if few else limits.digits
        error = float(f"{np.sqrt(variance):.{digits}g}") if text else None
        result.append(replace(point, std_error=error))
    return tuple(result)


def semidefinite(correlations: Floats) -> Floats:
    """Return the positive semidefinite correlations nearest to rounded ones.

    Eigenvalues below zero are set to zero and the diagonal is brought back to one (Rebonato and
    Jäckel 2000): errors keep their digits.

    Examples
    --------
    >>> semidefinite(np.array([[1.0, 1.0], [1.0, 1.0]])).round(12).tolist()
    [[1.0, 1.0], [1.0, 1.0]]
    """
    values, vectors = np.linalg.eigh(correlations)
    result = (vectors * np.maximum(values, 0)) @ vectors.T
    spread = np.sqrt(np.diag(result))
    nearest: Floats = result / np.outer(spread, spread)
    return nearest


def as_dict(covariance: Covariance) -> dict[str, Any]:
    """Return estimates and their covariance as plain values, for JSON."""
    values = covariance.correlations
    return {
        "points": [asdict(point) for point in covariance.points],
        "correlations": values if values is None else _nulls(values),
        "rank": covariance.rank,
        "note": covariance.note,
    }


def _nulls(matrix: Floats) -> list[list[float | None]]:
    """Return rows with null for NaN, which JSON has not."""
    return [[None if np.isnan(x) else float(x) for x in row] for row in matrix]


def from_dict(entry: Mapping[str, Any]) -> Covariance:
    """Return what `as_dict` wrote."""
    text = entry["correlations"]
    return Covariance(
        tuple(Point(**point) for point in entry["points"]),
        None if text is None else np.array(text, dtype=np.float64),
        entry["rank"],
        entry["note"],
    )
