"""Stored tables: read as written, and a missing one says which module makes it."""

from pathlib import Path

import polars as pl
import pytest

from analysis import stored_tables
from analysis.faults import FaultsError

FILE = Path("reports") / "validation" / "made.csv"


def test_what_is_stored_is_read_again(tmp_path, monkeypatch):
    monkeypatch.setenv("ANALYSIS_ROOT", str(tmp_path))
    table = pl.DataFrame({"name": ["a", ""], "value": [0.1 + 0.2, None]})
    stored_tables.write(FILE, table)
    assert stored_tables.read(FILE, "analysis.made").equals(table)
    assert [path.name for path in (tmp_path / FILE).parent.iterdir()] == [FILE.name]


def test_a_table_that_cannot_be_made_leaves_the_one_before(tmp_path, monkeypatch):
    monkeypatch.setenv("ANALYSIS_ROOT", str(tmp_path))
    stored_tables.write(FILE, pl.DataFrame({"value": [1]}))

    def full(part, target):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", full)
    with pytest.raises(OSError, match="No space left"):
        stored_tables.write(FILE, pl.DataFrame({"value": [2]}))
    monkeypatch.undo()
    monkeypatch.setenv("ANALYSIS_ROOT", str(tmp_path))
    assert stored_tables.read(FILE, "analysis.made")["value"].to_list() == [1]
    assert [path.name for path in (tmp_path / FILE).parent.iterdir()] == [FILE.name]


def test_a_missing_table_says_what_makes_it(tmp_path, monkeypatch):
    monkeypatch.setenv("ANALYSIS_ROOT", str(tmp_path))
    with pytest.raises(FaultsError, match=r"made\.csv.*missing.*python -m analysis\.made"):
        stored_tables.read(FILE, "analysis.made")
