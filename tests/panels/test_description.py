"""What the data page shows: of the simulated panel, of a survey, of a panel without an answer."""

import json
from dataclasses import replace

import polars as pl
import pytest

import analysis as va
from analysis.panels import cards, current, describe, panel
from analysis.panels.description import NO_ROW, Description
from analysis.panels.model import simulate
from analysis.panels.model.targets import target_table
from analysis.results.plot import exhibit_of
from analysis.results.table import or_reason


@pytest.fixture(scope="module")
def shown(tmp_path_factory):
    folder = tmp_path_factory.mktemp("panels") / "model"
    simulate(folder, households=600, villages=20, periods=(2015, 2018), variant="realistic")
    return panel.read(folder)


@pytest.fixture(scope="module")
def about(shown):
    return Description(shown, {"variant": "realistic", "seed": 1, "switches": {"dip": True}})


@pytest.fixture
def unanswered(shown):
    """A panel in whose rows a source is missing, so that no total is known."""
    income = shown.income.with_columns(wage=pl.lit(None, pl.Int64), complete=pl.lit(False))
    return Description(replace(shown, tier="yours", income=income), {})


def test_a_named_panel_is_read_and_anything_else_is_refused(tmp_path, shown, monkeypatch):
    folder = tmp_path / "yours"
    panel.write(shown, folder)
    monkeypatch.setenv("PANEL", str(folder))
    assert current.current().income.collect().height == shown.income.collect().height
    monkeypatch.setenv("PANEL", str(tmp_path / "nothing"))
    with pytest.raises(Exception, match="is not a panel"):
        current.current()


def test_every_table_says_whose_panel_it_is(shown, about):
    for made in (about.settings(), about.account(), about.missing(), about.sources()):
        assert "simulated" in made.notes[0]
        assert made.provenance.evidence == "model"
    yours = Description(replace(shown, tier="yours", name="<b>mine</b>"), {})
    assert yours.balance().notes == ("Your data",)
    assert (yours.kind.text, about.kind.text) == ("observed", "simulated")
    assert "<b>mine" not in yours.settings()._repr_html_()
    assert "seed" not in yours.settings().shown["item"]
    assert "wages dip before training" in about.settings().shown["value"]


def test_sizes_and_the_account_add_up_to_all_rows_read(shown, about):
    table = about.account().data
    records = table.filter(pl.col("what").str.starts_with("records"))
    assert records["number"].sum() == shown.account.rows_read
    assert about.rows.value == shown.account.rows_used
    assert (about.households.text, about.villages.text, about.periods.text) == ("600", "20", "4")


def test_the_figure_says_the_first_and_last_value(about):
    drawn = exhibit_of(about.plot().get_figure())
    means = describe.sources(about.panel).filter(source="wage").sort("period")["per_head"]
    assert f"wage, 2015: {means[0]:,.0f}; wage, 2018: {means[-1]:,.0f}" in drawn.alt
    assert "simulated" in drawn.alt


def test_money_has_the_name_that_the_survey_gives_it(shown):
    taka = Description(replace(shown, tier="yours", currency="taka", price_year=2016), {})
    assert (taka.currency, taka.prices) == ("taka", "prices of 2016")
    assert "yuan" not in exhibit_of(taka.plot().get_figure()).alt
    assert taka.poverty_lines().data["line"].unique().to_list() == ["half the median"]


def test_without_complete_rows_the_page_goes_on(unanswered):
    assert NO_ROW in exhibit_of(unanswered.plot().get_figure()).alt
    assert unanswered.sources().shown.is_empty()
    found = va.poverty(
        unanswered.household_periods, "income", unanswered.lines, size="size", by="period"
    )
    assert found.account.rows_used > 0
    nobody = unanswered.household_periods.clear()
    refused = or_reason(va.poverty, nobody, "income", unanswered.lines)
    assert refused.shown["not computed"].to_list() == ["there are no rows"]
    assert refused.provenance.function.endswith("or_reason")


def test_lines_from_memory_are_called_unverified(about):
    status = about.poverty_lines().shown["status"].unique().to_list()
    assert "unverified" in status
    assert "from_memory" not in status


def test_every_unit_treated_is_counted_once(about):
    data = describe.programmes(about.panel)
    printed = about.programmes().shown["units treated"].str.replace_all(",", "").cast(pl.Int64)
    assert printed.sum() == data["n_units"].sum()


def test_the_simulated_panel_is_held_against_its_targets(shown):
    made = target_table(shown, "panel:0")
    assert made.provenance.evidence == "model"
    assert "from_memory" not in made.shown["status of the target"].to_list()


def test_cards_put_observed_data_first():
    origins = cards.table().shown["origin"].to_list()
    assert origins == sorted(origins, key=lambda origin: origin != "observed")


def test_a_panel_folder_stays_out_of_git(tmp_path, shown):
    panel.write(shown, tmp_path / "p")
    assert (tmp_path / "p" / ".gitignore").read_text() == "*\n"


def test_the_model_panel_is_made_once(tmp_path, copy_of_project, monkeypatch):
    root = copy_of_project(tmp_path / "project")
    monkeypatch.setenv("ANALYSIS_ROOT", str(root))
    monkeypatch.delenv("PANEL", raising=False)
    first = current.model()
    manifest = next((root / "build" / "panels").glob("*/panel.json"))
    before = manifest.stat().st_mtime_ns
    assert current.model().name == first.name
    assert manifest.stat().st_mtime_ns == before
    assert json.loads(manifest.read_text(encoding="utf-8"))["tier"] == "model"
