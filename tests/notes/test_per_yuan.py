"""Notes on payments: sentences by tier, tables, and a reason where nothing is known."""

from dataclasses import replace

import pytest

from analysis import findings, notes
from analysis.answers import page
from analysis.answers.missing import Missing
from analysis.notes import per_yuan
from analysis.panels import panel as panels
from analysis.panels.model import Settings, Switches, simulate_settings


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    target = tmp_path_factory.mktemp("per_yuan") / "panel"
    settings = Settings(4800, 120, (2012, 2021), 3, "bent", Switches(misreporting=True))
    simulate_settings(target, settings)
    return target


@pytest.fixture(autouse=True)
def here(folder, monkeypatch):
    monkeypatch.setenv("PANEL", str(folder))
    findings.forget()
    yield
    findings.forget()


def test_a_simulated_payment_stands_beside_its_truth():
    made = per_yuan.payment(notes.programme("07-x", page.page("dividend")))
    assert "The truth is" in made.said.text and "per yuan paid" in made.said.text
    assert "arithmetic" in made.rule.text
    table = made.table("tbl-p").data
    assert table["when"].to_list()[:2] == ["overall", "first year"]
    assert set(table["truth"].to_list()) == {"0.92"}


def test_a_survey_has_no_truth(folder):
    panel = replace(panels.read(folder), tier="yours", name="a survey")
    made = per_yuan.payment(notes.programme("07-x", page.page("dividend", panel)), panel)
    assert "truth" not in made.said.text
    assert "total income changes by" in made.said.text
    assert "truth" not in made.table("tbl-p").data.columns


def test_a_twin_says_that_its_numbers_mean_nothing(folder):
    panel = replace(panels.read(folder), tier="yours", name="a twin", twin=True)
    for programme, spent in (("dividend", False), ("village_fund", True)):
        made = notes.programme("07-x", page.page(programme, panel))
        said = per_yuan.payment(made, panel, spent=spent).said.text
        assert "mean" in said and "changes by" not in said


def test_doses_that_are_no_payments_are_a_sentence():
    made = per_yuan.payment(notes.programme("07-x", page.page("collective_enterprise")))
    assert isinstance(made.made, Missing)
    assert "no payments" in made.said.text and "arithmetic" in made.rule.text
    assert "no payments" in made.table("tbl-p").data["why"][0]


def test_what_reported_money_can_add_is_per_head_of_official_income():
    made = per_yuan.arithmetic("07-x", "dividend", "microcredit")
    assert "per cent" in made.said.text
    rows = made.table("tbl-m").data
    assert rows.filter(rows["id"] == "I08")["most"].item() == ""
    assert "No reported figure" in per_yuan.arithmetic("07-x", "microcredit").said.text
