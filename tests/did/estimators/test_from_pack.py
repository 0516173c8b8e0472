"""A pack says of its declared effects what the cells say, and says so when it was changed.

The expected values are those of the cells, estimated by the same call before anything was packed.
"""

import tomllib
from dataclasses import replace

import numpy as np
import polars as pl
import pytest
from typer.testing import CliRunner

from analysis import cli
from analysis.cells import attacks, declaration, disclosure, pack, releases, result
from analysis.cells.build import build
from analysis.cells.design import CellsDesign
from analysis.did.estimators import (
    aggregate,
    declared,
    from_pack,
    group_time,
    imputation,
    layout,
    two_way,
)
from analysis.did.estimators.record import Key
from analysis.faults import FaultsError
from analysis.panels import panel as panels
from analysis.panels.model.settings import Settings, Switches
from analysis.panels.model.simulate import simulate, simulate_settings
from analysis.results import saving

TEXT = """
name = "law"
[design]
programmes = ["PROGRAMME"]
stratum = ""
handling = "HANDLING"
unit = "UNIT"
[[outcome]]
name = "total"
[[outcome]]
name = "wage"
source = "wage"
[[estimand]]
name = "by cohort and period"
aggregation = "group_time"
controls = "CONTROLS"
[[estimand]]
name = "event study"
aggregation = "event_time"
controls = "CONTROLS"
base = "universal"
[[estimand]]
name = "overall"
aggregation = "simple"
where = "anywhere"
outcomes = ["total"]
[disclosure]
min_households = 3
all_or_none = true
"""
runner = CliRunner()


def declare(programme, handling="balanced", unit="household", controls="never", text=TEXT):
    words = {"PROGRAMME": programme, "HANDLING": handling, "UNIT": unit, "CONTROLS": controls}
    for word, value in words.items():
        text = text.replace(word, value)
    return declaration.parse(tomllib.loads(text), text, "estimands.toml")


@pytest.fixture(scope="module")
def gappy(tmp_path_factory):
    """Households leave and answers are missing; six villages in ten have a programme."""
    folder = tmp_path_factory.mktemp("gappy") / "panel"
    switches = Switches(attrition=True, missing=True)
    simulate_settings(folder, Settings(2_400, 80, (2014, 2018), 5, "gappy", switches))
    return folder


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    folder = tmp_path_factory.mktemp("whole") / "panel"
    simulate(folder, households=4_800, villages=120, periods=(2013, 2017), seed=3)
    return folder


def digits(mine):
    """Half a unit of the last digit that is told, of a number that begins with 1."""
    return 5e-2 if np.isnan(mine.reported).all() or mine.villages[:2].min() <= 10 else 5e-3


def packed(folder, plan, tmp_path):
    """Return the effects from cells, and the pack as it is read back."""
    cells = build(folder, plan.design)
    found, log = declared.estimate(cells, plan), tmp_path / "log.jsonl"
    pack.publish(cells, plan, found.estimated(), tmp_path / "pack", log=log)
    return cells, found, pack.read(tmp_path / "pack")


def same(mine, cells, *, rows=True):
    """Estimates, villages and households exactly; errors and intervals to three digits."""
    ours, theirs = mine.to_frame(), cells.to_frame()
    assert ours.columns == theirs.columns
    floats = [name for name, kind in theirs.schema.items() if kind.is_float()]
    plain = [*floats, "note"]
    assert ours.drop(plain).equals(theirs.drop(plain))
    # A pack does not tell how much of an arm its largest village holds.
    assert ours["max_leverage"].is_nan().all() and theirs["max_leverage"].is_finite().all()
    for name in ("estimate", "effective_treated", "effective_control"):
        assert np.allclose(ours[name], theirs[name], rtol=1e-12, atol=1e-9), name
    down = np.floor(theirs["degrees"].to_numpy() * 10) / 10
    assert np.array_equal(ours["degrees"].to_numpy(), down)
    told = ours["std_error"].is_not_nan()
    assert told.any()
    error, half = (
        theirs["std_error"].filter(told),
        (theirs["ci_high"] - theirs["estimate"]).filter(told),
    )
    assert np.allclose(ours["std_error"].filter(told), error, rtol=digits(mine), atol=0)
    for end in ("ci_low", "ci_high"):
        apart = (ours[end] - theirs[end]).filter(told).abs()
        assert (apart <= 2 * digits(mine) * half).all()
    assert ours["note"].filter(~told).str.starts_with("no interval").all()
    if rows:
        assert (mine.about.rows_in, mine.about.rows_used) == (
            cells.about.rows_in,
            cells.about.rows_used,
        )


