"""Random-effects pooling of one estimate a study: REML with Hartung and Knapp's interval."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import optimize, special  # type: ignore[import-untyped]

Array = NDArray[np.float64]
GRID = 400
"""Points at which the restricted likelihood is compared before its maximum is refined."""
FEWEST_FOR_PREDICTION = 3


@dataclass(frozen=True)
class RandomEffects:
    """The mean effect over studies and how far studies differ.

    Attributes
    ----------
    n_studies : int
        Studies.
    mean, std_error : float
        Mean and its standard error, Hartung and Knapp's, never less than without.
    df : float
        Degrees of freedom of its interval: studies less one; infinite for one study.
    tau : float
        Standard deviation of the effects between studies; NaN for one study.
    q, i_squared : float
        Cochran's statistic, and the share of variation that is not sampling (0 to 1).
    factor : float
        Hartung and Knapp's factor before it is raised to one.
    weights : array
        Share of each study in the mean.
    """

    n_studies: int
    mean: float
    std_error: float
    df: float
    tau: float
    q: float
    i_squared: float
    factor: float
    weights: Array

    def interval(self, level: float = 0.95) -> tuple[float, float]:
        """Return the interval of the mean."""
        reach = self.std_error * float(special.stdtrit(self.df, (1 + level) / 2))
        return self.mean - reach, self.mean + reach

    def prediction(self, level: float = 0.95) -> tuple[float, float]:
        r"""Return the interval of the effect in a further place; NaN with fewer than three studies.

        Notes
        -----
        :math:`\hat\mu \pm t_{k-1} \sqrt{\hat\tau^2 + \hat s^2}` with Hartung and Knapp's
        :math:`\hat s` (as metafor's ``predict`` after ``test="knha"``). In our own draws it
        holds 88 to 94 of 100 next places where places differ by 5 or 10 per cent and there are 6
        to 20 studies (``reports/validation/pooling.csv``); the hierarchical prediction is safer.
        """
        if self.n_studies < FEWEST_FOR_PREDICTION:
            return math.nan, math.nan
        reach = float(special.stdtrit(self.df, (1 + level) / 2))
        reach *= math.hypot(self.tau, self.std_error)
        return self.mean - reach, self.mean + reach


def restricted_likelihood(effects: Array, variances: Array, tau2: float) -> float:
    """Return the restricted log likelihood at a heterogeneity, without its constant."""
    weights = 1 / (variances + tau2)
    mean = weights @ effects / weights.sum()
    return -0.5 * float(
        np.log(variances + tau2).sum()
        + math.log(float(weights.sum()))
        + weights @ (effects - mean) ** 2
    )


def reml(effects: Array, variances: Array) -> float:
    r"""Return the variance of effects between studies by restricted maximum likelihood.

    Parameters
    ----------
    effects, variances : array
        Estimates of two or more studies and their squared errors.

    Notes
    -----
    The likelihood (Harville 1977; Viechtbauer 2005, equation 6) is compared on a grid from zero
    and the best point refined, since it may have two maxima with few studies.

    Examples
    --------
    >>> round(reml(np.array([0.0, 2.0, 4.0]), np.ones(3)), 6)
    3.0
    """
    most = float(np.ptp(effects)) ** 2 + float(variances.max())
    grid = np.concatenate([[0.0], np.geomspace(most * 1e-8, most * 4, GRID)])
    spread = variances[None, :] + grid[:, None]
    totals = (1 / spread).sum(axis=1)
    means = (effects / spread).sum(axis=1) / totals
    squares = ((effects[None, :] - means[:, None]) ** 2 / spread).sum(axis=1)
    best = int(np.argmax(-(np.log(spread).sum(axis=1) + np.log(totals) + squares)))
    if best == 0:
        return 0.0
    low, high = grid[best - 1], grid[min(best + 1, GRID)]
    result = optimize.minimize_scalar(
        lambda tau2: -restricted_likelihood(effects, variances, tau2),
        bounds=(low, high),
        method="bounded",
        options={"xatol": 1e-12 * most},
    )
    return _score_root(effects, variances, float(result.x), low, high)


def _score_root(effects: Array, variances: Array, start: float, low: float, high: float) -> float:
    """Refine the maximum: the score of the restricted likelihood is zero there."""

    def score(tau2: float) -> float:
        weights = 1 / (variances + tau2)
        total = float(weights.sum())
        mean = weights @ effects / total
        trace = total - float((weights**2).sum()) / total
        return float((weights**2) @ (effects - mean) ** 2) - trace

    if score(low) > 0 > score(high):
        return float(optimize.brentq(score, low, high, xtol=1e-15, rtol=1e-14))
    return start


def random_effects(effects: Array, std_errors: Array) -> RandomEffects:
    r"""Pool one estimate a study by random effects.

    Parameters
    ----------
    effects, std_errors : array
        Estimates and their standard errors; one or more.

    Raises
    ------
    ValueError
        Without an estimate, or with an error that is not positive.

    Notes
    -----
    With :math:`w_i = 1/(s_i^2 + \hat\tau^2)` the mean is :math:`\sum w_i y_i / \sum w_i`; its
    variance :math:`\max(1, q) / \sum w_i` with
    :math:`q = \sum w_i (y_i - \hat\mu)^2 / (k - 1)` and :math:`k - 1` degrees of freedom (Hartung
    and Knapp 2001; raised to one after Röver, Knapp and Friede 2015).

    Examples
    --------
    >>> fit = random_effects(np.array([1.0, 3.0]), np.array([1.0, 1.0]))
    >>> fit.mean, round(fit.std_error, 4), round(fit.tau, 4)
    (2.0, 1.0, 1.0)
    """
    y, v = np.asarray(effects, dtype=float), np.asarray(std_errors, dtype=float) ** 2
    k = len(y)
    if k == 0 or not (v > 0).all():
        raise ValueError("pooling needs estimates with positive standard errors")
    if k == 1:
        values = np.ones(1)
        return RandomEffects(
            1, float(y[0]), float(math.sqrt(v[0])), math.inf, math.nan, 0.0, 0.0, 1.0, values
        )
    tau2 = reml(y, v)
    weights = 1 / (v + tau2)
    total = float(weights.sum())
    mean = float(weights @ y / total)
    factor = float(weights @ (y - mean) ** 2 / (k - 1))
    fixed = 1 / v
    q = float(fixed @ (y - fixed @ y / fixed.sum()) ** 2)
    # Higgins and Thompson's typical sampling variance, so that the share fits the REML tau.
    typical = (k - 1) * float(fixed.sum()) / (float(fixed.sum()) ** 2 - float((fixed**2).sum()))
    return RandomEffects(
        n_studies=k,
        mean=mean,
        std_error=math.sqrt(max(1.0, factor) / total),
        df=k - 1,
        tau=math.sqrt(tau2),
        q=q,
        i_squared=tau2 / (tau2 + typical),
        factor=factor,
        weights=weights / total,
    )
