"""Signs that small studies find more: the funnel's points and Egger's regression."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy import special  # type: ignore[import-untyped]

Array = NDArray[np.float64]
FEWEST_FOR_EGGER = 3


@dataclass(frozen=True)
class SmallStudy:
    """Egger's regression of effects on their errors.

    Attributes
    ----------
    n_studies : int
        Studies.
    slope, std_error, p_value : float
        Change of the effect for one more unit of standard error; NaN with fewer than three.
    limit : float
        Effect at an error of zero.
    """

    n_studies: int
    slope: float
    std_error: float
    p_value: float
    limit: float


def egger(effects: Array, std_errors: Array) -> SmallStudy:
    r"""Regress effects on their standard errors, weighted by precision.

    Notes
    -----
    :math:`y_i / s_i = \beta + \alpha / s_i + \epsilon_i` by least squares with t of k − 2 degrees
    (Egger et al. 1997): :math:`\beta` is the slope, :math:`\alpha` the limit.

    Examples
    --------
    >>> fit = egger(np.array([1.0, 2.0, 3.0]), np.array([1.0, 2.0, 3.0]))
    >>> round(fit.slope, 6), round(abs(fit.limit), 6)
    (1.0, 0.0)
    """
    from scipy import stats  # slow to import

    k = len(effects)
    if k < FEWEST_FOR_EGGER or np.ptp(std_errors) == 0:
        return SmallStudy(k, math.nan, math.nan, math.nan, math.nan)
    fit = stats.linregress(1 / std_errors, effects / std_errors)
    p_value = math.nan
    if fit.intercept_stderr > 0:
        p_value = 2 * float(special.stdtr(k - 2, -abs(fit.intercept / fit.intercept_stderr)))
    return SmallStudy(
        k, float(fit.intercept), float(fit.intercept_stderr), p_value, float(fit.slope)
    )


def funnel(studies: pl.DataFrame, mean: float) -> pl.DataFrame:
    """Return the points of a funnel plot.

    Parameters
    ----------
    studies : polars.DataFrame
        study, effect, std_error.
    mean : float
        The pooled mean.

    Returns
    -------
    polars.DataFrame
        study, effect, std_error, and low and high, between which 95 per cent of studies of that
        error would lie if effects did not differ.
    """
    reach = float(special.ndtri(0.975)) * pl.col("std_error")
    return studies.select("study", "effect", "std_error").with_columns(
        low=mean - reach, high=mean + reach
    )
