"""CI installs what it lists, calls make test, and lets no listed package hide a test."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
CONFTEST = ROOT / "tests" / "conftest.py"
SKIPPED = """
import pytest

def test_listed():
    pytest.skip("no Chromium on this machine: install the Debian package chromium")

def test_other():
    pytest.skip("needs a printer")

@pytest.mark.xfail(reason="Debian package chromium")
def test_expected():
    raise AssertionError
"""
needs_bash = pytest.mark.skipif(
    shutil.which("bash") is None, reason="no bash here: install the Debian package bash"
)


@pytest.fixture
def suite(pytester: pytest.Pytester) -> pytest.Pytester:
    """A small project with our conftest, a list of packages, and tests that skip."""
    (pytester.path / ".ci").mkdir()
    (pytester.path / ".ci" / "packages").write_text(
        "# the browser\nchromium  # as it is\n", encoding="utf-8"
    )
    pytester.makeconftest(CONFTEST.read_text(encoding="utf-8"))
    pytester.makepyfile(SKIPPED)
    return pytester


def test_a_skip_is_allowed_and_told_on_a_machine_of_ones_own(
    suite: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("CI", raising=False)
    result = suite.runpytest("-p", "no:xdist")
    result.assert_outcomes(skipped=2, xfailed=1)
    result.stdout.fnmatch_lines(
        [
            "*skipped, and why*",
            "1 skipped: needs a printer",
            "1 skipped: no Chromium on this machine: install the Debian package chromium",
        ]
    )


def test_a_skip_for_a_listed_package_fails_in_ci(
    suite: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CI", "true")
    result = suite.runpytest("-p", "no:xdist")
    result.assert_outcomes(failed=1, skipped=1, xfailed=1)
    result.stdout.fnmatch_lines(["*a skip for a package that .ci/packages lists: no Chromium*"])


def test_a_run_without_skips_says_so(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytester.makeconftest(CONFTEST.read_text(encoding="utf-8"))
    pytester.makepyfile("def test_one():\n    pass")
    pytester.runpytest("-p", "no:xdist").stdout.fnmatch_lines(["nothing was skipped"])


def packages() -> list[str]:
    lines = (ROOT / ".ci" / "packages").read_text(encoding="utf-8").splitlines()
    return [line for line in lines if line.strip() and not line.startswith("#")]


def test_the_list_holds_names_and_comments_only() -> None:
    for line in packages():
        assert re.fullmatch(r"[a-z0-9][a-z0-9+.-]+", line), line
    assert "chromium" in packages()


def test_the_readme_names_the_packages_of_ci() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    for line in packages():
        assert line in readme


def test_ci_calls_make_test_last() -> None:
    text = (ROOT / ".ci" / "run").read_text(encoding="utf-8")
    assert text.rstrip().splitlines()[-1] == "exec make test"
    assert os.name == "nt" or os.access(ROOT / ".ci" / "run", os.X_OK)


def run_ci(folder: Path, **commands: str) -> tuple[subprocess.CompletedProcess[str], str]:
    """Run .ci/run where every command it uses is a stand-in that writes down how it was called."""
    log = folder / "log"
    tools = folder / "tools"
    tools.mkdir()
    for name in ("bash", "sed", "xargs", "dirname", "echo", "cat"):
        (tools / name).symlink_to(shutil.which(name) or name)
    for name, body in {"make": "exit 0", **commands}.items():
        script = tools / name.replace("_", "-")
        script.write_text(
            f'#!{shutil.which("bash")}\necho "{script.name} $*" >> "{log}"\n{body}\n',
            encoding="utf-8",
        )
        script.chmod(0o755)
    done = subprocess.run(
        ["bash", str(ROOT / ".ci" / "run")],
        env={"PATH": str(tools)},
        capture_output=True,
        text=True,
        check=False,
    )
    return done, log.read_text(encoding="utf-8")


@needs_bash
def test_ci_as_root_refreshes_then_installs_what_is_absent_then_tests(tmp_path: Path) -> None:
    present = '[ "${@: -1}" = chromium ] && exit 1; printf installed'
    done, log = run_ci(tmp_path, apt_get="exit 0", dpkg_query=present, id="echo 0")
    assert done.returncode == 0, done.stderr
    calls = [line for line in log.splitlines() if not line.startswith(("dpkg", "id"))]
    assert calls[0].startswith("apt-get update")
    assert calls[1].startswith("apt-get install") and calls[1].endswith(" chromium")
    assert calls[2:] == ["make test"]


@needs_bash
def test_ci_not_as_root_says_so_and_still_tests(tmp_path: Path) -> None:
    done, log = run_ci(tmp_path, apt_get="exit 1", dpkg_query="exit 1", id="echo 1000")
    assert done.returncode == 0
    assert "ci: not root, so not installed: git make" in done.stdout
    assert "apt-get" not in log
    assert log.splitlines()[-1] == "make test"


@needs_bash
def test_ci_without_apt_says_so_and_still_tests(tmp_path: Path) -> None:
    done, log = run_ci(tmp_path)
    assert "ci: no apt-get here" in done.stdout
    assert log.splitlines() == ["make test"]


@needs_bash
def test_ci_installs_nothing_where_all_is_there(tmp_path: Path) -> None:
    done, log = run_ci(tmp_path, apt_get="exit 1", dpkg_query="printf installed", id="echo 0")
    assert "ci: already installed: git make" in done.stdout
    assert "apt-get" not in log


@needs_bash
def test_ci_fails_where_a_package_cannot_be_installed(tmp_path: Path) -> None:
    done, log = run_ci(tmp_path, apt_get='[ "$1" = update ]', dpkg_query="exit 1", id="echo 0")
    assert done.returncode == 1
    assert "ci: apt-get could not install git make" in done.stderr
    assert "make test" not in log


@needs_bash
def test_ci_fails_where_a_test_fails(tmp_path: Path) -> None:
    done, _ = run_ci(tmp_path, make="exit 2")
    assert done.returncode == 2
