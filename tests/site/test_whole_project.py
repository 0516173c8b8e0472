"""This project, built from nothing: the same bytes twice, and nothing to do the third time."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow


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


def test_two_builds_are_the_same_to_the_byte_and_a_third_does_nothing(
    tmp_path: Path, copy_of_project: Callable[[Path], Path]
) -> None:
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

    said = built(first)
    assert "0 run" in said and "pages as they were" in said


def run(root: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """Run the command of the project's copy in a process of its own."""
    return subprocess.run(
        [sys.executable, "-m", "analysis", *words],
        cwd=root,
        env={**os.environ, "ANALYSIS_ROOT": str(root), "PYTHONPATH": str(root / "src")},
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_changed_formula_turns_verify_red(
    tmp_path: Path, copy_of_project: Callable[[Path], Path]
) -> None:
    root = copy_of_project(tmp_path / "project")
    built(root)
    assert run(root, "verify").returncode == 0
    formula = root / "src" / "analysis" / "claims" / "printed.py"
    text = formula.read_text(encoding="utf-8")
    assert "value - step / 2" in text
    formula.write_text(text.replace("value - step / 2", "value - step / 4"), encoding="utf-8")
    done = run(root, "verify")
    assert done.returncode == 1
    assert "implied_placed_worker" in done.stdout
    assert "differences from reports/findings.csv" in done.stderr
