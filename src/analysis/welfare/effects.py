"""Effects on the distribution from cells: shares below amounts, poverty, and who gains.

The share below an amount is the mean of an indicator, so its effect is a group-time effect like any
other. It asks for more than an effect on the mean does: without the programme, the share below
*every* amount would have moved alike in both arms (Roth & Sant'Anna 2023). Arms that begin at
different incomes do not do so even if all incomes grow alike; comparing inside thirds of baseline
income brings them nearer to it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import polars as pl

from analysis.cells.build import build
from analysis.cells.design import CellsDesign, Level
from analysis.cells.outcomes import Outcome, threshold
from analysis.cells.result import Cells
from analysis.effects import aggregate, group_time, relative
from analysis.effects.layout import from_cells
from analysis.effects.result import EffectSet, stack
from analysis.effects.table import Table, refuse
from analysis.faults import FaultsError
from analysis.inference.arrays import Floats, Integers
from analysis.money import FEN_PER_YUAN
from analysis.panels import schemas
from analysis.panels.panel import Panel
from analysis.welfare import poverty
from analysis.welfare.people import PERSON, People, per_head, weights

THIRD = "x_third"
THIRDS = ("1 poorest", "2 middle", "3 richest")
NO_THIRDS = "all"
EDGES = 49
"""Amounts of the grid: each fiftieth of all incomes."""
HOW = group_time.Comparison(controls="not_yet", where="other_villages")
"""Controls are not yet treated, in villages where nobody is: programmes spill over."""
SIMPLE = "simple"
"""Every cohort and treated period, weighted by the cohort's share."""
INCOMES = (*schemas.SOURCES, "total")


def with_thirds(panel: Panel) -> Panel:
    """Return the panel with a baseline column: the household's third by baseline income per head.

    Each third holds a third of the persons whose baseline income is known. A household without it
    has none, and cells leave it out and count it; if no household has it, all are in one group.
    """
    homes = panel.households.select(
        "household",
        persons=pl.col("weight") * pl.col("size_baseline"),
        head=pl.col("income_baseline_fen") / pl.col("size_baseline"),
    ).collect()
    known = homes.filter(pl.col("head").is_not_null()).sort("head", "household")
    if known.is_empty():
        return replace(
            panel, households=panel.households.with_columns(pl.lit(NO_THIRDS).alias(THIRD))
        )
    middle = known["persons"].cum_sum() - known["persons"] / 2
    number = (3 * middle / known["persons"].sum()).floor().clip(0, 2).cast(pl.Int64)
    names = dict(enumerate(THIRDS))
    column = known.select("household").with_columns(
        number.replace_strict(names, return_dtype=pl.String).alias(THIRD)
    )
    return replace(
        panel, households=panel.households.join(column.lazy(), on="household", how="left")
    )


def edges_fen(people: People, count: int = EDGES) -> tuple[int, ...]:
    """Return amounts that cut all real incomes per head into equal shares, whole yuan in fen.

    Over all persons and periods, so the grid does not know who was treated. Fewer than asked for
    where incomes bunch.
    """
    if people.frame.is_empty():
        return ()
    income = per_head(people.frame)
    order = np.argsort(income, kind="stable")
    cumulative = np.cumsum(weights(people.frame)[order])
    at = np.searchsorted(cumulative, cumulative[-1] * np.arange(1, count + 1) / (count + 1))
    whole = sorted({round(float(y)) for y in income[order][at]})
    return tuple(FEN_PER_YUAN * yuan for yuan in whole)


def outcomes(
    edges: tuple[int, ...], lines: tuple[str, ...], price_year: int | None
) -> tuple[Outcome, ...]:
    """Return what the cells add up: income by source per head, the grid, poverty at the lines."""
    return (
        *(Outcome(name, per="head", real=price_year) for name in INCOMES),
        *(
            Outcome(f"below_{k}", "total", "head", price_year, threshold(fen))
            for k, fen in enumerate(edges)
        ),
        *poverty.outcomes(lines),
    )


