"""What else a difference in differences answers: per cent, dose, controls, many effects; by hand."""

import numpy as np
import pandas as pd
import polars as pl
import pytest
from diff_diff import ImputationDiD

import analysis as va
from analysis.did.estimators import families
from analysis.faults import FaultsError

NAMES = {"y": "income", "unit": "household", "time": "year", "first": "first"}


def frame(rows):
    """Two years of households: village, first treated year (0: never), income before and after."""
    return pl.DataFrame(
        [
            (f"h{i}", village, first, year, float(income))
            for i, (village, first, before, after) in enumerate(rows)
            for year, income in ((2014, before), (2015, after))
        ],
        schema=["household", "village", "first", "year", "income"],
        orient="row",
    )


def test_per_cent_of_what_the_treated_would_have_had():
    """Treated go from 100 to 130 on average, controls gain 10: 20 on what would have been 110."""
    rows = [("a", 2015, 90, 122), ("b", 2015, 110, 138), ("c", 2015, 100, 130)]
    rows += [("d", 0, 50, 61), ("e", 0, 60, 69), ("f", 0, 70, 80)]
    fit = va.did(frame(rows), **NAMES, cluster="village")
    assert fit.overall.value == pytest.approx(20)
    found = fit.per_cent()
    assert found.frame["estimate"].item() == pytest.approx(100 * 20 / 110)
    assert found.frame["unit"].item().startswith("%")


def test_the_response_to_a_dose_is_a_slope():
    """Doses 0, 0, 1, 2 and changes 1, 1, 3, 5: two a unit."""
    rows = [("a", 0, 0, 1), ("b", 0, 0, 1), ("c", 2015, 0, 3), ("d", 2015, 0, 5)]
    fit = va.did(frame(rows), **NAMES, cluster="village")
    found = fit.dose_response({"c": 1.0, "d": 2.0}, "visit")
    assert found.overall.value == pytest.approx(2)
    assert "visit" in found.title and "visit" in found.frame["unit"][0]
    with pytest.raises(FaultsError, match="no dose"):
        fit.dose_response({"c": 1.0})


def test_controls_elsewhere_beside_and_neighbours():
    """Direct 10, on everyone in the village 3, mean trend 2.5: 13 elsewhere, 10 beside, 3 on them."""
    trend, rows = [1.0, 2.0, 3.0, 4.0, 2.0, 3.0, 1.0, 4.0], []
    for v, change in enumerate(trend):
        treated = v < 4
        rows.append((f"v{v}", 2015 if treated else 0, 0, change + 13 * treated))
        rows.append((f"v{v}", 0, 0, change + 3 * treated))
    found = va.did(frame(rows), **NAMES, cluster="village").spillovers().frame
    shown = dict(found.select("term", "estimate").iter_rows())
    assert shown["other villages"] == pytest.approx(13)
    assert shown["same village"] == pytest.approx(10)
    assert shown["on untreated neighbours"] == pytest.approx(3)


def test_few_clusters_get_holms_p_values():
    rng = np.random.default_rng(1)
    rows = [(f"v{v}", (0, 2015)[v % 2], rng.normal(), rng.normal()) for v in range(12)]
    data = frame(rows).with_columns(other=pl.col("income") * rng.normal(size=24))
    fit = va.did(data, **(NAMES | {"y": ["income", "other"]}), cluster="village")
    found = fit.adjusted_p_values()
    assert found["rule"].unique().to_list() == ["holm"]
    assert np.allclose(found["p_family"], families.holm(found["p_value"].to_numpy()))
    assert fit.adjusted_p_values("simple").height == 2


def survey(periods=3, per_village=12):
    """Twenty villages, half treated from 2015: households seen in some years, with their land."""
    rng = np.random.default_rng(11)
    rows = [
        (v, f"{v}-{h}", 2015 if v < 10 else 0, 2013 + t, float(rng.normal()))
        for v in range(20)
        for h in range(per_village)
        for t in range(periods)
        if (h + t) % 4 or h < 6
    ]
    found = pl.DataFrame(
        rows, schema=["village", "household", "first", "year", "land"], orient="row"
    )
    treated = (pl.col("first") > 0) & (pl.col("year") >= pl.col("first"))
    noise = pl.Series("noise", rng.normal(size=found.height))
    return found.with_columns(income=5 * treated + 2 * pl.col("land") * pl.col("year") % 7 + noise)


ADJUSTED = {"cluster": "village", "covariates": ["land"]}


