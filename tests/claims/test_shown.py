"""What pages list of the ledger: every row is there, and prints what the ledger computes."""

from fractions import Fraction

import polars as pl
import pytest

from analysis import printing, programmes
from analysis.claims import implied, ledger, relations, shown, summary


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
    listed = shown.claims_table(reported, implied.support(reported, incomes))
    assert listed.height == reported.claims.height
    # By hand: 572名 is printed in full, so it is 572 persons and nothing else.
    row = listed.filter(pl.col("printed") == "572名").row(0, named=True)
    assert (row["says"], row["unit"]) == ("572", "persons")


def test_every_relation_is_listed_with_its_verdict(verdicts):
    listed = shown.relations_table(verdicts)
    assert listed["id"].to_list() == [verdict.id for verdict in verdicts]
    open_ = listed.filter(pl.col("verdict") == "not computable")
    assert open_.height and (open_["why"] != "").all() and (open_["result"] == "").all()


def test_every_implied_figure_says_why_it_is_no_effect(incomes):
    listed = shown.implied_table(incomes)
    assert listed.height == len(incomes)
    assert (listed["why_not_effect"] != "").all()
    # By hand: 2,765,500 to 2,767,000 yuan over 1,357 workers, to the nearest yuan.
    low, high = Fraction(2765500, 1357), Fraction(2767000, 1357)
    assert (round(low), round(high)) == (2038, 2039)
    assert listed.filter(id="I01")["yuan"].item() == "2,038 to 2,039"


def test_every_programme_and_system_is_listed(reported, incomes):
    catalogue = programmes.load()
    listed = shown.programmes_table(reported, incomes)
    assert listed.height == catalogue.programmes.height
    slogans = (reported.claims["slogan"] == "yes").sum()
    assert listed["n_claims"].sum() == reported.claims.height - slogans
    systems = shown.systems_table()
    assert systems["id"].to_list() == catalogue.systems["id"].to_list()
    assert set(systems["programme"]) <= set(listed["name"])


def test_every_source_is_listed_with_its_claims(reported):
    listed = shown.sources_table(reported)
    counts = dict(reported.claims.group_by("source").len().iter_rows())
    assert dict(listed.select("id", "n_claims").iter_rows()) == counts


def test_every_official_figure_is_printed_by_the_one_formatter(reported):
    listed = shown.official_table(reported)
    values = reported.official["value"].to_list()
    assert listed["value"].to_list() == [printing.number(value) for value in values]


def test_a_printed_number_taken_apart(reported):
    """By hand: 276.6 of 276.6万 is 2,766,000, and its last digit stands for a thousand."""
    phrase = reported.claims.filter(pl.col("printed").str.contains("276.6万"))
    made = summary.example(reported, phrase["id"][0])
    assert (made.value, made.step) == (2_766_000, 1_000)
    with pytest.raises(ValueError, match="no numeral"):
        summary.example(
            ledger.Ledger(
                **{**vars(reported), "claims": phrase.with_columns(printed=pl.lit("若干"))}
            ),
            phrase["id"][0],
        )


def test_extremes_are_the_lowest_and_highest_beginning(incomes):
    found = summary.extremes(incomes)
    begins = sorted(
        float(f.yuan.low.value or 0) for f in incomes if f.yuan and f.basis == "per_head"
    )
    assert float(found.lowest.yuan.low.value or 0) == begins[0]
    assert float(found.highest.yuan.low.value) == begins[-1]


def test_what_tests_the_articles_is_counted_once(verdicts):
    found = summary.tested(verdicts)
    assert found.total == sum(v.role in ("identity", "bound") for v in verdicts)
    assert found.hold + found.fail + found.open == found.computed <= found.total
