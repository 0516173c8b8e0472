"""Results as figures: Matplotlib axes, with the data and the alternative text behind them."""

from __future__ import annotations

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


def plot(
    *results: Result,
    names: Sequence[str] = (),
    language: str = "en",
    ax: Axes | None = None,
) -> Axes:
    """Draw the estimates of one or more results, one row an estimate, one colour a result.

    Parameters
    ----------
    *results : Result
        At least one; their units should agree.
    names : sequence of str
        Names of the results; their titles if left out.
    language : str
        ``en`` or ``zh``.
    ax : matplotlib Axes, optional
        Where; a new figure if left out.

    Returns
    -------
    matplotlib Axes
    """
    from analysis.results.forest import Row, forest
    from analysis.results.labels import labels, span

    heads = list(names) or [output.title for output in results]
    several = len({o for output in results for o in output.frame["outcome"]}) > 1
    rows, units = [], []
    for number, (head, result) in enumerate(zip(heads, results, strict=True)):
        for effect in result.effects:
            parts = (head if len(results) > 1 else "", effect.outcome if several else "")
            between = effect.note or span(effect.interval.text, language)
            rows.append(
                Row(
                    ", ".join(x for x in (*parts, effect.term) if x),
                    effect.value,
                    effect.low,
                    effect.high,
                    colour=number,
                    printed=f"{effect.text} ({between})",
                )
            )
            units.append(effect.unit)
    unit = units[0] if len(set(units)) == 1 else ""
    data = pl.concat(
        [
            r.frame.with_columns(pl.lit(h).alias("result"))
            for h, r in zip(heads, results, strict=True)
        ],
        how="diagonal",
    )
    stop = "；" if language == "zh" else "; "
    points = stop.join(f"{row.label}: {row.printed}" for row in rows)
    alt = labels(language)["alt_coefficients"].format(unit=unit, points=points)
    first = results[0].provenance
    joined = first.joined([output.provenance for output in results[1:]], first.method)
    return forest(rows, unit, data=data, alt=alt, provenance=joined, language=language, ax=ax)
