"""Which villages an estimate uses, and which comparisons nobody is left for.

Expected errors are jackknives by refitting: each village left out, everything estimated again.
"""

import numpy as np
import polars as pl
import pytest

from analysis.did.estimators import aggregate, bacon, group_time, imputation, pretrends
from analysis.did.estimators.group_time import Comparison
from analysis.did.estimators.table import Table
from analysis.inference import wild


def made(cohorts, periods, *, seen=None, handling="balanced", seed=0, spread=5.0):
    """Ten households a village, random walks, an effect of four."""
    draw = np.random.default_rng(seed)
    cohorts, periods = np.array(cohorts), np.array(periods)
    shape = (cohorts.size, periods.size)
    n = np.full(shape, 10) if seen is None else np.where(seen, 10, 0)
    walk = draw.normal(0, spread, shape).cumsum(axis=1)
    effect = 4.0 * ((cohorts[:, None] > 0) & (periods >= cohorts[:, None]))
    total = n * (draw.normal(0, 3, (cohorts.size, 1)) + walk + effect)
    return Table(
        villages=tuple(f"v{i:02}" for i in range(cohorts.size)),
        strata=("all",),
        outcomes=("y",),
        periods=periods,
        village=np.arange(cohorts.size),
        cohort=cohorts,
        stratum=np.zeros(cohorts.size, int),
        n=n,
        weight=n * 1.0,
        total=total[..., None],
        n_ever=n.max(axis=1),
        weight_ever=n.max(axis=1) * 1.0,
        handling=handling,
    )


def refitted(table, estimate, number):
    """CV3 of one estimate by estimating again without each village."""
    whole = estimate(table).points[number]
    size = len(table.villages)
    others = [estimate(table.rows(table.village != v)).points[number] for v in range(size)]
    return np.sqrt((size - 1) / size * ((np.array(others) - whole) ** 2).sum())


def test_villages_treated_later_count_in_an_imputed_effect():
    """Their earlier years tell the period effects that the effect is made with."""
    table = made([0] * 4 + [2012] * 4 + [2013] * 12, range(2010, 2015))
    found = imputation.estimate(table)
    place = next(n for n, key in enumerate(found.keys) if (key.cohort, key.period) == (2012, 2013))
    assert found.treated[:, place].sum() == 4 and found.control[:, place].sum() == 4
    assert found.used[:, place].sum() == 20
    assert found.std_errors[place] == pytest.approx(refitted(table, imputation.estimate, place))


def test_a_village_seen_in_the_base_period_only_counts_in_cross_sections():
    seen = np.ones((16, 2), bool)
    seen[2:6, 1] = False
    table = made([2011] * 8 + [0] * 8, (2010, 2011), seen=seen, handling="cross_sections")
    found = group_time.estimate(table)
    assert found.used[:, 0].sum() == 16 and found.treated[:, 0].sum() == 8
    assert found.std_errors[0] == pytest.approx(refitted(table, group_time.estimate, 0))


def test_comparisons_that_nobody_is_left_for_are_named():
    table = made([2012] * 6 + [2014] * 6, range(2010, 2016))
    found = group_time.estimate(table, Comparison(controls="not_yet"), leads=False)
    assert [(key.cohort, key.period) for key in found.keys] == [(2012, 2012), (2012, 2013)]
    assert {(key.cohort, key.period) for key, _ in found.unasked} == {
        (2012, 2014),
        (2012, 2015),
        (2014, 2014),
        (2014, 2015),
    }
    assert "nobody is untreated any more" in repr(found)
    # They are no gap in what was asked: sums are over the others.
    summed = aggregate.aggregate(found, table, ("simple",))
    assert len(summed) == 1 and summed.missing == ()


def test_a_cohort_after_the_last_period_takes_no_part_in_the_decomposition():
    """As if it were never treated: its weight is nothing, and it has no estimate."""
    table = made([2012] * 4 + [2020] * 4 + [0] * 4, range(2010, 2014))
    found = bacon.decompose(table)
    assert found["weight"].sum() == pytest.approx(1) and found["estimate"].is_not_nan().all()
    assert 2020 not in found["treated"].to_list()
    both = found.select((pl.col("weight") * pl.col("estimate")).sum()).item()
    never = made([2012] * 4 + [0] * 8, range(2010, 2014))
    alone = bacon.decompose(never)
    assert both == pytest.approx(alone.select((pl.col("weight") * pl.col("estimate")).sum()).item())


def test_the_slope_is_that_of_the_test_that_is_made():
    table = made([0] * 5 + [2014] * 4 + [2015] * 6, range(2010, 2018), seed=16)
    found = group_time.estimate(table, Comparison(base="universal"))
    shown = pretrends.pre_trends(found, table, "y")
    events = aggregate.aggregate(found, table, ("event_time",))
    leads = events.at(np.array([(key.at or 0) < -1 for key in events.keys]))
    away = pretrends._elapsed(found, table, ("event_time",)).points
    away = away[np.array([(key.at or 0) < -1 for key in events.keys])]
    information = float(away @ np.linalg.solve(leads.covariance, away))
    degrees = float(leads.degrees.min())
    right = pretrends.detectable(information, len(leads), degrees, level=0.95, power=0.8)
    assert shown.slope == pytest.approx(right)


def moments(treated, control):
    weight = np.array([[1.0, 0]] * len(treated) + [[0, 1.0]] * len(control))
    return wild.contrast_moments(weight, weight * np.array([*treated, *control])[:, None])


def test_without_spread_in_either_arm_the_own_signs_still_count():
    """Sixty-four sign vectors; the data's own and its mirror go as far as the data: p = 2/64."""
    found = wild.bootstrap(*moments([3.0] * 3, [1.0] * 3), 1)
    assert (found.draws, found.p_value) == (64, 2 / 64)


def test_the_wild_interval_of_a_difference_of_nothing_is_that_of_one_beside_it():
    values = [30_000.0, 0.0, -30_000.0] * 2
    low, high = wild.interval(*moments(values, values), 1)
    near = wild.interval(*moments([value + 1e-3 for value in values], values), 1)
    assert np.isfinite([low, high]).all()
    assert (low, high) == pytest.approx(near, abs=20)
