"""Scenarios: formulas by hand and by simulation, targets within their ranges."""

from __future__ import annotations

import numpy as np
import pytest

from analysis.claims import ledger
from analysis.costs import ranges
from analysis.costs.ranges import Ranges
from analysis.scenarios import shown, targets
from analysis.scenarios.formula import World, headcount, outcome, poorest_mean, sigma_of
from analysis.scenarios.targets import Target
from analysis.studies import library, pooling, sizes

WORLD = World(mean=10_000, line=3_000, size=4, gini=0.37, fading=0.0, discount=0.0)


@pytest.fixture(scope="module")
def claims() -> ledger.Ledger:
    """The ledger as committed."""
    return ledger.load()


@pytest.fixture(scope="module")
def assumed() -> Ranges:
    """The ranges as committed."""
    return ranges.load()


@pytest.fixture(scope="module")
def met(claims: ledger.Ledger, assumed: Ranges) -> tuple[Target, ...]:
    """The three targets."""
    studies = library.load()
    found = sizes.by_programme(sizes.sizes(studies, pooling.all_pools(studies)))
    return targets.targets(claims, assumed, found)


def drawn_incomes() -> np.ndarray:
    """A million lognormal incomes with the mean and Gini of `WORLD`."""
    sigma = sigma_of(WORLD.gini)
    random = np.random.default_rng(1)
    return np.sort(random.lognormal(np.log(WORLD.mean) - sigma**2 / 2, sigma, 1_000_000))


def test_a_lognormal_with_this_sigma_has_the_gini() -> None:
    incomes = drawn_incomes()
    n = len(incomes)
    gini = 2 * (np.arange(1, n + 1) * incomes).sum() / (n * incomes.sum()) - (n + 1) / n
    assert gini == pytest.approx(WORLD.gini, abs=2e-3)
    assert incomes.mean() == pytest.approx(WORLD.mean, rel=2e-3)


@pytest.mark.parametrize("gain", [0.0, 2_000.0, 8_000.0])
def test_headcounts_are_those_of_drawn_incomes(gain: float) -> None:
    share = (drawn_incomes() + gain / WORLD.size < WORLD.line).mean()
    assert headcount(WORLD, gain) == pytest.approx(share, abs=1.5e-3)


def test_the_poorest_have_the_mean_of_drawn_incomes() -> None:
    incomes = drawn_incomes()
    quarter = incomes[: len(incomes) // 4].mean() / incomes.mean()
    assert poorest_mean(0.25, WORLD.gini) == pytest.approx(quarter, rel=3e-3)


def test_an_outcome_by_hand() -> None:
    """Half take part, gain 1,000 and cost 2,000 each; no fading, no discount, four years."""
    found = outcome(WORLD, 0.5, 1000, 2000, 4, yearly=False)
    assert found.average == 500
    assert found.percent == pytest.approx(2.5)
    assert found.spent == 1000
    assert found.per_yuan == pytest.approx(2.0)
    after = 50 * (headcount(WORLD, 0) + headcount(WORLD, 1000))
    assert found.poor_after == pytest.approx(after)
    assert outcome(WORLD, 0.5, 1000, 2000, 4, yearly=True).per_yuan == pytest.approx(0.5)
    assert outcome(WORLD, 0.0, 1000, 2000, 4, yearly=False).poor_after == found.poor_before


def test_nobody_is_poor_once_the_gain_is_the_line() -> None:
    assert headcount(WORLD, WORLD.line * WORLD.size) == 0.0
    assert headcount(WORLD, -1000) > headcount(WORLD, 0)


def test_the_floor_and_the_fund_by_hand(met: tuple[Target, ...], assumed: Ranges) -> None:
    """50,000 and 200,000 yuan over 150 households, times the central shares."""
    _, collective, fund = met
    paid, passed, reach = (assumed[n].central for n in ("paid_out", "pass_through", "fund_reach"))
    assert collective.central == pytest.approx(50_000 / 150 * paid * passed)
    assert fund.central == pytest.approx(200_000 / 150 * reach * passed)
    assert collective.gain.low == 0.0
    assert collective.gain.high == pytest.approx(50_000 / 50)  # all paid out in a small village


def test_the_households_of_a_village_cancel(met: tuple[Target, ...], assumed: Ranges) -> None:
    """The fund's yuan for a yuan is the two shares, whatever the size of the village."""
    fund = met[2].per_yuan
    assert fund.low == pytest.approx(assumed["fund_reach"].low * assumed["pass_through"].low)
    assert fund.high == pytest.approx(assumed["fund_reach"].high * assumed["pass_through"].high)


def test_training_holds_every_drawn_combination(met: tuple[Target, ...], assumed: Ranges) -> None:
    random = np.random.default_rng(3)
    gain = met[0].gain
    percent = met[0].percent
    for _ in range(300):
        effect = random.uniform(percent.low, percent.high)
        share, gini = (
            random.uniform(assumed[n].low, assumed[n].high) for n in ("registered_share", "gini")
        )
        value = effect / 100 * random.uniform(40_100, 60_300) * poorest_mean(share, gini)
        assert gain.low <= value <= gain.high


def test_poverty_never_rises_with_a_gain(
    claims: ledger.Ledger, assumed: Ranges, met: tuple[Target, ...]
) -> None:
    found = targets.poverty(claims, assumed, met)
    assert found.height == 9
    assert (found["most"] <= found["central"]).all()
    assert (found["central"] <= found["least"]).all()
    assert (found["least"] <= found["before"]).all()


def test_diqing_by_hand(claims: ledger.Ledger, assumed: Ranges) -> None:
    """73,998 persons in households of 1,234/265 members at 800 yuan, and of 764/247 at 5,000."""
    found = targets.diqing_cost(claims, assumed)
    assert found.low == pytest.approx(73_998 / (1234 / 265) * 800)
    assert found.high == pytest.approx(73_998 / (764 / 247) * 5_000)


def test_controls_start_on_their_steps(met: tuple[Target, ...]) -> None:
    for one, preset in zip(met, shown.presets(met), strict=True):
        assert preset.gain % shown.STEP == 0
        assert abs(preset.gain - one.central) <= shown.STEP / 2


def test_the_table_begins_where_the_controls_do(
    claims: ledger.Ledger, assumed: Ranges, met: tuple[Target, ...]
) -> None:
    """The first number of a cell is the controls' result before anything is moved."""
    world = targets.world(claims, assumed)
    listed = shown.scenarios_table(met).rows(named=True)
    for one, preset, row in zip(met, shown.presets(met), listed, strict=True):
        first = float(row["gain"].split(" ")[0].replace(",", ""))
        assert abs(first - preset.gain) <= shown.STEP / 2 + 0.5
        found = outcome(world, 1.0, preset.gain, preset.cost, targets.YEARS, yearly=preset.yearly)
        # Rounding gain and cost to the step moves the ratio by less than a tenth.
        assert one.central_per_yuan == pytest.approx(found.per_yuan, rel=0.1)


def test_every_target_is_listed_with_its_numbers(met: tuple[Target, ...]) -> None:
    listed = shown.scenarios_table(met)
    assert listed["name"].to_list() == [one.name for one in met]
    assert listed["gain_median"].to_list() == [one.gain.median for one in met]
    assert [cost.endswith(" a year") for cost in listed["cost"]] == [one.yearly for one in met]
