"""The hierarchical normal model: closed forms, sampling by another route, eight schools."""

import numpy as np
import pytest
from scipy import stats

from analysis.studies.bayesian import Mixture, Prior, posterior

SCHOOLS = (
    np.array([28.0, 8.0, -3.0, 7.0, -1.0, 1.0, 18.0, 12.0]),
    np.array([15.0, 10.0, 16.0, 11.0, 9.0, 11.0, 10.0, 18.0]),
)
"""Rubin (1981), the example of baggr's documentation and of Bayesian Data Analysis, 5.5."""


def test_without_spread_it_is_the_conjugate_normal():
    """Precisions 1/400 + 1/25 + 1/4: mean (10/25 + 4/4) over it."""
    after = posterior(np.array([10.0, 4.0]), np.array([5.0, 2.0]), Prior(0, 20, 1e-7))
    precision = 1 / 400 + 1 / 25 + 1 / 4
    assert after.mean_effect.mean == pytest.approx((10 / 25 + 4 / 4) / precision)
    assert after.mean_effect.sd == pytest.approx(precision**-0.5)


def test_against_importance_sampling():
    """Draws from the prior weighted by the likelihood: another route to the same integrals."""
    y, s = np.array([9.7, 7.1]), np.array([3.7, 4.3])
    prior = Prior(0, 20, 10)
    rng = np.random.default_rng(11)
    draws = 400_000
    mu = rng.normal(0, 20, draws)
    tau = np.abs(rng.normal(0, 10, draws))
    logs = sum(stats.norm.logpdf(b, mu, np.sqrt(e**2 + tau**2)) for b, e in zip(y, s, strict=True))
    weights = np.exp(logs - logs.max())
    weights /= weights.sum()
    after = posterior(y, s, prior)
    mean = float(weights @ mu)
    size = 1 / float((weights**2).sum())
    spread = float(np.sqrt(weights @ (mu - mean) ** 2))
    # Four Monte Carlo errors of the weighted mean.
    assert after.mean_effect.mean == pytest.approx(mean, abs=4 * spread / size**0.5)
    assert after.mean_effect.sd == pytest.approx(spread, rel=0.02)
    ahead = mu + tau * rng.standard_normal(draws)
    assert after.predictive.probability_below(0) == pytest.approx(
        float(weights @ (ahead < 0)), abs=0.01
    )


def test_eight_schools():
    """Bayesian Data Analysis, 5.5: the mean effect is about 8 and its deviation about 5."""
    after = posterior(*SCHOOLS, Prior(0, 100, 25))
    assert after.mean_effect.mean == pytest.approx(8, abs=0.5)
    assert after.mean_effect.sd == pytest.approx(5, abs=0.5)


def test_quantiles_are_those_of_the_mixture():
    draw = Mixture(np.array([0.4, 0.6]), np.array([0.0, 5.0]), np.array([1.0, 2.0]))
    for p in (0.025, 0.5, 0.9):
        assert draw.probability_below(draw.quantile(p)) == pytest.approx(p, abs=1e-9)
    assert draw.mean == pytest.approx(3.0)
    assert draw.sd == pytest.approx(np.sqrt(0.4 * 1 + 0.6 * 4 + 0.4 * 9 + 0.6 * 4))
    grid = draw.quantiles()
    assert grid["percent"].is_sorted()
    assert grid.equals(draw.quantiles())


def test_logarithms_are_printed_as_per_cent():
    """The mean of a lognormal is exp(m + s² / 2)."""
    draw = Mixture(np.ones(1), np.array([0.1]), np.array([0.2]), "log")
    assert draw.mean == pytest.approx(100 * (np.exp(0.12) - 1))
    assert draw.quantile(0.5) == pytest.approx(100 * (np.exp(0.1) - 1))
    assert draw.sd == pytest.approx(
        100 * np.sqrt((np.exp(0.04) - 1) * np.exp(0.2 + 0.04)), rel=1e-9
    )


def test_a_wider_prior_gives_a_wider_answer():
    y, s = np.array([9.7, 7.1]), np.array([3.7, 4.3])
    widths = []
    for factor in (0.5, 1.0, 2.0):
        low, high = posterior(y, s, Prior(0, 20, 10).scaled(factor)).predictive.interval()
        widths.append(high - low)
    assert widths == sorted(widths)
