"""Set-up: what is missing is said in one line, and what is half made never passes for done."""

from __future__ import annotations

import ast
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import environment

ROOT = Path(__file__).resolve().parents[2]
NO_NETWORK = (
    "WARNING: Retrying (Retry(total=0)) after connection broken by 'NewConnectionError(...: "
    "Failed to establish a new connection: [Errno -3] Temporary failure in name resolution')'\n"
    "ERROR: Could not find a version that satisfies the requirement rich==15.0.0\n"
    "ERROR: No matching distribution found for rich==15.0.0"
)
needs_make = pytest.mark.skipif(
    shutil.which("make") is None, reason="no make on this machine: install the Debian package make"
)


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project folder with locks, and no command that is really run."""
    (tmp_path / "pyproject.toml").write_text('[project]\nname = "x"\n', encoding="utf-8")
    for lock in (environment.REPORT_LOCK, environment.TEST_LOCK):
        (tmp_path / lock).write_text(f"{lock}==1\n", encoding="utf-8")
    monkeypatch.setattr(environment, "ROOT", tmp_path)
    monkeypatch.setattr(environment, "probe", lambda python: (3, 12, 1))
    return tmp_path


def failing(output: str) -> list[str]:
    """Return a command that says something and fails, as pip does."""
    return [sys.executable, "-c", f"import sys; print({output!r}, file=sys.stderr); sys.exit(1)"]


def test_the_file_parses_on_pythons_that_are_too_old() -> None:
    text = (ROOT / "tools/environment.py").read_text(encoding="utf-8")
    ast.parse(text, feature_version=(3, 6))
    assert "from __future__ import annotations" not in text  # breaks before 3.7
    top = [node for node in ast.parse(text).body if isinstance(node, ast.Import | ast.ImportFrom)]
    assert "tomllib" not in {name.name for node in top for name in node.names}


@pytest.mark.parametrize("version", [(3, 6, 15), (3, 9, 6), (3, 10, 13)])
def test_an_old_python_is_one_line_with_the_remedy(version: tuple[int, ...]) -> None:
    with pytest.raises(environment.PrerequisiteError) as caught:
        environment.check_python(version)
    said = str(caught.value)
    assert "\n" not in said
    assert ".".join(map(str, version)) in said
    assert "make report PYTHON=python3." in said


def test_a_new_python_passes() -> None:
    environment.check_python((3, 11, 0))
    environment.check_python((4, 0, 0))


def test_a_missing_venv_module_is_one_line_with_the_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(environment.PrerequisiteError, match=r"apt-get install python3\.\d+-venv"):
        environment.check_venv_module()


@pytest.mark.parametrize(
    ("output", "remedy"),
    [
        (NO_NETWORK, "registry cannot be reached: connect this machine"),
        (
            "after connection broken by 'SSLError(SSLCertVerificationError(1, '[SSL: "
            "CERTIFICATE_VERIFY_FAILED] certificate verify failed: self-signed certificate",
            r"PIP_CERT=file\.pem",
        ),
        ("THESE PACKAGES DO NOT MATCH THE HASHES FROM THE REQUIREMENTS FILE", "cache purge"),
        ("ERROR: [Errno 28] No space left on device", "free about 2 GB"),
        ("ERROR: No matching distribution found for polars==2.1.0", "Python 3.11 to 3.13"),
        ("PermissionError: [Errno 13] Permission denied: 'bin'", "VENV=folder"),
    ],
)
def test_what_pip_says_becomes_one_line_with_the_remedy(
    output: str, remedy: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(environment.PrerequisiteError, match=remedy) as caught:
        environment.run(failing(output), "otherwise")
    assert "\n" not in str(caught.value)
    assert capsys.readouterr().err == ""


def test_an_unknown_failure_shows_what_was_said(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(environment.PrerequisiteError, match="the lines above say why"):
        environment.run(failing("a riddle"), "the lines above say why")
    assert "a riddle" in capsys.readouterr().err


def test_an_installed_environment_is_current_until_something_it_was_made_from_changes(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(environment, "run", lambda command, otherwise: None)
    venv = project / ".venv"
    venv.mkdir()
    assert not environment.is_current(venv, environment.REPORT_LOCK)
    environment.install(venv, environment.REPORT_LOCK)
    assert environment.is_current(venv, environment.REPORT_LOCK)
    assert not environment.is_current(venv, environment.TEST_LOCK)
    environment.install(venv, environment.TEST_LOCK)
    assert environment.is_current(venv, environment.TEST_LOCK)
    assert environment.is_current(venv, environment.REPORT_LOCK)

    pyproject = project / "pyproject.toml"
    pyproject.write_text('[project]\nname = "x"\n[tool.ruff]\nline-length = 9\n', encoding="utf-8")
    assert environment.is_current(venv, environment.REPORT_LOCK), "a tool setting installs nothing"
    pyproject.write_text('[project]\nname = "y"\n', encoding="utf-8")
    assert not environment.is_current(venv, environment.REPORT_LOCK)

    environment.install(venv, environment.TEST_LOCK)
    monkeypatch.setattr(environment, "probe", lambda python: (3, 13, 0))
    assert not environment.is_current(venv, environment.REPORT_LOCK), "another Python came in"
    monkeypatch.setattr(environment, "probe", lambda python: (3, 12, 7))
    (project / environment.REPORT_LOCK).write_text("changed==2\n", encoding="utf-8")
    assert not environment.is_current(venv, environment.REPORT_LOCK)


def test_line_ends_do_not_make_an_environment_stale(tmp_path: Path) -> None:
    unix, windows = tmp_path / "unix", tmp_path / "windows"
    unix.write_bytes(b"a==1\nb==2\n")
    windows.write_bytes(b"a==1\r\nb==2\r\n")
    assert environment.digest(unix) == environment.digest(windows)


def test_a_moved_checkout_is_set_up_again(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(environment, "run", lambda command, otherwise: None)
    venv = project / ".venv"
    venv.mkdir()
    environment.install(venv, environment.REPORT_LOCK)
    stamp = venv / environment.STAMP
    said = json.loads(stamp.read_text(encoding="utf-8"))
    stamp.write_text(json.dumps({**said, "folder": "elsewhere"}), encoding="utf-8")
    assert not environment.is_current(venv, environment.REPORT_LOCK)


@pytest.mark.parametrize("failing_step", [0, 1])
def test_a_failed_install_is_never_current(
    project: Path, monkeypatch: pytest.MonkeyPatch, failing_step: int
) -> None:
    monkeypatch.setattr(environment, "run", lambda command, otherwise: None)
    venv = project / ".venv"
    venv.mkdir()
    environment.install(venv, environment.REPORT_LOCK)

    steps: list[str] = []

    def stop(command: list[str], otherwise: str) -> None:
        steps.append(command[-1])
        if len(steps) > failing_step:
            raise environment.PrerequisiteError(otherwise)

    monkeypatch.setattr(environment, "run", stop)
    with pytest.raises(environment.PrerequisiteError):
        environment.install(venv, environment.TEST_LOCK)
    for lock in (environment.REPORT_LOCK, environment.TEST_LOCK):
        assert not environment.is_current(venv, lock), f"half an install passes for {lock}"


def test_a_broken_environment_is_made_anew(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[list[str]] = []
    monkeypatch.setattr(environment, "probe", lambda python: ())
    monkeypatch.setattr(environment, "run", lambda command, otherwise: made.append(command))
    venv = project / ".venv"
    venv.mkdir()
    (venv / "pyvenv.cfg").write_text("home = gone\n", encoding="utf-8")
    environment.make_environment(venv)
    assert made == [[sys.executable, "-m", "venv", "--clear", str(venv)]]


def test_a_folder_that_is_no_environment_is_left_alone(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(environment, "probe", lambda python: ())
    folder = project / "thesis"
    folder.mkdir()
    (folder / "chapter.txt").write_text("years of work", encoding="utf-8")
    with pytest.raises(environment.PrerequisiteError, match="not a virtual environment"):
        environment.make_environment(folder)
    assert (folder / "chapter.txt").exists()


def test_a_conda_environment_with_a_fit_python_is_used_as_it_is(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def never(command: list[str], otherwise: str) -> None:
        raise AssertionError(command)

    monkeypatch.setattr(environment, "run", never)
    prefix = project / "conda"
    (prefix / "conda-meta").mkdir(parents=True)
    environment.make_environment(prefix)


@pytest.mark.parametrize(
    ("system", "made", "expected"),
    [
        ("posix", (), "bin/python"),
        ("nt", (), "Scripts/python.exe"),
        ("nt", ("python.exe",), "python.exe"),
    ],
)
def test_the_interpreter_is_found_on_every_system(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    system: str,
    made: tuple[str, ...],
    expected: str,
) -> None:
    for name in made:
        (tmp_path / name).touch()
    monkeypatch.setattr(environment.os, "name", system)
    found = os.fspath(environment.interpreter(tmp_path)).replace("\\", "/")
    monkeypatch.undo()
    assert found.endswith(expected)


def run_make(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run make without what an outer make passes down."""
    outer = ("MAKEFLAGS", "MAKELEVEL", "MFLAGS", "MAKEOVERRIDES", "VENV", "PYTHON")
    passed = {name: value for name, value in os.environ.items() if name not in outer}
    return subprocess.run(
        ["make", *arguments], cwd=ROOT, env=passed, capture_output=True, text=True, check=False
    )


