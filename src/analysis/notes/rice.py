"""The rice farms of the page on industry support: findings, sentences, figure and table."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import polars as pl

from analysis import tables
from analysis.answers import rice_farms
from analysis.figures import answers as pictures
from analysis.figures.style import Figure
from analysis.findings import Badge, Finding, Page
from analysis.notes.book import printed, span
from analysis.panels.views import Sentence
from analysis.tables import Table

INPUTS = ("data/public/rice_farms.toml", "reports/public")
DRAWN = ("yield", "costs")


@dataclass(frozen=True)
class Rice:
    """What the page shows of the rice farms.

    Attributes
    ----------
    badge : Badge
        Tier public.
    support, seed, change : Sentence
        The support programme; the new seed; output at the same inputs over the seasons.
    page : Page
        Where exhibits are noted.
    rows, seasons : polars.DataFrame
        As `analysis.answers.rice_farms.stored` gives them.
    """

    badge: Badge
    support: Sentence
    seed: Sentence
    change: Sentence
    page: Page
    rows: pl.DataFrame
    seasons: pl.DataFrame

    def figure(self, name: str) -> Figure:
        """Figure: differences per hectare in per cent, as comparisons tighten."""
        drawn = (
            self.rows.filter(pl.col("outcome").is_in(DRAWN))
            .select(
                group=pl.concat_str(
                    pl.col("regressor").replace_strict(rice_farms.REGRESSORS),
                    pl.col("outcome")
                    .replace_strict(rice_farms.OUTCOMES)
                    .str.to_lowercase()
                    .str.replace(", per cent", ""),
                    separator=": ",
                ),
                label=pl.col("compared").replace_strict(rice_farms.COMPARED),
                estimate="estimate",
                ci_low="ci_low",
                ci_high="ci_high",
            )
            .sort("group", maintain_order=True)
        )
        made = pictures.estimates(
            name,
            drawn,
            tier="public",
            unit="per cent",
            intro="Rice farms: differences per hectare with support and with new seed, by who is "
            "compared",
        )
        return self.page.show(made, "rice farms: differences per hectare", rice_farms.compared)

    def table(self, name: str) -> Table:
        """Table: every difference with its interval."""
        shown = self.rows.select(
            outcome=pl.col("outcome").replace_strict(rice_farms.OUTCOMES),
            regressor=pl.col("regressor").replace_strict(rice_farms.REGRESSORS),
            compared=pl.col("compared").replace_strict(rice_farms.COMPARED),
            difference=pl.struct("outcome", "estimate", "ci_low", "ci_high").map_elements(
                _cell, return_dtype=pl.String
            ),
        )
        labels = {
            "outcome": "Outcome",
            "regressor": "With",
            "compared": "Compared",
            "difference": "Difference",
        }
        done = tables.table(
            name, shown, labels, caption="Rice farms: every comparison", download=self.rows
        )
        return self.page.show(done, "rice farms: every comparison", rice_farms.compared)

    def over_time(self, name: str) -> Table:
        """Table: adoption and output at the same inputs, season by season."""
        shown = self.seasons.select(
            season=pl.col("season").cast(pl.String),
            kind="kind",
            **{
                c: pl.col(c).map_elements(lambda x: printed(x), return_dtype=pl.String)
                for c in ("bimas", "new_seed")
            },
            output=pl.col("output")
            .map_elements(lambda x: printed(x), return_dtype=pl.String)
            .fill_null("base"),
        )
        labels = {
            "season": "Season",
            "kind": "Kind",
            "bimas": "In BIMAS, %",
            "new_seed": "New seed, %",
            "output": "Output at the same inputs, %",
        }
        done = tables.table(
            name, shown, labels, caption="Rice farms: six seasons", download=self.seasons
        )
        return self.page.show(done, "rice farms: six seasons", rice_farms.seasons)


def _cell(row: dict[str, Any]) -> str:
    digits = 0 if row["outcome"] == "margin" else 1
    ends = span(row["ci_low"], row["ci_high"], digits)
    return f"{printed(row['estimate'], digits)} ({ends})"


def of_farms(notebook: str) -> Rice:
    """Note the findings of the rice farms for a notebook."""
    rows, seasons = rice_farms.stored()
    page = Page(notebook, "public", INPUTS)
    return Rice(
        Badge("public"),
        _support(page, rows),
        _seed(page, rows),
        _change(page, seasons),
        page,
        rows,
        seasons,
    )


def _difference(page: Page, rows: pl.DataFrame, outcome: str, regressor: str, who: str) -> str:
    row = rows.row(
        by_predicate=(pl.col("outcome") == outcome)
        & (pl.col("regressor") == regressor)
        & (pl.col("compared") == who),
        named=True,
    )
    kilos = outcome == "margin"
    noted = page.number(
        f"rice_{regressor}_{outcome}_{who}",
        row["estimate"],
        f"{rice_farms.REGRESSORS[regressor]}: {rice_farms.OUTCOMES[outcome]}, "
        f"{rice_farms.COMPARED[who]}",
        unit="kg/hectares" if kilos else "percent",
        function=rice_farms.compared,
        rows_in=row["n_rows"],
        rows_used=row["n_rows"],
        digits=0 if kilos else 1,
        low=row["ci_low"],
        high=row["ci_high"],
        method="least squares, errors by farm",
    )
    return f"{noted.markdown()} ({noted.between.markdown})"


def _count(page: Page, rows: pl.DataFrame, regressor: str, what: str = "changed") -> Finding:
    row = rows.filter(pl.col("regressor") == regressor).row(0, named=True)
    return page.number(
        f"rice_{regressor}_{what}",
        row[f"n_{what}"],
        f"farms that {what}: {rice_farms.REGRESSORS[regressor]}",
        unit="farms",
        function=rice_farms.compared,
        rows_in=row["n_rows"],
        rows_used=row["n_rows"],
    )


def _support(page: Page, rows: pl.DataFrame) -> Sentence:
    def of(outcome: str) -> str:
        return _difference(page, rows, outcome, "bimas", "farm")

    return Sentence(
        "Six villages of West Java, six seasons: BIMAS lent money and gave inputs and advice. When "
        f"a farm is in it rather than not, rice per hectare differs by {of('yield')} per cent, "
        f"paid-out costs by {of('costs')} per cent, and what is kept after costs by "
        f"{of('margin')} kg of rice per hectare, beside its own village in the same season. This "
        f"rests on {_count(page, rows, 'bimas').markdown()} farms that changed; "
        f"{_count(page, rows, 'bimas', 'left').markdown()} were in it in the first season and not "
        "in the last. Farms chose, so a difference is not an effect of the programme."
    )


def _seed(page: Page, rows: pl.DataFrame) -> Sentence:
    first = _difference(page, rows, "yield", "new_seed", "season")
    closer = _difference(page, rows, "yield", "new_seed", "village")
    last = _difference(page, rows, "yield", "new_seed", "farm")
    kept = _difference(page, rows, "margin", "new_seed", "farm")
    return Sentence(
        f"High-yielding seed goes with {first} per cent more rice per hectare among farms of one "
        f"season, {closer} per cent inside a village, and {last} per cent on the same farm, which "
        f"then keeps {kept} kg more per hectare after costs. "
        f"{_count(page, rows, 'new_seed').markdown()} farms changed seed."
    )


def _change(page: Page, seasons: pl.DataFrame) -> Sentence:
    parts = []
    for kind in ("wet", "dry"):
        mine = seasons.filter(pl.col("kind") == kind, pl.col("output").is_not_null())
        ends = mine.sort("output")
        low, high = (
            page.number(
                f"rice_output_{kind}_{end}",
                ends["output"][place],
                f"output at the same inputs, {kind} seasons over the first, {end}",
                unit="percent",
                function=rice_farms.seasons,
                rows_in=seasons.height,
                rows_used=mine.height,
                digits=0,
                method="production function, farm effects",
            )
            for end, place in (("lowest", 0), ("highest", -1))
        )
        parts.append(f"{low.markdown()} and {high.markdown()} per cent in {kind} seasons")
    return Sentence(
        f"At the same land, seed, urea and labour, output stood between {parts[0]}, and between "
        f"{parts[1]}, over the first season of the kind. Better methods and better weather cannot "
        "be told apart in so few seasons, so no interval is given and none is called technical "
        "progress."
    )
