"""A small survey of known content, and its import in one call."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import polars as pl
import pytest

from analysis.panels.importing import ImportReport, import_survey

MAP = """
[map]
survey = "small"
{about}
[limits]
max_rejected_rows = 1
max_rejected_records = 1
[[files]]
id = "main"
file = "{file}"
household = "hh"
period = "year"
missing = [-8, "NA"]
{options}
[household]
village = "village"
weight = "weight"
weight_type = "sampling"
registered_poor = {{ column = "poor", recode = {{ 5 = 0 }} }}
[village]
county = {{ column = "county", recode = {{ 1 = "north", 2 = "south" }}, strict = true }}
[income]
members = "members"
[[income.items]]
source = "wage"
column = "wage"
unit = "yuan"
per = "month"
[[income.items]]
source = "wage"
column = "fares"
unit = "yuan"
per = "year"
sign = "-"
empty = "zero"
[[income.items]]
source = "business"
column = "farm"
unit = "thousand_yuan"
per = "year"
[[income.items]]
source = "property"
column = "rent"
unit = "fen"
per = "quarter"
[[income.items]]
source = "transfer"
column = "gift"
unit = "yuan"
per = "year"
per_head = true
[[participation]]
programme = "training"
first_year = "joined"
{more}
"""

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
GOOD = (
    (1, 2012, "a", 1, 1.5, 1, 3, 100, None, 2.5, 250, 10, 2013),
    (1, 2013, "a", 1, 1.5, 1, 4, 110, 20, -1.25, 250, 10, 2013),
    (2, 2012, "b", 2, 2.0, 5, 2, 0, None, 0, 0, 0, None),
    (2, 2013, "b", 2, 2.0, 5, 2, -8, None, 0, 0, 0, None),
)


def line(**changes: object) -> tuple[object, ...]:
    """One more row, of household 3 in 2012, in which some cells are changed."""
    row = dict(zip(HEADER, (3, 2012, "a", 1, 1.0, 0, 2, 50, 0, 1, 0, 5, None), strict=True))
    return tuple((row | changes).values())


def as_csv(rows: tuple[tuple[object, ...], ...]) -> str:
    """The rows as CSV, without quoting: a cell may bring its own."""
    cells = [HEADER, *(["" if cell is None else str(cell) for cell in row] for row in rows)]
    return "".join(",".join(row) + "\n" for row in cells)


@dataclass
class Small:
    """The survey in a folder, and what its import wrote."""

    folder: Path
    reports: list[ImportReport] = field(default_factory=list)

    def write_map(
        self, file: str = "survey.csv", options: str = "", more: str = "", about: str = ""
    ) -> Path:
        path = self.folder / "map.toml"
        path.write_text(
            MAP.format(file=file, options=options, more=more, about=about), encoding="utf-8"
        )
        return path

    def write(self, content: str | bytes, name: str = "survey.csv") -> Path:
        path = self.folder / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    def run(self, *paths: Path, rows_at_once: int | None = None) -> ImportReport:
        report = import_survey(
            paths or (self.folder / "survey.csv",),
            self.folder / "map.toml",
            self.out,
            rows_at_once=rows_at_once,
        )
        self.reports.append(report)
        return report

    @property
    def out(self) -> Path:
        return self.folder / "panel"

    def table(self, name: str) -> pl.DataFrame:
        if (self.out / name).is_dir():
            return pl.read_parquet(self.out / name / "*.parquet")
        return pl.read_parquet(self.out / f"{name}.parquet")


@pytest.fixture
def small(tmp_path: Path) -> Small:
    """An empty folder for the small survey."""
    return Small(tmp_path)


@pytest.fixture
def csv_of() -> Callable[[tuple[tuple[object, ...], ...]], str]:
    """Rows as CSV."""
    return as_csv


@pytest.fixture
def good() -> tuple[tuple[object, ...], ...]:
    """Four rows in order: two households in two years."""
    return GOOD
