"""Selection on observables against drdid and statsmodels, by hand, and what is refused.

The stored reference is that of benchmarks/parity/doubly_robust.py.
"""

import numpy as np
import polars as pl
import pytest
import statsmodels.api as sm
from statsmodels.treatment.treatment_effects import TreatmentEffect

from analysis import paths
from analysis.designs import propensity as regression
from analysis.designs import sample
from analysis.designs.adjusted import adjust
from analysis.faults import FaultsError
from analysis.panels import public

RESULTS = pl.read_csv(
    paths.data() / "validation" / "parity" / "doubly_robust.csv", infer_schema_length=None
).filter(pl.col("package").str.starts_with("drdid"))
MEN = ["age", "educ", "black", "hisp", "marr", "re74", "re75"]


KINDS = {"outcome_regression": "regression", "propensity_weighted": "weighting"}
"""Names of the stored reference, where they differ."""


def on_treated(prepared, name="doubly_robust", overlap="all"):
    return regression.estimated(prepared, regression.ESTIMATES[KINDS.get(name, name)], overlap)


@pytest.fixture(scope="module")
def men():
    return public.load("jtrain3").frame


@pytest.mark.parametrize("row", RESULTS.to_dicts(), ids=lambda row: row["estimator"])
def test_drdid(men, row):
    """The propensities come from a logit that drdid stops a little earlier: 1e-6."""
    found = on_treated(sample.prepare(men, "re78", "treat", MEN), row["estimator"])
    assert found.point == pytest.approx(row["estimate"], rel=1e-6)
    assert found.std_error == pytest.approx(row["std_error"], rel=1e-5)


def test_statsmodels_regression_adjustment(men):
    """Error by its GMM, which is HC0; the point to its printed digits."""
    y, d = men["re78"].to_numpy(), men["treat"].to_numpy()
    x = sm.add_constant(men.select("age", "educ", "re75").to_numpy().astype(float))
    other = TreatmentEffect(sm.OLS(y, x), d, results_select=sm.Logit(d, x).fit(disp=0))
    table = other.ra(effect_group=1).summary_frame().iloc[0]
    prepared = sample.prepare(men, "re78", "treat", ["age", "educ", "re75"])
    found = on_treated(prepared, "regression")
    assert found.point == pytest.approx(table.iloc[0], rel=1e-4)
    assert found.std_error == pytest.approx(table.iloc[1], rel=1e-4)


def saturated():
    """One covariate of two values: 3 and 1 treated, 2 and 4 controls."""
    return pl.DataFrame(
        {
            "x": [0, 0, 0, 1, 0, 0, 1, 1, 1, 1],
            "d": [1, 1, 1, 1, 0, 0, 0, 0, 0, 0],
            "y": [5.0, 6, 7, 9, 2, 4, 3, 5, 5, 7],
        }
    )


@pytest.mark.parametrize("name", list(regression.ESTIMATES))
def test_with_one_binary_covariate_all_are_the_weighted_difference(name):
    """6 − 3 among three treated, 9 − 5 for one: (3·3 + 4)/4."""
    found = on_treated(sample.prepare(saturated(), "y", "d", ["x"]), name)
    assert found.point == pytest.approx(13 / 4)


def test_weights_count_as_copies():
    twice = pl.concat([saturated(), saturated().head(2)])
    heavy = saturated().with_columns(w=pl.Series([2.0, 2, 1, 1, 1, 1, 1, 1, 1, 1]))
    for name in ("weighting", "doubly_robust"):
        one = on_treated(sample.prepare(heavy, "y", "d", ["x"], weight="w"), name)
        other = on_treated(sample.prepare(twice, "y", "d", ["x"]), name)
        assert one.point == pytest.approx(other.point)


def test_clusters_are_left_out_in_truth(men):
    part = men.filter(pl.col("re75") < 15).with_columns(v=pl.col("age") % 8)
    found = on_treated(sample.prepare(part, "re78", "treat", ["educ", "re75"], cluster="v"))
    without = [
        on_treated(
            sample.prepare(part.filter(pl.col("v") != v), "re78", "treat", ["educ", "re75"])
        ).point
        for v in range(8)
    ]
    expected = np.sqrt(7 / 8 * ((np.array(without) - found.point) ** 2).sum())
    assert found.std_error == pytest.approx(expected, rel=1e-6)
    assert found.errors == "CV3"


def test_support_counts_whom_it_leaves_out(men):
    whole = sample.prepare(men, "re78", "treat", MEN)
    p = regression.propensity(whole)
    inside = (p >= p[whole.treated].min()) & (p <= p[whole.treated].max())
    found = on_treated(whole, overlap="support")
    assert found.sample.left_out == {regression.SUPPORT: int((~inside).sum())}
    assert len(found.sample) == int(inside.sum())
    assert int(found.sample.d.sum()) == 185


def test_scale_of_covariates_does_not_matter(men):
    thousand = men.with_columns(pl.col("re75") * 1e6)
    plain = on_treated(sample.prepare(men, "re78", "treat", MEN))
    found = on_treated(sample.prepare(thousand, "re78", "treat", MEN))
    assert found.point == pytest.approx(plain.point, rel=1e-7)


@pytest.mark.parametrize(
    ("run", "words"),
    [
        (
            lambda: on_treated(sample.prepare(saturated(), "y", "d"), "weighting"),
            "no covariates",
        ),
        (
            lambda: on_treated(
                sample.prepare(
                    saturated().with_columns(z=pl.col("d") * 10 + pl.col("x") * pl.col("y")),
                    "y",
                    "d",
                    ["z"],
                )
            ),
            "nobody to compare them with",
        ),
        (
            lambda: adjust(
                saturated().with_columns(z=3 - pl.col("d")), "y", "d", ["z"], method="least_squares"
            ),
            "mix of those before",
        ),
        (
            lambda: on_treated(
                sample.prepare(
                    saturated().with_columns(z=pl.col("d") * pl.col("y")), "y", "d", ["z"]
                ),
                "regression",
            ),
            "constant",
        ),
        (
            lambda: adjust(
                saturated().gather_every(3).with_columns(z=pl.Series([1.0, 4, 9, 5])),
                "y",
                "d",
                ["x", "z"],
                method="least_squares",
            ),
            "no more rows than columns",
        ),
    ],
)
def test_refused(run, words):
    with pytest.raises(FaultsError, match=words):
        run()
