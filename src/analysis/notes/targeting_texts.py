"""Sentences of the page on targeting and exit, each with the findings that it prints."""

from __future__ import annotations

from collections.abc import Callable
from math import isfinite

import polars as pl

from analysis.answers import exits, targeting
from analysis.answers.missing import Missing, attempt
from analysis.findings import Page
from analysis.notes.book import listed
from analysis.notes.counter import Counter, short_name
from analysis.panels.panel import Panel
from analysis.panels.views import Sentence, money_words
from analysis.welfare.linearised import Measures
from analysis.welfare.people import People

FATES = {
    "poor_first": "Below the line when first seen",
    "poor": "Below it in the last year",
    "above": "Above it in the last year",
    "gone": "Not seen in the last year",
}


def _noted(
    page: Page, people: People, function: Callable[..., object], prefix: str
) -> Callable[[Measures, str, dict[str, str]], str]:
    """Return what notes one share of some measures, in per cent with its interval."""

    def note(found: Measures, what: str, wanted: dict[str, str]) -> str:
        row = found.where(**wanted).to_frame().row(0, named=True)
        counter = Counter(
            page, function, people.rows_in, row["n_rows"], "weighted share, linearised by village"
        )
        id = "_".join([prefix, *wanted.values()])
        value = 100 * row["estimate"] if row["estimate"] is not None else float("nan")
        if row["ci_low"] is None:
            return counter.number(id, value, what, "percent", 1)
        return counter.between(
            id, value, 100 * row["ci_low"], 100 * row["ci_high"], what, "percent", 1
        )

    return note


def errors(page: Page, people: People) -> Sentence:
    """Say who the register misses, and whom it holds without need."""
    found = attempt(targeting.errors, people)
    if isinstance(found, Missing):
        return Sentence(found.sentence)
    note = _noted(page, people, targeting.errors, "targeting")
    there = set(found.labels["definition"])
    name = "line" if "line" in there else "as_many"
    words = targeting.DEFINITIONS[name]
    out = note(
        found,
        f"of the poor ({words}), not registered",
        {"definition": name, "measure": "exclusion"},
    )
    kept = note(
        found,
        f"of the registered, not poor ({words})",
        {"definition": name, "measure": "inclusion"},
    )
    text = (
        f"Of the households {words}, {out} per cent are not on the register; of the registered, "
        f"{kept} per cent are not among them."
    )
    if "lasting" not in there:
        return Sentence(text)
    lasting = note(
        found,
        "of the poorest by lasting income, not registered",
        {"definition": "lasting", "measure": "exclusion"},
    )
    one_year = note(
        found,
        "of the poorest by one year's income, not registered",
        {"definition": "as_many", "measure": "exclusion"},
    )
    return Sentence(
        f"{text} With as many poor as places, {one_year} per cent of the poor are missed by one "
        f"year's income and {lasting} per cent by the mean of the first years: part of what looks "
        "like error is a bad year or a good one."
    )


def curve(page: Page, people: People) -> Sentence:
    """Say how places on the register lie along income."""
    found = attempt(targeting.concentration, people)
    if isinstance(found, Missing):
        return Sentence(found.sentence)
    note = Counter(
        page,
        targeting.concentration,
        people.rows_in,
        targeting.registered(people).height,
        "covariance with the rank",
    )
    parts = []
    for id, (name, value) in zip(("one_year", "lasting"), found.index.items(), strict=False):
        index = note.number(
            f"targeting_index_{id}",
            value,
            f"concentration index of the register, {name}",
            "index",
            2,
        )
        parts.append(f"{index} by {name}")
    return Sentence(
        f"The concentration index is {listed(parts)}; nought would be a register drawn blindly."
    )


def reach(page: Page, people: People, panel: Panel) -> Sentence:
    """Say which programmes reach the poorest, and which do not."""
    made = attempt(targeting.reach, people, panel)
    if isinstance(made, Missing):
        return Sentence(made.sentence)
    found = made.to_frame()
    share = max(targeting.options().poorest)
    mine = found.filter(pl.col("poorest") == f"{share:g}").sort("estimate", descending=True)
    given = mine.filter(pl.col("programme") != targeting.REGISTER)
    if given.is_empty():
        return Sentence("Not shown: nobody in this panel is recorded in any programme.")
    note = Counter(page, targeting.reach, people.rows_in, int(given["n_rows"].sum()))
    poorest = note.number("targeting_poorest", 100 * share, "poorest households counted", "percent")
    ends = []
    for end, place in (("most", 0), ("least", -1)):
        row = given.row(place, named=True)
        title = short_name(row["programme"])
        ratio = note.number(
            f"targeting_ratio_{end}",
            row["estimate"] / share,
            f"targeting ratio, {title}",
            "ratio",
            2,
        )
        ends.append(f"{ratio} for {title}")
    return Sentence(
        f"The targeting ratio is the share of those reached who are among the poorest {poorest} "
        f"per cent, over that share; one means by chance. It runs from {ends[1]} to {ends[0]}. Who "
        "is reached is no sign of what a programme does: a programme can reach the poorest and "
        "change nothing, or the better-off and change much."
    )


