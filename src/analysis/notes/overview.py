"""Exhibits over all programmes: what each difficulty does to each way of estimating."""

from __future__ import annotations

from typing import Any

import polars as pl

from analysis import programmes, tables
from analysis.answers import overview
from analysis.findings import Finding, Page
from analysis.notes.book import printed, span
from analysis.tables import Table

DIFFICULTIES = {
    "clean": "none",
    "selection_level": "the better-off join first",
    "selection_trend": "those whose income grows join first",
    "dip": "wages dip before training",
    "anticipation": "effects begin early",
    "spillover": "neighbours are affected",
    "bundling": "programmes come together",
    "coverage": "some reach nearly everyone",
    "attrition": "households leave",
    "missing": "answers are missing",
    "heaping": "answers are rounded",
    "realistic": "all of these",
}
"""What each variant means to a reader."""
INPUTS = ("reports/validation/programmes.csv", "data/programmes/designs.csv")


def page_of(notebook: str) -> Page:
    """Return the page that notes what the stored simulations say; always tier model."""
    return Page(notebook, "model", INPUTS)


def difficulties(notebook: str, name: str, programme: str) -> Table:
    """Show what each difficulty does to one programme.

    Parameters
    ----------
    notebook : str
        Name of the notebook.
    name : str
        Label of the cell.
    programme : str
        Id of the programme.
    """
    made = overview.judged(overview.stored()).filter(pl.col("programme") == programme)
    rows = [
        {
            "difficulty": DIFFICULTIES[row["variant"]],
            "truth": printed(row["truth"]),
            "with_without": printed(row["with_without"]),
            **_compared(row),
        }
        for row in made.iter_rows(named=True)
    ]
    labels = {
        "difficulty": "Difficulty",
        "truth": "Truth",
        "with_without": "With and without",
        **LABELS,
    }
    title = f"{_names()[programme]}: what each difficulty does"
    done = tables.table(name, pl.DataFrame(rows), labels, caption=title, download=made)
    return page_of(notebook).show(done, title, overview.made)


def everything(notebook: str, name: str, variant: str) -> Table:
    """Show all programmes under one difficulty: articles, one design, the other, and the truth.

    Parameters
    ----------
    notebook : str
        Name of the notebook.
    name : str
        Label of the cell.
    variant : str
        A key of `DIFFICULTIES`.
    """
    made = overview.judged(overview.stored()).filter(pl.col("variant") == variant)
    rows = [
        {
            "programme": _names()[row["programme"]],
            "truth": printed(row["truth"]),
            "before_after": printed(row["before_after"]),
            "with_without": printed(row["with_without"]),
            **_compared(row),
        }
        for row in made.iter_rows(named=True)
    ]
    labels = {
        "programme": "Programme",
        "truth": "Truth",
        "before_after": "Before and after",
        "with_without": "With and without",
        **LABELS,
    }
    title = f"All programmes; difficulty: {DIFFICULTIES[variant]}"
    done = tables.table(name, pl.DataFrame(rows), labels, caption=title, download=made)
    return page_of(notebook).show(done, title, overview.made)


LABELS = {
    "design": "One at a time",
    "design_holds": "Truth inside",
    "together": "All at once",
    "together_holds": "Truth inside ",
}


def _compared(row: dict[str, Any]) -> dict[str, str]:
    """Return both designs with their intervals, and whether each holds the truth."""
    cells = {}
    for design in ("design", "together"):
        point, low, high = (row[f"{design}{end}"] for end in ("", "_low", "_high"))
        ends = span(low, high)
        cells[design] = printed(point) + (f" ({ends})" if ends else " (no interval)")
        held = row[f"{design}_holds"]
        cells[f"{design}_holds"] = "" if held is None else "yes" if held else "no"
    return cells


def holding(notebook: str, variant: str, design: str) -> tuple[Finding, Finding]:
    """Note how many programmes' intervals hold the truth, and how many there are.

    Parameters
    ----------
    notebook : str
        Name of the notebook.
    variant : str
        A key of `DIFFICULTIES`.
    design : str
        ``design`` (one programme at a time) or ``together``.
    """
    table = overview.judged(overview.stored())
    made = table.filter(pl.col("variant") == variant)
    page = page_of(notebook)
    words = "one programme at a time" if design == "design" else "all programmes at once"

    def note(id: str, value: float, what: str) -> Finding:
        return page.number(
            f"overview_{variant}_{design}_{id}",
            value,
            f"{what}, {words}, difficulty: {DIFFICULTIES[variant]}",
            unit="programmes",
            function=overview.judged,
            rows_in=table.height,
            rows_used=made.height,
        )

    held = made[f"{design}_holds"]
    return (
        note("hold", int(held.sum()), "programmes whose interval holds the truth"),
        note("all", made.height, "programmes"),
    )


def _names() -> dict[str, str]:
    return dict(programmes.load().programmes.select("id", "name_en").iter_rows())
