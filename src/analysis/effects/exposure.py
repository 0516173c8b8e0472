"""Who was exposed to how much: dose bins of villages, and neighbours of the treated.

Both turn a table into another table, on which every estimator works as before. Join the results
with `result.stack`, so that bins can be compared with their joint covariance.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from itertools import pairwise

import numpy as np

from analysis.effects.table import Table, refuse
from analysis.inference.arrays import Floats


def dose_bins(
    table: Table, dose: Mapping[str, float], edges: tuple[float, ...]
) -> Iterator[tuple[str, Table]]:
    """Yield one table per bin of the village's dose: its treated villages, and every control.

    Parameters
    ----------
    table : Table
        Of a programme given to villages.
    dose : mapping of str to float
        Dose of each treated village, by name.
    edges : tuple of float
        Ascending; a bin holds low < dose ≤ high.

    Yields
    ------
    str, Table
        A name such as ``dividend (0, 500]``, also the table's programme.

    Raises
    ------
    FaultsError
        If a treated village has no dose, one lies outside the edges, or a bin is empty.
    """
    treated = np.unique(table.village[table.cohort > 0])
    names = [table.villages[v] for v in treated]
    for problem, wrong in (
        ("a treated village has no dose", [n for n in names if n not in dose]),
        (
            "a dose lies outside the edges",
            [n for n in names if n in dose and not edges[0] < dose[n] <= edges[-1]],
        ),
    ):
        if wrong:
            refuse(
                problem,
                "give every treated village a dose, and edges that hold it",
                column="village",
                value=", ".join(wrong[:5]),
            )
    given = np.array([dose.get(name, np.nan) for name in table.villages])
    first = table.village_cohort()
    for low, high in pairwise(edges):
        inside = (given > low) & (given <= high)
        kept = (table.cohort == 0) | inside[table.village]
        name = f"{table.programme} ({low:g}, {high:g}]"
        if not (table.cohort[kept] > 0).any():
            refuse(
                "no treated village has such a dose",
                "choose other edges",
                column="edges",
                value=f"({low:g}, {high:g}]",
            )
        # Villages of other bins stay treated: their untreated households are no clean controls.
        yield name, replace(table.rows(kept), programme=name, first_in_village=first)


def saturation(table: Table) -> Floats:
    """Return the share of households ever treated in each village, by weight, shape (v,)."""
    size = len(table.villages)
    whole = np.bincount(table.village, table.weight_ever, size)
    treated = np.bincount(table.village, table.weight_ever * (table.cohort > 0), size)
    with np.errstate(invalid="ignore"):
        return np.asarray(treated / whole, np.float64)


def neighbours(table: Table, low: float = 0.0, high: float = 1.0) -> Table:
    """Return a table whose effects are those on the untreated beside the treated.

    Households ever treated leave the table; the others of their village become a cohort: that of
    the village's first treatment. Controls are households of villages where nobody is treated.

    Parameters
    ----------
    table : Table
        Of a programme given to households.
    low, high : float
        Villages with low < saturation ≤ high; other villages with the programme are left out.

    Raises
    ------
    FaultsError
        If there is no such household, or the village has no village without the programme.
    """
    share, first = saturation(table), table.village_cohort()
    inside = (first == 0) | ((share > low) & (share <= high))
    kept = (table.cohort == 0) & inside[table.village]
    if not (first[table.village[kept]] > 0).any():
        refuse(
            "no untreated household lives beside treated ones",
            "choose other saturations",
            column="saturation",
            value=f"({low:g}, {high:g}]",
        )
    if not (first[table.village[kept]] == 0).any():
        refuse(
            "every village has the programme",
            "effects on neighbours need villages without it",
            column="village",
        )
    found = table.rows(kept)
    left_out = {
        **table.left_out,
        "rows of the treated, whose neighbours are asked about": int(
            table.n[table.cohort > 0].sum()
        ),
    }
    outside = int(table.n[(table.cohort == 0) & ~inside[table.village]].sum())
    if outside:
        left_out["rows of villages of another saturation"] = outside
    return replace(
        found,
        cohort=first[found.village],
        left_out=left_out,
        rows_in=table.rows_in or int(table.n.sum()),
        first_in_village=first,
        programme=f"{table.programme}, untreated neighbours",
        untreated=None,
        all_periods=None,
    )
