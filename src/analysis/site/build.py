"""From notebooks to a checked site, as one step that either succeeds or changes nothing."""

from __future__ import annotations

import json
import os
import shutil
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from analysis.faults import raise_if_any
from analysis.files import digest_files, digest_of, files_below, write_atomic, write_if_changed
from analysis.site import quarto
from analysis.site.environment import commit_time
from analysis.site.inputs import digest_of_inputs
from analysis.site.lock import build_lock

SITE = Path("reports") / "site"
BUILT = Path("build") / "findings.csv"
"""Findings of the last build; the published ones are written by `analysis publish` alone."""
FINDINGS_YOURS = Path("reports") / "yours" / "findings.csv"
NEW = Path("build") / "site.new"
OLD = Path("build") / "site.old"
STATE = Path("build") / "state.json"
LOCKED = "requirements.lock"


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
    """Return where the findings of a build go: never into the published table.

    Examples
    --------
    >>> findings_file({}).as_posix(), findings_file({"PANEL": "survey"}).as_posix()
    ('build/findings.csv', 'reports/yours/findings.csv')
    """
    yours = environment.get("PANEL") or environment.get("PACK")
    return FINDINGS_YOURS if yours else BUILT


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
    root, clock = root.resolve(), _Clock()
    with build_lock(root):
        _recover(root)
        with clock.step("inputs"):
            renderer = renderer_digest(root)
            inputs = digest_of({"files": digest_of_inputs(root, os.environ), "renderer": renderer})
            state = _state(root)
            same = state.get("inputs") == inputs and state.get("outputs") == _outputs_digest(root)
        if same:
            return _report(root, state, 0, 0, clock)
        return _rebuild(root, parallel, clock, {"inputs": inputs, "renderer": renderer})


def _rebuild(
    root: Path, parallel: int | None, clock: _Clock, digests: Mapping[str, str]
) -> BuildReport:
    """Go through all steps; those whose inputs are as they were keep what they made."""
    # A build that has nothing to do loads none of these.
    from analysis.site.built import MANIFEST, manifest
    from analysis.site.check import check_site
    from analysis.site.execute import execute
    from analysis.site.render import render
    from analysis.site.stage import FINDINGS_DATA, stage
    from analysis.site.verify import moved_since_publication

    state = _state(root)
    with clock.step("execute"):
        executed = execute(root, parallel=parallel)
    with clock.step("stage"):
        staged = stage(root, executed.notebooks)
    epoch = commit_time(root)
    key = digest_of({"stage": staged.digest, "renderer": digests["renderer"], "time": epoch})
    pages, noted = 0, tuple[str, ...](state.get("rendering", ()))
    if state.get("key") != key or state.get("site") != _site_digest(root / SITE):
        with clock.step("render"):
            rendered = render(root, staged.folder, root / NEW, epoch)
            pages, noted = rendered.pages, rendered.notes
        with clock.step("check"):
            raise_if_any(check_site(root / NEW, root=root))
        write_atomic(root / NEW / MANIFEST, manifest(root / NEW))
        swap(root / NEW, root / SITE, root / OLD)
    table = root / findings_file(os.environ)
    table.parent.mkdir(parents=True, exist_ok=True)
    write_if_changed(table, (staged.folder / FINDINGS_DATA).read_bytes())
    by_name = {
        "inputs": digests["inputs"],
        "key": key,
        "site": _site_digest(root / SITE),
        "outputs": _outputs_digest(root),
        "notebooks": len(executed.notebooks),
        "rendering": noted,
        "moved": moved_since_publication(root, staged.records),
    }
    write_atomic(root / STATE, json.dumps(by_name, indent=1).encode())
    return _report(root, by_name, executed.executed, pages, clock, executed.notes)


def _report(
    root: Path,
    state: Mapping[str, Any],
    executed: int,
    pages: int,
    clock: _Clock,
    notes: tuple[str, ...] = (),
) -> BuildReport:
    """Return what a build did, with the notes that still hold for what is there."""
    return BuildReport(
        executed,
        state["notebooks"] - executed,
        pages,
        "quarto" if quarto.program() else "embedded",
        tuple(clock.seconds),
        root / SITE,
        (*notes, *state["rendering"], *state["moved"]),
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
    path = Path(program).resolve() if program else None
    seen = path.stat() if path else None
    lock, limits = root / LOCKED, root / "data" / "parameters" / "site.toml"
    return digest_of(
        {
            "sources": digest_files(package, files_below(package)),
            "lock": lock.read_bytes() if lock.is_file() else b"",
            "limits": limits.read_bytes() if limits.is_file() else b"",
            "quarto": f"{path} {seen.st_size} {seen.st_mtime_ns}" if seen else "",
        }
    )


def _state(root: Path) -> dict[str, Any]:
    """Return what the last build noted; empty where it cannot be read."""
    try:
        state = json.loads((root / STATE).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return state if isinstance(state, dict) else {}


def _outputs_digest(root: Path) -> str:
    """Return the digest of all that a build writes for readers: the site, the findings."""
    table = root / findings_file(os.environ)
    written = table.read_bytes() if table.is_file() else b""
    return digest_of({"site": _site_digest(root / SITE), "findings": written})


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
