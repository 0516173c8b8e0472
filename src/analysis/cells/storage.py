"""A folder written whole or not at all."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from analysis.faults import Fault, FaultsError


@contextmanager
def staged(target: Path, manifest: str) -> Iterator[Path]:
    """Yield a new folder beside the target and put it in the target's place at the end.

    Parameters
    ----------
    target : Path
        The folder to write; one that is there must be empty or hold the manifest.
    manifest : str
        File by which a folder of this kind is known.

    Raises
    ------
    FaultsError
        If something else is in the way.
    """
    target = target.resolve()
    if target.exists() and not (target / manifest).is_file() and (
        target.is_file() or any(target.iterdir())
    ):  # fmt: skip
        raise FaultsError([Fault(target.name, f"exists and holds no {manifest}",
                                 "choose a new folder to write to")])  # fmt: skip
    target.parent.mkdir(parents=True, exist_ok=True)
    stage = Path(tempfile.mkdtemp(prefix=f".{target.name}.", dir=target.parent))
    stage.chmod(0o755)
    try:
        yield stage
        _swap(stage, target)
    finally:
        shutil.rmtree(stage, ignore_errors=True)


def _swap(stage: Path, target: Path) -> None:
    """Replace a folder; the one before is restored if the second rename fails."""
    if not target.exists():
        stage.rename(target)
        return
    before = stage.with_name(stage.name + ".before")
    target.rename(before)
    try:
        stage.rename(target)
    except OSError:
        before.rename(target)
        raise
    shutil.rmtree(before)
