"""Make the spreadsheets of the page "what to record": the same bytes on every run."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

import xlsxwriter

ROOT = Path(__file__).resolve().parent.parent
FIELDS = ROOT / "data" / "prose" / "record_fields.csv"
FOLDER = ROOT / "assets" / "record"
FILES = {"en": "household-record.xlsx", "zh": "household-record-zh.xlsx"}
SHEETS = {
    "en": {"households": "households", "applicants": "applicants", "about": "what to write"},
    "zh": {"households": "农户", "applicants": "申请人", "about": "填写说明"},
}
MADE = datetime(2026, 1, 1)


def fields() -> list[dict[str, str]]:
    """Return the columns of all sheets."""
    with FIELDS.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def make(path: Path, language: str, rows: Iterable[Mapping[str, Any]] = ()) -> None:
    """Write the spreadsheet; `rows` fill its first sheet, by the English headings."""
    names = SHEETS[language]
    with xlsxwriter.Workbook(path) as book:
        book.set_properties({"created": MADE, "author": "", "title": names["households"]})
        bold = book.add_format({"bold": True, "text_wrap": True, "valign": "top", "bottom": 1})
        plain = book.add_format({"text_wrap": True, "valign": "top"})
        known = fields()
        for sheet in ("households", "applicants"):
            page = book.add_worksheet(names[sheet])
            columns = [field for field in known if field["sheet"] == sheet]
            page.freeze_panes(1, 0)
            page.set_column(0, len(columns) - 1, 16)
            for at, field in enumerate(columns):
                page.write_string(0, at, field[language], bold)
            for line, row in enumerate(rows if sheet == "households" else (), start=1):
                for at, field in enumerate(columns):
                    if row.get(field["en"]) is not None:
                        page.write(line, at, row[field["en"]])
        page = book.add_worksheet(names["about"])
        page.set_column(0, 0, 30)
        page.set_column(1, 1, 90)
        for line, field in enumerate(known):
            page.write_string(line, 0, field[language], bold)
            page.write_string(line, 1, field[f"about_{language}"], plain)


if __name__ == "__main__":
    FOLDER.mkdir(parents=True, exist_ok=True)
    for language, name in FILES.items():
        make(FOLDER / name, language)
