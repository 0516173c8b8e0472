"""Slopes on the dose: by hand, against statsmodels on the households, and the model's own truth."""

from dataclasses import replace

import numpy as np
import polars as pl
import pytest
import statsmodels.api as sm

from analysis.cells.build import build
from analysis.cells.design import CellsDesign
from analysis.cells.outcomes import Outcome
from analysis.did.estimators import aggregate, dose, group_time
from analysis.did.estimators.group_time import Comparison
from analysis.did.estimators.layout import from_cells
from analysis.did.estimators.table import Table
from analysis.faults import FaultsError
from analysis.panels import panel as panels
from analysis.panels.model import parameters, world
from analysis.panels.model.settings import Settings, Switches
from analysis.panels.model.simulate import simulate_settings
from analysis.panels.schemas import SOURCES

ANYWHERE = Comparison(where="anywhere")
SETTINGS = Settings(3000, 150, (2013, 2018), 5, "clean", Switches())


@pytest.fixture(scope="module")
def simulated(tmp_path_factory):
    folder = tmp_path_factory.mktemp("dose") / "panel"
    simulate_settings(folder, SETTINGS)
    return folder


def households(folder, programme, level):
    """Every household and period with the dose and cohort of a programme, from the tables."""
    opened = panels.read(folder)
    treated = opened.participation.filter(pl.col("programme") == programme).select(
        pl.col("unit").alias(level), "dose", cohort="first_period"
    )
    return (
        opened.income.join(opened.households, on="household")
        .join(treated, on=level, how="left")
        .with_columns(
            pl.col("dose").fill_null(0.0),
            pl.col("cohort").fill_null(0),
            income=pl.sum_horizontal("wage", "business", "property", "transfer"),
        )
        .collect()
    )


def by_statsmodels(data, cohort, period, base, controls):
    """WLS of the change on the dose with stratum constants, errors clustered by village."""
    wide = (
        data.filter((pl.col("cohort") == cohort) | controls)
        .sort("household", "period")
        .group_by("household", maintain_order=True)
        .agg(
            pl.col("village", "stratum", "weight", "cohort", "dose").first(),
            y=pl.col("income").filter(pl.col("period") == period).first()
            - pl.col("income").filter(pl.col("period") == base).first(),
        )
        .drop_nulls("y")
    )
    given = np.where(wide["cohort"] == cohort, wide["dose"], 0.0)
    constants = wide["stratum"].to_dummies().to_numpy().astype(float)
    design = np.column_stack([given, constants])
    model = sm.WLS(wide["y"].to_numpy().astype(float), design, weights=wide["weight"].to_numpy())
    group = wide["village"].rank("dense").to_numpy().astype(int)
    fit = model.fit(cov_type="cluster", cov_kwds={"groups": group, "use_correction": False})
    return fit.params[0], fit.bse[0]


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("strata", [False, True])
@pytest.mark.parametrize("handling", ["balanced", "pairs"])
def test_village_dose_is_wls_on_the_households(panel, make_table, weighted, strata, handling):
    """Factor 1: statsmodels without its small-sample correction."""
    data = panel("village", handling, weighted=weighted, strata=strata)
    given = {str(v): 1 + v % 5 / 2 for v in range(36)}
    table = make_table(data, handling)
    found = dose.by_village(table, given, unit="sheep").under("parity")
    numbered = data.with_columns(
        dose=pl.when(pl.col("cohort") > 0).then(1 + pl.col("village") % 5 / 2).otherwise(0.0)
    )
    if handling == "balanced":
        numbered = numbered.filter(pl.len().over("household") == table.periods.size)
    for k, key in enumerate(found.keys):
        point, error = by_statsmodels(
            numbered, key.cohort, key.period, key.base, pl.col("cohort") == 0
        )
        assert found.points[k] == pytest.approx(point, rel=1e-8)
        assert found.std_errors[k] == pytest.approx(error, rel=1e-6)
    assert found.about.estimator == "dose_response"


