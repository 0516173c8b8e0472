"""Hold everything that is published against what is made here; sign off what a build made.

Green means: the findings computed here are those of ``reports/findings.csv``, which no build
writes; what was signed off is as it was; no page types a number; and a site that lies here is as it
was built, prints the published findings, and says the same in both languages.
"""

from __future__ import annotations

import os
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from analysis import changes, findings
from analysis.faults import Fault, FaultsError
from analysis.files import write_atomic
from analysis.site import built, numerals, published
from analysis.site.build import BUILT, SITE, build, findings_file
from analysis.site.execute import execute
from analysis.site.lock import build_lock
from analysis.site.stage import unique_records


@dataclass(frozen=True)
class Verdict:
    """What was held against what is published.

    Attributes
    ----------
    moved : tuple of findings.Moved
        Findings that differ by more than their tolerance, new ones and those gone.
    faults : tuple of Fault
        Everything else that is not as published.
    notes : tuple of str
        What was not looked at.
    """

    moved: tuple[findings.Moved, ...]
    faults: tuple[Fault, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def green(self) -> bool:
        """Whether all is as published."""
        return not self.moved and not self.faults


def verify(root: Path, against: Path | None = None) -> Verdict:
    """Compute every finding again, and hold it and all that is published against the lock.

    Parameters
    ----------
    root : Path
        The project folder; it need not be a git checkout.
    against : Path, optional
        Another findings file: findings alone are compared, with that.

    Raises
    ------
    FaultsError
        If a notebook fails or there is no published table.
    """
    root = root.resolve()
    lock = findings.read_csv(root / published.LOCK if against is None else against)
    with build_lock(root):
        executed = execute(root, afresh=True)
    moved = findings.compare(lock, unique_records(executed.notebooks))
    if against is not None:
        return Verdict(moved)
    faults, notes = [*published.seal_faults(root), *numerals.faults(root)], []
    if (root / SITE / "index.html").is_file():
        faults += site_faults(root, lock)
    else:
        notes.append("no site is built here: its pages were not compared (make report)")
    return Verdict(moved, tuple(faults), tuple(notes))


def site_faults(root: Path, lock: Sequence[Mapping[str, object]]) -> list[Fault]:
    """Return in what the built site differs from its build, from the findings, and in itself.

    Parameters
    ----------
    root : Path
        The project folder.
    lock : sequence of record
        The published findings.
    """
    site = root / SITE
    return [
        *built.manifest_faults(site),
        *built.printed_faults(site, lock, root),
        *built.agreement_faults(site, root),
    ]


def publish(root: Path, *, note: str = "", stored: bool = False) -> tuple[findings.Moved, ...]:
    """Build, and make the findings of the build the published ones.

    Parameters
    ----------
    root : Path
        The project folder.
    note : str
        Why numbers moved: noted with each of them in ``data/changes``.
    stored : bool
        As `published.sign` takes it.

    Returns
    -------
    tuple of findings.Moved
        What moved against what was published before.

    Raises
    ------
    FaultsError
        If the build fails, the data are a reader's own, or a stored table is not as signed.
    """
    root = root.resolve()
    if findings_file(os.environ) != BUILT:
        remedy = "unset PANEL and PACK"
        raise FaultsError([Fault("publish", "numbers of your own data are not published", remedy)])
    build(root)
    table = root / BUILT
    moved = findings.compare(_lock(root), findings.read_csv(table))
    published.sign(root, table.read_bytes(), stored=stored)
    if note:
        _note(root, moved, note)
    return moved


def moved_since_publication(root: Path, records: Sequence[Mapping[str, object]]) -> tuple[str, ...]:
    """Say how many published numbers a build has moved, so that nobody overlooks it."""
    if findings_file(os.environ) != BUILT:
        return ()
    n = len({row.id for row in findings.compare(_lock(root), records)})
    name = published.LOCK.as_posix()
    return (f"{n} findings differ from {name}: {published.COMMAND} signs them off",) if n else ()


def _lock(root: Path) -> list[dict[str, object]]:
    """Return the published findings; none where nothing readable was published yet."""
    try:
        return findings.read_csv(root / published.LOCK)
    except FaultsError:
        return []


def _note(root: Path, moved: Sequence[findings.Moved], why: str) -> None:
    """Add the published numbers that moved, with the reason, to ``data/changes``."""
    printed = [
        (row.id, row.before, row.after)
        for row in moved
        if row.column == "text" and not row.id.startswith(("fig-", "tbl-"))
    ]
    if printed:
        path = root / "data" / changes.FILE
        about = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))
        version, today = about["project"]["version"], date.today()
        text = changes.appended(path.read_text(encoding="utf-8"), printed, version, today, why)
        write_atomic(path, text.encode())
        changes.load(path)
