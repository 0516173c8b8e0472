"""Read a rendered page: what it loads, links to, names, says."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path

Attributes = list[tuple[str, str | None]]

_LOADING_RELS = {
    "stylesheet",
    "icon",
    "apple-touch-icon",
    "preload",
    "prefetch",
    "preconnect",
    "dns-prefetch",
    "modulepreload",
    "manifest",
    "mask-icon",
}
_LOADING_TAGS = {
    "script": ("src",),
    "img": ("src", "srcset"),
    "source": ("src", "srcset"),
    "iframe": ("src",),
    "embed": ("src",),
    "object": ("data",),
    "video": ("src", "poster"),
    "audio": ("src",),
    "track": ("src",),
    "input": ("src",),
    "use": ("href", "xlink:href"),
    "image": ("href", "xlink:href"),
    "frame": ("src",),
}
_HEADINGS = {"h1": 1, "h2": 2, "h3": 3, "h4": 4, "h5": 5, "h6": 6}
# Text in these is no prose: a page that explains markup shows it in code.
_NO_PROSE = {"script", "style", "code", "pre", "annotation", "kbd", "samp", "textarea", "template"}
_VOID = {
    "area",
    "base",
    "br",
    "col",
    "embed",
    "hr",
    "img",
    "input",
    "link",
    "meta",
    "param",
    "source",
    "track",
    "wbr",
}
_CSS_URL = re.compile(
    r"""url\(\s*(?:"([^"]*)"|'([^']*)'|([^'")\s]+))\s*\)|@import\s+(?:"([^"]*)"|'([^']*)')""",
    re.IGNORECASE,
)
# Types of script that hold data, which no browser runs.
_DATA_BLOCK = re.compile(r"json|template|^text/(?:x-|plain|html)", re.IGNORECASE)
_CSS_COMMENT = re.compile(r"/\*.*?\*/", re.DOTALL)
_EXTERNAL = re.compile(r"^\s*(?:https?:|ftp:|wss?:)?//", re.IGNORECASE)


@dataclass(frozen=True)
class Load:
    """An address on a page.

    Attributes
    ----------
    tag : str
        The element that carries it.
    url : str
        As written.
    line : int
        Where, 1-based.
    """

    tag: str
    url: str
    line: int


@dataclass
class Heading:
    """A heading of a page; its text grows while the page is read."""

    level: int
    line: int
    in_main: bool
    text: str = ""


@dataclass
class Page:
    """What a page holds; filled once by `read_page` and only read afterwards.

    Attributes
    ----------
    lang, title : str
        Empty where missing.
    viewport, by_quarto, redirects : bool
        Whether the page says how wide it is on phones, whether Quarto rendered it, and whether it
        only leads elsewhere.
    ids : set of str
        Every id and anchor name.
    figures : set of str
        Ids of the blocks around figures, ``fig-...``.
    repeated_ids : list of (str, int)
        Ids seen before, with line.
    loads, links : list of Load
        What a browser fetches by itself, and what a reader may follow.
    headings : list of Heading
        In document order.
    silent_images : list of (str, int)
        Images without alt text, with line.
    texts : list of (int, str)
        Prose and spoken attributes, with line.
    broken_citations : list of (int, str)
        Keys that no entry was found for.
    policy : str
        The Content-Security-Policy that the page states; empty if none.
    scripts, styles, scripted : list of (int, str)
        Inline scripts that would run; style elements; attributes and links with code in the text.
    """

    lang: str = ""
    title: str = ""
    viewport: bool = False
    by_quarto: bool = False
    redirects: bool = False
    ids: set[str] = field(default_factory=set)
    figures: set[str] = field(default_factory=set)
    repeated_ids: list[tuple[str, int]] = field(default_factory=list)
    loads: list[Load] = field(default_factory=list)
    links: list[Load] = field(default_factory=list)
    headings: list[Heading] = field(default_factory=list)
    silent_images: list[tuple[str, int]] = field(default_factory=list)
    texts: list[tuple[int, str]] = field(default_factory=list)
    broken_citations: list[tuple[int, str]] = field(default_factory=list)
    policy: str = ""
    scripts: list[tuple[int, str]] = field(default_factory=list)
    styles: list[tuple[int, str]] = field(default_factory=list)
    scripted: list[tuple[int, str]] = field(default_factory=list)


def is_external(url: str) -> bool:
    """Say whether an address leaves the machine.

    Examples
    --------
    >>> [is_external(url) for url in ("https://a.org/x", "//a.org/x", "x.css", "data:image/png,")]
    [True, True, False, False]
    """
    return bool(_EXTERNAL.match(url))


