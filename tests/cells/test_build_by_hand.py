"""Cells of panels of a few rows. Every expected number here was worked out by hand."""

from __future__ import annotations

import math
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import pytest

from analysis import money
from analysis.cells.build import INCOMPLETE, OUTSIDE, build
from analysis.cells.design import CellsDesign
from analysis.cells.handling import NOT_IN_PAIR
from analysis.cells.outcomes import Outcome, gap, headcount, squared_gap, standard, threshold
from analysis.cells.presence import NO_HOUSEHOLD, NOT_ALWAYS
from analysis.cells.result import Cells
from analysis.faults import FaultsError
from analysis.panels.panel import Panel

Make = Callable[..., Panel]
TOTAL = (Outcome("total"),)


def design(**options: object) -> CellsDesign:
    return CellsDesign(("training",), **{"outcomes": TOTAL, **options})  # type: ignore[arg-type]


@pytest.fixture
def uneven(make: Make) -> Panel:
    """Three households of one village: a always seen; b not in 2014; c in 2013 only, incomplete.

    a is trained in 2014; b and c never.
    """
    return make(
        [{"household": h, "village": "v"} for h in "abc"],
        [
            {"household": "a", "period": 2012, "wage": 10},
            {"household": "a", "period": 2013, "wage": 20, "business": -5},
            {"household": "a", "period": 2014, "wage": 40},
            {"household": "b", "period": 2012, "wage": 100},
            {"household": "b", "period": 2013, "wage": 200},
            {"household": "c", "period": 2013, "transfer": 1000},
            {"household": "c", "period": 2014, "property": None},
        ],
        [{"unit": "a", "first_period": 2014}],
    )


def cell(cells: Cells, cohort: int, period: int, column: str = "sum_total") -> object:
    return cells.totals.filter(cohort=cohort, period=period)[column].to_list()


def test_cross_sections_use_everyone_who_is_seen(uneven: Panel) -> None:
    cells = build(uneven, design(handling="cross_sections"))
    assert cells.totals.select("cohort", "period", "n", "weight", "sum_total").rows() == [
        (0, 2012, 1, 1.0, 100),
        (0, 2013, 2, 2.0, 1200),
        (2014, 2012, 1, 1.0, 10),
        (2014, 2013, 1, 1.0, 15),
        (2014, 2014, 1, 1.0, 40),
    ]
    assert cells.ever.rows() == [("v", 0, "all", 2, 2.0), ("v", 2014, "all", 1, 1.0)]
    assert (cells.account.rows_read, cells.account.rows_used) == (7, 6)
    assert cells.account.left_out == {INCOMPLETE: 1}
    assert not cells.weighted
    assert cells.column("total") == "sum_total"
    assert (cells.cohorts, cells.periods, cells.n_villages) == ((2014,), (2012, 2013, 2014), 1)
    assert cells.design.level == "household"


def test_balanced_leaves_out_who_is_not_always_seen_and_counts_them(uneven: Panel) -> None:
    cells = build(uneven, design())
    assert cells.totals["cohort"].to_list() == [2014] * 3
    assert cells.ever.rows() == [("v", 2014, "all", 1, 1.0)]
    assert cells.account.left_out == {INCOMPLETE: 1, NOT_ALWAYS: 3}
    assert cells.account.rows_used == 3
    assert "3 household not seen in every period" in repr(cells)


def test_pairs_use_the_households_seen_in_both_periods(uneven: Panel) -> None:
    cells = build(uneven, design(handling="pairs"))
    assert cells.pairs is not None
    assert cells.pairs.drop("village", "stratum").rows() == [
        # cohort, base, period, n, weight, base sum, period sum
        (0, 2012, 2013, 1, 1.0, 100, 200),
        (0, 2013, 2012, 1, 1.0, 200, 100),
        (2014, 2012, 2013, 1, 1.0, 10, 15),
        (2014, 2013, 2012, 1, 1.0, 15, 10),
        (2014, 2013, 2014, 1, 1.0, 15, 40),
    ]
    assert cells.account.left_out == {INCOMPLETE: 1, NOT_IN_PAIR: 1}  # c in 2013


