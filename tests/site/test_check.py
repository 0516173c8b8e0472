"""Every fault the check knows, one small site each, and no fault in a good one."""

from __future__ import annotations

import json
import time
from dataclasses import replace
from pathlib import Path

import pytest

from analysis import paths
from analysis.faults import FaultsError
from analysis.site.check import LIMITS, Limits, check_site, read_limits
from analysis.site.policy import Inline, policy

SMALL = Limits(page=20_000, assets=20_000, file=20_000, site=60_000)
POLICY = f'<meta http-equiv="Content-Security-Policy" content="{policy(Inline(("a()",)))}">'
HEAD = f'{POLICY}<meta name="viewport" content="width=device-width"><title>T</title>'


def page(body: str, head: str = HEAD, lang: str = ' lang="en"') -> str:
    return (
        f"<!doctype html>\n<html{lang}>\n<head>{head}</head>\n<body>\n"
        f"<main>\n<h1>T</h1>\n{body}\n</main>\n</body>\n</html>\n"
    )


GOOD = page(
    """<p id="top-note">See <a href="pages/b.html#here">there</a>, <a href="#top-note">here</a>,
<a href="https://example.org/">elsewhere</a>, <a href="mailto:a@example.org">mail</a>,
<a href="downloads/d.csv">data</a>, <a href="pages/">folder</a>, <a href="#">top</a>.</p>
<img src="a.svg" alt="A line that rises"><img src="data:image/png;base64,AA" alt="">
<h2>Two</h2><h3>Three</h3><h2 id="一个">Two</h2><a href="#%E4%B8%80%E4%B8%AA">zh</a>
<p>Write <code>@fig-a</code>, <code>:::</code> and <code>$$</code> in the source;
mail a@tbl.org; c@fig-like; $5 and 3::2; # 3 and 0.5** (0.1), 2**, x**2**y, *** p, ** p **.</p>
<p><code>## Two</code> and <code>**x**</code></p>
<script>a()</script><script type="application/json">{"b": 1}</script>
<pre>{{< include x >}}</pre><math><annotation>$$x$$</annotation></math>
<svg role="img" aria-label="named"><use href="#top-note"/></svg>
<svg role="img"><title>named too</title></svg><svg aria-hidden="true"></svg>""",
    HEAD + '<link rel="stylesheet" href="s.css"><link rel="canonical" href="https://example.org">',
)


@pytest.fixture
def site(tmp_path: Path) -> Path:
    """A site without a fault."""
    (tmp_path / "pages").mkdir()
    (tmp_path / "downloads").mkdir()
    (tmp_path / "index.html").write_text(GOOD)
    (tmp_path / "404.html").write_text(page('<a href="/index.html">home</a>'))
    for name in ("b", "index"):
        (tmp_path / "pages" / f"{name}.html").write_text(page('<p id="here">Here.</p>'))
    (tmp_path / "downloads" / "d.csv").write_text("x\n1\n")
    (tmp_path / "a.svg").write_text("<svg xmlns='http://www.w3.org/2000/svg'/>")
    (tmp_path / "s.css").write_text(
        "/* url(https://example.org/x.png) */ a { background: url('a.svg#x') }"
        " b { background: url(data:image/png;base64,AA) }"
    )
    return tmp_path


def test_a_good_site(site: Path) -> None:
    assert check_site(site, SMALL) == ()


