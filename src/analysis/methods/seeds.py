"""Where randomness comes from: every generator and every seed handed on, and what it is."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from analysis.methods.proof import SOURCES

MAKERS: Final = frozenset(
    {
        "default_rng",
        "Philox",
        "PCG64",
        "PCG64DXSM",
        "SFC64",
        "MT19937",
        "SeedSequence",
        "Random",
        "RandomState",
    }
)
"""Calls that make a source of random numbers from a seed."""
KEYWORDS: Final = frozenset({"seed", "random_state"})
STATE: Final = frozenset(
    {
        "rand",
        "randn",
        "randint",
        "random",
        "choice",
        "shuffle",
        "permutation",
        "normal",
        "uniform",
        "standard_normal",
        "sample",
        "seed",
    }
)
"""Functions of ``random`` and ``numpy.random`` that draw from a state shared by a whole process."""


@dataclass(frozen=True)
class Source:
    """One place that makes random numbers.

    Attributes
    ----------
    place : str
        File and line.
    call : str
        What is called.
    seed : str
        What it is seeded with, as written; empty if nothing.
    named : bool
        Whether the seed is a name, an attribute or made of such, not a bare number and not absent.
    """

    place: str
    call: str
    seed: str
    named: bool


def find(root: Path) -> tuple[Source, ...]:
    """Return every source of random numbers in the package, in file order.

    Parameters
    ----------
    root : Path
        The project folder.
    """
    sources: list[Source] = []
    for path in sorted((root / SOURCES).rglob("*.py")):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        sources += of_tree(tree, path.relative_to(root).as_posix())
    return tuple(sources)


def of_tree(tree: ast.AST, file: str) -> Iterator[Source]:
    r"""Yield the sources of random numbers in a module.

    Examples
    --------
    >>> made = "a = default_rng(SEED)\nb = np.random.default_rng()\nc = np.random.normal(3)\n"
    >>> [(one.place, one.seed, one.named) for one in of_tree(ast.parse(made), "x.py")]
    [('x.py:1', 'SEED', True), ('x.py:2', '', False), ('x.py:3', '', False)]
    """
    imported = {
        alias.asname or alias.name
        for node in ast.walk(tree)
        if isinstance(node, ast.Import)
        for alias in node.names
    }
    shared = {"np.random", "numpy.random"} | ({"random"} & imported)
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            source = _of_call(node, file, shared)
        elif isinstance(node, ast.FunctionDef):
            source = _of_default(node, file)
        else:
            continue
        if source is not None:
            yield source


def _of_call(node: ast.Call, file: str, shared: set[str]) -> Source | None:
    name = ast.unparse(node.func)
    module, _, last = name.rpartition(".")
    place = f"{file}:{node.lineno}"
    if module in shared and last in STATE:
        return Source(place, name, "", named=False)
    given = [keyword.value for keyword in node.keywords if keyword.arg in KEYWORDS]
    if last in MAKERS:
        given = node.args[:1] + given
        if not given:
            return Source(place, name, "", named=False)
    return Source(place, name, ast.unparse(given[0]), _named(given[0])) if given else None


def _of_default(node: ast.FunctionDef, file: str) -> Source | None:
    """Return the seed that a function takes if it is given none."""
    own = node.args
    positional = [*own.posonlyargs, *own.args]
    pairs = [
        *zip(positional[len(positional) - len(own.defaults) :], own.defaults, strict=True),
        *zip(own.kwonlyargs, own.kw_defaults, strict=True),
    ]
    for argument, default in pairs:
        if argument.arg == "seed" and default is not None:
            return Source(f"{file}:{node.lineno}", node.name, ast.unparse(default), _named(default))
    return None


def _named(seed: ast.expr) -> bool:
    """Return whether a seed is made of a name, not a bare number."""
    kinds = (ast.Name, ast.Attribute, ast.Subscript)
    return any(isinstance(inner, kinds) for inner in ast.walk(seed))
