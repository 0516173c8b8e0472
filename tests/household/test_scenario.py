"""What a programme would add: by hand, by brute force, and what is refused."""

import itertools
import math
import random
from fractions import Fraction

import numpy as np
import pytest
from scipy import stats

import analysis as va
from analysis.claims.intervals import Interval
from analysis.faults import FaultsError
from analysis.household.break_even import break_even, per_yuan
from analysis.household.budget import household
from analysis.household.evidence import NormalPredictive
from analysis.results.number import Number

OFFER = NormalPredictive(10.0, 5.0, outcome="earnings", effect="offer", rating="moderate")
TAKEN = NormalPredictive(20.0, 8.0, outcome="household income", effect="participants")


@pytest.fixture(scope="module")
def budget():
    return household("ngari", 2019)


def test_a_gain_on_one_persons_earnings_by_hand(budget):
    """10 per cent of 6,105 yuan is 610.5; the household has 12,292.70 × 3.64 yuan."""
    gain = budget.add(OFFER, base="trainee_earnings")
    assert gain.median.value == pytest.approx(610.5)
    assert gain.per_cent.value == pytest.approx(100 * 610.5 / budget.income.value)
    z = stats.norm.ppf(0.975)
    assert gain.evidence_interval.low == pytest.approx(61.05 * (10 - 5 * z))
    assert gain.evidence_interval.high == pytest.approx(61.05 * (10 + 5 * z))
    assert gain.below_zero.value == pytest.approx(100 * stats.norm.cdf(-2), abs=0.25)


def test_inputs_multiply_and_what_is_forgone_is_taken_off(budget):
    """Two people, 60 per cent take part, 80 per cent kept, 500 yuan given up by each."""
    evidence = NormalPredictive(20.0, 8.0, outcome="earnings", effect="participants")
    gain = budget.add(
        evidence,
        base="trainee_earnings",
        people=2,
        people_are="offered",
        take_up=0.6,
        share_kept=0.8,
        forgone=500,
    )
    assert gain.median.value == pytest.approx(2 * 0.6 * (0.2 * 6105 * 0.8 - 500))


def test_a_per_cent_of_household_income_does_not_depend_on_its_size(budget):
    gain = budget.add(TAKEN, base="household_income")
    assert gain.per_cent.value == pytest.approx(20)
    assert not math.isfinite(gain.per_cent.low)
    assert gain.median.low == pytest.approx(0.2 * budget.per_head.value * 3.19)


def test_the_box_holds_every_combination_and_touches_its_ends(budget):
    """Brute force over members of every range, and over all corners, for each quantile shown."""
    gain = budget.add(
        TAKEN,
        base="household_income",
        take_up=(0.3, 0.5, 0.9),
        share_kept=(0.4, 1.0),
        forgone=(0, 300),
        people_are="offered",
    )
    rng = random.Random(5)
    for p in (0.025, 0.5, 0.975):
        number = gain.quantile(p)
        q = TAKEN.quantile(p)
        low, high = math.inf, -math.inf
        for size, take_up, kept, lost in itertools.product(
            (3.19, 4.66), (0.3, 0.9), (0.4, 1.0), (0, 300)
        ):
            value = take_up * (q / 100 * budget.per_head.value * size * kept - lost)
            low, high = min(low, value), max(high, value)
        assert (number.low, number.high) == pytest.approx((low, high))
        for _ in range(200):
            size, kept = rng.uniform(3.19, 4.66), rng.uniform(0.4, 1)
            take_up, lost = rng.uniform(0.3, 0.9), rng.uniform(0, 300)
            value = take_up * (q / 100 * budget.per_head.value * size * kept - lost)
            assert low - 1e-9 <= value <= high + 1e-9


def test_quantiles_agree_with_random_draws(budget):
    """Independent of the quantile code: a million draws of the effect, central inputs."""
    draws = np.random.default_rng(7).normal(10, 5, 1_000_000) / 100 * 6105 * 0.8
    gain = budget.add(OFFER, base="trainee_earnings", share_kept=0.8)
    for p in (0.025, 0.25, 0.5, 0.75, 0.975):
        assert gain.quantile(p).value == pytest.approx(np.quantile(draws, p), abs=3)


def test_a_reported_amount_has_a_range_and_no_distribution(budget):
    """2,766,000 yuan over 1,357 workers is 2,038 to 2,039 yuan; one worker in the household."""
    reported = Interval.between(Fraction(2765500, 1357), Fraction(2767000, 1357))
    gain = budget.add(reported, people=1, people_are="participants")
    assert (gain.median.low, gain.median.high) == pytest.approx((2765500 / 1357, 2767000 / 1357))
    assert gain.table().shown.height == 1
    assert gain.title == "If it is as reported"