@pytest.mark.parametrize("where", ["anywhere", "other_villages"])
def test_household_dose_is_wls_on_the_households(simulated, where):
    """Not yet treated controls: their later dose counts as none."""
    outcomes = (Outcome("total"), Outcome("wage"))
    cells = build(simulated, CellsDesign(("training",), outcomes=outcomes, moments=("dose",)))
    how = Comparison("not_yet", where, base="universal")
    found = dose.by_household(from_cells(cells), cells, how, unit="day").under("parity")
    data = households(simulated, "training", "household")
    first = data.filter(pl.col("cohort") > 0).group_by("village").agg(first=pl.col("cohort").min())
    data = data.join(first, on="village", how="left").with_columns(pl.col("first").fill_null(0))
    checked = 0
    for k, key in enumerate(found.keys):
        if key.outcome != "total" or key.cohort not in (2015, 2017):
            continue
        until = max(key.period, key.base)
        controls = (pl.col("cohort") == 0) | (pl.col("cohort") > until)
        if where == "other_villages":
            controls &= (pl.col("first") == 0) | (pl.col("first") > until)
        controls &= pl.col("cohort") != key.cohort
        point, error = by_statsmodels(data, key.cohort, key.period, key.base, controls)
        assert found.points[k] == pytest.approx(point, rel=1e-8)
        assert found.std_errors[k] == pytest.approx(error, rel=1e-6)
        checked += 1
    assert checked >= 8
    assert found.about.units["total"] == "fen/households/years, prices of each year, per day"


def test_one_dose_for_all_is_the_group_time_effect_per_unit(panel, make_table):
    table = make_table(panel("village", weighted=True))
    same = dose.by_village(table, {str(v): 4.0 for v in range(36)})
    effect = group_time.estimate(table)
    np.testing.assert_allclose(4 * same.points, effect.points, rtol=1e-9)
    np.testing.assert_allclose(4 * same.influence, effect.influence, atol=1e-9)
    np.testing.assert_allclose(4 * same.std_errors, effect.std_errors, rtol=1e-8)


@pytest.mark.parametrize("strata", [False, True])
def test_without_a_village_is_the_slope_of_the_others(panel, make_table, strata):
    """Oracle: the households of the village taken out, everything made again; and aggregates."""
    data = panel("village", strata=strata)
    given = {str(v): 1 + v % 5 / 2 for v in range(36)}

    def of(rows):
        table = make_table(rows)
        found = dose.by_village(table, given)
        return found, aggregate.aggregate(found, table, ("simple", "event_time"))

    whole = of(data)
    for village in (1, 7, 20):
        rest = of(data.filter(pl.col("village") != village))
        for one, other in zip(whole, rest, strict=True):
            np.testing.assert_allclose(one.without[village], other.points, rtol=1e-8)


def test_inside_villages(simulated):
    """Controls in the same village: a constant for every village and stratum, as dummies do."""
    cells = build(
        simulated, CellsDesign(("training",), outcomes=(Outcome("total"),), moments=("dose",))
    )
    how = Comparison(where="same_village")
    found = dose.by_household(from_cells(cells), cells, how).select(cohort=2016, period=2016)
    data = households(simulated, "training", "household").with_columns(
        stratum=pl.col("village") + pl.col("stratum")
    )
    base = found.keys[0].base
    point, error = by_statsmodels(data, 2016, 2016, base, pl.col("cohort") == 0)
    assert found.points[0] == pytest.approx(point, rel=1e-8)
    assert found.under("parity").std_errors[0] == pytest.approx(error, rel=1e-6)


def test_by_hand():
    """Doses 0, 0, 1, 3 with 1, 1, 1, 2 households; mean changes 1, 1, 2, 6.

    d̄ = 7/5, m̄ = 16/5; Σ(d − d̄)² = 1 + 18 − 49/5 = 46/5; Σ(d − d̄)(ΔY − m̄) = 2 + 36 − 112/5 = 78/5;
    β = 78/46. Without the last village: d̄ = 1/3, slope (2 − 4/3)/(1 − 1/3) = 1.
    """
    n = np.array([1, 1, 1, 2])
    table = Table(
        villages=("a", "b", "c", "d"),
        strata=("s",),
        outcomes=("total",),
        periods=np.array([1, 2]),
        village=np.arange(4),
        cohort=np.array([0, 0, 2, 2]),
        stratum=np.zeros(4, int),
        n=np.stack([n, n], 1),
        weight=np.stack([n, n], 1).astype(float),
        total=np.array([[0, 1.0], [0, 1], [0, 2], [0, 12]])[..., None],
        n_ever=n,
        weight_ever=n.astype(float),
    )
    found = dose.by_village(table, {"c": 1.0, "d": 3.0})
    assert found.points.item() == pytest.approx(78 / 46, rel=1e-12)
    assert found.without[3, 0] == pytest.approx(1.0, rel=1e-12)
    assert found.influence.sum() == pytest.approx(0, abs=1e-12)


