"""Aggregates use the one definition of `panels.estimands`, and their share influence is a derivative."""

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis.did.estimators import aggregate, group_time
from analysis.did.estimators.aggregate import recipes, weights
from analysis.faults import FaultsError
from analysis.panels import estimands


@given(
    st.dictionaries(st.integers(2013, 2018), st.floats(0.1, 50), min_size=1, max_size=5),
    st.integers(2018, 2020),
)
def test_weights_are_those_of_the_truth(sizes, last):
    """Law: the weights of every aggregation equal `estimands.weights` on consecutive years."""
    cohorts = pl.DataFrame(
        {"cohort": list(sizes), "size": list(sizes.values())}, {"cohort": pl.Int32, "size": float}
    )
    expected = {
        (a, at, g, t): w
        for a, at, g, t, w in estimands.weights(cohorts, 2012, last, leads=3).iter_rows()
    }
    cells = [(g, t) for g in sizes for t in range(max(2012, g - 3), last + 1)]
    found = {}
    for recipe in recipes(cells):
        omega = weights(recipe, np.array([sizes[g] for g in recipe.cohort.tolist()]))
        for g, t, w in zip(recipe.cohort.tolist(), recipe.period.tolist(), omega, strict=True):
            found[recipe.aggregation, recipe.at, g, t] = w
    assert found.keys() == expected.keys()
    for key, weight in expected.items():
        assert found[key] == pytest.approx(weight, rel=1e-12)


def test_influence_is_the_derivative_in_the_weight_of_a_village(panel, make_table):
    """ψ_v is what the estimate moves by, per relative change of the village's weight: by differences."""
    data = panel("household", weighted=True, strata=True)
    how = group_time.Comparison(where="anywhere")

    def points(factor):
        scaled = data.with_columns(
            weight=pl.when(pl.col("village") == 9)
            .then(pl.col("weight") * factor)
            .otherwise("weight")
        )
        table = make_table(scaled)
        first = group_time.estimate(table, how)
        return first, aggregate.aggregate(first, table)

    step = 1e-4
    for own, up, down in zip(points(1), points(1 + step), points(1 - step), strict=True):
        slope = (up.points - down.points) / (2 * step)
        row = own.villages.index("9")
        np.testing.assert_allclose(own.influence[row], slope, rtol=1e-5, atol=1e-4)


def test_an_unknown_aggregation_is_named(panel, make_table):
    table = make_table(panel())
    with pytest.raises(FaultsError, match="no such aggregation"):
        aggregate.aggregate(group_time.estimate(table), table, ("mean",))
