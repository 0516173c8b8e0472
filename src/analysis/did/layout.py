"""Checked observations as the arrays that every estimator takes."""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations
from typing import Final, Literal, get_args

import numpy as np
import polars as pl

from analysis.did.check import Observations
from analysis.did.estimators.table import Leg, Moments, Seen, Table
from analysis.faults import refuse
from analysis.inference.arrays import Booleans, Floats, Integers

Handling = Literal["balanced", "pairs", "cross_sections"]
UNBALANCED: Final = "unit not seen in every period"
PAIRS_NOTE: Final = (
    "units are not all seen in every period: each comparison uses those seen in both of its periods"
    " (handling='balanced' keeps those seen in all)"
)


def handled(
    observed: Observations, handling: str = ""
) -> tuple[Observations, str, tuple[str, ...]]:
    """Return the observations that a handling of unbalanced panels keeps, and the handling decided.

    Parameters
    ----------
    observed : Observations
        As `analysis.did.check.observe` makes them.
    handling : str
        As `table` takes it.

    Returns
    -------
    Observations, str, tuple of str
        Without units that are left out, which are counted; the handling; what was decided.

    Raises
    ------
    FaultsError
        If no unit is seen in every period, or handling is unknown.
    """
    if observed.cross_sections:
        if handling not in ("", "cross_sections"):
            refuse(
                "units are not followed over time",
                "name unit=, or leave handling out",
                column="handling",
                value=handling,
            )
        return observed, "cross_sections", ()
    if handling not in ("", *get_args(Handling)):
        refuse(
            "no such handling",
            "use balanced, pairs or cross_sections",
            column="handling",
            value=handling,
        )
    frame, periods = observed.frame, observed.periods
    seen = frame.group_by("unit").len()
    whole = seen.filter(pl.col("len") == periods.size)["unit"]
    if whole.len() == seen.height:
        return observed, "balanced" if handling in ("", "pairs") else handling, ()
    if handling != "balanced":
        return observed, handling or "pairs", () if handling else (PAIRS_NOTE,)
    kept = frame.filter(pl.col("unit").is_in(whole.implode()))
    if kept.is_empty():
        refuse(
            "no unit is seen in every period",
            "use handling='pairs'",
            column="handling",
            value=handling,
        )
    left_out = {**observed.left_out, UNBALANCED: frame.height - kept.height}
    return replace(observed, frame=kept, left_out=left_out), handling, ()


def table(
    observed: Observations,
    handling: str = "",
    *,
    moments: tuple[str, ...] = (),
    anticipation: int = 0,
    evidence: str = "yours",
    units: dict[str, str] | None = None,
) -> tuple[Table, tuple[str, ...]]:
    """Add observations up by cluster × cohort × group and period.

    Parameters
    ----------
    observed : Observations
        As `analysis.did.check.observe` makes them.
    handling : str
        ``balanced`` (units seen in every period), ``pairs`` (each comparison uses the units seen in
        both periods) or ``cross_sections``; empty: balanced where all units are, else pairs.
    moments : tuple of str
        Inverse-count moments wanted on unbalanced panels: ``untreated``, ``all``.
    anticipation : int
        Periods before the first in which treatment may already act.
    evidence : str
        Kind of evidence.
    units : dict
        Unit of each outcome.

    Returns
    -------
    Table, tuple of str
        The arrays, and what was decided.

    Raises
    ------
    FaultsError
        If no unit is seen in every period, or handling is unknown.
    """
    observed, handling, decisions = handled(observed, handling)
    frame, periods = observed.frame, observed.periods
    outcomes = observed.columns.outcomes
    keys = ["cluster", "cohort", *(["within"] if "within" in frame.columns else [])]
    cells = frame.select(keys).unique().sort(keys).with_row_index("cell")
    coded = frame.join(cells, on=keys, how="left", maintain_order="left", nulls_equal=True)
    cell = coded["cell"].to_numpy().astype(np.int64)
    at = np.searchsorted(periods, coded["period"].to_numpy())
    weight = coded["weight"].to_numpy()
    values = coded.select(f"y:{name}" for name in outcomes).to_numpy()
    size = (cells.height, periods.size)
    flat = cell * periods.size + at

    def added(x: Floats | None) -> Floats:
        estimates: Floats = np.bincount(flat, x, size[0] * size[1]).reshape(size).astype(np.float64)
        return estimates

    n, w = added(None).astype(np.int64), added(weight)
    total = np.stack([added(weight * values[:, k]) for k in range(len(outcomes))], axis=-1)
    if observed.cross_sections:
        n_ever, weight_ever = n.sum(axis=1), np.asarray(w.sum(axis=1), np.float64)
    else:
        ever = (
            coded.unique("unit", keep="first", maintain_order=True)
            .group_by("cell")
            .agg(pl.len().alias("n"), pl.col("weight").sum())
            .sort("cell")
        )
        n_ever, weight_ever = ever["n"].to_numpy().astype(np.int64), ever["weight"].to_numpy()
    table = Table(
        villages=observed.clusters,
        strata=observed.groups,
        outcomes=outcomes,
        periods=periods,
        village=cells["cluster"].to_numpy().astype(np.int64),
        cohort=cells["cohort"].to_numpy().astype(np.int64),
        stratum=(
            cells["within"].to_numpy().astype(np.int64)
            if "within" in keys
            else np.zeros(cells.height, np.int64)
        ),
        n=n,
        weight=w,
        total=total,
        n_ever=n_ever,
        weight_ever=weight_ever,
        handling=handling,
        weighted=bool(observed.columns.weight),
        rows_in=observed.rows_in,
        left_out=dict(observed.left_out),
        programme=observed.columns.first,
        tier=evidence,
        units=units or {},
    )
    if handling == "pairs":
        wide = _Wide.of(coded, periods, values, table.cohort)
        table = wide.added_to(table, moments, anticipation)
    return table, decisions