@pytest.mark.parametrize("unit", ["household", "person"])
@pytest.mark.parametrize("handling", ["balanced", "pairs", "cross_sections"])
@pytest.mark.parametrize("controls", ["never", "not_yet"])
@pytest.mark.parametrize("programme", ["dividend", "training"])
def test_the_pack_says_what_the_cells_say(
    gappy, tmp_path, monkeypatch, programme, controls, handling, unit
):
    """Programmes by village and by household, weighted by persons or not.

    The panel is small and its rules of disclosure are off: they have tests of their own.
    """
    monkeypatch.setattr(disclosure, "check", lambda *_: [])
    monkeypatch.setattr(pack.pack_checks, "too_few_villages", lambda *_: [])
    plan = declare(programme, handling, unit, controls)
    _, found, sent = packed(gappy, plan, tmp_path)
    assert sent.weighted == (unit == "person")
    mine = from_pack.estimate(sent)
    derived = from_pack.derive(sent)
    again = np.concatenate([one.points for one in derived.effects.values()])
    assert np.allclose(again, found.effects.points, rtol=1e-12, atol=0)
    same(mine, found.effects, rows=handling != "pairs")
    with pytest.raises(FaultsError, match="tells one covariance"):
        mine.under("parity")
    for row in range(len(mine)):
        ours, theirs = mine.at(np.array([row])), found.effects.at(np.array([row]))
        if np.isfinite(ours.std_errors[0]):
            # A square of an error of three digits (two, where an arm has few villages).
            assert ours.wald().statistic == pytest.approx(
                theirs.wald().statistic, rel=3 * digits(ours)
            )


def test_bands_by_draws_and_joint_tests_are_those_of_the_cells(whole, tmp_path):
    """Forty villages and more in each arm of the overall effect: draws of multipliers."""
    _, found, sent = packed(whole, declare("dividend"), tmp_path)
    mine = from_pack.estimate(sent).in_yuan()
    cells = found.effects.in_yuan()
    for part in ({"aggregation": "simple"}, {"aggregation": "event_time", "outcome": "total"}):
        ours, theirs = mine.select(**part), cells.select(**part)
        told = np.isfinite(ours.std_errors)
        ours, theirs = ours.at(told), theirs.at(told)
        first, second = ours.band(), theirs.band()
        assert (first.rule, first.seed) == (second.rule, second.seed)
        assert np.allclose(first.critical, second.critical, rtol=2e-2, atol=0)
    assert mine.select(aggregation="simple").band().rule == "multiplier"
    assert mine.select(aggregation="simple").smaller_effective.min() >= 20
    ours, theirs = mine.estimand("event study"), cells.select(aggregation="event_time")
    ours, theirs = ours.select(outcome="wage"), theirs.select(outcome="wage")
    told = np.isfinite(ours.std_errors)
    assert told.sum() >= 3
    ours, theirs = ours.at(told), theirs.at(told)
    assert ours.wald().p_value == pytest.approx(theirs.wald().p_value, rel=5e-2)
    assert "digits of the rounded covariance" in ours.describe()
    assert ours.about.base == "universal"
    assert "pack 'law'" in ours.describe()
    assert "CV3" in repr(ours)
    assert "<table" in ours._repr_html_()


