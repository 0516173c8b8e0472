"""Data that licences or size keep out of the repository: fetched on request, then read offline.

``data/external.toml`` lists address, size, checksum, licence and citation; `download` fetches one
file, resumable and atomic. A file whose licence is unclear is fetched only by its name.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from urllib.parse import urlsplit

from analysis import paths
from analysis.contract import project_name
from analysis.faults import Fault, FaultsError, raise_if_any
from analysis.panels import cards, reading
from analysis.panels.cards import Download
from analysis.panels.download import TIMEOUT, VARIABLE, Entry, Fetched, Progress, fetch_one
from analysis.panels.reading import Loaded
from analysis.panels.records import build, read_toml


def catalogue(path: Path | None = None) -> dict[str, Entry]:
    """Read the list of files that can be fetched.

    Parameters
    ----------
    path : Path, optional
        The list; ``data/external.toml`` of the project by default.

    Raises
    ------
    FaultsError
        With every missing, unknown or malformed key.

    Examples
    --------
    >>> catalogue()["bangladesh_microcredit_1998"].size
    83034
    """
    path = path or paths.data() / "external.toml"
    file = project_name(path)
    entries: dict[str, Entry] = {}
    faults: list[Fault] = []
    for name, table in read_toml(path).items():
        try:
            entries[name] = build(Entry, table, file, name, name=name)
        except FaultsError as error:
            faults.extend(error.faults)
        else:
            faults.extend(_malformed(entries[name], file))
    raise_if_any(faults)
    return entries


def default_folder() -> Path:
    """Return where files are fetched to: ``ANALYSIS_EXTERNAL`` if set, else ``data/external``."""
    named = os.environ.get(VARIABLE)
    return Path(named) if named else paths.data() / "external"


def available(name: str) -> Path | None:
    """Return where a file is, or None where it has not been fetched.

    It may lie in the folder that ``ANALYSIS_EXTERNAL`` names or in ``data/external``. Its checksum
    is looked at when it is read.

    Parameters
    ----------
    name : str
        A name of the catalogue.
    """
    (entry,) = _chosen([name], catalogue())
    folders = (default_folder(), paths.data() / "external")
    files = (folder / entry.file for folder in folders)
    return next((file for file in files if file.is_file()), None)


def load(name: str) -> Loaded:
    """Read a fetched data set and hold it against its card.

    Parameters
    ----------
    name : str
        A name of the catalogue; the card of the same id says columns, units and types.

    Raises
    ------
    FaultsError
        If the file has not been fetched, is not the one described, or needs a package that is
        not installed (only the R file does).
    """
    (entry,) = _chosen([name], catalogue())
    card = cards.get(name)
    assert isinstance(card.source, Download)  # noqa: S101 — a test holds cards and catalogue equal
    path = available(name)
    again = f"run: {entry.command}"
    if path is None:
        terms = f"{again} (terms: {entry.licence})" if entry.by_name_only else again
        raise FaultsError([Fault("data/external.toml", "not fetched yet", terms, value=name)])
    return reading.load(path, card, entry.sha256, f"delete {path.name} and {again}")


def fetch(
    names: Iterable[str] | None = None,
    folder: Path | None = None,
    *,
    entries: Mapping[str, Entry] | None = None,
    progress: Progress | None = None,
    timeout: float = TIMEOUT,
) -> tuple[Fetched, ...]:
    """Download files; what is there already and whole is left alone.

    Parameters
    ----------
    names : iterable of str, optional
        Names of the catalogue; by default all whose licence is clear.
    folder : Path, optional
        Where to; `default_folder` by default. Made if missing.
    entries : mapping of str to Entry, optional
        Another catalogue.
    progress : callable, optional
        Told the entry and the bytes so far.
    timeout : float
        Seconds without a byte after which to give up.

    Returns
    -------
    tuple of Fetched
        One per name, in the order asked for.

    Raises
    ------
    FaultsError
        With a fault per file that could not be fetched; the others are there nevertheless.
    """
    entries = catalogue() if entries is None else entries
    folder = default_folder() if folder is None else folder
    chosen = _chosen(free(entries) if names is None else names, entries)
    _make(folder)
    done: list[Fetched] = []
    faults: list[Fault] = []
    for entry in chosen:
        try:
            done.append(fetch_one(entry, folder, progress, timeout))
        except FaultsError as error:
            faults.extend(error.faults)
    raise_if_any(faults)
    return tuple(done)


def free(entries: Mapping[str, Entry]) -> list[str]:
    """Return the names of the files that are fetched without being named."""
    return [name for name, entry in entries.items() if not entry.by_name_only]


def _malformed(entry: Entry, file: str) -> Iterator[Fault]:
    address = urlsplit(entry.url)
    if address.scheme not in ("http", "https") or not address.hostname:
        yield Fault(
            file, "not a web address", "write https://…", None, f"{entry.name}.url", entry.url
        )
    if not re.fullmatch("[0-9a-f]{64}", entry.sha256):
        remedy = "write the 64 hexadecimal digits of the file's sha256"
        yield Fault(file, "not a checksum", remedy, None, f"{entry.name}.sha256", entry.sha256)
    # A name with a folder in it could be written anywhere.
    if not re.fullmatch(r"\w[\w.-]*", entry.file):
        yield Fault(
            file, "not a bare file name", "correct it", None, f"{entry.name}.file", entry.file
        )
    if entry.size < 1:
        yield Fault(file, "no size", "write its bytes", None, f"{entry.name}.size", str(entry.size))


def _chosen(names: Iterable[str], entries: Mapping[str, Entry]) -> list[Entry]:
    names = list(dict.fromkeys(names))
    remedy = f"use one of: {', '.join(entries)}"
    raise_if_any(
        Fault("data/external.toml", "no data set of that name", remedy, value=name)
        for name in names
        if name not in entries
    )
    return [entries[name] for name in names]


def _make(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        problem = f"the folder cannot be made ({error.strerror})"
        remedy = f"name another one with {VARIABLE}"
        raise FaultsError([Fault(project_name(folder), problem, remedy)]) from None
