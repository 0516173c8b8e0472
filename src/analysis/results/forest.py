"""Forest plots: studies with their weights, the mean, and the interval of a further place."""

from __future__ import annotations

import math
import textwrap
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import polars as pl

from analysis.results import formatting
from analysis.results.labels import labels, span, word
from analysis.results.marks import mark
from analysis.results.plot import COLOURS, NEUTRAL, note
from analysis.results.provenance import UNKNOWN, Provenance

if TYPE_CHECKING:
    from matplotlib.axes import Axes

INK: Final = "#333333"
LINE: Final = "#d9d9d9"
TEXT: Final = 9.5
"""Points, of labels and estimates."""
SMALL: Final = 9.0
LINE_SIGNS: Final = 46
"""Signs of a label and its estimate that stand side by side on a phone."""
LEAST_SIGNS: Final = 22
LINE_INCHES: Final = 0.185
ROW_INCHES: Final = 0.24
REACH: Final = 1.6
"""Of the span of the points: farther out, an interval is cut and an arrow says so."""


@dataclass(frozen=True)
class Row:
    """One row of a forest plot.

    Attributes
    ----------
    label : str
        The study, or the name of a mean.
    estimate, ci_low, ci_high : float
        Effect and interval; NaN ends where there is no error.
    weight : float
        Share in the mean, 0 to 1; NaN where it has none.
    prediction_low, prediction_high : float
        Interval of a further place; of means only, NaN where there is none.
    is_mean : bool
        Drawn as a diamond.
    group : str
        Sub-type, setting or design that the row belongs to; empty for none.
    href : str
        Page of the study; empty for none.
    error : float
        Standard error, which decides the digits; by the width of the interval if left out.
    colour : int
        Place in the palette; of results set side by side.
    printed : str
        Estimate and interval as printed; by the interval if left out.
    """

    label: str
    estimate: float
    ci_low: float = math.nan
    ci_high: float = math.nan
    weight: float = math.nan
    prediction_low: float = math.nan
    prediction_high: float = math.nan
    is_mean: bool = False
    group: str = ""
    href: str = ""
    error: float = math.nan
    colour: int = 0
    printed: str = ""

    @property
    def decimals(self) -> int | None:
        """Decimals by the size of the error."""
        if math.isfinite(self.error):
            return formatting.places(self.error)
        return formatting.places((self.ci_high - self.ci_low) / (2 * 1.96))

    def text(self, language: str = "en") -> str:
        """Return estimate and interval as printed."""
        if self.printed:
            return self.printed
        value = formatting.number(self.estimate, self.decimals)
        if math.isnan(self.ci_low):
            return value
        interval = formatting.span(self.ci_low, self.ci_high, self.decimals)
        return f"{value} ({span(interval, language)})"


