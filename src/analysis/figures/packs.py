"""The figure of a pack: its estimates by event time, the outcomes that share a unit."""

from __future__ import annotations

from typing import Final

import polars as pl

from analysis.figures import effects
from analysis.figures.style import Figure

MOST: Final = 7
"""Outcomes drawn; the others are in the table."""
SHARE: Final = "share"
"""Unit of outcomes that say who is below a line."""


def event_times(
    name: str, tier: str, frame: pl.DataFrame, unit: str, base: int | None = -1
) -> Figure:
    """Draw estimates by event time with joint bands, the first outcome above the others.

    Parameters
    ----------
    name : str
        Label of the cell.
    tier : str
        Evidence tier of the pack.
    frame : polars.DataFrame
        As `analysis.effects.pack_views.event_times` gives it. Outcomes in another unit than the
        first are not drawn.
    unit : str
        Of the first outcome, with its prices. Shares are drawn in percentage points.
    base : int or None
        Event time that all others are compared with; None where there is no single one.
    """
    if frame.is_empty():
        return effects.nothing(name, tier, "This pack has no estimates by event time.")
    same = frame.filter(pl.col("unit") == frame["unit"][0])
    outcomes = same["outcome"].unique(maintain_order=True).to_list()[:MOST]
    if unit == SHARE:
        same = same.with_columns(pl.col("estimate", "band_low", "band_high") * 100)
        unit = "percentage points"
    names = {one: effects.NAMES.get(one, one.replace("_", " ")) for one in outcomes}
    return effects.events(name, same, tier=tier, unit=unit, base=base, names=names)
