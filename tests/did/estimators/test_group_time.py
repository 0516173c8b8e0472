"""Group-time effects: a panel computed by hand, every village left out, refusals in words."""

from dataclasses import replace

import numpy as np
import polars as pl
import pytest

from analysis.did.estimators import aggregate, group_time, rows_used
from analysis.did.estimators.effect_set import stack
from analysis.did.estimators.group_time import Comparison
from analysis.did.estimators.table import Table
from analysis.faults import FaultsError


def tiny(cohort, totals, n=None, stratum=None, **more):
    """One row per village unless `village` says otherwise, years 1, 2, 3."""
    totals = np.array(totals, float)
    count = np.ones(len(cohort), int) if n is None else np.array(n)
    stratum = np.zeros(len(cohort), int) if stratum is None else np.array(stratum)
    village = np.array(more.pop("village", range(len(cohort))))
    size = np.repeat(count[:, None], totals.shape[1], 1)
    return Table(
        villages=tuple(f"v{i}" for i in range(village.max() + 1)),
        strata=tuple(f"s{i}" for i in range(stratum.max() + 1)),
        outcomes=("income",),
        periods=np.arange(1, totals.shape[1] + 1),
        village=village,
        cohort=np.array(cohort),
        stratum=stratum,
        n=size,
        weight=size.astype(float),
        total=totals[..., None],
        n_ever=count,
        weight_ever=count.astype(float),
        **more,
    )


# Five villages, years 1, 2, 3; sums over n households.
#   v0 cohort 2, n 2: 10 16 20      v1 cohort 2, n 1: 4 8 9
#   v2 cohort 3, n 1: 5 7 12        v3 never, n 2: 8 10 14      v4 never, n 1: 3 3 5
HAND = tiny(
    [2, 2, 3, 0, 0],
    [[10, 16, 20], [4, 8, 9], [5, 7, 12], [8, 10, 14], [3, 3, 5]],
    n=[2, 1, 1, 2, 1],
)


def test_points_by_hand():
    """Changes per household: year 1 to 2: treated (6+4)/3, never (2+0)/3 → ATT(2,2) = 8/3.

    Year 1 to 3: (10+5)/3 − (6+2)/3 = 7/3 = ATT(2,3). Cohort 3 from year 2 to 3: 5 − (4+2)/3 = 3;
    its lead ATT(3,2), year 1 to 2: 2 − 2/3 = 4/3.
    """
    found = group_time.estimate(HAND)
    assert [key.estimand for key in found.keys] == [
        "group_time(2, 2)",
        "group_time(2, 3)",
        "group_time(3, 2)",
        "group_time(3, 3)",
    ]
    assert [key.base for key in found.keys] == [1, 1, 1, 2]
    np.testing.assert_allclose(found.points, [8 / 3, 7 / 3, 4 / 3, 3], rtol=1e-14)


def test_influence_and_cr0_by_hand():
    """ATT(2,2), treated mean 10/3 over W = 3, control mean 2/3 over W = 3.

    ψ: v0 (6 − 2·10/3)/3 = −2/9, v1 (4 − 10/3)/3 = 2/9, v3 −(2 − 4/3)/3 = −2/9, v4 2/9.
    CR0 variance 4·(2/9)² = 16/81, standard error 4/9.
    """
    found = group_time.estimate(HAND).under("parity")
    np.testing.assert_allclose(found.influence[:, 0] * 9, [-2, 2, 0, -2, 2], atol=1e-14)
    assert found.std_errors[0] == pytest.approx(4 / 9, rel=1e-14)
    assert found.degrees[0] == np.inf


def test_not_yet_treated_by_hand():
    """In year 2 cohort 3 is a control too: (2 + 0 + 2)/4 = 1 → ATT(2,2) = 10/3 − 1 = 7/3."""
    found = group_time.estimate(HAND, Comparison("not_yet"))
    assert found.points[0] == pytest.approx(7 / 3, rel=1e-14)
    assert found.control[:, 0].tolist() == [False, False, True, True, True]


