"""Single estimates of the library: as a number to be quoted, and side by side without a mean."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

import polars as pl
from scipy import special  # type: ignore[import-untyped]

from analysis.faults import Fault, FaultsError
from analysis.results.forest import Row, forest
from analysis.results.labels import labels, word
from analysis.results.number import Effect
from analysis.results.provenance import Provenance

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from analysis.studies.estimates import Studies

NORMAL: Final = float(special.ndtri(0.975))
MEAN_UNIT: Final = "per cent of the comparison mean"
BY: Final = ("outcome_family", "risk_of_bias", "effect", "comparison", "sub_type", "setting")
"""Columns by which estimates may be grouped."""


def effect_of(
    row: Mapping[str, Any], provenance: Provenance, *, as_printed: bool = False
) -> Effect:
    """Return a row of the library as an effect: in per cent where it has one, else as printed.

    Parameters
    ----------
    row : mapping
        A row of ``estimates.csv`` with the columns that `analysis.studies` adds.
    provenance : Provenance
        Of the library.
    as_printed : bool
        In its own unit, even where it has a per cent.

    Returns
    -------
    Effect
        With its interval where the row has an error (times its multiplier), with the range that
        the study prints where it has one, in its unit, and no error.
    """
    percent = row["percent"] is not None and not as_printed
    value, error = (
        (row["percent"], row["percent_se"]) if percent else (row["estimate"], row["error"])
    )
    unit = MEAN_UNIT if percent else str(row["unit"]).replace("_", " ")
    error = math.nan if error is None else error
    low, high = value - NORMAL * error, value + NORMAL * error
    if percent and row["percent_low"] is not None:
        low, high = row["percent_low"], row["percent_high"]
    elif row["range_low"] is not None and value == row["estimate"]:
        low, high = row["range_low"], row["range_high"]
    known = str(row["known"]).replace("_", " ")
    return Effect(
        value=value,
        error=error,
        low=low,
        high=high,
        term=str(row["effect"]),
        outcome=row["outcome"],
        n=row["n"],
        df=math.inf,
        note="" if math.isfinite(error) else "no standard error is known",
        what=f"{row['short']}: {row['outcome']}, {row['subgroup']} sample",
        unit=unit,
        provenance=replace(provenance, rows_used=1, method=f"{row['design']}; {known}"),
    )


def find(studies: Studies, name: str, *, as_printed: bool = False) -> Effect:
    """Return the estimate of a name.

    Raises
    ------
    FaultsError
        If there is none among these studies, or if it has a direction and no number.
    """
    frame = studies.frame.filter(pl.col("id") == name)
    if frame.is_empty() or frame["estimate"].item() is None:
        problem = "a direction without a number" if frame.height else "no such estimate"
        remedy = "use an id of data/studies/estimates.csv that has an estimate"
        raise FaultsError([Fault(studies.title, problem, remedy, column="id", value=name)])
    return effect_of(frame.row(0, named=True), studies.provenance, as_printed=as_printed)


def forest_of(
    studies: Studies, *, by: str = "outcome_family", language: str = "en", ax: Axes | None = None
) -> Axes:
    """Draw estimates in per cent side by side, in groups, without any mean.

    Parameters
    ----------
    studies : Studies
        Those to be drawn; rows without a per cent are left out of the figure.
    by : str
        Column of the groups, one of `BY`.
    language : str
        ``en`` or ``zh``.
    ax : matplotlib Axes, optional
        Where; a new figure if left out.

    Raises
    ------
    FaultsError
        If there is no per cent to draw, or no such column to group by.
    """
    if by not in BY:
        remedy = f"use one of: {', '.join(BY)}"
        raise FaultsError([Fault("plot", "no such groups", remedy, column="by", value=by)])
    drawn = studies.frame.filter(pl.col("percent").is_not_null())
    if drawn.is_empty():
        remedy = "show .table(), which has directions too"
        raise FaultsError([Fault(studies.title, "no estimate is in per cent", remedy)])
    drawn = drawn.sort(pl.col(by).cast(pl.String), "percent", maintain_order=True)
    rows = [
        Row(
            label=_label(row),
            estimate=row["percent"],
            ci_low=math.nan if row["percent_low"] is None else row["percent_low"],
            ci_high=math.nan if row["percent_high"] is None else row["percent_high"],
            group=word(str(row[by]), language),
        )
        for row in drawn.iter_rows(named=True)
    ]
    unit = labels(language)["per_cent_mean"]
    return forest(rows, unit, data=drawn, provenance=studies.provenance, language=language, ax=ax)


def _label(row: Mapping[str, Any]) -> str:
    parts = [row["short"], row["country"], row["outcome"]]
    return ", ".join(str(part) for part in parts if part)
