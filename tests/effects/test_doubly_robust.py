"""Doubly robust effects against csdid and drdid, by hand case, and what is refused.

The reference is stored: benchmarks/parity/doubly_robust.py wrote it. Over time, points agree with
csdid to 1e-8 of the largest of their design and errors to 1e-6 relative, without a factor; other
households in each period, which diff-diff estimates, to 1e-5.
"""

import numpy as np
import polars as pl
import pytest

from analysis import paths
from analysis.designs import propensity as regression
from analysis.designs import sample
from analysis.effects import aggregate, doubly_robust, households
from analysis.effects.group_time import Comparison
from analysis.faults import FaultsError

FOLDER = paths.data() / "validation" / "parity"
RESULTS = pl.read_csv(FOLDER / "doubly_robust.csv", infer_schema_length=None)
AGREE = {"balanced": (1e-8, 1e-6), "cross_sections": (1e-5, 1e-5)}
"""Points and errors."""


def panel(handling="balanced"):
    number = pl.col("household")
    data = pl.read_parquet(FOLDER / "panel.parquet").with_columns(
        cohort=pl.col("cohort_village"),
        age=25 + number * 37 % 41 + 0.5 * (number % 3),
        land=number * 53 % 29 / 4 + 0.1 * (number % 7),
    )
    return data.filter("seen") if handling == "cross_sections" else data


def prepared(data, **more):
    return households.prepare(data, "income", ["age", "land"], **more)


def designs():
    csdid = RESULTS.filter(pl.col("package").str.starts_with("csdid"))
    parts = csdid.group_by("design", maintain_order=True)
    return [pytest.param(part, id=f"design {number}") for (number,), part in parts]


@pytest.mark.parametrize("part", designs())
def test_csdid(part):
    design = part.row(0, named=True)
    units = prepared(
        panel(design["handling"]),
        cross_sections=design["handling"] == "cross_sections",
        weight="weight" if design["weighted"] else "",
    )
    how = Comparison(
        controls=design["controls"],
        where="anywhere",
        base=design["base"],
        anticipation=design["anticipation"],
    )
    found = doubly_robust.estimate(units, how, leave_out=False)
    added = aggregate.aggregate(found, households.table(units), ("simple",))
    own = pl.DataFrame(
        [
            (k.cohort, k.period, float(p), float(e))
            for one in (found, added.under("parity"))
            for k, p, e in zip(one.keys, one.points, one.std_errors, strict=True)
        ],
        schema=["cohort", "period", "own", "own_error"],
        orient="row",
    )
    both = part.join(own, on=["cohort", "period"], how="left", nulls_equal=True)
    assert both["own"].null_count() == 0
    scale = both["estimate"].abs().max()
    points, errors = AGREE[design["handling"]]
    np.testing.assert_allclose(both["own"], both["estimate"], rtol=0, atol=points * scale)
    np.testing.assert_allclose(both["own_error"], both["std_error"], rtol=errors)


def test_unbalanced_panels_compare_those_seen_in_both_periods():
    data = panel().filter(pl.col("seen") & pl.col("cohort").is_in([0, 2016]))
    units = prepared(data)
    found = doubly_robust.estimate(units, leave_out=False)
    assert units.handling == "pairs"
    wide = data.pivot(
        "period", index=["household", "village", "cohort", "age", "land"], values="income"
    ).drop_nulls(["2015", "2018"])
    change = wide.with_columns(
        change=pl.col("2018") - pl.col("2015"), treated=pl.col("cohort") // 2016
    )
    other = regression.augmented(sample.prepare(change, "change", "treated", ["age", "land"]))[0]
    key = [k.period for k in found.keys].index(2018)
    assert found.points[key] == pytest.approx(other, rel=1e-10)
    assert found.n_treated[key] == change.filter(pl.col("treated") == 1).height


def test_errors_leave_out_villages_in_truth():
    data = panel().filter(pl.col("cohort").is_in([0, 2016]) & pl.col("period").is_in([2015, 2016]))
    found = doubly_robust.estimate(prepared(data))
    assert found.convention == "reported"
    villages = sorted(data["village"].unique())
    without = [
        doubly_robust.estimate(
            prepared(data.filter(pl.col("village") != v)), leave_out=False
        ).points[0]
        for v in villages
    ]
    g = len(villages)
    expected = np.sqrt((g - 1) / g * ((np.array(without) - found.points[0]) ** 2).sum())
    assert found.std_errors[0] == pytest.approx(expected, rel=1e-10)


def test_what_is_stated_on_the_result():
    data = panel().with_columns(
        income=pl.when(pl.col("household") == 3).then(None).otherwise(pl.col("income"))
    )
    found = doubly_robust.estimate(prepared(data, tier="model", unit="yuan"), leave_out=False)
    said = found.describe()
    for words in (
        "covariates age, land",
        "statsmodels 0.",
        "tier model",
        "1,771 of 1,778 rows",
        "left out: 7 a value is missing",
    ):
        assert words in said
    assert set(found.to_frame()["unit"]) == {"yuan"}


def test_cohorts_of_the_first_period_are_counted():
    early = panel().filter(pl.col("period") >= 2016)
    found = doubly_robust.estimate(prepared(early), leave_out=False)
    gone = early.filter(pl.col("cohort") == 2016).height
    assert found.about.left_out == {households.LATE: gone}
    assert {key.cohort for key in found.keys} == {2017, 2019}


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda d: d.filter(pl.col("cohort") > 0), "nobody is never treated"),
        (lambda d: d.filter(pl.col("period") == 2015), "one period only"),
        (lambda d: d.with_columns(income=pl.lit(1.0)), "same value for everybody"),
        (lambda d: d.with_columns(land=2 * pl.col("age") - 1), "mix of those before"),
        (lambda d: d.with_columns(land=pl.lit(1.0)), "constant"),
        (lambda d: d.drop("land"), "no such column"),
        (lambda d: pl.concat([d, d.head(1)]), "twice in a period"),
        (
            lambda d: d.with_columns(village=pl.col("village") + pl.col("period") // 2020),
            "more than one village",
        ),
        (lambda d: d.filter(pl.col("period") >= 2019), "no treated household is left"),
    ],
)
def test_refused(change, words):
    with pytest.raises(FaultsError, match=words):
        doubly_robust.estimate(prepared(change(panel())), leave_out=False)


def test_no_covariates_is_for_cells():
    with pytest.raises(FaultsError, match="no covariates"):
        households.prepare(panel(), "income", [])


def test_a_covariate_that_tells_who_is_treated_is_refused():
    data = panel().with_columns(land=(pl.col("cohort") > 0) + pl.col("age") / 1000)
    with pytest.raises(FaultsError, match="nobody to compare them with"):
        doubly_robust.estimate(prepared(data), leave_out=False)


def test_rows_of_other_households_are_left_out_village_by_village():
    data = panel("cross_sections").filter(
        pl.col("cohort").is_in([0, 2016]), pl.col("period") < 2017
    )
    found = doubly_robust.estimate(prepared(data, cross_sections=True))
    assert found.about.library.startswith("diff-diff")
    less = doubly_robust.estimate(
        prepared(data.filter(pl.col("village") != 1), cross_sections=True), leave_out=False
    )
    assert found.without[found.villages.index("1")] == pytest.approx(less.points)
