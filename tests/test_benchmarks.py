"""Stored measurements: read against a schema, printed by one formatter."""

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
    job = {"job": "two-way", "level": "village", "package": "analysis", "rows": 1000,
           "seconds": 0.25, "gibibytes": None}  # fmt: skip
    for seconds in (0.5, 0.25):
        benchmarks.record([{**job, "seconds": seconds}], {"analysis": "0.1"}, "m", "c", file)
    assert benchmarks.variables(file) == {
        "kept": "2", "two_way_village_analysis_1000_seconds": "0.25"
    }  # fmt: skip
    (row,) = benchmarks.jobs(benchmarks.load(file)).to_dicts()
    assert row == {"job": "two-way", "level": "village", "package": "analysis", "version": "0.1",
                   "rows": 1000, "seconds": 0.25, "gibibytes": None}  # fmt: skip
