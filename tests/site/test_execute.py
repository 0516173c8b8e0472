"""Notebooks run when they must, and only then; what ran is kept whatever happens next."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from analysis.faults import FaultsError
from analysis.site import execute as execution
from analysis.site import progress
from analysis.site.environment import plain
from analysis.site.kernel import CellError, inline_expressions
from analysis.site.notebooks import parsed

if TYPE_CHECKING:
    from conftest import Project, Watch


def no_kernels(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("a kernel was started")

    monkeypatch.setattr("analysis.site.kernel.kernel_manager", refuse)


def test_outputs_inline_values_and_findings_are_in_one_file(executed: Project) -> None:
    report = executed.execute()
    first = report.notebooks[0]
    [setup, prose] = parsed(first.path.read_text())["cells"]
    assert setup["outputs"] == [{"output_type": "stream", "name": "stdout", "text": "a\nb\n"}]
    assert [
        (found["expression"], found["result"]["data"]["text/plain"])
        for found in prose["metadata"]["user_expressions"]
    ] == [("total", "6"), ("total * 2", "12")]
    assert [(found["id"], found["value"]) for found in first.findings] == [("total", 6.0)]
    assert report.notebooks[1].findings == []


def test_nothing_changed_starts_no_kernel(
    executed: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    no_kernels(monkeypatch)
    executed.write("assets/site.css", "body { color: red }\n")
    executed.write("src/analysis/site/__init__.py", "CHANGED = 1\n")
    report = executed.execute()
    assert (report.executed, report.cached, report.notes) == (0, 2, ())


def test_one_notebook_changed_runs_one_and_prunes_its_old_copy(executed: Project) -> None:
    before = executed.cache()
    executed.notebook("02-second", "2 + 2")
    report = executed.execute()
    assert (report.executed, report.cached) == (1, 1)
    after = executed.cache()
    assert [name.split(".")[0] for name in after] == ["01-first", "02-second"]
    assert before[0] == after[0] and before[1] != after[1]


def test_a_changed_module_runs_who_imports_it(executed: Project) -> None:
    executed.write("src/analysis/money.py", "RATE = 4\n")
    report = executed.execute()
    assert [notebook.cached for notebook in report.notebooks] == [False, True]
    assert report.notebooks[0].findings[0]["value"] == 8


def test_the_same_notebook_twice_is_the_same_file(executed: Project) -> None:
    cache = executed.root / execution.CACHE
    before = {name: (cache / name).read_bytes() for name in executed.cache()}
    for name in before:
        (cache / name).unlink()
    executed.execute()
    assert {name: (cache / name).read_bytes() for name in executed.cache()} == before


def test_notebooks_are_only_read(executed: Project) -> None:
    folder = executed.root / "notebooks"
    before = {path: path.read_bytes() for path in sorted(folder.iterdir())}
    for path in executed.cache():
        (executed.root / execution.CACHE / path).unlink()
    folder.chmod(0o555)
    try:
        executed.execute()
    finally:
        folder.chmod(0o755)
    assert {path: path.read_bytes() for path in sorted(folder.iterdir())} == before


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (lambda text: text[: len(text) // 2], "cannot be read"),
        (lambda text: text.replace('"6"', '"7"'), "its content was changed"),
        (lambda text: "[]", "cannot be read"),
        (lambda text: text.replace('"digest": "', '"digest": "0'), "its key is another one"),
    ],
)
def test_a_corrupt_cache_entry_runs_again_with_a_note(
    executed: Project, watch: Watch, damage: Any, said: str
) -> None:
    target = executed.root / execution.CACHE / executed.cache()[0]
    whole = target.read_text()
    target.write_text(damage(whole))
    report = executed.execute(watch)
    assert (report.executed, report.cached) == (1, 1)
    assert said in report.notes[0] and report.notes[0].startswith("build/cache/01-first.")
    assert watch.notes == list(report.notes)
    assert target.read_text() == whole


def test_each_panel_keeps_its_copy_and_other_notebooks_stay(
    executed: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    executed.notebook("02-second", "import os\nprint(os.environ.get('PANEL'))")
    executed.write("one.csv", "a\n")
    executed.write("two.csv", "a\n")

    def ran(panel: str) -> list[str]:
        monkeypatch.setenv("PANEL", panel)
        return [found.name for found in executed.execute().notebooks if not found.cached]

    second = ["notebooks/02-second.ipynb"]
    assert [ran(panel) for panel in ("", "one.csv", "two.csv")] == [second] * 3
    assert [ran(panel) for panel in ("", "one.csv", "two.csv")] == [[]] * 3
    assert len(executed.cache()) == 4
    executed.write("one.csv", "b\n")
    assert (ran("one.csv"), ran("two.csv"), ran("")) == (second, [], [])
    assert len(executed.cache()) == 4
    (executed.root / "notebooks" / "02-second.ipynb").unlink()
    assert ran("") == []
    assert [name.split(".")[0] for name in executed.cache()] == ["01-first"]


def test_a_removed_notebook_leaves_the_cache(executed: Project) -> None:
    (executed.root / "notebooks" / "02-second.ipynb").unlink()
    executed.execute()
    assert [name.split(".")[0] for name in executed.cache()] == ["01-first"]


def test_a_failing_cell_names_notebook_cell_line_and_keeps_the_rest(
    executed: Project, watch: Watch
) -> None:
    old = executed.cache()
    executed.notebook("01-first", "1", "y = 0\n1 / y")
    executed.notebook("02-second", "import time; time.sleep(0.6)")
    with pytest.raises(CellError) as raised:
        executed.execute(watch)
    text = str(raised.value)
    first = text.splitlines()[0]
    assert first.startswith("notebooks/01-first.ipynb [cell 2, line 2] '1 / y'")
    assert "ZeroDivisionError: division by zero" in first
    assert "----> 2 1 / y" in text and "\x1b[" not in text
    assert "\x1b[" in raised.value.traceback
    # Said while the other one still ran; that one was finished and kept, old copies stay.
    assert any("----> 2" in plain(note) for note in watch.notes)
    assert watch.finished == ["notebooks/02-second.ipynb"]
    assert old[0] in executed.cache() and len(executed.cache()) == 2


def test_after_a_failure_no_further_notebook_starts(project: Project, watch: Watch) -> None:
    project.notebook("01-first", "raise ValueError('no')")
    with pytest.raises(FaultsError):
        project.execute(watch, parallel=1)
    assert watch.started == ["notebooks/01-first.ipynb"]
    assert project.cache() == []


def test_two_failing_notebooks_are_both_told(project: Project) -> None:
    project.notebook("01-first", "first")
    project.notebook("02-second", "def f(:")
    with pytest.raises(FaultsError) as raised:
        project.execute()
    assert len(raised.value.faults) == 2
    assert "NameError" in str(raised.value) and "SyntaxError" in str(raised.value)


def test_failing_inline_values_come_together(project: Project) -> None:
    project.notebook(
        "01-first",
        "md:Too soon: `{python} x`.",
        "from analysis.findings import Noted\nx = Noted(1)",
        "md:Now `{python} x`, but `{python} x.nope`, `{python} 1 +` and `{python} 7`.",
    )
    with pytest.raises(FaultsError) as raised:
        project.execute()
    faults = raised.value.faults
    assert [(fault.column, fault.value) for fault in faults] == [
        ("cell 1", "x"),
        ("cell 3", "x.nope"),
        ("cell 3", "1 +"),
        ("cell 3", "7"),
    ]
    assert "NameError" in faults[0].problem and "AttributeError" in faults[1].problem
    assert "where it comes from" in faults[3].problem
    assert all(fault.file == "notebooks/01-first.ipynb" for fault in faults)


def test_a_dying_kernel_is_told(project: Project) -> None:
    project.notebook("01-first", "1", "import os; os._exit(3)")
    (project.root / "notebooks" / "02-second.ipynb").unlink()
    with pytest.raises(FaultsError, match="the kernel died") as raised:
        project.execute()
    assert raised.value.faults[0].column == "cell 2"


def test_expected_errors_are_outputs(project: Project) -> None:
    path = project.notebook("01-first", "1 / 0")
    content = json.loads(path.read_text())
    content["cells"][0]["metadata"] = {"tags": ["raises-exception"]}
    path.write_text(json.dumps(content))
    [first, _] = project.execute().notebooks
    assert first.content["cells"][0]["outputs"][0]["ename"] == "ZeroDivisionError"


def test_the_kernel_is_this_interpreter_in_a_fixed_environment(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(project.root / "no" / "such" / "home"))
    monkeypatch.setenv("PYTHONHASHSEED", "7")
    monkeypatch.setenv("JUPYTER_PATH", str(project.root / "nothing"))
    project.notebook(
        "01-first",
        "import os, sys, analysis\n"
        "names = ['PYTHONHASHSEED', 'MPLBACKEND', 'OMP_NUM_THREADS', 'POLARS_MAX_THREADS',\n"
        "         'OPENBLAS_NUM_THREADS', 'TZ', 'POLARS_ENGINE_AFFINITY']\n"
        "print([os.environ[name] for name in names], os.environ['SOURCE_DATE_EPOCH'])\n"
        "print(sys.executable, os.getcwd(), analysis.__file__, sep='\\n')",
    )
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1700000000")
    text = project.execute().notebooks[0].content["cells"][0]["outputs"][0]["text"].splitlines()
    assert text[0] == "['0', 'agg', '1', '1', '1', 'UTC', 'in-memory'] 1700000000"
    assert text[1] == sys.executable
    assert Path(text[2]).samefile(project.root)
    assert Path(text[3]).samefile(project.root / "src/analysis/__init__.py")


def test_a_temporary_folder_with_a_long_name(
    project: Project, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    folder = project.root / ("long" * 30)
    folder.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(folder))
    assert project.execute().executed == 2
    assert list(folder.iterdir()) == []
    assert capfd.readouterr() == ("", "")


PATIENCE = 300
"""Seconds for what takes one or two where nothing else runs."""
INTERRUPTED = """
import sys
from pathlib import Path
from analysis.site import execute, progress

