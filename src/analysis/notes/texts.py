"""The sentences of a programme page; those about a panel depend on whose panel it is."""

from __future__ import annotations

from math import isfinite

import numpy as np

from analysis import printing
from analysis.answers import overview, together
from analysis.answers.design import POOR, TOTAL
from analysis.answers.estimates import OVERALL, Estimates, estimate, power_of
from analysis.answers.groups import Groups, groups
from analysis.answers.missing import Missing
from analysis.answers.naive import Naive, naive
from analysis.answers.truth import Truth, truth_of
from analysis.effects import pretrends
from analysis.effects.group_time import WHERE
from analysis.effects.record import Effect
from analysis.notes.book import Book, listed
from analysis.panels.views import Sentence, escaped


def headline(found: Estimates) -> Effect:
    """Return the overall effect on total income."""
    place = found.one(TOTAL)
    assert place is not None  # noqa: S101 — `estimate` refuses panels without it
    return next(found.summed.at(np.array([place])).effects())


def verdict(one: Effect, truth: float | None) -> tuple[str, str]:
    """Return what a design would have come to, in a word and in words, for the model panel.

    Returns
    -------
    word : str
        ``found``, ``imprecise``, ``missed`` or ``unknown``.
    words : str
        The same as the end of a sentence.
    """
    word = overview.verdict(truth, one.ci_low, one.ci_high)
    way = "high" if truth is not None and one.estimate > truth else "low"
    words = {
        "unknown": "without an interval, so nothing can be said of it",
        "missed": f"too {way}: its interval leaves the truth out",
        "imprecise": "right but too imprecise: its interval holds the truth, and zero too",
        "found": "right: its interval holds the truth and leaves zero out",
    }
    return word, words[word]


def summary(book: Book, told: Sentence, near: Sentence, panel: Sentence) -> Sentence:
    """Say all in one paragraph: what was reported, what is known elsewhere, what a panel says."""
    return Sentence(
        f"**{book.answer.name}.** *Reported.* {told.text} *Elsewhere.* {near.text} "
        f"*{PANELS.get(book.answer.evidence, PANELS['yours'])}.* {panel.text}"
    )


PANELS = {
    "model": "A village panel, simulated",
    "twin": "The twin",
    "yours": "Your panel",
    "public": "The panel",
}
"""What the panel is called, by its tier."""


def short(book: Book) -> Sentence:
    """Say the answer of the panel first."""
    answer, found = book.answer, book.answer.estimates
    if isinstance(found, Missing):
        return Sentence(found.sentence)
    one = headline(found)
    effect = book.effect(
        "total",
        one.estimate,
        one.ci_low,
        one.ci_high,
        "overall estimate, total income",
        unit=book.unit,
        function=estimate,
        rows=found.rows,
    )
    unit = found.design.unit
    if answer.evidence == "twin":
        return Sentence(
            f"On the synthetic twin the design runs and gives "
            f"{effect} {unit}; the number means nothing."
        )
    if not answer.simulated:
        return Sentence(
            f"The effect on households in the programme is {effect} {unit}"
            f"{_percent(book, found)}, if without it they would have moved as their comparison "
            f"did. {_second(book)}"
        )
    known = truth_text(book)
    return Sentence(
        f"The truth is {known} {unit}. One programme at "
        f"a time, the design says {effect}{_percent(book, found)}: {_judged(book, '', one)}. "
        f"{_second(book)}"
    )


def _judged(book: Book, name: str, one: Effect) -> str:
    """Note the verdict on an estimate and return its words."""
    answer = book.answer
    truth = answer.truth.of(TOTAL, OVERALL) if isinstance(answer.truth, Truth) else None
    word, words = verdict(one, truth)
    book.panel.word(
        f"{answer.programme}{name}_verdict",
        word,
        f"{answer.name}: what the design comes to",
        function=verdict,
        rows_in=one.about.rows_in,
        rows_used=one.about.rows_used,
    )
    return words


def _second(book: Book) -> str:
    """Say what all programmes at once give, where it can be asked."""
    answer = book.answer
    made = together.of(answer.together, answer.programme, OVERALL)
    if made is None:
        why = answer.together.reason if isinstance(answer.together, Missing) else "no path"
        return f"All programmes at once: not shown, {why}."
    one = next(made.effects())
    said = book.effect(
        "together",
        one.estimate,
        one.ci_low,
        one.ci_high,
        "overall estimate, total income, all programmes at once",
        unit=book.unit,
        function=together.together_of,
        rows={"rows_in": one.about.rows_in, "rows_used": one.about.rows_used},
    )
    if not answer.simulated:
        return f"With all programmes at once it is {said}."
    return f"All programmes at once: {said}, {_judged(book, '_together', one)}."


