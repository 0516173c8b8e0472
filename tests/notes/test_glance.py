"""The first page: its findings, its table of three tiers, and whose data the pages show."""

import json
from dataclasses import dataclass
from pathlib import Path

import polars as pl
import pytest

from analysis import findings
from analysis.answers import overview
from analysis.notes import glance, known, texts, whose
from analysis.panels import views
from analysis.panels.account import Account
from analysis.panels.panel import Panel
from analysis.site.digest import ImportGraph

ROOT = Path(__file__).resolve().parents[2]
NOTEBOOKS = {file.stem: file for file in (ROOT / "notebooks").glob("*.ipynb")}


@dataclass(frozen=True)
class Range:
    """What a verdict looks at in an effect."""

    estimate: float
    ci_low: float
    ci_high: float


@pytest.fixture(autouse=True)
def empty():
    findings.forget()
    yield
    findings.forget()


@pytest.fixture(scope="module")
def summary():
    made = glance.summary("00-x")
    findings.forget()
    return made


def test_numbers_carry_the_tier_they_are_of():
    glance.summary("00-x")
    noted = {one["id"]: one for one in json.loads(findings.export_json())}
    assert noted["summary_with_yuan"]["tier"] == "reported"
    assert noted["summary_lot"]["tier"] == "published"
    assert noted["summary_realistic_missed"]["tier"] == "model"
    asked = noted["summary_asked"]["value"]
    for variant in glance.VARIANTS:
        said = [
            noted[f"summary_{variant}_{word}"]["value"] for word in ("found", "imprecise", "missed")
        ]
        assert sum(said) == asked  # every programme of the panel has an interval
    words = [value["value"] for name, value in noted.items() if name.startswith("summary_sure_")]
    assert sum(words) == noted["summary_programmes"]["value"]


def test_the_table_says_which_column_is_simulated_and_has_no_single_badge(summary):
    table = summary.table("tbl-x")
    assert "(simulated)" in table.markup and table.badge == ""
    assert table.data.height == len(summary.all_of)
    rows = {row["programme"]: row for row in table.data.iter_rows(named=True)}
    assert "verified on other outcomes" in rows["Skills training"]["elsewhere"]
    assert rows["Targeting and exit from poverty"]["panel"] == glance.NO_PANEL


def test_the_rules_count_every_programme_once(summary):
    assert summary.rules("tbl-x").data["n"].sum() == len(summary.all_of)


def test_the_figure_is_described_programme_by_programme(summary):
    alt = summary.figure("fig-x").alt
    assert all(one.name in alt for one in summary.all_of)
    assert "at least 42,000" in alt and "mean of 6 trials" in alt


def test_a_page_of_the_panel_says_that_a_pack_stands_elsewhere(monkeypatch):
    assert "pack" not in known.tier_note("model").text
    monkeypatch.setenv("PACK", "some-pack")
    assert "this page shows the simulated model panel" in known.tier_note("model").text
    monkeypatch.setenv("PANEL", "some-panel")
    assert "this page shows your panel" in known.tier_note("yours").text
    assert "this page shows your panel" in views.texts(brought("yours")).meaning.text


def brought(tier, **parts):
    return Panel("a *survey*", tier, *[pl.LazyFrame()] * 4, Account(0, 0), **parts)


def test_the_first_page_says_which_pages_show_what_was_brought():
    pages = frozenset({"03-data", "18-your-pack"})
    text = whose.notice(frozenset({"PANEL"}), pages, brought("yours")).text
    assert r"your panel, *a \*survey\**" in text and "Still of a worked example" in text
    assert "05-training" not in text  # not there
    both = whose.notice(frozenset({"PANEL", "PACK"}), pages, brought("model")).text
    assert "another simulated panel" in both
    assert "A pack was brought too." in both and "Still of" not in both
    twin = whose.notice(frozenset({"PANEL"}), pages, brought("yours", twin=True)).text
    assert "no estimate means anything" in twin


def test_pages_are_listed_with_what_they_read():
    """As the build sees it, from what their modules import."""
    graph = ImportGraph.read(ROOT / "src")
    reads = {
        name: graph.brought_to(json.loads(file.read_text())) for name, file in NOTEBOOKS.items()
    }
    for name in NOTEBOOKS.keys() & whose.OF_PANEL.keys():
        assert "PANEL" in reads[name], name
    for name in NOTEBOOKS.keys() & whose.OF_PACK.keys():
        assert "PACK" in reads[name], name
    unlisted = {name for name, read in reads.items() if "PANEL" in read}
    # The summary says what was brought; the page on uncertainty always shows the model panel.
    unlisted -= whose.OF_PANEL.keys() | whose.OF_PACK.keys() | {"00-summary", "19-uncertainty"}
    assert not unlisted, f"say in analysis.notes.whose whether these show the panel: {unlisted}"


def test_here_reads_the_environment(monkeypatch):
    for name in ("PANEL", "PACK"):
        monkeypatch.delenv(name, raising=False)
    assert whose.here().text == ""
    monkeypatch.setenv("PACK", "some-pack")
    assert whose.here().text.startswith("**This copy was built with a pack.**")


def test_a_verdict_in_words_is_the_one_of_the_table():
    """The programme pages and the first page judge an interval alike."""
    one = Range(5.0, 2.0, 8.0)
    assert texts.verdict(one, 5.0)[0] == overview.verdict(5.0, 2.0, 8.0) == "found"
    assert texts.verdict(one, 9.0) == ("missed", "too low: its interval leaves the truth out")
    assert texts.verdict(one, None)[0] == "unknown"
