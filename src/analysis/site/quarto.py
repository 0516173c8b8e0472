"""Render with Quarto where it is on the path: pages that changed, with progress.

Quarto gets a stage of its own, in which technical pages (records, sources, reference) are left out
and links to them lead to the finished page: they need nothing of Quarto, so the embedded renderer
makes them for both sites. What Quarto made of the other pages is kept between builds.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path

import yaml

from analysis.faults import Fault, FaultsError
from analysis.files import digest_of, files_below, write_atomic, write_if_changed
from analysis.site.embedded.markup import output_path
from analysis.site.embedded.source import SHORTCODE, lookup, read_variables
from analysis.site.environment import plain
from analysis.site.project import read_project

DEFAULT_OUTPUT = "_site"
STAGE = Path("build") / "quarto" / "stage"
STATE = Path("build") / "quarto" / "pages.json"
TECHNICAL = ("findings/", "source/", "reference/")
"""Folders of pages that need nothing of Quarto; their index pages stand in the navigation."""
MOST = 8
"""Pages rendered one by one; with more of them changed the whole project is rendered."""
# Quarto keeps its own state and its output in the stage.
_KEPT = (".quarto", "_freeze", "site_libs")
_VALUES = ("_variables.yml", "_values.json")
_TEXT = (".qmd", ".ipynb", ".yml", ".json")
_LINK = re.compile(
    r"((?:\]\(|href=\\?\")(?:/|(?:\.\./)*)(?:findings|source|reference)/(?!index\.)[\w./-]+?)\.qmd\b"
)

# Quarto goes on after each of these; a reader of the page would find "?@fig-x" or a dead link.
_FATAL = re.compile(
    r"unable to resolve|citeproc: citation|not found|duplicate|unknown shortcode|"
    r"could not (?:find|load|fetch)|\?\?|missing",
    re.IGNORECASE,
)
_WARNING = re.compile(r"^\W*(?:WARN(?:ING)?)\b", re.IGNORECASE)
_PAGE = re.compile(r"^\s*\[\s*\d+/\d+\]\s+(?P<page>\S+)")


def program() -> str | None:
    """Return the path of ``quarto``, or None where there is none."""
    return shutil.which("quarto")


def is_technical(name: str) -> bool:
    """Say whether a page is made by the embedded renderer for both sites.

    Examples
    --------
    >>> is_technical("findings/01-claims.qmd"), is_technical("reference/index.qmd")
    (True, False)
    """
    return name.startswith(TECHNICAL) and not name.endswith("/index.qmd")


def output_folder(config: Path) -> str:
    """Return the output folder that ``_quarto.yml`` names, relative to its project."""
    content = yaml.safe_load(config.read_text(encoding="utf-8")) or {}
    return str((content.get("project") or {}).get("output-dir") or DEFAULT_OUTPUT)


def faults_of(log: str) -> tuple[Fault, ...]:
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
    >>> for fault in faults_of(log):
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


def environment(root: Path, epoch: str) -> Mapping[str, str]:
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


# ----------------------------------------------------------------------------------------- stage


def prepared(name: str, content: bytes) -> bytes:
    r"""Return a file of the stage as Quarto gets it.

    Examples
    --------
    >>> prepared("a.qmd", b"[3](/findings/01-claims.qmd#n) [all](/findings.qmd)").decode()
    '[3](/findings/01-claims.html#n) [all](/findings.qmd)'
    >>> config = b'render:\n  - "findings/*.qmd"\n  - "reference/*.qmd"\n'
    >>> prepared("_quarto.yml", config).decode()
    'render:\n\n  - reference/index.qmd\n'
    """
    if not name.endswith(_TEXT):
        return content
    text = _LINK.sub(r"\1.html", content.decode())
    if name == "_quarto.yml":
        text = re.sub(r'(?m)^\s*- "?(?:findings|source)/\*\.qmd"?$', "", text)
        text = re.sub(r'(?m)^(\s*- )"?reference/\*\.qmd"?$', r"\1reference/index.qmd", text)
    return text.encode()


def quarto_stage(stage: Path, folder: Path) -> None:
    """Bring Quarto's stage up to date; only what changed is written."""
    output = output_folder(stage / "_quarto.yml").split("/")[0]
    wanted = {
        path.relative_to(stage).as_posix(): path
        for path in files_below(stage)
        if not is_technical(path.relative_to(stage).as_posix())
    }
    for name, path in wanted.items():
        write_if_changed(folder / name, prepared(name, path.read_bytes()))
    for path in files_below(folder):
        name = path.relative_to(folder).as_posix()
        if name not in wanted and name.split("/")[0] not in (*_KEPT, output):
            path.unlink()


