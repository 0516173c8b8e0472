"""The figure of the summary: what was reported, and what studies elsewhere found, side by side."""

from __future__ import annotations

import math
import textwrap
from typing import Any

import polars as pl
from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter, MultipleLocator, NullLocator

from analysis import printing
from analysis.figures.style import REFERENCE, SMALL, Figure, Theme, draw, row_label

ROW = 0.44
"""Inches of a programme: its name, and its marks below."""
NAME, LINE = 36, 0.34
"""Characters that fit beside the right block, and the height of a further line, in rows."""
LEFT, RIGHT = (0.02, 0.0, 0.44, 1.0), (0.55, 0.0, 0.44, 1.0)
"""Where the two blocks stand."""
LIFT = 0.5
"""How far above its marks a name stands, in rows."""
SHAPES = {"per_head": ("o", -0.1), "per_household": ("s", 0.12)}
"""Shape, and how far below its row: amounts per person and per household can be much alike."""


def reported_and_elsewhere(
    name: str, rows: pl.DataFrame, *, package: float, years: tuple[int, int]
) -> Figure:
    """Draw reported money and published effects of every programme in two blocks.

    The blocks have axes of their own, since they measure different things: nominal yuan on the
    left, per cent of income or spending on the right.

    Parameters
    ----------
    name : str
        Label of the cell.
    rows : polars.DataFrame
        As `analysis.answers.glance.marks` gives it.
    package : float
        Per cent of the whole package elsewhere, drawn as a line on the right.
    years : tuple of int
        First and last year whose prices the yuan are in.
    """
    order = rows["programme"].unique(maintain_order=True).to_list()
    names = {programme: textwrap.wrap(programme, NAME) for programme in order}
    places = _places(names)
    told, found = (rows.filter(pl.col("tier") == tier) for tier in ("reported", "published"))

    def paint(axes: Axes, theme: Theme) -> None:
        axes.set_axis_off()
        left, right = axes.inset_axes(LEFT), axes.inset_axes(RIGHT)
        for block in (left, right):
            _frame(block, theme, names, places)
        _money(left, theme, told, places, years)
        _effects(right, theme, found, places, package)
        for programme, y in places.items():
            lines = names[programme]
            row_label(left, theme, "\n".join(lines), y - LIFT - _more(lines) / 2)
        axes.set_title("PUBLISHED STUDY", loc="right", fontsize=SMALL, color=theme.faint, pad=8)
        _legend(axes, theme)

    alt = (
        "Two blocks, programme by programme. Left, what the articles report, in nominal yuan per "
        "person or household; right, what studies elsewhere found, in per cent of household income "
        "or spending. "
        + " ".join(_sentence(programme, told, found) for programme in order)
        + f" The whole package elsewhere: {printing.number(package, 1)} per cent."
    )
    return draw(
        name,
        "reported",
        paint,
        rows,
        alt,
        height=1.9 + ROW * (1 + max(places.values(), default=0.0)),
    )


def _places(names: dict[str, list[str]]) -> dict[str, float]:
    """Return how deep the marks of each programme stand, in rows: longer names take more."""
    places, y = {}, -1.0
    for programme, lines in names.items():
        y += 1 + _more(lines)
        places[programme] = y
    return places


def _more(lines: list[str]) -> float:
    return LINE * (len(lines) - 1)


def _frame(
    block: Axes, theme: Theme, names: dict[str, list[str]], places: dict[str, float]
) -> None:
    block.set_ylim(max(places.values(), default=0.0) + 0.45, -0.75)
    block.set_yticks([])
    block.grid(visible=False, axis="y")
    block.spines["left"].set_visible(False)
    for programme in list(names)[1:]:
        y = places[programme] - _more(names[programme]) - 0.75
        block.axhline(y, color=theme.grid, lw=0.7, zorder=0)


