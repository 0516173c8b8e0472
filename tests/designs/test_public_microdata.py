"""Published numbers out of the public microdata, by the front door; fetched sets only where they are.

Printed values are those of the cards, which name the table and how it is known; where a table was
not opened, the number comes from an independent regression (statsmodels) that stands in the test.
"""

from __future__ import annotations

import re
from functools import cache

import numpy as np
import polars as pl
import pytest
import statsmodels.formula.api as smf

import analysis as va
from analysis.panels import cards, external
from analysis.panels.cards import Download
from analysis.panels.dataset import Dataset


@cache
def data(name: str) -> Dataset:
    """Return a data set, or skip by name where its file has not been fetched."""
    if isinstance(cards.get(name).source, Download) and external.available(name) is None:
        pytest.skip(f'{name} has not been fetched: make data ARGS="{name}"')
    return va.data(name)


def regression(frame: pl.DataFrame, formula: str, cluster: str = "", weight: str = ""):
    """Return an independent least-squares fit, with Stata's errors by cluster or HC2."""
    import pandas as pd

    frame = pd.DataFrame(frame.to_dict(as_series=False))
    words = set(re.findall(r"\w+", formula)) | {cluster, weight}
    names = [name for name in frame.columns if name in words]
    frame = frame.dropna(subset=names)
    weights = frame[weight] if weight else np.ones(len(frame))
    model = smf.wls(formula, frame, weights=weights)
    if not cluster:
        return model.fit(cov_type="HC2")
    groups = frame[cluster].astype("category").cat.codes
    return model.fit(cov_type="cluster", cov_kwds={"groups": groups})


AREAS = (
    "area_population",
    "area_debt",
    "area_businesses",
    "area_expenditure",
    "area_literate_heads",
    "area_literate",
)


@pytest.mark.parametrize("item", cards.get("hyderabad_full").published, ids=lambda item: item.id)
def test_hyderabad_gives_every_printed_number(item: cards.Published) -> None:
    """Banerjee et al. 2015, tables 3, 4, 6: point and error, as statsmodels clusters them."""
    households, weight = data("hyderabad_full"), f"weight{item.outcome[-1]}"
    fit = va.adjust(
        households,
        item.outcome,
        "treatment",
        AREAS,
        method="least_squares",
        cluster="area",
        weight=weight,
    )
    assert fit.effect.estimate == pytest.approx(item.estimate, abs=6e-4)
    other = regression(
        households, f"{item.outcome} ~ treatment + {' + '.join(AREAS)}", "area", weight
    )
    assert other.bse["treatment"] == pytest.approx(item.std_error, abs=6e-4)
    assert fit.effect.std_error > item.std_error  # the jackknife over areas is wider


@pytest.mark.parametrize(
    ("name", "outcome", "female"),
    [
        ("women-salary", "salary", 1),
        ("women-paid-work", "paid_work", 1),
        ("women-employment", "employed", 1),
        ("women-profit", "profit", 1),
    ],
)
def test_colombia_gives_the_printed_effects_on_women(name: str, outcome: str, female: int) -> None:
    """Attanasio, Kugler and Meghir 2011, table 4A: effects of courses; 2,267.55 is cut to 2,267."""
    printed = {item.id: item for item in cards.get("colombia_training").published}[name]
    lottery = pl.concat_str("city", "provider", "course", separator="/")
    women = data("colombia_training").with_columns(lottery=lottery).filter(female=female)
    women = women.drop_nulls("lottery")
    fit = va.rct(women, y=outcome, treatment="selected", strata="lottery")
    digits = 0.6 if printed.estimate > 1 else 0.0005
    assert fit.effect.estimate == pytest.approx(printed.estimate, abs=digits)


def test_bangladesh_gives_the_printed_effect_of_the_offer() -> None:
    """Bryan, Chowdhury and Mobarak 2014, table 3: 68.359 (30.593); household 92 left out."""
    frame = data("seasonal_migration").filter(pl.col("household") != 92)
    frame = frame.drop_nulls(["consumption", "village"])
    printed = cards.get("seasonal_migration").published[0]
    other = regression(frame, "consumption ~ incentive + C(upazila)", "village")
    assert other.params["incentive"] == pytest.approx(printed.estimate, abs=5e-4)
    assert other.bse["incentive"] == pytest.approx(printed.std_error, abs=5e-4)
    assert len(frame) == printed.n
    offer = va.rct(
        frame, y="consumption", treatment="incentive", strata="upazila", cluster="village"
    )
    assert offer.effect.estimate == pytest.approx(printed.estimate, abs=5e-4)


