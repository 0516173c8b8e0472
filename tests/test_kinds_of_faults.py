"""Kinds of faults that public bug reports of other tools show, each with its right value.

Small inputs of each kind, written here, through every door it concerns: a file through the command,
a frame, an import. Values are counted by hand from the rows; the sampling error is that of samplics.
"""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd
import polars as pl
import pyreadstat
import pytest
import xlsxwriter
from typer.testing import CliRunner

import analysis as va
from analysis.cli import app
from analysis.faults import FaultsError
from analysis.panels.importing import ImportReport, import_survey

HEAD = ("hhid", "year", "village", "members", "wage", "farm")
HOMES = ((1, "A", 3), (2, "A", 4), (3, "B", 2), (4, "B", 5))
MAP = """
[map]
survey = "s"
[[files]]
id = "h"
file = "s"
household = "hhid"
period = "year"
{file}
[household]
village = {village}
{household}
[income]
members = "members"
absent = {{ property = "no", transfer = "no" }}
[[income.items]]
source = "wage"
column = "wage"
unit = "yuan"
per = "year"
empty = "zero"
[[income.items]]
source = "business"
column = "farm"
unit = "yuan"
per = "year"
empty = "zero"
[limits]
max_rejected_rows = 1.0
max_rejected_records = 1.0
"""


def homes() -> list[list[object]]:
    """Return four households in two years; wages 1000, 2000, 3000, 4000, then 100 more."""
    return [
        [home, year, village, size, 1000 * home + 50 * (year - 2012), 400 + 100 * home]
        for home, village, size in HOMES
        for year in (2012, 2014)
    ]


def imported(
    file: Path, village: str = '"village"', household: str = "", more: str = "", how: str = ""
) -> ImportReport:
    text = MAP.format(village=village, household=household, file=how) + more
    file.with_suffix(".toml").write_text(text)
    return import_survey([file], file.with_suffix(".toml"), file.parent / "panel")


def income(file: Path) -> pl.DataFrame:
    return pl.read_parquet(file.parent / "panel" / "income.parquet")


def command(*words: object) -> str:
    run = CliRunner().invoke(app, [str(word) for word in words])
    if isinstance(run.exception, FaultsError):
        raise run.exception
    assert run.exit_code == 0, run.output
    return run.output


def workbook(
    file: Path, cells: Mapping[tuple[int, int], tuple[str, object]], above: int = 0
) -> Path:
    """Write a sheet in which some cells are formulas with the value last stored."""
    with xlsxwriter.Workbook(file) as book:
        sheet = book.add_worksheet()
        for r, row in enumerate([HEAD, *homes()]):
            sheet.write_row(r + above, 0, row)
        for (r, c), (formula, value) in cells.items():
            sheet.write_formula(r + above, c, formula, None, value)
    return file


def without_values(file: Path) -> None:
    """Take the stored values of formulas out of a workbook, as libraries write it."""
    with zipfile.ZipFile(file) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    sheet = "xl/worksheets/sheet1.xml"
    parts[sheet] = parts[sheet].replace(b"</f><v>0</v>", b"</f>")
    with zipfile.ZipFile(file, "w") as archive:
        for name, content in parts.items():
            archive.writestr(name, content)


ERRORS = {(2, 4): ("NA()", "#N/A"), (4, 4): ("1/0", "#DIV/0!"), (6, 5): ("#REF!", "#REF!")}


@pytest.mark.parametrize("above", [0, 2])
def test_errors_of_a_spreadsheet_are_no_income(tmp_path: Path, above: int) -> None:
    """fastexcel issues 229 and 316: such a cell came as empty, and empty as nothing earned."""
    file = workbook(tmp_path / "s.xlsx", ERRORS, above)
    report = imported(file)
    # Rows 2, 4 and 6 hold the errors; what is left was earned: nobody has an income of 0.
    assert report.total.reasons == {"not_a_number": 3}
    rejected = pl.read_parquet(tmp_path / "panel" / "rejected.parquet")
    assert rejected["row"].to_list() == [2, 4, 6]
    assert "wage = #N/A" in rejected["detail"][0]
    assert income(file)["wage"].to_list() == [100000, 200000, 300000, 400000, 410000]
    assert report.cells["cannot be read"] == 3
    with pytest.warns(UserWarning, match="3 cells hold an error of the spreadsheet"):
        frame = va.read_table(file)
    assert frame["wage"].to_list()[:4] == [1000, None, 2000, None]


