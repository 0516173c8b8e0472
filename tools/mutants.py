"""Sampled mutants: change one operator or number of the code, and see whether a test notices.

    python tools/mutants.py --number 200 --seed 14

Each mutant is one change of the syntax tree of a file in one of the rooms below: a comparison, an
arithmetic or Boolean operator, a number, `min` for `max`. The tests and examples of the rooms are
traced once (``build/mutants``, made anew when code or tests change). Then, for each mutant, those
that reach the changed statement are run, the fastest first, until one fails that passes without the
change; one that needs far more time than without the change has failed too.

A mutant is drawn by the digest of the seed, its function and its expression, the smallest first: so
it stays drawn when other code changes, moves or is renamed. Verdicts are written to
``reports/validation/mutants.csv`` one by one, so that a run that was interrupted goes on where it
was; `--again` judges those that were not killed again. The column ``explanation`` is written by
hand: each survivor is read, and killed by a test or explained.

An extra: `make test` does not run it. It works on a copy of the project, so that the tree stays as
it is, also when it is interrupted. It needs a system that can fork.
"""

from __future__ import annotations

import argparse
import ast
import csv
import hashlib
import importlib
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

import reached_lines
from reached_lines import Reached

ROOT = Path(__file__).resolve().parent.parent
ROOMS = ("effects", "did", "designs", "inference", "sensitivity", "welfare", "claims")
TESTED_WITH = ("cells", "power", "results")
"""Other rooms, whose tests are run too."""
DOORS = ("tests/test_doors.py", "tests/test_command.py", "tests/test_damage.py")
"""Tests of the whole, that reach the rooms too."""
TRACED = ROOT / "build/mutants"
FIRST_RUN = 20
"""Tests that are run before the others are imported: most mutants go no further."""
LONGER = 4
"""Times the processor seconds without the change, after which a test has failed."""
START = 40
"""Seconds to import and collect, and spare."""
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


def in_child(root: Path, work: Callable[[], int], seconds: float) -> int:
    """Run a function in a forked child with the copy's code; its exit code, −1 if it was ended."""
    sys.stdout.flush()
    child = os.fork()
    if not child:
        code = 1
        try:
            limit = int(seconds) + 1
            resource.setrlimit(resource.RLIMIT_CPU, (limit, limit + 5))
            os.chdir(root)
            os.environ["PYTHONPATH"] = str(root / "src")
            sys.path.insert(0, str(root / "src"))
            quiet = os.open(os.devnull, os.O_WRONLY)
            os.dup2(quiet, 1)
            os.dup2(quiet, 2)
            code = work()
        finally:
            os._exit(code)
    # The processor's seconds do not count what waits; a busy machine needs a few times as long.
    patience = time.monotonic() + 10 * seconds
    while True:
        ended, status = os.waitpid(child, os.WNOHANG)
        if ended:
            return os.waitstatus_to_exitcode(status) if os.WIFEXITED(status) else -1
        if time.monotonic() > patience:
            os.kill(child, 9)
        time.sleep(0.02)


def run(root: Path, tests: Sequence[str], seconds: float) -> tuple[int, str]:
    """Run tests until one fails; the exit code of pytest, −1 if time was up, and which failed."""
    first = root / "first.txt"
    first.write_text("", encoding="utf-8")

    class First:
        def pytest_runtest_logreport(self, report: Any) -> None:
            if report.failed:
                first.write_text(report.nodeid, encoding="utf-8")

    code = in_child(root, lambda: int(pytest.main([*OPTIONS, *tests], plugins=[First()])), seconds)
    return code, first.read_text(encoding="utf-8")


