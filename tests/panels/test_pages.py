"""What the data page shows: of the model panel, of a survey, of a panel in another currency."""

import json
from dataclasses import replace

import polars as pl
import pytest

from analysis.figures import panels as figures
from analysis.panels import current, describe, panel, views
from analysis.panels.model import simulate


@pytest.fixture(scope="module")
def shown(tmp_path_factory):
    folder = tmp_path_factory.mktemp("panels") / "model"
    simulate(folder, households=600, villages=20, periods=(2015, 2018), variant="realistic")
    return panel.read(folder)


@pytest.fixture(scope="module")
def about(shown):
    return describe.describe(shown)


def test_a_named_panel_is_read_and_anything_else_is_refused(tmp_path, shown, monkeypatch):
    folder = tmp_path / "yours"
    panel.write(shown, folder)
    monkeypatch.setenv("PANEL", str(folder))
    assert current.current().income.collect().height == shown.income.collect().height
    monkeypatch.setenv("PANEL", str(tmp_path / "nothing"))
    with pytest.raises(Exception, match="is not a panel"):
        current.current()


def test_the_model_panel_is_called_simulated_and_a_survey_is_not(shown):
    assert "simulated" in views.texts(shown).what.text
    yours = panel.Panel("my *survey*", "yours", *[pl.LazyFrame()] * 4, shown.account)
    said = views.texts(yours).what.text
    assert "simulated" not in said
    assert r"my \*survey\*" in said


def test_the_account_adds_up_to_all_rows_read(shown, about):
    assert views.account(about)["rows"].sum() == shown.account.rows_read


def test_figures_say_the_first_and_last_value(about):
    figure = figures.source_lines("fig-sources", "model", about.sources)
    wage = about.sources.filter(pl.col("source") == "wage").sort("period")["per_head"]
    assert f"wage from {wage[0]:,.0f} to {wage[-1]:,.0f}" in figure.alt
    poor = figures.headcount_lines("fig-poor", "model", about.poverty, views.line_labels(about))
    assert "national line from" in poor.alt


def test_without_a_poverty_line_the_page_says_why(about):
    without = replace(about, poverty=about.poverty.clear())
    why = views.why_no_line(without)
    figure = figures.headcount_lines("fig-poor", "yours", without.poverty, {}, why)
    assert figure.alt == why == views.poor_sentence(without, []).text
    assert "No poverty line is set" in why
    nobody = replace(without, sources=about.sources.clear())
    assert "No row of this panel has all four sources" in views.why_no_line(nobody)


def test_one_period_is_told_once(about):
    one = replace(about, poverty=about.poverty.filter(pl.col("period") == 2015))
    [share] = views.poor(one)
    assert share.what.startswith("persons below the national line in the only period")


def test_a_panel_folder_stays_out_of_git(tmp_path, shown):
    panel.write(shown, tmp_path / "p")
    assert (tmp_path / "p" / ".gitignore").read_text() == "*\n"


def test_without_complete_rows_the_page_says_so(about):
    figure = figures.source_lines("fig-sources", "yours", about.sources.clear())
    assert "No row of this panel has all four sources" in figure.alt


def test_one_period_and_a_loss_can_be_drawn(about):
    one = about.sources.filter(pl.col("period") == 2015)
    loss = one.with_columns(
        per_head=pl.when(pl.col("source") == "business").then(-1110.0).otherwise("per_head")
    )
    figure = figures.source_lines("fig-sources", "yours", loss, "taka")
    assert "business from −1,110 to −1,110" in figure.alt
    assert "nominal taka a year" in figure.alt
    # The axis reaches below zero: its lowest tick is printed and negative.
    assert figure.light != figures.source_lines("fig-sources", "yours", one, "taka").light


def test_every_cohort_is_counted_once(about):
    assert views.cohorts(about)["n_units"].sum() == about.programmes["n_units"].sum()


def test_cards_put_observed_data_first():
    origins = views.cards_shown()["origin"].to_list()
    assert origins == sorted(origins, key=lambda origin: origin != "observed")


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
