"""The navigation that Quarto writes on pages of a further language: theirs, not that of the first.

Quarto has one navbar for a project. A page that a further sidebar lists gets the title and the
entries of that sidebar instead, as the embedded renderer shows it.
"""

from __future__ import annotations

import html
import re
from collections.abc import Mapping
from pathlib import Path

from analysis.site.embedded.markup import output_path, relative
from analysis.site.embedded.source import split_front_matter
from analysis.site.languages import NAMES
from analysis.site.project import NavItem, Project

_ENTRIES = re.compile(r'(<ul class="navbar-nav[^"]*">)(.*?)(</ul>)', re.DOTALL)
_BRAND = re.compile(
    r'(<a class="navbar-brand[^"]*" href=")[^"]*(">\s*<span class="navbar-title">)[^<]*(</span>)'
)


def titles(project: Project) -> dict[str, str]:
    """Return the titles of the pages that further sidebars list, by source path."""
    by_name = {}
    for bar in project.others:
        for leaf in (leaf for item in bar.items for leaf in item.leaves()):
            path = project.folder / leaf.href
            if path.suffix == ".qmd" and path.is_file():
                meta, _ = split_front_matter(path.read_text(encoding="utf-8"), leaf.href)
                by_name[leaf.href] = str(meta.get("title", ""))
    return by_name


def _entry(item: NavItem, page: str, source: str, lang: str = "") -> str:
    here = ' active" aria-current="page' if item.href == source else ""
    spoken = f' lang="{lang}" hreflang="{lang}"' if lang else ""
    return (
        f'<li class="nav-item"><a class="nav-link{here}" href="'
        f'{relative(output_path(item.href), page)}"{spoken}>'
        f'<span class="menu-text">{html.escape(item.text)}</span></a></li>'
    )


def with_navigation(text: str, source: str, project: Project, known: Mapping[str, str]) -> str:
    """Return a page as Quarto wrote it with the navbar of its language.

    Parameters
    ----------
    text : str
        The page.
    source : str
        Its source, as the project names it.
    project : Project
        With its sidebars.
    known : mapping of str to str
        Titles of pages, as `titles` returns them.
    """
    if not any(bar.lists(source) for bar in project.others):
        return text
    page, seen = output_path(source), project.seen_from(source)
    entries = [
        _entry(NavItem(item.text or known.get(item.href, ""), item.href), page, source)
        for item in seen.navbar
    ]
    back = NavItem(NAMES.get(project.lang.split("-")[0], project.lang), project.home)
    entries.append(_entry(back, page, source, project.lang))
    text = _ENTRIES.sub(lambda match: match[1] + "\n".join(entries) + match[3], text, count=1)
    home, title = relative(output_path(seen.home), page), html.escape(seen.title)
    return _BRAND.sub(lambda match: match[1] + home + match[2] + title + match[3], text, count=1)


def source_of(page: Path, output: Path, project: Project) -> str:
    """Return the source of a page of the site; empty if it is none of the further sidebars'."""
    stem = page.relative_to(output).with_suffix("").as_posix() if output in page.parents else ""
    return next((f"{stem}.qmd" for bar in project.others if stem and bar.lists(f"{stem}.qmd")), "")
