"""Stored measurements: read against a schema, printed by one formatter."""

import polars as pl
import pytest

from analysis import benchmarks
from analysis.faults import FaultsError

HEADER = "id,what,value,unit,command,machine,date,job,package,level,rows\n"


def test_every_measurement_prints():
    printed = benchmarks.variables()
    assert printed["simulate_households"] == "10,000,000"
    assert printed["import_peak_gigabytes"] == "1.6"


def test_a_broken_measurement_is_named(tmp_path):
    file = tmp_path / "benchmarks.csv"
    file.write_text(HEADER + "a,b,-1,s,c,m,2026-11-21,,,,\n", encoding="utf-8")
    with pytest.raises(
        FaultsError, match=r"benchmarks\.csv:2 \[value\] '-1.0': the number is too small"
    ):
        benchmarks.variables(file)


def test_a_job_is_stored_once_and_read_back(tmp_path):
    file = tmp_path / "benchmarks.csv"
    file.write_text(HEADER + "kept,a thing,2,seconds,c,m,2026-11-21,,,,\n", encoding="utf-8")
    job = {
        "job": "two-way",
        "level": "village",
        "package": "analysis",
        "rows": 1000,
        "seconds": 0.25,
        "gibibytes": None,
    }
    for seconds in (0.5, 0.25):
        benchmarks.record([{**job, "seconds": seconds}], {"analysis": "0.1"}, "m", "c", file)
    assert benchmarks.variables(file) == {
        "kept": "2",
        "two_way_village_analysis_1000_seconds": "0.25",
    }
    (row,) = benchmarks.jobs(benchmarks.load(file)).to_dicts()
    assert row == {
        "job": "two-way",
        "level": "village",
        "package": "analysis",
        "version": "0.1",
        "rows": 1000,
        "seconds": 0.25,
        "gibibytes": None,
    }


def timed(**parts):
    base = {
        "job": "two-way",
        "level": "village",
        "package": "analysis",
        "version": "1",
        "rows": 10_000_000,
        "seconds": 0.5,
        "gibibytes": 1.0,
    }
    return base | parts


def test_targets_are_held_against_the_fastest_and_the_leanest_package():
    """By hand: 14 / 0.5 = 28 times, of 30 wanted."""
    jobs = pl.DataFrame(
        [timed(), timed(package="a", seconds=14.0), timed(package="b", seconds=20.0)]
    )
    found = benchmarks.targets(jobs)
    row = found.filter(id="two_way_faster").row(0, named=True)
    assert (row["measured"], row["met"]) == (28.0, False)
    assert found.filter(id="imputation_faster")["met"].item() is None


def test_memory_and_the_bare_scan():
    """By hand: 0.9 of 4.5 GiB is a fifth; 1.2 s of cells over 1 s of bare sums."""
    jobs = pl.DataFrame(
        [
            timed(job="group-time", gibibytes=0.9),
            timed(job="group-time", package="a", gibibytes=4.5),
            timed(job="cells", seconds=1.2),
            timed(job="bare sums", package="polars", seconds=1.0),
            timed(job="re-estimate", rows=1_000_000, seconds=0.03),
        ]
    )
    met = dict(benchmarks.targets(jobs).select("id", "measured").iter_rows())
    assert met["group_time_memory"] == pytest.approx(0.2)
    assert met["cells_scan"] == pytest.approx(1.2)
    assert met["re_estimate"] == 0.03


def test_targets_and_jobs_are_printed_with_what_was_not_timed():
    jobs = pl.DataFrame([timed(), timed(package="a", seconds=14.0)])
    shown = benchmarks.targets_shown(benchmarks.targets(jobs))
    assert set(shown["met"]) == {"no", "not timed"}
    assert "28" in shown["measured"].to_list()
    listed = benchmarks.jobs_shown(jobs)
    assert listed.row(0) == ("two-way", "village", 10_000_000, "this package", "0.500", "1.00")
    assert benchmarks.of_job(jobs, "two-way", "village")["seconds"].to_list() == [0.5, 14.0]
