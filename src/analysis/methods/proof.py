"""From a function to the line it stands on and to the tests that hold it; read, never run.

A test names functions through its imports; so does the package. Both are read as syntax trees. A
function that no test names is held by the tests of the nearest functions that call it.
"""

from __future__ import annotations

import ast
from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path

PACKAGE = "analysis"
SOURCES = Path("src") / PACKAGE
TESTS = Path("tests")
Function = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True)
class Place:
    """Where something is defined: a file of the project and a line."""

    file: str
    line: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}"


@dataclass(frozen=True)
class Test:
    """A test that holds a function.

    Attributes
    ----------
    name : str
        As pytest names it: file, class if any, function; or the function's own example.
    through : str
        The function by which it gets there; empty where the test names the function itself.
    """

    name: str
    through: str = ""


@dataclass(frozen=True)
class Proof:
    """What is known of every function of the package.

    Attributes
    ----------
    places : mapping of str to Place
        By dotted name, methods and classes too.
    uses : mapping of str to frozenset of str
        Names of the package that each function refers to.
    named : mapping of str to tuple of str
        Tests that name each function.
    examples : frozenset of str
        Functions whose docstring has an example, which runs as a test.
    modules : frozenset of str
        Dotted names of the modules.
    """

    places: Mapping[str, Place]
    uses: Mapping[str, frozenset[str]]
    named: Mapping[str, tuple[str, ...]]
    examples: frozenset[str]
    modules: frozenset[str]

    @cached_property
    def used_by(self) -> Mapping[str, tuple[str, ...]]:
        """Functions that refer to each function."""
        by_name: dict[str, set[str]] = {}
        for name, used in self.uses.items():
            for other in used:
                by_name.setdefault(other, set()).add(name)
        return {name: tuple(sorted(users)) for name, users in by_name.items()}

    def tests(self, function: str, most: int = 5) -> tuple[Test, ...]:
        """Return the tests of a function: those that name it, else of the nearest that use it.

        Parameters
        ----------
        function : str
            Dotted name, such as ``analysis.did.estimators.group_time.estimate``.
        most : int
            How many to return.
        """
        queue, seen = deque([function]), {function}
        while queue:
            level, queue = list(queue), deque()
            tests = [
                Test(test, "" if name == function else name)
                for name in level
                for test in self._of(name)
            ]
            if tests:
                return tuple(tests[:most])
            for name in level:
                for user in self.used_by.get(name, ()):
                    if user not in seen:
                        seen.add(user)
                        queue.append(user)
        return ()

    def _of(self, name: str) -> Iterator[str]:
        yield from self.named.get(name, ())
        if name in self.examples:
            yield f"the example of {name}"


def read(root: Path) -> Proof:
    """Read package and tests.

    Parameters
    ----------
    root : Path
        The project folder.
    """
    places: dict[str, Place] = {}
    uses: dict[str, frozenset[str]] = {}
    examples: set[str] = set()
    trees = {path: _tree(path) for path in sorted((root / SOURCES).rglob("*.py"))}
    modules = {_module(root, path): path for path in trees}
    for module, path in modules.items():
        file = path.relative_to(root).as_posix()
        local = {name: f"{module}.{name}" for node in trees[path].body for name in _names(node)}
        known = _imported(trees[path], module) | local
        places[module] = Place(file, 1)
        for name, node in _defined(trees[path].body, module):
            places[name] = Place(file, node.lineno)
            uses[name] = frozenset(_referred(ast.walk(node), known)) - {name}
            if ">>>" in (ast.get_docstring(node) or ""):
                examples.add(name)
        for statement in trees[path].body:  # a table of schemas, or of functions by name
            if isinstance(statement, ast.Assign | ast.AnnAssign):
                for name in _names(statement):
                    used = frozenset(_referred(ast.walk(statement), known))
                    uses[local[name]] = used - {local[name]}
    named: dict[str, list[str]] = {}
    door = front_door(root / SOURCES / "__init__.py")
    through = {f"{PACKAGE}.{name}": f"{module}.{name}" for name, module in door.items()}
    for path in sorted((root / TESTS).rglob("test_*.py")):
        for test, labels in _tests(_tree(path)):
            names = {through.get(name, name) for name in labels}
            for name in sorted(names & places.keys()):
                named.setdefault(name, []).append(f"{path.relative_to(root).as_posix()}::{test}")
    return Proof(
        places,
        uses,
        {name: tuple(tests) for name, tests in named.items()},
        frozenset(examples),
        frozenset(modules),
    )


