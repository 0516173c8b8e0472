"""Render a stage: with Quarto if it is on the path, with the embedded renderer otherwise."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import yaml

from analysis.faults import Fault, FaultsError
from analysis.site.environment import plain

DEFAULT_OUTPUT = "_site"

# Quarto goes on after each of these; a reader of the page would find "?@fig-x" or a dead link.
_FATAL = re.compile(
    r"unable to resolve|citeproc: citation|not found|duplicate|unknown shortcode|"
    r"could not (?:find|load|fetch)|\?\?|missing",
    re.IGNORECASE,
)
_WARNING = re.compile(r"^\W*(?:WARN(?:ING)?)\b", re.IGNORECASE)
_PAGE = re.compile(r"^\s*\[\s*\d+/\d+\]\s+(?P<page>\S+)")


@dataclass(frozen=True)
class Rendered:
    """What a renderer did.

    Attributes
    ----------
    renderer : str
        ``quarto`` or ``embedded``.
    pages : int
        How many HTML pages came out.
    notes : tuple of str
        What the embedded renderer noted.
    """

    renderer: str
    pages: int
    notes: tuple[str, ...] = ()


def quarto() -> str | None:
    """Return the path of ``quarto``, or None where there is none."""
    return shutil.which("quarto")


def output_folder(config: Path) -> str:
    """Return the output folder that ``_quarto.yml`` names, relative to its project."""
    content = yaml.safe_load(config.read_text(encoding="utf-8")) or {}
    return str((content.get("project") or {}).get("output-dir") or DEFAULT_OUTPUT)


def quarto_faults(log: str) -> tuple[Fault, ...]:
    """Return what Quarto only warned of but a published page must not have.

    Parameters
    ----------
    log : str
        All that ``quarto render`` printed.

    Examples
    --------
    >>> log = '''[1/2] index.qmd
    ... [2/2] pages/a.qmd
    ... WARNING (crossref.lua:7) Unable to resolve crossref @fig-none'''
    >>> for fault in quarto_faults(log):
    ...     print(fault)
    pages/a.qmd: Unable to resolve crossref @fig-none; correct it on this page
    """
    faults = []
    page = "_quarto.yml"
    for line in plain(log).splitlines():
        begun = _PAGE.match(line)
        if begun:
            page = begun["page"]
        elif _WARNING.match(line) and _FATAL.search(line):
            problem = re.sub(r"^\W*WARN(?:ING)?\]?:?\s*(?:\([^)]*\))?\s*", "", line, flags=re.I)
            faults.append(Fault(page, problem.strip(), "correct it on this page"))
    return tuple(dict.fromkeys(faults))


def quarto_environment(root: Path, epoch: str) -> Mapping[str, str]:
    """Return the environment for Quarto: its hooks find this interpreter and this project."""
    return {
        **os.environ,
        "ANALYSIS_ROOT": str(root),
        "SOURCE_DATE_EPOCH": epoch,
        "QUARTO_PYTHON": sys.executable,
        "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")]),
        "PYTHONPATH": os.pathsep.join(
            [str(root / "src"), *filter(None, [os.environ.get("PYTHONPATH")])]
        ),
        "NO_COLOR": "1",
    }


def render(root: Path, stage: Path, out: Path, epoch: str) -> Rendered:
    """Render a stage into a folder that did not exist before.

    Parameters
    ----------
    root : Path
        The project folder.
    stage : Path
        The staged project.
    out : Path
        Where the site goes; what is there is replaced.
    epoch : str
        Seconds, for ``SOURCE_DATE_EPOCH``.

    Raises
    ------
    FaultsError
        If the renderer fails, or Quarto warns of something a reader would stumble on.
    """
    shutil.rmtree(out, ignore_errors=True)
    program = quarto()
    notes: tuple[str, ...] = ()
    if program:
        _render_quarto(program, root, stage, out, epoch)
    else:
        from analysis.site.embedded import render_project

        with source_date(epoch):
            notes = render_project(stage, out).warnings
    return Rendered("quarto" if program else "embedded", len(list(out.rglob("*.html"))), notes)


def _render_quarto(program: str, root: Path, stage: Path, out: Path, epoch: str) -> None:
    """Run ``quarto render`` in the stage and move what it made."""
    made = stage / output_folder(stage / "_quarto.yml")
    shutil.rmtree(made, ignore_errors=True)
    done = subprocess.run(
        [program, "render"],
        cwd=stage,
        env=quarto_environment(root, epoch),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        encoding="utf-8",
        errors="replace",
        check=False,
    )
    faults = list(quarto_faults(done.stdout))
    if done.returncode:
        end = "\n".join(plain(done.stdout).splitlines()[-20:])
        problem = f"quarto render failed (exit code {done.returncode}):\n{end}\n"
        faults.append(Fault("_quarto.yml", problem, "correct what it names"))
    elif not made.is_dir():
        fault = Fault("_quarto.yml", "quarto render made no site", "look at project.output-dir")
        faults.append(fault)
    if faults:
        raise FaultsError(faults)
    out.parent.mkdir(parents=True, exist_ok=True)
    made.replace(out)


@contextmanager
def source_date(epoch: str) -> Iterator[None]:
    """Set ``SOURCE_DATE_EPOCH`` for a while: pandoc and the embedded renderer date pages by it."""
    before = os.environ.get("SOURCE_DATE_EPOCH")
    os.environ["SOURCE_DATE_EPOCH"] = epoch
    try:
        yield
    finally:
        if before is None:
            os.environ.pop("SOURCE_DATE_EPOCH", None)
        else:
            os.environ["SOURCE_DATE_EPOCH"] = before
