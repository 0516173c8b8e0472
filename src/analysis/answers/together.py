"""The second design: all programmes of a panel at once; made once a process, for every page."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

import numpy as np
import polars as pl

from analysis import money, programmes
from analysis.answers import choices
from analysis.answers.design import TOTAL, Design
from analysis.answers.missing import Missing, attempt
from analysis.effects import together
from analysis.effects.record import About
from analysis.effects.result import EffectSet
from analysis.faults import Fault, FaultsError
from analysis.money import FEN_PER_YUAN
from analysis.panels.panel import Panel
from analysis.panels.schemas import SOURCES, total

OUTCOMES: Final = (TOTAL, *SOURCES)
STRATUM: Final = "none"
"""Households without a stratum are one of their own."""


def together_of(panel: Panel, design: Design) -> EffectSet | Missing:
    """Estimate all programmes of a panel at once.

    Parameters
    ----------
    panel : Panel
        The panel.
    design : Design
        Of any of its programmes: says periods and prices.

    Returns
    -------
    EffectSet or Missing
        See `analysis.effects.together.estimate`; yuan (or the panel's money) per household a year.
    """
    return attempt(_together, panel, design)


def of(
    found: EffectSet | Missing,
    programme: str,
    aggregation: str,
    outcome: str = TOTAL,
    at: int | None = None,
) -> EffectSet | None:
    """Return one estimate; None if there is none."""
    if isinstance(found, Missing):
        return None
    wanted = (outcome, programme, aggregation, at)
    places = [
        i
        for i, key in enumerate(found.keys)
        if (key.outcome, key.programme, key.aggregation, key.at) == wanted
    ]
    return found.at(np.array(places)) if places else None


def _together(panel: Panel, design: Design) -> EffectSet:
    rows = records(panel, design)
    known = programmes.load().designs.select("programme", "anticipation")
    there = {
        name: years for name, years in known.iter_rows() if together.FIRST + name in rows.columns
    }
    if len(there) < 2:
        raise FaultsError(
            [
                Fault(
                    "participation",
                    "the panel has one programme, so there are no others to hold",
                    "none is needed",
                )
            ]
        )
    account = panel.account
    about = About(
        estimator="together",
        tier=panel.tier,
        base="universal",
        handling="everyone seen twice",
        weights="baseline weights" if (rows["weight"] != 1).any() else "none",
        rows_in=account.rows_used,
        rows_used=rows.height,
        left_out={
            "household seen once, or a source of income is missing": account.rows_used - rows.height
        },
        units=dict.fromkeys(OUTCOMES, design.unit),
    )
    found = together.estimate(rows, there, OUTCOMES, about)
    return replace(found, level=choices.load().level)


def records(panel: Panel, design: Design) -> pl.DataFrame:
    """Return the household-years that enter, with real incomes and first periods.

    Households seen once have no change to compare. Income before any programme is the mean of the
    years before anybody's first period; the mean over all such households where one has none.
    """
    homes = panel.households.select("household", "village", "weight", design.cells.stratum)
    rows = panel.income.filter("complete").select("household", "period", *SOURCES, total())
    data = rows.join(homes, on="household").collect()
    data = data.filter(pl.len().over("household") > 1)
    prices = _prices(panel, design)
    factor = pl.col("period").replace_strict(prices, return_dtype=pl.Float64) / FEN_PER_YUAN
    data = data.with_columns(
        *(pl.col(name) * factor for name in (*SOURCES, TOTAL)),
        stratum=pl.col(design.cells.stratum).cast(pl.String).fill_null(STRATUM),
    )
    data = _first(data, panel)
    began = data.select(pl.min_horizontal(pl.selectors.starts_with(together.FIRST).min())).item()
    early = data.filter(pl.col("period") < began).group_by("household")
    before = early.agg(before=pl.col(TOTAL).mean())
    data = data.join(before, on="household", how="left")
    return data.with_columns(pl.col("before").fill_null(pl.col("before").mean()).fill_null(0.0))


def _prices(panel: Panel, design: Design) -> dict[int, float]:
    real = design.price_year
    if real is None or real == panel.price_year:
        return dict.fromkeys(design.periods, 1.0)
    there = money.load()
    return {t: float(there.factor(real, panel.price_year or t)) for t in design.periods}


def _first(data: pl.DataFrame, panel: Panel) -> pl.DataFrame:
    """Add the first period of each programme that somebody in the data takes part in."""
    parts = panel.participation.with_columns(pl.col("unit_level").cast(pl.String)).collect()
    for (programme,), rows in parts.group_by("programme", maintain_order=True):
        name = f"{together.FIRST}{programme}"
        found = []
        for (level,), units in rows.group_by("unit_level", maintain_order=True):
            keys = units.select(pl.col("unit").alias(str(level)), pl.col("first_period"))
            found.append(
                data.join(keys, on=str(level), how="left", maintain_order="left")["first_period"]
            )
        first = pl.DataFrame([one.alias(str(i)) for i, one in enumerate(found)]).select(
            pl.min_horizontal(pl.all())
        )
        series = first.to_series().alias(name)
        if series.null_count() < data.height:
            data = data.with_columns(series)
    return data
