"""A programme page in one call: sentences that print findings, and exhibits by name."""

from __future__ import annotations

from dataclasses import dataclass

from analysis.answers.page import Answer
from analysis.figures.style import Figure
from analysis.findings import Badge, Page
from analysis.notes import exhibits, known, margins, texts, verdicts
from analysis.notes.book import Book
from analysis.panels.views import Sentence
from analysis.tables import Table

PANEL_INPUTS = ("data/parameters", "data/programmes/designs.csv")


@dataclass(frozen=True)
class Notes:
    """What a programme page shows. Every sentence prints its numbers as findings.

    Attributes
    ----------
    book : Book
        Where numbers are noted, for those a page adds.
    badge, badge_reported, badge_published : Badge
        Tiers of what is shown.
    lead, verdict, whose : Sentence
        The answer in everyday words; how sure and why, in the word of the first page; whose numbers
        a section goes on to show.
    summary : Sentence
        The answer in one paragraph: reported, elsewhere, and what a panel says.
    short : Sentence
        The answer from the panel alone.
    tier_note : Sentence
        What numbers from such a panel mean; the same for every programme.
    reported, elsewhere : Sentence
        What articles report; what studies found elsewhere.
    naive : Sentence
        How far off the sums of articles are.
    sure, trends : Sentence
        How sure; what the years before show (part of `sure`).
    whom, change, collect, method : Sentence
        For whom; what would change our mind; what to collect; how it was done.
    margin_interval, margin_band, margin_before_after : Sentence
        How to read the interval, the band, and the sums of articles, for the margin.
    """

    book: Book
    badge: Badge
    badge_reported: Badge
    badge_published: Badge
    lead: Sentence
    verdict: Sentence
    whose: Sentence
    summary: Sentence
    short: Sentence
    tier_note: Sentence
    reported: Sentence
    elsewhere: Sentence
    naive: Sentence
    sure: Sentence
    trends: Sentence
    whom: Sentence
    change: Sentence
    collect: Sentence
    method: Sentence
    margin_interval: Sentence
    margin_band: Sentence
    margin_before_after: Sentence

    def events(self, name: str) -> Figure:
        """Figure: effects by event time, total and sources, joint bands."""
        return exhibits.events(self.book, name)

    def overall(self, name: str) -> Table:
        """Table: overall estimate by outcome; per household, per head, per cent, headcount."""
        return exhibits.overall(self.book, name)

    def cohorts(self, name: str) -> Table:
        """Table: estimates by first year."""
        return exhibits.cohorts(self.book, name)

    def groups(self, name: str) -> Figure:
        """Figure: estimates by group of households, joint intervals."""
        return exhibits.by_group(self.book, name)

    def differences(self, name: str) -> Table:
        """Table: differences between groups as one family."""
        return exhibits.differences(self.book, name)

    def beside(self, name: str) -> Figure:
        """Figure: sums of articles beside the design and the truth."""
        return exhibits.beside(self.book, name)

    def mistakes(self, name: str) -> Table:
        """Table: how far off each sum is."""
        return exhibits.mistakes(self.book, name)

    def claims(self, name: str) -> Table:
        """Table: what articles report."""
        return exhibits.claims(self.book, name)

    def forest(self, name: str) -> Figure:
        """Figure: studies elsewhere."""
        return exhibits.forest(self.book, name)


def programme(notebook: str, answer: Answer) -> Notes:
    """Note the findings of a programme for a notebook.

    Parameters
    ----------
    notebook : str
        Its name without ending, such as ``08-pairing-credit-funds``.
    answer : Answer
        From `analysis.answers.page.page`.
    """
    book = Book(
        answer,
        Page(notebook, answer.evidence, PANEL_INPUTS, (answer.panel_digest,)),
        Page(notebook, "reported", ("data/claims", "data/programmes")),
        Page(notebook, "published", ("data/studies",)),
    )
    told, near, panel = known.of_reported(book), known.of_elsewhere(book), texts.short(book)
    return Notes(
        book=book,
        badge=Badge(answer.evidence),
        badge_reported=Badge("reported"),
        badge_published=Badge("published"),
        lead=verdicts.of_lead(book),
        verdict=verdicts.of_verdict(book),
        whose=verdicts.whose(book),
        summary=texts.summary(book, told, near, panel),
        short=panel,
        tier_note=known.tier_note(answer.evidence),
        reported=told,
        elsewhere=near,
        naive=texts.of_naive(book),
        sure=texts.sure(book),
        trends=texts.trends(book),
        whom=texts.whom(book),
        change=texts.change(book),
        collect=known.collect(book),
        method=texts.method(book),
        margin_interval=margins.of_interval(book),
        margin_band=margins.of_band(book),
        margin_before_after=margins.of_before_after(book),
    )
