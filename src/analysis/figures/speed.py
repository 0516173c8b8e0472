"""Figures of the timings: seconds against rows, this package beside others."""

from __future__ import annotations

import polars as pl
from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter, NullFormatter

from analysis import printing
from analysis.benchmarks import OURS
from analysis.figures.style import SMALL, Figure, Theme, draw

MARKS = "osD^v"


def growth(name: str, timed: pl.DataFrame, title: str) -> Figure:
    """Draw seconds against rows, both in powers of ten, one line for each package.

    Parameters
    ----------
    name : str
        Label of the cell.
    timed : polars.DataFrame
        package, rows, seconds of one job.
    title : str
        What was timed, for the alternative text.
    """
    packages = [OURS, *sorted(set(timed["package"]) - {OURS})]

    def paint(axes: Axes, theme: Theme) -> None:
        for number, package in enumerate(packages):
            line = timed.filter(pl.col("package") == package).sort("rows")
            axes.plot(
                line["rows"].to_numpy(),
                line["seconds"].to_numpy(),
                marker=MARKS[number],
                color=theme.accents[number],
                lw=2.4 if package == OURS else 1.4,
                ms=5,
            )
            axes.annotate(
                "this package" if package == OURS else package,
                (line["rows"][-1], line["seconds"][-1]),
                xytext=(7, 0),
                textcoords="offset points",
                va="center",
                fontsize=SMALL,
                color=theme.ink,
            )
        axes.set_xscale("log")
        axes.set_yscale("log")
        most = float(timed["rows"].max())  # type: ignore[arg-type]
        axes.set_xlim(float(timed["rows"].min()) / 2, most * 12)  # type: ignore[arg-type]
        for axis in (axes.xaxis, axes.yaxis):
            axis.set_major_formatter(FuncFormatter(lambda value, _: printing.number(value)))
            axis.set_minor_formatter(NullFormatter())
        axes.tick_params(axis="x", labelrotation=20)
        axes.set_xlabel("rows: households × years")
        axes.set_ylabel("seconds, from file to interval")

    return draw(name, "model", paint, timed, _alt(timed, packages, title), height=3.8)


def _alt(timed: pl.DataFrame, packages: list[str], title: str) -> str:
    parts = []
    for package in packages:
        line = timed.filter(pl.col("package") == package).sort("rows")
        parts.append(
            f"{'this package' if package == OURS else package} from "
            f"{printing.number(line['seconds'][0])} seconds at {line['rows'][0]:,} rows to "
            f"{printing.number(line['seconds'][-1])} at {line['rows'][-1]:,}"
        )
    return f"Seconds against rows for {title}: {'; '.join(parts)}."
