"""The page on targeting and exit: findings, sentences, tables and figure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

from analysis import tables
from analysis.answers import choices, exits, targeting
from analysis.answers.missing import Missing, attempt
from analysis.answers.page import Answer
from analysis.answers.reported import elsewhere, reported
from analysis.figures import effects as paths
from analysis.figures import targeting as pictures
from analysis.figures.style import Figure
from analysis.findings import Badge, Page
from analysis.notes import exhibits, known
from analysis.notes import targeting_texts as texts
from analysis.notes.book import Book, printed, span
from analysis.notes.counter import nothing, short_name
from analysis.notes.programme import PANEL_INPUTS
from analysis.panels import current
from analysis.panels.panel import Panel
from analysis.panels.views import Sentence
from analysis.tables import Table
from analysis.welfare import people as welfare
from analysis.welfare.linearised import Measures
from analysis.welfare.people import People

NO_DESIGN = Missing("targeting is no payment to households: it decides who gets the others")


@dataclass(frozen=True)
class Targeting:
    """What the page shows. Every sentence prints its numbers as findings.

    Attributes
    ----------
    badge, badge_reported, badge_published : Badge
        Tiers.
    reported, elsewhere, collect, tier_note : Sentence
        What articles report; what studies found; what to collect; what such numbers mean.
    errors, curve, reach, again, changes, fates, leaving, hidden : Sentence
        The register's errors; its curve; programmes' reach; poverty left with no programme;
        registered beside others; where they stand at the end; who leaves; what that hides.
    book : Book
        Where exhibits are noted.
    people : People
        The household-years.
    panel : Panel
        The panel.
    bounds : tuple of Hidden
        See `analysis.answers.exits.all_hidden`.
    """

    badge: Badge
    badge_reported: Badge
    badge_published: Badge
    reported: Sentence
    elsewhere: Sentence
    collect: Sentence
    tier_note: Sentence
    errors: Sentence
    curve: Sentence
    reach: Sentence
    again: Sentence
    changes: Sentence
    fates: Sentence
    leaving: Sentence
    hidden: Sentence
    book: Book
    people: People
    panel: Panel
    bounds: tuple[exits.Hidden, ...]

    def claims(self, name: str) -> Table:
        """Table: what articles report."""
        return exhibits.claims(self.book, name)

    def forest(self, name: str) -> Figure:
        """Figure: studies elsewhere."""
        return exhibits.forest(self.book, name)

    def mistaken(self, name: str) -> Table:
        """Table: exclusion and inclusion error by who is called poor."""
        found = attempt(targeting.errors, self.people)
        if isinstance(found, Missing):
            return nothing(self.book.panel, name, found.reason, targeting.errors)
        rows = _percent(found).pivot("measure", index="definition", values="shown")
        shown = rows.with_columns(pl.col("definition").replace_strict(targeting.DEFINITIONS))
        labels = {
            "definition": "Who is called poor",
            "poor": "Poor, %",
            "exclusion": "Of them not registered, %",
            "inclusion": "Of the registered not poor, %",
        }
        done = tables.table(
            name, shown, labels, caption="Errors of the register", download=found.to_frame()
        )
        return self.book.panel.show(done, "errors of the register", targeting.errors)

    def curves(self, name: str) -> Figure:
        """Figure: concentration curve of the register."""
        page = self.book.panel
        found = attempt(targeting.concentration, self.people)
        if isinstance(found, Missing):
            return page.show(
                paths.nothing(name, page.tier, found.sentence), "nothing", targeting.concentration
            )
        rows = targeting.registered(self.people)
        share = float(np.average(rows["registered"].to_numpy(), weights=rows["weight"].to_numpy()))
        drawn = pictures.concentration(name, page.tier, found.curves, share)
        return page.show(drawn, "concentration curve", targeting.concentration)

    def ratios(self, name: str) -> Table:
        """Table: targeting ratios of the register and of every programme."""
        found = attempt(targeting.reach, self.people, self.panel)
        if isinstance(found, Missing):
            return nothing(self.book.panel, name, found.reason, targeting.reach)
        if not len(found):
            return nothing(
                self.book.panel, name, "nobody is recorded as reached by anything", targeting.reach
            )
        frame = found.to_frame().with_columns(share=pl.col("poorest").cast(pl.Float64))
        frame = frame.with_columns(pl.col("estimate", "ci_low", "ci_high") / pl.col("share"))
        cells = frame.with_columns(
            shown=pl.struct("estimate", "ci_low", "ci_high").map_elements(
                lambda row: _cell(row, 2, 1), return_dtype=pl.String
            ),
            head=pl.col("share").map_elements(
                lambda x: f"poorest {printed(100 * x)} %", return_dtype=pl.String
            ),
            programme=pl.col("programme").map_elements(_reached, return_dtype=pl.String),
        )
        shown = cells.pivot("head", index="programme", values="shown", maintain_order=True)
        labels = {
            "programme": "Reached by",
            **{head: head.capitalize() for head in shown.columns[1:]},
        }
        done = tables.table(name, shown, labels, caption="Targeting ratios", download=frame)
        return self.book.panel.show(done, "targeting ratios", targeting.reach)

    def beside(self, name: str) -> Table:
        """Table: registered beside others, ever closer compared."""
        found = attempt(exits.changes, self.people)
        if isinstance(found, Missing):
            return nothing(self.book.panel, name, found.reason, exits.changes)
        shown = found.select(
            way=pl.col("way").replace_strict(exits.WAYS),
            n="n",
            change=pl.struct("estimate", "ci_low", "ci_high").map_elements(
                lambda row: _cell(row, 0, 1), return_dtype=pl.String
            ),
        )
        labels = {"way": "Change of income per head", "n": "Households", "change": f"{self.money}"}
        done = tables.table(
            name, shown, labels, caption="Registered and other households", download=found
        )
        return self.book.panel.show(done, "registered and other households", exits.changes)

    @property
    def money(self) -> str:
        """What incomes per head are in, as the head of a column."""
        return texts.money(self.panel, self.people)

    def stands(self, name: str) -> Table:
        """Table: where registered and other households stand at the end."""
        found = attempt(exits.fates, self.people)
        if isinstance(found, Missing):
            return nothing(self.book.panel, name, found.reason, exits.fates)
        rows = _percent(found).pivot("register", index="fate", values="shown")
        shown = rows.with_columns(pl.col("fate").replace_strict(texts.FATES))
        labels = {
            "fate": "Per cent of households",
            "registered": "Registered",
            "others": "Not registered",
        }
        done = tables.table(
            name,
            shown,
            labels,
            caption="Where households stand at the end",
            download=found.to_frame(),
        )
        return self.book.panel.show(done, "where households stand at the end", exits.fates)

    def trimmed(self, name: str) -> Table:
        """Table: bounds on each programme's effect that allow for leavers."""
        if not self.bounds:
            return nothing(self.book.panel, name, "no programme here can be bounded", exits.hidden)
        rows = [
            {
                "programme": short_name(one.programme),
                "seen": f"{printed(100 * one.bounds.seen_treated)} and "
                f"{printed(100 * one.bounds.seen_control)}",
                "estimate": printed(one.bounds.estimate),
                "bounds": span(one.bounds.low, one.bounds.high),
                "interval": span(one.low, one.high) or "none",
                "truth": printed(one.truth),
            }
            for one in self.bounds
        ]
        labels = {
            "programme": "Programme",
            "seen": "Seen again, with and without, %",
            "estimate": "Of those seen",
            "bounds": "Bounds",
            "interval": "Interval",
        }
        if any(one.truth is not None for one in self.bounds):
            labels["truth"] = "Truth"
        done = tables.table(
            name,
            pl.DataFrame(rows).select(*labels),
            labels,
            caption="Bounds that allow for leavers",
        )
        return self.book.panel.show(done, "bounds that allow for leavers", exits.hidden)