ODS = """<?xml version="1.0"?><office:document-content
 xmlns:office="urn:oasis:names:tc:opendocument:xmlns:office:1.0"
 xmlns:table="urn:oasis:names:tc:opendocument:xmlns:table:1.0"
 xmlns:text="urn:oasis:names:tc:opendocument:xmlns:text:1.0"
 xmlns:calcext="urn:org:documentfoundation:names:experimental:calc:xmlns:calcext:1.0"
><office:body><office:spreadsheet><table:table table:name="s">{rows}</table:table
></office:spreadsheet></office:body></office:document-content>"""
ODS_MANIFEST = (
    '<m:manifest xmlns:m="urn:oasis:names:tc:opendocument:xmlns:manifest:1.0"></m:manifest>'
)


def test_errors_of_an_open_document_are_refused_where_empty_is_zero(tmp_path: Path) -> None:
    """Its reader gives an empty text for ``#N/A``; the rows themselves are read."""

    def cell(value: object, wrong: bool) -> str:
        kind = 'office:value-type="string"' + ' calcext:value-type="error"' * wrong
        text = "" if wrong else value
        return f"<table:table-cell {kind}><text:p>{text}</text:p></table:table-cell>"

    for wrong in (True, False):
        rows = "".join(
            f"<table:table-row>{''.join(cell(x, wrong and (r, c) == (2, 4)) for c, x in enumerate(row))}"
            "</table:table-row>"
            for r, row in enumerate([HEAD, *homes()])
        )
        file = tmp_path / "s.ods"
        with zipfile.ZipFile(file, "w") as archive:
            archive.writestr("content.xml", ODS.format(rows=rows))
            archive.writestr("META-INF/manifest.xml", ODS_MANIFEST)
            archive.writestr("mimetype", "application/vnd.oasis.opendocument.spreadsheet")
        if wrong:
            with pytest.raises(FaultsError, match="holds 1 errors of the spreadsheet"):
                imported(file)
        else:
            assert imported(file).total.rows_accepted == 8


def test_an_error_of_a_spreadsheet_is_no_village(tmp_path: Path) -> None:
    rows = [[*row[:2], "#REF!" if row[0] == 4 else row[2], *row[3:]] for row in homes()]
    file = tmp_path / "s.csv"
    pl.DataFrame(rows, schema=HEAD, orient="row").write_csv(file)
    report = imported(file)
    assert report.total.reasons == {"not_a_value": 2}
    assert report.n_villages == 2


@pytest.mark.parametrize("stored", [True, False])
def test_formulas_never_calculated_are_no_income(tmp_path: Path, stored: bool) -> None:
    """pandas issue 25763: a library writes formulas without values, or with a 0 beside them."""
    file = workbook(tmp_path / "s.xlsx", {(2, 4): ("1000*1.1", 0)})
    if not stored:
        without_values(file)
    report = imported(file)
    assert report.total.reasons == {"not_a_number": 1}
    assert any("1 cells hold a formula without a value" in note for note in report.notes)
    assert 0 not in income(file)["wage"].to_list()
    with pytest.warns(UserWarning, match="1 cells hold a formula without a value"):
        frame = va.read_table(file)
    assert frame["wage"].to_list()[:3] == [1000, None, 2000]


def stata(file: Path, codes: Sequence[float], labels: dict[float, str]) -> Path:
    of_home = dict(zip((1, 2, 3, 4), codes, strict=True))
    frame = pl.DataFrame(homes(), schema=HEAD, orient="row").with_columns(
        village=pl.col("hhid").replace_strict(of_home, return_dtype=pl.Float64)
    )
    pyreadstat.write_dta(frame, file, variable_value_labels={"village": labels})
    return file


