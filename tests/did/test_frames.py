"""The front door takes frames as users have them: what is refused, what is counted, what is equal.

Cases 01, 04, 06, 14 and 25 of other tools' bug reports (HonestDiD #45, lfe #38, did #267 and #68,
did #56, differences #13); right values by hand, by lm, or by the same data coded otherwise.
"""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import polars as pl
import pytest

import analysis as va
from analysis.did import declared
from analysis.did.estimators.rows_used import NOT_TWICE
from analysis.faults import FaultsError

NAMES = {"y": "income", "unit": "household", "time": "period", "first": "cohort"}


@pytest.fixture(scope="module")
def frame() -> pl.DataFrame:
    """24 villages of ten households, waves every second year; the case's own draws."""
    rng = np.random.default_rng(3)
    rows = []
    for v in range(24):
        g = 0 if v < 12 else (2016 if v < 18 else 2018)
        for h in range(10):
            x, a = rng.normal(), rng.normal()
            for t in (2012, 2014, 2016, 2018):
                effect = 1.0 if g and t >= g else 0
                income = a + 0.3 * x * (t - 2012) / 2 + effect + rng.normal() * 0.3
                rows.append((f"h{v}_{h}", f"v{v}", t, g, income, x))
    names = ["household", "village", "period", "cohort", "income", "x"]
    return pl.DataFrame(rows, schema=names, orient="row")


def fit(frame, **more):
    return va.did(frame, **NAMES, cluster="village", covariates=["x"], **more)


NEVER = pl.col("cohort") == 0
POINT, ERROR = 1.0772, 0.0414
"""Of the case: the estimate, and its error by influence alone (CR0)."""


def test_the_case_itself(frame):
    found = fit(frame)
    assert found.overall.value == pytest.approx(POINT, abs=5e-5)
    plain = found.estimates.under("parity")
    assert plain.about.rows_used == 960
    assert math.isclose(np.sqrt((found._added("simple").influence ** 2).sum()), ERROR, abs_tol=5e-5)


@pytest.mark.parametrize(
    "coded",
    [
        pl.when(~NEVER).then("cohort"),
        pl.when(NEVER).then(float("nan")).otherwise(pl.col("cohort").cast(pl.Float64)),
        pl.when(NEVER).then(float("inf")).otherwise(pl.col("cohort").cast(pl.Float64)),
    ],
    ids=["null", "nan", "infinite"],
)
def test_codes_of_the_never_treated(frame, coded):
    found = fit(frame.with_columns(cohort=coded))
    assert found.overall.value == pytest.approx(fit(frame).overall.value, rel=1e-12)
    assert "480 rows" in repr(found)


@pytest.mark.parametrize("code", [-1, 9999])
def test_a_code_far_outside_asks_for_never(frame, code):
    half = NEVER & pl.col("village").is_in([f"v{i}" for i in range(6)])
    coded = frame.with_columns(cohort=pl.when(half).then(code).otherwise("cohort"))
    with pytest.raises(FaultsError, match=f"never={code}"):
        fit(coded)
    named = fit(coded, never=code)
    assert named.overall.value == pytest.approx(fit(frame).overall.value, rel=1e-12)


def relative(frame, never=None):
    return frame.with_columns(
        period=(pl.col("period") - 2016) // 2,
        cohort=pl.when(NEVER).then(never).otherwise((pl.col("cohort") - 2016) // 2),
    )


def test_a_cohort_treated_at_zero_is_treated(frame):
    found = fit(relative(frame))
    assert found.overall.value == pytest.approx(POINT, abs=5e-5)
    assert found.by_cohort.frame["cohort"].to_list() == [0, 1]
    assert found.group_time.frame["period"].unique().sort().to_list() == [-1, 0, 1]


def test_zero_that_could_be_a_period_is_asked_about(frame):
    """Without another code 0 may be either; with never=0 it is said."""
    only = relative(frame.filter(pl.col("cohort") != 2016), never=0)
    with pytest.raises(FaultsError, match="never=0"):
        fit(only)
    said = fit(only, never=0)
    assert said.by_cohort.frame["cohort"].to_list() == [1]


def test_an_always_treated_village_is_left_out_and_counted(frame):
    coded = frame.with_columns(
        cohort=pl.when(pl.col("village") == "v12").then(2010).otherwise("cohort")
    )
    found = fit(coded)
    without = fit(frame.filter(pl.col("village") != "v12"))
    assert found.overall.value == pytest.approx(without.overall.value, rel=1e-12)
    assert sum(found.account.left_out.values()) == 40
    assert found.account.rows_used == 920


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"period": pl.col("period").cast(pl.String)}, "cast"),
        ({"period": pl.date("period", 1, 1)}, "dt.year"),
        ({"period": pl.col("period") + 0.5}, "half-years"),
        (
            {
                "cohort": pl.when(pl.col("cohort") == 2016)
                .then(2015.9)
                .otherwise(pl.col("cohort").cast(pl.Float64))
            },
            "whole number",
        ),
    ],
    ids=["text", "date", "half-years", "2015.9"],
)
def test_periods_that_are_no_whole_numbers(frame, change, said):
    with pytest.raises(FaultsError, match=said):
        fit(frame.with_columns(**change))


