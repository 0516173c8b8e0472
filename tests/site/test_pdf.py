"""The report as one file: pages joined in reading order, and clear faults."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import pytest

from analysis import paths
from analysis.faults import FaultsError
from analysis.site import pdf
from analysis.site.project import read_project

FIRST = (
    '<html><body><nav>x</nav><main id="content"><h1 class="title">One</h1>'
    '<nav class="toc"><a href="#a">A</a></nav><p id="a">See <a href="pages/b.html#a">B</a>, '
    '<a href="#a">here</a>, <a href="c.html">C</a>, <a href="https://a.org/x">out</a></p>'
    '<img src="img/a.svg" alt="A"><script>run()</script></main></body></html>'
)
SECOND = (
    '<main><h1>Two</h1><p id="a"><a href="../index.html">back</a>'
    '<img src="b_files/x.svg" alt="X"></p></main>'
)


def test_the_report_is_the_first_section_of_the_sidebar() -> None:
    order = pdf.reading_order(read_project(paths.root()))
    assert order[:2] == ("index.html", "notebooks/01-training.html")
    assert order[-1] == "notebooks/15-uncertainty.html"
    assert all(name.startswith("notebooks/") for name in order[1:]) and len(order) > 10


def test_pages_keep_their_own_ids_and_links_between_them_lead_inside() -> None:
    whole = pdf.joined({"index.html": FIRST, "pages/b.html": SECOND}, "All", "file:///site/")
    assert whole.count('id="p1-a"') == whole.count('id="p2-a"') == 1
    assert '<a href="#p2-a">B</a>' in whole and '<a href="#p1-a">here</a>' in whole
    assert '<a href="#p1-">back</a>' in whole
    assert "<a>C</a>" in whole and 'href="https://a.org/x"' in whole
    assert 'src="file:///site/img/a.svg"' in whole
    assert 'src="file:///site/pages/b_files/x.svg"' in whole
    assert "run()" not in whole and "toc" not in whole
    assert '<li><a href="#p2-">Two</a></li>' in whole


def test_without_chromium_a_remedy_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pdf, "find_chromium", lambda: "")
    with pytest.raises(FaultsError, match=r"no Chromium.*package chromium"):
        pdf.make(paths.root())


def test_a_browser_that_prints_nothing_is_a_fault(tmp_path: Path) -> None:
    shutil.copy(paths.root() / "_quarto.yml", tmp_path)
    for name in pdf.reading_order(read_project(tmp_path)):
        page = tmp_path / "reports" / "site" / name
        page.parent.mkdir(parents=True, exist_ok=True)
        page.write_text(SECOND, encoding="utf-8")
    with pytest.raises(FaultsError, match="printed nothing"):
        pdf.make(tmp_path, sys.executable)
    assert not (tmp_path / pdf.TARGET).exists()
    (tmp_path / "reports" / "site" / "index.html").unlink()
    with pytest.raises(FaultsError, match="make report first"):
        pdf.make(tmp_path, sys.executable)
