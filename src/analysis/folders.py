"""Folders that are replaced whole or not at all, even if the process is killed in between.

A new folder is made beside its target under a name that carries the process's number. At the end
the target moves aside, the new one takes its place, the old one goes. Whoever comes next finds
what a killed process left: it puts a target that had only moved aside back, and removes the rest,
which may hold rows of somebody's survey.
"""

from __future__ import annotations

import errno
import hashlib
import os
import secrets
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

from analysis.faults import Fault, FaultsError

BEFORE = ".before"
TAKEN = (errno.ENOTEMPTY, errno.EEXIST)
"""What a rename says of a place where a folder with something in it stands."""
ATTEMPTS = 100
"""How often a place is tried for that another process takes at the same moment."""


@contextmanager
def replaced(target: Path, marker: str, what: str) -> Iterator[Path]:
    """Yield a new folder and put it in the target's place at the end.

    Parameters
    ----------
    target : Path
        The folder to make or replace.
    marker : str
        A file that tells such a folder from any other; a folder without it is never replaced.
    what : str
        What such a folder is called in a message: "a panel".

    Raises
    ------
    FaultsError
        If the target is a file, or a folder of something else that is not empty.
    """
    target = target.resolve()
    recover(target)
    if _is_other(target, marker):
        problem = f"exists and is not {what}"
        raise FaultsError([Fault(target.name, problem, "choose a new folder to write to")])
    target.parent.mkdir(parents=True, exist_ok=True)
    # Made here and not by tempfile, whose folders are private whatever the user's umask is.
    new = target.parent / f".{target.name}.{os.getpid()}.{secrets.token_hex(4)}"
    new.mkdir()
    try:
        yield new
        _sync(new)
        _swap(new, target)
    finally:
        shutil.rmtree(new, ignore_errors=True)


def _sync(folder: Path) -> None:
    """Have the disk hold what a folder holds, before a rename makes it the one that counts."""
    for path in folder.rglob("*"):
        if path.is_file():
            with path.open("rb+") as file:
                os.fsync(file.fileno())


def seal(folder: Path, pattern: str = "*.parquet") -> dict[str, str]:
    """Return the sha256 of the files of a folder that fit a pattern, by relative name."""
    return {
        path.relative_to(folder).as_posix(): _sha256(path)
        for path in sorted(folder.rglob(pattern))
        if path.is_file()
    }


def broken(folder: Path, sealed: object, remedy: str, pattern: str = "*.parquet") -> list[Fault]:
    """Return the files of a folder that are not as `seal` found them.

    Parameters
    ----------
    folder : Path
        The folder.
    sealed : mapping of str to str
        What `seal` returned when the folder was written, as its manifest has it.
    remedy : str
        What to do about a file that is another one.
    pattern : str
        As `seal` took it.
    """
    if not isinstance(sealed, Mapping):
        problem = "the digests of the files are missing"
        return [Fault(folder.name, problem, remedy, column="files")]
    now = seal(folder, pattern)
    problems = {name: "the file is missing" for name in sealed if name not in now}
    problems |= {name: "a file that was not written with it" for name in now if name not in sealed}
    problems |= {
        name: "the file was changed or cut short since it was written"
        for name in now
        if name in sealed and now[name] != sealed[name]
    }
    return [Fault(f"{folder.name}/{name}", problems[name], remedy) for name in sorted(problems)]


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _is_other(target: Path, marker: str) -> bool:
    """Say whether a place is taken by a file, or by a folder of something else."""
    for _ in range(2):  # another process may just be changing it
        try:
            names = {path.name for path in target.iterdir()}
        except FileNotFoundError:
            return False
        except NotADirectoryError:
            return True
        if not names or marker in names:
            return False
    return True


def _swap(new: Path, target: Path) -> None:
    """Put a folder in the target's place; the one before is restored if that fails.

    Another process may do the same at that moment: then the later one wins.
    """
    before = new.with_name(new.name + BEFORE)
    for attempt in range(ATTEMPTS):
        # Nothing there, or another process has just moved it aside.
        with suppress(FileNotFoundError):
            target.rename(before)
        try:
            new.rename(target)
            break
        except OSError as error:
            _restore(before, target)
            if error.errno not in TAKEN or attempt == ATTEMPTS - 1:
                raise
    shutil.rmtree(before, ignore_errors=True)


def _restore(before: Path, target: Path) -> None:
    """Put what was there back, unless another process has put its own there meanwhile."""
    try:
        before.rename(target)
    except FileNotFoundError:
        return  # nothing was there
    except OSError as error:
        if error.errno not in TAKEN:
            raise
        shutil.rmtree(before)


def recover(target: Path) -> None:
    """Mend what killed processes left beside a target: restore it, remove their working folders."""
    for folder in sorted(target.parent.glob(f".{target.name}.*")):
        owner = folder.name.removeprefix(f".{target.name}.").split(".")[0]
        if not owner.isdigit() or runs(int(owner)):
            continue
        if folder.name.endswith(BEFORE) and not target.exists():
            folder.rename(target)
        else:
            shutil.rmtree(folder, ignore_errors=True)


def runs(process: int) -> bool:
    """Say whether a process runs; where that cannot be asked, say yes."""
    if os.name != "posix":
        return True  # a signal of 0 is no question elsewhere
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