def test_aggregates_by_hand():
    """Shares: cohort 2 has 3 of 7 households, cohort 3 one.

    event_time(0) = (3·8/3 + 1·3)/4 = 11/4, event_time(1) = 7/3, overall = 61/24.
    cohort(2) = 5/2, cohort(3) = 3, overall (3·5/2 + 3)/4 = 21/8.
    calendar(2) = 8/3, calendar(3) = (3·7/3 + 3)/4 = 5/2, overall 31/12.
    simple = (3·8/3 + 3·7/3 + 3)/7 = 18/7. event_time(−1) = 4/3.
    """
    found = aggregate.aggregate(group_time.estimate(HAND), HAND)
    by_hand = {
        "event_time(-1)": 4 / 3,
        "event_time(0)": 11 / 4,
        "event_time(1)": 7 / 3,
        "cohort(2)": 5 / 2,
        "cohort(3)": 3,
        "calendar(2)": 8 / 3,
        "calendar(3)": 5 / 2,
        "simple": 18 / 7,
        "event_time_overall": 61 / 24,
        "cohort_overall": 21 / 8,
        "calendar_overall": 31 / 12,
    }
    assert {
        key.estimand: pytest.approx(p, rel=1e-14)
        for key, p in zip(found.keys, found.points, strict=True)
    } == by_hand


def test_influence_of_shares_by_hand():
    """event_time(0): θ = 8/3 and 3 with p 3/4, 1/4; a village adds (W_v2·3 − W_v3·9)/4² × θ…

    Share part of ψ_v: Σ_g θ_g (W_vg/4 − p_g W_v/4): v0 has W 2 of cohort 2:
    2/4·(8/3 − 11/4) = −1/24; v1 −1/48; v2 has 1 of cohort 3: 1/4·(3 − 11/4) = 1/16.
    Effects: ψ of ATT(2,2) as above; of ATT(3,3): v2 0 (alone), controls −(4 − 2·2)/3 = 0, 0.
    """
    found = aggregate.aggregate(group_time.estimate(HAND), HAND).select(
        aggregation="event_time", at=0
    )
    effects = 3 / 4 * np.array([-2, 2, 0, -2, 2]) / 9
    shares = np.array([-1 / 24, -1 / 48, 1 / 16, 0, 0])
    np.testing.assert_allclose(found.influence[:, 0], effects + shares, atol=1e-14)


def test_strata_by_hand():
    """Stratum 0: treated 3 per household on 1, control 1; stratum 1: treated 5 on 3, control 4.

    θ = 2 and 1, weights 1/4 and 3/4 → 5/4; without strata 18/4 − 3/1 … differs.
    """
    table = tiny(
        [2, 2, 0, 0], [[0, 3], [0, 15], [0, 2], [0, 4]], n=[1, 3, 2, 1], stratum=[0, 1, 0, 1]
    )
    assert group_time.estimate(table).points[0] == pytest.approx(5 / 4, rel=1e-14)


def test_same_village_by_hand():
    """v0: treated 6, untreated 2 → 4; v1: treated 5 (2 households: 10), untreated 4 → 1.

    Weights 1 and 2: (4 + 2)/3 = 2; v2's treated household has no neighbour: left out, counted.
    """
    table = tiny(
        [2, 0, 2, 0, 2, 0],
        [[0, 6], [0, 2], [0, 10], [0, 4], [0, 9], [0, 100]],
        n=[1, 1, 2, 1, 1, 1],
        village=[0, 0, 1, 1, 2, 3],
    )
    found = group_time.estimate(table, Comparison(where="same_village"))
    assert found.points[0] == pytest.approx(2, rel=1e-14)
    assert found.n_left_out[0] == 1 and found.n_treated[0] == 3
    np.testing.assert_allclose(found.without[:, 0], [1, 4, 2, 2], rtol=1e-14)


def test_other_villages_leaves_neighbours_of_the_treated_out():
    """Untreated change is 2 beside the treated and 4 elsewhere; treated 6."""
    table = tiny([2, 0, 0], [[0, 6], [0, 2], [0, 4]], village=[0, 0, 1])
    assert group_time.estimate(table).points[0] == 2
    assert group_time.estimate(table, Comparison(where="anywhere")).points[0] == 3


