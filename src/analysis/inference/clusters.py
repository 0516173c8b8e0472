"""Standard errors by village: influence (CR0) and leaving one village out (CV3).

Shapes: v villages, k estimates. Influence is what a village adds to an estimate: an estimate's
variance by CR0 is the sum of its squares. CV3 leaves out each village in turn and keeps its promise
with few villages; `reported` intervals use it, `parity` intervals use CR0 to compare with packages.
"""

from __future__ import annotations

import numpy as np
from scipy import special  # type: ignore[import-untyped]

from analysis.inference.arrays import Booleans, Floats, Integers

LEAST_VILLAGES = 3
"""Clusters that a level needs before an interval is printed; `degrees.few` judges arms."""
NOTHING = 1e-10
"""Standard error, relative to what is estimated, up to which it is rounding and no village."""


def influence_covariance(influence: Floats, *, centred: bool = False) -> Floats:
    """Return the covariance of estimates from the influence of villages (CR0).

    Parameters
    ----------
    influence : array, shape (v, k)
        Summed inside each village, never averaged.
    centred : bool
        Subtract the mean over villages and multiply by v / (v - 1), the convention of diff-diff;
        otherwise no factor, that of csdid and of R's did.

    Returns
    -------
    array, shape (k, k)

    Examples
    --------
    >>> influence_covariance(np.array([[1.0], [-1.0], [0.0]])).item()
    2.0
    >>> round(influence_covariance(np.array([[1.0], [-1.0], [0.0]]), centred=True).item(), 12)
    3.0
    """
    if centred:
        v = influence.shape[0]
        influence = (influence - influence.mean(axis=0)) * np.sqrt(v / (v - 1))
    return influence.T @ influence


def stratified_covariance(influence: Floats, design_stratum: Integers) -> Floats:
    """Return the covariance under a stratified sample of villages.

    Σ_h n_h/(n_h − 1) Σ_j (ψ_hj − ψ̄_h)(ψ_hj − ψ̄_h)′ (Binder 1983, with replacement): villages j are
    the primary sampling units of the design strata h.

    Parameters
    ----------
    influence : array, shape (v, k)
        Of villages.
    design_stratum : array, shape (v,)
        Number of each village's design stratum.

    Raises
    ------
    ValueError
        If a design stratum has one village: its variance cannot be told.
    """
    names, place, count = np.unique(design_stratum, return_inverse=True, return_counts=True)
    if (count < 2).any():
        alone = names[count < 2].tolist()
        raise ValueError(f"design strata {alone} have one village: join them to others")
    means = np.zeros((names.size, influence.shape[1]))
    np.add.at(means, place, influence)
    means /= count[:, None]
    spread = (influence - means[place]) * np.sqrt(count / (count - 1))[place, None]
    covariance: Floats = spread.T @ spread
    return covariance


def jackknife_covariance(points: Floats, without: Floats, used: Booleans) -> Floats:
    """Return the covariance of estimates from leaving out one village at a time (CV3).

    (G − 1)/G Σ_v (θ₍₋ᵥ₎ − θ)(θ₍₋ᵥ₎ − θ)′ (MacKinnon, Nielsen & Webb 2023, equation 16, centred on
    the full estimate). G are the villages that an estimate uses; where two estimates use different
    villages the factor is the geometric mean of both, so that the matrix stays a covariance.

    Parameters
    ----------
    points : array, shape (k,)
        Full estimates.
    without : array, shape (v, k)
        Estimates without each village; NaN where there is none without it.
    used : array, shape (v, k)
        Which villages enter which estimate.

    Returns
    -------
    array, shape (k, k)
        NaN in row and column of an estimate that some village cannot be left out of.

    Examples
    --------
    The mean of 1, 2, 6 without each is 4, 3.5, 1.5: 2/3 · (1 + 0.25 + 2.25).

    >>> without = np.array([[4.0], [3.5], [1.5]])
    >>> round(jackknife_covariance(np.array([3.0]), without, np.ones((3, 1), bool)).item(), 12)
    2.333333333333
    """
    villages = used.sum(axis=0)
    difference = np.where(used, without - points, 0.0)
    factor = np.sqrt(np.maximum(villages - 1, 0) / np.maximum(villages, 1))
    scaled = difference * factor
    covariance: Floats = scaled.T @ scaled
    lost = np.isnan(scaled).any(axis=0) | (villages < 2)
    covariance[lost, :] = np.nan
    covariance[:, lost] = np.nan
    return covariance


def degrees_of_freedom(used: Booleans) -> Floats:
    """Return the villages of each estimate less one, shape (k,): an upper bound of its degrees."""
    return np.asarray(used.sum(axis=0) - 1, np.float64)


def no_variance(variance: Floats, scale: Floats) -> Booleans:
    """Return where a variance is none but for rounding, shape (k,): no village varies.

    No variance is no certainty: that no village of a small sample differs does not mean that none
    would, so such an estimate has no interval.

    Parameters
    ----------
    variance : array, shape (k,)
        Of the estimates.
    scale : array, shape (k,)
        Size of the numbers that they are made of.

    Examples
    --------
    >>> no_variance(np.array([0.0, 1e-30, 0.01]), np.array([0.0, 1.0, 1.0])).tolist()
    [True, True, False]
    """
    mask: Booleans = variance <= (NOTHING * scale) ** 2
    return mask


def half_width(std_error: Floats, degrees: Floats, level: float = 0.95) -> Floats:
    """Return half the width of pointwise intervals: a t quantile times the standard error.

    Parameters
    ----------
    std_error : array, shape (k,)
        Standard errors.
    degrees : array, shape (k,)
        Degrees of freedom; infinite for normal quantiles.
    level : float
        Probability of the interval.

    Examples
    --------
    >>> half_width(np.array([1.0, 1.0]), np.array([np.inf, 2.0])).round(3).tolist()
    [1.96, 4.303]
    """
    return quantile(0.5 + level / 2, degrees) * std_error


def quantile(probability: float, degrees: Floats) -> Floats:
    """Return quantiles of the t distribution, of the normal one where degrees are infinite."""
    finite = np.isfinite(degrees) & (degrees > 0)
    values = np.full(degrees.shape, np.nan)
    values[finite] = special.stdtrit(degrees[finite], probability)
    values[np.isinf(degrees)] = special.ndtri(probability)
    return values


def p_values(statistic: Floats, degrees: Floats) -> Floats:
    """Return two-sided p values of t statistics, shape (k,)."""
    normal = np.isinf(degrees)
    values: Floats = 2 * special.stdtr(np.where(normal, 1.0, degrees), -np.abs(statistic))
    values[normal] = 2 * special.ndtr(-np.abs(statistic[normal]))
    return values
