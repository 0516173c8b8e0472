"""Assemble a complete Quarto project out of pages and executed notebooks.

Both renderers read the stage, so both see the same text. Notebooks are *dressed* on the way: alt
text becomes a cell option, data and image become downloads with links below the figure.
"""

from __future__ import annotations

import json
import os
import re
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl
import yaml

from analysis import changes, findings
from analysis.benchmarks import timings
from analysis.faults import Fault, FaultsError, raise_if_any
from analysis.files import (
    digest_files,
    digest_of,
    files_below,
    read_sealed,
    write_if_changed,
    write_sealed,
)
from analysis.methods import api, pages, proof, registry
from analysis.site import (
    changes_page,
    cite,
    datasets,
    findings_page,
    glossary,
    languages,
    quarto_project,
    refused,
    sources_page,
    summary,
)
from analysis.site import notebooks as notebook_files
from analysis.site.annotate import dress, taken_twice, title_of
from analysis.site.digest import BROUGHT, source_of
from analysis.site.environment import commit_time
from analysis.site.execute import Executed
from analysis.site.exhibit_menu import Exhibits, menus_of, with_menus
from analysis.site.stored_notebooks import marked

STAGE = Path("build") / "stage"
CONFIG = "_quarto.yml"
VARIABLES = "_variables.yml"
VALUES = "_values.json"
PACK_PAGE = rb"(?m)^([ \t]*)- notebooks/18-your-pack.ipynb$"
STORED_PAGES = b'    - "notebooks/data/*.ipynb"'
FINISH = b"python -m analysis.site.postprocess"
GENERATED = ("finding", "zh", "benchmark")
GENERATED_PAGES = Path("build") / "generated.json"
CHANGELOG = "CHANGELOG.md"
BENCHMARKS = Path("reports") / "benchmarks.csv"
FINDINGS_DATA = "downloads/findings.csv"
# What a page is made of; everything else in the project stays out of the stage.
ROOT_PATTERNS = (CONFIG, "*.qmd", "*.bib", "*.csl", "_metadata.yml")
FOLDERS = ("pages", "zh", "assets", "_extensions")
# Quarto keeps its own state in the stage; it is left alone.
OTHERS = (".quarto", "_freeze", "site_libs")


@dataclass(frozen=True)
class StageReport:
    """What one call of `stage` made.

    Attributes
    ----------
    folder : Path
        The stage.
    files : tuple of str
        Every file in it, relative.
    written : tuple of str
        Those whose content changed.
    removed : tuple of str
        Those no longer wanted.
    records : tuple of dict
        All findings, each id once, in reading order.
    digest : str
        One digest over names and contents.
    """

    folder: Path
    files: tuple[str, ...]
    written: tuple[str, ...]
    removed: tuple[str, ...]
    records: tuple[dict[str, Any], ...]
    digest: str


# -------------------------------------------------------------------------------------- findings


def unique_records(notebooks: Iterable[Executed]) -> tuple[dict[str, Any], ...]:
    """Return the findings of all notebooks, each id once, in reading order.

    Raises
    ------
    FaultsError
        If an id stands for different values.
    """
    kept: dict[str, tuple[str, dict[str, Any]]] = {}
    faults = []
    for notebook in notebooks:
        for record in notebook.findings:
            identity = str(record["id"])
            if identity not in kept:
                kept[identity] = (notebook.name, record)
                continue
            first, known = kept[identity]
            # Two pages may print one finding; where it was recorded is no difference.
            differing = [
                key
                for key in sorted((known.keys() | record.keys()) - {"page", "cell"})
                if known.get(key) != record.get(key)
            ]
            if differing:
                faults.append(
                    Fault(
                        notebook.name,
                        f"this finding is another one in {first} ({', '.join(differing)} differ)",
                        "give one of them its own id",
                        column="finding",
                        value=identity,
                    )
                )
    raise_if_any(faults)
    return tuple(record for _, record in kept.values())


