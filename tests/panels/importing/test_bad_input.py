"""What each kind of bad input gives: a rejected record with reason and place, or a fault."""

from __future__ import annotations

import json
import pickle
from dataclasses import dataclass
from typing import Any

import polars as pl
import pytest
import xlsxwriter

from analysis.faults import FaultsError

HEADER = (
    "hh",
    "year",
    "village",
    "county",
    "weight",
    "poor",
    "members",
    "wage",
    "fares",
    "farm",
    "rent",
    "gift",
    "joined",
)
FIFTH = dict(zip(HEADER, (3, 2012, "a", 1, 1.0, 0, 2, 50, 0, 1, 0, 5, ""), strict=True))


@dataclass(frozen=True)
class Rejection:
    """A fifth row (and perhaps more), and the records that must be rejected."""

    name: str
    rows: tuple[dict[str, object] | str, ...]
    reason: str
    at: tuple[int, ...] = (5,)
    detail: str = ""
    options: str = ""


CASES = (
    Rejection("letters in a number", ({"wage": "12OO"},), "not_a_number", detail="wage = 12OO"),
    Rejection("NaN", ({"farm": "NaN"},), "not_a_number", detail="farm = NaN"),
    Rejection("infinity", ({"farm": "inf"},), "not_a_number", detail="farm = inf"),
    Rejection("a formula", ({"rent": "=1+1"},), "not_a_number", detail="rent = =1+1"),
    Rejection("full-width digits", ({"rent": "１２"},), "not_a_number", detail="rent = １２"),
    Rejection("a unit in the cell", ({"gift": "500元"},), "not_a_number", detail="gift = 500元"),
    Rejection("thousands unannounced", ({"wage": '"1,200"'},), "not_a_number", detail="1,200"),
    Rejection(
        "thousands half-way", ({"wage": '"1,20"'},), "not_a_number", options='thousands = ","'
    ),
    Rejection("a year long ago", ({"year": 1850},), "impossible_year", detail="year = 1850"),
    Rejection("a year to come", ({"year": 2999},), "impossible_year", detail="year = 2999"),
    Rejection("a year of five digits", ({"year": 20133},), "impossible_year"),
    Rejection("a year and a half", ({"year": 2012.5},), "impossible_year"),
    Rejection("a year in words", ({"year": "last"},), "impossible_year", detail="year = last"),
    Rejection("a serial date in a text file", ({"year": 41275},), "impossible_year"),
    Rejection("no year", ({"year": ""},), "no_period", detail="year = (empty)"),
    Rejection("no household", ({"hh": ""},), "no_key"),
    Rejection("a household that is a missing code", ({"hh": -8},), "no_key"),
    Rejection("nobody", ({"members": 0},), "out_of_range", detail="members = 0"),
    Rejection("fewer than nobody", ({"members": -3},), "out_of_range"),
    Rejection("a crowd", ({"members": 250},), "out_of_range", detail="members = 250"),
    Rejection("half a person", ({"members": 2.5},), "not_whole", detail="members = 2.5"),
    Rejection("more money than there is", ({"gift": 1e14},), "out_of_range"),
    Rejection("a negative wage", ({"wage": 1, "fares": 13},), "negative_wage"),
    Rejection("a weight of nothing", ({"weight": 0},), "out_of_range", detail="weight = 0"),
    Rejection("a negative weight", ({"weight": -1},), "out_of_range"),
    Rejection("neither yes nor no", ({"poor": 7},), "not_yes_or_no", detail="poor = 7"),
    Rejection("a code without a meaning", ({"county": 9},), "not_in_recode", detail="county = 9"),
    Rejection("a start in words", ({"joined": "never"},), "impossible_year", detail="never"),
    Rejection("the same row twice", ({}, {}), "duplicate_identical", at=(6,), detail="row 5"),
    Rejection("two rows at odds", ({}, {"wage": 51}), "duplicate_conflicting", at=(5, 6)),
    Rejection("too many cells", ("3,2012,a,1,1,0,2,50,0,1,0,5,,9,9",), "broken_row"),
    Rejection("too few cells", ("3,2012,a",), "broken_row"),
    Rejection(
        "nothing answered",
        (dict.fromkeys(("members", "wage", "fares", "farm", "rent", "gift"), ""),),
        "nothing_observed",
    ),
    Rejection("no village", ({"village": ""},), "no_village"),
    Rejection("no members", ({"members": "NA"},), "no_size"),
    Rejection("no weight", ({"weight": -8},), "no_weight"),
)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_bad_row_is_rejected_with_reason_place_and_original(
    case: Rejection, small: Any, csv_of: Any, good: Any
) -> None:
    added = "".join(
        (row if isinstance(row, str) else ",".join(str(v) for v in (FIFTH | row).values())) + "\n"
        for row in case.rows
    )
    small.write(csv_of(good) + added)
    small.write_map(options=case.options)
    report = small.run()
    rejected = small.table("rejected")
    assert rejected["reason"].to_list() == [case.reason] * len(case.at)
    assert rejected["row"].to_list() == list(case.at)
    assert rejected["file"].unique().to_list() == ["survey.csv"]
    assert all(case.detail in told for told in rejected["detail"])
    assert report.total.rows == 4 + len(case.rows)
    assert small.table("income").height == 4 + len(case.rows) - len(case.at)
    original = json.loads(rejected["original"][-1])
    last = case.rows[-1]
    if isinstance(last, str):
        assert original == {"cells": last.split(",")}
    else:
        found = {name: "" if value is None else value for name, value in original.items()}
        assert found == {n: str(v).strip('"') for n, v in (FIFTH | last).items()}