def cells(
    panel: Panel,
    programme: str,
    people: People,
    lines: tuple[str, ...] = (),
    *,
    edges: tuple[int, ...] | None = None,
    level: Level = "auto",
    unit: str = PERSON,
) -> Cells:
    """Add a panel up to the cells of this page: one scan, thirds of baseline income as strata.

    Parameters
    ----------
    panel : Panel
        As `with_thirds` gives it.
    programme : str
        Whose effect is asked for.
    people : People
        The same panel laid out: grid and prices come from it.
    lines : tuple of str
        Poverty lines.
    edges : tuple of int, optional
        Amounts of the grid, real fen per head; those of `edges_fen` by default, empty for none.
    level : str
        Of the programme, where it is run at two.
    unit : str
        ``person`` or ``household``: who is counted.

    Raises
    ------
    FaultsError
        As `analysis.cells.build.build`.
    """
    edges = edges_fen(people) if edges is None else edges
    wanted = outcomes(edges, lines if people.has_lines else (), people.price_year)
    design = CellsDesign(
        (programme,),
        level=level,
        outcomes=wanted,
        handling="cross_sections",
        stratum=THIRD,
        unit="person" if unit == PERSON else "household",
    )
    return build(panel, design)


@dataclass(frozen=True, eq=False)
class Estimated:
    """Effects of one programme, every treated cohort and period in one number per outcome.

    Attributes
    ----------
    effects : EffectSet
        One estimate per outcome, aggregation ``simple``; controls not yet treated, in other
        villages.
    levels : EffectSet
        Mean of the treated in the same cohorts and periods, same keys.
    table : Table
        What they were made from.
    lost : tuple of (int, int, str)
        Cohorts and periods that could not be compared and are not in the aggregate, and why.
    """

    effects: EffectSet
    levels: EffectSet
    table: Table
    lost: tuple[tuple[int, int, str], ...] = ()


def of_cells(made: Cells) -> Estimated:
    """Estimate every outcome of the cells, compared inside thirds of baseline income."""
    return estimate(from_cells(made))


def estimate(table: Table, how: group_time.Comparison = HOW) -> Estimated:
    """Estimate every outcome that moves at all.

    Raises
    ------
    FaultsError
        If nothing can be estimated.
    """
    table = table.select(*_moving(table))
    found = group_time.estimate(table, how, leads=False)
    # What cannot be had is no part of the question; `Estimated.lost` says what that is.
    gone, found = _lost(found), replace(found, missing=())
    levels = relative.treated_means(found, table)
    whole, means = (aggregate.aggregate(one, table, (SIMPLE,)) for one in (found, levels))
    return Estimated(whole, means, table, gone)


def _moving(table: Table) -> list[str]:
    """Return the outcomes that are not the same in every cell and period."""
    seen = table.weight > 0
    kept = []
    for k, name in enumerate(table.outcomes):
        mean = table.total[:, :, k][seen] / table.weight[seen]
        if mean.size and np.ptp(mean) > 1e-12 * np.abs(mean).max(initial=0):
            kept.append(name)
    if not kept:
        refuse("no outcome moves", "use data of more than one period", column="outcome")
    return kept


def _lost(found: EffectSet) -> tuple[tuple[int, int, str], ...]:
    """Return cohort, period and reason of the group-time effects that cannot be estimated."""
    pairs = {(key.cohort, key.period): why for key, why in found.missing}
    return tuple((int(g), int(t), why) for (g, t), why in pairs.items() if g and t)


def in_strata(table: Table, stratum: str) -> Table:
    """Return the rows of one stratum; who is treated in the village still counts all of them."""
    whole = replace(table, first_in_village=table.village_cohort())
    return whole.rows(table.stratum == table.strata.index(stratum))


