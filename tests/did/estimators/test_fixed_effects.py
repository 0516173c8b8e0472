"""Imputation and two-way fixed effects against regressions on households with dummies."""

import numpy as np
import polars as pl
import pytest

from analysis.did.estimators import aggregate, bacon, group_time, imputation, two_way
from analysis.did.estimators.rows_used import TOO_EARLY
from analysis.faults import FaultsError
from analysis.inference import wild

YEARS = np.arange(2014, 2021)


def dummies(data):
    """Household and period dummies of a long table, all of them."""
    people = data["household"].unique().sort().to_list()
    household = data["household"].to_numpy()[:, None] == np.array(people)
    period = data["period"].to_numpy()[:, None] == YEARS
    return np.column_stack([household, period]).astype(float)


def by_regression(data, anticipation=0):
    """Impute by a weighted regression on what is untreated; τ of each treated row, and v weights."""
    treated = (data["cohort"] > 0) & (data["period"] >= data["cohort"] - anticipation)
    on = treated.to_numpy()
    x, y, w = dummies(data), data["income"].to_numpy().astype(float), data["weight"].to_numpy()
    inverse = np.linalg.pinv((x[~on] * w[~on, None]).T @ x[~on])
    beta = inverse @ (x[~on] * w[~on, None]).T @ y[~on]
    return on, x, y - x @ beta, w, inverse


@pytest.mark.parametrize("handling", ["balanced", "pairs"])
@pytest.mark.parametrize("level", ["village", "household"])
@pytest.mark.parametrize("anticipation", [0, 1])
def test_imputation_is_the_regression_on_households(
    panel, make_table, handling, level, anticipation
):
    """Weighted points, and influence by its definition: Σ of weight × residual in a village."""
    data = panel(level, handling, weighted=True)
    table = make_table(data, handling, anticipation=anticipation, moments=("untreated",))
    found = imputation.estimate(table, anticipation)
    untreated = (pl.col("cohort") == 0) | (pl.col("period") < pl.col("cohort") - anticipation)
    data = data.filter(untreated.any().over("household"))
    on, x, residual, w, inverse = by_regression(data, anticipation)
    cohort, period = data["cohort"].to_numpy(), data["period"].to_numpy()
    villages = data["village"].to_numpy()
    for k, key in enumerate(found.keys):
        cell = (cohort == key.cohort) & (period == key.period)
        share = np.where(cell, w, 0) / w[cell].sum()
        tau = share @ residual
        assert found.points[k] == pytest.approx(tau, rel=1e-8, abs=1e-6)
        # Weights of untreated rows: −Z0 (Z0'Z0)⁻ Z1'v; treated residuals are taken from their mean.
        v = np.where(on, share, -w * (x @ (inverse @ (x[cell].T @ share[cell]))))
        pieces = v * np.where(on, residual - tau, residual)
        psi = np.bincount(villages, pieces, 36)
        np.testing.assert_allclose(found.influence[:, k], psi, atol=1e-7)


@pytest.mark.parametrize("handling", ["balanced", "pairs"])
@pytest.mark.parametrize("level", ["village", "household"])
def test_imputation_without_a_village(panel, make_table, handling, level):
    """Oracle: estimated again on the other villages."""
    data = panel(level, handling)
    table = make_table(data, handling, moments=("untreated",))
    found = imputation.estimate(table)
    sums = aggregate.aggregate(found, table, shares="fixed")
    assert len(sums) > 3
    for village in (0, 6, 7):
        rest = make_table(
            data.filter(pl.col("village") != village), handling, moments=("untreated",)
        )
        there = dict(zip(*(lambda e: (e.keys, e.points))(imputation.estimate(rest)), strict=True))
        own = [found.without[village, k] for k, key in enumerate(found.keys) if key in there]
        np.testing.assert_allclose(own, [there[k] for k in found.keys if k in there], rtol=1e-8)


def test_imputation_by_village_means_is_bjs_equation_8(panel, make_table):
    """τ̄ = Σ n T / Σ n² over villages: the treated part of ψ then sums to zero when squared sizes weigh."""
    table = make_table(panel("household"))
    by_household = imputation.estimate(table)
    by_village = imputation.estimate(table, average="village")
    assert by_household.points.tolist() == by_village.points.tolist()
    difference = by_village.influence - by_household.influence
    # The difference is proportional to the village's treated households.
    k = 0
    g = by_household.keys[k].cohort
    n = np.bincount(table.village, np.where(table.cohort == g, table.n[:, 0], 0), 36)
    ratio = difference[n > 0, k] / n[n > 0]
    np.testing.assert_allclose(ratio, ratio[0], rtol=1e-9)


