"""Neighbours of the treated, two programmes."""

import numpy as np
import polars as pl
import pytest

from analysis.cells.build import build
from analysis.cells.design import CellsDesign
from analysis.cells.outcomes import Outcome
from analysis.did.estimators import aggregate, group_time
from analysis.did.estimators.group_time import Comparison
from analysis.did.estimators.layout import OUTSIDE, from_cells
from analysis.faults import FaultsError
from analysis.panels import panel as panels
from analysis.panels.model.settings import Settings, Switches
from analysis.panels.model.simulate import read_truth, simulate_settings
from analysis.sensitivity.spillovers import neighbours


@pytest.fixture(scope="module")
def spilling(tmp_path_factory):
    """Participation of others in the village moves a household's income."""
    folder = tmp_path_factory.mktemp("spilling") / "panel"
    settings = Settings(6000, 150, (2013, 2018), 3, "spill", Switches(spillover=True))
    simulate_settings(folder, settings)
    return folder


def test_neighbours_are_a_cohort_of_their_village(panel, make_table):
    """Untreated households of villages 5 to 35 get their village's first cohort; 0 to 4 control."""
    data = panel("household")
    clean = pl.when(pl.col("village") < 5).then(0).otherwise(pl.col("cohort")).cast(pl.Int32)
    data = data.with_columns(cohort=clean)
    found = group_time.estimate(neighbours(make_table(data)))
    first = data.filter(pl.col("cohort") > 0).group_by("village").agg(first=pl.col("cohort").min())
    by_hand = (
        data.filter(pl.col("cohort") == 0)
        .join(first, on="village", how="left")
        .with_columns(cohort=pl.col("first").fill_null(0))
    )
    there = group_time.estimate(make_table(by_hand))
    assert [k.estimand for k in found.keys] == [k.estimand for k in there.keys]
    np.testing.assert_allclose(found.points, there.points, rtol=1e-12)
    treated = data.filter(pl.col("cohort") > 0).height
    assert treated in found.about.left_out.values()
    assert found.about.rows_in == found.about.rows_used + sum(found.about.left_out.values())


def test_neighbours_need_villages_with_and_without_the_programme(panel, make_table):
    with pytest.raises(FaultsError, match="every village has the programme"):
        neighbours(make_table(panel("household").filter(pl.col("village").is_in([5, 6, 7]))))
    with pytest.raises(FaultsError, match="beside treated"):
        neighbours(make_table(panel("village")))


def test_spillover_of_the_model_panel_is_found(spilling):
    """Effect on untreated neighbours within 3.5 of its errors of the truth, and told from zero or not."""
    cells = build(spilling, CellsDesign(("training",), outcomes=(Outcome("total"),)))
    table = from_cells(cells)
    truth = read_truth(spilling).filter(
        programme="training",
        who="untreated",
        effect="spillover",
        sample="all",
        per="household",
        aggregation="simple",
        outcome="total",
    )
    part = neighbours(table)
    found = aggregate.aggregate(group_time.estimate(part, Comparison("not_yet")), part, ("simple",))
    effect = next(found.effects())
    assert truth.height == 1
    assert abs(effect.estimate - 100 * truth["att"].item()) <= 3.5 * effect.std_error


@pytest.mark.parametrize("pair", ["first_only", "second_only", "together"])
def test_two_programmes(spilling, make_table, pair):
    """Oracle: the households of the comparison picked one by one."""

    names = ("training", "microcredit")
    design = CellsDesign(names, outcomes=(Outcome("total"),))
    table = from_cells(build(spilling, design), pair=pair)
    opened = panels.read(spilling)
    first, second = (
        opened.participation.filter(programme=name).select(
            household="unit", **{name: "first_period"}
        )
        for name in names
    )
    data = (
        opened.income.join(opened.households, on="household")
        .join(first, on="household", how="left")
        .join(second, on="household", how="left")
        .with_columns(
            pl.col(names).fill_null(0),
            income=pl.sum_horizontal("wage", "business", "property", "transfer"),
        )
        .collect()
    )
    a, b = (pl.col(name) for name in names)
    inside, cohort = {
        "first_only": (b == 0, a),
        "second_only": (a == 0, b),
        "together": (a == b, a),
    }[pair]
    own = make_table(data.filter(inside).with_columns(cohort=cohort))
    how = Comparison("not_yet", "anywhere")
    one, two = group_time.estimate(table, how), group_time.estimate(own, how)
    np.testing.assert_allclose(one.points, two.points, rtol=1e-9, atol=1e-6)
    assert table.left_out[OUTSIDE] == data.height - data.filter(inside).height
    # Villages with any household in either programme are no clean controls, whoever was picked.
    touched = set(data.filter((a > 0) | (b > 0))["village"])
    clean = {table.villages[v] for v in np.flatnonzero(table.village_cohort() == 0)}
    assert not clean & touched


def test_a_pair_is_named_for_two_programmes_and_for_no_other(spilling):
    two = build(spilling, CellsDesign(("training", "microcredit"), outcomes=(Outcome("total"),)))
    with pytest.raises(FaultsError, match="two programmes"):
        from_cells(two)
    one = build(spilling, CellsDesign(("training",), outcomes=(Outcome("total"),)))
    with pytest.raises(FaultsError, match="one programme"):
        from_cells(one, pair="together")
