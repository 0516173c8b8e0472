"""Effects by event time: points, intervals, joint bands, the base period hollow."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

import polars as pl

from analysis.results import formatting
from analysis.results.forest import INK, LINE, SMALL, wrapped
from analysis.results.labels import labels, span
from analysis.results.marks import mark
from analysis.results.plot import COLOURS, NEUTRAL, note

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from analysis.results.result import Result

PANEL_INCHES: Final = 1.75
"""Of one outcome."""
HEAD_SIGNS: Final = 44
SIDE: Final = 0.16
"""Event times between outcomes that share a panel."""
TOGETHER: Final = 3
"""Up to so many outcomes may share a panel, told apart by colour and by their names."""


def event_study(
    result: Result,
    ax: Axes | None = None,
    *,
    panels: bool | None = None,
    language: str = "en",
) -> Axes:
    """Draw effects by event time.

    Parameters
    ----------
    result : EventStudy
        With `reference`, and columns event_time, band_low and band_high.
    ax : matplotlib Axes, optional
        Where, for one panel; a new figure if left out.
    panels : bool, optional
        One panel an outcome, one below the other; else colours in one panel. By default panels
        where there are several outcomes.
    language : str
        ``en`` or ``zh``.

    Returns
    -------
    matplotlib Axes
        The first panel.
    """
    from matplotlib import pyplot as plt

    outcomes = result.frame["outcome"].unique(maintain_order=True).to_list()
    apart = len(outcomes) > 1 and ax is None if panels is None else panels
    if len(outcomes) > TOGETHER and ax is None:
        apart = True
    count = len(outcomes) if apart else 1
    if ax is None:
        inches = max(PANEL_INCHES * count, 2.4) + 0.9
        _, grid = plt.subplots(
            count, figsize=(7.0, inches), sharex=True, squeeze=False, layout="constrained"
        )
        every = list(grid[:, 0])
    else:
        every = [ax]
    for number, outcome in enumerate(outcomes):
        panel = every[number if apart else 0]
        shift = 0.0 if apart else SIDE * (number - (len(outcomes) - 1) / 2)
        rows = result.frame.filter(pl.col("outcome") == outcome).sort("event_time")
        colour = COLOURS[0 if apart else number % len(COLOURS)]
        _draw(panel, rows, outcome if len(outcomes) > 1 else "", colour, shift, language)
        if not apart and len(outcomes) > 1:
            _name(panel, rows, outcome, colour, number)
    _dress(every, result, outcomes if apart else [], language)
    points = ("；" if language == "zh" else "; ").join(
        _tooltip(row, len(outcomes) > 1, language) for row in result.frame.iter_rows(named=True)
    )
    alt = labels(language)["alt_event"].format(unit=_unit(result), points=points)
    return note(every[0], result.frame, alt, result.provenance)


def _unit(result: Result) -> str:
    units = result.frame["unit"].unique().to_list()
    return str(units[0]) if len(units) == 1 else ""


def _draw(
    ax: Axes, rows: pl.DataFrame, outcome: str, colour: str, shift: float, language: str
) -> None:
    for row in rows.iter_rows(named=True):
        at = row["event_time"] + shift
        for low, high, wide in (("band_low", "band_high", 1.0), ("ci_low", "ci_high", 2.6)):
            ends = [x for x in (row.get(low), row.get(high)) if x is not None and math.isfinite(x)]
            if len(ends) == 2:
                ax.plot([at, at], ends, color=colour, linewidth=wide, solid_capstyle="butt")
        [point] = ax.plot([at], [row["estimate"]], "o", color=colour, markersize=5.5)
        mark(point, _tooltip(row, bool(outcome), language))


def _tooltip(row: Mapping[str, Any], named: bool, language: str) -> str:
    """Return what one estimate says, as printed everywhere."""
    words = labels(language)
    decimals = formatting.places(row["std_error"])
    text = formatting.number(row["estimate"], decimals)
    if row["ci_low"] is not None and math.isfinite(row["ci_low"]):
        between = formatting.span(row["ci_low"], row["ci_high"], decimals)
        text += f" ({span(between, language)})"
    ends = [x for x in (row.get("band_low"), row.get("band_high")) if x is not None]
    if len(ends) == 2 and all(map(math.isfinite, ends)):
        band = span(formatting.span(ends[0], ends[1], decimals), language)
        text += ("；" if language == "zh" else "; ") + words["event_band"].format(band=band)
    head = f"{row['outcome']}{'，' if language == 'zh' else ', '}" if named else ""
    return words["event_mark"].format(
        outcome=head, time=formatting.number(row["event_time"]), text=text
    )


def _name(ax: Axes, rows: pl.DataFrame, outcome: str, colour: str, number: int) -> None:
    """Write the name of an outcome in its colour, in the corner where lines begin."""
    place = (0.01, 0.98 - 0.09 * number)
    ax.annotate(
        outcome, place, xycoords="axes fraction", color=colour, va="top", fontsize=SMALL + 0.5
    )


def _dress(every: list[Axes], result: Result, outcomes: list[str], language: str) -> None:
    """Set lines, ticks, names of panels and the words that explain the marks."""
    from matplotlib.ticker import FuncFormatter, MaxNLocator

    words = labels(language)
    for number, ax in enumerate(every):
        for side in ("top", "right", "left"):
            ax.spines[side].set_visible(False)
        ax.spines["bottom"].set_color(NEUTRAL)
        ax.yaxis.set_major_locator(MaxNLocator(4))
        ax.yaxis.set_major_formatter(FuncFormatter(lambda y, _: formatting.number(y)))
        ax.xaxis.set_major_locator(MaxNLocator(8, integer=True))
        ax.xaxis.set_major_formatter(FuncFormatter(lambda x, _: formatting.number(x)))
        ax.tick_params(colors=INK, labelsize=SMALL, length=0)
        ax.grid(axis="y", color=LINE, linewidth=0.6)
        ax.set_axisbelow(True)
        ax.axhline(0, color=NEUTRAL, linewidth=1.2, zorder=1)
        ax.axvline(-0.5, color=NEUTRAL, linewidth=0.9, linestyle=(0, (2, 2)), zorder=1)
        reference = getattr(result, "reference", None)
        if reference is not None:
            [base] = ax.plot(
                [reference], [0], "o", markerfacecolor="white", color=NEUTRAL, markersize=6
            )
            mark(base, words["base_period"])
        if outcomes:
            ax.annotate(
                outcomes[number],
                (0, 1),
                xytext=(0, 3),
                xycoords="axes fraction",
                textcoords="offset points",
                fontsize=SMALL + 0.5,
                fontweight="bold",
                color=INK,
            )
    has_band = result.frame["band_low"].is_not_nan().any() if _banded(result) else False
    key = "event_note" if has_band else "event_note_plain"
    text = words[key].format(level=f"{100 * result.level:g}")
    head = [line for x in (_unit(result), text) if x for line in wrapped(x, HEAD_SIGNS)]
    every[0].set_title(
        "\n".join(head), loc="left", fontsize=SMALL, color=INK, pad=20 if outcomes else 5
    )
    every[-1].set_xlabel(words["event_time"], loc="left", fontsize=SMALL, color=INK)


def _banded(result: Result) -> bool:
    return "band_low" in result.frame.columns
