"""Effects in per cent of what the treated would have had: the delta method.

The counterfactual mean of a comparison is the treated mean in the period less the effect. A ratio
of sums adds up over cohorts and periods, but sources in per cent do not add up to the total: they
add up in yuan only.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from analysis.did.estimators.aggregate import aggregate
from analysis.did.estimators.effect_set import EffectSet
from analysis.did.estimators.record import Key
from analysis.did.estimators.table import Table, refuse
from analysis.inference.arrays import Floats, Integers


def treated_means(effects: EffectSet, table: Table) -> EffectSet:
    """Return the treated mean in each group-time effect's period, with its influence.

    Parameters
    ----------
    effects : EffectSet
        Group-time effects.
    table : Table
        The table they were made from.

    Raises
    ------
    FaultsError
        If cells are of pairs, whose effects use other households than the period's totals, or
        treated households without controls were left out.
    """
    if table.handling == "pairs" or effects.n_left_out.any():
        refuse(
            "the treated of an effect are not those of the period's totals",
            "use balanced cells, and comparisons in which nobody is left out",
            column="handling",
            value=table.handling,
        )
    villages, columns = len(table.villages), []
    for key in effects.keys:
        cohort, t = _cell(key, table)
        rows, k = table.cohort == cohort, table.outcomes.index(key.outcome)
        weight = _by_village(table.village[rows], table.weight[rows, t], villages)
        total = _by_village(table.village[rows], table.total[rows, t, k], villages)
        columns.append(_mean(total, weight))
    return _with(effects, columns)


def _by_village(village: Integers, values: Floats, size: int) -> Floats:
    return np.bincount(village, values, size).astype(np.float64)


def _cell(key: Key, table: Table) -> tuple[int, int]:
    """Return cohort and column of the period of a group-time effect."""
    if key.aggregation != "group_time" or key.cohort is None or key.period is None:
        refuse(
            "not a group-time effect",
            "take ratios before adding up",
            column="aggregation",
            value=key.aggregation,
        )
    return key.cohort, table.place(key.period)


def _mean(total: Floats, weight: Floats) -> tuple[float, Floats, Floats]:
    """Return a mean over villages, its influence, and the mean without each village."""
    mean = total.sum() / weight.sum()
    with np.errstate(divide="ignore", invalid="ignore"):
        without = (total.sum() - total) / (weight.sum() - weight)
    return mean, (total - weight * mean) / weight.sum(), without


def _with(effects: EffectSet, columns: list[tuple[float, Floats, Floats]]) -> EffectSet:
    """Return a set with other estimates of the same keys."""
    points, influence, without = zip(*columns, strict=True)
    return replace(
        effects,
        points=np.array(points),
        influence=np.stack(influence, axis=-1),
        without=np.stack(without, axis=-1),
    )


def ratio(top: EffectSet, bottom: EffectSet, unit: str, factor: float = 1.0) -> EffectSet:
    """Return estimates over other estimates of the same keys, by the delta method.

    Parameters
    ----------
    top, bottom : EffectSet
        With the same villages; the bottom must not be zero.
    unit : str
        Unit of the result.
    factor : float
        What the ratio is multiplied by.
    """
    value = top.points / bottom.points
    with np.errstate(divide="ignore", invalid="ignore"):
        without = factor * top.without / bottom.without
    units = dict.fromkeys((key.outcome for key in top.keys), unit)
    return replace(
        top,
        points=factor * value,
        without=without,
        linear=np.zeros(len(top), bool),
        influence=factor * (top.influence - value * bottom.influence) / bottom.points,
        about=replace(top.about, units=units),
    )


def less(top: EffectSet, bottom: EffectSet) -> EffectSet:
    """Return the difference of two sets of the same keys."""
    return replace(
        top,
        points=top.points - bottom.points,
        influence=top.influence - bottom.influence,
        without=top.without - bottom.without,
    )


def per_cent(effects: EffectSet, table: Table, wanted: tuple[str, ...] | None = None) -> EffectSet:
    """Return effects in per cent of the counterfactual mean of the treated.

    Parameters
    ----------
    effects : EffectSet
        Group-time effects from `analysis.did.estimators.group_time.estimate`.
    table : Table
        The table they were made from.
    wanted : tuple of str, optional
        Aggregations; None for the group-time effects themselves. An aggregate is the aggregate
        effect over the aggregate counterfactual mean, not a mean of percentages.

    Raises
    ------
    FaultsError
        As `treated_means`, and if a counterfactual mean is not above zero.
    """
    means = treated_means(effects, table)
    if wanted is not None:
        effects, means = (aggregate(estimates, table, wanted) for estimates in (effects, means))
    base = means.points - effects.points
    if (base <= 0).any():
        k = int(np.argmin(base))
        refuse(
            "the counterfactual mean is not above zero, so per cent have no meaning",
            "report the effect in yuan",
            column=effects.keys[k].outcome,
            value=f"{base[k]:,.6g} in {effects.keys[k].estimand}",
        )
    return ratio(effects, less(means, effects), "% of counterfactual mean", 100.0)