def test_imputation_equals_group_time_where_there_are_two_periods(panel, make_table):
    """Two periods: both are the same difference of differences, and so is its influence."""
    data = panel("village").filter(pl.col("period").is_in([2015, 2016]), pl.col("cohort") <= 2016)
    table = make_table(data)
    one, two = imputation.estimate(table), group_time.estimate(table)
    np.testing.assert_allclose(one.points, two.points, rtol=1e-10)
    np.testing.assert_allclose(one.influence, two.influence, atol=1e-8)
    np.testing.assert_allclose(one.without, two.without, rtol=1e-9)


def test_a_period_that_nobody_untreated_sees_cannot_be_imputed(panel, make_table):
    """Without never treated, years from the last cohort on have no period effect."""
    table = make_table(panel("village", controls="not_yet_all_treated"))
    found = imputation.estimate(table)
    assert max(key.period for key in found.keys) == 2018
    assert {key.period for key, _ in found.missing} == {2019, 2020}


def test_moments_are_asked_for_where_they_are_needed(panel, make_table):
    table = make_table(panel("village", "pairs"), "pairs")
    for call in (lambda: imputation.estimate(table), lambda: two_way.estimate(table)):
        with pytest.raises(FaultsError, match="inverse-count moments"):
            call()
    with pytest.raises(FaultsError, match="balanced"):
        bacon.decompose(table)


@pytest.mark.parametrize("handling", ["balanced", "pairs"])
@pytest.mark.parametrize("weighted", [False, True])
def test_two_way_without_a_village(panel, make_table, handling, weighted):
    """Oracle: estimated again on the other villages; points themselves agree with pyfixest."""
    data = panel("household", handling, weighted=weighted)
    found = two_way.estimate(make_table(data, handling, moments=("all",)))
    for village in (0, 6, 7):
        rest = make_table(data.filter(pl.col("village") != village), handling, moments=("all",))
        np.testing.assert_allclose(
            found.without[village], two_way.estimate(rest).points, rtol=1e-7, atol=1e-6
        )


def test_two_way_where_one_village_holds_a_cohort(panel, make_table):
    """Event times that only village 3 has are lost without it; the others are those of the rest."""
    data = panel("village").filter(~pl.col("cohort").is_in([2019]) | (pl.col("village") == 3))
    found = two_way.estimate(make_table(data))
    lost = {key.at for k, key in enumerate(found.keys) if np.isnan(found.without[2:4, k]).any()}
    assert lost == {-5, -4}
    rest = two_way.estimate(make_table(data.filter(pl.col("village") != 3)))
    row = found.villages.index("3")
    kept = [k for k, key in enumerate(found.keys) if key.at not in lost]
    np.testing.assert_allclose(found.without[row, kept], rest.points, rtol=1e-8)
    assert all(
        "alone" in found.notes[k] or "fewer" in found.notes[k]
        for k, key in enumerate(found.keys)
        if key.at in lost
    )


def test_two_way_says_when_event_times_cannot_be_told_apart(panel, make_table):
    table = make_table(panel("village", controls="not_yet_all_treated"))
    with pytest.raises(FaultsError, match="two reference event times"):
        two_way.estimate(table)
    assert len(two_way.estimate(table, reference=(-1, -5)))


def test_wild_bootstrap_of_a_two_way_coefficient(panel, make_table):
    """The regression's moments give the same t as its influence."""
    table = make_table(panel("village"))
    regression = two_way.regression(table, static=True)
    found = two_way.estimate(table, static=True)
    tested = wild.bootstrap(regression.gram, regression.moment[..., 0], 0, draws=999)
    assert tested.point == pytest.approx(found.points[0], rel=1e-12)
    cr0 = np.linalg.norm(found.influence[:, 0])
    assert tested.statistic == pytest.approx(found.points[0] / cr0, rel=1e-10)


@pytest.mark.parametrize("controls", ["never", "not_yet_all_treated"])
@pytest.mark.parametrize("weighted", [False, True])
def test_bacon_comparisons_add_up_to_the_static_coefficient(panel, make_table, controls, weighted):
    """Goodman-Bacon's theorem 1, with and without never treated."""
    table = make_table(panel("household", controls=controls, weighted=weighted))
    parts = bacon.decompose(table)
    assert parts["weight"].sum() == pytest.approx(1, rel=1e-12)
    whole = (parts["weight"] * parts["estimate"]).sum()
    assert whole == pytest.approx(two_way.estimate(table, static=True).points[0], rel=1e-10)


def test_early_cohorts_are_counted(panel, make_table):
    data = panel("village").with_columns(
        cohort=pl.when(pl.col("cohort") == 2016).then(2014).otherwise("cohort").cast(pl.Int32)
    )
    table = make_table(data)
    rows = data.filter(cohort=2014).height
    for found in (imputation.estimate(table), two_way.estimate(table)):
        assert found.about.left_out == {TOO_EARLY: rows}
        assert found.about.rows_used == data.height - rows
