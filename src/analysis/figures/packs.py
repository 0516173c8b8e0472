"""Figures of a pack: its estimates by event time, outcome below outcome, with joint bands."""

from __future__ import annotations

import polars as pl
from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter, MaxNLocator

from analysis import printing
from analysis.figures.style import SMALL, Figure, Theme, draw

MOST = 6
"""Outcomes drawn; the others are in the table."""


def event_times(name: str, tier: str, frame: pl.DataFrame, unit: str) -> Figure:
    """Draw estimates by event time: a dot, its interval and the joint band, per outcome.

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
        Of the first outcome, with its prices.
    """
    columns = ("outcome", "at", "estimate", "ci_low", "ci_high", "band_low", "band_high")
    if frame.is_empty():
        return _nothing(name, tier, frame.select(columns))
    same = frame.filter(pl.col("unit") == frame["unit"][0])
    outcomes = same["outcome"].unique(maintain_order=True).to_list()[:MOST]
    shown = same.filter(pl.col("outcome").is_in(outcomes)).select(columns).with_columns(
        pl.col(columns[2:]).fill_nan(None)
    )  # fmt: skip

    def paint(axes: Axes, theme: Theme) -> None:
        axes.set_axis_off()
        for number, outcome in enumerate(outcomes):
            step = 1 / len(outcomes)
            inner = axes.inset_axes((0.15, 1 - step * (number + 1) + 0.3 * step, 0.84, 0.6 * step))
            _one(inner, theme, shown.filter(outcome=outcome), outcome)
            last = number == len(outcomes) - 1
            inner.set_xlabel("years since the first year of treatment" if last else "")
        axes.text(-0.02, 0.5, unit, rotation=90, va="center", ha="center", fontsize=SMALL,
                  color=theme.ink, transform=axes.transAxes)  # fmt: skip

    alt = (
        f"Dots with intervals and joint bands by years since treatment, in {unit}, the year before"
        f" as zero. {' '.join(_said(shown.filter(outcome=one), one) for one in outcomes)}"
    )
    return draw(name, tier, paint, shown, alt, height=0.7 + 1.35 * len(outcomes))


def _one(axes: Axes, theme: Theme, rows: pl.DataFrame, outcome: str) -> None:
    colour = theme.accents[0]
    at = rows["at"].to_numpy()
    axes.axhline(0, color=theme.faint, linewidth=0.8)
    axes.vlines(at, rows["band_low"].cast(pl.Float64), rows["band_high"].cast(pl.Float64),
                color=colour, linewidth=1, alpha=0.55)  # fmt: skip
    axes.vlines(at, rows["ci_low"].cast(pl.Float64), rows["ci_high"].cast(pl.Float64),
                color=colour, linewidth=3)  # fmt: skip
    axes.plot(at, rows["estimate"], "o", color=theme.ink, markersize=4)
    axes.set_title(outcome, loc="left", fontsize=SMALL, color=theme.ink, pad=3)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.yaxis.set_major_locator(MaxNLocator(4))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: printing.number(value)))


def _said(rows: pl.DataFrame, outcome: str) -> str:
    """Say first and last event time after treatment of one outcome."""
    after = rows.filter(pl.col("at") >= 0)
    if after.is_empty():
        return f"{outcome}: no year after treatment."
    first, last = after.row(0, named=True), after.row(-1, named=True)
    ends = f"{printing.number(first['estimate'])} in year {first['at']}"
    if last["at"] != first["at"]:
        ends += f", {printing.number(last['estimate'])} in year {last['at']}"
    return f"{outcome}: {ends}."


def _nothing(name: str, tier: str, frame: pl.DataFrame) -> Figure:
    """Say that there is nothing by event time."""
    words = "This pack has no estimates by event time."

    def paint(axes: Axes, theme: Theme) -> None:
        axes.set_axis_off()
        axes.text(0, 0.8, words, color=theme.ink)

    return draw(name, tier, paint, frame, words, height=1.2)