def test_not_yet_treated_in_other_villages_means_a_village_untreated_so_far():
    """v1 has a household of cohort 3: in year 2 its never treated may serve, in year 3 not."""
    table = tiny([2, 3, 0, 0], [[0, 6, 6], [0, 1, 1], [0, 3, 3], [0, 4, 4]], village=[0, 1, 1, 2])
    found = group_time.estimate(table, Comparison("not_yet"))
    assert found.n_control[:2].tolist() == [3, 1]
    # In the village of the never treated alone for year 3; in year 2 (1 + 3 + 4)/3.
    np.testing.assert_allclose(found.points[:2], [6 - 8 / 3, 2], rtol=1e-14)


def test_anticipation_counts_for_neighbours_too():
    """v1 is treated from year 4 and may act in year 3 already: only v2 is clean for ATT(3, 3).

    Base is year 1 (3 − 1 − 1): treated 6, v2 4 → 2; with v1's never treated it were 6 − 3 = 3.
    """
    table = tiny(
        [3, 4, 0, 0], [[0, 9, 6, 6], [0, 0, 1, 1], [0, 0, 2, 2], [0, 0, 4, 4]], village=[0, 1, 1, 2]
    )
    found = group_time.estimate(table, Comparison("not_yet", anticipation=1))
    assert found.select(cohort=3, period=3).points.tolist() == [2]


def test_gaps_between_periods():
    """Years 1, 3, 6: cohort 5 is compared with year 3, cohort 3 with year 1."""
    table = replace(tiny([3, 5, 0], [[0, 1, 4], [0, 1, 7], [0, 0, 1]]), periods=np.array([1, 3, 6]))
    found = group_time.estimate(table)
    assert [(k.cohort, k.period, k.base) for k in found.keys] == [
        (3, 3, 1),
        (3, 6, 1),
        (5, 3, 1),
        (5, 6, 3),
    ]
    assert found.points.tolist() == [1, 3, 1, 5]


# ---- every village left out: by estimating again without it --------------------------------------


HOWS = {
    "anywhere": Comparison(where="anywhere"),
    "not yet": Comparison("not_yet"),
    "same village": Comparison("never", "same_village"),
    "universal": Comparison("not_yet", "anywhere", "universal", 1),
}


@pytest.mark.parametrize("handling", ["balanced", "pairs", "cross_sections"])
@pytest.mark.parametrize(
    ("level", "how", "strata"),
    [
        (level, how, strata)
        for level in ("village", "household")
        for how in HOWS
        for strata in (False, True)
        if (level, how) != ("village", "same village")
    ],
)
def test_without_a_village_is_the_estimate_from_the_others(
    panel, make_table, handling, level, how, strata
):
    """Oracle: the same estimator on the households of all other villages."""
    data, how = panel(level, handling, weighted=True, strata=strata), HOWS[how]
    table = make_table(data, handling)
    found = group_time.estimate(table, how)
    sums = aggregate.aggregate(found, table)
    compared = 0
    for village in (0, 5, 7):
        rest = make_table(data.filter(pl.col("village") != village), handling)
        again = group_time.estimate(rest, how)
        for one, two in ((found, again), (sums, aggregate.aggregate(again, rest))):
            there = dict(zip(two.keys, two.points, strict=True))
            for k, key in enumerate(one.keys):
                own = one.without[village, k]
                compared += not np.isnan(own)
                if not np.isnan(own):
                    assert own == pytest.approx(there[key], rel=1e-9, abs=1e-7), (village, key)
    assert compared > 0


def test_a_stratum_that_only_one_village_holds_has_no_interval():
    """v0 alone is treated in stratum 0: no estimate without it; the set says so."""
    table = tiny(
        [2] * 5 + [0] * 8,
        [[0, v] for v in (3, 5, 6, 7, 8, 1, 2, 2, 4, 1, 2, 3, 5)],
        stratum=[0, 1, 1, 1, 1, 0, 1, 1, 0, 1, 1, 1, 1],
    )
    found = group_time.estimate(table)
    assert np.isnan(found.without[0, 0]) and np.isnan(found.std_errors[0])
    assert "alone" in found.notes[0]
    assert np.isfinite(found.under("parity").std_errors[0])