def _sum(cell: Integers, values: Floats, cells: int) -> Floats:
    """Add values up by cell."""
    return np.bincount(cell, values, cells).astype(np.float64)


class _Wide:
    """Units by periods, NaN where not seen: u units, t periods, k outcomes."""

    def __init__(
        self,
        cell: Integers,
        weight: Floats,
        values: Floats,
        seen: Booleans,
        cohort: Integers,
        periods: Integers,
    ) -> None:
        self.cell, self.weight, self.values, self.seen = cell, weight, values, seen
        self.cohort, self.periods = cohort, periods

    @classmethod
    def of(cls, coded: pl.DataFrame, periods: Integers, values: Floats, cohort: Integers) -> _Wide:
        """Spread rows out; `cohort` is of each cell."""
        unit = coded["unit"].to_numpy()
        names, row = np.unique(unit, return_inverse=True)
        at = np.searchsorted(periods, coded["period"].to_numpy())
        wide = np.zeros((names.size, periods.size, values.shape[1]))
        seen = np.zeros(wide.shape[:2], bool)
        wide[row, at], seen[row, at] = values, True
        cell, weight = np.zeros(names.size, np.int64), np.zeros(names.size)
        cell[row], weight[row] = coded["cell"].to_numpy(), coded["weight"].to_numpy()
        return cls(cell, weight, wide, seen, cohort, periods)

    def added_to(self, table: Table, moments: tuple[str, ...], anticipation: int) -> Table:
        """Return a table with its pairs of periods and the moments that are wanted."""
        cells = table.n.shape[0]
        laid_out = replace(table, pairs=self.pairs(cells), seen=self.kinds())
        if "all" in moments:
            laid_out = replace(laid_out, all_periods=self.moments(cells, self.seen))
        if "untreated" not in moments:
            return laid_out
        start = np.where(self.cohort > 0, self.cohort - anticipation, np.iinfo(np.int64).max)
        inside = self.seen & (self.periods < start[self.cell][:, None])
        ever: Booleans = np.asarray(inside.any(axis=1))
        part = self._subset(ever)
        untreated = part.moments(cells, inside[ever])
        return replace(laid_out, imputed=replace(part.totals(table), untreated=untreated))

    def kinds(self) -> Seen:
        """Return the units counted by cell and by the periods that they are seen in."""
        keys = np.column_stack([self.cell, self.seen])
        kinds, n = np.unique(keys, axis=0, return_counts=True)
        return Seen(kinds[:, 0], kinds[:, 1:].astype(bool), n.astype(np.int64))

    def _subset(self, units: Booleans) -> _Wide:
        return _Wide(
            self.cell[units],
            self.weight[units],
            self.values[units],
            self.seen[units],
            self.cohort,
            self.periods,
        )

    def totals(self, table: Table) -> Table:
        """Return the table of these units only."""
        cells, (t, k) = table.n.shape[0], self.values.shape[1:]
        n, w, total = np.zeros((cells, t), np.int64), np.zeros((cells, t)), np.zeros((cells, t, k))
        for at in range(t):
            there = self.seen[:, at]
            cell, weight = self.cell[there], self.weight[there]
            n[:, at] = np.bincount(cell, minlength=cells)
            w[:, at] = _sum(cell, weight, cells)
            for o in range(k):
                total[:, at, o] = _sum(cell, weight * self.values[there, at, o], cells)
        n_ever = np.bincount(self.cell, minlength=cells).astype(np.int64)
        weight_ever = _sum(self.cell, self.weight, cells)
        return replace(
            table,
            n=n,
            weight=w,
            total=total,
            n_ever=n_ever,
            weight_ever=weight_ever,
            seen=self.kinds(),
        )

    def pairs(self, cells: int) -> dict[tuple[int, int], Leg]:
        """Return the changes between every two periods of the units seen in both."""
        by_key = {}
        for b, t in combinations(range(self.periods.size), 2):
            both = self.seen[:, b] & self.seen[:, t]
            cell, weight = self.cell[both], self.weight[both]
            change = self.values[both, t] - self.values[both, b]
            n = np.bincount(cell, minlength=cells).astype(np.int64)
            w = _sum(cell, weight, cells)
            total = np.stack(
                [_sum(cell, weight * change[:, k], cells) for k in range(change.shape[1])],
                axis=-1,
            )
            base, period = int(self.periods[b]), int(self.periods[t])
            by_key[base, period] = Leg(1.0, n, w, total)
            by_key[period, base] = Leg(1.0, n, w, -total)  # a universal base also looks back
        return by_key

    def moments(self, cells: int, inside: Booleans) -> Moments:
        """Return inverse-count pair moments; see `analysis.did.estimators.table.Moments`.

        Parameters
        ----------
        cells : int
            How many cells there are.
        inside : array, shape (u, t)
            Periods that a unit's effect is estimated from.
        """
        count = inside.sum(axis=1)
        share = self.weight / np.maximum(count, 1)
        t, k = self.periods.size, self.values.shape[2]
        a, b = np.zeros((cells, t, t)), np.zeros((cells, t, t, k))
        for s in range(t):
            for u in range(t):
                there = inside[:, s] & self.seen[:, u]
                cell = self.cell[there]
                a[:, s, u] = np.bincount(cell, share[there], cells)
                for o in range(k):
                    b[:, s, u, o] = np.bincount(
                        cell, share[there] * self.values[there, s, o], cells
                    )
        return Moments(a, b)
