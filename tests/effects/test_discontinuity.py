"""Discontinuity against rdrobust itself, by hand, and what is refused.

The published number of the quadratic and of rdrobust are in tests/validation.
"""

import numpy as np
import polars as pl
import pytest

from analysis.effects import discontinuity as rd
from analysis.faults import FaultsError


def scores(jump=3.0):
    """Two hundred units, a line on each side, a jump, arithmetic noise."""
    s = np.linspace(-1, 1, 201)
    noise = ((np.arange(201) * 37) % 11 - 5) / 10
    return pl.DataFrame(
        {
            "score": s,
            "y": 1 + 2 * s + jump * (s >= 0) + s * (s >= 0) + noise,
            "age": 40 + 5 * s + noise[::-1],
            "village": np.arange(201) % 20,
        }
    )


def test_line_on_each_side_is_two_regressions():
    data = scores()
    found = rd.polynomial(rd.prepare(data, "y", "score"))
    ends = [
        np.polyfit(part["score"], part["y"], 1)[1]
        for part in (data.filter(pl.col("score") >= 0), data.filter(pl.col("score") < 0))
    ]
    assert found.estimate == pytest.approx(ends[0] - ends[1])
    assert found.convention == "HC1"


def test_treated_below_turns_the_sign():
    above = rd.polynomial(rd.prepare(scores(), "y", "score"), 2)
    below = rd.polynomial(rd.prepare(scores(), "y", "score", treated_below=True), 2)
    assert below.estimate == pytest.approx(-above.estimate)
    assert below.std_error == pytest.approx(above.std_error)


def test_rdrobust():
    package = pytest.importorskip("rdrobust", reason="the optional rdrobust is not installed")
    data = scores()
    other = package.rdrobust(data["y"].to_numpy(), data["score"].to_numpy())
    conventional, robust = rd.local(rd.prepare(data, "y", "score"))
    assert conventional.estimate == other.coef.loc["Conventional"].item()
    assert (robust.estimate, robust.std_error) == (
        other.coef.loc["Robust"].item(),
        other.se.loc["Robust"].item(),
    )
    low, high = other.ci.loc["Robust"]
    assert (robust.ci_low, robust.ci_high) == pytest.approx((low, high))
    assert robust.more["bandwidth"] == other.bws.iloc[0, 0]
    assert robust.about.library.startswith("rdrobust")


def test_cutoff_elsewhere_and_clusters():
    pytest.importorskip("rdrobust", reason="the optional rdrobust is not installed")
    moved = scores().with_columns(pl.col("score") + 10)
    plain = rd.local(rd.prepare(scores(), "y", "score", cluster="village"))
    found = rd.local(rd.prepare(moved, "y", "score", cutoff=10, cluster="village"))
    assert found[1].estimate == pytest.approx(plain[1].estimate, rel=1e-6)
    assert found[1].n_clusters == 20


def test_without_rdrobust_the_remedy_is_named(monkeypatch):
    def missing(name):
        raise ImportError(name)

    monkeypatch.setattr(rd.importlib, "import_module", missing)
    with pytest.raises(FaultsError, match=r"rdrobust is not installed.*\[discontinuity\]"):
        rd.local(rd.prepare(scores(), "y", "score"))


def test_donut_and_window_are_counted():
    taken = rd.prepare(scores(), "y", "score", donut=0.0501)
    assert taken.left_out == {rd.DONUT: 11}
    found = rd.polynomial(taken, within=0.5001)
    assert found.about.left_out == {rd.DONUT: 11, "farther than 0.5001 away": 100}
    assert found.more["bandwidth"] == 0.5001


def test_covariates_do_not_jump():
    (age,) = rd.balance(rd.prepare(scores(), "y", "score", ["age"]))
    assert age.key.outcome == "age"
    assert age.ci_low < 0 < age.ci_high


def test_counts_by_the_binomial():
    """2 below and 8 above: 2·(1 + 10 + 45)/1024."""
    s = [-0.2, -0.1, *np.linspace(0.01, 0.2, 8), -0.9, 0.9]
    data = pl.DataFrame({"score": s, "y": np.arange(12.0)})
    found = rd.count_test(rd.prepare(data, "y", "score"), 0.25)
    assert found.row(0)[1:3] == (2, 8)
    assert found["p_value"].item() == pytest.approx(2 * 56 / 1024)


@pytest.mark.parametrize(
    ("run", "words"),
    [
        (lambda: rd.prepare(scores().filter(pl.col("score") > 0), "y", "score"), "no control"),
        (lambda: rd.prepare(scores(), "y", "points"), "no such column"),
        (lambda: rd.polynomial(rd.prepare(scores(), "y", "score"), 4), "neither 1 nor 2"),
        (lambda: rd.polynomial(rd.prepare(scores(), "y", "score"), within=0.001), "no control"),
        (lambda: rd.balance(rd.prepare(scores(), "y", "score")), "no covariates"),
        (lambda: rd.count_test(rd.prepare(scores(), "y", "score", donut=0.1), 0.2), "donut"),
        (
            lambda: rd.count_test(
                rd.prepare(scores().filter(pl.col("score") != 0), "y", "score"), 0.001
            ),
            "nobody is that near",
        ),
    ],
)
def test_refused(run, words):
    with pytest.raises(FaultsError, match=words):
        run()


def test_too_few_units_near_the_cutoff():
    pytest.importorskip("rdrobust", reason="the optional rdrobust is not installed")
    few = scores().gather_every(40)
    with pytest.raises(FaultsError, match="rdrobust cannot estimate"):
        rd.local(rd.prepare(few, "y", "score"))