def digests(folder: Path, quarto: str) -> dict[str, str]:
    """Return a digest of all that each page depends on, by page.

    A page depends on itself, on the values it prints and the notebooks it embeds; and, with all
    others, on titles, settings, includes, styles and the program.
    """
    project, variables = read_project(folder), read_variables(folder)
    pages = project.pages()
    texts = {name: (folder / name).read_bytes() for name in pages}
    seen = Path(quarto).resolve().stat()
    shared = {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in files_below(folder)
        if not path.relative_to(folder).as_posix().startswith((*_KEPT, "downloads/"))
    }
    output = output_folder(folder / "_quarto.yml").split("/")[0]
    common = digest_of(
        {
            **{
                name: content
                for name, content in shared.items()
                if name not in texts and name not in _VALUES and name.split("/")[0] != output
            },
            "titles": json.dumps({name: _title(text) for name, text in texts.items()}),
            "program": f"{quarto} {seen.st_size} {seen.st_mtime_ns}",
        }
    )
    return {
        name: digest_of({"page": text, "common": common, **_used(text.decode(), folder, variables)})
        for name, text in texts.items()
    }


def _title(text: bytes) -> str:
    match = re.search(rb'^(?:\s*")?title:\s*(.*)$', text, re.MULTILINE)
    return match[1].decode() if match else ""


def _used(text: str, folder: Path, variables: Mapping[str, object]) -> dict[str, str | bytes]:
    """Return the values that a page prints and the notebooks that it embeds."""
    by_name: dict[str, str | bytes] = {}
    for match in SHORTCODE.finditer(text):
        words = match["body"].split()
        if words[:1] in (["var"], ["val"]) and len(words) == 2:
            both = [lookup(variables, f"_values.{lang}.{words[1]}") for lang in ("en", "zh")]
            by_name[match["body"]] = str(lookup(variables, words[1]) if words[0] == "var" else both)
        elif words[:1] == ["embed"] and len(words) == 2:
            name = words[1].partition("#")[0].lstrip("/")
            paths = [p for p in (folder / name, folder / "notebooks" / name) if p.is_file()]
            by_name[match["body"]] = paths[0].read_bytes() if paths else b""
    return by_name


# ---------------------------------------------------------------------------------------- render


def render(
    quarto: str,
    root: Path,
    stage: Path,
    epoch: str,
    say: Callable[[str], None] = lambda line: print(line, flush=True),
) -> Path:
    """Render what changed and return the folder with all pages; it is Quarto's own.

    Parameters
    ----------
    quarto : str
        The program.
    root, stage : Path
        The project folder, and its stage.
    epoch : str
        Seconds, for ``SOURCE_DATE_EPOCH``.
    say : callable
        Told each page that is begun.

    Raises
    ------
    FaultsError
        If Quarto fails, or warns of something a reader would stumble on.
    """
    folder = root / STAGE
    quarto_stage(stage, folder)
    path = folder / output_folder(folder / "_quarto.yml")
    before, now = _read_state(root) if path.is_dir() else {}, digests(folder, quarto)
    there = {name: (path / output_path(name)).is_file() for name in now}
    changed = [name for name in now if before.get(name) != now[name] or not there[name]]
    (root / STATE).unlink(missing_ok=True)
    whole = not before or len(changed) > MOST
    if whole:
        shutil.rmtree(path, ignore_errors=True)
    around = environment(root, epoch)
    for arguments in [[]] if whole else [[name] for name in changed]:
        _run([quarto, "render", *arguments], folder, around, say)
    if not path.is_dir():
        fault = Fault("_quarto.yml", "quarto render made no site", "look at project.output-dir")
        raise FaultsError([fault])
    for name in before.keys() - now.keys():
        (path / output_path(name)).unlink(missing_ok=True)
    _copy(folder / "downloads", path / "downloads")
    write_atomic(root / STATE, json.dumps(now, indent=1, sort_keys=True).encode())
    return path


def _read_state(root: Path) -> dict[str, str]:
    try:
        return dict(json.loads((root / STATE).read_text(encoding="utf-8")))
    except (OSError, ValueError):
        return {}


def _copy(source: Path, target: Path) -> None:
    """Make a folder of the site like that of the stage."""
    names = {path.relative_to(source) for path in files_below(source)} if source.is_dir() else set()
    for name in names:
        write_if_changed(target / name, (source / name).read_bytes())
    for path in files_below(target) if target.is_dir() else []:
        if path.relative_to(target) not in names:
            path.unlink()


def _run(
    command: Sequence[str], folder: Path, around: Mapping[str, str], say: Callable[[str], None]
) -> None:
    """Run Quarto, saying each page as it begins."""
    lines: list[str] = []
    with subprocess.Popen(
        command,
        cwd=folder,
        env=around,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        encoding="utf-8",
        errors="replace",
    ) as process:
        for line in process.stdout or ():
            lines.append(line)
            if _PAGE.match(plain(line)):
                say(f"quarto    {plain(line).strip()}")
    log = "".join(lines)
    faults = list(faults_of(log))
    if process.returncode:
        end = "\n".join(plain(log).splitlines()[-20:])
        problem = f"quarto render failed (exit code {process.returncode}):\n{end}\n"
        faults.append(Fault("_quarto.yml", problem, "correct what it names"))
    if faults:
        raise FaultsError(faults)


def join(pages: Path, technical: Path, out: Path) -> None:
    """Lay the technical pages beside those of Quarto; where both have a file, Quarto's stays."""
    shutil.copytree(pages, out)
    for path in _new(technical, out):
        target = out / path.relative_to(technical)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, target)


def _new(technical: Path, out: Path) -> Iterable[Path]:
    return (p for p in files_below(technical) if not (out / p.relative_to(technical)).exists())