def test_fractional_weights_and_strata_agree_too(whole, tmp_path, monkeypatch):
    """Weights that are no whole numbers make sums of floats; strata are standardised."""
    monkeypatch.setattr(disclosure, "check", lambda *_: [])
    monkeypatch.setattr(pack.pack_checks, "too_few_villages", lambda *_: [])
    source = panels.read(whole)
    weights = (pl.col("household").hash(seed=1) % 997).cast(pl.Float64) / 331 + 0.25
    homes = source.households.with_columns(weight=weights)
    plan = declare("training", text=TEXT.replace('stratum = ""', 'stratum = "stratum"'))
    cells = build(replace(source, households=homes), plan.design)
    found = declared.estimate(cells, plan)
    sent, _ = pack.make(cells, plan, found.estimated())
    assert sent.weighted
    assert len(sent.tables["ever"]["stratum"].unique()) > 1
    derived = from_pack.derive(sent)
    again = np.concatenate([one.points for one in derived.effects.values()])
    scale = np.maximum(np.abs(found.effects.points), found.effects.under("parity").std_errors)
    assert (np.abs(again - found.effects.points) <= 1e-12 * scale).all()
    same(from_pack.estimate(sent), found.effects)


@pytest.mark.parametrize("programme", ["dividend", "training"])
def test_no_attack_gets_anything_from_a_pack(whole, tmp_path, programme):
    cells, _, sent = packed(whole, declare(programme), tmp_path)
    found = attacks.run(sent, releases.read(tmp_path / "log.jsonl"), cells)
    assert {a.state for a in found} == {"nothing found"}, found


def test_a_changed_total_is_found_even_with_a_new_digest(whole, tmp_path):
    _, _, sent = packed(whole, declare("dividend"), tmp_path)
    for row in (0, 7, 20):
        totals = sent.tables["totals"].with_columns(
            sum_wage=pl.col("sum_wage") + 100 * (pl.int_range(pl.len()) == row)
        )
        changed = replace(sent, tables={**sent.tables, "totals": totals})
        with pytest.raises(FaultsError, match=r"of wage .*the totals give"):
            from_pack.estimate(changed)
        with pytest.raises(FaultsError) as caught:
            from_pack.estimate(changed)
        assert not any("of total" in fault.column for fault in caught.value.faults)


def test_a_changed_point_or_covariance_is_found(whole, tmp_path):
    _, _, sent = packed(whole, declare("dividend"), tmp_path)
    carried = sent.covariance
    first = replace(carried.points[0], estimate=carried.points[0].estimate + 1e-3)
    changed = replace(carried, points=(first, *carried.points[1:]))
    with pytest.raises(FaultsError, match="by cohort and period of total") as caught:
        from_pack.estimate(replace(sent, covariance=changed))
    assert len(caught.value.faults) == 1
    told = np.flatnonzero(np.isfinite(carried.errors))[:2]
    for value in (1.5, -1.5):
        odd = carried.correlations.copy()
        odd[told[0], told[1]] = odd[told[1], told[0]] = value
        with pytest.raises(FaultsError, match="a variance below zero"):
            from_pack.estimate(replace(sent, covariance=replace(carried, correlations=odd)))
    odd[told[0], told[1]] = 0.0
    with pytest.raises(FaultsError, match="not symmetric"):
        from_pack.estimate(replace(sent, covariance=replace(carried, correlations=odd)))
    moved = replace(carried.points[0], period=1999)
    changed = replace(carried, points=(moved, *carried.points[1:]))
    with pytest.raises(FaultsError, match="no such estimate follows from the totals"):
        from_pack.estimate(replace(sent, covariance=changed))
    with pytest.raises(FaultsError, match="it carries no estimates"):
        from_pack.estimate(replace(sent, covariance=None))


def test_errors_without_a_covariance_allow_no_joint_statement(whole, tmp_path):
    """Šidák bands need errors only; joint tests and sums of estimates are refused."""
    _, _, sent = packed(whole, declare("dividend"), tmp_path)
    bare = replace(sent.covariance, correlations=None, note="why not")
    found = from_pack.estimate(replace(sent, covariance=bare))
    told = np.isfinite(found.std_errors)
    assert told.tolist() == np.isfinite(sent.covariance.errors).tolist()
    assert found.band().rule == "sidak"
    assert "no interval: the pack tells no error of it: why not" in found.notes
    with pytest.raises(FaultsError, match="no standard error"):
        found.at(told).at(np.array([0, 1])).wald()
    weights = np.eye(len(found))[np.flatnonzero(told)[:2]]
    sums = np.concatenate([weights, weights.sum(axis=0, keepdims=True)])
    added = found.combine(sums, [Key("total", name) for name in "abc"])
    assert np.isfinite(added.std_errors).tolist() == [True, True, False]


