"""Every estimator has its record, every record its grounds; broken records are refused."""

from __future__ import annotations

import ast
import re
import shutil
from pathlib import Path

import polars as pl
import pytest

import analysis as va
from analysis import findings
from analysis.faults import FaultsError
from analysis.methods import estimators, evidence, pages, registry
from analysis.sensitivity import choices
from analysis.site import findings_page
from analysis.validation import estimators as drawn

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def known():
    return registry.load(ROOT)


@pytest.fixture(scope="module")
def found():
    records = findings.read_csv(ROOT / "reports" / "findings.csv")
    return estimators.find(ROOT, records)


def test_every_estimator_has_a_record_or_a_reason_to_have_none(known, found):
    missing = [one.function for one in estimators.unrecorded(found, known)]
    assert missing == [], (
        "add each to the `functions` of a record in data/methods, or to data/methods/helpers.csv"
    )


def test_what_helpers_excuse_is_there_and_would_otherwise_be_asked(known, found, places):
    names = {one.function for one in found}
    for helper in known.helpers:
        assert helper in places.places, f"helpers.csv: {helper} is nowhere"
        excused = [name for name in names if f"{name}.".startswith(f"{helper}.")]
        assert excused, f"helpers.csv: {helper} excuses nothing"


def test_the_main_estimators_are_found_by_what_they_return(found):
    names = {one.function.removeprefix("analysis."): one.why for one in found}
    assert names["did.estimators.group_time.estimate"] == "returns EffectSet"
    assert names["inference.wald.wald"] == "returns WaldTest"
    assert "did.estimators.bacon.decompose" in names and "studies.meta_analysis.pool" in names


@pytest.mark.parametrize(
    "name", ["did", "rct", "adjust", "rdd", "synthetic", "pool", "poverty", "inequality"]
)
def test_every_estimator_of_the_front_door_has_a_record(name, known):
    door = getattr(va, name)
    function = f"{door.__module__}.{door.__name__}"
    assert known.of(function) or known.helps(function), function


def test_an_estimator_without_a_record_is_refused(tmp_path, known):
    """A function of an estimating room that returns a result made here."""
    room = tmp_path / "src" / "analysis" / "did" / "estimators"
    room.mkdir(parents=True)
    (room / "new.py").write_text(
        "class Found:\n    std_error: float\n\n"
        "class Several:\n    one: Found\n\n"
        "def guess(table) -> Several:\n    '''Guess.'''\n\n"
        "def told(table) -> float:\n    '''Return the interval.'''\n\n"
        "def counted(table) -> int:\n    '''Count intervals.'''\n\n"
        "def _inner(table) -> Found:\n    '''Inner.'''\n",
        encoding="utf-8",
    )
    refused = estimators.unrecorded(estimators.find(tmp_path), known)
    assert [(one.function, one.why) for one in refused] == [
        ("analysis.did.estimators.new.guess", "returns Several"),
        ("analysis.did.estimators.new.told", "says interval"),
    ]


def test_what_records_name_is_there(known, places):
    cited = set(re.findall(r"^@\w+\{(\w+)", (ROOT / "references.bib").read_text(), re.MULTILINE))
    stored = evidence.read(ROOT)
    names = {*drawn.ESTIMATORS, *drawn.AMONG_HOUSEHOLDS}
    compared = {*stored.parity.filter(file="effects")["estimator"], "two_by_two"}
    for one in known.methods:
        assert set(one.keys) <= cited, one.id
        assert set(one.functions) <= places.places.keys(), one.id
        assert set(one.montecarlo) <= names, one.id
        assert set(one.parity) <= compared, one.id
        assert one.measure in evidence.MEASURES, one.id
        assert set(one.stored) <= set(stored.parity["file"]), one.id
        for beginning in one.published:
            cases = stored.published.filter(pl.col("case").str.starts_with(beginning))
            assert cases.height, (one.id, beginning)


def test_named_tests_are_there(known):
    for one in known.methods:
        for name in one.tests:
            file, _, test = name.partition("::")
            tree = ast.parse((ROOT / file).read_text(encoding="utf-8"))
            defined = {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}
            assert not test or test in defined, f"{one.id}: {name}"


def test_every_estimator_of_the_monte_carlo_and_of_parity_is_in_a_record(known):
    assert {name for one in known.methods for name in one.montecarlo} == {
        *drawn.ESTIMATORS,
        *drawn.AMONG_HOUSEHOLDS,
    }
    compared = set(evidence.read(ROOT).parity.filter(file="effects")["estimator"])
    assert compared <= {name for one in known.methods for name in one.parity}


def test_published_cases_belong_to_a_method(known):
    beginnings = tuple(name for one in known.methods for name in one.published)
    cases = evidence.read(ROOT).published["case"].to_list()
    # The median regression is of statsmodels alone: a check of the data, not of a method here.
    assert [case for case in cases if not case.startswith((*beginnings, "engel_median"))] == []


