"""From a simulated panel through cells to effects: both ways to a table agree, and truth is found."""

import numpy as np
import polars as pl
import pytest

from analysis.cells import recentred
from analysis.cells.build import build
from analysis.cells.design import CellsDesign
from analysis.cells.outcomes import Outcome
from analysis.did.estimators import aggregate, group_time, imputation, two_way
from analysis.did.estimators.layout import from_cells
from analysis.faults import FaultsError
from analysis.panels import panel as panels
from analysis.panels.model.settings import Settings, Switches
from analysis.panels.model.simulate import read_truth, simulate, simulate_settings
from analysis.panels.schemas import SOURCES


@pytest.fixture(scope="module")
def clean(tmp_path_factory):
    folder = tmp_path_factory.mktemp("clean") / "panel"
    simulate(folder, households=6000, villages=120, periods=(2013, 2020), seed=11)
    return folder


@pytest.fixture(scope="module")
def gappy(tmp_path_factory):
    """Households leave and answers are missing."""
    folder = tmp_path_factory.mktemp("gappy") / "panel"
    switches = Switches(attrition=True, missing=True)
    simulate_settings(folder, Settings(1500, 40, (2014, 2019), 5, "gappy", switches))
    return folder


def long(folder, programme, level, weight="weight"):
    """Household, village, period, income, cohort, stratum, weight: complete rows only."""
    panel = panels.read(folder)
    cohort = panel.participation.filter(
        pl.col("programme") == programme, pl.col("unit_level").cast(pl.String) == level
    ).select(pl.col("unit").alias(level), pl.col("first_period").alias("cohort"))
    return (
        panel.income.filter("complete")
        .join(panel.households, on="household")
        .join(cohort, on=level, how="left")
        .select(
            "household",
            "village",
            "period",
            "stratum",
            pl.col(weight).cast(pl.Float64).alias("weight"),
            pl.col("cohort").fill_null(0),
            income=pl.sum_horizontal(SOURCES),
        )
        .collect()
    )


@pytest.mark.parametrize("handling", ["balanced", "pairs", "cross_sections"])
@pytest.mark.parametrize("unit", ["household", "person"])
@pytest.mark.parametrize(
    ("programme", "level"), [("training", "household"), ("dividend", "village")]
)
def test_cells_give_the_table_that_households_give(
    gappy, make_table, handling, unit, programme, level
):
    """Estimates from both tables, in every estimator; per person, weights are members."""
    inverse = () if handling == "balanced" else ("untreated", "all")
    design = CellsDesign(
        (programme,), outcomes=(Outcome("total"),), handling=handling, inverse=inverse, unit=unit
    )
    table = from_cells(build(gappy, design))
    own = make_table(
        long(gappy, programme, level, "weight" if unit == "household" else "size_baseline"),
        handling,
        moments=inverse,
    )
    how = group_time.Comparison("not_yet", "anywhere")
    calls = [
        lambda t: group_time.estimate(t, how),
        imputation.estimate,
        two_way.estimate,
        lambda t: aggregate.aggregate(group_time.estimate(t, how), t),
    ]
    for call in calls:
        one, two = call(table), call(own)
        assert [key.estimand for key in one.keys] == [key.estimand for key in two.keys]
        scale = np.abs(two.points).max()
        np.testing.assert_allclose(one.points, two.points, rtol=0, atol=1e-9 * scale)
        np.testing.assert_allclose(one.influence, two.influence, rtol=0, atol=1e-9 * scale)
        np.testing.assert_allclose(one.without, two.without, rtol=0, atol=1e-8 * scale)


def test_sources_add_up_to_the_total(clean):
    """Law on real cells: points and influence of the four sources sum to those of the total."""
    table = from_cells(build(clean, CellsDesign(("dividend",))))
    found = group_time.estimate(table)
    k = len(found) // 5
    parts = sum(found.influence[:, i * k : (i + 1) * k] for i in range(4))
    np.testing.assert_allclose(parts, found.influence[:, 4 * k :], atol=1e-7)
    points = sum(found.points[i * k : (i + 1) * k] for i in range(4))
    np.testing.assert_allclose(points, found.points[4 * k :], rtol=1e-10)
    assert found.about.tier == "model" and found.about.units["wage"].startswith("fen")


@pytest.mark.parametrize("programme", ["dividend", "village_fund", "training", "microcredit"])
def test_the_truth_of_the_model_panel_is_found(clean, programme):
    """Participation by chance: every estimator's overall effect within 3.5 of its errors of the truth.

    A check that nothing is mislabelled or mis-scaled; coverage is a matter of many draws.
    """
    table = from_cells(build(clean, CellsDesign((programme,))))
    truth = read_truth(clean).filter(
        programme=programme,
        who="treated",
        effect="direct",
        sample="all",
        per="household",
        aggregation="simple",
    )
    exact = {row["outcome"]: row["att"] * 100 for row in truth.iter_rows(named=True)}
    how = group_time.Comparison("not_yet", "anywhere")
    estimates = [
        aggregate.aggregate(group_time.estimate(table, how), table, ("simple",)),
        aggregate.aggregate(imputation.estimate(table), table, ("simple",), shares="fixed"),
    ]
    for found in estimates:
        assert len(found) == 5
        for effect in found.effects():
            distance = abs(effect.estimate - exact[effect.key.outcome])
            assert distance <= 3.5 * effect.std_error, str(effect)


def test_two_programmes_at_once_are_refused(clean):
    cells = build(clean, CellsDesign(("dividend", "village_fund")))
    with pytest.raises(FaultsError, match="two programmes"):
        from_cells(cells)


def test_an_unknown_outcome_is_named(clean):
    table = from_cells(build(clean, CellsDesign(("dividend",))))
    with pytest.raises(FaultsError, match="choose from wage"):
        table.select("rent")
    assert table.select("total", "wage").total.shape[2] == 2


def test_effects_on_recentred_influence_are_those_of_each_household_and_say_approximate(
    gappy, make_table
):
    """Oracle: the influence worked out household by household, then laid into a table."""
    frozen = recentred.reference(
        panels.read(gappy), periods=(2014,), programme="training", per="household", shares=(0.25,)
    )
    design = CellsDesign(("training",), outcomes=recentred.outcomes(frozen), handling="pairs")
    found = group_time.estimate(from_cells(build(gappy, design)))
    data = long(gappy, "training", "household")
    y = data["income"].to_numpy().astype(float)
    ((share, value, density),) = frozen.quantiles
    level = sum(change * np.maximum(y - at, 0) for at, change in frozen.hinges)
    by_hand = {
        "total_q25": value + (share - (y <= value)) / density,
        "total_gini": 1 + (1 - frozen.gini) * y / frozen.mean - 2 / frozen.mean * (y - level),
    }
    for name, values in by_hand.items():
        own = found.select(outcome=name)
        there = group_time.estimate(
            make_table(data.with_columns(income=pl.Series(values)), "pairs")
        )
        np.testing.assert_allclose(own.points, there.points, rtol=1e-8)
        np.testing.assert_allclose(own.std_errors, there.std_errors, rtol=1e-8)
    assert all("approximate" in unit for unit in found.about.units.values())
