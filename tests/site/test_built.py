"""A built site: every file as built, every number as published, both languages alike."""

from __future__ import annotations

from pathlib import Path

import pytest

from analysis import findings, paths
from analysis.site import built, translations

LINK = '<a href="findings/a.html#{}" class="finding">{}</a>'
ENGLISH = (
    f"<main><h1>T</h1><p>In {LINK.format('n', '5')} studies pay rose by {LINK.format('e', '8.4')}"
    f" per cent ({LINK.format('i', '4.4 to 12.8')}). It is not known why.</p>"
    f'<h2 id="more">More</h2><p>Nobody found a fall; the change is {LINK.format("d", "−1.2")}.</p>'
    "</main>"
)
CHINESE = (
    f"<main><h1>T</h1><p>{LINK.format('n', '5')}项研究中，收入提高{LINK.format('e', '8.4')}%"
    f"（{LINK.format('i', '4.4至12.8')}）。原因不明。</p>"
    f'<h2 id="more">更多</h2><p>没有人发现下降；变化为{LINK.format("d", "−1.2")}。</p></main>'
)
ANSWERS = (
    "zh,source,digest,digest_zh,written\n"
    "zh/a.qmd#top,a.qmd#top,000000000000,000000000000,2026-01-01\n"
    "zh/a.qmd#more,a.qmd#more,000000000000,000000000000,2026-01-01\n"
)
RECORDS = [
    {"id": name, "text": text}
    for name, text in (("n", "5"), ("e", "8.4"), ("i", "4.4 to 12.8"), ("d", "−1.2"))
]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A project whose site has one page in both languages, and an image."""
    site = tmp_path / "reports" / "site"
    (site / "zh").mkdir(parents=True)
    (site / "a.html").write_text(ENGLISH, encoding="utf-8")
    (site / "zh/a.html").write_text(CHINESE, encoding="utf-8")
    (site / "map.svg").write_text("<svg/>", encoding="utf-8")
    (site / built.MANIFEST).write_bytes(built.manifest(site))
    (tmp_path / "zh").mkdir()
    folder = tmp_path / translations.FOLDER
    folder.mkdir(parents=True)
    (folder / "answers.csv").write_text(ANSWERS, encoding="utf-8")
    for name in ("negations.csv", "words.csv"):
        there = paths.root() / translations.FOLDER / name
        (folder / name).write_bytes(there.read_bytes())
    return tmp_path


def faults(root: Path) -> list[str]:
    site = root / "reports" / "site"
    return [
        str(fault)
        for fault in (
            *built.manifest_faults(site),
            *built.printed_faults(site, RECORDS, root),
            *built.agreement_faults(site, root),
        )
    ]


def change(root: Path, name: str, before: str, after: str, *, signed: bool) -> None:
    """Change a file of the site; signed: so that its manifest does not tell."""
    site = root / "reports" / "site"
    text = (site / name).read_text(encoding="utf-8")
    assert before in text
    (site / name).write_text(text.replace(before, after), encoding="utf-8")
    if signed:
        (site / built.MANIFEST).write_bytes(built.manifest(site))


MUTATIONS: dict[str, tuple[str, str, str, bool, str]] = {
    "an image": ("map.svg", "<svg/>", "<svg></svg>", False, "map.svg: the file was changed"),
    "a number": ("a.html", "8.4", "9.4", True, "the page prints another number than is published"),
    "a finding that is none": ("a.html", "#e", "#x", True, "a number that is not published"),
    "Chinese: another number": ("zh/a.html", ">8.4<", ">8.5<", True, "another number than is"),
    "Chinese: another finding": (
        "zh/a.html",
        LINK.format("e", "8.4"),
        LINK.format("d", "−1.2"),
        True,
        "zh/a.qmd#top '−1.2': the English does not print this value",
    ),
    "Chinese: a negation more": (
        "zh/a.html",
        "收入提高",
        "收入没有提高",
        True,
        "zh/a.qmd#top '5项研究中",
    ),
    "Chinese: a negation less": (
        "zh/a.html",
        "没有人发现",
        "有人发现",
        True,
        "one language negates",
    ),
    "English: a negation more": (
        "a.html",
        "pay rose",
        "pay never rose",
        True,
        "one language negates",
    ),
}


def test_a_site_as_it_was_built_has_no_fault(root: Path) -> None:
    assert faults(root) == []


@pytest.mark.parametrize("mutation", MUTATIONS)
def test_each_mutation_is_named(root: Path, mutation: str) -> None:
    name, before, after, signed, said = MUTATIONS[mutation]
    change(root, name, before, after, signed=signed)
    told = faults(root)
    assert any(said in one for one in told), told


def test_a_file_more_and_a_file_less_are_named(root: Path) -> None:
    site = root / "reports" / "site"
    (site / "map.svg").rename(site / "other.svg")
    assert [one.split(";")[0] for one in faults(root)] == [
        "map.svg: the file is missing",
        "other.svg: no file of the build",
    ]


def test_words_that_only_hold_a_negation_are_none(root: Path) -> None:
    change(root, "zh/a.html", "收入提高", "不同地方的收入提高", signed=True)
    assert faults(root) == []


@pytest.mark.slow
def test_the_site_of_this_project_says_the_same_in_both_languages() -> None:
    site = paths.root() / "reports" / "site"
    if not (site / "index.html").is_file():
        pytest.skip("no site is built here: make report")
    assert built.agreement_faults(site, paths.root()) == []
    published = findings.read_csv(site / "downloads" / "findings.csv")
    assert built.printed_faults(site, published, paths.root()) == []
