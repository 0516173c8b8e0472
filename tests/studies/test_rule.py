"""The rule for what may be pooled: each reason alone keeps a row out."""

from dataclasses import replace

import polars as pl
import pytest

from analysis.faults import FaultsError
from analysis.studies import library, pooling, rule

POOL = "microcredit_consumption"
ROW = "mexico_consumption"


@pytest.fixture(scope="module")
def studies():
    return library.load()


def changed(studies, name, **cells):
    """Return the library with cells of one row changed."""
    here = pl.col("id") == name
    return replace(
        studies,
        estimates=studies.estimates.with_columns(
            pl.when(here).then(pl.lit(value)).otherwise(pl.col(column).cast(kind)).alias(column)
            for column, value in cells.items()
            for kind in [pl.String if isinstance(value, str) else studies.estimates[column].dtype]
        ),
    )


def why(studies, name):
    return rule.judged(studies, POOL).filter(pl.col("id") == name)["why_not"].item()


@pytest.mark.parametrize(
    ("cells", "reason"),
    [
        ({"outcome": "household_income"}, "another outcome"),
        ({"level": "county"}, "means of an area or of several studies"),
        ({"design": "matching"}, "another design"),
        ({"effect": "participation"}, "not the effect of the offer"),
        ({"subgroup": "yes"}, "a subgroup"),
        ({"estimate": None}, "number not seen"),
        ({"verified": False}, "number not verified"),
        ({"percent": None}, "not on a per cent scale"),
        ({"percent_se": None}, "no standard error seen"),
        ({"horizon_months": None}, "horizon not known"),
        ({"horizon_months": 60}, "another horizon"),
    ],
)
def test_each_reason_alone_keeps_a_row_out(studies, cells, reason):
    assert why(studies, ROW) == ""
    broken = changed(studies, ROW, **cells)
    assert why(broken, ROW) == reason
    assert rule.members(broken, POOL).height == rule.members(studies, POOL).height - 1


def test_two_rows_of_the_same_people_are_a_fault(studies):
    twin = changed(studies, "bihar_groups", people="angelucci2015")
    with pytest.raises(FaultsError, match="same people"):
        rule.judged(twin, POOL)


def test_what_enters_each_pool(studies):
    """Six credit trials, two graduation trials, one training trial; nothing else."""
    found = {
        name: sorted(rule.members(studies, name)["id"])
        for name in studies.pools["id"]
        if rule.members(studies, name).height
    }
    assert found == {
        "training_earnings": ["nsw_full"],
        "graduation_consumption": ["sindh_consumption_36m", "west_bengal_consumption_3y"],
        "microcredit_consumption": [
            "bihar_groups",
            "bosnia_consumption",
            "hyderabad_consumption",
            "mexico_consumption",
            "mongolia_consumption",
            "morocco_consumption",
        ],
    }
    assert (
        rule.members(studies, "graduation_consumption")["percent"] > 0
    ).all()  # the page says so
    assert sorted(pooling.all_pools(studies)) == [
        "graduation_consumption",
        "microcredit_consumption",
    ]


def test_no_review_no_area_no_matching_enters_any_pool(studies):
    for name in studies.pools["id"]:
        rows = rule.members(studies, name)
        assert set(rows["design"]) <= {"randomised"}
        assert set(rows["level"]) <= {"household", "individual"}
        assert rows["verified"].all()


def test_a_reported_null_without_a_number_is_kept_out_and_counted(studies):
    """The visits of Uganda report no effect: a reason, not a zero."""
    rows = rule.judged(studies, "graduation_consumption")
    row = rows.row(by_predicate=pl.col("id") == "north_uganda_visits", named=True)
    assert "number not seen" in row["why_not"]
    assert rule.membership(studies)["considered"].sum() >= rows.height
