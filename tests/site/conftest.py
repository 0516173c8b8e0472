"""A small project with notebooks, made afresh for each test that changes it; the built site, open."""

from __future__ import annotations

import json
import shutil
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from analysis import paths
from analysis.faults import FaultsError
from analysis.site import execute as execution
from analysis.site.build import BuildReport, build
from analysis.site.serve import server

if TYPE_CHECKING:
    from playwright.sync_api import Browser, ConsoleMessage, Page

CONFIG = """\
project:
  type: website
  output-dir: reports/site
  resources: [downloads]
lang: en
execute:
  enabled: false
website:
  title: "Small"
"""

LIMITS = "".join(
    f'[{name}]\nvalue = 1\nunit = "MB"\nreason = "small"\n'
    for name in ("page", "assets", "file", "site", "quarto")
)
FINDINGS_MODULE = '''\
"""Stands in for the module of the same name: notes records, exports them."""
import json

noted = []


class Noted(int):
    """A number that prints itself, as results do."""

    def _repr_markdown_(self):
        return str(int(self))

    def __mul__(self, other):
        return Noted(int(self) * other)


def note(id, value):
    noted.append({"id": id, "kind": "number", "page": "01-first", "tier": "reported",
                  "what": id, "value": float(value), "low": None, "high": None, "unit": "",
                  "text": str(value), "rows_in": None, "rows_used": 1, "n_villages_treated": None, "n_villages_control": None, "method": "count",
                  "function": "f", "inputs": "", "digest": "", "tolerance": 1e-9})
    return Noted(value)


def export_json():
    return json.dumps(noted)
'''


RECORDER_MODULE = '''\
"""Stands in for the module of the same name: takes what prints itself."""
from analysis.findings import export_json as exported


class PlainValueError(TypeError):
    pass


def inline(value, page, number, cell=""):
    if not hasattr(value, "_repr_markdown_"):
        raise PlainValueError(f"a plain value does not say where it comes from: {value}")
    return value


def exhibit(value, label, page, cell, caption=""):
    return "{}"


def export_json(page):
    return exported()
'''


def cell_of(source: str | dict[str, Any], cell_id: str) -> dict[str, Any]:
    """A cell; text that starts with ``md:`` is Markdown, other text is code."""
    if isinstance(source, dict):
        return source
    shared = {"id": cell_id, "metadata": {}, "source": source.removeprefix("md:")}
    if source.startswith("md:"):
        return {"cell_type": "markdown", **shared}
    return {"cell_type": "code", **shared, "outputs": [], "execution_count": None}


def notebook(*cells: dict[str, Any]) -> dict[str, Any]:
    """A notebook as its file holds it."""
    return {"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": list(cells)}


@dataclass
class Watch:
    """Keeps what a run of notebooks said."""

    notes: list[str] = field(default_factory=list)
    started: list[str] = field(default_factory=list)
    finished: list[str] = field(default_factory=list)
    cells: int = 0
    advanced: int = 0
    on_finish: Callable[[str], None] = lambda name: None

    def note(self, text: str) -> None:
        self.notes.append(text)

    def begin(self, cells: int) -> None:
        self.cells = cells

    def start(self, name: str) -> None:
        self.started.append(name)

    def advance(self) -> None:
        self.advanced += 1

    def finish(self, name: str, seconds: float) -> None:
        self.finished.append(name)
        self.on_finish(name)

    def __enter__(self) -> Watch:
        return self

    def __exit__(self, *error: object) -> None:
        return None


@dataclass(frozen=True)
class Project:
    """A small project on disk."""

    root: Path

    def write(self, name: str, text: str) -> Path:
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        return path

    def notebook(self, name: str, *cells: str | dict[str, Any]) -> Path:
        """Write a notebook; text that starts with ``md:`` is a Markdown cell, other text code."""
        content = notebook(*(cell_of(cell, f"c{n}") for n, cell in enumerate(cells)))
        return self.write(f"notebooks/{name}.ipynb", json.dumps(content, indent=1))

    def execute(self, watch: Watch | None = None, parallel: int = 2) -> execution.ExecuteReport:
        return execution.execute(self.root, parallel=parallel, watch=watch or Watch())

    def cache(self) -> list[str]:
        return sorted(path.name for path in (self.root / execution.CACHE).glob("*.ipynb"))


