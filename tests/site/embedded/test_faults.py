"""Everything that is not supported or does not lead anywhere, named with file and line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from analysis.faults import FaultsError
from analysis.site.embedded.render import render_project

HEAD = "---\ntitle: More\n---\n\n"


def faults(stage: Path) -> list[str]:
    with pytest.raises(FaultsError) as caught:
        render_project(stage, stage.parent / "site")
    return [str(fault) for fault in caught.value.faults]


# Each of these tests needs one page, so that one run of pandoc is enough.
ONE_PAGE = """\
project:
  type: website
  render: [{pages}]
bibliography: references.bib
website:
  title: Small
"""


def page(stage: Path, body: str) -> list[str]:
    pages = "index.qmd, pages/more.qmd" if "index" in body else "pages/more.qmd"
    (stage / "_quarto.yml").write_text(ONE_PAGE.format(pages=pages), encoding="utf-8")
    (stage / "index.qmd").write_text("---\ntitle: Home\n---\n", encoding="utf-8")
    (stage / "pages/more.qmd").write_text(HEAD + body, encoding="utf-8")
    return faults(stage)


def test_a_citation_style_that_is_not_there(stage: Path) -> None:
    (stage / "pages/other.csl").unlink(missing_ok=True)
    head = "---\ntitle: More\ncsl: other.csl\n---\n"
    (stage / "_quarto.yml").write_text(ONE_PAGE.format(pages="pages/more.qmd"), encoding="utf-8")
    (stage / "pages/more.qmd").write_text(head, encoding="utf-8")
    (found,) = faults(stage)
    assert "pages/more.qmd" in found and "other.csl" in found and "citation style" in found


@pytest.mark.parametrize(
    ("body", "row", "value", "problem"),
    [
        ("See @fig-none.", 5, "@fig-none", "not on this page"),
        ("a\n\nSee [-@tbl-none].", 7, "@tbl-none", "not on this page"),
        ("See @Fig-none.", 5, "@Fig-none", "capital letter"),
        ("See @lst-code.", 5, "@lst-code", "of this kind"),
        ("As @nobody2000 says.", 5, "@nobody2000", "unknown source"),
        ("[@nobody2000; @sec-x]\n\n## X {#sec-x}", 5, "@nobody2000", "one group"),
        ("[@sec-x, left]\n\n## X {#sec-x}", 5, "@sec-x", "text after"),
        ("![](/downloads/plain.svg)", 5, "/downloads/plain.svg", "without alt text"),
        ("![Cap](/downloads/plain.svg){#fig-a}", 5, "/downloads/plain.svg", "without alt text"),
        ('```{=html}\n<img src="/downloads/plain.svg">\n```', 6, "<img", "without alt text"),
        ("![](/downloads/a b.svg)", 5, "a%20b.svg", "without alt text"),
        ("Text $a + \\foo{b$.", 5, "foo{b", "formula that cannot be read"),
        ("a\n\n$$\n\\frac{1}{\nx\n$$", 8, "frac{1}{ x", "unexpected eof"),
        ("[x](nowhere.qmd)", 5, "nowhere.qmd", "broken link"),
        ("[x](/downloads/none.csv)", 5, "/downloads/none.csv", "broken link"),
        ("[x](../index.qmd#none)", 5, "../index.qmd#none", "anchor"),
        ("[x](#none)", 5, "#none", "anchor"),
        ("{{< video a.mp4 >}}", 5, "{{< video a.mp4 >}}", "unsupported shortcode"),
        ("{{< var none >}}", 5, "none", "unknown var"),
        ("{{< meta none.deep >}}", 5, "none.deep", "unknown meta"),
        ("Text {{< include _part.qmd >}}", 5, "include", "inside a paragraph"),
        ("{{< include _none.qmd >}}", 5, "include _none.qmd", "not found"),
        ("{{< embed ../notebooks/01-claims.ipynb#none >}}", 5, "#none", "not found"),
        ("{{< embed ../notebooks/none.ipynb#a >}}", 5, "none.ipynb#a", "not found"),
        ("```{python}\n1\n```", 5, "{python}", "executable code"),
        ("```{mermaid}\na\n```", 5, "{mermaid}", "diagram"),
        ("```python\nx = 1 # <1>\n```", 6, "# <1>", "annotations"),
        ('```{.python filename="a.py"}\nx\n```', 5, "filename", "filename"),
        ("Now `{python} x`.", 5, "`{python} x`", "inline code"),
        ("::: {.callout-danger}\na\n:::", 5, "callout-danger", "unknown callout"),
        ("::: {.column-page}\na\n:::", 5, "column-page", "not supported"),
        ("::: {layout-ncol=2}\na\n\nb\n:::", 5, "layout-ncol", "not supported"),
        ("::: {.content-visible when-format=html}\na\n:::", 5, "content-visible", "not supp"),
        ("::: {#thm-a}\na\n:::", 5, "thm-a", "of this kind"),
        ("[a]{.lightbox}", 5, "lightbox", "not supported"),
        ("::: {.panel-tabset}\na\n:::", 5, "panel-tabset", "without headings"),
        ("::: {.panel-tabset group=a}\n## A\n:::", 5, "group", "not supported"),
        ("# Top", 5, "Top", "level-1 heading"),
        ("## A {#sec-x}\n\n## B {#sec-x}", 5, "sec-x", "given twice"),
        ("[a]{#one} [b]{#one}", 5, "one", "id used twice"),
        (
            "::: {#fig-a}\n![A](/downloads/plain.svg){#fig-b fig-alt=x}\n\nCap\n:::",
            6,
            "fig-b",
            "figure inside a figure",
        ),
    ],
)
def test_page_fault_names_file_line_and_value(
    stage: Path, body: str, row: int, value: str, problem: str
) -> None:
    found = page(stage, body)
    assert any(
        text.startswith(f"pages/more.qmd:{row} ") and value in text and problem in text
        for text in found
    ), found


def test_what_pandoc_warns_of_names_the_line_of_the_file(stage: Path) -> None:
    [found] = page(stage, "a\n\n[a]: b\n[a]: c")
    assert found.startswith("pages/more.qmd:8: Duplicate link reference")


def test_a_broken_link_is_told_once_for_each_line_it_stands_on(stage: Path) -> None:
    found = page(stage, "[a](no.qmd), [b](no.qmd)\n\n[c](no.qmd)\n\n[d](no.qmd#part)")
    assert [text.partition(" ")[0] for text in found] == [
        "pages/more.qmd:5",
        "pages/more.qmd:7",
        "pages/more.qmd:9",
    ]


@pytest.mark.parametrize(
    ("front", "row", "key"),
    [
        ("title: A\ncategories: [x]", 3, "categories"),
        ("title: A\nformat:\n  html:\n    page-layout: full", 5, "page-layout"),
        ("title: A\nformat:\n  pdf: default", 4, "pdf"),
        ("title: A\nlisting: default", 3, "listing"),
        ("title: A\nexecute:\n  enabled: true", 4, "enabled"),
        ("title: A\ntoc: sometimes", 3, "toc"),
        ("title: A\ntitle: B", 3, "twice"),
        ("toc: true\ntitle: [A", 3, "YAML"),
        ("subtitle: A", 1, "without a title"),
        ("title: A\ndate: today", 1, "changes by itself"),
    ],
)
def test_front_matter_fault_names_its_line(stage: Path, front: str, row: int, key: str) -> None:
    (stage / "pages/more.qmd").write_text(f"---\n{front}\n---\n\nText.\n", encoding="utf-8")
    assert any(t.startswith(f"pages/more.qmd:{row}") and key in t for t in faults(stage))


@pytest.mark.parametrize(
    ("old", "new", "key"),
    [
        ("  type: website", "  type: book", "book"),
        ("lang: en", "lang: en\nnumber-sections: true", "number-sections"),
        ("    style: docked", "    style: floating", "floating"),
        ("html-math-method: mathml", "html-math-method: mathjax", "mathjax"),
        ("href: index.qmd", "href: none.qmd", "none.qmd"),
        ("assets/site.css", "assets/none.css", "none.css"),
        ("  type: website", "  type: [website", "YAML"),
        ('  title: "A small site"', "", "title"),
    ],
)
def test_project_fault_names_its_line(stage: Path, old: str, new: str, key: str) -> None:
    config = stage / "_quarto.yml"
    config.write_text(config.read_text().replace(old, new), encoding="utf-8")
    found = faults(stage)
    assert any(text.startswith("_quarto.yml") and key in text for text in found), found


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        ("#| output: asis", "#| output: hidden", "value not supported"),
        ("#| warning: false", "#| fig-subcap: a", "not supported"),
        ("#| warning: false", "#| warning: [", "not valid YAML"),
        ("#| fig-alt: One look", "#| echo: true", "without alt text"),
        ("#| warning: false", "#| renderings: [light, dark]", "not supported"),
        ("`{python} n`", "`{python} other`", "no stored value"),
        ('"text/plain": "7"', '"text/plain": "\'\'"', "gives nothing"),
        ('"status": "ok"', '"status": "error", "evalue": "gone"', "failed: gone"),
        ('"output_type": "execute_result"', '"output_type": "error"', "ended in an error"),
    ],
)
def test_notebook_fault_names_its_cell(stage: Path, old: str, new: str, problem: str) -> None:
    path = stage / "notebooks/01-claims.ipynb"
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")
    found = faults(stage)
    assert any("01-claims.ipynb:" in t and "[cell " in t and problem in t for t in found), found


def test_an_embedded_cell_without_output_is_refused(stage: Path) -> None:
    """As Quarto does; it was nothing on the page."""
    path = stage / "notebooks/01-claims.ipynb"
    content = json.loads(path.read_text(encoding="utf-8"))
    content["cells"].append(
        {
            "cell_type": "code",
            "id": "silent",
            "metadata": {},
            "execution_count": 1,
            "source": "x = 1",
            "outputs": [],
        }
    )
    path.write_text(json.dumps(content), encoding="utf-8")
    body = "\n\n{{< embed ../notebooks/01-claims.ipynb#silent >}}\n"
    [found] = page(stage, body)
    assert found.startswith("pages/more.qmd:7") and "has no output" in found


def test_an_embedded_cell_shows_its_code_where_asked(stage: Path) -> None:
    """Quarto's documentation of embed: code is hidden unless ``echo=true``."""
    embed = "{{{{< embed ../notebooks/01-claims.ipynb#fig-embed{} >}}}}\n"
    [found] = page(stage, embed.format(" echo=no"))
    assert "cell to embed not found" in found
    for option, shown in (("", False), (" echo=true", True)):
        (stage / "pages/more.qmd").write_text(HEAD + embed.format(option), encoding="utf-8")
        render_project(stage, stage.parent / "site")
        html = (stage.parent / "site/pages/more.html").read_text(encoding="utf-8")
        assert ("cell-code" in html) is shown


