"""The estimators that are put to the test, each giving estimates with the influence of villages."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any, Final

import numpy as np

from analysis.did.estimators import group_time, imputation, two_way
from analysis.did.estimators.aggregate import aggregate
from analysis.did.estimators.contrast import Contrast, contrast, groups
from analysis.did.estimators.effect_set import EffectSet, stack
from analysis.did.estimators.group_time import Comparison
from analysis.did.estimators.record import About, Key
from analysis.did.estimators.table import Leg, Table
from analysis.inference.arrays import Booleans, Floats, Integers

WANTED: Final = ("simple", "event_time")


def by_group_time(table: Table) -> EffectSet:
    """Group-time effects and their sums: never treated controls in other villages."""
    effects = group_time.estimate(table)
    return stack(effects, aggregate(effects, table, WANTED))


def with_early_base(table: Table) -> EffectSet:
    """Group-time effects whose base is two years before the start, so that one may be unusual."""
    how = Comparison(anticipation=1)
    return aggregate(group_time.estimate(table, how, leads=False), table, WANTED)


def in_the_village(table: Table) -> EffectSet:
    """Group-time effects whose controls are the participants' own neighbours."""
    how = Comparison(where="same_village")
    return aggregate(group_time.estimate(table, how, leads=False), table, WANTED)


def by_imputation(table: Table) -> EffectSet:
    """Imputation: every untreated household and period."""
    return aggregate(imputation.estimate(table), table, WANTED, shares="fixed")


def by_two_way(table: Table) -> EffectSet:
    """Two-way fixed effects: the static coefficient as the overall effect, and the event study."""
    static = two_way.estimate(table, static=True)
    keys = tuple(replace(key, aggregation="simple") for key in static.keys)
    return stack(replace(static, keys=keys), two_way.estimate(table))


def before_after(table: Table) -> EffectSet:
    """Participants after the start less the same participants before, without any control.

    Each village is its own control, so a village counts in both arms.
    """

    def one(leg: Leg, treated: Booleans, _: Booleans) -> Contrast:
        return _mean_change(table, leg, treated)

    return aggregate(_naive(table, "before_after", one), table, WANTED, shares="fixed")


def with_without(table: Table) -> EffectSet:
    """Participants less households that never take part, in the same year, anywhere."""
    where = groups(table.village, 0 * table.stratum, len(table.villages), nested=False)

    def one(leg: Leg, treated: Booleans, control: Booleans) -> Contrast:
        return contrast((leg,), treated, control, where)

    return aggregate(_naive(table, "with_without", one), table, WANTED, shares="fixed")


Estimator = Callable[[Table], EffectSet]
ESTIMATORS: Final[dict[str, Estimator]] = {
    "group_time": by_group_time,
    "imputation": by_imputation,
    "two_way": by_two_way,
    "before_after": before_after,
    "with_without": with_without,
}
AMONG_HOUSEHOLDS: Final[dict[str, Estimator]] = {
    "early_base": with_early_base,
    "same_village": in_the_village,
}
"""Further ones for programmes of households as the model panel offers them."""
LABELS: Final = {
    "group_time": "group-time",
    "early_base": "group-time, base two years before",
    "same_village": "group-time, controls in the village",
    "imputation": "imputation",
    "two_way": "two-way fixed effects",
    "before_after": "before and after",
    "with_without": "with and without",
}


def _naive(
    table: Table, name: str, entry: Callable[[Leg, Booleans, Booleans], Contrast]
) -> EffectSet:
    """Return what a comparison without a design gives for every cohort and period after."""
    keys: list[Key] = []
    contrasts: list[Contrast] = []
    never = table.cohort == 0
    for g in table.cohorts:
        for t in table.periods[table.periods >= g].tolist():
            before = table.periods[table.periods < g]
            if not before.size:
                continue
            leg = table.legs(int(before[-1]), t)[0] if name == "before_after" else _level(table, t)
            keys.append(Key("", "group_time", cohort=int(g), period=t))
            contrasts.append(entry(leg, table.cohort == g, never))
    k = len(table.outcomes)

    def columns(attribute: str) -> Floats:
        stacked = np.stack([getattr(c, attribute) for c in contrasts], axis=-1)
        return stacked.reshape(*stacked.shape[:-2], -1)

    def arms(attribute: str) -> Any:
        return np.tile(np.stack([getattr(c, attribute) for c in contrasts], axis=-1), (1, k))

    def counts(attribute: str) -> Integers:
        return np.tile(np.array([getattr(c, attribute) for c in contrasts]), k)

    treated, control = arms("treated"), arms("control")
    return EffectSet(
        keys=tuple(replace(key, outcome=o) for o in table.outcomes for key in keys),
        points=columns("point"),
        influence=columns("influence"),
        without=columns("without"),
        treated=treated,
        control=control,
        used=treated | control,
        treated_weight=arms("treated_weight"),
        control_weight=arms("control_weight"),
        treated_size=arms("treated_size"),
        control_size=arms("control_size"),
        n_treated=counts("n_treated"),
        n_control=counts("n_control"),
        n_left_out=counts("n_left_out"),
        villages=table.villages,
        about=About(name, table.tier, units=table.units),
    )


def _level(table: Table, period: int) -> Leg:
    """Return the incomes of one period."""
    at = table.place(period)
    return Leg(1.0, table.n[:, at], table.weight[:, at], table.total[:, at])


def _mean_change(table: Table, leg: Leg, rows: Booleans) -> Contrast:
    """Return the mean change of some rows, by village."""
    villages, village = len(table.villages), table.village[rows]
    n, weight = (
        np.bincount(village, x[rows], villages).astype(np.float64) for x in (leg.n, leg.weight)
    )
    total = np.zeros((villages, leg.total.shape[1]))
    np.add.at(total, village, leg.total[rows])
    point = total.sum(axis=0) / weight.sum()
    influence = (total - weight[:, None] * point) / weight.sum()
    with np.errstate(divide="ignore", invalid="ignore"):
        rest = (weight.sum() - weight)[:, None]
        without = np.where(rest > 0, (total.sum(axis=0) - total) / rest, np.nan)
    there = n > 0
    size = int(n.sum())
    # Each village is its own control: there is one arm, and it is counted twice.
    none = np.zeros(villages)
    return Contrast(point, influence, without, there, there, weight, none, n, none, size, size, 0)
