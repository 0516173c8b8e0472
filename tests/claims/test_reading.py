"""Printed phrases, units and the grammar of expressions; expected values by hand."""

from datetime import date
from fractions import Fraction

import pytest

from analysis.claims.expressions import (
    ExpressionError,
    NotComputableError,
    Operand,
    check_fit,
    missing,
    names,
    parse,
)
from analysis.claims.intervals import Interval
from analysis.claims.printed import Margins, interval_of, read_number
from analysis.claims.units import Unit

MARGINS = Margins(nearly=Fraction(1, 10), about=Fraction(1, 20))


@pytest.mark.parametrize(
    ("phrase", "value", "step", "in_full"),
    [
        ("10.63万人次", 106300, 100, False),
        ("276.6万元", 2766000, 1000, False),
        ("1.5万元", 15000, 1000, False),
        ("4.5亿元", 450000000, 10000000, False),
        ("1357人", 1357, 1, True),
        ("729.7亩", Fraction(7297, 10), Fraction(1, 10), False),
        ("47%", 47, 1, True),
        ("三县", 3, 1, True),
        ("十一步", 11, 1, True),
        ("四十五", 45, 1, True),
        ("百企", 100, 1, True),
        ("2.4万余人", 24000, 1000, False),
    ],
)
def test_numerals(phrase, value, step, in_full):
    reading = read_number(phrase)
    assert (reading.value, reading.step, reading.in_full) == (value, step, in_full)


def test_a_phrase_without_a_numeral_has_no_reading():
    assert read_number("上下") is None


@pytest.mark.parametrize(
    ("value", "step", "bound", "in_full", "expected"),
    [
        (1357, 1, "exact", True, "1357"),
        (106300, 100, "exact", False, "[106250, 106400)"),
        (15000, 1000, "exact", False, "[14500, 16000)"),
        (24000, 1000, "more_than", False, "(24000, ∞)"),
        (50000, 10000, "at_least", False, "[50000, ∞)"),
        (20000, 10000, "nearly", False, "[18000, 20000)"),
        (200, 1, "about", True, "[190, 210]"),
        (8, 1, "up_to", True, "[0, 8]"),
    ],
)
def test_what_a_printed_number_allows(value, step, bound, in_full, expected):
    found = interval_of(Fraction(value), Fraction(step), bound, MARGINS, in_full=in_full)
    assert str(found) == expected
    assert found.low.assumed == (bound in ("nearly", "about"))
    assert found.high.assumed == (bound == "about")


def test_an_unknown_bound_is_refused():
    with pytest.raises(ValueError, match="unknown bound"):
        interval_of(Fraction(1), Fraction(1), "roughly", MARGINS, in_full=True)


def test_units_multiply_and_divide():
    income = Unit.parse("yuan/persons/years")
    assert str(income * Unit.parse("persons")) == "yuan/years"
    assert Unit.parse("percent") == Unit() == Unit.parse("ratio")
    assert str(Unit.parse("persons") / Unit.parse("households")) == "persons/households"
    assert Unit.parse("persons") != Unit.parse("person_times")


@pytest.mark.parametrize(
    "text",
    [
        "a * 12",
        "f(a)",
        "a ** b",
        "a == b == c",
        "a if b else c",
        "a.b",
        "missing(a)",
        "a +",
        "a and b",
        "distinct(a + b)",
        "'a'",
        "missing('x', 'y')",
    ],
)
def test_what_the_grammar_refuses(text):
    with pytest.raises(ExpressionError):
        parse(text)


def test_names_and_missing_operands():
    expression = parse("a / (b + a) <= missing('households') * 1")
    assert names(expression) == ["a", "b"]
    assert missing(expression) == ["households"]


def operand(unit, *, time="flow", place="A", year=2019):
    period = (date(year, 1, 1), date(year, 12, 31))
    return Operand(Interval.point(2), Unit.parse(unit), time, place, period)


OPERANDS = {
    "persons": operand("persons"),
    "times": operand("person_times"),
    "stock": operand("persons", time="stock"),
    "elsewhere": operand("persons", place="B"),
    "later": operand("persons", year=2021),
    "yuan": operand("yuan"),
}


@pytest.mark.parametrize(
    ("text", "assumes", "message"),
    [
        ("persons <= times", "", "cannot compare persons and person_times"),
        ("persons + yuan", "", "cannot add persons and yuan"),
        ("persons == stock", "", "cannot compare a flow and a stock"),
        ("persons / elsewhere", "", "places differ"),
        ("persons / later", "", "periods do not meet"),
        ("yuan / missing('borrowers')", "", "not reported: borrowers"),
        ("distinct(persons) <= stock", "time_type", "counts persons, not person_times"),
        ("persons + elsewhere", "period", "places differ"),
    ],
)
def test_what_does_not_fit_is_named(text, assumes, message):
    with pytest.raises(NotComputableError, match=message):
        check_fit(parse(text), OPERANDS, frozenset(assumes.split(";")))


@pytest.mark.parametrize(
    ("text", "assumes", "unit"),
    [
        ("yuan / persons", "", "yuan/persons"),
        ("persons == stock", "time_type", "persons"),
        ("persons + elsewhere", "place", "persons"),
        ("persons / later", "period", "ratio"),
        ("distinct(times) <= persons", "", "persons"),
        ("1 - persons / persons", "", "ratio"),
    ],
)
def test_what_fits_has_its_unit(text, assumes, unit):
    kind = check_fit(parse(text), OPERANDS, frozenset(assumes.split(";")))
    assert str(kind.unit) == unit
