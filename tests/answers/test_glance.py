"""All programmes at a glance: what the first page says of each, and by which rules."""

import polars as pl
import pytest

from analysis.answers import choices, glance, overview
from analysis.answers.certainty import WORDS, Certainty, certainty, finding
from analysis.studies import library, pooling
from analysis.studies.pooling import Pooled


@pytest.fixture(scope="module")
def seen():
    return {one.programme: one for one in glance.glances()}


def pooled(k, low, high):
    return Pooled(k, (low + high) / 2, 1.0, low, high, 0.0, 0.5, 0.0, 0.5, None, None, ())


def test_a_mean_settles_a_thing_only_if_it_rests_on_enough_samples():
    assert finding(pooled(2, 1.0, 9.0), 3, 5.0) == ""
    assert finding(pooled(3, 1.0, 9.0), 3, 5.0) == "a gain"
    assert finding(pooled(3, -9.0, -1.0), 3, 5.0) == "a loss"
    assert finding(pooled(3, -4.0, 4.0), 3, 5.0) == "little or nothing"
    assert finding(pooled(3, -6.0, 4.0), 3, 5.0) == ""
    # Inside the small range and above zero: little either way, so that is what is said.
    assert finding(pooled(3, 0.5, 4.0), 3, 5.0) == "little or nothing"


def test_the_words_follow_the_studies(seen):
    """Read by hand in data/studies: who drew lots, whose outcome is household income."""
    words = {name: one.certainty for name, one in seen.items()}
    assert words["training"] == Certainty("no usable study", "", 0, 0)  # one person's earnings
    # The one per cent is of who rents land in; of those who lease out, directions without a number.
    assert words["land_lease"] == Certainty("no usable study", "", 0, 0)
    lease = seen["land_lease"].elsewhere
    assert lease.directions == {"null": 2, "negative": 2} and lease.low is None
    assert lease.across == {"renting land in": 18.18}
    assert words["cooperative"] == Certainty("very low", "", 0, 2)  # two matching studies
    assert words["job_placement"] == Certainty("low", "", 1, 4)  # one trial in Bangladesh
    assert words["paired_assistance"] == Certainty("low", "", 4, 4)  # two pooled trials, wide
    assert words["microcredit"] == Certainty("moderate", "little or nothing", 6, 6)
    assert all(one.word in WORDS for one in words.values())


def test_a_study_from_the_place_is_what_high_asks_for(monkeypatch):
    studies, chosen = library.load(), choices.load()
    pools = pooling.all_pools(studies)
    moved = studies.estimates.with_columns(
        place=pl.when(pl.col("id") == "bihar_groups").then(pl.lit("Tibet")).otherwise("place")
    )
    from dataclasses import replace

    there = replace(studies, estimates=moved)
    assert certainty(studies, pools, "microcredit", chosen).word == "moderate"
    assert certainty(there, pools, "microcredit", chosen).word == "high"


def test_the_figure_shows_two_tiers_and_nothing_simulated(seen):
    rows = glance.marks(tuple(seen.values()))
    assert set(rows["tier"]) == {"reported", "published"}
    assert set(rows.filter(pl.col("tier") == "reported")["unit"].drop_nulls()) == {"yuan"}
    assert rows.group_by("programme", "tier").len().height == 2 * len(seen)
    # Every computed amount and every comparable study is there, once.
    told = sum(len(one.reported.computed) for one in seen.values())
    near = sum(one.elsewhere.n_comparable + len(one.elsewhere.pools) for one in seen.values())
    assert rows.filter(pl.col("kind") != "nothing").height == told + near


def test_prices_are_of_the_years_of_the_official_figures(seen):
    assert glance.price_years(tuple(seen.values())) == (2018, 2020)


def test_verdicts_are_those_of_the_stored_simulations(seen):
    assert seen["targeting"].simulated == {}
    row = overview.stored().row(
        by_predicate=(pl.col("variant") == "realistic") & (pl.col("programme") == "training"),
        named=True,
    )
    assert row["together_low"] > row["truth"]  # too high: the truth is outside
    assert seen["training"].simulated["realistic"] == "missed"


def test_a_comparison_comes_nearer_than_before_and_after_for_every_programme():
    """The first page says so."""
    table = overview.judged(overview.stored()).filter(pl.col("variant") == "realistic")
    naive = (table["before_after"] - table["truth_last"]).abs()
    assert (table["together_off"].abs() < naive).all()