def test_cross_sections_with_covariates_follow_no_unit():
    """The same as for other households in each year; what the estimate used is counted."""
    frame = survey()
    followed = va.did(frame, **NAMES, **ADJUSTED, handling="cross_sections")
    others = va.did(frame, **{**NAMES, "unit": ""}, **ADJUSTED)
    for name in ("estimate", "std_error"):
        np.testing.assert_allclose(
            followed.frame[name].to_numpy(), others.frame[name].to_numpy(), rtol=1e-12
        )
    pairs = va.did(frame, **NAMES, **ADJUSTED)
    assert abs(pairs.overall.value - followed.overall.value) > 1e-3


def test_two_outcomes_of_cross_sections_are_each_adjusted():
    frame = survey().with_columns(other=pl.col("income") ** 2)
    names = {**NAMES, "unit": ""}
    both = va.did(frame, **(names | {"y": ["income", "other"]}), **ADJUSTED)
    for outcome in ("income", "other"):
        alone = va.did(frame, **(names | {"y": outcome}), **ADJUSTED).overall
        found = both.frame.filter(term="overall", outcome=outcome).row(0, named=True)
        assert (found["estimate"], found["std_error"]) == pytest.approx(
            (alone.value, alone.std_error)
        )


@pytest.mark.parametrize("method", ["doubly_robust", "weighting", "regression"])
def test_errors_with_covariates_leave_each_village_out_by_brute_force(method):
    """CV3: nineteen twentieths of the squared moves; a logit is moved by one step, so not exact."""
    first = pl.col("land").first().over("household")
    frame = survey().filter(pl.col("year") > 2013).filter(pl.len().over("household") == 2)
    frame = frame.with_columns(land=first + 0.3 * (pl.col("first") > 0))
    frame = frame.with_columns(income=pl.col("income") + pl.col("land") * (pl.col("year") - 2014))

    def overall(rows):
        return va.did(rows, **NAMES, **ADJUSTED, method=method).overall

    whole = overall(frame)
    moves = [overall(frame.filter(pl.col("village") != v)).value - whole.value for v in range(20)]
    expected = np.sqrt(19 / 20 * np.square(moves).sum())
    assert whole.std_error == pytest.approx(expected, rel=1e-6 if method == "regression" else 5e-3)


def test_imputation_of_an_unbalanced_frame_is_diff_diffs():
    frame = survey(4)
    ours = va.did(frame, **NAMES, cluster="village", method="imputation").event_study.frame
    fit = ImputationDiD(cluster="village").fit(
        pd.DataFrame(frame.to_dict(as_series=False)),
        outcome="income",
        unit="household",
        time="year",
        first_treat="first",
        aggregate="all",
    )
    for row in ours.iter_rows(named=True):
        theirs = fit.event_study_effects[row["event_time"]]["effect"]
        assert row["estimate"] == pytest.approx(theirs, rel=1e-8)


def test_rows_of_who_is_seen_once_are_left_out_once():
    frame = survey().filter((pl.col("household") != "3-0") | (pl.col("year") == 2013))
    account = va.did(frame, **NAMES, cluster="village", method="two_way").account
    assert account.rows_used + sum(account.left_out.values()) == account.rows_in == frame.height


def test_balanced_with_covariates_leaves_out_who_is_not_always_seen():
    """The same as of the households seen in every year, counted."""
    frame = survey()
    always = frame.filter(pl.len().over("household") == 3)
    found = va.did(frame, **NAMES, **ADJUSTED, handling="balanced")
    only = va.did(always, **NAMES, **ADJUSTED)
    assert found.overall.value == pytest.approx(only.overall.value, rel=1e-12)
    assert found.account.rows_in == frame.height and found.account.rows_used == always.height
    assert sum(found.account.left_out.values()) == frame.height - always.height


def test_rows_without_a_value_are_counted_in_cross_sections_with_covariates():
    frame = survey()
    holes = frame.with_columns(
        income=pl.when(pl.int_range(pl.len()) % 50 == 0).then(None).otherwise("income")
    )
    account = va.did(holes, **{**NAMES, "unit": ""}, **ADJUSTED).account
    assert account.rows_in == frame.height
    assert account.rows_in - sum(account.left_out.values()) == account.rows_used


def test_a_method_that_has_no_handling_refuses_it():
    with pytest.raises(FaultsError, match="takes no handling"):
        va.did(survey(), **NAMES, method="local_projections", handling="balanced")
