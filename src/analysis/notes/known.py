"""Sentences of a programme page on what is known without a panel: reports, studies, catalogue."""

from __future__ import annotations

import polars as pl

from analysis import programmes
from analysis.answers.reported import elsewhere, reported
from analysis.notes.book import Book, listed
from analysis.panels.brought import with_pack
from analysis.panels.views import Sentence

TIERS = {
    "model": "Every household of this panel is invented and its true effects are known. The page "
    "asks one thing of it: would this design have found them? No figure from it is an effect of a "
    "programme.",
    "twin": "The panel is a synthetic twin: it is there to try code on, and no estimate from it "
    "means anything.",
    "yours": "The estimates are of the households that were observed. They are effects of the "
    "programme only if, without it, participants and their comparison would have moved alike.",
}
"""What numbers from a panel mean, by its tier."""


def tier_note(evidence: str) -> Sentence:
    """Say what numbers from a panel of a tier mean, and that a pack was brought, if one was.

    Examples
    --------
    >>> tier_note("twin").text.split(":")[0]
    'The panel is a synthetic twin'
    """
    return Sentence(with_pack(TIERS.get(evidence, TIERS["yours"])))


def of_reported(book: Book) -> Sentence:
    """Say what the articles report."""
    told = book.answer.reported
    rows = {"rows_in": told.n_all, "rows_used": told.n_claims}
    n = book.number(
        "claims",
        told.n_claims,
        "figures reported",
        unit="claims",
        function=reported,
        rows=rows,
        page=book.reported,
    )
    one = told.n_claims == 1
    text = f"The articles report {n.markdown()} figure{'' if one else 's'}"
    if told.n_slogans:
        named = book.number(
            "slogans",
            told.n_slogans,
            "numerals that only name a scheme",
            unit="claims",
            function=reported,
            page=book.reported,
            rows={"rows_in": len(told.claims), "rows_used": told.n_slogans},
        )
        text += f"; numerals beside them that only name a scheme: {named.markdown()}"
    text += "."
    if told.without is not None:
        none = "It gives no income" if one else "None gives an income"
        return Sentence(f"{text} {none}: {told.without.reason}.")
    said = []
    for figure in told.computed:
        assert figure.yuan is not None  # noqa: S101 — computed means so
        yuan = book.reported.number(
            f"{book.answer.programme}_reported_{figure.id}",
            figure.yuan,
            f"{book.answer.name}: {figure.title}",
            unit=_unit(figure.basis),
            function=reported,
            method="interval arithmetic",
            digits=0,
            rows_in=len(figure.claims),
            rows_used=len(figure.claims),
        )
        per = figure.basis.removeprefix("per_")
        often = figure.frequency.replace("per_month_annualised", "a year, from a monthly figure")
        often = often.replace("per_year", "a year").replace("one_off", "once")
        said.append(f"{yuan.markdown()} yuan per {per} {often} ({figure.title})")
    subject = "It" if one else "They"
    return Sentence(
        f"{text} {subject} would mean {listed(said)}. None of these is an effect: "
        "nothing is known of households without the programme."
    )


def _unit(basis: str) -> str:
    return "yuan/persons" if basis == "per_head" else "yuan/households"


def of_elsewhere(book: Book) -> Sentence:
    """Say what studies elsewhere found."""
    told = book.answer.elsewhere
    rows = {"rows_in": told.n_all, "rows_used": told.n_estimates}

    def number(id: str, value: float, what: str) -> str:
        found = book.number(
            id, value, what, unit="rows", function=elsewhere, rows=rows, page=book.published
        )
        return found.markdown()

    parts = [
        f"Estimates of such programmes elsewhere: "
        f"{number('studies', told.n_estimates, 'estimates in the library of studies')}; with a "
        f"verified number: "
        f"{number('studies_verified', told.n_verified, 'estimates with a verified number')}; "
        f"from China: {number('studies_china', told.n_china, 'estimates from China')}."
    ]
    if told.low is not None and told.high is not None:
        ends = book.interval(
            "studies_span",
            told.low,
            told.high,
            "smallest and largest comparable estimate",
            unit="percent",
            function=elsewhere,
            rows=rows,
            digits=1,
            page=book.published,
        )
        lot = number("studies_lot", told.n_lot, "comparable estimates drawn by lot")
        count = number("studies_comparable", told.n_comparable, "comparable estimates")
        parts.append(
            f"Those that can be compared ({count}, of them drawn by lot: {lot}) lie at "
            f"{ends.markdown()} per cent of household income or spending."
        )
    else:
        parts.append(
            "None is on household income or spending in per cent of those whom the "
            "programme reaches."
        )
    for done, percent in told.across.items():
        other = book.number(
            "studies_across",
            percent,
            f"{done}, the other side of the bargain",
            unit="percent",
            function=elsewhere,
            rows=rows,
            digits=1,
            page=book.published,
        )
        parts.append(
            f"The {other.markdown()} per cent of one study are of the other side of the "
            f"bargain ({done})."
        )
    if told.n_null:
        nulls = number("studies_null", told.n_null, "rows that report no effect without a number")
        parts.append(f"Reporting no effect, without a number: {nulls}.")
    if "negative" in told.directions:
        lower = number(
            "studies_negative",
            told.directions["negative"],
            "rows that report a lower income or spending without a number",
        )
        parts.append(f"Reporting a lower income or spending, without a number: {lower}.")
    for name, pool in told.pools.items():
        mean = book.number(
            f"pool_{name}",
            pool.mean,
            f"mean over studies, {name}",
            unit="percent",
            function=elsewhere,
            rows=rows,
            digits=1,
            page=book.published,
        )
        ends = book.interval(
            f"pool_{name}_interval",
            pool.ci_low,
            pool.ci_high,
            f"interval of the mean over studies, {name}",
            unit="percent",
            function=elsewhere,
            rows=rows,
            digits=1,
            page=book.published,
        )
        parts.append(
            f"What may be pooled has a mean of {mean.markdown()} per cent ({ends.markdown()})."
        )
    return Sentence(" ".join(parts))


def collect(book: Book) -> Sentence:
    """Say what to collect: the catalogue's own words."""
    row = programmes.load().programmes.row(
        by_predicate=pl.col("id") == book.answer.programme, named=True
    )
    return Sentence(f"{row['identification']} What makes it hard: {row['hard']}")