def test_under_four_clusters_there_is_no_interval_but_a_way_out():
    """By hand: cohort 2 has weights 2 and 1: effective 9/5 = 1.8; never treated as well."""
    found = group_time.estimate(HAND)
    assert np.isnan(found.std_errors).all()
    assert found.effective_clusters[:, 0].tolist() == [1.8, 1.8]
    assert found.max_leverage[0] == pytest.approx(2 / 3)
    assert found.notes[0] == (
        "no interval: fewer than 4 clusters in an arm (2 treated and 2 control);"
        " randomisation inference (.randomise()) if clusters were assigned at random, else not"
        " estimable"
    )
    assert "fewer than 4" in str(next(found.effects()))
    # Treated beside untreated households of the village: villages cannot be exchanged.
    inside = tiny(
        [2, 0, 2, 0, 2, 0], [[0, v] for v in (3, 1, 5, 2, 4, 2)], village=[0, 0, 1, 1, 2, 2]
    )
    beside = group_time.estimate(inside, Comparison(where="same_village"))
    assert beside.notes[0].endswith("(3 treated and 3 control); not estimable")


def test_four_of_forty_alike_have_the_degrees_of_their_own_variance():
    """By hand: ((1/3) + (1/35))² / ((1/3)³ + (1/35)³), four treated against thirty-six."""
    table = tiny([2] * 4 + [0] * 36, [[0, v % 7] for v in range(40)])
    found = group_time.estimate(table)
    right = (1 / 3 + 1 / 35) ** 2 / ((1 / 3) ** 3 + (1 / 35) ** 3)
    assert found.degrees[0] == pytest.approx(right, rel=1e-12)
    assert found.notes == ("",)


@pytest.mark.parametrize("base", [1.0, 1e6])
def test_no_variance_is_no_certainty(base):
    """Every village changes alike, or nobody is poor: no interval, in either convention."""
    paths = [[base * v, base * v + 3.0 * (v < 5)] for v in range(1, 11)]
    found = group_time.estimate(tiny([2] * 4 + [0] * 6, paths))
    for one in (found, found.under("parity")):
        assert found.points.item() == pytest.approx(3)
        assert np.isnan(one.std_errors).all()
        assert "no village varies" in one.notes[0]
        (row,) = one.to_frame(band=True).iter_rows(named=True)
        assert np.isnan([row["ci_low"], row["ci_high"], row["band_low"], row["band_high"]]).all()


# ---- sums and stacks -----------------------------------------------------------------------------


