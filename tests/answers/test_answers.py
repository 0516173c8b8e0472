"""Answers about one programme: by hand on tiny panels, and on a simulated one."""

from dataclasses import replace

import numpy as np
import polars as pl
import pytest

from analysis import money, programmes
from analysis.answers import design, estimates, groups, naive, page, reported, truth
from analysis.answers.design import SHOWN, TOTAL
from analysis.answers.missing import Missing
from analysis.panels import panel as panels
from analysis.panels.model import read_truth

from .conftest import made

YEARS = (2015, 2016, 2017, 2018)


def paths(*steps):
    """Incomes in fen by year."""
    return dict(zip(YEARS, (100 * step for step in steps), strict=True))


@pytest.fixture
def by_hand():
    """Six villages of one household; a, b, c trained from 2018; amounts in yuan."""
    incomes = {
        "a1": paths(1000, 1010, 900, 1300),
        "b1": paths(1100, 1110, 1000, 1400),
        "c1": paths(1200, 1210, 1100, 1500),
        "d1": paths(500, 505, 510, 520),
        "e1": paths(600, 605, 610, 620),
        "f1": paths(700, 705, 710, 760),
    }
    return made(incomes, {"a1": 2018, "b1": 2018, "c1": 2018}, price_year=2020)


def test_the_sums_of_articles_by_hand(by_hand):
    """Before and after 400 each (2018 less 2017); with and without 1,400 less 633 and a third."""
    how = design.design_of(by_hand, "training")
    found = estimates.estimate(by_hand, how)
    made_ = naive.naive(by_hand, how, found, Missing("one programme"), Missing("nobody knows"))
    assert made_.value("before_after") == pytest.approx(400)
    assert made_.value("before_after_nominal") == pytest.approx(400)
    assert made_.value("with_without") == pytest.approx(1400 - 1900 / 3)
    assert made_.value("before_after", "truth") is None


def test_the_design_leaves_the_dip_out_of_the_base(by_hand):
    """Base 2016, not the dip of 2017: (1300 − 1010) less the mean of 15, 15, 55."""
    how = design.design_of(by_hand, "training")
    assert how.comparison.anticipation == 1
    found = estimates.estimate(by_hand, how)
    place = found.one(TOTAL)
    assert found.summed.points[place] == pytest.approx(290 - 85 / 3)
    assert (
        next(estimates.frame(found.overall.select(outcome=TOTAL)).iter_rows(named=True))[
            "n_villages_treated"
        ]
        == 3
    )


def test_sources_that_never_differ_are_named_and_the_rest_adds_up(by_hand):
    found = estimates.estimate(by_hand, design.design_of(by_hand, "training"))
    assert set(found.constant) >= {"business", "property", "transfer"}
    assert found.identity.holds and found.identity.n_estimates > 0


def test_a_source_that_does_not_add_up_is_seen(by_hand):
    found = estimates.estimate(by_hand, design.design_of(by_hand, "training"))
    points = found.summed.points.copy()
    points[[key.outcome == "wage" for key in found.summed.keys]] += 1.0
    assert not estimates.identity(replace(found.summed, points=points)).holds


def test_real_prices_where_there_is_an_index_only():
    incomes = {"a1": paths(1, 2, 3, 4), "b1": paths(1, 1, 2, 2)}
    assert design.design_of(made(incomes, {"a1": 2018}), "training").prices == "prices of 2020"
    taka = made(incomes, {"a1": 2018}, currency_unit="poisha")
    found = design.design_of(taka, "training")
    assert (found.prices, found.money) == ("prices of each year", "hundred poisha")
    assert "poor" not in [outcome.name for outcome in found.cells.outcomes]


@pytest.mark.parametrize(
    ("incomes", "first", "programme", "reason"),
    [
        ({"a1": paths(1, 2, 3, 4)}, {"a1": 2018}, "dividend", "nobody in this panel"),
        ({"a1": {2018: 100}}, {"a1": 2018}, "training", "one period"),
    ],
)
def test_a_panel_that_cannot_say_gives_the_reason(incomes, first, programme, reason):
    answer = page.page(programme, made(incomes, first))
    for part in (answer.design, answer.estimates, answer.truth, answer.naive, answer.groups):
        assert isinstance(part, Missing) and reason in part.reason


def test_without_controls_there_is_a_reason_and_no_crash():
    incomes = {"a1": paths(1, 2, 3, 4), "b1": paths(1, 1, 2, 2)}
    answer = page.page("training", made(incomes, {"a1": 2018, "b1": 2018}))
    assert isinstance(answer.estimates, Missing)
    assert answer.estimates.sentence.startswith("Not shown: ")


