"""Inference against hand calculation and brute force on households."""

import itertools

import numpy as np
import pytest
from scipy import stats

from analysis.faults import FaultsError
from analysis.inference import bands, clusters, multiplicity, randomisation, wald, wild

GENERATOR = np.random.default_rng(7)


# ---- clusters ------------------------------------------------------------------------------------


def test_jackknife_of_a_mean_is_the_textbook_one():
    """Leaving one of n out: CV3 of a mean is s²/n, by hand (n−1)/n Σ ((ȳ−y_i)/(n−1))²."""
    y = GENERATOR.normal(size=9)
    without = ((y.sum() - y) / 8)[:, None]
    found = clusters.jackknife_covariance(np.array([y.mean()]), without, np.ones((9, 1), bool))
    assert found.item() == pytest.approx(y.var(ddof=1) / 9, rel=1e-12)


def test_villages_not_used_do_not_count():
    """Two villages more that the estimate does not use change nothing."""
    y = GENERATOR.normal(size=5)
    without = np.append((y.sum() - y) / 4, [y.mean()] * 2)[:, None]
    used = np.array([[True]] * 5 + [[False]] * 2)
    found = clusters.jackknife_covariance(np.array([y.mean()]), without, used)
    assert found.item() == pytest.approx(y.var(ddof=1) / 5, rel=1e-12)
    assert clusters.degrees_of_freedom(used).tolist() == [4]


def test_a_village_that_cannot_be_left_out_leaves_no_variance_and_spoils_no_other():
    without = np.array([[1.0, 2], [3, np.nan], [2, 1]])
    found = clusters.jackknife_covariance(np.array([2.0, 1]), without, np.ones((3, 2), bool))
    assert np.isnan(found[1]).all() and np.isnan(found[0, 1])
    assert found[0, 0] == pytest.approx(2 / 3 * 2)


def test_stratified_by_hand():
    """Strata (1, 3) and (0, 2, 4): 2/1·(1+1) + 3/2·(4+0+4) = 16."""
    psi = np.array([[1.0], [3], [0], [2], [4]])
    assert clusters.stratified_covariance(psi, np.array([0, 0, 1, 1, 1])).item() == pytest.approx(
        16
    )
    with pytest.raises(ValueError, match="one village"):
        clusters.stratified_covariance(psi, np.array([0, 0, 1, 1, 2]))


# ---- bands ---------------------------------------------------------------------------------------


def test_multiplier_quantile_of_independent_effects_is_sidak():
    """Independent: P(max < c) = (2Φ(c) − 1)^k."""
    exact = stats.norm.ppf((1 + 0.95 ** (1 / 5)) / 2)
    assert bands.multiplier_quantile(np.eye(5), draws=200_000) == pytest.approx(exact, abs=0.01)


def test_multiplier_quantile_of_one_effect_told_five_times_is_that_of_one():
    cov = np.outer(np.arange(1, 6), np.arange(1, 6)).astype(float)
    assert bands.multiplier_quantile(cov, draws=200_000) == pytest.approx(1.96, abs=0.01)


def test_draws_from_the_covariance_are_those_from_influence():
    """Law: the covariance is all that normal multipliers need; compare both quantiles."""
    psi = GENERATOR.normal(size=(30, 4)) @ GENERATOR.normal(size=(4, 4))
    e = GENERATOR.normal(size=(200_000, 30))
    direct = np.quantile(np.abs(e @ psi / np.linalg.norm(psi, axis=0)).max(1), 0.95)
    assert bands.multiplier_quantile(psi.T @ psi, draws=200_000) == pytest.approx(direct, abs=0.015)


def test_a_band_is_the_t_interval_of_the_tail_that_multipliers_leave():
    """Independent: (1 − 2p)^k = 0.95, Šidák; then t of each estimate's degrees at that tail."""
    degrees = np.array([5.0, 11, 60, 60])
    tail = (1 - 0.95 ** (1 / 4)) / 2
    found = bands.band(np.eye(4), degrees, draws=400_000)
    np.testing.assert_allclose(found.critical, stats.t.isf(tail, degrees), rtol=0.01)
    assert found.rule == "multiplier"


