"""Look at a rendered site as a strict reader would, whichever renderer made it.

Checked: links and anchors, requests that leave the machine, alt texts, ids, headings, source
markup that a renderer should have turned into something, page weight, language, title, viewport,
the policy of what may run.
"""

from __future__ import annotations

import posixpath
import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from urllib.parse import unquote, urlsplit

from analysis import paths
from analysis.faults import Fault, FaultsError
from analysis.files import files_below
from analysis.site.locate import relocate
from analysis.site.policy import policy_faults
from analysis.site.webpage import Page, css_loads, is_external, read_page

LIMITS = Path("data") / "parameters" / "site.toml"
_LIMIT_NAMES = ("page", "assets", "file", "site", "quarto")
_UNITS = {"kB": 1_000, "MB": 1_000_000}
# The page a server sends for any missing address may name its parts only from the top.
ROOT_LINKS_ALLOWED = ("404.html",)

QUARTO_TWICE = ("quarto-bootstrap", "quarto-text-highlighting-styles")
"""Ids of style sheets that Quarto writes for each of two themes (quarto-cli #8095)."""

LEFTOVERS = {
    ":::": re.compile(r":::"),
    "@fig-, @tbl-, @eq- or @sec-": re.compile(r"(?<![\w?])@(?:fig|tbl|eq|sec|lst|tbl)-[\w-]+"),
    "?@ (unresolved reference)": re.compile(r"\?@[\w-]+"),
    "{{<": re.compile(r"\{\{<"),
    "`{python}": re.compile(r"`?\{python\}"),
    "#|": re.compile(r"(?:^|\n)\s*#\|\s*[\w-]+:"),
    "$$": re.compile(r"\$\$"),
    "[@ (unresolved citation)": re.compile(r"\[-?@[\w:-]+"),
    # A single # may be a number sign; stars of significance stand after a number.
    "## (heading)": re.compile(r"(?:^|\n)\s*#{2,6}[ \t]+\S"),
    "**": re.compile(r"(?<![\w*)])\*\*(?![\s*])[^*\n]*[^\s*]\*\*(?![\w*])"),
}


@dataclass(frozen=True)
class Limits:
    """How heavy pages may be, in bytes.

    Attributes
    ----------
    page : int
        One HTML file.
    assets : int
        What a page loads besides: styles, scripts, images, each counted once.
    file : int
        Any one file of the site, downloads included.
    site : int
        All files together.
    quarto : int
        What Quarto's own libraries add to `assets` and `site`.
    """

    page: int
    assets: int
    file: int
    site: int
    quarto: int = 0

    def with_quarto(self) -> Limits:
        """Return the limits of a site that Quarto rendered."""
        return replace(self, assets=self.assets + self.quarto, site=self.site + self.quarto)


def read_limits(path: Path) -> Limits:
    """Read the limits of page weight.

    Parameters
    ----------
    path : Path
        A TOML file with the tables page, assets, file, site and quarto, each with value, unit
        (kB or MB) and reason.

    Raises
    ------
    FaultsError
        If a table is missing or cannot be used.
    """
    name = LIMITS.as_posix()
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        fault = Fault(name, "the limits of page weight are missing", "restore the file")
        raise FaultsError([fault]) from None
    except tomllib.TOMLDecodeError as error:
        raise FaultsError([Fault(name, f"not TOML: {error}", "correct it")]) from None
    faults = []
    by_name: dict[str, int] = {}
    for key in _LIMIT_NAMES:
        table = content.get(key)
        table = table if isinstance(table, dict) else {}
        value, unit, reason = table.get("value"), table.get("unit"), table.get("reason")
        text = unit in _UNITS and isinstance(reason, str) and reason.strip()
        if text and isinstance(value, int | float) and value > 0:
            by_name[key] = int(value * _UNITS[str(unit)])
        else:
            remedy = "give it a value above 0, a unit (kB or MB) and a reason"
            faults.append(Fault(name, "not a limit", remedy, column=key, value=str(table or "")))
    if faults:
        raise FaultsError(faults)
    return Limits(**by_name)


