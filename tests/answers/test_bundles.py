"""Programmes together: overlap by hand, two at once, neighbours and coverage on a small panel."""

from dataclasses import replace

import polars as pl
import pytest

from analysis.answers import bundles, coverage, design, interference
from analysis.answers.missing import Missing, attempt
from analysis.cells import build
from analysis.effects import layout, two_way
from analysis.panels import panel as panels
from analysis.panels import schemas
from analysis.panels.model import Settings, read_truth, simulate_settings

from .conftest import made

YEARS = (2015, 2016, 2017, 2018)


def by_hand(parts):
    """Nine villages of one household; incomes differ; `parts` is (programme, household, first)."""
    incomes = {
        f"{village}1": {t: 1000 * (10 + place) + 100 * (t - 2015) * (1 + place % 3) for t in YEARS}
        for place, village in enumerate("abcdefghi")
    }
    rows = pl.DataFrame(
        [(p, "household", h, g) for p, h, g in parts],
        schema=["programme", "unit_level", "unit", "first_period"],
        orient="row",
    ).with_columns(pl.col("first_period").cast(pl.Int32))
    return made(
        incomes, {}, participation=schemas.conform(rows.lazy(), "participation"), price_year=2020
    )


PARTS = [
    ("training", "a1", 2017),
    ("training", "b1", 2017),
    ("training", "c1", 2017),
    ("training", "d1", 2018),
    ("cooperative", "a1", 2017),
    ("cooperative", "e1", 2016),
]


def test_overlap_by_hand():
    """One of four trained is a member; one of two members is trained; four of nine are in none."""
    panel = by_hand(PARTS)
    assert bundles.overlap(panel).select("programme", "other", "share", "all", "n").rows() == [
        ("cooperative", "training", 50.0, pytest.approx(400 / 9), 2),
        ("training", "cooperative", 25.0, pytest.approx(200 / 9), 4),
    ]
    assert bundles.how_many(panel).rows() == [
        (0, pytest.approx(400 / 9)),
        (1, pytest.approx(400 / 9)),
        (2, pytest.approx(100 / 9)),
    ]
    assert bundles.pairs(panel).rows() == [("cooperative", "training", 1)]


def test_a_village_s_programme_is_its_households():
    panel = by_hand(PARTS)
    rows = panel.participation.collect().with_columns(
        unit=pl.col("unit").str.head(1),
        unit_level=pl.lit("village").cast(panel.participation.collect_schema()["unit_level"]),
    )
    whole = replace(panel, participation=rows.lazy())
    assert bundles.starts(whole).equals(bundles.starts(panel))


def test_no_two_programmes_in_one_year_is_said():
    found = attempt(bundles.interaction, by_hand(PARTS[1:]))
    assert found == Missing("no household began two programmes in one year")


def test_what_articles_describe():
    rows = bundles.described()
    assert rows["programmes"].min() >= 1 and rows["source"].is_unique().all()


@pytest.fixture(scope="module")
def spilling(tmp_path_factory):
    folder = tmp_path_factory.mktemp("bundles") / "panel"
    simulate_settings(folder, Settings(4800, 120, (2012, 2021), 5))
    return folder


def test_both_less_each_alone_is_the_sum_of_the_three(spilling):
    found = bundles.interaction(panels.read(spilling))
    points = dict(
        zip([key.programme for key in found.effects.keys], found.effects.points, strict=True)
    )
    rest = points["together"] - points["first_only"] - points["second_only"]
    assert points[bundles.MORE] == pytest.approx(rest)
    assert found.households["together"] > 0


def test_direct_and_others_participation_add_up_in_the_truth(spilling):
    panel = panels.read(spilling)
    one = interference.neighbours(panel, "training", read_truth(spilling))
    parts = one.truth["direct"] + one.truth["on_participants"]
    assert one.truth["total"] == pytest.approx(parts, abs=0.01)
    assert "other_villages" in one.found.names
    assert interference.neighbours(panel, "training").truth == {}


def test_a_programme_of_whole_villages_has_no_neighbours(spilling):
    panel = panels.read(spilling)
    found = attempt(interference.neighbours, panel, "dividend")
    assert found == Missing("it is given to whole villages")
    names = [one.programme for one in interference.everything(panel)[0]]
    assert "training" in names and "dividend" not in names


def test_the_comparisons_add_up_to_the_two_way_coefficient(spilling):
    """Goodman-Bacon's theorem: the static regression on the same cells, by `effects.two_way`."""
    panel = panels.read(spilling)
    how = design.design_of(panel, "village_fund")
    parts = coverage.decomposed(panel, how)
    assert parts["weight"].sum() == pytest.approx(1)
    cells = build.build(
        panel,
        replace(how.cells, handling="balanced", stratum="", outcomes=(how.cells.outcome("total"),)),
    )
    static = two_way.estimate(layout.from_cells(cells, "total"), static=True).in_yuan()
    assert (parts["weight"] * parts["estimate"]).sum() == pytest.approx(static.points[0])


def test_coverage_by_hand():
    """Training reaches four of nine villages and households."""
    found = coverage.coverage(by_hand(PARTS), "training")
    assert (found.villages, found.households) == (pytest.approx(400 / 9), pytest.approx(400 / 9))
    assert found.clean == 5 and found.compared > 0 and found.fewest >= 1
    assert sum(found.weights.values()) == pytest.approx(1)
    assert [one.programme for one in coverage.everything(by_hand(PARTS))] == [
        "training",
        "cooperative",
    ]
