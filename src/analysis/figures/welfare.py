"""Figures of poverty, inequality and the distribution: levels over time, growth, effects."""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl
from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter, MaxNLocator

from analysis import printing
from analysis.figures.style import SMALL, Figure, Theme, draw

ROOM = 0.3
"""Share of the axis kept free on the right for the names of the lines."""
BEYOND = 2.0
"""Growth beyond so many times the mean or any place is written at the edge of the axis."""


def headcounts(
    name: str, tier: str, measured: pl.DataFrame, labels: Mapping[str, str], empty: str
) -> Figure:
    """Draw the share below each line over time: persons with intervals, households dashed.

    Parameters
    ----------
    name, tier : str
        Label of the cell, and evidence tier.
    measured : polars.DataFrame
        Of `analysis.welfare.poverty.measure`, as a frame.
    labels : mapping of str to str
        What each line is called.
    empty : str
        What to say if there is nothing to draw.
    """
    shown = (
        measured.filter(measure="headcount", group="all")
        .select(
            "period",
            "line_name",
            "unit",
            *(pl.col(c) * 100 for c in ("estimate", "ci_low", "ci_high")),
        )
        .sort("line_name", "unit", "period")
    )
    if shown.is_empty():
        return _nothing(name, tier, shown, empty)
    persons = shown.filter(unit="person")
    names = persons["line_name"].unique(maintain_order=True).to_list()

    def paint(axes: Axes, theme: Theme) -> None:
        ends = []
        for colour, line in zip(theme.accents, names, strict=False):
            for unit, style in (("person", "-"), ("household", ":")):
                rows = shown.filter(line_name=line, unit=unit)
                axes.plot(
                    rows["period"],
                    rows["estimate"],
                    style,
                    color=colour,
                    lw=2,
                    marker="o" if unit == "person" else "",
                    markersize=3,
                )
            _ribbon(axes, persons.filter(line_name=line), "period", colour)
            ends.append(float(persons.filter(line_name=line)["estimate"][-1]))
        _names(axes, persons, [labels.get(n, n) for n in names], ends)
        _years(axes, persons)
        axes.set_ylabel("per cent below the line")
        axes.set_ylim(bottom=0)
        axes.plot([], [], "-", color=theme.ink, label="persons")
        axes.plot([], [], ":", color=theme.ink, label="households")
        axes.legend(loc="upper right", ncols=2)

    said = "; ".join(
        f"{labels.get(line, line)}, {unit}s, from {_said(rows[0])} to {_said(rows[-1])}"
        for line in names
        for unit in ("person", "household")
        for rows in [shown.filter(line_name=line, unit=unit)["estimate"].to_list()]
    )
    alt = f"Lines: per cent below each poverty line, {_span(persons)}. {said}."
    return draw(name, tier, paint, shown, alt)


def indices(name: str, tier: str, measured: pl.DataFrame, labels: Mapping[str, str]) -> Figure:
    """Draw indices of inequality over time, with intervals.

    Parameters
    ----------
    name, tier : str
        Label of the cell, and evidence tier.
    measured : polars.DataFrame
        Of `analysis.welfare.inequality.measure`, as a frame.
    labels : mapping of str to str
        What each index is called.
    """
    shown = measured.select("period", "index", "estimate", "ci_low", "ci_high").drop_nulls(
        "estimate"
    )
    if shown.is_empty():
        return _nothing(name, tier, shown, "No row of this panel has all four sources of income.")
    names = shown["index"].unique(maintain_order=True).to_list()

    def paint(axes: Axes, theme: Theme) -> None:
        ends = []
        for colour, index in zip(theme.accents, names, strict=False):
            rows = shown.filter(index=index)
            axes.plot(
                rows["period"], rows["estimate"], color=colour, lw=2, marker="o", markersize=3
            )
            _ribbon(axes, rows, "period", colour)
            ends.append(float(rows["estimate"][-1]))
        _names(axes, shown, [labels[n] for n in names], ends)
        _years(axes, shown)
        axes.set_ylim(bottom=0)
        axes.set_ylabel("index")
        axes.yaxis.set_major_formatter(FuncFormatter(lambda y, _: printing.number(y, 2)))

    said = "; ".join(
        f"{labels[index]} from {printing.number(rows[0])} to {printing.number(rows[-1])}"
        for index in names
        for rows in [shown.filter(index=index)["estimate"].to_list()]
    )
    return draw(name, tier, paint, shown, f"Lines: inequality, {_span(shown)}. {said}.")


