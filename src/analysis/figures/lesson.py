"""Figures that teach: a path with intervals and a band, and what a reader switches on and off.

The switches are a form that ``assets/uncertainty.js`` brings to life; everything it shows is in the
form already, as printed here.
"""

from __future__ import annotations

import json
import textwrap
from dataclasses import dataclass
from html import escape
from typing import Any

import polars as pl
from IPython.display import publish_display_data
from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter, MultipleLocator

from analysis import printing
from analysis.figures.style import Figure, Theme, draw

WRAP = 30
"""Characters after which the label of the upright axis breaks."""
LABELS = {
    "before_after": "Before and after",
    "with_without": "With and without",
    "design": "Compared, one programme at a time",
    "together": "Compared, all programmes at once",
}
"""What each way of `analysis.answers.lesson.METHODS` is called."""
SWITCHES = {
    "growth": "Incomes grow for everybody",
    "selection_level": "The better-off join first",
    "dip": "Wages dip before people join",
}
"""What each of `analysis.answers.lesson.DIFFICULTIES` is called."""


def bands(name: str, rows: pl.DataFrame, *, tier: str, unit: str) -> Figure:
    """Draw a path with an interval for each year and one band for all years.

    Parameters
    ----------
    name : str
        Label of the cell.
    rows : polars.DataFrame
        As `analysis.answers.reading.Path.rows`.
    tier : str
        Evidence tier.
    unit : str
        Of the estimates, with the year of prices.
    """
    at = rows["at"].to_numpy()

    def paint(axes: Axes, theme: Theme) -> None:
        axes.axhline(0, color=theme.faint, lw=1)
        axes.fill_between(
            at,
            rows["band_low"],
            rows["band_high"],
            color=theme.accents[0],
            alpha=0.22,
            lw=0,
            label="joint band, for all years",
        )
        axes.vlines(
            at,
            rows["ci_low"],
            rows["ci_high"],
            color=theme.accents[1],
            lw=3,
            label="interval, for one year",
        )
        axes.plot(at, rows["estimate"], "o-", color=theme.accents[0], lw=1, ms=5, label="estimate")
        axes.set_xlabel("years since the first year in the programme")
        axes.set_ylabel(textwrap.fill(unit, WRAP))
        axes.xaxis.set_major_locator(MultipleLocator(1))
        axes.yaxis.set_major_formatter(FuncFormatter(lambda x, _: printing.number(x)))
        axes.figure.legend(loc="outside lower center", ncols=2)

    said = "; ".join(
        f"year {row['at']}: {printing.number(row['estimate'], 0)}, interval "
        f"{printing.number(row['ci_low'], 0)} to {printing.number(row['ci_high'], 0)}, band "
        f"{printing.number(row['band_low'], 0)} to {printing.number(row['band_high'], 0)}"
        for row in rows.iter_rows(named=True)
    )
    alt = f"Estimates by years since the start, in {unit}: the band is wider everywhere. {said}."
    return draw(name, tier, paint, rows, alt, height=3.6)


def shown(rows: pl.DataFrame) -> pl.DataFrame:
    """Return the combinations as a reader sees them, one row each.

    Parameters
    ----------
    rows : polars.DataFrame
        As `analysis.answers.lesson.made` gives it.

    Returns
    -------
    polars.DataFrame
        The switches as yes or no, truth, and each method with its interval, as text.
    """
    table = []
    for state in _states(rows):
        mine = {row["method"]: row for row in _of(rows, state)}
        table.append(
            {
                **{name: "yes" if on else "no" for name, on in state.items()},
                "truth": printing.number(next(iter(mine.values()))["truth"], 0),
                **{method: _said(mine[method]) for method in LABELS if method in mine},
            }
        )
    return pl.DataFrame(table)


@dataclass(frozen=True)
class Controls:
    """Controls ready to show: a form that a script brings to life."""

    markup: str

    def _ipython_display_(self) -> None:
        """Show the form."""
        publish_display_data({"text/html": self.markup})


