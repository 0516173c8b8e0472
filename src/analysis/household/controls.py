"""Controls by which a reader moves every input of a scenario; ``assets/household.js`` computes.

The script reads numbers from the form and evaluates the formulas below, nothing else; a test moves
the controls in a browser and compares each result with `outcome`.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from html import escape
from typing import Final

from analysis.household import costs
from analysis.household.break_even import BreakEven
from analysis.household.evidence import Predictive
from analysis.household.gain import SOURCE_OF_NO_TAKE_UP, Gain
from analysis.household.inputs import Input, fault
from analysis.results import formatting
from analysis.results.labels import labels

SLIDERS: Final[Mapping[str, tuple[str, str, float, float]]] = {
    "base": ("What the per cent are of", "yuan a year", 1.0, 1.0),
    "people": ("People of the household who take part or are offered it", "", 1.0, 1.0),
    "take_up": ("Share of those offered who take part", "per cent", 1.0, 100.0),
    "share_kept": ("Share of the gain that stays in the household", "per cent", 1.0, 100.0),
    "forgone": ("Other income that each gives up", "yuan a year", 10.0, 1.0),
    "size": ("Members of the household", "", 0.01, 1.0),
    "cost": ("Cost for each household, once", "yuan", 10.0, 1.0),
    "years": ("Years in which the gain is counted", "years", 1.0, 1.0),
    "fading": ("Part of the gain lost from year to year", "per cent", 1.0, 100.0),
    "discount": ("Discount rate", "per cent a year", 0.5, 100.0),
}
"""Label, unit, step and scale (a share is moved in per cent) of each control."""
LIMITS: Final[Mapping[str, tuple[float, float]]] = {
    "people": (1, 8),
    "take_up": (1, 100),
    "share_kept": (1, 100),
    "forgone": (0, 20000),
    "size": (1, 10),
    "years": (1, 20),
    "fading": (0, 100),
    "discount": (0, 15),
}
"""Least and most of each control, in its unit; of others from nothing to twice the high end."""
RESULTS: Final[Mapping[str, tuple[str, str]]] = {
    "low": ("Gain, low end of the effect in the next place", "yuan a year"),
    "median": ("Gain, median", "yuan a year"),
    "high": ("Gain, high end", "yuan a year"),
    "per_cent": ("Gain, median, of household income", "per cent"),
    "break_even": ("Rise of the base that pays the cost", "per cent"),
}
"""Label and unit of each result."""


def outcome(
    values: Mapping[str, float],
    *,
    effect: tuple[float, float, float] | None,
    income: float,
    scaled: bool,
) -> dict[str, float]:
    """Return what the script returns.

    Parameters
    ----------
    values : mapping of str to float
        Each input by name, shares between 0 and 1.
    effect : tuple of float, or None
        Low, median and high effect, per cent of the base; None where only a break-even is shown.
    income : float
        Yuan a head and year.
    scaled : bool
        Whether the base is of each head of the household.

    Examples
    --------
    >>> values = {"base": 1000, "people": 1, "take_up": 0.5, "share_kept": 1, "forgone": 0,
    ...     "size": 4, "cost": 100, "years": 1, "fading": 0, "discount": 0}
    >>> found = outcome(values, effect=(0, 10, 20), income=500, scaled=False)
    >>> found["median"], found["per_cent"], found["break_even"]
    (50.0, 2.5, 20.0)
    """
    base = values["base"] * (values["size"] if scaled else 1.0)
    people = values.get("people", 1.0) * values.get("take_up", 1.0)
    by_name = {}
    if effect is not None:
        gains = [
            people * (q * base / 100 * values["share_kept"] - values["forgone"]) for q in effect
        ]
        by_name = dict(zip(("low", "median", "high"), gains, strict=True))
        by_name["per_cent"] = 100 * by_name["median"] / (income * values["size"])
    if "cost" in values:
        worth = float(costs.annuity(values["years"], values["fading"], values["discount"]))
        each = values["cost"] / worth / people + values["forgone"]
        by_name["break_even"] = 100 * each / (base * values["share_kept"])
    return by_name


@dataclass(frozen=True)
class Controls:
    """A form ready to show; the site's script brings it to life.

    Attributes
    ----------
    markup : str
        HTML.
    """

    markup: str

    def __repr__(self) -> str:
        return "controls: they show on the site, or as HTML in a notebook"

    def _repr_html_(self) -> str:
        return self.markup


def controls(result: Gain | BreakEven, *, cost: BreakEven | None = None) -> Controls:
    """Return the form of a gain, of a break-even, or of both.

    Parameters
    ----------
    result : Gain or BreakEven
        What is moved.
    cost : BreakEven, optional
        With a gain: the cost that it is set against.

    Raises
    ------
    FaultsError
        If the two are not of one base.
    """
    inputs = {quantity.name: quantity for quantity in result.inputs}
    if cost is not None:
        if cost.scaled != result.scaled:
            raise fault("cost", "the break-even is of another base", "give both the same base")
        inputs |= {
            quantity.name: quantity for quantity in cost.inputs if quantity.name not in inputs
        }
    effect = None
    if isinstance(result, Gain):
        if not isinstance(result.evidence, Predictive):
            raise fault("controls", "a reported amount has no effect to move", "show its table")
        low, median, high = (float(result.evidence.quantile(p)) for p in (0.025, 0.5, 0.975))
        effect = (low, median, high)
    # An effect of an offer has take-up within it, an effect on a household is on all its members.
    fixed = {"take_up"} if inputs["take_up"].source == SOURCE_OF_NO_TAKE_UP else set()
    fixed |= {"people"} if result.scaled else set()
    sliders = [name for name in SLIDERS if name in inputs and name not in fixed]
    start = {name: _start(name, inputs[name]) for name in sliders}
    values = {name: start[name] / SLIDERS[name][3] for name in sliders}
    income = result.budget.facts["total"].value
    by_name = outcome(values, effect=effect, income=income, scaled=result.scaled)
    data = {"income": income, "scaled": int(result.scaled)}
    if effect is not None:
        data |= dict(zip(("low", "median", "high"), effect, strict=True))
    attributes = " ".join(f'data-{name}="{value!r}"' for name, value in data.items())
    return Controls(
        f'<form class="scenarios" data-household {attributes}>'
        f"<noscript><p>{labels()['controls_script']}</p></noscript>"
        f"<fieldset disabled><legend>{escape(result.title)}: move every assumption</legend>"
        f"{''.join(_slider(name, inputs[name], start[name]) for name in sliders)}</fieldset>"
        '<div class="scenario-results" role="status" aria-live="polite" aria-label="Results"><dl>'
        f"{''.join(_result(name, value) for name, value in by_name.items())}</dl></div></form>"
    )


def limits(name: str, given: Input) -> tuple[float, float]:
    """Return least and most of a control, in its unit."""
    if name in LIMITS:
        return LIMITS[name]
    return SLIDERS[name][2], math.ceil(2 * max(given.high, given.central, 1.0))


def _start(name: str, given: Input) -> float:
    """Return where a control stands at first: the central value, at a step of the control."""
    _, _, step, scale = SLIDERS[name]
    least, most = limits(name, given)
    value = min(max(given.central * scale, least), most)
    return round(least + step * round((value - least) / step), 6)


def _slider(name: str, given: Input, value: float) -> str:
    label, unit, step, _ = SLIDERS[name]
    least, most = limits(name, given)
    text, unit = (given.what, given.unit) if name in ("base", "cost") else (label, unit)
    return (
        f'<p><label for="household-{name}">{escape(text[:1].upper() + text[1:])}</label> '
        f'<input type="range" id="household-{name}" name="{name}" min="{least:g}" '
        f'max="{most:g}" step="{step:g}" value="{value:g}"> '
        f'<span class="scenario-value"><output for="household-{name}" data-of="{name}">'
        f"{shown(value)}</output> {unit}</span></p>"
    )


def _result(name: str, value: float) -> str:
    label, unit = RESULTS[name]
    return (
        f'<div><dt>{label}</dt><dd><span data-result="{name}" data-value="{value!r}">'
        f"{shown(value)}</span> {unit}</dd></div>"
    )


def shown(value: float) -> str:
    """Print a value of a control or a result: whole from a hundred on, else two decimals.

    Examples
    --------
    >>> shown(6105.0), shown(3.64), shown(-12.345), shown(5.0)
    ('6,105', '3.64', '−12.35', '5')
    """
    if value == int(value):
        return formatting.number(value, 0)
    return formatting.number(value, 0 if abs(value) >= 100 else 2)
