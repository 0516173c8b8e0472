"""Print what a number costs from nothing, beside other packages: CPU seconds, memory, ratios.

Every run is a process of its own that starts the interpreter, imports the package, reads its input,
estimates and prints the point; what the operating system counted of it is what is shown. Packages
take turns, and the median of the repeats counts. Three kinds of input hold the same simulated
households: a CSV file with names as text, a Parquet file of whole numbers as a frame, and a panel
of the contract (tables to join), which only this package reads. Other packages are asked for no
bootstrap. Points of one job are compared over packages in the same run. What is lost is printed.

    python benchmarks/speed.py [--rows 100000 1000000] [--repeat 3] [--job group-time] [--record]

Needs the packages of ``requirements-bench.lock``: ``make bench`` sets them up.
"""

from __future__ import annotations

import argparse
import datetime
import math
import os
import statistics
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Any

import peers
from peers import COVARIATES

import panels

OURS = "analysis"
DRAWS = 9_999
KEYS = {"unit": "household", "time": "period", "first": "first_village", "cluster": "village"}


def ours_file(folder: Path) -> float:
    """Read the CSV file and estimate by the front door."""
    import polars as pl

    import analysis as va

    return va.did(pl.read_csv(folder / "flat.csv"), "wage", **KEYS).overall.value


def ours_frame(folder: Path, **options: Any) -> float:
    """Estimate from a frame by the front door."""
    import polars as pl

    import analysis as va

    return va.did(pl.read_parquet(folder / "flat.parquet"), "wage", **KEYS, **options).overall.value


def ours_doubly_robust(folder: Path) -> float:
    """Adjust for covariates, with default errors: each cluster left out."""
    return ours_frame(folder, covariates=COVARIATES)


def ours_imputation(folder: Path) -> float:
    """Imputation."""
    return ours_frame(folder, method="imputation")


def ours_two_way(folder: Path) -> float:
    """Two-way event study: the effect at the start."""
    import polars as pl

    import analysis as va

    fit = va.did(pl.read_parquet(folder / "flat.parquet"), "wage", **KEYS, method="two_way")
    return fit.event_study.effect_of("event time 0").value


def ours_panel(folder: Path) -> float:
    """Group-time effects from a panel of the contract."""
    import analysis as va

    return va.did(va.read_panel(folder), "wage", programme="village_fund").overall.value


def village(run: Callable[[Path, str], float]) -> Callable[[Path], float]:
    """Return a job of another package on a programme given to whole villages."""
    return partial(run, level="village")


@dataclass(frozen=True)
class Job:
    """What is timed: the question, from which input, by whose code."""

    job: str
    start: str
    package: str
    run: Callable[[Path], float]

    @property
    def name(self) -> str:
        """How a process of its own is told what to do."""
        return f"{self.job}/{self.start}/{self.package}"


JOBS = tuple(
    Job(*words)
    for words in (
        ("bare aggregate", "frame", "polars", village(peers.bare)),
        ("group-time", "file", OURS, ours_file),
        ("group-time", "file", "diff-diff", village(peers.diff_diff_file)),
        ("group-time", "frame", OURS, ours_frame),
        ("group-time", "frame", "diff-diff", village(peers.diff_diff_group_time)),
        ("group-time", "frame", "csdid", village(peers.csdid_group_time)),
        ("group-time", "panel", OURS, ours_panel),
        ("doubly robust", "frame", OURS, ours_doubly_robust),
        ("doubly robust", "frame", "diff-diff", village(peers.diff_diff_doubly_robust)),
        ("doubly robust", "frame", "csdid", village(peers.csdid_doubly_robust)),
        ("imputation", "frame", OURS, ours_imputation),
        ("imputation", "frame", "diff-diff", village(peers.diff_diff_imputation)),
        ("two-way", "frame", OURS, ours_two_way),
        ("two-way", "frame", "pyfixest", village(peers.pyfixest_two_way)),
    )
)
LARGEST = {"csdid": 1_000_000}
"""Rows beyond which a package needs more memory than this machine has."""


def measured(job: Job, folder: Path) -> dict[str, float] | str:
    """Run a job in a process of its own; return what the system counted, or what went wrong."""
    command = [sys.executable, __file__, "--run", job.name, "--folder", str(folder)]
    begun = time.perf_counter()
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        out = process.stdout.read() if process.stdout else b""
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        problem = process.stderr.read().decode() if process.stderr else ""
    if process.returncode:
        return problem.strip().splitlines()[-1] if problem.strip() else f"exit {process.returncode}"
    unit = 1 if sys.platform == "darwin" else 1024
    return {
        "cpu_seconds": used.ru_utime + used.ru_stime,
        "seconds": time.perf_counter() - begun,
        "gibibytes": used.ru_maxrss * unit / 2**30,
        "point": float(out.split()[-1]),
    }


