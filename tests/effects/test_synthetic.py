"""Synthetic difference-in-differences: a published number, by hand, and what is refused.

California's tobacco programme: -15.60383, the number of the authors' R package and of Stata's sdid
(the article prints -15.6). Their data are in the wheel of causalpy (Apache), which is not a
dependency: the check runs where it is installed. The article's error, 8.4, is from random draws of
placebo states; Stata's manual has 9.9 from others. Treating each state once gives 9.37.
"""

import importlib.util
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from analysis.effects import synthetic
from analysis.effects.table import Table
from analysis.faults import FaultsError


def villages(effect=4.0, n=8, periods=7, first=2016):
    """One treated village that is the mean of the first two others, to the digit, before."""
    t = np.arange(periods)
    waves = [10 + k + 1.5 * ((k * t * 7) % 5) for k in range(n)]
    treated = 3 + (waves[0] + waves[1]) / 2 + effect * (2012 + t >= first)
    rows = [("treated", treated, first), *((f"v{k}", wave, 0) for k, wave in enumerate(waves))]
    return pl.DataFrame(
        [
            {"village": name, "period": 2012 + s, "mean": float(y[s]), "first": g}
            for name, y, g in rows
            for s in t
        ]
    )


def test_parallel_villages_give_the_effect_to_the_digit():
    """Levels differ, changes do not: whatever the weights, 4; every placebo is 0."""
    t, level = np.arange(7), {"treated": 3, **{f"v{k}": 10 + k * k for k in range(6)}}
    data = pl.DataFrame(
        [
            {
                "village": name,
                "period": 2012 + s,
                "first": 2016 if name == "treated" else 0,
                "mean": base + (s * 7) % 5 + 4.0 * (name == "treated" and s >= 4),
            }
            for name, base in level.items()
            for s in t.tolist()
        ]
    )
    found = synthetic.estimate(data, "treated", outcome="income", tier="model", unit="yuan")
    assert found.effect.estimate == pytest.approx(4, abs=1e-9)
    assert found.effect.std_error == pytest.approx(0, abs=1e-9)
    assert found.villages["weight"].sum() == pytest.approx(1)
    assert found.path["weight"].sum() == pytest.approx(1)
    assert found.effect.about.units == {"income": "yuan"}


def test_the_estimate_is_the_weighted_double_difference():
    """τ = Σω and Σλ differences of the published weights (Arkhangelsky et al. 2021, section 2)."""
    data = villages()
    found = synthetic.estimate(data, "treated")
    gap = (found.path["treated"] - found.path["synthetic"]).to_numpy()
    after, weight = found.path["after"].to_numpy(), found.path["weight"].to_numpy()
    assert found.effect.estimate == pytest.approx(gap[after].mean() - gap @ weight, rel=1e-9)


def test_error_is_the_spread_of_placebos():
    found = synthetic.estimate(villages(), "treated")
    placebos = found.villages["placebo"].to_numpy()
    assert found.effect.std_error == pytest.approx(placebos.std())
    as_far = 1 + (np.abs(placebos) >= abs(found.effect.estimate)).sum()
    assert found.effect.more == {"placebos": 8.0, "share_as_far": as_far / 9}
    assert found.effect.convention == "placebo"


def test_order_of_rows_does_not_matter():
    data = villages()
    plain = synthetic.estimate(data, "treated").effect
    mixed = synthetic.estimate(data.reverse(), "treated").effect
    assert (mixed.estimate, mixed.std_error) == pytest.approx((plain.estimate, plain.std_error))


def test_other_treated_villages_are_left_out_and_counted():
    data = villages().with_columns(
        first=pl.when(pl.col("village") == "v3").then(2015).otherwise(pl.col("first"))
    )
    found = synthetic.estimate(data, "treated", tier="model")
    assert "v3" not in found.villages["village"]
    assert found.effect.about.left_out == {synthetic.OTHERS: 1}
    assert (found.effect.about.rows_in, found.effect.about.rows_used) == (9, 8)
    assert "diff-diff" in repr(found)


def table(cohort):
    """Three villages of two strata, two periods each before and after."""
    rows, periods = len(cohort), np.arange(2014, 2018)
    return Table(
        villages=("a", "b", "c"),
        strata=("s", "t"),
        outcomes=("income",),
        periods=periods,
        village=np.arange(rows) // 2,
        cohort=np.array(cohort),
        stratum=np.arange(rows) % 2,
        n=np.full((rows, 4), 2),
        weight=np.full((rows, 4), 2.0) + np.arange(rows)[:, None],
        total=(np.arange(rows * 4.0).reshape(rows, 4) ** 1.5)[..., None],
        n_ever=np.full(rows, 2),
        weight_ever=np.full(rows, 2.0),
    )


def test_means_from_cells():
    cells = table([2016, 2016, 0, 0, 0, 0])
    found = synthetic.means(cells, "income", "a")
    own = cells.total[:2, 1, 0].sum() / cells.weight[:2, 1].sum()
    assert found.filter(village="a", period=2015)["mean"].item() == pytest.approx(own)
    assert found.group_by("village").agg(pl.col("first").max()).sort("village")[
        "first"
    ].to_list() == [2016, 0, 0]
    assert np.isfinite(synthetic.estimate(found, "a").effect.estimate)


@pytest.mark.parametrize(
    ("run", "words"),
    [
        (lambda: synthetic.means(table([2016, 0, 0, 0, 0, 0]), "income", "a"), "different cohorts"),
        (
            lambda: synthetic.means(table([2016, 2016, 0, 0, 0, 0]), "income", "z"),
            "no such village",
        ),
        (lambda: synthetic.estimate(villages(), "v1"), "not treated"),
        (lambda: synthetic.estimate(villages(), "nowhere"), "not treated"),
        (lambda: synthetic.estimate(villages(first=2013), "treated"), "1 periods lie before"),
        (lambda: synthetic.estimate(villages(first=2030), "treated"), "0 after"),
        (
            lambda: synthetic.estimate(
                villages().filter(pl.col("village").is_in(["v0", "treated"])), "treated"
            ),
            "fewer than two controls",
        ),
        (lambda: synthetic.estimate(villages().tail(-1), "treated"), "missing or infinite"),
    ],
)
def test_refused(run, words):
    with pytest.raises(FaultsError, match=words):
        run()


def test_california():
    spec = importlib.util.find_spec("causalpy")
    if spec is None or spec.origin is None:
        pytest.skip("causalpy, whose wheel has the data, is not installed: it is no dependency")
    states = pl.read_csv(Path(spec.origin).parent / "data" / "california_prop99.csv")
    data = states.unpivot(index="Year", variable_name="village", value_name="mean").with_columns(
        period=pl.col("Year"),
        first=pl.when(pl.col("village") == "California").then(1989).otherwise(0),
    )
    found = synthetic.estimate(data, "California", outcome="packs", tier="public")
    assert round(found.effect.estimate, 5) == -15.60383
    # Figure 1 of the R package's vignette names these first.
    assert found.villages["village"].head(3).to_list() == ["Nevada", "New Hampshire", "Connecticut"]
    assert found.effect.std_error == pytest.approx(9.37, abs=0.005)
