"""The training experiment: findings, sentence and figure of the estimators on survey controls."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import polars as pl

from analysis.figures import answers as pictures
from analysis.figures import effects as paths
from analysis.figures.style import Figure
from analysis.findings import Badge, Finding, Page
from analysis.notes.book import listed, printed
from analysis.panels.views import Sentence
from analysis.tables import Table, table
from analysis.validation import nsw

UNIT = "dollars of 1982 a year"
GROUPS = {
    "experiment": "Controls drawn by lot",
    "cps1": "Survey CPS-1",
    "cps2": "Survey CPS-2",
    "cps3": "Survey CPS-3",
    "psid1": "Survey PSID-1",
    "psid2": "Survey PSID-2",
    "psid3": "Survey PSID-3",
}
DRAWN = ("difference", "least_squares", "doubly_robust_support")
"""Estimators of the figure; the table has all."""


@dataclass(frozen=True)
class Experiment:
    """What the page shows of the experiment.

    Attributes
    ----------
    badge : Badge
        Tier public.
    said : Sentence
        The benchmark, and how far from it survey controls lie.
    page : Page
        Where its exhibits are noted.
    rows : polars.DataFrame
        As `analysis.validation.nsw.nsw_comparison` gives it.
    """

    badge: Badge
    said: Sentence
    page: Page
    rows: pl.DataFrame

    def figure(self, name: str) -> Figure:
        """Draw some estimators on each group, beside the experiment's answer."""
        wanted = self.rows.filter(
            pl.col("estimate").is_not_null(), pl.col("estimator").is_in(DRAWN)
        )
        if wanted.is_empty():
            why = "The data of the experiment are not installed."
            return self.page.show(paths.nothing(name, "public", why), "nothing", nsw.nsw_comparison)
        rows = wanted.select(
            group=pl.col("group").replace_strict(GROUPS),
            label="label",
            estimate="estimate",
            ci_low="ci_low",
            ci_high="ci_high",
        )
        drawn = pictures.estimates(
            name,
            rows,
            tier="public",
            unit=UNIT,
            truth=_benchmark(self.rows),
            truth_is="experiment's difference in means",
            intro="Effect of the training on earnings, by comparison group and estimator",
        )
        return self.page.show(drawn, "the experiment and survey controls", nsw.nsw_comparison)

    def table(self, name: str) -> Table:
        """Show every estimator on every group, with its distance from the experiment."""
        shown = self.rows.select(
            "label",
            group=pl.col("group").replace_strict(GROUPS),
            **{
                c: pl.col(c).map_elements(printed, return_dtype=pl.String)
                for c in ("estimate", "std_error", "bias", "n_used")
            },
            why_not=pl.col("why_not").fill_null(""),
        )
        labels = {
            "group": "Compared with",
            "label": "How",
            "estimate": "Estimate",
            "std_error": "Standard error",
            "bias": "Less the experiment",
            "n_used": "People used",
        }
        if (shown["why_not"] != "").any():
            labels["why_not"] = "Why not"
        done = table(
            name,
            shown,
            labels,
            caption="The training experiment: every estimator",
            filters=["group", "label"],
            download=self.rows,
        )
        return self.page.show(done, "every estimator on every group", nsw.nsw_comparison)


def experiment(notebook: str) -> Experiment:
    """Note the findings of the experiment for a notebook."""
    rows = nsw.stored()
    page = Page(notebook, "public", ("data/public", nsw.FILE.as_posix()))
    return Experiment(Badge("public"), _said(page, rows), page, rows)


def _benchmark(rows: pl.DataFrame) -> float:
    value = rows.filter(group=nsw.EXPERIMENT, estimator="difference")["estimate"].item()
    return float(value)


def _said(page: Page, rows: pl.DataFrame) -> Sentence:
    def number(id: str, row: dict[str, Any], what: str) -> Finding:
        return page.number(
            f"nsw_{id}",
            row["estimate"],
            what,
            unit="dollars/persons/years",
            function=nsw.nsw_comparison,
            rows_in=row["n_in"],
            rows_used=row["n_used"],
            digits=0,
            method=row["label"],
            low=row["ci_low"],
            high=row["ci_high"],
        )

    def distance(id: str, row: dict[str, Any], what: str) -> str:
        return page.number(
            f"nsw_{id}",
            row["bias"],
            what,
            unit="dollars/persons/years",
            function=nsw.nsw_comparison,
            rows_in=row["n_in"],
            rows_used=row["n_used"],
            digits=0,
            method=row["label"],
        ).markdown()

    there = rows.filter(pl.col("estimate").is_not_null())
    truth = there.row(
        by_predicate=(pl.col("group") == nsw.EXPERIMENT) & (pl.col("estimator") == "difference"),
        named=True,
    )
    benchmark = number("benchmark", truth, "effect of the training, experiment")
    parts = [
        f"By lot, training raised yearly earnings by {benchmark.markdown()} "
        f"({benchmark.between.markdown}) {UNIT}."
    ]
    surveys = there.filter(pl.col("group") != nsw.EXPERIMENT)
    if surveys.is_empty():
        return Sentence(f"{parts[0]} The survey groups are not installed.")
    for name, words in (
        ("difference", "a plain difference in means"),
        ("doubly_robust_support", "a doubly robust estimate on the common support"),
    ):
        mine = surveys.filter(pl.col("estimator") == name).sort("bias")
        if mine.is_empty():
            continue
        ends = [
            distance(
                f"{name}_{end}",
                mine.row(i, named=True),
                f"{end} distance from the experiment, {words}",
            )
            for end, i in (("lowest", 0), ("highest", -1))
        ]
        parts.append(
            f"With survey groups in place of the controls, {words} is off by between "
            f"{listed(ends)}."
        )
    return Sentence(" ".join(parts))
