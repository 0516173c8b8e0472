"""Dependent estimates: metafor's three-level example, balanced data by hand, robust variance."""

import numpy as np
import pytest

from analysis.studies.multilevel import cluster_robust, three_level
from analysis.studies.random_effects import random_effects

# metadat's dat.konstantopoulos2011: 56 schools in 11 districts (Konstantopoulos 2011), effects of a
# modified school calendar in standard deviations and their sampling variances.
SCHOOLS = {
    "11": [(-0.18, 0.118), (-0.22, 0.118), (0.23, 0.144), (-0.30, 0.144)],
    "12": [(0.13, 0.014), (-0.26, 0.014), (0.19, 0.015), (0.32, 0.024)],
    "18": [(0.45, 0.023), (0.38, 0.043), (0.29, 0.012)],
    "27": [(0.16, 0.020), (0.65, 0.004), (0.36, 0.004), (0.60, 0.007)],
    "56": [(0.08, 0.019), (0.04, 0.007), (0.19, 0.005), (-0.06, 0.004)],
    "58": [
        (-0.18, 0.020),
        (0.00, 0.018),
        (0.00, 0.019),
        (-0.28, 0.022),
        (-0.04, 0.020),
        (-0.30, 0.021),
        (0.07, 0.006),
        (0.00, 0.007),
        (0.05, 0.007),
        (-0.08, 0.007),
        (-0.09, 0.007),
    ],
    "71": [(0.30, 0.015), (0.98, 0.011), (1.19, 0.010)],
    "86": [
        (-0.07, 0.001),
        (-0.05, 0.001),
        (-0.01, 0.001),
        (0.02, 0.001),
        (-0.03, 0.001),
        (0.00, 0.001),
        (0.01, 0.001),
        (-0.10, 0.001),
    ],
    "91": [
        (0.50, 0.010),
        (0.66, 0.011),
        (0.20, 0.010),
        (0.00, 0.009),
        (0.05, 0.013),
        (0.07, 0.013),
    ],
    "108": [(-0.52, 0.031), (0.70, 0.031), (-0.03, 0.030), (0.27, 0.030), (-0.34, 0.030)],
    "644": [(0.12, 0.087), (0.61, 0.082), (0.04, 0.067), (-0.05, 0.067)],
}


@pytest.fixture(scope="module")
def schools():
    rows = [(y, v, name) for name, district in SCHOOLS.items() for y, v in district]
    effects, variances, names = zip(*rows, strict=True)
    return np.array(effects), np.sqrt(np.array(variances)), names


def test_metafor_three_level_example(schools):
    """metafor, rma.mv(random = ~ 1 | district/school): .1847, sigma2 .0651 and .0327, se .0846."""
    fit = three_level(*schools)
    assert (fit.n_studies, fit.n_estimates) == (11, 56)
    assert fit.mean == pytest.approx(0.1847, abs=5e-5)
    assert fit.tau_between**2 == pytest.approx(0.0651, abs=5e-5)
    assert fit.tau_within**2 == pytest.approx(0.0327, abs=5e-5)
    assert fit.std_error == pytest.approx(0.0846, abs=5e-5)


def test_cluster_robust_example(schools):
    """metafor, robust(clubSandwich=TRUE) on it: error .0845, 9.86 degrees (from memory; came out)."""
    fit = three_level(*schools)
    assert fit.robust_error == pytest.approx(0.0845, abs=5e-5)
    assert fit.robust_df == pytest.approx(9.86, abs=5e-3)


def test_balanced_clusters_by_hand():
    """Equal clusters: CR2 is the variance of cluster means over clusters, with k − 1 degrees."""
    rng = np.random.default_rng(3)
    effects = rng.normal(size=(6, 4)) + rng.normal(size=(6, 1))
    covariance = np.kron(np.eye(6), 0.5 * np.eye(4) + 0.3)
    error, degrees = cluster_robust(effects.ravel(), covariance, [str(i // 4) for i in range(24)])
    assert error == pytest.approx(np.sqrt(effects.mean(axis=1).var(ddof=1) / 6), rel=1e-10)
    assert degrees == pytest.approx(5, rel=1e-10)


def test_one_estimate_a_study_is_plain_reml():
    """Without estimates that share a study, both variances add up to the heterogeneity of REML."""
    y, s = np.array([0.0, 2.0, 4.0, 1.0, -3.0]), np.array([1.0, 0.8, 1.2, 0.5, 1.0])
    fit, plain = three_level(y, s, list("abcde")), random_effects(y, s)
    assert fit.mean == pytest.approx(plain.mean, abs=1e-5)
    assert fit.tau**2 == pytest.approx(plain.tau**2, rel=1e-4)


def test_few_degrees_are_descriptive():
    fit = three_level(np.array([1.0, 2.0, 3.0]), np.ones(3), ["a", "a", "b"])
    assert fit.df == 1
    assert fit.descriptive


def test_one_study_is_refused():
    with pytest.raises(ValueError, match="two or more studies"):
        three_level(np.array([1.0, 2.0]), np.ones(2), ["a", "a"])
