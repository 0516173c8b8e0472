"""Tables: fixed ids, escaped text, no styles, data for download."""

import polars as pl
import pytest

from analysis.tables import table

DATA = pl.DataFrame({"name": ["<b>", "x" * 80], "n": [1, None]})


def test_same_input_same_markup_with_fixed_ids():
    one, two = (table("tbl-a", DATA, {"name": "Name", "n": "N"}, caption="c") for _ in range(2))
    assert one.markup == two.markup
    assert 'id="gt-a-name"' in one.markup


def test_text_is_escaped_and_the_wrapper_labelled():
    markup = table("tbl-a", DATA, {"name": "Name"}, caption='say "this"').markup
    assert "&lt;b&gt;" in markup
    assert "<b>" not in markup
    assert 'aria-label="say &quot;this&quot;"' in markup


def test_no_style_of_its_own():
    markup = table("tbl-a", DATA, {"name": "Name", "n": "N"}, caption="c").markup
    assert "<style" not in markup
    assert "style=" not in markup


def test_filters_long_columns_and_numbers_are_marked():
    markup = table("tbl-a", DATA, {"name": "Name", "n": "N"}, caption="c", filters=["n"]).markup
    assert "data-filterable" in markup
    assert 'id="gt-a-n" data-filter' in markup
    assert 'id="gt-a-name" data-long' in markup
    assert "gt_right" in markup


def test_download_is_what_is_shown_unless_more_is_given():
    assert table("tbl-a", DATA, {"n": "N"}, caption="c").data.columns == ["n"]
    assert table("tbl-a", DATA, {"n": "N"}, caption="c", download=DATA).data.columns == [
        "name",
        "n",
    ]


def test_an_unknown_column_is_refused():
    with pytest.raises(KeyError, match="no column absent"):
        table("tbl-a", DATA, {"absent": "Absent"}, caption="c")


def test_numbers_stand_on_the_right_with_separators():
    data = pl.DataFrame({"n": [1234567], "text": ["a"], "printed": ["1,234.5"]})
    markup = table("tbl-a", data, {"n": "N", "text": "T", "printed": "P"}, caption="c").markup
    assert '<td headers="gt-a-n" class="gt_row gt_right">1,234,567</td>' in markup
    assert '<td headers="gt-a-printed" class="gt_row gt_right">1,234.5</td>' in markup
    assert '<td headers="gt-a-text" class="gt_row gt_left">a</td>' in markup
