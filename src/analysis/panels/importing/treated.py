"""First treated periods: what rows say of their unit, and where they do not agree."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import polars as pl

from analysis.panels import schemas
from analysis.panels.importing.mapping import SurveyMap, Treatment
from analysis.panels.importing.records import KEY, PERIOD, REASON

ENDS = "{} units of {} are treated and later not: taken as treated from the first period on"
PARTLY = "{} villages of {} are taken as treated because some of their households are"
SEVERAL = "{} units of {} say several first periods: the earliest stands"
DOSES = "{} units of {} have doses that change over time: the first stands"
OF_REJECTED = "{} units of {} start in a row that is rejected: the start is read all the same"
VILLAGE = "_village"
REJECTED = "_rejected"
UNSURE = ("broken_row", "no_key", "duplicate_conflicting")
"""Reasons that leave open what a row says, or of whom."""


def participation_of(
    frame: pl.DataFrame, unit: str, index: int, treatment: Treatment
) -> pl.DataFrame:
    """Return first period and dose of the units that were treated.

    Parameters
    ----------
    frame : polars.DataFrame
        Sorted by period within unit, with the ``p:`` columns of the treatment.
    unit : str
        Column of the unit.
    index : int
        Number of the treatment in the map.
    treatment : Treatment
        Its entry.
    """
    first, on, dose = (f"p:{index}:{word}" for word in ("first", "on", "dose"))
    began = pl.lit(None, dtype=pl.Int32)
    if first in frame.columns:
        began = pl.col(first).min()
    elif on in frame.columns:
        began = pl.col(PERIOD).filter(pl.col(on)).min()
    much = pl.lit(None, dtype=pl.Float64)
    if dose in frame.columns:
        much = _doses(frame, index).first()
    rows = frame.group_by(unit, maintain_order=True).agg(
        began.alias("first_period"), much.alias("dose")
    )
    dose_unit = pl.when(pl.col("dose").is_not_null()).then(pl.lit(treatment.dose_unit))
    level = schemas.polars_schema("participation")["unit_level"]
    return rows.filter(pl.col("first_period").is_not_null()).select(
        pl.lit(treatment.programme).alias("programme"),
        pl.lit(treatment.level).cast(level).alias("unit_level"),
        pl.col(unit).alias("unit"),
        "first_period",
        "dose",
        dose_unit.cast(pl.String).alias("dose_unit"),
    )


def _doses(frame: pl.DataFrame, index: int) -> pl.Expr:
    """Return the doses of the rows in which a unit is treated."""
    first, on, dose = (f"p:{index}:{word}" for word in ("first", "on", "dose"))
    given, period = pl.col(dose), pl.col(PERIOD)
    if on in frame.columns:
        return given.filter(pl.col(on)).drop_nulls()
    if first not in frame.columns:
        return given.drop_nulls()
    return given.filter((period >= pl.col(first).min()) | period.is_null()).drop_nulls()


def of_rejected(marked: Iterable[pl.DataFrame], villages: pl.DataFrame) -> pl.DataFrame:
    """Return what rejected rows say of when treatment began, of units that are in the panel.

    A row with an amount that cannot be read still says who was treated. Doses are left out.

    Parameters
    ----------
    marked : iterable of polars.DataFrame
        Records of each file with their reasons.
    villages : polars.DataFrame
        `KEY` of each unit of the panel and its `VILLAGE`.
    """
    empty = {KEY: pl.String, PERIOD: pl.Int32, VILLAGE: pl.String, REJECTED: pl.Boolean}
    found = [pl.DataFrame(schema=empty)]
    for frame in marked:
        said = [c for c in frame.columns if c.startswith("p:") and not c.endswith(":dose")]
        if not said:
            continue
        sure = pl.col(REASON).is_not_null() & ~pl.col(REASON).is_in(UNSURE)
        rows = frame.filter(sure, pl.any_horizontal(pl.col(said).is_not_null()))
        rows = rows.select(KEY, PERIOD, *said).join(villages, on=KEY, maintain_order="left")
        found.append(rows.with_columns(pl.lit(value=True).alias(REJECTED)))
    return pl.concat(found, how="diagonal")


def read_of_rejected(
    told: pl.DataFrame, accepted: pl.DataFrame
) -> dict[tuple[str, str], frozenset[str]]:
    """Return the units whose start would be another, or none, without the rejected rows."""
    key = ["programme", "unit_level", "unit", "first_period"]
    gained = told.join(accepted, on=key, how="anti")
    return {
        (OF_REJECTED, str(programme[0])): frozenset(rows["unit"])
        for programme, rows in gained.group_by("programme")
    }


def participation(frame: pl.DataFrame, survey: SurveyMap) -> pl.DataFrame:
    """Return who was treated from when, of every treatment; `frame` has ``_village``."""
    parts = [
        participation_of(frame, _unit(treatment), index, treatment)
        for index, treatment in enumerate(survey.treatments)
    ]
    return pl.concat([schemas.empty("participation"), *parts])


def decided(frame: pl.DataFrame, survey: SurveyMap) -> Mapping[tuple[str, str], frozenset[str]]:
    """Return the units of which rows say different things, by what was decided and programme."""
    by_key: dict[tuple[str, str], frozenset[str]] = {}
    for index, treatment in enumerate(survey.treatments):
        unit = pl.col(_unit(treatment))
        first, on = (pl.col(f"p:{index}:{word}") for word in ("first", "on"))
        odd: dict[str, pl.DataFrame] = {}
        if f"p:{index}:first" in frame.columns:
            # In a village each row of a household may say it: compared are the households.
            several = frame.group_by(unit).agg(n=first.drop_nulls().n_unique())
            odd[SEVERAL] = several.filter(pl.col("n") > 1)
            table = (
                frame.filter(~pl.col(REJECTED))
                .group_by(unit)
                .agg(yes=first.is_not_null().any(), no=first.is_null().any())
            )
        elif f"p:{index}:on" in frame.columns:
            by_period = frame.group_by(unit, PERIOD).agg(yes=on.any(), no=(~on).any())
            started = by_period.group_by(_unit(treatment)).agg(
                start=pl.col(PERIOD).filter(pl.col("yes")).min(),
                off=pl.col(PERIOD).filter(pl.col("no") & ~pl.col("yes")).max(),
            )
            odd[ENDS] = started.filter(pl.col("off") > pl.col("start"))
            table = by_period
        else:
            continue
        if f"p:{index}:dose" in frame.columns:
            doses = frame.group_by(unit).agg(n=_doses(frame, index).n_unique())
            odd[DOSES] = doses.filter(pl.col("n") > 1)
        if treatment.level == "village":
            odd[PARTLY] = table.filter(pl.col("yes") & pl.col("no"))
        for what, rows in odd.items():
            names = frozenset(rows[_unit(treatment)].drop_nulls().to_list())
            if names:
                by_key[what, treatment.programme] = names
    return by_key


def _unit(treatment: Treatment) -> str:
    return KEY if treatment.level == "household" else VILLAGE
