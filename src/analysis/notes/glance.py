"""The summary's findings, figure and tables: all programmes at a glance."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import polars as pl

from analysis import printing, tables
from analysis.answers import choices, glance, overview
from analysis.answers.certainty import WORDS, certainty, needs
from analysis.answers.glance import Glance
from analysis.answers.reported import elsewhere, reported
from analysis.figures import glance as figures
from analysis.figures.style import Figure
from analysis.findings import Finding, Page
from analysis.notes.book import listed
from analysis.notes.book import printed as number
from analysis.studies import comparison, library
from analysis.studies import summary as studies_summary
from analysis.tables import Table

CLAIMS, STUDIES = ("data/claims", "data/programmes"), ("data/studies",)
RULES = ("data/parameters/answers.toml",)
SIMULATED = ("reports/validation/programmes.csv",)
NO_PANEL = "not asked"
VERDICTS = {
    "found": "found",
    "imprecise": "too wide to tell",
    "missed": "misled",
    "unknown": "no interval",
}
"""What a verdict of `analysis.answers.overview.verdict` is called in the table."""
VARIANTS = {"clean": "nothing in the way", "realistic": "every difficulty"}
MEASURES = {
    "income": "income",
    "payment": "paid out",
    "spending": "spent",
    "loan": "lent",
    "turnover": "taken in by the village",
}
"""What reported money is, in a word or two."""
OFTEN = {"per_year": "a year", "one_off": "once", "per_month_annualised": "a year, from a month"}


@dataclass(frozen=True)
class Summary:
    """What the summary shows.

    Attributes
    ----------
    all_of : tuple of Glance
        Every programme.
    notebook : str
        The page that notes.
    """

    all_of: tuple[Glance, ...]
    notebook: str

    def page(self, tier: str, inputs: tuple[str, ...]) -> Page:
        """Return the page that notes numbers of a tier."""
        return Page(self.notebook, tier, inputs)

    def figure(self, name: str) -> Figure:
        """Figure: reported money and published effects, in two blocks; nothing simulated."""
        done = figures.reported_and_elsewhere(
            name,
            glance.marks(self.all_of),
            years=glance.price_years(self.all_of),
            package=studies_summary.percent_of(library.load(), comparison.PACKAGE),
        )
        return self.page("published", CLAIMS + STUDIES).show(
            done, "reported money and published effects", glance.marks
        )

    def table(self, name: str) -> Table:
        """Table: programme, how sure, reported, elsewhere, in a panel (simulated)."""
        rows = pl.DataFrame([_row(one) for one in self.all_of])
        labels = {
            "programme": "Programme",
            "sure": "How sure",  # second, so that a phone shows it
            "reported": "Reported: yuan",
            "elsewhere": "Elsewhere: per cent",
            "panel": "Found by a panel? (simulated)",
        }
        done = tables.table(name, rows, labels, caption="All programmes at a glance")
        page = self.page("", CLAIMS + STUDIES + SIMULATED + RULES)
        Page(self.notebook, "published", page.inputs).show(
            done, "all programmes at a glance", glance.glances
        )
        return done  # without one badge: its columns are of three tiers and say so

    def rules(self, name: str) -> Table:
        """Table: what each word of `WORDS` needs, with how many programmes have it."""
        chosen = choices.load()
        required = needs(printing.number(chosen.pooled_least), printing.number(chosen.small))
        held = [one.certainty.word for one in self.all_of]
        rows = pl.DataFrame(
            [{"word": word, "needs": required[word], "n": held.count(word)} for word in WORDS]
        )
        labels = {"word": "How sure", "needs": "When", "n": "Programmes"}
        done = tables.table(name, rows, labels, caption="What the words for how sure mean")
        return self.page("published", STUDIES + RULES).show(done, "rules for how sure", certainty)


def summary(notebook: str) -> Summary:
    """Make the summary and note its numbers.

    Parameters
    ----------
    notebook : str
        Name of the notebook.
    """
    made = Summary(glance.glances(), notebook)
    _note_counts(made)
    _note_simulated(made)
    for one in made.all_of:
        _note_row(made, one)
    return made


def _note_counts(made: Summary) -> None:
    n = len(made.all_of)
    told, near = made.page("reported", CLAIMS), made.page("published", STUDIES + RULES)
    sure = [one.certainty for one in made.all_of]

    def count(page: Page, id: str, value: int, what: str, by: Callable[..., object]) -> Finding:
        return page.number(
            f"summary_{id}", value, what, unit="programmes", function=by, rows_in=n, rows_used=value
        )

    count(told, "programmes", n, "programmes", glance.glances)
    count(
        told,
        "with_yuan",
        sum(bool(one.reported.computed) for one in made.all_of),
        "programmes with a figure in yuan per person or household",
        reported,
    )
    count(
        near,
        "studied",
        sum(one.elsewhere.n_comparable > 0 for one in made.all_of),
        "programmes with a comparable study elsewhere",
        elsewhere,
    )
    count(
        near,
        "lot",
        sum(one.n_lot > 0 for one in sure),
        "programmes with a comparable study that drew people by lot",
        certainty,
    )
    for word in WORDS:
        count(
            near,
            f"sure_{word.replace(' ', '_')}",
            sum(one.word == word for one in sure),
            f"programmes: how sure, {word}",
            certainty,
        )
    firm = [f"{one.name.lower()}, {one.certainty.of}" for one in made.all_of if one.certainty.of]
    near.word(
        "summary_firm",
        listed(firm) if firm else "no programme",
        "programmes with a firm mean over studies",
        function=certainty,
        rows_in=n,
        rows_used=len(firm),
    )
    chosen = choices.load()
    near.number(
        "summary_pooled_least",
        chosen.pooled_least,
        "samples drawn by lot that a firm mean needs",
        unit="samples",
        function=certainty,
        method="chosen",
        rows_in=0,
        rows_used=0,
    )
    near.number(
        "summary_small",
        chosen.small,
        "interval of a firm mean that says little or nothing, either side of zero",
        unit="percent",
        function=certainty,
        method="chosen",
        rows_in=0,
        rows_used=0,
    )
    near.number(
        "summary_package",
        studies_summary.percent_of(library.load(), comparison.PACKAGE),
        "the whole package of targeted poverty alleviation, mean of key poor counties",
        unit="percent",
        digits=1,
        function=studies_summary.percent_of,
        method="as published",
        rows_in=library.load().estimates.height,
        rows_used=1,
    )


def _note_simulated(made: Summary) -> None:
    page = made.page("model", SIMULATED)
    table = overview.judged(overview.stored())
    hard = table.filter(pl.col("variant") == "realistic")
    for id, value in (
        ("least", hard["before_after_times"].abs().min()),
        ("most", hard["before_after_times"].abs().max()),
    ):
        page.number(
            f"summary_before_after_{id}",
            float(value or 0),  # type: ignore[arg-type]
            f"before and after over the truth, {id} over programmes, all difficulties",
            unit="ratio",
            digits=0,
            function=overview.judged,
            rows_in=table.height,
            rows_used=hard.height,
        )
    asked = [one.simulated for one in made.all_of if one.simulated]
    page.number(
        "summary_asked",
        len(asked),
        "programmes of the model panel",
        unit="programmes",
        function=overview.stored,
        rows_in=table.height,
        rows_used=len(asked),
    )
    alone = [
        overview.verdict(row["truth"], row["design_low"], row["design_high"])
        for row in hard.iter_rows(named=True)
    ]
    for verdict in ("found", "missed"):
        page.number(
            f"summary_alone_{verdict}",
            alone.count(verdict),
            f"programmes, {VARIANTS['realistic']}, one programme at a time: {VERDICTS[verdict]}",
            unit="programmes",
            function=overview.verdict,
            rows_in=table.height,
            rows_used=len(alone),
        )
    for variant, words in VARIANTS.items():
        for verdict in ("found", "imprecise", "missed"):
            held = [one for one in asked if one[variant] == verdict]
            page.number(
                f"summary_{variant}_{verdict}",
                len(held),
                f"programmes, {words}, all programmes at once: {VERDICTS[verdict]}",
                unit="programmes",
                function=overview.verdict,
                rows_in=table.height,
                rows_used=len(asked),
            )


def _note_row(made: Summary, one: Glance) -> None:
    """Note what the table says of a programme, for pages that print it in other words."""
    told, near = made.page("reported", CLAIMS), made.page("published", STUDIES + RULES)
    name, rows = f"summary_{one.programme}", one.elsewhere.n_all
    for figure in one.reported.computed:
        assert figure.yuan is not None  # noqa: S101 — computed means so
        told.number(
            f"{name}_{figure.id}",
            figure.yuan,
            f"{one.name}: {figure.title}",
            unit="yuan/persons" if figure.basis == "per_head" else "yuan/households",
            digits=0,
            function=reported,
            method="interval arithmetic",
            rows_in=len(figure.claims),
            rows_used=len(figure.claims),
        )
    counts = {
        "samples": one.certainty.n_samples,
        "lot": one.certainty.n_lot,
        "verified": one.elsewhere.n_otherwise
        if one.elsewhere.low is None
        else one.elsewhere.n_verified,
    }
    for id, value in counts.items():
        near.number(
            f"{name}_{id}",
            value,
            f"{one.name}: studies elsewhere, {id}",
            unit="samples",
            function=certainty,
            rows_in=rows,
            rows_used=value,
        )
    for id, end in (("smallest", one.elsewhere.low), ("largest", one.elsewhere.high)):
        if end is not None:
            near.number(
                f"{name}_{id}",
                end,
                f"{one.name}: {id} comparable estimate",
                unit="percent",
                digits=1,
                function=elsewhere,
                rows_in=rows,
                rows_used=one.elsewhere.n_comparable,
            )
    near.word(
        f"{name}_sure",
        one.certainty.said,
        f"{one.name}: how sure",
        function=certainty,
        rows_in=rows,
        rows_used=one.elsewhere.n_comparable,
    )
    simulated = made.page("model", SIMULATED)
    for variant, words in VARIANTS.items():
        if one.simulated:
            simulated.word(
                f"{name}_{variant}",
                VERDICTS[one.simulated[variant]],
                f"{one.name}, {words}",
                function=overview.verdict,
                rows_in=1,
                rows_used=1,
            )


def _row(one: Glance) -> dict[str, str]:
    told = "; ".join(
        f"{printing.interval(figure.yuan, 0)} {MEASURES[figure.measures]}, "
        f"{figure.basis.replace('_', ' ')}, {OFTEN[figure.frequency]}"
        for figure in one.reported.computed
        if figure.yuan is not None
    )
    panel = "; ".join(
        f"{words}: {VERDICTS[one.simulated[variant]]}"
        for variant, words in VARIANTS.items()
        if one.simulated
    )
    return {
        "programme": one.name,
        "sure": one.certainty.said,
        "reported": told or (one.reported.without.reason if one.reported.without else ""),
        "elsewhere": _elsewhere(one),
        "panel": panel or NO_PANEL,
    }


def _elsewhere(one: Glance) -> str:
    near, sure = one.elsewhere, one.certainty
    if near.low is None or near.high is None:
        n, text = near.n_otherwise, "no per cent of household income or spending"
        if near.directions:
            told = [
                f"{count} {comparison.DIRECTIONS[word]}" for word, count in near.directions.items()
            ]
            text += f"; studies without a number: {', '.join(told)}"
        return f"{text} (verified on other outcomes or scales: {n})" if n else text
    ends = number(near.low, 1) + (f" to {number(near.high, 1)}" if near.n_comparable > 1 else "")
    samples = "1 sample" if sure.n_samples == 1 else f"{sure.n_samples} samples"
    text = f"{ends} ({samples}, {sure.n_lot} drawn by lot)"
    means = "; ".join(f"mean {comparison.said(pool)}" for pool in near.pools.values())
    return f"{text}; {means}" if means else text
