"""Targeting and exit by hand: eight households of eight villages, poor under 2,000 yuan a head."""

from dataclasses import replace

import numpy as np
import polars as pl
import pytest

from analysis.answers import exits, targeting
from analysis.answers.missing import Missing, attempt
from analysis.panels import panel as panels
from analysis.panels import schemas
from analysis.panels.model import Settings, read_truth, simulate_settings
from analysis.sensitivity import leavers
from analysis.welfare import people as welfare

from .conftest import made

YEARS = (2012, 2013, 2014)
PER_HEAD = {
    # Yuan per member by year; the national line is 2,625 in 2012, 2,736 in 2013, 2,800 in 2014.
    "a1": (1000, 1500, 2000),
    "b1": (1200, 3000, 3500),
    "c1": (2000, 4000, None),
    "d1": (2600, 2700, 5000),
    "e1": (3000, 2000, 4000),
    "f1": (4000, 5000, 6000),
    "g1": (8000, 9000, 9500),
    "h1": (9000, 9000, None),
}
ON = ("a1", "b1", "e1")


def eight(on=ON, first=None, **more):
    """Members are two each, so household income is twice that per head."""
    incomes = {
        home: {t: 200 * value for t, value in zip(YEARS, path, strict=True) if value is not None}
        for home, path in PER_HEAD.items()
    }
    panel = made(incomes, first or {}, **more)
    listed = pl.col("household").is_in(on) if on is not None else pl.lit(None, pl.Boolean)
    return replace(panel, households=panel.households.with_columns(registered_poor=listed))


def of(panel):
    return welfare.of_panel(panel, 2014)


def values(found, *labels):
    frame = found.to_frame()
    return {
        tuple(row[name] for name in labels): row["estimate"] for row in frame.iter_rows(named=True)
    }


def test_errors_by_hand():
    """Poor in 2012: a, b, c, d; two of them listed; of three listed, e is not poor."""
    found = values(targeting.errors(of(eight())), "definition", "measure")
    assert found["line", "poor"] == pytest.approx(4 / 8)
    assert found["line", "exclusion"] == pytest.approx(2 / 4)
    assert found["line", "inclusion"] == pytest.approx(1 / 3)
    # As many poor as places: a, b, c; c is missed, e is on it: both errors are a third.
    assert found["as_many", "exclusion"] == pytest.approx(1 / 3)
    assert found["as_many", "inclusion"] == pytest.approx(1 / 3)
    # Means of two years: a 1,250, b 2,100, e 2,500, d 2,650, c 3,000: the register is right.
    assert found["lasting", "exclusion"] == found["lasting", "inclusion"] == 0


def test_other_money_has_no_line_and_a_panel_without_register_no_errors():
    taka = of(eight(currency_unit="poisha"))
    assert {name for name, _ in values(targeting.errors(taka), "definition", "measure")} == {
        "as_many",
        "lasting",
    }
    for bare in (eight(on=None), eight(on=())):
        assert "register" in attempt(targeting.errors, of(bare)).reason
        assert isinstance(attempt(targeting.concentration, of(bare)), Missing)


def test_reach_by_hand():
    """Of 8 households the poorest 40 per cent are a, b, c (places 1/16, 3/16, 5/16)."""
    first = {"a1": 2014, "g1": 2014}
    panel = eight(first=first)
    found = values(targeting.reach(of(panel), panel), "programme", "poorest")
    assert found["register", "0.4"] == pytest.approx(2 / 3)
    assert found["training", "0.4"] == pytest.approx(1 / 2)
    assert found["training", "0.1"] == pytest.approx(1 / 2)


def test_concentration_by_hand():
    """Ranks of the listed: 1/16, 3/16, 9/16, mean 13/48; index = 2 (13/48) − 1."""
    found = targeting.concentration(of(eight()))
    assert found.index["one year"] == pytest.approx(2 * 13 / 48 - 1)
    curve = found.curves.filter(pl.col("income") == "one year").sort("share")
    assert (curve["held"][0], curve["held"][-1]) == (0, 1)
    assert curve.filter(pl.col("share") == 0.5)["held"].item() == pytest.approx(2 / 3)


