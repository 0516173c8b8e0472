"""The page shell: navigation, title block, search index, site map around the text of a page."""

from __future__ import annotations

import html
import json
from collections.abc import Iterable, Mapping
from functools import cache, partial
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import jinja2

from analysis.faults import Fault, raise_if_any
from analysis.site.embedded import markup
from analysis.site.embedded.labels import labels
from analysis.site.embedded.memory import Memory
from analysis.site.embedded.pandoc import Rendered
from analysis.site.embedded.source import Page
from analysis.site.languages import switch
from analysis.site.policy import policy, shell_scripts
from analysis.site.project import NavItem, Project

HERE = Path(__file__).parent
LIBS = "site_libs"
NOT_FOUND = "404.html"
TEXTS = ("title", "subtitle", "lead", "toc", "body")
"""The parts of a page that come from its source, not from the shell."""


@cache
def template() -> jinja2.Template:
    """Return the template of a page."""
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(HERE), autoescape=True, undefined=jinja2.StrictUndefined
    )
    return environment.get_template("page.html.j2")


def navigation(
    items: Iterable[NavItem], page: str, titles: Mapping[str, str]
) -> list[dict[str, Any]]:
    """Return navbar or sidebar entries as the template takes them, seen from one page."""
    entries = []
    for item in items:
        inside = item.href in titles
        here = markup.output_path(page)
        href = markup.relative(markup.output_path(item.href), here) if inside else item.href
        entries.append(
            {
                "text": item.text or titles.get(item.href, item.href),
                "href": href,
                "current": item.href == page,
                "entries": navigation(item.items, page, titles),
            }
        )
    return entries


def neighbours(project: Project, page: str) -> tuple[NavItem | None, NavItem | None]:
    """Return the pages before and after, in the order of the sidebar."""
    if not project.page_navigation:
        return None, None
    order = [leaf for item in project.sidebar for leaf in item.leaves()]
    at = next((i for i, leaf in enumerate(order) if leaf.href == page), None)
    if at is None:
        return None, None
    return (order[at - 1] if at else None), (order[at + 1] if at + 1 < len(order) else None)


def crumbs(project: Project, page: str) -> list[NavItem]:
    """Return the way to a page: its sections in the sidebar, or the page that lists it.

    A section leads to its first page. A page that the sidebar leaves out, such as one of findings,
    hangs below the page of its folder. The first page of all is where every way begins.
    """
    home = next((leaf.href for item in project.sidebar for leaf in item.leaves()), "")
    if not project.bread_crumbs or page == home:
        return []

    def way(items: Iterable[NavItem], target: str) -> list[NavItem] | None:
        for item in items:
            if item.href == target:
                return []
            inner = way(item.items, target)
            if inner is not None:
                first = next(item.leaves(), item)
                return [NavItem(item.text, first.href), *inner]
        return None

    nav_items = way(project.sidebar, page)
    if nav_items is not None:
        return nav_items
    folder = page.rpartition("/")[0]
    for above in (f"{folder}.qmd", f"{folder}/index.qmd"):
        up = way(project.sidebar, above)
        if folder and up is not None:
            return [*up, NavItem("", above)]
    return []


def includes(project: Project, names: Iterable[str]) -> str:
    """Return the files of ``include-in-header`` or ``include-after-body``, one after another."""
    texts = []
    for name in names:
        path = project.folder / name
        if not path.is_file():
            remedy = "mend the path under format.html"
            raise_if_any([Fault("_quarto.yml", "file to include not found", remedy, value=name)])
        texts.append(path.read_text(encoding="utf-8"))
    return "\n".join(texts)


