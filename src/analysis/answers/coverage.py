"""Near-full coverage: who is left to compare with, and what a two-way regression then mixes."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

import polars as pl

from analysis import programmes
from analysis.answers.bundles import starts
from analysis.answers.design import TOTAL, Design, design_of
from analysis.answers.missing import Missing, attempt
from analysis.cells import build
from analysis.effects import bacon, group_time, layout
from analysis.effects.table import refuse
from analysis.money import FEN_PER_YUAN
from analysis.panels.panel import Panel

KINDS: Final = {
    bacon.NEVER: "never treated",
    bacon.LATER: "not yet treated",
    bacon.EARLIER: "already treated",
}
"""Whom the treated are compared with in a static two-way regression (Goodman-Bacon 2021)."""


@dataclass(frozen=True)
class Coverage:
    """How far one programme reaches, and what that leaves.

    Attributes
    ----------
    programme : str
        The programme.
    villages, households : float
        Per cent ever reached.
    compared, uncompared : int
        Pairs of a first year and a year in it with and without anybody to compare with.
    clean : int
        Villages that never have it.
    fewest : int
        Villages that the thinnest of these comparisons has for controls; 0 if there is none.
    weights : dict of str to float
        Of the two-way coefficient by `KINDS`, adding up to one; empty where households are not
        seen in every year.
    static : float or None
        The two-way coefficient, money of the panel per household a year.
    rows_in, rows_used : int
        Household-years of the decomposition.
    """

    programme: str
    villages: float
    households: float
    compared: int
    uncompared: int
    clean: int
    fewest: int
    weights: dict[str, float]
    static: float | None
    rows_in: int
    rows_used: int


def coverage(panel: Panel, programme: str) -> Coverage:
    """Return how far a programme reaches; see `Coverage`.

    Raises
    ------
    FaultsError
        If the panel lacks the programme or has too few periods.
    """
    how = design_of(panel, programme)
    if isinstance(how, Missing):
        refuse(how.reason, "choose another panel")
    rows = starts(panel).filter(pl.col("programme") == programme)
    homes = panel.households.select("household", "village", "weight").collect()
    table = layout.from_cells(
        build.build(panel, replace(how.cells, outcomes=(how.cells.outcome(TOTAL),))), TOTAL
    )
    found = group_time.estimate(table, how.comparison, leads=False)
    first = rows.group_by("village").agg(pl.col("first").min())
    parts = attempt(decomposed, panel, how)
    empty = isinstance(parts, Missing)
    used = table.n.sum()
    return Coverage(
        programme,
        100 * first.height / homes["village"].n_unique(),
        100 * float(rows["weight"].sum()) / float(homes["weight"].sum()),
        len(found),
        len(found.missing) + len(found.unasked),
        homes["village"].n_unique() - first.height,
        int(found.control.sum(axis=0).min()) if len(found) else 0,
        {} if isinstance(parts, Missing) else dict(parts.select("kind", "weight").iter_rows()),
        None
        if isinstance(parts, Missing)
        else float(parts.select((pl.col("weight") * pl.col("estimate")).sum()).item()),
        panel.account.rows_used,
        0 if empty else int(used),
    )


def decomposed(panel: Panel, how: Design) -> pl.DataFrame:
    """Return the two-way coefficient on the total by whom the treated are compared with.

    Parameters
    ----------
    panel : Panel
        The panel; households seen in every period are used.
    how : Design
        Of the programme.

    Returns
    -------
    polars.DataFrame
        kind (of `KINDS`), weight (they add up to one), estimate (weighted mean of its comparisons,
        real money of the panel per household a year).
    """
    design = replace(
        how.cells,
        handling="balanced",
        outcomes=(how.cells.outcome(TOTAL),),
        stratum="",
        anticipation=0,
    )
    table = layout.from_cells(build.build(panel, design), TOTAL)
    parts = bacon.decompose(table)
    mean = (pl.col("weight") * pl.col("estimate")).sum() / pl.col("weight").sum()
    return (
        parts.group_by("kind")
        .agg(weight=pl.col("weight").sum(), estimate=mean / FEN_PER_YUAN)
        .sort("kind")
    )


def everything(panel: Panel) -> tuple[Coverage, ...]:
    """Return every programme of the catalogue that the panel has, the widest first."""
    made = [attempt(coverage, panel, name) for name in programmes.load().designs["programme"]]
    found = [one for one in made if not isinstance(one, Missing)]
    return tuple(sorted(found, key=lambda one: (-one.households, one.programme)))