def test_poverty_is_left_with_no_programme_at_all():
    """Of a, b, c, d in 2012, b and c are above in 2013; of e, f, g, h, e falls below."""
    panel = eight(first={"f1": 2014})
    found = values(exits.again(of(panel), panel), "measure")
    assert found["poor",] == pytest.approx(1 / 2) and found["left",] == pytest.approx(1 / 2)
    assert found["fell",] == pytest.approx(1 / 4) and found["poor_next",] == pytest.approx(3 / 8)


def test_two_years_without_a_programme_are_needed():
    panel = eight(first={"f1": 2013})
    assert "first two periods" in attempt(exits.again, of(panel), panel).reason


def test_changes_by_hand():
    """Nobody's prices: a survey in other money. Seen last: a, b, d, e, f, g."""
    found = exits.changes(of(eight(currency_unit="poisha")))
    by = dict(found.select("way", "estimate").iter_rows())
    assert by["registered"] == pytest.approx((1000 + 2300 + 1000) / 3)
    assert by["others"] == pytest.approx((2400 + 2000 + 1500) / 3)
    assert by["difference"] == pytest.approx(by["registered"] - by["others"])
    # In tenths nobody on and off the register is alike, so there is no such row.
    assert set(by) == {"registered", "others", "difference"}


def test_inside_groups_of_income_only_others_of_the_group_compare(monkeypatch):
    """Two groups: a, b, c, d and e, f, g, h. Seen last: a, b beside d; e beside f, g."""
    monkeypatch.setattr(targeting, "options", lambda: targeting.Options((0.4,), 2, 2, 2))
    monkeypatch.setattr(exits, "options", targeting.options)
    found = exits.changes(of(eight(currency_unit="poisha")))
    by = dict(found.select("way", "estimate").iter_rows())
    low = (1000 + 2300) / 2 - 2400
    high = 1000 - (2000 + 1500) / 2
    # Least squares weighs groups by n of one arm times n of the other over both.
    weight = np.array([2 * 1 / 3, 1 * 2 / 3])
    assert by["one_year"] == pytest.approx(weight @ [low, high] / weight.sum())


def test_where_the_registered_stand_by_hand():
    found = values(exits.fates(of(eight())), "register", "fate")
    listed = [found["registered", fate] for fate in ("poor_first", "poor", "above", "gone")]
    assert listed == pytest.approx([2 / 3, 1 / 3, 2 / 3, 0])
    others = [found["others", fate] for fate in ("poor_first", "poor", "above", "gone")]
    assert others == pytest.approx([2 / 5, 0, 3 / 5, 2 / 5])


def test_leaving_by_hand():
    """Before 2014 others have ten household-years, of which c's and h's of 2013 are the last."""
    found = values(exits.leaving(of(eight())), "who")
    assert found["others",] == pytest.approx(2 / 10)
    assert found["registered_above",] == found["registered_below",] == 0


@pytest.fixture(scope="module")
def leavers_panel(tmp_path_factory):
    folder = tmp_path_factory.mktemp("leavers") / "panel"
    simulate_settings(folder, Settings(1200, 40, (2012, 2021), 5))
    return folder


def test_bounds_are_those_of_the_stratum_and_hold_the_estimate(leavers_panel):
    panel = panels.read(leavers_panel)
    one = exits.hidden(panel, "training", read_truth(leavers_panel))
    rows = leavers.changes(panel, "training", targeting.options().after)
    plain = leavers.bounds(rows, by=("cohort", "stratum"))
    assert (one.bounds.low, one.bounds.high) == pytest.approx((plain.low, plain.high))
    # Nobody leaves the clean panel: both ends are the estimate, inside the interval.
    assert (one.bounds.low, one.bounds.high) == pytest.approx((plain.estimate, plain.estimate))
    assert one.low < one.bounds.estimate < one.high
    assert one.truth > 0 and exits.hidden(panel, "training").truth is None


def test_no_programme_no_bounds(leavers_panel):
    bare = replace(panels.read(leavers_panel), participation=schemas.empty("participation").lazy())
    assert exits.all_hidden(bare) == ()