def test_one_estimate_with_its_error_is_a_normal_distribution(budget):
    effect = Number(value=10.0, error=5.0, unit="per cent", what="effect of the offer")
    gain = budget.add(effect, base="trainee_earnings")
    assert gain.quantile(0.9).value == pytest.approx(61.05 * stats.norm.ppf(0.9, 10, 5))


@pytest.mark.parametrize(
    ("effect", "inputs", "said"),
    [
        (OFFER, {"take_up": 0.5}, "has take-up within it"),
        (OFFER, {"people_are": "participants"}, "multiplied by those who took part"),
        (TAKEN, {"base": "household_income", "people_are": "offered"}, "only offered it"),
        (
            TAKEN,
            {"base": "household_income", "people_are": "participants", "take_up": 0.5},
            "have all taken part",
        ),
        (OFFER, {"base": "household_income"}, "the effect is on earnings"),
        (TAKEN, {"base": "trainee_earnings"}, "use household_income"),
        (TAKEN, {"base": "household_income", "people": 2}, "leave people out"),
        (OFFER, {"base": None}, "of what the per cent are"),
        (OFFER, {"source": "alms"}, "no such source"),
        (OFFER, {"rating": "low"}, "budget.break_even"),
        (OFFER, {"rating": "none in this library"}, "budget.break_even"),
        (OFFER, {"share_kept": 1.5}, "outside 0 to 1"),
        (OFFER, {"take_up": "half"}, "has take-up within it"),
        (OFFER, {"forgone": (3, 2, 1)}, "not in order"),
        (OFFER, {"forgone": Interval.more_than(2)}, "no end on one side"),
        (Number(value=3.0, unit="per cent"), {}, "no standard error"),
        (Number(value=3.0, error=1.0, unit="dollars"), {}, "comparison mean"),
        (Interval.between(1, 2), {}, "leave base out"),
        ("much", {}, "not an effect"),
    ],
)
def test_wrong_combinations_are_refused(budget, effect, inputs, said):
    with pytest.raises(FaultsError, match=said):
        budget.add(effect, **({"base": "trainee_earnings"} | inputs))


def test_evidence_is_the_weakest_of_its_parts(budget):
    """Published studies on a household of official figures: reported; assumptions are named."""
    gain = budget.add(OFFER, base="trainee_earnings", share_kept=(0.5, 1.0))
    assert gain.provenance.evidence == "reported"
    assert gain.provenance.method.endswith("assumed: people, share_kept, forgone")
    assert gain.median.provenance.function.endswith("scenario.add")
    assert any("facts.csv" in str(x) for x in gain.provenance.inputs)


# ------------------------------------------------------------------------------- break-even


def test_break_even_by_hand(budget):
    """2,000 yuan in two years without fading or discount: 1,000 a year, 16.4 per cent of 6,105."""
    answer = budget.break_even(cost=2000, base="trainee_earnings", years=2, fading=0, discount=0)
    assert answer.yuan.value == pytest.approx(1000)
    assert answer.per_cent.value == pytest.approx(100 * 1000 / 6105)
    assert answer.per_cent_of_income.value == pytest.approx(100 * 1000 / budget.income.value)
    assert answer.in_years(1).value == pytest.approx(100 * 2000 / 6105)


def test_break_even_makes_gain_and_cost_equal(budget):
    """The rise it asks for, put back as an effect, returns one yuan for a yuan."""
    inputs = {"years": 5, "fading": 0.15, "discount": 0.06}
    answer = budget.break_even(cost=2000, base="trainee_earnings", share_kept=0.8, **inputs)
    evidence = NormalPredictive(answer.per_cent.value, 1.0, outcome="earnings", effect="offer")
    gain = budget.add(evidence, base="trainee_earnings", share_kept=0.8, rating="high")
    assert gain.per_yuan(cost=2000, **inputs).value == pytest.approx(1)


def test_break_even_ranges_over_all_corners(budget):
    """Course 800 to 5,000; worth of a yuan a year 1/1.08 (one year) to ten years at 3 per cent."""
    answer = break_even(budget, "training", base="trainee_earnings")
    most = sum(1.03**-k for k in range(1, 11))
    assert answer.per_cent.low == pytest.approx(100 * 800 / most / 6105)
    assert answer.per_cent.high == pytest.approx(100 * 5000 * 1.08 / 6105)
    assert "assumed: cost" in answer.provenance.method


