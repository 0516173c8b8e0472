"""A built site held against what it should be: its manifest, the published findings, the English.

`manifest` is written with the site in the form of ``sha256sum``; who has a copy of the site can
check it with ``sha256sum --check SHA256SUMS``.
"""

from __future__ import annotations

import hashlib
import html
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from analysis.faults import Fault
from analysis.files import files_below
from analysis.site import languages, translations
from analysis.site.embedded.markup import output_path

MANIFEST: Final = "SHA256SUMS"
REBUILD: Final = "build it again: make report"
_FINDING: Final = re.compile(
    r'<a\b(?=[^>]*\bclass="[^"]*\bfinding\b)(?=[^>]*\bhref="[^"#]*#(?P<id>[^"]+)")[^>]*>'
    r"(?P<text>.*?)</a>",
    re.DOTALL,
)
_MAIN: Final = re.compile(r"<main\b[^>]*>(.*)</main>", re.DOTALL)
_HEADING: Final = re.compile(r"<h([1-6])\b[^>]*>", re.DOTALL)
_BLOCK: Final = re.compile(r"</?(?:p|li|td|th|dt|dd|h[1-6]|div|figcaption)\b[^>]*>")
_TAG: Final = re.compile(r"<[^>]+>")
_SENTENCE: Final = {"en": re.compile(r"(?<=[.!?])\s+(?=[A-Z])"), "zh": re.compile(r"(?<=[。！？])")}
_MARK: Final = re.compile("\x02(.*?)\x03(.*?)\x04")
Values = list[str]


def manifest(site: Path) -> bytes:
    """Return the digest of every file of a site, as ``sha256sum`` prints them."""
    lines = [
        f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.relative_to(site).as_posix()}\n"
        for path in files_below(site)
        if path.name != MANIFEST
    ]
    return "".join(lines).encode()


def manifest_faults(site: Path) -> list[Fault]:
    """Return the files of a site that are not those of its manifest.

    Parameters
    ----------
    site : Path
        The folder with ``index.html``.
    """
    path = site / MANIFEST
    if not path.is_file():
        return [Fault(MANIFEST, "the site has no manifest", REBUILD)]
    listed, now = (
        {name: digest for digest, _, name in (line.partition("  ") for line in text.splitlines())}
        for text in (path.read_text(encoding="utf-8"), manifest(site).decode())
    )
    problems = {name: "the file is missing" for name in listed if name not in now}
    problems |= {name: "no file of the build" for name in now if name not in listed}
    problems |= {
        name: "the file was changed since it was built"
        for name in listed
        if name in now and now[name] != listed[name]
    }
    return [Fault(name, problems[name], REBUILD) for name in sorted(problems)]


def printed_faults(site: Path, records: Sequence[Mapping[str, Any]], root: Path) -> list[Fault]:
    """Return the numbers that pages print otherwise than the findings that they link to.

    Parameters
    ----------
    site : Path
        The folder with ``index.html``.
    records : sequence of record
        The published findings.
    root : Path
        The project folder, for the words of findings in Chinese.
    """
    known, published = languages.words(root), {str(r["id"]): str(r["text"]) for r in records}
    faults = []
    for path in sorted(site.rglob("*.html")):
        page = path.read_text(encoding="utf-8")
        for link in _FINDING.finditer(page):
            name, shown = html.unescape(link["id"]), _plain(link["text"])
            should = published.get(name)
            if should is None:
                problem = "the page prints a number that is not published"
            elif shown in (should, languages.in_chinese(should, known)):
                continue
            else:
                problem = f"the page prints another number than is published, {should}"
            file, row = path.relative_to(site).as_posix(), page.count("\n", 0, link.start()) + 1
            faults.append(Fault(file, problem, REBUILD, row, name, shown))
    return faults


# ------------------------------------------------------------------- Chinese against its English