def page_html(
    project: Project, page: Rendered, titles: Mapping[str, str], languages: Mapping[str, str]
) -> str:
    """Put one page into the shell.

    Parameters
    ----------
    project : Project
        The project.
    page : Rendered
        The page.
    titles, languages : mapping of str to str
        Title and language of every page, by source path.
    """
    path = page.page.path
    project = project.seen_from(path)
    other = switch(path, languages)
    here = markup.output_path(path)
    offset = "../" * path.count("/") or "./"
    sources = frozenset(titles)

    def seen(item: NavItem | None) -> dict[str, Any] | None:
        return navigation([item], path, titles)[0] if item else None

    before, after = neighbours(project, path)
    footer = [markup.rewrite_links(side, path, sources)[0] for side in page.footer]
    plain = html.unescape(page.plain)
    meta = page.page.meta
    values: dict[str, Any] = {
        "words": words_of(project, page.page),
        "lang": str(meta.get("lang") or project.lang),
        "offset": offset,
        "base": base_of(project) if here == NOT_FOUND else None,
        "page_title": plain if path == project.home else f"{plain} – {project.title}",
        "description": str(meta.get("description") or project.description),
        "icon": f"{offset}{project.favicon}" if project.favicon else "",
        "sheets": [
            f"{offset}{LIBS}/shell.css",
            *(markup.relative(sheet, here) for sheet in page.html.css),
        ],
        "head": includes(project, page.html.include_in_header),
        "after": includes(project, page.html.include_after_body),
        "home": markup.relative(markup.output_path(project.home), here),
        "switch": other,
        "switch_href": markup.relative(markup.output_path(other.target), here) if other else "",
        "here": markup.relative(here, here),
        "site_lang": project.lang,
        "site_title": project.title,
        "search": project.search,
        "navbar": navigation(project.navbar, path, titles),
        "sidebar": navigation(project.sidebar, path, titles),
        "title": page.title,
        "subtitle": page.subtitle,
        "lead": page.description,
        "authors": page.authors,
        "date": page.date,
        "toc": page.toc if page.html.toc and page.toc else "",
        "toc_title": page.html.toc_title or words_of(project, page.page)["toc"],
        "body": page.body,
        "crumbs": navigation(crumbs(project, path), path, titles),
        "previous": seen(before),
        "next": seen(after),
        "footer": footer,
    }
    # Only what the shell runs is hashed: no script in the text of a page may run.
    shell = template().render({**values, **dict.fromkeys(TEXTS, ""), "policy": ""})
    return template().render(values, policy=policy(shell_scripts(shell)))


def base_of(project: Project) -> dict[str, str]:
    """Return where the page for missing addresses lies at the published site, by host and path.

    Any other server shows the site from its top.
    """
    parts = urlsplit(project.site_url)
    return {"host": parts.netloc, "path": f"{parts.path}/{NOT_FOUND}"}


def search_index(
    project: Project, pages: Iterable[Rendered], memory: Memory | None = None
) -> bytes:
    """Return the search index as a script, which a page opened from disk can load too.

    An entry names its language where that is not the project's.
    """
    memory = memory or Memory()
    reader = Path(markup.__file__).read_bytes()
    rows = []
    for page in pages:
        if page.page.meta.get("search") is False or page.page.path.startswith("404."):
            continue
        href = markup.output_path(page.page.path)
        title = html.unescape(page.plain)
        lang = str(page.page.meta.get("lang") or project.lang)
        named = "" if lang == project.lang else lang
        parts: dict[str, bytes | str] = {
            "href": href,
            "title": title,
            "lang": named,
            "body": page.body,
            "reader": reader,
        }
        rows.append(memory.text(parts, partial(_entries, href, title, named, page.body)))
    lines = ",\n".join(filter(None, rows))
    return f"window.siteSearchIndex = [\n{lines}\n];\n".replace("</", "<\\/").encode()


def _entries(href: str, title: str, lang: str, body: str) -> str:
    """Return the lines of the search index for one page."""
    named = {"lang": lang} if lang else {}
    entries = (
        {
            "href": f"{href}#{anchor}" if anchor else href,
            "title": title,
            "section": section,
            "text": text,
            **named,
        }
        for anchor, section, text in markup.sections(body)
    )
    return ",\n".join(json.dumps(e, ensure_ascii=False, separators=(",", ":")) for e in entries)


def sitemap(project: Project, pages: Iterable[str]) -> bytes:
    """Return ``sitemap.xml``, without dates so that the same site gives the same bytes.

    Its addresses are absolute, as the protocol of site maps asks: only for a project with a
    ``website.site-url``.
    """
    base = f"{project.site_url}/"
    rows = "".join(
        f"  <url><loc>{html.escape(base + page)}</loc></url>\n"
        for page in sorted(pages)
        if page != NOT_FOUND
    )
    space = "http://www.sitemaps.org/schemas/sitemap/0.9"
    head = '<?xml version="1.0" encoding="UTF-8"?>\n'
    return f'{head}<urlset xmlns="{space}">\n{rows}</urlset>\n'.encode()


def words_of(project: Project, page: Page) -> Mapping[str, str]:
    """Return the renderer's own words in the language of a page."""
    return labels(str(page.meta.get("lang") or project.lang))
