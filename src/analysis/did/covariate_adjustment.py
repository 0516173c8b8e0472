"""Group-time effects adjusted for covariates: regression, weighting, or doubly robust.

Sant'Anna & Zhao (2020) inside Callaway & Sant'Anna (2021): least squares for how controls change
(regression), a logit for who is treated (weighting), or both (doubly robust: right if either is).
Their equation 2.6 divides controls' weights by their own sum, as R's did and csdid do.

Every cluster is left out in turn from sums by cluster: the regression exactly; the logit by one
Newton step from its full fit, and sums of its odds by their second-order expansion there.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Final

import numpy as np
import polars as pl

from analysis.designs.sample import check_columns
from analysis.did.check import Observations
from analysis.did.doubly_robust_arms import Arms, contrast
from analysis.did.estimators import cross_sections, households
from analysis.did.estimators.effect_set import WEIGHTS, EffectSet, stack
from analysis.did.estimators.group_time import (
    NO_CONTROL_SEEN,
    UNSEEN,
    Comparison,
    base_period,
    has_base,
)
from analysis.did.estimators.record import About, Key
from analysis.did.estimators.rows_used import of_units
from analysis.faults import FaultsError, refuse
from analysis.inference.arrays import Booleans, Floats, Integers

METHODS: Final = ("doubly_robust", "regression", "weighting")
NO_BASE: Final = "no effect has a base period"


def estimate(
    observed: Observations, how: Comparison, method: str, handling: str = "pairs"
) -> EffectSet:
    """Estimate every group-time effect on every outcome.

    Parameters
    ----------
    observed : Observations
        With covariates; those of the base period of each comparison are used. Units that
        `handling` leaves out are gone already (`analysis.did.layout.handled`).
    how : Comparison
        Controls, base and anticipation; controls may live anywhere.
    method : str
        One of `METHODS`.
    handling : str
        ``cross_sections``: rows of all periods, units not followed, covariates of each row.

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
    if observed.cross_sections or handling == "cross_sections":
        return _cross_sections(observed, how, method)
    return _effects(_Units.of(observed), how, method)


def _cross_sections(observed: Observations, how: Comparison, method: str) -> EffectSet:
    if method != "doubly_robust":
        refuse(
            "cross sections are adjusted for covariates doubly robust only",
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
        left_out = {**observed.left_out, **prepared.left_out}
        prepared = replace(prepared, rows_in=observed.rows_in, left_out=left_out)
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

    def out_of_scope(self, cohort: int, period: int) -> str:
        """Say why no design could estimate an effect from these units; empty if one could."""
        seen = self.seen[:, np.searchsorted(self.periods, period)]
        if not seen[self.cohort == cohort].any():
            return UNSEEN
        untreated = (self.cohort == 0) | (self.cohort > period)
        return "" if seen[untreated].any() else NO_CONTROL_SEEN

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


def _effects(units: _Units, how: Comparison, method: str) -> EffectSet:
    observed, v = units.observed, len(units.observed.clusters)
    cohorts = [int(g) for g in np.unique(units.cohort) if g > 0]
    early = [g for g in cohorts if not has_base(units.periods, g, how.anticipation)]
    later = [g for g in cohorts if g not in early and g <= units.periods[-1]]
    outcomes = observed.columns.outcomes
    held: dict[bytes, Arms] = {}
    columns: dict[str, list[Any]] = {
        name: [] for name in ("point", "psi", "less", "arm", "n", "held")
    }
    cells: list[tuple[int, int, int]] = []
    missing: list[tuple[Key, str]] = []
    unasked: list[tuple[Key, str]] = []
    entered = np.zeros_like(units.seen)
    for g in later:
        for t in units.periods.tolist():
            base = base_period(units.periods, g, t, how)
            if base is None:
                continue
            if why := units.out_of_scope(g, t):
                unasked += [(Key(o, "group_time", cohort=g, period=t), why) for o in outcomes]
                continue
            try:
                rows = units.compared(g, t, base, how)
                b, at = np.searchsorted(units.periods, (base, t))
                name = rows.tobytes() + bytes([g % 251]) + (b"" if units.constant else bytes([b]))
                arms = held.get(name)
                if arms is None:
                    held.clear()  # arms are of one cohort at a time
                    arms = held[name] = Arms(
                        units.cluster[rows],
                        v,
                        units.cohort[rows] == g,
                        units.weight[rows],
                        units.covariates[rows, b],
                        method != "regression",
                    )
                change = units.outcome[rows, at] - units.outcome[rows, b]
                entries = [contrast(arms, change[:, k], method) for k in range(len(outcomes))]
            except FaultsError as error:
                why = "; ".join(fault.problem for fault in error.faults)
                missing += [(Key(o, "group_time", cohort=g, period=t), why) for o in outcomes]
                continue
            cells.append((g, t, base))
            entered[np.ix_(rows, [b, at])] = True
            treated = np.bincount(arms.cluster[arms.d], minlength=v) > 0
            control = np.bincount(arms.cluster[~arms.d], minlength=v) > 0
            columns["point"].append([entry[0] for entry in entries])
            columns["psi"].append([entry[1] for entry in entries])
            columns["less"].append([entry[2] for entry in entries])
            columns["arm"].append((treated, control))
            columns["n"].append((int(arms.d.sum()), int((~arms.d).sum())))
            columns["held"].append(arms.held)
    if not cells:
        refuse(
            missing[0][1] if missing else NO_BASE,
            "look at how many controls each cohort has, and at the periods before treatment",
            column="covariates" if missing else "first",
        )
    effects = _set(units, how, method, cells, columns, (missing, unasked))
    there = of_units(
        entered,
        units.seen,
        np.isin(units.cohort, [g for g, *_ in cells]),
        observed.left_out,
        np.isin(units.cohort, early),
    )
    about = replace(
        effects.about,
        rows_used=there.rows_used,
        n_units=(there.n_treated, there.n_control),
        left_out=there.left_out,
    )
    return replace(effects, about=about)


def _set(
    units: _Units,
    how: Comparison,
    method: str,
    cells: list[tuple[int, int, int]],
    columns: dict[str, list[Any]],
    lacking: tuple[list[tuple[Key, str]], list[tuple[Key, str]]],
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
    held: dict[str, Any] = {
        name: np.tile(np.stack([item[name] for item in columns["held"]], axis=-1), (1, k))
        for name in WEIGHTS
    }
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
            covariates=observed.columns.covariates,
        ),
        missing=tuple(lacking[0]),
        unasked=tuple(lacking[1]),
    )
