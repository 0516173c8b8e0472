"""Notes on trials and loans: what lot and choice say, and where the numbers come from."""

from dataclasses import replace

import pytest

from analysis import findings, notes
from analysis.answers import page
from analysis.answers.missing import Missing
from analysis.notes import per_yuan, trials
from analysis.panels.model import Settings, simulate_settings


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    target = tmp_path_factory.mktemp("trials") / "panel"
    simulate_settings(target, Settings(4800, 120, (2012, 2021), 3))
    return target


@pytest.fixture(autouse=True)
def here(folder, monkeypatch):
    monkeypatch.setenv("PANEL", str(folder))
    findings.forget()
    yield
    findings.forget()


@pytest.mark.parametrize("programme", ["microcredit", "paired_assistance"])
def test_a_trial_prints_numbers_with_their_place(programme):
    made = trials.of("08-x", programme)
    assert "/findings/08-x.qmd#trial_" in made.said.text
    assert "may not be passed on" in made.origin.text
    assert made.figure("fig-t").data.height > 0
    assert made.table("tbl-t").data.height == made.rows.height


def test_old_code_is_said(monkeypatch):
    monkeypatch.setattr(trials.trials, "code_digest", lambda: "0" * 12)
    assert "changed since" in trials.of("08-x", "microcredit").origin.text


def test_the_principal_is_no_income(folder):
    made = notes.programme("08-x", page.page("microcredit"))
    said = trials.principal(made).text
    assert "never income" in said and "yuan lent" in said and "truth" in said


def test_a_panel_without_loans_is_a_sentence():
    answer = page.page("microcredit")
    gone = Missing("nobody in this panel is recorded in the programme")
    empty = replace(
        answer, design=gone, estimates=gone, truth=gone, naive=gone, groups=gone, together=gone
    )
    made = notes.programme("08-x", empty)
    assert "nobody in this panel" in trials.principal(made).text
    spent = per_yuan.payment(made, spent=True)
    assert "nobody in this panel" in spent.said.text


def test_a_fund_is_spent_and_not_all_of_it_income():
    made = per_yuan.payment(notes.programme("08-x", page.page("village_fund")), spent=True)
    assert "Shared equally" in made.said.text
    assert "other income" not in made.said.text
