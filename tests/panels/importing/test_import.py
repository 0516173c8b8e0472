"""What an import makes of good input: by hand for a small survey, and the same in every format."""

from __future__ import annotations

import datetime
import json
from pathlib import Path
from typing import Any

import polars as pl
import pyreadstat
import pytest
import xlsxwriter
from polars.testing import assert_frame_equal

from analysis.panels import panel
from analysis.panels.importing import import_survey

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
TABLES = ("households", "villages", "income", "participation", "rejected")


def test_amounts_by_hand(small: Any, csv_of: Any, good: Any) -> None:
    # Household 1 in 2012: wage 100 yuan a month = 120,000 fen, no fares; farm 2.5 thousand yuan =
    # 250,000 fen; rent 250 fen a quarter = 1,000 fen; gifts 10 yuan for each of 3 = 3,000 fen.
    # In 2013: 110 x 12 x 100 - 20 x 100 = 130,000; -125,000; 1,000; 10 x 4 x 100 = 4,000.
    small.write(csv_of(good))
    small.write_map()
    small.run()
    assert small.table("income").rows() == [
        ("1", 2012, 120_000, 250_000, 1_000, 3_000, 3, True),
        ("1", 2013, 130_000, -125_000, 1_000, 4_000, 4, True),
        ("2", 2012, 0, 0, 0, 0, 2, True),
        ("2", 2013, None, 0, 0, 0, 2, False),  # -8 is no answer, and no zero
    ]


def test_households_villages_and_participation_by_hand(small: Any, csv_of: Any, good: Any) -> None:
    small.write(csv_of(good))
    small.write_map()
    report = small.run()
    households = small.table("households")
    assert households.select(
        "household",
        "village",
        "size_baseline",
        "weight",
        "registered_poor",
        "stratum",
        "income_baseline_fen",
    ).rows() == [
        ("1", "a", 3, 1.5, True, "all", 374_000),
        ("2", "b", 2, 2.0, False, "all", 0),
    ]
    assert small.table("villages").select("village", "county").rows() == [
        ("a", "north"),
        ("b", "south"),
    ]
    assert small.table("participation").rows() == [("training", "household", "1", 2013, None, None)]
    assert report.account.as_dict() == {"rows_read": 4, "rows_used": 4, "left_out": {}}
    assert panel.check(panel.read(small.out)) == ()


def test_the_summary_says_what_happened(small: Any, csv_of: Any, good: Any) -> None:
    small.write(csv_of(good) + "3,1850,a,1,1,0,2,50,0,1,0,5,\n")
    small.write_map(about='status = "verified"')
    assert small.run().summary().splitlines() == [
        "small (verified map)",
        "  survey.csv: 5 rows read, 4 accepted, 1 rejected",
        "  5 records, 4 accepted, 1 rejected",
        "            1  not a year, or outside the years the map allows (impossible_year)",
        "  2 households in 2 villages, 4 household-periods, 1 of them incomplete",
        "  of the cells of amounts and members 3 empty, 1 hold a code for no answer, 0 cannot be read",
        "  1 units in training",
    ]


def test_weights_that_differ_over_time_are_told(small: Any, csv_of: Any, good: Any) -> None:
    # Household 1 weighs 1.5 in 2012 and 9 in 2013; household 2 always 2.
    later = list(good[1])
    later[HEADER.index("weight")] = 9
    small.write(csv_of((good[0], tuple(later), *good[2:])))
    small.write_map()
    notes = small.run(rows_at_once=1).notes
    assert notes == (
        "1 households have weights that differ between records; the first one stays, as the "
        "contract has baseline weights",
    )
    assert small.table("households")["weight"].to_list() == [1.5, 2.0]
    small.write(csv_of(good))
    assert small.run().notes == ()


def test_the_manifest_names_sources_and_map(small: Any, csv_of: Any, good: Any) -> None:
    small.write(csv_of(good))
    small.write_map()
    small.run()
    about = json.loads((small.out / "panel.json").read_text())
    assert about["tier"] == "yours"
    assert set(about["sources"]) == {"survey.csv"}
    assert len(about["map"]["sha256"]) == 64
    assert about["import"]["files"]["survey.csv"]["rows"] == 4


