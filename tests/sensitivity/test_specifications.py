"""The list of choices and the curve: what is in it, that it equals single estimates, joint numbers."""

import itertools
from dataclasses import replace

import numpy as np
import polars as pl
import pytest

from analysis import paths
from analysis.cells.outcomes import Outcome
from analysis.did.estimators import aggregate, group_time
from analysis.did.estimators.layout import from_cells
from analysis.faults import FaultsError
from analysis.panels import panel
from analysis.sensitivity import choices, specifications


@pytest.fixture(scope="module")
def listed():
    return choices.load()


@pytest.fixture(scope="module")
def curves(world, listed):
    made = {}

    def curve(programme, *switches, real=2020):
        key = (programme, switches, real)
        if key not in made:
            made[key] = specifications.run(
                panel.read(world(*switches, households=4000, villages=120)),
                programme,
                listed,
                real=real,
            )
        return made[key]

    return curve


def test_the_list_is_whole(listed):
    """By hand: 2·3·2·3·2·4 group-time, and 2·4 for each of two estimators."""
    every = choices.specifications(listed)
    assert len(every) == 288 + 8 + 8
    assert len({tuple(one.values()) for one in every}) == len(every)
    assert choices.main(listed) in every
    table = choices.as_table(listed)
    assert table["reason"].str.len_chars().min() > 4
    assert set(table["main"]) == {"yes", "no"}
    assert choices.label(listed, "controls", "never") == "never treated"
    assert choices.label(listed, "controls", choices.NOT_ASKED) == "not asked"


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        ('value = "not_yet"', 'value = "later"', "no such option"),
        ("main = true", "main = false", "one main option"),
        ('question = "Whom', 'query = "Whom', "lacks its text"),
        ('name = "controls"', 'name = "where"', "stands twice"),
        ('name = "controls"', 'name = "colour"', "is not listed"),
        ('held = "Never', 'note = "Never', "says why it is held"),
        ('reason = "for both of', 'reasons = "for both of', "lacks its text"),
    ],
)
def test_a_wrong_list_is_refused(tmp_path, old, new, problem):
    text = (paths.data() / "sensitivity" / "specifications.toml").read_text(encoding="utf-8")
    assert old in text
    (tmp_path / "s.toml").write_text(text.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(FaultsError, match=problem):
        choices.load(tmp_path / "s.toml")


def test_the_main_specification_is_the_single_estimate(curves, cells_of):
    """Independent path: cells of the stratum, group-time effects, aggregate, per cent by hand."""
    curve = curves("cooperative")
    size = {"households": 4000, "villages": 120}
    table = from_cells(cells_of("cooperative", outcomes=(Outcome("total"),), **size))
    found = group_time.estimate(table, leads=False)
    one = aggregate.aggregate(found, table, ("simple",))
    before = curve.before["household_nominal"]
    assert curve.main is not None
    assert curve.effects.points[curve.main] == pytest.approx(100 * one.points[0] / before)
    assert curve.effects.std_errors[curve.main] == pytest.approx(100 * one.std_errors[0] / before)


def test_every_specification_is_used_or_says_why(curves, listed):
    for programme in ("cooperative", "dividend"):
        curve = curves(programme)
        assert len(curve.used) + len(curve.failed) == len(choices.specifications(listed))
        assert all(why for _, why in curve.failed)
    beside = [one for one, _ in curves("dividend").failed if one["where"] == "same_village"]
    assert len(beside) == 288 // 3


def test_prices_that_cannot_be_taken_out_are_said(curves):
    curve = curves("cooperative", real=None)
    gone = [why for one, why in curve.failed if one["income"].endswith("real")]
    assert len(gone) == 304 // 2
    assert "prices cannot be taken out of this panel" in gone


def test_joint_frame_and_middle_by_hand(curves):
    curve = curves("cooperative")
    frame, short = specifications.joint(curve), specifications.middle(curve)
    estimates = np.sort(curve.effects.points)
    np.testing.assert_array_equal(frame["estimate"], estimates)
    assert frame["main"].sum() == 1
    assert short.median == np.median(estimates)
    assert (short.least, short.most) == (estimates[0], estimates[-1])
    assert short.positive == (estimates > 0).sum()
    apart = frame.filter((pl.col("band_low") > 0) | (pl.col("band_high") < 0)).height
    assert short.apart == apart
    assert (frame["band_high"] >= frame["ci_high"]).all()
    assert short.ci_low < short.median < short.ci_high


def test_equal_specifications_give_the_interval_of_one(curves):
    """A curve of one estimate repeated: the median's interval is its normal interval."""
    curve = curves("cooperative")
    k = curve.main
    same = specifications.Curve(
        curve.effects.at(np.array([k, k, k])), (curve.used[k],) * 3, (), 0, curve.before, 1
    )
    short = specifications.middle(same, draws=40_000)
    half = 1.959964 * curve.effects.std_errors[k]
    assert short.ci_high - short.median == pytest.approx(half, rel=0.03)


def test_by_choice_pairs_what_differs_in_nothing_else(curves, listed):
    """By hand for one option: median over all pairs of controls."""
    curve = curves("cooperative")
    shown = specifications.by_choice(curve, listed)
    at = {tuple(one.values()): x for one, x in zip(curve.used, curve.effects.points, strict=True)}
    gaps = []
    for one in curve.used:
        if one["controls"] == "not_yet":
            other = {**one, "controls": "never"}
            if tuple(other.values()) in at:
                gaps.append(at[tuple(one.values())] - at[tuple(other.values())])
    row = shown.filter(option="not yet treated")
    assert row["moved"].item() == pytest.approx(np.median(gaps))
    imputed = shown.filter(option="imputation")
    assert imputed["specifications"].item() == 8
    assert imputed["moved"].item() is not None
    assert shown.filter(option="never treated")["moved"].item() is None


def test_counties_as_strata_are_those_of_cells_with_such_a_column(world, cells_of):
    """Independent path: effects of each county alone, weighted by its treated households."""
    county = dict(panel.read(world()).villages.select("village", "county").collect().iter_rows())
    design = {"outcomes": (Outcome("total"),)}
    whole = from_cells(cells_of("dividend", **design))
    merged = replace(whole.rows(whole.stratum == 0), strata=("all",))
    inside = specifications.in_counties(merged, county)
    found = group_time.estimate(inside, leads=False)
    k = next(k for k, key in enumerate(found.keys) if not found.n_left_out[k])
    key, points, sizes = found.keys[k], [], []
    of_row = np.array([county[merged.villages[v]] for v in merged.village])
    for name in np.unique(of_row):
        part = merged.rows(of_row == name)
        treated = part.cohort == key.cohort
        if treated.any():
            one = group_time.estimate(part, leads=False)
            at = [(e.cohort, e.period) for e in one.keys].index((key.cohort, key.period))
            points.append(one.points[at])
            sizes.append(part.weight[treated, part.place(key.base)].sum())
    assert found.points[k] == pytest.approx(np.average(points, weights=sizes))
    with pytest.raises(FaultsError, match="counties cannot"):
        specifications.in_counties(merged, {})
    with pytest.raises(FaultsError, match="counties cannot"):
        specifications.in_counties(whole, county)


def test_switches_move_the_curve_as_they_should(curves):
    """Model panel: neighbours matter only with spillovers; a shared bias moves every estimate."""

    def gap(curve):
        at = {
            tuple(one.values()): x for one, x in zip(curve.used, curve.effects.points, strict=True)
        }
        pairs = [
            (x, at[tuple({**one, "where": "same_village"}.values())])
            for one, x in zip(curve.used, curve.effects.points, strict=True)
            if one["where"] == "other_villages"
            and tuple({**one, "where": "same_village"}.values()) in at
        ]
        return float(np.median([a - b for a, b in pairs]))

    clean = curves("cooperative")
    assert gap(curves("cooperative", "spillover")) > gap(clean) + 0.2
    trended = curves("cooperative", "selection_trend")
    assert specifications.middle(trended).median > specifications.middle(clean).median


def test_nothing_to_estimate_is_refused(world, listed):
    with pytest.raises(FaultsError):
        specifications.run(panel.read(world()), "no_such_programme", listed, real=None)


def test_not_asked_choices_do_not_multiply(listed):
    asked = [one for one in choices.specifications(listed) if one["estimator"] == "two_way"]
    pairs = set(itertools.product(("0", "1"), choices.KNOWN["income"]))
    assert {(one["anticipation"], one["income"]) for one in asked} == pairs
