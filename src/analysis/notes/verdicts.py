"""How sure one can be of a programme, in the words of the first page, and whose data follow.

Lead and verdict rest on studies elsewhere alone and follow from `analysis.answers.certainty`,
whatever panel the page shows.
"""

from __future__ import annotations

from analysis.answers import choices
from analysis.answers.certainty import Certainty, certainty, needs
from analysis.answers.glance import certainty_of
from analysis.answers.reported import elsewhere
from analysis.notes.book import Book
from analysis.panels.views import Sentence
from analysis.studies import comparison

RULES = "/notebooks/00-summary.ipynb#sec-sure"
STUDIES = "/notebooks/12-studies.ipynb#sec-programmes"
QUESTION = "does this raise household income?"
ANSWERS = {
    "no usable study": "Nobody knows.",
    "very low": "Nobody can tell.",
    "low": "It is not settled.",
    "a gain": "Elsewhere, on average, yes.",
    "a loss": "Elsewhere, on average, it lowers it.",
    "little or nothing": "Elsewhere, on average, little or not at all.",
}
"""The answer to `QUESTION`, by how sure one is, or by what one is sure of."""
WHOSE = {
    "model": "What follows in this section is of simulated villages, whose true effects are known; "
    "it says nothing about the programme.",
    "twin": "What follows in this section is of a synthetic twin, and means nothing.",
    "yours": "What follows in this section is of your panel.",
    "public": "What follows in this section is of the panel.",
}
"""Whose numbers a section goes on to show, by tier."""


def of_lead(book: Book) -> Sentence:
    """Answer the question of the page in everyday words, with what the answer rests on."""
    sure = _certainty(book)
    name = book.answer.name.split(" (")[0]
    parts = [f"**{name}: {QUESTION} {ANSWERS[sure.of or sure.word]}**", _rests(book, sure)]
    if not book.answer.elsewhere.n_local:
        parts.append("None is of Tibet or Diqing.")
    if sure.n_samples == 0:
        parts += [_told(book), _pay(book)]
    return Sentence(" ".join(part for part in parts if part))


def of_verdict(book: Book) -> Sentence:
    """Say how sure one can be and why: the word of the first page, by the same function."""
    sure, chosen = _certainty(book), choices.load()
    word = book.published.word(
        f"{book.answer.programme}_sure",
        sure.said,
        f"{book.answer.name}: how sure",
        function=certainty,
        rows_in=book.answer.elsewhere.n_all,
        rows_used=book.answer.elsewhere.n_comparable,
    )
    least, small = (
        _number(book, id, value, what, unit)
        for id, value, what, unit in (
            ("firm_least", chosen.pooled_least, "samples that a firm mean needs", "samples"),
            ("firm_small", chosen.small, "effects called little or nothing", "percent"),
        )
    )
    why = needs(least, small)[sure.word]
    samples = f" {_samples(book, sure)}" if sure.n_samples else ""
    return Sentence(
        f"How sure one can be of an effect on household income, from studies elsewhere: "
        f"**{word.markdown()}**. {why[0].upper()}{why[1:]}.{samples} "
        f"[The rules]({RULES})"
    )


def whose(book: Book) -> Sentence:
    """Say whose numbers a section goes on to show."""
    return Sentence(WHOSE.get(book.answer.evidence, WHOSE["yours"]))


def _certainty(book: Book) -> Certainty:
    return certainty_of(book.answer.programme)


def _number(book: Book, id: str, value: float, what: str, unit: str) -> str:
    told = book.answer.elsewhere
    return book.number(
        id,
        value,
        what,
        unit=unit,
        function=certainty,
        page=book.published,
        rows={"rows_in": told.n_all, "rows_used": told.n_comparable},
    ).markdown()


def _samples(book: Book, sure: Certainty) -> str:
    n = _number(
        book, "sure_samples", sure.n_samples, "samples with a comparable estimate", "samples"
    )
    lot = _number(book, "sure_lot", sure.n_lot, "such samples drawn by lot", "samples")
    return (
        f"Samples of people studied elsewhere, with a verified number on household income or "
        f"spending: {n}; drawn by lot: {lot}."
    )


def _rests(book: Book, sure: Certainty) -> str:
    """Say what the answer rests on."""
    told = book.answer.elsewhere
    if sure.n_samples == 0:
        n = book.number(
            "studies",
            told.n_estimates,
            "estimates in the library of studies",
            unit="rows",
            function=elsewhere,
            page=book.published,
            rows={"rows_in": told.n_all, "rows_used": told.n_estimates},
        ).markdown()
        return (
            f"Of {n} estimates elsewhere, none gives a verified per cent of household income "
            "or spending for those it reaches."
        )
    ends = {
        "very low": " Those who took part may have differed from the others from the start.",
        "low": " Together they settle nothing: no mean over them is firm.",
    }
    return _samples(book, sure) + ends.get(sure.word, "")


def _told(book: Book) -> str:
    """Say what studies report whose number was not seen."""
    found = book.answer.elsewhere.directions
    said = [
        f"{comparison.DIRECTIONS[word]}: "
        + _number(book, f"told_{word}", n, f"studies without a number: {word}", "rows")
        for word, n in found.items()
    ]
    return f"Reported without a number: {'; '.join(said)}." if said else ""


def _pay(book: Book) -> str:
    """Say that more is known of one person's pay, where trials measured it."""
    found = book.answer.elsewhere.pay
    if not found:
        return ""
    ends = book.interval(
        "pay",
        min(found),
        max(found),
        "smallest and largest effect on one person's pay, trials of all their people",
        unit="percent",
        digits=1,
        function=elsewhere,
        page=book.published,
        rows={"rows_in": book.answer.elsewhere.n_all, "rows_used": len(found)},
    )
    return (
        f"Of one person's pay more is known: trials elsewhere found {ends.markdown()} per cent "
        f"([which trials]({STUDIES}))."
    )