def wrapped(text: str, width: int = 34) -> list[str]:
    """Return the lines of a label; a Chinese sign is as wide as two others.

    Examples
    --------
    >>> wrapped("Attanasio, Kugler and Meghir (2011), Colombia, women")
    ['Attanasio, Kugler and Meghir', '(2011), Colombia, women']
    """
    wide = sum(unicodedata.east_asian_width(sign) in "WF" for sign in text)
    return textwrap.wrap(text, max(width - wide, width // 2)) or [""]


def forest(
    rows: Iterable[Row],
    unit: str,
    *,
    data: pl.DataFrame | None = None,
    alt: str = "",
    provenance: Provenance = UNKNOWN,
    language: str = "en",
    ax: Axes | None = None,
) -> Axes:
    """Draw studies and means, one row each, labels above the marks.

    Parameters
    ----------
    rows : iterable of Row
        In drawing order: the studies of a group, then its mean.
    unit : str
        Of the axis, in words.
    data : polars.DataFrame, optional
        What is offered for download; the rows if left out.
    alt : str
        Alternative text; of a forest plot if left out.
    provenance : Provenance
        Where the numbers come from.
    language : str
        ``en`` or ``zh``.
    ax : matplotlib Axes, optional
        Where; a new figure if left out.

    Returns
    -------
    matplotlib Axes

    Notes
    -----
    Squares by weight and the diamond of the mean as in Lewis and Clarke (2001), "Forest plots:
    trying to see the wood and the trees", BMJ 322.

    Examples
    --------
    >>> rows = [Row("A", 4.0, 1.0, 7.0, 0.6), Row("Mean", 3.0, 1.2, 4.8, is_mean=True)]
    >>> forest(rows, "per cent").get_xlabel()
    'per cent'
    """
    shown = list(rows)
    names = [_lines(row, language) for row in shown]
    heads = [row.group if row.group != before else "" for row, before in _with_previous(shown)]
    heights = [
        LINE_INCHES * len(parts) + ROW_INCHES + (LINE_INCHES * 1.5 if head else 0)
        for parts, head in zip(names, heads, strict=True)
    ]
    ax = blank_axes(ax, sum(heights) + 0.7)
    low, high = reach(shown)
    ax.set_xlim(low, high)
    top = 0.0
    for row, head, height in zip(shown, heads, heights, strict=True):
        if head:
            group_head(ax, head, top)
        place = top + height - ROW_INCHES / 2
        _labels(ax, row, place - ROW_INCHES / 2, language)
        (_diamond if row.is_mean else _square)(ax, row, place, language)
        top += height
    finish(ax, top, unit)
    frame = pl.DataFrame([vars(row) for row in shown]) if data is None else data
    return note(ax, frame, alt or alternative(shown, unit, language), provenance)


def _with_previous(rows: Sequence[Row]) -> list[tuple[Row, str]]:
    return list(zip(rows, ["", *(row.group for row in rows[:-1])], strict=True))


def blank_axes(ax: Axes | None, inches: float, below: float = 0.55) -> Axes:
    """Return axes as wide as the figure, `below` inches of it for ticks and unit."""
    from matplotlib import pyplot as plt

    if ax is None:
        figure, ax = plt.subplots(figsize=(7.0, inches))
        top, bottom = 1 - 0.05 / inches, below / inches
        figure.subplots_adjust(left=0.015, right=0.985, top=top, bottom=bottom)
    for side in ("top", "right", "left"):
        ax.spines[side].set_visible(False)
    ax.spines["bottom"].set_color(NEUTRAL)
    ax.set_yticks([])
    ax.tick_params(axis="x", colors=INK, labelsize=SMALL, color=NEUTRAL)
    return ax


def finish(ax: Axes, bottom: float, unit: str, zero: float = 0.0) -> None:
    """Set the lower end of the rows, a few ticks, the line of no effect and the unit."""
    from matplotlib.ticker import FuncFormatter, MaxNLocator

    ax.set_ylim(bottom + 0.05, 0)
    ax.xaxis.set_major_locator(MaxNLocator(5))
    ax.xaxis.set_major_formatter(FuncFormatter(lambda x, _: formatting.number(x)))
    ax.grid(axis="x", color=LINE, linewidth=0.6)
    ax.set_axisbelow(True)
    low, high = ax.get_xlim()
    if low <= zero <= high:
        ax.axvline(zero, color=NEUTRAL, linewidth=1.2, zorder=1)
    ax.set_xlabel("\n".join(wrapped(unit, 52)), loc="left", fontsize=SMALL, color=INK)


def reach(rows: Sequence[Row]) -> tuple[float, float]:
    """Return the ends of the axis: all points, and intervals unless they go very far."""
    points = [row.estimate for row in rows if math.isfinite(row.estimate)]
    wide = max(max(points) - min(points), max(abs(x) for x in points), 1e-9)
    ends = [x for row in rows for x in (row.ci_low, row.ci_high) if math.isfinite(x)]
    low = max(min([*points, *ends, 0.0]), min(*points, 0.0) - REACH * wide)
    high = min(max([*points, *ends, 0.0]), max(*points, 0.0) + REACH * wide)
    margin = 0.04 * (high - low)
    return low - margin, high + margin


def _lines(row: Row, language: str) -> list[str]:
    """Return the lines of a label, short enough for its estimate to stand beside it."""
    width = LINE_SIGNS - len(row.text(language)) - (4 if row.is_mean else 0)
    return wrapped(row.label, max(width, LEAST_SIGNS))


def group_head(ax: Axes, text: str, top: float) -> None:
    """Write the head of a group at the top of its first row."""
    place = top + LINE_INCHES * 1.1
    across = ax.get_yaxis_transform()
    ax.text(0, place, text, transform=across, fontsize=TEXT, fontweight="bold", color=INK)


def _labels(ax: Axes, row: Row, bottom: float, language: str) -> None:
    """Write a label and its estimate, the lines of the label above the marks."""
    across, bold = ax.get_yaxis_transform(), "bold" if row.is_mean else "normal"
    parts = _lines(row, language)
    for number, part in enumerate(parts):
        place = bottom - LINE_INCHES * (len(parts) - 1 - number) - 0.02
        text = ax.text(0, place, part, transform=across, fontsize=TEXT, color=INK, fontweight=bold)
        mark(text, group=row.group)
    printed = row.text(language)
    text = ax.text(
        1,
        bottom - 0.02,
        printed,
        transform=across,
        ha="right",
        fontsize=TEXT,
        color=INK,
        fontweight=bold,
    )
    mark(text, group=row.group)


def _interval(ax: Axes, row: Row, place: float, colour: str) -> None:
    """Draw an interval; an arrow where it goes on beyond the axis."""
    low, high = ax.get_xlim()
    if math.isnan(row.ci_low) or math.isnan(row.ci_high):
        return
    ends = max(row.ci_low, low), min(row.ci_high, high)
    [line] = ax.plot(ends, [place, place], color=colour, linewidth=1.5, solid_capstyle="butt")
    mark(line, group=row.group)
    for end, beyond, shape in (
        (ends[0], row.ci_low < low, "<"),
        (ends[1], row.ci_high > high, ">"),
    ):
        if beyond:
            [tip] = ax.plot([end], [place], shape, color=colour, markersize=5, clip_on=False)
            mark(tip, group=row.group)


def _square(ax: Axes, row: Row, place: float, language: str) -> None:
    colour, hollow = COLOURS[row.colour % len(COLOURS)], math.isnan(row.ci_low)
    _interval(ax, row, place, colour)
    weighted = math.isfinite(row.weight)
    weight = min(max(row.weight, 0.0), 1.0) if weighted else 0.1
    [point] = ax.plot(
        [row.estimate],
        [place],
        "s" if weighted or row.is_mean else "o",
        color=colour,
        markerfacecolor="white" if hollow else colour,
        markersize=4 + 9 * math.sqrt(weight),
    )
    mark(point, said(row, language), href=row.href, group=row.group)


def _diamond(ax: Axes, row: Row, place: float, language: str) -> None:
    low, high = ax.get_xlim()
    if math.isfinite(row.prediction_low):
        ends = max(row.prediction_low, low), min(row.prediction_high, high)
        [line] = ax.plot(ends, [place, place], color=COLOURS[1], linewidth=1.5)
        mark(line, group=row.group)
    tall = 0.075
    if math.isfinite(row.ci_low):
        xs = [max(row.ci_low, low), row.estimate, min(row.ci_high, high), row.estimate]
        [shape] = ax.fill(
            xs, [place, place - tall, place, place + tall], color=COLOURS[1], zorder=3
        )
        mark(shape, said(row, language), group=row.group)
    else:
        [point] = ax.plot([row.estimate], [place], "D", color=COLOURS[1], markersize=7)
        mark(point, said(row, language), group=row.group)


def said(row: Row, language: str = "en") -> str:
    """Return what a mark says when a reader points at it."""
    words = labels(language)
    parts = [f"{row.label}{'：' if language == 'zh' else ': '}{row.text(language)}"]
    if math.isfinite(row.weight):
        parts.append(words["weight"].format(share=formatting.number(100 * row.weight, 0)))
    if math.isfinite(row.prediction_low):
        between = formatting.span(row.prediction_low, row.prediction_high, row.decimals)
        parts.append(words["prediction_note"].format(interval=span(between, language)))
    return ("；" if language == "zh" else "; ").join(parts)


def alternative(rows: Sequence[Row], unit: str, language: str = "en") -> str:
    """Return the alternative text: means first, then every study with its interval."""
    words, stop = labels(language), ("；" if language == "zh" else "; ")
    means = [said(row, language) for row in rows if row.is_mean]
    studies = [f"{row.label} {row.text(language)}" for row in rows if not row.is_mean]
    end = "。" if language == "zh" else ". "
    return words["alt_forest"].format(
        n=len(studies),
        unit=unit,
        pooled="".join(f"{text}{end}" for text in means),
        studies=stop.join(studies),
    )


def rows_of(
    studies: pl.DataFrame, means: pl.DataFrame, *, by: str = "", language: str = "en"
) -> list[Row]:
    """Return the rows of a forest plot from frames.

    Parameters
    ----------
    studies : polars.DataFrame
        label, estimate, ci_low, ci_high, weight, and the column `by`; href if studies have pages.
    means : polars.DataFrame
        estimate, ci_low, ci_high, prediction_low, prediction_high, and `by`, whose empty value is
        the mean over all.
    by : str
        Column of groups; empty for none.
    language : str
        ``en`` or ``zh``.
    """
    words = labels(language)
    keys = studies[by].unique(maintain_order=True).to_list() if by else [""]
    rows = []
    for key in keys:
        name = word(str(key), language) if key else ""
        part = studies.filter(pl.col(by) == key) if by else studies
        rows += [
            Row(**_known(row, ("is_mean", "group")), group=name)
            for row in part.iter_rows(named=True)
        ]
        mean = means.filter(pl.col(by) == key) if by else means.clear()
        label = words["mean_of"].format(group=name)
        rows += [_mean(row, label, name) for row in mean.iter_rows(named=True)]
    overall = means.filter(pl.col(by).fill_null("") == "") if by else means
    return rows + [_mean(row, words["mean"], "") for row in overall.iter_rows(named=True)]


def _mean(row: dict[str, Any], label: str, group: str) -> Row:
    return Row(
        **{**_known(row, ("label", "is_mean", "group", "weight")), "label": label},
        is_mean=True,
        group=group,
    )


def _known(row: dict[str, Any], without: Sequence[str]) -> dict[str, Any]:
    names = set(Row.__dataclass_fields__) - set(without)
    return {k: math.nan if v is None else v for k, v in row.items() if k in names}