def test_a_straight_response_of_the_model_is_found(simulated):
    """The dividend adds its effect per head times dose over median dose: a line, by assumption."""
    (rule,) = (r for r in parameters.load().rules if r.name == "dividend")
    assert rule.dose_elasticity == 1 and rule.per_member
    given, unit = dose.of_villages(panels.read(simulated), "dividend")
    per_head = Outcome("property", per="head", real=2020)
    table = from_cells(build(simulated, CellsDesign(("dividend",), outcomes=(per_head,))))
    found = dose.by_village(table, given, Comparison("not_yet"), unit=unit, leads=False).in_yuan()
    overall = next(aggregate.aggregate(found, table, ("simple",)).effects())
    truth = rule.effects[SOURCES.index("property")][-1] / rule.dose
    assert abs(overall.estimate - truth) <= 3.5 * overall.std_error
    assert overall.ci_low > 0
    assert overall.about.units["property"] == "yuan/heads/years, prices of 2020, per yuan per head"


def test_the_slope_of_true_effects_is_found_where_the_response_bends(simulated):
    """Training acts with the root of the dose: the truth is the line through true effects."""
    run = world.run(0, SETTINGS.villages, world.build(SETTINGS, parameters.load()))
    (effect,) = (e for e in run.effects if e.rule.name == "training")
    outcome = Outcome("wage")
    design = CellsDesign(("training",), outcomes=(outcome,), moments=("dose",), stratum="")
    cells = build(simulated, design)
    found = dose.by_household(from_cells(cells), cells, ANYWHERE, leads=False)
    years = np.arange(SETTINGS.periods[0], SETTINGS.periods[1] + 1)
    names = households(simulated, "training", "household")
    assert names.filter(pl.col("cohort") > 0)["household"].n_unique() == effect.rows.size
    near = []
    for one in found.effects():
        g, t = one.key.cohort, one.key.period
        own = effect.takers.cohort[effect.rows] == g
        d = effect.takers.dose[effect.rows][own]
        tau = sum(e for s, e in effect.direct.items() if SOURCES[s] == "wage")[
            own, np.flatnonzero(years == t)[0]
        ]
        n = d.size + one.n_households_control
        mean = d.sum() / n
        truth = ((d - mean) @ tau) / (d @ d - n * mean**2)
        near.append(abs(one.estimate - truth) <= 3.5 * one.std_error)
    assert len(near) >= 5 and all(near)


def test_what_cannot_be_estimated_is_said(panel, make_table, simulated):
    table = make_table(panel("village"))
    with pytest.raises(FaultsError, match="no dose"):
        dose.by_village(table, {})
    with pytest.raises(FaultsError, match="the same for everybody"):
        dose.by_village(table, {str(v): 0.0 for v in range(36)})
    sections = make_table(panel("village", "cross_sections"), "cross_sections")
    with pytest.raises(FaultsError, match="seen twice"):
        dose.by_village(sections, {str(v): 1.0 for v in range(36)})
    plain = build(simulated, CellsDesign(("training",), outcomes=(Outcome("total"),)))
    with pytest.raises(FaultsError, match="no moments of doses"):
        dose.by_household(from_cells(plain), plain)
    opened = panels.read(simulated)
    with pytest.raises(FaultsError, match="no village has it"):
        dose.of_villages(opened, "training")
    empty = opened.participation.with_columns(
        dose=pl.lit(None, pl.Float64), dose_unit=pl.lit(None, pl.String)
    )
    with pytest.raises(FaultsError, match="has no dose"):
        dose.of_villages(replace(opened, participation=empty), "dividend")
