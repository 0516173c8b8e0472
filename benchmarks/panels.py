"""Panels to time on: one of the contract, and a flat file of whole numbers for other packages.

Villages of equal size, five cohorts and never treated, ten periods, one outcome. Written in pieces,
so that a panel of any size needs little memory. Both files hold the same households and incomes.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import polars as pl

from analysis.panels import panel as panels
from analysis.panels import schemas
from analysis.panels.account import Account

COVARIATES = ("land", "schooling", "distance")
"""Of households, in the flat file; they have no effect."""
FIRST = 2012
COHORTS = 5
PIECE = 2_000_000
"""Rows written at once."""
WAGE, SPREAD, EFFECT = 2_000_000, 300_000, 50_000
"""Mean, spread and effect in fen; what they are does not matter for a timing."""


def make(
    folder: Path,
    rows: int,
    *,
    villages: int = 2_000,
    periods: int = 10,
    cohorts: int = COHORTS,
    flat: bool = True,
) -> None:
    """Write a panel and its flat twin: a village is a cohort, and so is a household, apart.

    Parameters
    ----------
    folder : Path
        Made; holds the panel's tables and ``flat.parquet``.
    rows : int
        Household-years.
    villages, periods, cohorts : int
        How many.
    flat : bool
        Write the flat file too.
    """
    folder.mkdir(parents=True)
    n = rows // periods
    villages = min(villages, n)
    village = np.arange(n) * villages // n
    draws = np.random.default_rng(1)
    by_village = village % (cohorts + 1)
    by_household = np.where(draws.random(n) < 0.5, by_village, 0)
    first = {"village": by_village, "household": by_household}
    first = {level: np.where(k > 0, FIRST + k, 0) for level, k in first.items()}
    traits = {name: draws.normal(size=n) for name in COVARIATES}
    names = pl.select(pl.format("h{}", pl.int_range(n).cast(pl.String).str.zfill(8)))
    household = names.to_series()
    home = pl.select(pl.format("v{}", pl.Series(village).cast(pl.String).str.zfill(6))).to_series()
    kinds = schemas.polars_schema("households")
    homes = pl.DataFrame({"household": household, "village": home}).with_columns(
        size_baseline=pl.Series(draws.integers(1, 7, n), dtype=pl.Int32),
        weight=pl.lit(1.0),
        weight_type=pl.lit("none", dtype=kinds["weight_type"]),
        stratum=pl.lit("all"),
    )
    taken = [
        pl.DataFrame({"unit": unit, "first_period": who})
        .unique()
        .filter(pl.col("first_period") > 0)
        .sort("unit")
        .select(
            pl.lit(programme).alias("programme"),
            pl.lit(level).alias("unit_level"),
            "unit",
            pl.col("first_period").cast(pl.Int32),
        )
        for programme, level, unit, who in (
            ("village_fund", "village", home, first["village"]),
            ("training", "household", household, first["household"]),
        )
    ]
    participation = pl.concat(taken).cast(
        {k: schemas.polars_schema("participation")[k] for k in ("unit_level",)}
    )
    tables = {
        "households": homes.lazy(),
        "villages": pl.LazyFrame({"village": home.unique().sort(), "county": "c"}),
        "participation": participation.lazy(),
        "collective": schemas.empty("collective").lazy(),
    }
    for table, frame in tables.items():
        schemas.conform(frame, table).sink_parquet(folder / f"{table}.parquet")
    (folder / "income").mkdir()
    (folder / "flat").mkdir()
    for piece, (low, high) in enumerate(_pieces(n, PIECE // periods)):
        wage, period = _incomes(piece, by_village[low:high], periods)
        who = np.repeat(np.arange(low, high), periods)
        income = pl.DataFrame(
            {
                "household": household.gather(who),
                "period": period,
                "wage": wage,
                **{s: np.zeros(wage.size, np.int64) for s in schemas.SOURCES if s != "wage"},
            }
        ).with_columns(pl.col("period").cast(pl.Int32), complete=pl.lit(True))
        schemas.conform(income.lazy(), "income").sink_parquet(
            folder / "income" / f"{piece:05}.parquet"
        )
        if not flat:
            continue
        numbers = pl.DataFrame(
            {
                "household": who.astype(np.int32),
                "village": village[who].astype(np.int32),
                "period": period.astype(np.int32),
                "wage": wage,
                **{f"first_{level}": k[who].astype(np.int32) for level, k in first.items()},
                **{name: traits[name][who] for name in COVARIATES},
            }
        )
        numbers.write_parquet(folder / "flat" / f"{piece:05}.parquet")
    for table in ("income", *(["flat"] if flat else [])):
        pl.scan_parquet(folder / table).sink_parquet(folder / f"{table}.parquet")
        for part in (folder / table).iterdir():
            part.unlink()
        (folder / table).rmdir()
    account = Account(n * periods, n * periods)
    panels.write_manifest(
        folder,
        name="bench",
        tier="model",
        account=account,
        tables={},
        about={"currency": "yuan", "price_year": None},
    )


def _pieces(n: int, step: int) -> Iterator[tuple[int, int]]:
    for low in range(0, n, step):
        yield low, min(n, low + step)


def _incomes(piece: int, cohort: np.ndarray, periods: int) -> tuple[np.ndarray, np.ndarray]:
    """Return wages in fen and periods, household after household."""
    draws = np.random.default_rng((2, piece))
    period = np.tile(np.arange(FIRST, FIRST + periods), cohort.size)
    own = np.repeat(draws.normal(WAGE, SPREAD, cohort.size), periods)
    start = np.repeat(np.where(cohort > 0, FIRST + cohort, FIRST + periods), periods)
    noise = draws.normal(0, SPREAD, period.size)
    wage = own + noise + EFFECT * (period >= start)
    return np.maximum(wage, 0).round().astype(np.int64), period