def css_loads(text: str) -> Iterator[tuple[str, int]]:
    r"""Yield what a style sheet loads, with its line.

    Examples
    --------
    >>> list(css_loads("a {}\n@import 'b.css'; c { background: url(d.png) }"))
    [('b.css', 2), ('d.png', 2)]
    """
    # Comments keep their line ends, so that lines still count.
    bare = _CSS_COMMENT.sub(lambda match: "\n" * match[0].count("\n"), text)
    for match in _CSS_URL.finditer(bare):
        url = next((group for group in match.groups() if group), "")
        if url:
            yield url, bare.count("\n", 0, match.start()) + 1


def runs_inline(tag: str, by_name: Mapping[str, str]) -> bool:
    """Say whether an element is a script whose text a browser would run.

    Examples
    --------
    >>> runs_inline("script", {}), runs_inline("script", {"src": "a.js"})
    (True, False)
    >>> runs_inline("script", {"type": "application/json"}), runs_inline("p", {})
    (False, False)
    """
    return (
        tag == "script" and "src" not in by_name and not _DATA_BLOCK.search(by_name.get("type", ""))
    )


def read_page(path: Path) -> Page:
    """Read a page from its file."""
    return parse_page(path.read_text(encoding="utf-8"))


def parse_page(text: str) -> Page:
    """Read a page from its text."""
    reader = _Reader()
    reader.feed(text)
    reader.close()
    return reader.page


