"""Notes on payments: income per yuan paid in the panel, and what reported money can add at most."""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from analysis import printing, tables
from analysis.answers import together
from analysis.answers.arithmetic import Most, ceilings
from analysis.answers.estimates import OVERALL
from analysis.answers.missing import Missing, attempt
from analysis.answers.money_rules import rules
from analysis.answers.paid import PaidOut, paid_out
from analysis.claims.intervals import Interval
from analysis.effects.record import Effect
from analysis.findings import Page
from analysis.notes import exhibits
from analysis.notes.book import Book, listed, printed, span
from analysis.notes.programme import Notes
from analysis.panels import current
from analysis.panels.panel import Panel
from analysis.panels.views import Sentence
from analysis.tables import Table

DIGITS = 2
RATIO = "ratio"
TWIN = "twin"
CHANGES = "total income changes by"


@dataclass(frozen=True)
class Payment:
    """What a page says of a payment to whole villages.

    Attributes
    ----------
    book : Book
        Of the programme.
    made : PaidOut or Missing
        The estimates.
    said : Sentence
        Total income per yuan paid, and other income.
    rule : Sentence
        What arithmetic alone says of the estimate.
    """

    book: Book
    made: PaidOut | Missing
    said: Sentence
    rule: Sentence

    def table(self, name: str) -> Table:
        """Show total income per yuan paid, overall and by years since the start."""
        if isinstance(self.made, Missing):
            return exhibits.missing(self.book, name, self.made)
        truths = self.made.truths
        rows = [
            {
                "when": "overall" if effect.key.at is None else _year(effect.key.at),
                "estimate": printed(effect.estimate, DIGITS),
                "interval": span(effect.ci_low, effect.ci_high, DIGITS) or "none",
                "truth": printed(truths.get(effect.key.at), DIGITS),
            }
            for effect in self.made.per_yuan.effects()
        ]
        labels = {"when": "When", "estimate": "Yuan per yuan paid", "interval": "Interval"}
        if truths:
            labels["truth"] = "Truth"
        title = f"{self.book.answer.name}: total income per yuan paid"
        done = tables.table(name, pl.DataFrame(rows).select(*labels), labels, caption=title)
        return self.book.panel.show(done, title, paid_out)


def payment(notes: Notes, panel: Panel | None = None, *, spent: bool = False) -> Payment:
    """Note what a programme that pays whole villages adds per yuan.

    Parameters
    ----------
    notes : Notes
        Of the programme, from `analysis.notes.programme`.
    panel : Panel, optional
        The panel the notes are of; the current one by default.
    spent : bool
        Whether the money is spent for the village, so that not all of it need be income.
    """
    book = notes.book
    answer = book.answer
    if isinstance(answer.design, Missing):
        made: PaidOut | Missing = answer.design
    else:
        second = together.of(answer.together, answer.programme, OVERALL)
        panel = current.current() if panel is None else panel
        made = attempt(paid_out, panel, answer.design, answer.truth, second)
    if isinstance(made, Missing):
        return Payment(book, made, Sentence(made.sentence), Sentence(_rule(book)))
    said = _spent(book, made) if spent else _said(book, made)
    return Payment(book, made, said, Sentence(f"{_rule(book)} {_broken(book, made)}"))


def _year(since: int) -> str:
    return "first year" if since == 0 else f"{since} {'year' if since == 1 else 'years'} later"


def _rows(one: Effect) -> dict[str, int]:
    return {"rows_in": one.about.rows_in, "rows_used": one.about.rows_used}


def _note(book: Book, id: str, one: Effect, what: str) -> str:
    return book.effect(
        id,
        one.estimate,
        one.ci_low,
        one.ci_high,
        what,
        unit=RATIO,
        function=paid_out,
        rows=_rows(one),
        digits=DIGITS,
    )


def _said(book: Book, made: PaidOut) -> Sentence:
    one, rest = made.overall, made.rest
    rows = _rows(one)
    paid = book.number(
        "paid",
        made.paid,
        "payment, mean over household-years in the programme",
        unit=book.unit,
        function=paid_out,
        rows=rows,
        digits=0,
    )
    per = _note(book, "per_yuan", one, "total income per yuan paid, one programme at a time")
    other = book.effect(
        "other_income",
        rest.estimate,
        rest.ci_low,
        rest.ci_high,
        "effect on income other than the payment",
        unit=book.unit,
        function=paid_out,
        rows=rows,
    )
    parts = [f"The payment comes to {paid.markdown()} yuan per household a year, {made.prices}."]
    if book.answer.simulated:
        if None in made.truths:
            truth = book.number(
                "per_yuan_truth",
                made.truths[None],
                "true total income per yuan paid",
                unit=RATIO,
                function=paid_out,
                rows=rows,
                digits=DIGITS,
                method="potential outcomes of the simulation",
            )
            parts.append(
                f"The truth is {truth.markdown()} yuan of total income per yuan paid: "
                "the payment, and what it moves elsewhere."
            )
        parts.append(
            f"One programme at a time, the design says {per}; {_second(book, made, rows)}"
            f"Taking the payment off leaves {other} yuan of other income."
        )
    elif book.answer.evidence == TWIN:
        parts.append(
            f"On the synthetic twin the design gives {per} yuan per yuan paid and {other} "
            "of other income; neither number means anything."
        )
    else:
        parts.append(
            f"One programme at a time, total income changes by {per} yuan per yuan paid; "
            f"{_second(book, made, rows)}Income other than the payment changes by "
            f"{other}."
        )
    return Sentence(" ".join(parts))


