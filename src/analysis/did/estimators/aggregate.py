"""Group-time effects added up, with the influence of the estimated shares of cohorts.

ω_k = f_k a_k p_k / Σ a p over the effects of one inner group: event times, cohorts, periods or all;
f is the weight of the group. p_g is the weight of cohort g among all households ever seen. So one
aggregate moves for two reasons, its effects and its shares, and ψ has a part for each:
ψ = Σ ω_k ψ_k + Σ_k θ_k ∂ω_k/∂p · ψ(p). With ψ_v(p_g) = W_vg/W − p_g W_v/W the second term of ψ(p)
cancels, because ω does not change when all p grow in proportion.
The weights are those of `analysis.panels.estimands`, which a test holds them to; here they may also
be asked for on panels whose periods do not follow each other.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final, Literal

import numpy as np

from analysis.did.estimators.effect_set import COLUMNS, ROWS, EffectSet
from analysis.did.estimators.record import Key
from analysis.did.estimators.table import Table, refuse
from analysis.inference.arrays import Booleans, Floats, Integers
from analysis.inference.degrees import shares
from analysis.panels.estimands import AGGREGATIONS

ALL: Final = tuple(AGGREGATIONS)


@dataclass(frozen=True)
class Recipe:
    """One aggregate as a list of group-time effects.

    Attributes
    ----------
    aggregation : str
        Name.
    at : int or None
        Event time, cohort or period.
    cohort, period : array, shape (m,)
        Of each effect that enters.
    group : array, shape (m,)
        Inner group in which shares sum to one.
    outer : array, shape (m,)
        f: weight of the effect's group.
    inner : array, shape (m,)
        a: multiplies the share of the effect's cohort.
    """

    aggregation: str
    at: int | None
    cohort: Integers
    period: Integers
    group: Integers
    outer: Floats
    inner: Floats


def recipes(cells: list[tuple[int, int]], wanted: tuple[str, ...] = ALL) -> Iterator[Recipe]:
    """Yield every aggregate that group-time effects allow.

    Parameters
    ----------
    cells : list of (cohort, period)
        Effects that there are; those with period < cohort are only in event times.
    wanted : tuple of str
        Names of aggregations.
    """
    cohort, period = np.array(cells, np.int64).reshape(-1, 2).T
    event, post = period - cohort, period >= cohort
    axes = {"event_time": event, "cohort": cohort, "calendar": period}
    for name in wanted:
        inside = post | (name == "event_time")
        axis = axes.get(name)
        for at in [None] if axis is None else sorted(set(axis[inside].tolist())):
            rows = inside if axis is None or at is None else inside & (axis == at)
            if not rows.any():  # leads only: nothing to add up over the years treated
                continue
            g, t = cohort[rows], period[rows]
            group = {"event_time_overall": t - g, "calendar_overall": t}.get(name, 0 * g)
            inner = np.ones(g.size)
            if name == "cohort_overall":
                inner = 1 / (g[:, None] == g).sum(axis=1)
            outer = np.full(g.size, 1 / max(1, np.unique(group).size))
            yield Recipe(name, at, g, t, group, outer, inner)


def weights(recipe: Recipe, share: Floats) -> Floats:
    """Return the weights of a recipe's effects.

    Parameters
    ----------
    recipe : Recipe
        With m effects.
    share : array, shape (..., m)
        p of each effect's cohort, or anything proportional to it.

    Returns
    -------
    array, shape (..., m)
        Summing to one; NaN if a group has no share left.
    """
    same = (recipe.group[:, None] == recipe.group).astype(np.float64)
    part = recipe.inner * share
    with np.errstate(divide="ignore", invalid="ignore"):
        values: Floats = recipe.outer * part / (part @ same)
    return values


def event_base(recipe: Recipe, keys: Mapping[tuple[int | None, int | None], Key]) -> int | None:
    """Return the event time that an effect by event time is compared with.

    Parameters
    ----------
    recipe : Recipe
        The aggregate.
    keys : mapping of (cohort, period) to Key
        Of the group-time effects, with their base periods.

    Returns
    -------
    int or None
        None where its effects have bases at several distances, and of other aggregations.
    """
    if recipe.aggregation != "event_time":
        return None
    items = {
        None if keys[cell].base is None else (keys[cell].base or 0) - cell[0]
        for cell in zip(recipe.cohort.tolist(), recipe.period.tolist(), strict=True)
        if cell in keys
    }
    return items.pop() if len(items) == 1 else None


def aggregate(
    effects: EffectSet,
    table: Table,
    wanted: tuple[str, ...] = ALL,
    *,
    shares: Literal["estimated", "fixed"] = "estimated",
) -> EffectSet:
    """Add group-time effects up.

    Parameters
    ----------
    effects : EffectSet
        From `analysis.did.estimators.group_time.estimate`.
    table : Table
        The table it was made from.
    wanted : tuple of str
        Names of `analysis.panels.estimands.AGGREGATIONS`.
    shares : str
        ``estimated``: the shares of cohorts are those of a sample of villages, and their error
        counts. ``fixed``: they are part of the question, as in imputation.

    Returns
    -------
    EffectSet
        In the order outcome, aggregation, at. An aggregate that lacks one of its effects is in
        `missing` and not among the estimates.

    Raises
    ------
    FaultsError
        If an aggregation is unknown, or none can be made.
    """
    for name in wanted:
        if name not in AGGREGATIONS:
            refuse(
                "no such aggregation",
                f"use one of {', '.join(AGGREGATIONS)}",
                column="aggregation",
                value=name,
            )
    parts: list[_Column] = []
    missing = list(effects.missing)
    outcomes = list(dict.fromkeys(key.outcome for key in effects.keys))
    lacking = {(key.outcome, key.cohort, key.period): why for key, why in effects.missing}
    size = _sizes(table)
    for outcome in outcomes:
        place = {
            (k.cohort, k.period): n for n, k in enumerate(effects.keys) if k.outcome == outcome
        }
        asked = [(int(g), int(t)) for o, g, t in lacking if o == outcome and g and t]
        asked += [(int(g), int(t)) for g, t in place if g and t]
        for recipe in recipes(asked, wanted):
            key = Key(
                outcome,
                recipe.aggregation,
                at=recipe.at,
                base=event_base(recipe, {(k.cohort, k.period): k for k in effects.keys}),
                programme=table.programme,
            )
            cells = list(zip(recipe.cohort.tolist(), recipe.period.tolist(), strict=True))
            gone = [cell for cell in cells if cell not in place]
            if gone:
                g, t = gone[0]
                missing.append((key, f"group_time({g}, {t}): {lacking[outcome, g, t]}"))
            else:
                parts.append(
                    _add_up(
                        effects,
                        recipe,
                        key,
                        np.array([place[c] for c in cells]),
                        size,
                        estimated=shares == "estimated",
                    )
                )
    if not parts:
        why = missing[-1][1] if missing else "every effect is of a period before treatment"
        refuse(
            "no aggregate has all its group-time effects",
            why,
            column="aggregation",
            value=", ".join(wanted),
        )
    columns: dict[str, Any] = {
        name: np.stack([getattr(column, name) for column in parts], axis=-1) for name in COLUMNS
    }
    rows: dict[str, Any] = {
        name: np.array([getattr(column, name) for column in parts]) for name in ROWS
    }
    keys = tuple(column.key for column in parts)
    return replace(effects, keys=keys, missing=tuple(missing), **columns, **rows)


@dataclass(frozen=True)
class _Column:
    """One aggregate; arrays have shape (v,)."""

    key: Key
    points: float
    influence: Floats
    without: Floats
    treated: Booleans
    control: Booleans
    used: Booleans
    treated_weight: Floats
    control_weight: Floats
    treated_size: Floats
    control_size: Floats
    n_treated: int
    n_control: int
    n_left_out: int
    linear: bool


def _sizes(table: Table) -> dict[int, Floats]:
    """Return the weight ever seen of each cohort by village, shape (v,) each."""
    villages = len(table.villages)
    return {
        g: np.bincount(table.village[rows], table.weight_ever[rows], villages).astype(np.float64)
        for g in table.cohorts
        for rows in [table.cohort == g]
    }


def _add_up(
    effects: EffectSet,
    recipe: Recipe,
    key: Key,
    at: Integers,
    size: dict[int, Floats],
    *,
    estimated: bool,
) -> _Column:
    """Add the effects of one recipe up."""
    own = np.stack([size[g] for g in recipe.cohort.tolist()], axis=-1)
    share = own.sum(axis=0)
    omega = weights(recipe, share)
    theta = effects.points[at]
    # Effects and shares of the estimate without a village are both without it; a village outside
    # the comparison changes neither.
    omega_without = weights(recipe, share - own) if estimated else omega
    used = np.logical_or.reduce(effects.used[:, at], axis=1)
    if estimated:
        used = used | (own > 0).any(axis=1)
    without = (omega_without * effects.without[:, at]).sum(axis=1)
    point = float(omega @ theta)
    influence = effects.influence[:, at] @ omega
    if estimated:
        influence = influence + _share_influence(recipe, share, own, theta)
    return _Column(
        key=key,
        points=point,
        influence=influence,
        without=np.where(used, without, point),
        treated=np.logical_or.reduce(effects.treated[:, at], axis=1),
        control=np.logical_or.reduce(effects.control[:, at], axis=1),
        used=used,
        treated_weight=shares(effects.treated_weight[:, at]) @ omega,
        control_weight=shares(effects.control_weight[:, at]) @ omega,
        treated_size=effects.treated_size[:, at].max(axis=1),
        control_size=effects.control_size[:, at].max(axis=1),
        n_treated=int(effects.n_treated[at].sum()),
        n_control=int(effects.n_control[at].sum()),
        n_left_out=int(effects.n_left_out[at].sum()),
        linear=bool(effects.linear[at].all()),
    )


def _share_influence(recipe: Recipe, share: Floats, own: Floats, theta: Floats) -> Floats:
    """Return Σ_k θ_k dω_k of each village, where dp_g is the village's own weight W_vg.

    Per group: Σ_k f θ_k [a dp_k/P − a p_k Σ a dp/P²]; the terms in W_v and the total W cancel.
    """
    same = (recipe.group[:, None] == recipe.group).astype(np.float64)
    whole = (recipe.inner * share) @ same
    move = recipe.inner * own
    change = move / whole - recipe.inner * share * (move @ same) / whole**2
    values: Floats = change @ (recipe.outer * theta)
    return values
