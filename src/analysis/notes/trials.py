"""Notes on loans and graduation from public microdata: stored estimates, figure and table."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import polars as pl

from analysis.answers.lent import lent
from analysis.answers.missing import Missing, attempt
from analysis.figures import answers as pictures
from analysis.figures.style import Figure
from analysis.findings import Badge, Page
from analysis.notes.book import printed, span
from analysis.notes.programme import Notes
from analysis.panels import current
from analysis.panels.views import Sentence
from analysis.studies.comparison import between
from analysis.tables import Table, table
from analysis.validation import trials

TITLES: Final = {
    "hyderabad_spandana": "Loans offered by lot, Hyderabad",
    "pakistan_graduation": "Asset, stipend and visits by lot, Sindh",
    "bangladesh_microcredit_1998": "Borrowers by choice, Bangladesh",
    "bangladesh_microcredit_panel": "New borrowers by choice, Bangladesh",
}
HOW: Final = {"difference": "difference", "adjusted": "adjusted"}
UNITS: Final = {"share": "ratio"}
DRAWN: Final = (
    "business_revenue",
    "business_profit",
    "consumption_endline",
    "consumption_followup",
    "expenditure",
)
"""Outcomes of the figure: levels with a mean that a per cent can be taken of."""
PERCENT: Final = 100.0


@dataclass(frozen=True)
class Trials:
    """What a page shows of the data sets that speak to one programme.

    Attributes
    ----------
    badge : Badge
        Tier public.
    short, said : Sentence
        What was drawn by lot and what came of it; all that the data say.
    origin : Sentence
        Where the numbers come from, and whether the code is still the same.
    page : Page
        Where its exhibits are noted.
    rows : polars.DataFrame
        As `analysis.validation.trials.stored` gives it, of the programme.
    """

    badge: Badge
    short: Sentence
    said: Sentence
    origin: Sentence
    page: Page
    rows: pl.DataFrame

    def figure(self, name: str) -> Figure:
        """Draw effects in per cent of the other arm's mean, lot and choice apart."""
        share = PERCENT / pl.col("control_mean")
        shown = self.rows.filter(pl.col("outcome").is_in(DRAWN)).select(
            group=pl.col("dataset").replace_strict(TITLES),
            label=pl.col("label") + ", " + pl.col("estimator").replace_strict(HOW),
            estimate=pl.col("estimate") * share,
            ci_low=pl.col("ci_low") * share,
            ci_high=pl.col("ci_high") * share,
        )
        drawn = pictures.estimates(
            name,
            shown,
            tier="public",
            unit="per cent of the other arm's mean",
            intro="Estimates from public microdata",
        )
        return self.page.show(drawn, "estimates from public microdata", trials.made)

    def table(self, name: str) -> Table:
        """Show every stored estimate with its rows and units."""
        small = pl.col("unit") == "share"
        shown = self.rows.select(
            data=pl.col("dataset").replace_strict(TITLES),
            label="label",
            how=pl.col("estimator").replace_strict(HOW),
            **{
                c: pl.struct(c, small=small).map_elements(_cell(c), return_dtype=pl.String)
                for c in ("estimate", "control_mean")
            },
            interval=pl.struct("ci_low", "ci_high", small=small).map_elements(
                lambda row: span(row["ci_low"], row["ci_high"], 2 if row["small"] else 0),
                return_dtype=pl.String,
            ),
            unit="unit",
            n_used="n_used",
        )
        labels = {
            "data": "Data",
            "label": "Outcome",
            "how": "How",
            "estimate": "Estimate",
            "interval": "Interval",
            "control_mean": "Other arm's mean",
            "unit": "Unit",
            "n_used": "Rows used",
        }
        done = table(
            name,
            shown.select(*labels),
            labels,
            caption="Estimates from public microdata",
            download=self.rows,
        )
        return self.page.show(done, "estimates from public microdata", trials.made)


