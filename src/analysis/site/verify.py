"""Compute every finding again and compare it with the published table."""

from __future__ import annotations

import os
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from datetime import date
from importlib import metadata
from pathlib import Path

from analysis import changes, findings
from analysis.faults import FaultsError
from analysis.files import write_atomic
from analysis.site.build import FINDINGS, findings_file
from analysis.site.execute import execute
from analysis.site.lock import build_lock
from analysis.site.stage import unique_records


def verify(root: Path, against: Path | None = None) -> tuple[findings.Moved, ...]:
    """Rebuild every finding and compare with the committed table, or with that of another run.

    Parameters
    ----------
    root : Path
        The project folder.
    against : Path, optional
        A findings file; the committed one if left out.

    Returns
    -------
    tuple of findings.Moved
        What moved by more than its tolerance; empty if every published number was found again.

    Raises
    ------
    FaultsError
        If a notebook fails or there is no committed table.
    """
    root = root.resolve()
    committed = _committed(root) if against is None else findings.read_csv(against)
    with build_lock(root):
        executed = execute(root, afresh=True)
    return findings.compare(committed, unique_records(executed.notebooks))


def note_moved(root: Path, moved: Sequence[findings.Moved], why: str) -> int:
    """Add the published numbers that moved, with the reason, to ``data/changes``.

    Parameters
    ----------
    root : Path
        The project folder.
    moved : sequence of findings.Moved
        As `verify` returns them; figures and tables, and numbers that are new, are left out.
    why : str
        What moved them.

    Returns
    -------
    int
        How many were noted.
    """
    printed = [
        (row.id, row.before, row.after)
        for row in moved
        if row.column == "text" and not row.id.startswith(("fig-", "tbl-"))
    ]
    if printed:
        path = root / "data" / changes.FILE
        version, today = metadata.version("analysis"), date.today()
        text = changes.appended(path.read_text(encoding="utf-8"), printed, version, today, why)
        write_atomic(path, text.encode())
        changes.load(path)
    return len(printed)


def moved_since_commit(root: Path, records: Sequence[Mapping[str, object]]) -> tuple[str, ...]:
    """Say how many published numbers a build has moved, so that nobody commits it unseen."""
    if findings_file(os.environ) != FINDINGS or not (root / ".git").exists():
        return ()
    try:
        moved = findings.compare(_committed(root), records)
    except FaultsError as error:  # a table of an older shape, or none: nothing to compare with
        return (str(error.faults[0]),)
    if not moved:
        return ()
    n = len({row.id for row in moved})
    return (f"{n} findings differ from the committed {FINDINGS.as_posix()}: see make verify",)


def _committed(root: Path) -> list[dict[str, object]]:
    """Read the published findings: as committed, where git knows them, else as on disk.

    A build rewrites the file on disk, so a comparison with it alone would always agree.
    """
    name = findings_file(os.environ)
    if name == FINDINGS:
        command = ["git", "show", f"HEAD:{name.as_posix()}"]
        shown = subprocess.run(command, cwd=root, capture_output=True, check=False)
        if shown.returncode == 0:
            with tempfile.TemporaryDirectory() as folder:
                copy = Path(folder) / name.name
                copy.write_bytes(shown.stdout)
                return findings.read_csv(copy)
    return findings.read_csv(root / name)
