"""What neither renderer would show as written: refused before either sees it, with file and line.

Pandoc reads a rule that is followed by text as front matter, and a backslash followed by letters
as TeX, and drops both from a web page without a word. Quarto and the embedded renderer agree in
that, and in showing the plain text of a chart that they cannot draw.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import yaml

from analysis.faults import Fault
from analysis.site.annotate import RAW_FORMATS, cell_options, raw_format
from analysis.site.digest import source_of
from analysis.site.embedded.cells import mime_of
from analysis.site.embedded.source import Line, to_lines, with_fences

_CODE = re.compile(r"(?<!`)(`+)(?!`).+?(?<!`)\1(?!`)", re.DOTALL)
_DISPLAY = re.compile(r"\$\$.*?\$\$", re.DOTALL)
_MATH = re.compile(r"(?<![\\$])\$(?=[^\s$])(?:\\.|[^$\\\n])*?(?<=\S)\$(?!\d)")
_COMMENT = re.compile(r"<!--.*?-->", re.DOTALL)
_TEX = re.compile(r"(?<!\\)(?:\\\\)*\\[A-Za-z]+")
_HEAD = re.compile(r"\A---\n.*?\n(?:---|\.\.\.)[ \t]*(?:\n|\Z)", re.DOTALL)


def rules_with_text(lines: Iterable[Line]) -> Iterator[Fault]:
    """Yield each rule that opens a paragraph and is followed by text: it is read as YAML.

    Parameters
    ----------
    lines : iterable of Line
        Markdown without front matter.
    """
    before, opened = "", None
    for line, code in with_fences(lines):
        if opened is not None and line.text.strip():
            remedy = "leave an empty line below the rule, or write ***"
            problem = "a rule followed by text is read as front matter, and the text is lost"
            yield opened.fault(problem, remedy, line.text)
        rule = not code and line.text.rstrip() == "---" and not before.strip()
        opened, before = (line if rule else None), line.text


def tex_commands(lines: Iterable[Line]) -> Iterator[Fault]:
    """Yield each backslash before letters, outside code and formulas: it is read as TeX.

    Parameters
    ----------
    lines : iterable of Line
        Markdown without front matter.
    """
    marked = list(with_fences(lines))
    text = "\n".join("" if code else line.text for line, code in marked)
    for pattern in (_CODE, _COMMENT, _DISPLAY, _MATH):
        text = pattern.sub(lambda match: re.sub(r"[^\n]", " ", match[0]), text)
    for hit in _TEX.finditer(text):
        line = marked[text.count("\n", 0, hit.start())][0]
        remedy = "put it into backticks, or write two backslashes"
        yield line.fault("a backslash before letters is read as TeX, and lost", remedy, hit[0])


def markdown_faults(text: str, name: str, cell: str = "", first: int = 1) -> list[Fault]:
    r"""Return what of a Markdown text would be lost.

    Parameters
    ----------
    text : str
        Without front matter.
    name : str
        Its file.
    cell : str
        ``cell 3`` and so on in a notebook.
    first : int
        Line of the file on which the text begins.

    Examples
    --------
    >>> [fault.value for fault in markdown_faults(r"In C:\data, but $\alpha$ and `\b`.", "a.qmd")]
    ['\\data']
    """
    lines = to_lines(text.replace("\r\n", "\n"), name, first, cell)
    return [*rules_with_text(lines), *tex_commands(lines)]


def page_faults(text: str, name: str) -> list[Fault]:
    """Return what of a page ``.qmd`` would be lost."""
    text = text.replace("\r\n", "\n")
    head = _HEAD.match(text)
    body = text[head.end() :] if head else text
    return markdown_faults(body, name, first=1 + (head[0].count("\n") if head else 0))


def notebook_faults(content: Mapping[str, Any], name: str) -> list[Fault]:
    """Return what of an executed notebook would be lost or shown as something else.

    Parameters
    ----------
    content : mapping
        The notebook.
    name : str
        Its file.
    """
    faults: list[Fault] = []
    for number, cell in enumerate(content["cells"], start=1):
        where, kind = f"cell {number}", cell["cell_type"]
        if cell.get("attachments"):
            problem = "an image pasted into a cell has no file, so no page can show it"
            remedy = "save it in assets/ and write ![what it shows](/assets/FILE)"
            value = ", ".join(cell["attachments"])
            faults.append(Fault(name, problem, remedy, column=where, value=value))
        if kind == "markdown":
            faults += markdown_faults(source_of(cell), name, where)
        elif kind == "raw" and number > 1 and source_of(cell).strip():
            faults += _raw_faults(cell, name, where)
        elif kind == "code":
            faults += _form_faults(cell, name, where)
    return faults


def _raw_faults(cell: Mapping[str, Any], name: str, where: str) -> list[Fault]:
    form = raw_format(cell)
    if form in RAW_FORMATS:
        return []
    problem = "a raw cell of this form is not shown on a web page"
    remedy = f"write Markdown, or give it one of the forms {', '.join(RAW_FORMATS)}"
    return [Fault(name, problem, remedy, column=where, value=form or source_of(cell)[:60])]


def _form_faults(cell: Mapping[str, Any], name: str, where: str) -> list[Fault]:
    """Return outputs that stand only in forms no page can show."""
    try:
        options = cell_options(source_of(cell))
    except yaml.YAMLError:  # named where cells are dressed
        return []
    if options.get("include") is False or options.get("output") is False:
        return []
    return [
        Fault(
            name,
            "output in an unsupported form",
            "show text, Markdown, HTML, SVG or an image",
            column=where,
            value=", ".join(output["data"]),
        )
        for output in cell["outputs"]
        if output.get("data") and not mime_of(output)
    ]
