"""Figures of pages: text as text, classes for colours, ids of their own, the same bytes twice."""

from __future__ import annotations

import re
from collections import Counter
from xml.etree import ElementTree

import matplotlib as mpl
import polars as pl
import pytest
from matplotlib import pyplot as plt
from matplotlib.figure import Figure

from analysis.results.display import Display, bundle, options
from analysis.results.figure_svg import inline_svg
from analysis.results.forest import Row, forest, wrapped
from analysis.results.labels import labels
from analysis.results.marks import mark
from analysis.results.plot import note
from analysis.results.provenance import UNKNOWN

mpl.use("agg")
SVG = "{http://www.w3.org/2000/svg}"
ROWS = [
    Row("Attanasio, Kugler and Meghir 2011, Colombia", 22.2, 11.2, 33.2, 0.3, group="A & B"),
    Row("No error seen", 15.0, group="C"),
    Row("Mean", 9.0, 4.0, 14.0, is_mean=True, prediction_low=-5.0, prediction_high=23.0),
]


def figure_of_everything() -> Figure:
    """Lines, areas, dots, bars and turned text, as anybody draws them."""
    figure, ax = plt.subplots(figsize=(7, 3))
    [line] = ax.plot([0, 1], [0, 1])
    ax.plot([0.5], [0.5], "o", color="#0072B2")
    ax.fill_between([0, 1], [0, 1], [1, 2], alpha=0.2)
    ax.scatter([0.1, 0.2], [0.3, 0.4], s=[20, 80])
    ax.set_ylabel("yuan a year")
    ax.set_title("随机 <对照> & 试验")
    mark(line, 'rises "fast" & far', href="list.html?a=1&b=2")
    note(ax, pl.DataFrame({"a": [1]}), "A line from 0 to 1.", UNKNOWN)
    plt.close(figure)
    return figure


def drawn(rows: list[Row] = ROWS, label: str = "fig-a", language: str = "en") -> str:
    """Return a forest plot as a page shows it."""
    ax = forest(rows, "per cent", language=language)
    figure = ax.get_figure(root=True)
    assert figure is not None
    plt.close(figure)
    return str(bundle(figure, {"label": label, "fig-cap": "Studies"})[0]["text/html"])


def test_the_same_figure_is_the_same_text() -> None:
    assert drawn() == drawn()
    assert inline_svg(figure_of_everything(), "fig-a") == inline_svg(
        figure_of_everything(), "fig-a"
    )


def test_text_stays_text_in_the_font_of_the_page() -> None:
    svg = inline_svg(figure_of_everything(), "fig-a")
    texts = [element.text for element in ElementTree.fromstring(svg).iter(f"{SVG}text")]
    assert "随机 <对照> & 试验" in texts
    assert "yuan a year" in texts
    assert "font-family" not in svg


def test_ids_of_two_figures_differ_and_references_lead_somewhere() -> None:
    page = drawn(label="fig-a") + drawn(label="fig-b") + inline_svg(figure_of_everything(), "fig-c")
    ids = re.findall(r'\sid="([^"]+)"', page)
    assert max(Counter(ids).values()) == 1
    assert all(name.startswith(("fig-a-", "fig-b-", "fig-c-")) for name in ids)
    used = set(re.findall(r'href="#([^"]+)"', page)) | set(re.findall(r"url\(#([^)]+)\)", page))
    assert used
    assert used <= set(ids)


def test_colours_of_the_palette_are_classes() -> None:
    page = drawn()
    assert not re.search(r"#[0-9a-fA-F]{6}", page)
    assert 'class="fill-blue stroke-blue"' in page
    # Another colour stays as it was given.
    figure, ax = plt.subplots()
    ax.plot([0, 1], color="#123456")
    plt.close(figure)
    assert 'stroke="#123456"' in inline_svg(figure, "fig-a")