def front_door(file: Path) -> dict[str, str]:
    """Return the module behind each name of the front door, read without importing it."""
    try:
        body = ast.parse(file.read_bytes()).body
    except (FileNotFoundError, SyntaxError):
        return {}
    for node in body:
        if isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "") == "_PLACES":
            return dict(ast.literal_eval(node.value))
    return {}


def _names(node: ast.stmt) -> Iterator[str]:
    """Yield the names that a statement at the top of a module gives to something."""
    if isinstance(node, Function | ast.ClassDef):
        yield node.name
    elif isinstance(node, ast.Assign | ast.AnnAssign):
        targets = node.targets if isinstance(node, ast.Assign) else [node.target]
        yield from (target.id for target in targets if isinstance(target, ast.Name))


def _tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def _module(root: Path, path: Path) -> str:
    parts = path.relative_to(root / SOURCES.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def _defined(body: list[ast.stmt], prefix: str) -> Iterator[tuple[str, Function | ast.ClassDef]]:
    """Yield every function, class and method with its dotted name."""
    for node in body:
        if isinstance(node, Function | ast.ClassDef):
            name = f"{prefix}.{node.name}"
            yield name, node
            if isinstance(node, ast.ClassDef):
                yield from _defined(node.body, name)


def _imported(tree: ast.AST, package: str) -> dict[str, str]:
    """Return what each imported name of the package stands for."""
    by_name = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                if alias.name.split(".")[0] == PACKAGE:
                    by_name[alias.asname or alias.name] = alias.name
        elif isinstance(node, ast.ImportFrom):
            above = package.split(".")[: len(package.split(".")) - node.level] if node.level else []
            base = ".".join([*above, *([node.module] if node.module else [])])
            if base.split(".")[0] == PACKAGE:
                for alias in node.names:
                    by_name[alias.asname or alias.name] = f"{base}.{alias.name}"
    return by_name


def _referred(nodes: Iterable[ast.AST], names: Mapping[str, str]) -> Iterator[str]:
    """Yield the dotted names of the package that the nodes of a piece of code refer to."""
    for node in nodes:
        dotted = _dotted(node)
        if not dotted:
            continue
        head, *rest = dotted.split(".")
        for cut in range(len(rest), -1, -1):
            known = names.get(".".join([head, *rest[:cut]]))
            if known:
                yield ".".join([known, *rest[cut:]])
                break


def _dotted(node: ast.AST) -> str:
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute):
        before = _dotted(node.value)
        return f"{before}.{node.attr}" if before else ""
    return ""


def _tests(tree: ast.Module) -> Iterator[tuple[str, frozenset[str]]]:
    """Yield each test with the names it refers to, through helpers of its file too."""
    imported = _imported(tree, "")
    constants = {
        target.id: node
        for node in tree.body
        if isinstance(node, ast.Assign)
        for target in node.targets
        if isinstance(target, ast.Name)
    }
    here = constants | {node.name: node for node in tree.body if isinstance(node, Function)}

    @cache  # a helper serves many tests
    def own(node: ast.AST) -> tuple[frozenset[str], frozenset[str]]:
        nodes = list(ast.walk(node))
        called = {inner.id for inner in nodes if isinstance(inner, ast.Name)}
        if isinstance(node, Function):  # a fixture is asked for by the name of an argument
            called |= {argument.arg for argument in node.args.args}
        return frozenset(_referred(nodes, imported)), frozenset(called & here.keys())

    def names(node: ast.AST, seen: set[str]) -> set[str]:
        referred, called = own(node)
        labels = set(referred)
        for name in sorted(called - seen):
            seen.add(name)
            labels |= names(here[name], seen)
        return labels

    for node in tree.body:
        if isinstance(node, Function) and node.name.startswith("test_"):
            yield node.name, frozenset(names(node, {node.name}))
        elif isinstance(node, ast.ClassDef) and node.name.startswith("Test"):
            for method in node.body:
                if isinstance(method, Function) and method.name.startswith("test_"):
                    yield f"{node.name}::{method.name}", frozenset(names(method, set()))
