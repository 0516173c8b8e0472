"""Figure of reports near a floor: how many in each bin, and the curve without the floor."""

from __future__ import annotations

import polars as pl
from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter, NullFormatter, NullLocator

from analysis import printing
from analysis.figures.style import SMALL, Figure, Theme, draw

THOUSAND = 1000.0


def reports(
    name: str, bins: pl.DataFrame, *, tier: str, floor: float, unit: str, said: str
) -> Figure:
    """Draw counts of reports by bin with the curve through the bins away from the floor.

    Parameters
    ----------
    name : str
        Label of the cell.
    bins : polars.DataFrame
        low, high (yuan), n, curve, left_out.
    tier : str
        Evidence tier.
    floor : float
        Yuan.
    unit : str
        What is counted.
    said : str
        The result as a sentence, for the alternative text.
    """

    def paint(axes: Axes, theme: Theme) -> None:
        low, high = bins["low"].to_numpy(), bins["high"].to_numpy()
        axes.bar(
            low,
            bins["n"].to_numpy(),
            width=high - low,
            align="edge",
            lw=0.4,
            color=theme.accents[0],
            edgecolor=theme.grid,
            label="reports",
        )
        middle = (low * high) ** 0.5
        axes.plot(
            middle,
            bins["curve"].to_numpy(),
            color=theme.accents[1],
            lw=2,
            label="curve through bins away from the floor",
        )
        axes.axvline(floor, color=theme.ink, lw=1, ls=":")
        axes.text(
            floor, 1.0, " floor", transform=axes.get_xaxis_transform(), va="top", fontsize=SMALL
        )
        axes.set_xscale("log")
        ticks = [floor * share for share in (0.2, 0.4, 1, 2, 4)]
        axes.set_xticks(ticks)
        axes.xaxis.set_minor_locator(NullLocator())
        axes.xaxis.set_major_formatter(FuncFormatter(lambda x, _: printing.number(x / THOUSAND)))
        axes.xaxis.set_minor_formatter(NullFormatter())
        axes.grid(visible=False, axis="x")
        axes.set_xlabel("reported net income, thousand yuan a year (nominal), log scale")
        axes.xaxis.label.set_fontsize(SMALL)
        axes.set_ylabel(unit)
        axes.figure.legend(loc="outside lower center", ncols=1)

    alt = (
        f"Reports of village collectives by net income, {bins['low'].len()} bins of equal width "
        f"in logs, with the curve that the bins away from the floor suggest. {said}"
    )
    return draw(name, tier, paint, bins, alt, height=3.6)