def test_inverse_count_moments(uneven: Panel) -> None:
    """With Ω = untreated: a has 2012 and 2013 (half each), b both, c 2013 alone."""
    cells = build(uneven, design(handling="cross_sections", inverse=("untreated", "all")))
    assert cells.inverse is not None
    found = {row[:4]: row[4:] for row in cells.inverse.drop("village", "stratum").iter_rows()}
    found = {
        (cohort, omega, s, t): (a, b)
        for cohort, omega, s, t, a, b in cells.inverse.select(
            "cohort", "omega", "base", "period", "a", "b_total"
        ).iter_rows()
    }
    assert found[2014, "untreated", 2012, 2014] == (0.5, 5.0)
    assert found[2014, "untreated", 2013, 2014] == (0.5, 7.5)
    assert (2014, "untreated", 2014, 2014) not in found
    assert found[0, "untreated", 2013, 2013] == (0.5 + 1, 100.0 + 1000)
    assert found[0, "untreated", 2013, 2012] == (0.5, 100.0)
    assert found[2014, "all", 2014, 2012] == (1 / 3, pytest.approx(40 / 3, rel=1e-15))
    assert cells.meta["households_never_seen_untreated"] == 0
    assert cells.untreated is not None
    assert cells.untreated.equals(cells.totals)


def test_who_is_never_seen_untreated_cannot_be_imputed_and_is_counted(make: Make) -> None:
    panel = make(
        [{"household": h, "village": "v"} for h in "ab"],
        [
            {"household": "a", "period": 2013, "wage": 1},
            {"household": "a", "period": 2014, "wage": 2},
            {"household": "b", "period": 2014, "wage": 7},
        ],
        [{"unit": "a", "first_period": 2014}, {"unit": "b", "first_period": 2014}],
    )
    cells = build(panel, design(handling="cross_sections", inverse=("untreated",)))
    assert cells.meta["households_never_seen_untreated"] == 1
    assert cells.untreated is not None
    assert cells.untreated["sum_total"].to_list() == [1, 2]
    anticipated = design(handling="cross_sections", inverse=("untreated",), anticipation=1)
    assert build(panel, anticipated).meta["households_never_seen_untreated"] == 2


def test_poverty_counts_who_is_below_the_line_and_not_who_is_on_it(make: Make) -> None:
    """Line 100 a person: a (2 members, 150) lacks 50 of 200; b (1, 100) is on it; c (1, -20)."""
    outcomes = (
        Outcome("poor", transform=headcount(100)),
        Outcome("gap", transform=gap(100)),
        Outcome("gap_head", per="head", transform=gap(100)),
        Outcome("gap2", transform=squared_gap(100)),
        Outcome("low", transform=threshold(101)),
        Outcome("low_head", per="head", transform=threshold(76)),
        Outcome("head", "total", per="head"),
    )
    homes = [
        {"household": "a", "village": "v", "size_baseline": 2},
        {"household": "b", "village": "v"},
        {"household": "c", "village": "v"},
    ]
    rows = [
        {"household": h, "period": t, "business": y}
        for t in (2012, 2013)
        for h, y in (("a", 150), ("b", 100), ("c", -20))
    ]
    cells = build(
        make(homes, rows, [{"unit": "a", "first_period": 2013}]), design(outcomes=outcomes)
    )
    a, others = (
        cells.totals.filter(cohort=2013, period=2012),
        cells.totals.filter(cohort=0, period=2012),
    )
    names = [
        "sum_poor",
        "sum_gap",
        "sum_gap_head",
        "sum_gap2",
        "sum_low",
        "sum_low_head",
        "sum_head",
    ]
    assert a.select(names).row(0) == (1, 50, 25.0, 0.0625, 0, 1, 75.0)
    assert others.select(names).row(0) == (1, 120, 120.0, 1.44, 2, 1, 80.0)
    persons = build(
        make(homes, rows, [{"unit": "a", "first_period": 2013}]),
        design(outcomes=outcomes, unit="person"),
    )
    a = persons.totals.filter(cohort=2013, period=2012)
    assert persons.weighted
    assert a.select("n", "weight", "wsum_poor", "wsum_gap_head").row(0) == (1, 2.0, 2.0, 50.0)


