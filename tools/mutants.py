"""Sampled mutants: change one operator or number of the code, and see whether a test notices.

    python tools/mutants.py --number 200 --seed 1

Each mutant is one change of the syntax tree of a file in one of the rooms below: a comparison, an
arithmetic or Boolean operator, a number, `min` for `max`. The examples of its module are run, then
the tests that name the module or the function, until one fails that passes without the change.
Verdicts are written to ``reports/validation/mutants.csv`` one by one, so that a run that was
interrupted goes on where it was; `--again` judges those that were not killed again. The column
``explanation`` is written by hand: each survivor is read, and killed by a test or explained.

An extra: `make test` does not run it. It works on a copy of the project, so that the tree stays as
it is, also when it is interrupted. It needs a system that can fork.
"""

from __future__ import annotations

import argparse
import ast
import csv
import importlib
import os
import random
import re
import resource
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parent.parent
ROOMS = ("effects", "did", "designs", "inference", "sensitivity", "welfare", "claims")
TESTED_WITH = ("cells", "power", "results")
"""Other rooms, whose tests are run too."""
STORED = ROOT / "reports/validation/mutants.csv"
COLUMNS = (
    "seed",
    "number",
    "drawn_from",
    "module",
    "function",
    "before",
    "after",
    "verdict",
    "tests",
    "killed_by",
    "explanation",
)
OPTIONS = (
    "-q",
    "-x",
    "-p",
    "no:cacheprovider",
    "-m",
    "not browser and not slow and not every_page",
)
NEEDED = ("statsmodels.api", "scipy.optimize", "great_tables", "duckdb", "diff_diff", "hypothesis")
"""Imported once, before a child is forked for each mutant."""
SWAPS: dict[type[ast.AST], type[ast.AST]] = {
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.Div,
    ast.Div: ast.Mult,
    ast.And: ast.Or,
    ast.Or: ast.And,
    ast.BitAnd: ast.BitOr,
}
"""Not the other way round: `|` also joins types and mappings."""
CALLS = {"min": "max", "max": "min", "minimum": "maximum", "maximum": "minimum", "any": "all"}


@dataclass(frozen=True)
class Mutant:
    """One changed node.

    Attributes
    ----------
    file : str
        From the root of the project.
    function : str
        Qualified name of the function it lies in; empty outside functions.
    node : int
        Its place in the walk through the syntax tree.
    """

    file: str
    function: str
    node: int


def change(node: ast.AST) -> bool:
    """Change a node in place; whether there was anything to change."""
    if isinstance(node, ast.Compare) and type(node.ops[0]) in SWAPS:
        node.ops[0] = SWAPS[type(node.ops[0])]()  # type: ignore[call-overload]
        return True
    if isinstance(node, (ast.BinOp, ast.BoolOp, ast.AugAssign)) and type(node.op) in SWAPS:
        node.op = SWAPS[type(node.op)]()  # type: ignore[assignment]
        return True
    if isinstance(node, ast.Constant) and type(node.value) in (int, float):
        node.value = node.value + 1  # type: ignore[operator]
        return True
    if isinstance(node, ast.Call):
        called = node.func
        word = called.id if isinstance(called, ast.Name) else getattr(called, "attr", "")
        if word in CALLS:
            setattr(called, "id" if isinstance(called, ast.Name) else "attr", CALLS[word])
            return True
    return False


def functions(tree: ast.AST) -> dict[ast.AST, str]:
    """Return the qualified name of the function that each node lies in."""
    found: dict[ast.AST, str] = {}

    def walk(node: ast.AST, prefix: str, function: str) -> None:
        for child in ast.iter_child_nodes(node):
            if isinstance(child, (ast.FunctionDef, ast.AsyncFunctionDef)):
                found[child] = prefix + child.name
                walk(child, f"{prefix}{child.name}.<locals>.", prefix + child.name)
            elif isinstance(child, ast.ClassDef):
                found[child] = function
                walk(child, f"{prefix}{child.name}.", function)
            else:
                found[child] = function
                walk(child, prefix, function)

    walk(tree, "", "")
    return found


