"""Sentences of the page on sensitivity, with the numbers they print."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import polars as pl

from analysis import printing
from analysis.money import FEN_PER_YUAN
from analysis.panels.panel import Panel
from analysis.panels.views import money_words
from analysis.sensitivity import specifications
from analysis.sensitivity.choices import Choice
from analysis.sensitivity.report import MOST, Checks
from analysis.sensitivity.shown import name_of
from analysis.sensitivity.specifications import Middle

MAIN = "household_nominal"
"""Income that amounts are set against: per household, prices of each year."""


@dataclass(frozen=True)
class Headline:
    """A number of the summary: id, value, what it is, unit, decimals."""

    id: str
    value: float
    what: str
    unit: str
    digits: int | None = None


def lead(found: Sequence[Checks]) -> Checks | None:
    """Return the programme that figures show: the first of those with the most checks."""
    if not found:
        return None
    return max(found, key=lambda one: (one.curve is not None, one.drift is not None))


def percent(one: Checks, amount: float | None) -> float | None:
    """Return an amount in per cent of what the treated had before."""
    if one.curve is None or amount is None:
        return None
    return 100 * amount / (one.curve.before[MAIN] / FEN_PER_YUAN)


def headlines(one: Checks | None, short: Middle | None) -> tuple[Headline, ...]:
    """Return the numbers of the summary; none where there is no curve."""
    if one is None or one.curve is None or short is None:
        return ()
    total = len(one.curve.used) + len(one.curve.failed)
    income = "per cent of the income that the treated had before"
    rows = [
        Headline("sens_specifications", total, "specifications listed", "specifications"),
        Headline(
            "sens_run",
            len(one.curve.used),
            "specifications that the panel allows",
            "specifications",
        ),
        Headline("sens_least", short.least, f"lowest estimate, {income}", "percent", 1),
        Headline("sens_most", short.most, f"highest estimate, {income}", "percent", 1),
        Headline(
            "sens_median", short.median, f"median over specifications, {income}", "percent", 1
        ),
        Headline(
            "sens_median_low", short.ci_low, "lower end of the median's interval", "percent", 1
        ),
        Headline(
            "sens_median_high", short.ci_high, "upper end of the median's interval", "percent", 1
        ),
        Headline(
            "sens_apart",
            short.apart,
            "specifications whose joint band leaves zero out",
            "specifications",
        ),
    ]
    truth = percent(one, one.truth)
    if truth is not None:
        rows.append(Headline("sens_truth", truth, f"assumed effect, {income}", "percent", 1))
    if one.broken is not None and one.broken.sign:
        rows.append(
            Headline(
                "sens_breakdown",
                one.broken.bound,
                "largest multiple of earlier drifts at which the sign holds",
                "times",
                2,
            )
        )
    return tuple(rows)


def linked(number: object) -> str:
    """Return a finding's link, or the bare number."""
    markdown = getattr(number, "markdown", None)
    return str(markdown()) if callable(markdown) else str(number)


def curve_text(one: Checks | None, numbers: Mapping[str, object]) -> str:
    """Say what the curve shows, from the printed findings of `headlines`."""
    if "sens_median" not in numbers or one is None:
        why = "; ".join(sorted(set(one.why.values()))) if one else "it has no programme"
        return f"**No specification could be run on this panel**: {why}."
    said = {name: linked(value) for name, value in numbers.items()}
    return (
        f"**{name_of(one.programme)}, every defensible choice.** Of {said['sens_specifications']} "
        f"listed specifications the panel allows {said['sens_run']}. Their estimates run from "
        f"{said['sens_least']} to {said['sens_most']} per cent of what the treated had before, "
        f"median {said['sens_median']} ({said['sens_median_low']} to {said['sens_median_high']}); "
        f"in {said['sens_apart']} the joint band leaves zero out."
    )


def truth_text(one: Checks | None, numbers: Mapping[str, object]) -> str:
    """Say whether the range of specifications holds the assumed effect, if one is known."""
    if one is None or "sens_median" not in numbers:
        return "**What cannot be estimated cannot be checked either.**"
    shared = (
        "What all specifications share, who takes part and what else they get, no choice in the "
        "list removes."
    )
    truth = percent(one, one.truth)
    if truth is None or one.curve is None:
        return f"**A narrow curve is not a right one.** {shared}"
    points = one.curve.effects.points
    inside = points.min() <= truth <= points.max()
    verdict = "lies inside this range" if inside else "lies outside this range"
    lesson = "This time agreement was right." if inside else "Agreement is not truth."
    return (
        f"**The effect put into the panel, {linked(numbers['sens_truth'])} per cent, {verdict}.** "
        f"{lesson} {shared}"
    )