def test_chongqing_gives_the_authors_smallest_and_nearly_their_largest_number() -> None:
    """Ma, Sexton and Zhong 2026: two-way 0.018 (0.013), dose 0.046 (0.010), group-time 0.093."""
    land = data("land_coupons")
    post = (pl.col("first_year") > 0) & (pl.col("year") >= pl.col("first_year"))
    frame = land.with_columns(sold=post.cast(pl.Int64))
    fixed = " + C(county) + C(year)"
    two_way = regression(frame, f"log_rural_income ~ sold{fixed}", "county")
    dose = regression(frame, f"log_rural_income ~ log_area_sold{fixed}", "county")
    assert two_way.params["sold"] == pytest.approx(0.018, abs=5e-4)
    assert dose.params["log_area_sold"] == pytest.approx(0.046, abs=5e-4)
    about = {"y": "log_rural_income", "unit": "county", "time": "year", "first": "first_year"}
    never = va.did(land, **about, drop=[2012, 2014, 2017])
    assert never.account.rows_used == 240
    assert never.overall.estimate == pytest.approx(0.093, abs=0.005)
    later = va.did(
        land.filter(pl.col("first_year") > 0),
        **about,
        controls="not_yet",
        drop=[2012, 2014, 2017],
    )
    assert abs(later.overall.estimate) < 0.01 < never.overall.ci_low


@pytest.mark.parametrize(
    ("name", "outcome", "treatment", "expected", "error"),
    [
        # The second library's numbers, as the evidence of this project lists them.
        ("jtpa_women", "earnings", "offer", 1242.6, 358.862),
        ("job_corps", "earnings_year2", "offer", -2.27, 3.16),
        ("job_corps", "earnings_year3", "offer", 11.46, 3.44),
        ("job_corps", "earnings_year4", "offer", 16.06, 4.07),
        ("jtpa", "earnings", "offer", 1130.5, 352.7),
        ("pakistan_graduation", "consumption_endline", "treatment", 12.287, 3.753),
        ("pakistan_graduation", "consumption_followup", "treatment", 6.014, 3.616),
        ("nsw", "re78", "treat", 1794.3, 671.0),
    ],
)
def test_an_experiment_by_person_is_the_difference_with_its_error(
    name: str, outcome: str, treatment: str, expected: float, error: float
) -> None:
    """HC2 errors of statsmodels, to the digits shown; nsw as in Imbens and Rubin 2015, chapter 8."""
    fit = va.rct(data(name), y=outcome, treatment=treatment)
    digits = 10.0 ** -len(str(expected).split(".")[1])
    assert fit.effect.estimate == pytest.approx(expected, abs=0.6 * digits)
    assert fit.effect.std_error == pytest.approx(
        error, abs=0.6 * 10.0 ** -len(str(error).split(".")[1])
    )


@pytest.mark.parametrize(
    ("outcome", "expected"),
    [("profit_capped", 645.04), ("log_income", 0.1946), ("unpaid", 0.0614), ("income", 3622.0)],
)
def test_loan_terms_by_strata_and_group(outcome: str, expected: float) -> None:
    """Stratum dummies, as the evidence of this project lists them; the article was not opened."""
    other = regression(data("loan_terms"), f"{outcome} ~ grace + C(stratum)", "group")
    assert other.params["grace"] == pytest.approx(expected, rel=1e-4, abs=5e-5)
    fit = va.rct(
        data("loan_terms"), y=outcome, treatment="grace", strata="stratum", cluster="group"
    )
    assert fit.effect.estimate == pytest.approx(expected, rel=0.02)


def test_seed_kits_by_block_and_village() -> None:
    """Block effects: 277.2 (78.6) on 4,577 plots, as the evidence of this project lists it."""
    plots = data("rice_seed").drop_nulls(["village", "kit", "yield_ha"])
    assert plots.height == 4577
    other = regression(plots, "yield_ha ~ kit + C(block)", "village")
    assert other.params["kit"] == pytest.approx(277.2, abs=0.06)
    assert other.bse["kit"] == pytest.approx(78.6, abs=0.06)
    fit = va.rct(plots, y="yield_ha", treatment="kit", strata="block", cluster="village")
    assert fit.effect.ci_low < other.params["kit"] < fit.effect.ci_high


def test_progresa_by_village() -> None:
    """Difference of 497 villages: 88.9 (20.8) pesos, as the evidence of this project lists it."""
    after = data("progresa_after").with_columns(spending=pl.col("food") + pl.col("non_food"))
    fit = va.rct(after, y="spending", treatment="offer", cluster="village")
    assert fit.effect.estimate == pytest.approx(88.87, abs=0.005)
    assert (fit.account.n_clusters_treated, fit.account.n_clusters_control) == (311, 186)
    other = regression(after, "spending ~ offer", "village")
    assert other.bse["offer"] == pytest.approx(20.76, abs=0.005)


