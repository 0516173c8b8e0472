"""One file over HTTP: resumed where an interrupted download ended, checked, put in place whole.

Bytes go into a hidden part beside the file's place, and only a part with the right checksum is
moved there. Two downloads of one file at once may spoil it; the checksum, looked at again whenever
the file is read, then says so.
"""

from __future__ import annotations

import hashlib
import http.client
import urllib.error
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Literal

from analysis.contract import project_name
from analysis.faults import Fault, FaultsError

VARIABLE = "ANALYSIS_EXTERNAL"
"""Environment variable that names another folder with the files."""

CHUNK = 1 << 16
"""Bytes taken from the connection at a time."""

TIMEOUT = 60.0
"""Seconds without a byte after which a connection counts as dead."""

Progress = Callable[["Entry", int], None]
"""Called as bytes arrive: the entry, and how many of its bytes are there."""


@dataclass(frozen=True)
class Entry:
    """One file that can be fetched.

    Attributes
    ----------
    name : str
        Name in the code, and the id of its card.
    file : str
        Name of the file.
    url : str
        Where it is.
    sha256 : str
        Checksum of the whole file.
    size : int
        Bytes.
    licence, citation, content : str
        Terms of use, whom to cite, what is inside.
    by_name_only : bool
        Whether its licence is unclear, so that it is fetched only where it is named.
    """

    name: str
    file: str
    url: str
    sha256: str
    size: int
    licence: str
    citation: str
    content: str
    by_name_only: bool = False

    @property
    def command(self) -> str:
        """The command that fetches this file."""
        return f'make data ARGS="{self.name}"'


@dataclass(frozen=True)
class Fetched:
    """What became of a request for a file.

    Attributes
    ----------
    entry : Entry
        The file.
    path : Path
        Where it is now.
    state : str
        ``present`` (it was there), ``downloaded``, or ``resumed`` (a part was there, and used).
    n_bytes : int
        Bytes received this time.
    """

    entry: Entry
    path: Path
    state: Literal["present", "downloaded", "resumed"]
    n_bytes: int


def fetch_one(
    entry: Entry, folder: Path, progress: Progress | None = None, timeout: float = TIMEOUT
) -> Fetched:
    """Fetch one file into a part beside its place, check it, and move it there.

    Parameters
    ----------
    entry : Entry
        The file.
    folder : Path
        Where to; it is there.
    progress : callable, optional
        Told the entry and the bytes so far.
    timeout : float
        Seconds without a byte after which to give up.

    Raises
    ------
    FaultsError
        If the address cannot be reached, the connection ends early, size or checksum are wrong, or
        the file cannot be written.
    """
    progress = progress or _silent
    target, part = folder / entry.file, folder / f".{entry.file}.part"
    if target.is_file() and _sha256(target) == entry.sha256:
        return Fetched(entry, target, "present", 0)
    resumed = part.exists()
    received = _download(entry, part, progress, timeout)
    if resumed and _sha256(part) != entry.sha256:
        # The part may stem from another version of the file; from the start it cannot.
        part.unlink()
        received += _download(entry, part, progress, timeout)
    text = _sha256(part)
    if text != entry.sha256:
        part.unlink()
        remedy = "the file at the address has changed: report it, do not use it"
        raise FaultsError([_fault(entry, f"wrong checksum {text}", remedy)])
    part.replace(target)
    return Fetched(entry, target, "resumed" if received < entry.size else "downloaded", received)


def _silent(entry: Entry, n_bytes: int) -> None:
    """Tell nobody."""


