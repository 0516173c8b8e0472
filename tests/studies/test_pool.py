"""What may be in one mean, what is counted beside it, and the rating."""

import math

import numpy as np
import polars as pl
import pytest

import analysis as va
from analysis.faults import FaultsError
from analysis.studies.bayesian import Prior
from analysis.studies.by_programme import summary_by_programme
from analysis.studies.estimates import tables
from analysis.studies.random_effects import random_effects
from analysis.studies.rating import legend, rating_of


@pytest.fixture(scope="module")
def credit():
    return va.pool(va.studies("credit_funds"), outcome="consumption")


def test_the_credit_mean_by_hand(credit):
    """Per cent and error of six trials, three errors times 1.8; weights by precision."""
    rows = [
        (26.84, 1.8 * 19.98, 1478.9),
        (55484.24, 1.8 * 24367.52, 308041.6),
        (-120.28, 448.1, 4568.4),
        (10.243, 37.217, 1419.23),
        (-27.11, 1.8 * 55.63, 3024.9),
        (0.0029, 0.03, 1.0557),
    ]
    y = np.array([100 * b / m for b, _, m in rows])
    w = np.array([(m / (100 * s)) ** 2 for _, s, m in rows])
    mean = (w @ y) / w.sum()
    assert w @ (y - mean) ** 2 < 5  # no spread between the trials, so the factor is raised to one
    assert credit.mean.value == pytest.approx(mean)
    assert credit.mean.ci_low == pytest.approx(mean - 2.570582 / math.sqrt(w.sum()), rel=1e-5)
    assert credit.n_studies.value == 6
    assert credit.n_randomised == 6


def test_every_row_given_is_used_or_counted(credit):
    account = credit.account
    assert account.rows_in == account.rows_used + sum(account.left_out.values())


def test_a_result_of_the_family(credit):
    assert credit.mean.provenance.evidence == "published"
    assert "data/studies/estimates.csv" in str(credit.mean.provenance.inputs[0])
    assert credit.tidy()["term"].to_list() == ["mean", "prediction"]
    assert "6 used" in repr(credit)
    assert credit.weights["weight"].sum() == pytest.approx(1)
    assert credit.leave_one_out.height == 6
    assert credit.by_setting["n_studies"].sum() == 6
    assert credit.funnel.height == 6
    assert credit.plot().get_xlabel()


def test_leaving_one_out_is_pooling_the_rest(credit):
    rest = credit.studies.filter(pl.col("study") != "mexico_compartamos")
    fit = random_effects(rest["effect"].to_numpy(), rest["std_error"].to_numpy())
    row = credit.leave_one_out.row(
        by_predicate=pl.col("left_out") == "mexico_compartamos", named=True
    )
    assert row["mean"] == pytest.approx(fit.mean)


def test_income_and_consumption_are_never_mixed():
    with pytest.raises(FaultsError, match="never in one mean"):
        va.pool(va.studies("credit_funds"))


def test_programmes_are_never_mixed():
    with pytest.raises(FaultsError, match="several programmes"):
        va.pool(va.studies(), outcome="consumption")


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"effect": "participation"}, "effect is not of the offer"),
        ({"effect": "dose"}, "effect is not of the offer"),
        ({"subgroup": "women"}, "part of a sample, not whole"),
        ({"comparison": "other_arm"}, "compared with something else than no programme"),
        ({"risk_of_bias": "matched_cross_section"}, "another design"),
        ({"usable": "no"}, "known from memory, a third party, or with an error"),
        ({"primary": "no"}, "another estimate stands for the study"),
        ({"error": None}, "no standard error"),
        ({"percent": None}, "no per cent: the mean of the comparison is missing"),
    ],
)
def test_each_reason_alone_keeps_a_row_out(credit, change, reason):
    """One of the six trials is changed in one column, and is counted under that reason."""
    before = credit.account.left_out
    name, value = next(iter(change.items()))
    frame = va.studies("credit_funds").frame
    chosen = pl.col("id") == "morocco_consumption"
    changed = frame.with_columns(
        pl.when(chosen)
        .then(pl.lit(value))
        .otherwise(pl.col(name).cast(pl.String) if isinstance(value, str) else pl.col(name))
        .alias(name)
    )
    after = va.pool(changed, outcome="consumption")
    assert after.n_studies.value == 5
    key = next(k for k in after.account.left_out if k.startswith(reason))
    assert after.account.left_out[key] == before.get(key, 0) + 1


