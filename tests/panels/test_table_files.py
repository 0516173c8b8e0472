"""Files with one table: what is found out is said, what is ambiguous is asked, values are right.

Expected values are those that were written into the files.
"""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pyreadstat
import pytest
import xlsxwriter

from analysis.faults import FaultsError
from analysis.panels.table_files import HowRead, read, read_table

TEXT = "Dorf;Einkommen;Fläche\nMüllerhof;1.200,50;3,5\nSüd;800,25;2,75\n"


def written(folder: Path, text: str, encoding: str = "utf-8", name: str = "survey.csv") -> Path:
    path = folder / name
    path.write_bytes(text.encode(encoding))
    return path


@pytest.mark.parametrize("encoding", ["utf-8", "cp1252", "latin-1", "utf-16"])
def test_western_encodings_are_found_and_said(tmp_path, encoding):
    frame, notes = read(written(tmp_path, TEXT, encoding))
    assert frame["Dorf"].to_list() == ["Müllerhof", "Süd"]
    assert frame["Fläche"].to_list() == [3.5, 2.75]
    found = {"utf-8": "", "latin-1": "cp1252"}.get(encoding, encoding)
    assert any("delimiter ';'" in note and found in note for note in notes)


def test_chinese_text_is_found_and_said(tmp_path):
    text = "村,收入\n拉萨河村,1200\n山南,800\n"
    frame, notes = read(written(tmp_path, text, "gb18030"))
    assert frame["村"].to_list() == ["拉萨河村", "山南"]
    assert "encoding gb18030" in notes[0]


def test_the_decimal_mark_is_told_by_the_column_that_allows_one_reading(tmp_path):
    frame, notes = read(written(tmp_path, TEXT), numbers=["Einkommen"])
    assert frame["Einkommen"].to_list() == [1200.5, 800.25]
    assert any("decimal mark ','" in note for note in notes)


def test_a_number_of_two_readings_is_asked_about_and_the_options_work(tmp_path):
    path = written(tmp_path, 'village,income\na,"1,200"\nb,"3,450"\n')
    with pytest.raises(FaultsError, match=r'survey.csv:2 \[income\].*--decimal "," or') as refused:
        read(path, numbers=["income"])
    assert '--decimal "." --thousands ","' in str(refused.value)
    assert read(path, HowRead(decimal=","))[0]["income"].to_list() == [1.2, 3.45]
    assert read(path, HowRead(thousands=","))[0]["income"].to_list() == [1200, 3450]


def test_text_among_numbers_is_named_by_line_and_may_be_said_to_be_missing(tmp_path):
    path = written(tmp_path, "village,income\na,1200\nb,n.a.\nc,-9\n")
    with pytest.raises(FaultsError, match=r"survey.csv:3 \[income\] 'n.a.'") as refused:
        read(path, numbers=["income"])
    assert '--missing "n.a."' in str(refused.value)
    found, _ = read(path, HowRead(missing=("n.a.", "-9")), ["income"])
    assert found["income"].to_list() == [1200, None, None]


def test_codes_that_numbers_would_join_stay_text(tmp_path):
    frame, _ = read(written(tmp_path, "village,income\n007,1\n7,2\n07,3\n"))
    assert frame["village"].to_list() == ["007", "7", "07"]


def test_rows_of_too_many_cells_are_left_out_and_counted(tmp_path):
    frame, notes = read(written(tmp_path, "a,b\n1,2\n3,4,5\n6,7\n"))
    assert frame.rows() == [(1, 2), (6, 7)]
    assert any("1 rows have too many or too few cells" in note and "3" in note for note in notes)


@pytest.fixture
def book(tmp_path):
    path = tmp_path / "book.xlsx"
    with xlsxwriter.Workbook(path) as made:
        for name in ("data", "notes"):
            sheet = made.add_worksheet(name)
            for at, head in enumerate(("village", "income", "land")):
                sheet.write(0, at, head)
            for row, value in enumerate((7.5, "#DIV/0!", ""), 1):
                sheet.write(row, 0, f"v{row}")
                sheet.write_formula(row, 1, "=A1/0", value=value)
                sheet.write(row, 2, row)
    return path


def test_errors_and_uncalculated_formulas_of_a_workbook_are_counted(book):
    frame, notes = read(book, HowRead(sheet="data"))
    assert frame["income"].to_list() == [7.5, None, None]
    assert any("1 cells hold an error" in note and "B3 = #DIV/0!" in note for note in notes)
    assert any("1 cells hold a formula without a value" in note and "B4" in note for note in notes)


@pytest.mark.parametrize(
    ("sheet", "said"), [("", "2 sheets"), ("other", "no such sheet; use one of: data, notes")]
)
def test_a_sheet_that_is_not_named_or_not_there(book, sheet, said):
    with pytest.raises(FaultsError, match=said):
        read(book, HowRead(sheet=sheet))


def test_statistical_files(tmp_path):
    frame = pl.DataFrame({"village": ["a", "b"], "income": [1.5, -9.0]})
    path = tmp_path / "survey.dta"
    pyreadstat.write_dta(frame, path)
    assert read_table(path)["income"].to_list() == [1.5, -9.0]
    assert read_table(path, missing=[-9])["income"].to_list() == [1.5, None]


def test_what_is_found_out_is_warned_of(tmp_path):
    with pytest.warns(UserWarning, match="decimal mark ','"):
        read_table(written(tmp_path, TEXT))


def test_a_file_that_is_not_there_and_one_of_another_kind(tmp_path):
    with pytest.raises(FaultsError, match="the file is missing"):
        read_table(tmp_path / "none.csv")
    with pytest.raises(FaultsError, match="unknown format"):
        read_table(written(tmp_path, "x", name="a.pdf"))