def mutants_of(file: Path) -> Iterator[Mutant]:
    """Yield each node of a file that can be changed."""
    tree = ast.parse(file.read_text(encoding="utf-8"))
    names = functions(tree)
    for number, node in enumerate(ast.walk(tree)):
        if change(node):
            yield Mutant(file.relative_to(ROOT).as_posix(), names.get(node, ""), number)


def mutated(text: str, number: int) -> tuple[str, str, str]:
    """Return the code with one node changed, and what the line was and is."""
    before = ast.unparse(ast.parse(text)).splitlines()
    tree = ast.parse(text)
    change(list(ast.walk(tree))[number])
    after = ast.unparse(tree).splitlines()
    moved = [(a.strip(), b.strip()) for a, b in zip(before, after, strict=False) if a != b]
    return "\n".join(after) + "\n", *(moved[0] if moved else ("", ""))


def in_child(root: Path, work: Callable[[], int], seconds: int) -> int:
    """Run a function in a forked child with the copy's code; its exit code, −1 if it was ended."""
    sys.stdout.flush()
    child = os.fork()
    if not child:
        code = 1
        try:
            resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds + 5))
            os.chdir(root)
            os.environ["PYTHONPATH"] = str(root / "src")
            sys.path.insert(0, str(root / "src"))
            quiet = os.open(os.devnull, os.O_WRONLY)
            os.dup2(quiet, 1)
            os.dup2(quiet, 2)
            code = work()
        finally:
            os._exit(code)
    _, status = os.waitpid(child, 0)
    return os.waitstatus_to_exitcode(status) if os.WIFEXITED(status) else -1


def tests_of(root: Path, mutant: Mutant) -> list[str]:
    """Return the examples of the module, then the test files that name it or the function.

    Where none does, all tests of the room.
    """
    module = Path(mutant.file)
    room, word = module.parent.name, mutant.function.rpartition(".")[2]
    names = [rf"\b{module.stem}\b"]
    if word and not word.startswith("_"):
        names.append(rf"\b{word}\(")
    named = re.compile("|".join(names))
    files = [
        file
        for room_of_tests in (*ROOMS, *TESTED_WITH)
        for file in sorted((root / "tests" / room_of_tests).glob("test_*.py"))
        if named.search(file.read_text(encoding="utf-8"))
    ]
    # Those of the room itself first, then the shortest.
    files.sort(key=lambda file: (file.parent.name != room, file.stat().st_size))
    if not files:
        files = sorted((root / "tests" / room).glob("test_*.py"))
    return [mutant.file, *(file.relative_to(root).as_posix() for file in files)]


def run(root: Path, tests: Sequence[str], without: Sequence[str], seconds: int) -> tuple[int, str]:
    """Run tests until one fails; the exit code of pytest, −1 if time was up, and which failed."""
    first = root / "first.txt"
    first.write_text("", encoding="utf-8")

    class First:
        def pytest_runtest_logreport(self, report: Any) -> None:
            if report.failed:
                first.write_text(report.nodeid, encoding="utf-8")

    def work() -> int:
        left_out = [f"--deselect={test}" for test in without]
        return int(pytest.main([*OPTIONS, *left_out, *tests], plugins=[First()]))

    code = in_child(root, work, seconds)
    return code, first.read_text(encoding="utf-8")


