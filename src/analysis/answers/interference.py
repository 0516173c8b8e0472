"""Neighbours: what a programme does to its own households and to others, by choice of controls."""

from __future__ import annotations

from dataclasses import dataclass, replace

import polars as pl

from analysis import programmes
from analysis.answers.design import TOTAL, Design, design_of
from analysis.answers.missing import Missing, attempt
from analysis.answers.truth import truth_of
from analysis.cells import build
from analysis.effects import layout
from analysis.effects.table import Table, refuse
from analysis.panels.panel import Panel
from analysis.sensitivity import spillovers
from analysis.sensitivity.spillovers import SPILLOVER, Alternatives, DirectBounds

EFFECTS = {
    "direct": ("direct", "treated"),
    "on_participants": ("spillover", "treated"),
    "total": ("total", "treated"),
    "on_neighbours": ("spillover", "untreated"),
}
"""True effects: which, and on whom, as `analysis.panels.estimands` names them."""
TARGET = {"other_villages": "total", SPILLOVER: "on_neighbours"}
"""What a comparison aims at: against other villages participants show both effects at once."""


@dataclass(frozen=True)
class Neighbours:
    """One programme under interference; real money per household a year.

    Attributes
    ----------
    programme : str
        Given to households.
    found : Alternatives
        Against controls elsewhere, beside the treated, anywhere; and on untreated neighbours.
    direct : DirectBounds or Missing
        Bounds on the direct effect.
    truth : dict of str to float
        By the keys of `EFFECTS`; empty in a survey.
    rows_in, rows_used : int
        Household-years.
    unit : str
        Of the effects.
    """

    programme: str
    found: Alternatives
    direct: DirectBounds | Missing
    truth: dict[str, float]
    rows_in: int
    rows_used: int
    unit: str


def neighbours(panel: Panel, programme: str, known: pl.DataFrame | None = None) -> Neighbours:
    """Estimate a programme against alternative controls.

    Parameters
    ----------
    panel : Panel
        The panel.
    programme : str
        Given to households.
    known : polars.DataFrame, optional
        The truth of a simulated panel, as `analysis.panels.current.truth` gives it.

    Raises
    ------
    FaultsError
        If nothing can be estimated.
    """
    how = design_of(panel, programme)
    if isinstance(how, Missing) or how.level != "household":
        reason = how.reason if isinstance(how, Missing) else "it is given to whole villages"
        refuse(reason, "choose a programme given to households")
    table = _table(panel, how)
    found = spillovers.alternatives(table)
    about = found.effects.about
    return Neighbours(
        programme,
        found,
        attempt(spillovers.direct_bounds, found),
        truths(known, how),
        about.rows_in,
        about.rows_used,
        how.unit,
    )


def _table(panel: Panel, how: Design) -> Table:
    design = replace(how.cells, outcomes=(how.cells.outcome(TOTAL),))
    return layout.from_cells(build.build(panel, design), TOTAL)


def truths(known: pl.DataFrame | None, how: Design) -> dict[str, float]:
    """Return the true direct and spillover effects, overall, in the estimates' prices."""
    if known is None:
        return {}
    found = {}
    for name, (effect, who) in EFFECTS.items():
        # `truth_of` reads the total effect on the treated: other effects are handed to it as such.
        rows = known.filter(pl.col("effect") == effect, pl.col("who") == who).with_columns(
            effect=pl.lit("total"), who=pl.lit("treated")
        )
        one = truth_of(rows, how)
        value = None if isinstance(one, Missing) else one.of(TOTAL, "simple")
        if value is not None:
            found[name] = value
    return found


def everything(
    panel: Panel, known: pl.DataFrame | None = None
) -> tuple[tuple[Neighbours, ...], tuple[tuple[str, Missing], ...]]:
    """Return every programme given to households, and those that cannot be shown with the reason.

    Programmes of the catalogue that are given to whole villages have no untreated neighbours and
    are not among the reasons.
    """
    found, gone = [], []
    for programme in programmes.load().designs["programme"]:
        how = design_of(panel, programme)
        if not isinstance(how, Missing) and how.level == "village":
            continue
        one = attempt(neighbours, panel, programme, known)
        if isinstance(one, Missing):
            gone.append((programme, one))
        else:
            found.append(one)
    return tuple(found), tuple(gone)
