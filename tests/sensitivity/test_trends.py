"""Intervals under bounds on trends: published numbers, hand calculation, switches of the model."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from analysis.did.estimators import aggregate, group_time
from analysis.did.estimators.pack_effects import PackEffects
from analysis.faults import FaultsError
from analysis.sensitivity import event_study, moments, trends

PUBLISHED = json.loads(
    (Path(__file__).parent / "reference" / "benzarti_carloni.json").read_text(encoding="utf-8")
)


def study(points, covariance, times, reference=-1, degrees=np.inf, arm=100):
    return event_study.EventStudy(
        "total",
        np.array(times),
        reference,
        np.array(points, float),
        np.array(covariance, float),
        degrees,
        arm,
    )


@pytest.fixture(scope="module")
def published():
    return study(PUBLISHED["points"], PUBLISHED["covariance"], [-5, -4, -3, -2, 0, 1, 2, 3])


def test_relative_magnitudes_of_benzarti_and_carloni(published):
    """Published: R's HonestDiD. Its ends are points of a grid with steps of 0.0008."""
    bounds, low, high = np.array(PUBLISHED["relative_first"]).T
    found = trends.relative_magnitudes(published, published.at(0), tuple(bounds))
    np.testing.assert_allclose(found["ci_low"], low, atol=0.0012)
    np.testing.assert_allclose(found["ci_high"], high, atol=0.0012)


@pytest.mark.parametrize(
    ("rows", "time"), [("smoothness_first", 0), ("smoothness_small", 0), ("smoothness_third", 2)]
)
def test_smoothness_of_benzarti_and_carloni(published, rows, time):
    """Published: R's HonestDiD and its Stata version, printed to three digits."""
    bounds, low, high = np.array(PUBLISHED[rows]).T
    found = trends.smoothness(published, published.at(time), tuple(bounds))
    digits = np.where(np.abs(high) > 1, 0.0052, 0.00052)
    assert (np.abs(found["ci_low"].to_numpy() - low) <= 0.00052).all()
    assert (np.abs(found["ci_high"].to_numpy() - high) <= digits).all()


def test_set_that_points_allow_by_hand():
    """Drifts before are 2, 1 and 3; the mean of two effects may be off by 3 · (1 + 2) / 2."""
    one = study([4, 2, 3, 10, 20], np.eye(5), [-4, -3, -2, 0, 1])
    found = trends.relative_magnitudes(one, one.average(), (0.0, 1.0, 2.0))
    assert found["set_low"].to_list() == pytest.approx([15, 10.5, 6])
    assert found["set_high"].to_list() == pytest.approx([15, 19.5, 24])


def test_drift_is_counted_per_period_across_gaps_by_hand():
    """Points at -5 and -3 differ by 4 in two periods; from -3 to the base at -2 by 1 in one."""
    one = study([5, 1, 9], np.eye(3) / 100, [-5, -3, 0], reference=-2)
    found = trends.relative_magnitudes(one, one.average(), (1.0,))
    assert found["set_low"].item() == pytest.approx(9 - 2 * 2)
    assert trends.needed_drift(one, one.average()) == pytest.approx(9 / 2)


def test_no_bound_gives_the_t_interval_by_hand():
    one = study([1, 2, 10], np.eye(3), [-3, -2, 0], degrees=9, arm=5)
    found = trends.relative_magnitudes(one, one.average(), (0.0,))
    half = 2.262157  # t with 9 degrees, from a table
    assert found["ci_low"].item() == pytest.approx(10 - half, abs=0.03)
    assert found["ci_high"].item() == pytest.approx(10 + half, abs=0.03)


def test_one_coefficient_before_takes_the_straight_line_off_by_hand():
    """10 − (0 − 3)·1 = 13 with variance 1 + 1 + 0; bias at most M·1."""
    one = study([3, 10], np.eye(2), [-2, 0])
    found = trends.smoothness(one, one.average(), (0.0,))
    assert found["estimate"].item() == pytest.approx(13)
    assert found["ci_high"].item() == pytest.approx(13 + 1.959964 * np.sqrt(2), abs=1e-4)


def test_units_do_not_matter(published):
    scaled = study(published.points * 1e6, published.covariance * 1e12, published.times)
    for method, bounds in ((trends.relative_magnitudes, (0.5, 1.0)), (trends.smoothness, (0.1,))):
        unit = 1e6 if method is trends.smoothness else 1
        small = method(published, published.average(), bounds)
        large = method(scaled, scaled.average(), tuple(b * unit for b in bounds))
        np.testing.assert_allclose(large["ci_low"], small["ci_low"] * 1e6, rtol=2e-4)
        np.testing.assert_allclose(large["ci_high"], small["ci_high"] * 1e6, rtol=2e-4)


def test_intervals_cover_when_the_bound_holds():
    """Truth: trends drift 1 a period before and after, effects of 5: the bound of 1 holds."""
    rng, times = np.random.default_rng(5), np.array([-4, -3, -2, 0, 1])
    truth = np.where(times >= 0, 5.0, 0.0) + (times + 1)
    covariance = 0.25 * (np.eye(5) + 1)
    drawn = rng.multivariate_normal(truth, covariance, size=60)
    inside = naive = 0
    for points in drawn:
        one = study(points, covariance, times)
        low, high = trends.relative_magnitudes(one, one.at(0), (1.0,)).row(0)[3:]
        inside += low <= 5 <= high
        naive += abs(points[3] - 5) <= 1.96 * np.sqrt(covariance[3, 3])
    assert inside >= 55  # 57 expected; below 55 one time in ten at worst
    assert naive < 50  # the interval that trusts parallel trends does not keep its promise


