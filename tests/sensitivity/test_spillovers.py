"""Interference: hand-made villages, and the switch of the model panel."""

import numpy as np
import polars as pl
import pytest

from analysis.did.estimators.table import Table
from analysis.panels.model.simulate import read_truth
from analysis.sensitivity import spillovers
from analysis.sensitivity.spillovers import SPILLOVER


def villages(direct, beside, trend):
    """Eight villages of two households each; in the first four one is treated. Sums in fen."""
    rows = []
    for v in range(8):
        treated = v < 4
        for first, gain in ((2015 if treated else 0, direct + beside), (0, beside)):
            change = trend[v] + (gain if treated else 0)
            rows.append((v, first if treated else 0, 1 if first else 0, change))
    merged: dict[tuple[int, int], list[float]] = {}
    for v, cohort, _, change in rows:
        merged.setdefault((v, cohort), []).append(change)
    keys = sorted(merged)
    n = np.array([len(merged[k]) for k in keys])
    total = np.array([[0.0, sum(merged[k])] for k in keys])[..., None] * 100
    return Table(
        villages=tuple("abcdefgh"),
        strata=("all",),
        outcomes=("total",),
        periods=np.array([2014, 2015]),
        village=np.array([k[0] for k in keys]),
        cohort=np.array([k[1] for k in keys]),
        stratum=np.zeros(len(keys), int),
        n=np.stack([n, n], axis=1),
        weight=np.stack([n, n], axis=1).astype(float),
        total=total,
        n_ever=n,
        weight_ever=n.astype(float),
        units={"total": "fen/households/years"},
        programme="training",
    )


TREND = [1.0, 2.0, 3.0, 4.0, 2.0, 3.0, 1.0, 4.0]


def points(found):
    return dict(zip(found.names, found.effects.points.tolist(), strict=True))


def test_each_way_by_hand():
    """Direct 10, beside 3, mean trend 2.5 in both: 13 elsewhere, 10 beside, neighbours 3."""
    shown = points(spillovers.alternatives(villages(10, 3, TREND)))
    assert shown["other_villages"] == pytest.approx(13)
    assert shown["same_village"] == pytest.approx(10)
    assert shown[SPILLOVER] == pytest.approx(3)
    # Anywhere: eight households elsewhere, four beside.
    assert shown["anywhere"] == pytest.approx(10 + 2.5 + 3 - (8 * 2.5 + 4 * 5.5) / 12)


def test_a_programme_of_villages_has_no_neighbours(table_of):
    found = spillovers.alternatives(table_of("dividend"))
    assert set(found.missing) == {"same_village", SPILLOVER}


def test_the_switch_moves_neighbours_and_the_gap_and_not_those_beside(table_of, world):
    """Model panel: with and without spillovers all draws are the same, so noise cancels."""
    shown = {}
    for switches in ((), ("spillover",)):
        found = spillovers.alternatives(table_of("cooperative", *switches))
        shown[switches] = points(found)
    moved = {name: shown["spillover",][name] - shown[()][name] for name in shown[()]}
    truth = read_truth(world("spillover")).filter(
        pl.col("programme") == "cooperative",
        pl.col("sample") == "all",
        pl.col("effect") == "spillover",
        pl.col("aggregation") == "simple",
        pl.col("outcome") == "total",
        pl.col("per") == "household",
    )
    on = dict(truth.select("who", "att").iter_rows())
    # Spillovers of other programmes are switched on as well and differ between arms by chance.
    assert 0.5 * on["untreated"] < moved[SPILLOVER] < 1.5 * on["untreated"]
    assert 0.5 * on["treated"] < moved["other_villages"] < 1.5 * on["treated"]
    assert abs(moved["same_village"]) < 0.5 * moved["other_villages"]
