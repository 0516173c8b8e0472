"""The three targets of the articles, each turned into a gain, a cost and their ratio, as ranges."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

from analysis import printing
from analysis.claims.ledger import Ledger
from analysis.costs import reported, value
from analysis.costs.ranges import Range, Ranges, income_effect
from analysis.costs.value import Floats, Spread, annuity, spread
from analysis.scenarios.formula import World, headcount, poorest_mean
from analysis.studies.sizes import Size

LINE = "O_poverty_line_2019"
"""The official poverty line of the year of the income."""
REGISTERED = "O_registered_poor_diqing"
"""The only official count of registered poor persons in the ledger."""
FLOOR, RULE = "S1_022", "S1_014"
"""Claims: the income floor of village collectives, and the rule of one trained person."""
YEARS = 5
"""Years in which a reader's gain is counted at first."""


@dataclass(frozen=True)
class Target:
    """A target, if it were met.

    Attributes
    ----------
    id, name, claim : str
        Name in the code, in words, and the claim that states it.
    reaches : str
        The households it is for.
    gain : Spread
        Yuan a year for each household it is for.
    central, central_percent, central_per_yuan : float
        The gain, the gain in per cent and yuan for a yuan, each quantity at its central value.
    percent : Spread
        The gain in per cent of the mean income of the households it is for.
    cost : Range
        Yuan for each such household: once, or every year.
    yearly : bool
        Whether the cost is paid every year.
    per_yuan : Spread
        Yuan of household income, present value, for each yuan spent.
    rests : str
        What the gain rests on.
    n : int
        Estimates and claims used.
    """

    id: str
    name: str
    claim: str
    reaches: str
    gain: Spread
    central: float
    central_percent: float
    central_per_yuan: float
    percent: Spread
    cost: Range
    yearly: bool
    per_yuan: Spread
    rests: str
    n: int


def targets(
    ledger: Ledger, ranges: Ranges, sizes: Mapping[str, Size]
) -> tuple[Target, Target, Target]:
    """Return training in every registered household, the collective's floor, and the yearly fund.

    Parameters
    ----------
    ledger : Ledger
        The claims and official figures.
    ranges : Ranges
        Assumed ranges.
    sizes : mapping of str to Size
        Published effects by programme.

    Raises
    ------
    ValueError
        If there is no published number on training or no assumed cost of it.
    """
    income = reported.household_income(ledger)
    return (
        _training(ranges, sizes["training"], income),
        _collective(ledger, ranges, income),
        _fund(ledger, ranges, income),
    )


def _training(ranges: Ranges, size: Size, income: Range) -> Target:
    cost = value.cost_per_household("training", ranges)
    if size.low is None or size.central is None or size.high is None or cost is None:
        raise ValueError("no published number on training, or no cost of it")
    effect = income_effect(Range(size.low, size.central, size.high), size.scale, ranges)
    poor = np.vectorize(poorest_mean)

    def gain(effect: Floats, income: Floats, share: Floats, gini: Floats) -> Floats:
        return np.asarray(effect / 100 * income * poor(share, gini))

    def worth(
        cost: Floats, lasting: Floats, fading: Floats, discount: Floats, **rest: Floats
    ) -> Floats:
        return gain(**rest) * annuity(lasting, fading, discount) / cost

    terms = {
        "effect": effect,
        "income": income,
        "share": ranges["registered_share"],
        "gini": ranges["gini"],
    }
    all_terms = {**terms, "cost": cost, **_times(ranges)}
    return Target(
        id="training",
        name="One trained person in every registered household",
        claim=RULE,
        reaches="registered poor households",
        gain=spread(gain, terms),
        central=_central(gain, terms),
        central_percent=effect.central,
        central_per_yuan=_central(worth, all_terms),
        percent=spread(lambda effect: effect, {"effect": effect}),
        cost=cost,
        yearly=False,
        per_yuan=spread(worth, all_terms),
        rests=f"{size.n} published estimates of earnings after training, the assumed part that "
        "one earner has of household income, and the assumed income of the registered poor",
        n=size.n,
    )


