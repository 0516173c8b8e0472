"""One digest over everything a build reads, so that a build with nothing to do ends at once."""

from __future__ import annotations

import os
import platform
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

from analysis.files import digest_files, digest_of, files_below

LEFT_OUT = frozenset(
    {
        ".git",
        ".hypothesis",
        ".ipynb_checkpoints",
        ".mypy_cache",
        ".pytest_cache",
        ".quarto",
        ".ruff_cache",
        "__pycache__",
    }
)
"""Folders of any place that only tools keep."""
MADE = ("build", "reports/site", "reports/quarto", "reports/yours", "data/external")
"""Folders that are made here; the last holds what was fetched, which is too large to be read."""
MADE_FILES = ("reports/report.pdf", "reports/report.part")
EXTERNAL = "ANALYSIS_EXTERNAL"
NAMED = ("PANEL", "ESTIMANDS", "PACK", EXTERNAL, "SOURCE_DATE_EPOCH")
"""Variables of the environment that change what a build makes."""


def digest_of_inputs(root: Path, environment: Mapping[str, str]) -> str:
    """Return one digest over the sources of a project and what else a build looks at.

    The contents of all files count, but for fetched data: of these name, size and time, as some
    are larger than a build has time for.

    Parameters
    ----------
    root : Path
        The project folder.
    environment : mapping of str to str
        Where PANEL, PACK and the rest of `NAMED` are looked up.
    """
    fetched = [root / "data" / "external"]
    if environment.get(EXTERNAL):
        fetched.append(Path(environment[EXTERNAL]))
    brought = [
        root / environment[name] for name in ("PANEL", "ESTIMANDS", "PACK") if environment.get(name)
    ]
    # The code that runs may be installed from elsewhere.
    package = Path(__file__).parents[1]
    parts = {
        "sources": digest_files(root, sorted(source_files(root))),
        "code": "" if package.is_relative_to(root) else digest_files(package, files_below(package)),
        "commit": _commit(root),
        "python": f"{platform.python_version()} {sys.executable}",
        "named": repr([(name, environment.get(name)) for name in NAMED]),
        "fetched": "".join(line for folder in fetched for line in _listing(folder)),
    }
    for number, path in enumerate(brought):
        files = files_below(path) if path.is_dir() else [path] if path.is_file() else []
        parts[f"brought {number}"] = digest_files(path.parent, files)
    return digest_of(parts)


def source_files(root: Path) -> Iterator[Path]:
    """Yield every file of a project that is no output, no cache and no environment."""
    paths = {root / name for name in (*MADE, *MADE_FILES)}
    for folder, folders, names in os.walk(root):
        here = Path(folder)
        folders[:] = [
            name
            for name in folders
            if name not in LEFT_OUT
            and here / name not in paths
            and not (here / name / "pyvenv.cfg").is_file()
        ]
        for name in names:
            path = here / name
            if path not in paths and not name.endswith((".pyc", ".part")) and path.is_file():
                yield path


def _listing(folder: Path) -> Iterator[str]:
    """Yield name, size and time of every file below a folder."""
    if folder.is_dir():
        for path in files_below(folder):
            known = path.stat()
            name = path.relative_to(folder).as_posix()
            yield f"{folder} {name} {known.st_size} {known.st_mtime_ns}\n"


def _commit(root: Path) -> str:
    """Return the commit that is checked out: findings are compared with it, pages dated by it."""
    command = ["git", "rev-parse", "HEAD"]
    try:
        return subprocess.run(command, cwd=root, capture_output=True, text=True, check=True).stdout
    except (OSError, subprocess.CalledProcessError):
        return ""
