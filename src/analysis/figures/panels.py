"""Figures of a household panel: sources of income over time, and who is poor."""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl
from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter, MaxNLocator

from analysis import printing
from analysis.figures.style import SMALL, Figure, Theme, draw

ROOM = 0.28
"""Share of the axis kept free on the right for the names of the lines."""


def source_lines(name: str, tier: str, means: pl.DataFrame, money: str = "yuan") -> Figure:
    """Draw mean income per head by source over time, each line with its name at its end.

    Parameters
    ----------
    name : str
        Label of the cell.
    tier : str
        Evidence tier of the panel.
    means : polars.DataFrame
        As `analysis.panels.describe.sources` gives it: period, source, per_head (a year,
        nominal).
    money : str
        What the money is called.
    """
    shown = means.filter(pl.col("source") != "total").select("period", "source", "per_head")
    if shown.drop_nulls("per_head").is_empty():
        return _nothing(name, tier, shown, "No row of this panel has all four sources of income.")
    first, last = _span(means)
    alt = (
        f"Lines: mean income per head by source, {first} to {last}, nominal {money} a year. "
        + "; ".join(_change(shown, source, "per_head") for source in _names(shown, "source"))
        + "."
    )
    return _lines(
        name, tier, shown, "source", "per_head", f"{money} per head a year (nominal)", alt
    )


def headcount_lines(
    name: str, tier: str, poverty: pl.DataFrame, labels: Mapping[str, str], empty: str = ""
) -> Figure:
    """Draw the share of persons below each poverty line over time.

    Parameters
    ----------
    name : str
        Label of the cell.
    tier : str
        Evidence tier of the panel.
    poverty : polars.DataFrame
        As `analysis.panels.describe.poverty` gives it; its rows of all households are drawn.
    labels : mapping of str to str
        What each ``line_name`` is called.
    empty : str
        What to say if there is nothing to draw.
    """
    shown = poverty.filter(pl.col("group") == "all").select(
        "period",
        line=pl.col("line_name").replace_strict(dict(labels)),
        percent=100 * pl.col("headcount_persons"),
    )
    if shown.is_empty():
        return _nothing(name, tier, shown, empty or "No poverty line is set for this panel.")
    first, last = _span(shown)
    alt = (
        f"Lines: per cent of persons below each line, {first} to {last}. "
        + "; ".join(_change(shown, line, "percent", "line") for line in _names(shown, "line"))
        + "."
    )
    return _lines(name, tier, shown, "line", "percent", "per cent of persons", alt)


def _nothing(name: str, tier: str, data: pl.DataFrame, why: str) -> Figure:
    """Draw an empty plot that says why it is empty."""

    def paint(axes: Axes, theme: Theme) -> None:
        axes.set_axis_off()
        axes.text(0, 0.5, why, transform=axes.transAxes, color=theme.ink)

    return draw(name, tier, paint, data, why, height=1)


def _span(frame: pl.DataFrame) -> tuple[int, int]:
    """Return the first and last period."""
    periods = sorted(frame["period"].to_list())
    return periods[0], periods[-1]


def _names(frame: pl.DataFrame, column: str) -> list[str]:
    return frame[column].unique(maintain_order=True).to_list()


def _change(frame: pl.DataFrame, key: str, value: str, column: str = "source") -> str:
    rows = frame.filter(pl.col(column) == key).sort("period")[value]
    return f"{key} from {printing.number(rows[0])} to {printing.number(rows[-1])}"


def _lines(
    name: str, tier: str, frame: pl.DataFrame, key: str, value: str, axis: str, alt: str
) -> Figure:
    keys = _names(frame, key)
    ends = {k: frame.filter(pl.col(key) == k).sort("period") for k in keys}
    values = [float(x) for rows in ends.values() for x in rows[value]]
    lowest, largest = min(0.0, *values), max(0.0, *values)
    places = _spread([float(ends[k][value][-1]) for k in keys], (largest - lowest) * 0.07)
    first, last = _span(frame)
    # A panel of one period has points, not lines, and still needs an axis with some width.
    years = max(1, last - first)

    def paint(axes: Axes, theme: Theme) -> None:
        for colour, k, place in zip(theme.accents, keys, places, strict=False):
            rows = ends[k]
            axes.plot(rows["period"], rows[value], color=colour, lw=2, marker="o", markersize=3)
            axes.text(rows["period"][-1], place, f"  {k}", fontsize=SMALL, va="center")
        axes.set_xlim(first - 0.02 * years, last + years * ROOM)
        axes.set_xticks(range(first, last + 1, max(1, (last - first) // 3)))
        axes.set_ylim(lowest * 1.08, largest * 1.08 or 1)
        axes.axhline(0, color=theme.faint, lw=0.8)
        axes.yaxis.set_major_locator(MaxNLocator(5))
        axes.yaxis.set_major_formatter(FuncFormatter(lambda y, _: printing.number(y)))
        axes.set_ylabel(axis)
        axes.grid(visible=False, axis="x")

    return draw(name, tier, paint, frame, alt)


def _spread(values: list[float], least: float) -> list[float]:
    """Move labels apart so that neighbours keep a distance, keeping their order.

    Examples
    --------
    >>> _spread([1.0, 1.1, 5.0], 1.0)
    [1.0, 2.0, 5.0]
    """
    placed = dict.fromkeys(range(len(values)), 0.0)
    floor = float("-inf")
    for i in sorted(placed, key=lambda i: values[i]):
        placed[i] = max(values[i], floor)
        floor = placed[i] + least
    return [placed[i] for i in range(len(values))]
