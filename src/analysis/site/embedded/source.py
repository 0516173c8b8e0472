"""From a page's source file to Markdown lines that remember where they came from.

Pandoc sees one text; a fault must name the file and line a person can edit. So every line carries
its origin through front matter, includes, variables and notebook cells.
"""

from __future__ import annotations

import json
import posixpath
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import yaml

from analysis.faults import Fault, raise_if_any
from analysis.site.project import ANY, BOOL, EXECUTE, HTML, Project, Schema, read_yaml

FRONT_MATTER: Schema = {
    **dict.fromkeys(("title", "subtitle", "pagetitle", "description", "author", "date"), ANY),
    **dict.fromkeys(("lang", "bibliography", "csl", "nocite", "keywords"), ANY),
    **dict.fromkeys(("jupyter", "analysis"), ANY),
    "toc": BOOL,
    "toc-depth": (1, 2, 3, 4, 5, 6),
    "toc-title": ANY,
    "code-fold": (True, False, "show"),
    "code-summary": ANY,
    "notebook-links": (False,),
    "search": BOOL,
    "execute": EXECUTE,
    "format": {"html": HTML},
}
VALUES = "_values"
"""Where texts of kept numbers stand among the variables, by language and name."""
SHORTCODE = re.compile(r"\{\{<\s*(?P<body>.*?)\s*>\}\}")
ESCAPED = re.compile(r"\{\{\{<(.*?)>\}\}\}|\{\{</\*(.*?)\*/>\}\}")
FENCE = re.compile(r"^(?P<indent>\s*)(?P<ticks>`{3,}|~{3,})(?P<info>[^`]*)$")
EXECUTABLE = re.compile(r"^\{(?P<engine>[a-zA-Z]\w*)[ ,}]")
ANNOTATION = re.compile(r"(#|//|--)\s*<\d+>\s*$")
INLINE = re.compile(r"(?<!`)`\{(?P<engine>\w+)\}\s+(?P<expr>[^`]+)`(?!`)")


@dataclass(frozen=True)
class Line:
    """One line of Markdown and where a person finds it.

    Attributes
    ----------
    text : str
        Without its line break.
    file : str
        Path in the project.
    row : int
        Line of the file, or of the cell if there is one.
    cell : str
        ``cell 3`` and so on in a notebook, else empty.
    """

    text: str
    file: str
    row: int
    cell: str = ""

    def fault(self, problem: str, remedy: str, value: str = "") -> Fault:
        """Make a fault that points here."""
        column = f"{self.cell}, line counted in the cell" if self.cell else ""
        return Fault(self.file, problem, remedy, self.row, column, value)


@dataclass(frozen=True)
class Page:
    """A page ready for pandoc: front matter and Markdown lines.

    Attributes
    ----------
    path : str
        Source path in the project.
    meta : mapping
        Front matter.
    lines : tuple of Line
        Markdown.
    files : mapping of str to bytes
        Files the page brings along (figures of a notebook), by output path.
    """

    path: str
    meta: Mapping[str, Any]
    lines: tuple[Line, ...]
    files: Mapping[str, bytes]

    def find(self, needle: str, nth: int = 0) -> Line | None:
        """Return the line that holds ``needle``, or None.

        Where no line holds it as it is, line ends and percent signs of addresses are looked
        through: pandoc reports a formula over several lines as one, and a space as ``%20``.

        Parameters
        ----------
        needle : str
            Part of the Markdown.
        nth : int
            Which of several places, from 0; the last one if there are fewer.
        """
        held = [line for line in self.lines if needle in line.text] or self._spread(needle)
        return held[min(nth, len(held) - 1)] if held else None

    def _spread(self, needle: str) -> list[Line]:
        """Return the lines where ``needle`` begins, whatever its spaces are."""
        words = [re.escape(word) for word in unquote(needle).split()]
        text = "\n".join(line.text for line in self.lines)
        entries = re.finditer(r"\s+".join(words), text) if words else ()
        return [self.lines[text.count("\n", 0, match.start())] for match in entries]


def to_lines(text: str, file: str, first: int = 1, cell: str = "") -> list[Line]:
    r"""Split text into lines with their origin.

    Examples
    --------
    >>> to_lines("a\nb", "x.qmd", first=4)[1]
    Line(text='b', file='x.qmd', row=5, cell='')
    """
    return [Line(t, file, first + i, cell) for i, t in enumerate(text.split("\n"))]


