"""The switches in a real browser: each combination shows what Python printed."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from pathlib import Path

import pytest

from analysis import paths
from analysis.answers import lesson
from analysis.figures import lesson as figures

playwright = pytest.importorskip("playwright.sync_api")
pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def address(
    tmp_path_factory: pytest.TempPathFactory, bare_page: Callable[[Path, str, str], str]
) -> str:
    """A page that holds the form and nothing else."""
    markup = figures.controls(lesson.stored(), "yuan <of> 2020", "Simulated").markup
    return bare_page(tmp_path_factory.mktemp("lesson"), markup, "uncertainty.js")


def test_each_combination_shows_the_row_of_the_table(
    browser: playwright.Browser, address: str
) -> None:
    table = figures.shown(lesson.stored())
    page = browser.new_page()
    page.goto(address)
    assert "yuan <of> 2020" in page.inner_text(".lesson-axis")
    for state in itertools.product((False, True), repeat=len(figures.SWITCHES)):
        for name, on in zip(figures.SWITCHES, state, strict=True):
            page.locator(f"#lesson-{name}").set_checked(on)
        wanted = {n: "yes" if on else "no" for n, on in zip(figures.SWITCHES, state, strict=True)}
        row = table.filter(**wanted).row(0, named=True)
        shown = page.locator(".lesson-row [data-text]").all_inner_texts()
        assert shown == [row[method] for method in figures.LABELS]
        said = page.inner_text("[data-said]")
        assert f"The truth is {row['truth']}." in said
        assert all(row[method] in said for method in figures.LABELS)
    page.close()


def test_a_point_stands_where_its_number_is(browser: playwright.Browser, address: str) -> None:
    """The dot of growth lies right of the dashed line by what the numbers say."""
    rows = lesson.stored().filter(growth=True, selection_level=False, dip=False)
    low, high = figures.axis(lesson.stored())
    page = browser.new_page()
    page.goto(address)
    page.locator("#lesson-growth").check()
    one = rows.filter(method="before_after").row(0, named=True)
    places = page.evaluate(
        """() => { const row = document.querySelector("[data-method=before_after] .lesson-track");
        const box = row.getBoundingClientRect();
        return [".truth", ".dot"].map(name => { const r = row.querySelector(name)
          .getBoundingClientRect(); return ((r.left + r.right) / 2 - box.left) / box.width; }); }"""
    )
    for place, value in zip(places, (one["truth"], one["estimate"]), strict=True):
        assert place == pytest.approx((value - low) / (high - low), abs=0.01)
    page.close()


def test_without_a_script_the_form_holds_the_first_combination(
    browser: playwright.Browser, address: str
) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(address)
    assert page.locator(".lesson fieldset[disabled]").count() == 1
    row = figures.shown(lesson.stored()).row(0, named=True)
    assert page.locator(".lesson-row [data-text]").all_inner_texts()[0] == row["before_after"]
    assert page.locator("noscript").count() == 1
    context.close()


def test_the_site_loads_the_script() -> None:
    assert "uncertainty.js" in (paths.root() / "assets" / "scripts.html").read_text()
    assert "assets/uncertainty.js" in (paths.root() / "_quarto.yml").read_text()
