"""The distribution of income: quantiles, growth incidence, and what moved poverty.

Incomes are per baseline member, in the prices of one year, each person counted. Quantiles are the
inverse of the distribution function: the least income that at least a share p does not pass.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

import numpy as np
import polars as pl

from analysis.inference import clusters
from analysis.inference.arrays import Floats, Integers
from analysis.welfare import linearised
from analysis.welfare.linearised import Measures
from analysis.welfare.people import PERSON, People, SurveyDesign, per_head, weights

SHARES = tuple(p / 20 for p in range(1, 20))
"""Points of the distribution that growth incidence is shown at: every twentieth."""
POOREST = 0.4
"""The poorest two fifths, whose growth is target 10.1 of the Sustainable Development Goals."""
GROUPS = 10
"""Groups by baseline income in the growth incidence of the same households."""


@dataclass(frozen=True, eq=False)
class Sample:
    """Incomes of one period, in ascending order; r rows.

    Attributes
    ----------
    income, weight : array, shape (r,)
        Yuan per head a year, and weight.
    cluster : array, shape (r,)
        Number of the cluster.
    design : SurveyDesign
        Of the clusters.
    """

    income: Floats
    weight: Floats
    cluster: Integers
    design: SurveyDesign


def sample(people: People, period: int, unit: str = PERSON) -> Sample:
    """Return the real incomes per head of a period."""
    rows = people.rows(period)
    income = per_head(rows)
    order = np.argsort(income, kind="stable")
    return Sample(
        income[order], weights(rows, unit)[order], rows["cluster"].to_numpy()[order], people.design
    )


def at_share(found: Sample, share: float) -> float:
    """Return the quantile of a share: the least income with F(y) of that share or more."""
    cumulative = np.cumsum(found.weight)
    place = np.searchsorted(cumulative, share * cumulative[-1] * (1 - 1e-12))
    return float(found.income[min(int(place), found.income.size - 1)])


def quantiles(found: Sample, shares: tuple[float, ...] = SHARES) -> Measures:
    """Return quantiles with linearised values, whose density comes from Woodruff's interval.

    ψ_c = −Σ_{i in c} w_i (1{y_i ≤ q} − p) / (W f(q)). The density is the one that gives Woodruff's
    (1952) interval, the quantiles of p ± t·s(F), its length: f = 2 t s(F) / (q₊ − q₋)
    (Francisco & Fuller 1991).

    Returns
    -------
    Measures
        Labels share. NaN influence where the interval leaves the data or has no length.
    """
    size, n_clusters = found.weight.sum(), len(found.design.clusters)
    influence = np.full((n_clusters, len(shares)), np.nan)
    points = np.array([at_share(found, p) for p in shares])
    seen = np.bincount(found.cluster, minlength=n_clusters) > 0
    used = np.repeat(seen[:, None], len(shares), axis=1)
    strata = np.unique(found.design.stratum[seen]).size
    degrees = np.full(1, float(seen.sum() - strata))
    for k, (p, q) in enumerate(zip(shares, points, strict=True)):
        linear = found.weight * ((found.income <= q) - p)
        # Less its mean: on few incomes F jumps past p, and the surplus is no error.
        linear = linear - found.weight * linear.sum() / size
        of_share = np.bincount(found.cluster, linear / size, n_clusters).astype(np.float64)
        if seen.sum() < clusters.LEAST_VILLAGES:
            continue
        variance = clusters.stratified_covariance(of_share[:, None], found.design.stratum)
        half = clusters.half_width(np.sqrt(np.diag(variance)), degrees).item()
        if not (p - half > 0 and p + half < 1):
            continue
        length = at_share(found, p + half) - at_share(found, p - half)
        if length > 0:
            influence[:, k] = -of_share * length / (2 * half)
    return Measures(
        pl.DataFrame({"share": list(shares)}),
        points,
        influence,
        used,
        np.full(len(shares), found.income.size),
        found.design,
    )


def poorest_mean(found: Sample, share: float = POOREST) -> Measures:
    """Return the mean income of the poorest share.

    θ = A/(pW), A the income of the lowest weight pW (the row at the border counts in part):
    ∂θ/∂w_i = [(y_i − q) 1{y_i < q} + p q − p θ] / (pW).
    """
    size = found.weight.sum()
    q = at_share(found, share)
    low = found.income < q
    held = float(found.weight[low] @ found.income[low])
    held += q * (share * size - float(found.weight[low].sum()))
    point = held / (share * size)
    slope = (np.where(low, found.income - q, 0.0) + share * (q - point)) / (share * size)
    labels = pl.DataFrame({"share": [share]})
    return linearised.of_rows(
        labels, [point], [found.weight * slope], [found.cluster], found.design
    )


def mean(found: Sample) -> Measures:
    """Return the mean income."""
    size = found.weight.sum()
    point = float(found.weight @ found.income) / size
    linear = found.weight * (found.income - point) / size
    return linearised.of_rows(
        pl.DataFrame({"share": [1.0]}), [point], [linear], [found.cluster], found.design
    )


def ends(people: People) -> tuple[int, int] | None:
    """Return the first and last period, None if there is only one."""
    return (people.periods[0], people.periods[-1]) if len(people.periods) > 1 else None


def _years(labels: pl.DataFrame, first: int, last: int) -> pl.DataFrame:
    return labels.with_columns(first=pl.lit(first), last=pl.lit(last))


def incidence(people: People, first: int, last: int) -> Measures:
    """Return the growth incidence curve: growth of each quantile between two periods.

    Anonymous (Ravallion & Chen 2003): who stands at a share in one year is someone else than in the
    other. Growth over the whole span, a share of the first quantile, real.
    """
    before, after = (quantiles(sample(people, t)) for t in (first, last))
    return linearised.growth(after, before, _years(before.labels, first, last))


def incidence_of_the_same(people: People, first: int, last: int, groups: int = GROUPS) -> Measures:
    """Return mean growth by group of first income, of households seen in both periods.

    Not anonymous (Grimm 2007): the same households. Those low in a year by chance are higher in any
    other, so part of any such curve's slope is the noise of one year. Groups hold equal shares of
    persons; that their limits are themselves estimated is not in the error.

    Returns
    -------
    Measures
        Labels group (1 the poorest), share (the middle of the group), first, last.
    """
    columns = ["household", "real_fen"]
    both = (
        people.rows(first)
        .join(people.rows(last).select(*columns[:1], after=columns[1]), on="household")
        .with_columns(persons=pl.col("weight") * pl.col("size"))
    )
    order = both.with_columns(head=pl.col("real_fen") / pl.col("size")).sort("head", "household")
    middle = order["persons"].cum_sum() - order["persons"] / 2
    place = (groups * middle / max(order["persons"].sum(), 1.0)).floor().clip(0, groups - 1)
    order = order.with_columns(group=place.cast(pl.Int64))
    shape = (len(people.design.clusters), groups)
    at = order["cluster"].to_numpy(), order["group"].to_numpy()
    base, end = np.zeros(shape), np.zeros(shape)
    np.add.at(base, at, (order["weight"] * order["real_fen"]).to_numpy())
    np.add.at(end, at, (order["weight"] * order["after"]).to_numpy())
    n_rows = np.bincount(at[1], minlength=groups).astype(np.int64)
    labels = pl.DataFrame(
        {"group": range(1, groups + 1), "share": [(g + 0.5) / groups for g in range(groups)]}
    )
    found = linearised.ratios(_years(labels, first, last), end - base, base, n_rows, people.design)
    seen = np.zeros(shape, np.int64)
    np.add.at(seen, at, 1)
    lost = base.sum(axis=0) <= 0
    return Measures(
        found.labels,
        np.where(lost, np.nan, found.points),
        found.influence,
        seen > 0,
        n_rows,
        people.design,
    )


def growth_of(people: People, first: int, last: int) -> Measures:
    """Return growth of the mean and of the mean of the poorest 40 %, and the difference.

    Returns
    -------
    Measures
        Labels what (poorest, all, difference), first, last; shares of the first mean, real.
    """
    parts = []
    for function in (poorest_mean, mean):
        before, after = (function(sample(people, t)) for t in (first, last))
        parts.append(linearised.growth(after, before, before.labels))
    poorest, everyone = parts
    gap = linearised.less(poorest, everyone, poorest.labels)
    labels = _years(pl.DataFrame({"what": ["poorest", "all", "difference"]}), first, last)
    return Measures(
        labels,
        np.concatenate([one.points for one in (poorest, everyone, gap)]),
        np.concatenate([one.influence for one in (poorest, everyone, gap)], axis=1),
        np.concatenate([one.used for one in (poorest, everyone, gap)], axis=1),
        np.concatenate([one.n_rows for one in (poorest, everyone, gap)]),
        people.design,
    )


PARTS = (
    "change",
    "growth",
    "redistribution",
    "residual",
    "growth_shapley",
    "redistribution_shapley",
)


@dataclass(frozen=True, eq=False)
class _Relative:
    """Incomes of a period over its line, with sums by cluster; r rows, c clusters."""

    income: Floats
    weight: Floats
    cluster: Integers
    n: int

    def mean(self) -> tuple[float, Floats]:
        """Return the mean, and the mean without each cluster, shape (c,)."""
        size, held = self.weight.sum(), float(self.weight @ self.income)
        own = np.bincount(self.cluster, self.weight, self.n)
        own_held = np.bincount(self.cluster, self.weight * self.income, self.n)
        with np.errstate(divide="ignore", invalid="ignore"):
            return held / size, (held - own_held) / (size - own)

    def poverty(self, alpha: int, scale: float, without: Floats) -> tuple[float, Floats]:
        """Return P_α of incomes times a factor, and the same without each cluster.

        The factor without a cluster is another one for each, so each cluster's households have
        their own and all others' are found by their order.
        """
        size = self.weight.sum()
        whole = float(self.weight @ _lacking(self.income * scale, alpha)) / size
        order = np.argsort(self.income, kind="stable")
        y, w = self.income[order], self.weight[order]
        sums = [np.concatenate([[0.0], np.cumsum(w * y**power)]) for power in range(alpha + 1)]
        place = np.searchsorted(y * 1.0, 1 / without, side="left")
        terms = {0: (1.0,), 1: (1.0, -1.0), 2: (1.0, -2.0, 1.0)}[alpha]
        everyone = sum(
            factor * sums[power][place] * without**power for power, factor in enumerate(terms)
        )
        own = np.bincount(
            self.cluster, self.weight * _lacking(self.income * without[self.cluster], alpha), self.n
        )
        with np.errstate(divide="ignore", invalid="ignore"):
            return whole, (everyone - own) / (size - np.bincount(self.cluster, self.weight, self.n))


def _lacking(relative: Floats, alpha: int) -> Floats:
    poor = relative < 1
    found: Floats = np.where(poor, np.where(poor, 1 - relative, 0.0) ** alpha, 0.0)
    return found


def decompose(people: People, line: str, first: int, last: int, alpha: int = 0) -> pl.DataFrame:
    """Split a change of poverty into growth and redistribution (Datt & Ravallion 1992).

    Growth: the first distribution moved to the last mean. Redistribution: the last distribution at
    the first mean. The residual is what both leave; Shapley's parts, the means over both orders,
    leave none (Kolenikov & Shorrocks 2005). Income per head over the line of its year, each person
    counted.

    Parameters
    ----------
    people : People
        In fen.
    line : str
        Poverty line.
    first, last : int
        Periods.
    alpha : int
        0 headcount, 1 gap, 2 squared gap.

    Returns
    -------
    polars.DataFrame
        part (one of `PARTS`), estimate (share), std_error, ci_low, ci_high (jackknife over
        clusters), n_villages. Empty if a mean is not above zero.
    """
    c = len(people.design.clusters)
    ends_of = []
    for t in (first, last):
        rows = people.rows(t)
        ends_of.append(
            _Relative(
                per_head(rows, "total_fen") * 100 / people.line_fen(line, t),
                weights(rows),
                rows["cluster"].to_numpy(),
                c,
            )
        )
    old, new = ends_of
    (mean_old, less_old), (mean_new, less_new) = old.mean(), new.mean()
    if min(mean_old, mean_new) <= 0:
        return _parts(np.zeros(0), np.zeros((c, 0)), np.zeros((c, 0), bool))
    ones = np.ones(c)
    both = [
        old.poverty(alpha, 1.0, ones),
        old.poverty(alpha, mean_new / mean_old, less_new / less_old),
        new.poverty(alpha, mean_old / mean_new, less_old / less_new),
        new.poverty(alpha, 1.0, ones),
    ]
    points = _split(*(np.asarray(point) for point, _ in both))
    without = _split(*(values for _, values in both))
    seen = np.bincount(np.concatenate([old.cluster, new.cluster]), minlength=c) > 0
    return _parts(points, without.T, np.repeat(seen[:, None], len(PARTS), axis=1))


def _split(start: Floats, grown: Floats, spread: Floats, end: Floats) -> Floats:
    """Return the parts, in the order of `PARTS`, along the first axis."""
    growth, redistribution = grown - start, spread - start
    change = end - start
    found = [
        change,
        growth,
        redistribution,
        change - growth - redistribution,
        (growth + end - spread) / 2,
        (redistribution + end - grown) / 2,
    ]
    return np.stack(found)


def _parts(points: Floats, without: Floats, used: np.ndarray) -> pl.DataFrame:
    schema = {
        "part": pl.String,
        "estimate": pl.Float64,
        "std_error": pl.Float64,
        "ci_low": pl.Float64,
        "ci_high": pl.Float64,
        "n_villages": pl.Int64,
    }
    if not points.size:
        return pl.DataFrame(schema=schema)
    errors = np.full(points.size, np.nan)
    if used[:, 0].sum() >= clusters.LEAST_VILLAGES:
        errors = np.sqrt(np.diag(clusters.jackknife_covariance(points, without, used)))
    half = clusters.half_width(errors, clusters.degrees_of_freedom(used))
    return pl.DataFrame(
        {
            "part": list(PARTS),
            "estimate": points,
            "std_error": errors,
            "ci_low": points - half,
            "ci_high": points + half,
            "n_villages": [int(used[:, 0].sum())] * points.size,
        },
        schema=cast(pl._typing.SchemaDict, schema),
    ).with_columns(pl.selectors.float().fill_nan(None))