def split_front_matter(text: str, file: str, cell: str = "") -> tuple[dict[str, Any], list[Line]]:
    r"""Separate the YAML block at the top from the Markdown below it.

    Examples
    --------
    >>> meta, lines = split_front_matter("---\ntitle: T\n---\nBody", "x.qmd")
    >>> meta, lines[0].row
    ({'title': 'T'}, 4)
    """
    lines = to_lines(text.replace("\r\n", "\n"), file, cell=cell)
    if not lines or lines[0].text.rstrip() != "---":
        return {}, lines
    for end, line in enumerate(lines[1:], start=1):
        if line.text.rstrip() in {"---", "..."}:
            block = "\n".join(x.text for x in lines[1:end])
            return read_yaml(block, FRONT_MATTER, file, first=2), lines[end + 1 :]
    raise_if_any([lines[0].fault("front matter never ends", "close it with a line of `---`")])
    return {}, lines


def with_fences(lines: Iterable[Line]) -> Iterator[tuple[Line, bool]]:
    """Yield each line with whether it is code: inside a fence, or the fence itself."""
    closing = ""
    for line in lines:
        fence = FENCE.match(line.text)
        if closing:
            yield line, True
            if fence and fence["ticks"].startswith(closing) and not fence["info"].strip():
                closing = ""
        elif fence:
            closing = fence["ticks"]
            yield line, True
        else:
            yield line, False


def code_faults(lines: Iterable[Line]) -> list[Fault]:
    """Return what no renderer can run here: executable fences, diagrams, annotated code."""
    faults, outside = [], True
    for line, code in with_fences(lines):
        fence = FENCE.match(line.text) if code else None
        info = fence["info"].strip() if fence and outside else ""
        outside = not code or (fence is not None and not fence["info"].strip() and not outside)
        engine = EXECUTABLE.match(info)
        if engine:
            value = "{" + engine["engine"] + "}"
            if engine["engine"] in {"mermaid", "dot", "ojs"}:
                remedy = "draw the figure in a notebook, with alt text"
                faults.append(line.fault("diagram or script block not supported", remedy, value))
            else:
                remedy = "put the code into a notebook; pages only show text"
                faults.append(line.fault("executable code in a page", remedy, value))
        elif code and ANNOTATION.search(line.text):
            remedy = "explain the code in the text"
            faults.append(line.fault("code annotations are not supported", remedy, line.text))
    return faults


def lookup(tree: object, dotted: str) -> object:
    """Follow a dotted key through nested mappings; None where it leads nowhere.

    Examples
    --------
    >>> lookup({"finding": {"n": 3}}, "finding.n")
    3
    """
    for key in dotted.split("."):
        tree = tree.get(key) if isinstance(tree, dict) else None
    return tree


def as_markdown(value: object) -> str:
    """Print a YAML scalar the way Quarto does.

    Examples
    --------
    >>> as_markdown(True), as_markdown("*a*"), as_markdown(3)
    ('true', '*a*', '3')
    """
    return str(value).lower() if isinstance(value, bool) else str(value).strip()


