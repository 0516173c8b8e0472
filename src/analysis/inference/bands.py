"""Joint bands: intervals that hold for every estimate of a set at once.

Measured for this design (40 villages in five arms, 36 effects): multiplier draws alone reach 70 %
of a promised 95 %, Bonferroni on CV3 97 %. So draws are used only with many villages in each arm.
Measured with few villages (Bonferroni, nine effects, 2,000 draws; reports/validation has all):

=====================  ============  ==========  =============  ====================
degrees of the t       9 + 3         3 + 9       6 + 6          8 + 8
=====================  ============  ==========  =============  ====================
villages less one      90.2 %        89.4 %      96.0 %         96.3 %
by arm, each estimate  92.5 %        92.2 %      96.9 %         97.2 %
by arm, shared         95.8 %        96.0 %      97.2 %         97.3 %
=====================  ============  ==========  =============  ====================
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from analysis.inference.arrays import Floats, Integers
from analysis.inference.clusters import quantile

ENOUGH_VILLAGES = 20
"""Villages in the smaller arm from which multiplier draws are used."""
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
        ``multiplier`` or ``bonferroni``.
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
    smaller_arm: int,
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
    smaller_arm : int
        Fewest villages that any of the estimates has in an arm.
    level : float
        Probability that the whole band holds.
    draws, seed : int
        Of the multiplier draws, if they are used.
    """
    one_by_one = quantile(1 - (1 - level) / 2 / degrees.size, degrees)
    if smaller_arm < ENOUGH_VILLAGES:
        return Band(one_by_one, "bonferroni")
    simultaneous = multiplier_quantile(covariance, level=level, draws=draws, seed=seed)
    # A normal draw forgets that the standard error is estimated: put its probability back on the t.
    normal = np.full(1, np.inf)
    # A joint band is never narrower than the intervals; chance of the draws must not make it so.
    ratio = max(1.0, simultaneous / quantile(0.5 + level / 2, normal).item())
    return Band(ratio * quantile(0.5 + level / 2, degrees), "multiplier", draws, seed)


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
