"""The benchmark runs, on a panel too small to time: its jobs work and its bare sums are the cells'."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import polars as pl
import pytest

from analysis.cells.build import build
from analysis.cells.design import CellsDesign

FILE = Path(__file__).resolve().parents[2] / "benchmarks" / "cells.py"


@pytest.mark.parametrize("gaps", [0.0, 0.1])
def test_the_jobs_of_the_benchmark_agree(tmp_path: Path, gaps: float) -> None:
    spec = importlib.util.spec_from_file_location("benchmark_of_cells", FILE)
    assert spec is not None and spec.loader is not None
    benchmark = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(benchmark)
    folder = tmp_path / "panel"
    benchmark.make(folder, 2_000, 12, gaps)
    for job in benchmark.JOBS.values():
        job(folder, "polars")
    bare = benchmark.sums(pl.scan_parquet(folder / "flat.parquet")).sort("village", "period")
    cells = build(folder, CellsDesign(("training",), stratum="", handling="cross_sections")).totals
    assert cells.sort("village", "period")["sum_total"].to_list() == bare["total"].to_list()
    assert cells["n"].sum() == bare["len"].sum()