def test_functions_behind_numbers_lead_to_their_record(known, places):
    linked = pages.links(known)
    assert linked["analysis.studies.meta_analysis.pool"].id == "reml_pooling"
    record = {
        "id": "x",
        "kind": "number",
        "page": "p",
        "tier": "model",
        "what": "w",
        "value": 1.0,
        "low": None,
        "high": None,
        "unit": "",
        "text": "1",
        "rows_in": 1,
        "rows_used": 1,
        "n_villages_treated": None,
        "n_villages_control": None,
        "method": "m",
        "function": "analysis.studies.meta_analysis.pool",
        "inputs": "",
        "digest": "d",
    }
    page = findings_page.pages({"p": [record]}, places, linked)["findings/p.qmd"]
    assert '<a href="../methods.html#reml_pooling">' in page


def test_the_pages_print_every_record_decision_and_degree_of_freedom(known, places):
    made = pages.pages(ROOT, places)
    methods, decisions = made["methods.qmd"], made["decisions.qmd"]
    for one in known.methods:
        assert f"{{#{one.id}}}" in methods and one.equation in methods
    for row in known.decisions:
        assert row["choice"] in decisions
    for row in choices.as_table(choices.load()).iter_rows(named=True):
        assert f"| {row['choice']} | {row['question']} | {row['option']} |" in decisions
    assert pages.pages(ROOT / "src", places) == {}


def test_stored_coverage_is_printed_where_intervals_fail(tmp_path, known):
    """Three designs by hand: 95.0, 90.0 and 92.6 per cent, give or take two errors of 0.5."""
    folder = tmp_path / "reports" / "validation"
    folder.mkdir(parents=True)
    (tmp_path / "data").mkdir()
    shutil.copytree(ROOT / "data" / "validation", tmp_path / "data" / "validation")
    ids = pl.read_csv(ROOT / "data/validation/designs.csv")["id"].head(3).to_list()
    values = dict(zip(ids, (0.95, 0.90, 0.926), strict=True))
    pl.DataFrame(
        [
            (d, "imputation", rule, measure, value, 0.005, 2000, 1)
            for d, share in values.items()
            for rule, measure, value in (
                ("reported", "coverage_simple", share),
                ("parity", "coverage_simple", 0.5),
                ("any", "bias", 12.0),
                ("any", "truth", 100.0),
            )
        ],
        schema=[
            "design",
            "estimator",
            "rule",
            "measure",
            "value",
            "mc_error",
            "draws",
            "estimates",
        ],
        orient="row",
    ).write_csv(folder / "montecarlo.csv")
    stored = evidence.read(tmp_path)
    method = next(one for one in known.methods if one.id == "imputation")
    rows = evidence.coverage(method, stored)
    assert rows["coverage"].to_list() == pytest.approx([90.0, 92.6, 95.0])
    assert rows["bias"].to_list() == [12.0] * 3
    assert evidence.failures(rows)["design"].to_list() == [ids[1]]


BROKEN = {
    "unknown key": ('name = "N"', 'name = "N"\ncolour = "red"', "unknown key"),
    "missing text": ('question = "Q?"', "", "a text is missing"),
    "empty list": ('assumptions = ["A."]', "assumptions = []", "the list is empty"),
    "status": ('status = "by_hand"', 'status = "sure"', "unknown status"),
    "no ground": ('status = "by_hand"', 'status = "validated"', "validated by nothing"),
}
RECORD = """family = "F"
[[method]]
id = "one"
name = "N"
question = "Q?"
estimand = "E"
assumptions = ["A."]
equation = 'x'
sources = ["lee2009"]
errors = "none"
edges = "none"
fails = "never"
tests = ["tests/x.py"]
functions = ["did.estimators.x"]
status = "by_hand"
"""


@pytest.fixture
def project(tmp_path):
    folder = tmp_path / registry.FOLDER
    folder.mkdir(parents=True)
    for name in ("helpers.csv", "decisions.csv"):
        shutil.copy(ROOT / registry.FOLDER / name, folder / name)
    (folder / "1.toml").write_text(RECORD, encoding="utf-8")
    return tmp_path


@pytest.mark.parametrize("case", BROKEN)
def test_a_broken_record_is_refused(project, case):
    before, after, said = BROKEN[case]
    assert before in RECORD
    broken = RECORD.replace(before, after)
    (project / registry.FOLDER / "1.toml").write_text(broken, encoding="utf-8")
    with pytest.raises(FaultsError, match=said):
        registry.load(project)


def test_an_id_twice_is_refused(project):
    assert registry.load(project).of("analysis.did.estimators.x").address == "methods.qmd#one"
    (project / registry.FOLDER / "2.toml").write_text(RECORD, encoding="utf-8")
    with pytest.raises(FaultsError, match="two records have this id"):
        registry.load(project)