def test_one_record_tells_every_problem_it_has(small: Any, csv_of: Any, good: Any) -> None:
    row = FIFTH | {"year": 1850, "wage": "x", "members": 2.5}
    small.write(csv_of(good) + ",".join(str(v) for v in row.values()) + "\n")
    small.write_map()
    small.run()
    (told,) = small.table("rejected")["detail"]
    assert told == (
        "year = 1850; not a year, or outside the years the map allows / "
        "members = 2.5; a fraction where a whole number should be / "
        "wage = x; text where a number should be"
    )


FILES: tuple[tuple[str, str, bytes, str], ...] = (
    (
        "mixed encodings",
        "survey.csv",
        "hh,year\n1,山\n".encode() + "2,村\n".encode("gb18030"),
        "survey.csv:3: mixed encodings: this line is GB18030, line 2 is UTF-8; "
        "save every part as UTF-8 before joining them",
    ),
    (
        "bytes no text has",
        "survey.csv",
        b"hh,year\n1,\x00\n",
        "survey.csv: holds bytes that no text has; export it as CSV",
    ),
    ("an empty file", "survey.csv", b"", "survey.csv: the file is empty; export it again"),
    ("blank lines only", "survey.csv", b"\n\n", "survey.csv: the file is empty; export it again"),
    (
        "two columns of one name",
        "survey.csv",
        b"hh,hh\n1,2\n",
        "survey.csv:1 [hh]: two columns have this name; rename one",
    ),
    (
        "a column without a name",
        "survey.csv",
        b"hh,,year\n1,2,3\n",
        "survey.csv:1 'column 2': a column has no name; name it",
    ),
    (
        "a delimiter in doubt",
        "survey.csv",
        b"a,b;c\n1,2;3\n",
        "survey.csv: the delimiter may be ',' or ';'; say which: delimiter (--delimiter)",
    ),
    (
        "quoting without end",
        "survey.csv",
        b'hh,year\n1,"2012\n2,2013\n',
        "survey.csv:3: unexpected end of data; mend the quoting",
    ),
    (
        "a pickle",
        "survey.pkl",
        pickle.dumps([1]),
        "survey.pkl: this format can carry code or needs its own program; "
        "export it as CSV, Parquet or Stata",
    ),
    ("an R object", "survey.rds", b"x", "survey.rds: this format can carry code"),
    ("an unknown format", "survey.doc", b"x", "survey.doc '.doc': unknown format; use one of"),
    (
        "text that calls itself a workbook",
        "survey.xlsx",
        b"hh,year\n",
        "survey.xlsx: cannot be read as workbook: File is not a zip file; "
        "check that it is whole, export it again",
    ),
    (
        "text that calls itself Parquet",
        "survey.parquet",
        b"hh,year\n",
        "survey.parquet: cannot be read as parquet",
    ),
    (
        "text that calls itself Stata",
        "survey.dta",
        b"hh,year\n",
        "survey.dta: cannot be read as stata",
    ),
    (
        "text that calls itself SPSS",
        "survey.sav",
        b"hh,year\n",
        "survey.sav: cannot be read as spss",
    ),
    (
        "text that calls itself SAS",
        "survey.sas7bdat",
        b"hh,year\n" * 200,
        "survey.sas7bdat: cannot be read as sas",
    ),
    (
        "no such column",
        "survey.csv",
        b"HH,year\n1,2012\n",
        "survey.csv [hh]: no such column, named under files[0].household; did you mean HH",
    ),
)


