"""What every test shares: the browser, repeatable properties, an account of what was skipped."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Generator, Iterable
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings

from analysis.doctor import find_chromium

# The same examples on every run and machine: a red test must be red for everybody.
settings.register_profile("repeatable", derandomize=True, deadline=None)
settings.load_profile("repeatable")
os.environ.setdefault("MPLBACKEND", "agg")

# A test that lacks something of the machine says so in these words, so that the hook can tell.
NEEDS = re.compile(r"Debian package ([a-z0-9][a-z0-9+.-]*[a-z0-9])")


@pytest.fixture(scope="session")
def chromium_path() -> str:
    """The path of Chromium; a test that asks for it is skipped where there is none."""
    found = find_chromium()
    if not found:
        pytest.skip("no Chromium on this machine: install the Debian package chromium")
    driver = [sys.executable, "-m", "playwright", "--version"]
    if subprocess.run(driver, capture_output=True, check=False).returncode != 0:
        pytest.skip("Playwright's driver does not start: install the Debian package libatomic1")
    return found


PATIENCE = 300_000
"""Milliseconds that a browser may take for anything: a busy machine fails no test."""


def patient(opening: Callable[..., Any]) -> Callable[..., Any]:
    """Return a function that opens a page or a window, with time for what happens in it."""

    def opened(*words: Any, **options: Any) -> Any:
        made = opening(*words, **options)
        made.set_default_timeout(PATIENCE)
        return made

    return opened


@pytest.fixture(scope="session")
def launch(chromium_path: str) -> Callable[[], AbstractContextManager[Any]]:
    """A function that opens a browser without a window, for a ``with`` statement."""
    playwright = pytest.importorskip("playwright.sync_api")

    @contextmanager
    def opened() -> Generator[Any]:
        with playwright.sync_playwright() as started:
            browser = started.chromium.launch(
                executable_path=chromium_path, args=["--no-sandbox"], timeout=PATIENCE
            )
            browser.new_page = patient(browser.new_page)
            browser.new_context = patient(browser.new_context)
            yield browser
            browser.close()

    return opened


# Of the module, not the session: while Playwright runs, no other test can run an event loop.
@pytest.fixture(scope="module")
def browser(launch: Callable[[], AbstractContextManager[Any]]) -> Generator[Any]:
    """A browser without a window."""
    with launch() as opened:
        yield opened


@pytest.fixture(scope="session")
def bare_page() -> Callable[[Path, str, str], str]:
    """A function that writes a page of some markup and one script of ours, and gives its address."""

    def written(folder: Path, markup: str, script: str) -> str:
        assets = Path(__file__).resolve().parent.parent / "assets"
        file = folder / "page.html"
        file.write_text(
            f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>x</title>'
            f'<link rel="stylesheet" href="{(assets / "site.css").as_uri()}"></head><body><main>'
            f'{markup}</main><script src="{(assets / script).as_uri()}"></script></body></html>',
            encoding="utf-8",
        )
        return file.as_uri()

    return written


PARTS = (
    "_quarto.yml",
    "requirements.lock",
    "*.qmd",
    "*.bib",
    "*.csl",
    "*.md",
    "CITATION.cff",
    "LICENSE-DATA",
    "assets",
    "data",
    "notebooks",
    "pages",
    "zh",
    "src",
)
"""What a build reads, besides stored results in ``reports``."""
PUBLISHED = ("findings.csv", "site", "yours", "site.*", "report.p*")
"""What a build writes there."""


@pytest.fixture(scope="session")
def copy_of_project() -> Callable[[Path], Path]:
    """Return a function that copies what a build reads, and nothing that was built."""

    def copy(target: Path) -> Path:
        root = Path(__file__).resolve().parent.parent
        # Compiled modules come along: compiling them again takes longer than most tests.
        ignored = shutil.ignore_patterns("external", ".ipynb_checkpoints")
        target.mkdir(parents=True)
        for pattern in PARTS:
            for path in root.glob(pattern):
                if path.is_dir():
                    shutil.copytree(path, target / path.name, ignore=ignored)
                else:
                    shutil.copy(path, target / path.name)
        made = shutil.ignore_patterns(*PUBLISHED)
        shutil.copytree(root / "reports", target / "reports", ignore=made)
        return target

    return copy


def listed_packages(root: Path) -> frozenset[str]:
    """Return the Debian packages that CI installs."""
    listing = root / ".ci" / "packages"
    lines = listing.read_text(encoding="utf-8").splitlines() if listing.exists() else []
    return frozenset(line.split("#")[0].strip() for line in lines) - {""}


def skip_reason(report: pytest.TestReport) -> str:
    """Return why a test was skipped, without pytest's own prefix."""
    said = report.longrepr[-1] if isinstance(report.longrepr, tuple) else str(report.longrepr)
    return said.removeprefix("Skipped: ")


def counts_as_failure(reason: str, listed: Iterable[str]) -> bool:
    """Say whether a skip hides a missing install step: CI=true, and its package is listed."""
    needed = NEEDS.search(reason)
    in_ci = os.environ.get("CI", "").lower() == "true"
    return in_ci and needed is not None and needed.group(1) in listed


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, Any, pytest.TestReport]:
    """Turn a skip into a failure where CI should have installed what is missing."""
    report: pytest.TestReport = yield
    if report.skipped and not hasattr(report, "wasxfail"):
        reason = skip_reason(report)
        if counts_as_failure(reason, listed_packages(item.config.rootpath)):
            report.outcome = "failed"
            report.longrepr = f"a skip for a package that .ci/packages lists: {reason}"
    return report


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Share the tests out among workers by file, so that what a file makes is made once.

    All that look at the built site are of one worker, so that none waits while another builds;
    what takes long comes first, so that no worker is left with it at the end.
    """
    for item in items:
        name = "site" if looks_at_the_site(item) else item.path.as_posix()
        item.add_marker(pytest.mark.xdist_group(name))
    slow = {item.path for item in items if item.get_closest_marker("slow")}
    items.sort(key=lambda item: (not looks_at_the_site(item), item.path not in slow))


def looks_at_the_site(item: pytest.Item) -> bool:
    """Say whether a test needs the site of this project, built."""
    return "built" in getattr(item, "fixturenames", ())


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Print what was skipped and why, or that nothing was."""
    reasons = Counter(map(skip_reason, terminalreporter.stats.get("skipped", [])))
    terminalreporter.section("skipped, and why")
    for reason, count in sorted(reasons.items()):
        terminalreporter.line(f"{count} skipped: {reason}")
    if not reasons:
        terminalreporter.line("nothing was skipped")