def small_project(root: Path) -> Project:
    """Two notebooks: the first uses a module and data, the second only the standard library."""
    project = Project(root)
    project.write("_quarto.yml", CONFIG)
    project.write("index.qmd", "---\ntitle: Home\n---\n\nHello.\n")
    project.write("requirements.lock", "polars==2.1.0\n")
    project.write("data/a.csv", "x\n1\n")
    project.write("data/external/big.csv", "x\n1\n")
    project.write("data/parameters/site.toml", LIMITS)
    project.write("assets/site.css", "body { margin: 0 }\n")
    project.write("src/analysis/__init__.py", "")
    project.write("src/analysis/findings/__init__.py", FINDINGS_MODULE)
    project.write("src/analysis/findings/recorder.py", RECORDER_MODULE)
    project.write("src/analysis/money.py", "RATE = 3\n")
    project.write("src/analysis/other.py", "UNUSED = 1\n")
    project.write("src/analysis/site/__init__.py", "")
    project.notebook(
        "01-first",
        "from analysis import findings\nfrom analysis.money import RATE\n"
        "total = findings.note('total', RATE * 2)\nprint('a')\nprint('b')",
        "md:The total is `{python} total`, twice that `{python} total * 2`.",
    )
    project.notebook("02-second", "1 + 1")
    return project


@pytest.fixture
def watch() -> Watch:
    """Someone who keeps what a run says."""
    return Watch()


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """A small project that nothing has run in yet."""
    return small_project(tmp_path)


@pytest.fixture(scope="session")
def executed_once(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Project]:
    """A small project whose notebooks have run; not to be changed."""
    project = small_project(tmp_path_factory.mktemp("executed"))
    project.execute()
    yield project


@pytest.fixture
def executed(executed_once: Project, tmp_path: Path) -> Project:
    """A copy of a project whose notebooks have run; a test may change it."""
    shutil.copytree(executed_once.root, tmp_path, dirs_exist_ok=True)
    return Project(tmp_path)


# ------------------------------------------------------------------------ the site in a browser

DESKTOP = {"width": 1280, "height": 900}


@dataclass
class Visit:
    """A page as a reader has it open, with what the browser asked for and complained of."""

    page: Page
    requests: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)


Open = Callable[..., AbstractContextManager[Visit]]


PATIENCE = 3600
"""Seconds that a test waits for a build in another process: on a busy machine it takes many."""


@pytest.fixture(scope="session")
def build_when_free() -> Callable[[], BuildReport]:
    """A function that builds the site of this project, once no other test builds it."""

    def built() -> BuildReport:
        end = time.monotonic() + PATIENCE
        while True:
            try:
                return build(paths.root())
            except FaultsError as error:
                if "another build" not in str(error) or time.monotonic() > end:
                    raise
                time.sleep(0.5)

    return built


@pytest.fixture(scope="session")
def built(build_when_free: Callable[[], BuildReport]) -> BuildReport:
    """The site of this project, built now."""
    return build_when_free()


@pytest.fixture(scope="session")
def built_site(built: BuildReport) -> Path:
    """The folder of the site."""
    return built.site


@pytest.fixture(scope="session")
def names(built: BuildReport) -> list[str]:
    """Every page of the site."""
    return sorted(path.relative_to(built.site).as_posix() for path in built.site.rglob("*.html"))


@pytest.fixture(scope="module")
def address(built: BuildReport) -> Iterator[str]:
    """Where the site is served while these tests run."""
    with server(built.site, 0) as running:
        threading.Thread(target=running.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{running.server_port}/"
        running.shutdown()


@pytest.fixture(scope="module")
def browser(
    address: str, launch: Callable[[], AbstractContextManager[Browser]]
) -> Iterator[Browser]:
    """A browser without a window, after the address: a build needs an event loop too."""
    with launch() as opened:
        yield opened


@pytest.fixture
def visit(browser: Browser) -> Open:
    """Open an address in a window of its own."""

    @contextmanager
    def opened(url: str, size: dict[str, int] = DESKTOP, scheme: str = "light") -> Iterator[Visit]:
        context = browser.new_context(viewport=size, color_scheme=scheme, reduced_motion="reduce")
        try:
            page = context.new_page()
            visit = Visit(page)
            page.on("request", lambda request: visit.requests.append(request.url))
            page.on("pageerror", lambda error: visit.errors.append(str(error)))
            page.on("console", lambda said: visit.errors.extend(complaints(said)))
            page.goto(url, wait_until="load")
            yield visit
        finally:
            context.close()

    return opened


def complaints(said: ConsoleMessage) -> list[str]:
    """Return what the console says, if it complains."""
    where = said.location.get("url", "")
    return [f"{said.text} {where}".strip()] if said.type in {"error", "warning"} else []
