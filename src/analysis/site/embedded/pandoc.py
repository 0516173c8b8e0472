"""Runs pandoc on one page and turns what its filter reports into faults with file and line."""

from __future__ import annotations

import json
import re
import subprocess
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

import pypandoc

from analysis.faults import Fault, FaultsError, raise_if_any
from analysis.site.embedded.labels import labels
from analysis.site.embedded.memory import Memory
from analysis.site.embedded.source import Page
from analysis.site.project import Html, Project, strings

HERE = Path(__file__).parent
FILTERS = ("filter.lua", "bibliography.lua")
"""Pandoc runs them in this order."""
PARTS = ("body", "toc", "title", "plain", "subtitle", "description", "left", "center", "right")
SEPARATOR = "\x1e"
TEMPLATE = SEPARATOR.join(
    (
        "$body$",
        "$toc$",
        "$title$",
        "$pagetitle$",
        "$subtitle$",
        "$description$",
        "$footer-left$",
        "$footer-center$",
        "$footer-right$",
    )
)
READER = "markdown"
TEX_WARNING = re.compile(
    r"\[WARNING\] Could not convert TeX math\s(?P<tex>.*?),\s+rendering as TeX:(?P<why>.*)",
    re.DOTALL,
)
LINE_WARNING = re.compile(r"\s*\bat line (\d+) column \d+")
MONTHS = (
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
)


@dataclass(frozen=True)
class Rendered:
    """HTML pieces of one page."""

    page: Page
    body: str
    toc: str
    title: str
    plain: str
    subtitle: str
    description: str
    footer: tuple[str, str, str]
    authors: tuple[str, ...]
    date: str
    html: Html


@cache
def executable() -> str:
    """Return the path of the pandoc inside ``pypandoc_binary``."""
    return str(pypandoc.get_pandoc_path())


def long_date(value: object) -> str:
    """Print an ISO date as Quarto does; other text stays.

    Examples
    --------
    >>> long_date("2024-03-05"), long_date("spring")
    ('March 5, 2024', 'spring')
    """
    try:
        day = date.fromisoformat(str(value))
    except ValueError:
        return str(value or "")
    return f"{MONTHS[day.month - 1]} {day.day}, {day.year}"


def authors(value: object) -> tuple[str, ...]:
    """Return author names from text, a list, or mappings with ``name``.

    Examples
    --------
    >>> authors([{"name": "A"}, "B"]), authors("C")
    (('A', 'B'), ('C',))
    """
    entries = value if isinstance(value, list) else [] if value is None else [value]
    return tuple(str(e.get("name", "")) if isinstance(e, dict) else str(e) for e in entries)


def metadata(project: Project, page: Page) -> dict[str, Any]:
    """Return what pandoc's template and citations need to know of a page."""
    meta = page.meta
    files = strings(meta.get("bibliography")) or project.bibliography
    base = project.folder
    by_name: dict[str, Any] = {
        "title": str(meta["title"]),
        "pagetitle": re.sub(r"[*_`]", "", str(meta.get("pagetitle") or meta["title"])),
        "lang": str(meta.get("lang") or project.lang),
        "site-labels": dict(labels(str(meta.get("lang") or project.lang))),
        "link-citations": True,
        "bibliography": [str(base / f) for f in files if (base / f).is_file()],
        **{f"footer-{side}": text for side, text in project.footer.items()},
    }
    for key in ("subtitle", "description", "nocite"):
        if meta.get(key):
            by_name[key] = meta[key]
    if name := str(meta.get("csl") or project.csl):
        # As in Quarto: the style that a page asks for is looked for beside the page.
        style = ((base / page.path).parent if meta.get("csl") else base) / name
        if not style.is_file():
            remedy = "correct its path, or remove csl"
            raise FaultsError(
                [Fault(page.path, "no such citation style", remedy, None, "csl", name)]
            )
        by_name["csl"] = str(style)
    return by_name


def reports(stderr: str) -> list[str]:
    r"""Return what pandoc and its filter said, each with the indented lines that go on with it.

    Examples
    --------
    >>> reports("[WARNING] No formula \n  x{\nFAULT\ta\tb\tc")
    ['[WARNING] No formula \n  x{', 'FAULT\ta\tb\tc']
    """
    names: list[str] = []
    for line in stderr.splitlines():
        if line.startswith(" ") and names:
            names[-1] += f"\n{line}"
        else:
            names.append(line)
    return names


