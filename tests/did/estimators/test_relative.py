"""Per cent of the counterfactual mean, and amounts in yuan."""

from dataclasses import replace

import numpy as np
import polars as pl
import pytest

from analysis.did.estimators import group_time, relative
from analysis.did.estimators.group_time import Comparison
from analysis.faults import FaultsError

HOW = Comparison("not_yet", "anywhere")


def test_per_cent_is_effect_over_what_would_have_been(panel, make_table):
    """ATT / (treated mean − ATT), with the treated mean from the households themselves."""
    data = panel("household", weighted=True)
    table = make_table(data)
    found = group_time.estimate(table, HOW)
    shown = relative.per_cent(found, table)
    for k, key in enumerate(found.keys):
        cell = data.filter(cohort=key.cohort, period=key.period)
        mean = (cell["income"] * cell["weight"]).sum() / cell["weight"].sum()
        expected = 100 * found.points[k] / (mean - found.points[k])
        assert shown.points[k] == pytest.approx(expected, rel=1e-10)
    assert shown.about.units["income"].startswith("%")


@pytest.mark.parametrize("wanted", [None, ("simple", "event_time")])
def test_influence_is_the_derivative_and_villages_can_be_left_out(panel, make_table, wanted):
    """Oracles: differences in a village's weight; the estimate from the other villages."""
    data = panel("household", weighted=True)

    def points(change):
        table = make_table(change(data))
        return relative.per_cent(group_time.estimate(table, HOW), table, wanted)

    own, step = points(lambda d: d), 1e-4
    up, down = (
        points(
            lambda d, f=f: d.with_columns(
                weight=pl.when(pl.col("village") == 9)
                .then(pl.col("weight") * f)
                .otherwise("weight")
            )
        )
        for f in (1 + step, 1 - step)
    )
    slope = (up.points - down.points) / (2 * step)
    np.testing.assert_allclose(own.influence[9], slope, rtol=1e-5, atol=1e-7)
    rest = points(lambda d: d.filter(pl.col("village") != 6))
    np.testing.assert_allclose(own.without[6], rest.points, rtol=1e-9, atol=1e-9)


def test_per_cent_of_nothing_is_refused(panel, make_table):
    data = panel("village").with_columns(income=pl.col("income") - 30_000)
    table = make_table(data)
    with pytest.raises(FaultsError, match="not above zero"):
        relative.per_cent(group_time.estimate(table), table)
    pairs = make_table(panel("village", "pairs"), "pairs")
    with pytest.raises(FaultsError, match="not those of the period"):
        relative.per_cent(group_time.estimate(pairs), pairs)


def test_yuan_are_a_hundredth_of_fen(panel, make_table):
    table = replace(make_table(panel()), units={"income": "fen/households/years"})
    found = group_time.estimate(table)
    yuan = found.in_yuan()
    np.testing.assert_allclose(yuan.points * 100, found.points)
    np.testing.assert_allclose(yuan.std_errors * 100, found.std_errors)
    assert yuan.to_frame()["unit"].unique().to_list() == ["yuan/households/years"]
    np.testing.assert_array_equal(yuan.in_yuan().points, yuan.points)
