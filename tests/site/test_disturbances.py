"""Every stage, disturbed: a clear error or the right result, and afterwards the same bytes.

One table: a stage (a command and what it writes), and what is done to it at some of the places
where it writes. The places are found by an audit hook of the interpreter, which sees every file
that Python opens for writing, renames or removes, so no place is chosen by hand. A process forks
before each run, so that the libraries are loaded once.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from analysis import paths
from analysis.faults import FaultsError
from analysis.panels.model.simulate import simulate
from analysis.site.embedded import mathfont

if TYPE_CHECKING:
    from conftest import Project

pytestmark = pytest.mark.skipif(
    not hasattr(os, "fork"), reason="processes are forked here, which Windows cannot"
)
ERRORS = {"full": 28, "read-only": 30}  # ENOSPC, EROFS: the same numbers on Linux and macOS
DRIVER = """
import json, os, shutil, signal, sys, tempfile
folder, plan, words, fresh = json.loads(sys.argv[1])
import analysis.cli, analysis.site.build, analysis.site.embedded  # noqa: loaded before the fork
import analysis.panels.importing, analysis.panels.model.simulate, analysis.did.estimators.declared
folder = os.path.realpath(folder)
WRITES = {"os.rename", "os.mkdir", "os.remove", "os.rmdir", "shutil.rmtree", "os.chmod"}

def inside(path):
    if isinstance(path, bytes):
        path = os.fsdecode(path)
    return isinstance(path, str) and os.path.realpath(path).startswith(folder + os.sep)

def is_write(event, args):
    if event == "open":
        flags = args[2] if isinstance(args[2], int) else 0
        return bool(flags & (os.O_WRONLY | os.O_RDWR)) and inside(args[0])
    return event in WRITES and inside(args[0])

def disturb(fault, at, error):
    seen = 0
    def hook(event, args):
        nonlocal seen
        if not is_write(event, args):
            return
        # What is full still lets files go.
        fills = event in ("open", "os.mkdir")
        seen += fills or fault != "full"
        if fault == "count":
            os.write(3, b"f" if fills else b".")
        elif seen > at and fault == "kill":
            os.kill(os.getpid(), signal.SIGKILL)
        elif seen > at and (fault == "read-only" or fills):
            raise OSError(error, os.strerror(error), str(args[0]))
    sys.addaudithook(hook)

def run(fault, at, error):
    for path in fresh:
        shutil.rmtree(path, ignore_errors=True)
    said, marks = tempfile.TemporaryFile(), tempfile.TemporaryFile()
    child = os.fork()
    if child == 0:
        os.dup2(said.fileno(), 1), os.dup2(said.fileno(), 2), os.dup2(marks.fileno(), 3)
        disturb(fault, at, error)
        sys.argv = ["analysis", *words]
        try:
            analysis.cli.main()
            code = 0
        except SystemExit as end:
            code = end.code or 0
        except BaseException:
            import traceback
            traceback.print_exc()
            code = 70
        sys.stdout.flush(), sys.stderr.flush()
        os._exit(code)
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    said.seek(0), marks.seek(0)
    return status, said.read().decode(), marks.read().decode()

total = run("count", 0, 0)
results = [total]
for fault, part, error in plan:
    places = total[2].count("f") if fault == "full" else len(total[2])
    results.append(run(fault, int(part * (places - 1)), error))
print(json.dumps(results))
"""
PLAN = [
    ("kill", 0.0),
    ("kill", 0.25),
    ("kill", 0.5),
    ("kill", 0.75),
    ("kill", 1.0),
    ("full", 0.0),
    ("full", 0.5),
    ("full", 1.0),
    ("read-only", 0.0),
]
SURVEY = "hh,year,village,wage,size\n" + "".join(
    f"{h},{year},v{h % 3},{1000 + 7 * h},3\n" for h in range(12) for year in (2018, 2019)
)
MAP = """[map]
survey = "small"
[[files]]
id = "main"
file = "survey.csv"
household = "hh"
period = "year"
[household]
village = "village"
[income]
members = "size"
absent.business = "not asked"
absent.property = "not asked"
absent.transfer = "not asked"
[[income.items]]
source = "wage"
column = "wage"
unit = "yuan"
per = "year"
"""
ESTIMANDS = """
name = "village fund"
[design]
programmes = ["dividend"]
stratum = ""
handling = "balanced"
[[outcome]]
name = "total"
[[estimand]]
name = "overall"
aggregation = "event_time_overall"
[disclosure]
min_households = 5
"""
LIMITS = "".join(
    f'[{name}]\nvalue = 20\nunit = "MB"\nreason = "small"\n'
    for name in ("page", "assets", "file", "site", "quarto")
)


@dataclass(frozen=True)
class Stage:
    """A command, the folder it works in, what it writes, what is removed before each run."""

    words: list[str]
    folder: Path
    results: list[str]
    fresh: tuple[str, ...] = ()
    leftovers: str = ".made.*"


def python(script: str, argument: str, root: Path, **more: str) -> subprocess.CompletedProcess[str]:
    """Run a script with the code under test, without Quarto, in a project folder."""
    places = os.environ["PATH"].split(os.pathsep)
    path = os.pathsep.join(place for place in places if not shutil.which("quarto", path=place))
    return subprocess.run(
        [sys.executable, "-c", script, argument],
        cwd=root,
        env={
            **os.environ,
            "PATH": path,
            "ANALYSIS_ROOT": str(root),
            "OMP_NUM_THREADS": "1",
            "OPENBLAS_NUM_THREADS": "1",
            "PYTHONDONTWRITEBYTECODE": "1",
            "PYTHONPATH": str(Path(__file__).parents[2] / "src"),
            **more,
        },
        capture_output=True,
        check=False,
        encoding="utf-8",
        timeout=300,
    )


def content(folder: Path, names: list[str]) -> dict[str, str]:
    """Return a digest of every file below the named folders."""
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for name in names
        for path in sorted((folder / name).rglob("*"))
        if path.is_file()
    }


@pytest.fixture(scope="module")
def panel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A simulated panel."""
    out = tmp_path_factory.mktemp("inputs") / "panel"
    simulate(out, households=1_200, villages=120, periods=(2012, 2016))
    return out


