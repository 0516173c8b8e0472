"""Households that leave a panel: their changes of income, and bounds on an effect without them."""

from __future__ import annotations

import numpy as np
import polars as pl

from analysis.designs.lee_bounds import Bounds, lee
from analysis.effects.table import refuse
from analysis.inference.arrays import Integers
from analysis.money import FEN_PER_YUAN
from analysis.panels import schemas
from analysis.panels.panel import Panel

COLUMNS = ("household", "village", "stratum", "cohort", "treated", "seen", "change", "weight")


def changes(panel: Panel, programme: str, after: int) -> pl.DataFrame:
    """Return the change of total income of the treated and of those who never are.

    Parameters
    ----------
    panel : Panel
        Households one by one: this does not run on cells.
    programme : str
        Which programme.
    after : int
        Periods since the first treated one.

    Returns
    -------
    DataFrame
        Columns `COLUMNS`: one row per household seen in the last period before a cohort begins, for
        each cohort; `change` in currency units a year (nominal), null if not seen after. Controls
        are never treated and live where nobody is.
    """
    known = panel.participation.filter(programme=programme).select(
        "unit_level", "unit", cohort=pl.col("first_period").cast(pl.Int64)
    )
    own = known.filter(pl.col("unit_level").cast(pl.String) == "household")
    whole = known.filter(pl.col("unit_level").cast(pl.String) == "village")
    people = (
        panel.households.select("household", "village", "stratum", "weight")
        .join(own.select(household="unit", own="cohort"), on="household", how="left")
        .join(whole.select(village="unit", whole="cohort"), on="village", how="left")
        .with_columns(cohort=pl.min_horizontal("own", "whole"))
        .with_columns(beside=pl.col("cohort").is_not_null().any().over("village"))
        .select("household", "village", "stratum", "weight", "cohort", "beside")
    )
    income = (
        panel.income.filter("complete")
        .select("household", "period", total=schemas.total() / FEN_PER_YUAN)
        .collect()
    )
    periods = income["period"].unique().sort().to_list()
    homes, parts = people.collect(), []
    for cohort in homes["cohort"].drop_nulls().unique().sort().to_list():
        earlier = [period for period in periods if period < cohort]
        if not earlier or cohort + after not in periods:
            continue
        base = income.filter(period=earlier[-1]).select("household", before="total")
        later = income.filter(period=cohort + after).select("household", later="total")
        parts.append(
            homes.filter((pl.col("cohort") == cohort) | ~pl.col("beside"))
            .join(base, on="household")
            .join(later, on="household", how="left")
            .select(
                "household",
                "village",
                "stratum",
                cohort=pl.lit(cohort),
                treated=pl.col("cohort").is_not_null(),
                seen=pl.col("later").is_not_null(),
                change=pl.col("later") - pl.col("before"),
                weight="weight",
            )
        )
    if not parts:
        refuse(
            "no cohort is seen both before it begins and so long after",
            "look earlier after the start",
            column="after",
            value=after,
        )
    return pl.concat(parts)


def bounds(rows: pl.DataFrame, *, by: tuple[str, ...] = ("cohort",)) -> Bounds:
    """Return bounds by trimming (Lee 2009) on the mean effect on the treated.

    Parameters
    ----------
    rows : DataFrame
        As from `changes`.
    by : tuple of str
        Columns that make strata; with ``stratum`` as well bounds are tighter.
    """
    return lee(
        rows["change"].fill_null(0.0).to_numpy(),
        rows["treated"].to_numpy(),
        rows["seen"].to_numpy(),
        weight=rows["weight"].to_numpy().astype(float),
        stratum=_numbers(rows, by),
    )


def errors(rows: pl.DataFrame, *, by: tuple[str, ...] = ("cohort",)) -> tuple[float, float]:
    """Return standard errors of both bounds by leaving out one village at a time.

    The share to trim is estimated anew each time.
    """
    outcome, treated = rows["change"].fill_null(0.0).to_numpy(), rows["treated"].to_numpy()
    seen, weight = rows["seen"].to_numpy(), rows["weight"].to_numpy().astype(float)
    stratum, village = _numbers(rows, by), _numbers(rows, ("village",))
    full = bounds(rows, by=by)
    ends = []
    for number in range(int(village.max()) + 1):
        kept = village != number
        one = lee(
            outcome[kept], treated[kept], seen[kept], weight=weight[kept], stratum=stratum[kept]
        )
        ends.append((one.low - full.low, one.high - full.high))
    size = len(ends)
    low, high = np.sqrt((size - 1) / size * (np.array(ends) ** 2).sum(axis=0))
    return float(low), float(high)


def _numbers(rows: pl.DataFrame, columns: tuple[str, ...]) -> Integers:
    keys = rows.select(pl.struct(columns).rank("dense").alias("number"))
    return keys["number"].to_numpy().astype(np.int64) - 1
