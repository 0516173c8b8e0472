"""Degrees of freedom from the design, against brute force and by hand."""

import numpy as np
import pytest

from analysis.inference import degrees

GENERATOR = np.random.default_rng(11)


def design(treated, control, treated_size, control_size):
    columns = (np.array(x, float)[:, None] for x in (treated, control, treated_size, control_size))
    return degrees.Arms(*columns)


def brute_force(arms, rho):
    """Every village left out of the weights of both arms; C from all variances and covariances."""
    a, b, n1, n0 = (
        x[:, 0] for x in (arms.treated, arms.control, arms.treated_size, arms.control_size)
    )
    v = a.size
    omega = np.zeros((2 * v, 2 * v))
    for i in range(v):
        omega[i, i] = rho + (1 - rho) / max(n1[i], 1)
        omega[v + i, v + i] = rho + (1 - rho) / max(n0[i], 1)
        omega[i, v + i] = omega[v + i, i] = rho

    def row(kept):
        one, two = a * kept, b * kept
        return np.concatenate([one / one.sum(), -two / two.sum() if two.any() else two])

    full = row(np.ones(v))
    moved = np.stack([row(np.arange(v) != i) - full for i in range(v)])
    c = moved @ omega @ moved.T
    return np.trace(c) ** 2 / np.trace(c @ c)


@pytest.mark.parametrize("rho", [0.0, 0.1, 0.7])
@pytest.mark.parametrize("case", ["apart", "beside", "one arm"])
def test_traces_are_those_of_the_whole_matrix(case, rho):
    """Villages of other sizes in either arm, some in both, and a level that has one arm."""
    first = np.where(np.arange(11) < 6, GENERATOR.uniform(1, 9, 11), 0)
    low = {"apart": 6, "beside": 3, "one arm": 11}[case]
    second = np.where(np.arange(11) >= low, GENERATOR.uniform(1, 9, 11), 0)
    sizes = [np.where(x > 0, np.ceil(GENERATOR.uniform(0.5, 4) * x), 0) for x in (first, second)]
    arms = design(first, second, *sizes)
    found = degrees.jackknife_degrees(arms, rho)
    assert found.item() == pytest.approx(brute_force(arms, rho), rel=1e-10)


def test_arms_alike_have_all_villages_less_two():
    """By hand: two arms of G alike, (2/(G−1))² / (2/(G−1)³) = 2(G − 1)."""
    side = np.ones(7)
    none = np.zeros(7)
    arms = design([*side, *none], [*none, *side], [*side, *none], [*none, *side])
    assert degrees.jackknife_degrees(arms).item() == pytest.approx(12, rel=1e-12)


def test_degrees_do_not_depend_on_the_scale_of_weights():
    weight = GENERATOR.uniform(1, 9, 12)
    first, second = np.where(np.arange(12) < 5, weight, 0), np.where(np.arange(12) < 5, 0, weight)
    sizes = (np.where(first > 0, 20, 0), np.where(second > 0, 30, 0))
    one = degrees.jackknife_degrees(design(first, second, *sizes))
    other = degrees.jackknife_degrees(design(first * 1e6, second / 7, *sizes))
    assert other.item() == pytest.approx(one.item(), rel=1e-9)


def test_only_what_is_no_difference_of_means_is_capped():
    side, none = np.ones(6), np.zeros(6)
    arms = design([*side, *none], [*none, *side], [*side, *none], [*none, *side])
    free, capped = (degrees.design_degrees(arms, np.array([x])).item() for x in (True, False))
    assert free == pytest.approx(10) and capped == pytest.approx(5)


def test_effective_clusters_of_the_smaller_arm_that_there_is():
    arms = design([4, 2, 2, 0], [0, 0, 0, 0], [4, 2, 2, 0], [0, 0, 0, 0])
    assert arms.effective[:, 0].tolist() == [2.7, 0.0]  # 64/24
    assert arms.smaller.item() == 2.7 and arms.leverage.item() == 0.5
    assert arms.clusters[:, 0].tolist() == [3.0, 0.0]


def test_a_village_that_is_nearly_an_arm_leaves_little_more_than_one_degree():
    """Four treated of 997, 1, 1 and 1 against eight of 10; leaving the first out is nearly all.

    By hand with a correlation of 0.1: it moves the estimate by 0.997 times the mean of the small
    three less its own, variance 0.997² (1/3 + 0.1009); each of eight by a seventh of its mean less
    theirs, variances 0.19/49 on seven dimensions.
    """
    treated, control = [997, 1, 1, 1, *[0] * 8], [*[0] * 4, *[10] * 8]
    arms = design(treated, control, treated, control)
    freedom = degrees.design_degrees(arms, np.array([True]))
    first, each = 0.997**2 * (1 / 3 + 0.1 + 0.9 / 997), 0.19 / 49
    by_hand = (first + 7 * each) ** 2 / (first**2 + 7 * each**2)
    assert freedom.item() == pytest.approx(by_hand, rel=1e-4) and round(by_hand, 2) == 1.13
    assert not degrees.few(arms.clusters, freedom).item()
    # Of other estimates the cap, effective clusters less one, leaves nothing to judge by.
    assert degrees.few(arms.clusters, degrees.design_degrees(arms, np.array([False]))).item()


def test_three_clusters_are_too_few_however_many_there_are_against_them():
    clusters = np.array([[3.0, 4.0, 40.0], [97.0, 4.0, 0.0]])
    assert degrees.few(clusters, np.array([2.0, 5.0, 39.0])).tolist() == [True, False, False]


def test_the_parameters_have_a_source():
    rules = degrees.rules()
    assert 0 < rules.intraclass_correlation < 1
    assert rules.least_clusters == 4 and rules.multipliers_from == 20
