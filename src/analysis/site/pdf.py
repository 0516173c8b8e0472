"""The report as one PDF: its pages in reading order, printed by headless Chromium.

The built pages are laid one after another into a single page, so that contents, links between pages
and page breaks are those of one document.
"""

from __future__ import annotations

import html
import os
import re
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from analysis.doctor import chinese_fonts, find_chromium
from analysis.faults import Fault, FaultsError
from analysis.site import summary
from analysis.site.check import resolve
from analysis.site.embedded.markup import ADDRESS, ID, is_outside, output_path
from analysis.site.embedded.pandoc import executable
from analysis.site.project import Project, read_project

TARGET = Path("reports") / "report.pdf"
PRINTED = Path("build") / "report.html"
PAPER = (
    "<style>@page { size: A4; margin: 16mm }"
    " @media print { body { font-size: 10pt; max-width: none; padding: 0 } }</style>"
)
"""How the summary is set: on two pages."""
WAIT = 300
"""Seconds that Chromium may take."""
_MAIN = re.compile(r"<main\b[^>]*>(.*)</main>", re.DOTALL)
_NAVIGATION = re.compile(r"<nav\b.*?</nav>", re.DOTALL)
_SCRIPT = re.compile(r"<script\b.*?</script>", re.DOTALL)
_TITLE = re.compile(r"<h1\b[^>]*>(.*?)</h1>", re.DOTALL)


def reading_order(project: Project) -> tuple[str, ...]:
    """Return the pages of the report: the first section of the sidebar, as HTML files."""
    first = next((item for item in project.sidebar if item.items), None)
    return tuple(output_path(leaf.href) for leaf in first.leaves()) if first else ()


def joined(pages: Mapping[str, str], title: str, base: str) -> str:
    """Return one page that holds the text of many.

    Parameters
    ----------
    pages : mapping of str to str
        HTML by address in the site, in reading order.
    title : str
        Of the whole.
    base : str
        Address of the site's folder, with a slash at its end.

    Returns
    -------
    str
        Ids are prefixed by the number of their page, and links between these pages lead inside;
        a link to another page of the site becomes its words.
    """
    base = html.escape(base)
    number = {name: f"p{n}" for n, name in enumerate(pages, start=1)}
    parts, contents = [], []
    for name, text in pages.items():
        main = _MAIN.search(text)
        body = _SCRIPT.sub("", _NAVIGATION.sub("", main[1] if main else ""))
        heading = _TITLE.search(body)
        words = re.sub(r"<[^>]+>", "", heading[1]) if heading else name
        contents.append(f'<li><a href="#{number[name]}-">{words}</a></li>')
        parts.append(f'<article id="{number[name]}-">{_inside(body, name, number, base)}</article>')
    return f"""<!DOCTYPE html>
<html lang="en" class="quarto-light">
<head><meta charset="utf-8"><title>{html.escape(title)}</title>
<link rel="stylesheet" href="{base}site_libs/shell.css">
<link rel="stylesheet" href="{base}assets/site.css">
<style>article {{ break-before: page; }} body {{ display: block; }}
main > ol {{ padding-left: 2.2rem; }}</style></head>
<body><main><h1 class="title">{html.escape(title)}</h1>
<ol>{"".join(contents)}</ol>
{"".join(parts)}</main><script src="{base}assets/site.js"></script></body></html>
"""


def _inside(body: str, page: str, number: Mapping[str, str], base: str) -> str:
    """Return the text of a page with ids of its own, and addresses that start at the site.

    A ``base`` element would do that too, but then links inside would lead out of the document.
    """

    def renamed(match: re.Match[str]) -> str:
        return match[0].replace(f'id="{match["id"]}"', f'id="{number[page]}-{match["id"]}"')

    def moved(match: re.Match[str]) -> str:
        url = html.unescape(match["url"])
        if is_outside(url):
            return match[0]
        target, anchor = resolve(page, url)
        if match["tag"].lower() != "a":
            return f"{match['head']}{match['quote']}{base}{html.escape(target)}{match['quote']}"
        if target not in number:
            return match["head"].rpartition(" ")[0]
        return f'{match["head"]}"#{number[target]}-{html.escape(anchor)}"'

    return ADDRESS.sub(moved, ID.sub(renamed, body))


