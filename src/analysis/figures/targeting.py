"""Figure of targeting: the concentration curve of the register along income."""

from __future__ import annotations

import polars as pl
from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter

from analysis import printing
from analysis.figures.style import SMALL, Figure, Theme, draw

LINES = ("-", "--")


def concentration(name: str, tier: str, curves: pl.DataFrame, share: float) -> Figure:
    """Draw how places on the register lie along income.

    Parameters
    ----------
    name, tier : str
        Label of the cell, and evidence tier.
    curves : polars.DataFrame
        income (which income households are ordered by), share (of households, poorest first), held
        (share of the registered among them); 0 to 1.
    share : float
        Share of households registered: a perfect register would hold all its places there.
    """
    names = curves["income"].unique(maintain_order=True).to_list()

    def paint(axes: Axes, theme: Theme) -> None:
        axes.plot([0, 100], [0, 100], color=theme.faint, lw=1)
        axes.text(72, 66, "equal chance", fontsize=SMALL, color=theme.faint, ha="left", va="top")
        axes.plot([0, 100 * share, 100], [0, 100, 100], color=theme.faint, lw=1, ls=":")
        axes.text(
            100 * share + 2, 97, "only the poorest", fontsize=SMALL, color=theme.faint, va="top"
        )
        for place, (income, line) in enumerate(zip(names, LINES, strict=False)):
            mine = curves.filter(pl.col("income") == income)
            axes.plot(
                100 * mine["share"],
                100 * mine["held"],
                line,
                color=theme.accents[place],
                lw=1.8,
                label=f"by {income}",
            )
        axes.set_xlim(0, 100)
        axes.set_ylim(0, 102)
        axes.set_xlabel("households, poorest first, per cent")
        axes.set_ylabel("registered, per cent")
        for axis in (axes.xaxis, axes.yaxis):
            axis.set_major_formatter(FuncFormatter(lambda x, _: printing.number(x)))
        axes.figure.legend(loc="outside lower center", ncols=2)

    return draw(name, tier, paint, curves, _alt(curves, names, share), height=3.6)


def _alt(curves: pl.DataFrame, names: list[str], share: float) -> str:
    parts = []
    for income in names:
        mine = curves.filter(pl.col("income") == income)
        at = mine.row(mine.select((pl.col("share") - 0.5).abs().arg_min()).item(), named=True)
        poorest, held = (printing.number(100 * at[column], 0) for column in ("share", "held"))
        parts.append(
            f"ordered by {income}, the poorest {poorest} per cent hold {held} per cent of places"
        )
    registered = printing.number(100 * share, 0)
    return (
        f"Concentration curve of the register, which has {registered} per cent of households: "
        f"{'; '.join(parts)}."
    )
