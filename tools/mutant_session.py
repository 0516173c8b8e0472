"""One process in which tests are collected once and run again and again, the code changed between.

A function is changed by giving it other compiled code, so that nothing is imported twice. Fixtures
are torn down and caches emptied between changes. What is made at import, such as constants and
defaults, cannot be changed so: `compiled` says so, and the caller starts a process of its own.
"""

from __future__ import annotations

import ast
import gc
import importlib
import signal
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from types import CodeType, FrameType, FunctionType
from typing import Any

import pytest
from _pytest.doctest import DoctestItem
from _pytest.runner import runtestprotocol

from reached_lines import Reached, Tracer, empty_caches

Codes = dict[tuple[str, int], CodeType]
"""Of functions, by qualified name and first line."""


class TimeUp(BaseException):
    """A test took far longer than it should."""


def functions(code: CodeType) -> Codes:
    """Return the outermost functions of a compiled module, by name and first line."""
    found: Codes = {}
    for part in code.co_consts:
        if isinstance(part, CodeType):
            if part.co_flags & 1:  # CO_OPTIMIZED: a function, no class
                found[part.co_qualname, part.co_firstlineno] = part
            else:
                found |= functions(part)
    return found


def compiled(
    file: Path, before: ast.Module, after: ast.Module
) -> dict[tuple[str, int], CodeType] | None:
    """Return the functions that a change alters; None if it alters what is made at import."""
    old, new = (functions(compile(tree, str(file), "exec")) for tree in (before, after))
    found = {key: code for key, code in new.items() if code != old.get(key)}
    return found or None


@contextmanager
def changed(file: Path, module: str, codes: Codes) -> Iterator[None]:
    """Give functions of a module other code for a while.

    Raises
    ------
    LookupError
        If a function is not found alive.
    """
    importlib.import_module(module)
    alive = [
        (one, codes[one.__code__.co_qualname, one.__code__.co_firstlineno], one.__code__)
        for one in gc.get_objects()
        if type(one) is FunctionType
        and one.__code__.co_filename == str(file)
        and (one.__code__.co_qualname, one.__code__.co_firstlineno) in codes
    ]
    if len({(one.__code__.co_qualname, one.__code__.co_firstlineno) for one, *_ in alive}) < len(
        codes
    ):
        raise LookupError(f"no function alive in {file}: {', '.join(name for name, _ in codes)}")
    try:
        for function, code, _ in alive:
            function.__code__ = code
        yield
    finally:
        for function, _, code in alive:
            function.__code__ = code


class Tests:
    """Collected tests that can be run many times.

    Parameters
    ----------
    items : sequence of pytest.Item
        As collected.
    """

    def __init__(self, items: Sequence[pytest.Item]) -> None:
        self.items = {item.nodeid: item for item in items}
        # The runner of examples empties their names after it.
        self.names = {
            item.nodeid: dict(item.dtest.globs) for item in items if isinstance(item, DoctestItem)
        }

    def run(self, test: str, following: str | None, seconds: float) -> bool | None:
        """Run a test; whether it passed, None if it was skipped. A test without end fails."""
        item: Any = self.items[test]
        item._initrequest()  # as plugins that run tests again do
        if test in self.names:
            item.dtest.globs.update(self.names[test])

        def up(number: int, frame: FrameType | None) -> None:
            raise TimeUp

        signal.signal(signal.SIGPROF, up)
        signal.setitimer(signal.ITIMER_PROF, seconds)
        try:
            after = self.items[following] if following else None
            reports = runtestprotocol(item, log=False, nextitem=after)
        except TimeUp:
            self.items[test].session._setupstate.teardown_exact(None)
            return False
        finally:
            signal.setitimer(signal.ITIMER_PROF, 0)
        if any(report.skipped for report in reports):
            return None
        return all(report.passed for report in reports)

    def trace(self, tracer: Tracer, seconds: float) -> Reached:
        """Run every test once, and return which reaches which line."""
        names = list(self.items)
        for test, following in zip(names, [*names[1:], None], strict=True):
            tracer.note(self.items[test], partial(self.run, test, following, seconds))
        return tracer.reached()

    def first_failure(self, tests: Sequence[str], seconds: dict[str, float]) -> str:
        """Run tests until one fails, with empty caches; its name, or nothing."""
        empty_caches()
        for test, following in zip(tests, [*tests[1:], None], strict=True):
            if self.run(test, following, seconds[test]) is False:
                if following:
                    self.items[test].session._setupstate.teardown_exact(None)
                empty_caches()
                return test
        empty_caches()
        return ""
