"""Chinese stands for the English as it is; terms are one to one; values are those of findings."""

from __future__ import annotations

import csv
import re
import shutil
from datetime import date
from pathlib import Path

import pytest

from analysis import datapackage, paths, programmes
from analysis.faults import FaultsError
from analysis.results.badge import TIERS
from analysis.site import languages, translations

ROOT = paths.root()
PAGES = sorted((ROOT / "zh").glob("*.qmd"))
TEXTS = {path.name: path.read_text(encoding="utf-8") for path in PAGES}
DEFINED = re.compile(r"^(?P<term>\S.*)\n: ", re.M)


# ------------------------------------------------------------------------------ the project's own


def test_no_answer_in_chinese_stands_behind() -> None:
    behind, faults = translations.stale(translations.read("answers"), ROOT)
    assert not faults, [str(fault) for fault in faults]
    assert not behind, (
        "edit the Chinese, then: python -m analysis.site.translations --refresh\n"
        + ("\n".join(map(str, behind)))
    )


def test_every_section_in_chinese_names_its_english() -> None:
    known = set(translations.read("answers")["zh"])
    english = [
        path.relative_to(ROOT).as_posix()
        for folder in (".", "pages", "notebooks")
        for path in (ROOT / folder).glob("*.*")
    ]
    pairs = languages.counterparts([*english, *(f"zh/{name}" for name in TEXTS)])
    sections = {
        f"zh/{name}#{found}"
        for name, text in TEXTS.items()
        if f"zh/{name}" in pairs
        for found in re.findall(r"^## .*\{#([\w-]+)\}$", text, re.M)
    }
    assert sections and not sections - known
    headings = [line for text in TEXTS.values() for line in re.findall(r"^##.*", text, re.M)]
    assert all("{#" in line for line in headings), "a section is named by its id"


@pytest.mark.parametrize("column", ["en", "zh"])
def test_terms_are_one_to_one(column: str) -> None:
    terms = translations.read("terms")
    twice = terms.filter(terms[column].is_duplicated())
    assert twice.is_empty(), twice


def names(page: Path) -> list[str]:
    """The terms of a glossary, in order."""
    found = DEFINED.findall(page.read_text(encoding="utf-8"))
    return [name for term in found for name in re.split(r", |、", term)]


def test_both_glossaries_hold_the_terms_in_one_order() -> None:
    terms = translations.read("terms").filter(kind="glossary")
    pairs = dict(terms.select("en", "zh").iter_rows())
    english = names(ROOT / "pages" / "glossary.qmd")
    assert set(english) == set(pairs)
    assert names(ROOT / "zh" / "glossary.qmd") == [pairs[name] for name in english]


def test_programmes_are_called_as_in_the_catalogue() -> None:
    listed = dict(
        translations.read("terms").filter(kind="programme").select("en", "zh").iter_rows()
    )
    known = programmes.load().programmes.filter(is_programme="yes")
    assert dict(known.select("name_en", "name_zh").iter_rows()).items() <= listed.items()


def test_badges_are_those_of_the_list() -> None:
    listed = dict(translations.read("terms").filter(kind="text").select("en", "zh").iter_rows())
    shown = {
        badge
        for text in TEXTS.values()
        for badge in re.findall(r"\[([^\]]+)\]\{\.badge (\.tier-\w+)\}", text)
    }
    for text, tier in shown:
        english = TIERS[tier.removeprefix(".tier-")]
        assert text in (listed[english], listed[english].split("（")[0])


@pytest.mark.parametrize("name", sorted(TEXTS))
def test_every_value_is_a_finding_and_every_word_is_translated(name: str) -> None:
    with (ROOT / "reports" / "findings.csv").open(encoding="utf-8", newline="") as handle:
        texts = {row["id"]: row["text"] for row in csv.DictReader(handle)}
    known = languages.words(ROOT)
    used = set(re.findall(r"\{\{< (?:var zh\.|val )([\w-]+) >\}\}", TEXTS[name]))
    assert not used - texts.keys(), "no such finding"
    assert not [i for i in used if languages.in_chinese(texts[i], known) is None], "not translated"


@pytest.mark.parametrize("name", sorted(TEXTS))
def test_pages_say_their_language(name: str) -> None:
    assert re.search(r"^lang: zh-Hans$", TEXTS[name], re.M)