def _download(entry: Entry, part: Path, progress: Progress, timeout: float) -> int:
    """Bring a part to its full size; return the bytes received.

    A connection that ends early leaves the part for the next run to go on from.
    """
    start = part.stat().st_size if part.exists() else 0
    if start >= entry.size:
        return 0  # whole, or too long: the checksum tells
    # `identity`: a packed answer would have another size and checksum.
    headers = {"Accept-Encoding": "identity", "User-Agent": "analysis-fetch"}
    if start:
        headers["Range"] = f"bytes={start}-"
    request = urllib.request.Request(entry.url, headers=headers)  # noqa: S310 — http(s), checked
    try:
        with urllib.request.urlopen(request, timeout=timeout) as response:  # noqa: S310
            if not _continues(response, start):
                start = 0
            _check_size(entry, response, start, part)
            received = _receive(entry, response, part, start, progress)
    except urllib.error.HTTPError as error:
        if error.code == http.HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE and start:
            part.unlink()
            return _download(entry, part, progress, timeout)
        problem = f"the server answered {error.code} {error.reason}"
        raise FaultsError([_fault(entry, problem, _by_hand(entry, part.parent))]) from None
    except urllib.error.URLError as error:
        raise FaultsError([_unreachable(entry, error.reason, part.parent)]) from None
    except (OSError, http.client.HTTPException) as error:
        raise FaultsError([_interrupted(entry, part, error)]) from None
    if start + received < entry.size:
        raise FaultsError([_interrupted(entry, part, None)])
    return received


def _continues(response: http.client.HTTPResponse, start: int) -> bool:
    """Say whether the answer goes on from where the part ends; a server may send all of it."""
    span = response.headers.get("Content-Range", "")
    return response.status == http.HTTPStatus.PARTIAL_CONTENT and span.startswith(f"bytes {start}-")


def _check_size(entry: Entry, response: http.client.HTTPResponse, start: int, part: Path) -> None:
    """Refuse a file of another size before a byte of it is taken."""
    announced = response.headers.get("Content-Length", "")
    if announced.isdigit() and start + int(announced) != entry.size:
        part.unlink(missing_ok=True)
        raise FaultsError([_wrong_size(entry, start + int(announced))])


def _receive(
    entry: Entry, response: http.client.HTTPResponse, part: Path, start: int, progress: Progress
) -> int:
    """Write what arrives; return the bytes received."""
    received = 0
    with _open(part, resume=start > 0) as out:
        while chunk := response.read(CHUNK):
            received += len(chunk)
            if start + received > entry.size:
                out.close()
                part.unlink()
                raise FaultsError([_wrong_size(entry, start + received)])
            _write(out, chunk, part)
            progress(entry, start + received)
    return received


def _open(part: Path, *, resume: bool) -> BinaryIO:
    try:
        # Unbuffered: a full disk then shows where a chunk is written, not when the file closes.
        return part.open("ab" if resume else "wb", buffering=0)
    except OSError as error:
        raise FaultsError([_disk(part, error)]) from None


def _write(out: BinaryIO, chunk: bytes, part: Path) -> None:
    rest = memoryview(chunk)
    try:
        while rest:
            rest = rest[out.write(rest) :]
    except OSError as error:
        raise FaultsError([_disk(part, error)]) from None


def _sha256(path: Path) -> str:
    with path.open("rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()


def _fault(entry: Entry, problem: str, remedy: str) -> Fault:
    return Fault("data/external.toml", problem, remedy, None, entry.name, entry.url)


def _by_hand(entry: Entry, folder: Path) -> str:
    return (
        f"try again later, or put {entry.file} (sha256 {entry.sha256}) into {project_name(folder)}"
    )


def _unreachable(entry: Entry, reason: object, folder: Path) -> Fault:
    problem = f"the address cannot be reached ({reason})"
    return _fault(entry, problem, f"check the network; {_by_hand(entry, folder)}")


def _interrupted(entry: Entry, part: Path, error: Exception | None) -> Fault:
    there = part.stat().st_size if part.exists() else 0
    why = f" ({error})" if error and str(error) else ""
    problem = f"the connection ended after {there:,} of {entry.size:,} bytes{why}"
    return _fault(entry, problem, f"go on from there with: {entry.command}")


def _wrong_size(entry: Entry, number: int) -> Fault:
    problem = f"the file has {number:,} bytes or more where {entry.size:,} are expected"
    return _fault(entry, problem, "the file at the address has changed: report it, do not use it")


def _disk(part: Path, error: OSError) -> Fault:
    problem = f"the file cannot be written ({error.strerror})"
    remedy = f"make room or mend the folder, or name another one with {VARIABLE}; then run it again"
    return Fault(project_name(part), problem, remedy)
