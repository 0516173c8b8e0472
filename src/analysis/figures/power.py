"""Figures of study design: what a number of villages can detect."""

from __future__ import annotations

import polars as pl
from matplotlib.axes import Axes
from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

from analysis import printing
from analysis.figures.style import SMALL, Figure, Theme, draw


def detectable(name: str, tier: str, rows: pl.DataFrame, *, empty: str = "") -> Figure:
    """Draw the minimum detectable effect by villages, one line for each number of households.

    Parameters
    ----------
    name : str
        Label of the cell.
    tier : str
        Evidence tier of the panel whose variances are used.
    rows : polars.DataFrame
        As `analysis.power.shown.grid` gives it, of one stretch of years and one estimator.
    empty : str
        Said in place of lines where there are no rows.
    """
    sizes = sorted(rows["households"].unique().to_list())
    villages = sorted(rows["villages"].unique().to_list())

    def paint(axes: Axes, theme: Theme) -> None:
        if rows.is_empty():
            axes.text(0.5, 0.5, empty, transform=axes.transAxes, ha="center", wrap=True)
            axes.set_axis_off()
            return
        for i, size in enumerate(sizes):
            line = rows.filter(pl.col("households") == size).sort("villages")
            axes.plot(line["villages"], line["percent"], "o-", color=theme.accents[i], ms=4)
            axes.annotate(
                f"{size} households",
                (line["villages"][0], line["percent"][0]),
                xytext=(-7, 0),
                textcoords="offset points",
                ha="right",
                va="center",
                fontsize=SMALL,
                color=theme.accents[i],
            )
        axes.set_xscale("log")
        axes.set_xlim(villages[0] / 2.6, villages[-1] * 1.1)
        axes.set_ylim(bottom=0)
        axes.xaxis.set_major_locator(FixedLocator(villages))
        axes.xaxis.set_minor_locator(NullLocator())
        axes.xaxis.set_major_formatter(FuncFormatter(lambda x, _: printing.number(x, 0)))
        axes.set_xlabel("villages in each arm")
        axes.set_ylabel("per cent of mean household income")

    said = "; ".join(
        f"{size} households in each village: "
        + ", ".join(
            f"{row['villages']} villages {printing.number(row['percent'], 1)} per cent"
            for row in rows.filter(pl.col("households") == size)
            .sort("villages")
            .iter_rows(named=True)
        )
        for size in sizes
    )
    alt = f"Smallest effect that a study would find, by villages in each arm. {said or empty}."
    return draw(name, tier, paint, rows, alt, height=3.6)
