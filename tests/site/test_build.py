"""A build either replaces the site by a checked one, or changes nothing."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import threading
import types
import urllib.error
import urllib.request
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from analysis.faults import FaultsError
from analysis.site import build as building
from analysis.site import quarto
from analysis.site import verify as verifying
from analysis.site.build import build
from analysis.site.execute import execute
from analysis.site.inputs import digest_of_inputs
from analysis.site.lock import LOCK, build_lock
from analysis.site.published import LOCK as LOCKED
from analysis.site.serve import server
from analysis.site.verify import publish, verify

if TYPE_CHECKING:
    from conftest import Project

PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'"><title>{title}</title>
<meta name="viewport" content="width=device-width"></head>
<body><main><h1>{title}</h1><p>{text}</p></main></body></html>
"""


class Renderer:
    """Stands in for the embedded renderer: a page each, and a count of calls."""

    def __init__(self) -> None:
        self.calls = 0
        self.dates: list[str] = []

    def __call__(self, stage: Path, out: Path) -> types.SimpleNamespace:
        self.calls += 1
        self.dates.append(os.environ["SOURCE_DATE_EPOCH"])
        for source in [*stage.glob("*.qmd"), *stage.glob("notebooks/*.ipynb")]:
            target = (out / source.relative_to(stage)).with_suffix(".html")
            target.parent.mkdir(parents=True, exist_ok=True)
            text = source.read_text().split("---")[-1] if source.name == "index.qmd" else ""
            target.write_text(PAGE.format(title=source.stem, text=text))
        return types.SimpleNamespace(warnings=("a note",))


def stand_in_for_the_renderer(patch: pytest.MonkeyPatch, root: Path) -> Renderer:
    """Put the stand-in in its place; Quarto, if there is one, is not looked for."""
    stand_in = Renderer()
    module = types.SimpleNamespace(render_project=stand_in)
    patch.setitem(sys.modules, "analysis.site.embedded.render", module)
    patch.setattr(quarto, "program", lambda: None)
    patch.setenv("ANALYSIS_ROOT", str(root))
    return stand_in


@pytest.fixture
def renderer(executed: Project, monkeypatch: pytest.MonkeyPatch) -> Renderer:
    """The renderer of the small project."""
    return stand_in_for_the_renderer(monkeypatch, executed.root)


def test_a_build_makes_the_site_and_the_table_of_findings(
    executed: Project, renderer: Renderer
) -> None:
    report = build(executed.root)
    assert (report.executed, report.cached, report.pages) == (0, 2, 4)
    assert report.renderer == "embedded" and report.index.is_file()
    assert "a note" in report.notes
    assert [step for step, _ in report.seconds] == [
        "inputs",
        "execute",
        "stage",
        "render",
        "check",
    ]
    assert (executed.root / "build/findings.csv").read_text().count("\n") == 2
    assert str(report).endswith(f"open {report.index}")
    assert not (executed.root / "build/site.new").exists()
    assert not (executed.root / "build/site.old").exists()


def test_nothing_changed_renders_nothing(
    executed: Project, renderer: Renderer, monkeypatch: pytest.MonkeyPatch
) -> None:
    build(executed.root)
    monkeypatch.setattr("analysis.site.kernel.kernel_manager", None)
    report = build(executed.root)
    assert (report.executed, report.pages, renderer.calls) == (0, 0, 1)
    assert report.cached == 2 and "a note" in report.notes
    assert [step for step, _ in report.seconds] == ["inputs"]


@pytest.mark.parametrize(
    "change",
    ["a page", "the site by hand", "a deleted site", "the state", "the renderer"],
)
def test_a_change_renders_again(
    executed: Project, renderer: Renderer, monkeypatch: pytest.MonkeyPatch, change: str
) -> None:
    report = build(executed.root)
    if change == "a page":
        executed.write("index.qmd", "---\ntitle: Home\n---\nChanged.\n")
    elif change == "the site by hand":
        report.index.write_text("spoiled")
    elif change == "a deleted site":
        (report.site / "findings.html").unlink()
    elif change == "the state":
        executed.write("build/state.json", "{")
    else:
        monkeypatch.setattr(building, "renderer_digest", lambda root: "another")
    again = build(executed.root)
    assert (again.executed, again.pages, renderer.calls) == (0, 4, 2)
    assert again.index.read_text().startswith("<!doctype html>")


def test_a_failing_check_keeps_the_old_site(executed: Project, renderer: Renderer) -> None:
    report = build(executed.root)
    before = report.index.read_bytes()
    table = (executed.root / "build/findings.csv").read_bytes()
    executed.write("index.qmd", "---\ntitle: Home\n---\n<a href='nowhere.html'>x</a> ?@fig-x\n")
    with pytest.raises(FaultsError) as raised:
        build(executed.root)
    assert {fault.problem.split(":")[0] for fault in raised.value.faults} == {
        "broken link",
        "source markup is left on the page",
    }
    assert report.index.read_bytes() == before
    assert (executed.root / "build/findings.csv").read_bytes() == table
    # It fails again until it is mended: a failed build is not remembered as done.
    with pytest.raises(FaultsError):
        build(executed.root)
    executed.write("index.qmd", "---\ntitle: Home\n---\nMended.\n")
    assert "Mended." in build(executed.root).index.read_text()


