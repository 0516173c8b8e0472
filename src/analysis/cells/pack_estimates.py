"""Estimates that a pack carries: points and their joint covariance, as plain values and back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from analysis.inference.arrays import Floats


@dataclass(frozen=True)
class Point:
    """One estimate of a joint covariance.

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
        Degrees of freedom of its `reported` interval: they follow from the weights of villages,
        which stay inside.
    effective_treated, effective_control : float
        Effective clusters by arm, (Σw)²/Σw² of the weights of villages, to one decimal.
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


@dataclass(frozen=True)
class Covariance:
    """Estimates and how they vary together.

    Attributes
    ----------
    points : tuple of Point
        The k estimates.
    parity : ndarray of shape (k, k)
        Σ over villages of ψψ′ (CR0, no factor).
    reported : ndarray of shape (k, k) or None
        The jackknife over villages (CV3); NaN in row and column of an estimate that has none,
        None where no estimate has one.
    """

    points: tuple[Point, ...]
    parity: Floats
    reported: Floats | None = None

    def __post_init__(self) -> None:
        k = len(self.points)
        for name in ("parity", "reported"):
            matrix = getattr(self, name)
            if matrix is not None and matrix.shape != (k, k):
                raise ValueError(f"{name} is {matrix.shape}, not {(k, k)}")


def as_dict(covariance: Covariance) -> dict[str, Any]:
    """Return estimates and their covariance as plain values, for JSON."""
    reported = covariance.reported
    return {
        "points": [asdict(point) for point in covariance.points],
        "parity": covariance.parity.tolist(),
        "reported": None if reported is None else _nulls(reported),
    }


def _nulls(matrix: Floats) -> list[list[float | None]]:
    """Return rows with null for NaN, which JSON has not."""
    return [[None if np.isnan(x) else float(x) for x in row] for row in matrix]


def from_dict(entry: Mapping[str, Any]) -> Covariance:
    """Return what `as_dict` wrote."""
    reported = entry["reported"]
    return Covariance(
        tuple(Point(**point) for point in entry["points"]),
        np.array(entry["parity"], dtype=np.float64),
        None if reported is None else np.array(reported, dtype=np.float64),
    )
