"""Randomised designs: by hand, by brute force and by statsmodels; what cannot be is refused."""

import numpy as np
import pandas as pd
import polars as pl
import pytest
import statsmodels.formula.api as smf

from analysis.designs import experiments, sample
from analysis.designs.micro import FEW, MicroEffects
from analysis.faults import FaultsError
from analysis.panels import public


@pytest.fixture(scope="module")
def men():
    return public.load("jtrain2").frame


def pandas(frame):
    """Without PyArrow, which polars would want."""
    return pd.DataFrame(frame.to_dict(as_series=False))


def small(**columns):
    return pl.DataFrame({"y": [3.0, 5.0, 7.0, 1.0, 2.0, 6.0], "d": [1, 1, 1, 0, 0, 0], **columns})


def villages():
    """Twelve villages, treatment by village, unequal sizes; arithmetic only."""
    rows = [
        {
            "village": v,
            "d": v % 2,
            "x": (7 * i + 3 * v) % 11,
            "weight": 1 + (i + v) % 3,
            "y": 10.0 + 2 * (v % 2) + 0.5 * ((7 * i + 3 * v) % 11) + (5 * v + 3 * i) % 7,
        }
        for v in range(12)
        for i in range(4 + v % 5)
    ]
    return pl.DataFrame(rows)


def test_two_means_by_hand():
    """Means 5 and 3; variances 4 and 7 over 3 units each: 11/3. Satterthwaite by its formula."""
    found = experiments.two_means(sample.prepare(small(), "y", "d"))
    assert found.estimate == pytest.approx(2)
    assert found.std_error == pytest.approx(np.sqrt(11 / 3))
    assert found.degrees == pytest.approx((11 / 3) ** 2 / ((4 / 3) ** 2 / 2 + (7 / 3) ** 2 / 2))


def test_two_means_are_hc2(men):
    fit = smf.ols("re78 ~ treat", pandas(men)).fit(cov_type="HC2")
    found = experiments.two_means(sample.prepare(men, "re78", "treat"))
    assert found.estimate == pytest.approx(fit.params["treat"])
    assert found.std_error == pytest.approx(fit.bse["treat"], rel=1e-10)


def test_strata_by_hand():
    """Strata of 4 and 2: (4/6)·1 + (2/6)·5; the second has one unit an arm: no error."""
    data = pl.DataFrame({"y": [3.0, 5, 2, 4, 9, 4], "d": [1, 1, 0, 0, 1, 0], "s": list("aaaabb")})
    found = experiments.stratified(sample.prepare(data, "y", "d", stratum="s"))
    assert found.estimate == pytest.approx(4 / 6 + 10 / 6)
    assert np.isnan(found.std_error)
    assert found.note == experiments.ALONE
    twice = pl.concat([data, data.with_columns(pl.col("y") + pl.Series([0, 2, 0, 2, 2, 2]))])
    found = experiments.stratified(sample.prepare(twice, "y", "d", stratum="s"))
    variance = {
        name: sum(part.filter(d=arm)["y"].var() / part.filter(d=arm).height for arm in (0, 1))
        for (name,), part in twice.group_by("s")
    }
    assert found.std_error == pytest.approx(np.sqrt(4 / 9 * variance["a"] + 1 / 9 * variance["b"]))


def test_one_stratum_is_two_means(men):
    one = men.with_columns(s=pl.lit("all"))
    plain = experiments.two_means(sample.prepare(men, "re78", "treat"))
    found = experiments.stratified(sample.prepare(one, "re78", "treat", stratum="s"))
    assert (found.estimate, found.std_error, found.degrees) == pytest.approx(
        (plain.estimate, plain.std_error, plain.degrees)
    )


@pytest.mark.parametrize("weight", ["", "weight"])
def test_clusters_left_out_by_brute_force(weight):
    data = villages()
    found = experiments.clustered(
        sample.prepare(data, "y", "d", ["x"], cluster="village", weight=weight)
    )

    def fit(frame):
        made = smf.wls(
            "y ~ d + x",
            pandas(frame),
            weights=frame[weight].to_numpy() if weight else np.ones(frame.height),
        )
        return made.fit().params["d"]

    without = np.array([fit(data.filter(pl.col("village") != v)) for v in range(12)])
    assert found.estimate == pytest.approx(fit(data))
    expected = np.sqrt(11 / 12 * ((without - found.estimate) ** 2).sum())
    assert found.std_error == pytest.approx(expected, rel=1e-9)
    assert (found.degrees, found.n_clusters_treated, found.n_clusters) == (11, 6, 12)


def test_few_clusters_have_no_interval():
    data = villages().filter(pl.col("village").is_in([0, 1, 2, 3]))
    found = experiments.clustered(sample.prepare(data, "y", "d", cluster="village"))
    assert found.note == FEW
    assert np.isnan([found.std_error, found.ci_low]).all()
    assert np.isfinite(found.estimate)


def test_lin_is_the_interacted_regression(men):
    data = men.with_columns(
        age_c=pl.col("age") - pl.col("age").mean(), re75_c=pl.col("re75") - pl.col("re75").mean()
    )
    fit = smf.ols("re78 ~ treat * (age_c + re75_c)", pandas(data)).fit(cov_type="HC2")
    found = experiments.lin(sample.prepare(men, "re78", "treat", ["age", "re75"]))
    assert found.estimate == pytest.approx(fit.params["treat"])
    assert found.std_error == pytest.approx(fit.bse["treat"])
    assert found.about.covariates == ("age", "re75")


