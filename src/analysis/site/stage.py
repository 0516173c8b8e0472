"""Assemble a complete Quarto project out of pages and executed notebooks.

Both renderers read the stage, so both see the same text. Notebooks are *dressed* on the way: alt
text becomes a cell option, data and image become downloads with links below the figure.
"""

from __future__ import annotations

import json
import re
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from analysis import findings
from analysis.faults import Fault, FaultsError, raise_if_any
from analysis.site import findings_page
from analysis.site.digest import source_of
from analysis.site.execute import Executed
from analysis.site.files import digest_of, files_below, write_if_changed

STAGE = Path("build") / "stage"
CONFIG = "_quarto.yml"
VARIABLES = "_variables.yml"
FINDINGS_PAGE = "findings.qmd"
FINDINGS_DATA = "downloads/findings.csv"
# What a page is made of; everything else in the project stays out of the stage.
ROOT_PATTERNS = (CONFIG, "*.qmd", "*.bib", "*.csl", "_metadata.yml")
FOLDERS = ("pages", "assets")
# Quarto keeps its own state in the stage; it is left alone.
OTHERS = (".quarto", "_freeze", "site_libs")

_OPTION = re.compile(r"^#\|\s?(.*)$")


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


@dataclass(frozen=True)
class Dressed:
    """A notebook as renderers get it, with what it offers for download.

    Attributes
    ----------
    content : dict
        The notebook.
    downloads : dict of str to str
        Texts by file name.
    faults : tuple of Fault
        What keeps it from being published.
    """

    content: dict[str, Any]
    downloads: dict[str, str] = field(default_factory=dict)
    faults: tuple[Fault, ...] = ()


# ----------------------------------------------------------------------------------------- dress


def split_options(source: str) -> tuple[list[str], list[str]]:
    r"""Return the ``#|`` lines at the top of a cell, and the rest.

    Examples
    --------
    >>> split_options("#| label: fig-a\nplot()")
    (['#| label: fig-a'], ['plot()'])
    """
    lines = source.split("\n")
    count = 0
    while count < len(lines) and _OPTION.match(lines[count]):
        count += 1
    return lines[:count], lines[count:]


def cell_options(source: str) -> dict[str, Any]:
    r"""Return the ``#|`` options of a cell.

    Raises
    ------
    yaml.YAMLError
        If they are not YAML.

    Examples
    --------
    >>> cell_options("#| label: fig-a\n#| renderings: [light, dark]\nplot()")
    {'label': 'fig-a', 'renderings': ['light', 'dark']}
    """
    lines, _ = split_options(source)
    found = yaml.safe_load("\n".join(_OPTION.sub(r"\1", line) for line in lines))
    return found if isinstance(found, dict) else {}


def quoted(text: str) -> str:
    r"""Return text as a YAML string on one line.

    Examples
    --------
    >>> quoted('He said "no":\n twice')
    '"He said \\"no\\": twice"'
    """
    return json.dumps(" ".join(text.split()), ensure_ascii=False)


def links_cell(label: str, names: Sequence[str]) -> dict[str, Any]:
    """Return the Markdown cell with the downloads of a figure or table."""
    words = {".csv": "Data (CSV)", ".svg": "Image (SVG)"}
    links = " · ".join(
        f"[{words[Path(name).suffix]}](/downloads/{name}){{.download}}" for name in names
    )
    return {
        "cell_type": "markdown",
        "id": f"links-{label}"[:64],
        "metadata": {},
        "source": f"::: {{.figure-links}}\n{links}\n:::",
    }


def dress(content: Mapping[str, Any], name: str) -> Dressed:
    """Return an executed notebook with alt texts and download links.

    Parameters
    ----------
    content : mapping
        The executed notebook; not changed.
    name : str
        The notebook as the project names it, for messages.
    """
    cells: list[dict[str, Any]] = []
    downloads: dict[str, str] = {}
    faults: list[Fault] = []
    for number, cell in enumerate(content["cells"], start=1):
        if cell["cell_type"] != "code":
            cells.append(dict(cell))
            continue
        dressed, offered, found = _dress_cell(cell, name, f"cell {number}")
        faults.extend(found)
        taken = sorted({Path(file).stem for file in offered.keys() & downloads.keys()})
        faults.extend(_twice(name, f"cell {number}", label) for label in taken)
        downloads |= offered
        cells.append(dressed)
        if offered:
            cells.append(links_cell(cell_options(cell["source"])["label"], list(offered)))
    # Cache keys stay out: a stage differs only if what readers see differs.
    metadata = {key: value for key, value in content["metadata"].items() if key != "analysis"}
    return Dressed({**content, "cells": cells, "metadata": metadata}, downloads, tuple(faults))


def _twice(name: str, place: str, label: str) -> Fault:
    return Fault(
        name,
        "two figures or tables have this label, so their downloads would collide",
        "give each its own label",
        column=place,
        value=label,
    )


