"""Reads finished HTML: links to rewrite, ids, images without alt text, sections to search."""

from __future__ import annotations

import html
import posixpath
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from html.parser import HTMLParser
from urllib.parse import unquote, urlsplit

ADDRESS = re.compile(
    r"(?P<head><(?P<tag>a|img|source|link|script|video|audio|iframe)\b[^>]*?\s(?:href|src)=)"
    r"(?P<quote>[\"'])(?P<url>.*?)(?P=quote)",
    re.DOTALL | re.IGNORECASE,
)
ID = re.compile(r"<[a-zA-Z][^<>]*?\sid=([\"'])(?P<id>.*?)\1", re.DOTALL)
IMAGE = re.compile(r"<img\b[^>]*>", re.DOTALL | re.IGNORECASE)
ALT = re.compile(r"\salt=([\"'])\s*\S.*?\1", re.DOTALL | re.IGNORECASE)
MATH = re.compile(r"<math\b.*?</math>", re.DOTALL)
SKIPPED = {"script", "style", "annotation", "button", "summary", "cite"}


def is_outside(url: str) -> bool:
    """Return whether an address leaves the site (has a scheme, or a host).

    Examples
    --------
    >>> is_outside("https://a.org"), is_outside("mailto:a@b"), is_outside("/x.html")
    (True, True, False)
    """
    parts = urlsplit(url)
    return bool(parts.scheme or parts.netloc)


def output_path(source: str) -> str:
    """Return where a page's HTML goes.

    Examples
    --------
    >>> output_path("notebooks/01-claims.ipynb"), output_path("downloads/a.csv")
    ('notebooks/01-claims.html', 'downloads/a.csv')
    """
    stem, dot, suffix = source.rpartition(".")
    return f"{stem}.html" if dot and suffix in {"qmd", "ipynb"} else source


def relative(target: str, page: str) -> str:
    """Return a path in the site as seen from a page.

    Examples
    --------
    >>> relative("findings.html", "pages/a.html"), relative("a.html", "a.html")
    ('../findings.html', 'a.html')
    """
    return posixpath.relpath(target, posixpath.dirname(page) or ".")


@dataclass(frozen=True)
class Link:
    """An address inside the site.

    Attributes
    ----------
    written : str
        As the page's source has it.
    target : str
        Path in the site.
    anchor : str
        Part after ``#``.
    """

    written: str
    target: str
    anchor: str


def rewrite_links(body: str, page: str, sources: frozenset[str]) -> tuple[str, list[Link]]:
    """Point links to sources at their HTML and return every inside link.

    Parameters
    ----------
    body : str
        HTML of one page.
    page : str
        Its source path.
    sources : frozenset of str
        Source paths of all pages; only links to these lose their suffix.

    Examples
    --------
    >>> text = '<a href="/findings.qmd#n">3</a>'
    >>> rewrite_links(text, "pages/a.qmd", frozenset({"findings.qmd"}))[0]
    '<a href="../findings.html#n">3</a>'
    >>> text = '<a href="/list.html?a=1&amp;b=2#t">3</a>'
    >>> rewrite_links(text, "pages/a.qmd", frozenset())[0]
    '<a href="../list.html?a=1&amp;b=2#t">3</a>'
    """
    links: list[Link] = []

    def change(match: re.Match[str]) -> str:
        url = html.unescape(match["url"])
        if is_outside(url) or url.startswith("//"):
            return match[0]
        address, _, anchor = url.partition("#")
        path, _, query = address.partition("?")  # what a list of the site is filtered by
        path = unquote(path)
        if not path:
            links.append(Link(url, output_path(page), anchor))
            return match[0]
        folder = posixpath.dirname(page)
        inside = path[1:] if path.startswith("/") else posixpath.join(folder, path)
        inside = posixpath.normpath(inside)
        target = output_path(inside) if inside in sources else inside
        links.append(Link(url, target, anchor))
        fixed = relative(target, page) + (f"?{query}" if query else "")
        fixed += f"#{anchor}" if anchor else ""
        return f"{match['head']}{match['quote']}{html.escape(fixed)}{match['quote']}"

    return ADDRESS.sub(change, body), links


def ids(body: str) -> list[str]:
    """Return every id in document order.

    Examples
    --------
    >>> ids('<p id="a"><b class="x" id="b">')
    ['a', 'b']
    """
    return [html.unescape(match["id"]) for match in ID.finditer(body)]


def images_without_alt(body: str) -> list[str]:
    """Return the image tags that say nothing.

    Examples
    --------
    >>> images_without_alt('<img src="a.png" alt=""><img src="b.png" alt="A map">')
    ['<img src="a.png" alt="">']
    """
    return [m[0] for m in IMAGE.finditer(body) if not ALT.search(m[0])]


