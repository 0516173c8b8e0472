"""Variances and minimum detectable effects: by hand, against packages, and by simulation."""

from __future__ import annotations

import math

import numpy as np
import pytest
from diff_diff import compute_mde
from scipy import stats
from statsmodels.stats.power import TTestIndPower

from analysis.did.estimators import aggregate, group_time
from analysis.did.estimators.group_time import Comparison
from analysis.did.estimators.table import Table
from analysis.faults import FaultsError
from analysis.panels import current
from analysis.power import study, variances
from analysis.power.study import Design
from analysis.power.variances import Components, Incomes


def equicorrelated(sd: float, rho: float, years: int = 6) -> Components:
    """Variances between villages only: each village a point, one correlation for all years."""
    matrix = sd**2 * (rho + (1 - rho) * np.eye(years))
    return Components(np.zeros((years, years)), matrix, 100.0, 1000, 100)


def incomes(amount: np.ndarray, village: np.ndarray) -> Incomes:
    names = tuple(f"v{i}" for i in range(int(village.max()) + 1))
    periods = tuple(range(2016, 2016 + amount.shape[1]))
    homes = tuple(f"h{i}" for i in range(len(amount)))
    return Incomes(homes, village, names, amount, periods, 2021, amount.size, amount.size)


@pytest.mark.parametrize(("before", "after", "rho"), [(1, 1, 0.25), (2, 3, 0.5), (1, 5, 0.0)])
def test_variances_are_mckenzies(before: int, after: int, rho: float) -> None:
    """McKenzie (2012), section 2: m rounds before, r after, one autocorrelation rho."""
    parts = equicorrelated(10.0, rho)
    m, r = before, after
    post = 100 * (1 + (r - 1) * rho) / r
    change = 100 * (1 / m + 1 / r) * (1 - rho)
    covariate = post - 100 * m * rho**2 / (1 + (m - 1) * rho)
    for estimator, expected in (
        ("after only", post),
        ("change", change),
        ("baseline as covariate", covariate),
    ):
        design = Design(20, 10, before, after, estimator)
        assert study.variance(parts, design) == pytest.approx(expected)


def test_a_baseline_covariate_costs_a_degree_of_freedom() -> None:
    """By hand: forty villages less two means, less a slope; the t quantiles follow."""
    parts = equicorrelated(1.0, 0.25)
    designs = {name: Design(20, 10, 1, 1, name) for name in ("change", "baseline as covariate")}
    assert [study.degrees(design) for design in designs.values()] == [38, 37]
    for (name, design), m in zip(designs.items(), (38, 37), strict=True):
        quantiles = stats.t.ppf(0.975, m) + stats.t.ppf(0.8, m)
        expected = quantiles * study.std_error(parts, design)
        assert study.detectable(parts, design) == pytest.approx(expected, rel=1e-12), name


def test_a_change_needs_sixty_per_cent_more_than_a_covariate_at_a_correlation_of_a_quarter() -> (
    None
):
    """2 / (1 + rho), McKenzie (2012): one round before and one after."""
    parts = equicorrelated(1.0, 0.25)
    change, covariate = (
        study.variance(parts, Design(9, 9, 1, 1, name))  # type: ignore[arg-type]
        for name in ("change", "baseline as covariate")
    )
    assert change / covariate == pytest.approx(1.6)


def test_the_multiplier_is_blooms() -> None:
    """Bloom (1995): about 2.8 standard errors for 80 per cent power at 5 per cent, two-sided."""
    assert study.multiplier(10_000) == pytest.approx(1.959964 + 0.841621, abs=1e-3)
    assert study.multiplier(4) > 3.5


@pytest.mark.parametrize(("villages", "rho"), [(25, 0.0), (40, 0.6)])
def test_diff_diff_agrees_up_to_its_normal_quantiles(villages: int, rho: float) -> None:
    parts = equicorrelated(10.0, rho)
    design = Design(villages, 10, 2, 3)
    normal = stats.norm.ppf(0.975) + stats.norm.ppf(0.8)
    theirs = compute_mde(villages, villages, 10.0, n_pre=2, n_post=3, rho=rho)
    assert study.std_error(parts, design) * normal == pytest.approx(theirs, rel=1e-6)


@pytest.mark.parametrize("villages", [5, 10, 40])
def test_statsmodels_agrees(villages: int) -> None:
    parts = equicorrelated(10.0, 0.3)
    design = Design(villages, 10, 1, 1)
    sd = math.sqrt(study.variance(parts, design))
    exact = TTestIndPower().solve_power(nobs1=villages, alpha=0.05, power=0.8) * sd
    assert study.detectable(parts, design) == pytest.approx(exact, rel=0.01)
    assert study.power_of(parts, design, exact) == pytest.approx(0.8, abs=1e-6)