try:
    execute.execute(Path(sys.argv[1]), parallel=1, watch=progress.Lines())
except KeyboardInterrupt:
    print("interrupted", flush=True)
"""


@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM", "SIGKILL"])
def test_an_interrupted_run_resumes(project: Project, watch: Watch, name: str) -> None:
    project.notebook(
        "02-second",
        "import os, time\nopen('pid', 'w').write(str(os.getpid()))\ntime.sleep(60)",
    )
    script = project.write("run.py", INTERRUPTED)
    run = subprocess.Popen(
        [sys.executable, script, project.root],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    mark = project.root / "pid"
    wait_until(lambda: mark.exists() and mark.read_text() != "")
    run.send_signal(getattr(signal, name))
    out, err = run.communicate(timeout=PATIENCE)
    assert "Traceback" not in err
    if name == "SIGINT":
        assert out.endswith("interrupted\n")
    if name == "SIGTERM":
        assert run.returncode == 128 + signal.SIGTERM
    # Its kernel ends with it, however it ended.
    wait_until(lambda: not alive(int(mark.read_text())))
    assert [entry.split(".")[0] for entry in project.cache()] == ["01-first"]
    project.notebook("02-second", "1")
    report = project.execute(watch)
    assert (report.executed, report.cached) == (1, 1)
    assert watch.started == ["notebooks/02-second.ipynb"]


def wait_until(condition: Any, seconds: float = PATIENCE) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "waited too long"
        time.sleep(0.05)


def alive(pid: int) -> bool:
    """Whether a process still runs; a zombie nobody waited for does not."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state != "Z"


