"""Figures of effects: paths by event time with their joint bands, the total and its sources."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping
from typing import Any, Final

import polars as pl
from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter, MaxNLocator

from analysis import printing
from analysis.figures.style import SMALL, Figure, Theme, draw

SHOWN: Final = ("total", "wage", "business", "property", "transfer")
NAMES: Final = {
    "total": "Total",
    "wage": "Wage",
    "business": "Business",
    "property": "Property",
    "transfer": "Transfer",
}
WINDOW: Final = (-6, 6)
"""Event times drawn: beyond them few cohorts are left, whose bands would hide the rest."""
LETTERS: Final = 62
"""Letters in a line of a note, at the width of a phone."""


def nothing(name: str, tier: str, why: str) -> Figure:
    """Draw an empty plot that says why it is empty.

    Parameters
    ----------
    name : str
        Label of the cell.
    tier : str
        Evidence tier.
    why : str
        The reason, as a sentence.
    """
    lines = textwrap.wrap(why, LETTERS)

    def paint(axes: Axes, theme: Theme) -> None:
        axes.set_axis_off()
        axes.text(0, 1, "\n".join(lines), transform=axes.transAxes, color=theme.ink, va="top")

    data = pl.DataFrame({"missing": [why]})
    return draw(name, tier, paint, data, why, height=0.5 + 0.22 * len(lines))


def events(
    name: str,
    frame: pl.DataFrame,
    *,
    tier: str,
    unit: str,
    base: int | None = -1,
    truth: pl.DataFrame | None = None,
    names: Mapping[str, str] = NAMES,
) -> Figure:
    """Draw effects by event time with their joint bands: the total above, its sources below.

    The sources share one axis, so that their sizes compare; the total has its own.

    Parameters
    ----------
    name : str
        Label of the cell.
    frame : polars.DataFrame
        As `EffectSet.to_frame` gives it with its band, of aggregation ``event_time``: outcome, at,
        estimate, band_low, band_high. Only event times in `WINDOW` are drawn.
    tier : str
        Evidence tier.
    unit : str
        Of the effects, with the year of prices.
    base : int or None
        Event time that all others are compared with; it has no estimate and is drawn as zero. None
        where each is compared with the one before.
    truth : polars.DataFrame, optional
        outcome, at, att: the true effects, in the model panel.
    names : mapping of str to str
        What the outcomes are called, in their order; the first is drawn above the others.
    """
    drawn = _drawn(frame, truth, names)
    order = [outcome for outcome in names if outcome in set(drawn["outcome"])]

    def paint(axes: Axes, theme: Theme) -> None:
        axes.set_axis_off()
        for place, outcome in zip(_places(len(order)), order, strict=True):
            inner = axes.inset_axes(place)
            _path(inner, theme, drawn.filter(pl.col("outcome") == outcome), base)
            inner.set_title(names[outcome], loc="left", fontsize=SMALL, color=theme.ink, pad=3)
            others = drawn.filter((pl.col("outcome") == order[0]) == (outcome == order[0]))
            inner.set_ylim(*_ends(others))
            inner.set_xlim(WINDOW[0] - 0.4, WINDOW[1] + 0.4)
            if place[0] > 0.3:
                inner.set_yticklabels([])
        axes.text(0, 1, unit, transform=axes.transAxes, fontsize=SMALL, color=theme.faint, va="top")
        axes.text(
            0.55,
            0,
            "years since the first year in the programme",
            ha="center",
            transform=axes.transAxes,
            fontsize=SMALL,
            color=theme.faint,
        )
        _legend(axes, theme, simulated=truth is not None)

    said = " ".join(_sentence(drawn.filter(pl.col("outcome") == one), names[one]) for one in order)
    alt = f"Paths by years since the start, in {unit}, with joint bands. {said}"
    rows = (len(order) + 2) // 2
    return draw(name, tier, paint, drawn, alt, height=1.1 + 1.75 * rows)


def _drawn(
    frame: pl.DataFrame, truth: pl.DataFrame | None, names: Mapping[str, str]
) -> pl.DataFrame:
    """Return outcome, at, estimate, band_low, band_high and truth of what is drawn."""
    order = pl.Enum(list(names))
    shown = (
        frame.filter(pl.col("at").is_between(*WINDOW), pl.col("outcome").is_in(list(names)))
        .select("outcome", "at", "estimate", pl.col("band_low", "band_high").fill_nan(None))
        .sort(pl.col("outcome").cast(order), "at")
    )
    if truth is None:
        return shown
    known = truth.select("outcome", pl.col("at").cast(pl.Int32), truth="att")
    return shown.join(known, on=["outcome", "at"], how="left", maintain_order="left")


def _ends(drawn: pl.DataFrame) -> tuple[float, float]:
    """Return the ends of the axis that plots share."""
    columns = [name for name in ("estimate", "band_low", "band_high", "truth") if name in drawn]
    known = [float(x) for name in columns for x in drawn[name].drop_nulls()]
    low, high = min([*known, 0.0]), max([*known, 0.0])
    room = 0.05 * (high - low) or 1.0
    return low - room, high + room


def _places(n: int) -> list[tuple[float, float, float, float]]:
    """Return where each plot stands: the first across, the others in two columns."""
    rows = (n + 2) // 2
    step, top, room = 0.9 / rows, 0.95, 0.24 / rows
    places = [(0.15, top - step + room, 0.84, step - 1.5 * room)]
    for i in range(n - 1):
        row, column = divmod(i, 2)
        y = top - step * (row + 2) + room
        places.append((0.15 + 0.44 * column, y, 0.40, step - 1.5 * room))
    return places


def _path(axes: Axes, theme: Theme, rows: pl.DataFrame, base: int | None) -> None:
    """Draw one path: band, line through the base, points, and the truth."""
    axes.axhline(0, color=theme.faint, lw=0.8)
    axes.axvline(-0.5, color=theme.faint, lw=0.8, ls=":")
    colour = theme.accents[0]
    parts = [rows]
    if base is not None:
        parts = [rows.filter(pl.col("at") < base), rows.filter(pl.col("at") > base)]
    for part in parts:
        axes.fill_between(
            part["at"].to_list(),
            _floats(part, "band_low"),
            _floats(part, "band_high"),
            color=colour,
            alpha=0.22,
            lw=0,
        )
    pairs = sorted(zip(rows["at"].to_list(), rows["estimate"].to_list(), strict=True))
    if base is not None:
        pairs = sorted([*pairs, (base, 0.0)])
        axes.plot([base], [0], "o", color=colour, markersize=4.5, mfc="none")
    axes.plot([x for x, _ in pairs], [y for _, y in pairs], color=colour, lw=1.6)
    axes.plot(rows["at"], rows["estimate"], "o", color=colour, markersize=3.5)
    if "truth" in rows.columns:
        known = rows.filter(pl.col("truth").is_not_null())
        axes.plot(known["at"], known["truth"], color=theme.accents[1], lw=1.8, ls="--")
    axes.grid(visible=False, axis="x")
    axes.yaxis.set_major_locator(MaxNLocator(4))
    axes.xaxis.set_major_locator(MaxNLocator(7, integer=True))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda y, _: printing.number(y)))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda x, _: printing.number(x)))


def _floats(rows: pl.DataFrame, column: str) -> list[float]:
    return [float("nan") if x is None else float(x) for x in rows[column]]


def _legend(axes: Axes, theme: Theme, *, simulated: bool) -> None:
    axes.plot([], [], color=theme.accents[0], marker="o", markersize=3.5, label="estimate")
    axes.fill_between([], [], color=theme.accents[0], alpha=0.22, lw=0, label="joint band")
    if simulated:
        axes.plot([], [], color=theme.accents[1], lw=1.8, ls="--", label="truth")
    axes.figure.legend(loc="outside lower center", ncols=3)


def _sentence(rows: pl.DataFrame, name: str) -> str:
    """Say a path: its first and last year in the programme, and whether bands leave out zero."""
    after = rows.filter(pl.col("at") >= 0)
    if after.is_empty():
        return f"{name}: no year in the programme."
    first, last = (after.row(i, named=True) for i in (0, -1))
    text = f"{name}: {_printed(first)}"
    if after.height > 1:
        text += f", {_printed(last)}"
    return f"{text}."


def _printed(row: dict[str, Any]) -> str:
    text = f"{printing.number(row['estimate'], 0)} after {row['at']} years"
    if row["band_low"] is not None:
        low, high = (printing.number(row[end], 0) for end in ("band_low", "band_high"))
        text += f" (band {low} to {high})"
    if row.get("truth") is not None:
        text += f", truth {printing.number(row['truth'], 0)}"
    return text
