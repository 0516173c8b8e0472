"""Figures of published studies: forest plots, and studies beside what was reported."""

from __future__ import annotations

import math
import textwrap
from collections.abc import Iterable
from typing import Any

import polars as pl
from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter, MaxNLocator

from analysis import printing
from analysis.figures.style import REFERENCE, SMALL, Figure, Theme, draw, row_label

ROW, HEADING = 0.42, 0.36
"""Inches of a row with its label above it, and of a heading."""
LIFT = 0.2
"""How far above its marks a label stands, in inches."""
LINE, WRAP = 0.2, 58
"""Inches of a line of text without a mark, and characters after which it breaks."""
LEAST, MOST = -50.0, 110.0
"""Ends of the axis at most, in per cent; what lies beyond is an arrow with its number."""
KINDS = {
    "pooled in": "drawn by lot, pooled",
    "lot": "drawn by lot",
    "other": "other design",
    "unverified": "not verified",
    "mean": "pooled mean",
}
MARKERS = {
    "pooled in": ("s", True),
    "lot": ("o", True),
    "other": ("o", False),
    "unverified": ("x", True),
    "mean": ("D", True),
}
"""Shape of each kind, and whether it is filled."""


def forest(name: str, rows: pl.DataFrame, *, subject: str) -> Figure:
    """Draw the estimates of a programme with their intervals, one group below the other.

    Parameters
    ----------
    name : str
        Label of the cell.
    rows : polars.DataFrame
        As `analysis.studies.summary.forest` gives it: group, label, kind, percent, low, high,
        ahead_low, ahead_high; rows of kind ``direction`` have text only.
    subject : str
        Whose estimates they are, for the alternative text.
    """
    marked = rows.filter(pl.col("kind") != "direction")
    texts = rows.filter(pl.col("kind") == "direction")
    places, headings, depth = _places(marked["group"].to_list())
    lines = [line for text in texts["label"] for line in _wrapped(text)]
    top = depth + HEADING
    if lines:
        headings.append((texts["group"][0], top))
        depth = top + LINE * len(lines)
    low, high = _ends(rows)

    def paint(axes: Axes, theme: Theme) -> None:
        end = places[-1] + 0.2 if places else 0.0
        axes.plot([0, 0], [0, end], color=theme.faint, lw=1, zorder=REFERENCE)
        for group, y in headings:
            _heading(axes, theme, group, y)
        for y, row in zip(places, marked.iter_rows(named=True), strict=True):
            row_label(axes, theme, row["label"], y - LIFT)
            _estimate(axes, theme, row, y, (low, high))
        for i, line in enumerate(lines, 1):
            row_label(axes, theme, line, top + LINE * i)
        _finish(axes, depth, (low, high), "per cent of the comparison group's own mean")
        _legend(axes, theme, [kind for kind in KINDS if kind in set(rows["kind"])])

    said = "; ".join(_sentence(row) for row in rows.iter_rows(named=True))
    alt = f"Forest plot: estimates of {subject}, in per cent with 95 per cent intervals. {said}."
    return draw(name, "published", paint, rows, alt, height=1.5 + depth)


def beside(name: str, rows: pl.DataFrame, *, package: float) -> Figure:
    """Draw reported money and published effects of each programme on one axis, in two blocks each.

    Parameters
    ----------
    name : str
        Label of the cell.
    rows : polars.DataFrame
        As `analysis.studies.summary.beside` gives it: programme, tier, label, kind, low, high.
    package : float
        Per cent of the whole package elsewhere, drawn as a line.
    """
    lines = _lines(rows)
    depth = sum(HEADING if line["kind"] == "heading" else ROW for line in lines)
    ends = (LEAST / 5, MOST)

    def paint(axes: Axes, theme: Theme) -> None:
        axes.axvline(0, color=theme.faint, lw=1, zorder=REFERENCE)
        axes.axvline(package, color=theme.accents[2], lw=1.2, ls="--", zorder=REFERENCE)
        y = 0.0
        for line in lines:
            y += HEADING if line["kind"] == "heading" else ROW
            if line["kind"] == "heading":
                _heading(axes, theme, line["label"], y)
                continue
            row_label(axes, theme, line["label"], y - LIFT)
            for mark in line["marks"]:
                _mark(axes, theme, mark, y, ends)
        _finish(axes, depth, ends, "per cent of yearly income or spending")
        axes.plot([], [], color=theme.accents[1], lw=7, label="reported money, not an effect")
        axes.plot([], [], "o", color=theme.accents[0], label="study, drawn by lot")
        axes.plot([], [], "o", mfc="none", color=theme.accents[0], label="study, other design")
        axes.plot([], [], ls="--", color=theme.accents[2], label="whole package, county mean")
        axes.figure.legend(loc="outside lower center", ncols=2)
        axes.set_title("AND REPORTED CLAIM", loc="right", fontsize=SMALL, color=theme.faint, pad=8)

    alt = (
        "For each programme, first what was reported, as a share of official rural income, then "
        "what studies elsewhere found, in per cent of the comparison group's income or spending. "
        + "; ".join(_line_sentence(line) for line in lines if line["kind"] != "heading")
        + f". The whole package elsewhere: {printing.number(package, 1)} per cent."
    )
    return draw(name, "published", paint, rows, alt, height=1.6 + depth)


