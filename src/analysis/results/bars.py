"""Amounts as bars, one row each, labels above them; a bar may show a part of a whole."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import polars as pl

from analysis.results.forest import (
    INK,
    LINE_INCHES,
    LINE_SIGNS,
    TEXT,
    blank_axes,
    finish,
    wrapped,
)
from analysis.results.labels import described
from analysis.results.marks import mark
from analysis.results.plot import COLOURS, note
from analysis.results.provenance import UNKNOWN, Provenance

if TYPE_CHECKING:
    from matplotlib.axes import Axes

BAR_INCHES: Final = 0.16
GAP_INCHES: Final = 0.1
PALE: Final = "#b0b0b0"


@dataclass(frozen=True)
class Bar:
    """One bar.

    Attributes
    ----------
    label : str
        What it is, above the bar.
    value : float
        Its length.
    text : str
        Value as printed, with its range where it has one.
    whole : float
        Length of a paler bar behind it; NaN for none.
    whole_text : str
        The same as printed, for the alternative text; empty where `text` says it.
    colour : int
        Place in the palette.
    """

    label: str
    value: float
    text: str
    whole: float = math.nan
    whole_text: str = ""
    colour: int = 0

    @property
    def words(self) -> str:
        """All that the bar says."""
        return ", ".join(filter(None, (f"{self.label}: {self.text}", self.whole_text)))


def bars(
    rows: Sequence[Bar],
    unit: str,
    *,
    what: str,
    data: pl.DataFrame | None = None,
    provenance: Provenance = UNKNOWN,
    language: str = "en",
    ax: Axes | None = None,
) -> Axes:
    """Draw amounts as bars.

    Parameters
    ----------
    rows : sequence of Bar
        From the top.
    unit : str
        Of the axis, in words.
    what : str
        What the bars show, for the alternative text.
    data : polars.DataFrame, optional
        What is offered for download; the rows if left out.
    provenance : Provenance
        Where the numbers come from.
    language : str
        ``en`` or ``zh``.
    ax : matplotlib Axes, optional
        Where; a new figure if left out.

    Returns
    -------
    matplotlib Axes

    Examples
    --------
    >>> bars([Bar("wage", 15161.0, "15,161")], "yuan", what="income").get_xlabel()
    'yuan'
    """
    names = [wrapped(row.label, max(20, LINE_SIGNS - len(row.text))) for row in rows]
    heights = [LINE_INCHES * len(name) + BAR_INCHES + GAP_INCHES for name in names]
    ax = blank_axes(ax, sum(heights) + 0.7)
    ends = [x for row in rows for x in (row.value, row.whole, 0.0) if math.isfinite(x)]
    low, high = min(ends), max(ends) or 1.0
    ax.set_xlim(low * 1.03, high * 1.03)
    across, top = ax.get_yaxis_transform(), 0.0
    for row, name, height in zip(rows, names, heights, strict=True):
        for number, part in enumerate(name):
            y = top + LINE_INCHES * (number + 0.85)
            ax.text(0, y, part, transform=across, fontsize=TEXT, color=INK)
        ax.text(1, y, row.text, transform=across, ha="right", fontsize=TEXT, color=INK)
        place = top + LINE_INCHES * len(name) + BAR_INCHES / 2 + GAP_INCHES / 4
        if math.isfinite(row.whole):
            ax.barh([place], [row.whole], height=BAR_INCHES, color=PALE)
        [bar] = ax.barh(
            [place],
            [row.value],
            height=BAR_INCHES if math.isnan(row.whole) else BAR_INCHES * 0.6,
            color=COLOURS[row.colour % len(COLOURS)],
        )
        mark(bar, row.words)
        top += height
    finish(ax, top, unit)
    frame = pl.DataFrame([vars(row) for row in rows]) if data is None else data
    alt = described(what, (row.words for row in rows), language)
    return note(ax, frame, alt, provenance)
