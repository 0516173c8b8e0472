"""Several estimates a row as dots, such as those of rival estimators, each with its error."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import polars as pl

from analysis.results.forest import INK, LINE_INCHES, SMALL, TEXT, blank_axes, finish, wrapped
from analysis.results.labels import described
from analysis.results.marks import mark
from analysis.results.plot import COLOURS, note
from analysis.results.provenance import UNKNOWN, Provenance

if TYPE_CHECKING:
    from matplotlib.axes import Axes

SHAPES: Final = "os^DvPX"
"""Marks of the series, in order: shape says what colour says."""
DOT_INCHES: Final = 0.11
"""From one series to the next inside a row."""
LABEL_SIGNS: Final = 48


@dataclass(frozen=True)
class Dot:
    """One estimate.

    Attributes
    ----------
    series : int
        Place in the list of series.
    value, error : float
        The estimate, and its standard error; two of them are drawn on each side.
    text : str
        What the mark says.
    """

    series: int
    value: float
    error: float
    text: str


@dataclass(frozen=True)
class DotRow:
    """One row.

    Attributes
    ----------
    label : str
        Above its dots.
    dots : tuple of Dot
        From the top.
    """

    label: str
    dots: tuple[Dot, ...]


def dots(
    rows: Sequence[DotRow],
    series: Sequence[str],
    unit: str,
    *,
    limits: tuple[float, float],
    what: str,
    data: pl.DataFrame,
    reference: float = 0.0,
    band: tuple[float, float] | None = None,
    provenance: Provenance = UNKNOWN,
    ax: Axes | None = None,
) -> Axes:
    """Draw rows of dots, the names of the series above them.

    Parameters
    ----------
    rows : sequence of DotRow
        From the top.
    series : sequence of str
        Names of the series.
    unit : str
        Of the axis, in words.
    limits : tuple of float
        Ends of the axis; a dot beyond them is an arrow at the end.
    what : str
        What the dots show, for the alternative text.
    data : polars.DataFrame
        What is offered for download.
    reference : float
        Where a line stands.
    band : tuple of float, optional
        Ends of what is shaded.
    provenance : Provenance
        Where the numbers come from.
    ax : matplotlib Axes, optional
        Where; a new figure if left out.

    Returns
    -------
    matplotlib Axes

    Examples
    --------
    >>> row = DotRow("12 villages", (Dot(0, 94.5, 0.5, "94.5"),))
    >>> dots(
    ...     [row], ["ours"], "per cent", limits=(80.0, 100.0), what="", data=pl.DataFrame()
    ... ).get_xlabel()
    'per cent'
    """
    names = [wrapped(row.label, LABEL_SIGNS) for row in rows]
    heights = [
        LINE_INCHES * (len(name) + 0.4) + DOT_INCHES * len(row.dots)
        for name, row in zip(names, rows, strict=True)
    ]
    top = LINE_INCHES * (len(series) + 0.5)
    ax = blank_axes(ax, top + sum(heights) + 0.7)
    low, high = limits
    ax.set_xlim(low, high)
    if band is not None:
        ax.axvspan(*band, color=COLOURS[2], alpha=0.18, linewidth=0)
    _names(ax, series)
    across = ax.get_yaxis_transform()
    for row, name, height in zip(rows, names, heights, strict=True):
        for number, part in enumerate(name):
            y = top + LINE_INCHES * (number + 0.85)
            ax.text(0, y, part, transform=across, fontsize=TEXT, color=INK)
        first = top + LINE_INCHES * len(name) + DOT_INCHES
        for number, dot in enumerate(row.dots):
            _dot(ax, dot, first + DOT_INCHES * number, limits)
        top += height
    finish(ax, top, unit, reference)
    alt = described(what, (dot.text for row in rows for dot in row.dots))
    return note(ax, data, alt, provenance)


def _names(ax: Axes, series: Sequence[str]) -> None:
    """Write the name of each series beside its mark, at the top."""
    across = ax.get_yaxis_transform()
    for number, name in enumerate(series):
        y = LINE_INCHES * (number + 0.85)
        ax.plot([0.012], [y - 0.05], transform=across, **_look(number), linestyle="none")
        ax.text(0.035, y, name, transform=across, fontsize=SMALL, color=INK)


def _look(series: int) -> dict[str, Any]:
    colour = COLOURS[series % len(COLOURS)]
    return {"marker": SHAPES[series % len(SHAPES)], "color": colour, "markersize": 5.5}


def _dot(ax: Axes, dot: Dot, y: float, limits: tuple[float, float]) -> None:
    """Draw a dot with two errors on each side; an arrow where it lies beyond the axis."""
    low, high = limits
    look = _look(dot.series)
    if low <= dot.value <= high:
        error = dot.error if math.isfinite(dot.error) else 0.0
        ends = [max(low, dot.value - 2 * error), min(high, dot.value + 2 * error)]
        ax.plot(ends, [y, y], color=COLOURS[dot.series % len(COLOURS)], linewidth=1.2)
        [point] = ax.plot([dot.value], [y], **look)
    else:
        look["marker"] = ">" if dot.value > high else "<"
        [point] = ax.plot([min(max(dot.value, low), high)], [y], **look, clip_on=False)
    mark(point, dot.text)
