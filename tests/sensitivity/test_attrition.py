"""Bounds for who is not seen: hand calculation, a known world, the switch of the model panel."""

import numpy as np
import pytest

from analysis.designs import lee_bounds as attrition
from analysis.faults import FaultsError

TREATED = np.repeat([True, False], 4)


def test_lee_with_the_control_arm_better_seen_by_hand():
    """Three of four treated, all controls: a quarter of the controls goes."""
    y = np.array([2.0, 4, 6, np.nan, 0, 1, 2, 9])
    found = attrition.lee(y, TREATED, ~np.isnan(y))
    assert (found.low, found.high) == (4 - 4, 4 - 1)  # (1, 2, 9) and (0, 1, 2)
    assert (found.seen_treated, found.seen_control) == (0.75, 1.0)
    assert (found.rows_in, found.rows_used) == (8, 7)


def test_lee_cuts_part_of_the_household_on_the_edge_by_hand():
    """One of three controls is missing: 4/3 of four treated go: 10 whole and a third of 3."""
    y = np.array([1.0, 2, 3, 10, 0, 1, np.nan])
    arm = np.array([True] * 4 + [False] * 3)
    found = attrition.lee(y, arm, ~np.isnan(y))
    assert found.low == pytest.approx((1 + 2 + 3 * 2 / 3) / (8 / 3) - 0.5)
    assert found.high == pytest.approx((10 + 3 + 2 * 2 / 3) / (8 / 3) - 0.5)


def test_weights_count_as_households_by_hand():
    y = np.array([1.0, 2, 3, 10, 0, 1, 2, np.nan])
    weight = np.array([1.0, 2, 1, 1, 1, 1, 1, 1])
    many = np.repeat(np.arange(8), weight.astype(int))
    one = attrition.lee(y, TREATED, ~np.isnan(y), weight=weight)
    other = attrition.lee(y[many], TREATED[many], ~np.isnan(y[many]))
    assert (one.low, one.high) == pytest.approx((other.low, other.high))


def test_strata_weigh_as_the_treated_seen_in_either_arm_by_hand():
    """Four treated of whom 3/4 would be seen in either arm, and one: weights 3 and 1.

    First stratum: controls 0, 1, 2 of four seen, so 1, 2, 3 or 2, 3, 10 of the treated stay: 1 and
    4. Second: 7 less 1 whole. (3·1 + 6)/4 and (3·4 + 6)/4; the plain mean would be 3.5 and 5.
    """
    y = np.array([1.0, 2, 3, 10, 0, 1, 2, np.nan, 7, 1])
    arm = np.array([True] * 4 + [False] * 4 + [True, False])
    stratum = np.array([0] * 8 + [1] * 2)
    found = attrition.lee(y, arm, ~np.isnan(y), stratum=stratum)
    assert (found.low, found.high) == pytest.approx((9 / 4, 18 / 4))
    assert found.trimmed == pytest.approx(3 / 4 * 0.25)
    # Weights of households count: the one treated of the second stratum as nine.
    weight = np.where(np.arange(10) == 8, 9.0, 1.0)
    heavy = attrition.lee(y, arm, ~np.isnan(y), weight=weight, stratum=stratum)
    assert heavy.low == pytest.approx((3 * 1 + 9 * 6) / 12)


def test_strata_tighten_and_what_has_no_arm_is_counted():
    rng = np.random.default_rng(4)
    kind = rng.integers(0, 2, 4000)
    arm = rng.random(4000) < 0.5
    y = 10.0 * kind + rng.standard_normal(4000)
    seen = rng.random(4000) < np.where(arm, 0.95, 0.75)
    wide = attrition.lee(y, arm, seen)
    tight = attrition.lee(y, arm, seen, stratum=kind)
    assert tight.high - tight.low < 0.5 * (wide.high - wide.low)
    kind[:5], arm[:5] = 7, True
    assert attrition.lee(y, arm, seen, stratum=kind).strata_left_out == 1
    with pytest.raises(FaultsError, match="no stratum"):
        attrition.lee(y[:5], arm[:5], seen[:5])


def test_strata_weigh_by_the_treated_who_would_be_seen_in_either_arm():
    """By hand: of 4 treated half would be seen in either arm, of 8 three quarters."""
    one = {
        "y": [1.0, 2, 3, 4, 0, 0, 9, 9],
        "seen": [1, 1, 1, 1, 1, 1, 0, 0],
        "d": [1] * 4 + [0] * 4,
    }
    y = np.array([*one["y"], *[10.0] * 8, 0, 0, 0, 9])
    seen = np.array([*one["seen"], *[1] * 6, 0, 0, 1, 1, 1, 0], bool)
    arm = np.array([*one["d"], *[1] * 8, *[0] * 4], bool)
    kind = np.repeat([0, 1], [8, 12])
    first = (1.5, 3.5)  # the lower and upper half of 1, 2, 3, 4, less 0
    weights = np.array([4 * 0.5, 8 * 0.75])
    found = attrition.lee(y, arm, seen, stratum=kind)
    expected = [float(np.average([end, 10.0], weights=weights)) for end in first]
    assert (found.low, found.high) == pytest.approx(tuple(expected))


def test_bounds_hold_the_effect_on_those_always_seen():
    """A world in which treatment keeps the poorest in the data: the difference of the seen errs."""
    rng = np.random.default_rng(8)
    arm = rng.random(40_000) < 0.5
    y0 = rng.standard_normal(40_000)
    seen = arm | (y0 > -0.8)
    found = attrition.lee(y0 + 1.0 * arm, arm, seen)
    assert found.low < 1.0 < found.high + 0.02  # all who leave are at the bottom: the upper end
    assert found.high == pytest.approx(1.0, abs=0.03)
    assert found.estimate < 0.8


def test_interval_of_imbens_and_manski():
    """Published: with bounds far apart the quantile is 1.645, with equal bounds 1.96."""
    far = attrition.Bounds(0.0, 50.0, 1.0, 1.0, 1.0, 0.0, 2, 2, 0, 1, 0)
    low, high = attrition.interval(far, 1.0, 1.0)
    assert (low, high) == pytest.approx((-1.6449, 51.6449), abs=1e-3)
