"""Joint bands: intervals that hold for every estimate of a set at once.

With 20 effective clusters or more in the smaller arm, how many estimates a set counts for is asked
of normal multipliers: the tail p beyond which one estimate alone would have to lie as rarely as the
largest of all lies beyond the multipliers' 95 %. The band is then the t interval of that tail. With
fewer the correlations that the draws need are themselves guessed from few clusters, and each
interval is that of Šidák (1967): a level of 0.95^(1/k), on its own t. reports/validation has the
coverage of both.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import special  # type: ignore[import-untyped]

from analysis.inference.arrays import Floats
from analysis.inference.clusters import quantile
from analysis.inference.degrees import rules

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
        ``multiplier``, ``sidak``, or ``none`` where no estimate has an error.
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
    effective: float = np.inf,
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
        Degrees of freedom of each estimate.
    effective : float
        Effective clusters of the smaller arm; the fewest of any estimate.
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
    if effective < rules().multipliers_from:
        return Band(sidak(degrees, level), "sidak")
    largest = multiplier_quantile(covariance, level=level, draws=draws, seed=seed)
    # Between one estimate and k that have nothing in common, whatever chance the draws had.
    tail = float(np.clip(special.ndtr(-largest), (1 - level) / 2 / degrees.size, (1 - level) / 2))
    # Six digits: more than the draws know, and fewer than rounding of the covariance moves, so that
    # a pack and the cells it is of, on any machine, have one and the same band.
    return Band(quantile(1 - float(f"{tail:.6g}"), degrees), "multiplier", draws, seed)


def sidak(degrees: Floats, level: float = 0.95) -> Floats:
    """Return the widths of a band whose k intervals each hold with probability level^(1/k).

    Parameters
    ----------
    degrees : array, shape (k,)
        Degrees of freedom of each estimate.
    level : float
        Probability that the whole band holds, were the estimates independent; more where they
        move together.

    Examples
    --------
    >>> sidak(np.full(3, np.inf)).round(3).tolist()  # a level of 0.98305 each
    [2.388, 2.388, 2.388]
    """
    return quantile(0.5 + level ** (1 / degrees.size) / 2, degrees)


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
    estimates = np.zeros((draws, variance.size))
    normal = np.random.Generator(np.random.Philox(seed)).standard_normal((draws, scale.size))
    estimates[:, there] = normal @ root
    return estimates
