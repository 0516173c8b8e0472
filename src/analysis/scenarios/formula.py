"""One formula from a yearly gain to income, poverty and cost; ``assets/scenarios.js`` has the same.

Incomes per head are taken to be lognormal with the official mean: no household data from Tibet or
Diqing are used, and the curve is an assumption.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from statistics import NormalDist

from analysis.costs.value import annuity

NORMAL = NormalDist()


def sigma_of(gini: float) -> float:
    r"""Return the standard deviation of log income for a Gini index.

    For a lognormal, :math:`G = 2\Phi(\sigma/\sqrt 2) - 1` (Aitchison & Brown 1957).

    Examples
    --------
    >>> round(sigma_of(0.37), 3)
    0.681
    """
    return math.sqrt(2) * NORMAL.inv_cdf((1 + gini) / 2)


def poorest_mean(share: float, gini: float) -> float:
    r"""Return the mean income of the poorest share of people over the mean of all.

    The Lorenz curve of a lognormal is :math:`\Phi(\Phi^{-1}(s) - \sigma)`; this is it over s.

    Examples
    --------
    >>> poorest_mean(1.0, 0.37), round(poorest_mean(0.25, 0.37), 3)
    (1.0, 0.35)
    """
    if share >= 1:
        return 1.0
    return NORMAL.cdf(NORMAL.inv_cdf(share) - sigma_of(gini)) / share


@dataclass(frozen=True)
class World:
    """What is held fixed while a reader moves take-up, gain and cost.

    Attributes
    ----------
    mean : float
        Official rural income, yuan per head a year.
    line : float
        Poverty line, yuan per head a year, of the same year.
    size : float
        Members of a household.
    gini : float
        Inequality of income per head.
    fading, discount : float
        Shares a year.
    """

    mean: float
    line: float
    size: float
    gini: float
    fading: float
    discount: float


@dataclass(frozen=True)
class Outcome:
    """What a gain would mean.

    Attributes
    ----------
    average : float
        Yuan a year for each household that the programme is for, taking part or not.
    percent : float
        The gain of a household that takes part, per cent of the mean income of all households.
    spent : float
        Yuan for each household that it is for: once, or every year.
    per_yuan : float
        Yuan of income, present value, for each yuan spent; not a number at no cost.
    poor_before, poor_after : float
        Per cent of people below the line.
    """

    average: float
    percent: float
    spent: float
    per_yuan: float
    poor_before: float
    poor_after: float


def headcount(world: World, gain: float) -> float:
    """Return the share of people below the line if every household gains this much, 0 to 1.

    Examples
    --------
    >>> world = World(12951, 3218, 3.64, 0.37, 0.15, 0.06)
    >>> round(headcount(world, 0), 4), headcount(world, 3.64 * 3218)
    (0.0443, 0.0)
    """
    left = world.line - gain / world.size
    if left <= 0:
        return 0.0
    sigma = sigma_of(world.gini)
    return NORMAL.cdf((math.log(left / world.mean) + sigma**2 / 2) / sigma)


def outcome(
    world: World, take_up: float, gain: float, cost: float, years: float, *, yearly: bool
) -> Outcome:
    """Return what a programme would mean, if.

    Parameters
    ----------
    world : World
        What is held fixed.
    take_up : float
        Part of the households it is for that take part, 0 to 1. Those below the line are all
        among them and take part as often as the rest.
    gain : float
        Yuan a year for a household that takes part.
    cost : float
        Yuan for a household that takes part.
    years : float
        Years in which the gain is counted.
    yearly : bool
        Whether the cost is paid every year; then gain and cost of one year are compared.
    """
    worth = gain if yearly else gain * float(annuity(years, world.fading, world.discount))
    before = headcount(world, 0.0)
    return Outcome(
        average=take_up * gain,
        percent=100 * gain / (world.mean * world.size),
        spent=take_up * cost,
        per_yuan=worth / cost if cost > 0 else float("nan"),
        poor_before=100 * before,
        poor_after=100 * ((1 - take_up) * before + take_up * headcount(world, gain)),
    )
