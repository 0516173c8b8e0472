"""Stored measurements: read against a schema, printed by one formatter."""

import pytest

from analysis import benchmarks
from analysis.faults import FaultsError


def test_every_measurement_prints():
    printed = benchmarks.variables()
    assert printed["simulate_households"] == "10,000,000"
    assert printed["import_peak_gigabytes"] == "1.6"


def test_a_broken_measurement_is_named(tmp_path):
    file = tmp_path / "benchmarks.csv"
    file.write_text(
        "id,what,value,unit,command,machine,date\na,b,-1,s,c,m,2026-11-21\n", encoding="utf-8"
    )
    with pytest.raises(
        FaultsError, match=r"benchmarks\.csv:2 \[value\] '-1.0': the number is too small"
    ):
        benchmarks.variables(file)
