"""Household effects taken out of cells: what fixed effects of households leave of each sum.

With Ω_i the periods of household i that its effect is estimated from, the sums over a cell of the
projections on household effects need only A[s,t] = Σ_i w_i 1{s ∈ Ω_i, t seen}/|Ω_i| and B[s,t], the
same of w_i Y_is. On balanced panels both follow from the totals; else the cells must carry them.
"""

from __future__ import annotations

from typing import Final, Literal

import numpy as np

from analysis.did.estimators.group_time import has_base
from analysis.did.estimators.record import About
from analysis.did.estimators.rows_used import NOT_TWICE, TOO_EARLY
from analysis.did.estimators.table import Moments, Table, refuse
from analysis.inference.arrays import Booleans, Floats

Omega = Literal["untreated", "all"]
NEVER_SEEN: Final = "rows of households never seen untreated"


def untreated_mask(table: Table, anticipation: int) -> Booleans:
    """Return whether a row cannot be affected yet, shape (c, t)."""
    never = (table.cohort == 0)[:, None]
    mask: Booleans = (table.cohort[:, None] - anticipation > table.periods) | never
    return mask


def with_a_period_before(table: Table, anticipation: int) -> Table:
    """Return the table without the cohorts that have no period before treatment."""
    early = [g for g in table.cohorts if not has_base(table.periods, g, anticipation)]
    kept = table.rows(~np.isin(table.cohort, early))
    if not kept.cohorts:
        refuse(
            "no cohort has a period before treatment and one after",
            "add earlier periods",
            column="cohort",
            value=", ".join(map(str, table.cohorts)),
        )
    return kept


def moments(table: Table, omega: Omega, inside: Booleans) -> Moments:
    """Return the inverse-count moments of a table.

    Parameters
    ----------
    table : Table
        Balanced, or with the moments.
    omega : str
        ``untreated`` or ``all``.
    inside : array, shape (c, t)
        Periods in Ω.

    Raises
    ------
    FaultsError
        If the panel is not balanced and the cells lack the moments.
    """
    carried = table.untreated if omega == "untreated" else table.all_periods
    if carried is not None:
        return carried
    if table.handling != "balanced":
        refuse(
            "household effects on an unbalanced panel need inverse-count moments",
            f'make the cells with inverse=("{omega}",), or balanced',
            column="handling",
            value=table.handling,
        )
    count = np.maximum(inside.sum(axis=1), 1)
    seen = np.ones(table.periods.size)
    a = np.einsum("cs,t->cst", table.weight * inside / count[:, None], seen)
    b = np.einsum("csk,t->cstk", table.total * (inside / count[:, None])[..., None], seen)
    return Moments(a, b)


def by_village(table: Table, values: Floats) -> Floats:
    """Add rows up by village: shape (c, ...) to (v, ...)."""
    estimates = np.zeros((len(table.villages), *values.shape[1:]))
    np.add.at(estimates, table.village, values)
    return estimates


def about(
    table: Table,
    source: Table,
    kept: Table,
    estimator: str,
    anticipation: int,
    parity_factor: float = 1.0,
) -> About:
    """Return what a projection estimator used: of the table, of the source rows, of the kept."""
    left_out = dict(table.left_out)
    never = int(table.n.sum() - source.n.sum())
    units = kept.n_ever
    alone = 0
    if kept.seen is not None:
        # What a unit's own effect takes up whole says nothing.
        once = kept.seen.periods.sum(axis=1) < 2
        alone = int(kept.seen.n[once].sum())
        units = units - np.bincount(kept.seen.cell[once], kept.seen.n[once], units.size)
    early = int(source.n.sum() - kept.n.sum())
    for reason, rows in ((NEVER_SEEN, never), (TOO_EARLY, early), (NOT_TWICE, alone)):
        if rows:
            left_out[reason] = rows
    treated = kept.cohort > 0
    return About(
        estimator=estimator,
        tier=table.tier,
        controls="not_yet",
        where="anywhere",
        anticipation=anticipation,
        weights="baseline weights" if table.weighted else "none",
        handling=table.handling,
        rows_in=table.rows_in or int(table.n.sum()),
        rows_used=int(kept.n.sum()) - alone,
        n_units=(int(units[treated].sum()), int(units[~treated].sum())),
        left_out=left_out,
        units=table.units,
        parity_factor=parity_factor,
    )
