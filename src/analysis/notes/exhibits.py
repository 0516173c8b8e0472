"""The figures and tables of a programme page; what is missing is shown as its reason."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import polars as pl

from analysis import tables
from analysis.answers.design import NOMINAL, PER_HEAD, POOR, SHOWN, TOTAL, Design
from analysis.answers.estimates import OVERALL, Estimates, estimate, frame
from analysis.answers.groups import groups
from analysis.answers.missing import Missing
from analysis.answers.naive import METHODS, naive
from analysis.answers.reported import elsewhere, reported
from analysis.answers.truth import Truth
from analysis.figures import answers as pictures
from analysis.figures import effects as paths
from analysis.figures import studies as forests
from analysis.figures.style import Figure
from analysis.notes.book import Book, printed, span
from analysis.tables import Table

OUTCOMES: Mapping[str, str] = {
    TOTAL: "Total",
    "wage": "Wage",
    "business": "Business",
    "property": "Property",
    "transfer": "Transfer",
    PER_HEAD: "Total per head",
    NOMINAL: "Total, prices of each year",
    POOR: "Households below the national line, per cent",
}
KEPT = (*SHOWN, PER_HEAD, POOR)
MANY = 20
"""Rows from which a table can be searched."""


def events(book: Book, name: str) -> Figure:
    """Draw the path of the total and its sources by years since the start."""
    found, tier = book.answer.estimates, book.panel.tier
    if isinstance(found, Missing):
        return book.panel.show(paths.nothing(name, tier, found.sentence), "nothing", estimate)
    truth = None
    if isinstance(book.answer.truth, Truth):
        values = book.answer.truth.values
        truth = values.filter(pl.col("aggregation") == "event_time")
    base = -1 - found.summed.about.anticipation
    drawn = paths.events(
        name, _banded(found), tier=tier, unit=found.design.unit, base=base, truth=truth
    )
    return book.panel.show(drawn, f"{book.answer.name}: effects by event time", estimate)


def _banded(found: Estimates) -> pl.DataFrame:
    """Return the paths with the band of each outcome over its whole path."""
    whole = found.events()
    order = [name for name in SHOWN if name in {key.outcome for key in whole.keys}]
    return pl.concat([frame(whole.select(outcome=name), band=True) for name in order])


def overall(book: Book, name: str) -> Table:
    """Show the overall estimate on each outcome beside the truth."""
    found = book.answer.estimates
    if isinstance(found, Missing):
        return missing(book, name, found)
    rows = []
    found_by = {effect.key.outcome: effect for effect in found.overall.effects()}
    for effect in (found_by[name] for name in KEPT if name in found_by):
        poor = effect.key.outcome == POOR
        scale, digits = (100.0, 1) if poor else (1.0, 0)
        rows.append(
            {
                "outcome": OUTCOMES[effect.key.outcome],
                **_compared(
                    book,
                    effect.key.outcome,
                    OVERALL,
                    None,
                    effect.estimate * scale,
                    effect.ci_low * scale,
                    effect.ci_high * scale,
                    digits,
                    scale,
                ),
            }
        )
    rows += _percent_row(book, found)
    shown = pl.DataFrame(rows)
    labels = {"outcome": "Income", **_columns(book)}
    made = tables.table(name, shown, labels, caption=f"{book.answer.name}: overall estimates")
    return book.panel.show(made, f"{book.answer.name}: overall estimates", estimate)


def _compared(
    book: Book,
    outcome: str,
    aggregation: str,
    at: int | None,
    value: float,
    low: float,
    high: float,
    digits: int,
    scale: float = 1.0,
) -> dict[str, str]:
    """Return estimate, interval, truth and whether it is held, printed."""
    truth = book.answer.truth
    known = truth.of(outcome, aggregation, at) if isinstance(truth, Truth) else None
    known = None if known is None else scale * known
    held = (
        "" if known is None or not np.isfinite(low) else ("yes" if low <= known <= high else "no")
    )
    return {
        "estimate": printed(value, digits),
        "interval": span(low, high, digits) or "none",
        "truth": printed(known, digits),
        "held": held,
    }


def _columns(book: Book) -> dict[str, str]:
    labels = {"estimate": "Estimate", "interval": "Interval"}
    if isinstance(book.answer.truth, Truth):
        labels |= {"truth": "Truth", "held": "Truth inside"}
    return labels


def _percent_row(book: Book, found: Estimates) -> list[dict[str, str]]:
    if isinstance(found.percent, Missing):
        return []
    one = next(found.percent.effects())
    truth = book.answer.truth
    known = truth.percent if isinstance(truth, Truth) else None
    held = (
        ""
        if known is None or not np.isfinite(one.ci_low)
        else ("yes" if one.ci_low <= known <= one.ci_high else "no")
    )
    return [
        {
            "outcome": "Total, per cent",
            "estimate": printed(one.estimate, 1),
            "interval": span(one.ci_low, one.ci_high, 1) or "none",
            "truth": printed(known, 1),
            "held": held,
        }
    ]


def cohorts(book: Book, name: str) -> Table:
    """Show the estimate on total income for each cohort."""
    found = book.answer.estimates
    if isinstance(found, Missing):
        return missing(book, name, found)
    sizes = found.table.n_ever
    rows = [
        {
            "cohort": str(effect.key.at),
            "households": int(sizes[found.table.cohort == effect.key.at].sum()),
            **_compared(
                book,
                TOTAL,
                "cohort",
                effect.key.at,
                effect.estimate,
                effect.ci_low,
                effect.ci_high,
                0,
            ),
        }
        for effect in found.cohorts().effects()
    ]
    labels = {"cohort": "First year", "households": "Households", **_columns(book)}
    made = tables.table(
        name, pl.DataFrame(rows), labels, caption=f"{book.answer.name}: total income by first year"
    )
    return book.panel.show(made, f"{book.answer.name}: estimates by cohort", estimate)


def by_group(book: Book, name: str) -> Figure:
    """Draw the estimates of groups of households with joint intervals."""
    made, tier = book.answer.groups, book.panel.tier
    if isinstance(made, Missing):
        return book.panel.show(paths.nothing(name, tier, made.sentence), "nothing", groups)
    table = frame(made.levels, band=True)
    rows = table.select(
        group=pl.col("programme").str.split(": ").list.first(),
        label=pl.col("programme").str.split(": ").list.last(),
        estimate="estimate",
        ci_low="band_low",
        ci_high="band_high",
    )
    design = book.answer.design
    unit = "" if isinstance(design, Missing) else design.unit
    drawn = pictures.estimates(
        name,
        rows,
        tier=tier,
        unit=unit,
        intro=f"{book.answer.name}: estimates of groups of households with joint intervals",
    )
    return book.panel.show(drawn, f"{book.answer.name}: estimates by group", groups)


def differences(book: Book, name: str) -> Table:
    """Show the differences between groups as one family; p values on a survey only."""
    made = book.answer.groups
    if isinstance(made, Missing) or isinstance(made.differences, Missing):
        why = made if isinstance(made, Missing) else made.differences
        assert isinstance(why, Missing)  # noqa: S101 — as the condition says
        return missing(book, name, why)
    table = frame(made.differences, band=True)
    rows = table.select(
        "programme",
        estimate=pl.col("estimate").map_elements(printed, return_dtype=pl.String),
        interval=_spans("ci_low", "ci_high"),
        joint=_spans("band_low", "band_high"),
    )
    labels = {
        "programme": "Last group less first",
        "estimate": "Difference",
        "interval": "Interval",
        "joint": "Joint interval",
    }
    tested = None if isinstance(made.adjusted, Missing) else made.adjusted
    if not book.answer.simulated and tested is not None and tested.height:
        adjusted = tested.select(
            "programme", *(pl.col(c).round(3) for c in ("p_value", "p_family", "p_discovery"))
        )
        rows = rows.join(adjusted, on="programme", how="left", maintain_order="left")
        labels |= {"p_value": "p", "p_family": "p, family", "p_discovery": "p, discoveries"}
    done = tables.table(
        name, rows, labels, caption=f"{book.answer.name}: differences between groups"
    )
    return book.panel.show(done, f"{book.answer.name}: differences between groups", groups)


def _spans(low: str, high: str) -> pl.Expr:
    return pl.struct(low, high).map_elements(
        lambda row: span(row[low], row[high]) or "none", return_dtype=pl.String
    )


def beside(book: Book, name: str) -> Figure:
    """Draw the sums of articles beside the design and the truth, last year."""
    made, tier = book.answer.naive, book.panel.tier
    if isinstance(made, Missing):
        return book.panel.show(paths.nothing(name, tier, made.sentence), "nothing", naive)
    design = book.answer.design
    labels = pl.col("method").replace_strict(METHODS | _beside_axis(design))
    compared = pl.col("method").is_in(["design", "together"])
    kind = pl.when(compared).then(pl.lit("design")).otherwise(pl.lit("naive"))
    rows = made.rows.select(
        label=labels, kind=kind, estimate="estimate", ci_low="ci_low", ci_high="ci_high"
    )
    unit = "" if isinstance(design, Missing) else design.unit
    drawn = pictures.estimates(
        name,
        rows,
        tier=tier,
        unit=unit,
        truth=made.value("design", "truth"),
        intro=f"{book.answer.name} in {made.period}: sums of articles and a design that compares",
        words={"naive": "no comparison", "design": "compared"},
    )
    return book.panel.show(drawn, f"{book.answer.name}: sums of articles and a design", naive)


def _beside_axis(design: Design | Missing) -> dict[str, str]:
    """Return what the sum in prices of each year is called on an axis in prices of one year."""
    if isinstance(design, Missing) or design.price_year is None:
        return {}
    return {"before_after_nominal": f"{METHODS['before_after_nominal']}, not those of the axis"}


def mistakes(book: Book, name: str) -> Table:
    """Show how far off each sum is, in yuan and in multiples of the truth."""
    made = book.answer.naive
    if isinstance(made, Missing):
        return missing(book, name, made)
    numbers = ("estimate", "truth", "off", "times")
    digits = {"times": 1}
    shown = made.rows.select(
        method=pl.col("method").replace_strict(METHODS),
        interval=_spans("ci_low", "ci_high"),
        **{
            c: pl.col(c).map_elements(
                lambda x, c=c: printed(x, digits.get(c, 0)),  # type: ignore[misc]
                return_dtype=pl.String,
            )
            for c in numbers
        },
    )
    labels = {"method": "How", "estimate": "Says", "interval": "Interval"}
    if isinstance(book.answer.truth, Truth):
        labels |= {"truth": "Truth", "off": "Off by", "times": "Times the truth"}
    done = tables.table(
        name, shown, labels, caption=f"{book.answer.name}: sums of articles and a design"
    )
    return book.panel.show(done, f"{book.answer.name}: how far off each sum is", naive)


def claims(book: Book, name: str) -> Table:
    """Show every claim of the articles on the programme."""
    shown = book.answer.reported.claims
    labels = {
        "id": "Claim",
        "place": "Place",
        "period": "When",
        "counted": "What is counted",
        "says": "Figure",
        "unit": "Unit",
        "supports": "Supports",
    }
    done = tables.table(
        name,
        shown,
        labels,
        caption=f"{book.answer.name}: what articles report",
        filters=["place"] if shown.height > MANY else [],
    )
    return book.reported.show(done, f"{book.answer.name}: what articles report", reported)


def forest(book: Book, name: str) -> Figure:
    """Draw what studies elsewhere found."""
    rows = book.answer.elsewhere.forest
    if rows.is_empty():
        why = "No study of such a programme is in the library on a scale that can be drawn."
        return book.published.show(paths.nothing(name, "published", why), "nothing", elsewhere)
    drawn = forests.forest(name, rows, subject=book.answer.name)
    return book.published.show(drawn, f"{book.answer.name}: studies elsewhere", elsewhere)


def missing(book: Book, name: str, why: Missing) -> Table:
    """Show the reason in a table's place."""
    rows = pl.DataFrame({"programme": [book.answer.name], "why": [why.sentence]})
    labels = {"programme": "Programme", "why": "Why there is no table"}
    done = tables.table(name, rows, labels, caption="Why there is no table")
    return book.panel.show(done, "why there is no table", estimate)
