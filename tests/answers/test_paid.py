"""Payments and floors: by hand, and against what a simulation knows of its own books."""

from dataclasses import replace
from fractions import Fraction

import numpy as np
import polars as pl
import pytest

from analysis.answers import arithmetic, floor, money_rules, paid
from analysis.answers.design import TOTAL, design_of
from analysis.answers.estimates import OVERALL
from analysis.answers.missing import Missing
from analysis.answers.truth import truth_of
from analysis.claims import ledger
from analysis.faults import FaultsError
from analysis.panels import panel as panels
from analysis.panels import schemas
from analysis.panels.model import Settings, Switches, read_truth, simulate_settings

from .conftest import made

UNKNOWN = Missing("nobody knows")


def paying(dose_unit="yuan per head"):
    """Six villages of one household of two; a, b, c are paid 50 yuan a head from 2017 on.

    Their income rises by 160, 160 and 190 yuan from 2016 to 2017, that of the others by 70.
    """
    before, other = {2015: 100_000, 2016: 100_000}, {2017: 107_000}
    rises = {"a1": 16_000, "b1": 16_000, "c1": 19_000}
    incomes = {h: {**before, 2017: 100_000 + rise} for h, rise in rises.items()}
    incomes |= dict.fromkeys(("d1", "e1", "f1"), before | other)
    panel = made(incomes, {}, price_year=2020)
    participation = pl.DataFrame(
        {
            "programme": "dividend",
            "unit_level": "village",
            "unit": ["a", "b", "c"],
            "first_period": [2017] * 3,
            "dose": 50.0,
            "dose_unit": dose_unit,
        },
        schema_overrides={"first_period": pl.Int32},
    )
    return replace(panel, participation=schemas.conform(participation.lazy(), "participation"))


def test_income_per_yuan_paid_by_hand():
    """(160 + 160 + 190)/3 − 70 = 100 yuan for 100 paid; per household, 100 for 50: two."""
    panel = paying()
    found = paid.paid_out(panel, design_of(panel, "dividend"), UNKNOWN, None)
    assert found.paid == pytest.approx(100)
    assert found.overall.estimate == pytest.approx(1.0)
    assert found.rest.estimate == pytest.approx(0.0, abs=1e-9)
    assert found.first_year.estimate == pytest.approx(1.0)
    assert found.truths == {} and found.together is None
    panel = paying("yuan per household")
    found = paid.paid_out(panel, design_of(panel, "dividend"), UNKNOWN, None)
    assert (found.paid, found.overall.estimate) == (pytest.approx(50), pytest.approx(2.0))
    assert found.rest.estimate == pytest.approx(50)


def test_the_error_is_that_of_the_payment_too():
    """Payments are equal here, so the interval per yuan is that of the effect over 100 yuan."""
    panel = paying()
    found = paid.paid_out(panel, design_of(panel, "dividend"), UNKNOWN, None)
    width = found.overall.ci_high - found.overall.ci_low
    rest = found.rest.ci_high - found.rest.ci_low
    assert width == pytest.approx(rest / 100)
    assert found.breaks_the_rule is False


def test_a_dose_that_is_no_payment_is_refused():
    panel = paying("mu")
    with pytest.raises(FaultsError, match="no payments"):
        paid.paid_out(panel, design_of(panel, "dividend"), UNKNOWN, None)


def test_a_programme_of_households_is_refused(panel):
    with pytest.raises(FaultsError, match="pays households"):
        paid.paid_out(panel, design_of(panel, "training"), UNKNOWN, None)


def test_the_simulated_dividend_pays_what_property_income_gains(simulated, panel):
    """The truth of property income is the payment, and fifteen in 180 yuan go from business."""
    design = design_of(panel, "dividend")
    known = truth_of(read_truth(simulated), design)
    found = paid.paid_out(panel, design, known, None)
    assert found.paid == pytest.approx(known.of("property", OVERALL), rel=1e-5)
    assert found.truths[None] == pytest.approx(165 / 180, rel=1e-4)
    assert found.truths[0] == pytest.approx(165 / 180, rel=1e-4)
    assert found.overall.key.outcome == TOTAL


def test_arithmetic_of_reported_money():
    """11,470,000 yuan over 764 persons and 12,951 yuan of income; a loan adds nothing."""
    (figure,) = [one for one in arithmetic.ceilings("dividend") if one.figure.id == "I06"]
    official = figure.figure.official_yuan
    assert figure.most.high.value == Fraction(100 * 11_470_000, 764) / official
    assert all(one.most is None for one in arithmetic.ceilings("microcredit"))
    (per_home,) = [one for one in arithmetic.ceilings("dividend") if one.figure.id == "I07"]
    assert per_home.most is None


def test_the_floor_is_that_of_the_claim():
    claims = ledger.load().claims
    value = claims.filter(pl.col("id") == "S1_022")["value"].item()
    assert money_rules.rules().floor == float(value)


@pytest.fixture(scope="module")
def books(tmp_path_factory):
    """Two panels that differ in one switch: whether reports are bent up to the floor."""
    found = {}
    for name, bends in (("straight", False), ("bent", True)):
        folder = tmp_path_factory.mktemp("books") / name
        switches = Switches(misreporting=bends)
        simulate_settings(folder, Settings(2400, 240, (2012, 2021), 2, name, switches))
        found[name] = (panels.read(folder), pl.read_parquet(folder / "truth_collective.parquet"))
    return found


def test_bent_reports_are_found_and_straight_ones_are_not(books):
    panel, true = books["bent"]
    near, known = floor.near_floor(panel), floor.bent(panel, true)
    assert known.raised > 200
    assert near.ci_low < known.raised < near.ci_high
    assert near.missing > known.raised / 2
    assert near.reach_last > known.reach_last
    panel, true = books["straight"]
    near, known = floor.near_floor(panel), floor.bent(panel, true)
    assert known.raised == 0 and near.reach_last == known.reach_last
    assert near.ci_low < 0 < near.ci_high


def test_bins_hold_every_report_once_and_the_floor_is_an_edge(books):
    panel, _ = books["bent"]
    near = floor.near_floor(panel)
    assert near.bins["n"].sum() == near.rows_used <= near.rows_in
    (first,) = near.bins.filter(pl.col("low").is_close(50_000.0)).rows(named=True)
    assert first["high"] == pytest.approx(55_000)
    assert first["left_out"] and first["n"] == near.just_above
    reported = panel.collective.collect()["net_income"].to_numpy() / 100
    assert near.just_above == np.sum((reported >= 50_000) & (reported < 55_000))


def test_no_books_is_said(panel):
    none = replace(panel, collective=schemas.empty("collective").lazy())
    with pytest.raises(FaultsError, match="no books"):
        floor.near_floor(none)
    with pytest.raises(FaultsError, match="fewer than"):
        floor.near_floor(
            replace(
                panel, collective=panel.collective.filter(pl.col("village").rank("dense") <= 10)
            )
        )
