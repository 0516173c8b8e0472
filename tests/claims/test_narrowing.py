"""Claims narrowed by others of the same article; every expected end is calculated by hand."""

from dataclasses import replace
from fractions import Fraction

import polars as pl
import pytest

from analysis.claims import ledger
from analysis.claims.expressions import parse
from analysis.claims.intervals import INFINITE, End, Interval
from analysis.claims.narrowing import intersect, narrow, narrowed_operands, solve
from analysis.claims.relations import by_id, judge


@pytest.fixture(scope="module")
def reported():
    return ledger.load()


def test_total_and_headcount_narrow_the_amount_per_head(reported):
    """1146万 is 11,455,000 up to but not 11,470,000; over 764 persons."""
    found = {row.claim: row for row in narrow(reported)}
    dividend = found["S3_029"]
    assert dividend.printed == Interval.between(14500, 16000, high_open=True)
    low, high = Fraction(11455000, 764), Fraction(11470000, 764)
    assert dividend.narrowed == Interval.between(low, high, high_open=True)
    assert (round(low), round(high)) == (14993, 15013)
    assert dividend.relations == ("R040",)
    assert dividend.others == ("S3_028", "S3_030")


def test_identities_are_judged_as_printed_and_derived_figures_as_narrowed(reported):
    found = by_id(judge(reported))
    assert found["R040"].left.low.value == 764 * 14500
    assert found["R040"].narrowed == ()
    assert found["R043"].interval.low.value == Fraction(11455000, 764 * 12951)
    assert found["R043"].narrowed == ("S3_029",)


def test_only_one_article_narrows_and_no_reading_does(reported):
    """R044 compares with an official figure, R130 is a reading: without R040 nothing narrows."""
    without = replace(reported, relations=reported.relations.filter(pl.col("id") != "R040"))
    assert narrow(without) == ()


def test_what_is_not_narrowed_stays_as_printed(reported):
    narrower = narrowed_operands(reported)
    changed = {name for name in narrower if narrower[name] != reported.operands[name]}
    assert changed == {"S3_029"}


@pytest.mark.parametrize(
    ("relation", "low", "low_open", "high", "high_open"),
    [
        # a·b == t with b in [2, 3], t in [12, 15): a lies in [12/3, 15/2)
        ("a * b == t", 4, False, Fraction(15, 2), True),
        # a + b <= t: a <= 15 − 2, and 15 is not reached
        ("a + b <= t", None, True, 13, True),
        # a > b: more than the least b
        ("a > b", 2, True, None, True),
        # t / a <= b: a >= 12 / 3, as a is positive
        ("t / a <= b", 4, False, None, True),
        # −a >= b − t, so a <= 15 − 2
        ("-a >= b - t", None, True, 13, True),
    ],
)
def test_each_kind_of_relation_by_hand(relation, low, low_open, high, high_open):
    box = {
        "a": Interval.between(1, 100),
        "b": Interval.between(2, 3),
        "t": Interval.between(12, 15, high_open=True),
    }
    found = solve(parse(relation), "a", box)
    expected = Interval(
        INFINITE if low is None else End(Fraction(low), low_open),
        INFINITE if high is None else End(Fraction(high), high_open),
    )
    assert found == expected


def test_what_cannot_be_solved_narrows_nothing():
    box = {"a": Interval.between(1, 9), "b": Interval.between(-1, 1), "t": Interval.point(4)}
    assert solve(parse("a * b == t"), "a", box) is None  # b can be zero
    assert solve(parse("a * a == t"), "a", box) is None  # squared


def test_an_assumed_end_stays_assumed():
    """Nearly 15 from 13.5 on, by convention: half of it begins at 6.75, by the same convention."""
    nearly = Interval(End(Fraction(27, 2), assumed=True), End(Fraction(15), is_open=True))
    box = {"a": Interval.between(1, 100), "two": Interval.point(2), "t": nearly}
    found = intersect(box["a"], solve(parse("a * two == t"), "a", box))
    assert found.low == End(Fraction(27, 4), assumed=True)
    assert found.high == End(Fraction(15, 2), is_open=True)


def test_of_two_equal_ends_print_wins_over_convention():
    printed, assumed = End(Fraction(1)), End(Fraction(1), is_open=True, assumed=True)
    top = End(Fraction(2))
    assert intersect(Interval(printed, top), Interval(assumed, top)).low == printed
    opened = End(Fraction(1), is_open=True)
    assert intersect(Interval(printed, top), Interval(opened, top)).low == opened
    assert intersect(Interval.point(1), Interval.between(2, 3)) is None


def test_narrowing_is_sound_for_random_members(reported):
    """Any triple of persons, amount and total that the article allows stays allowed."""
    import random

    random.seed(3)
    total = reported.operands["S3_030"].interval
    narrowed = narrowed_operands(reported)["S3_029"].interval
    span = total.high.value - total.low.value
    for _ in range(200):
        value = total.low.value + span * Fraction(random.randrange(1000), 1000)
        each = value / 764
        if reported.operands["S3_029"].interval.holds(each):
            assert narrowed.holds(each)


def test_relations_added_by_hand(reported):
    found = by_id(judge(reported))
    # 247 households at 1.5万 make at most 3,708,233; the total is 1146万
    assert found["R130"].verdict == "reading rejected"
    # 491 of 572 cadres
    assert found["R131"].verdict == "reading stands"
    assert found["R132"].interval == Interval.point(Fraction(491, 572))
    # 6,799 persons left, 4,873 were assigned
    assert found["R133"].verdict == "reading rejected"
    assert found["R134"].interval == Interval.point(Fraction(4873, 6799))
    # 20万 printed in 万, so from 195,000 on; against the rule's own 50,000
    assert found["R135"].verdict == "reading stands"
    assert found["R136"].interval.low.value == Fraction(195000, 50000)
    # 10.63万 + 13.99万 + 13.56万 attendances over 2.31万 persons
    attendances = found["R137"].interval
    assert attendances.holds(Fraction(381800, 23100))
    assert float(attendances.low.value) == pytest.approx((381800 - 150) / 23200, rel=1e-3)