def command(program: str, source: Path, target: Path) -> list[str]:
    """Return how Chromium is asked to print a file."""
    is_root = hasattr(os, "geteuid") and os.geteuid() == 0
    return [
        program,
        "--headless",
        "--disable-gpu",
        *(["--no-sandbox"] if is_root else []),
        "--allow-file-access-from-files",
        "--no-pdf-header-footer",
        "--generate-pdf-document-outline",
        f"--print-to-pdf={target}",
        source.as_uri(),
    ]


def make(root: Path, program: str | None = None) -> Path:
    """Print the report.

    Parameters
    ----------
    root : Path
        The project folder, its site built.
    program : str, optional
        Chromium; the one of this machine if left out.

    Returns
    -------
    Path
        The PDF.

    Raises
    ------
    FaultsError
        If there is no Chromium, no site, or Chromium prints nothing.
    """
    root = root.resolve()
    program = program or find_chromium()
    if not program:
        remedy = "install Chromium: on Debian the package chromium"
        raise FaultsError([Fault("make pdf", "no Chromium on this machine", remedy)])
    site, target, source = root / "reports" / "site", root / TARGET, root / PRINTED
    project = read_project(root)
    pages = _read(site, reading_order(project))
    source.parent.mkdir(parents=True, exist_ok=True)
    source.write_text(joined(pages, project.title, f"{site.as_uri()}/"), encoding="utf-8")
    return _print(source, target, program)


def make_summaries(root: Path, program: str | None = None) -> tuple[Path, ...]:
    """Print the Word files of the summary; the Chinese one only where a Chinese font is.

    Parameters
    ----------
    root : Path
        The project folder, its site built.
    program : str, optional
        Chromium; the one of this machine if left out.

    Returns
    -------
    tuple of Path
        The PDFs, in ``reports``.

    Raises
    ------
    FaultsError
        If there is no Chromium, no site, or Chromium prints nothing.
    """
    root = root.resolve()
    paths = []
    for language, name in summary.FILES.values():
        if language == "zh" and sys.platform == "linux" and not chinese_fonts():
            continue
        word = root / "reports" / "site" / name
        if not word.is_file():
            fault = Fault(f"reports/site/{name}", "the file is missing", "run make report first")
            raise FaultsError([fault])
        source = root / PRINTED.with_name(f"{word.stem}.html")
        source.parent.mkdir(parents=True, exist_ok=True)
        asked = [
            "--standalone",
            f"--metadata=lang:{language}",
            f"--metadata=pagetitle:{word.stem}",
            f"--variable=header-includes:{PAPER}",
        ]
        subprocess.run(
            [executable(), "--from", "docx", *asked, f"--output={source}", word],
            capture_output=True,
            check=True,
        )
        paths.append(_print(source, root / TARGET.with_name(f"{word.stem}.pdf"), program))
    return tuple(paths)


def _print(source: Path, target: Path, program: str | None) -> Path:
    """Print an HTML file by Chromium."""
    program = program or find_chromium()
    if not program:
        remedy = "install Chromium: on Debian the package chromium"
        raise FaultsError([Fault("make pdf", "no Chromium on this machine", remedy)])
    part = target.with_suffix(".part")
    part.unlink(missing_ok=True)
    try:
        done = subprocess.run(
            command(program, source, part),
            capture_output=True,
            text=True,
            check=False,
            timeout=WAIT,
        )
        text = " ".join(done.stderr.split()[-30:])
    except (OSError, subprocess.TimeoutExpired) as error:
        text = str(error)
    if not part.is_file() or not part.stat().st_size:
        remedy = "try make doctor; or print the pages from a browser"
        raise FaultsError([Fault("make pdf", f"Chromium printed nothing: {text}", remedy)])
    part.replace(target)
    return target


def _read(site: Path, names: Sequence[str]) -> dict[str, str]:
    """Return the HTML of the pages of a site.

    Raises
    ------
    FaultsError
        If one is not there.
    """
    missing = [name for name in names if not (site / name).is_file()]
    if missing or not names:
        problem = "there is no site yet" if names else "the sidebar has no section"
        raise FaultsError([Fault("reports/site", problem, "run make report first")])
    return {name: (site / name).read_text(encoding="utf-8") for name in names}