def test_codes_of_one_label_do_not_merge_villages(tmp_path: Path) -> None:
    """pandas issues 13923 and 25772: two codes have one label; the villages are four."""
    names: dict[float, str] = {101: "Shiping", 102: "Heping", 201: "Shiping", 202: "Xinhua"}
    file = stata(tmp_path / "s.dta", (101, 102, 201, 202), names)
    with pytest.raises(FaultsError, match=r"\[village\] 'Shiping': codes 101 and 201 .*become one"):
        imported(file, '{ column = "village", labels = true }')
    assert imported(file).n_villages == 4  # the remedy: labels = true is taken out


def test_a_labelled_code_for_no_answer_is_no_answer(tmp_path: Path) -> None:
    """jamovi issue 596, haven issue 33: −9 is "refused"; households 2 and 4 have no village."""
    names: dict[float, str] = {-9: "refused", 101: "Shiping", 201: "Heping"}
    file = stata(tmp_path / "s.dta", (101, -9, 201, -9), names)
    report = imported(file, '{ column = "village", labels = true }', how="missing = [-9]")
    assert report.total.reasons == {"no_village": 4}
    villages = pl.read_parquet(tmp_path / "panel" / "villages.parquet")["village"]
    assert villages.to_list() == ["Heping", "Shiping"]
    with pytest.warns(UserWarning, match="4 cells hold a code or word for no answer"):
        frame = va.read_table(file, missing=[-9])
    assert frame["village"].null_count() == 4


@pytest.mark.parametrize("kind", [pl.Float32, pl.Int64])
def test_codes_with_more_digits_than_their_type_holds(
    tmp_path: Path, kind: type[pl.DataType]
) -> None:
    """Single precision holds 24 bits: 510000001 and 510000002 are one number in it."""
    frame = pl.DataFrame(homes(), schema=HEAD, orient="row").with_columns(
        village=(510_000_000 + pl.col("hhid")).cast(kind)
    )
    frame = frame.with_columns(begun=pl.when(pl.col("hhid") < 3).then(2014.0))
    frame.write_parquet(tmp_path / "s.parquet")
    pd.DataFrame({name: frame[name].to_numpy() for name in frame.columns}).to_stata(
        tmp_path / "s.dta", write_index=False
    )
    words = [
        "--y",
        "wage",
        "--unit",
        "hhid",
        "--time",
        "year",
        "--first",
        "begun",
        "--cluster",
        "village",
    ]
    for file in (tmp_path / "s.parquet", tmp_path / "s.dta"):
        if kind == pl.Int64:
            assert imported(file).n_villages == 4
            assert re.search(r"village +2 treated, 2 not treated", command("did", file, *words))
            continue
        with pytest.raises(FaultsError, match=r"\[village\].*a code of more digits than its type"):
            imported(file)
        with pytest.raises(FaultsError, match=r"\[village\].*a code of more digits than its type"):
            command("did", file, *words)


