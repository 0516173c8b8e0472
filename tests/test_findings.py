"""Findings: noted once, printed by one formatter, stored, read back, compared."""

from dataclasses import dataclass
from fractions import Fraction

import polars as pl
import pytest

from analysis import findings
from analysis.claims.intervals import INFINITE, End, Interval
from analysis.faults import FaultsError

ROWS = {"rows_in": 4, "rows_used": 4}


def maker():
    """Stand for the function that made a number."""


@pytest.fixture(autouse=True)
def _clean():
    findings.forget()
    yield
    findings.forget()


@pytest.fixture
def page():
    return findings.Page("01-claims", "reported", ("data/claims",))


def test_a_number_prints_as_a_link_to_its_record(page):
    found = page.number("workers", 1357, "placed workers", unit="persons", function=maker, **ROWS)
    assert found._repr_markdown_() == "[1,357](/findings/01-claims.qmd#workers){.finding}"
    assert found.function.endswith(".maker")
    assert found.inputs.startswith("data/claims:")


def test_an_interval_keeps_both_ends_and_prints_to_the_nearest(page):
    between = Interval.between(Fraction(2765500, 1357), Fraction(2767000, 1357))
    found = page.number("gain", between, "gain", unit="yuan/persons", function=maker, **ROWS)
    assert found.value is None
    assert found.low == pytest.approx(2037.95, abs=0.01)
    assert found.text == "2,038 to 2,039"


def test_an_open_side_stays_open(page):
    found = page.number(
        "job",
        Interval(End(Fraction(42000), True), INFINITE),
        "job",
        unit="yuan",
        function=maker,
        **ROWS,
    )
    assert (found.low, found.high, found.text) == (42000.0, None, "more than 42,000")


def test_a_name_cannot_stand_for_two_numbers(page):
    page.number("workers", 1, "placed workers", unit="persons", function=maker, **ROWS)
    page.number("workers", 1, "placed workers", unit="persons", function=maker, **ROWS)
    with pytest.raises(ValueError, match="noted twice"):
        page.number("workers", 2, "placed workers", unit="persons", function=maker, **ROWS)


def test_written_and_read_back(page, tmp_path):
    page.number("half", 0.5, "a share", unit="ratio", function=maker, rows_in=4, rows_used=2)
    page.exhibit("tbl-a", "table", "a table", pl.DataFrame({"x": [1.0, 2.0]}), maker)
    records = __import__("json").loads(findings.export_json())
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


def test_the_digest_of_a_folder_sees_names_and_content_but_not_line_ends(tmp_path, monkeypatch):
    monkeypatch.setenv("ANALYSIS_ROOT", str(tmp_path))
    file = tmp_path / "data" / "a.csv"
    file.parent.mkdir()
    file.write_bytes(b"x\n1\n")
    first = findings.file_digest("data")
    file.write_bytes(b"x\r\n1\r\n")
    assert findings.file_digest("data") == first
    file.write_bytes(b"x\n2\n")
    assert findings.file_digest("data") != first


def test_a_word_is_a_finding_too(page):
    found = page.word("verdict", "consistent", "verdict on a relation", function=maker, **ROWS)
    assert found._repr_markdown_() == "[consistent](/findings/01-claims.qmd#verdict){.finding}"
    assert (
        findings.compare([vars(found)], [{**vars(found), "text": "inconsistent"}])[0].column
        == "text"
    )


def test_a_shown_table_carries_the_badge_of_its_page(page):
    from analysis.tables import table

    shown = page.show(table("tbl-a", pl.DataFrame({"n": [1]}), {"n": "N"}, caption="c"), "a", maker)
    assert 'class="badge tier-reported">Reported claim<' in shown.badge


def test_other_inputs_are_named_with_their_digest():
    page = findings.Page("p", "yours", (), ("your panel:abc",))
    assert (
        page.number("n", 1, "rows", unit="records", function=maker, **ROWS).inputs
        == "your panel:abc"
    )


def test_every_published_number_says_its_rows():
    """Rows in and used stand beside each number, word, figure and table of the report."""
    from analysis import paths

    for record in findings.read_csv(paths.root() / "reports" / "findings.csv"):
        assert record["rows_in"] is not None, record["id"]
        assert record["rows_used"] is not None, record["id"]
        if record["kind"] in ("number", "word"):
            assert record["rows_used"] <= record["rows_in"], record["id"]


@dataclass(frozen=True)
class About:
    estimator: str = "group-time"
    rows_in: int = 100
    rows_used: int = 90


@dataclass(frozen=True)
class Effect:
    estimate: float = 812.4
    ci_low: float = -35.2
    ci_high: float = 1660.0
    convention: str = "reported"
    n_villages_treated: int = 12
    n_villages_control: int = 30
    about: About = About()


def test_an_effect_is_noted_with_its_interval_rows_and_villages(page):
    found = page.estimate("gain", Effect(), "gain", unit="yuan/households", function=maker)
    assert (found.value, found.low, found.high) == (812.4, -35.2, 1660.0)
    assert (found.rows_in, found.rows_used) == (100, 90)
    assert (found.n_villages_treated, found.n_villages_control) == (12, 30)
    assert found.method == "group-time, intervals reported"
    assert (found.text, str(found.between)) == ("812", "−35 to 1,660")
    assert found.between._repr_markdown_() == (
        "[−35 to 1,660](/findings/01-claims.qmd#gain){.finding}"
    )


def test_an_effect_without_interval_says_so(page):
    effect = Effect(ci_low=float("nan"), ci_high=float("nan"))
    found = page.estimate("gain", effect, "gain", unit="yuan/households", function=maker)
    assert (found.low, found.high) == (None, None)
    with pytest.raises(ValueError, match="no interval"):
        _ = found.between
