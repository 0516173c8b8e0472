"""What a yuan spent would have to bring: present values, ranges over corners and draws, break-even.

Costs are assumed, effects are those of studies elsewhere: results say what such numbers would
mean together, not what a programme did.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from itertools import product
from typing import Final

import numpy as np
from numpy.typing import NDArray

from analysis.claims.intervals import Interval
from analysis.costs.ranges import Range, Ranges, income_effect
from analysis.studies.comparison import between
from analysis.studies.sizes import Size

Floats = NDArray[np.float64]
DRAWS: Final = 20_000
SEED: Final = 14
"""Of the draws."""
WHOLE: Final = Interval.point(100)
"""Per cent."""
TAIL: Final = 0.05
"""Part of the draws left out at either end."""
YEARLY_FUND: Final = "village_fund"
"""The programme whose cost is reported and is paid every year."""


def annuity(years: Floats | float, fading: Floats | float, discount: Floats | float) -> Floats:
    r"""Return the present value of an effect of one yuan a year.

    Parameters
    ----------
    years : float or array
        Years in which the effect is counted, N.
    fading : float or array
        Part of the effect that is lost from one year to the next, f, 0 to 1.
    discount : float or array
        Real discount rate a year, r, above -1.

    Notes
    -----
    The cost falls at the start and the effect at the end of each year:
    :math:`\sum_{k=1}^{N} (1-f)^{k-1}/(1+r)^k = \frac{1}{1+r}\,\frac{1-q^N}{1-q}`,
    :math:`q=(1-f)/(1+r)`.

    Examples
    --------
    >>> float(annuity(2, 0, 0)), float(annuity(3, 1, 0.25)), float(annuity(2, 0.5, 0))
    (2.0, 0.8, 1.5)
    """
    years, fading, discount = (np.asarray(x, dtype=float) for x in (years, fading, discount))
    q = (1 - fading) / (1 + discount)
    flat = np.isclose(q, 1)
    below = np.where(flat, 0.5, q)
    series = np.where(flat, years, (1 - below**years) / (1 - below))
    return np.asarray(series / (1 + discount))


@dataclass(frozen=True)
class Spread:
    """A result over ranges.

    Attributes
    ----------
    low, high : float
        Least and largest value over every combination of ends.
    draws_low, median, draws_high : float
        Of independent draws from triangles over the ranges: `TAIL` quantile, median, and the
        quantile as far from the other end. They describe the ranges, not a sample.
    """

    low: float
    high: float
    draws_low: float
    median: float
    draws_high: float

    @property
    def interval(self) -> Interval:
        """The ends, to be rounded outward."""
        return between(self.low, self.high)

    @property
    def drawn(self) -> Interval:
        """The middle of the draws, to be rounded outward."""
        return between(self.draws_low, self.draws_high)


def spread(
    formula: Callable[..., Floats],
    ranges: Mapping[str, Range],
    *,
    draws: int = DRAWS,
    seed: int = SEED,
) -> Spread:
    """Put ranges through a formula: all combinations of their ends, and draws from triangles.

    Parameters
    ----------
    formula : callable
        Of arrays named as the ranges; in each of them it only rises or only falls, whatever the
        others are, so that its extremes are at combinations of ends.
    ranges : mapping of str to Range
        Independent of each other.

    Examples
    --------
    >>> s = spread(lambda a, b: a / b, {"a": Range(1, 2, 3), "b": Range(1, 2, 4)})
    >>> s.low, s.high
    (0.25, 3.0)
    """
    corners = product(*((one.low, one.high) for one in ranges.values()))
    columns = np.array(list(corners)).T
    ends = formula(**dict(zip(ranges, columns, strict=True)))
    random = np.random.default_rng(seed)
    drawn = {
        name: random.triangular(one.low, one.central, one.high, draws)
        if one.low < one.high
        else np.full(draws, one.low)
        for name, one in ranges.items()
    }
    low, median, high = np.quantile(formula(**drawn), (TAIL, 0.5, 1 - TAIL))
    return Spread(float(ends.min()), float(ends.max()), float(low), float(median), float(high))


def cost_per_household(programme: str, ranges: Ranges) -> Range | None:
    """Return the assumed cost of a programme for each household reached, yuan of 2020.

    A cost for each person is for the one person of a household who takes part; a cost for each
    village is shared by its households. None where no cost is assumed.
    """
    cost = ranges.cost(programme)
    if cost is None:
        return None
    unit = ranges.unit(programme)
    if unit == "yuan/villages":
        homes = ranges["village_households"]
        return Range(cost.low / homes.high, cost.central / homes.central, cost.high / homes.low)
    return cost


@dataclass(frozen=True)
class Return:
    """What a yuan spent on a programme would bring, if.

    Attributes
    ----------
    programme, name : str
        Id and English name.
    cost : Range or None
        Yuan for each household reached, once (the village fund: every year).
    effect : Range or None
        Per cent of household income, from studies elsewhere.
    per_yuan : Spread or None
        Yuan of household income, present value, for each yuan.
    size : Size
        What the effect rests on.
    why : str
        Why there is no result; empty otherwise.
    """

    programme: str
    name: str
    cost: Range | None
    effect: Range | None
    per_yuan: Spread | None
    size: Size
    why: str


def returns(
    sizes: Iterable[Size], ranges: Ranges, income: Range, fund: Range
) -> tuple[Return, ...]:
    """Return what a yuan would bring by programme, in the order of the sizes.

    Parameters
    ----------
    sizes : iterable of Size
        Published effects.
    ranges : Ranges
        Assumed costs, duration, fading and discount rate.
    income : Range
        Yuan a year of a household, as `analysis.costs.reported.household_income` gives it.
    fund : Range
        Yuan of the yearly village fund for each household. Paid every year while its effect
        lasts, it is set against the effect of one year.
    """
    return tuple(_return(size, ranges, income, fund) for size in sizes)


def _return(size: Size, ranges: Ranges, income: Range, fund: Range) -> Return:
    yearly = size.programme == YEARLY_FUND
    cost = fund if yearly else cost_per_household(size.programme, ranges)
    if size.low is None or size.central is None or size.high is None:
        why = (
            "no published number for all households: the one seen is of a part of a sample, whose "
            "other part shows no effect"
            if size.parts
            else "no published number on household income"
        )
        return Return(size.programme, size.name, cost, None, None, size, why)
    effect = income_effect(Range(size.low, size.central, size.high), size.scale, ranges)
    if cost is None:
        why = "no cost is assumed: the payment is itself the spending"
        return Return(size.programme, size.name, None, effect, None, size, why)
    terms = {"effect": effect, "income": income, "cost": cost}
    if yearly:
        found = spread(lambda effect, income, cost: effect / 100 * income / cost, terms)
    else:
        times = {name: ranges[name] for name in ("lasting", "fading", "discount")}
        found = spread(_per_yuan, terms | times)
    return Return(size.programme, size.name, cost, effect, found, size, "")


def _per_yuan(
    effect: Floats, income: Floats, cost: Floats, lasting: Floats, fading: Floats, discount: Floats
) -> Floats:
    return effect / 100 * income * annuity(lasting, fading, discount) / cost


def break_even(cost: Range, years: float, ranges: Ranges) -> Range:
    """Return the effect, yuan a year for each household, that pays a cost back in some years.

    Low: the low cost with no fading and the low discount rate; high: the high ends of all three.
    """
    return Range(
        *(
            getattr(cost, end)
            / float(
                annuity(years, getattr(ranges["fading"], end), getattr(ranges["discount"], end))
            )
            for end in ("low", "central", "high")
        )
    )
