"""A code cell of an executed notebook as Markdown: options, code, outputs, captions."""

from __future__ import annotations

import base64
import html
import posixpath
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import yaml

from analysis.faults import Fault, FaultsError, raise_if_any
from analysis.site.embedded.source import Line
from analysis.site.project import ANY, BOOL, Project, Schema, lint, strings

OPTIONS: Schema = {
    **dict.fromkeys(("label", "fig-cap", "fig-alt", "tbl-cap", "code-summary", "classes"), ANY),
    **dict.fromkeys(("fig-width", "fig-height", "fig-dpi", "tags"), ANY),
    **dict.fromkeys(("echo", "include", "eval", "warning", "error"), BOOL),
    "output": (True, False, "asis"),
    "code-fold": (True, False, "show"),
}
# The order in which Quarto picks among the forms of one output for HTML.
MIMES = ("text/html", "text/markdown", "image/svg+xml", "image/png", "image/jpeg", "text/latex")
SUFFIX = {"image/svg+xml": "svg", "image/png": "png", "image/jpeg": "jpg"}
PLOT_ECHO = ("[<matplotlib", "<matplotlib", "<seaborn.", "<Figure size")
SVG_SIZE = re.compile(r"<svg\b[^>]*?>", re.DOTALL)


@dataclass(frozen=True)
class Cell:
    """A code cell with its options taken off.

    Attributes
    ----------
    number : int
        Place in the notebook, from 1.
    options : mapping
        The ``#|`` options.
    source : str
        The code without them.
    outputs : list of dict
        As stored.
    origin : Line
        First line of the cell, for faults.
    """

    number: int
    options: Mapping[str, Any]
    source: str
    outputs: list[dict[str, Any]]
    origin: Line

    @property
    def label(self) -> str:
        """The cell's label, or empty."""
        return str(self.options.get("label") or "")


def joined(value: object) -> str:
    """Return notebook text, which may be stored as a list of lines."""
    return "".join(str(v) for v in value) if isinstance(value, list) else str(value or "")


def read_options(source: str, origin: Line) -> tuple[dict[str, Any], str]:
    r"""Split ``#|`` lines from code and parse them.

    Raises
    ------
    FaultsError
        For broken YAML and for options the embedded renderer does not know.

    Examples
    --------
    >>> read_options("#| label: fig-a\n1 + 1", Line("", "n.ipynb", 1))
    ({'label': 'fig-a'}, '1 + 1')
    """
    lines = source.split("\n")
    count = 0
    while count < len(lines) and lines[count].startswith("#|"):
        count += 1
    block = "\n".join(line[2:].removeprefix(" ") for line in lines[:count])
    code = "\n".join(lines[count:]).strip("\n")
    if not block.strip():
        return {}, code
    try:
        node, value = yaml.compose(block), yaml.safe_load(block)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = replace(origin, row=1 if mark is None else mark.line + 1)
        raise_if_any([line.fault("cell options are not valid YAML", "mend this line")])
        raise
    if node is None or not isinstance(value, dict):
        raise_if_any([origin.fault("cell options are no `key: value` lines", "mend them", block)])
        return {}, code
    cell = f"{origin.cell}, line counted in the cell"
    faults = lint(node, OPTIONS, origin.file)
    raise_if_any(replace(f, column=f"{cell}: {f.column}") for f in faults)
    return value, code


def mime_of(output: Mapping[str, Any]) -> str:
    """Return the form of an output that HTML shows, or empty.

    Plain text beside a form that no page can show (a chart for a script, a widget) is what stands
    in for it in a terminal, not the output.

    Examples
    --------
    >>> mime_of({"data": {"text/plain": "1"}})
    'text/plain'
    >>> mime_of({"data": {"text/plain": "Chart", "application/vnd.vegalite.v5+json": {}}})
    ''
    """
    data = output.get("data") or {}
    forms = (*MIMES, *(["text/plain"] if len(data) == 1 else []))
    return next((mime for mime in forms if mime in data), "")


