"""The controls in a real browser: each result is the one that Python gives."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from analysis import paths
from analysis.figures import scenarios as figures
from analysis.scenarios.formula import World, outcome
from analysis.scenarios.shown import Preset

playwright = pytest.importorskip("playwright.sync_api")
pytestmark = pytest.mark.browser

WORLD = World(mean=12951.0, line=3218.0, size=3.64, gini=0.37, fading=0.15, discount=0.06)
PRESETS = (
    Preset("training", "Training", 1660, 2000, yearly=False),
    Preset("fund", "Fund", 600, 1330, yearly=True),
)
MOVES = (
    (100, 1660, 2000, 5),
    (0, 5000, 100, 1),
    (37, 12340, 25000, 20),
    (80, -1500, 10, 7),
    (55, 0, 730, 10),
)
PHONE = {"width": 390, "height": 844}


@pytest.fixture
def page_of(tmp_path: Path, bare_page: Callable[[Path, str, str], str]) -> Callable[[World], str]:
    """A function that writes a page that holds the form and nothing else."""

    def written(world: World) -> str:
        markup = figures.controls(world, PRESETS, "Assumed").markup
        return bare_page(tmp_path, markup, "scenarios.js")

    return written


def results(page: playwright.Page) -> dict[str, float]:
    """Read the results, unrounded."""
    return {
        name: float(page.locator(f"[data-result='{name}']").get_attribute("data-value"))
        for name in figures.RESULTS
    }


def move(page: playwright.Page, name: str, value: float) -> None:
    """Move a control as a reader would."""
    page.locator(f"[name='{name}']").evaluate(
        "(field, value) => { field.value = value;"
        " field.dispatchEvent(new Event('input', { bubbles: true })); }",
        value,
    )


@pytest.mark.parametrize(
    "world", [WORLD, replace(WORLD, fading=0.0, discount=0.0, gini=0.45)], ids=["usual", "flat"]
)
def test_every_result_is_pythons(
    browser: playwright.Browser, page_of: Callable[[World], str], world: World
) -> None:
    page = browser.new_page()
    page.goto(page_of(world))
    for preset in PRESETS:
        page.locator("select").select_option(preset.id)
        for take_up, gain, cost, years in MOVES:
            for name, value in (("take-up", take_up), ("gain", gain), ("cost", cost)):
                move(page, name, value)
            if not preset.yearly:
                move(page, "years", years)
            expected = outcome(world, take_up / 100, gain, cost, years, yearly=preset.yearly)
            for name, value in results(page).items():
                assert value == pytest.approx(getattr(expected, name), rel=1e-12, abs=1e-12), name
    page.close()


def test_what_is_printed_before_the_script_is_what_it_prints(
    browser: playwright.Browser, page_of: Callable[[World], str]
) -> None:
    address = page_of(WORLD)
    quiet = browser.new_context(java_script_enabled=False).new_page()
    quiet.goto(address)
    words = [quiet.locator(part).all_inner_texts() for part in ("dd", "output")]
    assert "need JavaScript" in quiet.locator("noscript").inner_text()
    assert quiet.locator("select").is_disabled()
    page = browser.new_page()
    page.goto(address)
    assert page.locator("select").is_enabled()
    assert [page.locator(part).all_inner_texts() for part in ("dd", "output")] == words
    for opened in (quiet, page):
        opened.close()


def test_a_target_sets_the_controls_and_the_keyboard_moves_them(
    browser: playwright.Browser, page_of: Callable[[World], str]
) -> None:
    page = browser.new_page()
    page.goto(page_of(WORLD))
    page.locator("select").select_option("fund")
    assert page.locator("[name='gain']").input_value() == "600"
    assert page.locator("[name='years']").is_disabled()
    assert page.get_by_text("paid every year").is_visible()
    page.get_by_label("Gain of a household that takes part").focus()
    page.keyboard.press("ArrowRight")
    assert page.locator("output[data-of='gain']").inner_text() == "610"
    assert results(page)["average"] == 610
    assert page.locator("[aria-live='polite']").count() == 1
    page.close()


def test_it_fits_a_phone(browser: playwright.Browser, page_of: Callable[[World], str]) -> None:
    page = browser.new_page(viewport=PHONE)
    page.goto(page_of(WORLD))
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    page.close()


def test_the_site_carries_the_script() -> None:
    assert "scenarios.js" in (paths.root() / "assets" / "scripts.html").read_text()
    assert "assets/scenarios.js" in (paths.root() / "_quarto.yml").read_text()