def _written(folder: Path, kind: str, rows: tuple[tuple[object, ...], ...]) -> Path:
    frame = pl.DataFrame(
        [dict(zip(HEADER, row, strict=True)) for row in rows], infer_schema_length=None
    )
    numbers = frame.with_columns(pl.exclude("village").cast(pl.Float64))
    path = folder / f"survey.{kind}"
    if kind == "parquet":
        frame.write_parquet(path)
    elif kind == "xlsx":
        frame.write_excel(path)
    elif kind in ("csv", "tsv"):
        frame.write_csv(path, separator="," if kind == "csv" else "\t")
    else:
        write: Any = {
            "dta": pyreadstat.write_dta,
            "sav": pyreadstat.write_sav,
            "xpt": pyreadstat.write_xport,
        }[kind]
        write(numbers, path)
    return path


@pytest.mark.parametrize("kind", ["tsv", "parquet", "xlsx", "dta", "sav", "xpt"])
def test_every_format_gives_the_panel_that_csv_gives(kind: str, small: Any, good: Any) -> None:
    # A row with a fraction for the members, so that rejection is the same too.
    rows = (*good, (3, 2012, "a", 1, 1.0, 0, 2.5, 50, 0, 1, 0, 5, None))
    small.write_map()
    expected = {}
    small.run(_written(small.folder, "csv", rows))
    expected = {name: small.table(name) for name in TABLES}
    path = _written(small.folder, kind, rows)
    small.write_map(file=path.name)
    small.run(path)
    for name in TABLES:
        found = small.table(name)
        if name == "rejected":
            drop = ["file", "original"]
            assert json.loads(found["original"][0])["members"] == "2.5"
            assert_frame_equal(found.drop(drop), expected[name].drop(drop))
        else:
            assert_frame_equal(found, expected[name])


def test_gb18030_is_found_and_kept(small: Any, csv_of: Any, good: Any) -> None:
    rows = tuple((*row[:2], {"a": "梅子坪村", "b": "联通"}[str(row[2])], *row[3:]) for row in good)
    small.write(csv_of(rows).encode("gb18030"))
    small.write_map()
    small.run()
    assert small.table("villages")["village"].to_list() == ["梅子坪村", "联通"]


def test_a_byte_order_mark_quotes_and_blank_lines_do_no_harm(
    small: Any, csv_of: Any, good: Any
) -> None:
    lines = csv_of(good).splitlines()
    text = "\r\n".join([lines[0], '"1"' + lines[1][1:], "", *lines[2:], "", ""])
    small.write(b"\xef\xbb\xbf" + text.encode())
    small.write_map()
    report = small.run()
    assert (report.total.rows, report.n_periods) == (4, 4)
    small.write(b"\xef\xbb\xbf" + csv_of(good).encode())  # without quotes: the other way in
    assert small.run().n_periods == 4


def test_semicolons_and_decimal_commas(small: Any, csv_of: Any, good: Any) -> None:
    text = csv_of(good).replace(",", ";").replace(".", ",")
    small.write(text + "3;2012;a;1;1,0;0;2;1.250,5;0;1;0;5;\n")
    small.write_map(options='decimal = ","\nthousands = "."')
    small.run()
    assert small.table("income")["wage"].to_list()[-1] == 125_050 * 12
    small.write(text + "3;2012;a;1;1,0;0;2;50.5;0;1;0;5;\n")
    small.write_map(options='decimal = ","')
    small.run()
    assert small.table("rejected").select("reason", "row").rows() == [("not_a_number", 5)]


def test_serial_dates_of_a_workbook_are_dates(small: Any, good: Any) -> None:
    # 2012-06-30 is day 41090 of Excel's calendar (Microsoft's: 1 is 1900-01-01, with a 29 February
    # 1900 that never was); 2013-01-01 is 41275.
    for early, shift in ((False, 0), (True, 1462)):
        path = small.folder / "survey.xlsx"
        with xlsxwriter.Workbook(path, {"date_1904": early}) as book:
            sheet = book.add_worksheet()
            day = book.add_format({"num_format": "yyyy-mm-dd"})
            sheet.write_row(0, 0, HEADER)
            for i, row in enumerate(good, 1):
                sheet.write_row(i, 0, row)
                sheet.write_number(i, 1, {2012: 41090, 2013: 41275}[row[1]] - shift)
                if row[-1]:
                    sheet.write_datetime(i, 12, datetime.datetime(2013, 5, 1), day)
            sheet.write_formula(1, 8, "=1+1", None, 2)
        small.write_map(file="survey.xlsx")
        report = small.run(path)
        assert small.table("income")["period"].to_list() == [2012, 2013, 2012, 2013]
        assert small.table("participation")["first_period"].to_list() == [2013]
        # The value stored with the formula is read: 2 yuan of fares.
        assert small.table("income")["wage"].to_list()[0] == 120_000 - 200
        assert report.notes == (
            "survey.xlsx has formulas: the values last stored are read, none is computed",
        )


