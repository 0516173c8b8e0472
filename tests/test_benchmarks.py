"""Stored measurements: read against a schema, printed by one formatter."""

import polars as pl
import pytest

from analysis.benchmarks import timings
from analysis.benchmarks.comparison import compare
from analysis.faults import FaultsError
from analysis.results.plot import exhibit_of

HEADER = "id,what,value,unit,command,machine,date,job,package,level,rows\n"


def test_every_measurement_prints():
    printed = timings.variables()
    assert printed["simulate_households"] == "10,000,000"
    assert printed["import_peak_gigabytes"] == "1"


def test_a_broken_measurement_is_named(tmp_path):
    file = tmp_path / "benchmarks.csv"
    file.write_text(HEADER + "a,b,-1,s,c,m,2026-11-21,,,,\n", encoding="utf-8")
    with pytest.raises(
        FaultsError, match=r"benchmarks\.csv:2 \[value\] '-1.0': the number is too small"
    ):
        timings.variables(file)


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
        timings.record([{**job, "seconds": seconds}], {"analysis": "0.1"}, "m", "c", file)
    assert timings.variables(file) == {
        "kept": "2",
        "two_way_village_analysis_1000_seconds": "0.25",
    }
    (row,) = timings.jobs(timings.load(file)).to_dicts()
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
    found = timings.targets(jobs)
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
    met = dict(timings.targets(jobs).select("id", "measured").iter_rows())
    assert met["group_time_memory"] == pytest.approx(0.2)
    assert met["cells_scan"] == pytest.approx(1.2)
    assert met["re_estimate"] == 0.03


def test_targets_and_jobs_are_printed_with_what_was_not_timed():
    found = compare(pl.DataFrame([timed(), timed(package="a", seconds=14.0)]))
    shown = found.targets().shown
    assert set(shown["reached"]) == {"no", "not timed"}
    assert "28" in shown["measured"].to_list()
    assert (found.n_reached.value, found.n_targets.value) == (0, shown.height)
    assert (found.measured("two_way_faster").value, found.measured("cells_scan").point) == (
        28,
        None,
    )
    listed = found.table().shown
    assert listed.row(0) == ("two-way", "this package", "10,000,000", "0.500", "1", "villages")
    assert listed["package"].to_list() == ["this package", "a 1"]


def test_times_faster_is_the_fastest_other_package_over_this_one():
    """By hand: 14 / 0.5 = 28; nothing to compare with is no number."""
    jobs = [timed(), timed(package="a", seconds=14.0), timed(package="b", seconds=20.0)]
    found = compare(pl.DataFrame(jobs))
    assert found.times_faster("two-way", "village", 10_000_000).value == 28
    assert found.times_faster("cells", "village", 10_000_000).point is None


def test_growth_draws_one_line_for_each_package_and_says_its_points():
    jobs = [timed(), timed(rows=100_000, seconds=0.0625), timed(package="a", seconds=14.0)]
    ax = compare(pl.DataFrame(jobs)).growth("two-way", "village")
    noted = exhibit_of(ax.figure)
    assert noted is not None
    assert noted.data.height == 3
    assert "this package, 100,000 rows: 0.0625 seconds" in noted.alt
    assert [text.get_text() for text in ax.texts] == ["this package", "a"]
