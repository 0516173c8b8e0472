"""Print how long cells take against the bare aggregate on the same rows, and the memory they need.

The bare aggregate is Polars' own ``group_by(village, period)`` with the sums of the four sources
and their total, streaming. On *flat* rows the village stands beside each income, which no panel
has; on the *joined* ones it comes from the households, as it must for cells. A panel without gaps
is timed, and one that lacks a tenth of its rows.

Each job runs in a process of its own, by turns; the fastest of its repeats counts, since other work
on the machine can only slow it down.

    python benchmarks/cells.py [--rows 1000000] [--villages 2000] [--engine duckdb] [--repeat 5]
"""

from __future__ import annotations

import argparse
import multiprocessing
import resource
import sys
import tempfile
import time
from collections.abc import Callable
from importlib.metadata import version
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from analysis.benchmarks import timings
from analysis.cells.build import build
from analysis.cells.design import CellsDesign
from analysis.cells.outcomes import Outcome, standard, threshold
from analysis.panels import panel as panels
from analysis.panels import schemas
from analysis.panels.account import Account

PERIODS = 10
COHORTS = 5
POINTS = 10
HANDLING = "cross_sections"


def make(folder: Path, rows: int, villages: int, gaps: float) -> None:
    """Write a panel and its flat twin: five cohorts of villages and never treated, ten periods."""
    draws = np.random.default_rng(1)
    n = rows // PERIODS
    names = pl.select(h=pl.format("h{}", pl.int_range(n).cast(pl.String).str.zfill(8)))["h"]
    village = draws.integers(0, villages, n)
    of = pl.select(v=pl.format("v{}", pl.Series(village).cast(pl.String).str.zfill(6)))["v"]
    kinds = schemas.polars_schema("households")
    homes = pl.DataFrame({"household": names, "village": of}).with_columns(
        size_baseline=pl.Series(draws.integers(1, 7, n), dtype=pl.Int32),
        weight=pl.lit(1.0),
        weight_type=pl.lit("none", dtype=kinds["weight_type"]),
        stratum=pl.lit("all"),
    )
    kept = np.flatnonzero(draws.random(rows) >= gaps)
    income = pl.DataFrame(
        {
            "household": names.gather(kept // PERIODS),
            "period": pl.Series(2012 + kept % PERIODS, dtype=pl.Int32),
            **{s: draws.integers(0, 3_000_000, kept.size) for s in schemas.SOURCES},
        }
    ).with_columns(complete=pl.lit(True))
    treated = [f"v{v:06d}" for v in range(villages) if v % (COHORTS + 1)]
    participation = pl.DataFrame(
        {
            "programme": "training",
            "unit_level": "village",
            "unit": treated,
            "first_period": [2013 + int(v[1:]) % (COHORTS + 1) for v in treated],
        },
        schema_overrides={
            k: schemas.polars_schema("participation")[k] for k in ("unit_level", "first_period")
        },
    )
    panel = panels.Panel(
        "bench",
        "model",
        homes.lazy(),
        pl.LazyFrame({"village": homes["village"].unique().sort(), "county": "c"}),
        income.lazy(),
        participation.lazy(),
        Account(kept.size, kept.size),
    )
    folder.mkdir()
    for table in schemas.TABLES:
        schemas.conform(panel.table(table), table).sink_parquet(folder / f"{table}.parquet")
    flat = income.with_columns(village=of.gather(kept // PERIODS))
    flat.write_parquet(folder / "flat.parquet")
    panels.write_manifest(
        folder,
        name="bench",
        tier="model",
        account=panel.account,
        tables={},
        about=panels.described(panel),
    )


def sums(frame: pl.LazyFrame) -> pl.DataFrame:
    """Return the bare aggregate."""
    found = frame.group_by("village", "period").agg(
        pl.len(), pl.col(schemas.SOURCES).sum(), schemas.total().sum()
    )
    return found.collect(engine="streaming")


def bare_flat(folder: Path, engine: Any) -> None:
    """Add up flat rows."""
    sums(pl.scan_parquet(folder / "flat.parquet"))


def bare_joined(folder: Path, engine: Any) -> None:
    """Add up incomes joined to the village of their household."""
    village = pl.scan_parquet(folder / "households.parquet").select("household", "village")
    sums(pl.scan_parquet(folder / "income.parquet").join(village, on="household"))


def cells(folder: Path, engine: Any) -> None:
    """Build the cells of the four sources and the total."""
    build(folder, CellsDesign(("training",), stratum="", handling=HANDLING), engine)


def thresholds(folder: Path, engine: Any) -> None:
    """Build the same cells with ten points of the distribution function beside."""
    more = tuple(
        Outcome(f"below_{k}", transform=threshold(k * 10**6)) for k in range(1, POINTS + 1)
    )
    design = CellsDesign(
        ("training",), outcomes=(*standard(), *more), stratum="", handling=HANDLING
    )
    build(folder, design, engine)


JOBS: dict[str, Callable[[Path, Any], None]] = {
    "bare, flat": bare_flat,
    "bare, joined": bare_joined,
    "cells": cells,
    "thresholds": thresholds,
}


def work(job: str, folder: Path, engine: str, asked: Connection) -> None:
    """Run a job whenever asked; answer with the seconds, and with the peak bytes so far."""
    while asked.recv():
        begun = time.perf_counter()
        JOBS[job](folder, engine)
        seconds = time.perf_counter() - begun
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        asked.send((seconds, peak * (1 if sys.platform == "darwin" else 1024)))


def compare(folder: Path, engine: str, repeat: int) -> dict[str, tuple[float, int]]:
    """Return the least seconds and the peak bytes of each job."""
    spawn = multiprocessing.get_context("spawn")
    ends, found = {}, {}
    for job in JOBS:
        ours, theirs = spawn.Pipe()
        spawn.Process(target=work, args=(job, folder, engine, theirs), daemon=True).start()
        ends[job], found[job] = ours, []
    for _ in range(repeat + 1):
        for job, end in ends.items():
            end.send(True)
            found[job].append(end.recv())
    for end in ends.values():
        end.send(False)
    return {job: (min(s for s, _ in runs[1:]), runs[-1][1]) for job, runs in found.items()}


def keep(found: dict[str, tuple[float, int]], rows: int, gaps: str, machine: str) -> None:
    """Store the times; those of a panel with gaps apart."""
    more = "" if gaps == "no gaps" else f", {gaps}"
    named = {
        "bare, joined": ("bare sums", "polars"),
        "cells": ("cells", "analysis"),
        "thresholds": ("cells with ten thresholds", "analysis"),
    }
    stored = [
        {
            "job": named[job][0] + more,
            "level": "village",
            "package": named[job][1],
            "rows": rows,
            "seconds": seconds,
            "gibibytes": peak / 2**30,
        }
        for job, (seconds, peak) in found.items()
        if job in named
    ]
    versions = {package: version(package) for _, package in named.values()}
    timings.record(stored, versions, machine, f"{sys.argv[0]} --rows {rows}")


def main() -> None:
    """Make the panels, time the jobs, print the ratios."""
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--rows", type=int, default=1_000_000)
    options.add_argument("--villages", type=int, default=2_000)
    options.add_argument("--engine", default="polars")
    options.add_argument("--repeat", type=int, default=5)
    options.add_argument("--record", action="store_true", help="into reports/benchmarks.csv")
    options.add_argument("--machine", default="", help="what the machine is, for the record")
    given = options.parse_args()
    spawn = multiprocessing.get_context("spawn")
    with tempfile.TemporaryDirectory(prefix="bench-") as place:
        for name, gaps in (("no gaps", 0.0), ("a tenth missing", 0.1)):
            folder = Path(place) / name
            made = spawn.Process(target=make, args=(folder, given.rows, given.villages, gaps))
            made.start()
            made.join()
            found = compare(folder, given.engine, given.repeat)
            print(f"{given.rows:,} rows, {name}, cells by {given.engine}")
            for job, (seconds, peak) in found.items():
                ratios = [f"{seconds / found[base][0]:.2f} × {base}" for base in list(JOBS)[:2]]
                print(f"  {job:13} {seconds:8.3f} s  {peak / 2**30:5.2f} GiB   {', '.join(ratios)}")
            if given.record:
                keep(found, given.rows, name, given.machine)
            apart = found["thresholds"][0] - found["cells"][0]
            print(f"  a threshold: {apart / POINTS / given.rows * 1e9:.2f} ns per outcome and row")


if __name__ == "__main__":
    main()