def test_under_twenty_effective_clusters_each_interval_is_that_of_sidak():
    """Also where the estimates are one and the same: no draws are asked."""
    degrees, one = np.array([5.0, 11, 60]), np.ones((3, 3))
    few, many = bands.band(one, degrees, 19.9), bands.band(one, degrees, 20.0)
    tail = (1 - 0.95 ** (1 / 3)) / 2
    np.testing.assert_allclose(few.critical, stats.t.isf(tail, degrees), rtol=1e-10)
    assert (few.rule, few.draws, many.rule) == ("sidak", None, "multiplier")
    assert (many.critical < few.critical).all()


def test_an_effect_that_does_not_vary_is_drawn_as_nothing():
    drawn = bands.normal_draws(np.diag([4.0, 0.0]), draws=2_000)
    assert (drawn[:, 1] == 0).all() and drawn[:, 0].std() == pytest.approx(1, abs=0.06)


def test_a_band_is_never_narrower_than_intervals():
    """One effect told many times, few draws: chance must not take it below the interval."""
    one = np.ones((6, 6))
    for seed in range(20):
        found = bands.band(one, np.full(6, 9.0), draws=99, seed=seed)
        assert (found.critical >= stats.t.ppf(0.975, 9) - 1e-12).all()


# ---- wild bootstrap ------------------------------------------------------------------------------


def households(villages=7):
    """Changes of households in villages with a treated share, for a regression on (1, d)."""
    size = GENERATOR.integers(2, 6, villages)
    village = np.repeat(np.arange(villages), size)
    d = np.where(np.arange(villages) % 2, 1.0, 0.0)[village]
    d[village == 0] = GENERATOR.integers(0, 2, (village == 0).sum())
    y = 0.4 * d + GENERATOR.normal(size=villages)[village] + GENERATOR.normal(size=village.size)
    return village, np.column_stack([np.ones(village.size), d]), y


def by_village(village, x, y):
    groups = [village == v for v in np.unique(village)]
    gram = np.stack([x[g].T @ x[g] for g in groups])
    return gram, np.stack([x[g].T @ y[g] for g in groups])


def t_of(village, x, y, null):
    """CR0 t statistic, household by household."""
    inverse = np.linalg.inv(x.T @ x)
    theta = inverse @ x.T @ y
    scores = np.stack(
        [x[village == v].T @ (y - x @ theta)[village == v] for v in np.unique(village)]
    )
    return (theta[1] - null) / np.sqrt((inverse @ scores.T @ scores @ inverse)[1, 1])


@pytest.mark.parametrize("null", [0.0, 0.7])
def test_wild_bootstrap_is_the_regression_run_again_on_households(null):
    """All 2^7 sign vectors, each a regression on all households with the null imposed."""
    village, x, y = households()
    mu = (y - null * x[:, 1]).mean()
    fitted = mu + null * x[:, 1]
    drawn = [
        t_of(village, x, fitted + np.array(signs)[village] * (y - fitted), null)
        for signs in itertools.product([1, -1], repeat=7)
    ]
    own = t_of(village, x, y, null)
    expected = np.mean(np.abs(drawn) >= abs(own) * (1 - 1e-9))
    found = wild.bootstrap(*by_village(village, x, y), 1, null=null)
    assert (found.enumerated, found.draws, found.n_villages) == (True, 128, 7)
    assert found.statistic == pytest.approx(own, rel=1e-10)
    assert found.p_value == expected


def test_random_signs_come_near_the_enumeration():
    village, x, y = households(12)
    moments = by_village(village, x, y)
    every = wild.bootstrap(*moments, 1, draws=5000)
    some = wild.bootstrap(*moments, 1, draws=4000)
    assert every.enumerated and not some.enumerated
    assert some.p_value == pytest.approx(every.p_value, abs=4 * np.sqrt(0.25 / 4000))


def test_blocks_of_signs_do_not_change_the_test(monkeypatch):
    village, x, y = households(14)
    moments = by_village(village, x, y)
    whole = wild.bootstrap(*moments, 1, draws=999)
    monkeypatch.setattr(wild, "CHUNK", 14 * 100)
    assert wild.bootstrap(*moments, 1, draws=999).draws == whole.draws == 999


