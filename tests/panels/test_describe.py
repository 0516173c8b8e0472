"""The description of a panel. Expected values by hand from four households in two villages."""

from dataclasses import replace

import polars as pl
import pytest

import analysis as va
from analysis.panels import describe, panel, schemas
from analysis.panels.account import Account

LINE_2012 = 2625 * 100  # the national line of 2012, fen per person


@pytest.fixture
def four() -> panel.Panel:
    """One treated household in a village, one treated village; d is seen once, c lacks a wage."""
    households = pl.DataFrame(
        {
            "household": ["a", "b", "c", "d"],
            "village": ["v", "v", "w", "w"],
            "size_baseline": [2, 4, 1, 3],
            "weight": 1.0,
            "weight_type": "none",
            "stratum": "all",
            "registered_poor": [True, False, False, None],
            "income_baseline_fen": [200, 800, 300, 0],
        }
    )
    rows = [
        ("a", 2012, 2 * LINE_2012, 0, 0, 0, 2, True),  # exactly on the line: not poor
        ("b", 2012, 0, 4 * LINE_2012 - 400, 0, 0, 4, True),  # poor by one yuan a head
        ("c", 2012, None, 5, 0, 0, 1, False),
        ("d", 2012, 0, -100, 100, 0, None, True),  # has nothing
        ("a", 2013, 500, 300, 200, 0, 3, True),
        ("b", 2013, 0, 1000, 0, 0, 2, True),
    ]
    kinds = schemas.polars_schema("income")
    income = pl.DataFrame(rows, schema=kinds, orient="row")
    participation = pl.DataFrame(
        [
            ("training", "household", "a", 2013, 10.0, "days"),
            ("dividend", "village", "w", 2013, None, None),
        ],
        schema=schemas.polars_schema("participation"),
        orient="row",
    )
    villages = pl.DataFrame({"village": ["v", "w"], "county": "c", "remoteness_km": [10.0, None]})
    return panel.Panel(
        name="four",
        tier="yours",
        prices="tibet_cpi",
        income=income.lazy(),
        participation=participation.lazy(),
        households=schemas.conform(
            households.cast(
                {
                    "size_baseline": pl.Int32,
                    "income_baseline_fen": pl.Int64,
                    "weight_type": schemas.polars_schema("households")["weight_type"],
                }
            ).lazy(),
            "households",
        ),
        villages=schemas.conform(villages.lazy(), "villages"),
        account=Account(8, 6, {"moved away": 2}),
    )


def test_the_four_households_keep_the_contract(four: panel.Panel) -> None:
    assert panel.check(four) == ()


def test_sizes(four: panel.Panel) -> None:
    assert dict(describe.sizes(four).iter_rows()) == {
        "households": 4,
        "villages": 2,
        "counties": 1,
        "rows": 6,
        "rows complete": 5,
        "periods": 2,
    }


def test_sources_by_period(four: panel.Panel) -> None:
    later = describe.sources(four).filter(period=2013)
    assert later["source"].to_list() == [*schemas.SOURCES, "total"]
    assert later["per_household"].to_list() == [2.5, 6.5, 1.0, 0.0, 10.0]
    assert later["per_head"].to_list() == pytest.approx([1.0, 2.6, 0.4, 0.0, 4.0])
    assert later["share"].to_list() == pytest.approx([0.25, 0.65, 0.1, 0.0, 1.0])
    assert later["n_rows"].to_list() == [2] * 5
    # Household d has no count of members: it is in the first mean and not in the second.
    first = describe.sources(four).filter(period=2012, source="property")
    assert first["per_household"].item() == pytest.approx(1 / 3)
    assert first["per_head"].item() == 0


def test_who_is_poor(four: panel.Panel) -> None:
    rows, lines = describe.with_lines(describe.household_periods(four), four)
    assert lines["national line"] == "national"
    found = va.poverty(rows.filter(period=2012), "income", lines, size="size", weight="weight")
    assert found.account.rows_used == 3
    # a is exactly on the line: not poor; b lacks one yuan a head, d everything.
    assert found.of("headcount", "national line").value == pytest.approx(7 / 9)
    assert found.of("gap", "national line").value == pytest.approx((4 + 3 * 2625) / 9 / 2625)


def test_a_panel_without_official_lines_is_measured_at_half_its_median(four: panel.Panel) -> None:
    for other in (replace(four, currency="dollars"), replace(four, price_year=2012)):
        rows, lines = describe.with_lines(describe.household_periods(other), other)
        assert lines == {"half the median": "line"}
        # Per head: 2012 a on the line, b below by a yuan, d nothing; 2013 a 500, b 250 by members.
        medians = {2012: (4 * LINE_2012 - 400) / 4, 2013: (1000 / 2 + 1000 / 4) / 2}
        assert {r["period"]: 2 * r["line"] for r in rows.iter_rows(named=True)} == medians
    old = four.income.with_columns(pl.col("period") - 50)
    assert (
        "half the median"
        in describe.with_lines(
            describe.household_periods(replace(four, income=old)), replace(four, income=old)
        )[1]
    )


def test_an_absent_source_blocks_nothing_but_the_official_lines(four: panel.Panel) -> None:
    wages = four.income.with_columns(
        *(pl.lit(None, pl.Int64).alias(name) for name in schemas.SOURCES if name != "wage"),
        complete=pl.lit(False),
    )
    part = replace(four, income=wages)
    rows = describe.household_periods(part)
    assert describe.recorded(part) == ("wage",)
    assert rows["income"].to_list() == rows["wage"].to_list()
    assert rows.height == 5
    assert list(describe.with_lines(rows, part)[1]) == ["half the median"]


def test_who_gets_what(four: panel.Panel) -> None:
    assert describe.programmes(four).rows() == [
        ("dividend", "village", 2013, 1, 0.5, None, None),
        ("training", "household", 2013, 1, 0.25, 10.0, "days"),
    ]


def test_balance(four: panel.Panel) -> None:
    rows = {
        row["covariate"]: row for row in describe.balance(four, "dividend").iter_rows(named=True)
    }
    assert "workers_baseline" not in rows  # nobody has it
    size = rows["size_baseline"]
    assert (size["treated"], size["untreated"]) == (2.0, 3.0)  # villages w and v
    assert size["standardised_difference"] == pytest.approx(-1 / 2**0.5)  # both variances are 2
    assert rows["income_baseline"]["untreated"] == pytest.approx(1.5)
    assert rows["remoteness_km"]["n_treated"] == 0
    assert rows["remoteness_km"]["standardised_difference"] is None


def test_what_is_missing(four: panel.Panel) -> None:
    table = describe.missing(four)
    assert table["share_seen"].to_list() == [1.0, 0.5]
    assert table["share_complete"].to_list() == [0.75, 1.0]
    assert table["missing_wage"].to_list() == [0.25, 0.0]
    assert table["missing_members_present"].to_list() == [0.25, 0.0]
    assert describe.left_out(four).rows() == [("used", 6, 0.75), ("moved away", 2, 0.25)]
