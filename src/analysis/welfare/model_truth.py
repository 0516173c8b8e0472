"""What a programme of the model panel truly does to the distribution: potential incomes themselves.

The simulation keeps what each programme adds to each household. Simulating again gives the incomes
of the treated with the programme and without it, all else as it was, and so the true effect on any
quantile, headcount or gap. Only a simulated panel has this.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

from analysis import money
from analysis.inference.arrays import Floats, Integers
from analysis.panels.model import observation, parameters, world
from analysis.panels.model.effects import Effect
from analysis.panels.model.places import names
from analysis.panels.model.settings import Settings, Switches
from analysis.panels.model.simulate import pieces
from analysis.panels.model.tables import HOUSEHOLD_DIGITS
from analysis.welfare.people import PERSON


@dataclass(frozen=True, eq=False)
class Potential:
    """Household-years of the treated after the start of their programme; r rows.

    Attributes
    ----------
    with_programme, without : array of int, shape (r,)
        Total income with the programme, and without the household's own participation and what
        others' does to it; fen, prices of the period.
    size, period, number : array of int, shape (r,)
        Baseline members, year, and number of the household.
    weight, household_weight : array, shape (r,)
        Members, or one, as in the aggregation ``simple``: each cohort counts in each treated year
        by its persons, or households, ever seen.
    """

    with_programme: Integers
    without: Integers
    size: Integers
    period: Integers
    number: Integers
    weight: Floats
    household_weight: Floats


def settings_of(simulation: Mapping[str, Any]) -> Settings:
    """Read the settings that a simulated panel's manifest states."""
    values = dict(simulation)
    return Settings(
        households=values["households"],
        villages=values["villages"],
        periods=tuple(values["periods"]),
        seed=values["seed"],
        variant=values["variant"],
        switches=Switches(**values["switches"]),
    )


def potential(settings: Settings) -> dict[str, Potential]:
    """Simulate again and return the potential incomes of each programme's treated, as seen.

    Household-years that the survey saw with all four sources; true incomes, not reported ones. The
    parameters are those of this project now: a panel simulated with others has another truth.

    Parameters
    ----------
    settings : Settings
        Of the panel.
    """
    shared = world.build(settings, parameters.load())
    found: dict[str, list[tuple[Integers, ...]]] = {r.name: [] for r in shared.parameters.rules}
    for first, last in pieces(shared.places, settings.chunk):
        run = world.run(first, last, shared)
        seen = observation.observe(run, shared).complete
        total = run.total()
        for one in run.effects:
            rows = one.rows
            keep = seen[rows]
            added = _added(one, total.shape[1])
            of_household = (one.takers.cohort[rows], run.homes.size[rows], run.homes.number[rows])
            parts = (
                total[rows],
                total[rows] - added,
                settings.years,
                *(values[:, None] for values in of_household),
            )
            found[one.rule.name].append(
                tuple(np.broadcast_to(part, keep.shape)[keep] for part in parts)
            )
    return {name: _weighted(parts, settings) for name, parts in found.items() if parts}


def _added(one: Effect, periods: int) -> Integers:
    """Return what a programme adds to its own treated: their part and the others', shape (m, t)."""
    found = np.zeros((one.rows.size, periods), np.int64)
    for part in one.direct.values():
        found += part
    for part in one.spillover.values():
        found += part[one.rows]
    return found


