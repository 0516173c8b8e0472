"""Several estimates a study: a three-level model, checked by cluster-robust variance (CR2)."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import optimize, special  # type: ignore[import-untyped]

Array = NDArray[np.float64]
FEWEST_DF = 4.0
"""Under these Satterthwaite degrees the robust interval is descriptive (Tipton 2015)."""


@dataclass(frozen=True)
class ThreeLevel:
    """The mean over dependent estimates.

    Attributes
    ----------
    n_studies, n_estimates : int
        Studies (clusters) and estimates.
    mean, std_error : float
        Mean and its model-based standard error.
    df : float
        Studies less one.
    tau_between, tau_within : float
        Standard deviations between studies and between estimates of one study.
    robust_error, robust_df : float
        CR2 standard error and its Satterthwaite degrees of freedom.
    weights : array
        Share of each estimate in the mean.
    """

    n_studies: int
    n_estimates: int
    mean: float
    std_error: float
    df: float
    tau_between: float
    tau_within: float
    robust_error: float
    robust_df: float
    weights: Array

    @property
    def tau(self) -> float:
        """Standard deviation of the effects of single estimates."""
        return math.hypot(self.tau_between, self.tau_within)

    @property
    def descriptive(self) -> bool:
        """Whether the degrees are too few for an interval to keep its promise."""
        return min(self.df, self.robust_df) < FEWEST_DF

    def interval(self, level: float = 0.95) -> tuple[float, float]:
        """Return the interval of the mean, model-based."""
        reach = self.std_error * float(special.stdtrit(self.df, (1 + level) / 2))
        return self.mean - reach, self.mean + reach

    def robust_interval(self, level: float = 0.95) -> tuple[float, float]:
        """Return the interval of the mean by cluster-robust variance."""
        reach = self.robust_error * float(special.stdtrit(self.robust_df, (1 + level) / 2))
        return self.mean - reach, self.mean + reach

    def prediction(self, level: float = 0.95) -> tuple[float, float]:
        """Return the interval of an effect in a further study."""
        reach = float(special.stdtrit(self.df, (1 + level) / 2)) * math.hypot(
            self.tau, self.std_error
        )
        return self.mean - reach, self.mean + reach


def _covariance(variances: Array, same: Array, between: float, within: float) -> Array:
    return np.asarray(np.diag(variances + within) + between * same)


def _minus_likelihood(effects: Array, covariance: Array) -> float:
    """Return minus twice the restricted log likelihood, without its constant."""
    factor = np.linalg.cholesky(covariance)
    ones = np.linalg.solve(factor, np.ones(len(effects)))
    rest = np.linalg.solve(factor, effects)
    total = float(ones @ ones)
    residual = rest - ones * (ones @ rest) / total
    return 2 * float(np.log(np.diag(factor)).sum()) + math.log(total) + float(residual @ residual)


def three_level(effects: Array, std_errors: Array, studies: Sequence[str]) -> ThreeLevel:
    r"""Pool dependent estimates with effects that vary between studies and within them.

    Parameters
    ----------
    effects, std_errors : array
        Estimates and their standard errors.
    studies : sequence of str
        The study of each: estimates of one study share its effect.

    Raises
    ------
    ValueError
        With fewer than two studies, or an error that is not positive.

    Notes
    -----
    :math:`y_{ij} = \mu + u_i + w_{ij} + e_{ij}` with REML variances (Konstantopoulos 2011,
    equation 9), the interval with :math:`t_{k-1}` of k studies. The check is the bias-reduced
    sandwich CR2 with Satterthwaite degrees (Pustejovsky and Tipton 2018), for the mean alone.
    """
    y, v = np.asarray(effects, dtype=float), np.asarray(std_errors, dtype=float) ** 2
    names = np.asarray(studies)
    k = len(set(names.tolist()))
    if k < 2 or not (v > 0).all():
        raise ValueError("a three-level model needs two or more studies and positive errors")
    same = (names[:, None] == names[None, :]).astype(float)
    scale = float(np.var(y)) + float(v.mean())

    def objective(roots: Array) -> float:
        between, within = (roots**2) * scale
        return _minus_likelihood(y, _covariance(v, same, between, within))

    tries = [
        optimize.minimize(
            objective,
            np.array(start),
            method="Nelder-Mead",
            options={"xatol": 1e-9, "fatol": 1e-12, "maxiter": 4000},
        )
        for start in ((0.7, 0.7), (0.1, 0.7), (0.7, 0.1), (0.05, 0.05))
    ]
    between, within = (min(tries, key=lambda r: r.fun).x ** 2) * scale
    inverse = np.linalg.inv(_covariance(v, same, between, within))
    total = float(inverse.sum())
    weights = inverse.sum(axis=0) / total
    mean = float(weights @ y)
    robust_error, robust_df = cluster_robust(
        y, _covariance(v, same, between, within), names.tolist()
    )
    return ThreeLevel(
        n_studies=k,
        n_estimates=len(y),
        mean=mean,
        std_error=1 / math.sqrt(total),
        df=k - 1,
        tau_between=math.sqrt(between),
        tau_within=math.sqrt(within),
        robust_error=robust_error,
        robust_df=robust_df,
        weights=weights,
    )


def cluster_robust(
    effects: Array, covariance: Array, clusters: Sequence[str]
) -> tuple[float, float]:
    r"""Return the CR2 standard error of a weighted mean and its Satterthwaite degrees.

    Parameters
    ----------
    effects : array
        Estimates.
    covariance : array
        Working covariance; its inverse weighs the estimates.
    clusters : sequence of str
        Cluster of each.

    Notes
    -----
    With :math:`D_i' D_i = \Phi_i` and :math:`B_i = D_i (\Phi_i - X_i M X_i') D_i'` the adjustment
    is :math:`A_i = D_i' B_i^{+1/2} D_i` (Pustejovsky and Tipton 2018, equations 8 to 10); degrees
    are :math:`2 E(V)^2 / Var(V)` under the working covariance.
    """
    names = np.asarray(clusters)
    inverse = np.linalg.inv(covariance)
    bread = 1 / float(inverse.sum())
    n = len(effects)
    hat = np.outer(np.ones(n), bread * inverse.sum(axis=0))
    keep = np.eye(n) - hat
    vectors = []
    for name in dict.fromkeys(names.tolist()):
        rows = np.flatnonzero(names == name)
        phi = covariance[np.ix_(rows, rows)]
        upper = np.linalg.cholesky(phi).T
        middle = upper @ (phi - bread) @ upper.T
        values, axes = np.linalg.eigh((middle + middle.T) / 2)
        root = np.where(values > 1e-12 * values.max(), np.abs(values), np.inf) ** -0.5
        adjust = upper.T @ (axes * root) @ axes.T @ upper
        # One cluster's share of the estimate, as a linear form in the effects.
        weight = bread * np.linalg.inv(phi).sum(axis=0) @ adjust
        vectors.append(weight @ keep[rows])
    forms = np.array(vectors)
    variance = float(((forms @ effects) ** 2).sum())
    joint = forms @ covariance @ forms.T
    degrees = float(np.trace(joint)) ** 2 / float((joint**2).sum())
    return math.sqrt(variance), degrees
