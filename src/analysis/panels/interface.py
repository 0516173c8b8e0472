"""Panels at the front door: a survey imported, a folder read, a panel simulated."""

from __future__ import annotations

from pathlib import Path

from analysis.panels import panel as panels
from analysis.panels.importing import run
from analysis.panels.model.simulate import SEED
from analysis.panels.model.simulate import simulate as simulate_panel
from analysis.panels.panel import Panel


def read_panel(folder: str | Path) -> Panel:
    """Read a panel: a folder of Parquet of any size; nothing is loaded yet.

    Parameters
    ----------
    folder : path
        As ``va.import_survey``, ``va.simulate`` or ``analysis import`` wrote it.

    Returns
    -------
    Panel
        Tables as lazy frames; money as whole hundredths of its currency, per household a year.

    Raises
    ------
    FaultsError
        If it is no panel, or a file was changed.

    Examples
    --------
    >>> import tempfile
    >>> import analysis as va
    >>> folder = tempfile.mkdtemp() + "/panel"
    >>> _ = va.simulate(folder, households=200, villages=10, periods=(2012, 2014), seed=1)
    >>> va.read_panel(folder).tier
    'model'
    """
    return panels.read(Path(folder))


def import_survey(
    source: str | Path, map_file: str | Path, out: str | Path, *, replace: bool = False
) -> Panel:
    """Make a panel of a survey by its map; every row is used or rejected with a reason.

    Parameters
    ----------
    source : path
        File or folder of the survey.
    map_file : path
        The map, as ``analysis import --init`` writes it and you fill it in.
    out : path
        Folder of the panel; its ``account`` tells what was read, used and left out.
    replace : bool
        Replace a panel that is there.

    Returns
    -------
    Panel

    Raises
    ------
    FaultsError
        Naming file, row, column and value of what cannot be read, with a remedy.
    """
    given = Path(source)
    run.import_survey([given], Path(map_file), Path(out), replace=replace)
    return panels.read(Path(out))


def simulate(
    folder: str | Path,
    *,
    households: int,
    villages: int,
    periods: tuple[int, int] = (2012, 2021),
    seed: int = SEED,
    variant: str = "clean",
) -> Panel:
    """Simulate a panel with known effects: to see whether a design works, never what works.

    Parameters
    ----------
    folder : path
        Where the panel is written, with its truth.
    households, villages : int
        How many.
    periods : tuple of int
        First and last year.
    seed : int
        Of the draws.
    variant : str
        ``clean``: participation by chance; ``realistic``: with selection, attrition and gaps.

    Returns
    -------
    Panel
        Of the kind ``model``; yuan of each year.

    Examples
    --------
    >>> import tempfile
    >>> import analysis as va
    >>> folder = tempfile.mkdtemp() + "/panel"
    >>> va.simulate(folder, households=200, villages=10, periods=(2012, 2014), seed=1).tier
    'model'
    """
    simulate_panel(
        Path(folder),
        households=households,
        villages=villages,
        periods=periods,
        seed=seed,
        variant=variant,
    )
    return panels.read(Path(folder))
