"""Payments and rice farms on the page: sentences and tables, with and without estimates."""

from dataclasses import replace

import pytest

from analysis import findings, notes
from analysis.answers import page
from analysis.answers.missing import Missing
from analysis.notes import payments, rice
from analysis.panels import panel as panels
from analysis.panels.model import Settings, simulate_settings


@pytest.fixture(autouse=True)
def empty():
    findings.forget()
    yield
    findings.forget()


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    target = tmp_path_factory.mktemp("leases") / "panel"
    simulate_settings(target, Settings(2400, 60, (2012, 2021), 3))
    return target


def test_a_simulated_panel_has_the_truth_beside_both_designs(folder, monkeypatch):
    monkeypatch.setenv("PANEL", str(folder))
    made = payments.of_payments(notes.programme("09-x", page.page("land_lease")).book)
    assert "the truth is" in made.said.text
    table = made.sources("tbl-s").data
    assert table["source"].to_list()[-2:] == ["Property and business", "Total"]
    assert "truth" in table.columns and made.listed("tbl-p").data.height == 4


def test_a_survey_has_no_truth_and_what_is_missing_is_said(folder):
    panel = replace(panels.read(folder), tier="yours", name="a survey")
    answer = page.page("land_lease", panel)
    made = payments.of_payments(notes.programme("09-x", answer).book)
    assert "truth" not in made.said.text and "truth" not in made.sources("tbl-s").data.columns
    findings.forget()
    gone = Missing("nobody leases land")
    bare = replace(
        answer, design=gone, estimates=gone, together=gone, truth=gone, naive=gone, groups=gone
    )
    made = payments.of_payments(notes.programme("09-x", bare).book)
    assert made.said.text == gone.sentence
    assert made.sources("tbl-s").data["why"].to_list() == [gone.sentence]


def test_rice_farms_come_from_the_stored_tables():
    made = rice.of_farms("09-x")
    assert "not an effect" in made.support.text
    assert made.figure("fig-r").data.height == 12
    assert made.table("tbl-r").data.height == 18
    assert made.over_time("tbl-t").data.height == 6
