"""Citations in the words of the page: the style that a page in Chinese asks for."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from analysis import paths
from analysis.site.embedded.render import render_project

STYLE = paths.root() / "zh" / "chinese.csl"
QUARTO = """\
project:
  type: website
  render: ["zh/a.qmd", "index.qmd"]
bibliography: references.bib
website:
  title: Small
"""
SOURCES = """\
@article{two, author = {Ada Roth and Bo Li}, title = {Title}, journal = {Journal}, year = {2022},
  volume = {4}, number = {3}, pages = {1053--1062}}
@book{four, author = {Ca Ma and Bo Li and Di Wu and Eva Yu}, title = {Book}, year = {1999},
  publisher = {Press}}
"""
PAGE = "---\ntitle: A\nlang: zh-Hans\ncsl: chinese.csl\n---\n\n偏移[@two; @four]。\n"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("citations")
    stage = folder / "stage"
    (stage / "zh").mkdir(parents=True)
    (stage / "_quarto.yml").write_text(QUARTO, encoding="utf-8")
    (stage / "references.bib").write_text(SOURCES, encoding="utf-8")
    (stage / "zh/chinese.csl").write_bytes(STYLE.read_bytes())
    (stage / "zh/a.qmd").write_text(PAGE, encoding="utf-8")
    (stage / "index.qmd").write_text("---\ntitle: B\n---\nBias [@two].\n", encoding="utf-8")
    render_project(stage, folder / "site")
    return folder / "site"


def words(file: Path) -> str:
    return re.sub(r"<[^>]+>", "", file.read_text(encoding="utf-8"))


def test_a_page_in_chinese_cites_with_chinese_marks_and_bare_years(site: Path) -> None:
    said = words(site / "zh/a.html")
    assert "偏移（Roth 和 Li，2022；Ma 等，1999）。" in said
    assert "Roth, Ada, &amp; Bo Li. 2022." in said
    assert "Journal 4 (3): 1053–1062" in said
    assert "年" not in said.split("参考文献")[-1] and "～" not in said


def test_the_style_of_a_page_stays_on_that_page(site: Path) -> None:
    assert "Bias (Roth and Li 2022)." in words(site / "index.html")