def filter_faults(page: Page, stderr: str) -> list[Fault]:
    """Turn the filter's reports into faults, and pandoc's own complaints too."""
    faults: dict[tuple[str, str], Fault] = {}
    for report in reports(stderr):
        line = None
        if report.startswith("FAULT\t"):
            _, needle, problem, remedy = report.split("\t", 3)
        elif tex := TEX_WARNING.match(report):
            needle, problem = " ".join(tex["tex"].split()), "formula that cannot be read"
            why = re.findall(r"^\s*(unexpected .*)", tex["why"], re.MULTILINE)
            remedy = f"mend the TeX ({why[-1]})" if why else "mend the TeX"
        elif report.startswith("[WARNING]") and "translation" not in report:
            needle, remedy = "", "mend the Markdown"
            problem = report.removeprefix("[WARNING]").strip()
            at = LINE_WARNING.search(problem)
            # Pandoc counts the lines it was given, which are not those of the file.
            if at and int(at[1]) <= len(page.lines):
                line = page.lines[int(at[1]) - 1]
                problem = LINE_WARNING.sub("", problem)
        else:
            continue
        line = line or (page.find(needle) if needle else None)
        if line is None:
            faults[needle, problem] = Fault(page.path, problem, remedy, None, "", needle)
        else:
            faults[needle, problem] = line.fault(problem, remedy, needle)
    # A Lua table has no order of its own.
    return sorted(faults.values(), key=lambda fault: (fault.row or 0, str(fault)))


def dependencies(text: str, meta: Mapping[str, Any], html: Html) -> dict[str, bytes | str]:
    """Return all that the HTML of a page depends on, by name."""
    files = [*meta["bibliography"], *([meta["csl"]] if "csl" in meta else [])]
    known = {key: value for key, value in meta.items() if key not in {"bibliography", "csl"}}
    return {
        "text": text,
        "meta": json.dumps(known, sort_keys=True, default=str),
        "toc depth": str(html.toc_depth),
        "template": TEMPLATE,
        **{name: (HERE / name).read_bytes() for name in FILTERS},
        "this file": Path(__file__).read_bytes(),
        "pandoc": f"{executable()} {Path(executable()).stat().st_size}",
        **{Path(file).name: Path(file).read_bytes() for file in files},
    }


def run(project: Project, page: Page, html: Html, memory: Memory | None = None) -> Rendered:
    """Render one page to HTML pieces.

    Parameters
    ----------
    project : Project
        The project.
    page : Page
        Ready for pandoc.
    html : Html
        Options of this page.
    memory : Memory, optional
        Of earlier renderings.

    Raises
    ------
    FaultsError
        For everything the filter refuses and everything pandoc warns of.
    """
    text = "\n".join(line.text for line in page.lines) + "\n"
    meta = metadata(project, page)
    output = (memory or Memory()).text(
        dependencies(text, meta, html), lambda: _converted(page, text, meta, html)
    )
    parts = dict(zip(PARTS, (part.strip() for part in output.split(SEPARATOR)), strict=True))
    return Rendered(
        page=page,
        body=parts["body"],
        toc=parts["toc"],
        title=parts["title"],
        plain=parts["plain"],
        subtitle=parts["subtitle"],
        description=parts["description"],
        footer=(parts["left"], parts["center"], parts["right"]),
        authors=authors(page.meta.get("author")),
        date=long_date(page.meta.get("date")),
        html=html,
    )


def _converted(page: Page, text: str, meta: Mapping[str, Any], html: Html) -> str:
    """Return what pandoc makes of a page."""
    with tempfile.TemporaryDirectory(prefix="page-") as folder:
        work = Path(folder)
        (work / "meta.json").write_text(json.dumps(meta), encoding="utf-8")
        (work / "parts.txt").write_text(TEMPLATE, encoding="utf-8")
        command = [
            executable(),
            "--from",
            READER,
            "--to",
            "html5",
            "--wrap=none",
            "--eol=lf",
            "--mathml",
        ]
        command += ["--section-divs", "--toc", f"--toc-depth={html.toc_depth}", "--standalone"]
        command += ["--template", str(work / "parts.txt")]
        command += ["--metadata-file", str(work / "meta.json")]
        command += [f"--lua-filter={HERE / name}" for name in FILTERS]
        command += ["--output", str(work / "out.html")]
        done = subprocess.run(command, input=text.encode(), capture_output=True, check=False)
        stderr = done.stderr.decode("utf-8", "replace")
        faults = filter_faults(page, stderr)
        if done.returncode and not faults:
            problem = f"pandoc failed: {stderr.strip()}"
            faults = [Fault(page.path, problem, "mend the Markdown of this page")]
        raise_if_any(faults)
        return (work / "out.html").read_text(encoding="utf-8")
