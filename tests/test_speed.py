"""Whole processes beside other packages: stored once a job, compared by hand."""

import datetime

import pytest

from analysis.benchmarks import front_door
from analysis.faults import FaultsError


def process(**parts):
    base = {
        "job": "group-time",
        "start": "frame",
        "rows": 1000,
        "package": "analysis",
        "version": "0.1",
        "cpu_seconds": 2.0,
        "seconds": 3.0,
        "gibibytes": 0.5,
        "point": 1.5,
        "command": "c",
        "machine": "m",
        "date": datetime.date(2026, 11, 28),
    }
    return base | parts


def test_each_package_stands_beside_ours(tmp_path):
    """By hand: 3 over 2 CPU seconds is 1.5 times ours, 1 over 2 half; ours is ahead in one."""
    file = tmp_path / "speed.csv"
    others = [
        process(package="a", cpu_seconds=3.0),
        process(package="b", cpu_seconds=1.0, gibibytes=0.8),
    ]
    front_door.record([process(), *others], file)
    door = front_door.front_door(file)
    assert (door.n_ahead.value, door.n_compared.value) == (1, 2)
    assert door.times("group-time", "frame", 1000).value == 0.5
    # Memory: 0.5 over 0.5 is less than 0.8 over 0.5.
    assert door.times("group-time", "frame", 1000, memory=True).value == 1.0
    shown = door.table().shown
    assert shown["package"].to_list() == ["this package", "b 0.1", "a 0.1"]
    assert shown["times ours"].to_list() == ["1.00", "0.50", "1.50"]


def test_a_job_timed_again_replaces_what_was_stored(tmp_path):
    file = tmp_path / "speed.csv"
    for seconds in (2.0, 4.0):
        front_door.record([process(cpu_seconds=seconds)], file)
    assert front_door.front_door(file).timed["cpu_seconds"].to_list() == [4.0]


def test_the_bare_scan_is_no_package_to_be_ahead_of(tmp_path):
    file = tmp_path / "speed.csv"
    front_door.record([process(), process(job="bare aggregate", package="polars")], file)
    door = front_door.front_door(file)
    assert door.n_compared.value == 0
    with pytest.raises(ValueError, match="no other package was timed"):
        door.times("group-time", "frame", 1000)


def test_a_broken_row_is_named(tmp_path):
    file = tmp_path / "speed.csv"
    front_door.record([process()], file)
    file.write_text(file.read_text().replace(",2.0,", ",-2.0,"), encoding="utf-8")
    with pytest.raises(FaultsError, match=r"speed\.csv:2 \[cpu_seconds\] '-2.0'"):
        front_door.front_door(file)
