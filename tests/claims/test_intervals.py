"""Interval arithmetic: hand-calculated cases, and laws that hold for any interval.

Expected values are calculated by hand unless a test says otherwise.
"""

from fractions import Fraction

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from analysis.claims.expressions import Operand, evaluate, parse
from analysis.claims.intervals import INFINITE, End, Interval
from analysis.claims.units import Unit

F = Fraction


def half_open(low, high):
    return Interval(End(F(low)), End(F(high), is_open=True))


@pytest.mark.parametrize(
    ("left", "sign", "right", "expected"),
    [
        (Interval.between(1, 2), "+", Interval.between(10, 20), "[11, 22]"),
        (Interval.between(1, 2), "-", Interval.between(10, 20), "[-19, -8]"),
        (half_open(1, 2), "+", Interval.point(3), "[4, 5)"),
        (Interval.point(3), "-", half_open(1, 2), "(1, 2]"),
        (Interval.between(-1, 2), "*", Interval.between(3, 4), "[-4, 8]"),
        (Interval.between(-2, -1), "*", Interval.between(-4, -3), "[3, 8]"),
        (half_open(14500, 16000), "*", Interval.point(764), "[11078000, 12224000)"),
        (Interval.more_than(10), "*", Interval.point(2), "(20, ∞)"),
        (Interval.more_than(10), "*", Interval.point(-2), "(−∞, -20)"),
        (Interval.point(0), "*", Interval.more_than(10), "0"),
        (Interval.between(1, 2), "/", Interval.between(4, 5), "[1/5, 1/2]"),
        (Interval.point(1), "/", Interval.more_than(4), "(0, 1/4)"),
        (Interval.point(1), "/", Interval(End(F(0), is_open=True), End(F(2))), "[1/2, ∞)"),
        (Interval.more_than(1), "-", Interval.more_than(1), "(−∞, ∞)"),
        (Interval.point(6799), "/", Interval.point(1833), "523/141"),
    ],
)
def test_hand_cases(left, sign, right, expected):
    operation = {"+": left.__add__, "-": left.__sub__, "*": left.__mul__, "/": left.__truediv__}
    assert str(operation[sign](right)) == expected


def test_division_by_an_interval_that_holds_zero_is_refused():
    with pytest.raises(ZeroDivisionError):
        Interval.point(1) / Interval.between(-1, 1)


def test_an_empty_interval_is_refused():
    with pytest.raises(ValueError, match="empty"):
        Interval.between(2, 1)
    with pytest.raises(ValueError, match="empty"):
        Interval(End(F(1), is_open=True), End(F(1), is_open=True))


def test_assumed_ends_survive_arithmetic():
    nearly = Interval(End(F(18), assumed=True), End(F(20), is_open=True))
    total = nearly + Interval.point(1)
    assert total.low == End(F(19), assumed=True)
    assert total.high == End(F(21), is_open=True)


# ------------------------------------------------------------------ one claim is one variable


def run(text, **intervals):
    operands = {name: Operand(interval, Unit()) for name, interval in intervals.items()}
    return evaluate(parse(text), operands)


def test_a_claim_minus_itself_is_zero():
    assert str(run("x - x", x=Interval.between(3, 9))) == "0"
    assert str(run("x - x", x=Interval.more_than(3))) == "0"


def test_x_over_x_plus_one():
    assert str(run("x / (x + 1)", x=Interval.between(1, 3))) == "[1/2, 3/4]"
    assert str(run("x / (x + 1)", x=Interval.at_least(1))) == "[1/2, 1)"


def test_share_of_a_total_is_at_most_one():
    found = run("x / (x + y)", x=Interval.between(1, 2), y=Interval.between(1, 3))
    assert str(found) == "[1/4, 2/3]"


def test_without_the_rewrite_the_range_would_be_wider():
    x = Interval.between(1, 3)
    assert str(x / (x + Interval.point(1))) == "[1/4, 3/2]"


def test_equality_of_a_claim_with_itself_is_exact():
    assert run("x == x", x=half_open(1, 2)).is_point


def test_a_square_is_refused_rather_than_guessed():
    with pytest.raises(ValueError, match="squared"):
        run("x * x", x=Interval.between(-1, 2))


def test_a_divisor_that_can_vanish_is_refused_also_when_claims_repeat():
    with pytest.raises(ValueError, match="can be zero"):
        run("x / (x - y)", x=Interval.between(1, 3), y=Interval.between(2, 4))


def test_open_end_of_a_claim_that_cancels_does_not_open_the_result():
    found = run("x - x + y", x=half_open(1, 2), y=Interval.between(5, 6))
    assert str(found) == "[5, 6]"


# ---------------------------------------------------------------------------------- properties

numbers = st.fractions(min_value=-50, max_value=50, max_denominator=20)
positive = st.fractions(min_value=F(1, 20), max_value=50, max_denominator=20)


@st.composite
def interval_and_member(draw, values=numbers):
    a, b, share = draw(values), draw(values), draw(st.fractions(0, 1, max_denominator=10))
    low, high = min(a, b), max(a, b)
    return Interval.between(low, high), low + share * (high - low)


@given(interval_and_member(), interval_and_member())
def test_sums_differences_and_products_hold_what_their_members_give(first, second):
    (x, a), (y, b) = first, second
    assert (x + y).holds(a + b)
    assert (x - y).holds(a - b)
    assert (x * y).holds(a * b)


@given(interval_and_member(), interval_and_member(positive))
def test_quotients_hold_what_their_members_give(first, second):
    (x, a), (y, b) = first, second
    assert (x / y).holds(a / b)


@given(interval_and_member(positive), interval_and_member(positive), interval_and_member(positive))
def test_repeated_claims_hold_their_members_and_no_more_than_plain_arithmetic(p, q, r):
    (x, a), (y, b), (z, c) = p, q, r
    exact = run("(x + y) * z / (x + z)", x=x, y=y, z=z)
    plain = (x + y) * z / (x + z)
    assert exact.holds((a + b) * c / (a + c))
    assert plain.low.value <= exact.low.value
    assert exact.high.value <= plain.high.value


@given(interval_and_member(positive), interval_and_member(positive))
def test_the_exact_range_is_reached(p, q):
    (x, _), (y, _) = p, q
    exact = run("x / (x + y)", x=x, y=y)
    corners = [
        a / (a + b) for a in (x.low.value, x.high.value) for b in (y.low.value, y.high.value)
    ]
    assert exact.low.value == min(corners)
    assert exact.high.value == max(corners)


@given(interval_and_member(positive), positive)
def test_an_unbounded_claim_is_the_limit_of_bounded_ones(p, far):
    (y, _) = p
    low = F(1)
    assume(far > low)
    wide = run("x / (x + y)", x=Interval(End(low), INFINITE), y=y)
    bounded = run("x / (x + y)", x=Interval.between(low, far * 10**6), y=y)
    assert wide.low.value <= bounded.low.value
    assert bounded.high.value < wide.high.value
    assert wide.high.value - bounded.high.value < F(1, 1000)


@given(interval_and_member(), interval_and_member())
def test_addition_and_multiplication_commute(first, second):
    (x, _), (y, _) = first, second
    assert x + y == y + x
    assert x * y == y * x