def test_every_design_belongs_to_a_programme_with_a_path_to_income():
    loaded = programmes.load()
    wanted = loaded.programmes.filter(
        pl.col("is_programme") == "yes", pl.col("channels").is_not_null()
    )
    assert set(loaded.designs["programme"]) == set(wanted["id"])


def test_the_truth_is_the_simulation_s_own_sum_in_real_yuan(simulated, panel):
    """One cohort and year from the raw sums: fen over households, times the price factor."""
    known = read_truth(simulated)
    how = design.design_of(panel, "job_placement")
    found = truth.truth_of(known, how)
    cells = known.filter(
        pl.col("programme") == "job_placement",
        pl.col("aggregation") == "group_time",
        pl.col("effect") == "total",
        pl.col("sample") == "all",
        pl.col("who") == "treated",
        pl.col("outcome") == "total",
        pl.col("per") == "household",
        pl.col("period") >= pl.col("cohort"),
    )
    last = cells.filter(pl.col("cohort") == pl.col("cohort").max())
    real = [
        r["sum"] / r["n_households"] / 100 * float(money.load().factor(2020, r["period"]))
        for r in last.iter_rows(named=True)
    ]
    assert found.of(TOTAL, "cohort", last["cohort"][0]) == pytest.approx(np.mean(real))


def test_true_sources_add_up_and_nobody_knows_a_survey_s_truth(simulated, panel):
    how = design.design_of(panel, "training")
    found = truth.truth_of(read_truth(simulated), how)
    parts = [found.of(name, "simple") for name in SHOWN[1:]]
    assert found.of(TOTAL, "simple") == pytest.approx(sum(parts))
    assert isinstance(truth.truth_of(None, how), Missing)


def test_groups_are_frozen_at_baseline_and_cut_evenly(panel):
    income = next(d for d in groups.DIMENSIONS if d.id == "income")
    told = groups.grouped(panel, income, "stratum").households.collect()
    group = told[groups.COLUMN].str.split(groups.BAR).list.first()
    sizes = group.value_counts()["count"]
    assert sizes.max() - sizes.min() <= 1
    per_head = told["income_baseline_fen"] / told["size_baseline"]
    tops = {level: per_head.filter(group == level).max() for level in income.levels[:2]}
    lows = {level: per_head.filter(group == level).min() for level in income.levels[1:]}
    assert tops["poorest third"] <= lows["middle third"]
    assert tops["middle third"] <= lows["richest third"]


def test_a_difference_is_the_last_group_less_the_first(panel):
    made_ = groups.groups(panel, design.design_of(panel, "training"))
    levels = {
        key.programme: point
        for key, point in zip(made_.levels.keys, made_.levels.points, strict=True)
    }
    for key, point in zip(made_.differences.keys, made_.differences.points, strict=True):
        kind = next(d for d in groups.DIMENSIONS if d.title == key.programme)
        first, last = (levels[f"{kind.title}: {kind.levels[i]}"] for i in (0, -1))
        assert point == pytest.approx(last - first)


def test_groups_without_their_column_are_named(panel):
    bare = replace(
        panel, villages=panel.villages.with_columns(remoteness_km=pl.lit(None, pl.Float64))
    )
    made_ = groups.groups(bare, design.design_of(bare, "training"))
    assert "Road to the county town" in dict(made_.missing)


def test_what_is_reported_and_found_elsewhere_keeps_to_the_programme():
    told = reported.reported("job_placement")
    assert told.computed and all(f.programme == "job_placement" for f in told.figures)
    assert reported.reported("training").without is not None
    named = reported.reported("targeting")
    slogans = named.claims["kind"].to_list().count("slogan numeral")
    assert named.n_slogans == slogans > 0
    assert named.n_claims + slogans == named.claims.height
    near = reported.elsewhere("job_placement")
    assert near.n_comparable >= near.n_lot and near.low <= near.high


def test_the_whole_answer_of_a_simulated_panel(simulated, monkeypatch):
    monkeypatch.setenv("PANEL", str(simulated))
    answer = page.page("training")
    assert answer.simulated and answer.evidence == "model"
    assert isinstance(answer.truth, truth.Truth) and isinstance(answer.naive, naive.Naive)
    value = answer.truth.of(TOTAL, "calendar", 2021)
    assert answer.naive.value("before_after", "off") == pytest.approx(
        answer.naive.value("before_after") - value
    )


def test_a_written_panel_says_the_same(simulated, panel):
    how = design.design_of(panel, "training")
    again = panels.read(simulated)
    one, two = (estimates.estimate(p, how).summed.points for p in (panel, again))
    assert one == pytest.approx(two, rel=1e-12)
