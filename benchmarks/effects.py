"""Print how long effects take from file to interval, beside other packages, and the memory needed.

Each job starts from Parquet and ends with estimates, in a process of its own, by turns; the fastest
of its repeats counts. Ours begins with a panel of the contract (names as text, four sources, tables
to join); the others get a flat file of just the columns they need, whole numbers, and are asked for
no bootstrap. Points of one job are compared over packages in the same run.

    python benchmarks/effects.py [--rows 100000 1000000] [--repeat 3] [--only ours] [--record]

Needs the packages of ``requirements-bench.lock``: ``make bench`` sets them up.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import multiprocessing
import resource
import shutil
import sys
import tempfile
import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import version
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import peers

import panels
from analysis.benchmarks import timings
from analysis.cells.build import build
from analysis.cells.design import CellsDesign
from analysis.cells.outcomes import Outcome
from analysis.did.estimators import aggregate, few_villages, group_time, imputation, layout, two_way

DRAWS = 999
FEW_ROWS = 1_000_000
"""Rows of the panel on which is timed what is done again once cells exist."""
ANYWHERE = group_time.Comparison(where="anywhere")
"""The other packages know no villages: their controls live anywhere."""
PROGRAMME = {"village": "village_fund", "household": "training"}
# Memory each peer needs per row, measured at ten million; beyond the machine's it is left out.
MOST_ROWS = {"csdid": 10_000_000, "diff-diff": 10_000_000, "pyfixest": 10_000_000}


def cells(folder: Path, level: str) -> Any:
    """Scan the panel once."""
    design = CellsDesign((PROGRAMME[level],), outcomes=(Outcome("wage", "wage"),), stratum="")
    return build(folder, design)


def ours_group_time(folder: Path, level: str) -> float:
    """ATT(g, t), four aggregations, CV3 errors, bands."""
    return _aggregates(layout.from_cells(cells(folder, level)))


def _aggregates(table: Any) -> float:
    found = aggregate.aggregate(group_time.estimate(table, ANYWHERE), table)
    found.band(draws=DRAWS)
    _ = found.to_frame()
    return float(found.select(aggregation="simple").points[0])


def ours_imputation(folder: Path, level: str) -> float:
    """Imputation with its aggregates."""
    table = layout.from_cells(cells(folder, level))
    found = aggregate.aggregate(imputation.estimate(table), table, shares="fixed")
    _ = found.to_frame()
    return float(found.select(aggregation="simple").points[0])


def ours_two_way(folder: Path, level: str) -> float:
    """Two-way fixed effects event study."""
    found = two_way.estimate(layout.from_cells(cells(folder, level)))
    _ = found.to_frame()
    return float(found.select(at=0).points[0])


@dataclass(frozen=True)
class Job:
    """What is timed."""

    name: str
    package: str
    run: Callable[[Path, str], float]
    levels: tuple[str, ...] = ("village", "household")


JOBS = (
    Job("bare aggregate", "polars", peers.bare, ("village",)),
    Job("group-time", "analysis", ours_group_time),
    Job("group-time", "diff-diff", peers.diff_diff_group_time),
    Job("group-time", "csdid", peers.csdid_group_time),
    Job("imputation", "analysis", ours_imputation),
    Job("imputation", "diff-diff", peers.diff_diff_imputation),
    Job("two-way", "analysis", ours_two_way),
    Job("two-way", "pyfixest", peers.pyfixest_two_way),
)


def work(job: Job, folder: Path, level: str, repeat: int, answer: Connection) -> None:
    """Run a job a few times; answer with the least seconds, the peak bytes and the point.

    The peak is that of the first time: what a package keeps of it is no need of the job.
    """
    warnings.simplefilter("ignore")
    spent, point, peak = [], float("nan"), 0
    try:
        for _ in range(repeat):
            begun = time.perf_counter()
            with contextlib.redirect_stdout(io.StringIO()):  # csdid prints its tables
                point = job.run(folder, level)
            spent.append(time.perf_counter() - begun)
            peak = peak or resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    except Exception as problem:  # noqa: BLE001  # whatever ails a peer is said, the rest goes on
        answer.send(f"{type(problem).__name__}: {problem}")
        return
    answer.send((min(spent), peak * (1 if sys.platform == "darwin" else 1024), point))


def timed(job: Job, folder: Path, level: str, repeat: int) -> tuple[float, int, float] | str:
    """Run a job in a process of its own."""
    spawn = multiprocessing.get_context("spawn")
    ours, theirs = spawn.Pipe()
    process = spawn.Process(target=work, args=(job, folder, level, repeat, theirs))
    process.start()
    theirs.close()
    try:
        found: tuple[float, int, float] | str = ours.recv()
    except EOFError:
        found = "the process was stopped, most likely for lack of memory"
    process.join()
    return found


def few(folder: Path) -> dict[str, float]:
    """Time what is done again once cells exist: a re-estimate, and tests for few villages."""
    made = cells(folder, "village")

    def fastest(run: Callable[[], object]) -> float:
        spent = []
        for _ in range(5):
            begun = time.perf_counter()
            run()
            spent.append(time.perf_counter() - begun)
        return min(spent)

    table = layout.from_cells(made)
    cohort = panels.FIRST + 1
    all_villages = few_villages.two_by_two(table, cohort, cohort)
    return {
        "re-estimate": fastest(lambda: _aggregates(layout.from_cells(made))),
        "randomisation": fastest(lambda: few_villages.randomise(all_villages, draws=10_000)),
    }


def few_clusters(folder: Path) -> float:
    """Time the wild bootstrap with thirty villages."""
    table = layout.from_cells(cells(folder, "village"))
    two = few_villages.two_by_two(table, panels.FIRST + 1, panels.FIRST + 1)
    spent = []
    for _ in range(5):
        begun = time.perf_counter()
        few_villages.wild_bootstrap(two, "wage", draws=9_999)
        spent.append(time.perf_counter() - begun)
    return min(spent)


def measure(place: Path, rows: int, repeat: int, only: str, periods: int) -> list[dict[str, Any]]:
    """Time every job on one panel, print and return what was found."""
    folder = place / f"rows-{rows}"
    spawn = multiprocessing.get_context("spawn")
    sizes = {"periods": periods, "flat": only != "analysis"}
    made = spawn.Process(target=panels.make, args=(folder, rows), kwargs=sizes)
    made.start()
    made.join()
    found: list[dict[str, Any]] = []
    print(f"{rows:,} rows", flush=True)
    for level in ("village", "household"):
        for job in (job for job in JOBS if level in job.levels):
            if (only and job.package != only) or rows > MOST_ROWS.get(job.package, rows):
                continue
            result = timed(job, folder, level, repeat)
            if isinstance(result, str):
                print(f"  {level:9} {job.name:14} {job.package:9} {result}", flush=True)
                continue
            seconds, peak, point = result
            found.append(
                {
                    "job": job.name,
                    "level": level,
                    "package": job.package,
                    "rows": rows,
                    "seconds": seconds,
                    "gibibytes": peak / 2**30,
                    "point": point,
                }
            )
            print(
                f"  {level:9} {job.name:14} {job.package:9} {seconds:9.3f} s "
                f"{peak / 2**30:6.2f} GiB  point {point:.6f}",
                flush=True,
            )
    if rows == FEW_ROWS:
        for name, seconds in few(folder).items():
            found.append(
                {
                    "job": name,
                    "level": "village",
                    "package": "analysis",
                    "rows": rows,
                    "seconds": seconds,
                    "gibibytes": None,
                    "point": None,
                }
            )
            print(f"  {name:24} {seconds:9.4f} s", flush=True)
    shutil.rmtree(folder)
    return found


def ratios(found: list[dict[str, Any]]) -> None:
    """Print each peer's time and memory as a multiple of ours."""
    ours = {(r["job"], r["level"], r["rows"]): r for r in found if r["package"] == "analysis"}
    print("times ours, seconds and memory:")
    for r in found:
        base = ours.get((r["job"], r["level"], r["rows"]))
        if r["package"] in ("analysis", "polars") or base is None:
            continue
        print(
            f"  {r['rows']:>12,} {r['level']:9} {r['job']:12} {r['package']:9} "
            f"{r['seconds'] / base['seconds']:7.1f} x  "
            f"{r['gibibytes'] / base['gibibytes']:6.1f} x memory"
        )


