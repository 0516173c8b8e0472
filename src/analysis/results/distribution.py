"""A distribution as dots that can be counted, with its middle, half and nearly all of it below."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

import polars as pl

from analysis.results import formatting
from analysis.results.forest import (
    INK,
    LINE_INCHES,
    SMALL,
    TEXT,
    blank_axes,
    finish,
    wrapped,
)
from analysis.results.labels import labels, span
from analysis.results.marks import mark
from analysis.results.plot import COLOURS, NEUTRAL, note
from analysis.results.provenance import UNKNOWN, Provenance

if TYPE_CHECKING:
    from matplotlib.axes import Axes

DOTS: Final = 20
COLUMNS: Final = 22
"""Columns of dots that a phone can hold side by side."""
DOT_INCHES: Final = 0.135
POINTS: Final = 7.0
BAR_INCHES: Final = 0.3


def distribution(
    quantile: Callable[[float], float],
    unit: str,
    *,
    what: str = "",
    decimals: int | None = None,
    outer: tuple[float, float] | None = None,
    data: pl.DataFrame | None = None,
    provenance: Provenance = UNKNOWN,
    language: str = "en",
    ax: Axes | None = None,
) -> Axes:
    """Draw a distribution as twenty dots, each five of a hundred cases.

    Parameters
    ----------
    quantile : callable
        The quantile at a probability between 0 and 1.
    unit : str
        Of the axis, in words.
    what : str
        What is distributed, for the alternative text.
    decimals : int, optional
        Decimals of printed numbers; by the spread if left out.
    outer : tuple of float, optional
        Ends of the 95 per cent interval with every assumption at its ends.
    data : polars.DataFrame, optional
        What is offered for download; quantiles if left out.
    provenance, language, ax
        As in `analysis.results.forest.forest`.

    Returns
    -------
    matplotlib Axes

    Notes
    -----
    Quantile dots of Kay, Kola, Hullman and Munson (2016), "When (ish) is my bus?", CHI.

    Examples
    --------
    >>> bool(distribution(lambda p: 100 * p, "yuan").get_xlim()[0] <= 0)
    True
    """
    words = labels(language)
    points = [quantile((k + 0.5) / DOTS) for k in range(DOTS)]
    edges = {p: quantile(p) for p in (0.025, 0.25, 0.5, 0.75, 0.975)}
    if decimals is None:
        decimals = formatting.places((edges[0.975] - edges[0.025]) / 4)
    ends = [*edges.values(), *(outer or ()), 0.0]
    low, high = min(ends), max(ends)
    margin = 0.05 * (high - low) or 1.0
    low, high = low - margin, high + margin
    bins = _columns(points, low, high)
    tall = max(Counter(bins).values())
    bars = [
        ("dots_half", (edges[0.25], edges[0.75]), 5.0, COLOURS[0]),
        ("dots_most", (edges[0.025], edges[0.975]), 2.2, COLOURS[0]),
    ]
    if outer is not None:
        bars.append(("dots_outer", outer, 1.2, NEUTRAL))
    top = LINE_INCHES * 2.3 + DOT_INCHES * tall
    inches = top + (LINE_INCHES + BAR_INCHES) * len(bars) + 0.1
    ax = blank_axes(ax, inches + 0.6)
    ax.set_xlim(low, high)
    across = ax.get_yaxis_transform()
    share = formatting.number(100 / DOTS)
    middle = formatting.number(edges[0.5], decimals)
    heads = (words["dots_middle"].format(value=middle), words["dots_note"].format(share=share))
    for number, (text, bold) in enumerate(zip(heads, ("bold", "normal"), strict=True)):
        ax.text(
            0,
            LINE_INCHES * (number + 0.9),
            text,
            transform=across,
            fontsize=TEXT if not number else SMALL,
            fontweight=bold,
            color=INK if not number else NEUTRAL,
        )
    seen: Counter[int] = Counter()
    for k, (point, column) in enumerate(zip(points, bins, strict=True)):
        x = low + (column + 0.5) * (high - low) / COLUMNS
        y = top - DOT_INCHES * (seen[column] + 0.5)
        seen[column] += 1
        colour = COLOURS[1] if point < 0 else COLOURS[0]
        [dot] = ax.plot([x], [y], "o", color=colour, markersize=POINTS)
        below = words["dot_mark"].format(
            share=formatting.number(100 * (k + 1) / DOTS),
            value=formatting.number(quantile(min((k + 1) / DOTS, 0.999)), decimals),
        )
        mark(dot, below)
    lines = []
    for number, (key, (start, end), width, colour) in enumerate(bars):
        between = span(formatting.span(start, end, decimals), language)
        text = words[key].format(interval=between)
        lines.append(text)
        y = top + (LINE_INCHES + BAR_INCHES) * number
        ax.text(0, y + LINE_INCHES * 1.4, text, transform=across, fontsize=SMALL, color=INK)
        y += LINE_INCHES * 1.4 + 0.11
        [bar] = ax.plot([start, end], [y, y], color=colour, linewidth=width, solid_capstyle="butt")
        mark(bar, text)
    finish(ax, inches, "\n".join(wrapped(unit, 52)))
    frame = (
        pl.DataFrame({"probability": list(edges), "quantile": list(edges.values())})
        if data is None
        else data
    )
    stop = "；" if language == "zh" else "; "
    colon, period = ("：", "。") if language == "zh" else (": ", ".")
    alt = f"{what}{stop if what else ''}{unit}{colon}{stop.join([heads[0], *lines])}{period}"
    return note(ax, frame, alt, provenance)


def _columns(points: list[float], low: float, high: float) -> list[int]:
    """Return the column of each dot."""
    wide = (high - low) / COLUMNS
    return [min(COLUMNS - 1, max(0, math.floor((point - low) / wide))) for point in points]
