"""What a panel says of the outcomes of a design: kinds, units, prices, bounds."""

from __future__ import annotations

from dataclasses import replace

import narwhals as nw
import polars as pl

from analysis.cells import scan
from analysis.cells.design import CellsDesign
from analysis.cells.engines import affinity
from analysis.cells.outcomes import Measured, Outcome
from analysis.panels import schemas
from analysis.panels.outcomes import MONEY
from analysis.panels.panel import Panel
from analysis.panels.prices import Prices


def read(panel: Panel, design: CellsDesign) -> CellsDesign:
    """Return a design whose outcomes have the kind and unit of the panel's."""
    known = {outcome.name: outcome for outcome in panel.outcomes}

    def of(outcome: Outcome) -> Outcome:
        if outcome.source in (*schemas.SOURCES, "total"):
            return replace(outcome, measured=Measured(currency=panel.currency))
        column = known[outcome.source]
        return replace(
            outcome, measured=Measured(column.kind, column.unit, currency=panel.currency)
        )

    return replace(design, outcomes=tuple(of(outcome) for outcome in design.outcomes))


def priced(
    panel: Panel, design: CellsDesign, periods: tuple[int, ...], prices: Prices
) -> tuple[CellsDesign, tuple[str, ...]]:
    """Return a design that knows which prices are not known and where outcomes are winsorised.

    Returns
    -------
    tuple
        The design, and what has to be said of it: an outcome stays nominal where the index lacks a
        year.
    """
    outcomes, notes = [], []
    for outcome in design.outcomes:
        about = outcome.measured
        if outcome.real is not None and about.kind in MONEY:
            lacking = prices.lacking(periods, outcome.real)
            if lacking:
                about = replace(about, nominal=True)
                notes.append(f"{outcome.name} is in prices of each period: {lacking}")
        measure = replace(outcome, measured=about)
        if measure.transform is not None and measure.transform.kind == "winsorised":
            bounds = _bounds(panel, design, measure, periods, prices)
            measure = replace(measure, measured=replace(about, bounds=bounds))
        outcomes.append(measure)
    return replace(design, outcomes=tuple(outcomes)), tuple(notes)


def _bounds(
    panel: Panel,
    design: CellsDesign,
    outcome: Outcome,
    periods: tuple[int, ...],
    prices: Prices,
) -> tuple[float, ...]:
    """Return the quantiles of the values of all usable rows, unweighted."""
    assert outcome.transform is not None  # noqa: S101  # asked of winsorised outcomes
    rows = nw.from_native(panel.income.join(panel.households, on="household")).lazy()
    inside = (nw.col("period") >= periods[0]) & (nw.col("period") <= periods[-1])
    values: pl.LazyFrame = (
        rows.filter(scan.usable(design), inside)
        .select(scan.amounts(outcome, periods, prices).alias("value"))
        .to_native()
    )
    series = values.collect(engine=affinity())["value"]
    return tuple(
        float(series.quantile(share, interpolation="linear"))  # type: ignore[arg-type]
        for share in outcome.transform.shares
    )
