"""Effects from the households of a panel, where cells do not have what is asked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

import polars as pl

from analysis.cells.design import CellsDesign
from analysis.cells.interface import design_of
from analysis.cells.records import records
from analysis.did import sources
from analysis.did.result import DidResult
from analysis.faults import refuse
from analysis.panels.panel import Panel

OWN: Final = "leave it out; the map of the import says which column it is"
FROM_PANEL: Final = "cells and packs have no households: estimate from the panel"


def estimate(panel: Panel, design: CellsDesign, **options: Any) -> DidResult:
    """Estimate from households: adjusted for covariates, with errors of the sample's design.

    Parameters
    ----------
    panel : Panel
        Its households are held in memory.
    design : CellsDesign
        Of one programme.
    **options
        Of `analysis.did.estimate.did`: controls, where, base, method, covariates, strata, psu,
        drop.

    Raises
    ------
    FaultsError
        If the panel lacks a column, or nothing can be estimated.
    """
    from analysis.did.estimate import did

    if len(design.programmes) > 1 or design.unit == "person":
        refuse(
            "covariates and sample designs are of one programme, households counted once",
            "declare one programme, and unit = household",
            column="programmes",
            value=", ".join(design.programmes),
        )
    asked = [*options.get("covariates", ()), options.get("strata"), options.get("psu")]
    columns = list(dict.fromkeys(name for name in asked if name))
    result = records(panel, design, columns)
    frame = result.frame
    weighted = frame.select((pl.col("weight") != 1).any()).item()
    fit = did(
        frame,
        [outcome.name for outcome in design.outcomes],
        "household",
        "period",
        "cohort",
        "village",
        weight="weight" if weighted else "",
        within="stratum" if design.stratum else "",
        handling=design.handling,
        anticipation=design.anticipation,
        outcome_unit=result.units,
        evidence=panel.tier,
        **options,
    )
    left_out = {**result.account.left_out, **fit.account.left_out}
    account = replace(
        fit.account,
        rows_in=result.account.rows_read,
        left_out=left_out,
        decisions=(*result.notes, *fit.account.decisions),
        clusters="villages",
        units="households",
    )
    return replace(fit, account=account, calendar=panel.calendar)


def asked(
    panel: Panel, programme: str, y: Sequence[str], cells: Mapping[str, Any], **options: Any
) -> DidResult:
    """Estimate what `analysis.did.estimate.did` was asked of a panel; options as of `estimate`.

    `cells` has handling, stratum and anticipation.
    """
    design, notes = design_of(panel, sources.programme_of(panel, programme), y, **cells)
    fit = estimate(panel, design, **options)
    return replace(fit, account=replace(fit.account, decisions=(*notes, *fit.account.decisions)))


def nothing_passed_over(
    data: Any, own: Mapping[str, object], of_households: Mapping[str, object]
) -> None:
    """Refuse what a panel, cells or a pack decide themselves or cannot answer.

    Raises
    ------
    FaultsError
        Naming the argument that would be passed over in silence.
    """
    if not sources.is_source(data):
        return
    beyond = {} if isinstance(data, Panel) else of_households
    for given, remedy in ((own, OWN), (beyond, FROM_PANEL)):
        for name, value in given.items():
            if value:
                refuse("a panel, cells or a pack have their own", remedy, column=name, value=value)
