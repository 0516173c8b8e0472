"""Files written whole or not at all."""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path


def write_atomic(path: Path, content: bytes) -> None:
    """Write a file beside its place, then move it there.

    A reader sees the old content or the new, never a part; an interrupt leaves the old.

    Parameters
    ----------
    path : Path
        Where the file goes; missing folders are made.
    content : bytes
        The whole content.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=".part")
    part = Path(name)
    try:
        with os.fdopen(handle, "wb") as out:
            out.write(content)
        # mkstemp makes private files; what we write is as public as the rest of the project.
        part.chmod(0o644)
        part.replace(path)
    except BaseException:
        part.unlink(missing_ok=True)
        raise


def write_if_changed(path: Path, content: bytes) -> bool:
    """Write a file only if its content differs, and say whether it did.

    Parameters
    ----------
    path : Path
        Where the file goes.
    content : bytes
        The whole content.

    Returns
    -------
    bool
        False if the file already held exactly this.
    """
    try:
        if path.read_bytes() == content:
            return False
    except FileNotFoundError:
        pass
    write_atomic(path, content)
    return True


def remove_parts(folder: Path) -> None:
    """Delete what an interrupted `write_atomic` left in a folder."""
    for part in folder.glob(".*.part"):
        part.unlink(missing_ok=True)


def files_below(folder: Path) -> list[Path]:
    """Return every file below a folder in a fixed order, without caches of the interpreter."""
    return sorted(
        (
            path
            for path in folder.rglob("*")
            if path.is_file() and "__pycache__" not in path.parts and path.suffix != ".part"
        ),
        key=lambda path: path.relative_to(folder).as_posix(),
    )


def digest_of(parts: Mapping[str, bytes | str]) -> str:
    """Return one digest over named contents.

    Names and lengths enter too, so that content moving from one part to the next is seen.

    Examples
    --------
    >>> digest_of({"a": b"x"}) == digest_of({"a": "x"})
    True
    >>> digest_of({"a": "xy", "b": ""}) == digest_of({"a": "x", "b": "y"})
    False
    """
    total = hashlib.sha256()
    for name in sorted(parts):
        part = parts[name]
        content = part.encode() if isinstance(part, str) else part
        total.update(f"{name}\0{len(content)}\0".encode())
        total.update(content)
    return total.hexdigest()


def digest_files(folder: Path, paths: Iterable[Path]) -> str:
    """Return one digest over files, named by where they are below a folder."""
    total = hashlib.sha256()
    for path in paths:
        with path.open("rb") as source:
            content = hashlib.file_digest(source, "sha256").hexdigest()
        total.update(f"{path.relative_to(folder).as_posix()}\0{content}\0".encode())
    return total.hexdigest()
