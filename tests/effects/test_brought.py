"""The pack that a report is given: its page prints what the cells say."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from typer.testing import CliRunner

from analysis import cli, paths
from analysis.cells import declaration, pack, result
from analysis.effects import brought, declared, pack_texts, pack_views
from analysis.faults import FaultsError
from analysis.figures import packs as figures
from analysis.panels.model.simulate import simulate
from analysis.sensitivity import event_study, of_pack, trends

PLAN = paths.data() / "estimands" / "pack.toml"
NOTEBOOK = paths.root() / "notebooks" / "18-your-pack.ipynb"
runner = CliRunner()


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A pack made by commands from a simulated panel; and the cells it was made of."""
    folder = tmp_path_factory.mktemp("brought")
    simulate(folder / "panel", households=6_000, villages=150, periods=(2013, 2019), seed=9)
    for words in (
        ["cells", str(folder / "panel"), "--out", str(folder / "cells")],
        [
            "pack",
            str(folder / "cells"),
            "--out",
            str(folder / "pack"),
            "--log",
            str(folder / "log.jsonl"),
        ],
    ):
        done = runner.invoke(cli.app, [*words, "--estimands", str(PLAN)])
        assert done.exit_code == 0, done.output
    return folder


@pytest.fixture
def shown(made, monkeypatch):
    monkeypatch.setenv("PACK", str(made / "pack"))
    return brought.shown()


@pytest.fixture(scope="module")
def example(tmp_path_factory):
    return brought.worked(tmp_path_factory.mktemp("worked"))


def test_the_page_prints_the_numbers_of_the_cells(made, shown):
    """Cells and pack made by commands; expected values from the cells, by outcome."""
    plan = declaration.read(PLAN)
    cells = declared.estimate(result.read(made / "cells"), plan).effects.in_yuan()
    rows = pack_views.headline(shown.effects)
    overall = cells.select(aggregation="event_time_overall").to_frame()
    assert rows["outcome"].to_list() == overall["outcome"].to_list()
    for column in ("estimate", "ci_low", "ci_high"):
        rtol = 1e-12 if column == "estimate" else brought.ROUNDED
        assert np.allclose(rows[column], overall[column], rtol=rtol, atol=0)
    assert (
        brought.agreement(shown.effects, cells)
        .select(same=(pl.col("compared") == pl.col("equal")).all())
        .item()
    )
    assert (shown.tier, shown.cells) == ("model", None)
    assert "simulated" in pack_texts.texts(shown).what.text
    assert brought.compared(shown).is_empty()


def test_without_a_pack_an_example_is_worked(example, monkeypatch):
    monkeypatch.delenv("PACK", raising=False)
    assert brought.pack_brought() is None
    found = brought.compared(example)
    assert found["equal"].to_list() == found["compared"].to_list()
    told = int(np.isfinite(example.effects.std_errors).sum())
    assert set(found["compared"]) == {told, len(example.effects)}
    # The worked example loses the errors of the first and the last event time, on few villages.
    lost = [
        k.at
        for k, e in zip(example.effects.keys, example.effects.std_errors, strict=True)
        if np.isnan(e)
    ]
    assert lost == [-6, 4]
    assert pack_texts.derived_again(example) == len(example.effects)


def test_a_difference_between_pack_and_cells_is_counted(example):
    moved = replace(example.effects, points=example.effects.points * (1 + 1e-6))
    found = brought.agreement(moved, example.cells)
    assert found.filter(what="estimates")["equal"].item() == 0
    errors = found.filter(what="standard errors")
    assert errors["equal"].item() == errors["compared"].item() > 0


def test_what_is_no_pack_is_refused(made, monkeypatch):
    monkeypatch.setenv("PACK", str(made / "cells"))
    with pytest.raises(FaultsError, match="PACK is not a pack"):
        brought.pack_brought()
    monkeypatch.setenv("PACK", "nowhere")
    with pytest.raises(FaultsError, match="nowhere"):
        brought.pack_brought()


def test_sources_add_up_and_a_source_changed_is_seen(shown):
    sums = pack_views.adding_up(shown.effects)
    assert sums.height == 1  # the overall effect is the one that all five have
    assert pack_views.sums_that_hold(sums) == sums.height
    points = shown.effects.points.copy()
    wage = [key.outcome for key in shown.effects.keys].index("wage")
    points[wage] += 1
    changed = pack_views.adding_up(replace(shown.effects, points=points))
    assert pack_views.sums_that_hold(changed) == sums.height - 1
    without = shown.effects.at(np.array([k.outcome != "wage" for k in shown.effects.keys]))
    assert pack_views.adding_up(without).is_empty()
    assert "cannot be compared" in pack_texts.sums_sentence(0, 0).text


