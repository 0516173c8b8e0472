"""What the page shows, for any panel: sentences for what is missing, never a crash."""

import re
from dataclasses import replace

import numpy as np
import polars as pl
import pytest

from analysis import findings
from analysis.claims import ledger
from analysis.figures import welfare as figures
from analysis.panels import panel as panels
from analysis.panels import views as panel_views
from analysis.welfare import overview, shown, views

TABLES = (
    shown.poverty_table,
    shown.sources_table,
    shown.inequality_table,
    shown.grid_table,
    shown.decomposition_table,
    shown.programmes_table,
    shown.deciles_table,
    shown.thirds_table,
)


def page_of(panel, simulation=None):
    """Everything the notebook makes: overview, sentences, tables, alternative texts."""
    findings.forget()
    about = overview.overview(panel, simulation)
    page = findings.Page("13-test", about.evidence, ("data/parameters",))
    noted = {
        n.id: page.number(
            n.id,
            n.value,
            n.what,
            unit=n.unit,
            function=n.function,
            method=n.method,
            digits=n.digits,
            rows_in=n.rows_in,
            rows_used=n.rows_used,
        )
        for n in views.numbers(about)
    }
    findings.forget()
    said = {
        f.__name__: f(about, noted).text
        for f in (
            views.poverty_sentence,
            views.inequality_sentence,
            views.growth_sentence,
            views.effect_sentence,
            views.quantile_sentence,
            views.design_sentence,
        )
    }
    said["lines"] = views.lines_sentence(about).text
    tables = {f.__name__: f(about) for f in TABLES}
    curves, mean = shown.curves(about)
    money = views.money_words(about, panel_views.money_words(panel))
    tier = panel.evidence
    drawn = [
        figures.headcounts(
            "fig-a", tier, about.poverty.to_frame(), panel_views.LINES, said["poverty_sentence"]
        ),
        figures.indices("fig-b", tier, about.inequality.to_frame(), shown.INDEX_NAMES),
        figures.incidence("fig-c", tier, curves, mean, money.prices, said["growth_sentence"]),
        figures.quantile_effects(
            "fig-d",
            tier,
            views.deciles(about),
            views.subject(about),
            money.axis,
            said["quantile_sentence"],
        ),
    ]
    assert all(one.alt and "nan" not in one.alt.lower().split() for one in drawn)
    for text in said.values():
        assert not re.search(r"\bnan\b|\bNone\b|\binf\b", text)
    return about, said, tables, drawn


@pytest.fixture(scope="module")
def model(gappy, gappy_settings):
    return page_of(panels.read(gappy), gappy_settings.as_dict())


def test_the_model_panel_shows_the_truth_and_no_effect_language(model):
    about, said, tables, drawn = model
    assert about.is_model and about.distributed.programme == "training"
    assert "truth of the simulation" in said["effect_sentence"]
    whole = " ".join(said.values()).lower()
    assert "effect" not in whole and "p-value" not in whole and "significant" not in whole
    assert tables["programmes_table"]["truth"].null_count() == 0
    assert tables["deciles_table"]["truth"].str.contains(r"\d").all()
    assert tables["poverty_table"].height == 8 and tables["inequality_table"].height == 9
    assert "truth" in drawn[3].alt


def test_tables_print_what_was_measured(model):
    about, _, tables, _ = model
    exact = about.poverty.where(
        measure="headcount", group="all", unit="person", line_name="national", period=2019
    )
    printed = tables["poverty_table"].filter(
        (pl.col("unit") == "persons")
        & pl.col("line").str.starts_with("national line: 3,218")
        & (pl.col("period") == "2019")
    )
    assert printed["headcount"].item().startswith(f"{100 * exact.points.item():.1f} (")
    assert "unverified" not in printed["line"].item()


def test_bounds_tighten_with_the_grid(model):
    """And hold the exact index."""
    _, _, tables, _ = model
    ends = [tuple(float(x) for x in text.split(" to ")) for text in tables["grid_table"]["bounds"]]
    exact = float(tables["grid_table"]["exact"][0])
    assert all(low - 5e-4 <= exact <= high + 5e-4 for low, high in ends)
    widths = [high - low for low, high in ends]
    assert widths == sorted(widths, reverse=True) and widths[0] > widths[-1]


def changed(folder, **parts):
    return replace(panels.read(folder), tier="yours", **parts)


def test_a_survey_has_no_truth(gappy):
    about, said, tables, _ = page_of(changed(gappy))
    assert not about.is_model and "truth" not in said["effect_sentence"]
    assert about.programmes["truth"].null_count() == about.programmes.height
    assert tables["deciles_table"]["truth"].unique().to_list() == ["not known"]


def test_a_survey_in_another_currency_has_no_lines(gappy):
    about, said, tables, drawn = page_of(changed(gappy, currency_unit="poisha"))
    assert said["poverty_sentence"] == views.NO_LINE and tables["poverty_table"].is_empty()
    assert "no poverty line" in about.programmes["note"][0]
    assert about.people.price_year is None and "not known" in said["design_sentence"]
    assert drawn[0].alt == views.NO_LINE
    assert tables["deciles_table"].height == 9


def test_one_period_says_nothing_of_change(gappy):
    income = panels.read(gappy).income.filter(pl.col("period") == 2016)
    _, said, tables, _ = page_of(changed(gappy, income=income))
    assert said["growth_sentence"] == said["effect_sentence"] == views.ONE_PERIOD
    assert tables["inequality_table"]["when"].unique().to_list() == ["2016"]
    assert "two periods" in tables["programmes_table"]["text"][0]


def test_nobody_treated(gappy):
    nobody = panels.read(gappy).participation.filter(pl.lit(False))
    about, said, tables, _ = page_of(changed(gappy, participation=nobody))
    assert about.programmes.is_empty() and about.distributed is None
    assert "No programme" in said["quantile_sentence"] and tables["thirds_table"].is_empty()
    assert "no programme" in said["effect_sentence"].lower()


def test_no_row_has_all_sources(gappy):
    income = panels.read(gappy).income.with_columns(wage=pl.lit(None, pl.Int64), complete=False)
    about, said, _, _ = page_of(changed(gappy, income=income))
    assert about.people.rows_used == 0 and about.people.left_out
    assert said["poverty_sentence"] == "No income can be used."
    assert said["growth_sentence"] == views.ONE_PERIOD


def test_two_villages_have_no_interval(gappy):
    panel = panels.read(gappy)
    two = panel.households.filter(pl.col("village").is_in(["v000000", "v000001"]))
    income = panel.income.join(two, on="household", how="semi")
    _, said, tables, _ = page_of(changed(gappy, households=two, income=income))
    assert "too few villages" in said["poverty_sentence"]
    assert not tables["inequality_table"]["text"].str.contains("to").any()


def test_a_panel_in_prices_of_one_year(gappy):
    about, said, _, _ = page_of(changed(gappy, price_year=2018))
    assert about.people.price_year == 2018 and "prices of 2018" in said["design_sentence"]
    assert np.isfinite(about.poverty.points).all()


def test_the_reported_exits_are_claims_of_the_ledger():
    table = shown.exits_table(ledger.load())
    assert table["id"].to_list() == sorted(shown.EXITS)
    assert dict(table.select("id", "value").rows())["S0_049"] == "6,799"
