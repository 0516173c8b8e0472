"""Poverty: hand cases, households one by one against cells, errors against leaving villages out."""

import numpy as np
import polars as pl
import pytest

import analysis as va
from analysis import money
from analysis.cells.build import build
from analysis.cells.design import CellsDesign
from analysis.panels import describe
from analysis.panels import panel as panels
from analysis.welfare import people as lay
from analysis.welfare import poverty

LINES = ("national", "planning_2020")


def values(found, **wanted):
    return found.where(**wanted).points.tolist()


def test_a_hand_case(make_people):
    """Line of 2015 is 2,855: incomes of none, half and all of it, and twice; sizes 2, 4, 1, 3.

    Per household 2/4, gap (1 + 1/2)/4, squared (1 + 1/4)/4; per person 6/10, (2 + 2)/10, (2 + 1)/10.
    """
    line = money.load().line_fen("national", 2015) / 100
    people = make_people([0, line / 2, line, 2 * line], size=[2, 4, 1, 3])
    found = poverty.measure(people, ("national",))
    assert values(found, unit="household", group="all") == pytest.approx([2 / 4, 1.5 / 4, 1.25 / 4])
    assert values(found, unit="person", group="all") == pytest.approx([0.6, 0.4, 0.3])


@pytest.mark.parametrize("unit", ["household", "person"])
def test_cells_and_households_give_the_same(weighted, unit):
    """With weights, over cohorts and strata, every line, period and measure, errors too."""
    cells = build(
        weighted,
        CellsDesign(
            ("training",), outcomes=poverty.outcomes(LINES), unit=unit, handling="cross_sections"
        ),
    )
    ours = poverty.from_cells(cells, LINES)
    brute = poverty.measure(lay.of_panel(weighted), LINES).where(group="all", unit=unit)
    keys = ["period", "line_name", "group", "unit", "measure"]
    a = ours.to_frame().sort(keys)
    b = brute.to_frame().sort(keys)
    assert a.height == 6 * 2 * 3
    assert a.select(keys, "line_status").equals(b.select(keys, "line_status"))
    for column in ("estimate", "std_error", "ci_low", "n_rows", "n_villages"):
        np.testing.assert_allclose(a[column], b[column], rtol=1e-10)


def test_the_front_door_says_the_same_of_a_panel(weighted):
    """Rows of a panel, as the page of the data hands them over, and its households one by one."""
    rows, lines = describe.with_lines(describe.household_periods(weighted), weighted)
    found = va.poverty(
        rows, "income", lines, size="size", weight="weight", by="period", psu="village"
    )
    ours = poverty.measure(lay.of_panel(weighted), LINES)
    for measure in ("headcount", "gap", "squared_gap"):
        brute = ours.where(measure=measure, unit="person", group="all").to_frame()
        for row in brute.iter_rows(named=True):
            name = describe.LINES[row["line_name"]]
            one = found.of(measure, f"{row['period']}, {name}")
            assert one.value == pytest.approx(row["estimate"], rel=1e-12)


def test_errors_are_those_of_leaving_villages_out(weighted, without_each):
    """The jackknife is another way to the same error: closer than 5 % with 40 villages."""
    people = lay.of_panel(weighted)
    found = poverty.measure(people, ("planning_2020",)).where(group="all", period=2016)
    jackknife = without_each(
        people,
        lambda p: poverty.measure(p, ("planning_2020",)).where(group="all", period=2016).points,
    )
    np.testing.assert_allclose(found.std_errors, jackknife, rtol=0.05)


def test_the_error_of_a_mean_over_villages_is_the_textbook_one(make_people):
    """One household a village: the error of a share, s/√n with n − 1 degrees of freedom."""
    line = money.load().line_fen("national", 2015) / 100
    people = make_people([0] * 3 + [2 * line] * 7)
    found = poverty.measure(people, ("national",)).where(
        measure="headcount", unit="household", group="all"
    )
    assert found.std_errors.item() == pytest.approx(np.std([1] * 3 + [0] * 7, ddof=1) / 10**0.5)
    assert found.degrees.item() == 9


def test_a_change_counts_the_same_households_once(make_people):
    """Everyone stays where they are: the change is nought and so is its error."""
    line = money.load().line_fen("planning_2020", 2020) / 100
    people = make_people(
        [0, 0, 3 * line, 3 * line] * 2,
        period=[2015] * 4 + [2016] * 4,
        cluster=[0, 1, 2, 3] * 2,
        household=["a", "b", "c", "d"] * 2,
    )
    found = poverty.changes(poverty.measure(people, ("planning_2020",))).where(
        measure="headcount", group="all"
    )
    assert found.points.tolist() == [0, 0] and found.std_errors.tolist() == [0, 0]
    assert found.labels["first"].to_list() == [2015, 2015]


def test_two_villages_give_no_interval(make_people):
    found = poverty.measure(make_people([0, 9e9, 0], cluster=[0, 0, 1]), ("national",))
    assert found.to_frame()["ci_low"].null_count() == len(found)


def test_another_currency_has_no_lines(gappy):
    panel = panels.read(gappy)
    abroad = panels.Panel(
        **{**{n: getattr(panel, n) for n in panel.__dataclass_fields__}, "currency": "taka"}
    )
    people = lay.of_panel(abroad)
    assert people.price_year is None
    found = poverty.measure(people)
    assert len(found) == 0 and found.to_frame().height == 0 and len(poverty.changes(found)) == 0


def test_strata_of_the_design_lower_the_error(make_people):
    """Binder's variance by hand: two strata of two villages, means 0, 0 and 1, 1: no error left."""
    people = make_people([0, 0, 9e9, 9e9])
    design = lay.SurveyDesign(people.design.clusters, np.array([0, 0, 1, 1]))
    inside = lay.People(people.frame, design, 2015, None, True, 4, 4, {})
    found = poverty.measure(inside, ("national",)).where(group="all", measure="headcount")
    assert found.std_errors.max() == pytest.approx(0) and found.degrees.tolist() == [2, 2]


def test_a_design_that_cannot_be_used_is_said(gappy):
    panel = panels.read(gappy)
    alone = pl.when(pl.col("village") == "v000000").then(pl.lit("a")).otherwise(pl.lit("b"))
    odd = panels.Panel(
        **{
            **{n: getattr(panel, n) for n in panel.__dataclass_fields__},
            "households": panel.households.with_columns(design_stratum=alone),
        }
    )
    assert "one village" in lay.of_panel(odd).design.note
    fine = panel.households.with_columns(
        design_stratum=pl.col("village").str.slice(-1), primary_sampling_unit=pl.col("village")
    )
    good = panels.Panel(
        **{**{n: getattr(panel, n) for n in panel.__dataclass_fields__}, "households": fine}
    )
    people = lay.of_panel(good)
    assert not people.design.note and np.unique(people.design.stratum).size == 10


def test_rows_are_accounted_for(gappy):
    people = lay.of_panel(panels.read(gappy))
    assert people.rows_in - sum(people.left_out.values()) == people.rows_used
    assert people.left_out[lay.INCOMPLETE] > 0


def test_the_poor_and_the_others_make_all(gappy):
    people = lay.of_panel(panels.read(gappy))
    found = poverty.sources_of_the_poor(people, "planning_2020")
    sums = found.group_by("period", "group").agg(pl.col("share").sum())
    assert sums["share"].round(12).unique().to_list() == [1.0]
    per_source = found.filter(source="wage")
    assert per_source["n_rows"].sum() == people.rows_used
