"""A panel for one treated unit: complete, averaged by unit, every row accounted for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import polars as pl

from analysis.faults import refuse
from analysis.inference.arrays import Booleans, Floats

OTHERS: Final = "units that are treated themselves"
GAPS: Final = "units not seen in every period"
LEAST_BEFORE: Final = 2
"""Periods before treatment without which nothing can be matched."""


@dataclass(frozen=True, eq=False)
class Wide:
    """Outcomes of all units by period, the treated one's row, and which periods are after."""

    names: list[str]
    periods: list[int]
    y: Floats
    at: int
    after: Booleans

    @property
    def controls(self) -> list[int]:
        """Rows of the controls."""
        return [k for k in range(len(self.names)) if k != self.at]


def read(
    frame: pl.DataFrame,
    y: str,
    unit: str,
    time: str,
    first: str | int,
    treated: Any,
    weight: str | None,
) -> tuple[Wide, dict[str, int], tuple[str, ...], str]:
    """Return outcomes by unit and period, rows left out, decisions, and the treated unit's name."""
    columns = [x for x in (y, unit, time, first, weight) if isinstance(x, str)]
    for column in columns:
        if column not in frame.columns:
            refuse(
                "there is no such column",
                f"the data have {', '.join(frame.columns)}",
                column=column,
            )
    start = pl.col(first).cast(pl.Float64) if isinstance(first, str) else pl.lit(0.0)
    rows = frame.select(
        unit=pl.col(unit).cast(pl.String),
        period=pl.col(time).cast(pl.Int64),
        y=pl.col(y).cast(pl.Float64),
        first=pl.when(start.is_finite()).then(start).otherwise(0.0).fill_null(0.0),
        weight=pl.col(weight).cast(pl.Float64) if weight else pl.lit(1.0),
    )
    left_out = {}
    for reason, kept in (
        (f"{y} is missing", pl.col("y").is_finite().fill_null(False)),
        ("weight is 0 or missing", (pl.col("weight") > 0).fill_null(False)),
        (
            f"{unit} or {time} is missing",
            pl.col("unit").is_not_null() & pl.col("period").is_not_null(),
        ),
    ):
        less = rows.filter(kept)
        if less.height < rows.height:
            left_out[reason] = rows.height - less.height
        rows = less
    name, begins = _treated(rows, first, treated, unit)
    if isinstance(first, int):
        rows = rows.with_columns(
            first=pl.when(pl.col("unit") == name).then(float(first)).otherwise(0.0)
        )
    mine = rows.filter((pl.col("first") <= 0) | (pl.col("unit") == name))
    if mine.height < rows.height:
        left_out[OTHERS] = rows.height - mine.height
    means = mine.group_by("unit", "period").agg(
        mean=(pl.col("y") * pl.col("weight")).sum() / pl.col("weight").sum(), n=pl.len()
    )
    decisions = []
    if means.height < mine.height:
        decisions.append(f"{mine.height:,} rows averaged to {means.height:,} units and periods")
    periods = sorted(means["period"].unique().to_list())
    seen = means.group_by("unit").len()
    whole = seen.filter(pl.col("len") == len(periods))["unit"]
    if name not in whole.to_list():
        refuse("the treated unit is not seen in every period", "leave periods out", value=name)
    gone = means.filter(~pl.col("unit").is_in(whole.to_list()))
    if gone.height:
        left_out[GAPS] = int(gone["n"].sum())
        means = means.filter(pl.col("unit").is_in(whole.to_list()))
    wide = means.pivot("period", index="unit", values="mean", sort_columns=True).sort("unit")
    names = wide["unit"].to_list()
    after = np.array([p >= begins for p in periods])
    if (~after).sum() < LEAST_BEFORE or not after.any():
        refuse(
            f"{(~after).sum()} periods lie before treatment and {after.sum()} after it",
            f"at least {LEAST_BEFORE} before and one after are needed",
            column=time,
            value=f"{begins:g}",
        )
    if len(names) < 3:
        refuse(
            "fewer than two controls are left",
            "a synthetic unit needs others to weigh",
            column=unit,
        )
    values: Floats = wide.select(str(p) for p in periods).cast(pl.Float64).to_numpy()
    return Wide(names, periods, values, names.index(name), after), left_out, tuple(decisions), name


def _treated(rows: pl.DataFrame, first: str | int, treated: Any, unit: str) -> tuple[str, float]:
    """Return the treated unit and its first treated period."""
    name = None if treated is None else str(treated)
    if isinstance(first, int):
        if name is None or name not in rows["unit"].to_list():
            refuse("the treated unit is not named", "name it: treated=", column=unit, value=treated)
        return name, float(first)
    own = rows.filter(pl.col("first") > 0)
    items = sorted(own["unit"].unique().to_list())
    if name is None and len(items) == 1:
        name = items[0]
    if name is None or name not in items:
        shown = ", ".join(items[:5])
        refuse(
            "the unit is not treated in these periods"
            if name
            else f"{len(items)} units are treated",
            f"name a treated one: treated=; treated are {shown}" if items else "check first=",
            column=unit,
            value=treated if name else shown,
        )
    starts = own.filter(unit=name)["first"].unique().to_list()
    if len(starts) > 1:
        refuse(
            "the treated unit has several first periods", "correct it", column=first, value=starts
        )
    return name, float(starts[0])
