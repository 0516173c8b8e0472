"""REML with Hartung and Knapp's interval: by hand, against metafor's published examples, as laws."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from analysis.studies.random_effects import random_effects, reml, restricted_likelihood

# Thirteen trials of the BCG vaccine (Colditz et al. 1994), metafor's dat.bcg: tuberculosis and
# none among the vaccinated, then among the others.
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
    """Log risk ratios and their errors."""
    a, b, c, d = BCG.T
    effects = np.log(a / (a + b) / (c / (c + d)))
    return effects, np.sqrt(1 / a - 1 / (a + b) + 1 / c - 1 / (c + d))


def test_metafor_reml_with_hartung_and_knapp(vaccine):
    """metafor, rma(method="REML", test="knha"): tau2, mean and both ends, as a test prints them."""
    fit = random_effects(*vaccine)
    assert fit.tau**2 == pytest.approx(0.313243258137274, abs=1e-9)
    assert fit.mean == pytest.approx(-0.714532342158211, abs=1e-9)
    low, high = fit.interval()
    assert low == pytest.approx(-1.10844371368566, abs=1e-8)
    assert high == pytest.approx(-0.320620970630764, abs=1e-8)


def test_metafor_heterogeneity(vaccine):
    """metafor's documentation prints Q 152.2330 and I2 92.22 per cent for the REML model."""
    fit = random_effects(*vaccine)
    assert fit.q == pytest.approx(152.2330, abs=5e-5)
    assert 100 * fit.i_squared == pytest.approx(92.22, abs=5e-3)


@pytest.mark.parametrize(
    ("trials", "mean", "low", "high", "tau2"),
    [
        # metafor, cumul(rma(yi, vi, test="knha"), order=year): the trials in order of their year
        ((0, 1), -1.32500344224488, -5.60470865844108, 2.95470177395133, 0.0),
        ((0, 1, 5), -0.972079931812824, -1.95119919485508, 0.00703933122943246, 0.087206792838218),
    ],
)
def test_metafor_on_few_studies(vaccine, trials, mean, low, high, tau2):
    """Where the factor is under one metafor does not raise it, and the interval here is wider."""
    effects, errors = (column[list(trials)] for column in vaccine)
    fit = random_effects(effects, errors)
    assert fit.tau**2 == pytest.approx(tau2, abs=1e-7)
    assert fit.mean == pytest.approx(mean, abs=1e-7)
    raised = 1 / math.sqrt(min(1.0, fit.factor))
    reach = (high - low) / 2 * raised
    assert fit.interval() == pytest.approx((mean - reach, mean + reach), rel=1e-6)


def test_three_studies_by_hand():
    """Equal errors of 1 and effects 0, 2, 4: variance 4, so tau2 = 3, error sqrt(4 / 3).

    t of two degrees at .975 is 4.302653; the prediction has sqrt(3 + 4 / 3).
    """
    fit = random_effects(np.array([0.0, 2.0, 4.0]), np.ones(3))
    assert fit.tau**2 == pytest.approx(3)
    assert fit.interval()[1] == pytest.approx(2 + 4.302653 * math.sqrt(4 / 3), abs=1e-5)
    assert fit.prediction()[0] == pytest.approx(2 - 4.302653 * math.sqrt(13 / 3), abs=1e-5)
    assert fit.weights == pytest.approx([1 / 3] * 3)


def test_two_studies_that_agree_are_not_narrower_than_without_the_factor():
    """Effects 1 and 1, errors 1 and 2: weights 1 and 1/4, error sqrt(4 / 5), factor 0."""
    fit = random_effects(np.array([1.0, 1.0]), np.array([1.0, 2.0]))
    assert (fit.tau, fit.factor) == (0, 0)
    assert fit.std_error == pytest.approx(math.sqrt(0.8))
    assert math.isnan(fit.prediction()[0])


def test_one_study_is_its_own_mean():
    fit = random_effects(np.array([7.2]), np.array([3.2]))
    assert (fit.mean, fit.std_error) == (7.2, 3.2)
    assert fit.interval()[0] == pytest.approx(7.2 - 1.959964 * 3.2, abs=1e-6)
    assert math.isnan(fit.tau)


EFFECTS = st.lists(
    st.tuples(st.floats(-50, 50), st.floats(0.5, 20)), min_size=2, max_size=8
).filter(lambda rows: max(y for y, _ in rows) - min(y for y, _ in rows) > 1e-3)


@settings(max_examples=60, deadline=None)
@given(EFFECTS, st.floats(0.1, 10), st.floats(-100, 100))
def test_pooling_moves_with_unit_and_origin(rows, scale, shift):
    y, s = (np.array(column) for column in zip(*rows, strict=True))
    one, other = random_effects(y, s), random_effects(scale * y + shift, scale * s)
    near = {"rel": 1e-4, "abs": 1e-3 * scale}
    assert other.mean == pytest.approx(scale * one.mean + shift, **near)
    assert other.std_error == pytest.approx(scale * one.std_error, **near)
    assert y.min() - 1e-9 <= one.mean <= y.max() + 1e-9


@settings(max_examples=60, deadline=None)
@given(EFFECTS)
def test_no_heterogeneity_is_likelier_than_the_one_found(rows):
    y, s = (np.array(column) for column in zip(*rows, strict=True))
    found = reml(y, s**2)
    best = restricted_likelihood(y, s**2, found)
    for tau2 in np.geomspace(1e-6, 1e4, 60):
        assert restricted_likelihood(y, s**2, tau2) <= best + 1e-7


@settings(max_examples=60, deadline=None)
@given(EFFECTS)
def test_the_interval_is_never_narrower_than_the_normal_one(rows):
    y, s = (np.array(column) for column in zip(*rows, strict=True))
    fit = random_effects(y, s)
    plain = 1 / math.sqrt(float((1 / (s**2 + fit.tau**2)).sum()))
    low, high = fit.interval()
    assert (high - low) / 2 >= stats.norm.ppf(0.975) * plain * (1 - 1e-9)


@pytest.mark.parametrize(("effects", "errors"), [([], []), ([1.0, 2.0], [1.0, 0.0])])
def test_what_cannot_be_pooled_is_refused(effects, errors):
    with pytest.raises(ValueError, match="positive standard errors"):
        random_effects(np.array(effects), np.array(errors))
