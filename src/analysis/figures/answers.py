"""Figures of a programme's answer: sums of articles beside the design, and effects by group."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import polars as pl
from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter, MaxNLocator

from analysis import printing
from analysis.figures.style import REFERENCE, Figure, Theme, draw, row_label

ROW = 0.42
"""Inches of an estimate with its label above."""
HEADING = 0.34


def estimates(
    name: str,
    rows: pl.DataFrame,
    *,
    tier: str,
    unit: str,
    intro: str,
    truth: float | None = None,
    truth_is: str = "truth",
    words: Mapping[str, str] | None = None,
) -> Figure:
    """Draw estimates with their intervals, one below the other, beside the truth.

    Parameters
    ----------
    name : str
        Label of the cell.
    rows : polars.DataFrame
        label, estimate, ci_low, ci_high (null: it has no interval); with group (a heading), if
        rows belong together; with kind ``naive`` for what has no comparison, drawn hollow.
    tier : str
        Evidence tier.
    unit : str
        Of the estimates, with the year of prices.
    intro : str
        First words of the alternative text: what is drawn.
    truth : float, optional
        The true effect, in the model panel, or what stands for it: a line.
    truth_is : str
        What that line is called.
    words : mapping of str to str, optional
        Legend of ``naive`` and ``design``; none if left out.
    """
    places, headings, depth = _places(rows)

    def paint(axes: Axes, theme: Theme) -> None:
        axes.axvline(0, color=theme.faint, lw=1, zorder=REFERENCE)
        if truth is not None:
            axes.axvline(
                truth, color=theme.accents[1], lw=1.8, ls="--", label=truth_is, zorder=REFERENCE
            )
        for text, y in headings:
            row_label(axes, theme, text, y, color=theme.faint, fontweight="bold")
        for y, row in zip(places, rows.iter_rows(named=True), strict=True):
            _one(axes, theme, row, y)
        for kind, label in (words or {}).items():
            face = "none" if kind == "naive" else theme.accents[0]
            axes.plot([], [], "o", color=theme.accents[0], mfc=face, label=label)
        axes.set_ylim(depth + 0.15, 0)
        axes.set_yticks([])
        axes.grid(visible=False, axis="y")
        axes.spines["left"].set_visible(False)
        axes.margins(x=0.06)
        axes.xaxis.set_major_locator(MaxNLocator(5))
        axes.xaxis.set_major_formatter(FuncFormatter(lambda x, _: printing.number(x)))
        axes.set_xlabel(unit)
        if words or truth is not None:
            axes.figure.legend(loc="outside lower center", ncols=2)

    said = "; ".join(_sentence(row) for row in rows.iter_rows(named=True))
    alt = f"{intro}, in {unit}. {said}."
    if truth is not None:
        alt += f" The {truth_is}: {printing.number(truth, 0)}."
    return draw(name, tier, paint, rows, alt, height=1.25 + depth)


def _places(rows: pl.DataFrame) -> tuple[list[float], list[tuple[str, float]], float]:
    """Return the depth of each row, each heading with its depth, and the whole depth."""
    groups = rows["group"].to_list() if "group" in rows.columns else [""] * rows.height
    places: list[float] = []
    headings: list[tuple[str, float]] = []
    y, before = 0.0, ""
    for group in groups:
        if group != before:
            y += HEADING
            headings.append((group, y - 0.08))
            before = group
        y += ROW
        places.append(y)
    return places, headings, y


def _one(axes: Axes, theme: Theme, row: dict[str, Any], y: float) -> None:
    colour = theme.accents[0]
    if row["ci_low"] is not None:
        axes.plot([row["ci_low"], row["ci_high"]], [y, y], color=colour, lw=1.8)
    hollow = row.get("kind") == "naive"
    axes.plot(
        [row["estimate"]], [y], "o", color=colour, markersize=6, mfc="none" if hollow else colour
    )
    row_label(axes, theme, row["label"], y - 0.2)


def _sentence(row: dict[str, Any]) -> str:
    group = f"{row['group']}, " if row.get("group") else ""
    text = f"{group}{row['label']}: {printing.number(row['estimate'], 0)}"
    if row["ci_low"] is None:
        return f"{text}, no interval"
    low, high = (printing.number(row[end], 0) for end in ("ci_low", "ci_high"))
    return f"{text} ({low} to {high})"
