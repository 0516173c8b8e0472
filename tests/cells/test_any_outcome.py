"""Outcomes of any kind through cells: sums by hand, transforms by NumPy, completeness by question."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from tests.cells.conftest import Make

import analysis as va
from analysis.cells.build import NO_OUTCOME, NOT_POSITIVE, build
from analysis.cells.design import CellsDesign
from analysis.cells.outcomes import Outcome, Transform, gap, threshold
from analysis.faults import FaultsError
from analysis.panels import panel as panels
from analysis.panels.outcomes import PanelOutcome
from analysis.panels.panel import Panel

KINDS = (
    PanelOutcome("consumption", "money"),
    PanelOutcome("hours", "number", "hours a week"),
    PanelOutcome("attending", "share"),
    PanelOutcome("owns_land", "yes_no"),
)
HOMES = [
    {"household": h, "village": v, "size_baseline": s}
    for h, v, s in (("a", "v", 2), ("b", "w", 4), ("c", "x", 1))
]
ROWS = [
    {"household": "a", "period": 1, "consumption": 1_000, "hours": 0.1, "attending": 0.5},
    {"household": "a", "period": 2, "consumption": 4_000, "hours": 0.2, "attending": 0.75},
    {"household": "b", "period": 1, "consumption": 2_000, "hours": 10.0, "attending": 0.0},
    {"household": "b", "period": 2, "consumption": 2_500, "hours": 10.000387, "attending": 0.25},
    {"household": "c", "period": 1, "consumption": 0, "hours": 5.0, "attending": 1.0},
    {"household": "c", "period": 2, "consumption": 7_000, "hours": None, "attending": 1.0},
]


@pytest.fixture
def panel(make: Make) -> Panel:
    """Three households in three villages, one treated; wages are missing throughout."""
    plain = [
        {"household": r["household"], "period": r["period"], "wage": None, "property": 7}
        for r in ROWS
    ]
    made = make(HOMES, plain, [{"unit": "a", "first_period": 2}])
    extra = pl.LazyFrame(ROWS).with_columns(
        pl.col("period").cast(pl.Int32),
        owns_land=pl.when(pl.col("household") == "a").then(1.0).otherwise(0.0),
    )
    income = made.income.join(extra, on=["household", "period"], maintain_order="left")
    return replace(made, income=income, outcomes=KINDS, calendar="number", currency="dollars")


def design(*outcomes: Outcome, **options: object) -> CellsDesign:
    return CellsDesign(("training",), outcomes=outcomes, stratum="", **options)  # type: ignore[arg-type]


def sums(panel: Panel, outcome: Outcome, **options: object) -> dict[tuple[str, int], float]:
    cells = build(panel, design(outcome, **options))
    rows = cells.totals.select("village", "period", f"sum_{outcome.name}").iter_rows()
    return {(village, period): value for village, period, value in rows}


def test_a_panel_with_outcomes_is_written_and_read_as_it_was(panel: Panel, tmp_path: Path) -> None:
    panels.write(panel, tmp_path / "p")
    found = panels.read(tmp_path / "p")
    assert found.outcomes == KINDS
    assert (found.calendar, found.currency) == ("number", "dollars")
    assert found.income.select("hours").collect()["hours"][3] == 10.000387
    odd = panel.income.with_columns(attending=pl.col("attending") * 2, owns_land=pl.lit(0.5))
    faults = panels.check(replace(panel, income=odd))
    assert [(f.column, "(3 rows)" in f.problem) for f in faults] == [
        ("attending", True),
        ("owns_land", False),
    ]


def test_each_kind_is_added_up_and_has_its_unit(panel: Panel) -> None:
    """Money stays whole hundredths, a float keeps every digit."""
    assert sums(panel, Outcome("consumption"))["w", 2] == 2_500
    assert sums(panel, Outcome("hours"))["w", 2] == 10.000387
    assert sums(panel, Outcome("owns_land"))["v", 1] == 1
    assert sums(panel, Outcome("hours", per="head"))["w", 1] == 2.5
    cells = build(panel, design(*(Outcome(o.name) for o in KINDS), handling="cross_sections"))
    assert [outcome.unit for outcome in cells.design.outcomes] == [
        "0.01 dollars/households/years, prices of each year",
        "hours a week",
        "share",
        "yes or no",
    ]


@pytest.mark.parametrize(
    ("transform", "value"),
    [
        (Transform("asinh"), np.arcsinh(np.array([10.0, 40.0]))),
        (Transform("log"), np.log(np.array([10.0, 40.0]))),
        # Of 0, 1000, 2000, 2500, 4000, 7000 the quantiles 0.2 and 0.8 are 1000 and 4000.
        (Transform("winsorised", shares=(0.2, 0.8)), np.array([1_000.0, 4_000.0])),
    ],
)
def test_transforms_are_those_of_numpy(
    panel: Panel, transform: Transform, value: np.ndarray
) -> None:
    outcome = Outcome("made", "consumption", transform=transform)
    handling = "pairs" if transform.kind == "log" else "balanced"
    found = sums(panel, outcome, handling=handling)
    assert [found["v", t] for t in (1, 2)] == pytest.approx(value, rel=1e-14)


def test_a_logarithm_of_zero_is_left_out_and_counted(panel: Panel) -> None:
    log = Outcome("log", "consumption", transform=Transform("log"))
    account = build(panel, design(log, handling="cross_sections")).account
    assert account.left_out == {NOT_POSITIVE: 1}


def test_completeness_is_judged_by_the_outcomes_of_the_question(panel: Panel) -> None:
    """Nobody tells a wage: that costs property nothing, and consumption nothing."""
    assert build(panel, design(Outcome("property"))).account.left_out == {}
    hours = build(panel, design(Outcome("hours"), handling="cross_sections"))
    assert hours.account.left_out == {NO_OUTCOME: 1}
    with pytest.raises(FaultsError, match="in which wage were answered"):
        build(panel, design(Outcome("wage")))


def test_an_absent_source_takes_the_total_with_it_and_nothing_else(panel: Panel) -> None:
    income = panel.income.with_columns(business=pl.col("period").cast(pl.Int64) * 100)
    some = replace(panel, absent=("wage",), income=income)
    cells = va.cells(some, "training", va.INCOME)
    assert [o.name for o in cells.design.outcomes] == ["business", "property", "transfer"]
    assert "wage, total" in cells.meta["notes"][0]
    nothing = replace(panel, absent=("wage", "business", "property", "transfer"))
    assert va.cells(nothing, "training", handling="cross_sections").design.outcomes[0].name == (
        "consumption"
    )


def test_an_outcome_the_panel_lacks_is_refused_by_name(panel: Panel) -> None:
    with pytest.raises(FaultsError, match=r"no such outcome; use one of: .*consumption, hours"):
        build(panel, design(Outcome("wealth")))


def test_prices_without_an_index_stay_nominal_and_say_so(panel: Panel) -> None:
    real = Outcome("consumption", real=2020)
    made = build(replace(panel, prices="", calendar="year"), design(real))
    assert made.meta["notes"] == [
        "consumption is in prices of each period: the panel names no price index"
    ]
    assert made.design.outcomes[0].unit.endswith("prices of each year")
    index = {1: "100", 2: "125"}
    made = build(replace(panel, prices=index, calendar="year"), design(replace(real, real=2)))
    assert made.meta["notes"] == []
    values = made.totals.filter(village="v")["sum_consumption"].to_list()
    assert values == [1_250.0, 4_000.0]
    lacking = build(
        replace(panel, prices={1: "100"}, calendar="year"), design(replace(real, real=1))
    )
    assert lacking.meta["notes"] == [
        "consumption is in prices of each period: no price index for 2"
    ]


def test_what_years_are_called_changes_no_number(tmp_path: Path) -> None:
    """The calendar 2012 … 2017 counted as waves 1 … 6, and as quarters from 2012 Q1; the first cohort is of 2014, 2012 Q3."""
    folder = tmp_path / "p"
    years = va.simulate(folder, households=600, villages=30, periods=(2012, 2017), seed=4)
    first = va.did(years, y=va.INCOME, programme="training")
    for calendar, shift in (("number", 1 - 2012), ("quarter", 4 * 2012 - 2012)):
        moved = replace(
            years,
            calendar=calendar,
            income=years.income.with_columns(pl.col("period") + shift),
            participation=years.participation.with_columns(pl.col("first_period") + shift),
        )
        fit = va.did(moved, y=va.INCOME, programme="training")
        same = ["estimate", "std_error", "ci_low", "ci_high", "p_value", "event_time"]
        assert fit.tidy().select(same).equals(first.tidy().select(same))
        assert fit.by_cohort.tidy()["cohort"].to_list() == [
            g + shift for g in first.by_cohort.tidy()["cohort"]
        ]
        assert str(fit.pretrends("wage")) == str(first.pretrends("wage"))
    assert fit.by_period.tidy()["term"][0] == "period 2012 Q3"


def test_a_threshold_is_compared_with_income_per_adult_equivalent(make: Make) -> None:
    """By hand: 7 of 1.5, 2 and 1 adult equivalents is 4.67, 3.5 and 7; one lies below 4.

    A gap is what is lacking to the line of all members, 2·5 − 7 = 3 and 4·5 − 7 = 13, divided.
    """
    rows = [{"household": r["household"], "period": r["period"], "property": 7} for r in ROWS]
    made = make(HOMES, rows, [{"unit": "a", "first_period": 2}])
    equivalents = pl.col("household").replace_strict({"a": 1.5, "b": 2.0, "c": 1.0})
    homes = made.households.with_columns(x_adult_equivalents=equivalents)
    made = replace(made, households=homes)
    below = Outcome("below", source="property", per="adult_equivalent", transform=threshold(4))
    assert sums(made, below) == {(v, t): int(v == "w") for v in "vwx" for t in (1, 2)}
    lacking = Outcome("lacking", source="property", per="adult_equivalent", transform=gap(5))
    by_hand = {"v": 3 / 1.5, "w": 13 / 2, "x": 0.0}
    assert sums(made, lacking) == {(v, t): by_hand[v] for v in "vwx" for t in (1, 2)}
