"""Tables made from households one by one, apart from the cells, so that tests have two ways."""

import numpy as np
import polars as pl
import pytest
from tests.cells.village_attack import attack_every_pack  # noqa: F401  # of every pack here

from analysis import paths
from analysis.did.estimators.table import Leg, Moments, Table

REFERENCE = paths.data() / "validation" / "parity"


def wide(data, column, periods):
    """Households by periods, NaN where not seen."""
    found = np.full((data["household"].n_unique(), len(periods)), np.nan)
    row = data["household"].rank("dense").to_numpy() - 1
    found[row, np.searchsorted(periods, data["period"].to_numpy())] = data[column].to_numpy()
    return found


def table_of(data, handling="balanced", *, anticipation=0, outcome="income", moments=()):
    """household, village, period, income, cohort, stratum, weight to a table, household by household."""
    data = data.sort("household", "period")
    periods = np.array(sorted(data["period"].unique()))
    if handling == "balanced":
        data = data.filter(pl.len().over("household") == periods.size)
    of = data.unique("household", maintain_order=True)
    villages = sorted(data["village"].unique())
    keys = sorted(set(zip(of["village"], of["cohort"], of["stratum"], strict=True)))
    cell = np.array(
        [keys.index(k) for k in zip(of["village"], of["cohort"], of["stratum"], strict=True)]
    )
    weight = of["weight"].to_numpy().astype(float)
    y = wide(data, outcome, periods)
    cohort = of["cohort"].to_numpy()
    untreated = (cohort[:, None] == 0) | (cohort[:, None] - anticipation > periods)

    def add(values):
        found = np.zeros((len(keys), *values.shape[1:]))
        np.add.at(found, cell, values)
        return found

    def made(chosen, **more):
        """The table of some of the households."""
        inside, income, w = seen[chosen], y0[chosen], weight[chosen]

        def sums(values):
            full = np.zeros((seen.shape[0], *values.shape[1:]))
            full[chosen] = values
            return add(full)

        return Table(
            villages=tuple(str(v) for v in villages),
            strata=tuple(str(s) for s in sorted(of["stratum"].unique())),
            outcomes=(outcome,),
            periods=periods,
            village=np.array([villages.index(k[0]) for k in keys]),
            cohort=np.array([k[1] for k in keys]),
            stratum=np.array([sorted(of["stratum"].unique()).index(k[2]) for k in keys]),
            n=sums(inside).astype(int),
            weight=sums(inside * w[:, None]),
            total=sums(income * w[:, None])[..., None],
            n_ever=sums(np.ones(w.size)).astype(int),
            weight_ever=sums(w),
            handling=handling,
            weighted=bool((weight != 1).any()),
            **more,
        )

    seen, y0 = ~np.isnan(y), np.nan_to_num(y)
    pairs = {}
    if handling == "pairs":
        for b, base in enumerate(periods):
            for t, period in enumerate(periods):
                both = seen[:, b] & seen[:, t]
                change = np.where(both, y0[:, t] - y0[:, b], 0) * weight
                pairs[int(base), int(period)] = Leg(
                    1.0, add(both).astype(int), add(both * weight), add(change)[:, None]
                )

    def inverse(omega, chosen):
        """A[s,t] and B[s,t] by their definition."""
        count = np.maximum(omega.sum(1), 1)
        a = (
            omega[:, :, None]
            * (seen & chosen[:, None])[:, None, :]
            * (weight / count)[:, None, None]
        )
        return Moments(add(a), add(a * y0[:, :, None])[..., None])

    everybody = np.ones(seen.shape[0], bool)
    more = {}
    if "all" in moments:
        more["all_periods"] = inverse(seen, everybody)
    if "untreated" in moments:
        omega = seen & untreated
        some = omega.any(axis=1)
        part = made(some, untreated=inverse(omega, some))
        more["imputed"] = part
    return made(everybody, pairs=pairs, **more)


@pytest.fixture(scope="session")
def panel():
    """The small panel of the references, by design."""

    def chosen(
        level="village", handling="balanced", controls="never", weighted=False, strata=False
    ):
        data = pl.read_parquet(REFERENCE / "panel.parquet")
        data = data.with_columns(
            cohort=pl.col(f"cohort_{level}"),
            weight=pl.col("weight") if weighted else pl.lit(1.0),
            stratum=pl.col("stratum") if strata else pl.lit(0),
        )
        if handling != "balanced":
            data = data.filter("seen")
        if controls == "not_yet_all_treated":
            data = data.filter(pl.col("cohort") > 0)
        return data

    return chosen


@pytest.fixture(scope="session")
def make_table():
    return table_of
