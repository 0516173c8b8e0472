"""Pre-trends: what the test of leads finds, against hand calculation and draws of T²."""

import numpy as np
import polars as pl
import pytest

from analysis.did.estimators import aggregate, group_time, pretrends
from analysis.faults import FaultsError

from .conftest import table_of

UNIVERSAL = group_time.Comparison(base="universal")


def panel(slope, *, villages=40, noise=1.0, seed=1):
    """Households of villages with or without a programme from 2016 on; treated move by a slope."""
    draw = np.random.default_rng(seed)
    rows = []
    for v in range(villages):
        cohort = 2016 if v % 2 else 0
        for period in range(2012, 2018):
            trend = slope * (period - 2012) if cohort else 0.0
            for h in range(3):
                rows.append(
                    (
                        f"h{v:02}-{h}",
                        f"v{v:02}",
                        period,
                        100 + trend + noise * draw.normal(),
                        cohort,
                        "all",
                        1.0,
                    )
                )
    names = ["household", "village", "period", "income", "cohort", "stratum", "weight"]
    return pl.DataFrame(rows, schema=names, orient="row")


def leads_of(table, how=UNIVERSAL):
    return pretrends.pre_trends(group_time.estimate(table, how), table, "income")


def test_a_trend_that_goes_on_moves_each_effect_by_the_years_since_the_base():
    # By hand: base 2015; 2016 and 2017 are 1 and 2 years after it, their mean is 1.5.
    found = leads_of(table_of(panel(0.0)))
    assert found.event_times == (-4, -3, -2)
    assert found.bias == pytest.approx(1.5 * found.slope)
    assert found.bias_at == pytest.approx({at: (at + 1) * found.slope for at in (-4, -3, -2, 0, 1)})


def test_a_trend_is_all_that_the_estimate_is_where_nothing_else_happens():
    """Without noise between households a slope of 5 gives leads −15, −10, −5 and effects 5, 10."""
    table = table_of(panel(5.0, noise=0.0))
    events = aggregate.aggregate(group_time.estimate(table, UNIVERSAL), table, ("event_time",))
    assert events.points == pytest.approx([-15, -10, -5, 5, 10])


def test_the_alarm_follows_the_trend():
    assert not leads_of(table_of(panel(0.0))).alarm
    steep = leads_of(table_of(panel(2.0)))
    assert steep.alarm and steep.slope < 2


@pytest.mark.parametrize(("degrees", "k"), [(30, 3), (15, 1)])
def test_the_power_is_that_of_drawn_tests(degrees, k):
    """T² drawn from normals and Wisharts, not from the noncentral F that the function uses."""
    draw = np.random.default_rng(7)
    distance = np.arange(-k, 0, dtype=float)
    slope = pretrends.detectable(float(distance @ distance), k, degrees, level=0.95, power=0.8)
    runs, rejected = 20_000, 0
    below = degrees - k + 1
    critical = np.quantile([_t2(draw, np.zeros(k), degrees) for _ in range(runs)], 0.95)
    rejected = sum(_t2(draw, slope * distance, degrees) > critical for _ in range(runs))
    assert rejected / runs == pytest.approx(0.8, abs=0.02)
    assert below > 0


def _t2(draw, mean, degrees):
    scatter = draw.normal(size=(degrees, mean.size))
    covariance = scatter.T @ scatter / degrees
    point = mean + draw.normal(size=mean.size)
    return point @ np.linalg.solve(covariance, point)


def test_less_noise_finds_a_smaller_trend():
    loud, quiet = (leads_of(table_of(panel(0.0, noise=noise))).slope for noise in (2.0, 1.0))
    assert loud == pytest.approx(2 * quiet, rel=1e-6)


def test_years_of_anticipation_are_not_tested():
    how = group_time.Comparison(base="universal", anticipation=1)
    assert leads_of(table_of(panel(0.0), anticipation=1), how).event_times == (-4, -3)


def test_a_varying_base_is_refused():
    with pytest.raises(FaultsError, match="universal"):
        leads_of(table_of(panel(0.0)), group_time.Comparison())


def test_too_few_villages_are_refused():
    """Three leads and three villages in an arm."""
    with pytest.raises(FaultsError, match="smaller arm has 3 effective clusters"):
        leads_of(table_of(panel(0.0, villages=6)))


def test_without_a_year_before_the_base_there_is_no_lead():
    short = panel(0.0).filter(pl.col("period") >= 2015)
    with pytest.raises(FaultsError, match="no period before the base"):
        leads_of(table_of(short))