def test_take_up_is_the_ratio_of_two_differences():
    """Effect of the offer 2 over its effect on taking part 2/3."""
    part = np.array([1.0, 1, 0, 0, 0, 0])
    found = experiments.take_up(sample.prepare(small(), "y", "d"), part, "took part")
    assert found.estimate == pytest.approx(2 / (2 / 3))
    assert found.more["first_stage"] == pytest.approx(2 / 3)


def test_take_up_leaves_out_clusters_by_brute_force():
    data = villages()
    part = ((data["d"] * 2 + data["x"] % 3) > 2).cast(pl.Float64).to_numpy()
    whole = sample.prepare(data, "y", "d", ["x"], cluster="village")
    found = experiments.take_up(whole, part, "took part", errors="CV3")
    without = []
    for v in range(12):
        keep = (data["village"] != v).to_numpy()
        less = sample.prepare(data.filter(pl.Series(keep)), "y", "d", ["x"])
        without.append(experiments.take_up(less, part[keep], "took part").estimate)
    expected = np.sqrt(11 / 12 * ((np.array(without) - found.estimate) ** 2).sum())
    assert found.std_error == pytest.approx(expected, rel=1e-9)


def test_what_a_result_says(men):
    data = men.with_columns(re75=pl.when(pl.col("age") > 50).then(None).otherwise(pl.col("re75")))
    taken = sample.prepare(
        data, "re78", "treat", ["re75"], missing="leave_out", tier="public", unit="thousand dollars"
    )
    found = experiments.lin(taken)
    for words in (
        "tier public",
        "covariates re75",
        f"{len(taken)} of 445 rows",
        "weights: none",
        "a value is missing",
        "HC2",
        "statsmodels 0.",
    ):
        assert words in repr(found)
        assert words in found._repr_html_()
    frame = MicroEffects((found,)).to_frame()
    assert frame["unit"].item() == "thousand dollars"
    assert frame["rows_in"].item() == 445


@pytest.mark.parametrize(
    ("run", "words"),
    [
        (lambda: sample.prepare(small(), "y", "z"), "no such column"),
        (lambda: sample.prepare(small(d=[1] * 6), "y", "d"), "no control is left"),
        (lambda: sample.prepare(small(d=[0] * 6), "y", "d"), "no treated unit is left"),
        (lambda: sample.prepare(small(d=[0, 1, 2, 0, 1, 0]), "y", "d"), "neither 0 nor 1"),
        (lambda: sample.prepare(small(y=[2.0] * 6), "y", "d"), "same value for everybody"),
        (lambda: sample.prepare(small(y=[1.0, None, 3, 4, 5, 6]), "y", "d"), "values are missing"),
        (lambda: sample.prepare(small(y=[1.0, np.nan, 3, 4, 5, 6]), "y", "d"), r"y 1 rows"),
        (lambda: sample.prepare(small(y=[1.0, np.inf, 3, 4, 5, 6]), "y", "d"), "infinite"),
        (lambda: sample.prepare(small(x=[1.0] * 6), "y", "d", ["x"]), "constant"),
        (
            lambda: sample.prepare(
                small(x=[1, 2, 3, 4, 5, 7], z=[2, 4, 6, 8, 10, 14]), "y", "d", ["x", "z"]
            ),
            "mix of those before",
        ),
        (lambda: sample.prepare(small(x=list("abcdef")), "y", "d", ["x"]), "not numbers"),
        (lambda: sample.prepare(small(x=[1, 2, 3, 4, 5, 7]), "y", "d", ["x", "x"]), "named twice"),
        (lambda: sample.prepare(small(w=[1, 1, 1, 1, 1, -1]), "y", "d", weight="w"), "negative"),
        (
            lambda: experiments.two_means(
                sample.prepare(small(v=[1, 1, 2, 2, 3, 3]), "y", "d", cluster="v")
            ),
            "not independent",
        ),
        (
            lambda: experiments.two_means(
                sample.prepare(small(s=list("ababab")), "y", "d", stratum="s")
            ),
            "inside strata",
        ),
        (
            lambda: experiments.stratified(
                sample.prepare(small(s=list("aaabbb")), "y", "d", stratum="s")
            ),
            "stratum has no control",
        ),
        (lambda: experiments.clustered(sample.prepare(small(), "y", "d")), "no cluster is named"),
        (lambda: experiments.lin(sample.prepare(small(), "y", "d")), "no covariates"),
        (
            lambda: experiments.take_up(sample.prepare(small(), "y", "d"), np.ones(6), "part"),
            "does not change who takes part",
        ),
        (
            lambda: experiments.take_up(
                sample.prepare(small(v=[1, 1, 2, 2, 3, 3]), "y", "d", cluster="v"),
                np.arange(6.0),
                "part",
            ),
            "ignore the clusters",
        ),
        (
            lambda: experiments.take_up(
                sample.prepare(small(), "y", "d"), np.full(6, np.nan), "part"
            ),
            "must be known",
        ),
        (
            lambda: experiments.clustered(
                sample.prepare(
                    small(x=[1, 1, 1, 0, 0, 0], v=[1, 2, 3, 4, 5, 6]), "y", "d", ["x"], cluster="v"
                )
            ),
            "mix of those before",
        ),
    ],
)
def test_refused(run, words):
    with pytest.raises(FaultsError, match=words):
        run()
