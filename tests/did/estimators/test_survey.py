"""Errors by primary sampling unit in design strata: by hand, diff-diff, and what is refused."""

from dataclasses import replace

import numpy as np
import polars as pl
import pytest
from diff_diff import CallawaySantAnna, SurveyDesign

from analysis.did.estimators import group_time, survey
from analysis.did.estimators.group_time import Comparison
from analysis.did.estimators.table import Table
from analysis.faults import FaultsError
from analysis.panels import schemas
from analysis.panels.account import Account
from analysis.panels.panel import Panel


def panel_of(rows):
    """A panel of these households: village, primary sampling unit, design stratum."""
    homes = pl.LazyFrame(
        [
            {
                "household": f"h{i}",
                "village": v,
                "size_baseline": 1,
                "weight": 1.0,
                "weight_type": "none",
                "stratum": "all",
                "primary_sampling_unit": u,
                "design_stratum": s,
            }
            for i, (v, u, s) in enumerate(rows)
        ],
        schema=schemas.polars_schema("households"),
    )
    empty = {name: schemas.empty(name).lazy() for name in ("villages", "income", "participation")}
    return Panel(name="by hand", tier="yours", account=Account(0, 0), households=homes, **empty)


def test_by_hand():
    """Six villages, one household each; treated a, b, c, d with changes 4, 8, 5, 7, control e, f: 1, 3.

    ψ of the treated (D − 6)/4: −1/2, 1/2, −1/4, 1/4; of controls −(D − 2)/2: 1/2, −1/2. Units:
    {a, c}, {b} and {e} in stratum 1: −3/4, 1/2, 1/2, mean 1/12; {d} and {f} in stratum 2: 1/4,
    −1/2, mean −1/8. V = 3/2 · (100 + 25 + 25)/144 + 2 · (9/64 + 9/64) = 25/16 + 9/16 = 17/8.
    """
    one = np.ones((6, 2), int)
    change = np.array([4.0, 8, 5, 7, 1, 3])
    table = Table(
        villages=tuple("abcdef"),
        strata=("s",),
        outcomes=("total",),
        periods=np.array([1, 2]),
        village=np.arange(6),
        cohort=np.array([2, 2, 2, 2, 0, 0]),
        stratum=np.zeros(6, int),
        n=one,
        weight=one * 1.0,
        n_ever=one[:, 0],
        weight_ever=one[:, 0] * 1.0,
        total=np.stack([np.zeros(6), change], 1)[..., None],
    )
    found = group_time.estimate(table)
    units = {"a": "north", "c": "north", "b": None, "d": None, "e": None, "f": None}
    strata = {v: "2" if v in "df" else "1" for v in "abcdef"}
    sample = survey.of_panel(panel_of([(v, units[v], strata[v]) for v in "abcdef"]))
    assert sample.psu["a"] == sample.psu["c"] == "north" and sample.psu["b"] == "b"
    frame = survey.to_frame(found, sample)
    assert frame["std_error"].item() ** 2 == pytest.approx(17 / 8, rel=1e-12)
    assert frame.select("n_units", "n_strata", "degrees").row(0) == (5, 2, 3.0)
    # t with three degrees of freedom, from a table: 3.182.
    half = frame["ci_high"].item() - frame["estimate"].item()
    assert half == pytest.approx(3.182 * np.sqrt(17 / 8), rel=2e-4)


@pytest.mark.parametrize("weighted", [False, True])
def test_diff_diff_with_a_survey_design(panel, make_table, weighted):
    """Units of three villages in two strata, no factor; every group-time effect."""
    pandas = pytest.importorskip("pandas", reason="comes with statsmodels")
    data = panel("village", weighted=weighted)
    number = pl.col("village")
    data = data.with_columns(psu=number // 3, h=(number // 3) % 2)
    table = make_table(data)
    data = data.filter(pl.len().over("household") == table.periods.size)
    found = group_time.estimate(table, Comparison(where="anywhere"))
    names = {str(v): v for v in range(36)}
    covariance = found.design_covariance(
        {n: str(v // 3 % 2) for n, v in names.items()}, {n: str(v // 3) for n, v in names.items()}
    )
    columns = ["household", "period", "income", "cohort", "psu", "h", "weight"]
    fit = CallawaySantAnna(estimation_method="reg").fit(
        pandas.DataFrame(data.select(columns).to_dict(as_series=False)),
        "income",
        "household",
        "period",
        "cohort",
        survey_design=SurveyDesign(weights="weight", strata="h", psu="psu"),
    )
    errors = np.sqrt(np.diag(covariance))
    checked = 0
    for k, key in enumerate(found.keys):
        theirs = fit.group_time_effects.get((key.cohort, key.period))
        if theirs is None:
            continue
        assert found.points[k] == pytest.approx(theirs["effect"], rel=1e-8)
        assert errors[k] == pytest.approx(theirs["se"], rel=1e-6)
        checked += 1
    assert checked == len(found)


def test_a_village_alone_is_its_own_unit(panel, make_table):
    found = group_time.estimate(make_table(panel("village")))
    strata = {name: str(int(name) % 2) for name in found.villages}
    own = found.design_covariance(strata, {name: name for name in found.villages})
    np.testing.assert_array_equal(own, found.design_covariance(strata))


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([("v", "a", None), ("v", "b", None)], "cuts through a village"),
        ([("v", "a", None), ("v", None, None)], "cuts through a village"),
        ([("v", None, "x"), ("w", None, None)], "some households have no design stratum"),
    ],
)
def test_what_cells_cannot_tell_is_refused(rows, message):
    with pytest.raises(FaultsError, match=message):
        survey.of_panel(panel_of(rows))


def test_units_numbered_inside_strata_are_taken_together_with_them():
    """Unit 1 of stratum A and unit 1 of stratum B are two; a unit of one stratum keeps its name."""
    rows = [("a1", "1", "A"), ("a2", "2", "A"), ("b1", "1", "B"), ("b3", "3", "B")]
    sample = survey.of_panel(panel_of(rows))
    assert sample.psu == {"a1": "A / 1", "a2": "2", "b1": "B / 1", "b3": "3"}


def test_a_panel_without_a_design_is_one_stratum_of_villages():
    sample = survey.of_panel(panel_of([("v", None, None), ("w", None, None), ("w", None, None)]))
    assert sample == survey.Sample({"v": "v", "w": "w"}, {"v": "all", "w": "all"})


def test_a_sample_that_does_not_fit_is_refused(panel, make_table):
    found = group_time.estimate(make_table(panel("village")))
    every = dict.fromkeys(found.villages, "x")
    with pytest.raises(ValueError, match="no sampling unit for the villages 0"):
        found.design_covariance(every, {})
    with pytest.raises(ValueError, match="lies in two design strata"):
        found.design_covariance({**every, "3": "y"}, every)
    lonely = replace(survey.Sample(every, every), psu=every)
    with pytest.raises(ValueError, match="have one"):
        survey.to_frame(found, lonely)
