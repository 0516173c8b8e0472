"""Group-time effects adjusted for covariates: regression, weighting, or doubly robust.

Sant'Anna & Zhao (2020) inside Callaway & Sant'Anna (2021): least squares for how controls change
(regression), a logit for who is treated (weighting), or both (doubly robust: right if either is).
Their equation 2.6 divides controls' weights by their own sum, as R's did and csdid do.

Every cluster is left out in turn from sums by cluster: the regression exactly; the logit by one
Newton step from its full fit, and sums of its odds by their second-order expansion there.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

import numpy as np
import polars as pl

from analysis.designs.sample import check_columns
from analysis.did.check import Observations, refuse
from analysis.effects import cross_sections, households
from analysis.effects.group_time import Comparison, base_period, has_base
from analysis.effects.record import About, Key
from analysis.effects.result import WEIGHTS, EffectSet, stack
from analysis.faults import FaultsError
from analysis.inference.arrays import Booleans, Floats, Integers

METHODS: Final = ("doubly_robust", "regression", "weighting")
STEPS: Final = 50
"""Newton steps of a logit after which it counts as not converging."""
CLOSE: Final = 1e-10
"""Largest relative step at which a logit has converged."""
CERTAIN: Final = 1 - 1e-8
"""Probability of treatment above which covariates tell a unit's treatment."""
SINGULAR: Final = 1e-10
"""Ratio of eigenvalues below which covariates cannot be told apart."""
ALWAYS: Final = "treated in the first period or before: no period before treatment"
NO_BASE: Final = "no effect has a base period"


def estimate(observed: Observations, how: Comparison, method: str) -> EffectSet:
    """Estimate every group-time effect on every outcome.

    Parameters
    ----------
    observed : Observations
        With covariates; those of the base period of each comparison are used.
    how : Comparison
        Controls, base and anticipation; controls may live anywhere.
    method : str
        One of `METHODS`.

    Returns
    -------
    EffectSet
        In the order outcome, cohort, period.

    Raises
    ------
    FaultsError
        If controls are asked for by place, covariates add nothing or separate treated from
        controls, or no effect can be made.
    """
    if method not in METHODS:
        refuse("no such method", f"use one of {', '.join(METHODS)}", column="method", value=method)
    if how.where != "anywhere":
        refuse(
            "covariates are adjusted for with controls from anywhere",
            'use where="anywhere"',
            column="where",
            value=how.where,
        )
    x = observed.frame.select(f"x:{name}" for name in observed.columns.covariates).to_numpy()
    check_columns(x, observed.columns.covariates)
    if observed.cross_sections:
        return _cross_sections(observed, how, method)
    return _effects(_Units.of(observed), how, method)


def _cross_sections(observed: Observations, how: Comparison, method: str) -> EffectSet:
    if method != "doubly_robust":
        refuse(
            "other units in each period are adjusted for doubly robust only",
            'use method="doubly_robust"',
            column="method",
            value=method,
        )
    names = observed.columns.covariates
    frame = observed.frame.with_columns(
        village=pl.Series(observed.clusters).gather(observed.frame["cluster"])
    ).rename({f"x:{name}": name for name in names})
    sets = []
    for outcome in observed.columns.outcomes:
        prepared = households.prepare(
            frame.rename({f"y:{outcome}": outcome}),
            outcome,
            names,
            weight="weight" if observed.columns.weight else "",
            cross_sections=True,
        )
        kept, comparison = households.with_base(prepared, how)
        sets.append(cross_sections.estimate(kept, comparison, leave_out=True))
    return sets[0] if len(sets) == 1 else stack(*sets)


@dataclass(frozen=True, eq=False)
class _Units:
    """Units by periods, in order of their cluster: u units, t periods, k outcomes, p covariates."""

    observed: Observations
    periods: Integers
    cluster: Integers
    cohort: Integers
    weight: Floats
    seen: Booleans
    outcome: Floats
    covariates: Floats

    @classmethod
    def of(cls, observed: Observations) -> _Units:
        """Spread rows out by unit and period; covariates get a column of ones and unit spread."""
        frame = observed.frame.sort("cluster", "unit")
        periods = observed.periods
        unit = frame["unit"].to_numpy()
        starts = np.flatnonzero(np.concatenate([[True], unit[1:] != unit[:-1]]))
        row = np.cumsum(np.concatenate([[True], unit[1:] != unit[:-1]])) - 1
        at = row, np.searchsorted(periods, frame["period"].to_numpy())
        y = frame.select(f"y:{name}" for name in observed.columns.outcomes).to_numpy()
        x = frame.select(f"x:{name}" for name in observed.columns.covariates).to_numpy()
        x = (x - x.mean(axis=0)) / x.std(axis=0)
        shape = (starts.size, periods.size)
        seen = np.zeros(shape, bool)
        outcome, covariates = np.zeros((*shape, y.shape[1])), np.ones((*shape, x.shape[1] + 1))
        seen[at], outcome[at], covariates[(*at, slice(1, None))] = True, y, x
        return cls(
            observed,
            periods,
            frame["cluster"].to_numpy()[starts].astype(np.int64),
            frame["cohort"].to_numpy()[starts].astype(np.int64),
            frame["weight"].to_numpy()[starts],
            seen,
            outcome,
            covariates,
        )

    @cached_property
    def constant(self) -> bool:
        """Whether covariates are the same in all periods that a unit is seen in."""
        first = self.covariates[np.arange(self.cluster.size), self.seen.argmax(axis=1)]
        same = (self.covariates == first[:, None, :]) | ~self.seen[..., None]
        return bool(same.all())

    def compared(self, cohort: int, period: int, base: int, how: Comparison) -> Booleans:
        """Return the units of one comparison, shape (u,)."""
        b, t = np.searchsorted(self.periods, (base, period))
        treated, control = self.cohort == cohort, self.cohort == 0
        if how.controls == "not_yet":
            later = self.cohort > max(base, period) + how.anticipation
            control = control | (later & ~treated)
        both = self.seen[:, b] & self.seen[:, t]
        rows: Booleans = both & (treated | control)
        for arm, name in ((treated, "treated unit"), (control & ~treated, "control")):
            if not (arm & both).any():
                refuse(f"no {name} is left", "compare with others", column="cohort", value=cohort)
        return rows