def test_winners_take_about_a_tenth_of_the_prize_as_less_work() -> None:
    """Imbens, Rubin and Sacerdote 2001: about −0.11 per dollar a year, from memory."""
    after = pl.mean_horizontal(f"after{year}" for year in range(2, 8))
    winners = data("lottery_winners").with_columns(after=after)
    winners = winners.filter(pl.col("winner") == 1, pl.col("prize") < 100)
    large = (pl.col("prize") > pl.col("prize").median()).cast(pl.Int64)
    winners = winners.with_columns(large=large)
    known = [f"before{year}" for year in range(1, 7)]
    fit = va.rct(winners, y="after", treatment="large", take_up="prize", covariates=known)
    assert winners.height == 194
    assert fit.effect_on_participants.ci_low < -0.11 < fit.effect_on_participants.ci_high
    assert fit.effect_on_participants.ci_high < 0


def test_the_cut_off_of_oportunidades() -> None:
    """Rdrobust's defaults: −24.0 (32.3) and 91.2 (58.5), as the evidence lists them."""
    for outcome, expected, error in (("consumption_1", -24.0, 32.3), ("consumption_2", 91.2, 58.5)):
        fit = va.rdd(data("oportunidades_cutoff"), outcome, "score", 0.0, treated_below=False)
        assert fit.effect.estimate == pytest.approx(expected, abs=0.1)
        assert fit.effect.std_error == pytest.approx(error, abs=0.1)


def test_women_of_the_experiment_against_a_survey() -> None:
    """The experiment: +821 (308), statsmodels; beside the survey the difference is −4,172."""
    women = data("nsw_women")
    trial = va.rct(women.filter(pl.col("lalonde") == 1), y="re79", treatment="treat")
    assert trial.effect.estimate == pytest.approx(821.49, abs=0.005)
    assert trial.effect.std_error == pytest.approx(307.89, abs=0.01)


def test_package_data_give_the_printed_jump_and_the_printed_share() -> None:
    """Huntington-Klein, The Effect: PANES 0.093 (0.044); Jiangxi 0.791 with a few covariates."""
    panes = va.rdd(data("panes"), "support", "score", 0.0, treated_below=True, method="quadratic")
    assert panes.effect.estimate == pytest.approx(0.093, abs=5e-4)
    assert panes.effect.std_error == pytest.approx(0.044, abs=1e-3)
    peers = va.rct(
        data("jiangxi_insurance"),
        y="takeup",
        treatment="default",
        take_up="first_round_takeup",
        strata="village",
        cluster="address",
    )
    assert peers.effect_on_participants.ci_low < 0.791 < peers.effect_on_participants.ci_high


@pytest.mark.parametrize(
    ("group", "method", "printed"),
    [
        ("nsw", "means", 1794),
        ("nsw", "least_squares", 1676),
        ("cps1", "means", -8498),
        ("cps1", "least_squares", 794),
        ("cps2", "means", -3822),
        ("cps3", "means", -635),
        ("cps3", "least_squares", 1369),
        ("psid1", "means", -15205),
        ("psid2", "means", -3647),
    ],
)
def test_surveys_in_place_of_controls_give_the_printed_numbers(
    group: str, method: str, printed: int
) -> None:
    """Angrist & Pischke 2009, table 3.3.3, with age squared; Dehejia & Wahba 1999, table 3."""
    nsw = data("nsw")
    trained = nsw.filter(pl.col("treat") == 1)
    people = nsw if group == "nsw" else trained.vstack(data(group).select(nsw.columns))
    people = pl.DataFrame(people).with_columns(age_squared=pl.col("age") ** 2)
    known = ("age", "age_squared", "educ", "black", "hisp", "marr", "nodegree", "re74", "re75")
    fit = va.adjust(people, "re78", "treat", known, method=method)
    assert round(fit.effect.estimate) == printed


def test_every_fetched_set_has_its_notebook() -> None:
    """One notebook a set; both files of PROGRESA share one, and a set kept for tests has none."""
    from analysis import paths

    text = "".join(
        path.read_text(encoding="utf-8")
        for path in (paths.root() / "notebooks/data").glob("*.ipynb")
    )
    without = {name for name in external.catalogue() if f'data(\\"{name}\\")' not in text}
    assert without == {"hyderabad_spandana", "mpdta"}
