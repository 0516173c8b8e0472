"""Results as figures: Matplotlib axes, with the data and the alternative text behind them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final
from weakref import WeakKeyDictionary

import polars as pl

from analysis.results.provenance import Provenance

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from analysis.results.result import Result

COLOURS: Final = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#56B4E9", "#E69F00")
"""Okabe and Ito's palette (2008), told apart by colour-blind readers; black is for text."""
NEUTRAL: Final = "#6b6b6b"
ROW: Final = 0.42
"""Inches a row of a figure takes."""


@dataclass(frozen=True, eq=False)
class Exhibit:
    """What a figure shows.

    Attributes
    ----------
    data : polars.DataFrame
        Numbers behind it.
    alt : str
        Alternative text, from the numbers.
    provenance : Provenance
        Where they come from.
    """

    data: pl.DataFrame
    alt: str
    provenance: Provenance


_EXHIBITS: WeakKeyDictionary[Figure, Exhibit] = WeakKeyDictionary()


def note(ax: Axes, data: pl.DataFrame, alt: str, provenance: Provenance) -> Axes:
    """Note what a figure shows, so that a page can record it; return its axes."""
    figure = ax.get_figure(root=True)
    if figure is not None:
        _EXHIBITS[figure] = Exhibit(data, alt, provenance)
    return ax


def exhibit_of(figure: Figure) -> Exhibit | None:
    """Return what was noted of a figure; None if nothing was."""
    return _EXHIBITS.get(figure)


def axes(ax: Axes | None = None, *, height: float = 3.4, width: float = 7.0) -> Axes:
    """Return axes in the style of this project: text as text, no frame, ticks that can be read."""
    import matplotlib as mpl
    from matplotlib import pyplot as plt

    mpl.rcParams["svg.fonttype"] = "none"
    mpl.rcParams["svg.hashsalt"] = "analysis"
    if ax is None:
        _, ax = plt.subplots(figsize=(width, height), layout="constrained")
    for side in ("top", "right"):
        ax.spines[side].set_visible(False)
    for side in ("left", "bottom"):
        ax.spines[side].set_color(NEUTRAL)
    ax.tick_params(colors="#333333", labelsize=10)
    return ax


def coefficients(result: Result, ax: Axes | None = None, **options: Any) -> Axes:
    """Draw every estimate of a result with its interval, one row each."""
    return plot(result, ax=ax, **options)


def plot(*results: Result, names: Sequence[str] = (), ax: Axes | None = None) -> Axes:
    """Draw the estimates of one or more results, one row an estimate, one colour a result.

    Parameters
    ----------
    *results : Result
        At least one; their units should agree.
    names : sequence of str
        Names of the results; their titles if left out.
    ax : matplotlib Axes, optional
        Where; a new figure if left out.

    Returns
    -------
    matplotlib Axes
    """
    heads = list(names) or [one.title for one in results]
    several = len({o for one in results for o in one.frame["outcome"]}) > 1
    rows = []
    for number, (head, result) in enumerate(zip(heads, results, strict=True)):
        for effect in result.effects:
            label = effect.term if not several else f"{effect.outcome}: {effect.term}"
            rows.append((label if len(results) == 1 else f"{head}\n{label}", number, effect))
    ax = axes(ax, height=max(1.6, 0.8 + ROW * len(rows)))
    for place, (_, number, effect) in enumerate(rows):
        colour = COLOURS[number % len(COLOURS)]
        if math.isfinite(effect.low) and math.isfinite(effect.high):
            ax.plot([effect.low, effect.high], [place, place], color=colour, linewidth=2)
        ax.plot([effect.value], [place], "o", color=colour, markersize=6)
        ax.annotate(
            effect.text,
            (effect.value, place),
            xytext=(0, 7),
            textcoords="offset points",
            ha="center",
            fontsize=9,
        )
    ax.axvline(0, color=NEUTRAL, linewidth=0.8)
    ax.set_yticks(range(len(rows)), [label for label, _, _ in rows])
    ax.set_ylim(len(rows) - 0.4, -0.8)
    units = list(dict.fromkeys(effect.unit for _, _, effect in rows))
    ax.set_xlabel(units[0] if len(units) == 1 else "")
    first = results[0].provenance
    data = pl.concat(
        [
            r.frame.with_columns(pl.lit(h).alias("result"))
            for h, r in zip(heads, results, strict=True)
        ],
        how="diagonal",
    )
    alt = "; ".join(
        f"{label.replace(chr(10), ', ')}: {e.text} ({e.note or e.interval.text})"
        for label, _, e in rows
    )
    joined = first.joined([one.provenance for one in results[1:]], first.method)
    return note(ax, data, f"{'; '.join(heads)}. {alt}", joined)


def event_study(result: Result, ax: Axes | None = None) -> Axes:
    """Draw effects by event time: intervals, joint bands, a hollow mark for the base.

    Parameters
    ----------
    result : EventStudy
        With `reference`, and columns event_time, band_low and band_high.
    ax : matplotlib Axes, optional
        Where; a new figure if left out.
    """
    ax = axes(ax)
    outcomes = result.frame["outcome"].unique(maintain_order=True).to_list()
    for number, outcome in enumerate(outcomes):
        part = result.frame.filter(pl.col("outcome") == outcome).sort("event_time")
        colour = COLOURS[number % len(COLOURS)]
        times, points = part["event_time"].to_numpy(), part["estimate"].to_numpy()
        ax.vlines(times, part["band_low"], part["band_high"], color=colour, linewidth=1)
        ax.vlines(times, part["ci_low"], part["ci_high"], color=colour, linewidth=3)
        ax.plot(times, points, "o", color=colour, markersize=6)
        if len(outcomes) > 1:
            ax.annotate(
                outcome,
                (times[-1], points[-1]),
                xytext=(8, 0),
                textcoords="offset points",
                color=colour,
                va="center",
            )
    reference = getattr(result, "reference", None)
    if reference is not None:
        ax.plot([reference], [0], "o", mfc="white", mec="#333333", markersize=6)
    ax.axhline(0, color=NEUTRAL, linewidth=0.8)
    ax.axvline(-0.5, color=NEUTRAL, linewidth=0.8, linestyle=":")
    units = result.frame["unit"].unique().to_list()
    ax.set_xlabel("periods since the first treated period")
    ax.set_ylabel(units[0] if len(units) == 1 else "")
    alt = "; ".join(f"{e.term}: {e.text} ({e.note or e.interval.text})" for e in result.effects)
    return note(ax, result.frame, f"{result.title} by event time. {alt}", result.provenance)
