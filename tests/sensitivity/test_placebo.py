"""Placebo periods and sources, parts left out: hand calculation and switches of the model panel."""

import numpy as np
import pytest

from analysis.effects.group_time import Comparison
from analysis.effects.layout import from_cells
from analysis.effects.table import Table
from analysis.faults import FaultsError
from analysis.panels import panel
from analysis.sensitivity import combine, placebo


def small(paths):
    """Villages of one household, the first half treated from 2014; yuan by year from 2011."""
    v = len(paths)
    return Table(
        villages=tuple("abcdefgh"[:v]),
        strata=("all",),
        outcomes=("total",),
        periods=np.arange(2011, 2016),
        village=np.arange(v),
        cohort=np.array([2014] * (v // 2) + [0] * (v // 2)),
        stratum=np.zeros(v, int),
        n=np.ones((v, 5), int),
        weight=np.ones((v, 5)),
        total=np.array(paths, float)[..., None] * 100,
        n_ever=np.ones(v, int),
        weight_ever=np.ones(v),
        units={"total": "fen/households/years"},
    )


FLAT = [0.0] * 5


def test_a_pretended_start_by_hand():
    """The treated rise by 1, 3 and 5 in 2013 only, then by the programme: base 2012 shows 3."""
    paths = [[0, 0, up, up + 9, up + 9] for up in (1, 3, 5)] + [FLAT] * 3
    found = placebo.earlier(small(paths), 1)
    assert found.points[0] == pytest.approx(3)
    # Two years earlier the base is 2011: 0 in 2012 and 3 in 2013.
    assert placebo.earlier(small(paths), 2).points[0] == pytest.approx(1.5)
    # If the programme may act a year ahead, 2013 is no placebo.
    assert placebo.earlier(small(paths), 2, Comparison(anticipation=1)).points[0] == 0


def test_a_pretended_start_needs_periods():
    paths = [[0, 0, 1, 2, 3], [0, 1, 0, 1, 1], [1, 0, 0, 2, 2]] + [FLAT] * 3
    with pytest.raises(FaultsError, match="no period before"):
        placebo.earlier(small(paths), 0)
    with pytest.raises(FaultsError):
        placebo.earlier(small(paths), 4)


def test_leaving_groups_out_by_hand():
    """Treated gain 1, 2 and 6: 3 with all, 1.5 without the third, who was 2 above the mean."""
    paths = [[0, 0, 0, up, up] for up in (1, 2, 6)] + [FLAT] * 3
    table = small(paths)
    frame = placebo.leave_out(
        table, placebo.counties(table, dict(zip("abcf", "xxyy", strict=True)))
    )
    shown = {row[0]: (row[1], row[2]) for row in frame.iter_rows()}
    assert shown[""] == (0, pytest.approx(3))
    assert shown["x"] == (2, pytest.approx(6))
    assert shown["y"] == (2, pytest.approx(1.5))
    assert frame["moved"].to_list() == pytest.approx([0, 3, -1.5])
    gone = placebo.leave_out(table, placebo.cohorts(table))
    assert gone["estimate"][1] is None
    assert gone["why"][1]


def test_combination_is_linear():
    paths = [[0, 0, 0, up, up + 1] for up in (1, 2, 6, 4)] + [FLAT] * 4
    table = small(paths)
    one = combine.overall(table)
    twice = combine.combination(one, np.array([2.0]), one.keys[0])
    assert twice.points[0] == 2 * one.points[0]
    assert twice.std_errors[0] == pytest.approx(2 * one.std_errors[0])
    with pytest.raises(FaultsError, match="no overall effect"):
        combine.only(one, "wage")


def test_the_dip_shows_in_a_placebo_period(table_of):
    """Model panel: earnings fall in the year before training; the same draws without it do not."""
    found = {
        switches: placebo.earlier(table_of("training", *switches), 1).points[0]
        for switches in ((), ("dip",))
    }
    assert found["dip",] < found[()] - 1000


def test_anticipation_shows_until_it_is_allowed_for(table_of):
    """Model panel: co-operatives cost money in the year before; a placebo that skips it is calm."""
    before = {
        switches: placebo.earlier(table_of("cooperative", *switches), 1).points[0]
        for switches in ((), ("anticipation",))
    }
    assert before["anticipation",] < before[()] - 50
    allowed = {
        switches: placebo.earlier(
            table_of("cooperative", *switches), 2, Comparison(anticipation=1)
        ).points[0]
        for switches in ((), ("anticipation",))
    }
    # Other programmes anticipate too, which reaches both arms: little is left, not nothing.
    left = abs(allowed["anticipation",] - allowed[()])
    assert left < 0.05 * abs(before["anticipation",] - before[()])


def test_selection_on_trend_shows_in_placebo_periods(table_of):
    shown = {
        switches: placebo.earlier(table_of("cooperative", *switches), 3).points[0]
        for switches in ((), ("selection_trend",))
    }
    assert shown["selection_trend",] > shown[()]


def test_bundles_reach_sources_that_a_programme_cannot(cells_of):
    """Model panel: with bundles the trained get other programmes too, which pay transfers."""
    points = {}
    for switches in ((), ("bundling",)):
        found = placebo.on_untouched(from_cells(cells_of("training", *switches)), "training")
        assert [key.outcome for key in found.keys] == ["property", "transfer"]
        points[switches] = found.points
        if not switches:
            assert (np.abs(found.points) < 3 * found.std_errors).all()
    assert (points["bundling",] > points[()]).all()
    assert points["bundling",].sum() > points[()].sum() + 100


def test_untouched_sources_follow_the_catalogue(table_of):
    assert placebo.untouched("dividend") == ("wage", "business", "transfer")
    assert placebo.untouched("cooperative") == ("transfer",)
    with pytest.raises(FaultsError, match="out of the programme's reach"):
        placebo.on_untouched(table_of("training"), "training")


def test_no_county_carries_the_clean_panel(table_of, world):
    table = table_of("cooperative")
    county = dict(panel.read(world()).villages.select("village", "county").collect().iter_rows())
    frame = placebo.leave_out(table, placebo.counties(table, county))
    assert frame.height == 1 + len(set(county.values()))
    first = frame.row(0, named=True)
    assert frame["estimate"].is_between(first["ci_low"], first["ci_high"]).all()
