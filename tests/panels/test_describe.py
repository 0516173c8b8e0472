"""The description of a panel. Expected values by hand from four households in two villages."""

from dataclasses import replace

import polars as pl
import pytest

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
    table = describe.poverty(four, ("national",)).filter(period=2012)
    values = {row["group"]: row for row in table.iter_rows(named=True)}
    every = values["all"]
    assert every["n_rows"] == 3
    assert every["headcount_households"] == pytest.approx(2 / 3)
    assert every["headcount_persons"] == pytest.approx(7 / 9)
    assert every["gap_per_person"] == pytest.approx((4 + 3 * 2625) / 9)
    assert every["line_status"] == "from_memory"  # of 2012 in poverty_lines.csv
    assert values["registered"]["headcount_households"] == 0
    assert values["other"]["headcount_households"] == 1  # d is on neither list


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


def test_all_of_it_and_of_a_panel_in_another_currency(four: panel.Panel) -> None:
    found = describe.describe(four)
    assert found.balance["programme"].unique().sort().to_list() == ["dividend", "training"]
    abroad = describe.describe(replace(four, currency_unit="cents"))
    assert abroad.poverty.is_empty()
    bare = replace(four, participation=four.participation.clear())
    assert describe.describe(bare).balance.is_empty()