def main() -> None:
    """Make the panels, time the jobs, print the ratios; with ``--record`` store them."""
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--rows", type=int, nargs="+", default=[100_000, 1_000_000])
    options.add_argument("--repeat", type=int, default=3)
    options.add_argument("--only", default="", help="one package, such as analysis")
    options.add_argument("--periods", type=int, default=10)
    options.add_argument("--record", action="store_true", help="into reports/benchmarks.csv")
    options.add_argument("--machine", default="", help="what the machine is, for the record")
    options.add_argument(
        "--folder", type=Path, help="where panels are made; a temporary one if not"
    )
    given = options.parse_args()
    found: list[dict[str, Any]] = []
    with tempfile.TemporaryDirectory(prefix="bench-", dir=given.folder) as place:
        for rows in given.rows:
            found += measure(Path(place), rows, given.repeat, given.only, given.periods)
        # Thirty villages, half of them treated.
        panels.make(Path(place) / "few", 30_000, villages=30, cohorts=1)
        seconds = few_clusters(Path(place) / "few")
        print(f"wild bootstrap, 9,999 draws, 30 villages: {seconds:.4f} s")
        found.append(
            {
                "job": "wild bootstrap",
                "level": "village",
                "package": "analysis",
                "rows": 30_000,
                "seconds": seconds,
                "gibibytes": None,
                "point": None,
            }
        )
    ratios(found)
    if given.record:
        versions = {name: version(name) for name in {r["package"] for r in found}}
        # Where panels were made and what the machine is called is no part of the command.
        command = f"{sys.argv[0]} --rows {' '.join(map(str, given.rows))} --repeat {given.repeat}"
        timings.record(found, versions, given.machine, command)


if __name__ == "__main__":
    main()
