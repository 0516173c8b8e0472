"""Household-years of a panel laid out for welfare measures, and the design they were drawn by."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import polars as pl

from analysis import money
from analysis.effects.survey import within_strata
from analysis.faults import FaultsError
from analysis.inference.arrays import Floats, Integers
from analysis.panels import schemas
from analysis.panels.panel import Panel

PERSON, HOUSEHOLD = "person", "household"
UNITS = (PERSON, HOUSEHOLD)
"""Who is counted: persons (baseline members as weight, each with income per head) or households."""
INCOMPLETE = "a source of income is missing"
NO_HOUSEHOLD = "not in the table of households"


@dataclass(frozen=True, eq=False)
class SurveyDesign:
    """How the sample was drawn: c clusters in strata of the sampling design.

    Attributes
    ----------
    clusters : tuple of str
        Primary sampling units; villages where the survey names none.
    stratum : array, shape (c,)
        Number of each cluster's design stratum; zeros without strata.
    note : str
        What of the survey's design could not be used, in a sentence; empty if all was.
    """

    clusters: tuple[str, ...]
    stratum: Integers
    note: str = ""


@dataclass(frozen=True, eq=False)
class People:
    """Complete household-years of a panel, r rows.

    Attributes
    ----------
    frame : polars.DataFrame
        household, cluster (number), period, total_fen (whole, prices of the period or of the
        panel's price year), real_fen (prices of `price_year`), size (baseline members), weight
        (baseline, of households), registered (on the register at baseline, may be null).
    design : SurveyDesign
        Clusters and their strata.
    price_year : int or None
        Year whose prices `real_fen` is in; None: prices of each period, nothing could be deflated.
    has_lines : bool
        Whether poverty lines apply: incomes in fen.
    rows_in, rows_used : int
        Household-years read and kept.
    left_out : mapping of str to int
        Household-years left out, by reason.
    """

    frame: pl.DataFrame
    design: SurveyDesign
    price_year: int | None
    panel_price_year: int | None
    has_lines: bool
    rows_in: int
    rows_used: int
    left_out: Mapping[str, int]

    @property
    def periods(self) -> tuple[int, ...]:
        """Periods with at least one row, ascending."""
        return tuple(self.frame["period"].unique().sort().to_list())

    def line_fen(self, name: str, period: int) -> int:
        """Return a line in fen per person in the prices that `total_fen` of a period is in."""
        return money.load().line_fen(name, self.panel_price_year or period)

    def line_status(self, name: str, period: int) -> str:
        """Return how well a line in the prices of a period is verified."""
        return money.load().line_status(name, self.panel_price_year or period)

    def rows(self, period: int, group: pl.Expr | None = None) -> pl.DataFrame:
        """Return the rows of a period, all or those a condition holds for."""
        found = self.frame.filter(pl.col("period") == period)
        return found if group is None else found.filter(group)


def of_panel(panel: Panel, price_year: int | None = None) -> People:
    """Lay a panel out; a row that lacks a source is left out and counted.

    Parameters
    ----------
    panel : Panel
        Any panel.
    price_year : int, optional
        Year whose prices real incomes are in; the panel's last period by default. Where prices of
        some year between are not known, real incomes are those of each period.
    """
    kept = panel.income.filter(pl.col("complete")).select(
        "household", "period", *schemas.SOURCES, schemas.total().alias("total_fen")
    )
    homes = panel.households.select(
        "household",
        "village",
        "weight",
        "design_stratum",
        "primary_sampling_unit",
        size=pl.col("size_baseline").cast(pl.Int64),
        registered=pl.col("registered_poor"),
    )
    rows, rows_in, complete = pl.collect_all(
        [
            kept.join(homes, on="household"),
            panel.income.select(pl.len()),
            panel.income.select(pl.col("complete").sum()),
        ]
    )
    n_in, n_complete = int(rows_in.item()), int(complete.item() or 0)
    rows = rows.with_columns(cluster_name=within_strata())
    design = _design(rows)
    number = {name: i for i, name in enumerate(design.clusters)}
    rows = rows.with_columns(
        cluster=pl.col("cluster_name").replace_strict(number, return_dtype=pl.Int64)
    )
    frame, year = _real(rows, panel, price_year)
    reasons = {INCOMPLETE: n_in - n_complete, NO_HOUSEHOLD: n_complete - rows.height}
    return People(
        frame=frame.select(
            "household",
            "cluster",
            "period",
            *schemas.SOURCES,
            "total_fen",
            "real_fen",
            "size",
            "weight",
            "registered",
        ).sort("period", "household"),
        design=design,
        price_year=year,
        panel_price_year=panel.price_year,
        has_lines=panel.currency == "yuan",
        rows_in=n_in,
        rows_used=rows.height,
        left_out={why: n for why, n in reasons.items() if n},
    )


def _design(rows: pl.DataFrame) -> SurveyDesign:
    """Return the clusters and their strata; what cannot be used is said."""
    clusters = (
        rows.group_by("cluster_name")
        .agg(pl.col("design_stratum").n_unique().alias("n"), pl.col("design_stratum").first())
        .sort("cluster_name")
    )
    names = tuple(clusters["cluster_name"].to_list())
    none = np.zeros(len(names), np.int64)
    if clusters["design_stratum"].null_count() == len(names):
        return SurveyDesign(names, none)
    alone = clusters.group_by("design_stratum").len()["len"].min()
    if clusters["design_stratum"].null_count() or (clusters["n"] > 1).any() or alone == 1:
        return SurveyDesign(
            names,
            none,
            "The strata of the sampling design are not used: a village lies in several or none, or "
            "a stratum has one village. Intervals are then as a rule too wide.",
        )
    stratum = clusters["design_stratum"].rank("dense").cast(pl.Int64).to_numpy() - 1
    return SurveyDesign(names, stratum.astype(np.int64))


def _real(
    rows: pl.DataFrame, panel: Panel, price_year: int | None
) -> tuple[pl.DataFrame, int | None]:
    """Add income in the prices of one year, whole fen; nominal where prices are not known."""
    nominal = rows.with_columns(real_fen=pl.col("total_fen"))
    if panel.price_year is not None or rows.is_empty():
        return nominal, panel.price_year
    if panel.currency != "yuan":
        return nominal, None
    periods = sorted(rows["period"].unique().to_list())
    year = price_year or periods[-1]
    try:
        real = money.load().to_real(
            nominal.lazy(), ("real_fen",), year, (min(periods[0], year), max(periods[-1], year))
        )
    except FaultsError:
        return nominal, None
    return real.collect(), year


def per_head(rows: pl.DataFrame, column: str = "real_fen") -> Floats:
    """Return income per baseline member, yuan a year, shape (r,)."""
    fen = rows[column].to_numpy() / rows["size"].to_numpy()
    found: Floats = np.asarray(fen / money.FEN_PER_YUAN, np.float64)
    return found


def weights(rows: pl.DataFrame, unit: str = PERSON) -> Floats:
    """Return weights, shape (r,): of households, or of their baseline members.

    Raises
    ------
    ValueError
        If the unit is neither ``person`` nor ``household``.
    """
    if unit not in UNITS:
        raise ValueError(f"unit {unit!r} is neither person nor household")
    weight = rows["weight"].to_numpy().astype(np.float64)
    return weight * rows["size"].to_numpy() if unit == PERSON else weight