def _spent(book: Book, made: PaidOut) -> Sentence:
    """Say it of money spent for a village, of which nobody knows how much is income."""
    rows = _rows(made.overall)
    paid = book.number(
        "paid",
        made.paid,
        "money spent, mean over household-years in the programme",
        unit=book.unit,
        function=paid_out,
        rows=rows,
        digits=0,
    )
    per = _note(
        book, "per_yuan", made.overall, "total income per yuan spent, one programme at a time"
    )
    second = _second(book, made, rows).removesuffix(". ")
    text = (
        f"Shared equally the money comes to {paid.markdown()} yuan per household a year, "
        f"{made.prices}. Per yuan spent, one programme at a time, {CHANGES} {per}"
    )
    text += f"; {second}." if second else "."
    if book.answer.simulated and None in made.truths:
        truth = book.number(
            "per_yuan_truth",
            made.truths[None],
            "true total income per yuan spent",
            unit=RATIO,
            function=paid_out,
            rows=rows,
            digits=DIGITS,
            method="potential outcomes of the simulation",
        )
        text = text.replace(CHANGES, "the design says")
        text += f" The truth is {truth.markdown()}."
    elif book.answer.evidence == TWIN:
        text = text.replace(CHANGES, "the twin gives") + " These numbers mean nothing."
    text += " What is spent for a village need not be income of its households."
    return Sentence(text)


def _second(book: Book, made: PaidOut, rows: dict[str, int]) -> str:
    if made.together is None:
        return ""
    point, low, high = made.together
    said = book.effect(
        "per_yuan_together",
        point,
        low,
        high,
        "total income per yuan paid, all programmes at once",
        unit=RATIO,
        function=paid_out,
        rows=rows,
        digits=DIGITS,
    )
    return f"all programmes at once: {said}. "


def _rule(book: Book) -> str:
    most = book.number(
        "multiple",
        rules().multiple,
        "most that a payment adds per yuan in its first year",
        unit=RATIO,
        function=rules,
        rows={"rows_in": 1, "rows_used": 1},
        method="assumption",
    )
    return (
        "The rule of arithmetic: a gain is the yuan paid over household income, times at most "
        f"about {most.markdown()} in the first year, since the payment is itself income and "
        "nothing has been earned with it yet."
    )


def _broken(book: Book, made: PaidOut) -> str:
    first = made.first_year
    parts = []
    if first is not None:
        said = _note(book, "per_yuan_first_year", first, "total income per yuan paid, first year")
        parts.append(f"The first year says {said}.")
    if made.breaks_the_rule:
        parts.append(
            "The whole interval of the overall figure lies above that. One need not know the "
            "truth to doubt it: a payment that is the same each year hardly adds several times "
            "itself, and the likelier reading is that paying villages moved apart from the others "
            "for other reasons."
        )
    elif made.breaks_the_rule is None:
        parts.append("Without an interval the rule cannot judge the overall figure.")
    else:
        parts.append("The interval of the overall figure holds values that the rule allows.")
    return " ".join(parts)


@dataclass(frozen=True)
class Arithmetic:
    """What reported money can add at most.

    Attributes
    ----------
    page : Page
        Tier reported.
    figures : tuple of Most
        Of every reported figure.
    said : Sentence
        The same in words.
    """

    page: Page
    figures: tuple[Most, ...]
    said: Sentence

    def table(self, name: str) -> Table:
        """Show every reported figure with the most that it can add to income."""
        rows = [
            {
                "id": one.figure.id,
                "title": one.figure.title,
                "yuan": "" if one.figure.yuan is None else printing.interval(one.figure.yuan, 0),
                "most": "" if one.most is None else printing.interval(one.most, 1),
                "why": one.why,
            }
            for one in self.figures
        ]
        labels = {
            "id": "Figure",
            "title": "What it is",
            "yuan": "Yuan (nominal)",
            "most": "At most, per cent",
            "why": "On what it rests",
        }
        title = "What reported money can add to income at most"
        done = tables.table(name, pl.DataFrame(rows), labels, caption=title)
        return self.page.show(done, title, ceilings)


def arithmetic(notebook: str, *programmes: str) -> Arithmetic:
    """Note what the reported money of some programmes can add at most.

    Parameters
    ----------
    notebook : str
        Its name without ending.
    programmes : str
        Ids of the catalogue.
    """
    page = Page(notebook, "reported", ("data/claims", "data/programmes", "data/parameters"))
    figures = ceilings(*programmes)
    return Arithmetic(page, figures, _at_most(page, figures))


def _at_most(page: Page, figures: tuple[Most, ...]) -> Sentence:
    said = []
    for one in figures:
        if one.most is None:
            continue
        most: Interval = one.most
        number = page.number(
            f"most_{one.figure.id}",
            most,
            f"most that it adds: {one.figure.title}",
            unit="percent",
            function=ceilings,
            method="interval arithmetic",
            digits=1,
            rows_in=len(one.figure.claims),
            rows_used=len(one.figure.claims),
        )
        said.append(f"{number.markdown()} per cent ({one.figure.title}; {one.why})")
    if not said:
        return Sentence(
            "No reported figure is money per head that official income can be set against."
        )
    return Sentence(
        f"Over the official rural income per head of the place and year, reported "
        f"money can add at most {listed(said)}."
    )