def shown(cell: Cell, project: Project, page_meta: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the outputs a reader sees."""
    execute = {**project.execute, **(page_meta.get("execute") or {})}
    if cell.options.get("output", execute.get("output", True)) is False:
        return []
    warning = cell.options.get("warning", execute.get("warning", True))
    kept = []
    for output in cell.outputs:
        kind = output.get("output_type")
        if kind == "stream" and output.get("name") == "stderr" and not warning:
            continue
        plain = joined((output.get("data") or {}).get("text/plain"))
        bare = kind == "execute_result" and mime_of(output) == "text/plain"
        if bare and plain.startswith(PLOT_ECHO):
            continue
        kept.append(output)
    return kept


def svg_size(svg: str) -> str:
    """Return width and height attributes in pixels, so that a page does not jump while loading.

    Examples
    --------
    >>> svg_size('<svg width="504pt" height="360pt">')
    ' width=672 height=480'
    """
    tag = SVG_SIZE.search(svg)
    sizes = []
    for name in ("width", "height"):
        match = re.search(rf'\s{name}="([\d.]+)(pt|px|)"', tag[0]) if tag else None
        if not match:
            return ""
        sizes.append(round(float(match[1]) * (4 / 3 if match[2] == "pt" else 1)))
    return f" width={sizes[0]} height={sizes[1]}"


def quoted(text: str) -> str:
    """Quote an attribute value for pandoc Markdown.

    Examples
    --------
    >>> quoted('a "b"')
    '"a &quot;b&quot;"'
    """
    return '"' + html.escape(" ".join(text.split()), quote=True).replace("&#x27;", "'") + '"'


def fenced(body: str, info: str) -> str:
    """Put text into a fence longer than any inside it."""
    longest = max((len(run) for run in re.findall(r"`{3,}", body)), default=2)
    ticks = "`" * (longest + 1)
    return f"{ticks} {info}\n{body.rstrip(chr(10))}\n{ticks}"


@dataclass(frozen=True)
class Figures:
    """Where a page's figure files go, and those made so far."""

    page: str
    files: dict[str, bytes]

    def add(self, name: str, mime: str, data: str) -> str:
        """Keep one image and return its address relative to the page."""
        stem = posixpath.basename(self.page).rsplit(".", 1)[0]
        address = f"{stem}_files/figure-html/{name}.{SUFFIX[mime]}"
        content = data.encode() if mime == "image/svg+xml" else base64.b64decode(data)
        self.files[posixpath.join(posixpath.dirname(self.page), address)] = content
        return address


def output_markdown(cell: Cell, output: Mapping[str, Any], index: int, figures: Figures) -> str:
    """Return the Markdown of one output, without its box."""
    kind = output.get("output_type")
    if kind == "stream":
        return fenced(joined(output.get("text")), "{.output-text}")
    if kind == "error":
        remedy = "mend the cell; a failed cell must not be published"
        value = f"{output.get('ename')}: {output.get('evalue')}"
        raise FaultsError([cell.origin.fault("cell ended in an error", remedy, value)])
    mime = mime_of(output)
    data = joined((output.get("data") or {}).get(mime))
    if mime in SUFFIX:
        name = f"{cell.label or f'cell-{cell.number}'}-output-{index + 1}"
        address = figures.add(re.sub(r"[^\w.-]", "-", name), mime, data)
        alts = cell.options.get("fig-alt")
        alt = (alts[index] if index < len(alts) else "") if isinstance(alts, list) else alts
        if not str(alt or "").strip():
            remedy = "give the cell `#| fig-alt:` with what the figure shows"
            raise FaultsError([cell.origin.fault("figure without alt text", remedy, cell.label)])
        size = svg_size(data) if mime == "image/svg+xml" else ""
        return f"![]({address}){{fig-alt={quoted(str(alt))}{size}}}"
    if mime == "text/html":
        return fenced(data, "{=html}")
    if mime in {"text/markdown", "text/latex"}:
        return data
    if mime == "text/plain":
        return fenced(data, "{.output-text}")
    forms = ", ".join((output.get("data") or {}).keys())
    remedy = "show text, Markdown, HTML, SVG or an image"
    raise FaultsError([cell.origin.fault("output in an unsupported form", remedy, forms)])


def captioned(cell: Cell, blocks: list[str]) -> list[str]:
    """Put outputs into the float that the cell's label and caption ask for."""
    kind = cell.label.split("-")[0]
    caption = cell.options.get("tbl-cap" if kind == "tbl" else "fig-cap")
    if isinstance(caption, list) or (kind in {"fig", "tbl"} and not blocks):
        problem = "several captions in one cell" if blocks else "labelled cell has no output"
        remedy = "one figure or table with one caption for each cell"
        raise FaultsError([cell.origin.fault(problem, remedy, cell.label)])
    if kind in {"fig", "tbl"} and cell.label.startswith(f"{kind}-"):
        text = [] if caption is None else ["", " ".join(str(caption).split())]
        return [f":::::: {{#{cell.label} .from-cell}}", *blocks, *text, "", "::::::", ""]
    if caption is None and cell.options.get("tbl-cap") is not None:
        caption = cell.options["tbl-cap"]
    if caption is not None:
        return ["::::: {.plain-figure}", *blocks, "", str(caption), "", ":::::", ""]
    return blocks


def code_markdown(cell: Cell, project: Project, page: Mapping[str, Any]) -> list[str]:
    """Return a cell's code as a block that the filter folds."""
    html_options = (page.get("format") or {}).get("html") or {}
    fallback = page.get("code-fold", html_options.get("code-fold", project.html.code_fold))
    state = str(cell.options.get("code-fold", fallback)).lower()
    default = page.get("code-summary", project.html.code_summary)
    title = quoted(str(cell.options.get("code-summary", default)))
    attributes = f'.python .cell-code code-fold="{state}" code-summary={title}'
    return ["", fenced(cell.source, "{" + attributes + "}"), ""]


def output_faults(cell: Cell, displays: list[dict[str, Any]]) -> list[Fault]:
    """Return where the number of outputs does not fit the cell's options."""
    images = [output for output in displays if mime_of(output) in SUFFIX]
    if len(images) > 1 and cell.label.startswith("fig-"):
        remedy = "one figure for each cell (subfigures are not supported)"
        return [cell.origin.fault("several figures in one cell", remedy, cell.label)]
    return []


def output_blocks(
    cell: Cell, outputs: list[dict[str, Any]], figures: Figures
) -> tuple[list[str], list[str]]:
    """Return what a cell printed, and what it displayed, as Markdown.

    Text printed beside a labelled figure stays outside of the figure, hence two lists.
    """
    asis = cell.options.get("output") == "asis"
    streams: list[str] = []
    displays: list[str] = []
    number = 0
    for output in outputs:
        stream = output.get("output_type") == "stream"
        if asis and stream and output.get("name") == "stdout":
            displays += ["", joined(output.get("text")), ""]
            continue
        text = output_markdown(cell, output, 0 if stream else number, figures)
        classes = f".cell-output-{output.get('name')}" if stream else ".cell-output-display"
        number += not stream
        boxed = [f"::::: {{.cell-output {classes}}}", "", text, "", ":::::", ""]
        target = streams if stream else displays
        target += ["", text, ""] if asis else boxed
    return streams, displays


def code_cell(
    cell: Cell, project: Project, page: Mapping[str, Any], figures: Figures, echo: bool | None
) -> list[str]:
    """Return a code cell's Markdown.

    Parameters
    ----------
    cell : Cell
        The cell.
    project : Project
        For defaults.
    page : mapping
        Front matter of the page, which overrides them.
    figures : Figures
        Takes the images.
    echo : bool or None
        Overrides the cell's own option (embedding shows no code).

    Raises
    ------
    FaultsError
        For outputs that cannot be shown, and figures without alt text.
    """
    if cell.options.get("include") is False:
        return []
    execute = {**project.execute, **(page.get("execute") or {})}
    visible = echo if echo is not None else cell.options.get("echo", execute.get("echo", True))
    out = code_markdown(cell, project, page) if visible and cell.source else []
    outputs = shown(cell, project, page)
    raise_if_any(output_faults(cell, [o for o in outputs if o.get("output_type") != "stream"]))
    floats = cell.label.startswith(("fig-", "tbl-"))
    streams, displays = output_blocks(cell, outputs, figures)
    out += streams + (captioned(cell, displays) if displays or floats else [])
    if not out or cell.options.get("output") == "asis":
        return out
    extra = "".join(f" .{name.removeprefix('.')}" for name in strings(cell.options.get("classes")))
    return ["", f"::::::: {{.cell{extra}}}", "", *out, "", ":::::::", ""]


def read_code_cell(name: str, number: int, raw: Mapping[str, Any]) -> Cell:
    """Read one code cell and its options."""
    source = joined(raw.get("source"))
    origin = Line(source.split("\n", 1)[0], name, 1, f"cell {number}")
    options, code = read_options(source, origin)
    return Cell(number, options, code, list(raw.get("outputs") or []), origin)
