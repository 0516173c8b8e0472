"""The built site in a real browser: accessibility, phones, search, tables, no foreign request.

The rules of axe-core (WCAG 2.1 A and AA) run on every page as a desktop and a phone show it, in
light and in dark.
"""

from __future__ import annotations

import re
import shutil
import threading
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

import pytest

from analysis.site.build import BuildReport
from analysis.site.serve import server

if TYPE_CHECKING:
    from conftest import Open, Visit

axe = pytest.importorskip("axe_playwright_python.sync_playwright")
playwright = pytest.importorskip("playwright.sync_api")

pytestmark = [pytest.mark.browser, pytest.mark.slow]

DESKTOP, PHONE = {"width": 1280, "height": 900}, {"width": 390, "height": 844}
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa"]
CHINESE = re.compile(r"[\u4e00-\u9fff]{2,}")
# How each renderer's search is opened, and where its field and its hits are.
SEARCH = {
    "embedded": ("#search-open", "#search-input", "#search-results a"),
    "quarto": (".aa-DetachedSearchButton", ".aa-Input", ".aa-Item a"),
}


SHOWN = (
    "index.html",
    "notebooks/10-claims.html",
    "notebooks/11-arithmetic.html",
    "notebooks/01-training.html",
    "notebooks/12-household.html",
    "pages/data.html",
    "pages/for-readers.html",
    "findings/10-claims.html",
)
"""One page of each kind: summary, ledger, wide tables and formulas, a programme, controls, list of
data, prose, records."""
WHICH = ["eight", pytest.param("every", marks=pytest.mark.every_page)]


@pytest.fixture
def chosen(request: pytest.FixtureRequest, names: list[str]) -> list[str]:
    """Every page, or one of each kind."""
    assert set(SHOWN) <= set(names)
    return names if request.param == "every" else list(SHOWN)


def violations(opened: Visit) -> list[str]:
    """Run the rules on a page and return what breaks one, with how often and where first."""
    options = {"runOnly": {"type": "tag", "values": RULES}, "resultTypes": ["violations"]}
    found = axe.Axe().run(opened.page, options=options).response["violations"]
    return [f"{one['id']} x{len(one['nodes'])} at {one['nodes'][0]['target'][0]}" for one in found]


def test_the_rules_are_on(visit: Open, address: str) -> None:
    with visit(address + "index.html") as opened:
        opened.page.evaluate("document.querySelector('main').append(document.createElement('img'))")
        assert [found.partition(" ")[0] for found in violations(opened)] == ["image-alt"]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])
@pytest.mark.parametrize("chosen", WHICH, indirect=True)
def test_no_page_breaks_a_rule_scrolls_sideways_asks_elsewhere_or_complains(
    visit: Open, address: str, chosen: list[str], size: dict[str, int], scheme: str
) -> None:
    found = {}
    for name in chosen:
        with visit(address + name, size, scheme) as opened:
            wide = opened.page.evaluate("document.documentElement.scrollWidth") - size["width"]
            boxes = opened.page.eval_on_selector_all(
                "main .table-scroll, main .table-responsive",
                "all => all.filter(box => box.scrollWidth > box.clientWidth + 1)"
                ".map(box => (box.closest('[id]') || {}).id)",
            )
            own = (address, "data:", "blob:")
            foreign = [url for url in opened.requests if not url.startswith(own)]
            found[name] = [*violations(opened), *foreign, *opened.errors, *boxes]
            found[name] += [wide] * (wide > 0)
    assert found == {name: [] for name in chosen}


INJECTED = """<p id="planted">x</p><script>window.ran = ["script"]</script>
<img src="x" onerror="window.ran = ['handler']" alt=""><a id="go" href="javascript:ran=['link']">x</a>
<style>#planted { position: fixed }</style>"""


