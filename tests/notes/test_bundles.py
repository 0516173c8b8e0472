"""The page on programmes together: on a simulated panel, a survey, and a panel without any."""

import json
from dataclasses import replace

import pytest

from analysis import findings
from analysis.notes import bundles
from analysis.panels import panel as panels
from analysis.panels import schemas
from analysis.panels.model import Settings, simulate_settings

SENTENCES = (
    "described",
    "overlap",
    "interaction",
    "neighbours",
    "bounds",
    "nearly_all",
    "method",
    "tier_note",
)
TABLES = ("overlaps", "by_neighbours", "effects", "reached")


@pytest.fixture(autouse=True)
def empty():
    findings.forget()
    yield
    findings.forget()


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    target = tmp_path_factory.mktemp("together") / "panel"
    simulate_settings(target, Settings(2400, 60, (2012, 2021), 3))
    return target


def test_a_simulated_panel_has_the_truth_by_channel(folder, monkeypatch):
    monkeypatch.setenv("PANEL", str(folder))
    made = bundles.together("10-x")
    assert "truth" in made.neighbours.text and "add up by construction" in made.interaction.text
    effects = made.effects("tbl-e").data
    assert "direct" in effects.columns
    # Counted again from the table as printed.
    number = {
        c: effects[c].str.replace_all(",", "").str.replace_all("−", "-")
        for c in ("direct", "bounds")
    }
    ends = [tuple(map(float, text.split(" to "))) for text in number["bounds"] if " to " in text]
    truths = [
        float(value)
        for value, text in zip(number["direct"], number["bounds"], strict=True)
        if " to " in text
    ]
    held = sum(low <= value <= high for value, (low, high) in zip(truths, ends, strict=True))
    noted = {one["id"]: one["value"] for one in json.loads(findings.export_json())}
    assert (noted["bundles_bounds_held"], noted["bundles_bounds"]) == (held, len(ends))
    assert made.reached("tbl-r").data.height == 10
    assert "each alone, both" in made.pairs("fig-p").alt


def test_a_survey_has_none(folder):
    made = bundles.together("10-x", replace(panels.read(folder), tier="yours", name="a survey"))
    said = " ".join(getattr(made, name).text for name in SENTENCES)
    assert "truth" not in said and "construction" not in said
    assert "truth" not in made.by_neighbours("tbl-n").data.columns
    assert "not known to anyone" in made.effects("tbl-e").data["why"][0]


def test_a_panel_without_programmes_says_so_everywhere(folder):
    bare = replace(
        panels.read(folder),
        tier="yours",
        name="bare",
        participation=schemas.empty("participation").lazy(),
    )
    made = bundles.together("10-x", bare)
    for name in ("overlap", "interaction", "neighbours", "nearly_all"):
        assert getattr(made, name).text.startswith("Not shown")
    for name in TABLES:
        assert getattr(made, name)(f"tbl-{name}").data["why"][0].startswith("Not shown")
    assert made.pairs("fig-p").alt.startswith("Not shown")