def check_site(
    site: Path, limits: Limits | None = None, root: Path | None = None
) -> tuple[Fault, ...]:
    """Return everything wrong with a rendered site.

    Parameters
    ----------
    site : Path
        The folder with ``index.html``.
    limits : Limits, optional
        Page weights; those of the project if left out.
    root : Path, optional
        The project whose sources the faults are looked up in; this one if left out.

    Returns
    -------
    tuple of Fault
        In the order of pages and lines; empty if all is well. A fault names the line of its
        source where that can be found, else the built file relative to the site.
    """
    limits = limits or read_limits(paths.root() / LIMITS)
    files = {path.relative_to(site).as_posix(): path for path in files_below(site)}
    if "index.html" not in files:
        fault = Fault("index.html", "the site has no first page", "run make report first")
        return (fault,)
    pages = {name: read_page(path) for name, path in files.items() if name.endswith(".html")}
    if any(page.by_quarto for page in pages.values()):
        limits = limits.with_quarto()
    sizes = {name: path.stat().st_size for name, path in files.items()}
    styles = {name: path for name, path in files.items() if name.endswith(".css")}
    faults: list[Fault] = []
    for name, page in pages.items():
        faults += [
            *_document_faults(name, page),
            *_heading_faults(name, page),
            *_id_faults(name, page),
            *_alt_faults(name, page),
            *_leftover_faults(name, page),
            *_external_faults(name, page),
            *policy_faults(name, page),
            *_link_faults(name, page, pages, files.keys()),
            *_download_faults(name, page, files.keys()),
        ]
        faults += _weight_faults(name, page, sizes, limits)
    for name, path in styles.items():
        faults += _style_faults(name, path.read_text(encoding="utf-8"), files.keys())
    faults += _size_faults(sizes, limits)
    return relocate(faults, root or paths.root()) if faults else ()


# --------------------------------------------------------------------------------- inside a page


def _document_faults(name: str, page: Page) -> list[Fault]:
    """Return what the document as a whole lacks."""
    if page.redirects:
        return []
    missing = {
        "no language": (page.lang, 'set "lang" in _quarto.yml'),
        "no title": (page.title.strip(), 'give the page a "title"'),
        "no viewport, so phones shrink it": (page.viewport, "mend the page shell"),
    }
    return [
        Fault(name, f"the page has {problem}", remedy, row=1)
        for problem, (result, remedy) in missing.items()
        if not result
    ]


def _heading_faults(name: str, page: Page) -> list[Fault]:
    """Return headings that are not one first level and then steps of one."""
    if page.redirects:
        return []
    faults = []
    tops = [heading for heading in page.headings if heading.level == 1]
    if len(tops) != 1:
        row = tops[1].line if tops else None
        remedy = "give the page one title and start sections at the second level"
        problem = f"{len(tops)} first-level headings instead of one"
        faults.append(Fault(name, problem, remedy, row=row))
    # Navigation outside the text may stand before the title, with headings of its own.
    text = [heading for heading in page.headings if heading.in_main] or page.headings
    level = 0
    for heading in text:
        if heading.level > level + 1 and level:
            problem = f"a heading jumps from level {level} to level {heading.level}"
            remedy = "use the next level"
            faults.append(Fault(name, problem, remedy, row=heading.line, value=heading.text))
        level = heading.level
    return faults


def _id_faults(name: str, page: Page) -> list[Fault]:
    """Return ids that stand for two things; those that Quarto itself writes twice are let be."""
    allowed = QUARTO_TWICE if page.by_quarto else ()
    return [
        Fault(name, "two elements have this id", "rename one", row=line, value=identity)
        for identity, line in page.repeated_ids
        if identity not in allowed
    ]


def _alt_faults(name: str, page: Page) -> list[Fault]:
    """Return images that say nothing to who cannot see them."""
    remedy = "write alt text: the figure's result in words"
    return [
        Fault(name, "an image has no alt text", remedy, row=line, value=source)
        for source, line in page.silent_images
    ]


def _leftover_faults(name: str, page: Page) -> list[Fault]:
    """Return source markup that a renderer printed instead of understanding it."""
    faults = []
    for line, text in page.texts:
        for label, pattern in LEFTOVERS.items():
            match = pattern.search(text)
            if match:
                faults.append(
                    Fault(
                        name,
                        f"source markup is left on the page: {label}",
                        "correct the source of this page",
                        row=line,
                        value=_around(text, match.start()),
                    )
                )
    for line, key in page.broken_citations:
        remedy = "add it to references.bib, or correct the key"
        faults.append(Fault(name, "unknown citation", remedy, row=line, value=key))
    return faults


def _around(text: str, place: int) -> str:
    """Return a few words of a text around a place."""
    return " ".join(text[max(0, place - 10) : place + 40].split())


def _external_faults(name: str, page: Page) -> list[Fault]:
    """Return what a page would fetch from elsewhere."""
    remedy = "bring the file into assets/, or do without it"
    return [
        Fault(name, f"<{load.tag}> loads from another machine", remedy, load.line, value=load.url)
        for load in page.loads
        if is_external(load.url)
    ]


# ------------------------------------------------------------------------------------ across files