def pooled(table: Table) -> Table:
    """Return the table with its strata added up: every household compared with every other."""
    village, cohort = table.village, table.cohort
    keys, at = np.unique(np.stack([village, cohort]), axis=1, return_inverse=True)
    at = at.ravel()

    def add(values: Floats | Integers) -> Floats | Integers:
        found = np.zeros((keys.shape[1], *values.shape[1:]), values.dtype)
        np.add.at(found, at, values)
        return found

    names = ("n", "weight", "total", "n_ever", "weight_ever")
    added: dict[str, Any] = {name: add(getattr(table, name)) for name in names}
    return replace(
        table,
        village=keys[0],
        cohort=keys[1],
        stratum=np.zeros_like(keys[0]),
        strata=("all",),
        **added,
    )


def poverty_effects(found: Estimated, lines: tuple[str, ...]) -> pl.DataFrame:
    """Return effects on headcount, gap and squared gap, the gap in yuan per head.

    Returns
    -------
    polars.DataFrame
        programme, line_name, measure, unit, estimate, std_error, ci_low, ci_high, treated (the
        level among the treated), n_villages_treated, n_villages_control, note. Shares, and for the
        gap yuan per person a year in the prices of each period.
    """
    rows = _rows(found, (f"{line}_{name}" for line in lines for name in poverty.MEASURES))
    return rows.with_columns(
        line_name=pl.col("outcome").str.replace(r"_(headcount|gap|squared_gap)$", ""),
        measure=pl.when(pl.col("outcome").str.ends_with("_squared_gap"))
        .then(pl.lit("squared_gap"))
        .otherwise(pl.col("outcome").str.extract(r"_([a-z]+)$")),
    )


def income_effects(found: Estimated) -> pl.DataFrame:
    """Return effects on income per head by source and in total, real yuan a year.

    Returns
    -------
    polars.DataFrame
        programme, outcome (a source or total), estimate, std_error, ci_low, ci_high, treated,
        n_villages_treated, n_villages_control, note. Sources add up to the total.
    """
    return _rows(found, INCOMES)


def _rows(found: Estimated, names: Iterable[str]) -> pl.DataFrame:
    wanted = list(names)
    keep = [k for k, key in enumerate(found.effects.keys) if key.outcome in wanted]
    index = np.array(keep, np.int64)
    shown = found.effects.at(index).in_yuan().to_frame()
    levels = found.levels.at(index).in_yuan().points
    return shown.select(
        "programme",
        "outcome",
        "estimate",
        "std_error",
        "ci_low",
        "ci_high",
        treated=pl.Series(levels, dtype=pl.Float64),
        n_villages_treated="n_villages_treated",
        n_villages_control="n_villages_control",
        note="note",
    ).with_columns(pl.selectors.float().fill_nan(None))


def by_third(table: Table, how: group_time.Comparison = HOW) -> tuple[pl.DataFrame, dict[str, str]]:
    """Return effects on income per head in each third of baseline income.

    Compared inside the third, so that both arms begin at like incomes and what bounces back after
    one poor year does so in both.

    Returns
    -------
    frame : polars.DataFrame
        third, and as `income_effects`; ``band_low`` and ``band_high`` of the totals hold for all
        thirds at once.
    why : dict of str to str
        Thirds without an estimate, and why.
    """
    frames, totals, why = [], [], {}
    incomes = table.select(*INCOMES)
    for third in table.strata:
        try:
            found = estimate(in_strata(incomes, third), how)
        except FaultsError as fault:
            why[third] = fault.faults[0].problem
            continue
        frames.append(income_effects(found).with_columns(third=pl.lit(third)))
        if "total" in [key.outcome for key in found.effects.keys]:
            totals.append((third, found.effects.select(outcome="total").in_yuan()))
    if not frames:
        return pl.DataFrame(schema={"third": pl.String, "outcome": pl.String}), why
    band = stack(*(one for _, one in totals)).to_frame(band=True) if totals else None
    joint = pl.DataFrame(
        {
            "third": [third for third, _ in totals],
            "outcome": ["total"] * len(totals),
            "band_low": [] if band is None else band["band_low"],
            "band_high": [] if band is None else band["band_high"],
        },
        schema_overrides={"band_low": pl.Float64, "band_high": pl.Float64},
    )
    whole = pl.concat(frames).join(joint, on=["third", "outcome"], how="left")
    return whole.with_columns(pl.selectors.float().fill_nan(None)), why
