"""Joint tests of several estimates."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, NoReturn

import numpy as np
from scipy import special  # type: ignore[import-untyped]

from analysis.faults import Fault, FaultsError
from analysis.inference.arrays import Floats

FEWER: Final = "test fewer periods (such as pretrends(first=-2)), or look at them one by one"


def _refuse(problem: str, remedy: str) -> NoReturn:
    raise FaultsError([Fault("effects", problem, remedy, column="joint test")])


@dataclass(frozen=True)
class WaldTest:
    """A test that several effects are all zero.

    Attributes
    ----------
    statistic : float
        θ′V⁻¹θ.
    restrictions : int
        Effects tested.
    p_value : float
        By the chi-squared distribution (`parity`) or by Hotelling's T² (`reported`).
    """

    statistic: float
    restrictions: int
    p_value: float


def wald(points: Floats, covariance: Floats, smaller_arm: float, degrees: float) -> WaldTest:
    """Test that several effects are all zero.

    Parameters
    ----------
    points : array, shape (k,)
        Estimates.
    covariance : array, shape (k, k)
        Of the estimates.
    smaller_arm : float
        Effective clusters of the smaller arm.
    degrees : float
        Degrees of freedom; infinite: chi-squared. Otherwise W (m − k + 1) / (m k) against
        F(k, m − k + 1), Hotelling's T² for m degrees of freedom.

    Raises
    ------
    FaultsError
        If there are as many effects as effective clusters in the smaller arm or degrees of freedom,
        or one is a mix of others.

    Examples
    --------
    One effect: the square of t against F(1, m) is the t test.

    >>> found = wald(np.array([2.0]), np.eye(1), 6, 10.0)
    >>> found.statistic, round(found.p_value, 4)
    (4.0, 0.0734)
    """
    k = points.size
    if k >= smaller_arm:
        _refuse(
            f"{k} effects are tested jointly, but the smaller arm has {smaller_arm:.3g} effective"
            " clusters",
            FEWER,
        )
    if not np.isfinite(covariance).all() or np.linalg.matrix_rank(covariance) < k:
        _refuse("an effect has no standard error or is a mix of others", "leave it out")
    statistic = float(points @ np.linalg.solve(covariance, points))
    if np.isinf(degrees):
        return WaldTest(statistic, k, float(special.chdtrc(k, statistic)))
    below = degrees - k + 1
    if below <= 0:
        _refuse(
            f"{k} effects are tested jointly, but the clusters leave {degrees:.1f} degrees of"
            " freedom",
            FEWER,
        )
    p_value = special.fdtrc(k, below, statistic * below / (degrees * k))
    return WaldTest(statistic, k, float(p_value))
