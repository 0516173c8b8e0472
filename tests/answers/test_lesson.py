"""Why before and after misleads: the stored panels are those of the code, and teach what they say."""

import math

import numpy as np
import polars as pl
import pytest
from scipy import stats

from analysis import money
from analysis.answers import lesson, reading
from analysis.answers.design import TOTAL, design_of
from analysis.answers.estimates import estimate
from analysis.panels import current
from analysis.panels.model import parameters


@pytest.fixture(scope="module")
def stored():
    return lesson.stored()


def one(table, method, **state):
    return table.filter(pl.col("method") == method, **state).row(0, named=True)


def test_every_combination_is_there_once(stored):
    assert stored.group_by(lesson.DIFFICULTIES).len().height == 2 ** len(lesson.DIFFICULTIES)
    assert set(stored["method"]) == set(lesson.METHODS)
    assert stored.height == 2 ** len(lesson.DIFFICULTIES) * len(lesson.METHODS)


def test_the_stored_numbers_are_those_of_the_code(stored):
    """One combination made again; all would take a minute."""
    again = lesson.made(((False, False, True),))
    kept = stored.filter(growth=False, selection_level=False, dip=True)
    for column in ("estimate", "ci_low", "ci_high", "truth"):
        for new, old in zip(again[column], kept[column], strict=True):
            assert (new is None) == (old is None)
            assert old is None or new == pytest.approx(old, rel=1e-6, abs=0.02)


def test_each_difficulty_does_what_the_page_says(stored):
    off = {"growth": False, "selection_level": False, "dip": False}
    nothing = one(stored, "before_after", **off)
    truth = nothing["truth"]
    # Growth is counted as the programme's doing; a dip makes the gain look larger.
    assert one(stored, "before_after", **{**off, "growth": True})["estimate"] > 10 * truth
    assert one(stored, "before_after", **{**off, "dip": True})["estimate"] > nothing["estimate"]
    # The better-off joining first is what breaks with and without.
    assert one(stored, "with_without", **{**off, "selection_level": True})["estimate"] > 5 * truth
    # Growth and better-off together lead the plain comparison astray: far above the truth.
    both = one(stored, "design", **{**off, "growth": True, "selection_level": True})
    assert both["estimate"] > 2 * both["truth"]


def test_without_growth_real_means_are_those_of_one_year():
    known, prices = parameters.load(), money.load()
    still = lesson.without_growth(known, 2020)
    assert still.path[2020, "total"] == known.path[2020, "total"]
    real = [still.path[y, "total"] / float(prices.factor(y, 2020)) for y in range(2012, 2022)]
    assert np.allclose(real, known.path[2020, "total"], rtol=1e-12)
    means = still.means(range(2012, 2022))
    assert np.allclose(means / means.sum(1, keepdims=True), means[0] / means[0].sum())


def test_only_one_programme_does_anything():
    left = lesson.only(parameters.load(), "training")
    for rule in left.rules:
        moved = any(any(path) for path in rule.effects.values())
        assert moved == (rule.name == "training")


def test_a_path_has_the_intervals_and_the_band_of_its_effects():
    panel = current.model()
    found = estimate(panel, design_of(panel, "training"))
    path = reading.path(found)
    events = found.events().select(outcome=TOTAL)
    assert path.n == len(events) and path.joint > path.pointwise > stats.norm.ppf(0.975)
    assert ((path.rows["band_high"] - path.rows["ci_high"]) > 0).all()
    assert path.rows["at"].is_between(*reading.WINDOW).all()


def test_chance_and_width_by_hand():
    assert reading.missed(3, 0.5) == pytest.approx(7 / 8)
    # Student's quantile for four degrees is 2.776 in printed tables, the normal one 1.960.
    assert reading.wider(5, 0.95) == pytest.approx(2.776 / 1.960, abs=5e-4)
    assert math.isclose(reading.wider(10_000, 0.95), 1.0, abs_tol=1e-3)