class _Reader(HTMLParser):
    """Fills a `Page` in one pass."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.page = Page()
        self._stack: list[tuple[str, str]] = []  # open elements with their class
        self._quiet = 0  # depth of elements whose text is no prose
        self._cell_code = 0  # depth of elements with the code of notebook cells
        self._main = 0
        self._figures = 0
        self._heading: Heading | None = None
        self._svg: tuple[int, int] | None = None  # depth and line of an image without a name
        self._title = False
        self._text: list[str] = []
        self._text_line = 0
        self._runs = False  # inside a script that a browser would run

    # Called for every tag of every page, so written for speed: one dict, few lookups.
    def handle_starttag(self, tag: str, attrs: Attributes) -> None:
        self._end_text()
        by_name = {key: value or "" for key, value in attrs}
        line = self.getpos()[0]
        if attrs:
            self._note_id(tag, by_name, line)
            self._note_addresses(tag, by_name, line)
            self._note_spoken(by_name, line)
            self._note_code(tag, by_name, line)
        if tag == "img":
            self._note_image(by_name, line)
        elif tag in _HEADINGS:
            self._heading = Heading(_HEADINGS[tag], line, self._main > 0)
            self.page.headings.append(self._heading)
        elif tag == "html":
            self.page.lang = by_name.get("lang", "").strip()
        elif tag == "meta":
            self._note_meta(by_name)
        elif tag == "title":
            if self._svg is None and not any(name == "svg" for name, _ in self._stack):
                self._title = True
            else:
                self._svg = None
        elif tag == "svg" and by_name.get("role") == "img":
            named = by_name.get("aria-label") or by_name.get("aria-labelledby")
            if not named and by_name.get("aria-hidden") != "true":
                self._svg = (len(self._stack), line)
        self._runs = tag == "script" and runs_inline(tag, by_name)
        if tag not in _VOID:
            self._open(tag, by_name.get("class", ""))

    def handle_startendtag(self, tag: str, attrs: Attributes) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in _VOID:
            self.handle_endtag(tag)

    def handle_endtag(self, tag: str) -> None:
        self._end_text()
        self._runs = False
        if tag == "title":
            self._title = False
        if tag in _HEADINGS:
            self._heading = None
        # Close up to the matching element; a stray end tag closes nothing.
        for depth in range(len(self._stack) - 1, -1, -1):
            if self._stack[depth][0] == tag:
                while len(self._stack) > depth:
                    self._close()
                return

    def handle_data(self, data: str) -> None:
        # Text may come in pieces; it is looked at whole, when the next tag ends it.
        if not self._text:
            self._text_line = self.getpos()[0]
        self._text.append(data)

    def close(self) -> None:
        super().close()
        self._end_text()

    def _end_text(self) -> None:
        if not self._text:
            return
        data, line = "".join(self._text), self._text_line
        self._text.clear()
        inside = self._stack[-1][0] if self._stack else ""
        if self._title:
            self.page.title += data
        if self._heading is not None:
            self._heading.text += data
        if inside == "style":
            self.page.styles.append((line, data))
            self.page.loads += [Load("style", url, line) for url, _ in css_loads(data)]
        elif not self._quiet:
            if not data.isspace():
                self._note_text(data, line, inside)
        elif self._runs:
            self.page.scripts.append((line, data))
        elif inside != "script":
            # A page may explain markup in code; options of cells and inline values that are left
            # there were meant to be gone.
            unread_option = self._cell_code and "#|" in data
            unread_value = inside == "code" and data.startswith("{python}")
            if unread_option or unread_value:
                self.page.texts.append((line, data))

    def _open(self, tag: str, classes: str) -> None:
        self._stack.append((tag, classes))
        self._quiet += tag in _NO_PROSE
        self._main += tag == "main"
        self._figures += tag == "figure"
        self._cell_code += "cell" in classes

    def _close(self) -> None:
        tag, classes = self._stack.pop()
        self._quiet -= tag in _NO_PROSE
        self._main -= tag == "main"
        self._figures -= tag == "figure"
        self._cell_code -= "cell" in classes
        if tag == "svg" and self._svg is not None and self._svg[0] >= len(self._stack):
            self.page.silent_images.append(("svg", self._svg[1]))
            self._svg = None

    def _note_id(self, tag: str, by_name: dict[str, str], line: int) -> None:
        identity = by_name.get("id")
        if identity:
            if identity in self.page.ids:
                self.page.repeated_ids.append((identity, line))
            self.page.ids.add(identity)
            if tag in {"div", "figure"} and identity.startswith("fig-"):
                self.page.figures.add(identity)
        if tag == "a" and by_name.get("name"):
            self.page.ids.add(by_name["name"])

    def _note_addresses(self, tag: str, by_name: dict[str, str], line: int) -> None:
        page = self.page
        if tag in {"a", "area"}:
            if by_name.get("href"):
                page.links.append(Load(tag, by_name["href"], line))
        elif tag == "link":
            rels = set(by_name.get("rel", "").lower().split())
            if rels & _LOADING_RELS and by_name.get("href"):
                page.loads.append(Load(tag, by_name["href"], line))
        elif tag in _LOADING_TAGS:
            for name in _LOADING_TAGS[tag]:
                value = by_name.get(name)
                if not value:
                    continue
                if name == "srcset":
                    choices = [choice.split()[0] for choice in value.split(",") if choice.split()]
                    page.loads += [Load(tag, choice, line) for choice in choices]
                elif not value.startswith("#"):
                    page.loads.append(Load(tag, value, line))
        style = by_name.get("style")
        if style and "url(" in style:
            page.loads += [Load(tag, url, line) for url, _ in css_loads(style)]

    def _note_spoken(self, by_name: dict[str, str], line: int) -> None:
        for name in ("alt", "title", "aria-label"):
            value = by_name.get(name)
            if value:
                self.page.texts.append((line, value))

    def _note_code(self, tag: str, by_name: dict[str, str], line: int) -> None:
        for name, value in by_name.items():
            handler = name.startswith("on") and self._main
            if handler or value.lstrip()[:11].lower() == "javascript:":
                self.page.scripted.append((line, f"<{tag} {name}={value}"))

    def _note_image(self, by_name: dict[str, str], line: int) -> None:
        hidden = by_name.get("aria-hidden") == "true" or by_name.get("role") == "presentation"
        alt = by_name.get("alt")
        # An empty alt marks decoration; nothing inside a figure is decoration.
        if not hidden and (alt is None or (self._figures and not alt.strip())):
            self.page.silent_images.append((by_name.get("src", "")[:80], line))

    def _note_meta(self, by_name: dict[str, str]) -> None:
        if by_name.get("name", "").lower() == "viewport" and by_name.get("content"):
            self.page.viewport = True
        elif by_name.get("name", "").lower() == "generator":
            self.page.by_quarto = by_name.get("content", "").lower().startswith("quarto")
        if by_name.get("http-equiv", "").lower() == "refresh":
            self.page.redirects = True
        if by_name.get("http-equiv", "").lower() == "content-security-policy":
            self.page.policy = by_name.get("content", "")

    def _note_text(self, data: str, line: int, inside: str) -> None:
        self.page.texts.append((line, data))
        # pandoc prints an unknown citation as its key in bold with a question mark.
        if data.endswith("?") and inside == "strong":
            around = [classes for _, classes in self._stack[-4:]]
            if any("citation" in classes for classes in around):
                self.page.broken_citations.append((line, data.rstrip("?")))
