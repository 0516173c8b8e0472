"""Figures of sensitivity: the specification curve with its choices, and where a sign breaks."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import polars as pl
from matplotlib.axes import Axes
from matplotlib.ticker import FixedLocator, FuncFormatter

from analysis import printing
from analysis.figures.style import SMALL, Figure, Theme, draw

TOP = 8.0
"""Height of the curve, in rows of choices."""
ROW = 0.19
"""Inches of a row."""


def curve(
    name: str,
    tier: str,
    rows: pl.DataFrame,
    options: Sequence[tuple[str, str, str]],
    *,
    truth: float | None = None,
    subject: str = "",
    empty: str = "",
) -> Figure:
    """Draw estimates in order of size, and below them which choices each one made.

    Parameters
    ----------
    name : str
        Label of the cell.
    tier : str
        Evidence tier.
    rows : DataFrame
        As `analysis.sensitivity.specifications.joint` gives it; per cent.
    options : sequence of (str, str, str)
        Choice, value and label of each row below the curve.
    truth : float, optional
        Assumed effect of a simulated panel, per cent.
    subject : str
        Which programme, for the alternative text.
    empty : str
        Said in place of a curve where there are no rows.
    """
    depth = _depths(options)

    def paint(axes: Axes, theme: Theme) -> None:
        if rows.is_empty():
            axes.text(0.5, 0.5, empty, transform=axes.transAxes, ha="center", wrap=True)
            axes.set_axis_off()
            return
        place, ticks = _scale(rows, truth)
        at = list(range(rows.height))
        axes.fill_between(
            at,
            [place(v) for v in rows["band_low"]],
            [place(v) for v in rows["band_high"]],
            color=theme.grid,
            lw=0,
        )
        axes.fill_between(
            at,
            [place(v) for v in rows["ci_low"]],
            [place(v) for v in rows["ci_high"]],
            color=theme.accents[0],
            alpha=0.35,
            lw=0,
        )
        axes.plot(at, [place(v) for v in rows["estimate"]], color=theme.accents[0], lw=1.6)
        for k, row in enumerate(rows.iter_rows(named=True)):
            if row["main"]:
                axes.plot(k, place(row["estimate"]), "D", color=theme.accents[5], ms=5)
                axes.annotate(
                    "main",
                    (k, place(row["estimate"])),
                    xytext=(0, 6),
                    textcoords="offset points",
                    ha="center",
                    fontsize=SMALL,
                    color=theme.accents[5],
                )
        axes.plot([0, rows.height - 1], [place(0.0)] * 2, color=theme.faint, lw=0.8)
        if truth is not None:
            axes.plot(
                [0, rows.height - 1], [place(truth)] * 2, color=theme.accents[1], lw=1.4, ls="--"
            )
            axes.annotate(
                "put into the panel",
                (rows.height - 1, place(truth)),
                xytext=(0, 3),
                textcoords="offset points",
                ha="right",
                fontsize=SMALL,
                color=theme.ink,
            )
        for (choice, value, _), y in zip(options, depth, strict=True):
            chosen = [k for k in at if rows[choice][k] == value]
            axes.plot(chosen, [y] * len(chosen), "|", color=theme.ink, ms=5, mew=0.7)
        places = [*(place(t) for t in ticks), *depth]
        labels = [*(f"{printing.number(t)} %" for t in ticks), *(label for *_, label in options)]
        axes.set_yticks(places, labels)
        axes.tick_params(axis="y", length=0, labelsize=SMALL)
        axes.set_ylim(min(depth, default=0) - 0.8, TOP + 0.3)
        axes.set_xlim(-1, rows.height)
        axes.grid(visible=False, axis="x")
        axes.set_xlabel("specifications, by size of the estimate")

    alt = empty or _curve_alt(rows, options, truth, subject)
    return draw(name, tier, paint, rows, alt, height=1.2 + ROW * (TOP - min(depth, default=0)))


def _depths(options: Sequence[tuple[str, str, str]]) -> list[float]:
    """Return the place of each option's row, with a gap between choices."""
    depth, found, before = -0.6, [], ""
    for choice, *_ in options:
        depth -= 1.0 if choice == before else 1.5
        found.append(depth)
        before = choice
    return found


