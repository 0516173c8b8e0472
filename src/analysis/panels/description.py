"""A panel described: what it is, who is in it, what they live on, who gets which programme."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Final

import polars as pl

from analysis import money, printing, programmes
from analysis.panels import current, describe, schemas
from analysis.panels.panel import Panel
from analysis.results import formatting
from analysis.results.badge import TIERS, Badge
from analysis.results.bars import Bar, bars
from analysis.results.number import Number, Word
from analysis.results.provenance import Provenance
from analysis.results.table import ResultTable

if TYPE_CHECKING:
    from matplotlib.axes import Axes

KINDS: Final = {
    "model": "simulated",
    "twin": "synthetic",
    "public": "observed",
    "yours": "observed",
}
"""What the households of a panel are, by its evidence."""
COVARIATES: Final = {
    "size_baseline": "members",
    "workers_baseline": "able to work",
    "registered_poor": "on the register",
    "income_baseline": "income per head",
    "remoteness_km": "road to the county town",
}
SWITCHES: Final = {
    "selection_level": "who takes part depends on how well off they are",
    "selection_trend": "who takes part depends on how fast income grows",
    "dip": "wages dip before training",
    "anticipation": "some effects begin early",
    "spillover": "neighbours are affected",
    "bundling": "programmes come together",
    "coverage": "some programmes reach nearly everyone",
    "attrition": "households leave the survey or the register",
    "missing": "single answers are missing",
    "heaping": "answers are rounded",
    "misreporting": "villages just below a floor report that they reach it",
}
"""What each difficulty of a simulated panel means to a reader."""
NO_ROW: Final = "no row has all four sources of income"
STATUS: Final = {"from_memory": "unverified"}


@dataclass(frozen=True, eq=False)
class Description:
    """A panel described; every table has at most some hundred rows.

    Attributes
    ----------
    panel : Panel
        What is described.
    simulation : mapping of str to object
        Settings of a simulated panel; empty for any other.
    """

    panel: Panel
    simulation: Mapping[str, object]

    # ------------------------------------------------------------------------- what it is

    @property
    def badge(self) -> Badge:
        """The badge of its evidence."""
        return Badge(self.panel.evidence)

    @property
    def kind(self) -> Word:
        """What its households are: simulated, synthetic or observed."""
        word = KINDS[self.panel.evidence]
        return Word(word=word, what="what the households are", provenance=self._provenance("sizes"))

    @property
    def currency(self) -> str:
        """What its money is called; it is held in hundredths."""
        return self.panel.currency

    @property
    def prices(self) -> str:
        """Whose prices its money is in."""
        year = self.panel.price_year
        return "prices of each year" if year is None else f"prices of {year}"

    def settings(self) -> ResultTable:
        """Return what the panel is, and how it was made where it is simulated."""
        rows = [
            ("name", self.panel.name),
            ("evidence", TIERS[self.panel.evidence]),
            ("money", f"{self.currency}, {self.prices}"),
        ]
        if self.simulation:
            rows += [(name, str(self.simulation[name])) for name in ("variant", "seed")]
            switches = self.simulation["switches"]
            assert isinstance(switches, Mapping)  # noqa: S101  # written by the simulation
            rows += [
                ("difficulty", SWITCHES.get(name) or name) for name, on in switches.items() if on
            ]
        frame = pl.DataFrame(rows, ["item", "value"], orient="row")
        about = replace(self._provenance(""), function=f"{current.__name__}.simulation")
        return replace(self._table(frame, frame, "sizes"), provenance=about)

    # -------------------------------------------------------------------------- who is in it

    @property
    def households(self) -> Number:
        """Households in the panel."""
        return self._size("households", "households")

    @property
    def villages(self) -> Number:
        """Villages in the panel."""
        return self._size("villages", "villages")

    @property
    def periods(self) -> Number:
        """Periods with income."""
        return self._size("periods", "periods")

    @property
    def rows(self) -> Number:
        """Household-periods with income."""
        return self._size("rows", "records")

    @property
    def complete(self) -> Number:
        """Household-periods with all four sources of income."""
        return self._size("rows complete", "records")

    def account(self) -> ResultTable:
        """Return the sizes, and every record that was read: used, or left out for a reason."""
        sizes = describe.sizes(self.panel).rename({"n": "number"})
        left = describe.left_out(self.panel)
        reasons = left.select(
            pl.when(pl.col("reason") == "used")
            .then(pl.lit("records used"))
            .otherwise(pl.format("records left out: {}", "reason"))
            .alias("what"),
            number="rows",
        )
        data = pl.concat([sizes.filter(~pl.col("what").is_in(["rows"])), reasons])
        shown = data.with_columns(_whole("number"))
        return self._table(shown, data, "left_out")

    def missing(self) -> ResultTable:
        """Return households seen and answers missing, by period."""
        data = describe.missing(self.panel)
        shown = data.select(
            pl.col("period").cast(pl.String),
            _whole("n_rows").alias("rows"),
            _per_cent("share_seen").alias("seen, %"),
            _per_cent("share_complete").alias("all sources, %"),
            *(_per_cent(f"missing_{name}").alias(f"no {name}, %") for name in schemas.SOURCES),
        )
        return self._table(shown, data, "missing")

    # --------------------------------------------------------------------- what they live on

    @cached_property
    def _means(self) -> pl.DataFrame:
        return describe.sources(self.panel)

    def sources(self) -> ResultTable:
        """Return mean income per head by source and period, over complete rows."""
        data = self._means
        names = (*schemas.SOURCES, "total")
        wide = data.with_columns(_printed("per_head")).pivot(
            on="source", on_columns=names, index="period", values="per_head"
        )
        return self._table(wide.with_columns(pl.col("period").cast(pl.String)), data, "sources")

    def plot(self, ax: Axes | None = None) -> Axes:
        """Draw mean income per head by source in the first and the last period."""
        rows = describe.ends(self._means.filter(pl.col("source") != "total"))
        ranks = {source: k for k, source in enumerate(schemas.SOURCES)}
        drawn = [
            Bar(
                f"{row['source']}, {row['period']}",
                row["per_head"],
                formatting.number(row["per_head"]),
                colour=ranks[row["source"]],
            )
            for row in sorted(
                rows.drop_nulls("per_head").iter_rows(named=True),
                key=lambda row: (ranks[row["source"]], row["period"]),
            )
        ]
        unit = f"{self.currency} per head a year, {self.prices} ({KINDS[self.panel.evidence]})"
        return bars(
            drawn or [Bar(NO_ROW, 0.0, "")],
            unit,
            what=unit,
            data=rows,
            provenance=self._provenance("sources"),
            ax=ax,
        )

    @cached_property
    def _lined(self) -> tuple[pl.DataFrame, dict[str, str]]:
        return describe.with_lines(describe.household_periods(self.panel), self.panel)

    @property
    def household_periods(self) -> pl.DataFrame:
        """Income of each household and period, with the poverty lines of the period."""
        return self._lined[0]

    @property
    def lines(self) -> dict[str, str]:
        """Poverty lines of `household_periods`: name and column."""
        return self._lined[1]

    def poverty_lines(self) -> ResultTable:
        """Return the poverty lines of the first and the last period, and whether verified."""
        rows = describe.ends(self.household_periods)
        known = money.load()
        data = pl.DataFrame(
            [
                {
                    "line": name,
                    "period": row["period"],
                    "per_person": row[column] / money.FEN_PER_YUAN,
                    "status": known.line_status(column, row["period"])
                    if column != "line"
                    else "computed",
                }
                for name, column in self.lines.items()
                for row in rows.unique(["period"]).sort("period").iter_rows(named=True)
            ],
            schema={
                "line": pl.String,
                "period": pl.Int32,
                "per_person": pl.Float64,
                "status": pl.String,
            },
        )
        shown = data.select(
            "line",
            pl.col("period").cast(pl.String),
            _printed("per_person").alias(f"{self.currency} a person a year"),
            pl.col("status").replace(STATUS),
        )
        return self._table(shown, data, "with_lines")

    # --------------------------------------------------------------------- who gets what

    def programmes(self) -> ResultTable:
        """Return the units treated by programme, their cohorts and median dose."""
        data = describe.programmes(self.panel)
        shown = (
            data.group_by("programme", "unit_level", maintain_order=True)
            .agg(
                pl.col("n_units").sum(),
                pl.col("share").sum(),
                pl.col("cohort").min().cast(pl.String).alias("first cohort"),
                pl.col("cohort").max().cast(pl.String).alias("last cohort"),
                pl.format(
                    "{} {}", _printed(pl.col("dose_median").median()), pl.col("dose_unit").first()
                ).alias("median dose"),
            )
            .select(
                pl.col("programme").replace(_names()),
                pl.col("unit_level").alias("level"),
                _whole("n_units").alias("units treated"),
                _per_cent("share").alias("% of units"),
                "first cohort",
                "last cohort",
                "median dose",
            )
        )
        return self._table(shown, data, "programmes")

    def balance(self) -> ResultTable:
        """Return how those ever treated differ from those never treated at baseline, by programme.

        In standard deviations; the means are in its data.
        """
        given = describe.programmes(self.panel)["programme"].unique(maintain_order=True)
        each = [describe.balance(self.panel, name) for name in given]
        data = pl.concat(each) if each else pl.DataFrame(schema=describe.BALANCE_SCHEMA)
        shown = data.select(
            pl.col("programme").replace(_names()),
            pl.col("covariate").replace(COVARIATES),
            _printed("standardised_difference", 2).alias("difference"),
        ).pivot(on="covariate", index="programme", values="difference")
        return self._table(shown, data, "balance")

    # ------------------------------------------------------------------------------ records

    @cached_property
    def _digest(self) -> str:
        return current.digest(self.panel)

    def _provenance(self, function: str) -> Provenance:
        return Provenance(
            evidence=self.panel.evidence,
            rows_in=self.panel.account.rows_read,
            rows_used=self.panel.account.rows_used,
            method="counts and unweighted means",
            function=f"{describe.__name__}.{function}",
            inputs=(self._digest,),
        )

    @cached_property
    def _sizes(self) -> dict[str, int]:
        return dict(describe.sizes(self.panel).iter_rows())

    def _size(self, name: str, unit: str) -> Number:
        what = f"{name} in the panel"
        value = float(self._sizes[name])
        return Number(value=value, what=what, unit=unit, provenance=self._provenance("sizes"))

    def _table(self, shown: pl.DataFrame, data: pl.DataFrame, function: str) -> ResultTable:
        return ResultTable(
            shown=shown,
            data=data,
            provenance=self._provenance(function),
            notes=(TIERS[self.panel.evidence],),
        )


def _names() -> dict[str, str]:
    return dict(programmes.load().programmes.select("id", "name_en").iter_rows())


def _printed(value: str | pl.Expr, decimals: int | None = None) -> pl.Expr:
    column = pl.col(value) if isinstance(value, str) else value
    return column.map_elements(lambda x: formatting.number(x, decimals), return_dtype=pl.String)


def _whole(column: str) -> pl.Expr:
    return pl.col(column).map_elements(printing.number, return_dtype=pl.String)


def _per_cent(column: str) -> pl.Expr:
    return _printed(100 * pl.col(column), 1)
