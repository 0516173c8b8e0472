"""Prices and poverty lines. Expected values by hand from the committed tables."""

from fractions import Fraction

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis import money
from analysis.faults import FaultsError


def test_a_published_line_is_used_as_published() -> None:
    assert money.load().line_fen("national", 2019) == 321_800


def test_a_line_is_carried_over_and_rounded_once() -> None:
    # 3218 × 1.022 × 1.009 = 3318.395…: yuan 3318.40; rounding each year would give the same fen
    # here, so the chain is also checked exactly.
    known = money.load()
    assert known.factor(2021, 2019) == Fraction(1022, 1000) * Fraction(1009, 1000)
    assert known.line_fen("national", 2021) == round(Fraction(321800) * known.factor(2021, 2019))
    assert known.line_fen("national", 2021) == 331_840
    assert known.line_fen("planning_2020", 2019) == round(Fraction(400_000) / Fraction(1022, 1000))


def test_what_is_not_known_is_a_fault() -> None:
    with pytest.raises(FaultsError, match="no such poverty line"):
        money.load().line_fen("none", 2019)
    with pytest.raises(FaultsError, match="no price change"):
        money.load().line_fen("national", 2024)


@given(st.integers(2010, 2021), st.integers(2010, 2021), st.integers(2010, 2021))
def test_price_factors_chain(a: int, b: int, c: int) -> None:
    known = money.load()
    assert known.factor(a, b) * known.factor(b, c) == known.factor(a, c)


def test_real_sources_add_up_to_the_real_total() -> None:
    frame = pl.LazyFrame({"period": [2012, 2021], "wage": [100_01, 7], "business": [-33, 55]})
    real = money.load().to_real(frame, ("wage", "business"), 2021, (2012, 2021)).collect()
    factor = float(money.load().factor(2021, 2012))
    assert real["wage"].to_list() == [round(100_01 * factor), 7]
    assert real["business"].to_list() == [round(-33 * factor), 55]


def test_a_line_carried_over_is_no_better_verified_than_what_it_is_made_of() -> None:
    # By hand from the files: the line of 2019 is found and so is the price change of 2020, that of
    # 2021 is from memory; the line of 2018 is from memory as published.
    found = money.load()
    stated = {year: found.line_status("national", year) for year in (2010, 2018, 2019, 2020, 2021)}
    assert stated == {
        2010: "found",
        2018: "from_memory",
        2019: "found",
        2020: "derived",
        2021: "from_memory",
    }
    assert found.line_status("planning_2020", 2018) == "from_memory"
    assert set(found.change_status) == set(found.changes)


def test_every_line_has_a_status_in_every_period() -> None:
    table = money.load().line_table((2012, 2021))
    assert table.height == 20
    assert set(table["status"]) <= set(money.STATUSES)
    assert (table["line_fen"] > 0).all()
