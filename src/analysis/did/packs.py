"""Packs at the front door: what may leave, checked by stated rules, and what its receiver reads."""

from __future__ import annotations

from pathlib import Path

from analysis.cells import declaration, releases, result
from analysis.cells import pack as packs
from analysis.cells.pack import Pack
from analysis.cells.result import Cells
from analysis.did.estimators import declared


def pack(
    cells: Cells | str | Path,
    estimands: str | Path,
    folder: str | Path,
    *,
    log: str | Path | None = None,
    panel: str | Path | None = None,
    joint: Cells | str | Path | None = None,
    min_households: int | None = None,
) -> Pack:
    """Make a publishable pack of cells, or refuse and name every rule that stands against it.

    Parameters
    ----------
    cells : Cells or folder
        Made from the design that the estimands file declares.
    estimands : path
        The estimands file, a TOML.
    folder : path
        Where the pack is written, whole or not at all.
    log : path, optional
        The data holder's log of releases, which lies beside the panel: ``releases.jsonl`` there
        unless it is named.
    panel : folder, optional
        Where the panel is; beside the log if it is not named.
    joint : Cells or folder, optional
        Cells that divide households as finely as these and those of every earlier release: of both
        programmes, where another one was released, or with the strata of then.
    min_households : int, optional
        A stricter minimum than the declared one.

    Returns
    -------
    Pack
        As its receiver reads it.

    Raises
    ------
    FaultsError
        Naming every rule that the pack would break.
    """
    held = _cells(cells)
    at = releases.beside(
        None if log is None else Path(log),
        None if panel is None else Path(panel),
        str(held.meta.get("panel", "")),
    )
    plan = declaration.read(Path(estimands))
    packs.publish(
        held,
        plan,
        declared.estimate(held, plan).estimated(),
        Path(folder),
        log=at,
        joint=None if joint is None else _cells(joint),
        min_households=min_households,
    )
    return packs.read(Path(folder))


def _cells(cells: Cells | str | Path) -> Cells:
    return result.read(Path(cells)) if isinstance(cells, (str, Path)) else cells


def read_pack(folder: str | Path) -> Pack:
    """Read a pack: totals, declared effects and their covariance, no village.

    Parameters
    ----------
    folder : path
        As ``va.pack`` or ``analysis pack`` wrote it.

    Raises
    ------
    FaultsError
        If it is no pack, or was changed.
    """
    return packs.read(Path(folder))
