"""The 2×2 of cells under tests for few villages."""

import numpy as np
import polars as pl
import pytest

from analysis.effects import few_villages, group_time
from analysis.effects.group_time import Comparison
from analysis.faults import FaultsError


@pytest.mark.parametrize("level", ["village", "household"])
@pytest.mark.parametrize("handling", ["balanced", "pairs"])
def test_point_and_statistic_are_those_of_the_group_time_effect(panel, make_table, level, handling):
    table = make_table(panel(level, handling, weighted=True), handling)
    how = Comparison("not_yet", "anywhere")
    found = group_time.estimate(table, how).select(cohort=2017, period=2018).under("parity")
    two = few_villages.two_by_two(table, 2017, 2018, how)
    assert two.points[0] == pytest.approx(found.points[0], rel=1e-12)
    tested = few_villages.wild_bootstrap(two, "income", draws=199)
    assert tested.point == pytest.approx(found.points[0], rel=1e-10)
    assert tested.statistic == pytest.approx(found.points[0] / found.std_errors[0], rel=1e-10)
    if level == "village":
        drawn = few_villages.randomise(two, draws=199)
        assert drawn.points[0] == pytest.approx(found.points[0], rel=1e-10)
        assert drawn.statistics[0] == pytest.approx(tested.statistic, rel=1e-10)


def test_the_interval_of_the_wild_bootstrap_is_near_that_of_cv3(panel, make_table):
    table = make_table(panel("village"))
    effect = group_time.estimate(table).select(cohort=2016, period=2016)
    low, high = few_villages.wild_interval(
        few_villages.two_by_two(table, 2016, 2016), "income", draws=999
    )
    ours = next(effect.effects())
    assert (high - low) / (ours.ci_high - ours.ci_low) == pytest.approx(1, abs=0.25)


def test_strata_of_the_assignment_hold(panel, make_table):
    """Only villages of one stratum can change places: p is of fewer assignments."""
    table = make_table(panel("village").filter(pl.col("village") < 12))
    two = few_villages.two_by_two(table, 2016, 2018)
    assert len(few_villages.randomise(two).drawn) == 20
    paired = np.array([0, 0, 9, 9, 1, 1, 9, 9, 2, 2, 9, 9])
    assert len(few_villages.randomise(two, paired).drawn) == 2**3


def test_what_the_tests_are_not_defined_for_is_refused(panel, make_table):
    how = Comparison(where="anywhere")
    household = make_table(panel("household"))
    with pytest.raises(FaultsError, match="assigned inside villages"):
        few_villages.randomise(few_villages.two_by_two(household, 2016, 2016, how))
    strata = make_table(panel("village", strata=True))
    with pytest.raises(FaultsError, match="join the strata"):
        few_villages.two_by_two(strata, 2016, 2016)
    sections = make_table(panel("village", "cross_sections"), "cross_sections")
    with pytest.raises(FaultsError, match="seen twice"):
        few_villages.two_by_two(sections, 2016, 2016)
    table = make_table(panel("village"))
    with pytest.raises(FaultsError, match="no base period"):
        few_villages.two_by_two(table, 2016, 2014)
    with pytest.raises(FaultsError, match="no household is treated"):
        few_villages.two_by_two(table, 2015, 2016)
