"""The small panel through the whole pipeline against csdid, diff-diff, pyfixest and statsmodels."""

import contextlib
import io
import warnings

import numpy as np
import polars as pl
import pytest
from diff_diff import CallawaySantAnna, ImputationDiD

from analysis import paths
from analysis.validation import parity


@pytest.fixture(scope="module")
def every():
    return parity.compare()


def test_every_estimate_of_every_package_is_met(every):
    """1e-8 on points, 1e-6 on errors; only weighted errors of imputation have no counterpart."""
    shown = parity.summary(every)
    assert shown["agrees"].all(), shown.filter(~pl.col("agrees"))
    assert every["own"].null_count() == 0
    assert set(shown["peer"]) == {"csdid", "diff-diff", "pyfixest", "statsmodels"}
    assert set(shown["variant"]) == set(parity.VARIANTS)
    apart = every.filter(pl.col("own_error").is_null())
    assert apart.select("estimator", "weighted").unique().rows() == [("imputation", True)]


def test_one_estimate_that_differs_is_seen():
    """A millionth on one point, and apart from it a hundred-thousandth on one error."""
    few = parity.reference().filter(design=0)
    for column, factor in (("estimate", 1 + 1e-6), ("std_error", 1 + 1e-5)):
        largest = few["estimate"].abs().arg_max()
        moved = few.with_columns(
            pl.when(pl.int_range(pl.len()) == largest)
            .then(pl.col(column) * factor)
            .otherwise(column)
            .alias(column)
        )
        shown = parity.summary(parity.compare(moved)).filter(peer="csdid")
        assert not shown["agrees"].any()


def test_a_missing_estimate_is_seen():
    """The package has an effect in a period that the panel does not have."""
    few = parity.reference().filter(design=0)
    more = pl.concat([few, few.head(1).with_columns(period=pl.lit(2050, pl.Int64))])
    assert not parity.summary(parity.compare(more)).filter(peer="csdid")["agrees"].any()


def small(level):
    data = pl.read_parquet(paths.data() / "validation" / "parity" / "panel.parquet")
    pandas = pytest.importorskip("pandas", reason="comes with statsmodels")
    return pandas.DataFrame(
        data.with_columns(first=pl.col(f"cohort_{level}")).to_dict(as_series=False)
    )


def fitted(model, data, **more):
    with contextlib.redirect_stdout(io.StringIO()), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return model.fit(data, "income", "household", "period", "first", **more)


@pytest.mark.parametrize("level", ["village", "household"])
def test_diff_diff_as_it_is_installed_still_gives_the_stored_estimates(level):
    """diff-diff is in the lock: a new version that moves its numbers is seen here."""
    stored = parity.reference().filter(
        peer="diff-diff",
        estimator="group_time",
        level=level,
        handling="balanced",
        controls="never",
        base="varying",
        anticipation=0,
        weighted=False,
        strata=False,
    )
    fit = fitted(CallawaySantAnna(estimation_method="reg", cluster="village"), small(level))
    assert stored.height == len(fit.group_time_effects)
    for row in stored.iter_rows(named=True):
        now = fit.group_time_effects[row["cohort"], row["period"]]
        assert now["effect"] == pytest.approx(row["estimate"], rel=1e-9)
        assert now["se"] == pytest.approx(row["std_error"], rel=1e-9)


def test_imputation_of_diff_diff_as_it_is_installed():
    stored = parity.reference().filter(
        peer="diff-diff",
        estimator="imputation",
        level="village",
        handling="balanced",
        anticipation=0,
        weighted=False,
        aggregation="treated_mean",
    )
    fit = fitted(ImputationDiD(cluster="village"), small("village"))
    both = [fit.overall_att, fit.overall_se]
    assert np.allclose(both, stored.select("estimate", "std_error").row(0), rtol=1e-9)
