"""Pooling: by hand, against published results for a standard data set, and as a law."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from statsmodels.stats.meta_analysis import combine_effects

from analysis.studies import library, pooling

# Thirteen trials of the BCG vaccine (Colditz et al. 1994), the standard data set of metafor:
# tuberculosis and none among the vaccinated, then among the others.
BCG = np.array(
    [
        (4, 119, 11, 128),
        (6, 300, 29, 274),
        (3, 228, 11, 209),
        (62, 13536, 248, 12619),
        (33, 5036, 47, 5761),
        (180, 1361, 372, 1079),
        (8, 2537, 10, 619),
        (505, 87886, 499, 87892),
        (29, 7470, 45, 7232),
        (17, 1699, 65, 1600),
        (186, 50448, 141, 27197),
        (5, 2493, 3, 2338),
        (27, 16886, 29, 17825),
    ],
    dtype=float,
)


@pytest.fixture(scope="module")
def vaccine():
    """Log risk ratios and their variances."""
    a, b, c, d = BCG.T
    return np.log(a / (a + b) / (c / (c + d))), 1 / a - 1 / (a + b) + 1 / c - 1 / (c + d)


def test_published_moment_estimator(vaccine):
    """metafor's own test against Stata's metan: tau2 .3088, mean -.7141 (-1.0644 to -.3638)."""
    y, v = vaccine
    tau2 = pooling.heterogeneity(y, v, "dl")
    mean, error, _ = pooling.weighted(y, v, tau2)
    assert tau2 == pytest.approx(0.3088, abs=5e-5)
    assert mean == pytest.approx(-0.7141, abs=5e-5)
    assert mean - 1.959964 * error == pytest.approx(-1.0644, abs=5e-5)
    assert mean + 1.959964 * error == pytest.approx(-0.3638, abs=5e-5)


def test_published_heterogeneity(vaccine):
    """Q 152.23 (metan), I2 92.12 per cent at the moment estimator (metafor, 1 - (k - 1) / Q)."""
    result = pooling.pooled(vaccine[0], np.sqrt(vaccine[1]), method="dl")
    assert result.q == pytest.approx(152.2330, abs=5e-4)
    assert 100 * result.i_squared == pytest.approx(92.1173, abs=5e-4)


def test_published_hartung_knapp_interval(vaccine):
    """metafor, rma(test="knha") at its REML tau2: -.714532 (-1.108444 to -.320621); t of 12."""
    y, v = vaccine
    mean, error, factor = pooling.weighted(y, v, 0.313243258137274)
    reach = 2.178812829667228 * error * math.sqrt(factor)
    assert mean == pytest.approx(-0.714532342158211, abs=1e-9)
    assert mean - reach == pytest.approx(-1.10844371368566, abs=1e-8)
    assert mean + reach == pytest.approx(-0.320620970630764, abs=1e-8)


def test_statsmodels_agrees_on_mean_and_refined_error(vaccine):
    y, v = vaccine
    theirs = combine_effects(y, v, method_re="pm")
    ours = pooling.pooled(y, np.sqrt(v), raise_factor=False)
    assert ours.mean == pytest.approx(theirs.mean_effect_re, rel=1e-12)
    assert ours.std_error == pytest.approx(math.sqrt(theirs.var_hksj_re), rel=1e-12)
    low, high = theirs.conf_int(use_t=True)[3]
    assert (ours.ci_low, ours.ci_high) == pytest.approx((low, high), rel=1e-12)


def test_three_studies_by_hand():
    """Equal errors of 1 and effects 0, 2, 4: variance 4, so tau2 = 3, mean 2, error sqrt(4 / 3).

    The t quantiles at .975 are 4.302653 with two degrees of freedom and 12.706205 with one.
    """
    result = pooling.pooled([0, 2, 4], [1, 1, 1], ["a", "b", "c"])
    assert result.tau**2 == pytest.approx(3, abs=1e-4)
    assert result.mean == pytest.approx(2)
    assert result.ci_high == pytest.approx(2 + 4.302653 * math.sqrt(4 / 3), abs=1e-4)
    assert result.prediction_low == pytest.approx(2 - 12.706205 * math.sqrt(3 + 4 / 3), abs=1e-3)
    assert result.members == ("a", "b", "c")


def test_two_studies_that_agree_by_hand():
    """Effects 1 and 1, errors 1 and 2: weights 1 and 1/4, error sqrt(4 / 5), factor 0 raised to 1."""
    result = pooling.pooled([1, 1], [1, 2])
    assert result.tau == 0
    assert result.factor == 0
    assert result.std_error == pytest.approx(math.sqrt(0.8))
    assert result.ci_low == pytest.approx(1 - 12.706205 * math.sqrt(0.8), abs=1e-5)
    assert result.prediction_low is None
    assert pooling.pooled([1, 1], [1, 2], raise_factor=False).std_error == 0


def test_the_graduation_pool_by_hand():
    """6.014 (3.615) of 84.277 and 6.484 (2.448) of 66.594; no spread, weights by precision."""
    y = [100 * 6.014 / 84.277, 100 * 6.484 / 66.594]
    s = [100 * 3.615 / 84.277, 100 * 2.448 / 66.594]
    w = [1 / s[0] ** 2, 1 / s[1] ** 2]
    mean = (w[0] * y[0] + w[1] * y[1]) / (w[0] + w[1])
    error = 1 / math.sqrt(w[0] + w[1])
    result = pooling.pool(library.load(), "graduation_consumption")
    assert result is not None
    assert result.mean == pytest.approx(mean)
    assert result.ci_high == pytest.approx(mean + 12.706205 * error, rel=1e-6)


def test_the_credit_pool_by_hand():
    """Per cent and error of six trials, four errors times 1.3; t of five degrees is 2.570582."""
    rows = [
        (26.84, 1.3 * 19.98, 1478.9),
        (55484.24, 1.3 * 24367.52, 308041.6),
        (-120.28, 448.1, 4568.4),
        (107.11, 1.3 * 125.79, 6375.2),
        (-27.11, 1.3 * 55.63, 3024.9),
        (0.0029, 0.03, 1.0557),
    ]
    y = np.array([100 * b / m for b, _, m in rows])
    w = np.array([(m / (100 * s)) ** 2 for _, s, m in rows])
    mean = (w @ y) / w.sum()
    assert w @ (y - mean) ** 2 < 5  # so that no spread is found between the trials
    result = pooling.pool(library.load(), "microcredit_consumption")
    assert result is not None
    assert result.k == 6
    assert result.tau == 0
    assert result.mean == pytest.approx(mean)
    assert result.ci_low == pytest.approx(mean - 2.570582 / math.sqrt(w.sum()), rel=1e-5)
    assert result.prediction_high == pytest.approx(mean + 2.776445 / math.sqrt(w.sum()), rel=1e-5)


def test_the_credit_mean_does_not_hang_on_one_trial():
    """The page says that it hardly depends on how it is pooled."""
    ways = pooling.sensitivity(library.load(), "microcredit_consumption")
    assert ways.height == 10
    assert ways["mean"].is_between(0, 2).all()
    assert (ways["ci_low"] < 0).all()
    assert (ways["ci_high"] > 0).all()


EFFECTS = st.lists(
    st.tuples(st.floats(-50, 50), st.floats(0.5, 20)), min_size=3, max_size=8
).filter(lambda rows: max(y for y, _ in rows) - min(y for y, _ in rows) > 1e-3)


@given(EFFECTS, st.floats(0.1, 10), st.floats(-100, 100))
def test_pooling_moves_with_unit_and_origin(rows, scale, shift):
    y, s = (np.array(column) for column in zip(*rows, strict=True))
    one = pooling.pooled(y, s)
    other = pooling.pooled(scale * y + shift, scale * s)
    near = {"rel": 1e-3, "abs": 1e-2 * scale}
    assert other.mean == pytest.approx(scale * one.mean + shift, **near)
    assert other.std_error == pytest.approx(scale * one.std_error, **near)
    assert y.min() - 1e-9 <= one.mean <= y.max() + 1e-9
    assert one.ci_low <= one.mean <= one.ci_high
    assert one.factor <= 1 + 1e-4


@given(EFFECTS)
def test_the_order_of_studies_does_not_matter(rows):
    y, s = zip(*rows, strict=True)
    one, other = pooling.pooled(y, s), pooling.pooled(y[::-1], s[::-1])
    assert other.mean == pytest.approx(one.mean, abs=1e-6)
    assert other.ci_low == pytest.approx(one.ci_low, abs=1e-6)


@pytest.mark.parametrize(("effects", "errors"), [([1.0], [1.0]), ([1.0, 2.0], [1.0, 0.0])])
def test_what_cannot_be_pooled_is_refused(effects, errors):
    with pytest.raises(ValueError, match="two or more"):
        pooling.pooled(effects, errors)
