"""One comparison adjusted for covariates: regression, logit, each cluster left out from sums."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from itertools import combinations_with_replacement, permutations
from typing import Final

import numpy as np

from analysis.faults import refuse
from analysis.inference.arrays import Booleans, Floats, Integers

STEPS: Final = 50
"""Newton steps of a logit after which it counts as not converging."""
CLOSE: Final = 1e-10
"""Largest relative step at which a logit has converged."""
CERTAIN: Final = 1 - 1e-8
"""Probability of treatment above which covariates tell a unit's treatment."""
SINGULAR: Final = 1e-10
"""Ratio of eigenvalues below which covariates cannot be told apart."""


@dataclass(frozen=True, eq=False)
class Arms:
    """One comparison's units with what does not depend on outcomes: n units, p covariates.

    All that an outcome adds are sums by cluster of its changes times rows that are made once. The
    first covariate is one for every unit, so sums of products hold those of single covariates.
    """

    cluster: Integers
    clusters: int
    d: Booleans
    w: Floats
    x: Floats
    weighting: bool

    @cached_property
    def starts(self) -> Integers:
        """First unit of each cluster that is there; units are in order of their cluster."""
        values: Integers = np.flatnonzero(np.diff(self.cluster, prepend=-1))
        return values

    def by_cluster(self, values: Floats) -> Floats:
        """Add values of units up by cluster: (n, …) to (v, …)."""
        estimates = np.zeros((self.clusters, *values.shape[1:]))
        # Along the last axis in memory, however many columns there are.
        estimates[self.cluster[self.starts]] = np.add.reduceat(values.T, self.starts, axis=-1).T
        return estimates

    @cached_property
    def held(self) -> dict[str, Floats]:
        """What each cluster holds of either arm, (v,) each; controls by their odds if weighted."""
        controls = self.odds if self.weighting else self.w * ~self.d
        return {
            "treated_weight": self.by_cluster(self.w * self.d),
            "control_weight": self.by_cluster(controls),
            "treated_size": self.by_cluster(self.d.astype(np.float64)),
            "control_size": self.by_cluster((~self.d).astype(np.float64)),
        }

    def products_by_cluster(self, weights: Floats, order: int) -> Floats:
        """Return Σ w x x′ (order 2) or Σ w x x′ x (order 3) by cluster: (v, p, …)."""
        p = self.x.shape[1]
        places = np.array(list(combinations_with_replacement(range(p), order)))
        sums = self.by_cluster(_products(weights, self.x.T, places).T)
        values = np.empty((self.clusters, *[p] * order))
        for arranged in permutations(range(order)):
            values[(slice(None), *places[:, arranged].T)] = sums
        return values

    @cached_property
    def squares(self) -> Floats:
        """Σ w x x′ of controls by cluster, (v, p, p)."""
        return self.products_by_cluster(self.w * ~self.d, 2)

    @cached_property
    def treated(self) -> tuple[Floats, Floats]:
        """Weight of the treated by cluster (v,), and Σ w x of them (v, p)."""
        w = self.w * self.d
        return self.by_cluster(w), self.by_cluster(w[:, None] * self.x)

    @cached_property
    def logit(self) -> tuple[Floats, Floats, Floats]:
        """Probability of treatment (n,), its information by cluster (v, p, p), its score (v, p)."""
        d, x, w = self.d.astype(np.float64), self.x, self.w
        gamma = np.zeros(x.shape[1])
        for _ in range(STEPS):
            p = 1 / (1 + np.exp(-np.clip(x @ gamma, -700, 700)))
            information = (x * (w * p * (1 - p))[:, None]).T @ x
            try:
                step = np.linalg.solve(information, x.T @ (w * (d - p)))
            except np.linalg.LinAlgError:
                break
            gamma = gamma + step
            if np.abs(step).max() <= CLOSE * max(1.0, np.abs(gamma).max()):
                break
        else:
            _separated()
        p = 1 / (1 + np.exp(-np.clip(x @ gamma, -700, 700)))
        if not np.isfinite(gamma).all() or p[~self.d].max(initial=0.0) > CERTAIN:
            _separated()
        information = self.products_by_cluster(w * p * (1 - p), 2)
        return p, information, self.by_cluster((w * (d - p))[:, None] * x)

    @cached_property
    def odds(self) -> Floats:
        """Weights of controls: their odds of treatment (n,); 0 for the treated."""
        p = self.logit[0]
        values: Floats = np.where(self.d, 0.0, self.w * p / (1 - p))
        return values

    @cached_property
    def odds_moments(self) -> tuple[Floats, Floats]:
        """Σ o x x′ and Σ o x x′ x of controls by cluster; the first rows hold Σ o and Σ o x."""
        return self.products_by_cluster(self.odds, 2), self.products_by_cluster(self.odds, 3)

    @cached_property
    def rows(self) -> Floats:
        """What changes of an outcome are multiplied by before they are added up by cluster.

        The weight of the treated; that of controls times each covariate; their odds times each
        product of two: (1 + p + p(p + 1)/2, n), without the last where nothing is weighted.
        """
        x = self.x.T
        parts = [(self.w * self.d)[None], self.w * ~self.d * x]
        if self.weighting:
            parts.append(_products(self.odds, x, self.pairs))
        return np.concatenate(parts)

    @cached_property
    def pairs(self) -> Integers:
        """Covariates of each distinct product of two, (p(p + 1)/2, 2)."""
        return np.array(list(combinations_with_replacement(range(self.x.shape[1]), 2)))

    def sums(self, change: Floats) -> tuple[Floats, Floats, Floats]:
        """Σ w y of the treated (v,), Σ w x y and Σ o x x′ y of controls (v, p), (v, p, p)."""
        p = self.x.shape[1]
        values = self.by_cluster((self.rows * change).T)
        second = np.zeros((self.clusters, p, p))
        if self.weighting:
            for i, j in (self.pairs.T, self.pairs.T[::-1]):
                second[:, i, j] = values[:, 1 + p :]
        return values[:, 0], values[:, 1 : 1 + p], second

    @cached_property
    def moved(self) -> Floats:
        """How far one Newton step moves the logit without each cluster, (v, p)."""
        _, information, score = self.logit
        rest = information.sum(axis=0) - information
        return -_solved(rest, score)