def _collective(ledger: Ledger, ranges: Ranges, income: Range) -> Target:
    floor = ledger.operands[FLOOR].interval.low.value
    capital = ranges.cost("collective_enterprise")
    cost = value.cost_per_household("collective_enterprise", ranges)
    if floor is None or capital is None or cost is None:
        raise ValueError("no floor, or no cost of an enterprise")
    amount = float(floor)

    def gain(homes: Floats, paid_out: Floats, pass_through: Floats) -> Floats:
        return amount / homes * paid_out * pass_through

    def worth(
        capital: Floats,
        paid_out: Floats,
        pass_through: Floats,
        lasting: Floats,
        fading: Floats,
        discount: Floats,
    ) -> Floats:
        # The households of the village share both the gain and the capital: they cancel.
        return amount * paid_out * pass_through * annuity(lasting, fading, discount) / capital

    shares = {name: ranges[name] for name in ("paid_out", "pass_through")}
    terms = {"homes": ranges["village_households"], **shares}
    all_terms = {"capital": capital, **shares, **_times(ranges)}

    def percent(income: Floats, **rest: Floats) -> Floats:
        return 100 * gain(**rest) / income

    return Target(
        id="collective",
        name=f"{printing.number(amount)} yuan a year for every village collective",
        claim=FLOOR,
        reaches="all households of the village",
        gain=spread(gain, terms),
        central=_central(gain, terms),
        central_percent=_central(percent, {**terms, "income": income}),
        central_per_yuan=_central(worth, all_terms),
        percent=spread(percent, {**terms, "income": income}),
        cost=cost,
        yearly=False,
        per_yuan=spread(worth, all_terms),
        rests="arithmetic: the floor over the households, times the part paid out and the part of "
        "it that adds to income, both assumed; no published estimate on households was found",
        n=1,
    )


def _fund(ledger: Ledger, ranges: Ranges, income: Range) -> Target:
    fund = reported.fund_per_household(ledger, ranges)
    printed = ledger.claims.row(by_predicate=pl.col("id") == reported.FUND, named=True)["value"]

    def gain(fund: Floats, reach: Floats, pass_through: Floats) -> Floats:
        return fund * reach * pass_through

    shares = {"reach": ranges["fund_reach"], "pass_through": ranges["pass_through"]}
    terms = {"fund": fund, **shares}

    def percent(income: Floats, **rest: Floats) -> Floats:
        return 100 * gain(**rest) / income

    def passed(reach: Floats, pass_through: Floats) -> Floats:
        return reach * pass_through

    return Target(
        id="fund",
        name=f"{printing.number(float(printed))} yuan a year for every village",
        claim=reported.FUND,
        reaches="all households of the village",
        gain=spread(gain, terms),
        central=_central(gain, terms),
        central_percent=_central(percent, {**terms, "income": income}),
        central_per_yuan=_central(passed, shares),
        percent=spread(percent, {**terms, "income": income}),
        cost=fund,
        yearly=True,
        per_yuan=spread(passed, shares),
        rests="arithmetic: the fund over the households, times the part that reaches them and the "
        "part of it that adds to income, both assumed; works that all use are not counted",
        n=1,
    )


def _times(ranges: Ranges) -> dict[str, Range]:
    return {name: ranges[name] for name in ("lasting", "fading", "discount")}


def _central(formula: Callable[..., Any], terms: Mapping[str, Range]) -> float:
    return float(formula(**{name: np.asarray(one.central) for name, one in terms.items()}))


def world(ledger: Ledger, ranges: Ranges, gini: float | None = None) -> World:
    """Return what is held fixed: official mean and line of 2019, and central assumptions."""
    official = {row["id"]: float(row["value"]) for row in ledger.official.iter_rows(named=True)}
    income = reported.household_income(ledger)
    mean = official[reported.OFFICIAL]
    return World(
        mean=mean,
        line=official[LINE],
        size=income.central / mean,
        gini=ranges["gini"].central if gini is None else gini,
        fading=ranges["fading"].central,
        discount=ranges["discount"].central,
    )


def poverty(ledger: Ledger, ranges: Ranges, found: tuple[Target, ...]) -> pl.DataFrame:
    """Return the share of people below the line before and after, at three inequalities.

    Returns
    -------
    polars.DataFrame
        target (name), gini, before, least, central, most: per cent below the line, after with the
        least, the central and the largest gain, if every household the target is for is reached.
    """
    rows = []
    for target in found:
        for gini in (getattr(ranges["gini"], end) for end in ("low", "central", "high")):
            fixed = world(ledger, ranges, gini)
            after = {
                name: 100 * headcount(fixed, gain)
                for name, gain in (
                    ("least", target.gain.low),
                    ("central", target.central),
                    ("most", target.gain.high),
                )
            }
            rows.append(
                {
                    "target": target.name,
                    "gini": gini,
                    "before": 100 * headcount(fixed, 0.0),
                    **after,
                }
            )
    return pl.DataFrame(rows)


def diqing_cost(ledger: Ledger, ranges: Ranges) -> Spread:
    """Return what training one person in every registered household of Diqing would cost, yuan.

    The registered persons of 2019 over the members of a household, times the assumed cost of a
    course; the rule is of Tibet, the count of Diqing.
    """
    row = ledger.official.row(by_predicate=pl.col("id") == REGISTERED, named=True)
    persons, cost = float(row["value"]), ranges.cost("training")
    income = reported.household_income(ledger)
    if cost is None:
        raise ValueError("no cost of training is assumed")
    mean = world(ledger, ranges).mean
    size = Range(income.low / mean, income.central / mean, income.high / mean)
    return spread(lambda size, cost: persons / size * cost, {"size": size, "cost": cost})
