"""Numbers typed in prose: none on the project's pages that is not listed, and what counts as one."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from analysis import paths
from analysis.site import numerals

ROOT = paths.root()


def test_no_page_types_a_number_that_is_not_listed() -> None:
    assert numerals.faults(ROOT) == ()


CASES = {
    "In a survey of 319 villages": ["319 villages"],
    "rose by 4.5 per cent": ["4.5 per cent"],
    "fell by −3,000 yuan a year": ["−3,000 yuan a"],
    "收入提高12.3%。": ["12.3%。"],
    "In 2019, and from 1998 to 2004": [],
    "Of `{python} n` rows `x = 3` and {{< val rows-2 >}}": [],
    "1. First\n2. Second\n\n**3. Third.** Text": [],
    "```\nx = 3\n```\n\n$\\alpha = 0.05$ [link](a-3.html) [@lee2009, p. 12]": [],
    "UTF-8, CV1 and 1998-99": [],
}


@pytest.mark.parametrize("prose", CASES)
def test_what_is_a_number_typed_in_prose(prose: str) -> None:
    """By hand: results, not years, names, numbers of a list, code, formulas or links."""
    assert [one.text for one in numerals.typed(prose)] == CASES[prose]


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A page and a notebook with one listed number each."""
    (tmp_path / "pages").mkdir()
    (tmp_path / "notebooks").mkdir()
    (tmp_path / "pages/a.qmd").write_text("---\ntitle: T 3\n---\n\nOf 12 rows.\n", encoding="utf-8")
    cells = [
        {"cell_type": "markdown", "source": ["At 95 per\n", "cent.\n"]},
        {"cell_type": "code", "source": ["x = 7\n"]},
    ]
    (tmp_path / "notebooks/01-b.ipynb").write_text(json.dumps({"cells": cells}), encoding="utf-8")
    (tmp_path / numerals.FILE).parent.mkdir(parents=True)
    (tmp_path / numerals.FILE).write_text(
        "page,text,why\npages/a.qmd,12 rows.,size of the example\n"
        "notebooks/01-b.ipynb,95 per cent.,level of an interval\n",
        encoding="utf-8",
    )
    return tmp_path


def test_a_number_that_is_typed_changed_or_gone_is_named(project: Path) -> None:
    assert numerals.faults(project) == ()
    page = project / "pages/a.qmd"
    page.write_text(page.read_text(encoding="utf-8").replace("12", "13"), encoding="utf-8")
    first, second = numerals.faults(project)
    assert (first.file, first.row, first.value) == ("pages/a.qmd", 5, "13 rows.")
    assert (second.file, second.row, second.value) == ("data/prose/numerals.csv", 2, "12 rows.")


def test_a_number_typed_in_a_notebook_is_named(project: Path) -> None:
    path = project / "notebooks/01-b.ipynb"
    text = path.read_text(encoding="utf-8").replace("At 95", "It gave 440 yuan. At 95")
    path.write_text(text, encoding="utf-8")
    assert [fault.value for fault in numerals.faults(project)] == ["440 yuan. At"]
