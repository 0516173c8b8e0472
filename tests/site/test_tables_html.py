"""Frames and tables that a cell shows: in the style of the site, the same in every run."""

from __future__ import annotations

import pandas as pd
import polars as pl
import pytest
from great_tables import GT

from analysis.site.tables_html import plain_tables

FRAME = pl.DataFrame({"outcome": ["wage", "a<b"], "estimate": [1.5, None]})


@pytest.mark.parametrize(
    "shown",
    [
        FRAME._repr_html_(),
        pd.DataFrame({"outcome": ["wage", "a<b"], "estimate": [1.5, None]})._repr_html_(),
        GT(FRAME).as_raw_html(),
    ],
)
def test_every_value_stays_and_no_style_or_id(shown: str) -> None:
    html = plain_tables(f"<p>Before</p>{shown}<p>After</p>", "Effects & more")
    assert "<style" not in html and "style=" not in html and " id=" not in html
    assert html.startswith('<p>Before</p><div class="table-scroll" tabindex="0" role="region"')
    assert html.rstrip().endswith("<p>After</p>")
    assert 'aria-label="Effects &amp; more"' in html
    assert html.count("<table") == html.count("</table>") == 1
    assert html.count("<div") == html.count("</div>") == 1
    for word in ("outcome", "estimate", "wage", "a&lt;b", "1.5"):
        assert word in html


def test_two_frames_and_none() -> None:
    twice = plain_tables(FRAME._repr_html_() + "<p>Between</p>" + FRAME._repr_html_())
    assert twice.count('<div class="table-scroll"') == 2 and "Between" in twice
    assert plain_tables("<p>Text</p>") == "<p>Text</p>"


def test_great_tables_gives_the_same_twice() -> None:
    first, second = (GT(FRAME).as_raw_html() for _ in range(2))
    assert first != second
    assert plain_tables(first) == plain_tables(second)
