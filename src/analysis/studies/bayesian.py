"""The hierarchical normal model of effects, by exact integration over a grid: no sampling."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cache

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy import optimize, special  # type: ignore[import-untyped]

Array = NDArray[np.float64]
NODES = 400
"""Gauss-Legendre nodes of the heterogeneity."""
REACH = 6.0
"""Scales of the half-normal prior that the grid covers; beyond lies 2e-9 of it."""
QUANTILES: tuple[float, ...] = tuple(round(p / 200, 3) for p in range(1, 200))
"""Probabilities of the grid of quantiles: 0.005 to 0.995."""


@dataclass(frozen=True)
class Prior:
    """What is thought of the effects before results are seen.

    Attributes
    ----------
    mean, sd : float
        Normal prior of the mean effect.
    tau_scale : float
        Scale of the half-normal prior of the spread between places.
    source : str
        Where it comes from.
    """

    mean: float
    sd: float
    tau_scale: float
    source: str = ""

    def scaled(self, factor: float) -> Prior:
        """Return the prior with both scales multiplied."""
        return Prior(self.mean, self.sd * factor, self.tau_scale * factor, self.source)


@dataclass(frozen=True)
class Mixture:
    """A distribution as a mixture of normals, with its mean, spread and quantiles.

    Attributes
    ----------
    weights, means, sds : array
        Of the components; the weights sum to one.
    scale : str
        ``percent``, or ``log`` where effects are logarithms and quantiles are turned into per cent.

    Examples
    --------
    >>> draw = Mixture(np.ones(1), np.array([2.0]), np.array([1.0]))
    >>> draw.mean, draw.sd, round(draw.quantile(0.975), 3)
    (2.0, 1.0, 3.96)
    """

    weights: Array
    means: Array
    sds: Array
    scale: str = "percent"

    @property
    def mean(self) -> float:
        """Mean of the distribution, in per cent."""
        if self.scale == "log":
            return 100 * (float(self.weights @ np.exp(self.means + self.sds**2 / 2)) - 1)
        return float(self.weights @ self.means)

    @property
    def sd(self) -> float:
        """Standard deviation of the distribution, in per cent."""
        if self.scale == "log":
            second = float(self.weights @ np.exp(2 * self.means + 2 * self.sds**2))
            return 100 * math.sqrt(second - (1 + self.mean / 100) ** 2)
        centre = float(self.weights @ self.means)
        return math.sqrt(float(self.weights @ (self.sds**2 + (self.means - centre) ** 2)))

    def probability_below(self, percent: float) -> float:
        """Return the probability of an effect below some per cent."""
        point = math.log1p(percent / 100) if self.scale == "log" else percent
        return float(self.weights @ special.ndtr((point - self.means) / self.sds))

    def quantile(self, probability: float) -> float:
        """Return a quantile in per cent, by root finding: the same on every run."""
        z = float(special.ndtri(probability))
        ends = self.means + z * self.sds
        low, high = float(ends.min()), float(ends.max())
        if high - low < 1e-12:
            point = low
        else:
            point = float(
                optimize.brentq(
                    lambda x: (
                        float(self.weights @ special.ndtr((x - self.means) / self.sds))
                        - probability
                    ),
                    low - 1e-9,
                    high + 1e-9,
                    xtol=1e-10,
                )
            )
        return 100 * math.expm1(point) if self.scale == "log" else point

    def interval(self, level: float = 0.95) -> tuple[float, float]:
        """Return the central interval in per cent."""
        return self.quantile((1 - level) / 2), self.quantile((1 + level) / 2)

    def quantiles(self, probabilities: tuple[float, ...] = QUANTILES) -> pl.DataFrame:
        """Return the grid of quantiles: probability, percent."""
        return pl.DataFrame(
            {"probability": probabilities, "percent": [self.quantile(p) for p in probabilities]}
        )


@dataclass(frozen=True)
class Posterior:
    """What is thought of the effects after the studies.

    Attributes
    ----------
    prior : Prior
        What was thought before.
    mean_effect, predictive : Mixture
        Of the mean over places, and of the effect in a next place.
    tau, tau_low, tau_high : float
        Median and 95 per cent interval of the spread between places.
    """

    prior: Prior
    mean_effect: Mixture
    predictive: Mixture
    tau: float
    tau_low: float
    tau_high: float


@cache
def _nodes() -> tuple[Array, Array]:
    """Return nodes and weights between −1 and 1, computed once."""
    points, weights = np.polynomial.legendre.leggauss(NODES)
    return points, weights


def posterior(effects: Array, std_errors: Array, prior: Prior, scale: str = "percent") -> Posterior:
    r"""Return the posterior of the hierarchical normal model.

    Parameters
    ----------
    effects, std_errors : array
        One estimate a study, and its standard error; one or more.
    prior : Prior
        Normal for the mean, half-normal for the spread, on the same scale as the effects.
    scale : {"percent", "log"}
        Scale of the effects.

    Raises
    ------
    ValueError
        Without an estimate, or with an error that is not positive.

    Notes
    -----
    :math:`y_i \sim N(\theta_i, s_i^2)`, :math:`\theta_i \sim N(\mu, \tau^2)`. Given
    :math:`\tau` the mean is normal with precision
    :math:`1/m^2 + \sum 1/(s_i^2 + \tau^2)`; the marginal likelihood of :math:`\tau` is closed,
    so only :math:`\tau` is integrated, by Gauss-Legendre quadrature (Gelman et al., Bayesian Data
    Analysis, section 5.4; Röver 2020).

    Examples
    --------
    >>> after = posterior(np.array([10.0]), np.array([5.0]), Prior(0, 20, 1e-6))
    >>> round(after.mean_effect.mean, 4), round(after.mean_effect.sd, 4)
    (9.4118, 4.8507)
    """
    y, v = np.asarray(effects, dtype=float), np.asarray(std_errors, dtype=float) ** 2
    if len(y) == 0 or not (v > 0).all():
        raise ValueError("pooling needs estimates with positive standard errors")
    points, quadrature = _nodes()
    tau = (points + 1) / 2 * REACH * prior.tau_scale
    spread = v[None, :] + tau[:, None] ** 2
    precision = (1 / spread).sum(axis=1) + 1 / prior.sd**2
    centre = ((y / spread).sum(axis=1) + prior.mean / prior.sd**2) / precision
    # Marginal likelihood of tau, up to a constant: the joint density over the conditional
    # posterior of the mean.
    log_density = (
        -0.5 * ((y[None, :] - centre[:, None]) ** 2 / spread + np.log(spread)).sum(axis=1)
        - 0.5 * ((centre - prior.mean) / prior.sd) ** 2
        - 0.5 * np.log(precision)
        - 0.5 * (tau / prior.tau_scale) ** 2
    )
    weights = quadrature * np.exp(log_density - log_density.max())
    weights /= weights.sum()
    cumulated = np.cumsum(weights)
    low, middle, high = (
        float(tau[min(int(np.searchsorted(cumulated, p)), NODES - 1)]) for p in (0.025, 0.5, 0.975)
    )
    return Posterior(
        prior=prior,
        mean_effect=Mixture(weights, centre, np.sqrt(1 / precision), scale),
        predictive=Mixture(weights, centre, np.sqrt(1 / precision + tau**2), scale),
        tau=middle,
        tau_low=low,
        tau_high=high,
    )