def test_sources_add_up_to_the_total_in_points_influence_and_covariance(panel, make_table):
    """Law: two parts that add up to income, as two more outcomes."""
    data = panel("household", weighted=True)
    data = data.with_columns(part=pl.col("income") % 1000, rest=pl.col("income") // 1000 * 1000)
    tables = [make_table(data, outcome=name) for name in ("part", "rest", "income")]
    joint = replace(
        tables[0],
        outcomes=("part", "rest", "income"),
        total=np.concatenate([t.total for t in tables], axis=-1),
    )
    how = Comparison(where="anywhere")
    for found in (
        group_time.estimate(joint, how),
        aggregate.aggregate(group_time.estimate(joint, how), joint),
    ):
        k = len(found) // 3
        for name in ("points", "influence", "without"):
            values = getattr(found, name)
            total = values[..., :k] + values[..., k : 2 * k]
            np.testing.assert_allclose(total, values[..., 2 * k :], atol=1e-8)
        cov = found.covariance
        parts = cov[:k, :k] + cov[:k, k : 2 * k] + cov[k : 2 * k, :k] + cov[k : 2 * k, k : 2 * k]
        np.testing.assert_allclose(parts, cov[2 * k :, 2 * k :], rtol=1e-8, atol=1e-6)


def test_sets_of_different_villages_stack(panel, make_table):
    """Two programmes: villages are matched by name, blocks of covariance stay what they were."""
    one = group_time.estimate(make_table(panel("village"))).select(cohort=2016)
    some = panel("household").filter(pl.col("village") > 3)
    two = group_time.estimate(make_table(some), Comparison("not_yet")).select(cohort=2017)
    both = stack(one, two)
    k = len(one)
    np.testing.assert_allclose(both.covariance[:k, :k], one.covariance, rtol=1e-12)
    np.testing.assert_allclose(both.covariance[k:, k:], two.covariance, rtol=1e-12)
    assert np.nanmax(np.abs(both.covariance[:k, k:])) > 0


def test_frame_and_text_say_what_was_compared(panel, make_table):
    found = group_time.estimate(make_table(panel("village")))
    frame = found.to_frame(band=True)
    assert frame.height == len(found)
    assert (frame["band_low"] < frame["ci_low"]).all()
    assert frame["n_villages_treated"].unique().to_list() == [9]
    text = repr(found)
    assert "never treated, other villages" in text and "CV3" in text
    assert "<p>" in found._repr_html_()


# ---- refusals ------------------------------------------------------------------------------------


def refused(call, *words):
    with pytest.raises(FaultsError) as caught:
        call()
    for word in words:
        assert word in str(caught.value)


def test_refusals_are_in_the_users_words():
    refused(lambda: tiny([2, 0], [[1], [2]]), "one period only")
    refused(lambda: tiny([2, 0], [[1, np.inf], [2, 3]]), "income", "infinite")
    refused(lambda: tiny([2, 0], [[1, np.nan], [2, 3]]), "missing")
    refused(lambda: group_time.estimate(tiny([2, 0], [[5, 5], [5, 5]])), "same everywhere")
    refused(lambda: group_time.estimate(tiny([0, 0], [[1, 5], [2, 5]])), "no household is treated")
    refused(lambda: group_time.estimate(tiny([1, 0], [[1, 5], [2, 5]])), "from the first period on")
    refused(lambda: group_time.estimate(tiny([2, 3], [[1, 5], [2, 5]])), "not yet treated")
    refused(
        lambda: group_time.estimate(tiny([2, 2], [[1, 5], [2, 5]]), Comparison("not_yet")),
        "no control is left",
    )
    refused(
        lambda: group_time.estimate(tiny([2, 0], [[1, 5], [2, 5]], village=[0, 0])),
        "no control is left",
        "same village",
    )
    refused(
        lambda: group_time.estimate(
            tiny([2, 0], [[1, 5], [2, 5]]), Comparison(where="same_village")
        ),
        "no control",
    )
    refused(
        lambda: group_time.estimate(tiny([2, 0], [[1, 5], [2, 5]], stratum=[0, 1])),
        "a stratum has no controls: s0",
    )
    refused(lambda: Comparison(anticipation=-1), "anticipation")
    refused(lambda: Comparison(base="last"), "universal")  # type: ignore[arg-type]


def test_a_cohort_treated_in_the_first_period_is_dropped_and_counted():
    """v0 is treated from year 1: its 2 households × 3 years are left out, with the reason."""
    table = tiny([1, 2, 0], [[9, 9, 9], [0, 5, 5], [0, 1, 1]], n=[2, 1, 1])
    found = group_time.estimate(table)
    assert {key.cohort for key in found.keys} == {2}
    assert found.about.left_out == {rows_used.TOO_EARLY: 6}
    assert (found.about.rows_in, found.about.rows_used) == (12, 6)


def test_without_never_treated_the_last_cohort_is_only_a_control():
    """Cohort 3 is never compared after year 2, and nothing is asked of it."""
    table = tiny([2, 2, 3, 3], [[0, 4, 9], [0, 6, 9], [0, 1, 9], [0, 2, 9]])
    found = group_time.estimate(table, Comparison("not_yet"))
    assert [key.estimand for key in found.keys] == ["group_time(2, 2)"]
    assert found.points[0] == pytest.approx(3.5) and not found.missing


def test_an_effect_that_lacks_controls_is_missing_with_its_reason_and_so_are_its_sums():
    """Not yet treated in stratum s0 are gone in year 3; never treated live in s1 only."""
    table = tiny([2, 3, 2, 0], [[0, 4, 9], [0, 1, 9], [0, 6, 8], [0, 2, 3]], stratum=[0, 0, 1, 1])
    found = group_time.estimate(table, Comparison("not_yet"))
    assert {key.estimand: why for key, why in found.missing}["group_time(2, 3)"] == (
        "a stratum has no controls: s0"
    )
    sums = aggregate.aggregate(found, table, ("calendar", "simple"))
    assert [key.estimand for key in sums.keys] == ["calendar(2)"]
    assert any(key.aggregation == "simple" and "s0" in why for key, why in sums.missing)
