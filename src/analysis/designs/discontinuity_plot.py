"""The figure of a discontinuity: means by score, and the lines whose gap is the effect."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from analysis.designs.regression_discontinuity import columns, step_of
from analysis.inference.arrays import Floats
from analysis.results.labels import labels
from analysis.results.plot import COLOURS, NEUTRAL, axes, note

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from analysis.designs.discontinuity_result import DiscontinuityResult, Window

BINS = 20
"""Means that are drawn on each side at most."""


def draw(result: DiscontinuityResult, outcome: str, ax: Axes | None) -> Axes:
    """Draw one outcome of a discontinuity; returns its axes."""
    window = result.windows[outcome]
    sample, score = window.sample, result.score
    sign = -1.0 if score.treated_below else 1.0
    ax = axes(ax)
    parts = []
    for treated, colour, name in ((0, COLOURS[0], "not treated"), (1, COLOURS[1], "treated")):
        means = _means(window, treated)
        place = score.cutoff + sign * means["distance"].to_numpy()
        ax.plot(place, means["mean"], "o", color=colour, markersize=5, alpha=0.8)
        grid, line = _line(window, treated)
        ax.plot(score.cutoff + sign * grid, line, color=colour, linewidth=2)
        ax.annotate(
            name,
            (float(place[-1]), float(line[-1])),
            xytext=(0, 8),
            textcoords="offset points",
            ha="center",
            fontsize=10,
            color=colour,
        )
        parts.append(means.with_columns(side=pl.lit(name), score=pl.Series(place)))
    ax.axvline(score.cutoff, color=NEUTRAL, linewidth=0.8, linestyle="--")
    ax.set_xlabel(score.column)
    ax.set_ylabel(sample.unit or outcome)
    effect = result.effect_of("effect", outcome)
    alt = labels()["alt_jump"].format(
        outcome=outcome,
        score=score.column,
        cutoff=f"{score.cutoff:g}",
        jump=effect.text,
        interval=effect.note or effect.interval.text,
    )
    return note(ax, pl.concat(parts), alt, result.provenance)


def _means(window: Window, treated: int) -> pl.DataFrame:
    """Return means of one side by value of the score, or by groups of equal size."""
    sample = window.sample
    side = sample.d == treated
    distance, y = sample.x[side, 0], sample.y[side]
    values = np.unique(np.round(distance, 9))
    if step_of(sample.x[:, 0]) is not None and values.size <= 2 * BINS:
        group = np.searchsorted(values, np.round(distance, 9))
    else:
        rank = np.argsort(np.argsort(distance))
        group = rank * min(BINS, distance.size) // distance.size
    frame = pl.DataFrame({"group": group, "distance": distance, "y": y})
    return (
        frame.group_by("group")
        .agg(pl.col("distance").mean(), mean=pl.col("y").mean(), n=pl.len())
        .sort("group")
        .drop("group")
    )


def _line(window: Window, treated: int) -> tuple[Floats, Floats]:
    """Return the fitted line of one side: distances and values."""
    sample = window.sample
    x = columns(sample, window.degree)
    w = sample.w
    if window.triangular and window.bandwidth:
        w = w * (1 - np.abs(sample.x[:, 0]) / window.bandwidth)
    root = np.sqrt(np.clip(w, 0, None))
    beta = np.linalg.lstsq(x * root[:, None], sample.y * root, rcond=None)[0]
    distance = sample.x[sample.d == treated, 0]
    grid = np.linspace(0, distance.max() if treated else distance.min(), 50)
    s = grid / np.abs(sample.x[:, 0]).max()
    powers = np.column_stack([s**k for k in range(1, window.degree + 1)])
    full = np.column_stack([np.ones(50), np.full(50, float(treated)), powers, powers * treated])
    return grid, full @ beta