def test_a_line_by_name_and_real_income_follow_the_tables_of_prices(make: Make) -> None:
    """In 2014 the line is 2,800 yuan as published; in 2011, 2,536."""
    homes = [{"household": "a", "village": "v"}, {"household": "b", "village": "v"}]
    rows = [
        {"household": "a", "period": t, "wage": y} for t, y in ((2011, 253_599), (2014, 280_000))
    ]
    rows += [
        {"household": "b", "period": t, "wage": y} for t, y in ((2011, 253_600), (2014, 279_999))
    ]
    outcomes = (
        Outcome("poor", transform=headcount("national")),
        Outcome("real", "total", real=2014),
        Outcome("cheap", real=2011, transform=threshold(253_600)),
    )
    cells = build(
        make(homes, rows, [{"unit": "a", "first_period": 2014}]), design(outcomes=outcomes)
    )
    assert cell(cells, 2014, 2011, "sum_poor") == [1]
    assert cell(cells, 2014, 2014, "sum_poor") == [0]
    assert cell(cells, 0, 2011, "sum_poor") == [0]
    assert cell(cells, 0, 2014, "sum_poor") == [1]
    factor = money.load().factor(2014, 2011)
    assert cell(cells, 2014, 2011, "sum_real") == [float(factor) * 253_599]
    assert cell(cells, 2014, 2014, "sum_real") == [280_000.0]
    limit = round(Fraction(253_600) * factor)
    assert cell(cells, 2014, 2014, "sum_cheap") == [int(limit > 280_000)]
    fixed = make(homes, rows, [{"unit": "a", "first_period": 2014}], price_year=2011)
    cells = build(fixed, design(outcomes=outcomes))
    assert cell(cells, 2014, 2014, "sum_poor") == [0]  # 2,536 yuan in both years
    assert cell(cells, 0, 2014, "sum_poor") == [0]
    assert cell(cells, 2014, 2011, "sum_real") == [float(factor) * 253_599]


def test_weights_give_weighted_sums_beside_plain_ones(make: Make) -> None:
    homes = [{"household": "a", "village": "v", "weight": 2.5}, {"household": "b", "village": "v"}]
    rows = [
        {"household": h, "period": t, "wage": y}
        for t in (2012, 2013)
        for h, y in (("a", 4), ("b", 10))
    ]
    rows = [r for r in rows if not (r["household"] == "b" and r["period"] == 2012)]
    panel = make(homes, rows, [{"unit": "x", "first_period": 2013}])
    cells = build(panel, design(handling="pairs", inverse=("all",)))
    assert cells.column("total") == "wsum_total"
    assert cells.totals.select("n", "weight", "sum_total", "wsum_total").rows() == [
        (1, 2.5, 4, 10.0),
        (2, 3.5, 14, 20.0),
    ]
    assert cells.pairs is not None
    assert cells.pairs.columns[5:] == [
        "n",
        "weight",
        "sum_total_base",
        "wsum_total_base",
        "sum_total_period",
        "wsum_total_period",
    ]
    assert cells.inverse is not None
    assert cells.inverse.select("base", "period", "a", "b_total").rows() == [
        (2012, 2012, 1.25, 5.0),
        (2012, 2013, 1.25, 5.0),
        (2013, 2012, 1.25, 5.0),
        (2013, 2013, 1.25 + 1, 5.0 + 10),
    ]


def test_two_programmes_are_keyed_by_the_pair_of_cohorts(make: Make) -> None:
    panel = make(
        [{"household": h, "village": v} for h, v in (("a", "v"), ("b", "v"), ("c", "w"))],
        [{"household": h, "period": t, "wage": 1} for h in "abc" for t in (2012, 2013, 2014)],
        [
            {"unit": "a", "first_period": 2013},
            {"unit": "v", "first_period": 2014, "programme": "dividend", "unit_level": "village"},
        ],
    )
    cells = build(
        panel, CellsDesign(("training", "dividend"), outcomes=TOTAL, inverse=("untreated",))
    )
    assert cells.ever.select("village", "cohort", "cohort_2").rows() == [
        ("v", 0, 2014),
        ("v", 2013, 2014),
        ("w", 0, 0),
    ]
    assert cells.meta["levels"] == ["household", "village"]
    assert cells.inverse is not None
    both = cells.inverse.filter(cohort=2013)["base"].unique().to_list()
    assert both == [2012]  # untreated by both


