"""What readers do with the site, in a real browser: words explained, data taken, pages printed."""

from __future__ import annotations

import csv
import io
import json
import re
import shutil
import threading
import urllib.request
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl
import pytest

from analysis.site import pdf
from analysis.site.serve import Live, server

if TYPE_CHECKING:
    from conftest import Open

playwright = pytest.importorskip("playwright.sync_api")
pytestmark = [pytest.mark.browser, pytest.mark.slow]

PHONE = {"width": 390, "height": 844}
ENTRIES = {
    "pages/for-readers.html": [
        "notebooks/10-claims.html",
        "notebooks/11-arithmetic.html",
        "notebooks/09-studies.html",
        "pages/glossary.html",
    ],
    "pages/for-researchers.html": [
        "pages/bring-your-own-data.html",
        "pages/dictionary.html",
        "notebooks/18-your-pack.html",
        "pages/data.html",
        "reference/index.html",
        "pages/teaching.html",
    ],
    "pages/for-reviewers.html": [
        "findings.html",
        "pages/reproduce.html",
        "pages/changes.html",
        "notebooks/13-village-panel.html",
        "reference/index.html",
    ],
}


def read(url: str) -> bytes:
    return bytes(urllib.request.urlopen(url).read())


@pytest.mark.parametrize("entry", ENTRIES)
def test_an_entry_page_is_one_click_away_and_leads_on_by_one_more(
    visit: Open, address: str, entry: str
) -> None:
    with visit(address + "index.html") as opened:
        opened.page.locator(f".navbar a[href='{entry}']").first.click()
        opened.page.wait_for_url(f"**/{entry}")
        links = opened.page.eval_on_selector_all(
            "main a[href]", "all => all.map(link => link.href.split('#')[0])"
        )
        assert {address + target for target in ENTRIES[entry]} <= set(links)


def test_a_page_says_where_it_is_and_what_comes_before_and_after(visit: Open, address: str) -> None:
    with visit(address + "notebooks/11-arithmetic.html") as opened:
        page = opened.page
        way = page.locator("nav[aria-label='Where this page is'], .quarto-page-breadcrumbs").first
        assert "The report" in way.inner_text()
        assert page.locator("[rel=prev], .nav-page-previous a").first.get_attribute("href")
        page.locator("[rel=next], .nav-page-next a").first.click()
        page.wait_for_url("**/notebooks/12-household.html")
    with visit(address + "findings/10-claims.html") as opened:
        way = opened.page.locator(".breadcrumbs a")
        assert [link.inner_text() for link in way.all()] == ["Behind it", "Findings"]


def test_a_word_of_the_glossary_is_explained_on_hover_and_by_keyboard(
    visit: Open, address: str
) -> None:
    with visit(address + "pages/estimate.html") as opened:
        page = opened.page
        terms = page.locator("a.term")
        words = [term.inner_text().lower() for term in terms.all()]
        assert len(words) >= 5 and len(words) == len(set(words))
        first = terms.first
        tip = page.locator(f"#{first.get_attribute('aria-describedby')}")
        assert tip.is_hidden()
        first.hover()
        tip.wait_for(state="visible")
        page.mouse.move(0, 0)
        tip.wait_for(state="hidden")
        first.focus()
        tip.wait_for(state="visible")
        box = tip.bounding_box()
        assert box and box["x"] >= 0 and box["x"] + box["width"] <= 1280
        page.keyboard.press("Escape")
        assert tip.is_hidden()
        # The explanation is that of the glossary, and the link leads to it.
        meaning = tip.text_content()
        page.keyboard.press("Enter")
        page.wait_for_url("**/pages/glossary.html#term-*")
        anchor = page.url.partition("#")[2]
        entry = page.locator(f"dt:has([id='{anchor}']) + dd")
        assert " ".join(entry.inner_text().split()) == meaning
        assert page.locator("a.term").count() == 0


