"""Effects in per cent of what the treated would have had, by the delta method.

The counterfactual mean of a comparison is the treated mean in the period less the effect. A ratio
of sums adds up over cohorts and periods, but sources in per cent do not add up to the total: they
add up in yuan only.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from analysis.effects.aggregate import aggregate
from analysis.effects.result import EffectSet
from analysis.effects.table import Table, refuse
from analysis.inference.arrays import Floats


def treated_means(found: EffectSet, table: Table) -> EffectSet:
    """Return the treated mean in each group-time effect's period, with its influence.

    Parameters
    ----------
    found : EffectSet
        Group-time effects.
    table : Table
        The table they were made from.

    Raises
    ------
    FaultsError
        If cells are of pairs, whose effects use other households than the period's totals, or
        treated households without controls were left out.
    """
    if table.handling == "pairs" or found.n_left_out.any():
        refuse("the treated of an effect are not those of the period's totals",
               "use balanced cells, and comparisons in which nobody is left out",
               column="handling", value=table.handling)  # fmt: skip
    villages, columns = len(table.villages), []
    for key in found.keys:
        if key.aggregation != "group_time" or key.cohort is None or key.period is None:
            refuse("not a group-time effect", "take per cent before adding up",
                   column="aggregation", value=key.aggregation)  # fmt: skip
        rows, t = table.cohort == key.cohort, table.place(key.period)
        k = table.outcomes.index(key.outcome)
        weight = np.bincount(table.village[rows], table.weight[rows, t], villages)
        total = np.bincount(table.village[rows], table.total[rows, t, k], villages)
        mean = total.sum() / weight.sum()
        with np.errstate(divide="ignore", invalid="ignore"):
            without = (total.sum() - total) / (weight.sum() - weight)
        columns.append((mean, (total - weight * mean) / weight.sum(), without))
    points, influence, without = zip(*columns, strict=True)
    return replace(found, points=np.array(points), influence=np.stack(influence, axis=-1),
                   without=np.stack(without, axis=-1))  # fmt: skip


def per_cent(
    found: EffectSet, table: Table, wanted: tuple[str, ...] | None = None
) -> EffectSet:  # fmt: skip
    """Return effects in per cent of the counterfactual mean of the treated.

    Parameters
    ----------
    found : EffectSet
        Group-time effects from `analysis.effects.group_time.estimate`.
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
    means = treated_means(found, table)
    if wanted is not None:
        found, means = (aggregate(one, table, wanted) for one in (found, means))
    base = means.points - found.points
    if (base <= 0).any():
        k = int(np.argmin(base))
        refuse("the counterfactual mean is not above zero, so per cent have no meaning",
               "report the effect in yuan", column=found.keys[k].outcome,
               value=f"{base[k]:,.6g} in {found.keys[k].estimand}")  # fmt: skip
    ratio = found.points / base
    shift: Floats = found.influence - ratio * (means.influence - found.influence)
    with np.errstate(divide="ignore", invalid="ignore"):
        without = 100 * found.without / (means.without - found.without)
    about = replace(found.about, units=dict.fromkeys(table.outcomes, "% of counterfactual mean"))
    return replace(found, points=100 * ratio, influence=100 * shift / base, without=without,
                   about=about)  # fmt: skip
