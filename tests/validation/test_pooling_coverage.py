"""The stored coverage of pooled intervals, and that the code still makes such a table."""

import polars as pl
import pytest

from analysis import contract, paths
from analysis.validation import pooling_coverage

FEW = {"frequentist": 20, "three_level": 2, "bayesian": 4}


@pytest.fixture(scope="module")
def stored():
    return contract.read(paths.root() / pooling_coverage.FILE, pooling_coverage.Coverage)


def test_the_code_makes_such_a_table_the_same_each_time(stored):
    table = pooling_coverage.simulate(FEW)
    keys = ["model", "interval", "n_studies", "spread"]
    assert table.select(keys).equals(stored.select(keys))
    assert table.equals(pooling_coverage.simulate(FEW))


def test_the_mean_by_reml_keeps_its_promise(stored):
    """Never under 95 per cent by more than three and a half Monte Carlo errors."""
    rows = stored.filter(pl.col("model") == "reml", pl.col("interval") == "mean")
    assert set(rows["n_studies"]) == {2, 3, 6, 20}
    assert (rows["coverage"] + 3.5 * rows["mc_error"] >= 0.95).all()


def test_an_exact_posterior_holds_the_truth_as_often_as_it_says(stored):
    """Truths drawn from the prior: any departure would be an error of the integration."""
    rows = stored.filter(pl.col("model") == "bayesian", pl.col("spread") == "drawn from the prior")
    assert rows.height == 8
    assert ((rows["coverage"] - 0.95).abs() <= 3.5 * rows["mc_error"]).all()


def test_three_levels_keep_their_promise_from_three_studies_on(stored):
    rows = stored.filter(
        pl.col("model").is_in(["three_level", "cluster_robust"]), pl.col("n_studies") >= 6
    )
    assert (rows["coverage"] + 3.5 * rows["mc_error"] >= 0.95).all()


def test_the_hierarchical_prediction_is_the_safer_one(stored):
    """Where places differ, the prediction by REML falls short with 6 studies; the other does not."""
    rows = stored.filter(pl.col("interval") == "next place", pl.col("spread").is_in(["5", "10"]))
    by = dict(rows.group_by("model").agg(pl.col("coverage").min()).iter_rows())
    assert by["reml"] < 0.92
    assert by["bayesian"] > 0.92
