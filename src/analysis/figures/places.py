"""Figures of where reported figures are from, and of where reported money would go."""

from __future__ import annotations

import math
import textwrap

import polars as pl
from matplotlib.axes import Axes
from matplotlib.patches import FancyBboxPatch, PathPatch
from matplotlib.path import Path as Curve

from analysis import printing
from analysis.figures.style import SMALL, Figure, Theme, draw

TILE_HEIGHT = 0.82
"""Inches a row of tiles needs."""
STRIP = 0.4
"""Inches a programme needs in the figure of money."""
WRAP = 13
"""Characters after which the name on a tile breaks."""
WIDEST = 13.0
"""Points of the widest band of money."""
LONG_NAME = 40
"""Characters that fit left of the bands."""


def tiles(name: str, rows: pl.DataFrame) -> Figure:
    """Draw one tile per place, darker where more quantities are from.

    Parameters
    ----------
    name : str
        Label of the cell.
    rows : polars.DataFrame
        As `analysis.claims.maps.by_place` gives it.
    """
    height = int(rows["row"].max() or 1)  # type: ignore[arg-type]
    width = int(rows["column"].max() or 1)  # type: ignore[arg-type]
    most = int(rows["n"].max() or 1)  # type: ignore[arg-type]

    def paint(axes: Axes, theme: Theme) -> None:
        for tile, column, row, n_places, n in rows.select(
            "tile", "column", "row", "n_places", "n"
        ).iter_rows():
            # Half the ink at most, so that the letters on it stay readable.
            strength = 0.08 + 0.42 * math.log1p(n) / math.log1p(most)
            box = FancyBboxPatch(
                (column - 0.94, row - 0.94),
                0.88,
                0.88,
                boxstyle="round,pad=0,rounding_size=0.06",
                facecolor=(theme.accents[0], strength),
                edgecolor=theme.grid,
            )
            axes.add_patch(box)
            axes.text(column - 0.5, row - 0.66, f"{n:,}", ha="center", va="center", fontsize=13)
            said = f"{tile} ({n_places})" if n_places > 1 else tile
            axes.text(
                column - 0.5,
                row - 0.3,
                textwrap.fill(said, WRAP),
                ha="center",
                va="center",
                fontsize=SMALL,
                linespacing=1.1,
            )
        axes.set(xlim=(0, width), ylim=(height, 0))
        axes.axis("off")

    said = ", ".join(f"{tile} {n}" for tile, n in rows.select("tile", "n").iter_rows())
    alt = f"Tiles of the places that the articles name, with the number of quantities: {said}."
    return draw(name, "reported", paint, rows, alt, height=TILE_HEIGHT * height + 0.4)


def money_flow(name: str, rows: pl.DataFrame) -> Figure:
    """Draw bands from each programme to the sources of income it can reach.

    A full band is reported money; its width grows with the square root of the lower end. A dotted
    line is a channel for which no money per household is reported.

    Parameters
    ----------
    name : str
        Label of the cell.
    rows : polars.DataFrame
        As `analysis.claims.maps.money_flow` gives it.
    """
    programmes = rows["programme"].unique(maintain_order=True).to_list()
    sources = [s for s in ("wage", "business", "property", "transfer") if s in set(rows["source"])]
    gap = len(programmes) / len(sources)
    place = {source: gap * (n + 0.5) for n, source in enumerate(sources)}
    most = float(rows["low"].max() or 1)  # type: ignore[arg-type]

    def paint(axes: Axes, theme: Theme) -> None:
        for at, programme in enumerate(programmes):
            own = rows.filter(pl.col("programme") == programme)
            title = own["name"][0].split(" (")[0]  # examples in brackets stay in the data
            title = textwrap.shorten(title, LONG_NAME, placeholder="…")
            axes.text(0, at + 0.32, title, va="center", fontsize=SMALL)
            said = "; ".join(_amount(row) for row in own.iter_rows(named=True) if row["measures"])
            axes.text(
                0,
                at + 0.72,
                said or "no money per household printed",
                va="center",
                fontsize=SMALL,
                color=theme.faint,
            )
            for row in own.sort("low", nulls_last=False).iter_rows(named=True):
                _band(
                    axes,
                    theme,
                    at + 0.5,
                    place[row["source"]],
                    row["low"],
                    most,
                    theme.accents[sources.index(row["source"])],
                )
        for source in sources:
            axes.text(1.02, place[source], source, va="center", fontweight="bold")
        axes.set(xlim=(0, 1.18), ylim=(len(programmes), 0))
        axes.axis("off")

    money = rows.filter(pl.col("low").is_not_null())
    said = "; ".join(
        f"{row['name']} to {row['source']}, {_amount(row)}" for row in money.iter_rows(named=True)
    )
    alt = (
        f"Bands from {len(programmes)} programmes to the sources of income they can reach. Money "
        f"per household, nominal yuan, is reported for {money.height} of {rows.height} channels: "
        f"{said}."
    )
    return draw(name, "reported", paint, rows, alt, height=STRIP * len(programmes) + 0.5)


def _amount(row: dict[str, object]) -> str:
    low, high = row["low"], row["high"]
    assert isinstance(low, float)  # noqa: S101 -- rows with a measure have money
    if high is None:
        return f"{printing.number(round(low))} or more ({row['measures']})"
    assert isinstance(high, float)  # noqa: S101
    ends = dict.fromkeys(printing.number(round(end)) for end in (low, high))
    return f"{' to '.join(ends)} ({row['measures']})"


def _band(
    axes: Axes, theme: Theme, start: float, end: float, low: float | None, most: float, colour: str
) -> None:
    """Draw one band, or a dotted line where there is no money."""
    begin, middle, stop = 0.6, 0.8, 1.0
    curve = Curve(
        [(begin, start), (middle, start), (middle, end), (stop, end)],
        [Curve.MOVETO, Curve.CURVE4, Curve.CURVE4, Curve.CURVE4],
    )
    if low is None:
        style = {"linewidth": 0.9, "linestyle": (0, (1, 2.5)), "edgecolor": theme.faint}
    else:
        width = max(1.5, WIDEST * math.sqrt(low / most))
        style = {"linewidth": width, "edgecolor": colour, "alpha": 0.8, "capstyle": "butt"}
    axes.add_patch(PathPatch(curve, facecolor="none", **style))
