"""The cache key of a notebook: everything that can change what it prints.

A key covers the notebook's own source, the modules of this package it imports (transitively,
read from the source without running it), every data file, the lock of the environment and the
version of Python; and, for a notebook whose code names them, the panel or pack a reader brings.
It leaves out ``analysis.site``: how pages look never re-runs an analysis.
"""

from __future__ import annotations

import ast
import json
import os
import platform
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from analysis.faults import Fault, FaultsError
from analysis.files import digest_files, digest_of, files_below
from analysis.methods.proof import front_door

PACKAGE = "analysis"
EXCLUDED = f"{PACKAGE}.site"
RECORDER = f"{PACKAGE}.findings.recorder"
# Raised when the executed copy itself changes meaning, so that old copies are not read as new.
PROTOCOL = "3"
# Loaded by the kernel of the site (analysis.site.kernel).
DISPLAY = f"{PACKAGE}.results.display"
# What a reader brings, named in the environment by the make variables of the same name.
BROUGHT = ("PANEL", "ESTIMANDS", "PACK")
PANEL_MANIFEST = "panel.json"
LOCK = "requirements.lock"
# Folders of data that no notebook reads: what a reader fetched is named apart; translations and
# numerals are of pages.
NOT_READ = ("external", "prose", "translations")

_MAGIC = re.compile(r"^\s*[%!?]")
_DOTTED = re.compile(rf"^{PACKAGE}(\.[A-Za-z_]\w*)+$")


@dataclass(frozen=True)
class Surroundings:
    """What all notebooks of a build share.

    Attributes
    ----------
    parts : tuple of (str, str)
        Digest or version by name: data, lock, python, protocol.
    brought : tuple of (str, str, str)
        PANEL and PACK where given: name, value in the environment, digest of what is there.
    """

    parts: tuple[tuple[str, str], ...]
    brought: tuple[tuple[str, str, str], ...] = ()


# ------------------------------------------------------------------------------- source of cells


def source_of(cell: Mapping[str, Any]) -> str:
    """Return the source of a cell, which notebook files store as text or as lines.

    Examples
    --------
    >>> source_of({"source": ["a ", "b"]})
    'a b'
    """
    source = cell.get("source", "")
    return source if isinstance(source, str) else "".join(source)


def notebook_source(notebook: Mapping[str, Any]) -> str:
    """Return what a person wrote in a notebook, as one canonical text.

    Outputs and execution counts are left out: running a notebook in an editor changes nothing.
    """
    cells = [
        {
            "id": cell.get("id"),
            "type": cell.get("cell_type"),
            "source": source_of(cell),
            "metadata": cell.get("metadata", {}),
            "attachments": cell.get("attachments"),
        }
        for cell in notebook.get("cells", [])
    ]
    return json.dumps(cells, sort_keys=True, ensure_ascii=False)


# ------------------------------------------------------------------------------- imports of code


def modules(source: Path) -> dict[str, Path]:
    """Return every module of the package by its dotted name.

    Parameters
    ----------
    source : Path
        The folder that holds the package (``src``).
    """
    package = source / PACKAGE
    by_name = {}
    for path in sorted(package.rglob("*.py")):
        parts = [PACKAGE, *path.relative_to(package).with_suffix("").parts]
        if parts[-1] == "__init__":
            parts.pop()
        by_name[".".join(parts)] = path
    return by_name


def parents(name: str) -> list[str]:
    """Return a module and the packages around it, whose ``__init__`` runs on import too.

    Examples
    --------
    >>> parents("analysis.claims.ledger")
    ['analysis', 'analysis.claims', 'analysis.claims.ledger']
    """
    parts = name.split(".")
    return [".".join(parts[: stop + 1]) for stop in range(len(parts))]


def imports(tree: ast.AST, package: str = "") -> set[str]:
    """Return the dotted names that code may import from this package.

    A name after ``from`` may be a module or something inside one; both readings are returned and
    the caller keeps those that are modules. A string that spells a module of this package counts
    as well, which covers imports by name.

    Parameters
    ----------
    tree : ast.AST
        Parsed code.
    package : str
        The package that relative imports start from; empty in a notebook.

    Examples
    --------
    >>> sorted(imports(ast.parse("from analysis import claims; import polars")))
    ['analysis', 'analysis.claims']
    >>> sorted(imports(ast.parse("from ..money import yuan"), "analysis.claims"))
    ['analysis.money', 'analysis.money.yuan']
    """
    names: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = _base(node, package)
            names.add(base)
            names.update(f"{base}.{alias.name}" for alias in node.names)
        elif (
            isinstance(node, ast.Constant)
            and isinstance(node.value, str)
            and _DOTTED.match(node.value)
        ):
            names.add(node.value)
    return {name for name in names if name == PACKAGE or name.startswith(f"{PACKAGE}.")}