def _products(weights: Floats, x: Floats, places: Integers) -> Floats:
    """Return weights times products of covariates: (n,), (p, n), (m, order) to (m, n)."""
    values: Floats = weights * x[places].prod(axis=1)
    return values


def _separated() -> None:
    refuse(
        "covariates tell who is treated",
        'leave covariates out, or use method="regression"',
        column="covariates",
    )


def _solved(matrices: Floats, right: Floats) -> Floats:
    """Solve small systems, (v, p, p) by (v, p); NaN where one is singular."""
    scale = np.sqrt(np.maximum(np.diagonal(matrices, axis1=-2, axis2=-1), 1e-300))
    scaled = matrices / scale[..., :, None] / scale[..., None, :]
    values, vectors = np.linalg.eigh(scaled)
    good = values[..., :1] > SINGULAR * values[..., -1:]
    inverse = np.where(good, 1 / np.where(good, values, 1.0), np.nan)
    rotated = np.einsum("...ji,...j->...i", vectors, right / scale)
    estimates: Floats = np.einsum("...ij,...j->...i", vectors, inverse * rotated) / scale
    return estimates


def contrast(arms: Arms, change: Floats, method: str) -> tuple[float, Floats, Floats]:
    """Return one effect, its influence by cluster (v,), and it without each cluster (v,)."""
    weight_1, x_1 = arms.treated
    y_1, products, by_odds = arms.sums(change)
    mean_x_1 = x_1.sum(axis=0) / weight_1.sum()
    coefficients, beta = np.zeros(arms.x.shape[1]), np.zeros_like(x_1)
    of_beta = np.zeros_like(x_1)
    if method != "weighting":
        squares = arms.squares
        full = squares.sum(axis=0)
        coefficients = _solved(full[None], products.sum(axis=0)[None])[0]
        if not np.isfinite(coefficients).all():
            refuse(
                "covariates cannot be told apart among the controls",
                "leave one out",
                column="covariates",
            )
        beta = _solved(full - squares, products.sum(axis=0) - products)
        of_beta = (products - squares @ coefficients) @ np.linalg.inv(full)
    left = weight_1.sum() - weight_1
    with np.errstate(divide="ignore", invalid="ignore"):
        without = (y_1.sum() - y_1 - ((x_1.sum(axis=0) - x_1) * beta).sum(axis=1)) / left
    rest_1 = y_1 - x_1 @ coefficients
    mean_1 = float(rest_1.sum() / weight_1.sum())
    influence = (rest_1 - mean_1 * weight_1) / weight_1.sum()
    if method == "regression":
        return mean_1, influence - of_beta @ mean_x_1, without
    second, _ = arms.odds_moments
    odds, odds_x = second[:, 0, 0], second[:, 0]
    total = odds.sum()
    rest_0 = by_odds[:, 0] - second @ coefficients
    mean_0 = float(rest_0[:, 0].sum() / total)
    _, information, score = arms.logit
    pull = (rest_0 - mean_0 * odds_x).sum(axis=0) / total
    influence = (
        influence
        - (rest_0[:, 0] - mean_0 * odds) / total
        - score @ np.linalg.solve(information.sum(axis=0), pull)
        - of_beta @ (mean_x_1 - odds_x.sum(axis=0) / total)
    )
    return mean_1 - mean_0, influence, without - _mean_of_odds(arms, by_odds, beta)


def _mean_of_odds(arms: Arms, by_odds: Floats, beta: Floats) -> Floats:
    """Return the controls' mean residual by odds without each cluster, (v,).

    The odds move by exp(x′δ), expanded to second order in δ.
    """
    delta = arms.moved
    t2, t3 = (part.sum(axis=0) - part for part in arms.odds_moments)
    y2 = by_odds.sum(axis=0) - by_odds

    def expanded(second: Floats) -> Floats:
        values: Floats = (
            second[:, 0, 0]
            + np.einsum("vp,vp->v", second[:, 0], delta)
            + np.einsum("vpq,vp,vq->v", second, delta, delta) / 2
        )
        return values

    x = (
        t2[:, 0]
        + np.einsum("vpq,vq->vp", t2, delta)
        + np.einsum("vpqr,vq,vr->vp", t3, delta, delta) / 2
    )
    with np.errstate(divide="ignore", invalid="ignore"):
        estimates: Floats = (expanded(y2) - (x * beta).sum(axis=1)) / expanded(t2)
    return estimates
