"""Discontinuity: stored numbers of rdrobust, by hand, and what is refused (cases 09 and 15)."""

import numpy as np
import polars as pl
import pytest
import statsmodels.formula.api as smf

import analysis as va
from analysis.designs import regression_discontinuity as rd
from analysis.faults import FaultsError

RDROBUST = {
    "plain": (1.70385661, 0.36639537, 1.87187877, 0.42122251, 0.28087549),
}
"""rdrobust 2.1.1 (Python) on `uniform`, printed to eight decimals: conventional estimate and error,
robust ones, bandwidth."""


def uniform():
    rng = np.random.default_rng(1)
    s = rng.uniform(-1, 1, 500)
    return pl.DataFrame({"s": s, "y": s + (s > 0) + rng.normal(size=500)})


def scores(jump=3.0):
    """Two hundred units, a line on each side, a jump, arithmetic noise; one at the cutoff."""
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


def run(data=None, **options):
    chosen = {"treated_below": False, "cutoff_treated": True} | options
    return va.rdd(scores() if data is None else data, "y", "score", 0.0, **chosen)


def test_local_regression_is_rdrobusts():
    found = va.rdd(uniform(), "y", "s", 0.0, treated_below=False)
    effect, plain = found.effect, found.conventional
    numbers = (plain.value, plain.std_error, effect.value, effect.std_error, found.window.value)
    assert numbers == pytest.approx(RDROBUST["plain"], rel=5e-7)
    assert found.comparison.library.startswith("diff-diff 3")


def test_line_on_each_side_is_two_regressions():
    data = scores()
    ends = [
        np.polyfit(part["score"], part["y"], 1)[1]
        for part in (data.filter(pl.col("score") >= 0), data.filter(pl.col("score") < 0))
    ]
    assert run(method="linear").effect.value == pytest.approx(ends[0] - ends[1])


def test_errors_of_a_line_are_hc2():
    data = scores().with_columns(d=(pl.col("score") >= 0).cast(pl.Int64))
    frame = data.to_dict(as_series=False)
    fit = smf.ols("y ~ d * score", frame).fit(cov_type="HC2")
    assert run(method="linear").effect.std_error == pytest.approx(fit.bse["d"])


@pytest.mark.parametrize("method", ["local", "linear", "quadratic"])
def test_treated_below_turns_the_sign(method):
    above = va.rdd(uniform(), "y", "s", 0.0, treated_below=False, method=method)
    below = va.rdd(uniform(), "y", "s", 0.0, treated_below=True, method=method)
    assert below.effect.value == pytest.approx(-above.effect.value, rel=1e-6)
    assert below.effect.std_error == pytest.approx(above.effect.std_error, rel=1e-6)


def test_rows_on_the_cutoff_need_a_side():
    """Case 15: eligible at or below 30, whole points; the effect is 200."""
    rng = np.random.default_rng(7)
    s = rng.integers(10, 51, 4000)
    y = 1000 + 5 * (s - 30) + 200 * (s <= 30) + rng.normal(0, 50, 4000)
    frame = pl.DataFrame({"y": y, "s": s})
    options = {"treated_below": True, "method": "linear", "bandwidth": 8}
    with pytest.raises(FaultsError, match=r"109 rows lie exactly on the cutoff.*cutoff_treated"):
        va.rdd(frame, "y", "s", 30, **options)
    found = va.rdd(frame, "y", "s", 30, cutoff_treated=True, **options).effect
    between = va.rdd(frame, "y", "s", 30.5, **options).effect
    assert found.ci_low < 200 < found.ci_high
    assert between.value == pytest.approx(200.0, abs=0.05)
    wrong = va.rdd(frame, "y", "s", 30, cutoff_treated=False, **options).effect
    assert wrong.ci_high < 150


def test_whole_scores_are_counted_by_as_many_values_on_each_side():
    """Case 09: 84 at −1 against 109 at 0, 193 against 203; p of the binomial."""
    rng = np.random.default_rng(7)
    s = rng.integers(-20, 21, 4000)
    frame = pl.DataFrame({"y": rng.normal(size=4000), "s": s})
    table = va.rdd(frame, "y", "s", 0, treated_below=False, cutoff_treated=True).counts((1, 2))
    assert table.frame["n_control"].to_list() == [84, 193]
    assert table.frame["n_treated"].to_list() == [109, 203]
    assert [round(p, 2) for p in table.frame["p_value"]] == [0.08, 0.65]
    with pytest.raises(FaultsError, match="few values"):
        va.rdd(frame, "y", "s", 0, treated_below=False, cutoff_treated=True).density()


def test_two_values_are_a_score_of_whole_points():
    assert rd.step_of(np.array([-1.0, -1, 0, 0])) == 1.0
    assert rd.step_of(np.array([0.0, 0, 0])) is None


def test_bent_scores_are_found():
    rng = np.random.default_rng(3)
    s = rng.integers(-20, 21, 2000)
    s = np.where((s == -1) & (rng.random(2000) < 0.8), 0, s)
    frame = pl.DataFrame({"y": rng.normal(size=2000), "s": s})
    found = va.rdd(frame, "y", "s", 0, treated_below=False, cutoff_treated=True)
    assert found.counts((1,)).effect.p_value < 0.001


def test_density_of_an_even_score_does_not_jump():
    found = va.rdd(uniform(), "y", "s", 0.0, treated_below=False).density()
    assert found.effect.p_value > 0.05


def test_donut_and_window_are_counted():
    found = run(method="linear", donut=0.0501, bandwidth=0.5001)
    assert found.account.left_out == {rd.DONUT: 11, "farther than 0.5001 from the cutoff": 100}
    with pytest.raises(FaultsError, match="donut"):
        found.counts()


def test_clusters_use_the_bandwidth_and_leave_villages_out():
    found = run(cluster="village")
    assert found.window.value == pytest.approx(run().window.value)
    assert found.effect.value == pytest.approx(run().conventional.value, rel=1e-6)
    assert found.account.n_clusters_treated == 20


def test_fuzzy_is_the_ratio_of_jumps():
    data = scores().with_columns(
        part=pl.when(pl.col("score") >= 0)
        .then((pl.int_range(pl.len()) % 5 > 0).cast(pl.Float64))
        .otherwise((pl.int_range(pl.len()) % 7 == 0).cast(pl.Float64))
    )
    found = run(data, take_up="part", method="linear")
    sharp = run(data, method="linear").effect.value
    assert found.effect.value == pytest.approx(sharp / found.first_stage.value)
    local = run(data, take_up="part")
    assert local.effect.ci_low < 3 / local.first_stage.value < local.effect.ci_high


def test_balance_and_bandwidths():
    found = run()
    age = found.balance(["age"]).effect_of("age")
    assert age.ci_low < 0 < age.ci_high
    table = found.bandwidths((0.5, 1.0))
    assert table.frame["estimate"][1] == pytest.approx(found.effect.value)


def test_the_figure_shows_means_and_its_text():
    ax = run().plot()
    assert len(ax.lines) == 5


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"data": scores().filter(pl.col("score") > 0)}, "no control"),
        ({"method": "cubic"}, "no such method"),
        ({"method": "linear", "bandwidth": 0.001}, "no control"),
        ({"data": scores().gather_every(40)}, "cannot be fitted"),
    ],
)
def test_refused(options, words):
    with pytest.raises(FaultsError, match=words):
        run(**options)
