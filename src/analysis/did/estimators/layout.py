"""Cells laid out as the arrays of `analysis.did.estimators.table.Table`."""

from __future__ import annotations

from dataclasses import replace
from typing import Final, Literal

import numpy as np
import polars as pl

from analysis.cells.result import Cells
from analysis.did.estimators.table import Leg, Moments, Table, refuse
from analysis.inference.arrays import Floats, Integers

Pair = Literal["first_only", "second_only", "together"]
PAIRS: Final = {
    "first_only": "the first programme among households that never have the second",
    "second_only": "the second programme among households that never have the first",
    "together": "both programmes from the same period on",
}
"""Comparisons that cells of two programmes allow; controls never have either."""
OUTSIDE: Final = "rows of households that have the programmes in another combination"
KEYS: Final = ("village", "cohort", "stratum")


def from_cells(cells: Cells, *outcomes: str, pair: Pair | None = None) -> Table:
    """Lay cells out as arrays.

    Parameters
    ----------
    cells : Cells
        Of one programme, or of two.
    outcomes : str
        Names of outcomes; all if none is named.
    pair : str, optional
        One of `PAIRS`, for cells of two programmes. Stacking the effects of all three gives their
        joint covariance, and together − first − second is the interaction.

    Raises
    ------
    FaultsError
        If `pair` does not fit the cells, or a number is missing or infinite.
    """
    two = len(cells.design.programmes) > 1
    if two != (pair is not None) or (pair and pair not in PAIRS):
        remedy = f"name a pair: {', '.join(PAIRS)}" if two else "name no pair"
        refuse(
            f"the cells are of {'two programmes' if two else 'one programme'}",
            remedy,
            column="pair",
            value=pair or "",
        )
    if pair:
        return _of_pair(cells, outcomes, pair)
    names = outcomes or tuple(outcome.name for outcome in cells.design.outcomes)
    columns = [cells.column(name) for name in names]
    whole = _arrays(cells, cells.totals, cells.ever, names, columns)
    if cells.pairs is not None:
        whole = replace(whole, pairs=_pairs(cells.pairs, whole, columns))
    if cells.inverse is None:
        return whole
    every = _moments(cells.inverse.filter(omega="all"), whole, names)
    if cells.untreated is None:
        return replace(whole, all_periods=every)
    part = _arrays(cells, cells.untreated, _ever_of(cells.untreated), names, columns)
    untreated = _moments(cells.inverse.filter(omega="untreated"), part, names)
    return replace(whole, all_periods=every, imputed=replace(part, untreated=untreated))


def _of_pair(cells: Cells, outcomes: tuple[str, ...], pair: Pair) -> Table:
    """Lay one comparison of two programmes out; who has either decides which villages are clean."""
    first, second = pl.col("cohort"), pl.col("cohort_2")
    inside, cohort = {
        "first_only": (second == 0, first),
        "second_only": (first == 0, second),
        "together": (first == second, first),
    }[pair]

    def chosen(frame: pl.DataFrame | None) -> pl.DataFrame | None:
        if frame is None:
            return None
        return frame.filter(inside).with_columns(cohort=cohort).drop("cohort_2")

    earliest = pl.min_horizontal(
        pl.when(expression > 0).then(expression) for expression in (first, second)
    )
    treated = (cells.ever.group_by("village").agg(earliest.min().fill_null(0).alias("first"))).sort(
        "village"
    )
    a, b = cells.design.programmes
    name = {"first_only": a, "second_only": b, "together": f"{a} and {b}"}[pair]
    totals, ever = chosen(cells.totals), chosen(cells.ever)
    assert totals is not None and ever is not None  # noqa: S101  # cells always have both
    design = replace(cells.design, programmes=(name,))
    part = replace(
        cells,
        design=design,
        totals=totals,
        ever=ever,
        pairs=chosen(cells.pairs),
        inverse=chosen(cells.inverse),
        untreated=chosen(cells.untreated),
    )
    table = from_cells(part, *outcomes)
    gone = int(cells.totals["n"].sum()) - int(table.n.sum())
    kept = treated.filter(pl.col("village").is_in(table.villages))
    left_out = {**table.left_out, OUTSIDE: gone} if gone else table.left_out
    return replace(
        table, left_out=left_out, first_in_village=kept["first"].to_numpy().astype(np.int64)
    )


