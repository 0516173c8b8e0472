"""Packs at the front door: the numbers of the cells, and what a pack cannot be asked."""

from dataclasses import replace

import numpy as np
import pytest

import analysis as va
from analysis import paths
from analysis.cells import declaration
from analysis.effects import declared
from analysis.faults import FaultsError
from analysis.sensitivity import event_study, trends

PLAN = paths.data() / "estimands" / "pack.toml"
EXACT = 1e-12


@pytest.fixture(scope="module")
def cells(tmp_path_factory):
    folder = tmp_path_factory.mktemp("packs") / "panel"
    va.simulate(folder, households=6_000, villages=150, periods=(2013, 2019), seed=9)
    return va.cells(folder, estimands=PLAN)


@pytest.fixture(scope="module")
def inside(cells):
    """Declared effects of the cells, from each village's influence, in yuan."""
    return declared.estimate(cells, declaration.read(PLAN)).effects.in_yuan()


@pytest.fixture(scope="module")
def pack(cells, tmp_path_factory):
    folder = tmp_path_factory.mktemp("packs")
    va.pack(cells, PLAN, folder / "pack", log=folder / "log.jsonl")
    return va.read_pack(folder / "pack")


@pytest.fixture(scope="module")
def fit(pack):
    return va.did(pack)


def same(ours, theirs, errors):
    """Whether numbers are equal to twelve digits; one near zero is as sure as its error."""
    size = np.maximum(np.abs(theirs), errors)
    return bool((np.abs(ours.to_numpy() - theirs) <= EXACT * size).all())


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        ("estimate", "estimate"),
        ("std_error", "std_error"),
        ("ci_low", "ci_low"),
        ("ci_high", "ci_high"),
        ("df", "degrees"),
        ("n_clusters_treated", "n_villages_treated"),
        ("n_clusters_control", "n_villages_control"),
    ],
)
def test_a_pack_says_what_the_cells_say(fit, inside, ours, theirs):
    """Expected values: the influence of each village, which the pack does not hold."""
    expected = inside.select(aggregation="event_time_overall").to_frame()
    assert fit.overall.frame["outcome"].to_list() == expected["outcome"].to_list()
    assert same(
        fit.overall.frame[ours], expected[theirs].to_numpy(), expected["std_error"].to_numpy()
    )
    events = inside.select(aggregation="event_time").to_frame()
    assert same(
        fit.event_study.frame[ours], events[theirs].to_numpy(), events["std_error"].to_numpy()
    )


def test_sources_add_up_to_the_total(fit):
    sums = fit.event_study.frame.pivot(on="outcome", index="event_time", values="estimate")
    sources = sums.select("wage", "business", "property", "transfer").sum_horizontal()
    assert np.allclose(sources, sums["total"], rtol=1e-9, atol=1e-6)


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
    for column in ("set_low", "set_high", "ci_low", "ci_high"):
        assert np.allclose(found[column], expected[column], rtol=1e-9, atol=1e-6), column


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


def test_cells_of_a_file_are_those_it_declares(cells):
    assert cells.design.programmes == ("dividend",)
    assert cells.design.outcomes[0].name == "total"
    with pytest.raises(FaultsError, match="leave programme="):
        va.cells("nowhere", "training", estimands=PLAN)


def test_what_is_no_pack_is_refused(tmp_path):
    with pytest.raises(FaultsError, match="the file is missing"):
        va.read_pack(tmp_path)
