"""Which functions are estimators, found by what they return and say, not by a list.

A public function at the top of a module in an estimating room is one if

* it returns a *result*: a class that carries an error, an interval, an influence or a p value, or
  that has such a result among its fields or elements;
* it returns numbers or a table, and its docstring speaks of an estimate, an error, an interval, a
  bound or a p value;
* a published number names it as its function.

Each needs a record in the registry, or a row of ``helpers.csv`` that says why it needs none.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from analysis.methods.proof import PACKAGE, SOURCES
from analysis.methods.registry import Registry

ROOMS: Final = (
    "claims",
    "studies",
    "household",
    "cells",
    "did",
    "designs",
    "inference",
    "sensitivity",
    "welfare",
    "power",
    "validation",
)
MARKS: Final = frozenset(
    {
        "std_error",
        "std_errors",
        "influence",
        "p_value",
        "p",
        "ci_low",
        "low",
        "critical",
        "covariance",
        "robustness",
        "slope",
        "att",
    }
)
"""Fields that make a class a result."""
WORDS: Final = re.compile(
    r"std_error|standard error|\bestimates?\b|ci_low|\bintervals?\b|\bbounds?\b|\bp values?\b"
)
NUMBERS: Final = re.compile(r"\b(float|Floats|DataFrame|Fraction)\b")
KINDS: Final = ("number", "word")


@dataclass(frozen=True)
class Estimator:
    """A function that makes an estimate, and what it was recognised by."""

    function: str
    why: str


def find(root: Path, records: Iterable[Mapping[str, object]] = ()) -> tuple[Estimator, ...]:
    """Return the estimators of the package, by name.

    Parameters
    ----------
    root : Path
        The project folder.
    records : iterable of mapping
        Findings; functions of numbers and words count.
    """
    files = {
        path: path.relative_to(root / SOURCES).with_suffix("").parts
        for path in sorted((root / SOURCES).rglob("*.py"))
    }
    trees = {parts: ast.parse(path.read_text(encoding="utf-8")) for path, parts in files.items()}
    results = result_classes(trees)
    by_name: dict[str, str] = {}
    for parts, tree in trees.items():
        if parts[0] not in ROOMS:
            continue
        where, imported = module_name(parts), _imports(tree)
        for node in tree.body:
            if isinstance(node, ast.FunctionDef) and not node.name.startswith("_"):
                why = _recognised(node, results, where, imported)
                if why:
                    by_name[f"{PACKAGE}.{where}.{node.name}"] = why
    for record in records:
        if record["kind"] in KINDS:
            by_name.setdefault(str(record["function"]), "a published number names it")
    return tuple(Estimator(name, why) for name, why in sorted(by_name.items()))


def unrecorded(estimators: Iterable[Estimator], registry: Registry) -> tuple[Estimator, ...]:
    """Return the estimators that have neither a record nor a reason to have none."""
    return tuple(
        estimator
        for estimator in estimators
        if registry.of(estimator.function) is None and not registry.helps(estimator.function)
    )


def result_classes(trees: Mapping[tuple[str, ...], ast.Module]) -> frozenset[str]:
    r"""Return the classes, types made of them and imports of them that are results.

    Parameters
    ----------
    trees : mapping of parts of a module's name to its tree

    Returns
    -------
    frozenset of str
        Each as ``room.module.Name``, also by the modules that import it: two classes of one name
        are two.

    Examples
    --------
    >>> tree = ast.parse("class Found:\n    std_error: float\nclass Both:\n    one: Found\n")
    >>> other = ast.parse("class Found:\n    text: str\nclass Look:\n    one: Found\n")
    >>> sorted(result_classes({("did", "a"): tree, ("panels", "b"): other}))
    ['did.a.Both', 'did.a.Found']
    """
    fields: dict[str, set[str]] = {}
    uses: dict[str, set[str]] = {}
    for parts, tree in trees.items():
        where, imported = module_name(parts), _imports(tree)
        for local, origin in imported.items():
            uses.setdefault(f"{where}.{local}", set()).add(origin)
        for node in tree.body:
            if isinstance(node, ast.ClassDef):
                named = [x for x in node.body if isinstance(x, ast.AnnAssign)]
                own = {x.target.id for x in named if isinstance(x.target, ast.Name)}
                own |= {x.name for x in node.body if isinstance(x, ast.FunctionDef)}
                fields.setdefault(f"{where}.{node.name}", set()).update(own)
                for part in (*(x.annotation for x in named), *node.bases):
                    used = _names(part, where, imported)
                    uses.setdefault(f"{where}.{node.name}", set()).update(used)
            elif isinstance(node, ast.Assign):
                for target in node.targets:
                    if isinstance(target, ast.Name):
                        used = _names(node.value, where, imported)
                        uses.setdefault(f"{where}.{target.id}", set()).update(used)
    names = {name for name, own in fields.items() if own & MARKS}
    while more := {name for name, used in uses.items() if used & names} - names:
        names |= more
    return frozenset(names)


def module_name(parts: tuple[str, ...]) -> str:
    """Return the name of a module inside the package.

    Examples
    --------
    >>> module_name(("results", "__init__"))
    'results'
    """
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def _imports(tree: ast.Module) -> dict[str, str]:
    """Return what a module imports from the package: where each local name is from."""
    return {
        alias.asname or alias.name: f"{node.module or ''}.{alias.name}".removeprefix(f"{PACKAGE}.")
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and f"{node.module}.".startswith(f"{PACKAGE}.")
        for alias in node.names
    }


def _names(node: ast.AST, where: str, imported: Mapping[str, str]) -> set[str]:
    """Return the names that an expression of a module has, as `result_classes` writes them."""
    walked = list(ast.walk(node))
    return {f"{where}.{one.id}" for one in walked if isinstance(one, ast.Name)} | {
        f"{imported[one.value.id]}.{one.attr}"
        for one in walked
        if isinstance(one, ast.Attribute)
        and isinstance(one.value, ast.Name)
        and one.value.id in imported
    }


def _recognised(
    node: ast.FunctionDef, results: frozenset[str], where: str, imported: Mapping[str, str]
) -> str:
    """Return by what a function is an estimator; empty if it is none."""
    if node.returns is None:
        return ""
    returned = sorted(_names(node.returns, where, imported) & results)
    if returned:
        return f"returns {returned[0].rpartition('.')[2]}"
    if NUMBERS.search(ast.unparse(node.returns)):
        word = WORDS.search(ast.get_docstring(node) or "")
        return f"says {word[0]}" if word else ""
    return ""