def names_brought(tree: ast.AST) -> frozenset[str]:
    """Return which of PANEL and PACK code names as a text, as who reads the environment must.

    Examples
    --------
    >>> sorted(names_brought(ast.parse("os.environ.get('PANEL')")))
    ['PANEL']
    """
    return frozenset(
        node.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value in BROUGHT
    )


def _base(node: ast.ImportFrom, package: str) -> str:
    """Return the absolute module that a ``from`` statement names."""
    if not node.level:
        return node.module or ""
    parts = package.split(".")
    kept = parts[: len(parts) - (node.level - 1)]
    return ".".join([*kept, *([node.module] if node.module else [])])


def _last(name: str) -> str:
    return name.rpartition(".")[2]


@dataclass(frozen=True)
class ImportGraph:
    """Which module of the package imports which.

    Attributes
    ----------
    files : mapping of str to Path
        Module files by dotted name, ``analysis.site`` left out.
    edges : mapping of str to frozenset of str
        Direct imports of each module, the packages around them included.
    reads : mapping of str to frozenset of str
        Which of PANEL and PACK each module names.
    door : mapping of str to str
        The module behind each name of the front door. The package imports a name when it is
        asked for, so a notebook depends on the names it uses and on no others.
    """

    files: Mapping[str, Path]
    edges: Mapping[str, frozenset[str]]
    reads: Mapping[str, frozenset[str]]
    door: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def read(cls, source: Path) -> ImportGraph:
        """Read the graph from the source folder without running any of it."""
        files = {
            name: path
            for name, path in modules(source).items()
            if name != EXCLUDED and not name.startswith(f"{EXCLUDED}.")
        }
        edges, reads = {}, {}
        for name, path in files.items():
            package = name if path.name == "__init__.py" else name.rpartition(".")[0]
            text = path.read_bytes()
            try:
                tree = ast.parse(text)
            except SyntaxError:
                # A broken module fails in the kernel with a full traceback; here it only must
                # not hide that it changed.
                edges[name], reads[name] = frozenset[str](), frozenset(BROUGHT)
                continue
            edges[name] = frozenset(_known(imports(tree, package), files))
            # Few modules name any of them, and a walk through a module is slow.
            may = any(brought.encode() in text for brought in BROUGHT)
            reads[name] = names_brought(tree) if may else frozenset()
        door = front_door(source / PACKAGE / "__init__.py")
        if door:
            edges[PACKAGE] = frozenset()
        return cls(files, edges, reads, door)

    def closure(self, names: Iterable[str]) -> set[str]:
        """Return modules and all they import, directly or through others."""
        reached: set[str] = set()
        waiting = _known(names, self.files)
        while waiting:
            name = waiting.pop()
            if name not in reached:
                reached.add(name)
                waiting |= self.edges[name] - reached
        return reached

    def of_notebook(self, notebook: Mapping[str, Any]) -> set[str]:
        """Return the modules that a notebook's code cells reach.

        Code that does not parse reaches all of them: it will fail, and must run to say so.
        """
        trees = _parsed(notebook)
        if trees is None:
            return set(self.files)
        named = {name for tree in trees for name in imports(tree)}
        through = {
            self.door[node.attr]
            for tree in trees
            for node in ast.walk(tree)
            if isinstance(node, ast.Attribute) and node.attr in self.door
        }
        through |= {self.door[name] for name in map(_last, named) if name in self.door}
        # What a page prints goes through the recorder, whether the page names it or not.
        return self.closure(named | through | ({RECORDER} if named else set()))

    def brought_to(self, notebook: Mapping[str, Any]) -> frozenset[str]:
        """Return which of PANEL and PACK a notebook or a module it reaches names."""
        own = [names_brought(tree) for tree in _parsed(notebook) or ()]
        reached = [self.reads[name] for name in self.of_notebook(notebook)]
        return frozenset[str]().union(*own, *reached)