def incidence(
    name: str, tier: str, curves: pl.DataFrame, mean: float | None, prices: str, empty: str
) -> Figure:
    """Draw growth along the distribution: of places, and of the same households.

    Parameters
    ----------
    name, tier : str
        Label of the cell, and evidence tier.
    curves : polars.DataFrame
        curve (places, same households), share, estimate, ci_low, ci_high: shares of the first year.
    mean : float or None
        Growth of the mean, a share.
    prices : str
        Which prices the growth is in.
    empty : str
        What to say if there is nothing to draw.
    """
    numbers = {c: 100 * pl.col(c) for c in ("estimate", "ci_low", "ci_high")}
    shown = curves.select("curve", percentile=100 * pl.col("share"), **numbers)
    shown = shown.drop_nulls("estimate").filter(pl.col("estimate").is_finite())
    if shown.is_empty() or mean is None:
        return _nothing(name, tier, shown, empty)
    top = BEYOND * max(100 * abs(mean), *(abs(y) for y in _of(shown, "places")["estimate"]))

    def paint(axes: Axes, theme: Theme) -> None:
        for colour, curve, mark in zip(
            theme.accents, ("places", "same households"), ("o", "s"), strict=False
        ):
            rows = _of(shown, curve)
            axes.plot(
                rows["percentile"],
                rows["estimate"],
                color=colour,
                lw=2,
                marker=mark,
                markersize=3.5,
                label=_CURVES[curve],
            )
            _ribbon(axes, rows, "percentile", colour)
        axes.axhline(100 * mean, color=theme.faint, lw=1, ls="--", label="growth of the mean")
        axes.axhline(0, color=theme.faint, lw=0.8)
        for row in shown.filter(pl.col("estimate") > top).iter_rows(named=True):
            axes.annotate(
                f"{_said(row['estimate'])} \u2191",
                (row["percentile"], top),
                fontsize=SMALL,
                xytext=(4, -10),
                textcoords="offset points",
            )
        axes.set_ylim(top=min(axes.get_ylim()[1], top))
        axes.set_xlim(0, 100)
        axes.set_xlabel("place in the distribution, poorest to richest (per cent)")
        axes.set_ylabel(f"growth, per cent ({prices})")
        axes.yaxis.set_major_formatter(FuncFormatter(lambda y, _: printing.number(y)))
        axes.figure.legend(loc="outside lower center", ncols=1)

    said = []
    for curve in ("places", "same households"):
        rows = _of(shown, curve)
        if rows.height:
            said.append(
                f"{_CURVES[curve]}: {_said(rows['estimate'][0])} per cent at the poor end, "
                f"{_said(rows['estimate'][-1])} at the rich end"
            )
    alt = (
        f"Growth of real income per head along the distribution. {'; '.join(said)}; "
        f"the mean grew by {_said(100 * mean)} per cent."
    )
    return draw(name, tier, paint, shown, alt, height=4.2)


def _of(shown: pl.DataFrame, curve: str) -> pl.DataFrame:
    return shown.filter(curve=curve).sort("percentile")


_CURVES = {
    "places": "each place, whoever stands there",
    "same households": "the same households, by place in the first year",
}