def _ever_of(totals: pl.DataFrame) -> pl.DataFrame:
    """Return the keys of totals; imputation does not use shares, so counts are of the largest."""
    keys = list(KEYS)
    largest = totals.group_by(keys).agg(
        n_ever=pl.col("n").max(), weight_ever=pl.col("weight").max()
    )
    return largest.sort(keys)


def _arrays(
    cells: Cells,
    totals: pl.DataFrame,
    ever: pl.DataFrame,
    names: tuple[str, ...],
    columns: list[str],
) -> Table:
    villages = tuple(cells.ever["village"].unique().sort().to_list())
    strata = tuple(cells.ever["stratum"].unique().sort().to_list())
    periods = np.array(sorted(cells.periods), np.int64)
    row, at = _places(totals, ever), np.searchsorted(periods, totals["period"].to_numpy())
    shape = (ever.height, periods.size)
    n, weight = np.zeros(shape, np.int64), np.zeros(shape)
    total = np.zeros((*shape, len(names)))
    n[row, at], weight[row, at] = totals["n"].to_numpy(), totals["weight"].to_numpy()
    total[row, at] = _floats(totals, columns)
    return Table(
        villages=villages,
        strata=strata,
        outcomes=names,
        periods=periods,
        village=np.searchsorted(villages, ever["village"].to_numpy()),
        cohort=ever["cohort"].to_numpy().astype(np.int64),
        stratum=np.searchsorted(strata, ever["stratum"].to_numpy()),
        n=n,
        weight=weight,
        total=total,
        n_ever=ever["n_ever"].to_numpy(),
        weight_ever=ever["weight_ever"].to_numpy(),
        handling=cells.design.handling,
        weighted=cells.weighted,
        rows_in=cells.account.rows_read,
        left_out=dict(cells.account.left_out),
        programme=cells.design.programmes[0],
        tier=cells.tier,
        units={name: cells.design.outcome(name).unit for name in names},
    )


def _places(frame: pl.DataFrame, ever: pl.DataFrame) -> Integers:
    """Return the row of the table that each row of a frame belongs to."""
    keys = list(KEYS)
    series = frame.select(keys).join(
        ever.select(keys).with_row_index("row"), on=keys, how="left", maintain_order="left"
    )["row"]
    if series.null_count():
        refuse("a cell's households are not among those ever seen", "make the cells again")
    return series.to_numpy().astype(np.int64)


def _floats(frame: pl.DataFrame, columns: list[str]) -> Floats:
    """Return columns as numbers; an empty one becomes NaN, which the table refuses."""
    chosen = frame.select(pl.col(name).cast(pl.Float64).fill_null(np.nan) for name in columns)
    return chosen.to_numpy()


def _pairs(pairs: pl.DataFrame, table: Table, columns: list[str]) -> dict[tuple[int, int], Leg]:
    keys = pl.DataFrame(
        {
            "village": [table.villages[v] for v in table.village],
            "cohort": pl.Series(table.cohort, dtype=pl.Int32),
            "stratum": [table.strata[s] for s in table.stratum],
        }
    )
    by_key = {}
    for (base, period), part in pairs.group_by("base", "period", maintain_order=True):
        row = _places(part, keys)
        n, weight = np.zeros(row_count := table.village.size, np.int64), np.zeros(row_count)
        total = np.zeros((row_count, len(columns)))
        n[row], weight[row] = part["n"].to_numpy(), part["weight"].to_numpy()
        after = _floats(part, [f"{name}_period" for name in columns])
        total[row] = after - _floats(part, [f"{name}_base" for name in columns])
        by_key[int(str(base)), int(str(period))] = Leg(1.0, n, weight, total)
    return by_key


def _moments(moments: pl.DataFrame, table: Table, names: tuple[str, ...]) -> Moments | None:
    if not moments.height:
        return None
    c, t, k = table.total.shape
    a, b = np.zeros((c, t, t)), np.zeros((c, t, t, k))
    keys = pl.DataFrame(
        {
            "village": [table.villages[v] for v in table.village],
            "cohort": pl.Series(table.cohort, dtype=pl.Int32),
            "stratum": [table.strata[s] for s in table.stratum],
        }
    )
    at = (
        _places(moments, keys),
        np.searchsorted(table.periods, moments["base"].to_numpy()),
        np.searchsorted(table.periods, moments["period"].to_numpy()),
    )
    a[at] = moments["a"].to_numpy()
    b[at] = _floats(moments, [f"b_{name}" for name in names])
    return Moments(a, b)
