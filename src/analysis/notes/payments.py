"""The payments of a programme page: which source each enters, and what is left of rent."""

from __future__ import annotations

from dataclasses import dataclass
from math import isfinite
from typing import Any

import polars as pl

from analysis import tables
from analysis.answers import payments, together
from analysis.answers.estimates import OVERALL
from analysis.answers.missing import Missing
from analysis.answers.truth import Truth
from analysis.effects.record import Effect
from analysis.effects.result import EffectSet
from analysis.notes import exhibits
from analysis.notes.book import Book, listed, printed, span
from analysis.panels.views import Sentence
from analysis.tables import Table

WHAT = "property and business income together: rent and shares, orders, less farm income given up"


@dataclass(frozen=True)
class Payments:
    """What a page shows of a programme's payments.

    Attributes
    ----------
    book : Book
        Of the programme.
    said, channels : Sentence
        What is left of rent once farm income given up is counted; which source each enters.
    """

    book: Book
    said: Sentence
    channels: Sentence

    def listed(self, name: str) -> Table:
        """Table: each payment, what it is for, the source it enters, what it may replace."""
        rows = payments.payments(self.book.answer.programme).drop("id")
        labels = {
            "name_en": "Payment",
            "name_zh": "As printed",
            "paid_for": "Paid for",
            "channel": "Enters",
            "replaces": "May take the place of",
        }
        done = tables.table(name, rows.select(*labels), labels, caption="The payments")
        return self.book.reported.show(done, "payments and their sources", payments.payments)

    def sources(self, name: str) -> Table:
        """Table: overall estimate by source, by both designs, and rent less farm income."""
        answer = self.book.answer
        if isinstance(answer.estimates, Missing):
            return exhibits.missing(self.book, name, answer.estimates)
        paid = payments.payments(answer.programme)
        rows = []
        for source in ("property", "business", "wage", "transfer"):
            names = paid.filter(pl.col("channel") == source)["name_en"].to_list()
            rows.append(
                self._row(
                    f"{source.capitalize()} income", (source,), listed(names) if names else "none"
                )
            )
        rows.append(self._row("Property and business", payments.NET, "rent less what it replaces"))
        rows.append(self._row("Total", ("total",), "all"))
        shown = pl.DataFrame(rows)
        labels = {
            "source": "Income",
            "paid": "Payments in it",
            "one": "One at a time",
            "all": "All at once",
        }
        if isinstance(answer.truth, Truth):
            labels["truth"] = "Truth"
        done = tables.table(
            name, shown.select(*labels), labels, caption=f"{answer.name}: by source of income"
        )
        return self.book.panel.show(done, f"{answer.name}: by source of income", payments.net)

    def _row(self, title: str, sources: tuple[str, ...], paid: str) -> dict[str, Any]:
        answer = self.book.answer
        found = answer.estimates
        truth = payments.true_net(answer.truth, sources)
        one: EffectSet | Missing = (
            found
            if isinstance(found, Missing)
            else payments.net(found.summed, answer.programme, sources)
        )
        both = answer.together
        every = both if isinstance(both, Missing) else payments.net(both, answer.programme, sources)
        return {
            "source": title,
            "paid": paid,
            "one": _cell(one),
            "all": _cell(every),
            "truth": printed(truth),
        }


def _cell(found: EffectSet | Missing) -> str:
    if isinstance(found, Missing):
        return "none"
    one = next(found.effects())
    ends = span(one.ci_low, one.ci_high)
    return f"{printed(one.estimate)} ({ends})" if ends else f"{printed(one.estimate)} (no interval)"


def of_payments(book: Book) -> Payments:
    """Note what a programme page says of its payments."""
    return Payments(book, _said(book), _channels(book))


def _channels(book: Book) -> Sentence:
    paid = payments.payments(book.answer.programme)
    rows = {"rows_in": paid.height, "rows_used": paid.height}
    n = book.number(
        "payments",
        paid.height,
        "payments that the programme names",
        unit="payments",
        function=payments.payments,
        rows=rows,
        page=book.reported,
    )
    by = [
        f"{listed(part['name_en'].to_list())} in {source} income"
        for (source,), part in paid.group_by("channel", maintain_order=True)
    ]
    return Sentence(
        f"The articles name {n.markdown()} payments to a household that leases land to a firm and "
        f"give no amount for any of them. In a household survey they are counted as "
        f"{listed(by)}. The survey's four sources therefore cannot tell rent from shares, nor "
        "orders from the household's other farm income: that needs the contract."
    )


def _said(book: Book) -> Sentence:
    """Say what property and business income come to together."""
    answer, found = book.answer, book.answer.estimates
    if isinstance(found, Missing):
        return Sentence(found.sentence)
    one = payments.net_of(found)
    if isinstance(one, Missing):
        return Sentence(one.sentence)
    truth = payments.true_net(answer.truth)
    rent = payments.true_net(answer.truth, ("property",))
    effect = next(one.effects())
    text = f"one programme at a time they come to {_noted(book, 'net', effect)}"
    every = together.of(answer.together, answer.programme, OVERALL)
    if every is not None and not isinstance(answer.together, Missing):
        both = payments.net(answer.together, answer.programme)
        if not isinstance(both, Missing):
            text += f", all at once to {_noted(book, 'net_together', next(both.effects()))}"
    unit = found.design.unit
    if truth is None or rent is None:
        return Sentence(
            f"Rent is no gain where it pays for a field no longer farmed. Property and "
            f"business income have to be read together: {text} {unit}."
        )
    known = book.number(
        "net_truth",
        truth,
        f"truth, {WHAT}",
        unit=book.unit,
        function=payments.true_net,
        rows=found.rows,
        digits=0,
        method="potential outcomes of the simulation",
    )
    alone = book.number(
        "rent_truth",
        rent,
        "truth, property income alone",
        unit=book.unit,
        function=payments.true_net,
        rows=found.rows,
        digits=0,
        method="potential outcomes of the simulation",
    )
    return Sentence(
        f"Rent is no gain where it pays for a field no longer farmed. In the simulated panel "
        f"the truth is {alone.markdown()} in property income alone, and {known.markdown()} once "
        f"business income is counted too; {text} {unit}."
    )


def _noted(book: Book, id: str, one: Effect) -> str:
    rows = {"rows_in": one.about.rows_in, "rows_used": one.about.rows_used}
    if not isfinite(one.ci_low):
        found = book.number(
            id, one.estimate, WHAT, unit=book.unit, function=payments.net, rows=rows, digits=0
        )
        return f"{found.markdown()} (no interval)"
    noted = book.panel.estimate(
        f"{book.answer.programme}_{id}",
        one,
        f"{book.answer.name}: {WHAT}",
        unit=book.unit,
        function=payments.net,
        digits=0,
    )
    return f"{noted.markdown()} ({noted.between.markdown})"
