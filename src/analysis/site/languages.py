"""Pages in Chinese: counterparts of English pages, values in Chinese.

A page ``zh/NAME.qmd`` is the counterpart of the English page of the same name, wherever that
stands. It prints the same findings as ``{{< var zh.ID >}}``. What renderers do not know is
written out on the way into the stage, so that both see the same text:

- ``:::: {.when finding="ID" tier="model"}`` keeps its content if the finding is there (and has that
  tier); ``:::: {.when missing="ID"}`` if it is not.
- A link to the counterpart at the top, which the embedded renderer shows in its shell instead.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any, Final

from analysis.findings.record import link

FOLDER: Final = "zh/"
CHINESE: Final = "zh-Hans"
NAMES: Final = {"en": "English", "zh": "中文"}
"""What each language calls itself."""
WORDS: Final = Path("data") / "translations" / "words.csv"
SWITCH: Final = "language-switch"
NOT_HERE: Final = "本次构建所用的数据给不出这一项。"
_WITH_COUNTERPART = ("", "pages", "notebooks")
_NUMBER = r"[−-]?[\d,]+(?:\.\d+)?"
_PATTERNS = (
    (re.compile(rf"({_NUMBER}) to ({_NUMBER})"), r"\1至\2"),
    (re.compile(rf"more than ({_NUMBER})"), r"超过\1"),
    (re.compile(rf"at least ({_NUMBER})"), r"至少\1"),
    (re.compile(rf"less than ({_NUMBER})"), r"低于\1"),
    (re.compile(rf"at most ({_NUMBER})"), r"至多\1"),
    (re.compile(rf"({_NUMBER})"), r"\1"),
)
_WHEN = re.compile(r"^(:{4,}) \{\.when ([^}\n]*)\}\n(.*?)\n\1$", re.MULTILINE | re.DOTALL)
_ATTRIBUTE = re.compile(r'(\w+)="([^"]*)"')
_VALUE = re.compile(r"\{\{<\s*(?:var zh\.|val )([\w-]+)\s*>\}\}")
_BLOCK = re.compile(r"\n(?=\n|[-*] |\d+\. )")
_HEAD = re.compile(r"\A---\n.*?\n---\n", re.DOTALL)


@dataclass(frozen=True)
class Switch:
    """Where a page leads in the other language.

    Attributes
    ----------
    target : str
        Source path of the page.
    lang : str
        Its language.
    text : str
        What that language calls itself.
    same : bool
        Whether it is the same page; else it is the landing page.
    """

    target: str
    lang: str
    text: str
    same: bool


def counterparts(pages: Iterable[str]) -> dict[str, str]:
    """Return the page in the other language, by page, both ways.

    Parameters
    ----------
    pages : iterable of str
        Source paths in the project.

    Examples
    --------
    >>> counterparts(["pages/glossary.qmd", "zh/glossary.qmd", "findings/glossary.qmd"])
    {'zh/glossary.qmd': 'pages/glossary.qmd', 'pages/glossary.qmd': 'zh/glossary.qmd'}
    """
    names = sorted(pages)
    english = {
        PurePosixPath(name).stem: name
        for name in names
        if name.rpartition("/")[0] in _WITH_COUNTERPART
    }
    by_name = {
        name: english[PurePosixPath(name).stem]
        for name in names
        if name.startswith(FOLDER) and PurePosixPath(name).stem in english
    }
    return by_name | {other: name for name, other in by_name.items()}


def switch(page: str, languages: Mapping[str, str]) -> Switch | None:
    """Return where a page leads in the other language; None in a project of one language.

    Parameters
    ----------
    page : str
        Source path.
    languages : mapping of str to str
        Language by page.

    Examples
    --------
    >>> languages = {"index.qmd": "en", "a.qmd": "en", "zh/index.qmd": "zh-Hans"}
    >>> switch("a.qmd", languages)
    Switch(target='zh/index.qmd', lang='zh-Hans', text='中文', same=False)
    """
    text = counterparts(languages).get(page)
    landing = "index.qmd" if page.startswith(FOLDER) else f"{FOLDER}index.qmd"
    target = text or landing
    if target not in languages or languages[target] == languages.get(page):
        return None
    lang = languages[target]
    return Switch(target, lang, NAMES.get(lang.split("-")[0], lang), text is not None)


# ---------------------------------------------------------------------------------------- values


def words(root: Path) -> dict[str, str]:
    """Return the words that findings print, in Chinese; empty where the project has no list."""
    path = root / WORDS
    if not path.is_file():
        return {}
    with path.open(encoding="utf-8", newline="") as handle:
        return {row["en"]: row["zh"] for row in csv.DictReader(handle)}


def in_chinese(text: str, known: Mapping[str, str]) -> str | None:
    """Return what a finding prints, in Chinese; None for words that nobody has translated.

    Examples
    --------
    >>> in_chinese("2,037 to 2,040", {}), in_chinese("more than 5", {}), in_chinese("−3.1", {})
    ('2,037至2,040', '超过5', '−3.1')
    >>> in_chinese("missed", {"missed": "偏离"}), in_chinese("word", {})
    ('偏离', None)
    """
    if text in known:
        return known[text]
    return next(
        (match.expand(form) for pattern, form in _PATTERNS if (match := pattern.fullmatch(text))),
        None,
    )


def values(records: Iterable[Mapping[str, Any]], known: Mapping[str, str]) -> dict[str, str]:
    """Return what ``{{< var zh.ID >}}`` prints, by id: the values of findings as links."""
    by_name = {}
    for record in records:
        if record["kind"] not in ("number", "word"):
            continue
        text = str(record["text"])
        chinese = in_chinese(text, known)
        shown = link(chinese or text, str(record["page"]), str(record["id"]))
        by_name[str(record["id"])] = shown if chinese else f"[{shown}]{{lang=en}}"
    return by_name


# ----------------------------------------------------------------------------------------- pages


def fitted(text: str, tiers: Mapping[str, str], *, brought: bool) -> str:
    r"""Return a page with only what this build can say.

    Parameters
    ----------
    text : str
        A page in Chinese.
    tiers : mapping of str to str
        Evidence tier by id of finding.
    brought : bool
        Whether the data are a reader's own. Then a paragraph or an item that prints a finding which
        these data do not give says so; otherwise the unknown name is left for the renderer, which
        refuses it.

    Examples
    --------
    >>> page = ':::: {.when finding="a" tier="model"}\nA\n::::\n:::: {.when missing="a"}\nB\n::::'
    >>> fitted(page, {"a": "model"}, brought=False), fitted(page, {}, brought=False)
    ('A\n', '\nB')
    >>> fitted("- {{< var zh.a >}}\n- C", {}, brought=True)
    '- 本次构建所用的数据给不出这一项。\n- C'
    """

    def kept(match: re.Match[str]) -> str:
        asked = dict(_ATTRIBUTE.findall(match[2]))
        if "missing" in asked:
            return "" if asked["missing"] in tiers else match[3]
        tier = tiers.get(asked.get("finding", ""))
        return match[3] if tier and tier == asked.get("tier", tier) else ""

    def said(block: str) -> str:
        if all(name in tiers for name in _VALUE.findall(block)):
            return block
        lead = re.match(r"\s*(?:[-*] |\d+\. |: )?", block)
        return f"{lead[0] if lead else ''}{NOT_HERE}"

    text = _WHEN.sub(kept, text)
    return "\n".join(said(block) for block in _BLOCK.split(text)) if brought else text


def switch_block(other: str, lang: str) -> str:
    """Return a link to the counterpart, for a renderer whose shell has no switch.

    Examples
    --------
    >>> print(switch_block("index.qmd", "en"))
    ::: {.language-switch}
    [English](/index.qmd){lang=en hreflang=en}
    :::
    """
    name = NAMES[lang.split("-")[0]]
    return f"::: {{.{SWITCH}}}\n[{name}](/{other}){{lang={lang} hreflang={lang}}}\n:::"


def with_switch(text: str, block: str) -> str:
    r"""Return a page with a block below its front matter.

    Examples
    --------
    >>> with_switch("---\ntitle: T\n---\n\nText", "B")
    '---\ntitle: T\n---\n\nB\n\nText'
    """
    head = _HEAD.match(text)
    at = head.end() if head else 0
    return f"{text[:at]}\n{block}\n{text[at:]}"


def staged(
    files: Mapping[str, bytes],
    notebooks: Mapping[str, Mapping[str, Any]],
    records: Iterable[Mapping[str, Any]],
    *,
    brought: bool,
) -> tuple[dict[str, bytes], dict[str, dict[str, Any]]]:
    """Return what pages and notebooks become where the project has pages in Chinese.

    Parameters
    ----------
    files : mapping of str to bytes
        The stage by relative name, downloads included.
    notebooks : mapping of str to mapping
        Dressed notebooks by relative name.
    records : iterable of mapping
        All findings.
    brought : bool
        As `fitted` takes it.

    Returns
    -------
    dict of str to bytes
        Pages that changed.
    dict of str to dict
        Notebooks that changed.
    """
    pairs = counterparts([*files, *notebooks])
    tiers = {str(record["id"]): str(record["tier"]) for record in records}
    pages: dict[str, bytes] = {}
    changed: dict[str, dict[str, Any]] = {}
    for name in sorted(name for name in files if name.startswith(FOLDER) and name.endswith(".qmd")):
        text = fitted(files[name].decode(), tiers, brought=brought)
        if name in pairs:
            text = with_switch(text, switch_block(pairs[name], "en"))
        pages[name] = text.encode()
    for name, other in pairs.items():
        block = switch_block(other, CHINESE)
        if name.startswith(FOLDER):
            continue
        if name in notebooks:
            cells = list(notebooks[name]["cells"])
            cell = {"cell_type": "markdown", "id": SWITCH, "metadata": {}, "source": block}
            changed[name] = {**notebooks[name], "cells": [*cells[:1], cell, *cells[1:]]}
        else:
            pages[name] = with_switch(files[name].decode(), block).encode()
    return pages, changed