def breakdown_text(one: Checks | None, numbers: Mapping[str, object]) -> str:
    """Say how far trends may differ, from the printed findings."""
    if one is None or one.broken is None:
        why = (one.why.get("study") or one.why.get("broken", "")) if one else "no programme"
        return f"**How far trends may differ cannot be said**: {why}."
    if not one.broken.sign:
        return (
            "**With parallel trends the interval of the mean after treatment already holds zero**: "
            "there is no sign to lose."
        )
    if one.broken.bound >= MOST:
        return "**The sign holds at every bound that was tried** (@fig-sens-breakdown)."
    return (
        f"**The sign holds while trends drift after treatment at most "
        f"{linked(numbers['sens_breakdown'])} times as far, period by period, as they ever did "
        "before** (@fig-sens-breakdown). That speaks of the sign, not of the size."
    )


def placebo_text(one: Checks | None) -> str:
    """Say how many placebos lie away from zero."""
    frames = [f for f in ((one.periods, one.sources) if one else ()) if f is not None]
    if not frames:
        return "**No placebo could be run**: there is no period before, nor a source out of reach."
    asked = pl.concat([frame.select("ci_low", "ci_high") for frame in frames])
    # NaN would count as larger than any number.
    rows = asked.fill_nan(None).drop_nulls()
    if not rows.height:
        return "**No placebo can be judged**: none has an interval (@tbl-sens-placebo)."
    away = rows.filter((pl.col("ci_low") > 0) | (pl.col("ci_high") < 0)).height
    if away:
        return (
            f"**Placebos raise the alarm.** {_count(away)} of {_count(rows.height).lower()} lie "
            "away from zero where the programme cannot have acted (@tbl-sens-placebo): something "
            f"else moves the treated.{_unjudged(asked, rows)}"
        )
    return (
        f"**No placebo raises the alarm**: every interval ({_count(rows.height).lower()}) "
        "holds zero (@tbl-sens-placebo). That says as much as they are narrow."
        f"{_unjudged(asked, rows)}"
    )


def _unjudged(asked: pl.DataFrame, rows: pl.DataFrame) -> str:
    """Say how many placebos have no interval."""
    gone = asked.height - rows.height
    return f" {_count(gone)} more {'has' if gone == 1 else 'have'} no interval." if gone else ""


WORDS = ("None", "One", "Two", "Three", "Four", "Five", "Six", "Seven", "Eight", "Nine", "Ten")


def _count(number: int) -> str:
    return WORDS[number] if number < len(WORDS) else printing.number(number)


def subject(one: Checks | None) -> str:
    """Return the name of the programme that figures show."""
    return name_of(one.programme) if one else "no programme"


def axis(panel: Panel) -> str:
    """Return the unit of an axis of money, with the year of its prices."""
    prices = "prices of each year" if panel.price_year is None else f"prices of {panel.price_year}"
    return f"{money_words(panel)} a year, {prices}"


def middle(one: Checks | None) -> Middle | None:
    """Return the curve of a programme in four numbers; None if there is none."""
    return specifications.middle(one.curve) if one and one.curve else None


def joint(one: Checks | None) -> pl.DataFrame:
    """Return what the curve draws; empty if there is none."""
    return specifications.joint(one.curve) if one and one.curve else pl.DataFrame()


def options(listed: Sequence[Choice]) -> list[tuple[str, str, str]]:
    """Return the rows below the curve: choice, value, label."""
    return [
        (choice.name, option.value, option.label) for choice in listed for option in choice.options
    ]


def truth_percent(one: Checks | None) -> float | None:
    """Return the assumed effect in per cent; None where nobody knows it."""
    return percent(one, one.truth) if one else None


def why_no_curve(one: Checks | None) -> str:
    """Say why there is no curve; empty if there is one."""
    return "" if one and one.curve else _why(one, "curve")


def drift(one: Checks | None) -> pl.DataFrame:
    """Return the intervals that the figure draws; empty if there are none."""
    return one.drift if one is not None and one.drift is not None else pl.DataFrame()


def broken(one: Checks | None) -> float | None:
    """Return the bound at which the sign is lost, if it is lost in the figure's range."""
    return one.broken.bound if one and one.broken and one.broken.sign else None


def why_no_drift(one: Checks | None) -> str:
    """Say why there are no intervals; empty if there are."""
    return "" if one is not None and one.drift is not None else _why(one, "study")


def _why(one: Checks | None, name: str) -> str:
    if one is None:
        return "The panel has no programme."
    return f"Not possible on this panel: {one.why.get(name, 'nothing to show')}."
