"""The glossary as data: the words that pages explain where they first stand (``assets/site.js``).

The page of the glossary is the only source. On its way into the stage each term gets an address,
and all terms together become a script file that a page opened from disk can load too.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass

PAGES = {"en": "pages/glossary.qmd", "zh": "zh/glossary.qmd"}
"""The page of each language; a language without one has no explanations."""
SCRIPT = "assets/glossary.js"
_FENCE = re.compile(r"^(?:---|```|~~~|:::|#)")
_LINK = re.compile(r"\[([^\]]*)\]\([^)]*\)(?:\{[^}]*\})?")


@dataclass(frozen=True)
class Term:
    """An entry of the glossary.

    Attributes
    ----------
    names : tuple of str
        The term, or the terms that share the entry.
    text : str
        What it means, without markup.
    anchor : str
        Where it stands on its page.
    line : int
        The line of the term, counted from 0.
    """

    names: tuple[str, ...]
    text: str
    anchor: str
    line: int

    def forms(self) -> tuple[str, ...]:
        """Return how the term occurs in a text: each name, and its plural.

        Examples
        --------
        >>> Term(("county", "source of income"), "", "", 0).forms()
        ('county', 'counties', 'source of income', 'sources of income')
        """
        # One Chinese sign alone stands inside too many other words.
        names = [name for name in self.names if len(name) > 1]
        return tuple(form for name in names for form in dict.fromkeys((name, plural(name))))


def plural(name: str) -> str:
    """Return the plural of a term; one with a bracket, a digit or no Latin letter has none.

    Examples
    --------
    >>> plural("dose"), plural("body"), plural("share of people"), plural("ATT(g,t)")
    ('doses', 'bodies', 'shares of people', 'ATT(g,t)')
    """
    head, of, rest = name.partition(" of ")
    if not re.fullmatch(r"[A-Za-z -]*[a-z]", head) or head.endswith("s"):
        return name
    ending = head[:-1] + "ies" if re.search(r"[^aeiou]y$", head) else f"{head}s"
    return f"{ending}{of}{rest}"


def anchor_of(name: str) -> str:
    """Return the address of a term on the page of the glossary.

    Examples
    --------
    >>> anchor_of("ATT(g,t)"), anchor_of("squared gap"), anchor_of("农户")
    ('term-att-g-t', 'term-squared-gap', 'term-农户')
    """
    return "term-" + re.sub(r"[\W_]+", "-", name.lower()).strip("-")


def read(page: str) -> tuple[Term, ...]:
    r"""Return the terms of a page: a line of names, then ``: `` and what they mean.

    Parameters
    ----------
    page : str
        Markdown of the glossary.

    Examples
    --------
    >>> read("CR0, CV3\n: Ways to estimate\n  a *variance*.\n\nText.\n")
    (Term(names=('CR0', 'CV3'), text='Ways to estimate a variance.', anchor='term-cr0', line=0),)
    """
    lines = page.split("\n")
    terms = []
    for at, line in enumerate(lines[:-1]):
        text = lines[at + 1]
        if not line.strip() or line[0] in " :" or _FENCE.match(line) or not text.startswith(": "):
            continue
        meaning = [text[2:]]
        for more in lines[at + 2 :]:
            if not more.startswith("  "):
                break
            meaning.append(more)
        names = tuple(part.strip() for part in re.split(r", |、", line) if part.strip())
        terms.append(Term(names, plain(" ".join(meaning)), anchor_of(names[0]), at))
    return tuple(terms)


def plain(text: str) -> str:
    """Return Markdown as the words it shows.

    Examples
    --------
    >>> plain("A *group* of [cells](a.qmd), `x`")
    'A group of cells, x'
    """
    return " ".join(re.sub(r"[*`]", "", _LINK.sub(r"\1", text)).split())


def with_anchors(page: str) -> str:
    r"""Return the page of the glossary with an address on each term.

    Examples
    --------
    >>> with_anchors("mu\n: A measure of land.\n")
    '[mu]{#term-mu}\n: A measure of land.\n'
    """
    lines = page.split("\n")
    for term in read(page):
        lines[term.line] = f"[{lines[term.line]}]{{#{term.anchor}}}"
    return "\n".join(lines)


def script(pages: Mapping[str, str]) -> bytes:
    r"""Return the terms by language as a script.

    Parameters
    ----------
    pages : mapping of str to str
        Markdown of the glossary by language, as `PAGES` names them.

    Examples
    --------
    >>> print(script({"en": "mu\n: A measure of land.\n"}).decode(), end="")
    window.siteGlossary = {
    "en": [
    {"forms":["mu","mus"],"text":"A measure of land.","href":"pages/glossary.html#term-mu"}
    ]
    };
    """
    blocks = []
    for lang, page in sorted(pages.items()):
        address = PAGES[lang].replace(".qmd", ".html")
        rows = ",\n".join(
            json.dumps(
                {"forms": term.forms(), "text": term.text, "href": f"{address}#{term.anchor}"},
                ensure_ascii=False,
                separators=(",", ":"),
            )
            for term in read(page)
        )
        blocks.append(f'"{lang}": [\n{rows}\n]')
    text = "window.siteGlossary = {\n" + ",\n".join(blocks) + "\n};\n"
    return text.replace("</", "<\\/").encode()


def staged(files: Mapping[str, bytes]) -> dict[str, bytes]:
    """Return what the glossaries among the files of a stage become: pages with addresses, a script.

    Parameters
    ----------
    files : mapping of str to bytes
        The stage by relative name.
    """
    pages = {lang: files[name].decode() for lang, name in PAGES.items() if name in files}
    changed = {PAGES[lang]: with_anchors(text).encode() for lang, text in pages.items()}
    return {**changed, SCRIPT: script(pages)} if pages else {}