def resolve(page: str, url: str) -> tuple[str, str]:
    """Return the file in the site and the anchor that an address on a page leads to.

    Examples
    --------
    >>> resolve("pages/a.html", "../index.html#top")
    ('index.html', 'top')
    >>> resolve("pages/a.html", "#b")
    ('pages/a.html', 'b')
    >>> resolve("index.html", "pages/")
    ('pages/index.html', '')
    """
    parts = urlsplit(url)
    path = unquote(parts.path)
    if not path:
        return page, unquote(parts.fragment)
    target = posixpath.normpath(posixpath.join("/", posixpath.dirname(page), path)).lstrip("/")
    # A path that climbs out of the site is broken, even if the join hides it at the top.
    depth = posixpath.normpath(posixpath.join(posixpath.dirname(page), path.lstrip("/")))
    if depth.startswith("..") and not path.startswith("/"):
        target = depth
    if path.endswith(("/", "/.", "/..")) or path in {".", ".."} or not target:
        target = posixpath.join(target, "index.html") if target else "index.html"
    return target, unquote(parts.fragment)


def _link_faults(
    name: str, page: Page, pages: Mapping[str, Page], files: Iterable[str]
) -> list[Fault]:
    """Return links, anchors and loaded files that are not there."""
    known = set(files)
    faults = []
    for link in (*page.links, *page.loads):
        if is_external(link.url) or urlsplit(link.url).scheme:
            continue
        if link.url.startswith("/") and name not in ROOT_LINKS_ALLOWED:
            problem = "a link from the top of the server breaks when the site is opened from disk"
            remedy = "link relative to the page"
            faults.append(Fault(name, problem, remedy, row=link.line, value=link.url))
            continue
        target, anchor = resolve(name, link.url)
        if target not in known:
            remedy = "correct the link, or add what it names"
            faults.append(Fault(name, "broken link", remedy, row=link.line, value=link.url))
        elif anchor and anchor != "top" and target in pages and anchor not in pages[target].ids:
            problem = f"broken anchor: {target} has no such place"
            remedy = "correct the link, or add what it names"
            faults.append(Fault(name, problem, remedy, row=link.line, value=link.url))
    return faults


def _download_faults(name: str, page: Page, files: Iterable[str]) -> list[Fault]:
    """Return figures whose data are on the site but not offered on the page."""
    linked = {resolve(name, link.url)[0] for link in page.links if not is_external(link.url)}
    remedy = "link it below, as the other figures do, in a block ::: {.figure-links}"
    return [
        Fault(name, f"its data, downloads/{label}.csv, are not linked", remedy, value=label)
        for label in sorted(page.figures)
        if f"downloads/{label}.csv" in set(files) - linked
    ]


def _style_faults(name: str, text: str, files: Iterable[str]) -> list[Fault]:
    """Return what a style sheet fetches from elsewhere, and files it names in vain."""
    known = set(files)
    faults = []
    for url, line in css_loads(text):
        if is_external(url):
            remedy = "bring the file into assets/, or do without it"
            problem = "the style sheet loads from another machine"
            faults.append(Fault(name, problem, remedy, row=line, value=url))
        elif not urlsplit(url).scheme and not url.startswith("#"):
            target, _ = resolve(name, url)
            if target not in known:
                remedy = "correct the style sheet"
                faults.append(Fault(name, "broken link", remedy, row=line, value=url))
    return faults


# ----------------------------------------------------------------------------------------- weight


def _weight_faults(name: str, page: Page, sizes: Mapping[str, int], limits: Limits) -> list[Fault]:
    """Return whether a page or what it loads is too heavy."""
    local = {
        resolve(name, load.url)[0]
        for load in page.loads
        if not urlsplit(load.url).scheme and not is_external(load.url)
    }
    weights = {
        "page": (sizes[name], limits.page, "the page itself"),
        "assets": (
            sum(sizes.get(target, 0) for target in local),
            limits.assets,
            "what the page loads",
        ),
    }
    return [
        _too_heavy(name, f"{what} is too heavy", weight, limit, key)
        for key, (weight, limit, what) in weights.items()
        if weight > limit
    ]


def _size_faults(sizes: Mapping[str, int], limits: Limits) -> list[Fault]:
    """Return files, or a whole site, that are too heavy."""
    faults = [
        _too_heavy(name, "the file is too heavy", size, limits.file, "file")
        for name, size in sizes.items()
        if size > limits.file
    ]
    total = sum(sizes.values())
    if total > limits.site:
        faults.append(_too_heavy(".", "the site is too heavy", total, limits.site, "site"))
    return faults


def _too_heavy(name: str, problem: str, weight: int, limit: int, key: str) -> Fault:
    remedy = f'make it lighter, or raise "{key}" in {LIMITS.as_posix()} and say why'
    value = f"{weight / 1000:,.0f} kB, limit {limit / 1000:,.0f} kB"
    return Fault(name, problem, remedy, value=value)
