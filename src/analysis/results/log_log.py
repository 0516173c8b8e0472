"""Lines between axes that both grow by powers of ten: growth in proportion has slope one."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import polars as pl

from analysis.results import formatting
from analysis.results.forest import INK, LINE, SMALL, TEXT, wrapped
from analysis.results.labels import described
from analysis.results.marks import mark
from analysis.results.plot import COLOURS, NEUTRAL, axes, note
from analysis.results.provenance import UNKNOWN, Provenance

if TYPE_CHECKING:
    from matplotlib.axes import Axes

ROOM: Final = 12
"""Times the largest x that the axis goes on, for the names of lines beside their ends."""
SHAPES: Final = "osD^vPX"
"""Marks of the lines, in order: shape says what colour says."""


@dataclass(frozen=True)
class Line:
    """One line.

    Attributes
    ----------
    name : str
        Beside its end.
    points : tuple of (float, float, str)
        x, y, and what the mark says; ordered by x.
    """

    name: str
    points: tuple[tuple[float, float, str], ...]


def log_log(
    lines: Sequence[Line],
    across: str,
    up: str,
    *,
    what: str,
    data: pl.DataFrame,
    provenance: Provenance = UNKNOWN,
    ax: Axes | None = None,
) -> Axes:
    """Draw lines between logarithmic axes.

    Parameters
    ----------
    lines : sequence of Line
        The first is drawn heavier.
    across, up : str
        What the axes measure, in words.
    what : str
        What the lines show, for the alternative text.
    data : polars.DataFrame
        What is offered for download.
    provenance : Provenance
        Where the numbers come from.
    ax : matplotlib Axes, optional
        Where; a new figure if left out.

    Returns
    -------
    matplotlib Axes

    Examples
    --------
    >>> one = Line("ours", ((0.1, 0.2, "0.2 s"), (1.0, 2.0, "2 s")))
    >>> log_log([one], "rows", "seconds", what="", data=pl.DataFrame()).get_xlabel()
    'rows'
    """
    ax = axes(ax)
    ax.set_xscale("log")
    ax.set_yscale("log")
    for number, line in enumerate(lines):
        colour = COLOURS[number % len(COLOURS)]
        xs, ys = [x for x, _, _ in line.points], [y for _, y, _ in line.points]
        ax.plot(xs, ys, color=colour, linewidth=1.4 if number else 2.4)
        for x, y, text in line.points:
            [point] = ax.plot([x], [y], SHAPES[number % len(SHAPES)], color=colour, markersize=6)
            mark(point, text)
        ax.annotate(
            line.name,
            (xs[-1], ys[-1]),
            xytext=(8, 0),
            textcoords="offset points",
            va="center",
            fontsize=TEXT,
            color=INK,
        )
    every = [x for line in lines for x, _, _ in line.points]
    ax.set_xlim(min(every) / 1.5, max(every) * ROOM)
    _dress(ax, across, up)
    ends = (text for line in lines for *_, text in (line.points[0], line.points[-1]))
    return note(ax, data, described(what, ends), provenance)


def power_of_ten(value: float) -> str:
    """Print a power of ten: no digit after its one.

    Examples
    --------
    >>> power_of_ten(0.01), power_of_ten(1000.0)
    ('0.01', '1,000')
    """
    return formatting.number(value, max(0, -round(math.log10(value))))


def _dress(ax: Axes, across: str, up: str) -> None:
    from matplotlib.ticker import FuncFormatter, NullLocator

    for side in ("top", "right", "left"):
        ax.spines[side].set_visible(False)
    ax.spines["bottom"].set_color(NEUTRAL)
    for axis in (ax.xaxis, ax.yaxis):
        axis.set_major_formatter(FuncFormatter(lambda value, _: power_of_ten(value)))
        axis.set_minor_locator(NullLocator())
    ax.tick_params(colors=INK, labelsize=SMALL, length=0)
    ax.grid(color=LINE, linewidth=0.6)
    ax.set_axisbelow(True)
    ax.set_title("\n".join(wrapped(up, 52)), loc="left", fontsize=SMALL, color=INK)
    ax.set_xlabel("\n".join(wrapped(across, 52)), loc="left", fontsize=SMALL, color=INK)