@pytest.mark.parametrize(
    ("text", "row", "said"),
    [
        ('{\n "cells": [}', 2, "not a notebook"),
        ("[]", None, "no list of cells"),
        ('{"cells": [], "nbformat": 4, "nbformat_minor": 4, "metadata": {}}', None, "have no ids"),
        (
            '{"cells": [{"cell_type": "code", "id": "a"}], "nbformat": 4, "nbformat_minor": 5,'
            ' "metadata": {}}',
            None,
            "not a valid notebook",
        ),
        (
            '{"cells": [{"cell_type": "raw", "id": "a", "metadata": {}, "source": ""},'
            ' {"cell_type": "raw", "id": "a", "metadata": {}, "source": ""}],'
            ' "nbformat": 4, "nbformat_minor": 5, "metadata": {}}',
            None,
            "'a': two cells have one id",
        ),
    ],
)
def test_a_corrupt_notebook_is_named(
    project: Project, text: str, row: int | None, said: str
) -> None:
    project.write("notebooks/03-broken.ipynb", text)
    project.write("notebooks/04-broken.ipynb", text)
    with pytest.raises(FaultsError, match=said) as raised:
        project.execute()
    assert [(fault.file, fault.row) for fault in raised.value.faults] == [
        ("notebooks/03-broken.ipynb", row),
        ("notebooks/04-broken.ipynb", row),
    ]


def test_progress_counts_cells(project: Project, watch: Watch) -> None:
    project.execute(watch)
    assert (watch.cells, watch.advanced) == (3, 3)
    assert sorted(watch.finished) == ["notebooks/01-first.ipynb", "notebooks/02-second.ipynb"]


def test_lines_where_nobody_watches(capsys: pytest.CaptureFixture[str]) -> None:
    with progress.progress() as lines:
        lines.begin(3)
        lines.start("notebooks/01-a.ipynb")
        lines.advance()
        lines.finish("notebooks/01-a.ipynb", 1.234)
        lines.note("a note")
    assert capsys.readouterr().out.splitlines() == [
        "run       notebooks/01-a.ipynb",
        "done      notebooks/01-a.ipynb (1.2 s)",
        "a note",
    ]


def test_the_bar_survives_a_whole_run(capsys: pytest.CaptureFixture[str]) -> None:
    with progress.Bar() as bar:
        bar.begin(1)
        bar.start("a [b]")
        bar.advance()
        bar.finish("a [b]", 0.1)
    assert "done      a [b] (0.1 s)" in capsys.readouterr().out


def test_inline_expressions_as_quarto_reads_them() -> None:
    assert inline_expressions(
        "`{python} a` `{python}b` ``{python} c`` `{r} d`\n`{python} e[0]`"
    ) == ["a", "e[0]"]