def page(notebook: str, panel: Panel | None = None) -> Targeting:
    """Note the findings of the page on targeting and exit.

    Parameters
    ----------
    notebook : str
        Its name without ending.
    panel : Panel, optional
        The current one by default.
    """
    truth = current.truth() if panel is None else None
    panel = current.current() if panel is None else panel
    book = _book(notebook, panel)
    people = welfare.of_panel(panel, choices.load().price_year)
    bounds = exits.all_hidden(panel, truth)
    return Targeting(
        badge=Badge(panel.evidence),
        badge_reported=Badge("reported"),
        badge_published=Badge("published"),
        reported=known.of_reported(book),
        elsewhere=known.of_elsewhere(book),
        collect=known.collect(book),
        tier_note=known.tier_note(panel.evidence),
        errors=texts.errors(book.panel, people),
        curve=texts.curve(book.panel, people),
        reach=texts.reach(book.panel, people, panel),
        again=texts.again(book.panel, people, panel),
        changes=texts.changes(book.panel, people, panel),
        fates=texts.fates(book.panel, people),
        leaving=texts.leaving(book.panel, people),
        hidden=texts.hidden(book.panel, bounds),
        book=book,
        people=people,
        panel=panel,
        bounds=bounds,
    )


def _book(notebook: str, panel: Panel) -> Book:
    answer = Answer(
        programme="targeting",
        name=short_name("targeting"),
        evidence=panel.evidence,
        panel_digest=current.digest(panel),
        reported=reported("targeting"),
        elsewhere=elsewhere("targeting"),
        design=NO_DESIGN,
        estimates=NO_DESIGN,
        together=NO_DESIGN,
        truth=NO_DESIGN,
        naive=NO_DESIGN,
        groups=NO_DESIGN,
    )
    return Book(
        answer,
        Page(notebook, panel.evidence, PANEL_INPUTS, (answer.panel_digest,)),
        Page(notebook, "reported", ("data/claims", "data/programmes")),
        Page(notebook, "published", ("data/studies",)),
    )


def _percent(found: Measures) -> pl.DataFrame:
    shown = pl.struct("estimate", "ci_low", "ci_high").map_elements(
        lambda row: _cell(row, 1, 100), return_dtype=pl.String
    )
    return found.to_frame().with_columns(shown=shown)


def _cell(row: dict[str, Any], digits: int, scale: float) -> str:
    if row["estimate"] is None:
        return "none"
    point = printed(scale * row["estimate"], digits)
    if row["ci_low"] is None:
        return point
    return f"{point} ({span(scale * row['ci_low'], scale * row['ci_high'], digits)})"


def _reached(programme: str) -> str:
    return "The register" if programme == targeting.REGISTER else short_name(programme)
