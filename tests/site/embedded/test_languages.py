"""Pages of two languages in the shell: navigation, switch, addresses, search, in a browser too."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from analysis.paths import root
from analysis.site.embedded.render import render_project

if TYPE_CHECKING:
    from playwright.sync_api import Browser

QUARTO = """\
project:
  type: website
  render: [index.qmd, "pages/*.qmd", "zh/*.qmd"]
lang: en
website:
  title: "A small site"
  page-navigation: true
  navbar:
    left:
      - text: "Report"
        href: index.qmd
      - text: "中文"
        href: zh/index.qmd
  sidebar:
  - id: english
    contents: [index.qmd, pages/only.qmd, pages/words.qmd]
  - id: chinese
    title: "小网站"
    contents:
      - text: "首页"
        href: zh/index.qmd
      - zh/words.qmd
format:
  html:
    css: assets/site.css
"""
PAGES = {
    "index.qmd": ("Report", "", "What programmes do, in Lhasa 劳动力转移就业 too.\n"),
    "pages/only.qmd": ("Only in English", "", "Text.\n"),
    "pages/words.qmd": (
        "Glossary",
        "",
        "::: {.language-switch}\n[中文](/zh/words.qmd)\n:::\n\nWords.\n",
    ),
    "zh/index.qmd": ("报告", "lang: zh-Hans\n", "## 转移 {#move}\n\n劳动力转移就业有什么效果？\n"),
    "zh/words.qmd": ("术语表", "lang: zh-Hans\n", "力量不同，动员也不同，转入劳务。\n"),
}


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("languages")
    texts = {
        "_quarto.yml": QUARTO,
        "assets/site.css": (root() / "assets/site.css").read_text("utf-8"),
    }
    for name, (title, more, body) in PAGES.items():
        texts[name] = f'---\ntitle: "{title}"\n{more}---\n\n{body}'
    for name, text in texts.items():
        path = folder / "stage" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    render_project(folder / "stage", folder / "site")
    return folder / "site"


def html(site: Path, name: str) -> str:
    return (site / name).read_text(encoding="utf-8")


def test_the_switch_keeps_the_page(site: Path) -> None:
    assert '<html lang="zh-Hans">' in html(site, "zh/words.html")
    for name, tag in (
        ("pages/words.html", 'href="../zh/words.html" hreflang="zh-Hans" lang="zh-Hans">中文</a>'),
        ("zh/words.html", 'href="../pages/words.html" hreflang="en" lang="en">English</a>'),
    ):
        assert f'<a class="tool" id="language" {tag}' in html(site, name)
        assert re.findall(r'<link rel="alternate" hreflang="([\w-]+)"', html(site, name))
    assert "language-switch" not in html(site, "pages/words.html"), "one switch is enough"


def test_a_page_without_counterpart_leads_to_the_front_page_and_says_so(site: Path) -> None:
    page = html(site, "pages/only.html")
    assert 'href="../zh/index.html" hreflang="zh-Hans" lang="zh-Hans" title="首页' in page
    assert 'rel="alternate"' not in page


def test_navigation_is_that_of_the_language(site: Path) -> None:
    english, chinese = html(site, "pages/words.html"), html(site, "zh/words.html")
    assert ">小网站</a>" in chinese and "A small site" not in chinese
    assert '<a class="site-title" href="index.html">' in chinese
    assert "<title>术语表 – 小网站</title>" in chinese and "<title>报告</title>" in html(
        site, "zh/index.html"
    )
    navs = re.findall(r'<nav class="(?:main-nav|sidebar)".*?</nav>', chinese, re.S)
    assert [re.findall(r">([^<>\n]+)</a>", nav) for nav in navs] == [["首页", "术语表"]] * 2
    navs = re.findall(r'<nav class="main-nav".*?</nav>', english, re.S)
    assert re.findall(r">([^<>\n]+)</a>", navs[0]) == ["Report"]
    assert "跳到正文" in chinese and "Skip to content" not in chinese


@pytest.mark.browser
def test_the_search_finds_chinese_words_and_prefers_the_language_of_the_page(
    site: Path, browser: Browser
) -> None:
    page = browser.new_page()

    def hits(name: str, words: str) -> list[str]:
        page.goto(f"{site.as_uri()}/{name}")
        page.click("#search-open")
        page.fill("#search-input", words)
        page.locator("#search-status:not(:empty)").wait_for()
        return [
            a.evaluate("a => new URL(a.href).pathname.split('/site/')[1]")
            for a in page.query_selector_all("#search-results a")
        ]

    assert hits("zh/words.html", "劳动力转移") == ["zh/index.html", "index.html"]
    assert hits("index.html", "劳动力转移") == ["index.html", "zh/index.html"]
    assert hits("zh/index.html", "术语") == ["zh/words.html"]
    assert hits("zh/index.html", "programmes") == ["index.html"]
    assert page.locator("#search-results a").first.get_attribute("lang") == "en"
    page.click("#search button")
    page.click("#language")
    page.wait_for_url("**/index.html")
    assert page.evaluate("document.documentElement.lang") == "en"
