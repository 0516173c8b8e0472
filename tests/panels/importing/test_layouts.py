"""Wide files, several files, persons, villages: expected tables worked out by hand."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from analysis.panels.importing import ImportReport, import_survey

NONE = """
[income.absent]
business = "not asked"
property = "not asked"
transfer = "not asked"
"""


def run(folder: Path, text: str, **files: str) -> ImportReport:
    for name, content in files.items():
        (folder / f"{name}.csv").write_text(content)
    (folder / "map.toml").write_text(
        f'[map]\nsurvey = "s"\n[limits]\nmax_rejected_rows = 1\nmax_rejected_records = 1\n{text}'
    )
    return import_survey([folder], folder / "map.toml", folder / "panel")


def table(folder: Path, name: str) -> pl.DataFrame:
    return pl.read_parquet(folder / "panel" / f"{name}.parquet")


def test_a_wide_file_gives_a_record_per_wave(tmp_path: Path) -> None:
    report = run(
        tmp_path,
        """
[[files]]
id = "w"
file = "w.csv"
layout = "wide"
household = "id"
waves = { 10 = 2010, 12 = 2012 }
[household]
village = "v"
[income]
members = "n{wave}"
"""
        + NONE
        + """
[[income.items]]
source = "wage"
column = "wage{wave}"
unit = "yuan"
per = "year"
empty = "zero"
[[participation]]
programme = "training"
indicator = "t{wave}"
dose = "d{wave}"
dose_unit = "days"
""",
        # 1: seen twice, its empty wage is zero. 2: not there in 2012, where no zero is invented.
        # 3: a bad number in 2010 loses that record only. 4: no key, both records.
        w="id,v,n10,n12,wage10,wage12,t10,t12,d10,d12\n"
        "1,a,3,3,,5,0,1,,7\n"
        "2,a,2,,9,,0,,,\n"
        "3,a,2,2,x,4,1,1,3,3\n"
        ",a,1,1,1,1,,,,\n",
    )
    assert table(tmp_path, "income").select("household", "period", "wage").rows() == [
        ("1", 2010, 0),
        ("1", 2012, 500),
        ("2", 2010, 900),
        ("3", 2012, 400),
    ]
    assert table(tmp_path, "rejected").select("row", "period", "reason").rows() == [
        (2, 2012, "nothing_observed"),
        (3, 2010, "not_a_number"),
        (4, 2010, "no_key"),
        (4, 2012, "no_key"),
    ]
    # Household 3 had it in 2010 already: a record whose wage is lost still says so.
    assert table(tmp_path, "participation").select("unit", "first_period", "dose").rows() == [
        ("1", 2012, 7.0),
        ("3", 2010, 3.0),
    ]
    assert any("1 units of training start in a row that is rejected" in n for n in report.notes)
    total = report.total
    assert (total.rows, total.rows_accepted, total.rows_rejected) == (4, 3, 1)
    assert (total.records, total.records_accepted, total.records_rejected) == (8, 4, 4)
    assert total.share_of_records_lost() == pytest.approx(3 / 7)  # the empty wave is no loss


def test_persons_add_up_to_their_household(tmp_path: Path) -> None:
    report = run(
        tmp_path,
        """
[[files]]
id = "p"
file = "p.csv"
unit = "person"
household = "hh"
person = "pid"
period = { constant = 2018 }
missing = [-8]
[household]
village = { constant = "one" }
[income]
count_persons = "p"
"""
        + NONE
        + """
[[income.items]]
source = "wage"
column = "pay"
unit = "yuan"
per = "month"
times = "months"
empty = "zero"
[[participation]]
programme = "training"
first_year = "trained"
""",
        # 1: 100 x 12 x 6/12 is not meant: the pay is by the month, the months multiply a rate by
        # the year. 2: one member did not answer, so the sum is not known.
        p="hh,pid,pay,months,trained\n"
        "1,1,100,0.5,2016\n1,2,,,2014\n2,1,10,1,\n2,2,-8,1,\n3,,5,1,\n2,1,10,1,\n",
    )
    assert table(tmp_path, "income").select("household", "wage", "members_present").rows() == [
        ("1", 60_000, 2),
        ("2", None, 2),
    ]
    assert table(tmp_path, "participation")["first_period"].to_list() == [2014]
    assert table(tmp_path, "rejected").select("row", "reason").rows() == [
        (5, "no_person"),
        (6, "duplicate_identical"),
    ]
    assert report.account.as_dict() == {
        "rows_read": 6,
        "rows_used": 2,
        "left_out": {
            "the key of the person is empty": 1,
            "repeats an earlier row of the same key, value for value": 1,
            "summed into the household's row of the same period": 2,
        },
    }


def test_files_are_joined_by_household_period_and_village(tmp_path: Path) -> None:
    report = run(
        tmp_path,
        """
