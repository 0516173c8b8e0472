"""Strength of a hidden cause: published tables, simulation, algebra."""

from dataclasses import replace

import numpy as np
import pytest
import statsmodels.api as sm

from analysis.faults import FaultsError
from analysis.sensitivity import confounding


def test_darfur_of_cinelli_and_hazlett():
    """Published: Cinelli & Hazlett (2020), table 1: t 4.18 on 783 degrees; 2.2 %, 13.9 %, 7.6 %."""
    found = confounding.robustness(4.184445, 783)
    assert round(100 * found.partial_r2, 1) == 2.2
    assert round(100 * found.value, 1) == 13.9
    assert round(100 * found.value_interval, 1) == 7.6


def test_a_confounder_as_strong_as_the_value_brings_the_estimate_to_zero():
    """Algebra: the adjusted estimate at the robustness value is the share that is left."""
    t, degrees = 5.0, 200
    for share in (1.0, 0.4):
        value = confounding.robustness(t, degrees, share=share).value
        estimate, _ = confounding.adjusted(5.0, 1.0, degrees, value, value)
        assert estimate == pytest.approx(5.0 * (1 - share))


def test_the_interval_ends_at_zero_at_the_second_value():
    """Algebra: t of the adjusted estimate is the quantile with one degree less."""
    value = confounding.robustness(4.0, 100).value_interval
    estimate, error = confounding.adjusted(4.0, 1.0, 100, value, value)
    assert estimate / error == pytest.approx(1.98422, abs=1e-5)  # t, 99 degrees, from a table


def test_leaving_a_covariate_out_moves_least_squares_as_the_formula_says():
    """Independent: statsmodels with and without the covariate."""
    rng = np.random.default_rng(2)
    hidden = rng.standard_normal(400)
    treatment = 0.5 * hidden + rng.standard_normal(400)
    outcome = treatment + hidden + rng.standard_normal(400)
    short = sm.OLS(outcome, sm.add_constant(treatment)).fit()
    long = sm.OLS(outcome, sm.add_constant(np.column_stack([treatment, hidden]))).fit()
    r2_outcome = long.tvalues[2] ** 2 / (long.tvalues[2] ** 2 + long.df_resid)
    r2_treatment = np.corrcoef(hidden, treatment)[0, 1] ** 2
    estimate, error = confounding.adjusted(
        short.params[1], short.bse[1], short.df_resid, r2_outcome, r2_treatment
    )
    assert estimate == pytest.approx(long.params[1], rel=1e-9)
    assert error == pytest.approx(long.bse[1], rel=1e-9)


def test_no_estimate_has_no_robustness():
    found = confounding.robustness(0.5, 50)
    assert found.value > 0
    assert found.value_interval == 0
    with pytest.raises(FaultsError, match="degrees"):
        confounding.robustness(2.0, 1)


def population(effect, seen, unseen, with_treatment, delta, treatment=3.0, noise=1.0):
    """Regressions of y = effect·x + w₁ + w₂ + noise in a population with a stated δ.

    w₁ and w₂ do not move together, and Cov(x, w₂)/Var(w₂) = δ Cov(x, w₁)/Var(w₁).
    """
    other = delta * with_treatment * unseen / seen
    c = np.array(
        [[treatment, with_treatment, other], [with_treatment, seen, 0], [other, 0, unseen]]
    )
    pull = c @ np.array([effect, 1.0, 1.0])
    known = np.array([effect, 1.0, 1.0]) @ pull
    y = known + noise
    long = np.linalg.solve(c[:2, :2], pull[:2])
    short = pull[0] / treatment
    rest = treatment - with_treatment**2 / seen
    moved = confounding.Movement(
        short, short * pull[0] / y, long[0], long @ pull[:2] / y, y, treatment, rest
    )
    return moved, known / y


@pytest.mark.parametrize("delta", [0.4, 1.7, 2.5])
def test_selection_as_strong_as_delta_makes_the_estimate_zero(delta):
    """A population with no effect and a stated δ, where the proportional form is off."""
    moved, most = population(0.0, 1.0, 2.0, 0.4, delta)
    assert confounding.selection(moved, most).delta == pytest.approx(delta, rel=1e-9)
    proportional = moved.long / (
        (moved.short - moved.long) * (most - moved.r2_long) / (moved.r2_long - moved.r2_short)
    )
    assert abs(proportional / delta - 1) > 0.02


@pytest.mark.parametrize("effect", [-1.0, 0.0, 0.7])
def test_selection_just_as_strong_finds_the_effect(effect):
    moved, most = population(effect, 1.5, 0.8, 0.5, 1.0)
    assert confounding.selection(moved, most).at_equal == pytest.approx(effect, abs=1e-9)


def test_selection_refuses_what_cannot_be():
    moved, most = population(0.5, 1.0, 2.0, 0.6, 1.0)
    with pytest.raises(FaultsError, match="does not rise"):
        confounding.selection(moved, moved.r2_long)
    with pytest.raises(FaultsError, match="variances"):
        confounding.selection(replace(moved, variance_rest=9.0), most)
    still = replace(moved, short=moved.long)
    assert confounding.selection(still, most).at_equal == moved.long


def test_e_value_refuses_what_is_no_ratio():
    """Published: VanderWeele & Ding (2017): 10.73 gives 20.9, its lower end 8.02 gives 15.5."""
    assert confounding.e_value(10.73) == pytest.approx(20.95, abs=0.006)
    assert confounding.e_value(8.02) == pytest.approx(15.5, abs=0.05)
    with pytest.raises(FaultsError, match="above zero"):
        confounding.e_value(0.0)
