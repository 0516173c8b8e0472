"""One comparison adjusted for covariates: regression, logit, each cluster left out from sums."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
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
    """One comparison's units with what does not depend on outcomes: n units, p covariates."""

    cluster: Integers
    clusters: int
    d: Booleans
    w: Floats
    x: Floats
    weighting: bool

    @cached_property
    def starts(self) -> Integers:
        """First unit of each cluster that is there; units are in order of their cluster."""
        found: Integers = np.flatnonzero(np.diff(self.cluster, prepend=-1))
        return found

    def by_cluster(self, values: Floats) -> Floats:
        """Add values of units up by cluster: (n, …) to (v, …)."""
        found = np.zeros((self.clusters, *values.shape[1:]))
        found[self.cluster[self.starts]] = np.add.reduceat(values, self.starts, axis=0)
        return found

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

    @cached_property
    def squares(self) -> Floats:
        """Σ w x x′ of controls by cluster, (v, p, p)."""
        w = self.w * ~self.d
        return self.by_cluster((w[:, None] * self.x)[:, :, None] * self.x[:, None, :])

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
        weight = w * p * (1 - p)
        squares = (weight[:, None] * x)[:, :, None] * x[:, None, :]
        return p, self.by_cluster(squares), self.by_cluster((w * (d - p))[:, None] * x)

    @cached_property
    def odds(self) -> Floats:
        """Weights of controls: their odds of treatment (n,); 0 for the treated."""
        p = self.logit[0]
        found: Floats = np.where(self.d, 0.0, self.w * p / (1 - p))
        return found

    @cached_property
    def odds_moments(self) -> tuple[Floats, Floats, Floats, Floats]:
        """Σ o, Σ o x, Σ o x x′, Σ o x x′ x of controls by cluster."""
        one = self.odds[:, None] * self.x
        two = one[:, :, None] * self.x[:, None, :]
        three = two[:, :, :, None] * self.x[:, None, None, :]
        return (
            self.by_cluster(self.odds),
            self.by_cluster(one),
            self.by_cluster(two),
            self.by_cluster(three),
        )

    @cached_property
    def moved(self) -> Floats:
        """How far one Newton step moves the logit without each cluster, (v, p)."""
        _, information, score = self.logit
        rest = information.sum(axis=0) - information
        return -_solved(rest, score)


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
    found: Floats = np.einsum("...ij,...j->...i", vectors, inverse * rotated) / scale
    return found


def contrast(arms: Arms, change: Floats, method: str) -> tuple[float, Floats, Floats]:
    """Return one effect, its influence by cluster (v,), and it without each cluster (v,)."""
    d, w, x = arms.d, arms.w, arms.x
    weight_1, x_1 = arms.treated
    y_1 = arms.by_cluster(w * d * change)
    w1 = w * d / weight_1.sum()
    rest, beta = change, np.zeros((arms.clusters, x.shape[1]))
    of_beta = np.zeros_like(x)
    if method != "weighting":
        w_c = w * ~d
        squares = arms.squares
        products = arms.by_cluster((w_c * change)[:, None] * x)
        full = squares.sum(axis=0)
        coefficients = _solved(full[None], products.sum(axis=0)[None])[0]
        if not np.isfinite(coefficients).all():
            refuse(
                "covariates cannot be told apart among the controls",
                "leave one out",
                column="covariates",
            )
        rest = change - x @ coefficients
        beta = _solved(full - squares, products.sum(axis=0) - products)
        of_beta = ((w_c * rest)[:, None] * x) @ np.linalg.inv(full)
    left = weight_1.sum() - weight_1
    with np.errstate(divide="ignore", invalid="ignore"):
        without = (y_1.sum() - y_1 - ((x_1.sum(axis=0) - x_1) * beta).sum(axis=1)) / left
    mean_1 = float(w1 @ rest)
    influence = w1 * (rest - mean_1)
    if method == "regression":
        influence = influence - of_beta @ (w1 @ x)
        return mean_1, arms.by_cluster(influence), without
    odds = arms.odds
    w0 = odds / odds.sum()
    mean_0 = float(w0 @ rest)
    p, information, _ = arms.logit
    pull = (w0 * (rest - mean_0)) @ x
    of_gamma = ((w * (d - p))[:, None] * x) @ np.linalg.solve(information.sum(axis=0), pull)
    influence = influence - w0 * (rest - mean_0) - of_gamma - of_beta @ ((w1 - w0) @ x)
    without = without - _mean_of_odds(arms, change, beta)
    return mean_1 - mean_0, arms.by_cluster(influence), without


def _mean_of_odds(arms: Arms, change: Floats, beta: Floats) -> Floats:
    """Return the controls' mean residual by odds without each cluster, (v,).

    The odds move by exp(x′δ), expanded to second order in δ.
    """
    delta = arms.moved
    t0, t1, t2, t3 = (part.sum(axis=0) - part for part in arms.odds_moments)
    one = (arms.odds * change)[:, None] * arms.x
    parts = (
        arms.by_cluster(arms.odds * change),
        arms.by_cluster(one),
        arms.by_cluster(one[:, :, None] * arms.x[:, None, :]),
    )
    y0, y1, y2 = (part.sum(axis=0) - part for part in parts)

    def expanded(zero: Floats, first: Floats, second: Floats) -> Floats:
        found: Floats = (
            zero
            + np.einsum("vp,vp->v", first, delta)
            + np.einsum("vpq,vp,vq->v", second, delta, delta) / 2
        )
        return found

    x = t1 + np.einsum("vpq,vq->vp", t2, delta) + np.einsum("vpqr,vq,vr->vp", t3, delta, delta) / 2
    with np.errstate(divide="ignore", invalid="ignore"):
        found: Floats = (expanded(y0, y1, y2) - (x * beta).sum(axis=1)) / expanded(t0, t1, t2)
    return found
