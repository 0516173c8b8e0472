"""The tables of the contract from a simulated run."""

from __future__ import annotations

import numpy as np
import polars as pl

from analysis.panels import schemas
from analysis.panels.model.assignment import NEVER
from analysis.panels.model.draws import Integers
from analysis.panels.model.observation import Observed
from analysis.panels.model.places import names
from analysis.panels.model.world import Run, World

HOUSEHOLD_DIGITS = 8


def households(run: Run, observed: Observed) -> pl.DataFrame:
    """Return the households table; the baseline is the first period, in which all are seen."""
    homes = run.homes
    registered = pl.Series(homes.registered)
    first = sum((part[:, 0] for part in observed.income), start=np.zeros_like(homes.size))
    answered = pl.Series(observed.missing[:, 0] < 0)
    return pl.DataFrame(
        {
            "household": names("h", homes.number, HOUSEHOLD_DIGITS),
            "village": names("v", homes.village, 6),
            "size_baseline": pl.Series(homes.size, dtype=pl.Int32),
            "registered_poor": registered,
            "workers_baseline": pl.Series(homes.workers, dtype=pl.Int32),
            "first": first,
            "answered": answered,
        }
    ).select(
        "household",
        "village",
        "size_baseline",
        weight=pl.lit(1.0),
        weight_type=pl.lit("none", dtype=schemas.polars_schema("households")["weight_type"]),
        stratum=pl.when("registered_poor").then(pl.lit("registered")).otherwise(pl.lit("other")),
        registered_poor="registered_poor",
        primary_sampling_unit=pl.lit(None, dtype=pl.String),
        design_stratum=pl.lit(None, dtype=pl.String),
        income_baseline_fen=pl.when("answered").then("first"),
        workers_baseline="workers_baseline",
    )


def income(run: Run, observed: Observed, world: World) -> pl.DataFrame:
    """Return the income table: the rows that are seen, by household and year."""
    periods = world.settings.years.size
    rows = np.flatnonzero(observed.seen)
    household = names("h", run.homes.number, HOUSEHOLD_DIGITS)
    missing = observed.missing.ravel()[rows]
    return pl.DataFrame(
        {
            "household": household.gather(rows // periods),
            "period": pl.Series(world.settings.years[rows % periods], dtype=pl.Int32),
            **{
                source: _blank(part.ravel()[rows], missing == s)
                for s, (source, part) in enumerate(
                    zip(schemas.SOURCES, observed.income, strict=True)
                )
            },
            "members_present": _blank(
                run.homes.members.ravel()[rows], observed.members_missing.ravel()[rows]
            ).cast(pl.Int32),
            "complete": missing < 0,
        }
    )


def _blank(values: Integers, where: np.ndarray) -> pl.Series:
    """Return values with nulls where asked; nothing is copied if there are none."""
    series = pl.Series(values)
    return series.set(pl.Series(where), None) if where.any() else series


def household_participation(run: Run) -> pl.DataFrame:
    """Return who takes part in the programmes of households, by household and programme."""
    frame = _participation(
        [
            (
                effect.rule.name,
                "household",
                effect.rule.dose_unit,
                names("h", run.homes.number[effect.rows], HOUSEHOLD_DIGITS),
                effect.takers.cohort[effect.rows],
                effect.takers.dose[effect.rows],
            )
            for effect in run.effects
            if effect.rule.level == "household"
        ]
    )
    # By household first, so that the order of the table does not depend on the chunks.
    return frame.sort("unit", "programme")


def village_participation(world: World) -> pl.DataFrame:
    """Return which villages have the programmes of villages."""
    villages = np.arange(world.settings.villages, dtype=np.int64)
    parts = []
    for rule, offer in zip(world.parameters.rules, world.offers, strict=True):
        begins = offer.first_year != NEVER
        if rule.level == "village":
            parts.append(
                (
                    rule.name,
                    "village",
                    rule.dose_unit,
                    names("v", villages[begins], 6),
                    offer.first_year[begins],
                    offer.dose[begins],
                )
            )
    return _participation(parts)


def _participation(
    parts: list[tuple[str, str, str, pl.Series, Integers, np.ndarray]],
) -> pl.DataFrame:
    kinds = schemas.polars_schema("participation")
    frames = [
        pl.DataFrame({"unit": unit, "first_period": first, "dose": dose}).select(
            programme=pl.lit(programme),
            unit_level=pl.lit(level, dtype=kinds["unit_level"]),
            unit="unit",
            first_period=pl.col("first_period").cast(pl.Int32),
            dose="dose",
            dose_unit=pl.lit(dose_unit),
        )
        for programme, level, dose_unit, unit, first, dose in parts
    ]
    return pl.concat([schemas.empty("participation"), *frames])
