"""Effects on quantiles: the distribution with and without a programme, inverted on a grid.

Among the treated F₁(z) is seen, and F₀(z) = F₁(z) − effect on the share below z. Estimated F₀ need
not rise everywhere; sorting its values makes it do so and only brings it nearer to the truth
(Chernozhukov, Fernández-Val & Galichon 2010). Quantiles are then bounds: between two amounts of
the grid nothing is known. A band for both functions at once, inverted, holds the quantiles and, by
subtraction, their differences at once (Chernozhukov, Fernández-Val, Melly & Wüthrich 2020): wide,
but it promises what it says on any grid.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl

from analysis.cells.result import Cells
from analysis.effects import relative
from analysis.effects.result import stack
from analysis.effects.table import refuse
from analysis.inference.arrays import Floats
from analysis.money import FEN_PER_YUAN
from analysis.welfare.effects import Estimated

SHARES = tuple(p / 10 for p in range(1, 10))
"""Deciles."""


@dataclass(frozen=True, eq=False)
class Distributions:
    """Shares of the treated below K amounts, with and without the programme.

    Attributes
    ----------
    edges : array, shape (K,)
        Amounts, yuan per head a year in the prices of one year, ascending.
    treated, counterfactual : array, shape (K,)
        F₁ and F₀, rising, between 0 and 1.
    raw : array, shape (K,)
        F₀ before its values were sorted.
    low, high : array, shape (2, K)
        Joint band of F₁ (row 0) and F₀ (row 1); NaN where there is no error.
    rule : str
        How the band was made: ``multiplier``, ``bonferroni`` or ``none``.
    """

    edges: Floats
    treated: Floats
    counterfactual: Floats
    raw: Floats
    low: Floats
    high: Floats
    rule: str

    @property
    def moved(self) -> float:
        """Largest distance that sorting moved F₀ by: nought if it rose everywhere."""
        return float(np.abs(self.counterfactual - self.raw).max(initial=0.0))


def rising(values: Floats) -> Floats:
    """Return values sorted and kept between 0 and 1.

    Examples
    --------
    >>> rising(np.array([-0.1, 0.4, 0.3, 1.2])).tolist()
    [0.0, 0.3, 0.4, 1.0]
    """
    found: Floats = np.clip(np.sort(values), 0.0, 1.0)
    return found


def distributions(found: Estimated, made: Cells) -> Distributions:
    """Read both distribution functions from estimates on the grid of the cells.

    Raises
    ------
    FaultsError
        If the cells have no grid, or it has no amount whose share moves.
    """
    edges = {
        o.name: o.transform.fen / FEN_PER_YUAN
        for o in made.design.outcomes
        if o.name.startswith("below_") and o.transform and o.transform.fen is not None
    }
    at = [k for k, key in enumerate(found.effects.keys) if key.outcome in edges]
    if not at:
        refuse(
            "the cells have no grid of incomes",
            "make them with welfare.effects.cells",
            column="outcome",
            value=found.effects.about.tier,
        )
    index = np.array(at, np.int64)
    effects, level = found.effects.at(index), found.levels.at(index)
    counter = relative.less(level, effects)
    both = stack(level, counter)
    made_band = both.band()
    half = made_band.critical * both.std_errors
    k = len(at)
    return Distributions(
        edges=np.array([edges[key.outcome] for key in effects.keys]),
        treated=rising(level.points),
        counterfactual=rising(counter.points),
        raw=counter.points,
        low=np.stack([_edge((both.points - half)[:k]), _edge((both.points - half)[k:])]),
        high=np.stack([_edge((both.points + half)[:k]), _edge((both.points + half)[k:])]),
        rule=made_band.rule,
    )


def _edge(values: Floats) -> Floats:
    """Sort one end of a band; where any of it is missing there is none."""
    return np.full(values.size, np.nan) if np.isnan(values).any() else rising(values)


def bracket(edges: Floats, low: Floats, high: Floats, share: float) -> tuple[float, float]:
    """Return the amounts between which a quantile lies if F is between two functions.

    F is the share strictly below. If F(z) < p the quantile is z or more; if F(z) ≥ p it is z or
    less. Infinite where the grid ends first.

    Examples
    --------
    >>> edges, share = np.array([1.0, 2.0, 3.0]), np.array([0.2, 0.5, 0.8])
    >>> bracket(edges, share, share, 0.5), bracket(edges, share, share, 0.9)
    ((1.0, 2.0), (3.0, inf))
    """
    if np.isnan(low).any() or np.isnan(high).any():
        return float("nan"), float("nan")
    under, over = edges[high < share], edges[low >= share]
    return (
        float(under.max()) if under.size else -np.inf,
        float(over.min()) if over.size else np.inf,
    )


def _between(edges: Floats, values: Floats, share: float) -> float:
    """Return a quantile by drawing F straight between amounts; NaN beyond the grid."""
    if not values[0] <= share <= values[-1]:
        return float("nan")
    above = int(np.searchsorted(values, share))
    if above == 0 or values[above] == share:
        return float(edges[above])
    step = (share - values[above - 1]) / (values[above] - values[above - 1])
    return float(edges[above - 1] + step * (edges[above] - edges[above - 1]))


def effects(found: Distributions, shares: tuple[float, ...] = SHARES) -> pl.DataFrame:
    """Return the effect on each quantile of the treated.

    Returns
    -------
    polars.DataFrame
        share, treated, counterfactual, estimate (yuan per head a year, straight lines between
        amounts), grid_low, grid_high (what the grid leaves open, no sampling error), band_low,
        band_high (joint over all quantiles, sampling error and grid); null where the grid ends.
    """
    rows = []
    with np.errstate(invalid="ignore"):
        for p in shares:
            one = _between(found.edges, found.treated, p)
            none = _between(found.edges, found.counterfactual, p)
            a = bracket(found.edges, found.treated, found.treated, p)
            b = bracket(found.edges, found.counterfactual, found.counterfactual, p)
            c, d = (bracket(found.edges, found.low[i], found.high[i], p) for i in (0, 1))
            rows.append(
                (p, one, none, one - none, a[0] - b[1], a[1] - b[0], c[0] - d[1], c[1] - d[0])
            )
    names = [
        "share",
        "treated",
        "counterfactual",
        "estimate",
        "grid_low",
        "grid_high",
        "band_low",
        "band_high",
    ]
    frame = pl.DataFrame(rows, schema=dict.fromkeys(names, pl.Float64), orient="row")
    return frame.with_columns(
        pl.when(pl.col(name).is_finite()).then(pl.col(name)) for name in names
    )
