"""Conversions against hand calculation, and on the committed rows."""

import math

import numpy as np
import polars as pl
import pytest

from analysis.studies import conversions
from analysis.studies.estimates import tables
from analysis.studies.small_study import egger


def row(name):
    return tables().estimates.row(by_predicate=pl.col("id") == name, named=True)


@pytest.mark.parametrize(
    ("name", "percent", "error"),
    [
        ("nsw_full", 100 * 886.3 / 5090, 100 * 488.2 / 5090),
        ("sindh_consumption_36m", 100 * 6.014 / 84.277, 100 * 3.615 / 84.277),
        # the multiplier 1.8 for clusters on the printed error
        ("mongolia_consumption", 100 * 55484.24 / 308041.6, 180 * 24367.52 / 308041.6),
        # exp(0.018) - 1 = 0.018163; 0.013 * 1.018163
        ("ma2026_01", 1.8163, 1.32361),
        ("package_counties", 10.9, None),
        ("imbens2001_01", None, None),
    ],
)
def test_the_per_cent_scale_by_hand(name, percent, error):
    found = row(name)
    for value, expected in ((found["percent"], percent), (found["percent_se"], error)):
        assert value == (None if expected is None else pytest.approx(expected, rel=1e-4))


def test_log_points_are_turned_exactly():
    rows = tables().estimates.filter(pl.col("unit").cast(pl.String) == "log_points")
    assert rows.height >= 15
    for estimate, percent in rows.select("estimate", "percent").iter_rows():
        assert percent == pytest.approx(100 * (math.exp(estimate) - 1), rel=1e-12)


def test_ends_of_logarithms_are_turned_as_the_estimate_is():
    """Chongqing: 0.018 (0.013): 100 (exp(0.018 − 1.96 × 0.013) − 1) = −0.7452, not −0.778."""
    found = row("ma2026_01")
    ends = [100 * math.expm1(0.018 + sign * 1.959964 * 0.013) for sign in (-1, 1)]
    assert [found["percent_low"], found["percent_high"]] == pytest.approx(ends, rel=1e-4)
    assert found["percent_low"] == pytest.approx(-0.7452, abs=1e-4)
    other = row("nsw_full")
    assert other["percent_low"] == pytest.approx(100 * (886.3 - 1.959964 * 488.2) / 5090)


def test_delta_method_against_draws():
    """The error of exp(b) − 1 against a million draws of b."""
    rng = np.random.default_rng(5)
    draws = 100 * np.expm1(rng.normal(0.2, 0.03, 1_000_000))
    percent, error = conversions.percent_of_log(0.2, 0.03)
    assert percent == pytest.approx(np.median(draws), rel=1e-3)
    assert error == pytest.approx(draws.std(), rel=0.01)


@pytest.mark.parametrize(
    ("whole", "parts"),
    [
        ("jtpa_whole", ("abadie2002_01", "abadie2002_03")),
        ("colombia_whole", ("attanasio2011_05", "attanasio2011_06")),
    ],
)
def test_whole_samples_are_made_of_their_parts(whole, parts):
    found = [row(name) for name in parts]
    columns = ([r[c] for r in found] for c in ("estimate", "std_error", "n"))
    effect, error = conversions.combined(*columns)
    assert row(whole)["estimate"] == pytest.approx(effect, rel=1e-3)
    assert row(whole)["std_error"] == pytest.approx(error, rel=1e-3)
    assert row(whole)["n"] == sum(r["n"] for r in found)


def test_errors_from_what_is_printed():
    """t 9.27 of 0.0724, p 0.004 of 0.366, an interval of 40 to 88."""
    assert conversions.error_from_t(0.0724, -9.27) == pytest.approx(0.00781, abs=1e-5)
    assert conversions.error_from_p(0.366, 0.004) == pytest.approx(0.1272, abs=5e-4)
    assert conversions.error_from_interval(40, 88) == pytest.approx(48 / 3.919928, rel=1e-6)


def test_a_loss_of_everything_has_no_logarithm():
    with pytest.raises(ValueError, match="no logarithm"):
        conversions.log_of_percent(-100, 5)


def test_egger_by_weighted_least_squares():
    """The same regression as weighted least squares of effects on errors (normal equations)."""
    y, s = np.array([1.0, 4.0, 2.0, 7.0, 6.0]), np.array([0.5, 2.0, 1.0, 3.0, 2.5])
    fit = egger(y, s)
    design = np.column_stack([np.ones(5), s]) / s[:, None]
    solved = np.linalg.solve(design.T @ design, design.T @ (y / s))
    assert (fit.limit, fit.slope) == pytest.approx(tuple(solved))
    residual = y / s - design @ solved
    variance = residual @ residual / 3 * np.linalg.inv(design.T @ design)[1, 1]
    assert fit.std_error == pytest.approx(math.sqrt(variance))