def simulating(folder: Path, panel: Path, project: Any) -> Stage:
    words = [
        "simulate",
        "--out",
        str(folder / "made"),
        "--households",
        "60",
        "--villages",
        "6",
        "--periods",
        "2018:2020",
    ]
    return Stage(words, folder, ["made"])


def importing(folder: Path, panel: Path, project: Any) -> Stage:
    (folder / "survey.csv").write_text(SURVEY, encoding="utf-8")
    (folder / "map.toml").write_text(MAP, encoding="utf-8")
    words = [
        "import",
        str(folder / "survey.csv"),
        "--map",
        str(folder / "map.toml"),
        "--out",
        str(folder / "made"),
    ]
    return Stage(words, folder, ["made"])


def celling(folder: Path, panel: Path, project: Any) -> Stage:
    (folder / "estimands.toml").write_text(ESTIMANDS, encoding="utf-8")
    words = [
        "cells",
        str(panel),
        "--estimands",
        str(folder / "estimands.toml"),
        "--out",
        str(folder / "made"),
    ]
    return Stage(words, folder, ["made"])


def packing(folder: Path, panel: Path, project: Any) -> Stage:
    stage = celling(folder, shutil.copytree(panel, folder / "panel"), project)
    words = [*stage.words[:-1], str(folder / "cells")]
    argument = json.dumps([str(folder), [], words, []])
    assert python(DRIVER, argument, paths.root()).returncode == 0
    words = [
        "pack",
        str(folder / "cells"),
        "--estimands",
        str(folder / "estimands.toml"),
        "--out",
        str(folder / "made"),
        "--log",
        str(folder / "log.jsonl"),
    ]
    return Stage(words, folder, ["made"])


def complete(project: Project) -> None:
    """Give the small project what a page needs: limits, titles, and text that is not ASCII."""
    project.write("data/parameters/site.toml", LIMITS)
    project.write("index.qmd", "---\ntitle: 首页\n---\n\n村庄 × 农户: café, $x^2$.\n")
    project.write("data/a.csv", "村\n那曲\n阿里\n")
    project.notebook(
        "02-second",
        "from pathlib import Path\nprint(Path('data/a.csv').read_text().split())\nprint('牧民')",
        "class Said(str):\n    def _repr_markdown_(self):\n        return str(self)",
        "md:村民 `{python} Said('那曲')`",
    )
    for notebook in ("01-first", "02-second"):
        path = project.root / "notebooks" / f"{notebook}.ipynb"
        raw = json.loads(path.read_text(encoding="utf-8"))
        front = f"---\ntitle: {notebook} 村\n---"
        raw["cells"].insert(0, {"cell_type": "raw", "id": "t", "metadata": {}, "source": front})
        path.write_text(json.dumps(raw, ensure_ascii=False), encoding="utf-8")


def building(folder: Path, panel: Path, project: Project) -> Stage:
    """Stage, render, check, swap, findings: notebooks come from the cache, which stays."""
    complete(project)
    fresh = tuple(str(project.root / name) for name in ("build/stage", "reports", "build/site.new"))
    return Stage(["site", "build"], project.root, ["reports"], fresh, ".*.part")


STAGES: dict[str, Callable[[Path, Path, Any], Stage]] = {
    "import": importing,
    "simulate": simulating,
    "cells": celling,
    "pack": packing,
    "render and findings": building,
}


