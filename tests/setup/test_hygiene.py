"""The folder holds nothing of one machine, nothing half done and nothing overlong."""

from __future__ import annotations

import re
import shutil
import subprocess
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
LONGEST_SOURCE = 450
LARGEST_FILE = 1024 * 1024
MADE = {".git", ".venv", "build", "__pycache__", ".mypy_cache", ".ruff_cache", ".pytest_cache"}

# Written in parts, so that this file does not find itself.
MACHINE_PATH = re.compile(
    r"(?:^|[^A-Za-z0-9_.])(?:/(?:work|tmp|root|farm|home|Users)/[A-Za-z0-9]|[A-Z]:\\Users\\)", re.M
)
HOSTS = re.compile(
    "|".join(
        [
            "py" + r"pi\.org",
            "python" + r"hosted\.org",
            "registry" + r"\.npmjs",
            "deb" + r"\.debian\.org",
        ]
    )
)
LEFT_OVER = re.compile(
    "|".join(
        [
            r"\bTO" + r"DO\b",
            r"\bFIX" + r"ME\b",
            r"\bX" + r"XX\b",
            "NotImplemented" + "Error",
            r"pytest\.mark\.skip" + r"\(",
            "assert " + r"True\b",
        ]
    )
)
CONFLICT = re.compile(r"^(?:<{7}|>{7}) ", re.M)
CODE = {".py", ".ipynb", ".qmd", ".lua", ".css", ".scss", ".js", ".html", ".yml", ".toml"}


@cache
def tracked() -> tuple[Path, ...]:
    """Return the files of the project: what git tracks, or all but what is made."""
    if shutil.which("git") and (ROOT / ".git").exists():
        said = subprocess.run(
            ["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True
        ).stdout
        files = [ROOT / name for name in said.split("\0") if name]
    else:
        files = [file for file in ROOT.rglob("*") if not MADE & set(file.relative_to(ROOT).parts)]
    return tuple(sorted(file for file in files if file.is_file()))


@cache
def texts() -> dict[str, str]:
    """Return the text of each file of the project, by its path; other files are left out."""
    found = {}
    for file in tracked():
        try:
            found[file.relative_to(ROOT).as_posix()] = file.read_bytes().decode("utf-8")
        except UnicodeDecodeError:
            continue
    return found


def lines_with(pattern: re.Pattern[str], names: list[str]) -> list[str]:
    """Return file and line of each place where a pattern stands."""
    return [
        f"{name}:{texts()[name].count(chr(10), 0, match.start()) + 1}: {match.group().strip()}"
        for name in names
        for match in pattern.finditer(texts()[name])
    ]


def test_the_project_has_files_to_look_at() -> None:
    assert {"README.md", "Makefile", "src/analysis/doctor.py"} <= set(texts())


def test_no_path_of_one_machine() -> None:
    assert not lines_with(MACHINE_PATH, [name for name in texts() if not name.endswith(".lock")])


def test_no_host_of_a_registry() -> None:
    assert not lines_with(HOSTS, list(texts()))


def test_no_mark_of_unfinished_work() -> None:
    assert not lines_with(LEFT_OVER, [name for name in texts() if Path(name).suffix in CODE])


def test_no_mark_of_a_merge() -> None:
    assert not lines_with(CONFLICT, list(texts()))


def test_line_ends_are_those_of_unix() -> None:
    assert not [name for name, text in texts().items() if "\r\n" in text]


def test_no_source_file_is_overlong() -> None:
    lengths = {
        name: text.count("\n")
        for name, text in texts().items()
        if name.startswith("src/") and name.endswith((".py", ".lua"))
    }
    long = {name: lines for name, lines in lengths.items() if lines > LONGEST_SOURCE}
    assert not long, f"over {LONGEST_SOURCE} lines, see whether each holds two concepts: {long}"


def test_no_large_file_is_committed() -> None:
    large = [file.name for file in tracked() if file.stat().st_size > LARGEST_FILE]
    assert not large


def test_what_is_made_is_ignored() -> None:
    if not (shutil.which("git") and (ROOT / ".git").exists()):
        pytest.skip("no git history here: install the Debian package git, and clone the project")
    made = ["build/cache/x", "reports/site/index.html", ".venv/bin/python", "data/external/x.csv"]
    done = subprocess.run(
        ["git", "check-ignore", *made], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.stdout.split() == made


@pytest.mark.parametrize(
    ("pattern", "text"),
    [
        (MACHINE_PATH, "see /ho" + "me/ann/x"),
        (MACHINE_PATH, "C:" + "\\Users\\ann"),
        (HOSTS, "files.python" + "hosted.org"),
        (LEFT_OVER, "# TO" + "DO later"),
        (CONFLICT, "<" * 7 + " HEAD"),
    ],
)
def test_each_pattern_finds_what_it_is_for(pattern: re.Pattern[str], text: str) -> None:
    assert pattern.search(text)