@dataclass
class _Sections(HTMLParser):
    """Collects the plain text under each heading that has an anchor."""

    sections: list[tuple[str, list[str], list[str]]] = field(default_factory=list)
    anchor: str = ""
    in_heading: bool = False
    skip: int = 0
    in_code: bool = False
    in_row: bool = False

    def __post_init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.sections.append(("", [], []))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        # Commands on a page of text can be searched; the code of notebook cells is not prose.
        self.in_code = self.in_code or (tag == "pre" and "cell-code" in (given.get("class") or ""))
        if tag in SKIPPED:
            self.skip += 1
        elif tag == "section":
            self.anchor = given.get("id") or ""
        elif tag in {"h2", "h3"}:
            self.in_heading = True
            self.sections.append((self.anchor, [], []))
        elif tag == "tr" and given.get("id"):
            # A row with an address, such as a finding, is found by its own name.
            self.sections.append((given["id"] or "", [given["id"] or ""], []))
            self.in_row = True
        elif tag == "code" and self.in_row:
            self.skip += 1  # its name is the heading; digests and tests are no words to look for
        elif tag in {"p", "li", "td", "th", "div", "figcaption", "br", "tr"}:
            self.sections[-1][2].append(" ")

    def handle_endtag(self, tag: str) -> None:
        if tag in SKIPPED:
            self.skip = max(self.skip - 1, 0)
        elif tag == "pre":
            self.in_code = False
        elif tag == "code" and self.in_row:
            self.skip = max(self.skip - 1, 0)
        elif tag == "table" and self.in_row:
            self.in_row = False
            self.sections.append((self.anchor, [], []))
        elif tag in {"h2", "h3"}:
            self.in_heading = False

    def handle_data(self, data: str) -> None:
        if not self.skip and not self.in_code:
            _, heading, text = self.sections[-1]
            (heading if self.in_heading else text).append(data)


def sections(body: str) -> Iterator[tuple[str, str, str]]:
    """Yield anchor, heading and text of each part of a page, for the search.

    Code of notebook cells is left out; what it printed stays.

    Examples
    --------
    >>> list(sections('<p>Lead</p><section id="a"><h2>A</h2><p>One</p></section>'))
    [('', '', 'Lead'), ('a', 'A', 'One')]
    >>> list(sections('<table><tr id="n"><td>3 <code>ab1</code></td></tr></table><p>After</p>'))
    [('n', 'n', '3'), ('', '', 'After')]
    """
    parser = _Sections()
    parser.feed(body)
    parser.close()
    for anchor, heading, text in parser.sections:
        head, words = (" ".join("".join(part).split()) for part in (heading, text))
        if head or words:
            yield anchor, head, words


def math_characters(bodies: Iterator[str]) -> str:
    """Return the characters that formulas use, sorted; empty where no page has a formula."""
    used: set[str] = set()
    for body in bodies:
        for match in MATH.finditer(body):
            text = re.sub(r"<annotation\b.*?</annotation>", "", match[0], flags=re.DOTALL)
            used |= set(html.unescape(re.sub(r"<[^>]+>", "", text)))
    return "".join(sorted(used - {"\n", " "}))


def appendix_last(body: str) -> str:
    """Move the references out of the last section, to the end of the page before footnotes.

    Examples
    --------
    >>> appendix_last('<section id="a"><section id="quarto-bibliography">R</section></section>')
    '<section id="a"></section><section id="quarto-bibliography">R</section>'
    """
    start = body.find('<section id="quarto-bibliography"')
    if start < 0:
        return body
    end = body.index("</section>", start) + len("</section>")
    references, rest = body[start:end], body[:start] + body[end:]
    footnotes = rest.find('<section id="footnotes"')
    at = len(rest) if footnotes < 0 else footnotes
    return rest[:at] + references + rest[at:]


def without(body: str, name: str) -> str:
    """Take blocks of a class out of a page; they hold no blocks of their own.

    Examples
    --------
    >>> without('<div class="a"><p>x</p></div><p>y</p>', "a")
    '<p>y</p>'
    """
    return re.sub(rf'<div class="{name}">.*?</div>\s*', "", body, flags=re.DOTALL)


def footnote_heading(body: str, title: str) -> str:
    """Give pandoc's footnotes the heading that Quarto prints."""
    heading = f'<h2 class="quarto-appendix-heading">{title}</h2>'
    pattern = re.compile(r'(<section id="footnotes"[^>]*>)\s*<hr ?/?>')
    return pattern.sub(lambda m: m[1].replace('class="', 'class="quarto-appendix ') + heading, body)
