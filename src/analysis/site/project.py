"""The project file ``_quarto.yml`` as typed values, with every unsupported key refused by line."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import yaml

from analysis.faults import Fault, raise_if_any

# A schema is ANY (accepted as it is), a tuple of the values allowed, a mapping of known keys to
# schemas, or a list with the schema of each item. Keys that are known but change nothing here
# (themes, hover options) are accepted so that one file serves both renderers.
ANY = "any"
Schema = Any
BOOL = (True, False)

EXECUTE: Schema = {
    "enabled": (False,),
    "echo": BOOL,
    "output": BOOL,
    "warning": BOOL,
    "freeze": (False,),
}
HTML: Schema = {
    "theme": ANY,
    "respect-user-color-scheme": BOOL,
    "css": ANY,
    "include-after-body": ANY,
    "include-in-header": ANY,
    "html-math-method": ("mathml",),
    "toc": BOOL,
    "toc-depth": (1, 2, 3, 4, 5, 6),
    "toc-title": ANY,
    "code-fold": (True, False, "show"),
    "code-summary": ANY,
    "code-copy": (False, "hover"),
    "anchor-sections": BOOL,
    "smooth-scroll": (False,),
    "notebook-links": (False,),
    "citations-hover": (False,),
    "footnotes-hover": (False,),
    "crossrefs-hover": (False,),
    "link-external-newwindow": (False,),
    "lightbox": (False,),
    "minimal": (False,),
}
NAV_ITEM: Schema = {"text": ANY, "href": ANY, "section": ANY, "contents": ANY}
QUARTO: Schema = {
    "project": {
        "type": ("website",),
        "output-dir": ANY,
        "render": ANY,
        "resources": ANY,
        "post-render": ANY,
        "pre-render": ANY,
    },
    "lang": ANY,
    "execute": EXECUTE,
    "ipynb-filters": ANY,
    "filters": ANY,
    "bibliography": ANY,
    "csl": ANY,
    "link-citations": (True,),
    "website": {
        "title": ANY,
        "description": ANY,
        "site-url": ANY,
        "favicon": ANY,
        "search": BOOL,
        "reader-mode": (False,),
        "page-navigation": BOOL,
        "bread-crumbs": BOOL,
        "navbar": {"left": [NAV_ITEM], "right": [NAV_ITEM], "title": ANY, "search": BOOL},
        "sidebar": [{"id": ANY, "title": ANY, "style": ("docked",), "contents": [NAV_ITEM]}],
        "page-footer": {"left": ANY, "center": ANY, "right": ANY},
    },
    "format": {"html": HTML},
}
REMEDY = "remove it, or render with Quarto alone and teach the embedded renderer first"


@dataclass(frozen=True)
class NavItem:
    """One entry of the navbar or the sidebar.

    Attributes
    ----------
    text : str
        Label; empty where the page's own title is meant.
    href : str
        Source path of a page, an outside address, or empty for a section heading.
    items : tuple of NavItem
        What a section holds.
    """

    text: str
    href: str = ""
    items: tuple[NavItem, ...] = ()

    def leaves(self) -> Iterator[NavItem]:
        """Yield the entries that lead somewhere, in reading order."""
        if self.href:
            yield self
        for item in self.items:
            yield from item.leaves()


@dataclass(frozen=True)
class Sidebar:
    """A further sidebar, for the pages it lists: those of another language."""

    title: str
    items: tuple[NavItem, ...]

    def lists(self, page: str) -> bool:
        """Say whether a page stands in this sidebar."""
        return any(leaf.href == page for item in self.items for leaf in item.leaves())


@dataclass(frozen=True)
class Html:
    """Options of ``format: html`` that the embedded renderer acts on."""

    css: tuple[str, ...] = ()
    include_in_header: tuple[str, ...] = ()
    include_after_body: tuple[str, ...] = ()
    toc: bool = True
    toc_depth: int = 3
    toc_title: str = ""
    code_fold: bool | str = False
    code_summary: str = "Code"


@dataclass(frozen=True)
class Project:
    """A Quarto website project, as far as the embedded renderer reads it."""

    folder: Path
    title: str
    description: str = ""
    site_url: str = ""
    lang: str = "en"
    favicon: str = ""
    search: bool = True
    page_navigation: bool = False
    bread_crumbs: bool = False
    render: tuple[str, ...] = ("**/*.qmd", "**/*.ipynb")
    resources: tuple[str, ...] = ()
    bibliography: tuple[str, ...] = ()
    csl: str = ""
    execute: Mapping[str, Any] = field(default_factory=dict)
    navbar: tuple[NavItem, ...] = ()
    sidebar: tuple[NavItem, ...] = ()
    others: tuple[Sidebar, ...] = ()
    home: str = "index.qmd"
    footer: Mapping[str, str] = field(default_factory=dict)
    html: Html = field(default_factory=Html)

    def seen_from(self, page: str) -> Project:
        """Return the project as a page shows it: title and navigation of the sidebar that lists it.

        As in Quarto, a page stands in the first sidebar that lists it, or in the first of all. The
        navbar of a further sidebar leads to what its top level lists; that of the first one leaves
        out what further ones list, because the shell's own switch leads there.
        """
        for bar in self.others:
            if bar.lists(page):
                tops = [NavItem(i.text, leaf.href) for i in bar.items for leaf in [*i.leaves()][:1]]
                return replace(
                    self,
                    title=bar.title or self.title,
                    home=tops[0].href,
                    navbar=tuple(tops),
                    sidebar=bar.items,
                )
        kept = (i for i in self.navbar if not any(bar.lists(i.href) for bar in self.others))
        return replace(self, navbar=tuple(kept))

    def pages(self) -> tuple[str, ...]:
        """Return the source path of each page, as POSIX text, sorted within each pattern.

        As in Quarto, files and folders that begin with ``_`` or ``.`` are not pages.
        """
        by_name: dict[str, None] = {}
        for pattern in self.render:
            for path in sorted(self.folder.glob(pattern)):
                name = path.relative_to(self.folder).as_posix()
                hidden = any(part[0] in "_." for part in name.split("/"))
                if path.suffix in {".qmd", ".ipynb"} and not hidden:
                    by_name[name] = None
        return tuple(by_name)


def lint(node: yaml.Node, schema: Schema, file: str, first: int = 1, at: str = "") -> list[Fault]:
    r"""Compare a YAML tree with a schema and return what the renderer cannot honour.

    Parameters
    ----------
    node : yaml.Node
        Composed, not constructed, so that each key knows its line.
    schema : Schema
        ANY, a tuple of allowed values, a mapping, or a list of one item schema.
    file : str
        Name for the faults.
    first : int
        Line of the file on which the YAML text begins.
    at : str
        Dotted path of this node.

    Examples
    --------
    >>> tree = yaml.compose("toc: true\nlightbox: auto")
    >>> [str(f) for f in lint(tree, {"toc": (True,)}, "a.qmd")]  # doctest: +ELLIPSIS
    ["a.qmd:2 [lightbox] 'lightbox': not supported by the embedded renderer; ..."]
    """
    if schema is ANY:
        return []
    row = node.start_mark.line + first
    if isinstance(schema, list):
        items = node.value if isinstance(node, yaml.SequenceNode) else [node]
        return [fault for item in items for fault in lint(item, schema[0], file, first, at)]
    if isinstance(schema, tuple):
        value = yaml.safe_load(yaml.serialize(node))
        if value in schema and isinstance(value, bool) == isinstance(
            schema[schema.index(value)], bool
        ):
            return []
        allowed = ", ".join(str(choice).lower() for choice in schema)
        return [Fault(file, "value not supported", f"use one of: {allowed}", row, at, str(value))]
    if not isinstance(node, yaml.MappingNode):
        # A bare scalar where options could stand (`execute: false`, a path as sidebar entry).
        return []
    faults: list[Fault] = []
    seen: set[str] = set()
    for key, value in node.value:
        name = str(key.value)
        path = f"{at}.{name}" if at else name
        here = key.start_mark.line + first
        if name in seen:
            faults.append(Fault(file, "key given twice", "keep one of them", here, path, name))
        seen.add(name)
        if name not in schema:
            problem = "not supported by the embedded renderer"
            faults.append(Fault(file, problem, REMEDY, here, path, name))
        else:
            faults += lint(value, schema[name], file, first, path)
    return faults


def read_yaml(text: str, schema: Schema, file: str, first: int = 1) -> dict[str, Any]:
    """Parse a YAML mapping and refuse what the schema does not know.

    Raises
    ------
    FaultsError
        For a syntax error, a text that is no mapping, and every unknown key or value.
    """
    try:
        node = yaml.compose(text)
        value = yaml.safe_load(text)
    except yaml.YAMLError as error:
        mark = getattr(error, "context_mark", None) or getattr(error, "problem_mark", None)
        row = None if mark is None else mark.line + first
        problem = f"not valid YAML: {getattr(error, 'problem', None) or 'cannot be read'}"
        raise_if_any([Fault(file, problem, "mend the syntax on or near this line", row)])
        raise
    if node is None:
        return {}
    if not isinstance(value, dict):
        raise_if_any([Fault(file, "not a mapping of keys to values", "write `key: value`", first)])
    raise_if_any(lint(node, schema, file, first))
    return dict(value)


def strings(value: object) -> tuple[str, ...]:
    """Return a scalar or a list as a tuple of text.

    Examples
    --------
    >>> strings("a"), strings(["a", "b"]), strings(None)
    (('a',), ('a', 'b'), ())
    """
    if value is None:
        return ()
    return tuple(str(v) for v in value) if isinstance(value, list) else (str(value),)


def nav_items(value: object) -> tuple[NavItem, ...]:
    """Read a navbar or sidebar list: paths, ``text``/``href`` pairs, or sections.

    Examples
    --------
    >>> nav_items(["a.qmd", {"section": "B", "contents": [{"text": "C", "href": "c.qmd"}]}])[1]
    NavItem(text='B', href='', items=(NavItem(text='C', href='c.qmd', items=()),))
    """
    items = []
    for entry in value if isinstance(value, list) else []:
        if isinstance(entry, dict):
            label = str(entry.get("section") or entry.get("text") or "")
            inner = nav_items(entry.get("contents"))
            items.append(NavItem(label, str(entry.get("href") or ""), inner))
        else:
            items.append(NavItem("", str(entry)))
    return tuple(items)


def html_options(raw: Mapping[str, Any], base: Html | None = None) -> Html:
    """Lay the options of a page or project over those of ``base``.

    Examples
    --------
    >>> html_options({"toc": False}).toc, html_options({}, Html(toc_depth=2)).toc_depth
    (False, 2)
    """
    base = base or Html()
    return Html(
        css=strings(raw.get("css")) or base.css,
        include_in_header=strings(raw.get("include-in-header")) or base.include_in_header,
        include_after_body=strings(raw.get("include-after-body")) or base.include_after_body,
        toc=bool(raw.get("toc", base.toc)),
        toc_depth=int(raw.get("toc-depth", base.toc_depth)),
        toc_title=str(raw.get("toc-title", base.toc_title)),
        code_fold=raw.get("code-fold", base.code_fold),
        code_summary=str(raw.get("code-summary", base.code_summary)),
    )


def read_project(folder: Path) -> Project:
    """Read ``_quarto.yml`` of a project folder.

    Parameters
    ----------
    folder : Path
        The folder that holds the file.

    Returns
    -------
    Project
        Typed options.

    Raises
    ------
    FaultsError
        If the file is missing, broken, or asks for something the embedded renderer lacks.
    """
    path = folder / "_quarto.yml"
    if not path.is_file():
        raise_if_any([Fault("_quarto.yml", "not found", "run inside a Quarto project folder")])
    raw = read_yaml(path.read_text(encoding="utf-8"), QUARTO, "_quarto.yml")
    site = raw.get("website") or {}
    if not site.get("title"):
        raise_if_any([Fault("_quarto.yml", "no title", "set website.title", column="website")])
    execute = raw.get("execute")
    navbar = site.get("navbar") or {}
    project = raw.get("project") or {}
    bars = site.get("sidebar") or []
    sidebars = [
        Sidebar(str(bar.get("title") or ""), nav_items(bar.get("contents")))
        for bar in (bars if isinstance(bars, list) else [bars])
    ]
    return Project(
        folder=folder,
        title=str(site["title"]),
        description=str(site.get("description") or ""),
        site_url=str(site.get("site-url") or "").rstrip("/"),
        lang=str(raw.get("lang") or "en"),
        favicon=str(site.get("favicon") or ""),
        search=bool(site.get("search", True)),
        page_navigation=bool(site.get("page-navigation", False)),
        bread_crumbs=bool(site.get("bread-crumbs", False)),
        render=strings(project.get("render")) or ("**/*.qmd", "**/*.ipynb"),
        resources=strings(project.get("resources")),
        bibliography=strings(raw.get("bibliography")),
        csl=str(raw.get("csl") or ""),
        execute=execute if isinstance(execute, dict) else {},
        navbar=nav_items(navbar.get("left")) + nav_items(navbar.get("right")),
        sidebar=sidebars[0].items if sidebars else (),
        others=tuple(sidebars[1:]),
        footer={k: str(v) for k, v in (site.get("page-footer") or {}).items()},
        html=html_options((raw.get("format") or {}).get("html") or {}),
    )
