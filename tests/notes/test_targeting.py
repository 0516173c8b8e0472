"""The page on targeting: a simulated panel, and a survey with neither register nor programmes."""

from dataclasses import replace

import polars as pl
import pytest

from analysis import findings
from analysis.notes import targeting
from analysis.panels import panel as panels
from analysis.panels import schemas
from analysis.panels.model import Settings, simulate_settings

SENTENCES = ("errors", "curve", "reach", "again", "changes", "fates", "leaving", "hidden")
TABLES = ("mistaken", "ratios", "beside", "stands", "trimmed")


@pytest.fixture(autouse=True)
def empty():
    findings.forget()
    yield
    findings.forget()


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    target = tmp_path_factory.mktemp("targeting") / "panel"
    simulate_settings(target, Settings(1200, 40, (2012, 2021), 3))
    return target


def test_a_simulated_panel(folder, monkeypatch):
    monkeypatch.setenv("PANEL", str(folder))
    made = targeting.page("11-x")
    assert not any(getattr(made, name).text.startswith("Not shown") for name in SENTENCES)
    assert "truth" in made.hidden.text and "truth" in made.trimmed("tbl-t").data.columns
    assert made.mistaken("tbl-m").data.height == 9 and made.ratios("tbl-r").data.height >= 11
    assert made.beside("tbl-b").data.height == 5 and made.stands("tbl-s").data.height == 8
    assert "the poorest 50 per cent hold" in made.curves("fig-c").alt
    assert made.claims("tbl-c").data.height and made.forest("fig-f").alt


def test_a_survey_without_register_or_programmes_says_so(folder):
    panel = panels.read(folder)
    nobody = panel.households.with_columns(registered_poor=pl.lit(None, pl.Boolean))
    bare = replace(
        panel,
        tier="yours",
        name="bare",
        households=nobody,
        participation=schemas.empty("participation").lazy(),
    )
    made = targeting.page("11-x", bare)
    for name in SENTENCES:
        if name != "again":  # needs neither
            assert getattr(made, name).text.startswith("Not shown"), name
    for name in TABLES:
        assert made.__getattribute__(name)(f"tbl-{name}").data["why"][0].startswith("Not shown")
    assert made.curves("fig-c").alt.startswith("Not shown")


def test_one_period_in_other_money_says_so(folder):
    panel = panels.read(folder)
    once = replace(
        panel,
        tier="yours",
        name="once",
        currency_unit="poisha",
        income=panel.income.filter(pl.col("period") == 2012),
    )
    made = targeting.page("11-x", once)
    for name in ("again", "changes", "fates", "leaving", "hidden"):
        assert getattr(made, name).text.startswith("Not shown"), name
    assert "truth" not in made.errors.text


def test_a_survey_of_spending_alone_says_so(folder):
    """As the public Bangladesh survey: no source of income, so no period with any."""
    panel = panels.read(folder)
    gone = [pl.lit(None, pl.Int64).alias(name) for name in schemas.SOURCES]
    spending = panel.income.with_columns(*gone, complete=pl.lit(value=False))
    made = targeting.page("11-x", replace(panel, tier="yours", name="spending", income=spending))
    for name in SENTENCES:
        assert getattr(made, name).text.startswith("Not shown"), name
    assert "all four sources" in made.reach.text
    assert made.ratios("tbl-ratios").data["why"][0].startswith("Not shown")