def _cell(column: str) -> Any:
    return lambda row: printed(row[column], 2 if row["small"] else 0)


def of(notebook: str, programme: str) -> Trials:
    """Note the stored estimates that speak to a programme.

    Parameters
    ----------
    notebook : str
        Its name without ending.
    programme : str
        ``microcredit`` or ``paired_assistance``.
    """
    rows = trials.stored().filter(pl.col("programme") == programme)
    page = Page(notebook, "public", (trials.FILE.as_posix(), "data/external.toml"))
    short, rest = SAID[programme](page, rows)
    said = Sentence(f"{short} {rest}")
    return Trials(Badge("public"), Sentence(short), said, _origin(rows), page, rows)


def _origin(rows: pl.DataFrame) -> Sentence:
    same = rows["code"].unique().to_list() == [trials.code_digest()]
    return Sentence(
        f"The files may not be passed on. What is printed here was estimated from them on "
        f"{rows['made'].to_list()[0]}, with the code "
        + ("that is here now" if same else "as it was then; it has changed since")
        + ", and is stored with the digest of each file; `make data` gets the files and "
        "`python -m analysis.validation.trials` estimates again."
    )


def _note(
    page: Page,
    rows: pl.DataFrame,
    dataset: str,
    outcome: str,
    how: str,
    *,
    factor: float = 1.0,
    digits: int = 0,
    share: bool = False,
) -> str:
    """Note one stored estimate and its interval; as a share of the other arm's mean if asked."""
    row = rows.row(
        by_predicate=(pl.col("dataset") == dataset)
        & (pl.col("outcome") == outcome)
        & (pl.col("estimator") == how),
        named=True,
    )
    scale = PERCENT / row["control_mean"] if share else factor
    unit = "percent" if share or factor == PERCENT else "currency"
    values = {key: scale * row[key] for key in ("estimate", "ci_low", "ci_high")}
    what = f"{TITLES[dataset]}: {row['label']}, {how}, {row['unit']}"
    about: dict[str, Any] = {
        "unit": unit,
        "function": trials.made,
        "rows_in": row["n_in"],
        "rows_used": row["n_used"],
        "digits": digits,
        "method": f"{how}, {row['convention']}",
    }
    id = f"trial_{dataset}_{outcome}_{how}" + ("_percent" if share else "")
    point = page.number(id, values["estimate"], what, **about)
    ends = page.number(
        f"{id}_interval",
        between(values["ci_low"], values["ci_high"]),
        f"interval of {what}",
        **about,
    )
    return f"{point.markdown()} ({ends.markdown()})"


def _loans(page: Page, rows: pl.DataFrame) -> tuple[str, str]:
    hyderabad, cross, panel = (
        "hyderabad_spandana",
        "bangladesh_microcredit_1998",
        "bangladesh_microcredit_panel",
    )
    taken = _note(page, rows, hyderabad, "spandana_loan", "adjusted", factor=PERCENT, digits=1)
    profit = _note(page, rows, hyderabad, "business_profit", "adjusted")
    share = _note(page, rows, hyderabad, "business_profit", "adjusted", share=True)
    revenue = _note(page, rows, hyderabad, "business_revenue", "adjusted", share=True)
    zero = " Zero is inside either interval." if _holds_zero(rows) else ""
    lot = (
        f"*By lot.* In areas of Hyderabad drawn for a lender, {taken} percentage points more "
        f"households had its loan [@banerjee2015miracle]. Profit of a household's business differs "
        f"by {profit} rupees a month, or {share} per cent of the other areas' mean, and revenue by "
        f"{revenue} per cent.{zero}"
    )
    plain, held = (_note(page, rows, cross, "expenditure", how) for how in trials.ESTIMATORS)
    change, given = (_note(page, rows, panel, "change", how) for how in trials.ESTIMATORS)
    choice = (
        f"*By choice.* In villages of Bangladesh, borrowers spent {plain} taka a head and year "
        f"against others; {held} once land, age, schooling and size are held; spending of new "
        f"borrowers changed by {change} against others over the years, {given} with the same held "
        f"[@khandker2010].{_signs(rows)}"
    )
    return lot, choice


