"""Minutes and tries from a survey of six shapes to its effect and page, by a new user's commands.

Runs `tests/panels/importing/test_shapes.py` and times each command of it: ``import --init``, one
import of the map as it was written (it lists what is open), the import of the map filled in,
``did`` and the page. Counts the tries until a panel is there, and the lines of the map that a
person wrote or changed.

    python benchmarks/shapes.py [--record]
"""

from __future__ import annotations

import argparse
import difflib
import os
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from analysis.benchmarks import timings
from analysis.cli import app
from analysis.faults import FaultsError

TESTS = Path(__file__).parent.parent / "tests" / "panels" / "importing" / "test_shapes.py"
SHAPES = {
    "test_a_wide_csv_as_r_writes_it": "r_wide",
    "test_rates_and_population_weights_of_fifty_units_in_stata": "stata_rates",
    "test_files_by_wave_with_roster_items_weights_and_strata": "files_by_wave",
    "test_a_gbk_csv_with_semicolons_and_decimal_commas": "gbk",
    "test_a_workbook_of_two_sheets": "workbook",
    "test_a_register_by_quarter": "quarters",
}


@dataclass
class Run:
    """One shape: seconds of its commands, tries of the import, places left open, lines written."""

    seconds: float = 0.0
    tries: int = 0
    open_places: int = 0
    lines: int = 0
    started: str = ""
    commands: list[str] = field(default_factory=list)


@dataclass
class Recorder:
    """A plugin of pytest that times what a test of a shape calls."""

    runs: dict[str, Run] = field(default_factory=dict)

    def pytest_runtest_call(self, item: Any) -> None:
        """Put clocks around the commands of a test."""
        run = self.runs.setdefault(SHAPES[item.name], Run())
        module = item.module
        if not hasattr(module, "untimed"):
            module.untimed = (module.command, module.page)
        command, page = module.untimed
        module.command = lambda *words: self.command(run, command, *words)
        module.page = lambda *given: self.timed(run, "page", page, *given)

    def timed(self, run: Run, name: str, call: Callable[..., Any], *given: Any) -> Any:
        """Call something and add the time it takes."""
        start = time.perf_counter()
        made = call(*given)
        taken = time.perf_counter() - start
        run.seconds += taken
        run.commands.append(f"{name} {taken:.1f} s")
        return made

    def command(self, run: Run, command: Callable[..., str], *words: Any) -> str:
        """Run a command; after ``--init`` also the import of the map as it is."""
        if words[0] == "import" and "--init" not in words:
            start_map = Path(words[words.index("--map") + 1])
            run.tries += 1
            run.lines = written(run.started, start_map.read_text(encoding="utf-8"))
        name = "init" if "--init" in words else str(words[0])
        made: str = self.timed(run, name, command, *words)
        if "--init" in words:
            start_map = Path(words[-1])
            run.started = start_map.read_text(encoding="utf-8")
            files = [str(w) for w in words[2:-2]]
            out = str(start_map.parent / "tried")
            given = ["import", *files, "--map", str(start_map), "--out", out]
            tried = self.timed(run, "try", CliRunner().invoke, app, given)
            run.tries += 1
            if isinstance(tried.exception, FaultsError):
                run.open_places = len(tried.exception.faults)
        return made


def written(before: str, after: str) -> int:
    """Return how many lines, comments apart, a person added or changed."""
    lines = difflib.unified_diff(before.splitlines(), after.splitlines(), lineterm="", n=0)
    return sum(
        line.startswith("+") and not line.startswith("+++") and line[1:2] not in ("#", "")
        for line in lines
    )


def main() -> None:
    """Run, print, and store if asked."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--record", action="store_true", help="store in reports/benchmarks.csv")
    asked = parser.parse_args()
    recorder = Recorder()
    if pytest.main(["-q", "-p", "no:cacheprovider", str(TESTS)], plugins=[recorder]):
        raise SystemExit(1)
    made = []
    for name, run in recorder.runs.items():
        print(f"{name}: {run.seconds:.1f} s, {run.tries} tries, {run.open_places} open places,")
        print(f"  {run.lines} lines written ({', '.join(run.commands)})")
        for what, value, unit in (
            ("seconds", round(run.seconds, 1), "seconds"),
            ("tries", run.tries, "imports until a panel is there"),
            ("lines", run.lines, "lines of the map written or changed"),
        ):
            made.append(
                {
                    "id": f"shape_{name}_{what}",
                    "what": f"{what} from a survey of this shape to its effect and page",
                    "value": float(value),
                    "unit": unit,
                    "command": "python benchmarks/shapes.py",
                    "machine": f"{os.cpu_count()} cores, shared",
                }
            )
    if asked.record:
        timings.store(made)


if __name__ == "__main__":
    main()