def findings_csv(records: Sequence[dict[str, Any]]) -> bytes:
    """Return the findings as the table that is committed and offered for download."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "findings.csv"
        findings.write_csv(list(records), path)
        return path.read_bytes()


def generated_pages(root: Path, notebooks: Sequence[Executed]) -> dict[str, bytes]:
    """Return generated pages, the variables and the table of findings."""
    records = unique_records(notebooks)
    by_name = _described(root, notebooks)
    variables: dict[str, Any] = {}
    own = quarto_project.own_variables(root)
    if own:
        variables = yaml.safe_load(own) or {}
        for name in GENERATED:
            if name in variables:
                remedy = "rename it: its values are generated"
                raise FaultsError([Fault(VARIABLES, f'the name "{name}" is taken', remedy)])
    variables["finding"] = findings_page.variables(records)
    chinese: dict[str, str] = {}
    if (root / languages.FOLDER).is_dir():
        chinese = variables["zh"] = languages.values(records, languages.words(root))
    measured = root / BENCHMARKS
    if measured.is_file():
        variables["benchmark"] = timings.variables(measured)
    values = findings_page.values(records, chinese)
    text = yaml.dump(
        variables, Dumper=yaml.CSafeDumper, allow_unicode=True, sort_keys=True, width=10**6
    )
    return {
        **{name: page.encode() for name, page in by_name.items()},
        VARIABLES: text.encode(),
        VALUES: json.dumps(values, ensure_ascii=False, sort_keys=True, indent=1).encode(),
        FINDINGS_DATA: findings_csv(records),
        changes_page.LISTING: _changes(root, records).encode(),
    }


def _changes(root: Path, records: Sequence[Mapping[str, Any]]) -> str:
    """Return what the page of changes includes."""
    notes, moved = root / CHANGELOG, root / "data" / changes.FILE
    return changes_page.listing(
        notes.read_text(encoding="utf-8") if notes.is_file() else "",
        changes.load(moved) if moved.is_file() else pl.DataFrame(),
        {str(record["id"]): str(record["page"]) for record in records},
    )


def _described(root: Path, notebooks: Sequence[Executed]) -> dict[str, str]:
    """Return findings, methods, decisions and reference; from the last build if nothing changed."""
    code = [
        path
        for name in ("src", "tests")
        for path in files_below(root / name)
        if path.suffix in (".py", ".j2")
    ]
    by_page = {Path(executed.name).stem: executed.findings for executed in notebooks}
    about = {
        Path(executed.name).stem: findings_page.Notebook(
            executed.name, sources_page.cells_of(executed.content)
        )
        for executed in notebooks
    }
    cells = {page: [source_of(cell) for cell in each.cells] for page, each in about.items()}
    parts = {
        "code": digest_files(root, [*code, *pages.inputs(root)]),
        "findings": json.dumps(by_page, sort_keys=True),
        "cells": json.dumps(cells, sort_keys=True),
    }
    key, kept = digest_of(parts), root / GENERATED_PAGES
    known = json.loads(read_sealed(kept) or b"{}")
    if known.get("key") == key:
        return dict(known["pages"])
    result = proof.read(root)
    methods = pages.links(registry.load(root)) if (root / registry.FOLDER).is_dir() else {}
    by_name = {
        **findings_page.pages(by_page, result, methods, about),
        **sources_page.pages(
            root, (str(r["function"]) for each in by_page.values() for r in each), result
        ),
        **api.pages(root, result),
        **pages.pages(root, result),
    }
    write_sealed(kept, json.dumps({"key": key, "pages": by_name}, ensure_ascii=False).encode())
    return by_name


# ----------------------------------------------------------------------------------------- stage


def page_files(root: Path) -> dict[str, bytes]:
    """Return the pages, assets and resources of a project by relative name."""
    paths = {path for pattern in ROOT_PATTERNS for path in root.glob(pattern) if path.is_file()}
    for folder in FOLDERS:
        paths.update(files_below(root / folder) if (root / folder).is_dir() else [])
    for pattern in _resources(root):
        for path in root.glob(pattern):
            paths.update(files_below(path) if path.is_dir() else [path])
    names = {path.relative_to(root).as_posix(): path for path in sorted(paths)}
    by_name = {
        n: path.read_bytes() for n, path in names.items() if not quarto_project.is_generated(n)
    }
    return {**by_name, CONFIG: staged_config(by_name[CONFIG])} if CONFIG in by_name else by_name


def staged_config(text: bytes) -> bytes:
    r"""Return the configuration for a stage, line by line as it is but for the hooks of the clone.

    Examples
    --------
    >>> print(staged_config(b"project:\n  pre-render: a.py\n  post-render: b.py\n").decode())
    project:
    <BLANKLINE>
      post-render: python -m analysis.site.postprocess
    <BLANKLINE>
    """
    if os.environ.get("PANEL"):
        # The page of the panel's effects, beside that of a pack.
        text = re.sub(PACK_PAGE, rb"\g<0>\n\1- notebooks/yours/your-effects.ipynb", text)
        text = text.replace(STORED_PAGES, STORED_PAGES + b'\n    - "notebooks/yours/*.ipynb"')
    bare = re.sub(rb"(?m)^[ \t]*(?:pre-render|ipynb-filters|filters):.*$", b"", text)
    return re.sub(rb"(?m)^([ \t]*post-render:).*$", rb"\1 " + FINISH, bare)


def _exhibits(notebook: Executed, source: cite.Source | None) -> Exhibits:
    """Return what is known of the figures and tables of a notebook."""
    kept = [r for r in notebook.findings if r["kind"] not in findings_page.NUMBERS]
    code = sources_page.cells_of(notebook.content)
    return Exhibits(
        {str(record["id"]): str(record["what"]) for record in kept},
        source,
        {str(record["id"]): sources_page.cell_of(record, code) for record in kept},
    )


def _config(root: Path) -> dict[str, Any]:
    """Return the content of ``_quarto.yml``."""
    try:
        config = yaml.safe_load((root / CONFIG).read_text(encoding="utf-8")) or {}
    except FileNotFoundError:
        fault = Fault(CONFIG, "the site has no configuration", "restore it from the repository")
        raise FaultsError([fault]) from None
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        problem = f"not YAML: {getattr(error, 'problem', None) or str(error).splitlines()[0]}"
        row = mark.line + 1 if mark else None
        raise FaultsError([Fault(CONFIG, problem, "correct this line", row=row)]) from None
    return config if isinstance(config, dict) else {}


def _resources(root: Path) -> list[str]:
    """Return the patterns under ``project.resources`` that stay inside the project."""
    text = (_config(root).get("project") or {}).get("resources") or []
    patterns = [text] if isinstance(text, str) else list(text)
    return [pattern for pattern in patterns if not pattern.startswith(("/", "!", "."))]


def data_files(
    root: Path,
    offered: Mapping[str, str],
    records: Sequence[dict[str, Any]],
    table: bytes,
    titles: Mapping[str, str] | None = None,
    addresses: Mapping[str, str] | None = None,
) -> dict[str, bytes]:
    """Return all data of the site for download, and the listing of them.

    Parameters
    ----------
    root : Path
        The project folder.
    offered : mapping of str to str
        Downloads of figures and tables by file name.
    records : sequence of dict
        All findings.
    table : bytes
        The same as a CSV file.
    titles : mapping of str to str, optional
        Titles of notebooks by name.
    addresses : mapping of str to str, optional
        Where the pages of notebooks stand in the site, by name.
    """
    what = "Every number, figure and table of the report, with its interval, rows and inputs"
    source = findings_page.INDEX.replace(".qmd", ".html")
    known = datasets.Dataset("findings", "findings", what, table, datasets.typed(table), source)
    result = [*datasets.committed(root), known, *datasets.exhibits(offered, records, addresses)]
    licence = root / "LICENSE-DATA"
    return datasets.files(result, licence.read_bytes() if licence.is_file() else b"", titles)


def stage(root: Path, notebooks: Sequence[Executed], folder: Path | None = None) -> StageReport:
    """Bring the stage up to date; only files whose content changed are written.

    Parameters
    ----------
    root : Path
        The project folder.
    notebooks : sequence of Executed
        The executed copies.
    folder : Path, optional
        The stage; ``build/stage`` if left out.

    Raises
    ------
    FaultsError
        If a figure has no alt text, a label or a finding id is taken twice with different
        content, or ``_quarto.yml`` is broken.
    """
    folder = folder or root / STAGE
    wanted = page_files(root)
    written_by_hand = {name: wanted[name] for name in summary.FILES if name in wanted}
    if CONFIG in wanted:
        text = cite.configured(wanted[CONFIG].decode(), cite.address(root))
        wanted[CONFIG] = text.encode()
    faults = [
        fault
        for name, page in wanted.items()
        if name.endswith(".qmd")
        for fault in refused.page_faults(page.decode(), name)
    ]
    wanted |= glossary.staged(wanted)
    source = cite.read(root, commit_time(root))
    dressed = {
        notebook.name: dress(marked(notebook.content), notebook.name, _exhibits(notebook, source))
        for notebook in notebooks
    }
    faults += [fault for item in dressed.values() for fault in item.faults]
    for notebook in notebooks:
        faults += refused.notebook_faults(notebook.content, notebook.name)
    for name, item in dressed.items():
        for file, offered in item.downloads.items():
            if f"downloads/{file}" in wanted:
                faults.append(taken_twice(name, "", Path(file).stem))
            wanted[f"downloads/{file}"] = offered.encode()
    try:
        records = unique_records(notebooks)
    except FaultsError as error:
        raise FaultsError([*faults, *error.faults]) from None
    contents = {name: item.content for name, item in dressed.items()}
    menus = {label: menu for each in contents.values() for label, menu in menus_of(each).items()}
    for name, page in wanted.items():
        if name.endswith(".qmd"):
            wanted[name] = with_menus(page.decode(), menus).encode()
    for content in contents.values():
        for cell in content["cells"]:
            if cell["cell_type"] == "markdown":
                cell["source"] = with_menus(source_of(cell), menus)
    brought = any(os.environ.get(name) for name in BROUGHT)
    translated, changed = languages.staged(wanted, contents, records, brought=brought)
    wanted |= translated
    for name, content in (contents | changed).items():
        text = notebook_files.written(content)
        wanted[name] = text.encode()
        if str(root) in text:
            remedy = "print a path relative to the project, or mend the warning that names it"
            problem = "an output names the folder of this project on this machine"
            faults.append(Fault(name, problem, remedy, value=str(root)))
    raise_if_any(faults)
    wanted |= generated_pages(root, notebooks)
    values = json.loads(wanted[VALUES])
    wanted |= summary.documents(written_by_hand, values, commit_time(root))
    tables = {name: text for item in dressed.values() for name, text in item.downloads.items()}
    titles = {
        Path(name).stem: title for name, content in contents.items() if (title := title_of(content))
    }
    addresses = {Path(name).stem: name.replace(".ipynb", ".html") for name in contents}
    wanted |= data_files(root, tables, records, wanted[FINDINGS_DATA], titles, addresses)
    written = [name for name in sorted(wanted) if write_if_changed(folder / name, wanted[name])]
    removed = _remove_others(folder, wanted.keys())
    return StageReport(
        folder, tuple(sorted(wanted)), tuple(written), removed, records, digest_of(wanted)
    )


def _remove_others(folder: Path, wanted: Iterable[str]) -> tuple[str, ...]:
    """Delete files of earlier stages that are no longer wanted, and folders left empty."""
    kept = set(wanted)
    removed = []
    for path in files_below(folder):
        name = path.relative_to(folder).as_posix()
        if name not in kept and name.split("/")[0] not in OTHERS:
            path.unlink()
            removed.append(name)
    for path in sorted(folder.rglob("*"), reverse=True):
        if path.is_dir() and not any(path.iterdir()):
            path.rmdir()
    return tuple(removed)
