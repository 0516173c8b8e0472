"""Designs of diff-diff through the door: equal to the library called by hand; what is refused."""

import warnings

import diff_diff
import numpy as np
import pandas as pd
import polars as pl
import pytest

import analysis as va
from analysis.did import library, matching
from analysis.faults import FaultsError


def staggered(n=60, seed=2, effect=2.0):
    """Units of 20 villages over five years of a calendar with a gap, two cohorts."""
    rng = np.random.default_rng(seed)
    rows = []
    for i in range(n):
        village = i % 20
        first = (0, 0, 2014, 2018)[village % 4]
        level, x = rng.normal(), rng.normal()
        for k, year in enumerate((2010, 2012, 2014, 2016, 2018)):
            treated = bool(first) and year >= first
            y = level + 0.3 * k + 0.2 * x * k + effect * treated + 0.2 * rng.normal()
            rows.append((f"h{i}", f"v{village}", year, first, int(treated), x, float(y)))
    schema = ["household", "village", "year", "first", "treated", "x", "income"]
    return pl.DataFrame(rows, schema=schema, orient="row")


COMMON = {"y": "income", "unit": "household", "time": "year", "first": "first"}


def ranked(frame):
    """As the library needs it: periods 0 to 4."""
    table = pd.DataFrame(frame.to_dict(as_series=False))
    table["t"] = (table["year"] - 2010) // 2
    table["g"] = np.where(table["first"] > 0, (table["first"] - 2010) // 2, 0)
    table["v"] = table["village"].str[1:].astype(int)
    table["u"] = table["household"].str[1:].astype(int)
    return table


def quietly(function):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return function()


@pytest.mark.parametrize("covariates", [(), ("x",)])
def test_extended_two_way_is_the_librarys(covariates):
    frame = staggered()
    found = va.did(
        frame, **COMMON, cluster="village", method="extended_two_way", covariates=covariates
    )
    other = quietly(
        lambda: diff_diff.WooldridgeDiD(cluster="v", control_group="never_treated").fit(
            ranked(frame), "income", "u", "t", "g", xtvar=list(covariates) or None
        )
    )
    assert found.overall.value == pytest.approx(other.overall_att)
    assert found.overall.std_error == pytest.approx(other.overall_se)
    assert found.overall.df == pytest.approx(9)  # ten villages an arm
    assert found.by_cohort.frame["cohort"].to_list() == [2014, 2018]
    assert found.by_period.frame["period"].to_list() == [2014, 2016, 2018]
    assert "diff-diff 3" in found.comparison.library


def test_arms_of_unequal_size_are_counted_apart():
    """Two of ten control villages left out: three households a village."""
    frame = staggered().filter(~pl.col("village").is_in(["v0", "v4"]))
    account = va.did(frame, **COMMON, cluster="village", method="extended_two_way").account
    assert (account.n_treated, account.n_control) == (30, 24)
    assert (account.n_clusters_treated, account.n_clusters_control) == (10, 8)


def test_not_yet_treated_controls_equal_imputation():
    """Wooldridge (2021): on a balanced panel the same points as imputation."""
    frame = staggered()
    found = va.did(frame, **COMMON, method="extended_two_way", controls="not_yet").group_time
    other = va.did(frame, **COMMON, method="imputation").group_time.frame
    for effect in found.effects:
        row = other.filter(pl.col("term") == effect.term)
        assert effect.value == pytest.approx(row["estimate"].item(), abs=1e-9)


def test_local_projections_at_each_horizon_are_group_time_effects():
    """Reweighted long differences with never treated controls: those of Callaway and Sant'Anna."""
    frame = staggered()
    found = va.did(frame, **COMMON, cluster="village", method="local_projections")
    events = found.event_study.frame
    group_time = va.did(frame, **COMMON, cluster="village").group_time.frame
    second = group_time.filter(pl.col("term") == "cohort 2014 in 2018")["estimate"].item()
    at = events.filter(pl.col("event_time") == 2)["estimate"].item()
    assert at == pytest.approx(second)  # only one cohort is seen that long
    assert library.GAPS in found.account.decisions


def test_stacked_with_villages_leaves_each_out_by_brute_force():
    frame = staggered(40)
    found = va.did(frame, **COMMON, cluster="village", method="stacked")

    def fit(part):
        model = diff_diff.StackedDiD(kappa_pre=2, kappa_post=0, control_group="never_treated")
        return quietly(lambda: model.fit(ranked(part), "income", "u", "t", "g")).overall_att

    full = fit(frame)
    without = [fit(frame.filter(pl.col("village") != f"v{k}")) for k in range(20)]
    expected = np.sqrt(19 / 20 * ((np.array(without) - full) ** 2).sum())
    assert found.overall.value == pytest.approx(full)
    assert found.overall.std_error == pytest.approx(expected)
    assert "2 periods before and 1 after" in found.comparison.estimator


def test_triple_difference_takes_out_a_shock_of_the_treated_villages():
    """A shock of 5 to everybody in treated villages; the eligible gain 2 more."""
    frame = staggered(120, effect=0.0).with_columns(
        eligible=pl.col("household").str.slice(1).cast(pl.Int64) // 20 % 2
    )
    frame = frame.with_columns(
        pl.col("income") + pl.col("treated") * (5.0 + 2.0 * pl.col("eligible"))
    )
    found = va.did(frame, **COMMON, method="triple_difference", within="eligible")
    assert found.overall.value == pytest.approx(2, abs=0.2)
    plain = va.did(frame, **COMMON).overall.value
    assert plain == pytest.approx(6, abs=0.3)
    with pytest.raises(FaultsError, match="two groups"):
        va.did(frame, **COMMON, method="triple_difference")


def test_switching_is_the_librarys_and_takes_treatment_that_ends():
    table = quietly(lambda: diff_diff.generate_reversible_did_data(seed=1))
    frame = pl.DataFrame(table.to_dict("list"))
    arguments = {"y": "outcome", "unit": "group", "time": "period", "first": "treatment"}
    with pytest.raises(FaultsError, match='method="switching"'):
        va.did(frame, **arguments)
    found = va.did(frame, **arguments, method="switching")
    model = diff_diff.ChaisemartinDHaultfoeuille()
    plain = quietly(lambda: model.fit(table, "outcome", "group", "period", "treatment"))
    assert found.effect_of("joiners").value == pytest.approx(plain.joiners_att)
    assert found.effect_of("leavers").std_error == pytest.approx(plain.leavers_se)
    assert found.event_study.frame["event_time"].min() < -1


def test_switching_of_an_absorbing_treatment_is_the_mean_of_group_time_effects():
    frame = staggered()
    found = va.did(frame, **(COMMON | {"first": "treated"}), method="switching")
    group_time = va.did(frame, **COMMON, controls="not_yet").group_time.frame
    first = group_time.filter(pl.col("cohort") == pl.col("period"))
    counts = {2014: 15, 2018: 15}
    expected = sum(
        counts[row["cohort"]] * row["estimate"] for row in first.iter_rows(named=True)
    ) / sum(counts.values())
    at = found.event_study.frame.filter(pl.col("event_time") == 0)["estimate"].item()
    assert at == pytest.approx(expected)


def test_matching_by_brute_force():
    """One cohort: each treated with the control of the nearest x; the mean gap of changes."""
    frame = staggered().filter(pl.col("first") != 2018)
    found = va.did(frame, **COMMON, cluster="village", method="matching", covariates=["x"])
    wide = frame.pivot("year", index=["household", "first", "x"], values="income")
    change = (wide["2016"] - wide["2012"]).to_numpy()
    x, d = wide["x"].to_numpy(), wide["first"].to_numpy() > 0
    near = [np.flatnonzero(~d)[np.argmin(np.abs(x[~d] - x[i]))] for i in np.flatnonzero(d)]
    expected = change[d].mean() - change[near].mean()
    row = found.group_time.frame.filter(pl.col("period") == 2016)
    assert row["estimate"].item() == pytest.approx(expected)
    assert found.account.n_control == len(set(near))
    assert found.account.rows_used == 5 * (int(d.sum()) + len(set(near)))
    assert sum(found.account.left_out.values()) == frame.height - found.account.rows_used
    assert matching.KNOWN in found.account.decisions
    assert found.pretrends().test.p_value > 0


def test_one_cohorts_matches_are_not_anothers():
    both = va.did(staggered(), **COMMON, method="matching", covariates=["x"])
    one = va.did(staggered(), **COMMON, method="matching", covariates=["x"], drop=[2018])
    name = "cohort 2014 in 2016"
    values = [
        fit.group_time.frame.filter(pl.col("term") == name)["estimate"].item()
        for fit in (both, one)
    ]
    assert values[0] == pytest.approx(values[1])


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"method": "extended_two_way", "weight": "w"}, "takes no weights"),
        ({"method": "matching"}, "no covariates to match on"),
        ({"method": "stacked", "unit": "", "cluster": "village"}, "not followed"),
        ({"method": "switching", "weight": "w"}, "takes no weights"),
    ],
)
def test_refused(options, words):
    frame = staggered().with_columns(w=1.0 + pl.int_range(pl.len()) % 2)
    with pytest.raises(FaultsError, match=words):
        va.did(frame, **(COMMON | options))


def test_few_villages_have_no_interval():
    frame = staggered().filter(pl.col("village").is_in(["v0", "v1", "v2", "v3"]))
    found = va.did(frame, **COMMON, cluster="village", method="extended_two_way")
    assert np.isnan(found.overall.std_error)
    assert "fewer than 4 clusters in an arm" in found.overall.note
