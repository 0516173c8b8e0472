"""Who is seen when: read from the keys alone, before any income is.

A household's *pattern* has one bit for each period it is seen in. Where the handling needs nothing
finer, patterns are dropped before the scan, so that it has fewer groups to add up.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import narwhals as nw
import polars as pl

from analysis.cells import scan
from analysis.cells.design import CellsDesign
from analysis.cells.engines import Frame, Tables
from analysis.faults import Fault, FaultsError
from analysis.panels.account import Account

NO_HOUSEHOLD: Final = "household without a stratum, or not in the table of households"
NOT_ALWAYS: Final = "household not seen in every period"
ANY: Final = 0
"""Pattern of all households where patterns are not kept apart."""


@dataclass(frozen=True)
class Presence:
    """The households that are used.

    Attributes
    ----------
    households : narwhals.LazyFrame
        household, size, weight if they differ, the keys of `scan.attributes`, and pattern (Int64)
        unless all have the same.
    account : Account
        With the rows of the other households left out.
    pattern : int or None
        The pattern that all have, `ANY` where patterns are not kept apart.
    ever : polars.DataFrame or None
        keys of `scan.attributes`, n_ever, weight_ever where patterns are not kept apart; else it
        follows from the sums.
    """

    households: Frame
    account: Account
    pattern: int | None = None
    ever: pl.DataFrame | None = None


def look(
    tables: Tables,
    design: CellsDesign,
    households: Frame,
    periods: tuple[int, ...],
    account: Account,
) -> Presence:
    """Find out who is seen when.

    Parameters
    ----------
    tables : Tables
        The panel.
    design : CellsDesign
        What is made.
    households : narwhals.LazyFrame
        From `scan.attributes`.
    periods : tuple of int
        Periods used.
    account : Account
        Its rows used are the complete rows of these periods.

    Raises
    ------
    FaultsError
        If a household has two rows in one period.
    """
    length, full = len(periods), (1 << len(periods)) - 1
    households = tables.keep(households)
    everyone = _length(tables, tables.households)
    if account.rows_used == everyone * length:
        rows = _length(tables, households) * length
        return Presence(households, _leave_out(account, NO_HOUSEHOLD, rows), full)
    seen = scan.seen(tables, design, periods, everything=account.rows_used == account.rows_read)
    households = tables.keep(scan.with_pattern(households, seen, periods))
    counts = tables.collect(households.group_by("pattern", "rows").agg(nw.len().alias("n")))
    _refuse_doubles(counts)
    rows = int((counts["rows"] * counts["n"].cast(pl.Int64)).sum())
    account = _leave_out(account, NO_HOUSEHOLD, rows)
    if design.handling == "balanced":
        always = counts.filter(pattern=full)["n"].cast(pl.Int64).sum() * length
        kept = households.filter(nw.col("pattern") == full).drop("pattern", "rows")
        return Presence(kept, _leave_out(account, NOT_ALWAYS, int(always)), full)
    if design.handling == "cross_sections" and not (design.inverse or design.disclosure):
        households = households.drop("pattern", "rows")
        return Presence(households, account, ANY, _ever(tables, design, households))
    return Presence(households, account)


def _length(tables: Tables, frame: Frame) -> int:
    return int(tables.collect(frame.select(nw.len().alias("n")))["n"].item())


def _leave_out(account: Account, reason: str, kept: int) -> Account:
    """Return the account after all but some rows were left out."""
    gone = account.rows_used - kept
    if not gone:
        return account
    return Account(account.rows_read, kept, {**account.left_out, reason: gone})


def _refuse_doubles(counts: pl.DataFrame) -> None:
    """Raise if a pattern has not as many bits as its households have rows.

    A sum of powers of two has as many bits as it has terms exactly if they differ.
    """
    bits = pl.col("pattern").bitwise_count_ones().cast(pl.Int64)
    if counts.filter(bits != pl.col("rows")).height:
        raise FaultsError(
            [
                Fault(
                    "income.parquet",
                    "a household has two rows in one period",
                    "keep one row per household and period",
                )
            ]
        )


def _ever(tables: Tables, design: CellsDesign, households: Frame) -> pl.DataFrame:
    there = households.collect_schema().names()
    keys = [name for name in design.keys if name in there]
    weight = [nw.col("weight").sum()] if "weight" in there else []
    counted = tables.collect(households.group_by(*keys).agg(nw.len().alias("n_ever"), *weight))
    n, given = pl.col("n_ever").cast(pl.Int64), pl.col("weight" if weight else "n_ever")
    return counted.select(*keys, n, given.cast(pl.Float64).alias("weight_ever"))