def test_breakdown_lies_where_the_interval_reaches_zero(published):
    """Published: the interval holds zero between 14/9 and 16/9."""

    def intervals(bounds):
        return trends.relative_magnitudes(published, published.at(0), bounds)

    found = trends.breakdown(intervals, 3.0, steps=10)
    assert found.sign == 1
    assert 14 / 9 < found.bound < 16 / 9
    touching = trends.breakdown(lambda b: pl.DataFrame({"ci_low": [-1.0], "ci_high": [0.0]}), 2.0)
    assert touching.bound == 0.0  # an interval that ends at zero holds it
    never = trends.breakdown(lambda b: pl.DataFrame({"ci_low": [-1.0], "ci_high": [1.0]}), 2.0)
    assert (never.bound, never.sign) == (0.0, 0)
    always = trends.breakdown(lambda b: pl.DataFrame({"ci_low": [-2.0], "ci_high": [-1.0]}), 2.0)
    assert (always.bound, always.sign) == (2.0, -1)


def test_folded_quantile_by_probability():
    for bias in (0.0, 0.7, 3.0, 9.0):
        draws = np.abs(np.random.default_rng(1).standard_normal(200_000) + bias)
        assert (draws <= moments.folded_quantile(bias, 0.9)).mean() == pytest.approx(0.9, abs=3e-3)


def test_refusals_name_what_is_wrong(published):
    with pytest.raises(FaultsError, match="as many event times as effective clusters"):
        study([1, 2], np.eye(2), [-2, 0], arm=2)
    with pytest.raises(FaultsError, match="before and after"):
        study([1, 2], np.eye(2), [0, 1])
    with pytest.raises(FaultsError, match="no standard error"):
        study([1, 2], np.full((2, 2), np.nan), [-2, 0])
    with pytest.raises(FaultsError, match="follow each other"):
        trends.smoothness(study([1, 2, 3], np.eye(3), [-4, -2, 0]), np.ones(1), (0.0,))
    with pytest.raises(FaultsError, match="weights do not fit"):
        trends.smoothness(published, np.ones(2), (0.0,))


def effects(table, base="universal", anticipation=0):
    how = group_time.Comparison(base=base, anticipation=anticipation)
    found = group_time.estimate(table, how)
    return aggregate.aggregate(found, table, ("event_time",)).in_yuan()


def test_event_study_leaves_anticipation_out(table_of):
    table = table_of("cooperative", "anticipation")
    found = event_study.of_effects(effects(table, anticipation=1), "total", first=-5, last=2)
    assert found.times.tolist() == [-5, -4, -3, 0, 1, 2]
    assert found.reference == -2
    with pytest.raises(FaultsError, match="base universal"):
        event_study.of_effects(effects(table, base="varying"), "total")


def test_a_pack_gives_the_numbers_of_the_cells(table_of):
    """Points, covariance and villages by arm are all that is needed."""
    found = effects(table_of("cooperative"))
    sent = PackEffects(
        names=("event study",) * len(found),
        keys=found.keys,
        points=found.points,
        reported=found.covariance,
        villages=np.array(found.n_villages),
        carried_degrees=found.reported_degrees,
        effective=found.effective_clusters,
        households=found.n_households,
        abouts={},
        about=found.about,
        pack="by hand",
    )
    inside = event_study.of_effects(found, "total", first=-4, last=3)
    outside = event_study.of_effects(sent.at(np.arange(len(sent))[::-1]), "total", first=-4, last=3)
    assert outside.times.tolist() == inside.times.tolist()
    # Sums of products are added in another order for other columns: equal to rounding.
    np.testing.assert_allclose(outside.covariance, inside.covariance, rtol=1e-12)
    assert np.array_equal(outside.points, inside.points)
    assert outside.smaller_arm == inside.smaller_arm
    assert outside.degrees == pytest.approx(inside.degrees, rel=1e-12)
    with pytest.raises(FaultsError, match="no standard error"):
        event_study.of_effects(
            replace(sent, reported=sent.reported * np.nan), "total", first=-4, last=3
        )
    with pytest.raises(FaultsError, match="no event study"):
        event_study.of_effects(sent, "wage")


def test_selection_on_trend_widens_what_the_past_allows(table_of):
    """Model panel: the same draws, trends of the treated differ in one."""
    widths = {}
    for switches in ((), ("selection_trend",)):
        one = event_study.of_effects(
            effects(table_of("training", *switches)), "total", first=-4, last=3
        )
        frame = trends.relative_magnitudes(one, one.average(), (0.0, 1.0))
        widths[switches] = frame["set_high"] - frame["set_low"]
    assert widths[()][0] == widths["selection_trend",][0] == 0
    assert widths["selection_trend",][1] > widths[()][1]


def test_the_dip_looks_like_a_drift_before_training(table_of):
    """Model panel: earnings fall in the year before training, so the past allows much more."""
    reach = {}
    for switches in ((), ("dip",)):
        one = event_study.of_effects(
            effects(table_of("training", *switches)), "total", first=-4, last=3
        )
        row = trends.relative_magnitudes(one, one.average(), (1.0,)).row(0, named=True)
        reach[switches] = row["set_high"] - row["set_low"]
    assert reach["dip",] > 1.2 * reach[()]


def test_the_second_stage_is_a_truncated_normal_by_hand():
    """Variance 4, moments 1.5 and 0, first stage 3: Z over 0.75 between 0 and 1.5, 0.369.

    (0.93319 - 0.77337) / (0.93319 - 0.5), by a table; the size of 0.44 is (0.44 - 0.044) / 0.956.
    """
    accepted = [
        bool(
            moments._not_rejected(
                np.array([[1.5], [0.0]]), np.diag([4.0, 1.0]), first=3.0, error=error
            )[0]
        )
        for error in (0.38, 0.44)
    ]
    assert accepted == [True, False]
