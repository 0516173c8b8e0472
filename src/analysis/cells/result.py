"""Cells: sums by village × cohort × stratum × period. They stay with who holds the data."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import polars as pl

from analysis.cells.design import CellsDesign
from analysis.faults import Fault, FaultsError, raise_if_any
from analysis.folders import broken, replaced, seal
from analysis.panels.account import Account

MANIFEST: Final = "cells.json"
WHAT: Final = "a folder of cells"
REMAKE: Final = "make the cells again"
VERSION: Final = 2
"""Goes up when stored cells of the version before can no longer be read."""
TABLES: Final = ("totals", "ever", "pairs", "inverse", "untreated", "second", "risk", "sizes")


@dataclass(frozen=True)
class Cells:
    """Cells of one programme (or pair of programmes).

    The keys of a cell are village (String), cohort (Int32: first treated period, 0 never), with two
    programmes cohort_2 (Int32), and stratum (String). Each outcome o has ``sum_o`` (Int64 where
    every value is a whole number, else Float64), not weighted; where `weighted`, ``wsum_o`` too
    (Float64, Σ weight × outcome), and estimators use that: `column` says which. Money is fen.
    Every table is in the order of its keys.

    Attributes
    ----------
    design : CellsDesign
        What was asked for; `level` is never ``auto`` here, unless two programmes differ.
    tier : str
        ``public``, ``model`` or ``yours``.
    periods : tuple of int
        Periods with income, ascending.
    weighted : bool
        Whether weights differ from 1 (or the unit is the person).
    totals : polars.DataFrame
        keys, period (Int32), n (Int64 households), weight (Float64), sums. Only cells with
        households; under ``balanced`` only households seen in every period.
    ever : polars.DataFrame
        keys, n_ever (Int64), weight_ever (Float64): households seen in any period, under
        ``balanced`` in every period. Cohort shares come from it.
    account : Account
        Rows of the income table: read, used, left out by reason.
    pairs : polars.DataFrame or None
        Handling ``pairs``: keys, base (Int32), period (Int32), n, weight, ``sum_o_base``,
        ``sum_o_period`` (and ``wsum_…``), over households seen in both; for every base and
        period that an estimator needs, see `handling.comparisons`.
    inverse : polars.DataFrame or None
        If asked: keys, omega (``untreated`` or ``all``), base (Int32, s), period (Int32, t),
        a (Float64, A[s,t]) and ``b_o`` (Float64, B[s,t]), weighted where `weighted`.
    untreated : polars.DataFrame or None
        If ``untreated`` moments were asked: `totals` over the households seen untreated at least
        once; the others cannot be imputed and `meta` counts them.
    second : polars.DataFrame or None
        Second moments, if asked: see `analysis.cells.second_moments.table`. They never leave.
    risk : polars.DataFrame or None
        With `design.disclosure`: keys, pattern (Int64: bit k for the k-th period a household is
        seen in), period, n, weight, ``sum_o``, with weights also ``wsum_o``. Never to be shown.
    sizes : polars.DataFrame or None
        With `design.disclosure`: see `analysis.cells.sizes.table`. Never to be shown.
    meta : mapping
        Panel, engine, versions, price year.
    """

    design: CellsDesign
    tier: str
    periods: tuple[int, ...]
    weighted: bool
    totals: pl.DataFrame
    ever: pl.DataFrame
    account: Account
    pairs: pl.DataFrame | None = None
    inverse: pl.DataFrame | None = None
    untreated: pl.DataFrame | None = None
    second: pl.DataFrame | None = None
    risk: pl.DataFrame | None = None
    sizes: pl.DataFrame | None = None
    meta: Mapping[str, Any] = field(default_factory=dict)

    def column(self, outcome: str) -> str:
        """Return the column that estimators use for an outcome.

        Raises
        ------
        KeyError
            If there is no such outcome.
        """
        self.design.outcome(outcome)
        return f"wsum_{outcome}" if self.weighted else f"sum_{outcome}"

    @property
    def cohorts(self) -> tuple[int, ...]:
        """First treated periods, ascending, without the never treated."""
        return tuple(sorted(set(self.ever["cohort"].to_list()) - {0}))

    @property
    def n_villages(self) -> int:
        """Villages with households that were used."""
        return self.ever["village"].n_unique()

    def __repr__(self) -> str:
        left = "; ".join(f"{n:,} {reason}" for reason, n in self.account.left_out.items() if n)
        return (
            f"Cells of {' × '.join(self.design.programmes)} ({self.design.level} cohorts,"
            f" {self.design.handling}, tier {self.tier}): {len(self.periods)} periods,"
            f" {self.n_villages:,} villages, {self.totals.height:,} rows of totals,"
            f" {len(self.design.outcomes)} outcomes; {self.account.rows_used:,} of"
            f" {self.account.rows_read:,} rows used" + (f"; left out: {left}" if left else "")
        )


def write(cells: Cells, folder: Path) -> None:
    """Write cells as one folder of Parquet and JSON, whole or not at all."""
    about: dict[str, Any] = {
        "version": VERSION,
        "design": cells.design.as_dict(),
        "tier": cells.tier,
        "periods": list(cells.periods),
        "weighted": cells.weighted,
        "account": cells.account.as_dict(),
        "meta": dict(cells.meta),
    }
    with replaced(folder, MANIFEST, WHAT) as stage:
        for name in TABLES:
            frame = getattr(cells, name)
            if frame is not None:
                frame.write_parquet(stage / f"{name}.parquet")
        about["files"] = seal(stage)
        text = json.dumps(about, ensure_ascii=False, indent=2) + "\n"
        (stage / MANIFEST).write_text(text, encoding="utf-8", newline="\n")


def read(folder: Path) -> Cells:
    """Read cells.

    Raises
    ------
    FaultsError
        If the folder holds no cells, those of another version, or a file that was changed or cut
        short.
    """
    file = f"{folder.name}/{MANIFEST}"
    try:
        about = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
    except FileNotFoundError:
        remedy = "name a folder that `analysis cells` wrote"
        raise FaultsError([Fault(file, "the file is missing", remedy)]) from None
    except (json.JSONDecodeError, UnicodeDecodeError):
        raise FaultsError([Fault(file, "not JSON", REMAKE)]) from None
    if not isinstance(about, dict) or about.get("version") != VERSION:
        raise FaultsError(
            [
                Fault(
                    file,
                    f"the version is not {VERSION}",
                    REMAKE,
                    column="version",
                    value=str(about.get("version") if isinstance(about, dict) else about)[:20],
                )
            ]
        )
    raise_if_any(broken(folder, about.get("files"), REMAKE))
    tables = {
        name: pl.read_parquet(folder / f"{name}.parquet")
        for name in TABLES
        if (folder / f"{name}.parquet").is_file()
    }
    try:
        return Cells(
            design=CellsDesign.from_dict(about["design"]),
            tier=about["tier"],
            periods=tuple(about["periods"]),
            weighted=about["weighted"],
            account=Account(**about["account"]),
            meta=about["meta"],
            **tables,
        )
    except (KeyError, TypeError) as error:
        problem = f"an entry is missing or of another kind: {error}"
        raise FaultsError([Fault(file, problem, REMAKE)]) from None