def write_file(folder: Path) -> None:
    """Write the flat rows as a file that people have: commas, households and villages by name."""
    import polars as pl

    names = (
        pl.format("h{}", pl.col("household").cast(pl.String).str.zfill(8)).alias("household"),
        pl.format("v{}", pl.col("village").cast(pl.String).str.zfill(6)).alias("village"),
    )
    columns = (*names, "period", "wage", "first_village")
    pl.scan_parquet(folder / "flat.parquet").select(columns).sink_csv(folder / "flat.csv")


def measure(jobs: Iterable[Job], folder: Path, rows: int, repeat: int) -> list[dict[str, Any]]:
    """Time every job by turns; print and return the medians."""
    runs: dict[str, list[dict[str, float]]] = {}
    asked = [job for job in jobs if rows <= LARGEST.get(job.package, rows)]
    for _ in range(repeat):
        for job in asked:
            found = measured(job, folder)
            if isinstance(found, str):
                print(f"  {job.name}: {found}", flush=True)
            else:
                runs.setdefault(job.name, []).append(found)
    rows_found = []
    for job in asked:
        own = runs.get(job.name)
        if not own:
            continue
        row = {key: statistics.median(run[key] for run in own) for key in own[0]}
        rows_found.append(
            {
                "job": job.job,
                "start": job.start,
                "package": job.package,
                "rows": rows,
                **row,
            }
        )
        row = rows_found[-1]
        print(
            f"  {job.job:14} {job.start:6} {job.package:10} {row['cpu_seconds']:8.2f} CPU s"
            f" {row['gibibytes']:6.2f} GiB  point {row['point']:.6f}",
            flush=True,
        )
    return rows_found


def ratios(found: list[dict[str, Any]]) -> None:
    """Print each other package's CPU time and memory as a multiple of ours; below one we lose."""
    ours = {(r["job"], r["start"], r["rows"]): r for r in found if r["package"] == OURS}
    print("times ours (CPU seconds, memory; below 1.0 ours is the slower or the larger):")
    for row in found:
        base = ours.get((row["job"], row["start"], row["rows"]))
        if row["package"] in (OURS, "polars") or base is None:
            continue
        gap = abs(row["point"] / base["point"] - 1) if base["point"] else math.nan
        print(
            f"  {row['rows']:>12,} {row['job']:14} {row['start']:6} {row['package']:10}"
            f" {row['cpu_seconds'] / base['cpu_seconds']:6.2f}"
            f" {row['gibibytes'] / base['gibibytes']:6.2f}   points differ by {gap:.1e}"
        )


def main() -> None:
    """Make the panels, time the jobs, print the ratios; with ``--record`` store them."""
    options = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    options.add_argument("--rows", type=int, nargs="+", default=[100_000, 1_000_000])
    options.add_argument("--repeat", type=int, default=3)
    options.add_argument("--job", nargs="+", default=[], help="only these, such as group-time")
    options.add_argument("--start", nargs="+", default=[], help="only from file, frame or panel")
    options.add_argument("--package", nargs="+", default=[], help="only these, such as analysis")
    options.add_argument("--record", action="store_true", help="into reports/speed.csv")
    options.add_argument("--machine", default="", help="what the machine is, for the record")
    options.add_argument("--folder", type=Path, help="where panels are made")
    options.add_argument("--run", help=argparse.SUPPRESS)
    given = options.parse_args()
    warnings.simplefilter("ignore")
    if given.run:
        [job] = [job for job in JOBS if job.name == given.run]
        print(repr(job.run(given.folder)))
        return
    jobs = [
        job
        for job in JOBS
        if (not given.job or job.job in given.job)
        and (not given.start or job.start in given.start)
        and (not given.package or job.package in given.package)
    ]
    found: list[dict[str, Any]] = []
    for rows in given.rows:
        with tempfile.TemporaryDirectory(prefix="bench-", dir=given.folder) as place:
            folder = Path(place) / "panel"
            panels.make(folder, rows)
            write_file(folder)
            print(f"{rows:,} rows", flush=True)
            found += measure(jobs, folder, rows, given.repeat)
    ratios(found)
    if given.record:
        from analysis.benchmarks import front_door

        # Where panels were made is no part of the command.
        names = ("rows", "repeat", "job", "start", "package")
        asked = {name: getattr(given, name) for name in names if getattr(given, name)}
        words = [
            f"--{name} {' '.join(map(str, of)) if isinstance(of, list) else of}"
            for name, of in asked.items()
        ]
        how = {
            "command": " ".join(["benchmarks/speed.py", *words]),
            "machine": given.machine,
            "date": datetime.date.today(),
        }
        front_door.record({**row, "version": version(row["package"]), **how} for row in found)


if __name__ == "__main__":
    main()
