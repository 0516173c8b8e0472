"""Chinese pages that Quarto rendered lead to Chinese pages."""

from __future__ import annotations

from pathlib import Path

from analysis.site.postprocess import postprocess

CONFIG = """\
project: {type: website, render: ["*.qmd", "zh/*.qmd"]}
lang: en
website:
  title: "The report"
  navbar:
    left:
      - {text: "Report", href: index.qmd}
      - {text: "中文", href: zh/index.qmd}
  sidebar:
    - id: english
      contents: [index.qmd]
    - id: chinese
      title: "报告"
      contents:
        - {text: "首页", href: zh/index.qmd}
        - zh/words.qmd
"""
# As Quarto 1.x writes its navbar; shortened.
PAGE = """<!DOCTYPE html><html lang="zh"><head><meta charset="utf-8">
<meta name="generator" content="quarto-1.10.1"></head><body>
<a class="navbar-brand" href="../index.html">
    <span class="navbar-title">The report</span>
    </a>
<ul class="navbar-nav navbar-nav-scroll me-auto">
  <li class="nav-item">
    <a class="nav-link" href="../index.html">
 <span class="menu-text">Report</span></a>
  </li>
</ul>
<main><ul class="list"><li>Text</li></ul></main></body></html>
"""


def test_the_navbar_of_a_further_language(tmp_path: Path) -> None:
    (tmp_path / "zh").mkdir()
    (tmp_path / "_quarto.yml").write_text(CONFIG, encoding="utf-8")
    (tmp_path / "zh/words.qmd").write_text("---\ntitle: 术语 & 词\n---\n", encoding="utf-8")
    site = tmp_path / "site"
    (site / "zh").mkdir(parents=True)
    for name in ("index.html", "zh/words.html"):
        (site / name).write_text(PAGE, encoding="utf-8")
    english, chinese = site / "index.html", site / "zh/words.html"
    assert postprocess([english, chinese], site, tmp_path) == ()
    assert '<span class="menu-text">Report</span>' in english.read_text(encoding="utf-8")
    text = chinese.read_text(encoding="utf-8")
    assert '<a class="navbar-brand" href="index.html">' in text
    assert '<span class="navbar-title">报告</span>' in text
    assert 'href="index.html"><span class="menu-text">首页</span>' in text
    assert (
        '<a class="nav-link active" aria-current="page" href="words.html">'
        '<span class="menu-text">术语 &amp; 词</span></a>' in text
    )
    assert (
        'href="../index.html" lang="en" hreflang="en"><span class="menu-text">English</span>'
        in text
    )
    assert "Report</span>" not in text and '<ul class="list"><li>Text</li></ul>' in text
