"""Packs at the front door: the numbers of the cells, and what a pack cannot be asked."""

from dataclasses import replace

import numpy as np
import pytest
from scipy import stats
from tests.cells import village_attack

import analysis as va
from analysis import paths
from analysis.cells import attacks, declaration, releases
from analysis.did.estimators import declared
from analysis.faults import FaultsError
from analysis.results import saving
from analysis.sensitivity import event_study, trends

PLAN = paths.data() / "estimands" / "pack.toml"
EXACT = 1e-12
THREE_DIGITS = 5e-3
"""Half a unit of the third digit, of a number that begins with 1: a pack rounds its errors so."""


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    return tmp_path_factory.mktemp("packs")


@pytest.fixture(scope="module")
def cells(place):
    va.simulate(place / "panel", households=6_000, villages=150, periods=(2013, 2019), seed=9)
    return va.cells(place / "panel", estimands=PLAN)


@pytest.fixture(scope="module")
def inside(cells):
    """Declared effects of the cells, from each village's influence, in yuan."""
    return declared.estimate(cells, declaration.read(PLAN)).effects.in_yuan()


@pytest.fixture(scope="module")
def pack(place, cells):
    return va.pack(cells, PLAN, place / "pack", panel=place / "panel")


@pytest.fixture(scope="module")
def fit(pack):
    return va.did(pack)


def test_no_attack_gets_anything_from_the_worked_example(tmp_path):
    """Tables, covariance, the whole audit, and two matrices of the same villages: none comes out.

    Of the covariance the attacker is given more than any has: another one at full precision, the
    sizes of villages and every sign. h is the share of one village in the combination of published
    estimates that has most of it: 1 where some combination is of that village alone.
    """
    va.simulate(tmp_path / "panel", households=9_600, villages=240, periods=(2012, 2018), seed=3)
    cells = va.cells(tmp_path / "panel", estimands=PLAN)
    example = va.pack(cells, PLAN, tmp_path / "pack", panel=tmp_path / "panel")
    found = attacks.run(example, releases.read(tmp_path / releases.LOG), cells)
    assert [one.state for one in found] == ["nothing found"] * len(attacks.TRIED)
    effects = declared.estimate(cells, declaration.read(PLAN)).effects
    assert village_attack.on_effects(effects, example.covariance.matrix)[0] == 0
    influence = effects.influence[:, np.isfinite(example.covariance.errors)]
    left, size, _ = np.linalg.svd(
        influence / np.linalg.norm(influence, axis=0), full_matrices=False
    )
    basis = left[:, size > 1e-9 * size[0]]
    assert basis.shape[1] == example.covariance.rank == 12
    assert (basis**2).sum(axis=1).max() < 0.9


def test_a_pack_says_what_the_cells_say(fit, inside):
    """Expected values: the influence of each village, which the pack does not hold."""
    for found, aggregation in (
        (fit.overall, "event_time_overall"),
        (fit.event_study, "event_time"),
    ):
        ours, theirs = found.frame, inside.select(aggregation=aggregation).to_frame()
        assert ours["outcome"].to_list() == theirs["outcome"].to_list()
        errors = theirs["std_error"].to_numpy()
        apart = np.abs(ours["estimate"].to_numpy() - theirs["estimate"].to_numpy())
        assert (apart <= EXACT * np.maximum(np.abs(theirs["estimate"].to_numpy()), errors)).all()
        for arm in ("treated", "control"):
            villages = theirs[f"n_villages_{arm}"].to_list()
            assert ours[f"n_clusters_{arm}"].to_list() == villages
        told = np.isfinite(ours["std_error"].to_numpy())
        assert told.sum() >= 5, "the overall effect on five outcomes, and most event times"
        assert np.allclose(ours["std_error"].to_numpy()[told], errors[told], rtol=THREE_DIGITS)
        ratio, df = theirs["estimate"].to_numpy() / errors, theirs["degrees"].to_numpy()
        p = np.abs(ours["p_value"].to_numpy() - 2 * stats.t.sf(np.abs(ratio), df))[told]
        assert (p <= THREE_DIGITS).all()
        for end in ("ci_low", "ci_high"):
            apart = np.abs(ours[end].to_numpy() - theirs[end].to_numpy())[told]
            half = np.abs(theirs[end].to_numpy() - theirs["estimate"].to_numpy())[told]
            assert (apart <= 2 * THREE_DIGITS * half).all(), end


def test_the_joint_band_of_a_pack_is_that_of_its_rounded_matrix(fit, inside):
    """How many errors wide it is, beside the cells' over the same event times."""
    study = fit.event_study.frame
    told = np.isfinite(study["std_error"].to_numpy())
    assert 5 <= told.sum() < study.height
    whole = inside.select(aggregation="event_time")
    critical = whole.at(np.flatnonzero(told)).band().critical
    half = (study["band_high"] - study["estimate"]).to_numpy()[told]
    ours = half / study["std_error"].to_numpy()[told]
    assert np.allclose(ours, critical, rtol=THREE_DIGITS)
    assert np.isnan(study["band_low"].to_numpy()[~told]).all()


def test_points_of_a_pack_are_those_of_the_cells_to_the_last_bit(pack, cells):
    effects = declared.estimate(cells, declaration.read(PLAN)).effects
    assert [p.estimate for p in pack.covariance.points] == effects.points.tolist()