def quantile_effects(
    name: str, tier: str, rows: pl.DataFrame, subject: str, money: str, empty: str
) -> Figure:
    """Draw effects on the deciles of the treated with the grid's bounds, joint band and truth.

    Parameters
    ----------
    name, tier : str
        Label of the cell, and evidence tier.
    rows : polars.DataFrame
        Of `analysis.welfare.quantiles.effects`, with truth.
    subject : str
        The programme.
    money : str
        Unit and prices of the axis.
    empty : str
        What to say if there is nothing to draw.
    """
    if rows.is_empty() or rows["estimate"].null_count() == rows.height:
        return _nothing(name, tier, rows, empty)
    shown = rows.with_columns(percentile=100 * pl.col("share"))

    def paint(axes: Axes, theme: Theme) -> None:
        band = shown.drop_nulls(["band_low", "band_high"])
        axes.vlines(
            band["percentile"],
            band["band_low"],
            band["band_high"],
            lw=1.5,
            color=theme.accents[0],
            label="joint band (sampling and grid)",
        )
        grid = shown.drop_nulls(["grid_low", "grid_high"])
        axes.vlines(
            grid["percentile"],
            grid["grid_low"],
            grid["grid_high"],
            lw=6,
            alpha=0.45,
            color=theme.accents[0],
            label="what the grid leaves open",
        )
        axes.plot(
            shown["percentile"],
            shown["estimate"],
            "o",
            color=theme.accents[0],
            markersize=5,
            label="estimate",
        )
        known = shown.drop_nulls("truth")
        if known.height:
            axes.plot(
                known["percentile"],
                known["truth"],
                "D",
                color=theme.accents[1],
                markersize=5,
                label="truth of the simulation",
            )
        axes.axhline(0, color=theme.faint, lw=0.8)
        axes.set_xticks(shown["percentile"].to_list())
        axes.set_xlabel("place among the treated, poorest to richest (per cent)")
        axes.set_ylabel(money)
        axes.yaxis.set_major_locator(MaxNLocator(6))
        axes.yaxis.set_major_formatter(FuncFormatter(lambda y, _: printing.number(y)))
        axes.figure.legend(loc="outside lower center", ncols=2)

    said = "; ".join(
        f"at {row['percentile']:.0f} per cent {_said(row['estimate'])}"
        + (
            f", band {_said(row['band_low'])} to {_said(row['band_high'])}"
            if None not in (row["band_low"], row["band_high"])
            else ", no band"
        )
        + (f", truth {_said(row['truth'])}" if row["truth"] is not None else "")
        for row in shown.iter_rows(named=True)
        if row["estimate"] is not None
    )
    alt = f"{subject}: estimated difference at each decile of the treated, {money}: {said}."
    return draw(name, tier, paint, shown, alt, height=4.2)


def _nothing(name: str, tier: str, data: pl.DataFrame, why: str) -> Figure:
    """Draw an empty plot that says why it is empty."""

    def paint(axes: Axes, theme: Theme) -> None:
        axes.set_axis_off()
        axes.text(0, 0.5, why, transform=axes.transAxes, color=theme.ink, wrap=True, fontsize=SMALL)

    return draw(name, tier, paint, data, why, height=1)


def _ribbon(axes: Axes, rows: pl.DataFrame, x: str, colour: str) -> None:
    there = rows.drop_nulls(["ci_low", "ci_high"])
    axes.fill_between(
        there[x].to_numpy(),
        there["ci_low"].to_numpy(),
        there["ci_high"].to_numpy(),
        color=colour,
        alpha=0.2,
        lw=0,
    )


def _said(value: float) -> str:
    return printing.number(value, 0 if abs(value) >= 100 else 1)


def _span(frame: pl.DataFrame) -> str:
    periods = sorted(frame["period"].to_list())
    return str(periods[0]) if periods[0] == periods[-1] else f"{periods[0]} to {periods[-1]}"


def _years(axes: Axes, frame: pl.DataFrame) -> None:
    """Set the years with room for names on the right; one year still needs some width."""
    periods = sorted(frame["period"].unique().to_list())
    first, last = periods[0], periods[-1]
    width = max(1, last - first)
    axes.set_xlim(first - 0.03 * width, last + ROOM * width)
    axes.set_xticks(range(first, last + 1, max(1, (last - first) // 3)))
    axes.grid(visible=False, axis="x")
    axes.yaxis.set_major_formatter(FuncFormatter(lambda y, _: printing.number(y)))


def _names(axes: Axes, frame: pl.DataFrame, names: list[str], ends: list[float]) -> None:
    """Write the name of each line at its end, apart from its neighbours."""
    highest = max(*(float(y) for y in frame["estimate"]), 1e-9)
    last = max(frame["period"].to_list())
    floor = float("-inf")
    for end, text in sorted(zip(ends, names, strict=True)):
        place = max(end, floor)
        axes.text(last, place, f"  {text}", fontsize=SMALL, va="center")
        floor = place + 0.08 * highest