def test_controls_in_the_same_village_are_carried_and_not_derived(whole, tmp_path):
    text = TEXT.replace('where = "anywhere"', 'where = "same_village"')
    _, found, sent = packed(whole, declare("training", text=text), tmp_path)
    assert from_pack.derive(sent).carried_only == {"overall": from_pack.SAME_VILLAGE}
    mine = from_pack.estimate(sent)
    theirs = found.effects.select(aggregation="simple")
    assert mine.estimand("overall").points.tolist() == theirs.points.tolist()
    assert mine.estimand("overall").n_households == ((None,), (None,))
    assert mine.estimand("overall").about.where == "same_village"


def test_villages_are_told_apart_only_where_controls_ask_for_it(whole, tmp_path):
    """Village programmes: by cohort already. Household programmes: reached or not, or when."""
    for programme, controls, groups in (
        ("dividend", "never", 0),
        ("training", "never", 2),
        ("training", "not_yet", 3),
    ):
        place = tmp_path / f"{programme} {controls}"
        place.mkdir()
        plan = declare(programme, controls=controls)
        cells = build(whole, plan.design)
        apart = pack._told_apart(cells.design, plan)
        assert apart == ({} if programme == "dividend" else {programme: controls})
        if groups == 2:
            sent, _ = pack.make(cells, plan)
            assert sent.tables["ever"]["village"].unique().sort().to_list() == [
                "nobody treated",
                "somebody treated",
            ]
            assert sent.design.control_villages == "never"


def test_fixed_weights_add_up_as_from_cells(whole, tmp_path):
    """Group-time effects added up here and from cells with shares held fixed."""
    cells, _, sent = packed(whole, declare("dividend"), tmp_path)
    table = layout.from_cells(cells)
    whole_set = aggregate.aggregate(group_time.estimate(table), table, shares="fixed")
    mine = from_pack.add_up(sent, from_pack.estimate(sent).estimand("by cohort and period"))
    theirs = whole_set.at(np.array([key.outcome in ("total", "wage") for key in whole_set.keys]))
    assert [(k.outcome, k.aggregation, k.at) for k in mine.keys] == [
        (k.outcome, k.aggregation, k.at) for k in theirs.keys
    ]
    assert np.allclose(mine.points, theirs.points, rtol=1e-10, atol=0)
    # The factor (G - 1)/G of CV3 may be that of one village less;
    # and the covariance has three digits, which count for more where estimates nearly cancel.
    told = np.isfinite(mine.std_errors)
    ratio = mine.std_errors[told] / theirs.std_errors[told]
    assert np.allclose(ratio, 1, rtol=2e-2, atol=0)
    # Every aggregate here needs a cohort of few villages, whose error the pack does not tell.
    assert not told.any()
    # A pack does not tell the arms of a combination: the fewest degrees of what enters.
    entered = from_pack.estimate(sent).estimand("by cohort and period").degrees
    assert mine.degrees.min() == entered.min()
    assert np.isin(mine.degrees, entered).all()


def test_a_combination_by_hand(whole, tmp_path):
    """The difference of two estimates: variance a + b − 2ab."""
    _, found, sent = packed(whole, declare("dividend"), tmp_path)
    mine = from_pack.estimate(sent)
    told = np.flatnonzero(np.isfinite(mine.std_errors))[:2]
    weights = np.zeros((1, len(mine)))
    weights[0, told] = -1, 1
    one = mine.combine(weights, [Key("total", "difference")])
    points, v = found.effects.points[told], found.effects.covariance[np.ix_(told, told)]
    assert one.points[0] == pytest.approx(points[1] - points[0])
    by_hand = v[0, 0] + v[1, 1] - 2 * v[0, 1]
    assert one.reported[0, 0] == pytest.approx(by_hand, rel=2e-2)


