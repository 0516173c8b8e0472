"""Degrees of freedom from the design: how many clusters an estimate rests on, and how evenly.

The degrees of a t interval are those of the printed variance (Bell & McCaffrey 2002; Imbens &
Kolesár 2016): V = d′d, with d_v what leaving village v out does to the estimate, is matched to a
scaled chi-squared by its first two moments, m = 2 E[V]²/Var[V] = tr(C)²/tr(C²), C the covariance of
d. C is not estimated: it follows from fixed weights under a working model of independent village
shocks plus household noise, with the intraclass correlation of ``data/parameters/inference.toml``.
So degrees do not change with the luck of the data. An estimate that is no difference of two means
is judged by the arms that its influence is made of, and its degrees are never more than the
effective clusters of the smaller arm less one.

Shapes: v villages, k estimates.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import cache
from typing import Final

import numpy as np

from analysis import paths
from analysis.inference.arrays import Booleans, Floats

DIGITS: Final = 1
"""Decimals of effective clusters, everywhere: a pack prints them, and rules compare them."""
ROUNDING: Final = 1e-9


@dataclass(frozen=True)
class Rules:
    """The parameters of intervals, from ``data/parameters/inference.toml``.

    Attributes
    ----------
    intraclass_correlation : float
        Share of the variance of an outcome that is of villages, in the working model.
    least_clusters : float
        Clusters of an arm under which no t interval is printed.
    multipliers_from : float
        Effective clusters of the smaller arm from which joint statements use multiplier draws.
    """

    intraclass_correlation: float
    least_clusters: float
    multipliers_from: float


@cache
def rules() -> Rules:
    """Return the parameters of intervals."""
    text = (paths.data() / "parameters" / "inference.toml").read_text(encoding="utf-8")
    content = tomllib.loads(text)
    return Rules(**{name: float(entry["value"]) for name, entry in content.items()})


@dataclass(frozen=True)
class Arms:
    """How much of each arm of an estimate each village holds.

    Attributes
    ----------
    treated, control : array, shape (v, k)
        Weight of the village in the arm, zero outside it; on any scale, no weight below zero. An
        estimate of one arm, such as a level, has no control.
    treated_size, control_size : array, shape (v, k)
        Households behind it.
    """

    treated: Floats
    control: Floats
    treated_size: Floats
    control_size: Floats

    @property
    def effective(self) -> Floats:
        """Effective clusters of each arm, shape (2, k); zero for an arm that there is not."""
        return np.stack([effective_clusters(self.treated), effective_clusters(self.control)])

    @property
    def smaller(self) -> Floats:
        """Effective clusters of the smaller arm, shape (k,)."""
        return smaller(self.effective)

    @property
    def clusters(self) -> Floats:
        """Clusters of each arm, shape (2, k); zero for an arm that there is not."""
        counts = [(weight > 0).sum(axis=0) for weight in (self.treated, self.control)]
        return np.stack(counts).astype(np.float64)

    @property
    def leverage(self) -> Floats:
        """Largest share of an arm that one village holds, shape (k,).

        In a difference of two means it is the largest leverage of a village.
        """
        both = np.stack([shares(self.treated), shares(self.control)])
        values: Floats = both.max(axis=(0, 1), initial=0.0)
        return values


def effective_clusters(weight: Floats) -> Floats:
    """Return the effective number of clusters, (Σw)²/Σw², to one decimal, shape (k,).

    Kish's (1965) effective size of the weights of villages: as many villages of equal weight would
    leave the mean as uncertain. It is the number of Carter, Schnepel & Steigerwald (2017) where
    households of a village differ as much as those of different villages.

    Parameters
    ----------
    weight : array, shape (v, k)
        Weight of each village in an arm.

    Examples
    --------
    Five villages alike count as five; five of 300 divided by their rank as 3.6.

    >>> alike, ranked = np.ones(5), 300 / np.arange(1, 6)
    >>> effective_clusters(np.stack([alike, ranked], axis=1)).tolist()
    [5.0, 3.6]
    """
    squares = (weight**2).sum(axis=0)
    with np.errstate(divide="ignore", invalid="ignore"):
        result = weight.sum(axis=0) ** 2 / squares
    return np.asarray(np.round(np.where(squares > 0, result, 0.0), DIGITS), np.float64)


def smaller(effective: Floats) -> Floats:
    """Return the effective clusters of the smaller arm, shape (k,), of those of both, (2, k).

    An arm that there is not, with none, does not count.

    Examples
    --------
    >>> smaller(np.array([[8.0, 5.0], [3.5, 0.0]])).tolist()
    [3.5, 5.0]
    """
    values: Floats = np.where(effective > 0, effective, np.inf).min(axis=0)
    return np.where(np.isinf(values), 0.0, values)


def shares(weight: Floats) -> Floats:
    """Return the share of an arm that each village holds, shape (v, k); zero in an empty arm."""
    whole = weight.sum(axis=0)
    values: Floats = weight / np.where(whole > 0, whole, 1.0)
    return values


def jackknife_degrees(arms: Arms, correlation: float | None = None) -> Floats:
    """Return the degrees of freedom of CV3 from the design, before the cap, shape (k,).

    With shares a_v and b_v of the arms, means m₁ and m₀, and r = a/(1 − a), q = b/(1 − b), leaving
    village v out moves the estimate by d_v = r_v (m₁ − y₁v) − q_v (m₀ − y₀v). A village mean has
    variance ρ + (1 − ρ)/n_v, and both arms of one village share the ρ. C is a diagonal and a matrix
    of rank four, so its traces cost no more than sums over villages.

    Parameters
    ----------
    arms : Arms
        The design.
    correlation : float, optional
        ρ, the intraclass correlation; that of the parameters by default.

    Examples
    --------
    Two villages against three alike: (1 + 1/2)² / (1 + 1/8).

    >>> one, none = np.ones((2, 1)), np.zeros((2, 1))
    >>> treated = np.concatenate([one, np.zeros((3, 1))])
    >>> control = np.concatenate([none, np.ones((3, 1))])
    >>> round(jackknife_degrees(Arms(treated, control, treated, control)).item(), 6)
    2.0
    """
    rho = rules().intraclass_correlation if correlation is None else correlation
    a, b = shares(arms.treated), shares(arms.control)
    with np.errstate(divide="ignore", invalid="ignore"):
        r, q = a / (1 - a), b / (1 - b)
        s1 = np.where(a > 0, rho + (1 - rho) / np.maximum(arms.treated_size, 1), 0.0)
        s0 = np.where(b > 0, rho + (1 - rho) / np.maximum(arms.control_size, 1), 0.0)
        shared = np.where((a > 0) & (b > 0), rho, 0.0)
        own = r**2 * s1 + q**2 * s0 - 2 * r * q * shared
        pull = np.stack([r, -q], axis=-1)
        # Covariances of a village's own part of d with the means of the arms.
        cross = np.stack([a * (q * shared - r * s1), b * (q * s0 - r * shared)], axis=-1)
        means = np.empty((a.shape[1], 2, 2))
        means[:, 0, 0], means[:, 1, 1] = (a**2 * s1).sum(axis=0), (b**2 * s0).sum(axis=0)
        means[:, 0, 1] = means[:, 1, 0] = (a * b * shared).sum(axis=0)
        return matched(own, pull, cross, means)


def matched(own: Floats, pull: Floats, cross: Floats, means: Floats) -> Floats:
    """Return tr(C)²/tr(C²) for C = diag(own) + pull·means·pull′ + pull·cross′ + cross·pull′.

    Parameters
    ----------
    own : array, shape (v, k)
    pull, cross : array, shape (v, k, p)
    means : array, shape (k, p, p)

    Returns
    -------
    array, shape (k,)
        NaN where C is not finite or nothing.
    """
    k, p = own.shape[1], means.shape[-1]
    wide = np.concatenate([pull, cross], axis=-1)
    core = np.zeros((k, 2 * p, 2 * p))
    core[:, :p, :p] = means
    core[:, :p, p:] = core[:, p:, :p] = np.eye(p)
    inside = np.einsum("kpq,vkq,vkr->kpr", core, wide, wide)
    diagonal = np.einsum("vkp,kpq,vkq->vk", wide, core, wide)
    trace = own.sum(axis=0) + np.einsum("kpp->k", inside)
    squares = (own**2 + 2 * own * diagonal).sum(axis=0) + np.einsum("kpq,kqp->k", inside, inside)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(squares > 0, trace**2 / squares, np.nan)


def capped(degrees: Floats, effective: Floats) -> Floats:
    """Return degrees, never more than the effective clusters of the smaller arm less one.

    Parameters
    ----------
    degrees : array, shape (k,)
        Of the design.
    effective : array, shape (k,)
        Effective clusters of the smaller arm.

    Examples
    --------
    >>> capped(np.array([10.8, 3.0]), np.array([8.0, 5.0])).tolist()
    [7.0, 3.0]
    """
    values: Floats = np.fmin(degrees, np.maximum(effective - 1, 0.0))
    return values


def design_degrees(arms: Arms, linear: Booleans) -> Floats:
    """Return the degrees of freedom that `reported` intervals use, shape (k,).

    Parameters
    ----------
    arms : Arms
        The design.
    linear : array, shape (k,)
        Whether an estimate is a difference of weighted means of the arms, as group-time effects
        are, so that the degrees are those of its own variance. Others, such as doubly robust
        effects, have arms that only stand for their influence: their degrees are capped.
    """
    degrees = jackknife_degrees(arms)
    return np.where(linear, degrees, capped(degrees, arms.smaller))


def few(clusters: Floats, degrees: Floats) -> Booleans:
    """Return where an estimate rests on too few clusters for a t interval, shape (k,).

    Uneven sizes need no limit of their own: the degrees of the design fall with them, to one where
    a single cluster is nearly a whole arm, and the interval widens. With less than one degree,
    which only a cap gives, there is no t distribution to speak of.

    Parameters
    ----------
    clusters : array, shape (2, k)
        Clusters treated and control; zero for an arm that there is not.
    degrees : array, shape (k,)
        Degrees of freedom of the interval.

    Examples
    --------
    >>> few(np.array([[3.0, 4.0, 4.0], [37.0, 36.0, 36.0]]), np.array([2.1, 1.0, 0.2])).tolist()
    [True, False, True]
    """
    mask: Booleans = (smaller(clusters) < rules().least_clusters) | (degrees < 1 - ROUNDING)
    return mask


def few_clusters(clusters: Floats, effective: Floats, *, inside: bool) -> str:
    """Return what is said of an estimate with too few clusters in an arm.

    Parameters
    ----------
    clusters, effective : array, shape (2,)
        Clusters treated and control, and effective clusters.
    inside : bool
        Whether households were treated inside clusters, so that these cannot be exchanged.

    Examples
    --------
    >>> few_clusters(np.array([3, 37]), np.array([3.0, 36.2]), inside=True)
    'no interval: fewer than 4 clusters in an arm (3 treated and 37 control); not estimable'
    >>> few_clusters(np.array([6, 34]), np.array([1.4, 30.0]), inside=True)
    'no interval: an arm counts as fewer than 2 clusters (1.4 treated and 30 control); not estimable'
    """  # noqa: E501
    least = rules().least_clusters
    counted = smaller(clusters[:, None])[0] < least
    why = (
        f"fewer than {least:g} clusters in an arm"
        if counted
        else "an arm counts as fewer than 2 clusters"
    )
    arms = " and ".join(
        f"{number:g} {name}"
        for number, name in zip(
            clusters if counted else effective, ("treated", "control"), strict=True
        )
        if number > 0
    )
    instead = (
        "not estimable"
        if inside
        else "randomisation inference (.randomise()) if clusters were assigned at random, else not"
        " estimable"
    )
    return f"no interval: {why} ({arms}); {instead}"