def _signs(rows: pl.DataFrame) -> str:
    """Say whether estimates without a lot agree in sign, and whether zero is in every interval."""
    chosen = rows.filter(pl.col("drawn") == "choice")
    turns = bool((chosen["estimate"] < 0).any() and (chosen["estimate"] > 0).any())
    zero = bool(((chosen["ci_low"] <= 0) & (chosen["ci_high"] >= 0)).all())
    text = " The sign turns with who is set beside whom" if turns else " The signs agree"
    return f"{text}{'; every interval holds zero' if zero else ''}."


def _holds_zero(rows: pl.DataFrame) -> bool:
    wanted = rows.filter(
        pl.col("outcome").is_in(["business_profit", "business_revenue"]),
        pl.col("estimator") == "adjusted",
    )
    return bool(((wanted["ci_low"] <= 0) & (wanted["ci_high"] >= 0)).all())


def _graduation(page: Page, rows: pl.DataFrame) -> tuple[str, str]:
    sindh = "pakistan_graduation"
    two, three = (f"consumption_{when}" for when in ("endline", "followup"))
    first = _note(page, rows, sindh, two, "adjusted", digits=1)
    first_share = _note(page, rows, sindh, two, "adjusted", share=True, digits=1)
    later = _note(page, rows, sindh, three, "adjusted", digits=1)
    later_share = _note(page, rows, sindh, three, "adjusted", share=True, digits=1)
    income = _note(page, rows, sindh, "some_income_followup", "adjusted", digits=1)
    return (
        f"In Sindh an asset, a stipend and visits were drawn by lot [@banerjee2015]. After two "
        f"years consumption was {first} dollars per head a month higher, or {first_share} per "
        f"cent; after three years {later}, or {later_share} per cent."
    ), (
        "Farm and business income with revenue from animals, all that the file has of income: "
        f"{income} dollars per household a month. Visits alone, with nothing handed over, are "
        "another matter: where they were drawn by lot they did not move consumption "
        "[@blattman2016]."
    )


SAID: Final = {"microcredit": _loans, "paired_assistance": _graduation}


def principal(notes: Notes) -> Sentence:
    """Say what was lent in the current panel, and what income a year stands beside it.

    Parameters
    ----------
    notes : Notes
        Of the programme that lends, from `analysis.notes.programme`.
    """
    book = notes.book
    answer = book.answer
    first = "A loan is paid back: its principal is never income here. "
    if isinstance(answer.estimates, Missing):
        return Sentence(first + answer.estimates.sentence)
    made = attempt(lent, current.current(), answer.programme, answer.estimates, answer.truth)
    if isinstance(made, Missing):
        return Sentence(first + made.sentence)
    rows = answer.estimates.rows
    loan = book.number(
        "loan",
        made.loan,
        "mean loan of a borrowing household",
        unit="yuan/households",
        function=lent,
        rows=rows,
        digits=0,
    )
    per = book.effect(
        "per_yuan_lent",
        made.per_yuan,
        made.low,
        made.high,
        "estimate of total income a year over the mean loan",
        unit="ratio",
        function=lent,
        rows=rows,
        digits=2,
    )
    text = (
        f"{first}The mean loan is {loan.markdown()} yuan. Booked as income it would be a gain of "
        f"as much in the year of the loan, and a loss when it is repaid. The estimate over it is "
        f"{per} yuan of income a year per yuan lent"
    )
    if made.truth is not None and answer.simulated:
        true = book.number(
            "per_yuan_lent_truth",
            made.truth,
            "true total income a year over the mean loan",
            unit="ratio",
            function=lent,
            rows=rows,
            digits=2,
        )
        text += f"; the truth is {true.markdown()}"
    return Sentence(f"{text}. Interest comes off it, and the articles give no rate.")
