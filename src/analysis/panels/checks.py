"""Whether the tables of a panel fit the contract: columns, values, keys across tables, account."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import polars as pl

from analysis.faults import Fault
from analysis.panels import schemas
from analysis.panels.outcomes import PanelOutcome

if TYPE_CHECKING:
    from analysis.panels.panel import Panel

REMEDIES = {
    "nullability": ("the cell is empty", "fill it in or leave the row out"),
    "primary_key": ("the key occurs more than once", "keep one row per key"),
    "min": ("the value is too small", "correct it or set it missing"),
    "min_exclusive": ("the value is too small", "correct it or set it missing"),
    "max": ("the value is too large", "correct it or set it missing"),
    "min_length": ("the name is empty", "give it a name"),
    "regex": ("the text does not have the required form", "correct it"),
    "nan": ("not a number", "set it missing"),
    "inf": ("infinite", "set it missing"),
}


def header_faults(
    frame: pl.LazyFrame, table: str, outcomes: tuple[PanelOutcome, ...] = ()
) -> Iterator[Fault]:
    """Yield a fault for each column that is missing, unknown or of another type."""
    file, schema = f"{table}.parquet", frame.collect_schema()
    columns = schemas.TABLES[table].columns()
    own = {outcome.name: outcome.dtype for outcome in outcomes} if table == "income" else {}
    for name, dtype in own.items():
        if name not in schema:
            yield Fault(file, "column missing", "add it, or declare it no more", column=name)
        elif schema[name] != dtype:
            yield Fault(file, f"the column is {schema[name]}", f"make it {dtype}", column=name)
    for name, column in columns.items():
        if name not in schema and not column.nullable:
            yield Fault(file, "column missing", "add it", column=name)
        elif name in schema and not column.validate_dtype(schema[name]):
            yield Fault(
                file, f"the column is {schema[name]}", f"make it {column.dtype}", column=name
            )
    covariates = table in ("households", "villages")
    for name in schema:
        if name in own:
            continue
        if name not in columns and not (covariates and name.startswith(schemas.COVARIATE_PREFIX)):
            remedy = "remove it, or begin its name with x_" if covariates else "remove it"
            yield Fault(file, "unknown column", remedy, column=name)


def value_faults(frame: pl.LazyFrame, table: str) -> Iterator[Fault]:
    """Yield a fault for each rule of a table that a row breaks, with the first such row."""
    schema = schemas.TABLES[table]
    names = list(schema.columns())
    failure = schema.filter(schemas.conform(frame, table).select(names).collect()).failure
    details = failure.details()
    for rule, n in sorted(failure.counts().items()):
        column, _, kind = rule.rpartition("|")
        problem, remedy = REMEDIES.get(kind, (kind.replace("_", " "), "correct it"))
        first = details.filter(pl.col(rule) == "invalid").row(0, named=True)
        shown = [column] if column else schema.primary_key()
        yield Fault(
            f"{table}.parquet",
            f"{problem} ({n} rows)",
            remedy,
            column=", ".join(shown),
            value=", ".join(str(first[name]) for name in shown),
        )


def reference_faults(panel: Panel) -> Iterator[Fault]:
    """Yield a fault for each key that another table lacks, and for treatment after the end."""
    units = panel.participation.with_columns(pl.col("unit_level").cast(pl.String))
    for table, column, target, key, frame in (
        ("households", "village", "villages", "village", panel.households),
        ("income", "household", "households", "household", panel.income),
        ("collective", "village", "villages", "village", panel.collective),
        ("participation", "unit", "households", "household", units.filter(unit_level="household")),
        ("participation", "unit", "villages", "village", units.filter(unit_level="village")),
    ):
        lost = frame.join(panel.table(target), left_on=column, right_on=key, how="anti")
        yield from _lost(
            lost, table, column, f"not in {target}", f"add it to {target} or leave the row out"
        )
    last = panel.income.select(pl.col("period").max()).collect().item()
    if last is not None:
        # Treated before the first period is legal (always treated); after the last is not
        # treatment in this panel, and would silently make controls of the treated.
        yield from _lost(
            units.filter(pl.col("first_period") > last),
            "participation",
            "first_period",
            f"after the last period, {last}",
            "leave the row out: the unit is not treated in this panel",
        )


def _lost(
    rows: pl.LazyFrame, table: str, column: str, problem: str, remedy: str
) -> Iterator[Fault]:
    frame = rows.select(pl.len().alias("n"), pl.col(column).first()).collect()
    n, value = frame.row(0)
    if n:
        yield Fault(
            f"{table}.parquet", f"{problem} ({n} rows)", remedy, column=column, value=str(value)
        )


def account_faults(panel: Panel) -> Iterator[Fault]:
    """Yield a fault if the account does not count the rows of the income table."""
    rows = panel.income.select(pl.len()).collect().item()
    if rows != panel.account.rows_used:
        yield Fault(
            "panel.json",
            f"the account says {panel.account.rows_used} rows used",
            "write the panel again",
            column="account",
            value=str(rows),
        )