def _percent(book: Book, found: Estimates) -> str:
    if isinstance(found.percent, Missing):
        return ""
    one = next(found.percent.effects())
    about = found.percent.about
    said = book.effect(
        "percent",
        one.estimate,
        one.ci_low,
        one.ci_high,
        "overall estimate, per cent of the counterfactual mean, households always seen",
        unit="percent",
        function=estimate,
        digits=1,
        rows={"rows_in": about.rows_in, "rows_used": about.rows_used},
    )
    # Another population than that of the amount: the two may even differ in sign.
    return f"; in per cent, of households always seen, {said}"


def truth_text(book: Book) -> str:
    """Return the true overall effect as printed; empty where nobody knows it."""
    known, found = book.answer.truth, book.answer.estimates
    if isinstance(known, Missing) or isinstance(found, Missing):
        return ""
    value = known.of(TOTAL, OVERALL)
    if value is None:
        return ""
    return book.number(
        "truth",
        value,
        "true overall effect, total income",
        unit=book.unit,
        function=truth_of,
        rows=found.rows,
        digits=0,
        method="potential outcomes of the simulation",
    ).markdown()


def of_naive(book: Book) -> Sentence:
    """Say how far off the sums of articles are."""
    made, found = book.answer.naive, book.answer.estimates
    if isinstance(made, Missing) or isinstance(found, Missing):
        return Sentence(made.sentence if isinstance(made, Missing) else "")
    rows = {"rows_in": made.rows_in, "rows_used": made.rows_used}
    parts = []
    for method, words in (
        ("before_after", "before and after"),
        ("with_without", "with and without"),
    ):
        value = made.value(method)
        if value is None:
            continue
        number = book.number(
            method,
            value,
            f"{words}, last year",
            unit=book.unit,
            function=naive,
            rows=rows,
            digits=0,
            method="as articles compute it",
        )
        text = f"*{words}* says {number.markdown()}"
        times = made.value(method, "times")
        off = made.value(method, "off")
        if times is not None and alike(times) and book.answer.simulated:
            ratio = book.number(
                f"{method}_times",
                times,
                f"{words} over the truth, last year",
                unit="ratio",
                function=naive,
                rows=rows,
                digits=1,
            )
            text += f", {ratio.markdown()} times the truth"
        elif off is not None and book.answer.simulated:
            # Of opposite signs, or beside a truth of nothing, a ratio says nothing.
            away = book.number(
                f"{method}_off",
                abs(off),
                f"{words}: distance from the truth, last year",
                unit=book.unit,
                function=naive,
                rows=rows,
                digits=0,
            )
            text += f", {away.markdown()} {'above' if off > 0 else 'below'} the truth"
        parts.append(text)
    if not parts:
        return Sentence("Neither sum of the articles can be made from these data.")
    return Sentence(
        f"The sums that articles make have no comparison: {listed(parts)} "
        f"({_prices(book, made)}{_last_truth(book, made)})."
    )


def alike(times: float) -> bool:
    """Say whether a ratio to the truth means something: finite, and both of one sign.

    Examples
    --------
    >>> alike(2.5), alike(-43.9), alike(float("inf"))
    (True, False, False)
    """
    return isfinite(times) and times > 0


def _last_truth(book: Book, made: Naive) -> str:
    """Return the truth that the sums stand beside, that of the last year, where it is known."""
    value = made.value("before_after", "truth") if book.answer.simulated else None
    if value is None:
        return ""
    known = book.number(
        "truth_last",
        value,
        "true effect, last year",
        unit=book.unit,
        function=truth_of,
        rows={"rows_in": made.rows_in, "rows_used": made.rows_used},
        digits=0,
        method="potential outcomes of the simulation",
    )
    return f"; the truth of that year is {known.markdown()}"


def _prices(book: Book, made: Naive) -> str:
    design = book.answer.design
    prices = "" if isinstance(design, Missing) else f", {design.prices}"
    return f"in {made.period}{prices}"