def controls(rows: pl.DataFrame, unit: str, badge: str) -> Controls:
    """Return the form with its switches, its picture and one sentence for what is switched on.

    Parameters
    ----------
    rows : polars.DataFrame
        As `analysis.answers.lesson.made` gives it.
    unit : str
        Of the estimates, with the year of prices.
    badge : str
        What kind of evidence it is, in words.
    """
    low, high = axis(rows)
    states = _states(rows)
    content = {
        "".join("1" if on else "0" for on in state.values()): _frame(_of(rows, state), low, high)
        for state in states
    }
    first = content["0" * len(SWITCHES)]
    boxes = "".join(
        f'<p><input type="checkbox" id="lesson-{name}" name="{name}"> '
        f'<label for="lesson-{name}">{text}</label></p>'
        for name, text in SWITCHES.items()
    )
    lines = "".join(_line(method, first["rows"][method]) for method in first["rows"])
    return Controls(
        f"<form class=\"lesson\" data-lesson='{escape(json.dumps(content), quote=True)}'>"
        f'<p class="table-tier"><span class="badge tier-model">{escape(badge)}</span></p>'
        "<noscript><p>These switches need JavaScript. The table below holds every combination."
        "</p></noscript>"
        f"<fieldset disabled><legend>Switch difficulties on</legend>{boxes}</fieldset>"
        f'<div class="lesson-picture" aria-hidden="true" style="--truth:{first["truth"]}%">{lines}'
        f'<p class="lesson-axis"><span>{printing.number(low, 0)}</span> '
        f"<span>{escape(unit)}</span> <span>{printing.number(high, 0)}</span></p></div>"
        f'<p role="status" aria-live="polite" data-said>{first["said"]}</p></form>'
    )


def _states(rows: pl.DataFrame) -> list[dict[str, bool]]:
    names = list(SWITCHES)
    return list(rows.select(names).unique(maintain_order=True).sort(names).iter_rows(named=True))


def _of(rows: pl.DataFrame, state: dict[str, bool]) -> list[dict[str, Any]]:
    wanted = pl.all_horizontal(pl.col(name) == on for name, on in state.items())
    return list(rows.filter(wanted).iter_rows(named=True))


def axis(rows: pl.DataFrame) -> tuple[float, float]:
    """Return the ends of the axis, the same for every combination, so that pictures compare."""
    known = [x for c in ("estimate", "ci_low", "ci_high", "truth") for x in rows[c].drop_nulls()]
    step = 5000.0
    return step * (min(*known, 0.0) // step), step * -(-max(known) // step)


def _frame(rows: list[dict[str, Any]], low: float, high: float) -> dict[str, Any]:
    def place(value: float) -> float:
        return round(100 * (value - low) / (high - low), 2)

    truth = rows[0]["truth"]
    lines = {
        row["method"]: {
            "at": place(row["estimate"]),
            "from": place(row["estimate"] if row["ci_low"] is None else row["ci_low"]),
            "to": place(row["estimate"] if row["ci_high"] is None else row["ci_high"]),
            "text": _said(row),
        }
        for row in rows
    }
    said = "; ".join(f"{LABELS[str(row['method'])].lower()}, {_said(row)}" for row in rows)
    return {
        "truth": place(truth),
        "rows": lines,
        "said": f"The truth is {printing.number(truth, 0)}. It is put at: {said}.",
    }


def _said(row: dict[str, Any]) -> str:
    point = printing.number(row["estimate"], 0)
    if row["ci_low"] is None:
        return f"{point} (no interval)"
    ends = (printing.number(row[end], 0) for end in ("ci_low", "ci_high"))
    return f"{point} ({' to '.join(ends)})"


def _line(method: str, at: dict[str, Any]) -> str:
    return (
        f'<div class="lesson-row" data-method="{method}" '
        f'style="--at:{at["at"]}%;--from:{at["from"]}%;--to:{at["to"]}%">'
        f"<p>{LABELS[method]}: <span data-text>{at['text']}</span></p>"
        '<div class="lesson-track"><i class="truth"></i><i class="range"></i><i class="dot"></i>'
        "</div></div>"
    )