def test_villages_needed_is_the_fewest() -> None:
    parts = equicorrelated(10.0, 0.3)
    design = Design(40, 10, 1, 1)
    found = study.villages_needed(parts, design, 5.0)
    assert found is not None
    assert study.detectable(parts, Design(found, 10, 1, 1)) <= 5.0
    assert study.detectable(parts, Design(found - 1, 10, 1, 1)) > 5.0
    assert study.villages_needed(parts, design, 0.0) is None
    assert study.villages_needed(parts, design, 1e-3) is None


def test_components_by_hand() -> None:
    """Two households in each of ten villages, one year: the one-way table done by hand."""
    base = np.arange(10.0)
    amount = np.stack([base - 1, base + 1], axis=1).reshape(-1, 1)
    parts = variances.components(incomes(amount, np.repeat(np.arange(10), 2)))
    # Inside: deviations of -1 and 1 in ten villages, 20 / (20 - 10) = 2. Between: 2 x the variance
    # of 0..9, 55/6, less 2, over 2 households.
    assert parts.within.item() == pytest.approx(2.0)
    assert parts.between.item() == pytest.approx((2 * 55 / 6 - 2) / 2)
    assert parts.share_between == pytest.approx((55 / 6 - 1) / (55 / 6 + 1))


def test_components_are_recovered() -> None:
    random = np.random.default_rng(5)
    between = np.array([[4.0, 3.0], [3.0, 5.0]])
    within = np.array([[20.0, 12.0], [12.0, 30.0]])
    village = np.repeat(np.arange(800), 6)
    amount = random.multivariate_normal([0, 0], between, 800)[village]
    amount += random.multivariate_normal([0, 0], within, len(village))
    parts = variances.components(incomes(amount, village))
    assert parts.within == pytest.approx(within, rel=0.1)
    assert parts.between == pytest.approx(between, rel=0.25)


def test_too_few_villages_are_refused() -> None:
    amount = np.ones((12, 2))
    with pytest.raises(FaultsError, match="too few villages"):
        variances.components(incomes(amount, np.repeat(np.arange(6), 2)))


def test_years_that_the_panel_lacks_are_refused() -> None:
    with pytest.raises(FaultsError, match="lacks years"):
        study.variance(equicorrelated(1.0, 0.0, years=2), Design(10, 10, 2, 1))


def cells_of(parts: Components, design: Design, effect: float, draws: int) -> Table:
    """Draw studies as outcomes of one table of cells: one row per village."""
    random = np.random.default_rng(3)
    years = design.before + design.after
    v = (parts.between + parts.within / design.households)[-years:, -years:]
    villages = 2 * design.villages
    means = random.multivariate_normal(np.zeros(years), v, (draws, villages))
    means[:, design.villages :, design.before :] += effect
    n = np.full((villages, years), design.households)
    treated = np.arange(villages) >= design.villages
    return Table(
        villages=tuple(f"v{i:03d}" for i in range(villages)),
        strata=("all",),
        outcomes=tuple(f"study {i}" for i in range(draws)),
        periods=np.arange(years),
        village=np.arange(villages),
        cohort=np.where(treated, design.before, 0),
        stratum=np.zeros(villages, dtype=int),
        n=n,
        weight=n.astype(float),
        total=np.moveaxis(means, 0, 2) * design.households,
        n_ever=n[:, 0],
        weight_ever=n[:, 0].astype(float),
        tier="model",
    )


def test_our_own_estimator_finds_the_effect_as_often_as_the_formula_says() -> None:
    """Group-time effects with the jackknife by village, over the cells of drawn studies."""
    random = np.random.default_rng(1)
    root = random.normal(size=(4, 4))
    parts = Components(40 * np.eye(4) + 10, root @ root.T, 100.0, 2000, 100)
    design = Design(20, 15, 1, 3)
    draws = 400
    effect = study.detectable(parts, design)
    table = cells_of(parts, design, effect, draws)
    found = aggregate.aggregate(group_time.estimate(table, Comparison()), table)
    rows = found.select(estimand="simple").to_frame()
    assert rows.height == draws
    share = ((rows["ci_low"] > 0) | (rows["ci_high"] < 0)).mean()
    # Four simulation standard errors, and the half per cent by which the approximation is off.
    assert share == pytest.approx(0.8, abs=4 * math.sqrt(0.8 * 0.2 / draws) + 0.005)


def test_drawn_studies_find_nothing_where_nothing_is() -> None:
    found = variances.incomes(current.model())
    share, error = study.found_share(found, Design(20, 10, 1, 1), 0.0, draws=2000, seed=4)
    assert share == pytest.approx(0.05, abs=4 * error)
