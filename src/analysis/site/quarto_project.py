"""The clone as a Quarto project: what the stage generates stands beside its sources, git-ignored.

``project.pre-render`` calls `main`: before a render of the whole project it runs the notebooks
whose cache is stale and writes the generated pages, includes and variables. Notebooks stay as they
are; a filter (``tools/quarto_notebook.py``) hands Quarto the executed copy of each.
"""

from __future__ import annotations

import hashlib
import json
import os
import sys
from collections.abc import Mapping
from pathlib import Path

from analysis.faults import Fault, FaultsError, raise_if_any
from analysis.files import write_atomic, write_if_changed

GENERATED_FILES = (
    "_variables.yml",
    "_values.json",
    "findings.qmd",
    "methods.qmd",
    "decisions.qmd",
    "assets/glossary.js",
    "pages/_changes.qmd",
    "pages/_datasets.qmd",
)
GENERATED_FOLDERS = ("findings", "source", "reference", "downloads", "zh/figures")
MARK = "# Generated before a render by Quarto: analysis.site.quarto_project\n"
"""First line of ``_variables.yml``, which a project may also have of its own."""
INDEX = Path("build") / "quarto" / "notebooks.json"
WHOLE = "QUARTO_PROJECT_RENDER_ALL"
"""Set by Quarto where the whole project is rendered."""


def is_generated(name: str) -> bool:
    """Say whether a file of the project is generated.

    Examples
    --------
    >>> is_generated("findings/01-claims.qmd"), is_generated("pages/data.qmd")
    (True, False)
    """
    return name in GENERATED_FILES or name.startswith(tuple(f"{f}/" for f in GENERATED_FOLDERS))


def own_variables(root: Path) -> str:
    """Return the text of the ``_variables.yml`` that a person wrote; empty if there is none."""
    path = root / "_variables.yml"
    text = path.read_text(encoding="utf-8") if path.is_file() else ""
    return "" if text.startswith(MARK) else text


def key_of(source: Mapping[str, object]) -> str:
    """Return what a notebook without outputs is looked up by: a digest of its cells' sources."""
    cells = source["cells"]
    texts = [
        [cell["cell_type"], "".join(cell["source"])]
        for cell in (cells if isinstance(cells, list) else [])
    ]
    return hashlib.sha256(json.dumps(texts, ensure_ascii=False).encode()).hexdigest()


def prepare(root: Path) -> int:
    """Bring the generated files of a clone up to date; return how many changed.

    Parameters
    ----------
    root : Path
        The project folder.

    Raises
    ------
    FaultsError
        If a notebook fails, or a page would not be shown as written.
    """
    from analysis.site.execute import execute
    from analysis.site.lock import build_lock
    from analysis.site.stage import page_files, stage

    with build_lock(root):
        executed = execute(root)
        staged = stage(root, executed.notebooks)
    known = page_files(root).keys() | {notebook.name for notebook in executed.notebooks}
    strange = [name for name in staged.files if name not in known and not is_generated(name)]
    raise_if_any(
        Fault(name, "a generated file that no rule names", "add it to analysis.site.quarto_project")
        for name in strange
    )
    changed = 0
    wanted = {name for name in staged.files if is_generated(name)}
    for name in sorted(wanted):
        content = (staged.folder / name).read_bytes()
        if name == "_variables.yml":
            if own_variables(root):
                continue
            content = MARK.encode() + content
        changed += write_if_changed(root / name, content)
    for folder in GENERATED_FOLDERS:
        for path in sorted((root / folder).rglob("*")):
            if path.is_file() and path.relative_to(root).as_posix() not in wanted:
                path.unlink()
    copies = {
        key_of(json.loads((root / notebook.name).read_text(encoding="utf-8"))): (
            staged.folder.relative_to(root) / notebook.name
        ).as_posix()
        for notebook in executed.notebooks
    }
    write_atomic(root / INDEX, json.dumps(copies, indent=1, sort_keys=True).encode())
    return changed


def main() -> int:
    """Run as the hook of Quarto: all of it before a whole render, nothing where all is there."""
    root = Path.cwd()
    if not os.environ.get(WHOLE) and (root / "_variables.yml").is_file():
        return 0
    try:
        changed = prepare(root)
    except FaultsError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    print(f"generated files: {changed} changed")
    return 0


if __name__ == "__main__":
    sys.exit(main())
