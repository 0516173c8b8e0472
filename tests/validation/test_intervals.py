"""The stored Monte Carlo of intervals: what was promised, and one design drawn again."""

import math

import polars as pl
import pytest

from analysis.validation import intervals
from analysis.validation.interval_coverage import interval_coverage

SETTING = intervals.load()
FOUND = intervals.stored()
LEAST, MOST, TEN = 0.93, 0.98, 10.0


def of(measure):
    """Return value and Monte Carlo error of a measure beside the effective clusters."""
    key = ["design", "errors", "weighted"]
    wide = FOUND.filter(measure="effective").select(*key, effective="value")
    return FOUND.filter(measure=measure).join(wide, on=key).filter(pl.col("value").is_not_nan())


def test_every_design_is_stored():
    assert FOUND["design"].unique(maintain_order=True).to_list() == [p.id for p in SETTING.plans]
    combinations = len(SETTING.plans) * len(SETTING.errors) * 2 * len(intervals.MEASURES)
    assert FOUND.height == combinations
    refused = FOUND.filter(measure="refused")
    assert (refused["draws"] == SETTING["draws"]).all()


@pytest.mark.parametrize("measure", ["pointwise", "lowest", "joint"])
def test_what_is_printed_holds(measure):
    """At least 93 per cent everywhere; at most 98 from ten effective clusters on; two MC errors."""
    rows = of(measure)
    low = rows.filter(pl.col("value") + 2 * pl.col("mc_error") < LEAST)
    high = rows.filter(pl.col("effective") >= TEN, pl.col("value") - 2 * pl.col("mc_error") > MOST)
    assert rows.height > 20 and low.is_empty() and high.is_empty()


def test_leads_are_rejected_no_more_often_than_six_in_a_hundred():
    rows = of("pretrend")
    assert rows.filter(pl.col("value") - 2 * pl.col("mc_error") > 0.06).is_empty()
    # Two leads are too many for fewer than three effective clusters.
    assert of("untested").filter(pl.col("effective") >= 5)["value"].max() == 0


def test_refusals_are_counted_and_rare_where_villages_are_enough():
    """Five villages or more an arm: at most one draw in ten; three villages: every one."""
    rows = of("refused")
    enough = {p.id for p in SETTING.plans if p.treated >= 5 and (p.inside or p.control >= 5)}
    assert rows.filter(pl.col("design").is_in(enough))["value"].max() <= 0.1
    assert (rows.filter(pl.col("design").str.starts_with("3_of"))["value"] == 1).all()


def test_what_pages_tell_is_the_worst_of_each_design():
    told = interval_coverage().rows.filter(design="5_of_40_ranked").row(0, named=True)
    own = FOUND.filter(pl.col("design") == "5_of_40_ranked")
    assert told["interval"] == own.filter(measure="lowest")["value"].min() >= LEAST
    assert told["width"] == own.filter(measure="width")["value"].max()
    assert told["smallest_arm"] == 5 and told["draws"] == 6 * SETTING["draws"]


def test_where_there_is_no_t_interval_randomisation_has_one():
    rows = of("randomised").filter(pl.col("effective") < 4)
    assert rows.height > 10 and (of("endless")["value"] == 0).all()
    # Exact by its construction; drawn 80 times a row.
    assert rows["value"].mean() == pytest.approx(0.95, abs=0.015)
    assert (of("width_randomised").filter(pl.col("effective") < TEN)["value"] > 0).all()


def test_one_design_drawn_again_is_what_is_stored():
    plan = next(p for p in SETTING.plans if p.id == "inside_10")
    again = intervals.run(SETTING, plan, "normal", weighted=False)
    kept = FOUND.filter(design=plan.id, errors="normal", weighted=False)
    for row in again.iter_rows(named=True):
        (old,) = kept.filter(measure=row["measure"])["value"]
        if old is None:
            assert math.isnan(row["value"])
        else:
            assert old == pytest.approx(row["value"], rel=1e-5)
