"""Renders a staged Quarto project without Quarto."""

from __future__ import annotations

import os
import posixpath
import re
import shutil
import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeVar

from analysis.faults import Fault, FaultsError, raise_if_any
from analysis.site.embedded import markup
from analysis.site.embedded.mathfont import cached_subset
from analysis.site.embedded.memory import Memory
from analysis.site.embedded.notebook import read_page
from analysis.site.embedded.pandoc import Rendered, run
from analysis.site.embedded.shell import HERE, LIBS, page_html, search_index, sitemap, words_of
from analysis.site.embedded.source import Page, read_variables, split_front_matter
from analysis.site.languages import SWITCH
from analysis.site.project import Project, html_options, read_project

FONT_FACE = """
@font-face {
  font-family: "Site Math";
  src: url("math.woff") format("woff");
  font-display: swap;
}
"""
NOT_FOUND = """---
title: Page not found
search: false
toc: false
---

The page you asked for is not here. Use the navigation or the search to find it.
"""
NO_ADDRESS = "no sitemap.xml: set url in CITATION.cff to the address of the published site"
In = TypeVar("In")
Out = TypeVar("Out")


@dataclass(frozen=True)
class RenderReport:
    """What a rendering made.

    Attributes
    ----------
    pages : tuple of str
        HTML files, as paths in the site.
    files : tuple of str
        Every other file.
    warnings : tuple of str
        What works here and would differ in Quarto.
    seconds : float
        Time taken.
    """

    pages: tuple[str, ...]
    files: tuple[str, ...]
    warnings: tuple[str, ...]
    seconds: float


def collect(work: Callable[[In], Out], items: Iterable[In]) -> list[Out]:
    """Do the work for every item in threads, and raise the faults of all together.

    Examples
    --------
    >>> collect(lambda n: n + 1, [1, 2])
    [2, 3]
    """

    def attempt(item: In) -> Out | FaultsError:
        try:
            return work(item)
        except FaultsError as error:
            return error

    with ThreadPoolExecutor(max_workers=min(4, os.cpu_count() or 1)) as pool:
        results = list(pool.map(attempt, items))
    raise_if_any(f for r in results if isinstance(r, FaultsError) for f in r.faults)
    return [r for r in results if not isinstance(r, FaultsError)]


def navigation_faults(project: Project, pages: Iterable[str]) -> list[Fault]:
    """Return the entries of navbar and sidebar that lead to no page."""
    known = set(pages)
    lines = (project.folder / "_quarto.yml").read_text(encoding="utf-8").splitlines()
    faults = []
    further = [item for bar in project.others for item in bar.items]
    for item in (*project.navbar, *project.sidebar, *further):
        for leaf in item.leaves():
            if leaf.href not in known and not markup.is_outside(leaf.href):
                row = next((n for n, text in enumerate(lines, 1) if leaf.href in text), None)
                remedy = "mend the path, or add the page to project.render"
                faults.append(
                    Fault("_quarto.yml", "no such page", remedy, row, "navigation", leaf.href)
                )
    return faults


def link_faults(
    page: Page, links: Iterable[markup.Link], anchors: Mapping[str, set[str]], files: set[str]
) -> list[Fault]:
    """Return the links of one page that lead nowhere in the site."""
    faults = []
    seen: Counter[str] = Counter()
    for link in links:
        nth = seen[link.written]
        seen[link.written] += 1
        target = posixpath.join(link.target, "index.html") if link.target in files else link.target
        target = link.target if link.target in anchors else target
        if target not in anchors and link.target not in files:
            problem, remedy = "broken link", "mend the path; paths may start with / for the project"
        elif link.anchor and link.anchor not in anchors.get(target, {link.anchor}):
            problem, remedy = "link to an anchor that is not there", "mend the part after #"
        else:
            continue
        # An expanded variable or inline value holds the link, or its anchor alone.
        line = page.find(f"({link.written})", nth) or page.find(link.written, nth)
        fault = line.fault(problem, remedy, link.written) if line else None
        faults.append(fault or Fault(page.path, problem, remedy, None, "", link.written))
    # Two links on one line, or made by one variable, are mended together.
    return list(dict.fromkeys(faults))


def resource_files(project: Project) -> dict[str, bytes]:
    """Read the project's resources, style sheets included."""
    by_name: dict[str, bytes] = {}
    for name in (*project.resources, *project.html.css):
        path = project.folder / name
        for file in sorted(path.rglob("*")) if path.is_dir() else [path]:
            if file.is_file():
                by_name[file.relative_to(project.folder).as_posix()] = file.read_bytes()
    missing = [name for name in project.html.css if name not in by_name]
    raise_if_any(
        Fault("_quarto.yml", "style sheet not found", "mend format.html.css", None, "css", name)
        for name in missing
    )
    return by_name


def linked_files(project: Project, links: Iterable[markup.Link]) -> dict[str, bytes]:
    """Read files of the project that pages show or link to, as Quarto copies them."""
    by_name = {}
    for link in links:
        path = project.folder / link.target
        if path.is_file() and not link.target.startswith(".."):
            by_name[link.target] = path.read_bytes()
    return by_name


def finished(
    project: Project, page: Rendered, sources: frozenset[str]
) -> tuple[Rendered, list[markup.Link]]:
    """Rewrite a page's links and return it with them."""
    titled = markup.footnote_heading(page.body, words_of(project, page.page)["footnotes"])
    # The shell has a switch of its own.
    bare = markup.without(markup.appendix_last(titled), SWITCH)
    body, links = markup.rewrite_links(bare, page.page.path, sources)
    return replace(page, body=body), links


