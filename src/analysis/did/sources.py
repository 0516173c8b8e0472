"""What was added up before: panels, cells and packs as sources of effects."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import polars as pl

from analysis.cells import pack as packs
from analysis.cells import result as cells_folder
from analysis.cells.interface import cells
from analysis.cells.pack import Pack
from analysis.cells.result import Cells
from analysis.did.estimators import layout
from analysis.did.estimators.estimates import Estimates
from analysis.did.estimators.table import CONSTANT, Table, constant
from analysis.faults import refuse
from analysis.panels import panel as panels
from analysis.panels.panel import Panel
from analysis.panels.table_files import read_table

OPEN: Final = "open it with va.read_panel, or name a folder that analysis import or cells wrote"


@dataclass(frozen=True, eq=False)
class Stored:
    """A source of effects that was added up before.

    Attributes
    ----------
    cells : Table or None
        Arrays, money in the currency's main unit; None of a pack.
    declared : Estimates or None
        Effects that a pack declares.
    evidence : str
        Kind of evidence.
    digest : str
        ``name:digest`` of the source.
    units, clusters : str
        What is followed, and what a cluster is.
    decisions : tuple of str
        What was decided for the user.
    calendar : str
        What a period is.
    """

    cells: Table | None
    declared: Estimates | None
    evidence: str
    digest: str
    units: str = "households"
    clusters: str = "villages"
    decisions: tuple[str, ...] = ()
    calendar: str = "number"


def source(
    data: Any,
    programme: str,
    outcomes: Sequence[str],
    handling: str,
    anticipation: int,
    moments: tuple[str, ...],
) -> Stored | None:
    """Return a panel, cells or a pack as a source; None if `data` is a frame.

    Raises
    ------
    FaultsError
        If a folder is none of the three, or the panel's programme is not named.
    """
    opened = data
    if isinstance(opened, Pack):
        return _of_pack(opened)
    if isinstance(opened, Panel):
        opened = cells(
            opened,
            programme=programme_of(opened, programme),
            y=outcomes,
            handling=handling or "balanced",
            anticipation=anticipation,
            inverse=moments if handling == "pairs" else (),
        )
    if isinstance(opened, Cells):
        return _of_cells(opened, outcomes)
    return None


def is_source(opened: Any) -> bool:
    """Say whether data are a panel, cells or a pack, which decide themselves who is who."""
    return isinstance(opened, (Panel, Cells, Pack))


def programme_of(panel: Panel, programme: str) -> str:
    """Return a programme: the panel's only one if none is named."""
    if programme:
        return programme
    known = panel.participation.select(pl.col("programme").unique().sort()).collect()["programme"]
    if known.len() != 1:
        refuse(
            "no programme is named",
            f"name one: programme= {', '.join(known) or '(the panel has none)'}",
            column="programme",
        )
    return str(known[0])


def opened(data: Any) -> Any:
    """Return what a path names: a panel, cells, a pack, or the table of a file."""
    if not isinstance(data, (str, Path)):
        return data
    folder = Path(data)
    if (folder / packs.MANIFEST).is_file():
        return packs.read(folder)
    if (folder / cells_folder.MANIFEST).is_file():
        return cells_folder.read(folder)
    if folder.is_file():
        return read_table(folder)
    if not folder.is_dir():
        refuse("no such file or folder", f"name a file with one table, or {OPEN}", value=str(data))
    return panels.read(folder)


def _of_cells(cells: Cells, outcomes: Sequence[str]) -> Stored:
    there = [outcome.name for outcome in cells.design.outcomes]
    table = layout.from_cells(cells, *(name for name in outcomes if name in there))
    still = constant(table)
    decisions = list(cells.meta.get("notes", ()))
    decisions += [f"left out: {name}: {CONSTANT} ({mean:g})" for name, mean in still.items()]
    if still and len(still) < len(table.outcomes):
        table = table.select(*(name for name in table.outcomes if name not in still))
    digest = str(cells.meta.get("digest") or cells.meta.get("panel") or "cells")
    return Stored(
        in_main_unit(table),
        None,
        cells.tier,
        digest,
        decisions=tuple(decisions),
        calendar=str(cells.meta.get("calendar", "number")),
    )


def in_main_unit(table: Table) -> Table:
    """Return cells of hundredths as cells of the currency: in the unit that the user gave."""
    from dataclasses import replace

    import numpy as np

    from analysis.did.estimators.table import Leg, Moments
    from analysis.money import FEN_PER_YUAN, is_in_hundredths, main_unit

    money = [is_in_hundredths(table.units.get(name, "")) for name in table.outcomes]
    if not any(money):
        return table
    scale = np.where(money, 1 / FEN_PER_YUAN, 1.0)

    def scaled(moments: Moments | None) -> Moments | None:
        return moments and Moments(moments.a, moments.b * scale)

    units = {name: main_unit(unit) for name, unit in table.units.items()}
    pairs = {
        key: Leg(leg.sign, leg.n, leg.weight, leg.total * scale) for key, leg in table.pairs.items()
    }
    return replace(
        table,
        total=table.total * scale,
        pairs=pairs,
        units=units,
        untreated=scaled(table.untreated),
        all_periods=scaled(table.all_periods),
        imputed=table.imputed and in_main_unit(table.imputed),
    )


def _of_pack(pack: Pack) -> Stored:
    from analysis.did.estimators import from_pack
    from analysis.did.estimators.pack_effects import DIGITS

    effects = from_pack.estimate(pack).in_yuan()
    carried = from_pack.derive(pack).carried_only
    again = sum(name not in carried for name in effects.names)
    decisions = [
        f"{again:,} of {len(effects):,} estimates derived again from the totals, as carried"
    ]
    decisions += [f"carried, not derived again: {name}: {why}" for name, why in carried.items()]
    decisions += [f"left out, too few to be told: {reason}" for reason in effects.untold]
    decisions += [DIGITS, *([effects.untold_errors] if effects.untold_errors else [])]
    digest = f"pack {pack.name}:{totals_digest(pack)}"
    return Stored(None, effects, pack.tier, digest, decisions=tuple(decisions))


def totals_digest(pack: Pack) -> str:
    """Return 12 digits of the sha256 of the totals.

    They are the same on every machine where sums are whole; covariances differ in the last digit.
    """
    content = hashlib.sha256()
    for name, frame in sorted(pack.tables.items()):
        content.update(f"{name}\n{frame.write_csv()}".encode())
    return content.hexdigest()[:12]