@pytest.mark.parametrize("place", ["served", "disk"])
def test_a_script_in_the_text_of_a_page_does_not_run(
    visit: Open, address: str, built: BuildReport, tmp_path: Path, place: str
) -> None:
    site = tmp_path / "a site"
    shutil.copytree(built.site, site)
    page = site / "pages" / "glossary.html"
    text = page.read_text(encoding="utf-8")
    page.write_text(text.replace("</main>", f"{INJECTED}</main>"), encoding="utf-8")
    with server(site, 0) as running:
        threading.Thread(target=running.serve_forever, daemon=True).start()
        served = f"http://127.0.0.1:{running.server_port}/pages/glossary.html"
        with visit(served if place == "served" else page.as_uri()) as opened:
            opened.page.click("#go")
            opened.page.evaluate("() => new Promise(done => setTimeout(done, 50))")
            assert opened.page.evaluate("window.ran") is None
            assert len([said for said in opened.errors if "script-src" in said]) >= 3
            # What belongs to the page runs and shows as before.
            assert opened.page.locator("html.js").count() == (built.renderer == "embedded")
            colour = "getComputedStyle(document.querySelector('.navbar')).position"
            assert opened.page.evaluate(colour) == "sticky"
            foreign = "fetch('https://village-programmes.example/').then(() => 1, () => 0)"
            assert opened.page.evaluate(foreign) == 0
            assert any("connect-src" in said for said in opened.errors)
        running.shutdown()


def test_the_page_for_a_missing_address_is_styled_and_leads_home(
    visit: Open, address: str, built: BuildReport
) -> None:
    for missing in ("nope", "pages/nope", "a/b/nope.html?x=1"):
        with visit(address + missing) as opened:
            page = opened.page
            assert page.locator("h1").inner_text() == "Page not found"
            assert page.evaluate(
                "getComputedStyle(document.querySelector('.navbar')).position"
            ) == ("sticky")
            skip = page.locator("a[href*='#content']").first.evaluate("link => link.href")
            assert skip == f"{address}{missing}#content"
            assert page.locator(".site-title, .navbar-brand").first.evaluate(
                "link => link.href"
            ) in {address, f"{address}index.html"}
            assert violations(opened) == []
            # Browsers tell that the page itself was answered as missing, and nothing else.
            assert {said.rpartition(" ")[2] for said in opened.errors} <= {address + missing}
    if built.renderer == "embedded":
        with visit("file://" + quote(str(built.site / "404.html"))) as opened:
            assert opened.page.locator("base").count() == 0
            home = opened.page.locator(".site-title").evaluate("link => link.href")
            assert home.endswith("/reports/site/index.html")


def test_a_wide_table_is_whole_on_a_desktop_and_the_contents_step_aside(
    visit: Open, address: str, built: BuildReport
) -> None:
    if built.renderer != "embedded":
        pytest.skip("the layout of pages is Quarto's own there")
    with visit(address + "notebooks/11-arithmetic.html") as opened:
        page = opened.page
        box = page.locator("#tbl-rejected .table-scroll.wide")
        contents = page.locator(".toc")
        assert box.evaluate("box => box.scrollWidth <= box.clientWidth + 1")
        assert page.evaluate("document.documentElement.scrollWidth") <= DESKTOP["width"]
        assert contents.is_visible()
        box.evaluate("box => box.scrollIntoView({block: 'start'})")
        contents.wait_for(state="hidden")
        assert violations(opened) == []
        page.evaluate("scrollTo(0, 0)")
        contents.wait_for(state="visible")


def test_a_printed_table_fits_the_paper_and_keeps_ids_whole(visit: Open, address: str) -> None:
    # In the ledgers the id of a claim or a relation is the last column.
    for name, ledger in (("10-claims", "tbl-claims"), ("11-arithmetic", "tbl-relations")):
        with visit(f"{address}notebooks/{name}.html") as opened:
            page = opened.page
            page.emulate_media(media="print")
            page.set_viewport_size({"width": 718, "height": 1000})
            widths = page.eval_on_selector_all(
                ".table-scroll table", "all => all.map(table => table.scrollWidth)"
            )
            assert widths and max(widths) <= 718
            lines = page.eval_on_selector_all(
                f"#{ledger} tbody td:last-child",
                "all => all.map(cell => { const range = document.createRange();"
                " range.selectNodeContents(cell); return range.getClientRects().length; })",
            )
            assert set(lines) == {1}


