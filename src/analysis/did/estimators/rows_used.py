"""Which rows and units entered an estimate: those of a comparison that was made, and no others."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from analysis.did.estimators.table import Table
from analysis.inference.arrays import Booleans, Integers

TOO_EARLY: Final = "rows of cohorts with no period before treatment"
TOO_LATE: Final = "rows of cohorts that only serve as controls"
NOT_TWICE: Final = "rows of units not seen in both periods of a comparison"
NO_COMPARISON: Final = "rows of periods in which their cohort is in no comparison"


@dataclass(frozen=True)
class Entered:
    """Rows and units that entered.

    Attributes
    ----------
    rows_used : int
        Rows of at least one comparison.
    left_out : mapping of str to int
        Rows of none, by reason, after those that were left out before.
    n_treated, n_control : int
        Distinct units of either arm; who is both is treated.
    """

    rows_used: int
    left_out: Mapping[str, int]
    n_treated: int
    n_control: int


@dataclass(frozen=True)
class Compared:
    """One comparison that was made.

    Attributes
    ----------
    period, base : int
        What is compared.
    treated, control : array, shape (c,)
        Rows of a table in each arm.
    """

    period: int
    base: int
    treated: Booleans
    control: Booleans


def of_comparisons(
    table: Table, comparisons: Sequence[Compared], early: Booleans, serving: Booleans
) -> Entered:
    """Return what entered the comparisons of a table.

    Parameters
    ----------
    table : Table
        Cells as arrays: c rows, t periods.
    comparisons : sequence of Compared
        Every comparison that was made.
    early, serving : array, shape (c,)
        Rows of cohorts without a period before treatment, and of those asked for nothing else than
        to be controls.
    """
    c, t = table.n.shape
    arms = np.zeros((2, c), bool)
    inside = np.zeros((c, t), bool)
    kinds = table.seen
    both = None if kinds is None else np.zeros(kinds.periods.shape, bool)
    for comparison in comparisons:
        at = np.array([table.place(comparison.base), table.place(comparison.period)])
        rows = comparison.treated | comparison.control
        arms |= np.stack([comparison.treated, comparison.control])
        inside[np.ix_(rows, at)] = True
        if kinds is not None and both is not None:
            there = rows[kinds.cell] & kinds.periods[:, at].all(axis=1)
            both[np.ix_(there, at)] = True
    unused = np.where(inside, 0, table.n)
    left_out = dict(table.left_out)
    reasons = {TOO_EARLY: early, TOO_LATE: serving & ~early, NO_COMPARISON: ~(early | serving)}
    for reason, rows in reasons.items():
        _count(left_out, reason, int(unused[rows].sum()))
    if kinds is None or both is None:
        used = int(table.n[inside].sum())
        units = table.n_ever
        if table.handling == "cross_sections":
            units = np.where(inside, table.n, 0).sum(axis=1)
        known = table.rows_in - sum(left_out.values())
        used = min(used, known) if table.rows_in else used
    else:
        used = int((both * kinds.n[:, None]).sum())
        _count(left_out, NOT_TWICE, int(table.n[inside].sum()) - used)
        units = np.bincount(kinds.cell[both.any(axis=1)], kinds.n[both.any(axis=1)], c)
    treated, control = arms
    return Entered(used, left_out, int(units[treated].sum()), int(units[control & ~treated].sum()))


def _count(left_out: dict[str, int], reason: str, rows: int) -> None:
    if rows:
        left_out[reason] = left_out.get(reason, 0) + rows


def of_units(
    inside: Booleans,
    seen: Booleans,
    treated: Booleans,
    left_out: Mapping[str, int],
    early: Booleans,
) -> Entered:
    """Return what entered the comparisons of units.

    Parameters
    ----------
    inside, seen : array, shape (u, t)
        Whether the row of a unit and period entered, and is there.
    treated, early : array, shape (u,)
        Units in a treated arm; units of cohorts without a period before treatment.
    left_out : mapping of str to int
        Rows left out before.
    """
    by_name = dict(left_out)
    unused = seen & ~inside
    whole: Integers = unused.sum(axis=1)
    _count(by_name, TOO_EARLY, int(whole[early].sum()))
    _count(by_name, NO_COMPARISON, int(whole[~early].sum()))
    there = inside.any(axis=1)
    return Entered(
        int(inside.sum()), by_name, int((there & treated).sum()), int((there & ~treated).sum())
    )
