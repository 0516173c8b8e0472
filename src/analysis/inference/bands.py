"""Joint bands: intervals that hold for every estimate of a set at once.

How many estimates a set counts for is asked of normal multipliers: the tail p beyond which one
estimate alone would have to lie as rarely as the largest of all lies beyond the multipliers' 95 %.
The band is then the t interval of that tail, so that it knows both that estimates move together
and that standard errors are estimated. Coverage of a nominal 95 % band, 2,000 draws of the model
panel, in per cent (reports/validation has all, and what is measured there is this very code):

========================================  =======  =======  =======  =======  ===============
rule                                      9 and 3  3 and 9  6 and 6  8 and 8  five arms of 8
========================================  =======  =======  =======  =======  ===============
Bonferroni, t of villages less one        89.4     89.5     96.2     96.4     97.1
Bonferroni, t by arm                      92.6     92.5     97.2     97.2     97.6
Bonferroni, t by arm, shared              95.8     96.1     97.4     97.2     97.8
========================================  =======  =======  =======  =======  ===============

The first was the rule before; none of the three stays between 93 and 97. Multipliers with their own
normal quantile, as packages have, reach 54 to 93.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import stats  # type: ignore[import-untyped]

from analysis.inference.arrays import Floats, Integers
from analysis.inference.clusters import quantile

ENOUGH_VILLAGES = 20
"""Villages in the smaller arm from which tests of a family use multiplier draws."""
DRAWS = 9_999
SEED = 20_200


@dataclass(frozen=True)
class Band:
    """The width of a joint band in standard errors.

    Attributes
    ----------
    critical : array, shape (k,)
        Standard errors on each side of each estimate.
    rule : str
        ``multiplier``, or ``none`` where no estimate has an error.
    draws, seed : int or None
        Of the multiplier draws.
    """

    critical: Floats
    rule: str
    draws: int | None = None
    seed: int | None = None


def band(
    covariance: Floats,
    degrees: Floats,
    *,
    level: float = 0.95,
    draws: int = DRAWS,
    seed: int = SEED,
) -> Band:
    """Return the joint band by the rule of this project.

    Parameters
    ----------
    covariance : array, shape (k, k)
        Of the estimates, from influence: Ψ′Ψ. Only the correlations matter.
    degrees : array, shape (k,)
        Degrees of freedom of each estimate, as `shared_degrees` gives them.
    level : float
        Probability that the whole band holds.
    draws, seed : int
        Of the multiplier draws.

    Examples
    --------
    One estimate told twice is one estimate: the band is its interval, the t of ten degrees, within
    the error of the draws. Two that have nothing to do with each other need more.

    >>> twice, apart = np.ones((2, 2)), np.eye(2)
    >>> [band(v, np.full(2, 10.0)).critical[0].round(1).item() for v in (twice, apart)]
    [2.2, 2.6]
    """
    largest = multiplier_quantile(covariance, level=level, draws=draws, seed=seed)
    # Between one estimate and k that have nothing in common, whatever chance the draws had.
    tail = float(np.clip(stats.norm.sf(largest), (1 - level) / 2 / degrees.size, (1 - level) / 2))
    # Six digits: more than the draws know, and fewer than rounding of the covariance moves, so that
    # a pack and the cells it is of, on any machine, have one and the same band.
    return Band(quantile(1 - float(f"{tail:.6g}"), degrees), "multiplier", draws, seed)


def bonferroni(degrees: Floats, level: float = 0.95) -> Floats:
    """Return the widths of the band that asks of each of k estimates the k-th part of the error.

    The rule before `band`; validation compares the two.
    """
    return quantile(1 - (1 - level) / 2 / degrees.size, degrees)


def shared_degrees(degrees: Floats, n_treated: Integers, n_control: Integers) -> Floats:
    """Return the mean degrees of the estimates with the same number of villages in each arm.

    Degrees by arm are estimated. In a band over estimates of the same villages the one whose
    variance happens to look small, and its degrees large, would break the band; they share one
    number instead.

    Parameters
    ----------
    degrees : array, shape (k,)
        Of each estimate.
    n_treated, n_control : array, shape (k,)
        Villages in each arm.

    Examples
    --------
    >>> shared_degrees(np.array([4.0, 8.0, 30.0]), np.array([3, 3, 20]), np.array([9, 9, 20]))
    array([ 6.,  6., 30.])
    """
    arms, place = np.unique(np.stack([n_treated, n_control]), axis=1, return_inverse=True)
    place = place.reshape(-1)
    sums = np.bincount(place, degrees, arms.shape[1]) / np.bincount(place, minlength=arms.shape[1])
    found: Floats = sums[place]
    return found


def multiplier_quantile(
    covariance: Floats, *, level: float = 0.95, draws: int = DRAWS, seed: int = SEED
) -> float:
    """Return the quantile of the largest |Σ_v e_v ψ_vk| / σ_k over k, with normal multipliers e.

    With normal multipliers Σ_v e_v ψ_v is normal with covariance Ψ′Ψ, so the covariance is all that
    is needed. Estimates with no variance are left out.

    Examples
    --------
    One estimate: the quantile of |N(0, 1)|, within the error of the draws.

    >>> abs(multiplier_quantile(np.ones((1, 1)), draws=100_000) - 1.96) < 0.01
    True
    """
    largest = np.abs(normal_draws(covariance, draws=draws, seed=seed)).max(axis=1)
    return float(np.quantile(largest, level, method="higher"))


def normal_draws(covariance: Floats, *, draws: int = DRAWS, seed: int = SEED) -> Floats:
    """Return draws of the t statistics were every effect zero, shape (draws, k).

    The symmetric root of the correlations is unique, so the draws are the same on every machine up
    to rounding, which a root by pivots or eigenvectors would not promise.
    """
    variance = np.diag(covariance)
    there = variance > 0
    scale = np.sqrt(variance[there])
    values, vectors = np.linalg.eigh(covariance[np.ix_(there, there)] / np.outer(scale, scale))
    root = (vectors * np.sqrt(np.maximum(values, 0))) @ vectors.T
    found = np.zeros((draws, variance.size))
    normal = np.random.Generator(np.random.Philox(seed)).standard_normal((draws, scale.size))
    found[:, there] = normal @ root
    return found
