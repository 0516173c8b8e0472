"""The page on the search lists exactly the works that the library has without a number."""

import re

import polars as pl
import pytest

from analysis import paths
from analysis.studies.estimates import tables


def text(name):
    return pl.col(name).cast(pl.String)


def listed(head):
    page = (paths.root() / "pages" / "search-protocol.qmd").read_text(encoding="utf-8")
    _, _, rest = page.partition(head)
    block = rest.lstrip("\n").split("\n\n")[0]
    return {
        (name, work.strip(" .\n"))
        for name, works in re.findall(r"- \*\*(.+?)\.\*\* (.+?)(?=\n- |\Z)", block, re.DOTALL)
        for work in works.split(";")
    }


@pytest.mark.parametrize(
    ("head", "condition"),
    [
        (
            "A direction was seen, no number:",
            (text("kind") == "direction") & (text("direction") != "not_seen"),
        ),
        (
            "A number is remembered, or quoted elsewhere, and was not seen in the work:",
            text("known").is_in(["from_memory", "secondary"]) & pl.col("estimate").is_not_null(),
        ),
    ],
)
def test_the_page_lists_the_works_whose_number_was_not_read(head, condition):
    names = dict(tables().programmes.select(text("id"), "name_en").iter_rows())
    rows = tables().estimates.filter(condition).select(text("programme"), "short").unique()
    assert listed(head) == {(names[programme], short) for programme, short in rows.iter_rows()}
