"""One build at a time in a project folder."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from analysis import locks
from analysis.faults import Fault, FaultsError

LOCK = Path("build") / "lock"


@contextmanager
def build_lock(root: Path) -> Iterator[None]:
    """Hold the lock of a project folder while a build runs.

    The system lends the lock to a process, not to a file: it is free again as soon as its holder
    ends, however it ends. The file only tells who holds it.

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
    with path.open("a+b") as file:
        if not locks.take(file):
            # On Windows the holder's text cannot be read while it is locked.
            holder = path.with_suffix(".pid")
            pid = holder.read_text().strip() if holder.exists() else "unknown"
            fault = Fault(
                LOCK.as_posix(),
                f"another build (process {pid}) runs in this folder",
                "wait until it is done, or end it, then run the command again",
            )
            raise FaultsError([fault])
        holder = path.with_suffix(".pid")
        holder.write_text(f"{os.getpid()}\n")
        try:
            yield
        finally:
            holder.unlink(missing_ok=True)
            locks.give(file)
