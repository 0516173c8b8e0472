"""What pages list of the ledger: every row is there, and prints what the ledger computes."""

from fractions import Fraction

import polars as pl
import pytest

from analysis import printing
from analysis.claims import implied, ledger, reader_tables, relations


@pytest.fixture(scope="module")
def reported():
    return ledger.load()


@pytest.fixture(scope="module")
def verdicts(reported):
    return relations.judge(reported)


@pytest.fixture(scope="module")
def incomes(reported):
    return implied.implied(reported)


def test_every_claim_is_listed_with_what_its_phrase_allows(reported, incomes):
    listed = reader_tables.claims_table(reported, implied.support(reported, incomes))
    assert listed.height == reported.claims.height
    # By hand: 572名 is printed in full, so it is 572 persons and nothing else.
    row = listed.filter(pl.col("printed") == "572名").row(0, named=True)
    assert (row["says"], row["unit"]) == ("572", "persons")


def test_every_relation_is_listed_with_its_verdict(verdicts):
    listed = reader_tables.relations_table(verdicts)
    assert listed["id"].to_list() == [verdict.id for verdict in verdicts]
    open_ = listed.filter(pl.col("verdict") == "not computable")
    assert open_.height and (open_["why"] != "").all() and (open_["result"] == "").all()


def test_every_implied_figure_says_why_it_is_no_effect(incomes):
    listed = reader_tables.implied_table(incomes)
    assert listed.height == len(incomes)
    assert (listed["why_not_effect"] != "").all()
    # By hand: 2,765,500 to 2,767,000 yuan over 1,357 workers, to the nearest yuan.
    low, high = Fraction(2765500, 1357), Fraction(2767000, 1357)
    assert (round(low), round(high)) == (2038, 2039)
    assert listed.filter(id="I01")["yuan"].item() == "2,038 to 2,039"


def test_every_source_is_listed_with_its_claims(reported):
    listed = reader_tables.sources_table(reported)
    counts = dict(reported.claims.group_by("source").len().iter_rows())
    assert dict(listed.select("id", "n_claims").iter_rows()) == counts


def test_every_official_figure_is_printed_by_the_one_formatter(reported):
    listed = reader_tables.official_table(reported)
    values = reported.official["value"].to_list()
    assert listed["value"].to_list() == [printing.number(value) for value in values]
