"""One process at a time: a file that is locked while something is done, and free when it ends."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from analysis.faults import Fault, FaultsError


@contextmanager
def held(file: Path, fault: Fault) -> Iterator[None]:
    """Hold a lock file; a process that ends, however it ends, holds it no more.

    Parameters
    ----------
    file : Path
        The lock file; it has no other content.
    fault : Fault
        What is said if another process holds it.

    Raises
    ------
    FaultsError
        If another process holds it now.
    """
    lock = FileLock(file)
    try:
        lock.acquire(timeout=0)
    except Timeout:
        raise FaultsError([fault]) from None
    try:
        yield
    finally:
        lock.release()
