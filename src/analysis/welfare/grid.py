"""Inequality from sums on a grid of incomes: bounds that need no household, from cells alone.

Between two amounts a < b the cells tell how many have an income there and what they have in all.
The least inequality gives each the mean of its interval; the most puts everyone at its ends
(Gastwirth 1972). So the index lies between two numbers; how far apart they are is the grid's.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl

from analysis.cells.outcomes import Outcome, gap, headcount
from analysis.cells.result import Cells
from analysis.effects.table import refuse
from analysis.inference import clusters
from analysis.inference.arrays import Floats

TOTAL = "grid_total"


@dataclass(frozen=True, eq=False)
class Grid:
    """Sums by village on a grid of K amounts, K + 1 intervals, the outer two open.

    Attributes
    ----------
    edges : array, shape (K,)
        Amounts, ascending, fen per head.
    weight : array, shape (v, K + 1)
        Weight with an income in each interval; an interval holds its lower end.
    income : array, shape (v, K + 1)
        Their income, fen.
    """

    edges: Floats
    weight: Floats
    income: Floats


def outcomes(edges_fen: tuple[int, ...]) -> tuple[Outcome, ...]:
    """Return the outcomes that cells need: counts and gaps below each amount, and the total.

    Σ_{y<z} y = z·headcount − gap, so both give the income between two amounts.

    Parameters
    ----------
    edges_fen : tuple of int
        Amounts above zero, fen per head in the prices of each period, ascending.

    Examples
    --------
    >>> [outcome.name for outcome in outcomes((100, 200))]
    ['count_0', 'gap_0', 'count_1', 'gap_1', 'grid_total']
    """
    pairs = (
        (
            Outcome(f"count_{k}", "total", transform=headcount(fen)),
            Outcome(f"gap_{k}", "total", "head", transform=gap(fen)),
        )
        for k, fen in enumerate(edges_fen)
    )
    return (*(outcome for pair in pairs for outcome in pair), Outcome(TOTAL, "total", "head"))


def of_cells(cells: Cells, period: int) -> Grid:
    """Read a grid of one period from cells with the outcomes of `outcomes`.

    Raises
    ------
    FaultsError
        If the cells have no grid, or no row in the period.
    """
    counts = [o for o in cells.design.outcomes if o.name.startswith("count_")]
    rows = cells.totals.filter(pl.col("period") == period)
    if not counts or rows.is_empty():
        refuse(
            "the cells have no grid of incomes in this period",
            "make them with grid.outcomes",
            column="period",
            value=period,
        )
    edges = np.array([o.transform.fen for o in counts if o.transform], np.float64)
    names = [name for o in cells.design.outcomes for name in [cells.column(o.name)]]
    sums = rows.group_by("village").agg(pl.col("weight", *names).sum()).sort("village")
    below = sums.select(cells.column(o.name) for o in counts).to_numpy().astype(np.float64)
    gaps = sums.select(cells.column(f"gap_{k}") for k in range(len(counts))).to_numpy()
    held = edges * below - gaps
    every = sums.select("weight", cells.column(TOTAL)).to_numpy()
    return Grid(edges, _steps(below, every[:, :1]), _steps(held, every[:, 1:]))


def of_incomes(income: Floats, weight: Floats, village: Floats, edges: Floats) -> Grid:
    """Make a grid from incomes one by one; shapes (r,), (r,), (r,), (K,)."""
    place = np.searchsorted(edges, income, side="right")
    shape = (int(village.max()) + 1, edges.size + 1)
    counts, held = np.zeros(shape), np.zeros(shape)
    np.add.at(counts, (village.astype(np.int64), place), weight)
    np.add.at(held, (village.astype(np.int64), place), weight * income)
    return Grid(edges, counts, held)


def _steps(cumulative: Floats, total: Floats) -> Floats:
    """Turn sums below each amount into sums between amounts."""
    found: Floats = np.diff(cumulative, axis=1, prepend=0.0, append=total)
    return found


def gini_bounds(edges: Floats, weight: Floats, income: Floats) -> tuple[float, float]:
    """Return the least and the greatest Gini index that sums on a grid allow.

    Gastwirth (1972): G_L with everyone at the mean of the interval, and G_U = G_L +
    Σ n_k² (μ_k − a_k)(b_k − μ_k) / (b_k − a_k) / (W² μ). In an open interval the fraction tends to
    the distance of the mean from the end there is.

    Parameters
    ----------
    edges : array, shape (K,)
        Amounts, ascending.
    weight, income : array, shape (K + 1,)
        Weight and income in each interval.

    Examples
    --------
    Two below 10 with 8 in all, two above with 40: 1/3 between them; within them at most
    4·(10 − 4) + 4·(20 − 10) = 64 more, over 16 · 12.

    >>> low, high = gini_bounds(np.array([10.0]), np.array([2.0, 2.0]), np.array([8.0, 40.0]))
    >>> round(low, 6), round(high, 6)
    (0.333333, 0.666667)
    """
    there = weight > 0
    n, held = weight[there], income[there]
    size, total = n.sum(), held.sum()
    if total <= 0:
        return float("nan"), float("nan")
    mean = held / n
    before = np.cumsum(n) - n / 2
    low = float(2 * held @ before / (size * total) - 1)
    down = mean - np.concatenate([[-np.inf], edges])[there]
    up = np.concatenate([edges, [np.inf]])[there] - mean
    with np.errstate(invalid="ignore"):
        inside = np.where(np.isinf(down), up, np.where(np.isinf(up), down, down * up / (down + up)))
    inside = np.where(np.isfinite(inside), np.maximum(inside, 0.0), 0.0)
    return low, float(low + n**2 @ inside / (size * total))


def theil_bounds(
    edges: Floats, weight: Floats, income: Floats, highest: float = np.inf
) -> tuple[float, float]:
    """Return the least and the greatest Theil T that sums on a grid allow.

    y ln y is convex: least with everyone at the mean of the interval, greatest with everyone at its
    ends. The lowest interval begins at zero (negative incomes must not be in it). Without a highest
    income the open interval has no greatest value.

    Parameters
    ----------
    edges, weight, income
        As in `gini_bounds`.
    highest : float
        Highest income there is.

    Examples
    --------
    Two between 10 and 30 with 40 in all: both have 20, or one has 10 and one 30.

    >>> [round(x, 6) for x in theil_bounds(np.array([10.0]), np.array([0.0, 2.0]),
    ...                                    np.array([0.0, 40.0]), 30.0)]
    [0.0, 0.130812]
    """
    there = weight > 0
    n, mean = weight[there], income[there] / weight[there]
    size, overall = n.sum(), income.sum() / n.sum()
    start = np.concatenate([[0.0], edges])[there]
    end = np.concatenate([edges, [highest]])[there]
    least = float(n @ _curve(mean))
    scale, shift = float(size * overall), float(np.log(overall))
    if np.isinf(end).any():
        return least / scale - shift, float("inf")
    share = np.where(end > start, (mean - start) / np.where(end > start, end - start, 1.0), 0.0)
    most = float(n @ ((1 - share) * _curve(start) + share * _curve(end)))
    return least / scale - shift, most / scale - shift


def _curve(y: Floats) -> Floats:
    """Return y ln y, zero at zero."""
    found: Floats = np.where(y > 0, y * np.log(np.where(y > 0, y, 1.0)), 0.0)
    return found


def bounds(grid: Grid) -> pl.DataFrame:
    """Return the bounds of the Gini index with an interval that holds both.

    Each bound's error is the jackknife over villages (CV3); the interval runs from the lower bound
    less, to the upper bound plus, t errors, so it covers the index wherever it lies between.

    Returns
    -------
    polars.DataFrame
        One row: index, low, high, std_error_low, std_error_high, ci_low, ci_high, n_villages.
    """
    weight, income = grid.weight.sum(axis=0), grid.income.sum(axis=0)
    points = np.array(gini_bounds(grid.edges, weight, income))
    used = grid.weight.sum(axis=1) > 0
    without = np.array(
        [
            gini_bounds(grid.edges, weight - w, income - y)
            for w, y in zip(grid.weight, grid.income, strict=True)
        ]
    )
    both = np.repeat(used[:, None], 2, axis=1)
    errors = np.full(2, np.nan)
    if used.sum() >= clusters.LEAST_VILLAGES:
        errors = np.sqrt(np.diag(clusters.jackknife_covariance(points, without, both)))
    half = clusters.half_width(errors, clusters.degrees_of_freedom(both))
    return pl.DataFrame(
        {
            "index": ["gini"],
            "low": points[:1],
            "high": points[1:],
            "std_error_low": errors[:1],
            "std_error_high": errors[1:],
            "ci_low": points[:1] - half[:1],
            "ci_high": points[1:] + half[1:],
            "n_villages": [int(used.sum())],
        }
    ).with_columns(pl.selectors.float().fill_nan(None))