def test_trends_are_asked_of_the_pack_alone(made, shown):
    """The same intervals as from the cells, over the same event times."""
    inputs = of_pack.inputs(shown.effects)
    assert inputs.study is not None
    assert inputs.study.times.size < inputs.study.smaller_arm
    plan = declaration.read(PLAN)
    cells = declared.estimate(result.read(made / "cells"), plan).effects.in_yuan()
    times = inputs.study.times.tolist()
    theirs = event_study.of_effects(cells, "total", first=times[0], last=times[-1])
    assert set(inputs.dropped).isdisjoint(times)
    ours = of_pack.bounds(inputs)
    expected = trends.relative_magnitudes(theirs, theirs.average())
    for column in expected.columns:
        # Errors of three digits; the intervals of a bound move with them.
        width = float((expected["ci_high"] - expected["ci_low"]).max())
        assert np.allclose(ours[column], expected[column], rtol=0, atol=0.02 * width), column
    none = of_pack.inputs(shown.effects.estimand("overall"))
    assert none.why == "no estimand by event time was declared"
    assert of_pack.bounds(none).is_empty()
    assert of_pack.table(none).is_empty()
    assert none.why in of_pack.sentence(none).text


def test_a_small_number_left_out_is_not_told(shown):
    account = {**shown.pack.account, "left_out": {"no answer": "fewer than 10", "moved": 12}}
    hidden = replace(shown.pack, account=account)
    table = pack_views.account(hidden)
    assert table["rows"].to_list()[1:] == ["fewer than 10", "12"]


def test_figures_say_what_they_show(shown):
    frame = pack_views.event_times(shown.effects)
    unit, base = pack_views.unit_of(shown.effects), pack_views.base_of(shown.effects)
    assert (unit, base) == ("yuan a year per household, prices of each year", -1)
    drawn = figures.event_times("fig-x", shown.tier, frame, unit, base)
    first = frame.filter(outcome="total", at=0)["estimate"].item()
    assert f"Total: {first:,.0f} after 0 years" in drawn.alt
    poor = frame.head(3).with_columns(unit=pl.lit("share"), outcome=pl.lit("poor"))
    poor = poor.with_columns(pl.col("estimate", "band_low", "band_high") / 10_000)
    shares = figures.event_times("fig-x", "yours", poor, "share", None)
    assert "in percentage points" in shares.alt
    assert shares.data["estimate"].to_list() == pytest.approx(
        (frame["estimate"].head(3) / 100).to_list()
    )
    empty = figures.event_times("fig-x", "yours", frame.clear(), "")
    assert "no estimates by event time" in empty.alt


def test_texts_and_tables_of_a_pack(shown):
    assert "universal base" in pack_texts.texts(shown).design.text
    table = pack_views.effects(shown.effects)
    assert table.height == len(shown.effects)
    assert table["interval"].null_count() == 0
    bare = pack_views.effects(replace(shown.effects, reported=shown.effects.reported * np.nan))
    assert bare["interval"][0].startswith("no interval")
    assert bare["band"].null_count() == bare.height
    rules = pack_views.rules(shown.pack)
    assert rules.filter(rule="min households")["set"].item() == "10"
    assert pack_views.villages(shown.effects).height == 2
    manifest = dict(pack_views.manifest(shown.pack).iter_rows())
    assert manifest["Programme"] == "dividend"
    assert manifest["Digest of the totals"] in shown.digest


def test_the_notebook_reads_the_pack_through_one_function():
    """The pipeline runs it again when PACK changes, because a module that it imports names PACK."""
    cells = json.loads(NOTEBOOK.read_text(encoding="utf-8"))["cells"]
    text = "\n".join("".join(cell["source"]) for cell in cells)
    assert "brought.shown()" in text
    assert '"PACK"' in Path(brought.__file__).read_text(encoding="utf-8")
    assert pack.MANIFEST == "pack.json"


def test_what_was_declared_is_listed_as_in_the_file(made):
    plan = declaration.read(PLAN)
    listed = pack_views.estimands(pack.read(made / "pack"))
    assert listed["name"].to_list() == [one.name for one in plan.estimands]
    assert listed["base"].to_list() == [one.base for one in plan.estimands]


def test_what_a_pack_leaves_open_is_said_with_what_it_takes():
    listed = pack_views.needs()
    assert listed.columns == ["question", "takes"]
    assert listed["question"].is_unique().all()
    assert (listed["takes"].str.len_chars() > 3).all()
