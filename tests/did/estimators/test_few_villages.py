"""The 2×2 of cells under tests for few villages."""

import itertools

import numpy as np
import polars as pl
import pytest
import statsmodels.api as sm

from analysis.did.estimators import few_villages, group_time
from analysis.did.estimators.group_time import Comparison
from analysis.faults import FaultsError
from analysis.inference import randomisation


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


@pytest.mark.parametrize("null", [0.0, 900.0])
@pytest.mark.parametrize("level", ["village", "household"])
def test_in_strata_it_is_the_saturated_regression_run_again_on_households(
    panel, make_table, level, null
):
    """Every sign vector of 9 villages, each a regression on all households with the null imposed.

    Regressors: stratum constants, treated, treated × (stratum − its share of the treated).
    """
    data = panel(level, weighted=True, strata=True).filter(pl.col("village") < 9)
    how = Comparison(where="anywhere")
    table = make_table(data)
    cohort = 2016
    two = few_villages.two_by_two(table, cohort, 2017, how)
    effect = group_time.estimate(table, how).select(cohort=cohort, period=2017)
    wide = (
        data.filter(pl.col("cohort").is_in([0, cohort]))
        .sort("household", "period")
        .filter(pl.len().over("household") == table.periods.size)
        .group_by("household", maintain_order=True)
        .agg(
            pl.col("village", "cohort", "stratum", "weight").first(),
            y=pl.col("income").filter(pl.col("period") == 2017).first()
            - pl.col("income").filter(pl.col("period") == 2015).first(),
        )
    )
    d = (wide["cohort"] == cohort).to_numpy().astype(float)
    w, y = wide["weight"].to_numpy(), wide["y"].to_numpy()
    dummies = wide["stratum"].to_dummies().to_numpy().astype(float)
    share = (w * d) @ dummies / (w @ d)
    x = np.column_stack([dummies, d[:, None] * (dummies - share)[:, :-1], d])
    villages = wide["village"].rank("dense").to_numpy().astype(int) - 1
    root = np.sqrt(w)[:, None]

    def t_of(values):
        inverse = np.linalg.inv((x * w[:, None]).T @ x)
        theta = inverse @ (x * w[:, None]).T @ values
        score = np.zeros((villages.max() + 1, x.shape[1]))
        np.add.at(score, villages, x * (w * (values - x @ theta))[:, None])
        return theta[-1], (theta[-1] - null) / np.sqrt(
            (inverse @ score.T @ score @ inverse)[-1, -1]
        )

    rest = np.linalg.lstsq(x[:, :-1] * root, (y - null * d) * root[:, 0], rcond=None)[0]
    fitted = x[:, :-1] @ rest + null * d
    signs = itertools.product([1, -1], repeat=villages.max() + 1)
    drawn = [t_of(fitted + np.array(s)[villages] * (y - fitted))[1] for s in signs]
    point, own = t_of(y)
    tested = few_villages.wild_bootstrap(two, "income", null=null)
    assert tested.enumerated and tested.draws == len(drawn)
    assert tested.point == pytest.approx(point, rel=1e-9)
    assert two.points[0] == pytest.approx(effect.points[0], rel=1e-10)
    assert tested.point == pytest.approx(effect.points[0], rel=1e-9)
    assert tested.statistic == pytest.approx(own, rel=1e-8)
    assert tested.p_value == np.mean(np.abs(drawn) >= abs(own) * (1 - 1e-9))


def test_the_test_in_strata_of_villages_is_exact_under_no_effect():
    """Each of the 90 assignments in turn the actual one: at most α of them have p ≤ α.

    Strata of the assignment differ in level, so a test that moved villages between strata would
    not hold this. The statistic is statsmodels' t of the arm with CR0 errors.
    """
    generator = np.random.default_rng(3)
    blocks = np.repeat([0, 1], [4, 6])
    weight = generator.integers(2, 9, 10).astype(float)
    total = (weight * (5 * blocks + generator.normal(size=10)))[:, None]
    p = []
    for first in itertools.combinations(range(4), 2):
        for last in itertools.combinations(range(4, 10), 2):
            arm = np.isin(np.arange(10), [*first, *last])
            found = randomisation.permute(weight, total, arm, blocks)
            p.append(found.p_values.item())
    assert found.enumerated and len(p) == 90
    for alpha in np.unique(p):
        assert np.mean(np.array(p) <= alpha) <= alpha * (1 + 1e-12)
    village = np.repeat(np.arange(10), weight.astype(int))
    design = sm.add_constant(arm[village].astype(float))
    fit = sm.OLS((total[:, 0] / weight)[village], design).fit(
        cov_type="cluster", cov_kwds={"groups": village, "use_correction": False}
    )
    assert found.statistics.item() == pytest.approx(fit.tvalues[1], rel=1e-9)


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
    strata = few_villages.two_by_two(make_table(panel("village", strata=True)), 2016, 2016)
    with pytest.raises(FaultsError, match="strata of households"):
        few_villages.randomise(strata)
    with pytest.raises(FaultsError, match="its own control"):
        few_villages.two_by_two(household, 2016, 2016, Comparison(where="same_village"))
    lonely = panel("village").with_columns(stratum=(pl.col("cohort") == 2016).cast(pl.Int64))
    with pytest.raises(FaultsError, match="a stratum has no controls"):
        few_villages.two_by_two(make_table(lonely), 2016, 2016)
    sections = make_table(panel("village", "cross_sections"), "cross_sections")
    with pytest.raises(FaultsError, match="seen twice"):
        few_villages.two_by_two(sections, 2016, 2016)
    table = make_table(panel("village"))
    with pytest.raises(FaultsError, match="no base period"):
        few_villages.two_by_two(table, 2016, 2014)
    with pytest.raises(FaultsError, match="no household is treated"):
        few_villages.two_by_two(table, 2015, 2016)