def test_break_even_with_forgone_income_and_take_up_by_hand(budget):
    """2,000 yuan (1,000 to 3,000), two offered of whom half (0.4 to 0.8) take part, 0.8 is kept.

    In two years without fading or discount 1,000 yuan a year; each of 2 x 0.5 brings that and the
    500 (0 to 1,000) that it gives up: 1,500 of 0.8 x 6,105. Ends: 500 / 1.6 and 1,500 / 0.8 + 1,000.
    """
    answer = budget.break_even(
        cost=(1000, 2000, 3000),
        base="trainee_earnings",
        people=2,
        take_up=(0.4, 0.5, 0.8),
        share_kept=0.8,
        forgone=(0, 500, 1000),
        years=2,
        fading=0,
        discount=0,
    )
    kept = 0.8 * 6105
    assert answer.per_cent.value == pytest.approx(100 * 1500 / kept)
    assert (answer.per_cent.low, answer.per_cent.high) == pytest.approx(
        (100 * 312.5 / kept, 100 * 2875 / kept)
    )
    assert (answer.yuan.low, answer.yuan.value, answer.yuan.high) == pytest.approx(
        (500, 1000, 1500)
    )
    assert answer.in_years(1).value == pytest.approx(100 * (2000 / 1 + 500) / kept)
    head = budget.per_head.value
    assert (answer.per_cent_of_income.low, answer.per_cent_of_income.high) == pytest.approx(
        (100 * 500 / (head * 4.66), 100 * 1500 / (head * 3.19))
    )


def test_break_even_of_a_households_income_grows_with_its_size(budget):
    """1,000 yuan a year and 500 given up: per cent of income a head times 3.64 (3.19 to 4.66)."""
    answer = budget.break_even(
        cost=2000, base="household_income", forgone=500, years=2, fading=0, discount=0
    )
    head = budget.per_head.value
    found = (answer.per_cent.low, answer.per_cent.value, answer.per_cent.high)
    assert found == pytest.approx(tuple(100 * 1500 / (head * n) for n in (4.66, 3.64, 3.19)))


def test_assumed_costs_say_so(budget):
    shown = budget.break_even("training", base="trainee_earnings").input_table().shown
    row = shown.filter(shown["input"].str.contains("skills course")).row(0, named=True)
    assert row["where from"].startswith("assumed: ")


def test_an_input_is_a_number_with_its_range(budget):
    """data/parameters/unit_costs.csv: 800 to 5,000, most likely 2,000 yuan; assumed."""
    cost = budget.break_even("training", base="trainee_earnings").input("cost")
    assert (cost.value, cost.low, cost.high) == (2000, 800, 5000)
    assert cost.provenance.method.startswith("assumed: ")
    gain = budget.add(OFFER, base="trainee_earnings")
    assert (gain.input("people").value, gain.input("people").ends) == (1, (None, None))
    with pytest.raises(FaultsError, match="no such input"):
        gain.input("luck")


def test_a_return_needs_a_rated_effect(budget):
    gain = budget.add(TAKEN, base="household_income")
    with pytest.raises(FaultsError, match="rated moderate or high"):
        per_yuan(gain, 2000)
    matched = budget.add(Interval.between(100, 200))
    with pytest.raises(FaultsError, match="rated moderate or high"):
        matched.per_yuan(2000)


@pytest.mark.parametrize(
    ("inputs", "said"),
    [
        ({"cost": "teleport"}, "nothing is assumed"),
        ({"cost": -5}, "outside"),
        ({"cost": 100, "take_up": 0}, "no gain can pay"),
        ({"cost": 100, "years": 0}, "no gain can pay"),
    ],
)
def test_break_even_refuses(budget, inputs, said):
    with pytest.raises(FaultsError, match=said):
        budget.break_even(**inputs)


def test_evidence_of_the_library_is_taken_or_refused_by_its_rating(budget):
    """Loans are rated moderate; courses low, so that only a break-even is shown."""
    loans = va.pool(va.studies("credit_funds"), outcome="consumption")
    gain = budget.add(loans, source="business", base="consumption")
    effect = loans.predictive()
    assert gain.quantile(0.9).value == pytest.approx(
        effect.quantile(0.9) / 100 * budget.consumption.value * budget.size.value
    )
    assert str(gain.rating) == "moderate"
    with pytest.raises(FaultsError, match="use consumption"):
        budget.add(effect, base="household_income")
    courses = va.pool(va.studies("training"), outcome="earnings")
    for evidence in (courses, courses.predictive()):
        with pytest.raises(FaultsError, match=r"budget\.break_even"):
            budget.add(evidence, base="trainee_earnings")