def test_arms_of_one_trial_are_one_study():
    """Ghana, cash 14.50 (8.68) and in kind 38.60 (11.21) of 121.15: means of both, errors too."""
    pooled = va.pool(va.studies("industry"), outcome="profit")
    assert pooled.n_studies.value == 1
    assert pooled.mean.value == pytest.approx(100 * (14.5 + 38.6) / 2 / 121.15)
    assert pooled.mean.std_error == pytest.approx(100 * (8.68 + 11.21) / 2 / 121.15)
    assert pooled.prediction.note == "fewer than three studies"


def test_logarithms_are_pooled_as_such():
    """Chongqing 0.018 (0.013): 100 (exp(0.018) − 1) and ends exp(0.018 ∓ 1.96 × 0.013)."""
    pooled = va.pool(
        va.studies("land"), outcome="area_income", effect="area", designs=("panel_comparison",)
    )
    assert pooled.scale == "log"
    assert pooled.mean.value == pytest.approx(100 * (math.exp(0.018) - 1))
    assert pooled.mean.ci_low == pytest.approx(
        100 * (math.exp(0.018 - 1.959964 * 0.013) - 1), rel=1e-4
    )


def test_dependent_estimates_are_three_levels():
    pooled = va.pool(va.studies("paired_assistance"), outcome="consumption", dependent=True)
    assert pooled.account.rows_used > pooled.n_studies.value
    assert pooled.tidy()["term"].to_list()[-1] == "mean, cluster-robust"
    assert pooled.descriptive


def test_a_frame_of_ones_own():
    frame = pl.DataFrame(
        {
            "study": ["a", "b", "c", "d"],
            "estimate": [1.0, 2.0, None, 4.0],
            "std_error": [1.0, 1.0, 1.0, 1.0],
        }
    )
    pooled = va.pool(frame, prior=Prior(0, 10, 5))
    assert pooled.mean.value == pytest.approx(7 / 3)
    assert pooled.account.left_out == {"without estimate or error": 1}
    assert pooled.provenance.evidence == "yours"
    assert pooled.predictive().sd > 0
    with pytest.raises(FaultsError, match="no prior"):
        va.pool(frame).predictive()


@pytest.mark.parametrize(
    ("frame", "problem"),
    [
        (pl.DataFrame({"study": ["a"], "estimate": [1.0]}), "column missing"),
        (pl.DataFrame({"study": ["a"], "estimate": [1.0], "std_error": [0.0]}), "not positive"),
        (
            pl.DataFrame(
                {
                    "study": ["a", "b"],
                    "estimate": [1.0, 2.0],
                    "std_error": [1.0, 1.0],
                    "outcome": ["income", "consumption"],
                }
            ),
            "several outcomes",
        ),
    ],
)
def test_a_frame_that_cannot_be_pooled_is_refused(frame, problem):
    with pytest.raises(FaultsError, match=problem):
        va.pool(frame)


def test_what_the_household_room_takes():
    ahead = va.pool(va.studies("training"), outcome="earnings").predictive()
    assert (ahead.outcome, ahead.effect, ahead.rating) == ("earnings", "offer", "low")
    assert ahead.quantile(0.1) < ahead.mean < ahead.quantile(0.9)
    assert ahead.provenance.evidence == "published"
    assert ahead.quantiles().height == 199


def test_the_prior_matters_less_with_more_studies(credit):
    """Two studies: doubling the scales widens the prediction by half or more; six: under a fifth."""

    def growth(pooled):
        rows = pooled.prior_sensitivity
        width = (rows["predictive_high"] - rows["predictive_low"]).to_list()
        return width[2] / width[1]

    two = va.pool(va.studies("paired_assistance"), outcome="consumption")
    assert two.mostly_prior
    assert not credit.mostly_prior
    assert "mostly the prior's" in repr(two)
    assert "mostly the prior's" not in repr(credit)
    assert growth(two) > 1.4
    assert growth(credit) < 1.2


@pytest.mark.parametrize(
    ("programme", "outcome", "rating"),
    [
        # six trials that agree within 3 per cent either way; none of rural China: one step
        ("credit_funds", "consumption", "moderate"),
        # five trials that agree; none of rural China, none rural: two steps
        ("training", "earnings", "low"),
        # two trials: one step and at most low; none of rural China: two steps
        ("paired_assistance", "consumption", "low"),
        # one trial
        ("jobs_migration", "consumption", "very_low"),
        # not randomised
        ("land", "area_income", "very_low"),
        ("targeting_area", "consumption", "very_low"),
        # matched comparisons only
        ("cooperatives", "household_income", "none"),
    ],
)
def test_the_rule_by_hand(programme, outcome, rating):
    assert va.rate(va.studies(programme), outcome=outcome).rating == rating


