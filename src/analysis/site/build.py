"""From notebooks to a checked site, as one step that either succeeds or changes nothing."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from importlib import metadata
from pathlib import Path

from analysis import changes, findings
from analysis.faults import FaultsError, raise_if_any
from analysis.files import digest_files, digest_of, files_below, write_atomic, write_if_changed
from analysis.site import quarto
from analysis.site.check import check_site
from analysis.site.digest import LOCK as REQUIREMENTS
from analysis.site.environment import commit_time
from analysis.site.execute import execute
from analysis.site.lock import build_lock
from analysis.site.render import render
from analysis.site.stage import FINDINGS_DATA, stage, unique_records

SITE = Path("reports") / "site"
FINDINGS = Path("reports") / "findings.csv"
FINDINGS_YOURS = Path("reports") / "yours" / "findings.csv"
NEW = Path("build") / "site.new"
OLD = Path("build") / "site.old"
STATE = Path("build") / "state.json"


@dataclass(frozen=True)
class BuildReport:
    """What a build did.

    Attributes
    ----------
    executed : int
        Notebooks that ran.
    cached : int
        Notebooks that did not need to.
    pages : int
        Pages rendered; 0 if nothing changed since the last build.
    renderer : str
        ``quarto`` or ``embedded``.
    seconds : tuple of (str, float)
        Time by step, in order.
    site : Path
        The folder of the site.
    notes : tuple of str
        What a reader should know, e.g. a cache entry that could not be read.
    """

    executed: int
    cached: int
    pages: int
    renderer: str
    seconds: tuple[tuple[str, float], ...]
    site: Path
    notes: tuple[str, ...] = ()

    @property
    def index(self) -> Path:
        """Return the page to open."""
        return self.site / "index.html"

    def __str__(self) -> str:
        pages = f"{self.pages} pages rendered" if self.pages else "pages as they were"
        times = ", ".join(f"{step} {seconds:.1f} s" for step, seconds in self.seconds)
        return (
            f"notebooks: {self.executed} run, {self.cached} from the cache; "
            f"{pages} ({self.renderer}); {times}\n"
            + "".join(f"note: {note}\n" for note in self.notes)
            + f"open {self.index}"
        )


class _Clock:
    """Times the steps of a build."""

    def __init__(self) -> None:
        self.seconds: list[tuple[str, float]] = []

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        """Time what happens inside."""
        begun = time.monotonic()
        yield
        self.seconds.append((name, time.monotonic() - begun))


def findings_file(environment: Mapping[str, str]) -> Path:
    """Return where the findings go: never into the committed table when the data are yours.

    Examples
    --------
    >>> findings_file({}).as_posix(), findings_file({"PANEL": "survey"}).as_posix()
    ('reports/findings.csv', 'reports/yours/findings.csv')
    """
    yours = environment.get("PANEL") or environment.get("PACK")
    return FINDINGS_YOURS if yours else FINDINGS


def build(root: Path, *, parallel: int | None = None) -> BuildReport:
    """Bring ``reports/site`` up to date.

    Parameters
    ----------
    root : Path
        The project folder.
    parallel : int, optional
        How many kernels run at once; the number of cores if left out.

    Returns
    -------
    BuildReport
        Counts, times and where the site is.

    Raises
    ------
    FaultsError
        If any step fails. The site of the last good build stays as it was, and executed
        notebooks are kept.
    """
    root = root.resolve()
    site, clock = root / SITE, _Clock()
    with build_lock(root):
        _recover(root)
        with clock.step("execute"):
            executed = execute(root, parallel=parallel)
        with clock.step("stage"):
            staged = stage(root, executed.notebooks)
        epoch = commit_time(root)
        renderer = "quarto" if quarto.program() else "embedded"
        key = digest_of({"stage": staged.digest, "renderer": renderer_digest(root), "time": epoch})
        pages = 0
        noted: tuple[str, ...] = ()
        if not _is_current(root, key):
            with clock.step("render"):
                rendered = render(root, staged.folder, root / NEW, epoch)
                pages, noted = rendered.pages, rendered.notes
            with clock.step("check"):
                raise_if_any(check_site(root / NEW, root=root))
            swap(root / NEW, site, root / OLD)
            _remember(root, key)
        table = root / findings_file(os.environ)
        table.parent.mkdir(parents=True, exist_ok=True)
        write_if_changed(table, (staged.folder / FINDINGS_DATA).read_bytes())
        moved = _moved_since_commit(root, staged.records)
    return BuildReport(
        executed.executed,
        executed.cached,
        pages,
        renderer,
        tuple(clock.seconds),
        site,
        (*executed.notes, *noted, *moved),
    )


# ------------------------------------------------------------------------- what has been built


def renderer_digest(root: Path) -> str:
    """Return a digest of everything but the stage that shapes the site.

    The sources of this package's renderer, the lock (pandoc and its kind), the limits of the
    check, and which Quarto is on the path.
    """
    # The code that runs, wherever it was installed from.
    package = Path(__file__).parent
    program = quarto.program()
    found = Path(program).resolve() if program else None
    seen = found.stat() if found else None
    limits = root / "data" / "parameters" / "site.toml"
    return digest_of(
        {
            "sources": digest_files(package, files_below(package)),
            "lock": (root / REQUIREMENTS).read_bytes(),
            "limits": limits.read_bytes() if limits.is_file() else b"",
            "quarto": f"{found} {seen.st_size} {seen.st_mtime_ns}" if seen else "",
        }
    )


def _is_current(root: Path, key: str) -> bool:
    """Say whether the site is the one the last build with this key made."""
    try:
        state = json.loads((root / STATE).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    return bool(state == {"key": key, "site": _site_digest(root / SITE)})


def _remember(root: Path, key: str) -> None:
    """Keep what was built, for the next build to compare."""
    state = {"key": key, "site": _site_digest(root / SITE)}
    write_atomic(root / STATE, json.dumps(state, indent=1).encode())


def _site_digest(site: Path) -> str:
    """Return the digest of a built site, so that a hand on it is noticed."""
    return digest_files(site, files_below(site)) if site.is_dir() else ""


# --------------------------------------------------------------------------------------- swapping


def swap(new: Path, site: Path, old: Path) -> None:
    """Put a new site in the place of the old one by two renames.

    Parameters
    ----------
    new, site, old : Path
        The new site, its place, and where the old one rests for a moment; one file system.
    """
    shutil.rmtree(old, ignore_errors=True)
    site.parent.mkdir(parents=True, exist_ok=True)
    if site.exists():
        site.replace(old)
    try:
        new.replace(site)
    except OSError:
        if old.exists():
            old.replace(site)
        raise
    shutil.rmtree(old, ignore_errors=True)


def _recover(root: Path) -> None:
    """Put the old site back if a build ended between the two renames."""
    if (root / OLD).is_dir() and not (root / SITE).exists():
        (root / SITE).parent.mkdir(parents=True, exist_ok=True)
        (root / OLD).replace(root / SITE)


# ----------------------------------------------------------------------------------------- verify


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


def _moved_since_commit(root: Path, records: Sequence[Mapping[str, object]]) -> tuple[str, ...]:
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
