"""Effects on the distribution: recovered against the truth of simulated panels, and by other ways."""

from dataclasses import replace

import numpy as np
import polars as pl
import pytest

from analysis.cells.build import build
from analysis.cells.design import CellsDesign
from analysis.cells.outcomes import Outcome
from analysis.effects import group_time
from analysis.effects.layout import from_cells
from analysis.faults import FaultsError
from analysis.panels import panel as panels
from analysis.panels.model.settings import Settings
from analysis.panels.model.simulate import read_truth, simulate_settings
from analysis.welfare import effects, model_truth, quantiles
from analysis.welfare import people as lay

CLEAN = Settings(6000, 120, (2013, 2020), 11)
LINES = ("national", "planning_2020")


@pytest.fixture(scope="module")
def clean(tmp_path_factory):
    folder = tmp_path_factory.mktemp("clean") / "panel"
    simulate_settings(folder, CLEAN)
    panel = effects.with_thirds(panels.read(folder))
    return panel, lay.of_panel(panel), model_truth.potential(CLEAN), folder


@pytest.fixture(scope="module")
def dividend(clean):
    panel, people, _, _ = clean
    made = effects.cells(panel, "dividend", people, LINES)
    return made, effects.of_cells(made)


def test_the_truth_is_the_truth_of_the_simulation(gappy, gappy_settings):
    """From potential incomes here, in whole sums there: shares and gaps per person, as seen."""
    truth = read_truth(gappy).filter(
        aggregation="simple", who="treated", effect="total", per="person", sample="observed"
    )
    known = model_truth.potential(gappy_settings)
    for programme in ("training", "dividend", "microcredit"):
        mine = model_truth.poverty_effects(known[programme], LINES)
        for line in LINES:
            for measure, outcome in (("headcount", "poor"), ("gap", "gap")):
                exact = truth.filter(programme=programme, outcome=f"{outcome}_{line}")["att"].item()
                found = mine.filter(line_name=line, measure=measure)["truth"].item()
                assert found == pytest.approx(exact, rel=1e-9, abs=1e-12)
        counted = (
            read_truth(gappy)
            .filter(
                aggregation="simple",
                who="treated",
                effect="total",
                per="household",
                sample="observed",
                programme=programme,
                outcome="poor_national",
            )["att"]
            .item()
        )
        homes = model_truth.poverty_effects(known[programme], ("national",), lay.HOUSEHOLD)
        found = homes.filter(measure="headcount")["truth"].item()
        assert found == pytest.approx(counted, rel=1e-9, abs=1e-12)


@pytest.mark.parametrize("programme", ["dividend", "training"])
def test_the_true_effect_on_quantiles_is_recovered(clean, programme):
    """Participation by chance: every decile's truth lies in the joint band."""
    panel, people, known, _ = clean
    made = effects.cells(panel, programme, people, LINES)
    found = quantiles.effects(quantiles.distributions(effects.of_cells(made), made))
    truth = model_truth.quantile_effects(known[programme], quantiles.SHARES, people.price_year)
    both = found.join(truth.select("share", "truth"), on="share")
    assert both.height == 9 and both["truth"].min() > 0
    inside = both.select(pl.col("truth").is_between("band_low", "band_high"))
    assert inside.to_series().fill_null(True).all()
    assert (both["grid_low"] <= both["estimate"]).all()
    assert (both["estimate"] <= both["grid_high"]).all()


@pytest.mark.parametrize("programme", ["dividend", "training"])
def test_the_true_effect_below_every_amount_is_recovered(clean, programme):
    """At each of the grid's amounts within 3.5 errors, which is what the quantiles are made of."""
    panel, people, known, _ = clean
    found = effects.of_cells(effects.cells(panel, programme, people))
    one = known[programme]
    scale = model_truth.to_yuan_per_head(one, people.price_year)
    edges = dict(
        zip((f"below_{k}" for k in range(effects.EDGES)), effects.edges_fen(people), strict=True)
    )
    checked = 0
    for effect in found.effects.effects():
        if effect.key.outcome in edges:
            z = edges[effect.key.outcome] / 100
            truth = (
                one.weight
                @ ((one.with_programme * scale < z).astype(float) - (one.without * scale < z))
                / one.weight.sum()
            )
            assert abs(effect.estimate - truth) <= 3.5 * effect.std_error
            checked += 1
    assert checked == effects.EDGES


def test_poverty_effects_are_recovered(clean, dividend):
    """Within 3.5 errors of the truth, every line and measure."""
    truth = model_truth.poverty_effects(clean[2]["dividend"], LINES)
    found = effects.poverty_effects(dividend[1], LINES).join(truth, on=["line_name", "measure"])
    assert found.height == 6
    assert ((found["estimate"] - found["truth"]).abs() <= 3.5 * found["std_error"]).all()


