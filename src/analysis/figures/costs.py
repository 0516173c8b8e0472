"""Figures of costs: what a yuan would bring, by programme."""

from __future__ import annotations

import polars as pl
from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter

from analysis import printing
from analysis.figures.style import REFERENCE, SMALL, Figure, Theme, draw, row_label

LEAST, MOST = 0.05, 1000.0
"""Ends of the axis: it is logarithmic, so that zero and less are an arrow at its left end."""
ROW = 0.46
"""Inches of each row: its label stands above it."""


def per_yuan(name: str, rows: pl.DataFrame) -> Figure:
    """Draw yuan of income for each yuan spent: thin line all combinations, thick line the draws.

    Parameters
    ----------
    name : str
        Label of the cell.
    rows : polars.DataFrame
        As `analysis.costs.shown.returns_table` gives it; rows without a result are left out.
    """
    data = rows.filter(pl.col("middle").is_not_null()).sort("middle", "name")
    data = data.select("name", "low", "draws_low", "middle", "draws_high", "high")

    def paint(axes: Axes, theme: Theme) -> None:
        axes.set_xscale("log")
        axes.axvline(1, color=theme.ink, lw=1, ls="--", zorder=REFERENCE)
        for y, row in enumerate(data.iter_rows(named=True)):
            row_label(axes, theme, row["name"], y + 0.28)
            for low, high, width in (("low", "high", 1.4), ("draws_low", "draws_high", 5)):
                ends = (max(row[low], LEAST), min(row[high], MOST))
                axes.plot(ends, [y, y], color=theme.accents[0], lw=width, solid_capstyle="butt")
            if row["low"] < LEAST:
                axes.plot([LEAST], [y], "<", color=theme.accents[0], ms=6, clip_on=False)
            axes.plot([max(row["middle"], LEAST)], [y], "o", color=theme.accents[1], ms=6)
        axes.set_xlim(LEAST, MOST)
        axes.set_ylim(-0.5, data.height - 0.3)
        axes.set_yticks([])
        axes.grid(visible=False, axis="y")
        axes.spines["left"].set_visible(False)
        axes.xaxis.set_major_formatter(FuncFormatter(lambda x, _: f"{x:,.10g}"))
        axes.set_xlabel("yuan of household income for each yuan, present value")
        axes.plot([], [], color=theme.accents[0], lw=1.4, label="all combinations of ends")
        axes.plot([], [], color=theme.accents[0], lw=5, label="nine in ten draws")
        axes.plot([], [], "o", color=theme.accents[1], label="median of the draws")
        axes.plot([], [], color=theme.ink, lw=1, ls="--", label="pays back")
        axes.figure.legend(loc="outside lower center", ncols=2)
        axes.set_title("ASSUMED COSTS", loc="right", fontsize=SMALL, color=theme.faint, pad=8)

    said = "; ".join(
        f"{row['name']}: {printing.number(row['low'], 1)} to {printing.number(row['high'], 1)}, "
        f"nine in ten draws {printing.number(row['draws_low'], 1)} to "
        f"{printing.number(row['draws_high'], 1)}, median {printing.number(row['middle'], 1)}"
        for row in reversed(list(data.iter_rows(named=True)))
    )
    alt = (
        "Yuan of household income for each yuan spent, from assumed costs and published effects, "
        f"on a logarithmic axis; one is where a cost is paid back. {said}."
    )
    return draw(name, "published", paint, data, alt, height=1.5 + ROW * data.height)
