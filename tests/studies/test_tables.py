"""What the page counts and lists."""

import polars as pl
import pytest

from analysis.claims import implied, ledger
from analysis.studies import comparison, library, pooling, summary
from analysis.studies.schemas import STATUSES


@pytest.fixture(scope="module")
def studies():
    return library.load()


@pytest.fixture(scope="module")
def pools(studies):
    return pooling.all_pools(studies)


@pytest.fixture(scope="module")
def reported():
    return implied.implied(ledger.load())


def test_counts_add_up(studies):
    counts = summary.counts(studies)
    assert counts.verified + counts.unverified + counts.no_number == counts.rows
    assert counts.tibet == 0
    assert counts.nulls_unseen <= counts.no_number
    assert counts.recomputed <= counts.verified


def test_every_row_is_listed_and_every_unverified_one_again(studies):
    assert summary.studies_table(studies).height == studies.estimates.height
    listed = summary.unverified_table(studies)
    counts = summary.counts(studies)
    assert listed.height == counts.unverified + counts.no_number
    assert not set(listed["status"]) & {STATUSES["seen"], STATUSES["recomputed"]}


def test_a_percent_is_printed_with_its_interval(studies):
    shown = summary.studies_table(studies)
    row = shown.row(by_predicate=pl.col("id") == "nsw_full", named=True)
    assert row["percent"] == "17.4 (−1.4 to 36.3)"
    row = shown.row(by_predicate=pl.col("id") == "china_ecommerce", named=True)
    assert row["percent"] == "null (number not seen)"


def test_renting_out_by_hand(studies):
    """Two Chinese studies report no effect for lessors, two a lower income, none a higher one."""
    found = summary.directions(studies, "renting land out")
    assert found == {"positive": 0, "null": 2, "negative": 2, "mixed": 0}


def test_tiers_stay_apart(studies, reported):
    rows = comparison.beside(studies, reported)
    assert set(rows.filter(pl.col("tier") == "reported")["kind"]) == {"claim"}
    assert set(rows.filter(pl.col("tier") == "published")["kind"]) <= {"lot", "other"}
    shares = {figure.title for figure in reported if figure.share is not None}
    assert set(rows.filter(pl.col("tier") == "reported")["label"]) == shares


def test_every_programme_has_its_row(studies, pools, reported):
    rows = comparison.by_programme(studies, pools, reported)
    assert rows.height == 11
    assert rows["n_rows"].sum() == studies.estimates.height
    row = rows.row(by_predicate=pl.col("id") == "microcredit", named=True)
    assert row["pooled"] == "1.1 (−1.8 to 4), 6 studies"
    assert row["reported"] == ""


def test_the_package_is_a_county_mean_and_never_beside_households(studies):
    assert summary.percent_of(studies, comparison.PACKAGE) == 10.9
    assert comparison.PACKAGE not in set(studies.estimates.filter(pl.col("comparable"))["id"])
    with pytest.raises(ValueError, match="per cent scale"):
        summary.percent_of(studies, "china_ecommerce")


def test_labels_fit_a_phone(studies, pools):
    """No label above a mark is longer than the plot is wide."""
    for programme in studies.estimates["programme"].unique():
        rows = comparison.forest(studies, programme, pools).filter(pl.col("kind") != "direction")
        longest = rows["label"].str.len_chars().max() or 0
        assert longest <= 60, programme


def test_every_question_is_listed_and_only_a_pool_has_a_mean(studies, pools):
    listed = summary.pools_table(studies, pools)
    assert listed.height == studies.pools.height
    assert (listed["result"] != "not pooled").sum() == len(pools)
    one = pools["microcredit_consumption"]
    assert f"{one.mean:.1f}".lstrip("-") in " ".join(listed["result"])
