"""Imputation: untreated outcomes predicted from household and period effects (BJS 2024).

Borusyak, Jaravel & Spiess (2024): household and period effects are estimated on what is untreated,
and the effect on a treated household and period is what its outcome exceeds the prediction by. It
uses every untreated household, also beside treated ones, and every untreated period; with parallel
trends in all of them it is more precise than group-time effects, without them it is more biased.

From cells, with H = Σ_c [diag(n) − A] and h = Σ_c [S − B′1] on untreated periods: λ = H⁺h; the
household effects of those seen at t add up to a_ct = Σ_s B_st − Σ_s A_st λ_s; T = S − a − nλ.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from analysis.did.estimators import projection
from analysis.did.estimators.effect_set import EffectSet
from analysis.did.estimators.record import Key
from analysis.did.estimators.table import Table, check_constant, refuse
from analysis.inference.arrays import Booleans, Floats, Integers

SLACK = 1e-8
"""Relative distance up to which a period's effect counts as identified by untreated periods."""
NOTHING = 1e-12
"""Share of the largest eigenvalue below which one is zero: the level that no period effect has."""
NO_UNTREATED = "nobody untreated links the period with the others"


@dataclass(frozen=True)
class _System:
    """Sums by village (v), cohort (g) and period (s, t) of k outcomes."""

    gram: Floats  # (v, t, t): diag(n) − A, untreated
    right: Floats  # (v, t, k): S − B′1, untreated
    size: Floats  # (v, g, t): n of the treated cohorts
    excess: Floats  # (v, g, t, k): S − B′1
    effect: Floats  # (v, g, s, t): A


def estimate(
    table: Table, anticipation: int = 0, *, average: Literal["household", "village"] = "household"
) -> EffectSet:
    """Estimate group-time effects by imputation.

    Parameters
    ----------
    table : Table
        Cells as arrays; balanced, or with inverse-count moments.
    anticipation : int
        Periods before the first in which the programme may already act.
    average : str
        What treated residuals are taken from, for influence: the mean over the households of the
        cohort and period, or over villages with squared sizes (BJS equation 8).

    Returns
    -------
    EffectSet
        ATT(g, t) for t ≥ g − anticipation, in the order outcome, cohort, period. Add them up with
        ``aggregate(..., shares="fixed")``: shares are part of the question here.

    Raises
    ------
    FaultsError
        If no effect can be imputed, an outcome is constant, or the cells lack the moments.
    """
    check_constant(table)
    source = table.imputed or table
    kept = projection.with_a_period_before(source, anticipation)
    mask = projection.untreated_mask(kept, anticipation)
    cohorts = np.array(kept.cohorts)
    system = _system(kept, mask, cohorts)
    gram, right = system.gram.sum(axis=0), system.right.sum(axis=0)
    inverse = np.linalg.pinv(gram, rcond=NOTHING, hermitian=True)
    period_effects = inverse @ right
    wanted, missing = _identified(kept, mask, cohorts, system, gram @ inverse)
    if not wanted:
        refuse(
            "no effect can be imputed: " + NO_UNTREATED,
            "add untreated households",
            column="cohort",
            value=", ".join(map(str, cohorts)),
        )
    g, t = np.array(wanted).T
    points = _effects(system, period_effects, g, t)
    influence = _flat(
        _influence(kept, mask, system, inverse, period_effects, g, t, points, cohorts, average)
    )
    return EffectSet(
        keys=tuple(
            _key(kept, o, cohorts[i], kept.periods[j]) for o in kept.outcomes for i, j in wanted
        ),
        points=points.T.ravel(),
        influence=influence,
        without=_flat(_without(system, gram, right, g, t)),
        **_arms(kept, mask, cohorts, g, t, influence),
        villages=kept.villages,
        about=projection.about(table, source, kept, "imputation", anticipation),
        missing=tuple(
            (_key(kept, o, cohorts[i], kept.periods[j]), NO_UNTREATED)
            for o in kept.outcomes
            for i, j in missing
        ),
    )


def _key(table: Table, outcome: str, cohort: int, period: int) -> Key:
    return Key(
        outcome, "group_time", cohort=int(cohort), period=int(period), programme=table.programme
    )


def _flat(values: Floats) -> Floats:
    """Turn (v, m, k) into (v, k·m), outcome by outcome."""
    return np.swapaxes(values, 1, 2).reshape(values.shape[0], -1)


def _system(table: Table, mask: Booleans, cohorts: Integers) -> _System:
    moments = projection.moments(table, "untreated", mask)
    a, excess = moments.a, table.total - moments.b.sum(axis=1)
    inside = mask.astype(np.float64)
    square = a * inside[:, None, :]
    diagonal = np.einsum("ct,st->cst", table.weight * inside, np.eye(table.periods.size))
    by_cohort = []
    for values in (table.weight, excess, a):
        parts = [
            projection.by_village(table.rows(rows), values[rows])
            for g in cohorts
            for rows in [table.cohort == g]
        ]
        by_cohort.append(np.stack(parts, axis=1))
    return _System(
        projection.by_village(table, diagonal - square),
        projection.by_village(table, excess * inside[..., None]),
        *by_cohort,
    )