BODIES = {
    '<a href="no.html">x</a>': "broken link",
    '<a href="downloads/no.csv">x</a>': "broken link",
    '<a href="../index.html">x</a>': "broken link",
    '<a href="Pages/b.html">x</a>': "broken link",
    '<img src="no.svg" alt="x">': "broken link",
    '<img srcset="a.svg 1x, no.svg 2x" alt="x">': "broken link",
    '<script src="no.js"></script>': "broken link",
    '<a href="/pages/b.html">x</a>': "a link from the top of the server",
    '<a href="#nowhere">x</a>': "broken anchor: index.html",
    '<a href="pages/b.html#nowhere">x</a>': "broken anchor: pages/b.html",
    '<script src="https://example.org/a.js"></script>': "<script> loads from another machine",
    '<img src="//example.org/a.png" alt="x">': "<img> loads from another machine",
    '<iframe src="http://example.org"></iframe>': "<iframe> loads from another machine",
    '<link rel="preconnect" href="https://example.org">': "<link> loads from another machine",
    '<p style="background: url(https://example.org/a.png)">x</p>': "<p> loads from another",
    '<link rel="stylesheet" href="https://example.org/a.css">': "<link> loads from another machine",
    "<style>p { color: red }</style>": "a style element that the page's policy refuses",
    "<script>b()</script>": "an inline script that the page's policy refuses",
    '<script type="module">a() </script>': "an inline script that the page's policy refuses",
    '<p onclick="a()">x</p>': "code in an attribute or a link",
    '<a href=" JavaScript:a()">x</a>': "code in an attribute or a link",
    '<img src="a.svg">': "an image has no alt text",
    '<figure><img src="a.svg" alt=" "></figure>': "an image has no alt text",
    '<svg role="img"><path/></svg>': "an image has no alt text",
    '<i id="x"></i><b id="x"></b>': "two elements have this id",
    "<h1>Again</h1>": "2 first-level headings",
    "<h2>A</h2><h4>B</h4>": "a heading jumps from level 2 to level 4",
    "<h3>B</h3>": "a heading jumps from level 1 to level 3",
    "<p>::: {.note}</p>": "source markup is left on the page: :::",
    "<p>see @fig-a</p>": "source markup is left on the page: @fig-",
    "<p>(@tbl-a-b)</p>": "source markup is left on the page: @fig-",
    "<p>{{< var a >}}</p>": "source markup is left on the page: {{<",
    "<p>{{&lt; var a &gt;}}</p>": "source markup is left on the page: {{<",
    "<p>`{python} x`</p>": "source markup is left on the page: `{python}",
    "<p><code>{python} x</code></p>": "source markup is left on the page: `{python}",
    "<p><strong>?@fig-a</strong></p>": "source markup is left on the page: ?@",
    "<p>$$x^2$$</p>": "source markup is left on the page: $$",
    "<p>#| label: fig-a</p>": "source markup is left on the page: #|",
    '<div class="cell"><pre><code>#| label: a\nx</code></pre></div>': "source markup is left",
    "<p>as [@nobody2020] says</p>": "source markup is left on the page: [@",
    "<p>## Two</p>": "source markup is left on the page: ##",
    "<p>one\n### Two</p>": "source markup is left on the page: ##",
    "<p>a **bold word** here</p>": "source markup is left on the page: **",
    "<td>**b**</td>": "source markup is left on the page: **",
    '<img src="a.svg" alt="see @fig-a">': "source markup is left on the page: @fig-",
    '<p><span class="citation">(<strong>nobody?</strong>)</span></p>': "unknown citation",
    "<p>" + "x" * 30_000 + "</p>": "the page itself is too heavy",
}


@pytest.mark.parametrize("body", BODIES, ids=lambda body: body[:40])
def test_each_fault_names_page_and_line(site: Path, body: str) -> None:
    (site / "index.html").write_text(page(body))
    faults = [fault for fault in check_site(site, SMALL, site) if "file is" not in fault.problem]
    assert [fault.problem.startswith(BODIES[body]) for fault in faults] == [True], faults
    assert faults[0].file == "index.html" and faults[0].remedy
    if "heavy" not in faults[0].problem:
        assert faults[0].row in {7, 8}


DOCUMENTS = {
    "no language": page("", lang=""),
    "no title": page("", head=f'{POLICY}<meta name="viewport" content="w">'),
    "an empty title": page("", head=f'{POLICY}<meta name="viewport" content="w"><title> </title>'),
    "no viewport": page("", head=f"{POLICY}<title>T</title>"),
    "no Content-Security-Policy": page("", head=HEAD.removeprefix(POLICY)),
    "0 first-level headings": page("").replace("h1", "p"),
}


@pytest.mark.parametrize("said", DOCUMENTS)
def test_what_a_document_lacks(site: Path, said: str) -> None:
    (site / "index.html").write_text(DOCUMENTS[said])
    [fault] = check_site(site, SMALL)
    assert said.replace("an empty", "no") in fault.problem