def test_weights_negative_and_zero(frame):
    negative = frame.with_columns(
        w=pl.when(pl.col("household") == "h13_1").then(-9.0).otherwise(1.0)
    )
    with pytest.raises(FaultsError, match="negative"):
        fit(negative, weight="w")
    zero = negative.with_columns(w=pl.col("w").clip(0))
    found = fit(zero, weight="w")
    fewer = fit(frame.filter(pl.col("household") != "h13_1"))
    assert found.overall.value == pytest.approx(fewer.overall.value, rel=1e-12)
    assert found.overall.std_error == pytest.approx(fewer.overall.std_error, rel=1e-12)
    assert found.account.left_out == {"weight 0": 4}


@pytest.mark.parametrize("step", [1, 2, 3])
def test_the_base_is_read_from_the_periods(frame, step):
    """The same numbers with other labels of waves give the same unit-free results."""
    waves = frame.with_columns(
        period=(pl.col("period") - 2012) // 2 * step + 1,
        cohort=pl.when(NEVER).then(None).otherwise((pl.col("cohort") - 2012) // 2 * step + 1),
    )
    found = va.did(waves, **NAMES, cluster="village", base="universal")
    assert found.event_study.reference == -step
    first = found.honest([1.0, 2.0]).frame
    again = va.did(frame, **NAMES, cluster="village", base="universal").honest([1.0, 2.0]).frame
    assert np.allclose(first["ci_low"], again["ci_low"], rtol=1e-6)
    two_way = va.did(waves, **NAMES, cluster="village", method="two_way")
    assert two_way.event_study.reference == -step


@pytest.mark.parametrize(
    "years", [(1, 2, 3, 4), (2012, 2014, 2016, 2018), (2012, 2015, 2018, 2021)]
)
def test_bounds_of_case_01_do_not_depend_on_the_labels_of_waves(years):
    """Forty villages, half of them treated at the third wave: at M 2 from -9.1 to 59.1."""
    rng, villages = np.random.default_rng(5), 40
    y = np.cumsum(rng.normal(100, 10, (villages, 4)), axis=1)
    treated = np.arange(villages) < 20
    y[treated, 0] -= 6.0
    y[treated, 2:] += 30.0
    frame = pl.DataFrame(
        {
            "household": np.repeat(np.arange(villages), 4),
            "period": np.tile(years, villages),
            "cohort": np.repeat(np.where(treated, years[2], 0), 4),
            "income": y.ravel(),
        }
    ).with_columns(pl.col("cohort").replace(0, None))
    found = va.did(frame, **NAMES, base="universal")
    assert found.event_study.reference == years[1] - years[2]
    bounds = found.honest([1.0, 2.0]).frame
    assert [round(bounds[end][1], 1) for end in ("ci_low", "ci_high")] == [-9.1, 59.1]


def test_pandas_polars_and_lazy_frames_agree(frame):
    data = pd.DataFrame(frame.to_dict(as_series=False))
    data["cohort"] = pd.array([None if g == 0 else g for g in data["cohort"]], dtype="Int64")
    expected = fit(frame).overall.value
    assert fit(data).overall.value == pytest.approx(expected, rel=1e-12)
    assert fit(frame.lazy()).overall.value == pytest.approx(expected, rel=1e-12)
    with pytest.raises(FaultsError, match="not a frame"):
        fit({"income": [1, 2]})


def test_an_indicator_of_treatment_in_each_row(frame):
    rows = frame.with_columns(
        cohort=((pl.col("cohort") > 0) & (pl.col("period") >= pl.col("cohort"))).cast(pl.Int8)
    )
    found = fit(rows)
    assert found.overall.value == pytest.approx(fit(frame).overall.value, rel=1e-12)
    assert "120 units" in repr(found)


def test_who_is_treated_without_when_is_refused(frame):
    whether = frame.with_columns(cohort=(pl.col("cohort") > 0).cast(pl.Int64))
    with pytest.raises(FaultsError, match="whether, not when"):
        fit(whether)


def test_a_cohort_of_the_second_wave_is_not_always_treated(frame):
    early = frame.with_columns(cohort=pl.col("cohort").replace(2016, 2014))
    found = va.did(early, **NAMES, cluster="village", method="extended_two_way")
    assert not found.account.left_out and found.account.rows_used == 960


def test_treatment_that_ends_or_comes_in_doses_is_refused(frame):
    ended = frame.with_columns(cohort=(pl.col("cohort") == pl.col("period")).cast(pl.Int8))
    with pytest.raises(FaultsError, match="not absorbing"):
        fit(ended)
    doses = frame.with_columns(
        cohort=pl.when(NEVER | (pl.col("period") < pl.col("cohort")))
        .then(0)
        .otherwise((pl.col("period") - 2010) * 5)
    )
    with pytest.raises(FaultsError, match="dose"):
        fit(doses)


def test_duplicates_and_two_cohorts_of_one_unit(frame):
    with pytest.raises(FaultsError, match="twice in a period"):
        fit(pl.concat([frame, frame.head(1)]))
    two = frame.with_columns(
        cohort=pl.when((pl.col("household") == "h20_1") & (pl.col("period") > 2014))
        .then(2016)
        .otherwise("cohort")
    )
    with pytest.raises(FaultsError, match="more than one first treated period"):
        fit(two)


def test_near_equal_names_are_kept_apart_and_said(frame):
    named = frame.with_columns(
        village=pl.when(pl.col("household") == "h3_1").then(pl.lit("V3 ")).otherwise("village")
    )
    found = fit(named)
    assert "nearly agree" in repr(found)
    assert found.account.n_clusters_control == 13


def test_blank_clusters_and_missing_outcomes_are_counted(frame):
    holes = frame.with_columns(
        village=pl.when(pl.col("household") == "h3_1").then(None).otherwise("village"),
        income=pl.when(pl.col("household") == "h4_1").then(None).otherwise("income"),
    )
    found = fit(holes)
    assert found.account.left_out == {
        "income is missing or not finite": 4,
        "no name of the village": 4,
    }
    assert found.account.rows_used == 952


def test_small_effects_are_not_rounded(frame):
    """A true effect of 0.000387 is estimated as such, not as a rounded cell."""
    small = frame.with_columns(income=pl.col("income") * 1e-6)
    assert fit(small).overall.value == pytest.approx(fit(frame).overall.value * 1e-6, rel=1e-9)


def test_several_outcomes_add_up(frame):
    both = frame.with_columns(
        other=pl.col("income") * 0.3 + pl.col("x"), third=pl.lit(0.0)
    ).with_columns(total=pl.col("income") + pl.col("other"))
    found = va.did(both, ["income", "other", "total"], *list(NAMES.values())[1:], cluster="village")
    points = dict(zip(found.overall.frame["outcome"], found.overall.frame["estimate"], strict=True))
    assert points["income"] + points["other"] == pytest.approx(points["total"], rel=1e-12)


def test_distinct_households_never_added_over_comparisons(frame):
    found = fit(frame)
    assert (found.account.n_treated, found.account.n_control) == (120, 120)


def test_an_unbalanced_panel_says_how_it_is_handled(frame):
    holes = frame.filter(~((pl.col("household").str.ends_with("_3")) & (pl.col("period") == 2014)))
    pairs = va.did(holes, **NAMES, cluster="village")
    assert "seen in both" in repr(pairs)
    # By hand: without 2014 the six of cohort 2016 are in no comparison (18 rows), and the row of
    # 2012 is in none for the other eighteen.
    assert pairs.account.left_out == {NOT_TWICE: 36}
    assert pairs.account.rows_used == 900
    assert (pairs.account.n_treated, pairs.account.n_control) == (114, 120)
    whole = va.did(holes, **NAMES, cluster="village", handling="balanced")
    assert whole.account.left_out == {"unit not seen in every period": 72}
    complete = va.did(
        frame.filter(~pl.col("household").str.ends_with("_3")), **NAMES, cluster="village"
    )
    assert whole.overall.value == pytest.approx(complete.overall.value, rel=1e-12)


def test_psu_numbers_reused_in_strata_are_taken_together(frame):
    drawn = frame.with_columns(
        stratum=pl.col("village").str.slice(1).cast(pl.Int32) % 2,
        psu=pl.col("village").str.slice(1).cast(pl.Int32) // 2,
    )
    reused = va.did(drawn, **NAMES, cluster="village", strata="stratum", psu="psu")
    unique = va.did(
        drawn.with_columns(psu=pl.col("psu") * 10 + pl.col("stratum")),
        **NAMES,
        cluster="village",
        strata="stratum",
        psu="psu",
    )
    assert reused.overall.std_error == pytest.approx(unique.overall.std_error, rel=1e-12)
    assert "taken together with its stratum" in repr(reused)


def test_unknown_columns_and_methods_name_what_there_is(frame):
    with pytest.raises(FaultsError, match="the data have household, village"):
        va.did(frame, y="wage", unit="household", time="period", first="cohort")
    with pytest.raises(FaultsError, match="doubly_robust"):
        fit(frame, method="magic")


def test_a_cohort_of_one_village_is_named_and_left_out_of_a_second_estimate(frame):
    few = frame.filter((pl.col("cohort") != 2018) | (pl.col("village") == "v18"))
    found = va.did(few, **NAMES, cluster="village")
    assert math.isnan(found.overall.ci_low)
    rest = found.effect_of("overall without cohort 2018")
    dropped = va.did(few, **NAMES, cluster="village", drop=[2018])
    assert rest.value == pytest.approx(dropped.overall.value, rel=1e-12)
    assert rest.ci_low == pytest.approx(dropped.overall.ci_low, rel=1e-9)
    assert "drop=[2018]" in repr(found)
    with pytest.raises(FaultsError, match="choose from 2016, 2018"):
        va.did(few, **NAMES, cluster="village", drop=[2017])


def test_each_cohort_is_left_out_of_the_overall_effect(frame):
    plain = NAMES | {"cluster": "village"}
    whole = va.did(frame, **plain)
    found = declared._without_each(whole, "income").frame
    shown = dict(found.select("term", "estimate").iter_rows())
    assert list(shown) == ["overall", "without cohort 2016", "without cohort 2018"]
    assert shown["overall"] == pytest.approx(whole.overall.value)
    fewer = va.did(frame, **plain, drop=[2018]).overall.value
    assert shown["without cohort 2018"] == pytest.approx(fewer)


def test_quarters_coded_as_years_with_a_digit_are_refused_with_a_rule_that_works(frame):
    """20154 and 20161 follow each other; their difference of 7 is no distance."""
    coded = frame.with_columns(
        period=(pl.col("period") - 2012) // 2 + 20141, cohort=pl.lit(None, pl.Int64)
    ).with_columns(cohort=pl.when(pl.col("village") == "v20").then(20143))
    with pytest.raises(FaultsError, match="quarter behind them") as caught:
        va.did(coded, **NAMES, cluster="village")
    assert "4 * (pl.col" in str(caught.value)


def test_tests_of_few_clusters_follow_the_sampling_units(frame):
    """Households drawn by village: with psu= the tests count villages, as with cluster=."""
    one = frame.filter(pl.col("cohort") != 2018)
    by_psu = va.did(one, **NAMES, psu="village").wild(199)
    by_cluster = va.did(one, **NAMES, cluster="village").wild(199)
    assert by_psu.p_value == by_cluster.p_value


def test_tests_made_from_plain_cells_are_refused_for_other_estimates(frame):
    with pytest.raises(FaultsError, match="covariates"):
        fit(frame).wild(99, cohort=2016)
    with pytest.raises(FaultsError, match="group-time"):
        va.did(frame, **NAMES, cluster="village", method="imputation").honest(1.0)
    with pytest.raises(FaultsError, match="0 or more"):
        va.did(frame, **NAMES, cluster="village", base="universal").honest(-1.0)


def test_units_that_are_their_own_clusters_are_counted_once(frame):
    by_unit = [label for label, _ in va.did(frame, **NAMES).account.lines()]
    assert by_unit.count("household") == 1
    by_village = [label for label, _ in fit(frame).account.lines()]
    assert (by_village.count("household"), by_village.count("village")) == (1, 1)