def test_a_stratum_that_is_missing_leaves_the_household_out(make: Make) -> None:
    panel = make(
        [
            {"household": "a", "village": "v", "design_stratum": "north"},
            {"household": "b", "village": "v"},
        ],
        [{"household": h, "period": t} for h in "ab" for t in (2012, 2013)],
        [{"unit": "a", "first_period": 2013}],
    )
    cells = build(panel, design(stratum="design_stratum"))
    assert cells.totals["stratum"].unique().to_list() == ["north"]
    assert cells.account.left_out == {NO_HOUSEHOLD: 2}


def test_periods_outside_are_left_out(uneven: Panel) -> None:
    cells = build(uneven, design(periods=(2012, 2013)))
    assert cells.account.left_out == {OUTSIDE: 2, NOT_ALWAYS: 1}
    assert cells.cohorts == (2014,)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"level": "village"}, "no village has it"),
        ({"programmes": ("dividend",)}, "nobody was ever treated; use one of: training"),
        ({"stratum": "colour"}, "there is no such column"),
        ({"periods": (2013, 2020)}, ""),
        ({"periods": (2014, 2020)}, "fewer than two periods"),
    ],
)
def test_what_the_panel_does_not_have_is_a_fault(
    uneven: Panel, options: dict[str, object], message: str
) -> None:
    asked = CellsDesign(**{"programmes": ("training",), "outcomes": TOTAL, **options})  # type: ignore[arg-type]
    if not message:
        build(uneven, asked)
        return
    with pytest.raises(FaultsError, match=message):
        build(uneven, asked)


@pytest.mark.parametrize("twice", [[2013, 2013], [2012, 2012, 2012], [2012, 2012, 2013]])
def test_a_household_twice_in_a_period_is_refused(make: Make, twice: list[int]) -> None:
    panel = make(
        [{"household": h, "village": "v"} for h in "ab"],
        [{"household": "a", "period": t} for t in (2012, 2013, 2014)]
        + [{"household": "b", "period": t} for t in twice],
        [{"unit": "a", "first_period": 2013}],
    )
    with pytest.raises(FaultsError, match="two rows in one period"):
        build(panel, design(handling="cross_sections"))


def test_no_household_always_seen_is_a_fault_that_says_what_to_do(make: Make) -> None:
    panel = make(
        [{"household": h, "village": "v"} for h in "ab"],
        [{"household": "a", "period": 2012}, {"household": "b", "period": 2013}],
        [{"unit": "a", "first_period": 2013}],
    )
    with pytest.raises(FaultsError, match="pairs or cross_sections"):
        build(panel, design())


def test_lines_of_the_yuan_are_refused_for_other_money(uneven: Panel, tmp_path: Path) -> None:
    from dataclasses import replace

    outcomes = (Outcome("poor", transform=headcount("national")),)
    with pytest.raises(FaultsError, match="those of the yuan"):
        build(replace(uneven, currency="rupees"), design(outcomes=outcomes))


@pytest.mark.parametrize(
    ("make_it", "message"),
    [
        (lambda: Outcome("Wage"), "lower case"),
        (lambda: Outcome("poor", per="head", transform=headcount(5)), "no unit of money"),
        (lambda: headcount(0), "not above zero"),
        (lambda: Outcome("x", source="gifts", transform=headcount(5)), "none of the four"),
        (lambda: design(handling="pooled"), "none of balanced"),
        (lambda: design(outcomes=(Outcome("wage"), Outcome("wage"))), "two outcomes have one name"),
        (lambda: CellsDesign(("a", "a")), "two different ones"),
        (lambda: design(inverse=("some",)), "moments are"),
    ],
)
def test_designs_that_cannot_be_are_refused(make_it: Callable[[], object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        make_it()


def test_the_total_is_not_scanned_where_its_sources_are(uneven: Panel) -> None:
    cells = build(uneven, design(outcomes=standard(), handling="cross_sections"))
    row = cells.totals.filter(cohort=2014, period=2013)
    assert row.select("sum_wage", "sum_business", "sum_total").row(0) == (20, -5, 15)
    assert not math.isnan(float(row["sum_total"].item()))
