"""The pages in a real browser: accessible, usable by keyboard, readable on a phone."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page

from analysis.site.embedded.render import render_project

pytestmark = pytest.mark.browser
RULES = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "best-practice"]}
PAGES = ("index.html", "notebooks/01-claims.html", "pages/more.html", "404.html")


@pytest.fixture
def served(site: Path) -> Iterator[str]:
    """The site over HTTP: Chromium now and then forgets the storage of pages opened from disk."""
    handler = partial(SimpleHTTPRequestHandler, directory=str(site))
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def open_page(browser: Browser, url: str, width: int = 1280, **options: Any) -> Page:
    context = browser.new_context(viewport={"width": width, "height": 900}, **options)
    page = context.new_page()
    page.goto(url, wait_until="load")
    return page


@pytest.mark.parametrize("width", [1280, 390])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_no_accessibility_violation_and_no_sideways_scrolling(
    browser: Browser, site: Path, width: int, scheme: str
) -> None:
    for name in PAGES:
        page = open_page(browser, f"{site.as_uri()}/{name}", width, color_scheme=scheme)
        asked: list[str] = []
        page.on("request", lambda request, asked=asked: asked.append(request.url))
        page.reload()
        found = Axe().run(page, options=RULES).response
        assert len(found["passes"]) > 20
        assert [(v["id"], v["nodes"][0]["html"]) for v in found["violations"]] == []
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        assert all(url.startswith("file:") for url in asked)
        page.context.close()


def test_search_finds_english_and_chinese_from_disk(browser: Browser, site: Path) -> None:
    page = open_page(browser, f"{site.as_uri()}/notebooks/01-claims.html")
    page.keyboard.press("/")
    page.fill("#search-input", "x")
    page.keyboard.press("Escape")
    assert not page.locator("#search").is_visible()
    page.click("#search-open")
    page.fill("#search-input", "乡村培训")
    link = page.locator("#search-results a").first
    assert "更多内容" in link.inner_text()
    page.fill("#search-input", "inner")
    assert "Inner part" in page.locator("#search-results a").first.inner_text()
    assert page.locator("#search-status").inner_text() == "Results: 1"
    assert Axe().run(page, options=RULES).response["violations"] == []
    page.keyboard.press("Enter")
    page.wait_for_url("**/index.html#sec-inner")


def test_tabs_move_by_arrow_keys(browser: Browser, site: Path) -> None:
    page = open_page(browser, f"{site.as_uri()}/index.html")
    page.locator('[role="tab"]').first.focus()
    page.keyboard.press("ArrowRight")
    assert page.locator('[role="tab"][aria-selected="true"]').inner_text() == "Two"
    assert page.get_by_text("Second tab").is_visible()
    assert not page.get_by_text("First tab").is_visible()


def test_theme_follows_the_system_until_the_reader_chooses(browser: Browser, served: str) -> None:
    page = open_page(browser, f"{served}/index.html", color_scheme="dark")
    assert page.get_by_text("Seen in the dark.").is_visible()
    assert not page.get_by_text("Seen in the light.").is_visible()
    toggle = page.locator("#theme-toggle")
    assert toggle.inner_text() == "Light"
    page.click("#theme-toggle")
    assert toggle.inner_text() == "Dark"
    assert toggle.get_attribute("aria-pressed") == "false"
    assert page.get_by_text("Seen in the light.").is_visible()
    page.reload()
    assert page.get_by_text("Seen in the light.").is_visible()
    page.emulate_media(media="print")
    assert page.evaluate("getComputedStyle(document.documentElement).backgroundColor") == (
        "rgb(255, 255, 255)"
    )


def test_print_resets_dark_colours(browser: Browser, site: Path) -> None:
    page = open_page(browser, f"{site.as_uri()}/index.html", color_scheme="dark")
    page.emulate_media(media="print", color_scheme="dark")
    style = "getComputedStyle(document.documentElement)"
    assert page.evaluate(f"{style}.color") == "rgb(29, 39, 51)"
    assert page.get_by_text("Seen in the light.").is_visible()


def test_table_filters_sorts_and_counts(browser: Browser, site: Path) -> None:
    page = open_page(browser, f"{site.as_uri()}/notebooks/01-claims.html")
    count = page.locator(".table-count")
    assert count.inner_text() == "3 of 3 rows"
    page.get_by_label("Kind").select_option("count")
    assert count.inner_text() == "2 of 3 rows"
    page.get_by_label("Search this table").fill("阿里")
    assert count.inner_text() == "1 of 3 rows"
    page.get_by_label("Search this table").fill("")
    page.get_by_label("Kind").select_option("")
    page.get_by_role("button", name="Persons").click()
    header = page.locator("th", has_text="Persons")
    assert header.get_attribute("aria-sort") == "ascending"
    first = page.locator("main table tbody tr").first
    assert "Lhasa" in first.inner_text()
    page.get_by_role("button", name="Persons").click()
    assert "Nagqu" in page.locator("main table tbody tr").first.inner_text()


def test_menu_is_closed_on_a_phone_and_opens(browser: Browser, site: Path) -> None:
    page = open_page(browser, f"{site.as_uri()}/index.html", width=390)
    assert not page.locator("#sidebar").is_visible()
    page.click("#menu-toggle")
    assert page.locator("#sidebar").is_visible()
    assert page.locator("#menu-toggle").get_attribute("aria-expanded") == "true"


def test_everything_can_be_read_without_scripts(browser: Browser, site: Path) -> None:
    page = open_page(browser, f"{site.as_uri()}/index.html", java_script_enabled=False)
    assert page.get_by_text("First tab.").is_visible()
    assert page.get_by_text("Second tab").is_visible()
    assert page.locator("#sidebar").is_visible()


def test_technical_pages_come_last_in_the_search(browser: Browser, tmp_path: Path) -> None:
    texts = {
        "_quarto.yml": 'project: {type: website, render: ["*.qmd", "findings/*.qmd"]}\n'
        'website: {title: "Small"}\n',
        "index.qmd": "---\ntitle: Home\n---\n\nOne word on subsidies.\n",
        "findings/a.qmd": "---\ntitle: Subsidies\n---\n\nSubsidies, subsidies, subsidies.\n",
    }
    for name, text in texts.items():
        path = tmp_path / "stage" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    render_project(tmp_path / "stage", tmp_path / "site")
    page = browser.new_page()
    page.goto((tmp_path / "site/index.html").as_uri())
    page.click("#search-open")
    page.fill("#search-input", "subsidies")
    found = page.locator("#search-results a strong").all_inner_texts()
    assert found == ["Home", "Subsidies"]
    page.close()