@dataclass(frozen=True, eq=False)
class _Arms:
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


def _contrast(arms: _Arms, change: Floats, method: str) -> tuple[float, Floats, Floats]:
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


def _mean_of_odds(arms: _Arms, change: Floats, beta: Floats) -> Floats:
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


def _effects(units: _Units, how: Comparison, method: str) -> EffectSet:
    observed, v = units.observed, len(units.observed.clusters)
    cohorts = [int(g) for g in np.unique(units.cohort) if g > 0]
    early = [g for g in cohorts if not has_base(units.periods, g, how.anticipation)]
    later = [g for g in cohorts if g not in early and g <= units.periods[-1]]
    outcomes = observed.columns.outcomes
    held: dict[bytes, _Arms] = {}
    columns: dict[str, list[Any]] = {
        name: [] for name in ("point", "psi", "less", "arm", "n", "held")
    }
    cells: list[tuple[int, int, int]] = []
    missing: list[tuple[Key, str]] = []
    for g in later:
        for t in units.periods.tolist():
            base = base_period(units.periods, g, t, how)
            if base is None:
                continue
            try:
                rows = units.compared(g, t, base, how)
                b, at = np.searchsorted(units.periods, (base, t))
                name = rows.tobytes() + bytes([g % 251]) + (b"" if units.constant else bytes([b]))
                arms = held.get(name)
                if arms is None:
                    held.clear()  # arms are of one cohort at a time
                    arms = held[name] = _Arms(
                        units.cluster[rows],
                        v,
                        units.cohort[rows] == g,
                        units.weight[rows],
                        units.covariates[rows, b],
                        method != "regression",
                    )
                change = units.outcome[rows, at] - units.outcome[rows, b]
                made = [_contrast(arms, change[:, k], method) for k in range(len(outcomes))]
            except FaultsError as error:
                why = "; ".join(fault.problem for fault in error.faults)
                missing += [(Key(o, "group_time", cohort=g, period=t), why) for o in outcomes]
                continue
            cells.append((g, t, base))
            treated = np.bincount(arms.cluster[arms.d], minlength=v) > 0
            control = np.bincount(arms.cluster[~arms.d], minlength=v) > 0
            columns["point"].append([one[0] for one in made])
            columns["psi"].append([one[1] for one in made])
            columns["less"].append([one[2] for one in made])
            columns["arm"].append((treated, control))
            columns["n"].append((int(arms.d.sum()), int((~arms.d).sum())))
            columns["held"].append(arms.held)
    if not cells:
        refuse(
            missing[0][1] if missing else NO_BASE,
            "look at how many controls each cohort has, and at the periods before treatment",
            column="covariates" if missing else "first",
        )
    return _set(units, how, method, cells, columns, tuple(missing), early)


def _set(
    units: _Units,
    how: Comparison,
    method: str,
    cells: list[tuple[int, int, int]],
    columns: dict[str, list[Any]],
    missing: tuple[tuple[Key, str], ...],
    early: list[int],
) -> EffectSet:
    """Lay effects out, outcome by outcome: (m, k, …) to (…, k·m)."""
    observed = units.observed
    outcomes = observed.columns.outcomes
    k = len(outcomes)
    points = np.array(columns["point"]).T.ravel()
    psi = np.array(columns["psi"]).transpose(2, 1, 0).reshape(len(observed.clusters), -1)
    less = np.array(columns["less"]).transpose(2, 1, 0).reshape(len(observed.clusters), -1)
    treated, control = (np.array([arm[side] for arm in columns["arm"]]).T for side in (0, 1))
    used = np.tile(treated | control, (1, k))
    n_treated, n_control = (np.array([n[side] for n in columns["n"]]) for side in (0, 1))
    dropped = int(units.seen[np.isin(units.cohort, early)].sum())
    held: dict[str, Any] = {
        name: np.tile(np.stack([one[name] for one in columns["held"]], axis=-1), (1, k))
        for name in WEIGHTS
    }
    left_out = dict(observed.left_out) | ({ALWAYS: dropped} if dropped else {})
    return EffectSet(
        keys=tuple(
            Key(o, "group_time", cohort=g, period=t, base=b) for o in outcomes for g, t, b in cells
        ),
        points=points,
        influence=psi,
        without=np.where(used, less, points),
        treated=np.tile(treated, (1, k)),
        control=np.tile(control, (1, k)),
        used=used,
        n_treated=np.tile(n_treated, k),
        n_control=np.tile(n_control, k),
        n_left_out=np.zeros(points.size, np.int64),
        **held,
        villages=observed.clusters,
        about=About(
            estimator="group_time",
            tier="yours",
            controls=how.controls,
            base=how.base,
            where=how.where,
            anticipation=how.anticipation,
            weights="baseline weights" if observed.columns.weight else "none",
            handling="balanced" if units.seen.all() else "pairs",
            rows_in=observed.rows_in,
            rows_used=observed.frame.height - dropped,
            left_out=left_out,
            covariates=observed.columns.covariates,
        ),
        missing=missing,
    )