def again(page: Page, people: People, panel: Panel) -> Sentence:
    """Say how many leave poverty in a year without any programme."""
    found = attempt(exits.again, people, panel)
    if isinstance(found, Missing):
        return Sentence(found.sentence)
    note = _noted(page, people, exits.again, "exit")
    left = note(found, "of the poor, no longer poor a year later", {"measure": "left"})
    fell = note(found, "of the others, poor a year later", {"measure": "fell"})
    first = note(found, "below the line, first year", {"measure": "poor"})
    second = note(found, "below the line, second year", {"measure": "poor_next"})
    return Sentence(
        f"In two years before any programme began, {left} per cent of the poor were above the line "
        f"a year later, and {fell} per cent of the others below it; the share of poor households "
        f"went from {first} to {second} per cent. Counted as exits, the first number would be "
        "credited to whatever was done that year."
    )


def changes(page: Page, people: People, panel: Panel) -> Sentence:
    """Say how registered households fared beside others."""
    found = attempt(exits.changes, people)
    if isinstance(found, Missing):
        return Sentence(found.sentence)
    said = {}
    unit = f"{money_words(panel).replace(' ', '_')}/persons/years"
    for row in found.iter_rows(named=True):
        note = Counter(
            page, exits.changes, people.rows_in, row["n"], "least squares, errors by village"
        )
        what = f"{exits.WAYS[row['way']]}, income per head"
        id = f"exit_change_{row['way']}"
        if row["ci_low"] is None or not isfinite(row["ci_low"]):
            said[row["way"]] = note.number(id, row["estimate"], what, unit, 0)
        else:
            said[row["way"]] = note.between(
                id, row["estimate"], row["ci_low"], row["ci_high"], what, unit, 0
            )
    text = (
        f"From the first year to the last, income per head of registered households changed by "
        f"{said['registered']} {money(panel, people)}, of others by {said['others']}: a "
        f"difference of {said['difference']}."
    )
    alike = [
        f"{said[way]} among households alike in {words}"
        for way, words in (("one_year", "first-year income"), ("lasting", "lasting income"))
        if way in said
    ]
    if alike:
        text += f" It is {listed(alike)}."
    return Sentence(
        f"{text} Who is picked at a low rises without help, and who had only a bad year rises "
        "further, so none of these is what being registered does."
    )


def fates(page: Page, people: People) -> Sentence:
    """Say where registered households stand at the end."""
    found = attempt(exits.fates, people)
    if isinstance(found, Missing):
        return Sentence(found.sentence)
    note = _noted(page, people, exits.fates, "exit")
    parts = {
        fate: note(
            found,
            f"registered households: {words.lower()}",
            {"register": "registered", "fate": fate},
        )
        for fate, words in FATES.items()
    }
    return Sentence(
        f"Of the registered, {parts['poor_first']} per cent were below the line when first seen. "
        f"In the last year {parts['poor']} per cent are seen below it, {parts['above']} per cent "
        f"above, and {parts['gone']} per cent are not seen. A share of those still seen counts the "
        "last as if they had fared like the others."
    )


def leaving(page: Page, people: People) -> Sentence:
    """Say who leaves the data."""
    found = attempt(exits.leaving, people)
    if isinstance(found, Missing):
        return Sentence(found.sentence)
    note = _noted(page, people, exits.leaving, "exit_leaving")
    above, under, others = (
        note(found, f"household-years that are the last, {words}", {"who": who})
        for who, words in (
            ("registered_above", "registered and above the line"),
            ("registered_below", "registered and below it"),
            ("others", "not registered"),
        )
    )
    return Sentence(
        f"Each year {above} per cent of registered households above the line are seen for the last "
        f"time, against {under} per cent of those below it and {others} per cent of others."
    )


def hidden(page: Page, bounds: tuple[exits.Hidden, ...]) -> Sentence:
    """Say what leavers may hide."""
    if not bounds:
        return Sentence("Not shown: no programme in this panel can be bounded.")
    used = sum(one.bounds.rows_used for one in bounds)
    note = Counter(
        page,
        exits.hidden,
        sum(one.bounds.rows_in for one in bounds),
        used,
        "trimming (Lee 2009), interval by Imbens and Manski (2004)",
    )
    after = note.number("exit_after", targeting.options().after, "years after the start", "years")
    with_zero = sum(one.low <= 0 <= one.high for one in bounds)
    of = note.number("exit_bounded", len(bounds), "programmes with bounds", "programmes")
    zero = note.number(
        "exit_bounds_zero", with_zero, "programmes whose interval holds nought", "programmes"
    )
    text = (
        f"Bounds by trimming allow that who left is not like who stayed [@lee2009]. {after} years "
        f"after the start they have an interval with nought in it for {zero} of {of} programmes."
    )
    truths = [one for one in bounds if one.truth is not None]
    if not truths:
        return Sentence(text)
    inside = sum(one.low <= one.truth <= one.high for one in truths if one.truth is not None)
    held = note.number(
        "exit_bounds_hold", inside, "programmes whose interval holds the truth", "programmes"
    )
    return Sentence(
        f"{text} The truth lies in the interval for {held}. Bounds cure leaving and nothing else: "
        "who joins is still chosen."
    )


def money(panel: Panel, people: People) -> str:
    """Return what incomes per head are in, with the year of their prices."""
    year = people.price_year
    prices = "prices of each year" if year is None else f"prices of {year}"
    return f"{money_words(panel)} a year, {prices}"
