"""What comes out of a project that uses everything."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from analysis.paths import root
from analysis.site.embedded import pandoc
from analysis.site.embedded.mathfont import subset
from analysis.site.embedded.memory import Memory
from analysis.site.embedded.notebook import read_page
from analysis.site.embedded.render import render_project
from analysis.site.embedded.shell import crumbs
from analysis.site.project import read_project

NBSP = "\u00a0"


def text(path: Path) -> str:
    body = path.read_text(encoding="utf-8")
    body = body[body.index("<main") : body.index("</main>")]
    body = re.sub(r"<(script|annotation|nav)\b.*?</\1>", "", body, flags=re.DOTALL)
    return " ".join(re.sub(r"<[^>]+>", "", body).split(" ")).replace("\n", " ")


def test_cross_references_read_as_in_quarto(site: Path) -> None:
    words = text(site / "index.html")
    refs = "See Section 1, Fig 1, 1, Figure 2, Table 1, Table 2, Equation 1 and Figure 1, Figure 2"
    assert refs in words.replace(NBSP, " ")
    assert f"Fig{NBSP}1" in words
    assert f"Figure{NBSP}1: The caption" in words
    assert f"Table{NBSP}2: Caption below" in words
    assert f"Section{NBSP}1.1" in words
    assert f"章节{NBSP}1" in text(site / "pages/more.html")


def test_citations_bibliography_and_footnotes_close_the_page(site: Path) -> None:
    page = (site / "index.html").read_text(encoding="utf-8")
    assert '(<a href="#ref-key2020" role="doc-biblioref">2020</a>)' in page
    assert page.index("quarto-bibliography") < page.index('id="footnotes"')
    before = page[: page.index('<section id="quarto-bibliography"')]
    assert before.count("<section") == before.count("</section>")


def test_variables_metadata_includes_and_escapes(site: Path) -> None:
    page = (site / "index.html").read_text(encoding="utf-8")
    assert '<a href="notebooks/01-claims.html#claims_total" class="finding">193</a>' in page
    assert "claims on What was <em>reported</em>" in page
    assert "Included <em>plain</em> text" in page
    assert "{{&lt; var x &gt;}} stays" in page


def test_callouts_tabs_margin_and_code(site: Path) -> None:
    page = (site / "index.html").read_text(encoding="utf-8")
    assert re.search(r'<details class="callout callout-warning[^>]*">\s*<summary', page)
    assert re.search(r'<details class="callout callout-caution[^>]* open>', page)
    assert '<div class="callout-title">\nNote\n' in page
    assert "callout-style-simple" in page
    assert page.count('role="tab"') == 2
    assert page.count('role="tabpanel"') == 2
    assert '<span class="kw">' in page or '<span class="op">' in page
    assert 'class="column-margin"' in page


def test_notebook_cells(site: Path) -> None:
    page = (site / "notebooks/01-claims.html").read_text(encoding="utf-8")
    words = text(site / "notebooks/01-claims.html")
    assert "A number 7 and seven." in words
    assert page.count('class="code-fold"') == 6
    assert "a warning" not in words
    assert "secret" not in words
    assert "Some bold words." in words
    assert '<section id="printed"' in page
    assert re.search(r'src="01-claims_files/figure-html/framed-output-1.svg"[^>]*alt="Looks"', page)
    assert f"Figure{NBSP}2: In a frame" in words
    assert 'alt="A &quot;line&quot;"' in page
    assert '<a href="../pages/more.html">Lhasa</a>' in page
    assert 'class="cell filterable"' in page


def test_no_page_asks_for_anything_outside(site: Path) -> None:
    for page in site.rglob("*"):
        if page.suffix in {".html", ".css"}:
            content = page.read_text(encoding="utf-8")
            outside = r"""(?:src=|url\(|@import\s+|<link[^>]*href=)["']?(?:https?:)?//"""
            assert not re.search(outside, content), page


def test_shell(site: Path) -> None:
    page = (site / "notebooks/01-claims.html").read_text(encoding="utf-8")
    assert '<html lang="en">' in page
    assert "<title>Claims – A small site</title>" in page
    assert '<meta name="quarto:offset" content="../">' in page
    assert page.count('aria-current="page"') == 2
    assert 'rel="prev" href="../index.html"' in page
    assert 'rel="next" href="more.html"' not in page
    assert 'rel="next" href="../pages/more.html"' in page
    assert "<loc>https://example.org/small/index.html</loc>" in (site / "sitemap.xml").read_text()
    assert "404.html" not in (site / "sitemap.xml").read_text()
    assert (site / "404.html").is_file()
    assert (site / "downloads/data.csv").read_text() == "a,b\n1,2\n"
    index = (site / "site_libs/search-index.js").read_text(encoding="utf-8")
    assert index.startswith("window.siteSearchIndex = [")
    assert "secret" not in index and "plot()" not in index and "printed" in index
    assert "x = 1" in index
    assert '"href":"pages/more.html#sec-zh"' in index
    assert "乡村干部培训" in index


def test_without_an_address_there_is_no_site_map_and_it_is_said_once(stage: Path) -> None:
    config = stage / "_quarto.yml"
    address = "  site-url: https://example.org/small\n"
    config.write_text(config.read_text(encoding="utf-8").replace(address, ""), encoding="utf-8")
    report = render_project(stage, stage.parent / "site")
    assert "sitemap.xml" not in report.files
    assert not (stage.parent / "site" / "sitemap.xml").exists()
    [note] = report.warnings
    assert "url in CITATION.cff" in note


def test_addresses_of_the_site_map_are_absolute(site: Path) -> None:
    found = re.findall("<loc>(.*?)</loc>", (site / "sitemap.xml").read_text(encoding="utf-8"))
    assert len(found) == 3
    assert all(address.startswith("https://example.org/small/") for address in found)


def test_only_the_page_for_missing_addresses_has_a_base(site: Path) -> None:
    for page in site.rglob("*.html"):
        made = 'createElement("base")' in page.read_text(encoding="utf-8")
        assert made == (page.name == "404.html")
    page = (site / "404.html").read_text(encoding="utf-8")
    assert '"example.org"?"/small/404.html":"/404.html"' in page
    # From disk every address is relative, as on all pages.
    assert not re.search(r'(?:href|src)="/', page)


def test_same_input_gives_the_same_bytes(stage: Path) -> None:
    outs = [stage.parent / name for name in ("one", "two")]
    code = "import sys; from pathlib import Path; from analysis.site.embedded.render import render_project; "
    code += "render_project(*map(Path, sys.argv[1:]))"
    for seed, out in enumerate(outs):
        environment = {**os.environ, "PYTHONHASHSEED": str(seed + 1)}
        command = [sys.executable, "-c", code, str(stage), str(out), str(out) + ".cache"]
        subprocess.run(command, check=True, env=environment)
    files = [{p.relative_to(o): p.read_bytes() for p in o.rglob("*") if p.is_file()} for o in outs]
    assert files[0] == files[1]


def test_math_font_is_small_and_keeps_its_licence() -> None:
    from io import BytesIO

    from fontTools.ttLib import TTFont

    content = subset("xy∑∫")
    font = TTFont(BytesIO(content))
    assert len(content) < 60_000
    assert "MATH" in font
    assert "Open Font License" in str(font["name"].getDebugName(13))


def test_palette_of_the_shell_is_that_of_the_quarto_themes() -> None:
    pair = re.compile(r"--([\w-]+): light-dark\((#\w+), (#\w+)\);")
    shell = root() / "src/analysis/site/embedded/shell.css"
    tokens = {name: (a, b) for name, a, b in pair.findall(shell.read_text(encoding="utf-8"))}
    for at, theme in enumerate(("light", "dark")):
        text = (root() / f"assets/{theme}.scss").read_text(encoding="utf-8")
        given = dict(re.findall(r"^  --([\w-]+): (#\w+);", text, re.MULTILINE))
        assert len(given) >= 17
        assert given == {name: tokens[name][at] for name in given}
        used = set(re.findall(r"var\(--([\w-]+)\)", (root() / "assets/site.css").read_text()))
        # Places in a drawing are no colours: the page that draws sets them.
        defined = set(re.findall(r"--([\w-]+):", text))
        assert used - {"at", "from", "to", "truth"} <= defined


def luminance(colour: str) -> float:
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [p / 12.92 if p <= 0.03928 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_every_text_colour_has_enough_contrast(theme: str) -> None:
    text = (root() / f"assets/{theme}.scss").read_text(encoding="utf-8")
    colours = dict(re.findall(r"^  --([\w-]+): (#\w+);", text, re.MULTILINE))
    pairs = [(a, b) for a in ("ink", "muted", "link") for b in ("page", "surface", "mark")]
    tiers = [name for name in colours if name.startswith("tier-") and not name.endswith("-back")]
    pairs += [(tier, back) for tier in tiers for back in (f"{tier}-back", "page")]
    for front, back in pairs:
        low, high = sorted((luminance(colours[front]), luminance(colours[back])))
        assert (high + 0.05) / (low + 0.05) >= 4.5, (front, back)


def test_a_page_says_where_it_is(stage: Path) -> None:
    config = stage / "_quarto.yml"
    text = config.read_text(encoding="utf-8")
    config.write_text(text.replace("website:\n", "website:\n  bread-crumbs: true\n"), "utf-8")
    project = read_project(stage)
    assert [item.text for item in crumbs(project, "notebooks/01-claims.ipynb")] == ["The report"]
    assert crumbs(project, "pages/more.qmd") == crumbs(project, "nowhere.qmd") == []
    # A page that the sidebar leaves out hangs below the page of its folder.
    assert [item.href for item in crumbs(project, "pages/more/one.qmd")] == ["pages/more.qmd"]


def test_one_edited_page_is_rendered_alone(stage: Path, tmp_path: Path) -> None:
    kept, out = tmp_path / "cache", tmp_path / "site"
    first = render_project(stage, out, kept)
    before = {path.name: path.stat().st_mtime_ns for path in (kept / "pages").iterdir()}
    content = {name: (out / name).read_bytes() for name in first.pages}
    page = stage / "pages" / "more.qmd"
    page.write_text(page.read_text(encoding="utf-8") + "\nEdited.\n", encoding="utf-8")
    render_project(stage, out, kept)
    after = {path.name: path.stat().st_mtime_ns for path in (kept / "pages").iterdir()}
    # Its text and its part of the search index; what they replace is forgotten.
    assert len(after.keys() - before.keys()) == len(before.keys() - after.keys()) == 2
    assert all(before[name] == after[name] for name in before.keys() & after.keys())
    changed = [name for name in first.pages if (out / name).read_bytes() != content[name]]
    assert changed == ["pages/more.html"]
    assert b"Edited." in (out / "pages" / "more.html").read_bytes()


def test_a_new_filter_or_bibliography_renders_every_page(stage: Path) -> None:
    project = read_project(stage)
    page = read_page(project, {}, "pages/more.qmd")
    meta = pandoc.metadata(project, page)
    parts = pandoc.dependencies("text", meta, project.html)
    for name in ("filter.lua", "bibliography.lua"):
        assert parts[name] == (Path(pandoc.__file__).parent / name).read_bytes()
    assert parts["references.bib"] == (stage / "references.bib").read_bytes()


def test_text_that_is_no_language_is_as_pandoc_makes_it() -> None:
    """The filter writes it, as pandoc would read all of its languages; pandoc alone is right."""
    kinds = ("output-text", "text", "csv", "python")
    source = "\n".join(f"``` {{.{kind}}}\na < b & \"c\" 'd'\n\n  \\x 村\n```\n" for kind in kinds)
    command = [pandoc.executable(), "--from", pandoc.READER, "--to", "html5"]
    with_filter = [*command, f"--lua-filter={pandoc.HERE / pandoc.FILTERS[0]}"]
    alone, filtered = (
        subprocess.run(words, input=source.encode(), capture_output=True, check=True).stdout
        for words in (command, with_filter)
    )
    # Pandoc numbers what is left to it.
    assert re.sub(rb"cb\d", b"cb1", alone) == filtered
    assert b'<pre class="csv"><code>a &lt; b &amp; &quot;c&quot; &#39;d&#39;' in filtered


def test_memory_keeps_what_was_made_and_never_a_failure(tmp_path: Path) -> None:
    memory = Memory(tmp_path / "kept")
    assert memory.text({"a": "1"}, lambda: "one") == "one"
    assert memory.text({"a": "1"}, lambda: "other") == "one"
    with pytest.raises(ZeroDivisionError):
        memory.text({"a": "2"}, lambda: str(1 // 0))
    assert memory.text({"a": "2"}, lambda: "two") == "two"
    again = Memory(tmp_path / "kept")
    again.text({"a": "2"}, lambda: "")
    again.forget_others()
    assert len(list((tmp_path / "kept").iterdir())) == 1
    assert Memory().text({"a": "1"}, lambda: "fresh") == "fresh"