def _places(groups: list[str]) -> tuple[list[float], list[tuple[str, float]], float]:
    """Return the depth of each row, of each heading, and of the whole, in inches."""
    places, headings, y = [], [], 0.0
    for i, group in enumerate(groups):
        if i == 0 or group != groups[i - 1]:
            y += HEADING
            headings.append((group, y))
        y += ROW
        places.append(y)
    return places, headings, y


def _wrapped(text: str) -> list[str]:
    """Break a label; its further lines are indented."""
    return textwrap.wrap(text, WRAP, subsequent_indent="    ")


def _ends(rows: pl.DataFrame) -> tuple[float, float]:
    """Return the ends of the axis: wide enough for what is drawn, within `LEAST` and `MOST`."""
    known = [
        x
        for column in ("percent", "low", "high", "ahead_low", "ahead_high")
        for x in rows[column].drop_nulls()
    ]
    least, most = min([*known, 0.0]), max([*known, 0.0])
    room = 0.06 * (most - least)
    return max(least - room, LEAST), min(most + room, MOST)


def _heading(axes: Axes, theme: Theme, text: str, y: float) -> None:
    line = f"{text[0].upper()}{text[1:]}"
    row_label(axes, theme, line, y, color=theme.faint, fontweight="bold")


def _estimate(
    axes: Axes, theme: Theme, row: dict[str, Any], y: float, ends: tuple[float, float]
) -> None:
    """Draw a point with its interval; what lies beyond the axis is cut at its end."""
    low, high = ends
    mean = row["kind"] == "mean"
    colour = theme.accents[1] if mean else theme.accents[0]
    if row["ahead_low"] is not None:
        axes.plot(
            [max(row["ahead_low"], low), min(row["ahead_high"], high)],
            [y, y],
            color=colour,
            lw=1,
            ls=":",
        )
    if row["low"] is not None:
        _whisker(axes, row["low"], row["high"], y, ends, colour, 3 if mean else 1.6)
    if not low <= row["percent"] <= high:
        _beyond(axes, row["percent"], y, ends, colour)
        return
    shape, full = MARKERS[row["kind"]]
    axes.plot(
        [row["percent"]],
        [y],
        shape,
        color=colour,
        markersize=6.5,
        mew=1.6,
        markerfacecolor=colour if full else "none",
    )


def _whisker(
    axes: Axes, low: float, high: float, y: float, ends: tuple[float, float], colour: str, lw: float
) -> None:
    left, right = max(low, ends[0]), min(high, ends[1])
    axes.plot([left, right], [y, y], color=colour, lw=lw, solid_capstyle="butt")
    for end, at, sign in ((low, ends[0], "<"), (high, ends[1], ">")):
        if (end < at) if sign == "<" else (end > at):
            axes.plot([at], [y], sign, color=colour, markersize=5, clip_on=False)


def _beyond(axes: Axes, value: float, y: float, ends: tuple[float, float], colour: str) -> None:
    """Show a value beyond the axis as an arrow at its end, with its number."""
    right = value > ends[1]
    at = ends[1] if right else ends[0]
    axes.plot([at], [y], ">" if right else "<", color=colour, markersize=7, clip_on=False)
    # Cut, not rounded: the number printed is never more than what was found.
    label = printing.number(math.floor(value), 0)
    axes.annotate(
        label,
        (at, y),
        xytext=(-8 if right else 8, 0),
        color=colour,
        textcoords="offset points",
        ha="right" if right else "left",
        va="center",
        fontsize=SMALL,
    )