@pytest.mark.parametrize(("name", "file", "content", "message"), FILES, ids=[f[0] for f in FILES])
def test_a_bad_file_is_a_fault(
    name: str, file: str, content: bytes, message: str, small: Any
) -> None:
    path = small.write(content, file)
    small.write_map(file=file)
    with pytest.raises(FaultsError) as caught:
        small.run(path)
    assert message in "\n".join(str(fault) for fault in caught.value.faults)
    assert not small.out.exists()


def test_a_forced_encoding_that_does_not_fit_is_a_fault(small: Any) -> None:
    small.write("hh,year\n1,村\n".encode("gb18030"))
    small.write_map(options='encoding = "utf-8"')
    with pytest.raises(FaultsError, match="not utf-8; say another encoding"):
        small.run()


def test_a_missing_file_is_a_fault(small: Any) -> None:
    small.write_map()
    with pytest.raises(
        FaultsError, match=r"survey\.csv: no file or folder of this name; check its name"
    ):
        small.run()


def test_a_link_may_not_lead_out_of_the_survey_s_folder(small: Any, csv_of: Any, good: Any) -> None:
    (small.folder / "outside.csv").write_text("hh,road\n1,2\n")
    inside = small.folder / "in"
    inside.mkdir()
    (inside / "roads.csv").symlink_to(small.folder / "outside.csv")
    survey = small.write(csv_of(good), "in/survey.csv")
    text = small.write_map().read_text()
    text = text.replace(
        "[household]\n",
        '[[files]]\nid = "roads"\nfile = "roads.csv"\n'
        'layout = "fixed"\nhousehold = "hh"\n[household]\n'
        'x_road = { column = "road", from = "roads" }\n',
    )
    for name in ("village", "weight", "members", "joined"):
        text = text.replace(f'= "{name}"\n', f'= {{ column = "{name}", from = "main" }}\n')
    text = text.replace('{ column = "poor"', '{ from = "main", column = "poor"')
    text = text.replace('{ column = "county"', '{ from = "main", column = "county"')
    text = text.replace("\nunit = ", '\nfrom = "main"\nunit = ')
    (small.folder / "map.toml").write_text(text)
    with pytest.raises(FaultsError, match=r"roads\.csv: the file is missing"):
        small.run(survey)


def test_a_workbook_of_several_sheets_needs_a_choice(small: Any) -> None:
    with xlsxwriter.Workbook(small.folder / "survey.xlsx") as book:
        book.add_worksheet("one").write_row(0, 0, ["hh"])
        book.add_worksheet("two").write_row(0, 0, ["hh"])
    small.write_map(file="survey.xlsx")
    with pytest.raises(
        FaultsError, match="2 sheets; name one, as sheet in the map or --sheet: one, two"
    ):
        small.run(small.folder / "survey.xlsx")
    small.write_map(file="survey.xlsx", options='sheet = "three"')
    with pytest.raises(FaultsError, match="no such sheet; use one of: one, two"):
        small.run(small.folder / "survey.xlsx")


def test_too_much_lost_stops_the_import_and_shows_the_rows(
    small: Any, csv_of: Any, good: Any
) -> None:
    small.write_map()
    small.write(csv_of(good))
    small.run()
    before = (small.out / "panel.json").read_bytes()
    small.write(csv_of(good) + "3,1850,a,1,1,0,2,50,0,1,0,5,\n")
    path = small.write_map()
    path.write_text(path.read_text().replace("max_rejected_rows = 1", "max_rejected_rows = 0.1"))
    with pytest.raises(FaultsError) as caught:
        small.run()
    (fault,) = caught.value.faults
    assert str(fault) == (
        "small [limits.max_rejected_rows] '10.0%': 20.0% of the source rows are rejected: "
        "impossible_year 1 (survey.csv, row 5: year = 1850); analysis rejected panel shows them; "
        "correct the map, or raise limits.max_rejected_rows if they must go"
    )
    assert pl.read_parquet(small.folder / "panel.rejected.parquet")["row"].to_list() == [5]
    assert (small.out / "panel.json").read_bytes() == before
    small.write(csv_of(good))
    small.run()
    assert not (small.folder / "panel.rejected.parquet").exists()


def test_every_fault_of_every_file_is_told_at_once(small: Any) -> None:
    small.write("a,b\n1,2\n")
    small.write_map()
    with pytest.raises(FaultsError) as caught:
        small.run()
    assert len(caught.value.faults) == len(HEADER)
    assert {fault.column for fault in caught.value.faults} == set(HEADER)
