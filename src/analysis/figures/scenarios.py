"""The targets as a figure, and the controls a reader moves (``assets/scenarios.js``)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from html import escape

import polars as pl
from IPython.display import publish_display_data
from matplotlib.axes import Axes

from analysis import printing
from analysis.figures.style import REFERENCE, SMALL, Figure, Theme, draw, row_label
from analysis.scenarios.formula import World, outcome, sigma_of
from analysis.scenarios.shown import STEP, Preset
from analysis.scenarios.targets import YEARS

SLIDERS = {
    "take-up": ("Households that take part, of those it is for", "per cent", 0, 100, 1),
    "gain": ("Gain of a household that takes part", "yuan a year", -2000, 14000, STEP),
    "cost": ("Cost for each household that takes part", "yuan", STEP, 25000, STEP),
    "years": ("Years in which the gain is counted", "years", 1, 20, 1),
}
"""Label, unit, least, most and step of each control."""
RESULTS = {
    "average": ("Gain on average over all households it is for", "yuan a year", 0),
    "percent": ("Gain of a household that takes part, of the mean income of all", "per cent", 1),
    "spent": ("Spent for each household it is for", "yuan", 0),
    "per_yuan": ("Household income for each yuan spent", "yuan", 2),
    "poor_before": ("People below the line, before", "per cent", 1),
    "poor_after": ("People below the line, after", "per cent", 1),
}
"""Label, unit and decimals of each result."""


def gains(name: str, rows: pl.DataFrame) -> Figure:
    """Draw the gain of each target in per cent of household income.

    Parameters
    ----------
    name : str
        Label of the cell.
    rows : polars.DataFrame
        As `analysis.scenarios.shown.scenarios_table` gives it.
    """
    parts = ("low", "draws_low", "median", "draws_high", "high")
    data = rows.select("name", *(f"percent_{part}" for part in parts))

    def paint(axes: Axes, theme: Theme) -> None:
        for y, row in enumerate(reversed(list(data.iter_rows(named=True)))):
            row_label(axes, theme, row["name"], y + 0.3)
            for low, high, width in (("low", "high", 1.4), ("draws_low", "draws_high", 5)):
                axes.plot(
                    [row[f"percent_{low}"], row[f"percent_{high}"]],
                    [y, y],
                    color=theme.accents[0],
                    lw=width,
                    solid_capstyle="butt",
                )
            axes.plot([row["percent_median"]], [y], "o", color=theme.accents[1], ms=6)
        axes.axvline(0, color=theme.faint, lw=1, zorder=REFERENCE)
        axes.set_ylim(-0.5, data.height - 0.3)
        axes.set_yticks([])
        axes.grid(visible=False, axis="y")
        axes.spines["left"].set_visible(False)
        axes.set_xlabel("per cent of the income of the households it is for")
        axes.plot([], [], color=theme.accents[0], lw=1.4, label="all combinations of ends")
        axes.plot([], [], color=theme.accents[0], lw=5, label="nine in ten draws")
        axes.plot([], [], "o", color=theme.accents[1], label="median of the draws")
        axes.figure.legend(loc="outside lower center", ncols=2)
        axes.set_title("AND ASSUMED RANGES", loc="right", fontsize=SMALL, color=theme.faint, pad=8)

    said = "; ".join(
        f"{row['name']}: {printing.number(row['percent_low'], 1)} to "
        f"{printing.number(row['percent_high'], 1)}, median "
        f"{printing.number(row['percent_median'], 1)}"
        for row in data.iter_rows(named=True)
    )
    alt = f"Gain in household income if each target were met, per cent. {said}."
    return draw(name, "published", paint, data, alt, height=3.4)


@dataclass(frozen=True)
class Controls:
    """Controls ready to show: a form that a script brings to life."""

    markup: str

    def _ipython_display_(self) -> None:
        """Show the form."""
        publish_display_data({"text/html": self.markup})


def controls(world: World, presets: Iterable[Preset], badge: str) -> Controls:
    """Return the form, its results worked out for the first target.

    Parameters
    ----------
    world : World
        What is held fixed; the script reads it from the form.
    presets : iterable of Preset
        Where the controls stand for each target.
    badge : str
        What kind of evidence it is, in words.
    """
    choices = tuple(presets)
    first = choices[0]
    start = {"take-up": 100, "gain": first.gain, "cost": first.cost, "years": YEARS}
    found = outcome(world, 1.0, first.gain, first.cost, YEARS, yearly=first.yearly)
    data = {
        "mean": world.mean,
        "line": world.line,
        "size": world.size,
        "sigma": sigma_of(world.gini),
        "fading": world.fading,
        "discount": world.discount,
    }
    attributes = " ".join(f'data-{name}="{value!r}"' for name, value in data.items())
    options = "".join(
        f'<option value="{one.id}" data-gain="{one.gain}" data-cost="{one.cost}" '
        f'data-yearly="{"yes" if one.yearly else "no"}">{escape(one.name)}</option>'
        for one in choices
    )
    values = {name: getattr(found, name) for name in RESULTS}
    return Controls(
        f'<form class="scenarios" data-scenarios {attributes}>'
        f'<p class="table-tier"><span class="badge tier-published">{escape(badge)}</span></p>'
        "<noscript><p>These controls need JavaScript. The tables of this page hold the results "
        "for fixed values.</p></noscript>"
        "<fieldset disabled><legend>Move take-up, gain and cost</legend>"
        '<p><label for="scenario-target">Target</label> '
        f'<select id="scenario-target" name="target">{options}</select></p>'
        f"{''.join(_slider(name, start[name]) for name in SLIDERS)}</fieldset>"
        '<div class="scenario-results" role="status" aria-live="polite" aria-label="Results"><dl>'
        f"{''.join(_result(name, value) for name, value in values.items())}</dl>"
        f"{_note('once', 'The cost is paid once.', first)}"
        f"{_note('yearly', 'The cost is paid every year, beside the gain of that year.', first)}"
        "</div></form>"
    )


def _slider(name: str, value: int) -> str:
    label, unit, least, most, step = SLIDERS[name]
    return (
        f'<p><label for="scenario-{name}">{label}</label> '
        f'<input type="range" id="scenario-{name}" name="{name}" min="{least}" max="{most}" '
        f'step="{step}" value="{value}"> '
        f'<span class="scenario-value"><output for="scenario-{name}" data-of="{name}">'
        f"{printing.number(value, 0)}</output> {unit}</span></p>"
    )


def _result(name: str, value: float) -> str:
    label, unit, digits = RESULTS[name]
    return (
        f'<div><dt>{label}</dt><dd><span data-result="{name}" data-value="{value!r}">'
        f"{printing.number(value, digits)}</span> {unit}</dd></div>"
    )


def _note(when: str, text: str, first: Preset) -> str:
    hidden = "" if (when == "yearly") == first.yearly else " hidden"
    return f'<p data-when="{when}"{hidden}>{text}</p>'