def _finish(axes: Axes, depth: float, ends: tuple[float, float], axis: str) -> None:
    axes.set_ylim(depth + 0.2, 0.1)
    axes.set_xlim(*ends)
    axes.set_yticks([])
    axes.grid(visible=False, axis="y")
    axes.spines["left"].set_visible(False)
    axes.xaxis.set_major_locator(MaxNLocator(6))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda x, _: printing.number(x)))
    axes.set_xlabel(axis)


def _legend(axes: Axes, theme: Theme, kinds: Iterable[str]) -> None:
    kinds = list(kinds)
    for kind in kinds:
        shape, full = MARKERS[kind]
        colour = theme.accents[1] if kind == "mean" else theme.accents[0]
        axes.plot(
            [],
            [],
            shape,
            color=colour,
            markersize=6.5,
            mew=1.6,
            label=KINDS[kind],
            markerfacecolor=colour if full else "none",
        )
    axes.figure.legend(loc="outside lower center", ncols=min(len(kinds), 2))


def _sentence(row: dict[str, Any]) -> str:
    if row["kind"] == "direction":
        return f"{row['label']} (number not seen)"
    text = f"{row['label']} ({row['group']}, {KINDS[row['kind']]}): "
    text += printing.number(row["percent"], 1)
    if row["low"] is not None:
        text += f", {printing.number(row['low'], 1)} to {printing.number(row['high'], 1)}"
    return text


def _lines(rows: pl.DataFrame) -> list[dict[str, Any]]:
    """Return the lines of `beside`: a heading, a line per claim, one line for all studies."""
    lines: list[dict[str, Any]] = []
    for programme in rows["programme"].unique(maintain_order=True):
        mine = rows.filter(pl.col("programme") == programme)
        lines.append({"kind": "heading", "label": programme, "marks": []})
        claims = mine.filter(pl.col("tier") == "reported").iter_rows(named=True)
        lines += [
            {
                "kind": "claim",
                "label": f"Reported: {row['label']}",
                "marks": [row],
                "programme": programme,
            }
            for row in claims
        ]
        found = list(mine.filter(pl.col("tier") == "published").iter_rows(named=True))
        samples = len({row["people"] for row in found})
        word = "estimate" if len(found) == 1 else "estimates"
        label = f"{len(found)} {word}, {samples} sample{'s' if samples > 1 else ''} of people"
        shown = f"Published: {label}" if found else "Published: none comparable"
        lines.append({"kind": "studies", "label": shown, "marks": found, "programme": programme})
    return lines


def _mark(
    axes: Axes, theme: Theme, row: dict[str, Any], y: float, ends: tuple[float, float]
) -> None:
    if row["kind"] == "claim":
        colour = theme.accents[1]
        low = row["low"] if row["low"] is not None else row["high"]
        if low > ends[1]:
            _beyond(axes, low, y, ends, colour)
            return
        high = low if row["high"] is None else row["high"]
        axes.plot([low, max(high, low + 0.6)], [y, y], color=colour, lw=7, solid_capstyle="butt")
        return
    colour = theme.accents[0]
    axes.plot(
        [row["low"]],
        [y],
        "o",
        color=colour,
        markersize=6.5,
        mew=1.6,
        markerfacecolor=colour if row["kind"] == "lot" else "none",
    )


def _line_sentence(line: dict[str, Any]) -> str:
    if line["kind"] == "claim":
        row = line["marks"][0]
        ends = [
            None if row[end] is None else printing.number(row[end], 1) for end in ("low", "high")
        ]
        span = (
            ends[0]
            if ends[0] == ends[1]
            else f"{ends[0]} to {ends[1]}"
            if all(ends)
            else f"at least {ends[0]}"
            if ends[0]
            else f"at most {ends[1]}"
        )
        return f"{line['programme']}, {line['label']}: {span} per cent"
    if not line["marks"]:
        return f"{line['programme']}: no comparable study"
    found = ", ".join(f"{row['label']} {printing.number(row['low'], 1)}" for row in line["marks"])
    return f"{line['programme']}, studies: {found}"