def test_the_width_is_that_of_the_error_and_not_of_few_studies():
    """Two trials of 7.1 and 9.9 per cent: 1.96 errors are within ten, the printed interval not."""
    rated = va.rate(va.studies("paired_assistance"), outcome="consumption")
    row = rated.conditions.row(by_predicate=pl.col("criterion") == "imprecision", named=True)
    studies = rated.pooled.studies
    y, w = studies["effect"].to_numpy(), 1 / studies["std_error"].to_numpy() ** 2
    assert w @ (y - w @ y / w.sum()) ** 2 < 1  # agree, so that the error is that of the weights
    assert row["value"] == pytest.approx(1.959964 / math.sqrt(w.sum()), rel=1e-5)
    assert (row["threshold"], row["fails"]) == (10, False)
    assert (rated.pooled.mean.ci_high - rated.pooled.mean.ci_low) / 2 > 10
    profit = va.rate(va.studies("credit_funds"), outcome="profit")
    row = profit.conditions.row(by_predicate=pl.col("criterion") == "imprecision", named=True)
    assert row["value"] == pytest.approx(1.959964 * profit.pooled.mean.std_error, rel=1e-6)
    assert row["fails"]


def test_moderate_stands_on_half_of_the_trials_and_not_on_widened_errors():
    """The page on loans says so: half are rural, as the rule asks; three errors are widened."""
    loans = va.studies("credit_funds")
    rated = va.rate(loans, outcome="consumption")
    row = rated.conditions.row(by_predicate=pl.col("criterion") == "mostly_not_rural", named=True)
    assert row["value"] == row["threshold"] == 0.5
    used = loans.where(pl.col("id").is_in(rated.pooled.studies["id"].implode()))
    assert used.frame.filter(pl.col("se_multiplier") == 1.8).height == 3
    plain = pl.col("percent_se") / pl.col("se_multiplier")
    printed = va.pool(loans.frame.with_columns(percent_se=plain), outcome="consumption")
    assert rating_of(printed) == rated.rating == "moderate"
    assert printed.mean.std_error < rated.pooled.mean.std_error


def test_a_rating_names_what_would_raise_it():
    rated = va.rate(va.studies("training"), outcome="earnings")
    assert rated.raises == ("a study in rural China", "studies in rural areas")
    assert str(rated.word) == "low"
    none = va.rate(va.studies("cooperatives"), outcome="household_income")
    assert str(none.word) == "none in this library"
    assert none.associations.height >= 1
    assert none.pooled is None


def test_estimates_without_an_error_are_a_range_and_never_a_mean():
    """Graduation in Bangladesh 11 per cent and in Balkh 24 of 80: no errors were printed."""
    rated = va.rate(va.studies("paired_assistance"), outcome="consumption")
    held = dict(rated.without_error.select("id", "percent").iter_rows())
    assert held == {"bangladesh_consumption": 11.0, "balkh": 30.0}
    assert not set(held) & set(rated.pooled.studies["id"])


def test_the_legend_has_four_rows_in_order():
    rows = legend()
    assert rows["rating"].to_list() == ["high", "moderate", "low", "very_low"]
    assert tables().ratings["most_steps"].is_sorted()


def test_the_summary_has_a_first_line_for_each_programme():
    rows = summary_by_programme()
    first = rows.filter("first")
    assert first["programme"].to_list() == tables().programmes["id"].to_list()
    assert (
        rows.filter(pl.col("rating") == "none")["mean"].null_count()
        == rows.filter(pl.col("rating") == "none").height
    )
    lines = dict(first.select("programme", "outcome_family").iter_rows())
    assert lines["credit_funds"] == "consumption"
    assert lines["paired_assistance"] == "consumption"


def test_the_table_of_sensitivity_repeats_what_the_pool_knows():
    """Rows of the table are the pool's own numbers: mean, priors, each study left out, kinds."""
    pooled = va.pool(va.studies("training"), outcome="earnings", effect="offer")
    data = pooled.sensitivity().data
    assert data["mean"][0] == pooled.mean.value
    assert data["predictive_high"][2] == pytest.approx(pooled.predictive().interval()[1])
    left = data.filter(pl.col("change").str.starts_with("without"))
    assert left["mean"].to_list() == pooled.leave_one_out["mean"].to_list()
    assert left["change"].n_unique() == left.height == pooled.studies.height
    assert data.height == 4 + left.height + pooled.by_subtype.height
