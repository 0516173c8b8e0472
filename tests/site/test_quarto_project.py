"""The clone as a Quarto project: the hooks run alone, and what they leave beside the sources."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from analysis import paths
from analysis.site import quarto_project
from analysis.site.project import read_project
from analysis.site.quarto_project import is_generated, key_of, prepare
from analysis.site.stage import page_files, stage, staged_config

if TYPE_CHECKING:
    from conftest import Project

TOOLS = paths.root() / "tools"


def files(root: Path) -> dict[str, bytes]:
    """Every file outside the folder of builds."""
    found = (p for p in root.rglob("*") if p.is_file() and "build" not in p.parts)
    return {p.relative_to(root).as_posix(): p.read_bytes() for p in found if p.suffix != ".pyc"}


def test_generated_files_stand_beside_the_sources_and_nothing_else_changes(
    executed: Project,
) -> None:
    before = files(executed.root)
    assert prepare(executed.root) > 0
    after = files(executed.root)
    new = after.keys() - before.keys()
    assert {name: after[name] for name in before} == before
    assert {"_variables.yml", "_values.json", "findings.qmd", "findings/01-first.qmd"} <= new
    assert all(is_generated(name) for name in new)
    assert prepare(executed.root) == 0


def test_what_was_generated_is_no_source(executed: Project) -> None:
    notebooks = executed.execute().notebooks
    digest = stage(executed.root, notebooks).digest
    sources = page_files(executed.root)
    prepare(executed.root)
    assert page_files(executed.root) == sources
    assert stage(executed.root, notebooks).digest == digest
    executed.write("findings/old.qmd", "---\ntitle: Old\n---\n")
    prepare(executed.root)
    assert not (executed.root / "findings/old.qmd").exists()


def test_variables_of_ones_own_stay(executed: Project) -> None:
    executed.write("_variables.yml", "version: 1.0\n")
    prepare(executed.root)
    assert (executed.root / "_variables.yml").read_text() == "version: 1.0\n"


def test_part_of_a_project_needs_nothing_new(
    executed: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[Path] = []
    monkeypatch.chdir(executed.root)
    monkeypatch.setattr(quarto_project, "prepare", lambda root: calls.append(root) or 0)
    monkeypatch.delenv(quarto_project.WHOLE, raising=False)
    assert quarto_project.main() == 0 and len(calls) == 1  # nothing is there yet
    executed.write("_variables.yml", quarto_project.MARK)
    assert quarto_project.main() == 0 and len(calls) == 1
    monkeypatch.setenv(quarto_project.WHOLE, "1")
    assert quarto_project.main() == 0 and len(calls) == 2


def test_git_ignores_all_that_is_generated() -> None:
    if not (paths.root() / ".git").exists() or shutil.which("git") is None:
        pytest.skip("no repository")
    names = [
        *quarto_project.GENERATED_FILES,
        *(f"{f}/x.qmd" for f in quarto_project.GENERATED_FOLDERS),
    ]
    names += ["reports/quarto/index.html", ".quarto/x", "notebooks/a.quarto_ipynb"]
    command = ["git", "check-ignore", *names]
    done = subprocess.run(command, cwd=paths.root(), capture_output=True, text=True, check=False)
    assert set(names) == set(done.stdout.split())


def test_the_project_file_names_hooks_that_are_there_and_a_stage_has_none() -> None:
    text = (paths.root() / "_quarto.yml").read_bytes()
    for name in (b"prepare", b"finish", b"notebook"):
        assert b"tools/quarto_" + name + b".py" in text
        assert (TOOLS / f"quarto_{name.decode()}.py").is_file()
    staged = staged_config(text)
    assert b"tools/" not in staged and staged.count(b"\n") == text.count(b"\n")
    assert read_project(paths.root()).title


# -------------------------------------------------------------------------------------- the hooks


def clone(folder: Path) -> Path:
    """A folder with the tools and nothing else."""
    (folder / "tools").mkdir(parents=True)
    for path in TOOLS.glob("quarto_*.py"):
        shutil.copy(path, folder / "tools")
    (folder / "_quarto.yml").write_text("project: {type: website}\n")
    return folder


def hook(root: Path, name: str, **around: str) -> subprocess.CompletedProcess[str]:
    environment = {k: v for k, v in os.environ.items() if k != "VENV"} | around
    command = [sys.executable, root / "tools" / name]
    return subprocess.run(
        command, cwd=root, env=environment, capture_output=True, text=True, check=False
    )


@pytest.mark.parametrize("name", ["quarto_prepare.py", "quarto_finish.py"])
def test_without_set_up_a_hook_says_so_in_one_line(tmp_path: Path, name: str) -> None:
    done = hook(clone(tmp_path), name)
    assert done.returncode == 1
    [line] = done.stderr.splitlines()
    assert "make report" in line and "not set up" in line


@pytest.mark.skipif(sys.platform == "win32", reason="the stand-in is a shell script")
@pytest.mark.parametrize(
    ("name", "module"),
    [
        ("quarto_prepare.py", "analysis.site.quarto_project"),
        ("quarto_finish.py", "analysis.site.postprocess"),
    ],
)
def test_a_hook_hands_over_to_the_environment_of_the_project(
    tmp_path: Path, name: str, module: str
) -> None:
    root = clone(tmp_path)
    python = root / ".venv" / "bin" / "python"
    python.parent.mkdir(parents=True)
    python.write_text('#!/bin/sh\necho "$@ $ANALYSIS_ROOT $PYTHONPATH"\nexit 7\n')
    python.chmod(0o755)
    done = hook(root, name, PYTHONPATH="elsewhere")
    assert done.returncode == 7
    assert done.stdout.split() == ["-m", module, str(root), f"{root / 'src'}{os.pathsep}elsewhere"]


def notebook(*outputs: dict[str, Any]) -> dict[str, Any]:
    code = {
        "cell_type": "code",
        "id": "a",
        "metadata": {},
        "source": ["x = 1\n", "'中'"],
        "outputs": list(outputs),
        "execution_count": None,
    }
    return {"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": [code]}


def filtered(root: Path, content: dict[str, Any]) -> tuple[str, str]:
    """Run the filter as Quarto does: in the folder of the notebook."""
    folder = root / "notebooks" / "data"
    folder.mkdir(parents=True, exist_ok=True)
    done = subprocess.run(
        [sys.executable, root / "tools" / "quarto_notebook.py"],
        cwd=folder,
        input=json.dumps(content).encode(),
        capture_output=True,
        check=True,
    )
    return done.stdout.decode(), done.stderr.decode()


def test_the_filter_hands_over_the_executed_copy(tmp_path: Path) -> None:
    root, source = clone(tmp_path), notebook()
    text, note = filtered(root, source)
    assert json.loads(text) == source and "--execute" in note
    (root / "build/quarto").mkdir(parents=True)
    (root / "build/ran.ipynb").write_text("the executed copy 中", encoding="utf-8")
    (root / quarto_project.INDEX).write_text(json.dumps({key_of(source): "build/ran.ipynb"}))
    assert filtered(root, source) == ("the executed copy 中", "")
    printed = notebook({"output_type": "stream", "name": "stdout", "text": "1"})
    assert json.loads(filtered(root, printed)[0]) == printed


def test_the_copies_are_found_by_the_cells_of_their_notebook(executed: Project) -> None:
    prepare(executed.root)
    index = json.loads((executed.root / quarto_project.INDEX).read_text())
    source = json.loads((executed.root / "notebooks/01-first.ipynb").read_text())
    assert index[key_of(source)] == "build/stage/notebooks/01-first.ipynb"