@dataclass(frozen=True)
class Expander:
    """Replaces shortcodes in lines.

    Attributes
    ----------
    project : Project
        For the folder.
    variables : mapping
        Content of ``_variables.yml``.
    embed : callable
        Takes a line, a notebook path, a label and whether code is shown; returns that cell's
        Markdown lines.
    files : dict of str to bytes
        Takes the figures of the page, by output path.
    """

    project: Project
    variables: Mapping[str, Any]
    embed: Callable[[Line, str, str, bool], list[Line]]
    files: dict[str, bytes]

    def resolve(self, line: Line, target: str) -> str:
        """Return a path written in ``line`` as a path in the project."""
        if target.startswith("/"):
            return target[1:]
        return posixpath.normpath(posixpath.join(posixpath.dirname(line.file), target))

    def expand(
        self, lines: Iterable[Line], meta: Mapping[str, Any], stack: tuple[str, ...] = ()
    ) -> list[Line]:
        """Return the lines with includes, embeds, variables and metadata in place.

        Raises
        ------
        FaultsError
            For an unknown shortcode, variable or file, and for an include inside a paragraph.
        """
        done: list[Line] = []
        faults: list[Fault] = []
        for line, code in with_fences(lines):
            whole = SHORTCODE.fullmatch(line.text.strip())
            words = whole["body"].split() if whole and not code else []
            if words[:1] == ["include"]:
                done += self._include(line, words, meta, stack, faults)
            elif words[:1] == ["embed"]:
                done += self._embed(line, words, faults)
            else:
                done.append(replace(line, text=self._inline(line, meta, faults)))
        raise_if_any(faults)
        return done

    def _include(
        self,
        line: Line,
        words: list[str],
        meta: Mapping[str, Any],
        stack: tuple[str, ...],
        faults: list[Fault],
    ) -> list[Line]:
        name = self.resolve(line, words[1]) if len(words) == 2 else ""
        path = self.project.folder / name
        if not name or not path.is_file():
            value = " ".join(words)
            faults.append(line.fault("included file not found", "mend the path", value))
            return []
        if name in stack:
            faults.append(line.fault("file includes itself", "break the circle", name))
            return []
        text = path.read_text(encoding="utf-8").replace("\r\n", "\n")
        return [
            Line("", line.file, line.row, line.cell),
            *self.expand(to_lines(text, name), meta, (*stack, name)),
            Line("", line.file, line.row, line.cell),
        ]

    def _embed(self, line: Line, words: list[str], faults: list[Fault]) -> list[Line]:
        echo = words[2:] == ["echo=true"]
        known = len(words) == 2 or echo
        target, _, label = (words[1] if known else "").partition("#")
        name = self.resolve(line, target)
        if not label or not (self.project.folder / name).is_file():
            remedy = "write {{< embed notebook.ipynb#label >}} with an existing notebook, or label "
            remedy += "echo=true to show its code too"
            faults.append(line.fault("cell to embed not found", remedy, " ".join(words)))
            return []
        return self.embed(line, name, label, echo)

    def _inline(self, line: Line, meta: Mapping[str, Any], faults: list[Fault]) -> str:
        def value(match: re.Match[str]) -> str:
            words = match["body"].split()
            name, key = words[0] if words else "", " ".join(words[1:]).strip("\"'")
            if name == "val":
                lang = "zh" if str(meta.get("lang") or self.project.lang)[:2] == "zh" else "en"
                text = str(lookup(self.variables, f"{VALUES}.{lang}.{key}") or "")
                if not text:
                    remedy = "keep it in a notebook: va.keep(number, name)"
                    faults.append(line.fault("no number is kept under this name", remedy, key))
                return text
            if name in {"var", "meta"}:
                result = lookup(self.variables if name == "var" else meta, key)
                place = "_variables.yml" if name == "var" else "the front matter"
                if result is None or isinstance(result, dict | list):
                    remedy = f"define it in {place} as text"
                    faults.append(line.fault(f"unknown {name} value", remedy, key))
                    return ""
                text = as_markdown(result)
                if "\n" in text:
                    remedy = "use a value of one line, or an include"
                    faults.append(line.fault(f"{name} value has several lines", remedy, key))
                return text
            if name in {"include", "embed"}:
                remedy = "give it a line of its own, outside code"
                faults.append(line.fault(f"{name} inside a paragraph", remedy, match[0]))
            else:
                remedy = "the embedded renderer knows include, embed, var, val and meta"
                faults.append(line.fault("unsupported shortcode", remedy, match[0]))
            return ""

        kept: list[str] = []

        def keep(match: re.Match[str]) -> str:
            body = match[1] if match[1] is not None else match[2]
            kept.append("{{<" + body + ">}}")
            return f"\x00{len(kept) - 1}\x00"

        text = SHORTCODE.sub(value, ESCAPED.sub(keep, line.text))
        return re.sub(r"\x00(\d+)\x00", lambda m: kept[int(m[1])], text)


def read_variables(folder: Path) -> dict[str, Any]:
    """Read ``_variables.yml`` and the kept numbers; an absent file has none."""
    kept = folder / f"{VALUES}.json"
    values = json.loads(kept.read_text(encoding="utf-8")) if kept.is_file() else {}
    path = folder / "_variables.yml"
    if not path.is_file():
        return {VALUES: values}
    try:
        value = yaml.safe_load(path.read_text(encoding="utf-8"))
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        row = None if mark is None else mark.line + 1
        raise_if_any([Fault(path.name, "not valid YAML", "mend the syntax on this line", row)])
        raise
    return {**(value if isinstance(value, dict) else {}), VALUES: values}


def read_qmd(expander: Expander, name: str) -> Page:
    """Read a ``.qmd`` page.

    Raises
    ------
    FaultsError
        For front matter, code or shortcodes that are not supported.
    """
    text = (expander.project.folder / name).read_text(encoding="utf-8")
    meta, body = split_front_matter(text, name)
    faults = [
        line.fault("inline code in a page", "use {{< var … >}} or a notebook", match[0])
        for line, code in with_fences(body)
        for match in INLINE.finditer("" if code else line.text)
    ]
    raise_if_any(code_faults(body) + faults)
    return Page(name, meta, tuple(expander.expand(body, meta)), expander.files)