@pytest.mark.parametrize("name", sorted(TEXTS))
def test_no_page_asks_brought_data_for_a_finding_that_they_do_not_give(name: str) -> None:
    text = languages.fitted(TEXTS[name], {}, brought=True)
    assert "var zh." not in text and "{.when" not in text
    assert text.startswith("---\ntitle: ")


def test_the_tables_are_described() -> None:
    text = (ROOT / translations.FOLDER / datapackage.NAME).read_text(encoding="utf-8")
    assert text == translations.package(), "python -m analysis.site.translations --refresh"


# ------------------------------------------------------------------------------------- how it works

CODE = '''
"""Not this."""


def said(n, book):
    """Nor this."""
    number = book.number("id", n, "what the record says", unit="a b")
    return f"There are {number} of {'a few' if n else 'none'} rows."


NOTES = {"model": "Every one is invented.", "key": 3}
'''


def test_words_of_a_function_are_its_sentences() -> None:
    found = translations.words_of(CODE, "said")
    assert found == "There are  of  rows.\na few"
    assert translations.words_of(CODE, "NOTES") == "Every one is invented."
    assert translations.words_of(CODE, "absent") is None


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project with one page in both languages."""
    monkeypatch.setenv("ANALYSIS_ROOT", str(tmp_path))
    (tmp_path / "zh").mkdir()
    (tmp_path / "index.qmd").write_text("## In short\n\nOf 12 rows 3 hold.\n", encoding="utf-8")
    (tmp_path / "zh/index.qmd").write_text("## 要点 {#in-short}\n\n十二行。\n", encoding="utf-8")
    folder = tmp_path / translations.FOLDER
    folder.mkdir(parents=True)
    digests = [
        translations.digest(translations.text_of(name, tmp_path) or "")
        for name in ("index.qmd#in-short", "zh/index.qmd#in-short")
    ]
    (folder / "answers.csv").write_text(
        "zh,source,digest,digest_zh,written\n"
        f"zh/index.qmd#in-short,index.qmd#in-short,{digests[0]},{digests[1]},2024-01-31\n",
        encoding="utf-8",
    )
    return tmp_path


def change(path: Path, old: str, new: str) -> None:
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")


def test_other_numbers_do_not_make_it_stand_behind(project: Path) -> None:
    change(project / "index.qmd", "Of 12 rows 3", "Of 1,300 rows\n4")
    assert translations.main([]) == 0


def test_other_words_do_until_the_chinese_is_edited(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    change(project / "index.qmd", "hold", "fail")
    assert translations.main(["--refresh"]) == 1
    assert "zh/index.qmd#in-short: index.qmd#in-short has changed (not edited yet)" in (
        capsys.readouterr().out
    )
    change(project / "zh/index.qmd", "行", "行不成立")
    assert translations.main([]) == 1
    assert translations.main(["--refresh"]) == 0
    assert translations.read("answers", project)["written"].item() > date(2024, 1, 31)


def test_a_text_that_still_holds_is_named(project: Path) -> None:
    change(project / "index.qmd", "hold", "stand")
    assert translations.main(["--still", "zh/index.qmd#in-short"]) == 0


def test_a_source_that_is_gone_is_a_fault(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    change(project / "index.qmd", "## In short", "## Summary")
    assert translations.main([]) == 1
    assert "answers.csv:2 'index.qmd#in-short': no such text" in capsys.readouterr().out


def test_a_table_that_does_not_fit_is_refused(project: Path) -> None:
    change(project / translations.FOLDER / "answers.csv", "zh/index.qmd#", "index.qmd#")
    with pytest.raises(FaultsError, match=r"answers\.csv:2"):
        translations.read("answers", project)


def test_sources_in_a_notebook_and_a_table(project: Path) -> None:
    shutil.copy(ROOT / "notebooks" / "03-cooperatives.ipynb", project)
    assert "reported.count" in str(
        translations.text_of("03-cooperatives.ipynb#sec-cooperatives-reported", project)
    )
    (project / "t.csv").write_text('id,text\na,"One, two"\nb,Three\n', encoding="utf-8")
    assert translations.text_of("t.csv#a", project) == "a\nOne, two"
    assert translations.text_of("t.csv#c", project) is None
    assert translations.text_of("absent.qmd#a", project) is None
