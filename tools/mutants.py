"""Sampled mutants: change one operator or number of the code, and see whether a test notices.

    python tools/mutants.py --number 200 --seed 1

Each mutant is one change of the syntax tree of a file in one of the rooms below: a comparison, an
arithmetic or Boolean operator, a number, `min` for `max`. The tests that name the file's module are
run, until the first failure. Survivors are printed with the line before and after; each must be
read and killed or explained. An extra: `make test` does not run it. It works on a copy of the
project, so that the tree stays as it is, also when it is interrupted.
"""

from __future__ import annotations

import argparse
import ast
import os
import random
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
ROOMS = ("effects", "inference", "sensitivity", "welfare", "claims")
PARTS = ("src", "tests", "data", "reports", "notebooks", "pages", "tools", "docs")
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


def places(text: str) -> Iterator[tuple[int, int]]:
    """Yield line and number of each node that can be changed."""
    for number, node in enumerate(ast.walk(ast.parse(text))):
        line = getattr(node, "lineno", 0)
        if change(node):
            yield line, number


def mutated(text: str, number: int) -> tuple[str, str]:
    """Return the code with one node changed, and what the line was and is."""
    before = ast.unparse(ast.parse(text)).splitlines()
    tree = ast.parse(text)
    change(list(ast.walk(tree))[number])
    after = ast.unparse(tree).splitlines()
    moved = [(a.strip(), b.strip()) for a, b in zip(before, after, strict=False) if a != b]
    return "\n".join(after) + "\n", " | ".join(f"{a}  ->  {b}" for a, b in moved[:2])


def tests_of(root: Path, file: Path) -> list[str]:
    """Return the test files that name the module, and the module itself for its examples."""
    stem, room = file.stem, file.parent.name
    named = re.compile(rf"\b{room}(\.|\s+import\b[^#]*\b){stem}\b|import\b[^#\n]*\b{stem}\b")
    found = [
        str(test.relative_to(root))
        for test in sorted((root / "tests").rglob("test_*.py"))
        if named.search(test.read_text(encoding="utf-8"))
    ]
    return [*found, str(file.relative_to(root))]


def passes(root: Path, file: Path, code: str, seconds: int) -> bool:
    """Say whether the tests of a file pass with other code in it."""
    text = file.read_text(encoding="utf-8")
    command = [sys.executable, "-m", "pytest", "-q", "-x", "--doctest-modules"]
    environment = {**os.environ, "PYTHONPATH": str(root / "src")}
    try:
        file.write_text(code, encoding="utf-8")
        run = subprocess.run(  # the interpreter that runs this, and pytest
            [*command, "-p", "no:cacheprovider", *tests_of(root, file)],
            cwd=root,
            env=environment,
            capture_output=True,
            timeout=seconds,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return False
    finally:
        file.write_text(text, encoding="utf-8")
    return run.returncode == 0


def main() -> None:
    """Sample mutants, print survivors and how many there were."""
    parser = argparse.ArgumentParser(description="Sampled mutants of the code.")
    parser.add_argument("--number", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--seconds", type=int, default=600, help="of the tests of one mutant")
    parser.add_argument("--rooms", nargs="*", default=list(ROOMS), choices=ROOMS)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        for part in PARTS:
            if (ROOT / part).is_dir():
                shutil.copytree(ROOT / part, root / part)
        for file in ROOT.iterdir():
            if file.is_file():
                shutil.copy2(file, root / file.name)
        every = [
            (file, line, number)
            for room in asked.rooms
            for file in sorted((root / "src" / "analysis" / room).glob("*.py"))
            for line, number in places(file.read_text(encoding="utf-8"))
        ]
        draw = random.Random(asked.seed)  # noqa: S311  # a sample, not a secret
        chosen = draw.sample(every, min(asked.number, len(every)))
        print(f"seed {asked.seed}: {len(chosen)} of {len(every)} mutants", flush=True)
        verdicts = {"killed": 0, "survived": 0, "not judged": 0}
        sound: dict[Path, bool] = {}
        for count, (file, line, number) in enumerate(chosen, 1):
            text = file.read_text(encoding="utf-8")
            code, changed = mutated(text, number)
            if passes(root, file, code, asked.seconds):
                verdict = "survived"
            else:
                # Killed only if the same tests pass without the change.
                if file not in sound:
                    sound[file] = passes(root, file, text, asked.seconds)
                verdict = "killed" if sound[file] else "not judged"
            verdicts[verdict] += 1
            print(f"{count} {verdict} {file.relative_to(root)}:{line} {changed}", flush=True)
        print(", ".join(f"{n} {verdict}" for verdict, n in verdicts.items()))


if __name__ == "__main__":
    main()
