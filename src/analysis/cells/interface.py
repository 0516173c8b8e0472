"""Cells at the front door: one scan of a panel of any size."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final

from analysis.cells import declaration
from analysis.cells.build import build
from analysis.cells.design import CellsDesign
from analysis.cells.outcomes import Outcome
from analysis.cells.result import Cells
from analysis.faults import Fault, FaultsError
from analysis.panels import panel as panels
from analysis.panels.panel import Panel

INCOME: Final = ("wage", "business", "property", "transfer", "total")
"""The four official sources of income and the total they add up to, exactly."""


def cells(
    panel: Panel | str | Path,
    programme: str = "",
    y: Sequence[str | Outcome] = (),
    *,
    estimands: str | Path = "",
    engine: str = "polars",
    handling: str = "balanced",
    stratum: str = "",
    anticipation: int = 0,
    inverse: Sequence[str] = (),
    real: int | None = None,
) -> Cells:
    """Add a panel up to cells in one scan: sums by village, cohort, stratum and period.

    Cells stay with who holds the data; a pack made of them may leave.

    Parameters
    ----------
    panel : Panel or folder
        Of any size.
    programme : str
        Whose effects are wanted.
    y : sequence of str
        Outcomes of the panel: sources of income, ``total``, or what its map declares; left out: the
        sources that were asked for and their total, or all outcomes if there is no income.
    estimands : path, optional
        An estimands file, a TOML: cells as it declares them, of which a pack can be made; then
        every option but `engine` is left out.
    engine : str
        ``polars``, ``duckdb`` or ``spark``: the same sums.
    handling : str
        Of households not seen in every period: ``balanced``, ``pairs`` or ``cross_sections``.
    stratum : str
        Baseline column of the households inside which they are compared.
    anticipation : int
        Periods before the first in which the programme may already act.
    inverse : sequence of str
        Moments of unbalanced panels: ``untreated`` (imputation), ``all`` (two-way).
    real : int, optional
        Year of prices; nominal if left out.

    Returns
    -------
    Cells

    Raises
    ------
    FaultsError
        If the panel lacks the programme or an outcome, or the estimands file is not one.

    Examples
    --------
    >>> import tempfile
    >>> import analysis as va
    >>> folder = tempfile.mkdtemp() + "/panel"
    >>> _ = va.simulate(folder, households=400, villages=20, periods=(2012, 2016), seed=1)
    >>> va.cells(folder, programme="training").n_villages
    20
    """
    if estimands:
        own = (programme, tuple(y), handling, stratum, anticipation, tuple(inverse), real)
        if own != ("", (), "balanced", "", 0, (), None):
            remedy = "leave programme=, y= and the other options out: the file names them"
            fault = Fault("cells", "an estimands file and other options are given", remedy)
            raise FaultsError([fault])
    source = panels.read(Path(panel)) if isinstance(panel, (str, Path)) else panel
    if estimands:
        return build(source, declaration.read(Path(estimands)).design, engine)  # type: ignore[arg-type]
    design, notes = design_of(
        source,
        programme,
        y,
        handling=handling,
        stratum=stratum,
        anticipation=anticipation,
        inverse=inverse,
        real=real,
    )
    cells = build(source, design, engine)  # type: ignore[arg-type]
    return replace(cells, meta={**cells.meta, "notes": [*notes, *cells.meta.get("notes", ())]})


def design_of(
    panel: Panel,
    programme: str,
    y: Sequence[str | Outcome] = (),
    *,
    handling: str = "balanced",
    stratum: str = "",
    anticipation: int = 0,
    inverse: Sequence[str] = (),
    real: int | None = None,
) -> tuple[CellsDesign, tuple[str, ...]]:
    """Return the design that `cells` adds up, and what was left out of the outcomes and why."""
    names, notes = _requested(panel, y)
    if not programme:
        remedy = 'name one, as in programme="training"'
        raise FaultsError([Fault("cells", "no programme is named", remedy, column="programme")])
    design = CellsDesign(
        (programme,),
        outcomes=tuple(o if isinstance(o, Outcome) else Outcome(o, real=real) for o in names),
        handling=handling,  # type: ignore[arg-type]
        stratum=stratum,
        anticipation=anticipation,
        inverse=tuple(inverse),
    )
    return design, notes


def _requested(
    panel: Panel, y: Sequence[str | Outcome]
) -> tuple[Sequence[str | Outcome], tuple[str, ...]]:
    """Return the outcomes that can be shown of those asked for, and what was left out and why.

    A source of income that a survey did not ask for takes the total with it, and nothing else.
    """
    income = tuple(name for name in INCOME if name in panel.outcome_names)
    unnamed = not y
    if unnamed:
        y = income or panel.outcome_names
    if not panel.absent or not income or not (unnamed or tuple(y) == INCOME):
        return y, ()
    gone = ", ".join(name for name in INCOME if name not in income)
    return income, (f"left out: {gone}: the panel does not have {', '.join(panel.absent)}",)