def test_a_perfect_estimate_gives_bounds_that_hold_the_truth(clean):
    """Exact distributions on a coarse grid: only the grid is left open."""
    known, year = clean[2]["training"], clean[1].price_year
    exact = model_truth.quantile_effects(known, quantiles.SHARES, year)
    edges = np.linspace(500, 60_000, 60)
    scale = model_truth.to_yuan_per_head(known, year)
    one, none = (
        np.array([known.weight[income * scale < z].sum() for z in edges]) / known.weight.sum()
        for income in (known.with_programme, known.without)
    )
    nothing = np.full((2, edges.size), np.nan)
    found = quantiles.effects(
        quantiles.Distributions(edges, one, none, none, nothing, nothing, "none")
    )
    assert (found["grid_low"] <= exact["truth"]).all()
    assert (exact["truth"] <= found["grid_high"]).all()
    assert found["band_low"].null_count() == 9
    gap = (found["estimate"] - exact["truth"]).abs()
    assert gap.max() < edges[1] - edges[0]


def test_who_gains_adds_up_and_is_near_the_truth(clean, dividend):
    panel, people, known, _ = clean
    found, why = effects.by_third(dividend[1].table)
    assert not why and found["third"].unique().sort().to_list() == list(effects.THIRDS)
    for (_,), part in found.group_by("third"):
        points = dict(part.select("outcome", "estimate").rows())
        assert points.pop("total") == pytest.approx(sum(points.values()), rel=1e-9)
    totals = found.filter(outcome="total")
    assert (totals["band_low"] < totals["ci_low"]).all()
    thirds = panel.households.select("household", third=effects.THIRD).collect()
    truth = model_truth.by_third(known["dividend"], thirds, people.price_year)
    both = totals.join(truth, on="third")
    assert ((both["estimate"] - both["truth"]).abs() <= 3.5 * both["std_error"]).all()


def test_pooled_strata_are_cells_without_strata(clean, dividend):
    _, found = dividend
    pooled = effects.pooled(found.table).select("total")
    design = CellsDesign(
        ("dividend",),
        outcomes=(Outcome("total", "total", "head", 2020),),
        handling="cross_sections",
        stratum="",
        unit="person",
    )
    other = from_cells(build(clean[0], design))
    a, b = (group_time.estimate(t, effects.HOW, leads=False) for t in (pooled, other))
    np.testing.assert_allclose(a.points, b.points, rtol=1e-9)
    np.testing.assert_allclose(a.std_errors, b.std_errors, rtol=1e-6)


def test_thirds_hold_a_third_of_persons_each(clean):
    homes = clean[0].households.collect()
    shares = homes.group_by(effects.THIRD).agg(pl.col("size_baseline").sum())
    assert (shares["size_baseline"] / homes["size_baseline"].sum() - 1 / 3).abs().max() < 0.001
    head = homes["income_baseline_fen"] / homes["size_baseline"]
    ends = (
        homes.with_columns(head=head)
        .group_by(effects.THIRD)
        .agg(low=pl.col("head").min(), high=pl.col("head").max())
        .sort(effects.THIRD)
    )
    assert (ends["high"][:-1] <= ends["low"][1:]).all()


def test_without_baseline_incomes_all_are_compared_with_all(clean):
    nothing = clean[0].households.with_columns(income_baseline_fen=pl.lit(None, pl.Int64))
    panel = effects.with_thirds(replace(clean[0], households=nothing.drop(effects.THIRD)))
    found = panel.households.select(effects.THIRD).collect()[effects.THIRD]
    assert found.unique().to_list() == [effects.NO_THIRDS]


def test_the_grid_cuts_incomes_into_equal_shares(clean):
    people = clean[1]
    edges = np.array(effects.edges_fen(people)) / 100
    assert edges.size == effects.EDGES
    income, weight = lay.per_head(people.frame), lay.weights(people.frame)
    below = [(weight * (income < z)).sum() / weight.sum() for z in edges]
    np.testing.assert_allclose(below, np.arange(1, 50) / 50, atol=0.002)


def test_sorting_changes_nothing_that_rises():
    values = np.array([0.1, 0.2, 0.9])
    assert quantiles.rising(values).tolist() == values.tolist()


@pytest.mark.parametrize(
    ("share", "low", "high"), [(0.1, -np.inf, 1), (0.2, -np.inf, 1), (0.3, 1, 2)]
)
def test_brackets_by_hand(share, low, high):
    """P(Y < 1) = 0.2, P(Y < 2) = 0.6: the first fifth lies at 1 or below."""
    edges, values = np.array([1.0, 2.0]), np.array([0.2, 0.6])
    assert quantiles.bracket(edges, values, values, share) == (low, high)


def test_one_period_or_nobody_treated_is_refused_with_a_reason(clean):
    panel, people, _, _ = clean
    with pytest.raises(FaultsError, match="programme"):
        effects.cells(panel, "no_such", people)
    late = replace(panel, income=panel.income.filter(pl.col("period") == 2020))
    with pytest.raises(FaultsError, match="two periods"):
        effects.cells(late, "dividend", lay.of_panel(late))