def judge(root: Path, mutant: Mutant, unsound: set[str], seconds: int) -> dict[str, Any]:
    """Run the tests of a mutant until one fails that passes without the change; its row.

    A test that fails without the change too is left out, of this mutant and of all later ones.
    """
    file = root / mutant.file
    text = file.read_text(encoding="utf-8")
    code, before, after = mutated(text, mutant.node)
    tests = tests_of(root, mutant)
    verdict = ""
    while not verdict:
        file.write_text(code, encoding="utf-8")
        try:
            ended, failed = run(root, tests, sorted(unsound), seconds)
        finally:
            file.write_text(text, encoding="utf-8")
        if ended in {pytest.ExitCode.OK, pytest.ExitCode.NO_TESTS_COLLECTED}:
            verdict = "survived"
        elif not failed and ended < 0:
            verdict = "time was up"
        elif failed and run(root, [failed], (), seconds)[0] != 0:
            unsound.add(failed)
        else:
            verdict = "killed"
    return {
        "module": module_of(mutant),
        "function": mutant.function,
        "before": before,
        "after": after,
        "verdict": verdict,
        "tests": len(tests),
        "killed_by": failed,
    }


def module_of(mutant: Mutant) -> str:
    """Return the dotted name of its module, without the package."""
    return mutant.file.removeprefix("src/analysis/").removesuffix(".py").replace("/", ".")


def copy(root: Path) -> None:
    """Copy what Git knows of the project."""
    git = shutil.which("git") or "git"
    listed = subprocess.run(  # fixed arguments
        [git, "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True
    )
    for name in filter(None, listed.stdout.decode().split("\0")):
        if (ROOT / name).is_file():
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, root / name)


def stored() -> dict[tuple[str, ...], dict[str, Any]]:
    """Return the rows that were written before."""
    if not STORED.is_file():
        return {}
    with STORED.open(encoding="utf-8", newline="") as opened:
        return {_key(row): row for row in csv.DictReader(opened)}


def store(rows: Sequence[dict[str, Any]]) -> None:
    """Write all rows."""
    with STORED.open("w", encoding="utf-8", newline="") as opened:
        writer = csv.DictWriter(opened, COLUMNS, lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


def _key(row: dict[str, Any]) -> tuple[str, ...]:
    return tuple(str(row[name]) for name in ("module", "function", "before", "after"))


def main() -> None:
    """Sample mutants, judge those that are not judged yet, write and count them."""
    parser = argparse.ArgumentParser(description="Sampled mutants of the code.")
    parser.add_argument("--number", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--seconds", type=int, default=180, help="processor time for one mutant")
    parser.add_argument("--again", action="store_true", help="judge those not killed again")
    parser.add_argument("--rooms", nargs="*", default=list(ROOMS), choices=ROOMS)
    asked = parser.parse_args()
    every = [
        mutant
        for room in asked.rooms
        for file in sorted((ROOT / "src/analysis" / room).glob("*.py"))
        for mutant in mutants_of(file)
    ]
    chosen = random.Random(asked.seed).sample(every, min(asked.number, len(every)))  # noqa: S311  # a sample
    print(f"seed {asked.seed}: {len(chosen)} of {len(every)} mutants", flush=True)
    for name in NEEDED:
        importlib.import_module(name)
    before = stored()
    rows: list[dict[str, Any]] = []
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder).resolve()
        copy(root)
        unsound: set[str] = set()
        for number, mutant in enumerate(chosen, 1):
            _, old, new = mutated((root / mutant.file).read_text(encoding="utf-8"), mutant.node)
            module = module_of(mutant)
            known = before.get((module, mutant.function, old, new))
            if known and (not asked.again or known["verdict"] == "killed"):
                row = known
            else:
                row = judge(root, mutant, unsound, asked.seconds)
            about = {"seed": asked.seed, "number": number, "drawn_from": len(every)}
            why = {"explanation": known["explanation"] if known else ""}
            rows.append({**row, **about, **why})
            # Those that were judged before and are not yet seen again stay.
            seen = {_key(one) for one in rows}
            store([*rows, *(one for key, one in before.items() if key not in seen)])
            print(number, row["verdict"], module, mutant.function, old, "->", new, flush=True)
    # A sample of other code stays, with its explanations.
    store([*(row for row in before.values() if row["drawn_from"] != str(len(every))), *rows])
    print(dict(Counter(row["verdict"] for row in rows)))


if __name__ == "__main__":
    main()