def test_the_interval_holds_what_is_not_rejected():
    village, x, y = households(9)
    moments = by_village(village, x, y)
    low, high = wild.interval(*moments, 1)
    assert low < wild.bootstrap(*moments, 1).point < high
    for null, kept in ((low + 0.01, True), (low - 0.01, False), (high - 0.01, True)):
        assert (wild.bootstrap(*moments, 1, null=null).p_value > 0.05) is kept


def test_too_few_villages_have_no_end():
    """With four villages p is never below 2/16, so nothing is rejected at 5 %."""
    weight = np.array([[1.0, 0], [1, 0], [0, 1], [0, 1]])
    moments = wild.contrast_moments(weight, weight * [[3.0], [5], [1], [2]])
    assert wild.interval(*moments, 1) == (-np.inf, np.inf)


# ---- randomisation -------------------------------------------------------------------------------


def test_randomisation_is_the_statistic_of_every_assignment():
    """Two strata of four villages, two treated in each: 36 assignments, by brute force."""
    weight = GENERATOR.integers(1, 9, 8).astype(float)
    total = GENERATOR.normal(size=(8, 2)) * weight[:, None]
    stratum = np.repeat([0, 1], 4)
    treated = np.array([1, 1, 0, 0, 0, 1, 0, 1], bool)

    def t(arm):
        value, variance = 0, 0
        for side, sign in ((arm, 1), (~arm, -1)):
            mean = total[side].sum(0) / weight[side].sum()
            value = value + sign * mean
            residual = total[side] - weight[side, None] * mean
            variance = variance + (residual**2).sum(0) / weight[side].sum() ** 2
        return value / np.sqrt(variance)

    drawn = []
    for one in itertools.combinations(range(4), 2):
        for two in itertools.combinations(range(4, 8), 2):
            arm = np.zeros(8, bool)
            arm[[*one, *two]] = True
            drawn.append(t(arm))
    found = randomisation.permute(weight, total, treated, stratum)
    np.testing.assert_allclose(found.statistics, t(treated), rtol=1e-10)
    expected = (np.abs(drawn) >= np.abs(t(treated)) * (1 - 1e-9)).mean(0)
    np.testing.assert_allclose(found.p_values, expected)
    assert found.enumerated and found.drawn.shape == (36, 2)


def test_sums_that_are_large_against_their_spread_keep_their_variance():
    """Sums moved by a thousand million: the same statistics; multiplied out nothing is left."""
    draw = np.random.default_rng(2)
    weight = draw.integers(5, 60, 10).astype(float)
    total = (weight * draw.normal(size=10))[:, None]
    arm = np.arange(10) < 4
    near, far = (
        randomisation.permute(weight, total + weight[:, None] * by, arm) for by in (0.0, 1e9)
    )
    assert far.statistics.item() == pytest.approx(near.statistics.item(), rel=1e-6)
    assert far.p_values.item() == near.p_values.item()


def test_where_nothing_moved_no_assignment_is_odd():
    """Every village alike: the statistic is zero, not nothing over nothing, and p is one."""
    found = randomisation.permute(np.ones(6), np.zeros((6, 1)), np.arange(6) < 3)
    assert found.statistics.item() == 0 and found.p_values.item() == 1


def test_a_randomisation_interval_holds_what_is_not_rejected():
    """Independent: the test itself at values inside and outside each end."""
    draw = np.random.default_rng(4)
    weight = draw.integers(5, 60, 12).astype(float)
    arm = np.arange(12) < 5
    total = weight * (draw.normal(size=12) + 2.0 * arm)
    low, high = randomisation.interval(weight, total, arm, draws=999)

    def p(effect):
        rest = (total - weight * arm * effect)[:, None]
        return randomisation.permute(weight, rest, arm, draws=999).p_values.item()

    step = (high - low) / 100
    assert p(low + step) > 0.05 and p(high - step) > 0.05
    assert p(low - step) <= 0.05 and p(high + step) <= 0.05
    # Three assignments cannot reject at 5 per cent.
    few = randomisation.interval(np.ones(3), np.array([9.0, 1, 2]), np.arange(3) < 1)
    assert few == (-np.inf, np.inf)


