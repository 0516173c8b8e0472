"""The map that --init writes: what it shows, what it leaves open, and that it runs once filled."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

import polars as pl
import pyreadstat
import pytest
import xlsxwriter

from analysis.faults import FaultsError
from analysis.panels.importing import guesses, import_survey, init_map
from analysis.panels.importing.mapfile import read_map
from analysis.panels.table_files import read_table


def test_a_starter_runs_once_it_is_filled_in(tmp_path: Path) -> None:
    frame = pl.DataFrame(
        {
            "hhid": [101, 101, 102, 102],
            "year": [2012, 2013, 2012, 2013],
            "vid": [1, 1, 2, 2],
            "famsize": [3, 3, 2, 2],
            "wages": [100, -8, 50, 60],
            "pension": [0, 0, 5, 5],
            "sex": [1, 1, 2, 2],
        }
    )
    survey = tmp_path / "s.dta"
    pyreadstat.write_dta(
        frame,
        survey,
        column_labels=["", "", "", "members", "wage income, yuan", "", ""],
        variable_value_labels={"sex": {1: "man", 2: "woman"}},
    )
    path = init_map([survey], tmp_path / "map.toml")
    text = path.read_text(encoding="utf-8")
    # Labels, types, ranges and value labels of the file are there to read.
    assert "#   wages  [double]  wage income, yuan  (-8 to 100; 4 different)" in text
    assert "#       1 = man; 2 = woman" in text
    for guess in (
        'household = "hhid"',
        'period = "year"',
        'village = "vid"',
        'members = "famsize"',
        "missing = [-8]",
        'source = "wage"',
        'source = "transfer"',
    ):
        (line,) = [line for line in text.splitlines() if line.startswith(guess)]
        assert "GUESS" in line
    # Unfilled it is refused, with every open place.
    with pytest.raises(FaultsError) as caught:
        read_map(path)
    assert {fault.column for fault in caught.value.faults} == {
        "map.currency",
        "income.items[0].unit",
        "income.items[0].per",
        "income.items[1].unit",
        "income.items[1].per",
        "income.absent.business",
        "income.absent.property",
    }
    filled = text.replace('unit = "FILL"', 'unit = "yuan"').replace('per = "FILL"', 'per = "year"')
    path.write_text(filled.replace('"FILL"', '"not asked"'), encoding="utf-8")
    report = import_survey([survey], path, tmp_path / "panel")
    assert (report.n_households, report.n_periods) == (2, 4)
    wages = pl.read_parquet(tmp_path / "panel" / "income.parquet")["wage"].to_list()
    assert wages == [10_000, None, 5_000, 6_000]


def test_no_column_is_guessed_twice_and_losses_are_no_codes(tmp_path: Path) -> None:
    # `hh size` is no household though it says hh; -1 among other losses is no code for no answer,
    # -8 among counts is one; transfers named trans_ are found; a farm rent counts once.
    head = "household_id,hh size,villid,year,farm_income,farm_rent,trans_gov,n_plots,name\n"
    rows = (
        "101,3,7,2012,-1,1,5,2,An",
        "101,3,7,2013,-250,2,5,2,An",
        "102,2,8,2012,-8000,3,5,2,Bo",
        "102,2,8,2013,3,4,6,-8,Bo",
    )
    (tmp_path / "s.csv").write_text(head + "\n".join(rows) + "\n")
    text = init_map([tmp_path / "s.csv"], tmp_path / "m.toml").read_text(encoding="utf-8")
    content = tomllib.loads(text)
    (file,) = content["files"]
    assert (file["household"], file["period"], file["missing"]) == ("household_id", "year", [-8])
    assert content["household"]["village"] == "villid"
    assert content["income"]["members"] == "hh size"
    assert [(item["source"], item["column"]) for item in content["income"]["items"]] == [
        ("business", "farm_income"),
        ("business", "farm_rent"),
        ("transfer", "trans_gov"),
    ]
    # Types of a text file come from its cells.
    assert "#   hh size  [number]" in text
    assert "#   name  [text]" in text


@pytest.mark.parametrize(
    ("field", "names"),
    [
        (
            "household",
            ("household_id", "HHID", "hh_id", "hh", "fid12", "id", "Household No", "户编码"),
        ),
        ("village", ("vill", "villid", "village_id", "village", "vid", "cid14", "Village Code")),
        ("size", ("hhsize", "hh size", "n_members", "n_hh", "famsize", "familysize12", "members")),
        ("weight", ("weight", "hhweight", "fswt_natcs12", "pweight")),
    ],
)
def test_names_that_surveys_use(field: str, names: tuple[str, ...]) -> None:
    for name in names:
        found = guesses.fields([guesses.Look(name, "", "number", {}, "")])
        assert {key: value for key, value in found.items() if value} == {field: name}


def test_a_key_with_few_values_gives_way_to_one_with_many() -> None:
    def column(name: str, n_different: int) -> guesses.Look:
        return guesses.Look(name, "", "number", {}, "", n_different=n_different, n_seen=1000)

    assert guesses.fields([column("hh", 6), column("id", 500)])["household"] == "id"
    assert guesses.fields([column("hh", 400), column("id", 1000)])["household"] == "hh"


def test_a_starter_guesses_waves(tmp_path: Path) -> None:
    (tmp_path / "w.csv").write_text("fid,cid,size10,size12,wage10,wage12\n1,a,2,3,10,20\n")
    text = init_map([tmp_path / "w.csv"], tmp_path / "map.toml").read_text(encoding="utf-8")
    assert 'layout = "wide"' in text
    assert 'waves = { "10" = 2010, "12" = 2012 }  # GUESS' in text
    assert 'column = "wage{wave}"' in text
    assert text.count('source = "wage"') == 1


def test_a_starter_for_two_files_says_which(tmp_path: Path) -> None:
    (tmp_path / "h.csv").write_text("hhid;year;village;famsize;rent\n1;2012;a;2;5\n")
    (tmp_path / "p.csv").write_text("hhid,pid,year,wage\n1,1,2012,5\n")
    text = init_map([tmp_path / "h.csv", tmp_path / "p.csv"], tmp_path / "m.toml").read_text()
    content = tomllib.loads(text)
    assert [f["unit"] for f in content["files"]] == ["household", "person"]
    assert content["household"]["village"] == {"column": "village", "from": "h"}
    assert "# encoding utf-8, delimiter ';': found" in text


def test_a_file_cannot_write_into_the_map(tmp_path: Path) -> None:
    # Names and labels of a file end up in TOML: neither may break out of its line.
    frame = pl.DataFrame({"hhid": [1], "year": [2012]})
    pyreadstat.write_dta(frame, tmp_path / "s.dta", column_labels=["a\n[evil]\nx = 1", 'q"\\'])
    (tmp_path / "t.csv").write_text('hhid,"village""\nx",year\n1,2,2012\n')
    for name in ("s.dta", "t.csv"):
        path = init_map([tmp_path / name], tmp_path / f"{name}.toml")
        content = tomllib.loads(path.read_text(encoding="utf-8"))
        assert set(content) <= {"map", "files", "household", "village", "income"}


def test_a_starter_replaces_nothing_and_tells_every_fault(tmp_path: Path, small: Any) -> None:
    (tmp_path / "map.toml").write_text("mine")
    (tmp_path / "s.csv").write_text("hh\n1\n")
    with pytest.raises(FaultsError, match="the map exists; choose a new name"):
        init_map([tmp_path / "s.csv"], tmp_path / "map.toml")
    with pytest.raises(FaultsError) as caught:
        init_map([tmp_path / "a.csv", tmp_path / "b.pkl"], tmp_path / "new.toml")
    assert len(caught.value.faults) == 2
    assert not (tmp_path / "new.toml").exists()


def test_waves_named_by_letters_are_found_and_left_to_be_dated(tmp_path: Path) -> None:
    (tmp_path / "w.csv").write_text(
        "hhid,village,hhsize_t0,hhsize_t1,wage_t0,wage_t1\n1,a,2,3,1,2\n"
    )
    path = init_map([tmp_path / "w.csv"], tmp_path / "map.toml")
    text = path.read_text(encoding="utf-8")
    assert 'waves = { "t0" = "FILL", "t1" = "FILL" }  # GUESS' in text
    assert 'column = "wage_{wave}"' in text
    assert 'members = "hhsize_{wave}"' in text
    with pytest.raises(FaultsError) as caught:
        read_map(path)
    assert {f.column for f in caught.value.faults} >= {"files[0].waves.t0", "files[0].waves.t1"}


def test_a_column_of_many_texts_shows_none_of_them(tmp_path: Path) -> None:
    """Thirteen names of people are more than twelve; two answers are shown."""
    rows = [f"{i},2012,a,Person {i},{'yes' if i % 2 else 'no'}" for i in range(13)]
    (tmp_path / "s.csv").write_text("\n".join(["hhid,year,village,name,poor", *rows]))
    text = init_map([tmp_path / "s.csv"], tmp_path / "map.toml").read_text(encoding="utf-8")
    assert "Person" not in text
    assert "#   name  [text]  (13 different)" in text
    assert "'no', 'yes'; 2 different" in text


def test_keys_are_tried_on_the_rows(tmp_path: Path) -> None:
    (tmp_path / "s.csv").write_text(
        "hhid,year,member_no,wage\n1,2012,1,5\n1,2012,2,6\n2,2012,1,7\n"
    )
    text = init_map([tmp_path / "s.csv"], tmp_path / "a.toml").read_text(encoding="utf-8")
    assert "# hhid, year and member_no tell the first 3 rows apart" in text
    assert 'unit = "person"' in text
    (tmp_path / "u.csv").write_text("a,b,year\nx,1,2012\ny,1,2012\nx,2,2013\n")
    text = init_map([tmp_path / "u.csv"], tmp_path / "b.toml").read_text(encoding="utf-8")
    assert "# tells rows apart with year in the first 3: a" in text
    (tmp_path / "v.csv").write_text("hhid,year,wage\n1,2012,5\n1,2012,6\n2,2012,7\n")
    text = init_map([tmp_path / "v.csv"], tmp_path / "c.toml").read_text(encoding="utf-8")
    assert "# 1 of the first 3 rows repeat hhid and year" in text


@pytest.mark.parametrize("kind", ["csv", "xlsx"])
def test_the_names_of_columns_may_stand_further_down(tmp_path: Path, kind: str) -> None:
    rows: list[list[object]] = [
        ["Survey of households"],
        [],
        ["hhid", "year", "village", "hhsize", "wage"],
        [1, 2012, "a", 2, 500],
        [2, 2012, "b", 3, 600],
    ]
    file = tmp_path / f"s.{kind}"
    if kind == "csv":
        file.write_text("\n".join(",".join(map(str, row)) for row in rows))
    else:
        with xlsxwriter.Workbook(file) as book:
            sheet = book.add_worksheet()
            for number, row in enumerate(rows):
                sheet.write_row(number, 0, row)
    with pytest.raises(
        FaultsError, match=r"seem to stand in line 3; say so: header = 3 in the map"
    ):
        read_table(file)
    assert read_table(file, header=3)["wage"].to_list() == [500, 600]
    path = init_map([file], tmp_path / "map.toml")
    text = path.read_text(encoding="utf-8")
    assert re.search(r"(?m)^header = 3 +# GUESS", text)
    text = text.replace('currency = "FILL"', 'currency = "dollars"')
    text = text.replace('unit = "FILL"', 'unit = "unit"')
    text = text.replace('per = "FILL"', 'per = "year"').replace('"FILL"', '"not asked"')
    path.write_text(text, encoding="utf-8")
    report = import_survey([file], path, tmp_path / "panel")
    assert (report.total.rows, report.n_households) == (2, 2)


def test_row_names_without_a_heading_as_r_writes_them(tmp_path: Path) -> None:
    """``write.table(d, sep = "\\t")`` names the columns alone, and each row begins with its number."""
    file = tmp_path / "s.tsv"
    file.write_text('"hhid"\t"year"\t"wage"\n"1"\t7\t2012\t500\n"2"\t8\t2012\t600\n')
    frame = read_table(file)
    assert frame.columns == ["row_names", "hhid", "year", "wage"]
    assert frame["wage"].to_list() == [500, 600]
    text = init_map([file], tmp_path / "map.toml").read_text(encoding="utf-8")
    assert 'household = "hhid"' in text
