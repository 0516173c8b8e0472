"""Tables of results as HTML: escaped, cards with the names of columns, filters with values."""

from __future__ import annotations

import json
from html.parser import HTMLParser

import polars as pl
import pytest

from analysis.claims.reported import claims
from analysis.faults import FaultsError
from analysis.results.table import ResultTable
from analysis.results.table_html import Filter, is_numeric
from analysis.studies.estimates import studies

SHOWN = pl.DataFrame(
    {"effect": ["1.5 (0.2)", "−3 to 4"], "study": ["A <b>", None], "n": ["1,200", ""]}
)


class Cells(HTMLParser):
    """Collects the cells of a table."""

    def __init__(self, markup: str) -> None:
        super().__init__()
        self.cells: list[tuple[str, dict[str, str | None], str]] = []
        self.feed(markup)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Begin a cell."""
        if tag in ("th", "td"):
            self.cells.append((tag, dict(attrs), ""))

    def handle_data(self, data: str) -> None:
        """Add to the text of a cell."""
        if self.cells and data.strip():
            tag, attrs, text = self.cells[-1]
            self.cells[-1] = (tag, attrs, text + data)


def table(**more: object) -> ResultTable:
    """Return a small table."""
    return ResultTable(shown=SHOWN, data=SHOWN, **more)  # type: ignore[arg-type]


def test_cells_are_escaped_and_name_their_column() -> None:
    cells = Cells(table(title="Effects & more", notes=("A note.",))._repr_html_()).cells
    assert [text for _, _, text in cells[:3]] == ["Effect", "Study", "N"]
    first, study, n = cells[3:6]
    assert first[0] == "th" and first[1]["scope"] == "row" and first[2] == "1.5 (0.2)"
    assert study[1]["data-label"] == "Study" and study[2] == "A <b>"
    assert n[1] == {"role": "cell", "data-label": "N", "class": "number"}
    # Empty cells have no name, so that a card leaves them out.
    assert "data-label" not in cells[7][1]
    assert "<caption>Effects &amp; more</caption>" in table(title="Effects & more")._repr_html_()


def test_numbers_stand_right_texts_left() -> None:
    assert is_numeric(SHOWN["n"])
    assert is_numeric(SHOWN["effect"])
    assert not is_numeric(SHOWN["study"])
    assert not is_numeric(pl.Series([None, ""], dtype=pl.String))


def test_filters_carry_values_and_their_names() -> None:
    chosen = Filter("study", "work", ["a", "b"], {"a": "Author A", "b": "B"})
    markup = table(filters=(chosen,))._repr_html_()
    cells = Cells(markup).cells
    assert cells[1][1]["data-filter"] == "work"
    assert json.loads(str(cells[1][1]["data-names"])) == {"a": "Author A", "b": "B"}
    assert [cells[k][1]["data-value"] for k in (4, 7)] == ["a", "b"]
    assert "<table data-filterable" in markup
    assert "data-filterable" not in table()._repr_html_()


def test_a_filter_by_the_texts_of_a_column() -> None:
    assert 'data-filter="study"' in table().filterable("study")._repr_html_()
    with pytest.raises(FaultsError, match="effect, study, n"):
        table().filterable("absent")


def test_the_list_of_studies_has_six_columns_results_first_and_every_row_of_the_library() -> None:
    library = studies()
    found = library.table(filterable=True)
    assert found.shown.columns == ["result", "study", "programme", "outcome", "design", "place"]
    assert found.shown.height == library.frame.height
    assert [one.key for one in found.filters] == ["programme", "outcome", "design"]
    names = found.filters[0].names
    assert next(iter(names)) == "training"  # the order of the report
    assert set(found.filters[0].values) <= set(names)
    # A cell of the evidence map leads to both families that it shows.
    pairs = set(zip(found.filters[1].values, found.data["outcome_family"], strict=True))
    assert {("earnings", "earnings"), ("earnings", "household_earnings")} <= pairs
    chinese = library.table(filterable=True, language="zh")
    assert chinese.shown.columns[0] == "估计结果"
    assert "随机对照试验" in set(chinese.shown["设计"])
    assert chinese.data.equals(found.data)


@pytest.mark.parametrize("language", ["en", "zh"])
def test_claims_and_systems_are_lists_of_at_most_six_columns(language: str) -> None:
    reported = claims()
    found = reported.table(filterable=True, language=language)
    assert found.shown.height == reported.quantities.height
    assert len(found.shown.columns) <= 6
    assert [one.key for one in found.filters] == ["programme", "place", "article"]
    assert set(found.filters[2].values) == {"S0", "S1", "S2", "S3", "S4"}
    systems = reported.system_table(filterable=True, language=language)
    assert systems.shown.height == 76
    assert len(systems.shown.columns) == 6


def test_a_claim_in_both_languages() -> None:
    english, chinese = claims("dividend").table(), claims("dividend").table(language="zh")
    row = english.shown.row(by_predicate=pl.col("claim") == "S3_029", named=True)
    assert row["says"] == "14,500 to 16,000 → 14,993 to 15,013 yuan per person"
    same = chinese.shown.row(by_predicate=pl.col("编号") == "S3_029", named=True)
    assert same["数值"] == "14,500 至 16,000 → 14,993 至 15,013"
    assert same["原文"] == row["printed"]