def test_webb_weights_by_their_moments_and_by_brute_force():
    """Mean 0, variance 1; each draw is the regression run again on e·restricted residuals."""
    assert wild.WEBB.mean() == pytest.approx(0) and (wild.WEBB**2).mean() == pytest.approx(1)
    assert sorted(np.round(wild.WEBB**2, 12)) == [0.5, 0.5, 1, 1, 1.5, 1.5]
    draw = np.random.default_rng(8)
    weight = np.array([[1.0, 0]] * 3 + [[0, 1.0]] * 5) * draw.integers(3, 9, (8, 1))
    total = weight * draw.normal(size=(8, 1))
    gram, moment = wild.contrast_moments(weight, total)
    found = wild.bootstrap(gram, moment, 1, draws=400, seed=3, weights="webb")
    assert (found.weights, found.enumerated, found.draws) == ("webb", False, 400)
    restricted = moment.sum(axis=0)[0] / gram.sum(axis=0)[0, 0]
    (signs,) = wild._signs(8, 400, 3, False, "webb")
    far = 0
    for e in signs:
        again = gram[:, :, 0] * restricted + e[:, None] * (moment - gram[:, :, 0] * restricted)
        theta = np.linalg.solve(gram.sum(axis=0), again.sum(axis=0))
        score = (again - gram @ theta) @ np.linalg.inv(gram.sum(axis=0))[1]
        far += abs(theta[1]) >= abs(found.statistic) * np.sqrt((score**2).sum()) * (1 - 1e-9)
    assert found.p_value == pytest.approx((far + 1) / 401)


def test_random_assignments_stay_in_strata_and_come_near():
    weight, stratum = np.ones(16), np.repeat([0, 1], 8)
    total = GENERATOR.normal(size=(16, 1)) + 5 * stratum[:, None]
    treated = np.arange(16) % 2 == 0
    every = randomisation.permute(weight, total, treated, stratum)
    some = randomisation.permute(weight, total, treated, stratum, draws=4000)
    assert every.enumerated and not some.enumerated
    np.testing.assert_allclose(some.p_values, every.p_values, atol=4 * np.sqrt(0.25 / 4000))


def test_randomisation_refuses_what_is_no_experiment():
    with pytest.raises(ValueError, match="one arm"):
        randomisation.permute(np.ones(3), np.ones((3, 1)), np.ones(3, bool))
    with pytest.raises(ValueError, match="no other assignment"):
        randomisation.permute(
            np.ones(4), np.ones((4, 1)), np.array([1, 1, 0, 0], bool), np.array([0, 0, 1, 1])
        )


# ---- many tests, joint tests ---------------------------------------------------------------------


def test_romano_wolf_of_independent_tests_is_near_holm_and_monotone():
    statistic = np.array([3.0, 2.6, 0.5, -2.0])
    drawn = GENERATOR.normal(size=(100_000, 4))
    found = multiplicity.romano_wolf(statistic, drawn)
    p = 2 * stats.norm.sf(np.abs(statistic))
    order = np.argsort(p)
    sidak = np.maximum.accumulate(1 - (1 - p[order]) ** np.arange(4, 0, -1))
    np.testing.assert_allclose(found[order], sidak, atol=0.005)


def test_romano_wolf_of_the_same_test_twice_adjusts_nothing():
    drawn = np.repeat(GENERATOR.normal(size=(9999, 1)), 2, axis=1)
    found = multiplicity.romano_wolf(np.array([2.0, 2.0]), drawn)
    single = multiplicity.romano_wolf(np.array([2.0]), drawn[:, :1])
    assert found.tolist() == single.tolist() * 2


def test_wald_refuses_as_many_effects_as_villages_and_mixes():
    with pytest.raises(FaultsError, match="smaller arm has 3"):
        wald.wald(np.ones(3), np.eye(3), 3, 10.0)
    with pytest.raises(FaultsError, match="mix"):
        wald.wald(np.ones(2), np.ones((2, 2)), 9, 10.0)


def test_wald_by_hand():
    """(1, 2) with variances 1 and 4: 1 + 1 = 2; chi-squared of 2 has tail e^(−1)."""
    found = wald.wald(np.array([1.0, 2]), np.diag([1.0, 4]), 9, np.inf)
    assert found.statistic == 2 and found.p_value == pytest.approx(np.exp(-1))