def test_imputation_and_two_way_follow_from_totals(whole, tmp_path):
    cells, _, sent = packed(whole, declare("dividend"), tmp_path)
    table = layout.from_cells(cells)
    found = from_pack.cross_checks(sent)
    imputed = aggregate.aggregate(imputation.estimate(table), table, shares="fixed")
    both = np.concatenate([imputed.points, two_way.estimate(table).points])
    assert np.allclose(found["estimate"], both, rtol=1e-8, atol=1e-6)
    assert set(found["estimator"]) == {"imputation", "two_way"}


def test_the_command_takes_a_pack_as_it_takes_cells(whole, tmp_path):
    """The same table from both; a changed pack stops."""
    plan = tmp_path / "plan.toml"
    plan.write_text(declare("dividend").text, encoding="utf-8")
    made, sent, log = tmp_path / "cells", tmp_path / "pack", whole.parent / "log.jsonl"
    words = ["--estimands", str(plan), "--out"]
    assert runner.invoke(cli.app, ["cells", str(whole), *words, str(made)]).exit_code == 0
    assert (
        runner.invoke(cli.app, ["pack", str(made), *words, str(sent), "--log", str(log)]).exit_code
        == 0
    )
    tried = ["attack", str(sent)]
    alone = runner.invoke(cli.app, tried)
    assert alone.exit_code == 0, alone.output
    for said in ("nothing found", "not tried", "not covered: outside knowledge"):
        assert said in alone.output
    assert "hold" not in alone.output.replace("holder", "").replace("households", "")
    assert runner.invoke(cli.app, [*tried, "--log", f"{log}x"]).exit_code == 1  # mistyped
    tried += ["--log", str(log), "--cells", str(made)]
    whole_audit = runner.invoke(cli.app, tried)
    assert whole_audit.exit_code == 0 and "not tried" not in whole_audit.output
    cells = runner.invoke(cli.app, ["effects", str(made), "--estimands", str(plan)])
    assert saving.INSIDE in cells.output
    found = runner.invoke(cli.app, ["effects", str(sent)])
    assert found.exit_code == 0, found.output
    first, *rest = found.output.splitlines()
    shown = cells.output.splitlines()
    others = [line for line in rest if line.startswith(("event study: ", "overall: "))]
    assert others[0].strip() == "event study: controls: never, other_villages; base: universal"
    assert others[1].strip() == "overall: controls: never, anywhere; base: varying"
    rest = [line for line in rest if line not in others]
    assert first.endswith("points derived again from its totals, all as carried")
    points = [[one.split()[:-4] for one in lines if "treated," in one] for lines in (rest, shown)]
    # An interval may be missing in a pack; outcome, estimand and estimate are the same.
    assert [row[:3] for row in points[0]] == [row[:3] for row in points[1]]
    assert any("the pack tells no error of it" in line for line in rest)
    plan.write_text(declare("training").text, encoding="utf-8")
    other = runner.invoke(cli.app, ["effects", str(sent), "--estimands", str(plan)])
    assert other.exit_code == 2
    table = sent / "totals.csv"
    table.write_text(table.read_text(encoding="utf-8").replace("1", "2", 1), encoding="utf-8")
    assert runner.invoke(cli.app, ["effects", str(sent)]).exit_code == 1


def test_a_source_that_never_varies_is_left_out_and_said(whole, tmp_path):
    """Cells of one programme, transfers all zero: the other four outcomes are estimated."""
    source = panels.read(whole)
    income = source.income.with_columns(transfer=pl.lit(0, pl.Int64))
    made = build(replace(source, income=income), CellsDesign(("dividend",)))
    result.write(made, tmp_path / "cells")
    done = runner.invoke(cli.app, ["effects", str(tmp_path / "cells")])
    assert done.exit_code == 0, done.output
    assert "left out: transfer: the outcome is the same everywhere and always (0)" in done.output
    rows = [line.split()[0] for line in done.output.splitlines() if "treated," in line]
    assert set(rows) == {"wage", "business", "property", "total"}