def _weighted(parts: list[tuple[Integers, ...]], settings: Settings) -> Potential:
    """Keep the years from the start on, and weight them as ``simple`` does."""
    total, without, period, cohort, size, number = (
        np.concatenate(columns) for columns in zip(*parts, strict=True)
    )
    ever = (
        pl.DataFrame({"cohort": cohort, "number": number, "size": size})
        .unique("number")
        .group_by("cohort")
        .agg(pl.col("size").sum().alias("p"), n=pl.len())
    )
    inside = (period >= cohort) & (cohort > settings.years[0])
    frame = pl.DataFrame(
        {"cohort": cohort[inside], "period": period[inside], "size": size[inside]}
    ).join(ever, on="cohort", how="left", maintain_order="left")
    both = frame.select(
        person=pl.col("size") * pl.col("p") / pl.col("size").sum().over("cohort", "period"),
        household=pl.col("n") / pl.len().over("cohort", "period"),
    )
    return Potential(
        total[inside],
        without[inside],
        size[inside],
        period[inside],
        number[inside],
        *(column.to_numpy().astype(np.float64) for column in both),
    )


def _quantile(income: Floats, weight: Floats, shares: tuple[float, ...]) -> Floats:
    order = np.argsort(income, kind="stable")
    cumulative = np.cumsum(weight[order])
    place = np.searchsorted(cumulative, np.array(shares) * cumulative[-1] * (1 - 1e-12))
    found: Floats = income[order][np.minimum(place, income.size - 1)]
    return found


def quantile_effects(known: Potential, shares: tuple[float, ...], price_year: int) -> pl.DataFrame:
    """Return the true effect on quantiles of the treated: share, treated, counterfactual, truth.

    Yuan per head a year, prices of a year.
    """
    scale = to_yuan_per_head(known, price_year)
    one = _quantile(known.with_programme * scale, known.weight, shares)
    none = _quantile(known.without * scale, known.weight, shares)
    return pl.DataFrame(
        {"share": list(shares), "treated": one, "counterfactual": none, "truth": one - none}
    )


def to_yuan_per_head(known: Potential, price_year: int) -> Floats:
    """Return what turns fen of a household and year into yuan per head in the prices of a year."""
    factors = {
        int(t): float(money.load().factor(price_year, int(t))) for t in np.unique(known.period)
    }
    factor = np.array([factors[int(t)] for t in known.period])
    found: Floats = factor / known.size / money.FEN_PER_YUAN
    return found


def by_third(known: Potential, thirds: pl.DataFrame, price_year: int) -> pl.DataFrame:
    """Return the true effect on income per head by third of baseline income: third, truth.

    Parameters
    ----------
    known : Potential
        Of one programme.
    thirds : polars.DataFrame
        household, third.
    price_year : int
        Year whose prices the yuan are in.
    """
    added = (known.with_programme - known.without) * to_yuan_per_head(known, price_year)
    rows = pl.DataFrame(
        {
            "household": names("h", known.number, HOUSEHOLD_DIGITS),
            "added": added,
            "weight": known.weight,
        }
    ).join(thirds, on="household")
    weighted = (pl.col("added") * pl.col("weight")).sum() / pl.col("weight").sum()
    return rows.group_by("third").agg(truth=weighted).sort("third")


def poverty_effects(known: Potential, lines: tuple[str, ...], unit: str = PERSON) -> pl.DataFrame:
    """Return the true effects on poverty, each person or household counted.

    Returns
    -------
    polars.DataFrame
        line_name, measure, truth: shares; the gap in yuan per head a year, prices of each period.
    """
    rows = []
    weight = known.weight if unit == PERSON else known.household_weight
    for line in lines:
        fen = {int(t): money.load().line_fen(line, int(t)) for t in np.unique(known.period)}
        amount = np.array([fen[int(t)] for t in known.period]) * known.size
        means = []
        for income in (known.with_programme, known.without):
            lacking = np.maximum(amount - income, 0)
            values = {
                "headcount": lacking > 0,
                "squared_gap": (lacking / amount) ** 2,
                "gap": lacking / known.size / money.FEN_PER_YUAN,
            }
            means.append({name: float(weight @ v / weight.sum()) for name, v in values.items()})
        rows += [(line, name, means[0][name] - means[1][name]) for name in means[0]]
    return pl.DataFrame(
        rows,
        orient="row",
        schema={"line_name": pl.String, "measure": pl.String, "truth": pl.Float64},
    )
