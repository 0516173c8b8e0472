"""Costs: expressions over claims, present values by hand, ranges that hold every draw."""

from __future__ import annotations

import shutil
from fractions import Fraction
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from analysis import paths
from analysis.claims import ledger
from analysis.costs import ranges, reported, shown, value
from analysis.costs.ranges import Range, Ranges
from analysis.faults import FaultsError
from analysis.studies import library, pooling, sizes
from analysis.studies.sizes import Size


@pytest.fixture(scope="module")
def claims() -> ledger.Ledger:
    """The ledger as committed."""
    return ledger.load()


@pytest.fixture(scope="module")
def assumed() -> Ranges:
    """The ranges as committed."""
    return ranges.load()


@pytest.fixture(scope="module")
def elsewhere() -> dict[str, Size]:
    """Published sizes by programme."""
    studies = library.load()
    return sizes.by_programme(sizes.sizes(studies, pooling.all_pools(studies)))


def test_no_article_reports_both_spending_and_income(claims: ledger.Ledger) -> None:
    """Read by hand: paired assistance and the fund name money put in, two others income."""
    found = reported.activities(claims)
    counts = reported.reporting(found)
    assert (counts.spending, counts.income, counts.both) == (3, 2, 0)
    assert all(one.lacking for one in found if one.per_yuan is None)


def test_spending_per_household_by_hand(claims: ledger.Ledger) -> None:
    """304.86 wan over 23,100 persons x 1,339 households / 4,873 persons."""
    found = {one.title: one for one in reported.activities(claims)}
    paired = found["funds put into paired assistance, Ngari 2019"].per_household
    assert paired is not None
    assert paired.holds(Fraction(3048600, 23100) * Fraction(4873, 1339))
    fund = found["yearly fund, village the size of Guoqing"].per_household
    assert fund is not None
    assert fund.holds(Fraction(200000, 265))


def test_a_ratio_is_computed_where_both_are_reported(claims: ledger.Ledger, tmp_path: Path) -> None:
    """Income over spending of made-up rows; a claim in both is one number."""
    (tmp_path / "reported_spending.csv").write_text(
        "programme,title,payer,spending,income,reached,assumes,assumption\n"
        "training,the same twice,nobody,S0_062,S0_062 + S0_062,S0_064,,\n"
    )
    (one,) = reported.activities(claims, tmp_path)
    assert one.per_yuan is not None
    assert one.per_yuan.is_point and one.per_yuan.low.value == 2


@pytest.mark.parametrize(
    ("spending", "problem"),
    [("S0_062 *", "not an expression"), ("S9_999", "unknown S9_999"), ("S0_064", "it is in")],
)
def test_a_bad_expression_is_named(
    claims: ledger.Ledger, tmp_path: Path, spending: str, problem: str
) -> None:
    (tmp_path / "reported_spending.csv").write_text(
        "programme,title,payer,spending,income,reached,assumes,assumption\n"
        f"training,a bad row,nobody,{spending},S0_070,S0_064,,\n"
    )
    with pytest.raises(FaultsError, match=problem):
        reported.activities(claims, tmp_path)


def test_household_income_by_hand(claims: ledger.Ledger) -> None:
    """12,951 yuan per head in 2019 times 764/247, 4,873/1,339 and 1,234/265 members."""
    income = reported.household_income(claims)
    assert income.low == pytest.approx(12951 * 764 / 247)
    assert income.central == pytest.approx(12951 * 4873 / 1339)
    assert income.high == pytest.approx(12951 * 1234 / 265)


def test_annuity_is_the_sum_it_stands_for() -> None:
    for years, fading, discount in ((1, 0.3, 0.08), (5, 0.15, 0.06), (10, 0.0, 0.0), (7, 1.0, 0.1)):
        by_hand = sum((1 - fading) ** (k - 1) / (1 + discount) ** k for k in range(1, years + 1))
        assert float(value.annuity(years, fading, discount)) == pytest.approx(by_hand)


def test_break_even_is_worth_its_cost(assumed: Ranges) -> None:
    """A loan of 1,000 at 6 per cent, fading 15 per cent: the payment's value is the loan."""
    needed = value.break_even(Range(500.0, 1000.0, 2000.0), 5, assumed)
    worth = sum(needed.central * 0.85 ** (k - 1) / 1.06**k for k in range(1, 6))
    assert worth == pytest.approx(1000.0)
    assert needed.low < needed.central < needed.high


def test_the_corners_hold_every_draw(assumed: Ranges, elsewhere: dict[str, Size]) -> None:
    income, fund = Range(40_000.0, 47_000.0, 60_000.0), Range(700.0, 1300.0, 4000.0)
    random = np.random.default_rng(0)
    for one in value.returns(elsewhere.values(), assumed, income, fund):
        if one.per_yuan is None or one.programme == value.YEARLY_FUND:
            continue
        assert one.effect is not None
        assert one.cost is not None
        terms = {
            "effect": one.effect,
            "income": income,
            "cost": one.cost,
            **{name: assumed[name] for name in ("lasting", "fading", "discount")},
        }
        drawn = {name: random.uniform(r.low, r.high, 5000) for name, r in terms.items()}
        worth = (
            drawn["effect"]
            / 100
            * drawn["income"]
            / drawn["cost"]
            * value.annuity(drawn["lasting"], drawn["fading"], drawn["discount"])
        )
        assert one.per_yuan.low <= worth.min()
        assert worth.max() <= one.per_yuan.high
        assert one.per_yuan.low <= one.per_yuan.draws_low <= one.per_yuan.median
        assert one.per_yuan.median <= one.per_yuan.draws_high <= one.per_yuan.high


