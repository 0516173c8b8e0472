"""The spreadsheet of "what to record": filled in, it is imported without a map, in both languages."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import polars as pl
import pytest
from typer.testing import CliRunner

import record_template
from analysis import cli, paths
from analysis.faults import FaultsError
from analysis.panels import panel
from analysis.panels.importing import import_survey
from analysis.panels.importing.mapfile import read_map
from analysis.panels.importing.record import MAPS

ROOT = paths.root()


def row(household: str, year: int, **more: Any) -> dict[str, Any]:
    amounts = {"wage_yuan": 12000, "business_yuan": -500, "property_yuan": 0, "transfer_yuan": 800}
    place = {"household": household, "village": "A", "county": "C", "year": year, "members": 4}
    return {**place, **amounts, "registered_poor": 0, "dividend_first_year": 2021, **more}


ROWS = [
    row("1", 2020, training_first_year=2021),
    row("1", 2021, training_first_year=2021, wage_yuan=13500.5),
    row("2", 2020, registered_poor=1),
    row("2", 2021, registered_poor=1, wage_yuan=None),
    row("3", 2020, village="B", dividend_first_year=None),
    row("3", 2021, village="B", dividend_first_year=None),
]
"""Three households in two villages, two years; one wage was not asked for."""


@pytest.mark.parametrize("language", record_template.FILES)
def test_three_households_are_imported_without_a_map(tmp_path: Path, language: str) -> None:
    file = tmp_path / "filled.xlsx"
    record_template.make(file, language, ROWS)
    done = CliRunner().invoke(cli.app, ["import", str(file), "--out", str(tmp_path / "panel")])
    assert done.exit_code == 0, done.output
    made = panel.read(tmp_path / "panel")
    assert panel.check(made) == ()
    income = made.income.collect()
    assert income.height == 6 and made.households.collect().height == 3
    # Fen, by hand: 13,500.50 yuan; a wage that was not asked for is none, not 0.
    assert income.filter(household="1", period=2021)["wage"].item() == 1_350_050
    assert income.filter(household="2", period=2021)["wage"].item() is None
    assert income.filter(household="3", period=2020)["business"].item() == -50_000
    treated = made.participation.select("programme", "unit_level", "unit", "first_period").collect()
    assert sorted(treated.with_columns(pl.col("unit_level").cast(pl.String)).rows()) == [
        ("dividend", "village", "A", 2021),
        ("training", "household", "1", 2021),
    ]


@pytest.mark.parametrize("language", record_template.FILES)
def test_the_committed_spreadsheet_is_what_the_list_of_fields_makes(
    tmp_path: Path, language: str
) -> None:
    record_template.make(tmp_path / "made.xlsx", language)
    there = record_template.FOLDER / record_template.FILES[language]
    assert (tmp_path / "made.xlsx").read_bytes() == there.read_bytes(), (
        "python tools/record_template.py makes it again"
    )


@pytest.mark.parametrize(("name", "language"), list(zip(MAPS, record_template.FILES, strict=True)))
def test_map_and_page_name_every_heading(name: str, language: str) -> None:
    fields = record_template.fields()
    mapped = {c for cell in read_map(paths.data() / "maps" / name).cells() for c in cell.columns}
    assert mapped == {field[language] for field in fields if field["sheet"] == "households"}
    page = {"en": "pages/record.qmd", "zh": "zh/record.qmd"}[language]
    text = (ROOT / page).read_text(encoding="utf-8")
    assert not [field[language] for field in fields if f"`{field[language]}`" not in text]


def test_a_heading_that_was_changed_is_named(tmp_path: Path) -> None:
    record_template.make(tmp_path / "filled.xlsx", "en", ROWS)
    frame = pl.read_excel(tmp_path / "filled.xlsx", sheet_name="households")
    frame.rename({"wage_yuan": "wages"}).write_csv(tmp_path / "filled.csv")
    with pytest.raises(FaultsError, match=r"filled\.csv \[wage_yuan\]: no such column"):
        import_survey([tmp_path / "filled.csv"], None, tmp_path / "panel")


def test_another_file_without_a_map_is_told_how_to_get_one(tmp_path: Path) -> None:
    (tmp_path / "survey.csv").write_text("hhid,income\n1,2\n", encoding="utf-8")
    with pytest.raises(FaultsError, match=r"analysis import --init survey\.csv"):
        import_survey([tmp_path / "survey.csv"], None, tmp_path / "panel")
