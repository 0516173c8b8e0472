"""The contract: the tables of a household panel, their columns, types, units, ranges and keys.

Baseline means the first period in which a household is seen. Village, stratum, weight and size are
baseline ones and never change; cohort follows from the first period of the programme. So:

* a household that **moves** keeps its baseline village;
* when a household **splits**, the part with the baseline head keeps the key (without a head: the
  part with most baseline members, then the key that comes first); the other part is left out from
  that period on and counted in the account;
* when two households **merge**, the one with more baseline members keeps its key (equal: the key
  that comes first) and carries the merged income; the other ends and is counted in the account.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import dataframely as dy
import polars as pl

SCHEMA_VERSION: Final = 2
"""Goes up when a stored panel of the version before can no longer be read."""

SOURCES: Final = ("wage", "business", "property", "transfer")
"""The four sources of disposable income of the national household survey."""

NOT_NEGATIVE: Final = ("wage", "transfer")
"""Sources that are never below zero; a business can lose, and property can cost."""

LARGEST_FEN: Final = 10**12
"""Hundredths of a currency: above any household, and nine million of them add up in 64 bits."""

PROGRAMME: Final = r"^[a-z][a-z0-9_]*$"
"""Id of a programme."""
COVARIATE_PREFIX: Final = "x_"
"""Households and villages may carry further baseline columns whose names begin so."""


def total() -> pl.Expr:
    """Return total disposable income, fen: the sum of the four sources, null if one is missing.

    Examples
    --------
    >>> frame = pl.DataFrame({"wage": [5, 1], "business": [-2, 1], "property": [0, None],
    ...                       "transfer": [1, 1]})
    >>> frame.select(total())["total"].to_list()
    [4, None]
    """
    wage, *others = (pl.col(name) for name in SOURCES)
    return sum(others, start=wage).alias("total")


def _fen(description: str, **limits: int) -> dy.Int64:
    return dy.Int64(
        nullable=True,
        min=limits.get("min", -LARGEST_FEN),
        max=LARGEST_FEN,
        description=description,
        metadata={"unit": "hundredths of the currency a year, nominal"},
    )


def _text(description: str, *, key: bool = False, nullable: bool = False) -> dy.String:
    return dy.String(
        primary_key=key,
        nullable=nullable,
        min_length=1,
        description=description,
        metadata={"unit": "name"},
    )


def _period(description: str, *, key: bool = False) -> dy.Int32:
    return dy.Int32(
        primary_key=key,
        min=1,
        description=description,
        metadata={"unit": "period of the panel's calendar"},
    )


class Households(dy.Schema):
    """One row per household, as it was at baseline."""

    household = _text("name of the household", key=True)
    village = _text("baseline village; a household that moves keeps it")
    size_baseline = dy.Int32(
        min=1, max=100, description="members at baseline", metadata={"unit": "persons"}
    )
    weight = dy.Float64(
        min_exclusive=0,
        allow_inf=False,
        allow_nan=False,
        description="baseline weight; 1 where there is none",
        metadata={"unit": "households"},
    )
    weight_type = dy.Enum(
        ["none", "frequency", "sampling"],
        description="none: all weights are 1; frequency: identical households stand behind the row;"
        " sampling: inverse inclusion probability",
        metadata={"unit": "word"},
    )
    stratum = _text("baseline stratum for comparisons inside strata; one word for all if none")
    registered_poor = dy.Bool(
        nullable=True,
        description="on the register of poor households at baseline",
        metadata={"unit": "true or false"},
    )
    primary_sampling_unit = _text("primary sampling unit; the village if empty", nullable=True)
    design_stratum = _text("stratum of the sampling design", nullable=True)
    income_baseline_fen = _fen("total disposable income at baseline")
    workers_baseline = dy.Int32(
        nullable=True,
        min=0,
        max=100,
        description="members able to work at baseline",
        metadata={"unit": "persons"},
    )

    @dy.rule()
    def weights_without_a_type_are_not_one(cls) -> pl.Expr:
        """Require that the weight is 1 where the type says there is none."""
        return (pl.col("weight_type") != "none") | (pl.col("weight") == 1)

    @dy.rule()
    def more_workers_than_members(cls) -> pl.Expr:
        """Require that workers are members."""
        return pl.col("workers_baseline") <= pl.col("size_baseline")


class Villages(dy.Schema):
    """One row per village, the cluster of all inference."""

    village = _text("name of the village", key=True)
    county = _text("name of the county")
    prefecture = _text("name of the prefecture", nullable=True)
    n_households = dy.Int32(
        nullable=True,
        min=1,
        description="households that live in the village at baseline",
        metadata={"unit": "households"},
    )
    remoteness_km = dy.Float64(
        nullable=True,
        min=0,
        allow_inf=False,
        allow_nan=False,
        description="road distance to the county town",
        metadata={"unit": "kilometres"},
    )


class Income(dy.Schema):
    """One row per household and period in which it was seen; total income is always derived.

    Further outcomes stand in columns of their own, declared in the panel's manifest.
    """

    household = _text("name of the household", key=True)
    period = _period("period the income was received in", key=True)
    wage = _fen("income from work for others, net of tax and contributions", min=0)
    business = _fen("net income of the household's own farm, herd, trade; a loss is negative")
    property = _fen("net income from land let, shares, deposits; interest paid can exceed it")
    transfer = _fen("transfers received less transfers paid; negative where more is paid")
    members_present = dy.Int32(
        nullable=True,
        min=1,
        max=100,
        description="members who live on this income in the period",
        metadata={"unit": "persons"},
    )
    complete = dy.Bool(
        description="whether all four sources were observed", metadata={"unit": "true or false"}
    )

    @dy.rule()
    def complete_means_that_all_four_sources_are_there(cls) -> pl.Expr:
        """Require that a row is marked complete exactly where no source is missing."""
        seen = pl.all_horizontal(pl.col(name).is_not_null() for name in SOURCES)
        return pl.col("complete") == seen


class Participation(dy.Schema):
    """One row per programme and unit that was ever treated; who is absent never was."""

    programme = dy.String(
        primary_key=True,
        regex=PROGRAMME,
        description="programme: an id of the catalogue, or one of your own",
        metadata={"unit": "name"},
    )
    unit_level = dy.Enum(
        ["household", "village"],
        primary_key=True,
        description="what was treated",
        metadata={"unit": "word"},
    )
    unit = _text("name of the household or village", key=True)
    first_period = _period("first period of treatment: the cohort")
    dose = dy.Float64(
        nullable=True,
        min=0,
        allow_inf=False,
        allow_nan=False,
        description="how much of the programme the unit got",
        metadata={"unit": "see dose_unit"},
    )
    dose_unit = _text("unit of the dose", nullable=True)

    @dy.rule()
    def a_dose_has_no_unit_or_a_unit_no_dose(cls) -> pl.Expr:
        """Require that dose and unit come together."""
        return pl.col("dose").is_null() == pl.col("dose_unit").is_null()


class Collective(dy.Schema):
    """One row per village and period: the books of the village collective, where there are any."""

    village = _text("name of the village", key=True)
    period = _period("period of the account", key=True)
    net_income = _fen("net collective income as reported")
    paid_out = _fen("part of it paid out to households", min=0)


TABLES: Final[Mapping[str, type[dy.Schema]]] = {
    "households": Households,
    "villages": Villages,
    "income": Income,
    "participation": Participation,
    "collective": Collective,
}
"""Every table of a panel by its name; the name is the file's."""


def empty(table: str) -> pl.DataFrame:
    """Return a table of no rows with the right columns and types.

    Examples
    --------
    >>> empty("collective").shape
    (0, 4)
    """
    return pl.DataFrame(schema=polars_schema(table))


def polars_schema(table: str) -> dict[str, pl.DataType]:
    """Return the columns of a table with their Polars types, in order."""
    return {name: column.dtype for name, column in TABLES[table].columns().items()}


def conform(frame: pl.LazyFrame, table: str) -> pl.LazyFrame:
    """Add the nullable columns a table lacks and put the columns in order; change nothing else.

    Covariates (``x_...``) stay, behind the columns of the contract.
    """
    names = frame.collect_schema().names()
    columns = TABLES[table].columns()
    added = [
        pl.lit(None, dtype=kind.dtype).alias(name)
        for name, kind in columns.items()
        if name not in names and kind.nullable
    ]
    known = [name for name in columns if name in names or columns[name].nullable]
    rest = [name for name in names if name not in columns]
    return frame.with_columns(added).select(*known, *rest)
