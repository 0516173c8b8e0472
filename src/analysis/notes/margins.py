"""Margin notes: how to read the numbers of a page, beside the place where they stand.

Each says in two sentences what a section of the page on uncertainty says at length, with the
numbers of the page it stands on.
"""

from __future__ import annotations

from math import isfinite

from analysis.answers import choices, reading
from analysis.answers.design import TOTAL
from analysis.answers.estimates import OVERALL, estimate
from analysis.answers.missing import Missing
from analysis.answers.naive import Naive, naive
from analysis.answers.truth import Truth
from analysis.notes.book import Book
from analysis.notes.texts import alike, headline, verdict
from analysis.panels.views import Sentence

LESSONS = "/notebooks/19-uncertainty.ipynb"


def of_interval(book: Book) -> Sentence:
    """Say what the interval beside the overall estimate means."""
    found, value, here = book.answer.estimates, "It", ""
    if not isinstance(found, Missing):
        one = headline(found)
        if isfinite(one.std_error):
            said = book.effect(
                "total",
                one.estimate,
                one.ci_low,
                one.ci_high,
                "overall estimate, total income",
                unit=book.unit,
                function=estimate,
                rows=found.rows,
            )
            value = f"In {said} the part in brackets"
        known = book.answer.truth
        if book.answer.simulated and isinstance(known, Truth):
            word, _ = verdict(one, known.of(TOTAL, OVERALL))
            if word == "missed":
                here = "; in this simulated panel it is not, and the interval leaves the truth out"
    level = book.number(
        "level",
        100 * choices.load().level,
        "level of intervals",
        unit="percent",
        function=choices.load,
        rows={"rows_in": 0, "rows_used": 0},
        method="chosen",
    )
    return Sentence(
        f"**An interval.** {value} says what chance leaves open: had other villages been drawn, "
        f"the estimate would have been another. The rule that makes it holds the truth "
        f"{level.markdown()} times in a hundred, if what it assumes is so{here}. "
        f"[More]({LESSONS}#sec-interval)"
    )


def of_band(book: Book) -> Sentence:
    """Say what a joint band is, with the width of this one."""
    found, widths = book.answer.estimates, ""
    if not isinstance(found, Missing):
        path = reading.path(found)
        rows = {"rows_in": path.rows_in, "rows_used": path.rows_used}
        if isfinite(path.pointwise) and isfinite(path.joint):
            one = book.number(
                "pointwise",
                path.pointwise,
                "half an interval, in standard errors",
                unit="ratio",
                digits=1,
                function=reading.path,
                rows=rows,
            )
            whole = book.number(
                "joint",
                path.joint,
                "half the joint band, in standard errors",
                unit="ratio",
                digits=1,
                function=reading.path,
                rows=rows,
            )
            widths = (
                f" It reaches {whole.markdown()} standard errors to each side, where one "
                f"year alone would have {one.markdown()}."
            )
    return Sentence(
        f"**A joint band** holds the whole line at once.{widths} Who looks for the year that "
        f"stands out needs the band. [More]({LESSONS}#sec-band)"
    )


def of_before_after(book: Book) -> Sentence:
    """Say why before and after misleads, with what it says here."""
    made, text = book.answer.naive, ""
    times = made.value("before_after", "times") if isinstance(made, Naive) else None
    if isinstance(made, Naive) and book.answer.simulated and times is not None and alike(times):
        ratio = book.number(
            "before_after_times",
            times,
            "before and after over the truth, last year",
            unit="ratio",
            function=naive,
            digits=1,
            rows={"rows_in": made.rows_in, "rows_used": made.rows_used},
        )
        text = f" Here that makes {ratio.markdown()} times the truth of the last year."
    return Sentence(
        f"**Before and after** counts everything that changed in these years as the programme's "
        f"doing.{text} [Try it]({LESSONS}#sec-before-after)"
    )