@pytest.mark.parametrize("name", STAGES)
def test_a_disturbed_stage_ends_clearly_and_runs_again_to_the_same_bytes(
    name: str, tmp_path: Path, panel: Path, request: pytest.FixtureRequest
) -> None:
    project = request.getfixturevalue("project") if name == "render and findings" else None
    stage = STAGES[name](tmp_path, panel, project)
    root = project.root if project else paths.root()
    plan = [(fault, part, ERRORS.get(fault, 0)) for fault, part in PLAN]

    def run(plan: list[Any]) -> list[Any]:
        argument = json.dumps([str(stage.folder), plan, stage.words, stage.fresh])
        done = python(DRIVER, argument, root)
        assert done.returncode == 0, done.stderr
        return list(json.loads(done.stdout.splitlines()[-1]))

    [(code, said, writes)] = run([])
    assert (code, len(writes) > 3) == (0, True), said
    undisturbed = content(stage.folder, stage.results)
    assert undisturbed

    _, *disturbed = run(plan)
    for (fault, part), (code, said, _) in zip(PLAN, disturbed, strict=True):
        at = f"{fault} at {part}: {said}"
        assert "Traceback" not in said, at
        if fault == "kill":
            assert code == -signal.SIGKILL, at
        else:
            # The one thing wrong is named once, with what to do.
            problem = "no space is left" if fault == "full" else "can only be read"
            assert (code, problem in said, said.count("error:")) == (1, True, 1), at

    [(code, said, _)] = run([])
    assert code == 0, said
    assert content(stage.folder, stage.results) == undisturbed
    assert list(stage.folder.rglob(stage.leftovers)) == []


LIMITED = """
import resource, sys, analysis.cli
resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))
sys.argv = ["analysis", "simulate", "--out", sys.argv[1]]
analysis.cli.main()
"""


def test_a_disk_that_refuses_what_polars_writes_says_so(tmp_path: Path) -> None:
    """Polars writes without Python's knowledge; the operating system refuses it like a full disk."""
    done = python(LIMITED, str(tmp_path / "made"), paths.root())
    assert done.returncode == 1 and done.stderr.count("\n") <= 2, done.stderr
    assert "error: disk: a file may not grow this large here; raise the limit" in done.stderr
    assert list(tmp_path.iterdir()) == []


# ------------------------------------------------------------------ what a build finds around it

BUILD = "import sys, analysis.cli; sys.argv = ['analysis', 'site', 'build']; analysis.cli.main()"


def built(root: Path, **environment: str) -> str:
    """Build in a process of its own and return what it said."""
    done = python(BUILD, "", root, **environment)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Warning" not in done.stderr, done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def reference(tmp_path_factory: pytest.TempPathFactory, executed_once: Project) -> Project:
    """A small project built in peace; not to be changed."""
    root = tmp_path_factory.mktemp("reference")
    project = type(executed_once)(root)
    for name in ("_quarto.yml", "requirements.lock", "assets", "data", "src", "notebooks"):
        source = executed_once.root / name
        copy = shutil.copytree if source.is_dir() else shutil.copy
        copy(source, root / name)
    complete(project)
    shutil.copytree(root, root.with_name("sources"))
    built(root)
    return project


def windows_line_ends(root: Path) -> None:
    """Check the sources out as Git on Windows would without .gitattributes."""
    for path in [*root.rglob("*.*")]:
        if path.is_file():
            path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))


def future(root: Path) -> None:
    """Date every file in 2040, as after a clock that was ahead and is set back."""
    for path in root.rglob("*"):
        os.utime(path, (2.2e9, 2.2e9))


def exchange(root: Path) -> None:
    """Build, then put the executed copy of one notebook in the place of another's."""
    built(root)
    first, second = sorted((root / "build" / "cache").glob("*.ipynb"))
    first.write_bytes(second.read_bytes())
    shutil.rmtree(root / "reports")


def nothing(root: Path) -> None:
    """Change nothing."""


SURROUNDINGS: dict[str, tuple[str, Callable[[Path], None], dict[str, str]]] = {
    "a locale without UTF-8": (
        "c",
        nothing,
        {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
    ),
    "a path with spaces and Chinese characters": ("a b/村庄 与 农户", nothing, {}),
    "Windows line ends": ("crlf", windows_line_ends, {}),
    "a clock set back": ("clock", future, {}),
    "the executed copy of another notebook": ("exchange", exchange, {}),
}


@pytest.mark.parametrize("name", SURROUNDINGS)
def test_a_build_gives_the_same_bytes_in_strange_surroundings(
    name: str, tmp_path: Path, reference: Project
) -> None:
    place, prepare, environment = SURROUNDINGS[name]
    root = tmp_path / place
    shutil.copytree(reference.root.with_name("sources"), root)
    prepare(root)
    built(root, **environment)
    assert content(root, ["reports"]) == content(reference.root, ["reports"])
    assert "pages as they were" in built(root, **environment)


@pytest.mark.parametrize("time", ["yesterday", "-1", "1.5"])
def test_a_time_that_is_none_is_a_fault(time: str, tmp_path: Path, executed: Project) -> None:
    done = python(BUILD, "", executed.root, SOURCE_DATE_EPOCH=time)
    assert (done.returncode, "Traceback" in done.stderr) == (1, False)
    assert f"SOURCE_DATE_EPOCH '{time}': not a time" in done.stderr


def test_a_missing_font_says_how_to_get_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mathfont, "SOURCE", tmp_path / "STIXTwoMath-Regular.ttf")
    with pytest.raises(FaultsError, match="the font of the formulas is missing; install"):
        mathfont.cached_subset("x", tmp_path)