def test_a_touch_explains_and_a_second_one_follows(
    browser: playwright.Browser, address: str
) -> None:
    context = browser.new_context(viewport=PHONE, has_touch=True, is_mobile=True)
    page = context.new_page()
    page.goto(address + "pages/estimate.html")
    term = page.locator("a.term").first
    term.scroll_into_view_if_needed()
    term.tap()
    tip = page.locator(f"#{term.get_attribute('aria-describedby')}")
    tip.wait_for(state="visible")
    assert page.url.endswith("pages/estimate.html")
    page.wait_for_timeout(750)
    term.tap()
    page.wait_for_url("**/pages/glossary.html#term-*")
    context.close()


def test_keys_alone_skip_search_and_leave(visit: Open, address: str) -> None:
    with visit(address + "notebooks/10-claims.html") as opened:
        page = opened.page
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.hash") == "#content"
        page.keyboard.press("Enter")
        assert page.evaluate("document.activeElement.id") == "content"
        page.keyboard.press("/")
        page.keyboard.type("claims-quantities")
        # The record is found, after the pages that answer; Enter follows the first result.
        page.locator("#search-results a[href*='/10-claims.html#claims-quantities']").wait_for()
        first = page.locator("#search-results a").first.evaluate("link => link.href")
        assert not first.startswith(address + "findings/")
        page.keyboard.press("Enter")
        page.wait_for_url(first)
        assert not page.locator("#search").is_visible()


def test_what_a_page_prints_is_what_its_record_and_the_file_say(visit: Open, address: str) -> None:
    rows = csv.DictReader(io.StringIO(read(f"{address}downloads/findings.csv").decode()))
    known = {row["id"]: row for row in rows}
    with visit(address + "notebooks/10-claims.html") as opened:
        links = opened.page.locator("main a.finding")
        printed = {
            str(link.get_attribute("href")).partition("#")[2]: link.inner_text()
            for link in links.all()
        }
    assert len(printed) > 5
    assert {name: known[name]["text"] for name in printed} == printed


def test_a_table_is_downloaded_with_what_it_shows_and_says_how_to_cite_it(
    visit: Open, address: str
) -> None:
    with visit(address + "notebooks/11-arithmetic.html") as opened:
        page = opened.page
        below = page.locator(".figure-links", has=page.locator("[href$='tbl-implied.csv']"))
        with page.expect_download() as waiting:
            below.get_by_text("Data (CSV)").click()
        taken = pl.read_csv(waiting.value.path())
        shown = page.locator("#tbl-implied tbody tr")
        assert taken.height == shown.count() > 5
        first = shown.first.locator("td, th").first.inner_text().strip()
        assert first in {str(value) for value in taken.row(0)}
        below.get_by_text("Cite").click()
        cited = below.locator("cite.text").inner_text()
        assert "Do the numbers add up?" in cited and "tbl-implied" in cited
        assert re.search(r"\(20\d\d\)", cited) and "version" in cited
        below.get_by_text("Record").click()
        page.wait_for_url("**/findings/11-arithmetic.html#tbl-implied")


def test_the_archive_holds_each_table_of_the_listing(visit: Open, address: str) -> None:
    with zipfile.ZipFile(io.BytesIO(read(f"{address}downloads/all-data.zip"))) as packed:
        names = set(packed.namelist())
        package = json.loads(packed.read("datapackage.json"))
    with visit(address + "pages/data.html") as opened:
        offered = opened.page.eval_on_selector_all(
            "table a.download", "all => all.map(link => link.href)"
        )
    files = {url.rpartition("/")[2] for url in offered}
    assert files == names - {"datapackage.json", "LICENSE-DATA"}
    assert len(package["resources"]) * 2 == len(files)
    one = next(url for url in offered if url.endswith("claims.parquet"))
    assert pl.read_parquet(io.BytesIO(read(one))).height > 200


def test_text_tables_and_figures_are_there_without_scripts(
    browser: playwright.Browser, address: str
) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    for name in ("index.html", "notebooks/11-arithmetic.html", "pages/glossary.html"):
        page.goto(address + name)
        assert page.locator("nav a").count() > 10
        assert len(page.locator("main").inner_text()) > 1500
        images = page.locator("main figure img")
        assert all(image.get_attribute("alt") for image in images.all())
        for drawing in page.locator("main figure svg[role=img]").all():
            described = str(drawing.get_attribute("aria-labelledby")).split()
            texts = [drawing.locator(f"[id='{one}']").text_content() for one in described]
            assert texts and all(texts)
    page.goto(address + "notebooks/11-arithmetic.html")
    assert page.locator("#tbl-relations tbody tr:visible").count() > 50
    assert page.locator("main figure svg[role=img]:visible").count() >= 1
    context.close()


