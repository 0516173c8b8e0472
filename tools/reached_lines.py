"""Which test reaches which line: tests are run once, and traced.

Lines that a fixture reaches count for every test that asks for the fixture, though it is made once.
Caches of the package are emptied before each test, so that a line counts for each test that needs
it. Bodies of modules and classes run at import, for no test in particular, and are left out; a call
reaches the first line of its function, with decorators and defaults.
"""

from __future__ import annotations

import functools
import inspect
import json
import sys
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import CodeType, FrameType
from typing import Any

import pytest


@dataclass(frozen=True)
class Reached:
    """What was traced.

    Attributes
    ----------
    seconds : dict of str to float
        Processor seconds of each test that passed, by pytest's name, with those of its fixtures.
    lines : dict of str to dict of int to list of str
        By file, from the root, and line: the tests that reach it.
    """

    seconds: dict[str, float]
    lines: dict[str, dict[int, list[str]]]

    def of(self, file: str, first: int, last: int) -> list[str]:
        """Return the tests that reach any line of a range, in the order to run them."""
        lines = self.lines.get(file, {})
        return self._ordered({test for k in range(first, last + 1) for test in lines.get(k, ())})

    def of_file(self, file: str) -> list[str]:
        """Return the tests that reach any line of a file, in the order to run them."""
        return self._ordered({test for of in self.lines.get(file, {}).values() for test in of})

    def _ordered(self, tests: set[str]) -> list[str]:
        """Return files one after the other, as they share fixtures, the fastest first."""
        files: dict[str, float] = defaultdict(float)
        for test in tests:
            files[test.partition("::")[0]] += self.seconds[test]

        def key(test: str) -> tuple[float, str, float]:
            file = test.partition("::")[0]
            return files[file], file, self.seconds[test]

        return sorted(tests, key=key)

    def save(self, file: Path) -> None:
        """Write as JSON."""
        file.parent.mkdir(parents=True, exist_ok=True)
        number = {test: k for k, test in enumerate(self.seconds)}
        lines = {
            name: {line: [number[test] for test in tests] for line, tests in of.items()}
            for name, of in self.lines.items()
        }
        file.write_text(json.dumps({"seconds": self.seconds, "lines": lines}), encoding="utf-8")


def load(file: Path) -> Reached:
    """Read what `Reached.save` wrote."""
    stored = json.loads(file.read_text(encoding="utf-8"))
    tests = list(stored["seconds"])
    lines = {
        name: {int(line): [tests[k] for k in numbers] for line, numbers in of.items()}
        for name, of in stored["lines"].items()
    }
    return Reached(stored["seconds"], lines)


class Tracer:
    """A plugin of pytest that notes the lines that each test and each fixture reaches.

    Parameters
    ----------
    root : Path
        Of the project; only files under ``src/analysis`` are traced.
    """

    def __init__(self, root: Path) -> None:
        self.under = f"{root / 'src/analysis'}/"
        self.cut = len(f"{root}/")
        self.tracing = False
        self.lines: dict[str, set[tuple[str, int]]] = defaultdict(set)
        self.fixtures: dict[str, set[str]] = {}
        self.seconds: dict[str, float] = defaultdict(float)
        self.passed: dict[str, bool] = {}
        self.current: set[tuple[str, int]] = set()
        self.files: dict[CodeType, str] = {}

    def trace(self, frame: FrameType, event: str, _: Any) -> Any:
        """Note the first line of a call, and let its lines be noted, where it is ours."""
        code = frame.f_code
        name = self.files.get(code)
        if name is None:
            ours = code.co_filename.startswith(self.under) and code.co_flags & inspect.CO_OPTIMIZED
            name = self.files[code] = code.co_filename[self.cut :] if ours else ""
        if not name:
            return None
        self.current.add((name, frame.f_lineno))

        def local(frame: FrameType, event: str, _: Any) -> Any:
            if event == "line":
                self.current.add((name, frame.f_lineno))
            return local

        return local

    @contextmanager
    def noting(self, owner: str) -> Iterator[None]:
        """Let lines count for a test or a fixture, and its time."""
        before, self.current = self.current, self.lines[owner]
        begun = time.process_time()
        sys.settrace(self.trace)
        threading.settrace(self.trace)
        try:
            yield
        finally:
            self.seconds[owner] += time.process_time() - begun
            self.current = before

    def note(self, item: pytest.Item, run: Callable[[], bool | None]) -> None:
        """Run a test, with empty caches, and note whether it passed."""
        empty_caches()
        found = getattr(item, "_fixtureinfo", None)
        asked = found.name2fixturedefs.values() if found else ()
        self.fixtures[item.nodeid] = {fixture_name(one) for of in asked for one in of}
        self.tracing = True
        with self.noting(item.nodeid):
            self.passed[item.nodeid] = run() is True
        self.tracing = False
        sys.settrace(None)
        threading.settrace(None)

    @pytest.hookimpl(wrapper=True)
    def pytest_fixture_setup(self, fixturedef: Any) -> Generator[None, Any, Any]:
        """Note a fixture apart from the test that happens to be the first to ask for it."""
        if not self.tracing:
            return (yield)
        with self.noting(fixture_name(fixturedef)):
            return (yield)

    def reached(self) -> Reached:
        """Return what was traced, of the tests that passed."""
        lines: dict[str, dict[int, list[str]]] = defaultdict(lambda: defaultdict(list))
        seconds = {}
        for test in sorted(test for test, ok in self.passed.items() if ok):
            owners = {test, *self.fixtures[test]}
            seconds[test] = round(sum(self.seconds[owner] for owner in owners), 3)
            for file, line in sorted(set().union(*(self.lines[owner] for owner in owners))):
                lines[file][line].append(test)
        return Reached(seconds, {file: dict(of) for file, of in lines.items()})


def fixture_name(fixture: Any) -> str:
    """Return a name of a fixture that no test has."""
    return f"fixture {fixture.baseid}::{fixture.argname}"


def empty_caches() -> None:
    """Empty every function cache of the package's modules."""
    for name, module in list(sys.modules.items()):
        if name.partition(".")[0] == "analysis":
            for value in list(vars(module).values()):
                if isinstance(value, functools._lru_cache_wrapper):  # has no other name
                    value.cache_clear()