def body_faults(page: Rendered) -> list[Fault]:
    """Return repeated ids and silent images of one page."""
    faults, seen = [], set[str]()
    for name in markup.ids(page.body):
        if name in seen:
            line = page.page.find(name)
            remedy = "give each element its own id"
            fault = line.fault("id used twice on this page", remedy, name) if line else None
            faults.append(fault or Fault(page.page.path, "id used twice", remedy, None, "", name))
        seen.add(name)
    for tag in markup.images_without_alt(page.body):
        address = re.search(r"src=[\"']([^\"']*)", tag)
        line = page.page.find(posixpath.basename(address[1]) if address else tag)
        remedy = "say in alt= what the image shows"
        fault = line.fault("image without alt text", remedy, tag[:120]) if line else None
        faults.append(fault or Fault(page.page.path, "image without alt text", remedy, value=tag))
    return faults


def write(out: Path, files: Mapping[str, bytes]) -> None:
    """Write a site beside its place, then put it there; a failure leaves the old one."""
    part = out.with_name(f"{out.name}.{os.getpid()}.part")
    shutil.rmtree(part, ignore_errors=True)
    for name in sorted(files):
        path = part / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(files[name])
    if out.exists():
        shutil.rmtree(out)
    part.replace(out)


def render_project(
    stage: Path,
    out: Path,
    cache: Path | None = None,
    *,
    only: Callable[[str], bool] = lambda name: True,
) -> RenderReport:
    """Render every page of a staged Quarto project.

    Parameters
    ----------
    stage : Path
        Folder with ``_quarto.yml``, pages and executed notebooks.
    out : Path
        Folder for the site; replaced as a whole, and only if every page rendered.
    cache : Path, optional
        Folder for the cut-down math font and for pages as pandoc made them; ``cache`` beside the
        stage by default.
    only : callable
        Which pages to render, by source path; another renderer makes the others, and answers for
        links into them.

    Returns
    -------
    RenderReport
        What was made.

    Raises
    ------
    FaultsError
        With every unsupported feature, unresolved reference, unknown citation, missing alt text
        and broken link of all pages, each with file and line.
    """
    start = time.monotonic()
    project = read_project(stage)
    kept = cache or stage.parent / "cache"
    memory = Memory(kept / "pages")
    variables = read_variables(stage)
    names = project.pages()
    extra = sorted(path.relative_to(stage).as_posix() for path in stage.rglob("_metadata.yml"))
    remedy = "move its keys into _quarto.yml or the pages"
    raise_if_any(
        [
            *(Fault(name, "folder metadata is not supported", remedy, 1) for name in extra),
            *navigation_faults(project, names),
        ]
    )
    pages = collect(lambda name: read_page(project, variables, name), names)
    if not any(name.startswith("404.") for name in names):
        pages.append(not_found_page())
    titles = {page.path: str(page.meta["title"]) for page in pages}
    languages = {page.path: str(page.meta.get("lang") or project.lang) for page in pages}
    sources = frozenset(titles)

    def render(page: Page) -> tuple[Rendered, list[markup.Link]]:
        raw = (page.meta.get("format") or {}).get("html") or {}
        options = html_options({**raw, **page.meta}, project.html)
        return finished(project, run(project, page, options, memory), sources)

    wanted = [page for page in pages if only(page.path)]
    rendered = collect(render, wanted)
    files = resource_files(project)
    for page in wanted:
        files.update(page.files)
    elsewhere = {markup.output_path(page.path) for page in pages if not only(page.path)}
    all_links = [link for _, links in rendered for link in links]
    files.update(linked_files(project, (x for x in all_links if x.target not in files)))
    anchors = {
        markup.output_path(page.page.path): {*markup.ids(page.body), "content", ""}
        for page, _ in rendered
    }
    raise_if_any(
        fault
        for page, links in rendered
        for fault in (
            *body_faults(page),
            *link_faults(page.page, links, anchors, {*files, *elsewhere}),
        )
    )
    by_name = {
        markup.output_path(page.page.path): page_html(project, page, titles, languages).encode()
        for page, _ in rendered
    }
    style = (HERE / "shell.css").read_text(encoding="utf-8")
    math = markup.math_characters(page.body for page, _ in rendered)
    if math:
        files[f"{LIBS}/math.woff"] = cached_subset(math, kept)
        style += FONT_FACE
    files[f"{LIBS}/shell.css"] = style.encode()
    files[f"{LIBS}/shell.js"] = (HERE / "shell.js").read_bytes()
    if project.search:
        generator = (page for page, _ in rendered)
        files[f"{LIBS}/search-index.js"] = search_index(project, generator, memory)
    if project.site_url and not elsewhere:
        files["sitemap.xml"] = sitemap(project, by_name)
    write(out, {**files, **by_name})
    memory.forget_others()
    warnings = () if project.site_url else (NO_ADDRESS,)
    elapsed = time.monotonic() - start
    return RenderReport(tuple(sorted(by_name)), tuple(sorted(files)), warnings, elapsed)


def not_found_page() -> Page:
    """Return the page for an address that does not exist, where the project has none."""
    meta, lines = split_front_matter(NOT_FOUND, "404.qmd")
    return Page("404.qmd", meta, tuple(lines), {})