def test_sampling_units_numbered_in_each_stratum(tmp_path: Path) -> None:
    """SUMMER issue 19: units 1 to 6 in both strata are twelve, with 10 degrees of freedom.

    Two of six villages of equal size lie below the line in each stratum: headcount 1/3, and by hand
    the variance is Σ over strata of 6/5 · Σ ((y − 1/3)/12)² = 2 · 6/5 · (4/3)/144 = 0.1491², that of
    samplics by Taylor series.
    """
    rows = [
        [6 * s + k, 2014, f"{'AB'[s]}{k}", 3, 3000 + 3000 * k, 0, k, "AB"[s]]
        for s in (0, 1)
        for k in range(1, 7)
    ]
    frame = pl.DataFrame(rows, schema=(*HEAD, "psu", "stratum"), orient="row")
    asked: dict[str, Any] = {"size": "members", "strata": "stratum", "psu": "psu"}
    found = va.poverty(frame, "wage", 10_000 / 3, **asked)
    row = found.frame.row(0, named=True)
    assert row["estimate"] == pytest.approx(1 / 3)
    assert row["std_error"] == pytest.approx(0.1490712, abs=1e-6)
    assert (row["df"], row["n_sampling_units"]) == (10, 12)
    file = tmp_path / "s.csv"
    frame.write_csv(file)
    words = [
        "--size",
        "members",
        "--strata",
        "stratum",
        "--psu",
        "psu",
        "--income",
        "wage",
        "--line",
        "3333.33",
    ]
    assert "6 ids of psu occur in several stratum" in command("poverty", file, *words)
    imported(file, household='primary_sampling_unit = "psu"\ndesign_stratum = "stratum"')
    survey = va.read_panel(tmp_path / "panel")
    joined = survey.income.join(survey.households, on="household").collect()
    asked = {"size": "members_present", "strata": "design_stratum", "psu": "primary_sampling_unit"}
    again = va.poverty(joined, "wage", 1_000_000 / 3, **asked).frame.row(0, named=True)
    assert again["std_error"] == pytest.approx(row["std_error"], rel=1e-12)
    assert again["df"] == 10


SPELLS = {1: (0, 5, 0, 0), 2: (0, 5, 10, 20), 3: (0, 0, 5, 0), 4: (0, 0, 0, 0)}


def test_a_programme_that_is_left_and_a_dose_that_rises(tmp_path: Path) -> None:
    """fect issue 2: of three participants two have a later wave without the programme.

    The dose of household 2 rises from 5 to 10 to 20 (did_multiplegt_dyn issue 132).
    """
    rows = [
        [home, 2012 + 2 * t, village, size, 1000 * home + 10 * t, 0, int(days > 0), days]
        for home, village, size in HOMES
        for t, days in enumerate(SPELLS[home])
    ]
    frame = pl.DataFrame(rows, schema=(*HEAD, "on", "days"), orient="row")
    file = tmp_path / "s.csv"
    frame.write_csv(file)
    treatment = '[[participation]]\nprogramme = "training"\nindicator = "on"\n'
    report = imported(file, more=treatment + 'dose = "days"\ndose_unit = "days"\n')
    assert "2 units of training are treated and later not" in " ".join(report.notes)
    assert "1 units of training have doses that change over time" in " ".join(report.notes)
    with pytest.raises(FaultsError, match="treatment ends in 2 units"):
        va.did(frame, "wage", "hhid", "year", "on")
    with pytest.raises(FaultsError, match="treatment ends in 2 units"):
        command(*["did", "--y", "wage", "--unit", "hhid", "--time", "year", "--first", "on"], file)
    with pytest.raises(FaultsError, match="treatment comes in doses that change"):
        va.did(frame, "wage", "hhid", "year", "days")


@pytest.mark.parametrize("encoding", ["latin-1", "cp1252", "utf-16"])
def test_a_western_file_is_not_read_as_chinese(tmp_path: Path, encoding: str) -> None:
    """TableTool pull request 26: ``Ñuñoa`` and ``São`` became Chinese characters."""
    names = {"A": "Ñuñoa", "B": "São"}
    rows = [[*row[:2], names[str(row[2])], *row[3:]] for row in homes()]
    text = io.StringIO()
    text.write(",".join(HEAD) + "\n")
    text.writelines(",".join(map(str, row)) + "\n" for row in rows)
    file = tmp_path / "s.csv"
    file.write_bytes(text.getvalue().encode(encoding))
    imported(file)
    villages = pl.read_parquet(tmp_path / "panel" / "villages.parquet")["village"]
    assert sorted(villages) == ["São", "Ñuñoa"]
    with pytest.warns(UserWarning, match="encoding"):
        assert va.read_table(file)["village"].unique().sort().to_list() == ["São", "Ñuñoa"]


