"""The villages of a survey: what households say of them, and what village files do."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import polars as pl

from analysis.panels import schemas
from analysis.panels.importing.mapping import SurveyFile, SurveyMap
from analysis.panels.importing.records import KEY, PERIOD, REASON, mark_duplicates, refuse
from analysis.panels.importing.treated import (
    VILLAGE,
    of_rejected,
    participation_of,
    read_of_rejected,
)

NO_COUNTY = "all"
"""The one county of a survey that names none."""


@dataclass(frozen=True)
class Said:
    """What households say of their villages.

    Attributes
    ----------
    table : polars.DataFrame
        `KEY` and ``v:`` columns, one row per village.
    conflicts : int
        Villages with more than one answer to a field.
    """

    table: pl.DataFrame
    conflicts: int


def from_households(frame: pl.DataFrame) -> Said:
    """Join what the parts of a survey say; the first household with an answer speaks."""
    fields = [c for c in frame.columns if c.startswith("v:")]
    counts = [pl.col(f"n:{c}").max() > 1 for c in fields]
    differ = [pl.col(c).drop_nulls().n_unique() > 1 for c in fields]
    table = frame.group_by("h:village", maintain_order=True).agg(
        *(pl.col(c).drop_nulls().first() for c in fields),
        pl.any_horizontal(*counts, *differ, pl.lit(value=False)).alias("_conflict"),
    )
    conflicts = int(table["_conflict"].sum()) if table.height else 0
    return Said(table.drop("_conflict").rename({"h:village": KEY}), conflicts)


def with_file(
    table: pl.DataFrame, frame: pl.DataFrame, file: SurveyFile, survey: SurveyMap
) -> tuple[pl.DataFrame, pl.DataFrame, pl.DataFrame, Mapping[tuple[str, str], frozenset[str]]]:
    """Add what a village file says.

    Returns
    -------
    tuple
        The villages; the file's records with their reasons; participation of villages; those whose
        start a rejected row alone tells.
    """
    marked = mark_duplicates(frame, (KEY, PERIOD))
    accepted = marked.filter(pl.col(REASON).is_null())
    alone = accepted.select(KEY).unique().join(table, on=KEY, how="anti")
    marked = refuse(marked, alone.with_columns(_judged=pl.lit("no_household_record")), [KEY])
    known = marked.filter(pl.col(REASON).is_null()).sort(KEY, PERIOD)
    fields = [c for c in known.columns if c.startswith("v:")]
    records = known.group_by(KEY, maintain_order=True).agg(
        pl.col(c).drop_nulls().first() for c in fields
    )
    joined = table.join(records, on=KEY, how="left", maintain_order="left", suffix="|2")
    both = [c for c in fields if f"{c}|2" in joined.columns]
    # The village file knows better than a household.
    joined = joined.with_columns(pl.coalesce(f"{c}|2", c).alias(c) for c in both)
    # A rejected row still says when treatment began.
    here = table.select(KEY, pl.col(KEY).alias(VILLAGE))
    told = pl.concat([known, of_rejected([marked], here)], how="diagonal").sort(KEY, PERIOD)
    everywhere, accepted = (_treated(rows, survey) for rows in (told, known))
    gained = read_of_rejected(everywhere, accepted)
    return joined.drop(f"{c}|2" for c in both), marked, everywhere, gained


def _treated(known: pl.DataFrame, survey: SurveyMap) -> pl.DataFrame:
    treated = [
        participation_of(known, KEY, i, t)
        for i, t in enumerate(survey.treatments)
        if t.level == "village"
    ]
    return pl.concat([schemas.empty("participation"), *treated])


def conformed(table: pl.DataFrame) -> pl.DataFrame:
    """Return the villages as the contract has them, in the order of their names."""
    named = table.rename({c: c.removeprefix("v:") for c in table.columns} | {KEY: "village"})
    county = pl.col("county") if "county" in named.columns else pl.lit(None, dtype=pl.String)
    named = named.with_columns(county.fill_null(NO_COUNTY).alias("county"))
    return schemas.conform(named.sort("village").lazy(), "villages").collect()