def _dress_cell(
    cell: Mapping[str, Any], name: str, place: str
) -> tuple[dict[str, Any], dict[str, str], list[Fault]]:
    """Return a code cell with its alt text, its downloads by file name, and its faults."""
    source = source_of(cell)
    try:
        options = cell_options(source)
    except yaml.YAMLError as error:
        problem = f"the #| options are not YAML: {str(error).splitlines()[0]}"
        return dict(cell), {}, [Fault(name, problem, "correct them", column=place)]
    bare = {**cell, "source": source, "outputs": [_lean(output) for output in cell["outputs"]]}
    label = str(options.get("label", ""))
    about = next(
        (
            output["metadata"]["analysis"]
            for output in cell["outputs"]
            if "analysis" in output.get("metadata", {})
        ),
        None,
    )
    faults = []
    if label.startswith("fig-") and not options.get("fig-alt"):
        alt = str((about or {}).get("alt") or "").strip()
        if alt:
            head, rest = split_options(source)
            bare["source"] = "\n".join([*head, f"#| fig-alt: {quoted(alt)}", *rest])
        elif not options.get("fig-subcap"):  # panels carry their own alt texts
            remedy = "show the figure through analysis.figures, or write #| fig-alt"
            faults.append(
                Fault(name, "a figure has no alt text", remedy, column=place, value=label)
            )
    if about is None or not about.get("csv"):
        return bare, {}, faults
    if not label.startswith(("fig-", "tbl-")):
        remedy = 'write "#| label: fig-…" or "#| label: tbl-…" at the top of the cell'
        problem = "a figure or table without a label cannot be linked or downloaded"
        faults.append(Fault(name, problem, remedy, column=place, value=str(about.get("name", ""))))
        return bare, {}, faults
    offered = {f"{label}.csv": str(about["csv"]).rstrip("\n") + "\n"}
    image = _first_svg(cell["outputs"])
    if image and label.startswith("fig-"):
        offered[f"{label}.svg"] = image
    return bare, offered, faults


def _lean(output: Mapping[str, Any]) -> dict[str, Any]:
    """Return an output without the data table in its metadata: it is a download now."""
    about = output.get("metadata", {}).get("analysis")
    if not about:
        return dict(output)
    kept = {key: value for key, value in about.items() if key != "csv"}
    return {**output, "metadata": {**output["metadata"], "analysis": kept}}


def _first_svg(outputs: Iterable[Mapping[str, Any]]) -> str:
    """Return the first image of a cell: the one for light pages."""
    for output in outputs:
        image = output.get("data", {}).get("image/svg+xml")
        if image:
            return image if isinstance(image, str) else "".join(image)
    return ""


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
            # Two pages may print one finding; that it was recorded on each is no difference.
            differing = [
                key
                for key in sorted(known.keys() | record.keys() - {"page"})
                if key != "page" and known.get(key) != record.get(key)
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


def findings_pages(root: Path, records: Sequence[dict[str, Any]]) -> dict[str, bytes]:
    """Return the generated page, variables and table of all findings."""
    page = findings_page.page_markdown(list(records))
    if not page.startswith("---\n"):
        page = f"---\ntitle: Findings\n---\n\n{page}"
    variables: dict[str, Any] = {}
    own = root / VARIABLES
    if own.is_file():
        variables = yaml.safe_load(own.read_text(encoding="utf-8")) or {}
        if "finding" in variables:
            remedy = "rename it: finding values are generated"
            raise FaultsError([Fault(VARIABLES, 'the name "finding" is taken', remedy)])
    variables["finding"] = dict(findings_page.variables(list(records)))
    text = yaml.safe_dump(variables, allow_unicode=True, sort_keys=True, width=10**6)
    return {
        FINDINGS_PAGE: page.encode(),
        VARIABLES: text.encode(),
        FINDINGS_DATA: findings_csv(records),
    }


# ----------------------------------------------------------------------------------------- stage


def page_files(root: Path) -> dict[str, bytes]:
    """Return the pages, assets and resources of a project by relative name."""
    paths = {path for pattern in ROOT_PATTERNS for path in root.glob(pattern) if path.is_file()}
    for folder in FOLDERS:
        paths.update(files_below(root / folder) if (root / folder).is_dir() else [])
    for pattern in _resources(root):
        for path in root.glob(pattern):
            paths.update(files_below(path) if path.is_dir() else [path])
    return {path.relative_to(root).as_posix(): path.read_bytes() for path in sorted(paths)}


def _resources(root: Path) -> list[str]:
    """Return the patterns under ``project.resources`` that stay inside the project."""
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
    project = config.get("project") if isinstance(config, dict) else None
    found = (project or {}).get("resources") or []
    patterns = [found] if isinstance(found, str) else list(found)
    return [pattern for pattern in patterns if not pattern.startswith(("/", "!", "."))]


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
    dressed = {notebook.name: dress(notebook.content, notebook.name) for notebook in notebooks}
    faults = [fault for item in dressed.values() for fault in item.faults]
    for name, item in dressed.items():
        text = json.dumps(item.content, ensure_ascii=False, indent=1, sort_keys=True) + "\n"
        wanted[name] = text.encode()
        if str(root) in text:
            remedy = "print a path relative to the project, or mend the warning that names it"
            problem = "an output names the folder of this project on this machine"
            faults.append(Fault(name, problem, remedy, value=str(root)))
        for file, offered in item.downloads.items():
            if f"downloads/{file}" in wanted:
                faults.append(_twice(name, "", Path(file).stem))
            wanted[f"downloads/{file}"] = offered.encode()
    try:
        records = unique_records(notebooks)
    except FaultsError as error:
        raise FaultsError([*faults, *error.faults]) from None
    raise_if_any(faults)
    wanted |= findings_pages(root, records)
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