def errors(done: subprocess.CompletedProcess[str]) -> list[str]:
    """Return the lines of an error apart from make's own closing line."""
    return [line for line in done.stderr.splitlines() if not line.startswith("make")]


@needs_make
@pytest.mark.parametrize("target", ["report", "test"])
def test_make_says_that_python_names_no_python(target: str, tmp_path: Path) -> None:
    done = run_make(target, "PYTHON=no-such-python", f"VENV={tmp_path / 'venv'}")
    assert done.returncode != 0
    (line,) = errors(done)
    assert line.startswith("error: 'no-such-python' is not a Python 3 that runs: install Python")
    assert f"make {target} PYTHON=" in line
    assert not (tmp_path / "venv").exists()


@needs_make
def test_make_says_that_a_folder_is_no_environment(tmp_path: Path) -> None:
    (tmp_path / "letter.txt").touch()
    done = run_make("report", f"PYTHON={sys.executable}", f"VENV={tmp_path}")
    assert done.returncode != 0
    (line,) = errors(done)
    assert "is not a virtual environment" in line


@needs_make
def test_make_help_names_every_command() -> None:
    said = run_make("help").stdout
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    phony = makefile.split(".PHONY:")[1].split("\n\n")[0].replace("\\\n", " ").split()
    for target in phony:
        if not target.endswith("-environment"):
            assert f"make {target} " in said, f"{target} has no line in make help"


@needs_make
def test_make_test_runs_each_check_by_name() -> None:
    said = run_make("--dry-run", "test").stdout
    order = [said.index(part) for part in ("ruff check", "ruff format --check", "mypy", "pytest")]
    assert order == sorted(order)
    assert "--numprocesses auto" in said
