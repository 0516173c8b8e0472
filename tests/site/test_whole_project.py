"""This project, built from nothing: the same bytes twice, and nothing to do the third time."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

from analysis import paths

pytestmark = pytest.mark.slow

PARTS = ("_quarto.yml", "requirements.lock", "*.qmd", "*.bib", "*.csl", "assets", "data",
         "notebooks", "pages", "src")  # fmt: skip
NOTHING_CHANGED_SECONDS = 4


def copy_of_project(target: Path) -> Path:
    """Copy what a build reads, and nothing that was built."""
    root = paths.root()
    ignored = shutil.ignore_patterns("__pycache__", "external", ".ipynb_checkpoints")
    for pattern in PARTS:
        for path in root.glob(pattern):
            if path.is_dir():
                shutil.copytree(path, target / path.name, ignore=ignored)
            else:
                target.mkdir(exist_ok=True)
                shutil.copy(path, target / path.name)
    return target


def built(root: Path) -> str:
    """Build in a process of its own, with the embedded renderer; return what it said."""
    places = os.environ["PATH"].split(os.pathsep)
    path = os.pathsep.join(place for place in places if not shutil.which("quarto", path=place))
    done = subprocess.run(
        [sys.executable, "-m", "analysis", "site", "build"],
        cwd=root,
        env={
            **os.environ,
            "PATH": path,
            "ANALYSIS_ROOT": str(root),
            "PYTHONPATH": str(root / "src"),
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def contents(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def test_two_builds_are_the_same_to_the_byte_and_a_third_does_nothing(tmp_path: Path) -> None:
    first, second = copy_of_project(tmp_path / "a"), copy_of_project(tmp_path / "other place")
    sources = ("notebooks", "pages", "assets", "data")
    before = {part: contents(first / part) for part in sources}
    built(first)
    built(second)
    assert {part: contents(first / part) for part in sources} == before
    assert contents(first / "reports").keys() == contents(second / "reports").keys()
    differing = [
        name
        for name, content in contents(first / "reports").items()
        if content != (second / "reports" / name).read_bytes()
    ]
    assert differing == []

    begun = time.monotonic()
    said = built(first)
    assert time.monotonic() - begun < NOTHING_CHANGED_SECONDS
    assert "0 run" in said and "pages as they were" in said
