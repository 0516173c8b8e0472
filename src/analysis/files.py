"""Files written whole or not at all."""

from __future__ import annotations

import hashlib
import os
import secrets
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
    # Opened here and not by tempfile, whose files are private whatever the user's umask is.
    part = path.with_name(f".{path.name}.{os.getpid()}.{secrets.token_hex(4)}.part")
    try:
        with part.open("xb") as out:
            out.write(content)
            out.flush()
            os.fsync(out.fileno())  # a rename may reach the disk before the data do
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


def write_sealed(path: Path, content: bytes) -> None:
    """Write a file that begins with the digest of the rest; see `read_sealed`."""
    write_atomic(path, hashlib.sha256(content).hexdigest().encode() + b"\n" + content)


def read_sealed(path: Path) -> bytes | None:
    r"""Return what `write_sealed` wrote; None if it is not there, cut short or changed.

    Examples
    --------
    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "kept"
    >>> write_sealed(path, b"text")
    >>> read_sealed(path)
    b'text'
    >>> _ = path.write_bytes(path.read_bytes()[:-1])
    >>> read_sealed(path) is None
    True
    """
    try:
        seal, _, content = path.read_bytes().partition(b"\n")
    except OSError:
        return None
    return content if seal == hashlib.sha256(content).hexdigest().encode() else None


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
