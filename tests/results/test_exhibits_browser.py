"""Figures and tables in a real browser: values by pointer and keys, groups, filters, phones."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import matplotlib as mpl
import polars as pl
import pytest
from matplotlib import pyplot as plt
from matplotlib.figure import Figure

from analysis.results.display import bundle
from analysis.results.forest import Row, forest
from analysis.results.marks import mark
from analysis.results.table import ResultTable
from analysis.results.table_html import Filter

mpl.use("agg")
playwright = pytest.importorskip("playwright.sync_api")
pytestmark = pytest.mark.browser
Bare = Callable[[Path, str, str], str]
PHONE = {"width": 390, "height": 844}
ROWS = [
    Row("First and others 2001, a place with a long name", 22.2, 11.2, 33.2, 0.3, group="Courses"),
    Row("Second 2002", 4.0, 1.0, 7.0, 0.7, group="Placement"),
    Row("Mean", 9.0, 4.0, 14.0, is_mean=True, prediction_low=-5.0, prediction_high=23.0),
]


def markup(figure: Figure | None) -> str:
    """Return a figure as a page has it."""
    assert figure is not None
    plt.close(figure)
    return str(bundle(figure, {"label": "fig-a", "fig-cap": "Studies"})[0]["text/html"])


@pytest.fixture(scope="module")
def plot(tmp_path_factory: pytest.TempPathFactory, bare_page: Bare) -> str:
    """A page with a forest plot."""
    drawn = markup(forest(ROWS, "per cent").get_figure(root=True))
    return bare_page(tmp_path_factory.mktemp("plot"), drawn, "figures.js")


def test_arrows_go_from_mark_to_mark_and_say_the_values(
    browser: playwright.Browser, plot: str
) -> None:
    page = browser.new_page()
    page.goto(plot)
    keys, tip = page.locator(".exhibit-keys"), page.locator(".exhibit-tip")
    assert keys.get_attribute("aria-valuemax") == "3"
    keys.focus()
    assert tip.inner_text().startswith("First and others 2001")
    page.keyboard.press("ArrowDown")
    assert tip.inner_text() == "Second 2002: 4.0 (1.0 to 7.0); weight 70 %"
    assert keys.get_attribute("aria-valuetext") == tip.inner_text()
    page.keyboard.press("End")
    assert "A new place: −5.0 to 23.0" in tip.inner_text()
    page.keyboard.press("Escape")
    assert not tip.is_visible()
    page.close()


def test_a_pointer_near_a_mark_shows_its_value(browser: playwright.Browser, plot: str) -> None:
    page = browser.new_page(viewport=PHONE)
    page.goto(plot)
    box = page.locator('.mark[data-value^="Second"]').bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + box["width"] / 2 + 8, box["y"] + box["height"] / 2 + 4)
    assert page.locator(".exhibit-tip").inner_text().startswith("Second 2002")
    page.close()


def test_a_group_is_singled_out(browser: playwright.Browser, plot: str) -> None:
    page = browser.new_page()
    page.goto(plot)
    assert page.locator(".exhibit-groups button").all_inner_texts() == [
        "All",
        "Courses",
        "Placement",
    ]
    page.get_by_role("button", name="Placement").click()
    faded = page.locator('.dimmed[data-group="Courses"]').count()
    assert faded == page.locator('[data-group="Courses"]').count() > 0
    assert page.locator('.dimmed[data-group="Placement"]').count() == 0
    page.close()


@pytest.mark.parametrize("width", [1280, 390])
def test_a_figure_fills_its_column_with_letters_of_one_size(
    browser: playwright.Browser, plot: str, width: int
) -> None:
    page = browser.new_page(viewport={"width": width, "height": 900})
    page.goto(plot)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    column = page.locator("main").bounding_box()
    drawn = page.locator(".exhibit").bounding_box()
    assert drawn is not None and column is not None
    assert drawn["width"] == pytest.approx(column["width"], abs=1)
    size = page.evaluate("getComputedStyle(document.querySelector('.exhibit text')).fontSize")
    assert size == "12px"  # 9 points, of the ticks
    inside = page.evaluate(
        """() => { const box = document.querySelector('.exhibit').getBoundingClientRect();
        return Array.from(document.querySelectorAll('.exhibit text')).every(text => {
          const r = text.getBoundingClientRect();
          return r.left >= box.left - 1 && r.right <= box.right + 1; }); }"""
    )
    assert inside
    page.close()


def test_links_of_a_figure_are_one_stop(
    browser: playwright.Browser, tmp_path: Path, bare_page: Bare
) -> None:
    figure, ax = plt.subplots()
    for k in range(3):
        [point] = ax.plot([k], [k], "o")
        mark(point, f"Study {k}", href=f"list.html?study={k}")
    page = browser.new_page()
    page.goto(bare_page(tmp_path, markup(figure), "figures.js"))
    stops = page.locator("a.mark").evaluate_all("all => all.map(one => one.tabIndex)")
    assert stops == [0, -1, -1]
    page.locator("a.mark").first.focus()
    page.keyboard.press("ArrowRight")
    assert page.locator(".exhibit-tip").inner_text() == "Study 1"
    assert page.evaluate("document.activeElement.getAttribute('href')") == "list.html?study=1"
    page.close()


def table(count: int = 60) -> str:
    """Return a table of studies with filters."""
    shown = pl.DataFrame(
        {
            "result": [f"{k}.0" for k in range(count)],
            "study": [f"Study {k}" for k in range(count)],
            "programme": ["Training" if k % 3 else "Land" for k in range(count)],
        }
    )
    keys = ["training" if k % 3 else "land" for k in range(count)]
    names = {"training": "Training", "land": "Land"}
    chosen = Filter("programme", "programme", keys, names)
    return ResultTable(shown=shown, data=shown, filters=(chosen,))._repr_html_()


def visible(page: playwright.Page) -> int:
    """Count the rows that can be seen."""
    return int(
        page.locator("tbody tr").evaluate_all("all => all.filter(r => r.offsetHeight).length")
    )


def test_an_address_filters_a_table_and_a_choice_changes_the_address(
    browser: playwright.Browser, tmp_path: Path, bare_page: Bare
) -> None:
    page = browser.new_page()
    page.goto(bare_page(tmp_path, table(), "site.js") + "?programme=land")
    assert page.locator("select").input_value() == "land"
    assert page.locator(".table-count").inner_text() == "20 of 60 rows"
    assert visible(page) == 20
    page.locator("select").select_option("training")
    assert page.url.endswith("?programme=training")
    page.locator("select").select_option("")
    assert "?" not in page.url
    page.close()


def test_a_long_table_shows_its_first_rows_and_the_rest_when_asked(
    browser: playwright.Browser, tmp_path: Path, bare_page: Bare
) -> None:
    page = browser.new_page()
    page.goto(bare_page(tmp_path, table(), "site.js"))
    assert visible(page) == 40
    page.get_by_role("button", name="Result").click()
    page.get_by_role("button", name="Result").click()
    assert page.locator("tbody tr").first.inner_text().startswith("59.0")
    assert visible(page) == 40
    page.get_by_role("button", name="Show all 60 rows").click()
    assert visible(page) == 60
    page.close()


def test_rows_are_cards_on_a_phone(
    browser: playwright.Browser, tmp_path: Path, bare_page: Bare
) -> None:
    page = browser.new_page(viewport=PHONE)
    page.goto(bare_page(tmp_path, table(3), "site.js"))
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    assert not page.locator("thead").is_visible()
    named = page.evaluate("getComputedStyle(document.querySelector('td'), '::before').content")
    assert named == '"Study"'
    page.close()
