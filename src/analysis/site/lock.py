"""One build at a time in a project folder."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from analysis.faults import Fault
from analysis.locks import held

LOCK = Path("build") / "lock"


@contextmanager
def build_lock(root: Path) -> Iterator[None]:
    """Hold the lock of a project folder while a build runs.

    Parameters
    ----------
    root : Path
        The project folder.

    Raises
    ------
    FaultsError
        If another process builds in this folder now.
    """
    path = root / LOCK
    path.parent.mkdir(parents=True, exist_ok=True)
    holder = path.with_suffix(".pid")
    pid = holder.read_text().strip() if holder.exists() else "unknown"
    fault = Fault(
        LOCK.as_posix(),
        f"another build (process {pid}) runs in this folder",
        "wait until it is done, or end it, then run the command again",
    )
    with held(path, fault):
        holder.write_text(f"{os.getpid()}\n")
        try:
            yield
        finally:
            holder.unlink(missing_ok=True)