def sure(book: Book) -> Sentence:
    """Say how sure one can be: villages, smallest effect told from zero, pre-trends."""
    found = book.answer.estimates
    if isinstance(found, Missing):
        return Sentence(found.sentence)
    one, rows = headline(found), found.rows
    treated = book.number(
        "villages_treated",
        one.n_villages_treated,
        "villages with participants",
        unit="villages",
        function=estimate,
        rows=rows,
    )
    control = book.number(
        "villages_control",
        one.n_villages_control,
        "villages that compare",
        unit="villages",
        function=estimate,
        rows=rows,
    )
    parts = [
        f"Villages with participants: {treated.markdown()}; that compare: {control.markdown()}."
    ]
    if isfinite(one.std_error):
        least = book.number(
            "detectable",
            power_of(one.std_error, one.degrees),
            "smallest effect told from zero with the chosen power",
            unit=book.unit,
            function=power_of,
            rows=rows,
            digits=0,
            method="t quantiles of level and power times the error",
        )
        parts.append(
            f"With this error, an effect under {least.markdown()} {found.design.unit} would often "
            "not be told from zero."
        )
    else:
        parts.append(f"There is {one.note}.")
    return Sentence(" ".join([*parts, trends(book).text]))


def trends(book: Book) -> Sentence:
    """Say what the years before show, and what they could have shown."""
    found = book.answer.estimates
    if isinstance(found, Missing):
        return Sentence(found.sentence)
    tested = found.pretrends
    if isinstance(tested, Missing):
        return Sentence(f"The years before cannot be tested jointly: {tested.reason}.")
    n = book.number(
        "leads",
        len(tested.event_times),
        "years before the base that are tested",
        unit="years",
        function=pretrends.pre_trends,
        rows=found.rows,
    )
    slope = book.number(
        "trend",
        tested.slope,
        "difference in trends found with the chosen power",
        unit=book.unit,
        function=pretrends.pre_trends,
        rows=found.rows,
        digits=0,
        method="Roth (2022), Hotelling's T²",
    )
    bias = book.number(
        "trend_bias",
        tested.bias,
        "how far that trend moves the overall estimate",
        unit=book.unit,
        function=pretrends.pre_trends,
        rows=found.rows,
        digits=0,
        method="Roth (2022)",
    )
    power = book.number(
        "trend_power",
        100 * tested.power,
        "power of the test of leads",
        unit="percent",
        function=pretrends.pre_trends,
        rows=found.rows,
        method="chosen",
    )
    outcome = "raises an alarm" if tested.alarm else "raises no alarm"
    return Sentence(
        f"A joint test of {n.markdown()} years before {outcome}. It would find a difference in "
        f"trends of {slope.markdown()} {found.design.money} a year {power.markdown()} per cent of "
        f"the time; such a trend would move the estimate by {bias.markdown()} [@roth2022]."
    )


def whom(book: Book) -> Sentence:
    """Say for whom: the range over groups, and which differences outlast looking at all."""
    made = book.answer.groups
    if isinstance(made, Missing):
        return Sentence(made.sentence)
    about = made.levels.about
    rows = {"rows_in": about.rows_in, "rows_used": about.rows_used}
    n = book.number(
        "groups",
        len(made.levels),
        "groups with an estimate",
        unit="groups",
        function=groups,
        rows=rows,
    )
    low, high = float(made.levels.points.min()), float(made.levels.points.max())
    ends = book.interval(
        "groups_span",
        low,
        high,
        "smallest and largest estimate of a group",
        unit=book.unit,
        function=groups,
        rows=rows,
        digits=0,
    )
    text = f"Over {n.markdown()} groups estimates range from {ends.markdown()}."
    return Sentence(f"{text} {_apart(book, made, rows)}{_lacking(made)}")


def _apart(book: Book, made: Groups, rows: dict[str, int]) -> str:
    if isinstance(made.differences, Missing):
        return f"Differences are not shown: {made.differences.reason}."
    half = made.differences.band().critical * made.differences.std_errors
    told = np.isfinite(half)
    apart = int((np.abs(made.differences.points[told]) > half[told]).sum())
    count = book.number(
        "groups_apart",
        apart,
        "differences whose joint interval leaves zero out",
        unit="differences",
        function=groups,
        rows=rows,
    )
    of = book.number(
        "groups_differences",
        int(told.sum()),
        "differences between groups looked at",
        unit="differences",
        function=groups,
        rows=rows,
    )
    return (
        "Differences between groups that stand out once all are looked at together: "
        f"{count.markdown()} of {of.markdown()}."
    )