SOURCES = {
    "a heading jumps": (
        "<h2>A</h2><h4>Some new words</h4>",
        "---\ntitle: T\n---\n\n## A\n\n#### Some *new* [words](b.qmd) {#w}\n",
        7,
    ),
    "<script> loads from another": (
        '<script src="https://example.org/a.js"></script>',
        '---\ntitle: T\n---\n\n<script src="https://example.org/a.js"></script>\n',
        5,
    ),
    "two elements have this id": ('<i id="x"></i><b id="x"></b>', "x\n\n[x]{#x} [y]{#x}\n", 3),
    "broken anchor": ('<a href="pages/b.html#no">x</a>', "x\n[x](pages/b.qmd#no)\n", 2),
    "source markup is left on the page: ##": ("<p>one\n## Two</p>", "x\n\none\n## Two\n", 3),
    "source markup is left on the page: **": (
        "<p>a **bold** b</p>",
        "---\ntitle: T\n---\n\na **bold** b\n",
        5,
    ),
}


@pytest.mark.parametrize("said", SOURCES)
@pytest.mark.parametrize("notebook", [False, True], ids=["page", "notebook"])
def test_a_fault_names_the_line_of_its_source(
    site: Path, tmp_path_factory: pytest.TempPathFactory, said: str, notebook: bool
) -> None:
    body, source, row = SOURCES[said]
    root = tmp_path_factory.mktemp("project")
    (site / "index.html").write_text(page(body))
    if notebook:
        cells = [{"source": "1"}, {"source": source.splitlines(keepends=True)}]
        (root / "index.ipynb").write_text(json.dumps({"cells": cells}))
    else:
        (root / "index.qmd").write_text(source)
    [fault] = check_site(site, SMALL, root)
    assert fault.problem.startswith(said)
    assert (fault.file, fault.row) == ("index.ipynb" if notebook else "index.qmd", row)
    assert fault.column == ("cell 2, line counted in the cell" if notebook else "")


