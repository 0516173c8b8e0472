"""All programmes at once, against statsmodels with every dummy written out, and by hand."""

import numpy as np
import polars as pl
import pytest
import statsmodels.api as sm

from analysis.did.estimators import several_programmes
from analysis.did.estimators.record import About
from analysis.faults import FaultsError

ABOUT = About(estimator="together", tier="model")
YEARS = range(2012, 2018)


def records(*, villages=60, households=4, effects=(300.0, 800.0), noise=1.0, seed=3, growth=0.0):
    """Two programmes that tend to come together; household first periods, effects that add up."""
    draw = np.random.default_rng(seed)
    rows = []
    for v in range(villages):
        for h in range(households):
            level = draw.normal(1000, 200)
            one = 2014 + v % 3 if draw.random() < 0.5 else None
            two = 2014 + (v + h) % 3 if draw.random() < (0.8 if one else 0.2) else None
            for t in YEARS:
                gain = sum(e for e, g in zip(effects, (one, two), strict=True) if g and t >= g)
                y = level * (1 + growth) ** (t - 2012) + gain + noise * draw.normal()
                rows.append(
                    (
                        f"h{v:02}{h}",
                        f"v{v:02}",
                        "ab"[h % 2],
                        t,
                        1.0,
                        level,
                        one,
                        two,
                        y,
                        0.3 * y,
                        0.7 * y,
                    )
                )
    names = [
        "household",
        "village",
        "stratum",
        "period",
        "weight",
        "before",
        "first_one",
        "first_two",
        "total",
        "wage",
        "transfer",
    ]
    return pl.DataFrame(rows, schema=names, orient="row", infer_schema_length=None)


def simple(found, programme, outcome="total"):
    return next(
        i
        for i, key in enumerate(found.keys)
        if (key.outcome, key.programme, key.aggregation) == (outcome, programme, "simple")
    )


def made(data, outcomes=("total",), **years):
    return several_programmes.estimate(data, years or {"one": 0, "two": 0}, outcomes, ABOUT)


def test_each_programme_gets_its_own_effect_though_they_come_together():
    found = made(records())
    assert found.points[simple(found, "one")] == pytest.approx(300, abs=1)
    assert found.points[simple(found, "two")] == pytest.approx(800, abs=1)


def test_incomes_that_grow_in_proportion_do_not_pass_for_an_effect():
    """Without noise the years' own slopes on income before leave nothing: exact to rounding."""
    data = records(noise=0.0, growth=0.05)
    found = made(data)
    assert found.points[simple(found, "one")] == pytest.approx(300, abs=1e-6)


def test_the_coefficients_are_those_of_least_squares_with_every_dummy():
    data = records(villages=24, noise=50.0)
    found = made(data)
    event = {name: (data["period"] - data[f"first_{name}"]).to_numpy() for name in ("one", "two")}
    dummies, names = [], []
    for name in ("one", "two"):
        keys = [
            key for key in found.keys if key.aggregation == "event_time" and key.programme == name
        ]
        last = max(key.at for key in keys)
        for key in keys:
            inside = event[name] >= key.at if key.at == last else event[name] == key.at
            dummies.append(np.nan_to_num(inside.astype(float)))
            names.append(key)
    period, before = data["period"].to_numpy(), data["before"].to_numpy()
    stratum = data["stratum"].to_numpy()
    years = [((stratum == s) & (period == t)).astype(float) for s in "ab" for t in YEARS[1:]]
    slopes = [(period == t) * (before - before.mean()) / before.std() for t in YEARS[1:]]
    homes = [(data["household"] == h).to_numpy().astype(float) for h in data["household"].unique()]
    fit = sm.OLS(data["total"].to_numpy(), np.column_stack([*dummies, *years, *slopes, *homes]))
    expected = fit.fit(
        cov_type="cluster",
        cov_kwds={
            "groups": data["village"].rank("dense").to_numpy().astype(int),
            "use_correction": False,
        },
    )
    place = [found.keys.index(key) for key in names]
    assert found.points[place] == pytest.approx(expected.params[: len(names)], rel=1e-7)
    ours = np.sqrt((found.influence[:, place] ** 2).sum(axis=0))
    assert ours == pytest.approx(expected.bse[: len(names)], rel=1e-6)


def test_leaving_a_village_out_is_the_estimate_without_it():
    data = records(villages=24, noise=50.0)
    found = made(data)
    gone = found.villages[5]
    # The scale of income before is a unit of measure, so it may differ; the dummies must not.
    again = made(data.filter(pl.col("village") != gone))
    events = [i for i, key in enumerate(found.keys) if key.aggregation == "event_time"]
    assert [found.keys[i] for i in events] == [
        key for key in again.keys if key.aggregation == "event_time"
    ]
    same = [again.keys.index(found.keys[i]) for i in events]
    assert found.without[5, events] == pytest.approx(again.points[same], rel=1e-7)


def test_sources_add_up_to_the_total():
    found = made(records(noise=50.0), ("total", "wage", "transfer"))
    third = len(found) // 3
    parts = found.points[third : 2 * third] + found.points[2 * third :]
    assert parts == pytest.approx(found.points[:third], rel=1e-9)


def test_programmes_that_begin_together_everywhere_are_refused():
    data = records().with_columns(first_two=pl.col("first_one"))
    with pytest.raises(FaultsError, match="cannot be told apart"):
        made(data)


def test_nobody_in_any_programme_is_refused():
    nobody = pl.lit(None, pl.Int64)
    with pytest.raises(FaultsError, match="nobody is in any programme"):
        made(records().with_columns(first_one=nobody, first_two=nobody))
