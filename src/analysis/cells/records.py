"""The households behind cells: one row per household and period, with the outcomes of a design."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import narwhals as nw
import polars as pl

from analysis.cells import build, measured, presence, scan
from analysis.cells.design import CellsDesign
from analysis.cells.engines import opened
from analysis.faults import Fault, raise_if_any
from analysis.money import FEN_PER_YUAN, is_in_hundredths, main_unit
from analysis.panels.account import Account
from analysis.panels.panel import Panel
from analysis.panels.prices import Prices

OWN: Final = ("household", "village", "weight")
"""Columns of the households that are there in any case."""


@dataclass(frozen=True)
class Records:
    """Households over time.

    Attributes
    ----------
    frame : polars.DataFrame
        household, period, village, cohort (null: never), stratum, weight, the outcomes (money in
        the main unit of its currency), and the columns asked for.
    units : dict of str to str
        Unit of each outcome.
    account : Account
        Rows of the income table: read, used, left out by reason.
    notes : tuple of str
        What had to be decided.
    """

    frame: pl.DataFrame
    units: dict[str, str]
    account: Account
    notes: tuple[str, ...]


def records(panel: Panel, design: CellsDesign, columns: Sequence[str] = ()) -> Records:
    """Return the rows that cells of a design would add up.

    Parameters
    ----------
    panel : Panel
        Read by Polars; the rows that count are held in memory.
    design : CellsDesign
        Of one programme.
    columns : sequence of str
        Further columns of the households.

    Raises
    ------
    FaultsError
        If the panel lacks what the design or `columns` name.
    """
    columns = [name for name in columns if name not in OWN]
    with opened(panel) as tables:
        levels = build.levels_of(tables, design)
        there = tables.households.collect_schema().names()
        remedy = f"the households have {', '.join(name for name in there if name != 'household')}"
        lacking = [name for name in columns if name not in there]
        raise_if_any(
            [
                *build.faults_of(panel, tables, design),
                *(Fault("households.parquet", "no such column", remedy, column=n) for n in lacking),
            ]
        )
        prices = Prices.of(panel, design.price_series)
        design = measured.read(panel, design)
        periods, account = build.periods_of(build.counts_of(tables, design), design)
        design, notes = measured.priced(panel, design, periods, prices)
        plan = scan.plan(design, periods, prices)
        item = presence.look(
            tables, design, scan.attributes(tables, design, levels, True), periods, account
        )
        everything = account.rows_used == account.rows_read
        rows = scan.seen(tables, design, periods, everything=everything)
        values = scan.values_of(rows, item.households, plan)
        more = tables.households.select(
            "household", *(nw.col(name).alias(f"c_{name}") for name in columns)
        )
        names = [name for name in design.keys if name in values.collect_schema().names()]
        kept = ["household", "period", "weight", *names, *plan.raw]
        joined = values.select(*kept).join(more, on="household", how="left")
        table = scan.complete(tables.collect(joined), tables, design, levels)
    outcomes = [_outcome(outcome.name, outcome.unit, plan) for outcome in design.outcomes]
    frame = table.sort("household", "period").select(
        "household",
        "period",
        "village",
        pl.when(pl.col("cohort") > 0).then(pl.col("cohort")).alias("cohort"),
        "stratum",
        "weight",
        *outcomes,
        *(pl.col(f"c_{name}").alias(name) for name in columns),
    )
    units = {outcome.name: main_unit(outcome.unit) for outcome in design.outcomes}
    return Records(frame, units, item.account, notes)


def _outcome(name: str, unit: str, plan: scan.Plan) -> pl.Expr:
    """Return an outcome from its parts, in its prices and main unit."""
    first, *others = (pl.col(part).cast(pl.Float64) for part in plan.parts[name])
    value = sum(others, start=first)
    scale = plan.scale[name]
    if scale is not None:
        factors = {period: float(factor) for period, factor in scale.items()}
        value = value * pl.col("period").replace_strict(factors, return_dtype=pl.Float64)
    return (value / FEN_PER_YUAN if is_in_hundredths(unit) else value).alias(name)