def test_value_labels_can_stand_for_codes(small: Any, good: Any) -> None:
    frame = pl.DataFrame(
        [dict(zip(HEADER, row, strict=True)) for row in good], infer_schema_length=None
    )
    path = small.folder / "survey.dta"
    pyreadstat.write_dta(
        frame.with_columns(pl.col("joined").cast(pl.Float64)),
        path,
        variable_value_labels={"county": {1: "Yun", 2: "Fang"}},
    )
    text = small.write_map(file="survey.dta").read_text()
    coded = 'county = { column = "county", recode = { 1 = "north", 2 = "south" }, strict = true }'
    assert coded in text
    (small.folder / "map.toml").write_text(
        text.replace(coded, 'county = { column = "county", labels = true }')
    )
    small.run(path)
    assert small.table("villages")["county"].to_list() == ["Yun", "Fang"]


def test_a_household_that_moves_keeps_its_village(small: Any, csv_of: Any, good: Any) -> None:
    rows = (good[0], (*good[1][:2], "b", *good[1][3:]), *good[2:])
    small.write(csv_of(rows))
    small.write_map()
    report = small.run()
    assert small.table("households")["village"].to_list() == ["a", "b"]
    assert "1 households changed village; the baseline village stays" in report.notes


def test_treatment_after_the_last_period_is_none(small: Any, csv_of: Any, good: Any) -> None:
    rows = tuple((*row[:-1], 2014 if row[0] == 1 else None) for row in good)
    small.write(csv_of(rows))
    small.write_map()
    report = small.run()
    assert small.table("participation").is_empty()
    assert report.notes[0].startswith("1 participations begin after the last period")


def test_a_panel_does_not_depend_on_the_parts_it_was_read_in(
    small: Any, csv_of: Any, good: Any
) -> None:
    rows = tuple((h, *row[1:]) for h in range(1, 400) for row in good[:2])
    small.write(csv_of(rows) + "x,1850,a,1,1,0,2,50,0,1,0,5,\n")
    small.write_map()
    small.run()
    whole = {name: small.table(name) for name in TABLES}
    digests = json.loads((small.out / "panel.json").read_text())["tables"]
    small.run(rows_at_once=200)
    assert (small.out / "income" / "part-0003.parquet").exists()
    for name, table in whole.items():
        assert_frame_equal(small.table(name), table)
    assert json.loads((small.out / "panel.json").read_text())["tables"] == digests
    assert panel.check(panel.read(small.out)) == ()


def test_an_import_is_the_same_to_the_byte_each_time(small: Any, csv_of: Any, good: Any) -> None:
    bad = [
        f"{h},{y},a,1,1,0,{n},{w},0,1,0,5,\n"
        for h, y, n, w in ((3, 1850, 2, 1), (4, 2012, 0, 1), (5, 2012, 2, "x"), ("", 2012, 2, 1))
    ]
    small.write(csv_of(good) + "".join(bad))
    small.write_map()
    seen = set()
    for _ in range(4):
        small.run()
        seen.add(tuple(p.read_bytes() for p in sorted(small.out.iterdir()) if p.is_file()))
    assert len(seen) == 1


def test_progress_is_told_step_by_step(small: Any, csv_of: Any, good: Any) -> None:
    small.write(csv_of(good))
    told: list[tuple[str, int, int]] = []
    import_survey(
        [small.folder / "survey.csv"],
        small.write_map(),
        small.out,
        rows_at_once=2,
        progress=lambda *step: told.append(step),
    )
    assert [what for what, *_ in told] == [
        "reading files",
        "laying out survey.csv",
        *(f"part {k} of {told[-1][2] - 2}" for k in range(1, told[-1][2] - 1)),
    ]
    assert all(done < steps for _, done, steps in told)
    assert [done for _, done, _ in told] == list(range(len(told)))