def test_what_every_page_includes_is_told_once(
    site: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    root = tmp_path_factory.mktemp("project")
    (root / "assets").mkdir()
    script = '<script src="https://example.org/a.js"></script>'
    (root / "assets" / "scripts.html").write_text(f"\n{script}\n")
    for name in ("index.html", "pages/b.html"):
        (site / name).write_text(page(f'{script}<p id="here"></p>'))
    [fault] = check_site(site, SMALL, root)
    assert (fault.file, fault.row) == ("assets/scripts.html", 2)


def test_navigation_before_the_title_may_have_headings(site: Path) -> None:
    text = page("<h2>A</h2>").replace("<main>", '<nav><h2 id="toc">On this page</h2></nav><main>')
    (site / "index.html").write_text(text)
    assert check_site(site, SMALL) == ()


def test_a_page_that_only_leads_elsewhere(site: Path) -> None:
    head = '<meta http-equiv="refresh" content="0;url=pages/b.html">'
    (site / "old.html").write_text(f"<html><head>{head}</head><body></body></html>")
    assert check_site(site, SMALL) == ()


@pytest.mark.parametrize(
    ("text", "said", "line"),
    [
        ("a {}\n@import url(https://example.org/a.css);", "loads from another machine", 2),
        ("a { background: url('no.png') }", "broken link", 1),
    ],
)
def test_style_sheets(site: Path, text: str, said: str, line: int) -> None:
    (site / "s.css").write_text(text)
    [fault] = check_site(site, SMALL)
    assert (fault.file, fault.row) == ("s.css", line) and said in fault.problem


def test_weights(site: Path) -> None:
    (site / "a.svg").write_text("x" * 30_000)
    (site / "downloads" / "d.csv").write_text("x" * 50_000)
    found = {(fault.file, fault.problem) for fault in check_site(site, SMALL)}
    assert found == {
        ("index.html", "what the page loads is too heavy"),
        ("a.svg", "the file is too heavy"),
        ("downloads/d.csv", "the file is too heavy"),
        (".", "the site is too heavy"),
    }


def test_a_figure_shown_again_offers_its_data_too(site: Path) -> None:
    label = "fig-a"
    (site / "downloads" / f"{label}.csv").write_text("x\n1\n")
    body = f'<div id="{label}">A figure</div><div id="fig-none"></div><i id="fig-b"></i>'
    (site / "downloads" / "fig-b.csv").write_text("x\\n1\\n")
    link = f'<a href="downloads/{label}.csv">Data (CSV)</a>'
    (site / "index.html").write_text(page(body))
    (site / "index.qmd").write_text(f"x\n\n::: {{#{label}}}\n")
    [fault] = check_site(site, SMALL, site)
    assert (fault.file, fault.row, fault.value) == ("index.qmd", 3, label)
    assert "not linked" in fault.problem
    (site / "index.html").write_text(page(body + link))
    assert check_site(site, SMALL, site) == ()


def test_no_site(tmp_path: Path) -> None:
    [fault] = check_site(tmp_path, SMALL)
    assert "make report" in fault.remedy


QUARTO_HEAD = '<meta name="generator" content="quarto-1.10.1">'


def test_ids_that_quarto_writes_twice_are_allowed_by_name_and_only_there(site: Path) -> None:
    body = '<p id="quarto-bootstrap">a</p><p id="quarto-bootstrap">b</p>'
    other = '<p id="mine">a</p><p id="mine">b</p>'
    (site / "index.html").write_text(page(body + other).replace("<title>", QUARTO_HEAD + "<title>"))
    assert [fault.value for fault in check_site(site, SMALL)] == ["mine"]
    (site / "index.html").write_text(page(body))
    assert [fault.value for fault in check_site(site, SMALL)] == ["quarto-bootstrap"]


def test_quartos_own_libraries_count_apart(site: Path) -> None:
    (site / "lib.css").write_text("/*" + "x" * 15_000 + "*/")
    (site / "more.css").write_text("/*" + "x" * 15_000 + "*/")
    links = '<link rel="stylesheet" href="lib.css"><link rel="stylesheet" href="more.css"><title>'
    limits = replace(SMALL, quarto=20_000)
    (site / "index.html").write_text(page("").replace("<title>", links))
    assert any("what the page loads" in fault.problem for fault in check_site(site, limits))
    (site / "index.html").write_text(page("").replace("<title>", QUARTO_HEAD + links))
    assert check_site(site, limits) == ()


def test_the_limits_of_the_project_can_be_read() -> None:
    limits = read_limits(paths.root() / LIMITS)
    assert limits.page < limits.site


@pytest.mark.parametrize(
    ("text", "columns"),
    [
        ("", ["page", "assets", "file", "site", "quarto"]),
        ("[page", [""]),
        ("page = 3", ["page", "assets", "file", "site", "quarto"]),
        (
            '[page]\nvalue=1\nunit="MB"\nreason="r"\n[assets]\nvalue=1\nunit="GB"\nreason="r"\n'
            '[file]\nvalue="1"\nunit="kB"\nreason="r"\n[site]\nvalue=1\nunit="kB"\nreason=" "\n',
            ["assets", "file", "site", "quarto"],
        ),
    ],
)
def test_limits_that_are_none(tmp_path: Path, text: str, columns: list[str]) -> None:
    path = tmp_path / "site.toml"
    path.write_text(text)
    with pytest.raises(FaultsError) as raised:
        read_limits(path)
    assert [fault.column for fault in raised.value.faults] == columns


def test_missing_limits(tmp_path: Path) -> None:
    with pytest.raises(FaultsError, match="missing"):
        read_limits(tmp_path / "site.toml")


def test_a_hundred_pages_in_three_seconds(site: Path) -> None:
    section = '<h2 id="s{n}">S</h2><p>Some <em>words</em> and a <a href="#s{n}">link</a>.</p>'
    table = "<table>" + "<tr><td>1</td><td>two</td><td>3.0</td></tr>" * 100 + "</table>"
    body = table + "".join(section.replace("{n}", str(n)) for n in range(100))
    for n in range(100):
        (site / "pages" / f"p{n}.html").write_text(page(body))
    begun = time.process_time()
    assert check_site(site, Limits(*[10**9] * 4)) == ()
    assert time.process_time() - begun < 3
