"""Sampled mutants: change one operator or number of the code, and see whether a test notices.

    python tools/mutants.py --number 200 --seed 14

Each mutant is one change of the syntax tree of a file in one of the rooms below: a comparison, an
arithmetic or Boolean operator, a number, `min` for `max`. The tests and examples of the rooms are
traced once (``build/mutants``, made anew when code or tests change). Then, for each mutant, those
that reach the changed statement are run, the fastest first, until one fails that passes without the
change; one that needs far more time than without the change has failed too. All run in one process
(see ``mutant_session.py``); a change that is made at import has a process of its own.

A mutant is drawn by the digest of the seed, its function and its expression, the smallest first: so
it stays drawn when other code changes, moves or is renamed. Verdicts are written to
``reports/validation/mutants.csv`` one by one, so that a run that was interrupted goes on where it
was; `--again` judges those that were not killed again. The column ``explanation`` is written by
hand: each survivor is read, and killed by a test or explained.

An extra: `make test` does not run it. It works on a copy of the project, so that the tree stays as
it is, also when it is interrupted.
"""

from __future__ import annotations

import argparse
import ast
import csv
import hashlib
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

import reached_lines
from mutant_session import Tests, changed, compiled
from reached_lines import Reached

ROOT = Path(__file__).resolve().parent.parent
ROOMS = ("effects", "did", "designs", "inference", "sensitivity", "welfare", "claims")
TESTED_WITH = ("cells", "power", "results")
"""Other rooms, whose tests are run too."""
DOORS = ("tests/test_doors.py", "tests/test_command.py", "tests/test_damage.py")
"""Tests of the whole, that reach the rooms too."""
TRACED = ROOT / "build/mutants"
SLOWEST = 6
"""Processor seconds after which a test is too slow to be traced and run."""
LONGER, START = 6, 20
"""Times the seconds without the change, and seconds more, after which a test has failed."""
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
    lines : tuple of int
        First and last line of the statement, of its head only where it has a body.
    name : str
        What it is drawn by: function, expression, and which of those alike it is.
    """

    file: str
    function: str
    node: int
    lines: tuple[int, int]
    name: str

    def rank(self, seed: int) -> str:
        """Return the digest that decides whether it is drawn."""
        return hashlib.sha256(f"{seed} {self.name}".encode()).hexdigest()


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


def spans(tree: ast.AST) -> dict[ast.AST, tuple[int, int]]:
    """Return first and last line of the statement that each node lies in."""
    found: dict[ast.AST, tuple[int, int]] = {}

    def walk(node: ast.AST, span: tuple[int, int]) -> None:
        for child in ast.iter_child_nodes(node):
            own = span
            if isinstance(child, (ast.stmt, ast.ExceptHandler)):
                decorators = getattr(child, "decorator_list", [])
                first = min([child.lineno, *(one.lineno for one in decorators)])
                body = getattr(child, "body", [])
                last = body[0].lineno - 1 if body else child.end_lineno or child.lineno
                own = first, max(last, first)
            found[child] = own
            walk(child, own)

    walk(tree, (1, 1))
    return found


def mutants_of(file: Path) -> Iterator[Mutant]:
    """Yield each node of a file that can be changed."""
    tree = ast.parse(file.read_text(encoding="utf-8"))
    names, lines = functions(tree), spans(tree)
    alike: Counter[str] = Counter()
    for number, node in enumerate(ast.walk(tree)):
        text = ast.unparse(node) if isinstance(node, ast.expr | ast.AugAssign) else ""
        if change(node):
            function = names.get(node, "")
            name = f"{function} {type(node).__name__} {text}"
            alike[name] += 1
            yield Mutant(
                file=file.relative_to(ROOT).as_posix(),
                function=function,
                node=number,
                lines=lines[node],
                name=f"{name} {alike[name]}",
            )


def mutated(text: str, number: int) -> tuple[str, str, str]:
    """Return the code with one node changed, and what the line was and is."""
    before = ast.unparse(ast.parse(text)).splitlines()
    tree = ast.parse(text)
    change(list(ast.walk(tree))[number])
    after = ast.unparse(tree).splitlines()
    moved = [(a.strip(), b.strip()) for a, b in zip(before, after, strict=False) if a != b]
    return "\n".join(after) + "\n", *(moved[0] if moved else ("", ""))


@dataclass(frozen=True)
class Judge:
    """A plugin of pytest that judges mutants in place of running the tests once.

    Attributes
    ----------
    root : Path
        Copy of the project.
    todo : sequence of (Mutant, callable)
        Mutants, and what to do with the row of each.
    say : callable
        Print, past what pytest catches.
    """

    root: Path
    todo: Sequence[tuple[Mutant, Callable[[dict[str, Any]], None]]]
    say: Callable[[str], None]
    tracer: reached_lines.Tracer

    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        """Trace the tests, if they were not traced, and judge every mutant."""
        tests = Tests(session.items)
        traced = TRACED / f"{digest(self.root)}.json"
        if not traced.is_file():
            begun = time.monotonic()
            tests.trace(self.tracer, SLOWEST).save(traced)
            self.say(f"{len(tests.items)} tests traced in {time.monotonic() - begun:.0f} s")
        reached = reached_lines.load(traced)
        sound: dict[str, bool] = {}
        now = TRACED / "now.txt"
        for mutant, done in self.todo:
            before = now.read_text(encoding="utf-8") if now.is_file() else ""
            now.write_text(mutant.name, encoding="utf-8")
            if before == mutant.name:  # it ended the process the last time
                done(self.row(mutant, reached, "killed", "the process ended"))
            else:
                done(self.judged(mutant, tests, reached, sound))
            now.unlink()
        return True

    def judged(
        self, mutant: Mutant, tests: Tests, reached: Reached, sound: dict[str, bool]
    ) -> dict[str, Any]:
        """Run the tests of a mutant until one fails that passes without the change; its row."""
        file = self.root / mutant.file
        text = file.read_text(encoding="utf-8")
        old, new = ast.parse(text), ast.parse(text)
        change(list(ast.walk(new))[mutant.node])
        codes = compiled(file, old, new)
        limits = {name: START + LONGER * took for name, took in reached.seconds.items()}
        left = [test for test in self.tests_of(mutant, reached) if test in tests.items]
        while left:
            left = [test for test in left if sound.get(test, True)]
            if codes:
                with changed(file, f"analysis.{module_of(mutant)}", codes):
                    failed = tests.first_failure(left, limits)
            else:
                failed = self.first_failure(file, ast.unparse(new), text, left)
            if not failed:
                break
            if not codes or not tests.first_failure([failed], limits):
                return self.row(mutant, reached, "killed", failed)
            sound[failed] = False
        return self.row(mutant, reached, "survived", "")

    def first_failure(self, file: Path, code: str, text: str, tests: Sequence[str]) -> str:
        """Run tests in a process of its own on a changed file; the one that fails, or nothing."""
        first = self.root / "first.xml"
        command = [sys.executable, "-m", "pytest", *OPTIONS, f"--junitxml={first}", *tests]
        environment = os.environ | {"PYTHONPATH": str(self.root / "src")}
        try:
            write(file, code)
            ended = subprocess.run(  # fixed arguments
                command, cwd=self.root, env=environment, capture_output=True, check=False
            )
        finally:
            write(file, text)
        if ended.returncode == pytest.ExitCode.OK:
            return ""
        shown = re.search(r"^(?:FAILED|ERROR) (\S+)", ended.stdout.decode(), re.MULTILINE)
        return shown.group(1) if shown else "import"

    def tests_of(self, mutant: Mutant, reached: Reached) -> list[str]:
        """Return the tests that reach the statement; where it is run at import, the file."""
        return reached.of(mutant.file, *mutant.lines) or reached.of_file(mutant.file)

    def row(self, mutant: Mutant, reached: Reached, verdict: str, failed: str) -> dict[str, Any]:
        """Return what is stored."""
        _, before, after = mutated((self.root / mutant.file).read_text("utf-8"), mutant.node)
        return {
            "module": module_of(mutant),
            "function": mutant.function,
            "before": before,
            "after": after,
            "verdict": verdict,
            "tests": len(self.tests_of(mutant, reached)),
            "killed_by": failed,
        }


def digest(root: Path) -> str:
    """Return a name of the state of code and tests."""
    found = hashlib.sha256()
    for folder in ("src/analysis", "tests"):
        for file in sorted((root / folder).rglob("*.py")):
            found.update(file.read_bytes())
    return found.hexdigest()[:16]


def write(file: Path, text: str) -> None:
    """Write code; what Python compiled may be as old and as large, so it goes."""
    file.write_text(text, encoding="utf-8")
    for one in (file.parent / "__pycache__").glob(f"{file.stem}.*.pyc"):
        one.unlink()


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


def store(rows: Iterable[dict[str, Any]]) -> None:
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
    parser.add_argument("--seed", type=int, default=14)
    parser.add_argument("--again", action="store_true", help="judge those not killed again")
    parser.add_argument("--rooms", nargs="*", default=list(ROOMS), choices=ROOMS)
    asked = parser.parse_args()
    every = [
        mutant
        for room in asked.rooms
        for file in sorted((ROOT / "src/analysis" / room).glob("*.py"))
        for mutant in mutants_of(file)
    ]
    chosen = sorted(every, key=lambda one: one.rank(asked.seed))[: asked.number]
    print(f"seed {asked.seed}: {len(chosen)} of {len(every)} mutants", flush=True)
    rows = stored()
    said = os.dup(1)

    def say(line: str) -> None:
        os.write(said, f"{line}\n".encode())

    def keep(number: int, begun: list[float]) -> Callable[[dict[str, Any]], None]:
        def done(row: dict[str, Any]) -> None:
            known = rows.get(_key(row))
            about = {"seed": asked.seed, "number": number, "drawn_from": len(every)}
            rows[_key(row)] = {**row, **about, "explanation": known["explanation"] if known else ""}
            store(rows.values())
            took, begun[0] = time.monotonic() - begun[0], time.monotonic()
            say(f"{number} {took:.0f} s {row['verdict']} {row['module']} {row['function']}")

        return done

    todo, begun = [], [time.monotonic()]
    for number, mutant in enumerate(chosen, 1):
        text = (ROOT / mutant.file).read_text(encoding="utf-8")
        key = (module_of(mutant), mutant.function, *mutated(text, mutant.node)[1:])
        known = rows.get(key)
        if not known or (asked.again and known["verdict"] != "killed"):
            todo.append((mutant, keep(number, begun)))
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder).resolve()
        copy(root)
        os.chdir(root)
        sys.path.insert(0, str(root / "src"))
        rooms = [*ROOMS, *TESTED_WITH]
        places = [f"src/analysis/{room}" for room in rooms] + [f"tests/{room}" for room in rooms]
        tests = [place for place in (*places, *DOORS) if (root / place).exists()]
        quiet = os.open(os.devnull, os.O_WRONLY)
        os.dup2(quiet, 1)
        os.dup2(quiet, 2)
        tracer = reached_lines.Tracer(root)
        pytest.main([*OPTIONS, "-s", *tests], plugins=[tracer, Judge(root, todo, say, tracer)])
        os.chdir(ROOT)
    say(str(dict(Counter(row["verdict"] for row in rows.values()))))


if __name__ == "__main__":
    main()