def _parsed(notebook: Mapping[str, Any]) -> list[ast.Module] | None:
    """Return the parsed code cells of a notebook, or None if one does not parse."""
    trees = []
    for cell in notebook.get("cells", []):
        if cell.get("cell_type") != "code":
            continue
        lines = source_of(cell).splitlines()
        plain = "\n".join("" if _MAGIC.match(line) else line for line in lines)
        try:
            trees.append(ast.parse(plain))
        except SyntaxError:
            return None
    return trees


def _known(names: Iterable[str], files: Mapping[str, Path]) -> set[str]:
    """Return those names that are modules, with the packages around them."""
    return {outer for name in names for outer in parents(name) if outer in files}


def package_files(graph: ImportGraph, names: Iterable[str]) -> list[Path]:
    """Return the files behind modules, with the files beside them that are not code.

    A style sheet of figures or a template lies next to the module that reads it.
    """
    code = {graph.files[name] for name in names}
    beside = {
        path
        for folder in {path.parent for path in code}
        for path in folder.iterdir()
        if path.is_file() and path.suffix not in {".py", ".pyc"}
    }
    return sorted(code | beside)


# --------------------------------------------------------------------------------------- digests


def surroundings(root: Path, environment: Mapping[str, str] | None = None) -> Surroundings:
    """Return what all notebooks share: data, lock, Python, and what a reader brings.

    Parameters
    ----------
    root : Path
        The project folder.
    environment : mapping of str to str, optional
        Where PANEL and PACK are looked up; the process environment if left out.

    Raises
    ------
    FaultsError
        If PANEL or PACK names a path that is not there, or the lock is missing.
    """
    environment = os.environ if environment is None else environment
    data = root / "data"
    lock = root / LOCK
    faults = []
    if not lock.is_file():
        faults.append(Fault(LOCK, "the lock file is missing", "restore it from the repository"))
    brought: list[tuple[str, str, str]] = []
    for name in BROUGHT:
        if not environment.get(name):
            continue
        path = root / environment[name]
        if name == "PANEL" and path.is_dir() and not (path / PANEL_MANIFEST).is_file():
            problem = f"the folder holds no panel (no {PANEL_MANIFEST})"
            faults.append(
                Fault(name, problem, "make one: analysis import", value=environment[name])
            )
        elif path.is_dir():
            brought.append((name, environment[name], digest_files(path, files_below(path))))
        elif path.is_file():
            brought.append((name, environment[name], digest_files(path.parent, [path])))
        else:
            faults.append(
                Fault(
                    name,
                    "no file or folder of this name",
                    f"name an existing one: make report {name}=path",
                    value=environment[name],
                )
            )
    if faults:
        raise FaultsError(faults)
    left_out = [data / name for name in NOT_READ]
    tracked = [
        path
        for path in files_below(data)
        if not any(path.is_relative_to(folder) for folder in left_out)
    ]
    results = root / "reports" / "validation"
    return Surroundings(
        (
            ("data", digest_files(data, tracked)),
            ("results", digest_files(results, files_below(results))),
            ("lock", digest_of({LOCK: lock.read_bytes()})),
            ("python", platform.python_version()),
            ("protocol", PROTOCOL),
        ),
        tuple(brought),
    )


@dataclass(frozen=True)
class Key:
    """What an executed copy is kept under.

    Attributes
    ----------
    digest : str
        64 hexadecimal digits over everything that can change what the notebook prints.
    brought : str
        Eight digits for the values of PANEL and PACK that the notebook uses; empty without any.
        Copies for different values lie side by side.
    """

    digest: str
    brought: str = ""


def notebook_key(
    notebook: Mapping[str, Any], root: Path, shared: Surroundings, graph: ImportGraph
) -> Key:
    """Return the cache key of a notebook.

    Parameters
    ----------
    notebook : mapping
        The notebook as read from its file.
    root : Path
        The project folder.
    shared : Surroundings
        What all notebooks of the build share.
    graph : ImportGraph
        Who imports whom in the package.
    """
    source = root / "src"
    # What shows a figure is loaded by the kernel, not imported by the notebook.
    display = graph.closure({DISPLAY} & graph.files.keys())
    code = package_files(graph, graph.of_notebook(notebook) | display)
    names = graph.brought_to(notebook)
    used = [entries for entries in shared.brought if entries[0] in names]
    digest = digest_of(
        {
            "notebook": notebook_source(notebook),
            "modules": digest_files(source, code),
            **dict(shared.parts),
            **{name: digest for name, _, digest in used},
        }
    )
    return Key(digest, digest_of({name: value for name, value, _ in used})[:8] if used else "")