def test_nothing_outside_is_asked_for_and_nothing_runs() -> None:
    page = drawn() + inline_svg(figure_of_everything(), "fig-b")
    assert set(re.findall(r"\w+://[^\s\"]+", page)) == {"http://www.w3.org/2000/svg"}
    assert not re.search(r"\son\w+=|<script|<style|<!DOCTYPE|<\?xml", page)


def test_positions_across_are_shares_and_down_are_pixels() -> None:
    """A point at 3 of 0..4 inches and 1 inch down: 75 % across, 96 CSS pixels down."""
    figure = plt.figure(figsize=(4, 2))
    ax = figure.add_axes((0, 0, 1, 1))
    ax.axis("off")
    ax.set(xlim=(0, 4), ylim=(2, 0))
    ax.plot([3], [1], "o")
    plt.close(figure)
    assert re.search(r'<use href="#fig-a-g0" x="75%" y="96" ', inline_svg(figure, "fig-a"))


def test_alternative_text_and_title_name_the_drawing() -> None:
    page = drawn()
    root = ElementTree.fromstring(page).find(f"{SVG}svg")
    assert root is not None
    assert root.get("role") == "img"
    named = [
        page.partition(f'id="{x}">')[2].partition("<")[0]
        for x in root.attrib["aria-labelledby"].split()
    ]
    assert named[0] == "Studies"
    assert "Mean: 9.0 (4.0 to 14.0); A new place: −5.0 to 23.0" in named[1]
    assert "22.2 (11.2 to 33.2)" in named[1]


def test_marks_carry_values_groups_and_links() -> None:
    page = drawn()
    assert 'data-value="Mean: 9.0 (4.0 to 14.0); A new place: −5.0 to 23.0"' in page
    assert 'data-group="A &amp; B"' in page
    linked = inline_svg(figure_of_everything(), "fig-b")
    # A drawing with links is a group: what is inside an image cannot be reached.
    assert '<svg role="group"' in linked
    assert 'href="list.html?a=1&amp;b=2" aria-label="rises &quot;fast&quot; &amp; far"' in linked


def test_every_study_has_its_weight_and_one_without_error_is_hollow() -> None:
    page = drawn()
    assert "22.2 (11.2 to 33.2); weight 30 %" in page
    assert 'data-value="No error seen: 15"' in page
    assert page.count('class="fill-page stroke-blue"') == 1


def test_chinese_figures_have_chinese_words() -> None:
    page = drawn([Row("合并估计", 9.0, 4.0, 14.0, is_mean=True)], language="zh")
    assert 'data-value="合并估计：9.0 (4.0 至 14.0)"' in page
    assert "0 项研究的森林图" in page
    assert " to " not in page


def test_both_languages_have_every_word() -> None:
    english, chinese = labels("en"), labels("zh")
    for key, text in english.items():
        assert sorted(re.findall(r"{\w+}", text)) == sorted(re.findall(r"{\w+}", chinese[key]))


def test_chinese_labels_wrap_at_half_the_signs() -> None:
    assert max(map(len, wrapped("随" * 60))) == 17


class Shell:
    """What the extension asks of a kernel's shell."""


def test_each_open_figure_is_shown_once_a_cell(monkeypatch: pytest.MonkeyPatch) -> None:
    plt.close("all")  # of other tests in this process
    shown: list[Figure] = []
    monkeypatch.setattr("IPython.display.display", shown.append)
    display = Display(Shell())  # type: ignore[arg-type]
    display.begin(type("Info", (), {"raw_cell": "#| label: fig-a\nplot()"}))
    first, ax = plt.subplots()
    second, _ = plt.subplots()
    data, metadata = display.axes(ax)
    assert 'id="fig-a-title"' in data["text/html"]
    assert metadata["analysis"]["name"] == "fig-a"
    display.end()
    assert shown == [second]
    assert plt.get_fignums() == []
    assert first is not second


def test_options_of_a_cell_are_read() -> None:
    assert options('#| label: fig-a\n#| fig-cap: "A: b."\nx = 1') == {
        "label": "fig-a",
        "fig-cap": "A: b.",
    }