@pytest.mark.parametrize("source", ["pack", "cells"])
def test_what_is_saved_says_whether_it_may_leave(source, pack, cells, tmp_path):
    saved = va.did(pack if source == "pack" else cells).overall.save(tmp_path)
    said = saving.OF_PACK if source == "pack" else saving.INSIDE
    for name in ("result.json", "table.md", "table.tex", "figure.svg"):
        assert said in (saved / name).read_text(encoding="utf-8")


def test_sources_add_up_to_the_total(fit):
    points = dict(fit.overall.frame.select("outcome", "estimate").iter_rows())
    sources = sum(points[name] for name in ("wage", "business", "property", "transfer"))
    assert sources == pytest.approx(points["total"], rel=1e-9)


def test_the_account_says_how_many_were_derived_again(fit):
    several = len(fit.estimates)
    assert f"{several} of {several} estimates derived again" in fit.account.decisions[0]
    assert fit.account.leverage is None, "a pack does not tell the largest village"
    assert fit.provenance.badge.tier == "model"


def test_trends_are_asked_of_the_pack_alone(fit, inside):
    """The intervals of Rambachan and Roth from the cells, over the same event times."""
    study = event_study.of_effects(inside, "total", first=-3, last=2)
    expected = trends.relative_magnitudes(study, study.average(), (0.0, 1.0))
    found = fit.honest([0.0, 1.0], outcome="total", first=-3, last=2).frame
    width = float((expected["ci_high"] - expected["ci_low"]).max())
    for column in ("set_low", "set_high"):
        assert np.allclose(found[column], expected[column], rtol=1e-9, atol=1e-6), column
    for column in ("ci_low", "ci_high"):  # errors of three digits: the ends move with them
        assert np.allclose(found[column], expected[column], rtol=0, atol=0.02 * width), column


def test_the_event_study_with_one_base_is_chosen(fit):
    """A pack may declare two by event time: questions of trends take the one with one base."""
    names = ("varying", *fit.estimates.names)
    whole = fit.estimates
    k = len(whole)
    twice = whole.at(np.concatenate([[0], np.arange(k)]))
    abouts = {**whole.abouts, "varying": replace(whole.about, base="varying")}
    both = replace(fit, estimates=replace(twice, names=names, abouts=abouts))
    assert both.event_study.frame.height == fit.event_study.frame.height
    assert both.event_study.reference == -1


@pytest.mark.parametrize("ask", ["pretrends", "wild", "randomise"])
def test_what_needs_each_village_is_refused(fit, ask):
    with pytest.raises(FaultsError, match="a pack has neither"):
        getattr(fit, ask)()


def test_cells_of_a_file_are_those_it_declares(cells, tmp_path):
    assert cells.design.programmes == ("dividend",)
    assert cells.design.outcomes[0].name == "total"
    panel = va.simulate(tmp_path / "p", households=400, villages=20, periods=(2012, 2016), seed=1)
    with pytest.raises(FaultsError, match="leave programme="):
        va.cells(panel, "training", estimands=PLAN)


def test_what_is_no_pack_is_refused(tmp_path):
    with pytest.raises(FaultsError, match="the file is missing"):
        va.read_pack(tmp_path)


def test_a_pack_of_one_estimate_has_no_event_study(tmp_path):
    plan = tmp_path / "plan.toml"
    plan.write_text(
        'name = "p"\n[design]\nprogrammes = ["training"]\nstratum = ""\n[[outcome]]\n'
        'name = "wage"\n[[estimand]]\nname = "overall"\naggregation = "simple"\n'
    )
    panel = va.simulate(tmp_path / "p", households=1_600, villages=80, periods=(2012, 2016), seed=1)
    cells = va.cells(panel, estimands=plan)
    found = va.did(va.pack(cells, plan, tmp_path / "pack", log=tmp_path / "log.jsonl"))
    assert found.frame["term"].to_list() == ["overall"]
    inside = va.did(cells).overall.value
    assert found.overall.value == pytest.approx(inside, rel=THREE_DIGITS)


def test_the_remedy_of_a_second_programme_works_as_printed(tmp_path):
    panel = tmp_path / "panel"
    va.simulate(panel, households=3_000, villages=75, periods=(2013, 2017), seed=9)

    def plan(*programmes):
        file = tmp_path / f"{programmes[-1]}.toml"
        file.write_text(
            f'name = "{programmes[-1]}"\n[design]\nprogrammes = {list(programmes)}\nstratum = ""\n'
            '[[outcome]]\nname = "total"\n[[estimand]]\nname = "overall"\n'
            'aggregation = "event_time_overall"\nwhere = "anywhere"\n',
            encoding="utf-8",
        )
        return file, va.cells(panel, estimands=file)

    (first, cells), (second, other) = plan("training"), plan("microcredit")
    va.pack(cells, first, tmp_path / "first", panel=panel)
    made = (other, second, tmp_path / "second")
    with pytest.raises(FaultsError, match="cells of microcredit and training, made together"):
        va.pack(*made, panel=panel)
    _, joint = plan("microcredit", "training")
    assert va.pack(*made, panel=panel, joint=joint).name == "microcredit"