def _identified(
    table: Table, mask: Booleans, cohorts: Integers, system: _System, projector: Floats
) -> tuple[list[tuple[int, int]], list[tuple[int, int]]]:
    """Return the treated cohort × period numbers whose period effect is identified, and others."""
    size, effect = system.size.sum(axis=0), system.effect.sum(axis=0)
    good: list[tuple[int, int]] = []
    bad: list[tuple[int, int]] = []
    for i, g in enumerate(cohorts):
        treated = ~mask[np.flatnonzero(table.cohort == g)[0]]
        for j in np.flatnonzero(treated & (size[i] > 0)).tolist():
            pull = _pull(size[i], effect[i], j)
            lost = np.abs(projector @ pull - pull).max()
            (good if lost <= SLACK else bad).append((i, j))
    return good, bad


def _pull(size: Floats, effect: Floats, period: int) -> Floats:
    """Return q_s = 1{s = t} − A_st / n_t: what an effect takes from each period effect."""
    values: Floats = (np.arange(size.size) == period) - effect[:, period] / size[period]
    return values


def _effects(system: _System, period_effects: Floats, g: Integers, t: Integers) -> Floats:
    """Return the effects, shape (m, k)."""
    size, excess, effect = (x.sum(axis=0) for x in (system.size, system.excess, system.effect))
    pull = np.stack([_pull(size[i], effect[i], j) for i, j in zip(g, t, strict=True)])
    values: Floats = excess[g, t] / size[g, t][:, None] - pull @ period_effects
    return values


def _influence(
    table: Table,
    mask: Booleans,
    system: _System,
    inverse: Floats,
    period_effects: Floats,
    g: Integers,
    t: Integers,
    points: Floats,
    cohorts: Integers,
    average: str,
) -> Floats:
    """Return ψ, shape (v, m, k)."""
    size, effect = system.size.sum(axis=0), system.effect.sum(axis=0)
    pull = np.stack([_pull(size[i], effect[i], j) for i, j in zip(g, t, strict=True)])
    # Residual sums of what is untreated, T = S − B′1 − (diag n − A)λ, by village and period.
    residual = system.right - np.einsum(
        "vst,tk->vsk", np.swapaxes(system.gram, 1, 2), period_effects
    )
    result = -np.einsum("ms,vsk->vmk", pull @ inverse, residual)
    rows = projection.moments(table, "untreated", mask)
    excess = table.total - rows.b.sum(axis=1)
    imputed = excess + np.einsum("cst,sk->ctk", rows.a, period_effects)
    imputed -= table.weight[..., None] * period_effects
    for m, (i, j) in enumerate(zip(g, t, strict=True)):
        own = table.cohort == cohorts[i]
        total = np.zeros((len(table.villages), points.shape[1]))
        np.add.at(total, table.village[own], imputed[own, j])
        n = system.size[:, i, j][:, None]
        mean = points[m] if average == "household" else (n * total).sum(0) / (n**2).sum(0)
        result[:, m] += (total - n * mean) / size[i, j]
    return np.asarray(result, np.float64)


def _without(system: _System, gram: Floats, right: Floats, g: Integers, t: Integers) -> Floats:
    """Return the effects without each village, shape (v, m, k)."""
    rest = gram - system.gram
    inverse = np.linalg.pinv(rest, rcond=NOTHING, hermitian=True)
    period_effects = inverse @ (right - system.right)
    size = (system.size.sum(axis=0) - system.size)[:, g, t]
    excess = (system.excess.sum(axis=0) - system.excess)[:, g, t]
    effect = (system.effect.sum(axis=0) - system.effect)[:, g, :, t]  # (m, v, s)
    there = size > SLACK * system.size.sum(axis=0)[g, t]
    safe = np.where(there, size, 1.0)
    pull = np.eye(gram.shape[0])[t][None] - np.swapaxes(effect, 0, 1) / safe[..., None]
    lost = np.abs(np.einsum("vst,vmt->vms", rest @ inverse, pull) - pull).max(axis=2)
    values: Floats = excess / safe[..., None] - np.einsum("vms,vsk->vmk", pull, period_effects)
    values[~(there & (lost <= SLACK))] = np.nan
    return values


def _arms(
    table: Table, mask: Booleans, cohorts: Integers, g: Integers, t: Integers, influence: Floats
) -> dict[str, Any]:
    """Return villages and households by arm: the cohort, and who is untreated in the period.

    Used is every village that moves the estimate: those treated by then too, through the period
    effects that their earlier, untreated years help to tell.
    """
    k = len(table.outcomes)
    arms: dict[str, Any] = {}
    sides = {
        "treated": [
            (table.cohort == cohorts[i]) & (table.n[:, j] > 0) for i, j in zip(g, t, strict=True)
        ],
        "control": [mask[:, j] & (table.n[:, j] > 0) for j in t],
    }
    for name, rows in sides.items():
        villages = [
            np.bincount(table.village[item], minlength=len(table.villages)) > 0 for item in rows
        ]
        households = [table.n[item, j].sum() for item, j in zip(rows, t, strict=True)]
        for what, source in (("weight", table.weight), ("size", table.n)):
            held = [
                np.bincount(table.village[item], source[item, j], len(table.villages))
                for item, j in zip(rows, t, strict=True)
            ]
            arms[f"{name}_{what}"] = np.tile(np.stack(held, axis=-1).astype(np.float64), (1, k))
        arms[name] = np.tile(np.stack(villages, axis=-1), (1, k))
        arms[f"n_{name}"] = np.tile(np.array(households), k)
    moves = np.abs(influence) > SLACK * np.abs(influence).max(axis=0)
    arms["used"] = arms["treated"] | arms["control"] | moves
    return {**arms, "n_left_out": np.zeros(g.size * k, np.int64)}
