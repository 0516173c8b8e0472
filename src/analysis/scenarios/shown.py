"""The tables of the scenarios page, and what a reader's controls start from."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from fractions import Fraction
from typing import Final

import polars as pl

from analysis import printing
from analysis.claims.intervals import Interval
from analysis.costs.shown import span
from analysis.costs.value import Spread
from analysis.scenarios.formula import World
from analysis.scenarios.targets import Target

STEP = 10
"""Yuan between two positions of a control."""


def spread_text(found: Spread, central: float, digits: int) -> str:
    """Print a spread: at central values, all combinations rounded outward, median of the draws.

    Examples
    --------
    >>> spread_text(Spread(1.21, 9.91, 2.0, 4.04, 8.0), 3.0, 1)
    '3.0 (1.2 to 10); median draw 4.0'
    """
    ends = printing.interval(found.interval, digits)
    middle, drawn = (printing.number(value, digits) for value in (central, found.median))
    return f"{middle} ({ends}); median draw {drawn}"


def scenarios_table(found: Iterable[Target]) -> pl.DataFrame:
    """Return each target with its gain, cost and ratio.

    Returns
    -------
    polars.DataFrame
        name, claim, reaches, gain (yuan a year), percent, cost (yuan for each household),
        per_yuan, rests; and the numbers: gain_low, gain_central, gain_median, gain_high,
        percent_low, percent_draws_low, percent_central, percent_median, percent_draws_high,
        percent_high, per_yuan_central, per_yuan_median.
    """
    return pl.DataFrame(
        [
            {
                "name": one.name,
                "claim": one.claim,
                "reaches": one.reaches,
                "gain": spread_text(one.gain, one.central, 0),
                "percent": spread_text(one.percent, one.central_percent, 1),
                "cost": span(one.cost, 0) + (" a year" if one.yearly else ""),
                "per_yuan": spread_text(one.per_yuan, one.central_per_yuan, 1),
                "rests": one.rests,
                "gain_low": one.gain.low,
                "gain_central": one.central,
                "gain_median": one.gain.median,
                "gain_high": one.gain.high,
                "percent_low": one.percent.low,
                "percent_draws_low": one.percent.draws_low,
                "percent_central": one.central_percent,
                "percent_median": one.percent.median,
                "percent_draws_high": one.percent.draws_high,
                "percent_high": one.percent.high,
                "per_yuan_central": one.central_per_yuan,
                "per_yuan_median": one.per_yuan.median,
            }
            for one in found
        ]
    )


def poverty_table(frame: pl.DataFrame) -> pl.DataFrame:
    """Return `targets.poverty` with its per cents printed."""
    names = ("before", "least", "central", "most")
    return frame.with_columns(
        pl.col("gini").map_elements(lambda x: printing.number(x, 2), pl.String),
        *(pl.col(name).map_elements(lambda x: printing.number(x, 1), pl.String) for name in names),
    )


@dataclass(frozen=True)
class Preset:
    """Where the controls stand at first for a target: rounded to their steps.

    Attributes
    ----------
    id, name : str
        The target.
    gain, cost : int
        Yuan, for each household that takes part.
    yearly : bool
        Whether the cost is paid every year.
    """

    id: str
    name: str
    gain: int
    cost: int
    yearly: bool


def presets(found: Iterable[Target]) -> tuple[Preset, ...]:
    """Return the central values of each target, rounded to `STEP`."""
    return tuple(
        Preset(
            one.id,
            one.name,
            STEP * round(one.central / STEP),
            STEP * round(one.cost.central / STEP),
            one.yearly,
        )
        for one in found
    )


def fixed(world: World) -> dict[str, tuple[float, str, str]]:
    """Return what the controls hold fixed: value, what it is, unit, by name."""
    return {
        "mean": (world.mean, "official rural income per head, Tibet 2019", "yuan/persons/years"),
        "line": (world.line, "official poverty line, 2019", "yuan/persons/years"),
        "size": (
            world.size,
            "members of a household, assigned households of Ngari",
            "persons/households",
        ),
        "gini": (world.gini, "assumed: inequality of income per head", "Gini index"),
        "fading": (world.fading, "assumed: part of a gain lost from year to year", "share/years"),
        "discount": (world.discount, "assumed: real discount rate", "share/years"),
    }


PARTS: Final[tuple[tuple[str, Callable[[Target], Spread], str, str, int], ...]] = (
    ("gain", lambda one: one.gain, "yuan a year for each household", "yuan/households/years", 0),
    ("percent", lambda one: one.percent, "per cent of its income", "percent", 1),
    ("per_yuan", lambda one: one.per_yuan, "yuan of income for each yuan", "yuan/yuan", 1),
)
"""What the page prints of each target: name, which part, in words, unit, decimals."""
IN_MILLIONS: Final = Interval.point(Fraction(1, 10**6))