def hits(opened: Visit, renderer: str, query: str) -> list[str]:
    """Search and return where the hits lead."""
    button, entry, results = SEARCH[renderer]
    opened.page.click(button)
    opened.page.fill(entry, query)
    opened.page.wait_for_selector(results)
    found = opened.page.locator(results)
    return [found.nth(n).evaluate("link => link.href") for n in range(found.count())]


def chinese_word(site: Path) -> str:
    """A Chinese word that stands in the text of some page."""
    for path in sorted(site.rglob("*.html")):
        for prose in re.findall(r"<(?:p|li|td)[^>]*>([^<]+)", path.read_text(encoding="utf-8")):
            word = CHINESE.search(prose)
            if word:
                return word[0][:4]
    pytest.fail("no page has Chinese text")


@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_search_leads_to_a_page(
    visit: Open, address: str, built: BuildReport, names: list[str], size: dict[str, int]
) -> None:
    with visit(address + "index.html", size) as opened:
        found = hits(opened, built.renderer, "claims")
        assert found
        assert all(url.split("#")[0].removeprefix(address) in names for url in found)
        opened.page.locator(SEARCH[built.renderer][2]).first.click()
        opened.page.wait_for_url(f"{address}**")
        assert "claim" in opened.page.inner_text("main").lower()


def test_search_finds_chinese(visit: Open, address: str, built: BuildReport) -> None:
    with visit(address + "index.html") as opened:
        assert hits(opened, built.renderer, chinese_word(built.site))


def test_search_works_from_disk(visit: Open, built: BuildReport) -> None:
    if built.renderer != "embedded":
        pytest.skip("Quarto's search needs a server")
    with visit("file://" + quote(str(built.index))) as opened:
        assert hits(opened, built.renderer, "claims")
        assert all(url.startswith(("file:", "data:")) for url in opened.requests)
        assert opened.errors == []


def test_a_table_can_be_searched_filtered_and_sorted(visit: Open, address: str) -> None:
    with visit(address + "notebooks/10-claims.html") as opened:
        page = opened.page
        box = page.locator("#tbl-claims")
        tools = box.locator(".table-tools", has=page.locator("select"))
        rows = box.locator("tbody tr")
        shown = box.locator("tbody tr:not([hidden])")
        total = rows.count()
        assert shown.count() == total > 100

        word = rows.first.locator("th, td").first.inner_text().strip()
        tools.locator("input[type=search]").fill(word)
        assert 1 <= shown.count() < total
        assert word in shown.first.inner_text()
        said = tools.locator("[role=status]").inner_text()
        assert said == f"{shown.count()} of {total} rows"
        tools.locator("input[type=search]").fill("")
        assert shown.count() == total

        choice = tools.locator("select").first
        value = choice.locator("option").nth(1).get_attribute("value")
        choice.select_option(value)
        assert 1 <= shown.count() < total
        assert all(str(value) in shown.nth(n).inner_text() for n in range(min(5, shown.count())))
        choice.select_option("")

        heading = box.locator("thead th", has=page.locator("button.sort")).first
        first = rows.first.inner_text()
        heading.locator("button").focus()
        page.keyboard.press("Enter")
        assert heading.get_attribute("aria-sort") == "ascending"
        page.keyboard.press("Enter")
        assert heading.get_attribute("aria-sort") == "descending"
        assert rows.count() == total and rows.first.inner_text() != first


def test_the_reader_chooses_light_or_dark(visit: Open, address: str, built: BuildReport) -> None:
    if built.renderer != "embedded":
        pytest.skip("this switch is of the embedded renderer; Quarto has its own")
    with visit(address + "index.html", scheme="light") as opened:
        page = opened.page
        colour = "getComputedStyle(document.body).color"
        light = page.evaluate(colour)
        page.click("#theme-toggle")
        dark = page.evaluate(colour)
        assert light != dark
        page.reload()
        assert page.evaluate(colour) == dark


def test_a_figure_shows_one_drawing_in_each_scheme(visit: Open, address: str) -> None:
    for scheme in ("light", "dark"):
        with visit(address + "notebooks/10-claims.html", scheme=scheme) as opened:
            figures = opened.page.locator("main figure:has(svg[role=img])")
            shown = [
                figures.nth(n).locator("svg[role=img]:visible").count()
                for n in range(figures.count())
            ]
            assert shown and set(shown) == {1}, (scheme, shown)