def agreement_faults(site: Path, root: Path) -> list[Fault]:
    """Return sections in Chinese whose values or negations are not those of their English.

    A value in Chinese must stand in one of the English sections that it was written from. Of
    sentences that print a common value, one with a negation and one without are a fault; words of
    negation are those of ``data/translations/negations.csv``.

    Parameters
    ----------
    site : Path
        The folder with ``index.html``.
    root : Path
        The project folder.
    """
    if not (root / languages.FOLDER).is_dir():
        return []
    known, words = languages.words(root), _negations(root)
    sources = defaultdict(list)
    for row in translations.read("answers", root).iter_rows(named=True):
        if row["source"].partition("#")[0].endswith((".qmd", ".ipynb")):
            sources[row["zh"]].append(row["source"])
    faults = []
    for name, english in sources.items():
        own = list(_sentences(site, name, "zh"))
        theirs = [
            (text, [languages.in_chinese(value, known) or value for value in values])
            for source in english
            for text, values in _sentences(site, source, "en")
        ]
        there = {value for _, values in theirs for value in values}
        remedy = f"print what {' or '.join(english)} prints"
        faults += [
            Fault(name, "the English does not print this value", remedy, value=value)
            for _, values in own
            for value in values
            if value not in there
        ]
        faults += _negated(name, own, theirs, words)
    return faults


def _negated(
    name: str,
    own: Sequence[tuple[str, Values]],
    theirs: Sequence[tuple[str, Values]],
    words: Mapping[str, Negations],
) -> Iterator[Fault]:
    """Yield sentences of which one says no and the other does not."""
    matched: dict[int, list[str]] = defaultdict(list)
    for text, values in own:
        common = [len({*values} & {*others}) for _, others in theirs]
        most = max(common, default=0)
        if most:
            matched[common.index(most)].append(text)
    for at, texts in matched.items():
        chinese = " ".join(texts)
        if words["zh"].found_in(chinese) != words["en"].found_in(theirs[at][0]):
            problem = "one language negates what the other does not"
            remedy = f"compare with: {theirs[at][0][:120]}"
            yield Fault(name, problem, remedy, value=chinese[:60])


@dataclass(frozen=True)
class Negations:
    """Words of one language: those that negate, and those that only look like one."""

    negates: re.Pattern[str]
    passed_over: re.Pattern[str]

    def found_in(self, text: str) -> bool:
        """Say whether a text negates something."""
        return bool(self.negates.search(self.passed_over.sub("", text)))


def _negations(root: Path) -> dict[str, Negations]:
    listed, by_name = translations.read("negations", root), {}
    for language in ("en", "zh"):
        rows, edge = listed.filter(language=language), r"\b" if language == "en" else ""
        patterns = (
            "|".join(re.escape(word) for word in rows.filter(negates=kind)["word"]) or "(?!)"
            for kind in ("yes", "no")
        )
        by_name[language] = Negations(
            *(re.compile(f"{edge}(?:{pattern}){edge}", re.IGNORECASE) for pattern in patterns)
        )
    return by_name


def _sentences(site: Path, section: str, language: str) -> Iterator[tuple[str, Values]]:
    """Yield the sentences of a section that print findings, with what they print."""
    page, _, anchor = section.partition("#")
    path = site / output_path(page)
    if not path.is_file():
        return
    body = _section(path.read_text(encoding="utf-8"), anchor)
    marked = _FINDING.sub(lambda m: f"\x02{m['id']}\x03{_plain(m['text'])}\x04", body)
    for block in _TAG.sub("", _BLOCK.sub("\n", marked)).split("\n"):
        for sentence in _SENTENCE[language].split(html.unescape(block)):
            values = [value for _, value in _MARK.findall(sentence)]
            if values:
                yield " ".join(_MARK.sub(r"\2", sentence).split()), values


def _section(page: str, anchor: str) -> str:
    """Return what stands below a heading, up to the next of its level; ``top`` comes before all."""
    main = _MAIN.search(page)
    text = main[1] if main else page
    headings = [(match.start(), int(match[1])) for match in _HEADING.finditer(text)]
    if anchor == "top":
        return text[: next((start for start, level in headings if level == 2), len(text))]
    place = text.find(f'id="{anchor}"')
    if place < 0:
        return ""
    # The id stands on the heading, or on the block around it.
    at = next((n for n, (start, _) in enumerate(headings) if text.find(">", start) > place), None)
    if at is None:
        return ""
    start, level = headings[at]
    return text[start : next((end for end, other in headings[at + 1 :] if other <= level), None)]


def _plain(markup: str) -> str:
    return html.unescape(_TAG.sub("", markup)).strip()
