"""Findings: noted once, stored, read back, compared."""

import json
import sys

import polars as pl
import pytest

from analysis import findings
from analysis.faults import FaultsError
from analysis.findings import recorder
from analysis.results import Number, Provenance
from analysis.results.number import Word
from analysis.results.table import ResultTable

SOURCE = Provenance.of(
    pl.read_csv, evidence="reported", rows_in=4, rows_used=2, inputs=("data/claims:0123456789ab",)
)


@pytest.fixture(autouse=True)
def _clean(monkeypatch):
    """Nothing noted or kept by another test of this process."""
    for name in ("_noted", "_cells"):
        monkeypatch.setattr(recorder, name, {})
    monkeypatch.setattr(sys.modules[Number.__module__], "_KEPT", {})


def number(value, **more):
    return Number(value=value, what="placed workers", unit="persons", provenance=SOURCE, **more)


def test_a_number_prints_as_a_link_to_its_record():
    found = recorder.inline(number(1357), "01-claims", 1)
    assert found.markdown == "[1,357](/findings/01-claims.qmd#01-claims.1){.finding}"
    (record,) = json.loads(recorder.export_json("01-claims"))
    assert record["function"].endswith(".read_csv")
    assert (record["value"], record["tier"], record["rows_used"]) == (1357, "reported", 2)
    assert record["inputs"].startswith("data/claims:")


def test_a_word_is_a_finding_too():
    word = Word(word="consistent", what="verdict on a relation", provenance=SOURCE)
    found = recorder.inline(word, "01-claims", 2)
    assert found.markdown == "[consistent](/findings/01-claims.qmd#01-claims.2){.finding}"


def test_a_badge_has_no_record_and_a_plain_value_is_refused():
    assert recorder.inline(SOURCE.badge, "01-claims", 1) == SOURCE.badge
    assert json.loads(recorder.export_json("01-claims")) == []
    with pytest.raises(recorder.PlainValueError, match="plain str"):
        recorder.inline("1,357", "01-claims", 1)


def test_a_name_cannot_stand_for_two_numbers():
    for _ in range(2):
        recorder.inline(number(1), "p", 1)
    with pytest.raises(ValueError, match="noted twice"):
        recorder.inline(number(2), "p", 1)


def test_written_and_read_back(tmp_path):
    recorder.inline(number(0.5, low=0.25, high=0.75), "p", 1, "cell")
    table = ResultTable(
        shown=pl.DataFrame({"x": ["1.0"]}), data=pl.DataFrame({"x": [1.0]}), provenance=SOURCE
    )
    recorder.exhibit(table, "tbl-a", "p", "other", "a table")
    records = json.loads(recorder.export_json("p"))
    assert [record["cell"] for record in records] == ["cell", "other"]
    file = tmp_path / "findings.csv"
    findings.write_csv(records, file)
    again = findings.read_csv(file)
    # The cell is shown on the record's page and is not stored.
    kept = [{k: v for k, v in record.items() if k != "cell"} for record in records]
    assert again == sorted(kept, key=lambda record: record["id"])
    assert findings.compare(records, again) == ()


def changed(**parts):
    base = dict.fromkeys(findings.COLUMNS, "") | {
        "id": "a",
        "kind": "number",
        "page": "p",
        "tier": "reported",
        "value": 1.0,
        "low": None,
        "high": None,
        "rows_in": 3,
        "rows_used": 3,
        "n_villages_treated": 4,
        "n_villages_control": 5,
        "tolerance": 1e-9,
    }
    return base | parts


@pytest.mark.parametrize(
    ("parts", "columns"),
    [
        ({}, []),
        ({"value": 1.0 + 1e-12}, []),
        ({"value": 1.001}, ["value"]),
        ({"value": None}, ["value"]),
        ({"low": 0.5}, ["low"]),
        ({"rows_used": 2}, ["rows_used"]),
        ({"n_villages_control": 6}, ["n_villages_control"]),
        ({"digest": "abc"}, ["digest"]),
        ({"tier": "model"}, ["tier"]),
        ({"inputs": "data:123"}, []),
    ],
)
def test_what_moved_between_two_runs(parts, columns):
    moved = findings.compare([changed()], [changed(**parts)])
    assert [row.column for row in moved] == columns


def test_a_finding_gone_or_new_is_a_difference():
    gone = findings.compare([changed()], [])
    new = findings.compare([], [changed()])
    assert (gone[0].before, gone[0].after) == ("published", "gone")
    assert (new[0].before, new[0].after) == ("not published", "new")


def test_a_missing_or_foreign_file_is_named(tmp_path):
    with pytest.raises(FaultsError, match="make report"):
        findings.read_csv(tmp_path / "findings.csv")
    foreign = tmp_path / "other.csv"
    foreign.write_text("a,b\n1,2\n", encoding="utf-8")
    with pytest.raises(FaultsError, match="columns are not those"):
        findings.read_csv(foreign)


def test_the_digest_of_a_table_ignores_the_last_bits_of_floats():
    a = pl.DataFrame({"x": [0.1 + 0.2]})
    b = pl.DataFrame({"x": [0.3]})
    c = pl.DataFrame({"x": [0.3001]})
    assert findings.frame_digest(a) == findings.frame_digest(b) != findings.frame_digest(c)


def test_every_published_number_says_its_rows():
    """Rows in and used stand beside each number, word, figure and table of the report."""
    from analysis import paths

    for record in findings.read_csv(paths.root() / "reports" / "findings.csv"):
        assert record["rows_in"] is not None, record["id"]
        assert record["rows_used"] is not None, record["id"]
        if record["kind"] in ("number", "word"):
            assert record["rows_used"] <= record["rows_in"], record["id"]


def test_another_processor_writes_the_same_file(tmp_path):
    """Two doubles that differ in their last digits, as sums in another order do."""
    sum_of_tenths = sum([0.1] * 10)
    assert sum_of_tenths != 1.0
    for name, value in (("one.csv", 1.0), ("other.csv", sum_of_tenths)):
        findings.write_csv([changed(value=value, low=value * 1e6)], tmp_path / name)
    assert (tmp_path / "one.csv").read_bytes() == (tmp_path / "other.csv").read_bytes()