@pytest.mark.parametrize(
    "body",
    [
        "![See @fig-none](/downloads/plain.svg){#fig-a fig-alt='x'}",
        "| a |\n|---|\n| @tbl-none |",
        "a[^1]\n\n[^1]: See @eq-none",
        '::: {.callout-note title="See @sec-none"}\nx\n:::',
        "::: {.panel-tabset}\n## See @fig-none\nx\n:::",
        "## See @fig-none",
        "T\n:   See @fig-none",
        "[@fig-none](/pages/more.qmd)",
        "<p>See @fig-none</p>",
        "[see @fig-none; @tbl-none]",
    ],
)
def test_an_unresolved_reference_is_refused_wherever_it_stands(stage: Path, body: str) -> None:
    assert any("not on this page" in text and "-none" in text for text in page(stage, body))


def test_folder_metadata_is_refused(stage: Path) -> None:
    (stage / "pages/_metadata.yml").write_text("toc: false\n", encoding="utf-8")
    assert faults(stage)[0].startswith("pages/_metadata.yml:1: folder metadata")


def test_broken_notebook_is_named(stage: Path) -> None:
    (stage / "notebooks/01-claims.ipynb").write_text('{"cells": [', encoding="utf-8")
    assert faults(stage)[0].startswith("notebooks/01-claims.ipynb:1: not a notebook")


def test_faults_of_all_pages_come_together_and_the_old_site_survives(stage: Path) -> None:
    out = stage.parent / "site"
    render_project(stage, out)
    before = (out / "index.html").read_bytes()
    (stage / "pages/more.qmd").write_text(HEAD + "@fig-a and @fig-b", encoding="utf-8")
    (stage / "pages/other.qmd").write_text(HEAD + "@tbl-c", encoding="utf-8")
    found = faults(stage)
    assert len(found) == 3
    assert (out / "index.html").read_bytes() == before
    assert not list(out.parent.glob("*.part"))
