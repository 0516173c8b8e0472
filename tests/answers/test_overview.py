"""The stored table over all programmes is what the code makes, and says what it must."""

import polars as pl
import pytest

from analysis import programmes
from analysis.answers import overview


@pytest.fixture(scope="module")
def table():
    return overview.judged(overview.stored())


def test_every_programme_stands_under_every_difficulty(table):
    pairs = set(table.select("variant", "programme").iter_rows())
    names = programmes.load().designs["programme"].to_list()
    assert pairs == {(variant, name) for variant in overview.variants() for name in names}


def test_the_stored_numbers_are_those_of_the_code(table):
    """One difficulty made again; all would take a minute."""
    again = overview.made(("dip",))
    kept = overview.stored().filter(pl.col("variant") == "dip")
    for column in again.columns[2:]:
        for new, old in zip(again[column], kept[column], strict=True):
            assert new == pytest.approx(old, rel=1e-6, abs=0.02)


def test_one_difficulty_alone_throws_with_and_without_far_off(table):
    """Where the better-off join, it is off by more than the truth itself, by the median."""
    alone = table.filter(pl.col("variant") == "selection_level")
    off = (alone["with_without"] - alone["truth_last"]).abs() / alone["truth_last"]
    assert off.median() > 1


def test_all_at_once_is_nearer_where_programmes_come_together(table):
    bundled = table.filter(pl.col("variant") == "bundling")
    assert bundled["together_off"].abs().median() < bundled["design_off"].abs().median()


def test_intervals_without_an_end_hold_nothing(table):
    lacking = table.filter(pl.col("design_low").is_null())
    assert lacking["design_holds"].null_count() == lacking.height
