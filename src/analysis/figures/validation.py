"""Figures of proof: coverage by villages, and which difficulty breaks which estimator."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import polars as pl
from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter, MaxNLocator

from analysis import printing
from analysis.figures.style import SMALL, Figure, Theme, draw

ROW = 0.56
"""Inches of a row of the plot."""
MARKERS = ("o", "s", "^", "D", "v", "P", "X")
"""Shapes of the series, in order: shape says what colour says."""
SPREAD = 0.66
"""Share of a row over which its marks are spread."""
CLIP = 2.5
"""Bias is drawn up to so many times the largest true effect; beyond is an arrow with its number."""


def coverage(name: str, rows: pl.DataFrame, limits: tuple[float, float]) -> Figure:
    """Draw the coverage of intervals and bands by number of villages.

    Parameters
    ----------
    name : str
        Label of the cell.
    rows : polars.DataFrame
        As `analysis.validation.shown.by_villages`: arms, required, mark, percent, error.
    limits : tuple of float
        Per cent between which `reported` must lie; shaded.
    """
    labels = rows["arms"].unique(maintain_order=True).to_list()
    marks = rows["mark"].unique(maintain_order=True).to_list()
    low = min(*rows["percent"].to_list(), limits[0]) - 2

    def paint(axes: Axes, theme: Theme) -> None:
        axes.axvspan(*limits, color=theme.accents[2], alpha=0.18, lw=0)
        axes.axvline(95, color=theme.faint, lw=1)
        _marks(axes, theme, rows, labels, marks, "arms", "mark", "percent", "error")
        axes.set_xlim(low, 100.5)
        axes.set_xlabel("per cent of draws in which the truth is inside")
        axes.figure.legend(loc="outside lower center", ncols=2)

    said = "; ".join(
        f"{label}: "
        + ", ".join(
            f"{row['mark']} {printing.number(row['percent'], 1)}"
            for row in rows.filter(arms=label).iter_rows(named=True)
        )
        for label in labels
    )
    alt = (
        f"Dots: coverage of nominal 95 per cent intervals and joint bands, in per cent, with two "
        f"Monte Carlo errors; promised {printing.number(limits[0])} to "
        f"{printing.number(limits[1])}. {said}."
    )
    return draw(name, "model", paint, rows, alt, height=1.2 + ROW * len(labels))


def bias(name: str, rows: pl.DataFrame, price_year: int) -> Figure:
    """Draw the bias of the overall effect by difficulty and estimator.

    Parameters
    ----------
    name : str
        Label of the cell.
    rows : polars.DataFrame
        As `analysis.validation.shown.by_switch`.
    price_year : int
        Of the amounts.
    """
    end = CLIP * max(rows["truth"].to_list())
    labels, series = _axes_of(rows)

    def paint(axes: Axes, theme: Theme) -> None:
        axes.axvline(0, color=theme.faint, lw=1)
        shown = rows.with_columns(clipped=pl.col("bias").clip(-end, end))
        _marks(
            axes, theme, shown, labels, series, "row", "estimator_label", "clipped", "bias_error"
        )
        for label in labels:
            for side in (1, -1):
                _beyond(
                    axes,
                    theme,
                    shown.filter(pl.col("bias") * side > end, row=label),
                    side,
                    series,
                    labels.index(label),
                    end,
                )
        axes.set_xlim(-end * 1.06, end * 1.06)
        axes.xaxis.set_major_locator(MaxNLocator(5))
        axes.xaxis.set_major_formatter(FuncFormatter(lambda x, _: printing.number(x)))
        axes.set_xlabel(f"bias, yuan a year per household (prices of {price_year})")
        axes.figure.legend(loc="outside lower center", ncols=2)

    said = _said(rows, labels, "bias", 0)
    alt = (
        "Dots: bias of the overall effect in yuan a year, by difficulty of the model panel and "
        f"estimator, with two Monte Carlo errors. {said}."
    )
    return draw(name, "model", paint, rows, alt, height=1.2 + ROW * len(labels))


def broken(name: str, rows: pl.DataFrame, limits: tuple[float, float]) -> Figure:
    """Draw the coverage of the overall effect by difficulty and estimator.

    Parameters
    ----------
    name, rows, limits
        As in `bias` and `coverage`.
    """
    labels, series = _axes_of(rows)

    def paint(axes: Axes, theme: Theme) -> None:
        axes.axvspan(*limits, color=theme.accents[2], alpha=0.18, lw=0)
        _marks(
            axes,
            theme,
            rows,
            labels,
            series,
            "row",
            "estimator_label",
            "coverage",
            "coverage_error",
        )
        axes.set_xlim(-3, 103)
        axes.set_xlabel("per cent of draws in which the truth is inside")
        axes.figure.legend(loc="outside lower center", ncols=2)

    said = _said(rows, labels, "coverage", 0)
    alt = (
        "Dots: coverage of nominal 95 per cent intervals of the overall effect, in per cent, by "
        f"difficulty of the model panel and estimator. {said}."
    )
    return draw(name, "model", paint, rows, alt, height=1.2 + ROW * len(labels))


def _beyond(
    axes: Axes, theme: Theme, part: pl.DataFrame, side: int, series: list[str], row: int, end: float
) -> None:
    """Say beside marks at the end of the axis which numbers they stand for."""
    if part.is_empty():
        return
    numbers = sorted(part["bias"].to_list(), key=abs)
    said = printing.number(numbers[0], 0)
    if len(numbers) > 1:
        said += f" to {printing.number(numbers[-1], 0)}"
    heights = [_offset(series, name) for name in part["estimator_label"]]
    axes.annotate(
        f"{said} →" if side > 0 else f"← {said}",
        (side * end, row + sum(heights) / len(heights)),
        xytext=(-8 * side, 0),
        textcoords="offset points",
        fontsize=SMALL,
        va="center",
        ha="right" if side > 0 else "left",
        color=theme.ink,
    )


def _axes_of(rows: pl.DataFrame) -> tuple[list[str], list[str]]:
    return (
        rows["row"].unique(maintain_order=True).to_list(),
        rows["estimator_label"].unique(maintain_order=True).to_list(),
    )


def _said(rows: pl.DataFrame, labels: list[str], column: str, digits: int) -> str:
    def part(row: Mapping[str, Any]) -> str:
        return f"{row['estimator_label']} {printing.number(row[column], digits)}"

    return "; ".join(
        f"{label}: " + ", ".join(part(row) for row in rows.filter(row=label).iter_rows(named=True))
        for label in labels
    )


def _offset(series: list[str], one: str) -> float:
    """Return the place of a mark inside its row."""
    return SPREAD * (series.index(one) / max(1, len(series) - 1) - 0.5)


def _marks(
    axes: Axes,
    theme: Theme,
    rows: pl.DataFrame,
    labels: list[str],
    series: list[str],
    label: str,
    one: str,
    value: str,
    error: str,
) -> None:
    """Draw one mark per row of the data, with two errors on each side."""
    for number, name in enumerate(series):
        part = rows.filter(pl.col(one) == name)
        heights = [labels.index(row) + _offset(series, name) for row in part[label]]
        axes.errorbar(
            part[value],
            heights,
            xerr=2 * part[error].fill_null(0.0),
            ls="none",
            lw=1,
            ms=5,
            marker=MARKERS[number],
            color=theme.accents[number % len(theme.accents)],
            label=name,
        )
    axes.set_yticks(range(len(labels)), labels)
    axes.set_ylim(len(labels) - 0.5, -0.5)
    axes.grid(visible=False, axis="y")
    for edge in range(1, len(labels)):
        axes.axhline(edge - 0.5, color=theme.grid, lw=0.7)