[[files]]
id = "h10"
file = "h10.csv"
main = true
household = "fid10"
period = { constant = 2010 }
[[files]]
id = "h12"
file = "h12.csv"
main = true
household = "fid12"
period = { constant = 2012 }
[[files]]
id = "jobs"
file = "jobs.csv"
household = "fid"
period = "year"
[[files]]
id = "roster"
file = "roster.csv"
layout = "fixed"
household = "fid"
[[files]]
id = "places"
file = "places.csv"
unit = "village"
village = "cid"
[household]
village = { column = "cid", from = ["h10", "h12"] }
x_school = { column = "school", from = "roster" }
[village]
county = { column = "county", from = "places", text = true }
remoteness_km = { column = "km", from = "places" }
[income]
members = [{ column = "n10", from = "h10" }, { column = "n12", from = "h12" }]
"""
        + NONE
        + """
[[income.items]]
source = "wage"
column = "pay"
from = "jobs"
unit = "yuan"
per = "year"
[[participation]]
programme = "village_fund"
level = "village"
first_year = { column = "fund", from = "places" }
dose = { column = "yuan", from = "places" }
dose_unit = "yuan"
""",
        h10="fid10,cid,n10\n1,a,3\n2,b,2\n",
        h12="fid12,cid,n12\n1,a,4\n",
        jobs="fid,year,pay\n1,2010,10\n1,2012,12\n9,2010,1\n2,2012,1\n",
        roster="fid,school\n1,6\n2,9\n8,1\n",
        places="cid,county,km,fund,yuan\na,N,3.5,2011,1000\nb,S,10,,\nz,S,1,2010,5\n",
    )
    assert table(tmp_path, "income").select(
        "household", "period", "wage", "members_present"
    ).rows() == [
        ("1", 2010, 1000, 3),
        ("1", 2012, 1200, 4),
        ("2", 2010, None, 2),
    ]
    assert table(tmp_path, "households").select("household", "village", "x_school").rows() == [
        ("1", "a", 6.0),
        ("2", "b", 9.0),
    ]
    assert table(tmp_path, "villages").select("village", "county", "remoteness_km").rows() == [
        ("a", "N", 3.5),
        ("b", "S", 10.0),
    ]
    assert table(tmp_path, "participation").rows() == [
        ("village_fund", "village", "a", 2011, 1000.0, "yuan"),
    ]
    # Household 9 and 8, village z, and household 2 in 2012 are in no main file.
    assert table(tmp_path, "rejected").select("file", "row", "reason").rows() == [
        ("jobs.csv", 3, "no_household_record"),
        ("jobs.csv", 4, "no_household_record"),
        ("places.csv", 3, "no_household_record"),
        ("roster.csv", 3, "no_household_record"),
    ]
    assert report.account.as_dict() == {"rows_read": 3, "rows_used": 3, "left_out": {}}


def test_other_outcomes_and_keys_of_two_columns(tmp_path: Path) -> None:
    run(
        tmp_path,
        """
[[files]]
id = "h"
file = "h.csv"
household = ["v", "h"]
period = { column = "wave", recode = { 0 = 1991, 1 = 1998 }, strict = true }
[household]
village = "v"
[income]
members = "n"
[[outcomes]]
kind = "money"
name = "expenditure"
column = "food"
unit = "yuan"
per = "year"
per_head = true
[[outcomes]]
kind = "money"
name = "expenditure"
column = "rest"
unit = "yuan"
per = "month"
""",
        h="v,h,wave,n,food,rest\n1.0,1,0,3,100,1\n1,2,1,2,50,2\n1,2,2,2,50,2\n",
    )
    found = table(tmp_path, "income").select("household", "period", "expenditure")
    assert found.rows() == [("1-1", 1991, 31_200), ("1-2", 1998, 12_400)]
    assert table(tmp_path, "rejected").select("row", "reason").rows() == [(3, "impossible_year")]
    assert table(tmp_path, "income")["complete"].to_list() == [False, False]