def _lacking(made: Groups) -> str:
    text = ""
    if made.joined:
        text = f" Compared without strata, for want of villages: {'; '.join(made.joined)}."
    if not made.missing:
        return text
    said = "; ".join(f"{title}: {why.reason}" for title, why in made.missing)
    return f"{text} Not shown: {escaped(said)}."


def change(book: Book) -> Sentence:
    """Say what would change our mind."""
    found = book.answer.estimates
    if isinstance(found, Missing):
        return Sentence(
            "Any household panel with a year before the programme, and villages without it, would "
            "change what is known here."
        )
    one = headline(found)
    if not isfinite(one.std_error):
        return Sentence("More villages on the smaller side: now there is no interval at all.")
    least = book.number(
        "detectable",
        power_of(one.std_error, one.degrees),
        "smallest effect told from zero with the chosen power",
        unit=book.unit,
        function=power_of,
        rows=found.rows,
        digits=0,
        method="t quantiles of level and power times the error",
    )
    text = (
        f"A panel like this one with an estimate beyond {least.markdown()} {found.design.unit}, "
        "flat years before, and the same sign in every cohort and with either set of controls."
    )
    return Sentence(f"{text} {_claimed(book)}".strip())


def _claimed(book: Book) -> str:
    """Set the reported money per household against nothing simulated: only whether there is one."""
    money = [figure for figure in book.answer.reported.computed if figure.measures == "income"]
    if not money:
        return "No rise in income is reported that such a panel could confirm or refute."
    return "A reported rise could then be held against it, in the same year and place."


def method(book: Book) -> Sentence:
    """Say how the estimate was made."""
    answer, found = book.answer, book.answer.estimates
    if isinstance(answer.design, Missing):
        return Sentence(answer.design.sentence)
    if isinstance(found, Missing):
        return Sentence(found.sentence)
    about, design = found.summed.about, found.design
    controls = "not yet treated" if about.controls == "not_yet" else "never treated"
    years = book.number(
        "anticipation",
        about.anticipation,
        "years before that are left out",
        unit="years",
        function=estimate,
        rows=found.rows,
        method="chosen",
    )
    used = book.number(
        "rows_used",
        about.rows_used,
        "household-years used",
        unit="records",
        function=estimate,
        rows=found.rows,
    )
    read = book.number(
        "rows_in",
        about.rows_in,
        "household-years read",
        unit="records",
        function=estimate,
        rows=found.rows,
    )
    left = "; ".join(reason for reason, n in about.left_out.items() if n)
    base = (
        "the last year before"
        if not about.anticipation
        else ("the last year before that is free of anticipation")
    )
    lines = [
        f"*One programme at a time.* {design.why} Treated is a {design.level}. Controls: "
        f"{controls}, {WHERE[about.where]}. "
        f"Base: {base}; years of anticipation left out: {years.markdown()}.",
        f"Used: {used.markdown()} of {read.markdown()} household-years"
        + (f" (the rest: {left})." if left else "."),
        _sources(found),
    ]
    if found.uncompared:
        n = book.number(
            "uncompared",
            len(found.uncompared),
            "cohorts and years without anybody to compare with",
            unit="comparisons",
            function=estimate,
            rows=found.rows,
        )
        lines.append(
            f"Left out for want of anybody to compare with: {n.markdown()} pairs of a "
            "first year and a year."
        )
    if found.constant:
        lines.append(f"The same for everyone, hence not estimated: {', '.join(found.constant)}.")
    if isinstance(found.percent, Missing):
        lines.append(f"No per cent: {found.percent.reason}.")
    if found.one(POOR) is None:
        lines.append("No headcount: no poverty line fits this panel, or nobody crosses it.")
    if not isinstance(answer.together, Missing):
        lines.append(
            "*All programmes at once.* A regression on household-years with household effects, "
            "year effects by stratum, income before any programme times year, and the years since "
            "the start of every programme; programmes add up, and a programme's path is the same "
            "for each first year."
        )
    return Sentence(" ".join(lines))


def _sources(found: Estimates) -> str:
    if found.identity.holds:
        return "The effects on the four sources add up to the effect on the total."
    gap = printing.number(found.identity.largest_gap)
    return f"The effects on the sources differ from the effect on the total by up to {gap}."
