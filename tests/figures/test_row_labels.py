"""Labels above their rows: no line crosses them, none runs into the block beside it."""

import re

import polars as pl
import pytest
from matplotlib.colors import to_hex
from matplotlib.figure import Figure as Canvas
from matplotlib.font_manager import FontProperties
from matplotlib.textpath import TextPath

from analysis import paths, programmes
from analysis.figures import answers, glance
from analysis.figures.style import DARK, LIGHT, REFERENCE, SMALL, WIDTH, row_label

ROWS = pl.DataFrame(
    {
        "label": ["One sum", "Another"],
        "estimate": [1.0, 2.0],
        "ci_low": [None, 1.0],
        "ci_high": [None, 3.0],
    },
    schema_overrides={"ci_low": pl.Float64, "ci_high": pl.Float64},
)


@pytest.mark.parametrize("theme", [LIGHT, DARK])
def test_the_page_behind_a_figure_is_that_of_its_style_sheet(theme):
    sheet = (paths.root() / "assets" / f"{theme.name}.scss").read_text(encoding="utf-8")
    assert re.findall(r"--page: (#\w+);", sheet) == [theme.page]


@pytest.mark.parametrize("theme", [LIGHT, DARK])
def test_a_label_covers_lines_and_no_mark(theme):
    axes = Canvas().add_subplot()
    row_label(axes, theme, "Label", 0.5)
    (text,) = axes.texts
    (mark,) = axes.plot([0.1], [0.5], "o")
    assert REFERENCE < text.get_zorder() < mark.get_zorder()
    box = text.get_bbox_patch()
    assert box is not None and to_hex(box.get_facecolor()) == theme.page


def test_the_truth_is_drawn_before_the_labels():
    drawn = answers.estimates("fig-x", ROWS, tier="model", unit="yuan", intro="Sums", truth=1.5)
    body = drawn.light[drawn.light.index("axes_1") :]
    line, label = body.index("stroke-dasharray"), body.index(f"fill: {LIGHT.page}")
    assert line < label < body.index("<!-- One sum -->")


def test_names_of_programmes_end_before_the_block_beside():
    listed = programmes.load().programmes.filter(is_programme="yes")["name_en"].to_list()
    names = {name: glance.textwrap.wrap(name, glance.NAME) for name in listed}
    room = (glance.RIGHT[0] - glance.LEFT[0]) * WIDTH * 72  # points
    letters = FontProperties(family="DejaVu Sans")
    for line in (line for lines in names.values() for line in lines):
        assert TextPath((0, 0), line, size=SMALL, prop=letters).get_extents().width < room, line
    assert any(len(lines) > 1 for lines in names.values())


def test_a_name_of_two_lines_takes_more_room():
    places = glance._places({"a": ["a"], "b": ["b", "b"], "c": ["c"]})
    assert places["a"] == 0 and places["c"] - places["b"] == pytest.approx(1)
    assert places["b"] == pytest.approx(1 + glance.LINE)
