"""Cells on disk: whole or not at all, and read back as they were."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from analysis.cells import result
from analysis.cells.build import build
from analysis.cells.design import CellsDesign
from analysis.cells.outcomes import Outcome, headcount
from analysis.cells.result import Cells
from analysis.faults import FaultsError


@pytest.fixture(scope="module")
def cells(realistic: Path) -> Cells:
    outcomes = (Outcome("total", real=2015), Outcome("poor", transform=headcount("national")))
    design = CellsDesign(
        ("training",),
        outcomes=outcomes,
        handling="pairs",
        inverse=("untreated",),
        periods=(2012, 2016),
        disclosure=True,
        moments=("change", "dose", "lin"),
        covariates=("workers_baseline",),
    )
    return build(realistic, design)


def test_what_is_written_is_read_back(cells: Cells, tmp_path: Path) -> None:
    result.write(cells, tmp_path / "cells")
    again = result.read(tmp_path / "cells")
    for name in result.TABLES:
        assert getattr(again, name).equals(getattr(cells, name))
    for name in ("design", "tier", "periods", "weighted", "account", "meta"):
        assert getattr(again, name) == getattr(cells, name)


def test_writing_again_replaces_and_leaves_nothing_beside(cells: Cells, tmp_path: Path) -> None:
    for _ in range(2):
        result.write(cells, tmp_path / "cells")
    assert [path.name for path in tmp_path.iterdir()] == ["cells"]


def test_a_folder_of_something_else_is_never_replaced(cells: Cells, tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("ten years of work", encoding="utf-8")
    with pytest.raises(FaultsError, match="exists and is not a folder of cells"):
        result.write(cells, tmp_path)
    assert (tmp_path / "thesis.txt").read_text(encoding="utf-8") == "ten years of work"


@pytest.mark.parametrize(
    ("content", "message"),
    [(None, "the file is missing"), ("{", "not JSON"), ('{"version": 0}', "the version is not 2")],
)
def test_a_folder_without_good_cells_says_so(
    tmp_path: Path, content: str | None, message: str
) -> None:
    if content is not None:
        (tmp_path / result.MANIFEST).write_text(content, encoding="utf-8")
    with pytest.raises(FaultsError, match=message):
        result.read(tmp_path)


def test_the_manifest_says_rows_used_and_left_out(cells: Cells, tmp_path: Path) -> None:
    result.write(cells, tmp_path / "cells")
    about = json.loads((tmp_path / "cells" / result.MANIFEST).read_text(encoding="utf-8"))
    account = about["account"]
    assert account["rows_read"] == account["rows_used"] + sum(account["left_out"].values())
    assert about["meta"]["versions"]["polars"]
