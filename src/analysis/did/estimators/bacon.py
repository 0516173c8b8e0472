"""What the static two-way coefficient is made of (Goodman-Bacon 2021, theorem 1).

Each pair of cohorts gives two-by-two comparisons: treated with never treated, early with late
before the late are treated, and late with early after the early are, the last of which takes
treated households for controls. The coefficient is their weighted mean.
"""

from __future__ import annotations

from itertools import combinations

import numpy as np
import polars as pl

from analysis.did.estimators import projection
from analysis.did.estimators.table import Table, refuse
from analysis.inference.arrays import Booleans, Floats

NEVER, LATER, EARLIER = "never treated", "later treated", "already treated"
_SCHEMA = {
    "outcome": pl.String,
    "treated": pl.Int32,
    "control": pl.Int32,
    "kind": pl.String,
    "weight": pl.Float64,
    "estimate": pl.Float64,
}


def decompose(table: Table) -> pl.DataFrame:
    """Return the comparisons behind the static coefficient, with weights that sum to one.

    Parameters
    ----------
    table : Table
        Balanced cells.

    Returns
    -------
    polars.DataFrame
        outcome, treated, control (cohorts, 0 never), kind, weight, estimate.

    Raises
    ------
    FaultsError
        If the panel is not balanced.
    """
    if table.handling != "balanced":
        refuse(
            "the decomposition is one of balanced panels",
            "make balanced cells",
            column="handling",
            value=table.handling,
        )
    kept = projection.with_a_period_before(table, 0)
    groups = [int(g) for g in np.unique(kept.cohort)]
    size = np.array([kept.weight[kept.cohort == g, 0].sum() for g in groups])
    share = dict(zip(groups, size / size.sum(), strict=True))
    mean = {
        g: kept.total[kept.cohort == g].sum(axis=0) / n for g, n in zip(groups, size, strict=True)
    }
    treated = {g: float(np.mean(kept.periods >= g)) if g else 0.0 for g in groups}
    rows: list[tuple[int, int, str, float, Floats]] = []
    for early, late in combinations([g for g in groups if g], 2):
        rows += _pair(kept, early, late, share, mean, treated)
    for g in groups:
        if treated[g] > 0 and 0 in groups:  # one after the last period is never treated here
            part = share[g] + share[0]
            inside = share[g] / part
            weight = part**2 * inside * (1 - inside) * treated[g] * (1 - treated[g])
            everything = np.ones(kept.periods.size, bool)
            value = _change(mean[g] - mean[0], kept.periods >= g, everything)
            rows.append((g, 0, NEVER, weight, value))
    whole = sum(row[3] for row in rows)
    return pl.DataFrame(
        [
            (outcome, *row[:3], row[3] / whole, float(row[4][k]))
            for k, outcome in enumerate(kept.outcomes)
            for row in rows
        ],
        schema=_SCHEMA,
        orient="row",
    )


def _pair(
    table: Table,
    early: int,
    late: int,
    share: dict[int, float],
    mean: dict[int, Floats],
    treated: dict[int, float],
) -> list[tuple[int, int, str, float, Floats]]:
    """Return both comparisons of two treated cohorts (equations 10b to 10g)."""
    part = share[early] + share[late]
    inside = share[early] / part
    mix = inside * (1 - inside)
    first, second = treated[early], treated[late]
    difference = mean[early] - mean[late]
    before, after = table.periods < late, table.periods >= early
    entries = []
    if second < first < 1:
        weight = (part * (1 - second)) ** 2 * mix
        weight *= (first - second) / (1 - second) * (1 - first) / (1 - second)
        value = _change(difference, table.periods >= early, before)
        entries.append((early, late, LATER, weight, value))
    if 0 < second < first:
        weight = (part * first) ** 2 * mix * (second / first) * (first - second) / first
        value = _change(-difference, table.periods >= late, after)
        entries.append((late, early, EARLIER, weight, value))
    return entries


def _change(difference: Floats, post: Booleans, inside: Booleans) -> Floats:
    """Return the mean after less the mean before, shape (k,), inside a window of periods."""
    values: Floats = difference[post & inside].mean(axis=0) - difference[~post & inside].mean(
        axis=0
    )
    return values
