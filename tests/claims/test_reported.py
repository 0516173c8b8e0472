"""What the articles report, through the front door."""

from fractions import Fraction

import polars as pl
import pytest

import analysis as va
from analysis.claims import formatting, spending
from analysis.claims.intervals import Interval
from analysis.faults import FaultsError


@pytest.fixture(scope="module")
def everything():
    return va.claims()


def test_everything_is_there(everything):
    """227 claims, 55 of them slogans, 76 systems, 137 relations, five articles."""
    found = {of: float(everything.count(of)) for of in ("claims", "slogans", "systems", "articles")}
    assert found == {"claims": 227, "slogans": 55, "systems": 76, "articles": 5}
    assert everything.tidy().height == 227
    assert everything.rows().height == 227 - 55
    assert float(everything.count("relations")) == 137
    assert float(everything.count("hold")) == 7
    assert float(everything.count("fail")) == 0


@pytest.mark.parametrize(
    "name", ["dividend", "Dividends and funds turned into shares", "分红与股金"]
)
def test_a_programme_by_id_and_by_name_in_both_languages(name):
    reported = va.claims(name)
    assert set(reported.tidy()["term"]) == {"S3_027", "S3_028", "S3_029", "S3_030"}
    assert {"R040", "R130"} <= {verdict.id for verdict in reported.relations}
    assert reported.systems.height == 2


def test_place_and_article_in_both_languages(everything):
    assert va.claims(place="阿里").tidy().equals(va.claims(place="ngari").tidy())
    zh, en = va.claims(article="脚下沾着泥"), va.claims(article="s0")
    assert zh.tidy().equals(en.tidy())
    assert float(en.count("claims")) == 70


def test_the_dividend_is_shown_as_narrowed(everything):
    """1146万 over 764 persons, by hand: 11,455,000 / 764 = 14,993 and 11,470,000 / 764 = 15,013."""
    number = everything.number("S3_029")
    assert (str(number), str(number.interval)) == ("15,000", "14,993 to 15,013")
    shown = everything.narrowed.shown.row(0, named=True)
    assert shown["as printed"] == "14,500 to 16,000"
    assert shown["narrowed"] == "14,993 to 15,013"
    says = everything.rows().filter(pl.col("claim") == "S3_029")["says"].item()
    assert says == "14,500 to 16,000 → 14,993 to 15,013"


def test_one_claim_has_one_value_wherever_it_is_printed(everything):
    """The claim, the implied figure and the relation's side print the same interval."""
    texts = {
        str(everything.number("S3_029").interval),
        everything.implied_table()
        .shown.filter(pl.col("figure").str.starts_with("cash dividend per resident"))["yuan"]
        .item(),
        str(everything.amount("I06").interval),
        everything.relation_table()
        .shown.filter(pl.col("relation") == "R044")["result"]
        .item()
        .split(" ≤")[0],
    }
    assert texts == {"14,993 to 15,013"}


def test_precision_is_counted_by_hand(everything):
    """Every quantity has one precision; "nearly" is printed twice, of cadres and of rents."""
    found = {of: float(everything.count(of)) for of in ("exact", "rounded", "open", "assumed")}
    assert sum(found.values()) == float(everything.count("quantities"))
    assert found["assumed"] == 2
    printed = everything.quantities.filter(pl.col("bound").cast(pl.String) == "more_than")
    assert found["open"] >= printed.height


def test_programmes_say_what_they_lack(everything):
    table = everything.programme_table().shown
    assert table.height == 18
    lease = table.filter(pl.col("chinese").str.contains("流转"))["figures in yuan"].item()
    assert lease.startswith("none: ")


def test_numbers_carry_their_record(everything):
    placed = everything.quantity("R009")
    assert placed.provenance.evidence == "reported"
    assert placed.provenance.inputs[0].startswith("data/claims/claims.csv:")
    assert (placed.low, placed.high) == pytest.approx((2765500 / 1357, 2767000 / 1357))
    assert str(everything.quantity("R094")) == "22"  # 572 / 26


def test_percentages_are_as_printed(everything):
    assert everything.number("S2_003").value == 95
    assert everything.quantity("R132").value == pytest.approx(100 * 491 / 572)


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda: va.claims("magic"), "no such programme"),
        (lambda: va.claims(place="Paris"), "no claim is of this place"),
        (lambda: va.claims(article="S9"), "no such article"),
        (lambda: va.claims().number("S9_001"), "no such claim"),
        (lambda: va.claims().quantity("R046"), "cannot be computed"),
        (lambda: va.claims().verdict("R999"), "no such relation"),
        (lambda: va.claims().amount("I99"), "no such figure"),
        (lambda: va.claims().count("lies"), "nothing of that name"),
    ],
)
def test_what_is_not_there_is_refused(call, said):
    with pytest.raises(FaultsError, match=said):
        call()


def test_exhibits_of_every_programme_are_complete(everything):
    for programme in sorted(set(everything.chosen["programme"])):
        reported = va.claims(programme)
        for table in (reported.table(), reported.relation_table(), reported.system_table()):
            assert table.shown.width > 1 or table.shown.is_empty(), programme
        reported.implied_table()
    assert everything.article_table().shown.height == 5
    assert everything.plot().get_xlabel().startswith("quantities")


def test_ends_are_printed_apart_and_to_the_nearest():
    assert (
        formatting.interval(Interval.between(7296, 7298) / Interval.point(10)) == "729.6 to 729.8"
    )
    third = Interval.between(1, 2) / Interval.point(3)
    assert formatting.interval(third) == "0.333 to 0.667"


def test_spending_as_reported_by_hand(everything):
    """304.86万 over 23,100 persons × 1,339 households / 4,873 persons; no activity reports both."""
    found = {one.title: one for one in spending.activities(everything.ledger)}
    paired = found["funds put into paired assistance, Ngari 2019"].per_household
    assert paired.holds(Fraction(3048600, 23100) * Fraction(4873, 1339))
    assert found["yearly fund, village the size of Guoqing"].per_household.holds(
        Fraction(200000, 265)
    )
    assert all(one.per_yuan is None and one.lacking for one in found.values())
    assert everything.spending_table().shown.height == len(found) == 11
    assert va.claims("village_fund").spending_table().shown.height == 2


def test_income_for_a_yuan_is_computed_where_both_are_reported(everything, tmp_path):
    """A claim that stands in both is one number: twice itself over itself is two."""
    (tmp_path / "spending.csv").write_text(
        "programme,title,payer,spending,income,reached,assumes,assumption\n"
        "training,the same twice,nobody,S0_062,S0_062 + S0_062,S0_064,,\n"
    )
    (one,) = spending.activities(everything.ledger, tmp_path)
    assert one.per_yuan == Interval.point(2)
