"""Run the notebooks whose cache is stale, in parallel, and keep each as soon as it is done.

The cache is one file a notebook, ``build/cache/NN-name.<digest>.ipynb``: outputs, inline values
and findings together. A notebook that reads what PANEL or PACK names has one copy for each value,
``NN-name@<value>.<digest>.ipynb``. A copy is written whole or not at all, so an interrupt loses
only the notebooks that were still running. Source notebooks are only read.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import re
import signal
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from analysis.faults import Fault, FaultsError, raise_if_any
from analysis.files import digest_of, remove_parts, write_atomic
from analysis.site import notebooks, stored_notebooks
from analysis.site.digest import ImportGraph, Key, notebook_key, source_of, surroundings
from analysis.site.environment import commit_time
from analysis.site.progress import Progress, progress

_VALUE = re.compile(r"@[0-9a-f]{8}$")
YOURS = Path("notebooks") / "yours"
CACHE = Path("build") / "cache"
# Cell ids came with this minor version of the format; without them outputs cannot be told apart.
FORMAT = (4, 5)
KERNELSPEC = {"display_name": "Python 3", "language": "python", "name": "python3"}


@dataclass(frozen=True)
class Executed:
    """One notebook with its outputs.

    Attributes
    ----------
    name : str
        The notebook as the project names it, e.g. ``notebooks/01-claims.ipynb``.
    path : Path
        The executed copy in the cache.
    digest : str
        Its cache key.
    cached : bool
        True if no kernel had to start.
    seconds : float
        Time its kernel took; 0 if cached.
    content : dict
        The executed copy, parsed.
    """

    name: str
    path: Path
    digest: str
    cached: bool
    seconds: float
    content: dict[str, Any]

    @property
    def findings(self) -> list[dict[str, Any]]:
        """Return the findings the notebook recorded."""
        rows: list[dict[str, Any]] = self.content["metadata"]["analysis"]["findings"]
        return rows


@dataclass(frozen=True)
class ExecuteReport:
    """What one call of `execute` did.

    Attributes
    ----------
    notebooks : tuple of Executed
        All notebooks in reading order.
    notes : tuple of str
        What a reader should know, e.g. a cache entry that could not be read.
    """

    notebooks: tuple[Executed, ...]
    notes: tuple[str, ...]

    @property
    def executed(self) -> int:
        """Return how many kernels started."""
        return sum(not notebook.cached for notebook in self.notebooks)

    @property
    def cached(self) -> int:
        """Return how many notebooks came from the cache."""
        return sum(notebook.cached for notebook in self.notebooks)


@dataclass(frozen=True)
class Job:
    """One notebook before it is known whether it must run.

    Its data may not be here: then `stored` is the committed notebook with its outputs.
    """

    name: str
    digest: str
    target: Path
    content: dict[str, Any]
    stored: dict[str, Any] | None = None

    @property
    def stem(self) -> str:
        """Begin of the name of its copies in the cache."""
        return cache_stem(self.name)


# --------------------------------------------------------------------------------------- reading


def read_notebook(path: Path, name: str) -> dict[str, Any]:
    """Read a source notebook.

    Parameters
    ----------
    path : Path
        The file.
    name : str
        How the project names it, for messages.

    Raises
    ------
    FaultsError
        If the file is no notebook, or one without cell ids.
    """
    remedy = "restore it from the repository, or save it again in JupyterLab"
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except json.JSONDecodeError as error:
        raise FaultsError(
            [Fault(name, f"not a notebook: {error.msg}", remedy, row=error.lineno)]
        ) from None
    except UnicodeDecodeError as error:
        problem = f"not a notebook: byte {error.start} is not UTF-8"
        raise FaultsError([Fault(name, problem, remedy)]) from None
    if not isinstance(content, dict) or not isinstance(content.get("cells"), list):
        raise FaultsError([Fault(name, "not a notebook: no list of cells", remedy)])
    version = (content.get("nbformat", 0), content.get("nbformat_minor", 0))
    if version < FORMAT:
        raise FaultsError(
            [
                Fault(
                    name,
                    f"notebook format older than {FORMAT[0]}.{FORMAT[1]}, so cells have no ids",
                    "save it again in a current JupyterLab",
                    value=".".join(map(str, version)),
                )
            ]
        )
    ids = [cell.get("id") for cell in content["cells"] if isinstance(cell, dict)]
    twice = sorted({str(item) for item in ids if item is not None and ids.count(item) > 1})
    if twice:
        # nbformat would give one of them another id, by chance.
        raise FaultsError(
            [Fault(name, "two cells have one id", remedy, value=text) for text in twice]
        )
    import nbformat

    try:
        nbformat.validate(content)
    except nbformat.ValidationError as error:
        problem = f"not a valid notebook: {str(error).splitlines()[0]}"
        raise FaultsError([Fault(name, problem, remedy)]) from None
    return content


def without_outputs(content: Mapping[str, Any]) -> dict[str, Any]:
    """Return a copy of a notebook as it is before any run.

    Outputs, counts, stored inline values and timings of an earlier run by hand are left out.
    """
    cells = []
    for cell in content["cells"]:
        metadata = {
            key: value
            for key, value in cell.get("metadata", {}).items()
            if key not in {"execution", "user_expressions"}
        }
        bare = {**cell, "source": source_of(cell), "metadata": metadata}
        if cell["cell_type"] == "code":
            bare |= {"outputs": [], "execution_count": None}
        cells.append(bare)
    metadata = {
        key: value
        for key, value in content.get("metadata", {}).items()
        if key in {"kernelspec", "language_info"}
    }
    return {**content, "cells": cells, "metadata": {"kernelspec": KERNELSPEC, **metadata}}


# ----------------------------------------------------------------------------------------- cache


def checksum(content: Mapping[str, Any]) -> str:
    """Return the digest of an executed notebook, its own checksum left out."""
    metadata = content["metadata"]
    analysis = {key: value for key, value in metadata["analysis"].items() if key != "checksum"}
    whole = {**content, "metadata": {**metadata, "analysis": analysis}}
    return digest_of({"notebook": json.dumps(whole, sort_keys=True, ensure_ascii=False)})


def read_cache(target: Path, digest: str) -> tuple[dict[str, Any] | None, str]:
    """Return the executed copy in a cache file, or None and what is wrong with it.

    A file that is not there is no fault: the note is empty.
    """
    try:
        content = notebooks.parsed(target.read_bytes())
        if content["metadata"]["analysis"]["digest"] != digest:
            return None, "its key is another one"
        if content["metadata"]["analysis"]["checksum"] != checksum(content):
            return None, "its content was changed"
    except FileNotFoundError:
        return None, ""
    except (OSError, ValueError, KeyError, TypeError) as error:
        return None, f"it cannot be read ({type(error).__name__})"
    return content, ""


def write_cache(target: Path, content: dict[str, Any]) -> None:
    """Write an executed copy, then delete older ones of the same notebook and PANEL."""
    content["metadata"]["analysis"]["checksum"] = checksum(content)
    write_atomic(target, notebooks.written(content).encode())
    for old in copies(target.parent, target.name.rsplit(".", 2)[0]):
        if old != target:
            old.unlink(missing_ok=True)


def cache_name(stem: str, key: Key) -> str:
    """Return the file name of an executed copy.

    Examples
    --------
    >>> cache_name("19-data", Key("0123456789abcdef9999")), cache_name("19-data", Key("a1", "b2"))
    ('19-data.0123456789abcdef.ipynb', '19-data@b2.a1.ipynb')
    """
    value = f"@{key.brought}" if key.brought else ""
    return f"{stem}{value}.{key.digest[:16]}.ipynb"


def cache_stem(name: str) -> str:
    """Return how the copies of a notebook are named.

    Examples
    --------
    >>> cache_stem("notebooks/01-training.ipynb"), cache_stem("notebooks/data/jtpa.ipynb")
    ('01-training', 'data-jtpa')
    """
    return name.removeprefix("notebooks/").removesuffix(".ipynb").replace("/", "-")


def copies(cache: Path, stem: str) -> list[Path]:
    """Return the cached copies of a notebook for one value of PANEL, whatever their keys."""
    return [path for path in cache.glob("*.ipynb") if path.name.rsplit(".", 2)[0] == stem]


# ------------------------------------------------------------------------------------------- run


def jobs_of(root: Path) -> list[Job]:
    """Return all notebooks of a project in reading order with their cache keys.

    Raises
    ------
    FaultsError
        With the faults of all notebooks that cannot be read.
    """
    shared, graph = surroundings(root), ImportGraph.read(root / "src")
    jobs: list[Job] = []
    faults: list[Fault] = []
    # A page of effects needs a panel: without one it is not built.
    yours = [root / YOURS] if os.environ.get("PANEL") else []
    folders = (root / "notebooks", root / stored_notebooks.FOLDER, *yours)
    for path in [path for folder in folders for path in sorted(folder.glob("*.ipynb"))]:
        name = path.relative_to(root).as_posix()
        try:
            content = read_notebook(path, name)
            stored = stored_notebooks.accepted(content, name, root, graph)
        except FaultsError as error:
            faults.extend(error.faults)
            continue
        key = notebook_key(content, root, shared, graph)
        target = root / CACHE / cache_name(cache_stem(name), key)
        jobs.append(Job(name, key.digest, target, content, stored))
    raise_if_any(faults)
    return jobs


def cores() -> int:
    """Return how many cores this process may use."""
    allowed = getattr(os, "sched_getaffinity", None)  # where the platform can tell
    return len(allowed(0)) if allowed else os.cpu_count() or 1


def execute(
    root: Path,
    *,
    parallel: int | None = None,
    watch: Progress | None = None,
    afresh: bool = False,
) -> ExecuteReport:
    """Bring the executed copies of all notebooks up to date.

    Parameters
    ----------
    root : Path
        The project folder.
    parallel : int, optional
        How many kernels run at once; the number of cores if left out.
    watch : Progress, optional
        Told how far the run is; a bar or plain lines if left out.
    afresh : bool
        Run every notebook, also those whose copy is current.

    Returns
    -------
    ExecuteReport
        Every notebook with its outputs. If nothing changed, no kernel was started.

    Raises
    ------
    FaultsError
        If a notebook cannot be read or a cell or an inline value fails. No further notebook is
        started then; those already running are finished and kept.
    """
    jobs = jobs_of(root)
    remove_parts(root / CACHE)
    done: dict[str, Executed] = {}
    notes: list[str] = []
    for job in jobs:
        if job.stored is not None:
            kept = Executed(job.name, job.target, job.digest, True, 0.0, job.stored)
            done[job.name] = kept
    for job in [] if afresh else [job for job in jobs if job.stored is None]:
        content, problem = read_cache(job.target, job.digest)
        if content is not None:
            done[job.name] = Executed(job.name, job.target, job.digest, True, 0.0, content)
        elif problem:
            notes.append(f"{job.target.relative_to(root).as_posix()}: {problem}; run again")
    stale = [job for job in jobs if job.name not in done]
    with watch or progress() as watcher:
        for note in notes:
            watcher.note(note)
        if stale:
            watcher.begin(sum(len(job.content["cells"]) for job in stale))
            runner = _Runner(root, watcher)
            try:
                finished = asyncio.run(runner.run_all(stale, parallel or cores()))
            except asyncio.CancelledError:
                # A polite kill; Ctrl-C comes out as KeyboardInterrupt.
                raise SystemExit(128 + signal.SIGTERM) from None
            done |= {executed.name: executed for executed in finished}
    raise_if_any(
        fault
        for job in jobs
        if job.stored is None and stored_notebooks.stored(job.content)
        for fault in stored_notebooks.differences(job.content, done[job.name].content, job.name)
    )
    wanted = {job.stem for job in jobs}
    for path in (root / CACHE).glob("*.ipynb"):
        if _VALUE.sub("", path.name.rsplit(".", 2)[0]) not in wanted:
            path.unlink()
    return ExecuteReport(tuple(done[job.name] for job in jobs), tuple(notes))


class _Runner:
    """Runs notebooks side by side in one event loop; each has its own kernel process."""

    def __init__(self, root: Path, watcher: Progress) -> None:
        self._root = root
        self._watcher = watcher
        self._epoch = commit_time(root)
        self._settings = root / CACHE / "settings"
        self._errors: list[FaultsError] = []

    async def run_all(self, jobs: list[Job], parallel: int) -> list[Executed]:
        """Run all, at most so many at once; raise once the running ones are finished."""
        self._end_on_terminate()
        free = asyncio.Semaphore(parallel)
        runs = await asyncio.gather(*(self._guarded(job, free) for job in jobs))
        if len(self._errors) == 1:
            raise self._errors[0]
        if self._errors:
            raise NotebooksError(self._errors)
        return [executed for executed in runs if executed is not None]

    @staticmethod
    def _end_on_terminate() -> None:
        """Let a polite kill end the kernels too, as Ctrl-C does."""
        task = asyncio.current_task()
        if task is not None and sys.platform != "win32":
            # Only the main thread may handle signals; elsewhere the caller does.
            with contextlib.suppress(RuntimeError, ValueError):
                asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)

    async def _guarded(self, job: Job, free: asyncio.Semaphore) -> Executed | None:
        """Run one notebook when there is room, unless another has failed by then."""
        async with free:
            if self._errors:
                return None
            self._watcher.start(job.name)
            try:
                return await self._run(job)
            except FaultsError as error:
                # Said at once: others may go on for minutes before the build stops.
                self._errors.append(error)
                traceback = getattr(error, "traceback", "")
                self._watcher.note(f"failed    {error.faults[0]}\n{traceback}".rstrip())
                return None

    async def _run(self, job: Job) -> Executed:
        """Run one notebook and keep it."""
        import nbformat

        from analysis.site.kernel import run_notebook

        begun = time.monotonic()
        notebook = nbformat.from_dict(without_outputs(job.content))  # type: ignore[no-untyped-call]
        findings = await run_notebook(
            notebook, job.name, self._root, self._settings, self._epoch, self._watcher.advance
        )
        # Through text and back: plain dicts, exactly as a later read of the cache returns them.
        content: dict[str, Any] = json.loads(json.dumps(notebook))
        about = stored_notebooks.digests(job.content, self._root)
        content["metadata"]["analysis"] = {"digest": job.digest, "findings": findings, **about}
        write_cache(job.target, content)
        seconds = time.monotonic() - begun
        self._watcher.finish(job.name, seconds)
        return Executed(job.name, job.target, job.digest, False, seconds, content)


class NotebooksError(FaultsError):
    """Several notebooks failed; prints each as it would alone, tracebacks included."""

    def __init__(self, errors: list[FaultsError]) -> None:
        super().__init__(fault for error in errors for fault in error.faults)
        self.errors = tuple(errors)

    def __str__(self) -> str:
        return "\n\n".join(str(error) for error in self.errors)