def _scale(rows: pl.DataFrame, truth: float | None) -> tuple[Callable[[float], float], list[float]]:
    """Return where an estimate is drawn above the rows of choices, and the ticks."""
    values = [0.0, *rows["band_low"], *rows["band_high"], *([] if truth is None else [truth])]
    low, high = min(values), max(values)
    width = high - low or 1.0
    step = next(s * 10**p for p in range(-6, 12) for s in (1, 2, 5) if width / (s * 10**p) <= 6)
    first = int(low // step)
    ticks = [k * step for k in range(first, first + 9) if low <= k * step <= high]
    return (lambda value: (value - low) / width * TOP), ticks


def _curve_alt(
    rows: pl.DataFrame, options: Sequence[tuple[str, str, str]], truth: float | None, subject: str
) -> str:
    if rows.is_empty():
        return "No specification."
    estimates = rows["estimate"]
    middle = printing.number(float(estimates.median()), 1)  # type: ignore[arg-type]
    said = (
        f"Specification curve of {subject}: {rows.height} estimates from "
        f"{printing.number(estimates[0], 1)} to {printing.number(estimates[-1], 1)} per cent, "
        f"median {middle}, with intervals and a joint band; below it the choices of each"
    )
    parts = []
    for choice, value, label in options:
        part = rows.filter(pl.col(choice) == value)["estimate"]
        if part.len():
            half = printing.number(float(part.median()), 1)  # type: ignore[arg-type]
            parts.append(f"{label} median {half}")
    known = "" if truth is None else f" Put into the panel: {printing.number(truth, 1)} per cent."
    return f"{said}. {'; '.join(parts)}.{known}"


def breakdown(
    name: str,
    tier: str,
    rows: pl.DataFrame,
    *,
    money: str,
    truth: float | None = None,
    broken: float | None = None,
    subject: str = "",
    empty: str = "",
) -> Figure:
    """Draw the interval of an estimate as trends are allowed to drift further.

    Parameters
    ----------
    name : str
        Label of the cell.
    tier : str
        Evidence tier.
    rows : DataFrame
        As `analysis.sensitivity.trends.relative_magnitudes` gives it.
    money : str
        Unit of the axis, such as ``yuan a year, prices of each year``.
    truth : float, optional
        Assumed effect of a simulated panel.
    broken : float, optional
        Bound at which the sign is lost.
    subject, empty : str
        As in `curve`.
    """

    def paint(axes: Axes, theme: Theme) -> None:
        if rows.is_empty():
            axes.text(0.5, 0.5, empty, transform=axes.transAxes, ha="center", wrap=True)
            axes.set_axis_off()
            return
        x = rows["bound"].to_list()
        axes.fill_between(
            x,
            rows["ci_low"].to_list(),
            rows["ci_high"].to_list(),
            color=theme.accents[0],
            alpha=0.25,
            lw=0,
        )
        axes.fill_between(
            x,
            rows["set_low"].to_list(),
            rows["set_high"].to_list(),
            color=theme.accents[0],
            alpha=0.45,
            lw=0,
        )
        for column, text in (("ci_high", "with sampling error"), ("set_high", "points alone")):
            axes.annotate(
                text,
                (x[-1], rows[column][-1]),
                xytext=(-4, -12),
                textcoords="offset points",
                ha="right",
                fontsize=SMALL,
                color=theme.ink,
            )
        axes.axhline(0, color=theme.faint, lw=1)
        if truth is not None:
            axes.axhline(truth, color=theme.accents[1], lw=1.4, ls="--")
            axes.annotate(
                "put into the panel",
                (x[-1], truth),
                xytext=(-4, 3),
                textcoords="offset points",
                ha="right",
                fontsize=SMALL,
                color=theme.ink,
            )
        if broken is not None and 0 < broken < x[-1]:
            axes.axvline(broken, color=theme.accents[5], lw=1, ls=":")
            axes.annotate(
                f"sign lost at {printing.number(broken, 2)}",
                (broken, float(min(rows["ci_low"]))),
                xytext=(4, 2),
                textcoords="offset points",
                fontsize=SMALL,
                color=theme.accents[5],
            )
        axes.set_xlim(0, x[-1])
        axes.xaxis.set_major_locator(FixedLocator([b for b in x if (2 * b) == int(2 * b)]))
        axes.yaxis.set_major_formatter(FuncFormatter(lambda v, _: printing.number(v, 0)))
        axes.set_xlabel("drift after treatment, in multiples of the largest before")
        axes.set_ylabel(money)

    said = "; ".join(
        f"{printing.number(row['bound'], 2)}: {printing.number(row['ci_low'], 0)} to "
        f"{printing.number(row['ci_high'], 0)}"
        for row in rows.iter_rows(named=True)
    )
    alt = empty or (
        f"Interval of the mean estimate of {subject} after treatment ({money}) by how far trends "
        f"may drift, in multiples of the largest drift before: {said}."
    )
    return draw(name, tier, paint, rows, alt, height=3.4)
