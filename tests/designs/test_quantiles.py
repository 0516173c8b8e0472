"""Effects on quantiles: numpy's inverted distribution function, known errors, bands."""

import numpy as np
import polars as pl
import pytest

import analysis as va
from analysis.designs import quantiles
from analysis.faults import FaultsError


def trial(n=400, seed=1):
    rng = np.random.default_rng(seed)
    d = rng.integers(0, 2, n)
    return pl.DataFrame({"y": rng.normal(size=n) * (1 + d) + d, "d": d, "v": np.arange(n) // 10})


def test_quantiles_are_numpys():
    frame = trial()
    found = va.quantiles(frame, "y", "d", shares=[0.2, 0.5])
    arms = [frame.filter(d=arm)["y"].to_numpy() for arm in (1, 0)]
    for share in (0.2, 0.5):
        ends = [np.quantile(arm, share, method="inverted_cdf") for arm in arms]
        assert found.of(share).value == pytest.approx(ends[0] - ends[1])


def test_whole_weights_are_copies():
    frame = trial(60).with_columns(w=1.0 + pl.int_range(pl.len()) % 3)
    many = pl.concat([frame.filter(pl.col("w") > k) for k in range(3)])
    one = va.quantiles(frame, "y", "d", weight="w", draws=20)
    other = va.quantiles(many, "y", "d", draws=20)
    assert one.frame["estimate"].to_list() == other.frame["estimate"].to_list()


def test_error_of_a_median_is_that_of_normal_theory():
    """√(π/2 (σ₁²/n₁ + σ₀²/n₀)), to the noise of one sample's density."""
    frame = trial(4000, seed=3)
    found = va.quantiles(frame, "y", "d", shares=[0.5]).effect
    n1 = int(frame["d"].sum())
    expected = np.sqrt(np.pi / 2 * (4 / n1 + 1 / (4000 - n1)))
    assert found.std_error == pytest.approx(expected, rel=0.15)


def test_the_band_holds_the_intervals_and_the_seed_repeats():
    frame = trial()
    found = va.quantiles(frame, "y", "d")
    assert (found.frame["band_low"] < found.frame["ci_low"]).all()
    assert va.quantiles(frame, "y", "d").frame.equals(found.frame)
    assert len(found.plot().lines) >= 1


def test_a_constant_effect_moves_the_points_and_not_the_band():
    frame = trial()
    more = frame.with_columns(y=pl.col("y") + 100 * pl.col("d"))
    one, other = (va.quantiles(each, "y", "d").frame for each in (frame, more))
    for name in ("estimate", "band_low", "band_high"):
        assert (other[name] - one[name]).to_list() == pytest.approx([100.0] * one.height)


def test_clusters_are_resampled_whole():
    frame = trial().with_columns(d=pl.col("v") % 2, y=pl.col("v").cast(pl.Float64))
    alone = va.quantiles(frame, "y", "d", shares=[0.5]).effect.std_error
    whole = va.quantiles(frame, "y", "d", shares=[0.5], cluster="v").effect
    assert whole.std_error > 2 * alone
    assert whole.df == pytest.approx(19)


def test_refused():
    with pytest.raises(FaultsError, match="not between 0 and 1"):
        va.quantiles(trial(), "y", "d", shares=[0, 0.5])
    assert quantiles.term(0.1) == "quantile 0.1"
