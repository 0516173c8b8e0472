"""Power from a frame or stated variances: textbook formulas and statsmodels."""

import numpy as np
import polars as pl
import pytest
from scipy import stats
from statsmodels.stats.power import TTestIndPower

import analysis as va
from analysis.faults import FaultsError


def test_stated_variances_are_blooms_formula():
    found = va.power(sd=2.0, icc=0.1, villages=15, households=10).effect
    error = np.sqrt(2 * 4 * (0.1 + 0.9 / 10) / 15)
    t = stats.t(28)
    assert found.value == pytest.approx((t.ppf(0.975) + t.ppf(0.8)) * error)
    assert found.df == 28


def test_a_baseline_as_covariate_is_mckenzies():
    """Variance (1 − ρ²) of the difference after, ρ of village means (McKenzie 2012)."""
    plain = va.power(sd=1.0, icc=0.2, villages=500, households=30).effect.value
    better = va.power(
        sd=1.0, icc=0.2, villages=500, households=30, before=1, autocorrelation=0.6
    ).effect.value
    few = va.power(sd=1.0, icc=0.2, villages=15, households=10, before=1).effect
    assert few.df == 27  # two means and a slope
    assert better / plain == pytest.approx(np.sqrt(1 - 0.36), rel=1e-3)


def test_power_of_an_effect_and_villages_needed():
    frame = va.power(sd=1.0, icc=0.05, villages=20, households=20, effect=0.3).frame
    size = 0.3 / np.sqrt(0.05 + 0.95 / 20)
    expected = TTestIndPower().power(size, 20, 0.05)
    assert frame["power"].item() == pytest.approx(expected, rel=1e-6)
    needed = frame["villages_needed"].item()
    at = va.power(sd=1.0, icc=0.05, villages=[needed - 1, needed], households=20).frame["estimate"]
    assert at[0] > 0.3 >= at[1]


def test_take_up_and_per_cent():
    frame = va.power(sd=1.0, icc=0.05, take_up=0.5, mean=4.0).frame
    assert frame["on_participants"].item() == pytest.approx(2 * frame["estimate"].item())
    assert frame["per_cent"].item() == pytest.approx(25 * frame["estimate"].item())


def test_variances_of_a_frame_are_found_again():
    rng = np.random.default_rng(2)
    village = np.repeat(np.arange(300), 20)
    y = rng.normal(size=300)[village] * np.sqrt(0.2) + rng.normal(size=6000) * np.sqrt(0.8)
    frame = pl.DataFrame({"y": 10 + y, "v": village})
    found = va.power(frame, "y", cluster="v", villages=20, households=20).effect.value
    stated = va.power(sd=1.0, icc=0.2, villages=20, households=20).effect.value
    assert found == pytest.approx(stated, rel=0.06)


def test_several_designs_and_what_is_left_out():
    frame = pl.DataFrame(
        {
            "y": np.arange(120.0) % 7,
            "v": np.repeat(np.arange(15), 8),
            "h": np.arange(120) // 2,
            "t": np.arange(120) % 2,
        }
    ).head(119)
    found = va.power(
        frame, "y", cluster="v", unit="h", time="t", villages=[10, 20], households=[2, 4], before=1
    )
    assert found.frame.height == 4
    assert found.account.left_out == {"households not seen in every period": 1}


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({}, "neither data nor variances"),
        ({"sd": -1.0, "icc": 0.1}, "out of range"),
        ({"sd": 1.0, "icc": 0.1, "take_up": 0.0}, "take-up"),
        ({"sd": 1.0, "icc": 0.1, "villages": 1}, "two villages"),
    ],
)
def test_refused(options, words):
    with pytest.raises(FaultsError, match=words):
        va.power(**options)