def _money(
    block: Axes, theme: Theme, told: pl.DataFrame, places: dict[str, float], years: tuple[int, int]
) -> None:
    ends = [x for column in ("low", "high") for x in told[column].drop_nulls()]
    low, high = 10 ** math.floor(math.log10(min(ends))), 10 ** math.ceil(math.log10(max(ends)))
    block.set_xscale("log")
    block.set_xlim(low, high)
    colour = theme.accents[1]
    for row in told.iter_rows(named=True):
        middle = places[row["programme"]]
        if row["kind"] == "nothing":
            _text(block, theme, row["label"], middle)
            continue
        shape, lower = SHAPES[row["basis"]]
        y = middle + lower
        start = row["low"] if row["low"] is not None else row["high"]
        end = start if row["high"] is None else row["high"]
        if row["high"] is None:  # an open side is an arrow
            arrow = {"arrowstyle": "->", "color": colour, "lw": 1.4}
            block.annotate("", xy=(start * 2.6, y), xytext=(start, y), arrowprops=arrow)
        block.plot(
            [math.sqrt(start * end)],
            [y],
            shape,
            color=colour,
            ms=6,
            mew=1.6,
            mfc=colour if row["kind"] == "received" else "none",
        )
    block.xaxis.set_minor_locator(NullLocator())
    block.xaxis.set_major_formatter(FuncFormatter(lambda x, _: _short(x)))
    span = "–".join(dict.fromkeys(str(year) for year in years))
    block.set_xlabel(f"yuan, prices of {span}\n(each step ten times)", fontsize=SMALL)


def _short(value: float) -> str:
    return f"{printing.number(value / 1000)}k" if value >= 1000 else printing.number(value)


def _effects(
    block: Axes, theme: Theme, found: pl.DataFrame, places: dict[str, float], package: float
) -> None:
    ends = [x for column in ("low", "high") for x in found[column].drop_nulls()]
    colour = theme.accents[0]
    block.axvline(0, color=theme.faint, lw=1, zorder=REFERENCE)
    block.axvline(package, color=theme.accents[2], lw=1.2, ls="--", zorder=REFERENCE)
    for row in found.iter_rows(named=True):
        y = places[row["programme"]]
        if row["kind"] == "nothing":
            _text(block, theme, row["label"], y)
        elif row["kind"] == "mean":
            below = y + 0.16  # beside the studies it is the mean of, not over them
            block.plot(
                [row["low"], row["high"]],
                [below, below],
                color=theme.accents[5],
                lw=2.2,
                solid_capstyle="butt",
            )
            block.plot([row["middle"]], [below], "D", color=theme.accents[5], ms=5)
        else:
            block.plot(
                [row["middle"]],
                [y],
                "o",
                color=colour,
                ms=6,
                mew=1.6,
                mfc=colour if row["kind"] == "lot" else "none",
            )
    room = 0.04 * (max(ends) - min(ends))
    block.set_xlim(min(*ends, 0) - room, max(ends) + room)
    block.xaxis.set_major_locator(MultipleLocator(20))
    block.xaxis.set_major_formatter(FuncFormatter(lambda x, _: printing.number(x)))
    block.set_xlabel("per cent of household\nincome or spending", fontsize=SMALL)


def _text(block: Axes, theme: Theme, text: str, y: float) -> None:
    row_label(block, theme, text, y, color=theme.faint, style="italic")


def _legend(axes: Axes, theme: Theme) -> None:
    told, found = theme.accents[1], theme.accents[0]
    axes.plot([], [], "o", color=told, label="per person")
    axes.plot([], [], "s", color=told, label="per household")
    axes.plot([], [], "o", color=told, mfc="none", mew=1.6, label="empty: spent, lent, taken in")
    axes.plot([], [], "o", color=found, label="study, drawn by lot")
    axes.plot([], [], "o", color=found, mfc="none", mew=1.6, label="study, other design")
    axes.plot([], [], "D-", color=theme.accents[5], ms=5, label="mean and its interval")
    axes.plot([], [], ls="--", color=theme.accents[2], label="whole package, counties")
    axes.figure.legend(loc="outside lower center", ncols=2)


def _sentence(programme: str, told: pl.DataFrame, found: pl.DataFrame) -> str:
    said = "; ".join(
        _said(row)
        for rows in (told, found)
        for row in rows.filter(pl.col("programme") == programme).iter_rows(named=True)
    )
    return f"{programme}: {said}."


def _said(row: dict[str, Any]) -> str:
    if row["kind"] == "nothing":
        return str(row["label"])
    digits = 0 if row["tier"] == "reported" else 1
    low, high = (
        None if row[end] is None else printing.number(row[end], digits) for end in ("low", "high")
    )
    if row["kind"] == "mean":
        return f"{row['label']} {printing.number(row['middle'], 1)} ({low} to {high})"
    span = low if low == high else f"at least {low}" if high is None else f"{low} to {high}"
    return f"{row['label']} {span}"
