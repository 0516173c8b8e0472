"""Run twice, diff empty: the committed files, built from nothing in two folders, compared by byte.

The protocol of the World Bank for reproducible research: a clean copy, no outputs, two runs, no
difference. Both copies are made of what git has, so nothing of a working folder can help; their
folders differ in name, with a space and Chinese characters, and the seed of hashing differs by
chance. The embedded renderer is used: with Quarto the same bytes are not promised.
"""

from __future__ import annotations

import io
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from analysis.faults import Fault, FaultsError
from analysis.files import files_below
from analysis.site.environment import commit_time, plain
from analysis.site.execute import CACHE
from analysis.site.inputs import source_files

FOLDERS = ("first", "second 第二")
BUILT = Path("reports")
_EXECUTE = (
    "from pathlib import Path; from analysis.site.execute import execute; execute(Path.cwd())"
)
_SHOWN = 160


@dataclass(frozen=True)
class TwiceReport:
    """What two builds gave.

    Attributes
    ----------
    commit : str
        Which commit was built, short; ``this folder`` without git.
    files : int
        Files compared.
    differences : tuple of str
        What differs: the file, and the first line that does; empty if all is the same.
    notes : tuple of str
        What a reader should know, e.g. that changes were not yet committed.
    seconds : float
        Time of both builds.
    """

    commit: str
    files: int
    differences: tuple[str, ...]
    notes: tuple[str, ...]
    seconds: float


def twice(root: Path, only: Sequence[str] = ()) -> TwiceReport:
    """Build the committed files twice and compare.

    Parameters
    ----------
    root : Path
        The project folder: a git checkout, or one that was unpacked.
    only : sequence of str
        Notebooks by name, ``01-claims``: these alone are run, nothing is rendered, and their
        executed copies are compared, with outputs, data of figures, inline values and findings.
        Left out, the whole site and the table of findings are built and compared.

    Raises
    ------
    FaultsError
        If a notebook is not there, or a build fails.
    """
    begun = time.monotonic()
    archive, commit, notes = _committed(root)
    with tempfile.TemporaryDirectory() as folder:
        copies = [Path(folder) / name for name in FOLDERS]
        for copy in copies:
            _extract(archive, copy, root)
            _reduce(copy, only)
            _run(copy, commit_time(root), whole=not only)
            shutil.rmtree(copy / CACHE / "settings", ignore_errors=True)  # Matplotlib's own
        compared = CACHE if only else BUILT
        first, second = (copy / compared for copy in copies)
        return TwiceReport(
            commit,
            len(files_below(first)),
            compare(first, second),
            notes,
            time.monotonic() - begun,
        )


def compare(first: Path, second: Path) -> tuple[str, ...]:
    r"""Return what differs between two folders: file, and the first line that differs.

    Examples
    --------
    >>> import tempfile
    >>> folders = [Path(tempfile.mkdtemp()) for _ in range(2)]
    >>> _ = [(one / "a.csv").write_text(text) for one, text in zip(folders, ("x\n1", "x\n2"))]
    >>> compare(*folders)
    ("a.csv:2: '1' and '2'",)
    """
    here, there = (
        {path.relative_to(file).as_posix() for path in files_below(file)}
        for file in (first, second)
    )
    alone = [f"{name}: only in the first build" for name in sorted(here - there)]
    alone += [f"{name}: only in the second build" for name in sorted(there - here)]
    return (
        *alone,
        *(
            _first_difference(name, (first / name).read_bytes(), (second / name).read_bytes())
            for name in sorted(here & there)
            if (first / name).read_bytes() != (second / name).read_bytes()
        ),
    )


def _first_difference(name: str, data: bytes, other: bytes) -> str:
    try:
        lines, others = data.decode().split("\n"), other.decode().split("\n")
    except UnicodeDecodeError:
        return f"{name}: {len(data):,} and {len(other):,} bytes that differ"
    at = next(
        (n for n, (a, b) in enumerate(zip(lines, others, strict=False)) if a != b),
        min(len(lines), len(others)),
    )
    here, there = (names[at] if at < len(names) else "" for names in (lines, others))
    return f"{name}:{at + 1}: {_around(here, there)!r} and {_around(there, here)!r}"


def _around(line: str, other: str) -> str:
    """Return a line from where it differs from another, not longer than a person reads."""
    pairs = enumerate(zip(line, other, strict=False))
    start = next((at for at, (a, b) in pairs if a != b), min(len(line), len(other)))
    return line[max(0, start - 40) :][:_SHOWN]


def _committed(root: Path) -> tuple[bytes, str, tuple[str, ...]]:
    """Return what is committed as an archive, its commit and notes; empty without git."""

    def git(*words: str) -> bytes:
        return subprocess.run(["git", *words], cwd=root, capture_output=True, check=True).stdout

    try:
        archive, commit = git("archive", "HEAD"), git("rev-parse", "--short", "HEAD")
        changed = git("status", "--porcelain", "--untracked-files=no").strip()
    except (OSError, subprocess.CalledProcessError):
        return b"", "this folder", ("git is not asked: the files of this folder are built",)
    notes = ("changes that are not committed are not built",) if changed else ()
    return archive, commit.decode().strip(), notes


def _extract(archive: bytes, folder: Path, root: Path) -> None:
    """Unpack a clean copy, without anything that was built; without git, copy the sources."""
    folder.mkdir()
    if not archive:
        for path in source_files(root):
            target = folder / path.relative_to(root)
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, target)
        return
    with tarfile.open(fileobj=io.BytesIO(archive)) as packed:
        packed.extractall(folder, filter="data")


def _reduce(folder: Path, only: Sequence[str]) -> None:
    """Leave only the named notebooks, if any are named."""
    there = {path.stem: path for path in (folder / "notebooks").rglob("*.ipynb")}
    unknown = [name for name in only if name not in there]
    if unknown:
        remedy = f"name one of: {', '.join(sorted(there))}"
        raise FaultsError(
            [Fault("notebooks", "no such notebook", remedy, value=name) for name in unknown]
        )
    for name, path in there.items():
        if only and name not in only:
            path.unlink()


def _run(folder: Path, epoch: str, *, whole: bool) -> None:
    """Build a copy by its own code, without Quarto, PANEL or PACK, with no cache."""
    places = os.environ.get("PATH", "").split(os.pathsep)
    left = {
        name: value
        for name, value in os.environ.items()
        if name not in {"PANEL", "ESTIMANDS", "PACK", "PYTHONHASHSEED"}
    }
    words = ["-m", "analysis", "site", "build"] if whole else ["-c", _EXECUTE]
    done = subprocess.run(
        [sys.executable, *words],
        cwd=folder,
        env={
            **left,
            "PATH": os.pathsep.join(p for p in places if not shutil.which("quarto", path=p)),
            "PYTHONPATH": str(folder / "src"),
            "ANALYSIS_ROOT": str(folder),
            "SOURCE_DATE_EPOCH": epoch,
        },
        capture_output=True,
        text=True,
        encoding="utf-8",
        errors="replace",
        check=False,
    )
    if done.returncode:
        end = "\n".join(plain(done.stdout + done.stderr).splitlines()[-20:])
        problem = f"the clean copy cannot be built:\n{end}\n"
        raise FaultsError([Fault(folder.name, problem, "commit what is missing, or mend it")])