def test_nothing_no_answer_and_unreadable_have_three_counts(tmp_path: Path) -> None:
    rows = [list(row) for row in homes()]
    rows[0][4], rows[1][4], rows[2][5], rows[3][5] = None, -9, -9, "l00"
    text = [",".join("" if x is None else str(x) for x in row) for row in (HEAD, *rows)]
    file = tmp_path / "s.csv"
    file.write_text("\n".join(text))
    report = imported(file, how="missing = [-9]")
    assert list(report.cells.values()) == [1, 2, 1]
    said = "1 empty, 2 hold a code for no answer, 1 cannot be read"
    assert said in report.summary()
    # What is empty was nothing, and no answer is no zero.
    assert income(file)["wage"].to_list()[:2] == [0, None]


def test_a_start_in_a_rejected_row_is_read(tmp_path: Path) -> None:
    """Household 1 begins in 2014, in a row whose wage cannot be read; later rows say so too."""
    rows = [
        [home, year, village, size, wage, 0, int(home == 1 and year >= 2014)]
        for home, village, size in HOMES
        for year in (2012, 2014, 2016)
        for wage in ["l00" if (home, year) == (1, 2014) else 1000 + year]
    ]
    file = tmp_path / "s.csv"
    file.write_text("\n".join(",".join(map(str, r)) for r in ((*HEAD, "on"), *rows)))
    for level, unit in (("household", "1"), ("village", "A")):
        more = f'[[participation]]\nprogramme = "road"\nlevel = "{level}"\nindicator = "on"\n'
        report = imported(file, more=more)
        treated = pl.read_parquet(tmp_path / "panel" / "participation.parquet")
        assert treated.select("unit", "first_period").rows() == [(unit, 2014)]
        assert "1 units of road start in a row that is rejected" in " ".join(report.notes)


def test_labels_that_merge_answers_are_said(tmp_path: Path) -> None:
    """Two codes of yes become one answer: no unit is lost, so it is a note."""
    frame = pl.DataFrame(homes(), schema=HEAD, orient="row").with_columns(poor=pl.col("hhid") % 3)
    labels: dict[str, dict[float, str]] = {"poor": {0: "no", 1: "yes", 2: "yes"}}
    file = tmp_path / "s.dta"
    pyreadstat.write_dta(frame, file, variable_value_labels=labels)
    report = imported(file, household='registered_poor = { column = "poor", labels = true }')
    assert "s.dta: codes 1 and 2 of poor have one label, 'yes', and become one" in report.notes
    homes_of = pl.read_parquet(tmp_path / "panel" / "households.parquet")
    assert homes_of["registered_poor"].to_list() == [True, True, False, True]


COUNTS = {
    "stata": (pl.date(1960, 1, 1), 1, "days of Stata or SAS"),
    "excel": (pl.date(1899, 12, 30), 1, "days of Excel"),
    "spss": (pl.date(1582, 10, 14), 86_400, "seconds of SPSS"),
}


@pytest.mark.parametrize("kind", COUNTS)
def test_counts_of_days_are_refused_with_a_remedy_that_works(tmp_path: Path, kind: str) -> None:
    start, length, words = COUNTS[kind]
    frame = pl.DataFrame(homes(), schema=HEAD, orient="row")
    days = (pl.date("year", 1, 1) - start).dt.total_days() * length
    file = tmp_path / "s.csv"
    frame.with_columns(year=days).write_csv(file)
    with pytest.raises(FaultsError) as refused:
        imported(file)
    told = "; ".join(str(fault) for fault in refused.value.faults)
    assert words in told
    assert f'{{ column = "year", date = … }} with date = "{kind}" if' in told or (
        f'or date = "{kind}" if they are {words}' in told
    )
    text = file.with_suffix(".toml").read_text()
    said = text.replace('period = "year"', f'period = {{ column = "year", date = "{kind}" }}')
    file.with_suffix(".toml").write_text(said)
    import_survey([file], file.with_suffix(".toml"), tmp_path / "panel")
    assert income(file)["period"].unique().sort().to_list() == [2012, 2014]
