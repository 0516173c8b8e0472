"""The Content-Security-Policy of a page: which scripts run, and that nothing leaves the machine.

A page states its policy in a ``meta`` element before anything that could load or run. Inline
scripts run by hash only, and only those of the page's shell are hashed: what stands in the text of
a page (an output of a notebook, a label of a survey) never gets a hash, so it never runs.
"""

from __future__ import annotations

import base64
import hashlib
import html
import re
from dataclasses import dataclass
from html.parser import HTMLParser

from analysis.faults import Fault
from analysis.site.webpage import Attributes, Page, runs_inline

# 'self' alone matches nothing in Firefox when a page is opened from disk; on a server "file:"
# allows nothing that a browser would load.
_HERE = "'self' file:"
_META = re.compile(r'[ \t]*<meta http-equiv="Content-Security-Policy"[^>]*>\n?', re.IGNORECASE)
_CHARSET = re.compile(r"<meta\s+charset=[^>]*>\n?", re.IGNORECASE)


@dataclass(frozen=True)
class Inline:
    """What the shell of a page runs by itself.

    Attributes
    ----------
    scripts : tuple of str
        Texts of inline scripts, in order.
    handlers : tuple of str
        Texts of attributes such as ``onclick``.
    """

    scripts: tuple[str, ...]
    handlers: tuple[str, ...] = ()


def hash_source(text: str) -> str:
    """Return the source expression of an inline script.

    Parameters
    ----------
    text : str
        What stands between the tags, to the character.

    Notes
    -----
    Content Security Policy Level 3, section 6.7.3.3: the digest is of the UTF-8 bytes.

    Examples
    --------
    The example of the specification, section 8.4:

    >>> hash_source("alert('Hello, world.');")
    "'sha256-qznLcsROx4GACP2dm0UCKCzCG+HiZ1guq6ZZDob/Tng='"
    """
    digest = hashlib.sha256(text.encode()).digest()
    return f"'sha256-{base64.b64encode(digest).decode()}'"


class _Reader(HTMLParser):
    """Collects inline scripts and handlers outside ``<main>``."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.scripts: list[str] = []
        self.handlers: list[str] = []
        self._main = 0
        self._text: list[str] | None = None

    def handle_starttag(self, tag: str, attrs: Attributes) -> None:
        """Note the handlers of an element, and whether it is a script."""
        self._main += tag == "main"
        if self._main:
            return
        by_name = {name: value or "" for name, value in attrs}
        self.handlers += [value for name, value in by_name.items() if name.startswith("on")]
        if runs_inline(tag, by_name):
            self._text = []

    def handle_endtag(self, tag: str) -> None:
        """End a script or the text of the page."""
        if tag == "script" and self._text is not None:
            self.scripts.append("".join(self._text))
            self._text = None
        elif tag == "main":
            self._main = max(0, self._main - 1)

    def handle_data(self, data: str) -> None:
        """Keep the text of a script."""
        if self._text is not None:
            self._text.append(data)


def shell_scripts(page: str) -> Inline:
    """Return the inline scripts of a page that do not stand in its text (``<main>``).

    Examples
    --------
    >>> shell_scripts("<script>a()</script><main><script>b()</script></main><p onclick='c()'>")
    Inline(scripts=('a()',), handlers=('c()',))
    """
    reader = _Reader()
    reader.feed(page)
    reader.close()
    return Inline(tuple(reader.scripts), tuple(reader.handlers))


def policy(inline: Inline, *, quarto: bool = False) -> str:
    r"""Return the policy of a page.

    Parameters
    ----------
    inline : Inline
        What may run inline.
    quarto : bool
        Quarto's search fetches its index, its menus set handlers and style elements; the embedded
        renderer needs none of that.

    Returns
    -------
    str
        The value of ``Content-Security-Policy``.

    Examples
    --------
    >>> print(policy(Inline(())).replace("; ", "\n"))
    default-src 'none'
    script-src 'self' file:
    style-src 'self' file:
    style-src-attr 'unsafe-inline'
    img-src 'self' file: data:
    font-src 'self' file:
    connect-src 'none'
    base-uri 'self'
    form-action 'none'
    """
    hashes = [hash_source(text) for text in inline.scripts]
    if quarto and inline.handlers:
        hashes += ["'unsafe-hashes'", *(hash_source(text) for text in inline.handlers)]
    rules = {
        "default-src": "'none'",
        "script-src": " ".join([_HERE, *dict.fromkeys(hashes)]),
        "style-src": f"{_HERE} 'unsafe-inline'" if quarto else _HERE,
        # Tables align their cells by style attributes; these cannot load anything from elsewhere.
        "style-src-attr": "'unsafe-inline'",
        "img-src": f"{_HERE} data:",
        "font-src": f"{_HERE} data:" if quarto else _HERE,
        "connect-src": "'self'" if quarto else "'none'",
        "base-uri": "'self'",
        "form-action": "'self'" if quarto else "'none'",
    }
    return "; ".join(f"{name} {value}" for name, value in rules.items())


def with_policy(page: str, *, quarto: bool = False) -> str:
    """Return a page that states the policy which fits its shell.

    Parameters
    ----------
    page : str
        HTML with ``<meta charset>``; a policy that is there already is replaced.
    quarto : bool
        As `policy` takes it.

    Examples
    --------
    >>> page = "<head><meta charset='utf-8'><script>a()</script></head>"
    >>> with_policy(with_policy(page)) == with_policy(page) != page
    True
    """
    bare = _META.sub("", page)
    value = policy(shell_scripts(bare), quarto=quarto)
    line = (
        f'<meta http-equiv="Content-Security-Policy" content="{html.escape(value, quote=False)}">'
    )
    charset = _CHARSET.search(bare)
    at = charset.end() if charset else 0
    return f"{bare[:at]}{line}\n{bare[at:]}"


def policy_faults(name: str, page: Page) -> list[Fault]:
    """Return what a page lacks of a policy, and what its policy will not let run.

    Parameters
    ----------
    name : str
        The page, relative to the site.
    page : Page
        As `analysis.site.webpage.read_page` read it.
    """
    if page.redirects:
        return []
    if not page.policy:
        remedy = "mend the page shell"
        return [Fault(name, "the page has no Content-Security-Policy", remedy, row=1)]
    script = "move it into assets/site.js: a script in the text of a page never runs"
    style = "move it into assets/site.css, or use attributes"
    code = "use a plain link; behaviour belongs into assets/site.js"
    style_rule = page.policy.partition("style-src ")[2].partition(";")[0]
    refused = [
        *(
            ("an inline script that the page's policy refuses", script, entries)
            for entries in page.scripts
            if hash_source(entries[1]) not in page.policy
        ),
        *(
            ("a style element that the page's policy refuses", style, entries)
            for entries in page.styles
            if "'unsafe-inline'" not in style_rule
        ),
        *(("code in an attribute or a link", code, entries) for entries in page.scripted),
    ]
    return [
        Fault(name, problem, remedy, line, value=" ".join(text.split())[:60])
        for problem, remedy, (line, text) in refused
    ]