def trace(root: Path) -> Reached:
    """Return which test reaches which line: as stored, if neither code nor tests changed since."""
    rooms = [*ROOMS, *TESTED_WITH]
    places = [
        *(f"src/analysis/{room}" for room in rooms),
        *(f"tests/{room}" for room in rooms),
        *DOORS,
    ]
    tests = [place for place in places if (root / place).exists()]
    digest = hashlib.sha256()
    for folder in ("src/analysis", "tests"):
        for file in sorted((root / folder).rglob("*.py")):
            digest.update(file.read_bytes())
    stored = TRACED / f"{digest.hexdigest()[:16]}.json"
    if not stored.is_file():
        tracer = reached_lines.Tracer(root)

        def work() -> int:
            pytest.main([word for word in [*OPTIONS, *tests] if word != "-x"], plugins=[tracer])
            tracer.reached().save(stored)
            return 0

        begun = time.monotonic()
        in_child(root, work, 3_600)
        print(f"traced in {time.monotonic() - begun:.0f} s: {stored.name}", flush=True)
    return reached_lines.load(stored)


def judge(root: Path, mutant: Mutant, reached: Reached, sound: dict[str, bool]) -> dict[str, Any]:
    """Run the tests of a mutant until one fails that passes without the change; its row.

    A test that fails alone without the change too is left out, of this mutant and of later ones.
    """
    file = root / mutant.file
    text = file.read_text(encoding="utf-8")
    code, before, after = mutated(text, mutant.node)
    tests = reached.of(mutant.file, *mutant.lines) or reached.of_file(mutant.file)
    verdict, failed, left = "", "", list(tests)
    while not verdict:
        left = [test for test in left if sound.get(test, True)]
        part = left[:FIRST_RUN]
        seconds = START + LONGER * sum(map(reached.seconds.__getitem__, part))
        ended, failed = 0, ""
        if part:
            with changed(file, code, text):
                ended, failed = run(root, part, seconds)
        if part and not failed and ended < 0:
            verdict, failed = "killed", f"more than {LONGER} times the time of {len(part)} tests"
        elif failed and failed not in sound:
            sound[failed] = run(root, [failed], START + LONGER * reached.seconds[failed])[0] == 0
        if not verdict and failed and sound[failed]:
            verdict = "killed"
        elif not verdict and not failed:
            left = left[FIRST_RUN:]
            verdict = "" if left else "survived"
    return {
        "module": module_of(mutant),
        "function": mutant.function,
        "before": before,
        "after": after,
        "verdict": verdict,
        "tests": len(tests),
        "killed_by": failed,
    }


@contextmanager
def changed(file: Path, code: str, text: str) -> Iterator[None]:
    """Let a file hold other code for a while; what Python compiled of it goes."""
    try:
        write(file, code)
        yield
    finally:
        write(file, text)


def write(file: Path, text: str) -> None:
    """Write code; what Python compiled may be as old and as large, so it goes."""
    file.write_text(text, encoding="utf-8")
    for compiled in (file.parent / "__pycache__").glob(f"{file.stem}.*.pyc"):
        compiled.unlink()


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
    for name in NEEDED:
        importlib.import_module(name)
    before = stored()
    rows: list[dict[str, Any]] = []
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder).resolve()
        copy(root)
        reached, sound = trace(root), dict[str, bool]()
        for number, mutant in enumerate(chosen, 1):
            _, old, new = mutated((root / mutant.file).read_text(encoding="utf-8"), mutant.node)
            module, begun = module_of(mutant), time.monotonic()
            known = before.pop((module, mutant.function, old, new), None)
            if known and (not asked.again or known["verdict"] == "killed"):
                row = known
            else:
                about = {"seed": asked.seed, "number": number, "drawn_from": len(every)}
                why = {"explanation": known["explanation"] if known else ""}
                row = {**judge(root, mutant, reached, sound), **about, **why}
                took = f"{time.monotonic() - begun:.0f} s,"
                print(number, took, row["verdict"], module, mutant.function, flush=True)
            rows.append(row)
            # Those judged before, of code that is gone or not yet seen again, stay.
            store([*before.values(), *rows])
    print(dict(Counter(row["verdict"] for row in rows)))


if __name__ == "__main__":
    main()