def test_a_failing_renderer_keeps_the_old_site(
    executed: Project, renderer: Renderer, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = build(executed.root).index.read_bytes()
    executed.write("index.qmd", "---\ntitle: Home\n---\nOther.\n")

    def fail(*_: object) -> None:
        raise OSError("no space left on device")

    monkeypatch.setattr(sys.modules["analysis.site.embedded.render"], "render_project", fail)
    with pytest.raises(OSError, match="no space left"):
        build(executed.root)
    assert (executed.root / "reports/site/index.html").read_bytes() == before


def test_pages_are_dated_by_the_commit(
    executed: Project, renderer: Renderer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1700000000")
    build(executed.root)
    monkeypatch.delenv("SOURCE_DATE_EPOCH")
    build(executed.root)  # outside a repository: a fixed early time
    assert renderer.dates == ["1700000000", "315532800"]
    assert "SOURCE_DATE_EPOCH" not in os.environ


def test_a_build_that_ended_while_swapping_is_mended(executed: Project, renderer: Renderer) -> None:
    report = build(executed.root)
    report.site.rename(executed.root / "build/site.old")
    assert build(executed.root).pages == 0
    assert report.index.is_file()


HOLDER = """
import sys
from pathlib import Path
from analysis.site.execute import execute
from analysis.site.inputs import digest_of_inputs
from analysis.site.lock import build_lock
with build_lock(Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.readline()
"""


def test_two_builds_at_once(executed: Project, renderer: Renderer) -> None:
    script = executed.write("hold.py", HOLDER)
    with subprocess.Popen(
        [sys.executable, script, executed.root],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == "held\n"
        with pytest.raises(FaultsError) as raised:
            build(executed.root)
        other.kill()
    assert len(str(raised.value).splitlines()) == 1
    assert f"another build (process {other.pid}) runs" in str(raised.value)
    # A killed holder leaves its files; they hold nobody up.
    assert (executed.root / LOCK).exists()
    build(executed.root)


def test_the_lock_is_free_after_an_error(executed: Project) -> None:
    with pytest.raises(ValueError, match="inside"), build_lock(executed.root):
        raise ValueError("inside")
    with build_lock(executed.root):
        pass


# ---------------------------------------------------------------------------------------- verify


MONTE_CARLO = "reports/validation/montecarlo.csv"
DESIGNS = "data/validation/designs.csv"
FIRST_FILE = "the file was changed since it was"


@pytest.fixture(scope="module")
def signed_once(executed_once: Project, tmp_path_factory: pytest.TempPathFactory) -> Project:
    """The small project, built and signed off, with a stored table, its code and its inputs.

    Not to be changed.
    """
    project = type(executed_once)(tmp_path_factory.mktemp("signed") / "project")
    shutil.copytree(executed_once.root, project.root)
    project.write(MONTE_CARLO, "design,value\na,0.95\n")
    project.write(DESIGNS, "id\na\n")
    project.write("src/analysis/validation/__init__.py", "")
    project.write("src/analysis/validation/montecarlo.py", '"""Draws."""\nNUMBER = 2000\n')
    with pytest.MonkeyPatch.context() as patch:
        stand_in_for_the_renderer(patch, project.root)
        publish(project.root)
    return project


@pytest.fixture
def signed(
    signed_once: Project, executed: Project, renderer: Renderer, monkeypatch: pytest.MonkeyPatch
) -> Project:
    """A copy of it, which a test may change.

    A notebook runs again where its code changed, as a fresh run of all would tell the same.
    """
    monkeypatch.setattr(verifying, "execute", lambda root, afresh: execute(root))
    shutil.copytree(signed_once.root, executed.root, dirs_exist_ok=True)
    return executed


def test_green_is_what_was_signed_off_in_either_order_without_git(signed: Project) -> None:
    assert not (signed.root / ".git").exists()
    before = (signed.root / LOCKED).read_bytes()
    assert verify(signed.root).green
    build(signed.root)
    assert verify(signed.root).green
    signed.write("src/analysis/money.py", "RATE = 4\n")
    for _ in range(2):  # a build in between changes nothing
        moved = verify(signed.root).moved
        assert [(row.id, row.column, row.before, row.after) for row in moved] == [
            ("total", "value", "6", "8"),
            ("total", "text", "6", "8"),
        ]
        assert any("1 findings differ" in note for note in build(signed.root).notes)
    assert (signed.root / LOCKED).read_bytes() == before
    publish(signed.root)
    assert verify(signed.root).green


MUTATIONS = {
    "a formula": ("src/analysis/money.py", "3", "4", "total"),
    "a published number": ("reports/findings.csv", ",6,", ",7,", f"{FIRST_FILE} signed off"),
    "the method of a finding": ("reports/findings.csv", "total", "sum", "published"),
    "a digest of the seal": ("reports/published.csv", "findings.csv,", "findings.csv,0", ""),
    "a stored Monte Carlo table": (MONTE_CARLO, "0.95", "0.96", f"{FIRST_FILE} signed off"),
    "the code that drew it": (
        "src/analysis/validation/montecarlo.py",
        "2000",
        "10",
        "the code that makes it has changed",
    ),
    "the designs it was drawn for": (DESIGNS, "a", "b", "the inputs that it was made from"),
    "a number typed in a page": ("index.qmd", "Hello", "It is 12 yuan", "a number is typed"),
    "a number in the built site": (
        "reports/site/index.html",
        "Hello",
        "440",
        f"{FIRST_FILE} built",
    ),
    "a page of the built site": ("reports/site/index.html", None, None, "the file is missing"),
    "the manifest of the site": ("reports/site/SHA256SUMS", None, None, "no manifest"),
    "the seal": ("reports/published.csv", None, None, "nothing was signed off"),
}
"""What is changed, by what, and what verify says of it."""


@pytest.mark.parametrize("mutation", MUTATIONS)
def test_each_mutation_turns_verify_red(signed: Project, mutation: str) -> None:
    name, before, after, said = MUTATIONS[mutation]
    path = signed.root / name
    if before is None or after is None:
        path.unlink()
        if "site/index" in name:  # a page that is not the first
            signed.write(name, PAGE.format(title="Home", text="Hello."))
            next((signed.root / "reports/site/notebooks").glob("*.html")).unlink()
    else:
        text = path.read_text(encoding="utf-8")
        assert before in text
        path.write_text(text.replace(before, after, 1), encoding="utf-8")
    verdict = verify(signed.root)
    assert not verdict.green
    told = [*map(str, verdict.faults), *(f"{row.id} {row.before}" for row in verdict.moved)]
    assert any(said in one for one in told), told


def test_comments_and_docstrings_are_no_change_of_the_code(signed: Project) -> None:
    signed.write("src/analysis/validation/montecarlo.py", '"""Others."""\nNUMBER = 2000  # so\n')
    assert verify(signed.root).green


def test_a_stored_table_is_signed_only_on_request(signed: Project) -> None:
    signed.write(MONTE_CARLO, "design,value\na,0.96\n")
    with pytest.raises(FaultsError, match="--stored"):
        publish(signed.root)
    publish(signed.root, stored=True)
    assert verify(signed.root).green


def test_own_data_are_not_published(signed: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    signed.write("mine/panel.json", "{}")
    monkeypatch.setenv("PANEL", "mine")
    with pytest.raises(FaultsError, match="not published"):
        publish(signed.root)


def test_verify_without_a_table(executed: Project) -> None:
    with pytest.raises(FaultsError, match=r"findings\.csv"):
        verify(executed.root)


# ----------------------------------------------------------------------------------------- serve


def test_serving_is_local_and_shows_the_page_for_what_is_missing(tmp_path: Path) -> None:
    (tmp_path / "index.html").write_text("home")
    (tmp_path / "404.html").write_text("lost")
    with server(tmp_path, 0) as running:
        thread = threading.Thread(target=running.serve_forever, daemon=True)
        thread.start()
        base = f"http://127.0.0.1:{running.server_port}"
        assert running.server_address[0] == "127.0.0.1"
        assert urllib.request.urlopen(f"{base}/").read() == b"home"
        with pytest.raises(urllib.error.HTTPError) as raised:
            urllib.request.urlopen(f"{base}/no.html")
        assert (raised.value.code, raised.value.read()) == (404, b"lost")
        with pytest.raises(FaultsError, match="cannot be used"):
            server(tmp_path, running.server_port)
        running.shutdown()
        thread.join()


def test_serving_nothing(tmp_path: Path) -> None:
    with pytest.raises(FaultsError, match="make report"):
        server(tmp_path, 0)


@pytest.mark.parametrize(
    ("name", "seen"),
    [
        ("data/a.csv", True),
        ("tests/test_new.py", True),
        ("LICENSE-DATA", True),
        ("data/external/big.csv", True),
        ("build/cache/other.txt", False),
        (".ruff_cache/x", False),
        ("venv/lib/x.py", False),
    ],
)
def test_what_counts_as_an_input_of_a_build(executed: Project, name: str, seen: bool) -> None:
    executed.write("venv/pyvenv.cfg", "home = x\n")
    before = digest_of_inputs(executed.root, {})
    executed.write(name, "another content, of another length")
    assert (digest_of_inputs(executed.root, {}) != before) is seen


def test_a_panel_is_an_input_where_it_is_named(executed: Project) -> None:
    executed.write("build/mine/panel.json", "{}")
    named = {"PANEL": "build/mine"}
    before = digest_of_inputs(executed.root, named)
    executed.write("build/mine/rows.parquet", "x")
    assert digest_of_inputs(executed.root, named) != before
