"""Single estimates: numbers against the printed tables, and what is refused."""

from __future__ import annotations

import matplotlib as mpl
import polars as pl
import pytest
from matplotlib import pyplot as plt

from analysis.faults import FaultsError
from analysis.results.plot import exhibit_of
from analysis.studies.estimates import studies
from analysis.studies.meta_analysis import pool
from analysis.studies.rating import rate

mpl.use("agg")


def test_an_estimate_is_in_per_cent_of_the_comparison_mean():
    """Attanasio and others (2011), table 4A: 39,369 (9,955) pesos on a mean of 177,161."""
    women = studies("training").estimate("attanasio2011_01")
    assert women.value == pytest.approx(100 * 39369 / 177161)
    assert women.std_error == pytest.approx(100 * 9955 / 177161)
    assert women.ci_low == pytest.approx(100 * (39369 - 1.959964 * 9955) / 177161)
    assert women.text == "22.2"
    pesos = studies("training").estimate("attanasio2011_01", as_printed=True)
    assert (pesos.value, pesos.std_error, pesos.unit) == (39369, 9955, "currency")
    assert women.provenance.evidence == "published"


def test_an_estimate_without_a_comparison_mean_stays_in_its_unit():
    """Schochet (2018), table A.2, year 5: −21 (265) dollars a participant."""
    fifth = studies("training").estimate("schochet2018_06")
    assert (fifth.value, fifth.std_error, fifth.unit) == (-21, 265, "currency")


def test_an_estimate_without_an_error_has_no_interval():
    nigeria = studies("cooperatives").estimate("nigeria_members")
    assert nigeria.value == 10
    assert nigeria.ends == (None, None)
    assert nigeria.note == "no standard error is known"


def test_an_estimate_with_a_range_has_its_ends():
    """Better-off families of villages with works: 6.1 to 9.2 per cent, income and spending."""
    richer = studies("targeting_area").estimate("poor_villages_richer")
    assert richer.ends == (6.1, 9.2)
    assert richer.note == "no standard error is known"


@pytest.mark.parametrize(
    ("name", "said"), [("atlantis", "no such estimate"), ("ethiopia_factory", "a direction")]
)
def test_what_has_no_number_is_refused(name, said):
    with pytest.raises(FaultsError, match=said):
        studies("jobs_migration").estimate(name)


def test_the_figure_draws_every_per_cent_once_and_no_mean():
    members = studies("cooperatives")
    figure = members.plot().get_figure(root=True)
    shown = exhibit_of(figure)
    plt.close(figure)
    drawn = members.frame.filter(pl.col("percent").is_not_null())
    assert sorted(shown.data["id"]) == sorted(drawn["id"])
    assert "Mean" not in shown.alt
    with pytest.raises(FaultsError, match="no estimate is in per cent"):
        members.directions.plot()


def test_the_table_prints_results_in_their_unit():
    training = studies("training")
    shown = training.where(pl.col("id").is_in(["attanasio2011_01", "schochet2018_06"])).table()
    assert shown.shown["result"].to_list() == ["22.2 % (11.2 to 33.2)", "−20 (260) in money"]


def test_the_predictive_interval_is_that_of_the_hierarchical_model():
    pooled = pool(studies("training"), outcome="earnings")
    shown = pooled.predictive_interval
    assert (shown.low, shown.high) == pytest.approx(pooled.predictive().interval())
    assert shown.low < pooled.prediction.ci_low
    assert shown.high > pooled.prediction.ci_high


def test_a_rating_shows_what_is_asked_for_and_measured():
    """Five randomised studies, none rural: two conditions of data/studies/rating.csv fail."""
    shown = rate(studies("training"), "earnings").table().shown
    first, failing = shown.row(0, named=True), shown.filter(pl.col("holds") == "no")
    assert (first["asked for"], first["measured"], first["holds"]) == ("at least 4", "5", "yes")
    assert failing["asked for"].to_list() == ["at least 1", "at least 0.5"]
    assert rate(studies("cooperatives"), "household_income").table().shown.height == 1