def test_paper_has_the_text_and_none_of_the_controls(visit: Open, address: str) -> None:
    with visit(address + "notebooks/11-arithmetic.html", scheme="dark") as opened:
        page = opened.page
        page.emulate_media(media="print", color_scheme="dark")
        for control in (".navbar", ".sidebar", ".pager", ".table-tools", ".figure-links", ".toc"):
            assert page.locator(f"{control}:visible").count() == 0, control
        ink = page.evaluate("getComputedStyle(document.body).color")
        assert max(map(int, re.findall(r"\d+", ink)[:3])) < 80
        assert page.locator("#tbl-relations tbody tr:visible").count() > 50


@pytest.fixture
def below(built_site: Path, tmp_path: Path) -> Iterator[str]:
    """Where the site lies below the top of a server, as on many hosts."""
    (tmp_path / "index.html").write_text("another site")
    shutil.copytree(built_site, tmp_path / "a" / "report")
    with server(tmp_path, 0) as running:
        threading.Thread(target=running.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{running.server_port}/a/report/"
        running.shutdown()


def test_the_site_works_below_the_top_of_a_server(visit: Open, below: str) -> None:
    with visit(below + "notebooks/10-claims.html") as opened:
        page = opened.page
        assert all(url.startswith((below, "data:")) for url in opened.requests)
        assert page.locator("a.term").count() > 0 and page.locator(".table-tools").count() > 0
        page.keyboard.press("/")
        page.keyboard.type("training")
        page.wait_for_selector("#search-results a")
        page.keyboard.press("Enter")
        page.wait_for_url(f"{below}**")
        assert page.locator("h1").inner_text() not in {"", "Page not found"}
        page.locator(".site-title, .navbar-brand").first.click()
        page.wait_for_url(f"{below}index.html")
        assert opened.errors == []


def test_an_open_page_reloads_after_a_build_within_its_policy(
    visit: Open, built_site: Path
) -> None:
    live = Live()
    with server(built_site, 0, live) as running:
        running.daemon_threads = True
        threading.Thread(target=running.serve_forever, daemon=True).start()
        with visit(f"http://127.0.0.1:{running.server_port}/pages/glossary.html") as opened:
            page = opened.page
            # Asked from outside: a wait inside the page would be an eval, which its policy forbids.
            while not page.evaluate(
                "performance.getEntriesByType('resource').some("
                "entry => entry.name.includes('pulse.js'))"
            ):
                page.wait_for_timeout(50)
            with page.expect_navigation():
                live.rebuilt()
            assert page.locator("h1").inner_text() == "Glossary" and opened.errors == []
        live.rebuilt()
        running.shutdown()


def test_the_report_is_printed_as_one_file(
    browser: playwright.Browser, built_site: Path, tmp_path: Path
) -> None:
    names = ["index.html", "pages/sources.html"]
    pages = {name: (built_site / name).read_text(encoding="utf-8") for name in names}
    source = tmp_path / "whole.html"
    source.write_text(pdf.joined(pages, "Whole", f"{built_site.as_uri()}/"), encoding="utf-8")
    page = browser.new_page()
    page.goto(source.as_uri())
    ids = page.eval_on_selector_all("[id]", "all => all.map(one => one.id)")
    assert len(ids) == len(set(ids))
    inner = page.eval_on_selector_all(
        "main a[href*='#p']", "all => all.map(link => link.getAttribute('href').slice(1))"
    )
    assert len(inner) > 2 and set(inner) <= set(ids)
    broken = page.eval_on_selector_all(
        "main img", "all => all.filter(image => !image.naturalWidth).map(image => image.src)"
    )
    assert broken == []
    printed = page.pdf()
    assert printed.startswith(b"%PDF") and len(printed) > 20_000
    page.close()
