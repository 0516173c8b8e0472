"""The page tells the truth: its example is run, its tables are compared with the code."""

from __future__ import annotations

import re
from pathlib import Path

import polars as pl
import pytest

from analysis import paths
from analysis.faults import FaultsError
from analysis.panels.importing import import_survey
from analysis.panels.importing.convert import REASONS
from analysis.panels.importing.parameters import parameters


@pytest.fixture(scope="module")
def page() -> str:
    return (paths.root() / "pages" / "bring-your-own-data.qmd").read_text(encoding="utf-8")


def blocks(page: str, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", page, re.MULTILINE | re.DOTALL)


def test_the_example_does_what_the_page_says(page: str, tmp_path: Path) -> None:
    (survey,), (text,), (stopped, summary) = (blocks(page, n) for n in ("csv", "toml", "text"))
    (tmp_path / "households.csv").write_text(survey, encoding="utf-8")
    (tmp_path / "map.toml").write_text(text, encoding="utf-8")
    files = [tmp_path / "households.csv"], tmp_path / "map.toml", tmp_path / "my-panel"
    with pytest.raises(FaultsError) as caught:
        import_survey(*files)
    assert " ".join(stopped.split()) in str(caught.value)
    rejected = pl.read_parquet(tmp_path / "my-panel.rejected.parquet")
    for row, reason, detail in rejected.select("row", "reason", "detail").iter_rows():
        assert f"| {row} | `{reason}` | {detail} |" in page
    mended = survey.replace("l440", "1440").replace("2012O", "2021")
    (tmp_path / "households.csv").write_text(mended, encoding="utf-8")
    assert import_survey(*files).summary() == summary.rstrip()
    incomplete = pl.read_parquet(tmp_path / "my-panel" / "income.parquet").filter(complete=False)
    assert incomplete.select("household", "period").rows() == [("1002", 2020)]


def test_every_reason_and_unit_is_on_the_page(page: str) -> None:
    known = parameters()
    for word in (*REASONS, *known.units, *known.periods):
        assert f"`{word}`" in page