def test_the_median_of_draws_is_that_of_a_triangle() -> None:
    """A symmetric triangle has its median at its peak, its 5 per cent quantile at
    a + (b - a) sqrt(0.05 / 2) of its width."""
    found = value.spread(lambda x: x, {"x": Range(0.0, 1.0, 2.0)}, draws=200_000)
    assert found.median == pytest.approx(1.0, abs=0.01)
    assert found.draws_low == pytest.approx(2 * (0.05 / 2) ** 0.5, abs=0.01)


def test_published_sizes(elsewhere: dict[str, Size]) -> None:
    """Pools of the studies page; ranges from the rows of estimates.csv, read by hand."""
    credit = elsewhere["microcredit"]
    assert credit.basis == "pooled"
    assert credit.n == 6
    training = elsewhere["training"]
    # NSW (full sample 886.3 / 5090), Colombia 19.6, Uganda 38, Nepal 72; a null without number.
    assert (training.scale, training.n, training.low, training.high) == ("earnings", 4, 0.0, 72.0)
    assert training.central == pytest.approx((19.6 + 38) / 2)
    assert elsewhere["land_lease"].basis == "none"  # renting in is the other side
    assert not elsewhere["collective_enterprise"].known  # a county's mean is no household's
    # Read by hand: the only household estimate is of the richer households of poor villages, and
    # the poorer of the same villages are reported to have gained nothing.
    fund = elsewhere["village_fund"]
    assert (fund.basis, fund.known, fund.parts) == ("none", False, 1)
    left_out = sizes.parts(library.load(), "village_fund")
    assert left_out["id"].to_list() == ["poor_villages_richer"]
    assert sizes.parts(library.load(), "training").is_empty()  # nothing is said of the men


def test_a_cost_for_a_village_is_shared_by_its_households(assumed: Ranges) -> None:
    cost, homes = assumed.cost("collective_enterprise"), assumed["village_households"]
    shared = value.cost_per_household("collective_enterprise", assumed)
    assert cost is not None
    assert shared == Range(
        cost.low / homes.high, cost.central / homes.central, cost.high / homes.low
    )
    assert value.cost_per_household("dividend", assumed) is None


def test_every_range_says_that_it_is_assumed(assumed: Ranges) -> None:
    both = pl.concat([assumed.assumed.select("status"), assumed.unit_costs.select("status")])
    assert set(both["status"]) <= {"assumption", "unverified"}


def test_a_range_out_of_order_and_an_unknown_programme_are_refused(tmp_path: Path) -> None:
    for name in ("assumed_ranges.csv", "unit_costs.csv"):
        shutil.copy(paths.data() / "parameters" / name, tmp_path / name)
    file = tmp_path / "unit_costs.csv"
    text = file.read_text(encoding="utf-8")
    file.write_text(text.replace("800,2000,5000", "8000,2000,5000"), encoding="utf-8")
    with pytest.raises(FaultsError, match="not in order"):
        ranges.load(tmp_path)
    file.write_text(text.replace(",training,once", ",trainings,once"), encoding="utf-8")
    with pytest.raises(FaultsError, match="unknown programme"):
        ranges.load(tmp_path)


def test_the_tables_have_a_row_for_each_programme(
    claims: ledger.Ledger, assumed: Ranges, elsewhere: dict[str, Size]
) -> None:
    income = reported.household_income(claims)
    fund = reported.fund_per_household(claims, assumed)
    found = value.returns(elsewhere.values(), assumed, income, fund)
    assert shown.returns_table(found).height == len(elsewhere)
    table = shown.break_even_table(found, income, assumed)
    costs = sum(one.cost is not None for one in found)
    assert table.height == costs
    row = table.row(by_predicate=pl.col("name").str.starts_with("Yearly village fund"), named=True)
    assert row["years_1"] == row["years_10"]  # paid every year
    assert row["cost"] == f"{row['years_1']} a year, amount as reported"
    priced = shown.returns_table(found).row(
        by_predicate=pl.col("name").str.starts_with("Yearly village fund"), named=True
    )
    assert priced["cost"] == row["cost"]
    payers = shown.payers_table(reported.activities(claims), assumed)
    uncosted = payers.filter(pl.col("assumed") == "no cost assumed")["name"]
    with_cost = {one.name for one in found if one.cost is not None}
    assert not with_cost & set(uncosted)
    n, both_sides = shown.undecided(found)
    assert 0 < both_sides <= n


def test_reported_money_is_listed_and_what_lacks_is_named(claims: ledger.Ledger) -> None:
    found = reported.activities(claims)
    listed = shown.reported_table(found)
    assert listed.height == len(found)
    # Read by hand: no article reports both sides, so no activity has a ratio.
    assert listed["per_yuan"].str.starts_with("not computable: ").all()


def test_who_pays_is_said_of_every_programme(claims: ledger.Ledger, assumed: Ranges) -> None:
    listed = shown.payers_table(reported.activities(claims), assumed)
    assert listed["name"].is_unique().all()
    with_cost = listed.filter(pl.col("assumed") != "no cost assumed")
    # One cost is reported, the yearly fund's; the others are assumed.
    assert with_cost.height == assumed.unit_costs["programme"].n_unique() + 1


def test_every_assumption_is_listed_with_its_status(assumed: Ranges) -> None:
    listed = shown.assumptions_table(assumed)
    assert listed.height == assumed.unit_costs.height + assumed.assumed.height
    assert set(listed["status"]) <= {"assumption", "unverified", "from_memory", "found", "derived"}
    course = listed.filter(pl.col("what").str.starts_with("a skills course")).row(0, named=True)
    # As committed: 800, 2,000 and 5,000 yuan a person.
    assert (course["low"], course["central"], course["high"]) == ("800", "2,000", "5,000")
