"""From an executed notebook to Markdown lines, as Quarto reads it."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from typing import Any

from analysis.faults import Fault, FaultsError, raise_if_any
from analysis.site.embedded.cells import Figures, code_cell, joined, read_code_cell
from analysis.site.embedded.source import (
    INLINE,
    Expander,
    Line,
    Page,
    code_faults,
    read_qmd,
    split_front_matter,
    to_lines,
    with_fences,
)
from analysis.site.project import Project


def inline_values(lines: list[Line], metadata: Mapping[str, Any]) -> list[Line]:
    """Replace inline code by the values the kernel gave when the notebook ran.

    Raises
    ------
    FaultsError
        For an expression without a stored value, or one that failed.
    """
    stored = {
        str(entry.get("expression", "")).strip(): entry.get("result") or {}
        for entry in metadata.get("user_expressions") or []
    }
    faults: list[Fault] = []

    def value(line: Line, match: re.Match[str]) -> str:
        result = stored.get(match["expr"].strip())
        if result is None or result.get("status") != "ok":
            why = "has no stored value" if result is None else f"failed: {result.get('evalue', '')}"
            remedy = "run the notebooks again, or mend the expression"
            faults.append(line.fault(f"inline code {why}", remedy, match[0]))
            return ""
        data = result.get("data") or {}
        text = joined(data.get("text/markdown", data.get("text/plain")))
        if "text/markdown" not in data and re.fullmatch(r"'.*'|\".*\"", text, re.DOTALL):
            text = text[1:-1]
        if not text.strip():
            # Quarto leaves the source of an empty value on the page.
            remedy = "print something, or leave the value out"
            faults.append(line.fault("inline code gives nothing", remedy, match[0]))
        return text

    done: list[Line] = []
    for line, code in with_fences(lines):
        text = line.text if code else INLINE.sub(partial(value, line), line.text)
        done.append(replace(line, text=text))
    raise_if_any(faults)
    return done


def load(project: Project, name: str) -> dict[str, Any]:
    """Read a notebook file.

    Raises
    ------
    FaultsError
        If it is no notebook of format 4.
    """
    try:
        notebook = json.loads((project.folder / name).read_text(encoding="utf-8"))
        if not isinstance(notebook.get("cells"), list):
            raise ValueError("no cells")
    except (ValueError, AttributeError) as error:
        row = getattr(error, "lineno", None)
        fault = Fault(name, f"not a notebook: {error}", "restore it from the repository", row)
        raise FaultsError([fault]) from error
    return dict(notebook)


def embed_cell(
    project: Project, figures: Figures, line: Line, name: str, label: str, *, echo: bool = False
) -> list[Line]:
    """Return the outputs of one labelled cell of another notebook, with its code if asked for.

    Raises
    ------
    FaultsError
        If no code cell there has that label or id, or if it shows nothing.
    """
    for number, raw in enumerate(load(project, name)["cells"], start=1):
        if raw.get("cell_type") != "code":
            continue
        cell = read_code_cell(name, number, raw)
        if label in {cell.label, raw.get("id")}:
            blocks = code_cell(cell, project, {}, figures, echo=echo)
            if not blocks:
                remedy = "show something in that cell, or do not embed it"
                fault = line.fault("embedded cell has no output", remedy, f"{name}#{label}")
                raise FaultsError([fault])
            return [replace(line, text=part) for block in blocks for part in block.split("\n")]
    remedy = "give a code cell of that notebook this label"
    raise FaultsError([line.fault("cell to embed not found", remedy, f"{name}#{label}")])


def read_ipynb(expander: Expander, name: str) -> Page:
    """Read an executed notebook as a page.

    Raises
    ------
    FaultsError
        With every fault of every cell.
    """
    project = expander.project
    meta: dict[str, Any] = {}
    lines: list[Line] = []
    faults: list[Fault] = []
    figures = Figures(name, expander.files)
    for number, raw in enumerate(load(project, name)["cells"], start=1):
        where = f"cell {number}"
        kind = raw.get("cell_type")
        text = joined(raw.get("source"))
        try:
            if kind == "raw" and not meta and text.lstrip().startswith("---"):
                meta, rest = split_front_matter(text.strip(), name, where)
                lines += rest
            elif kind == "raw" and text.strip():
                remedy = "write a Markdown cell"
                raise_if_any([Line(text, name, 1, where).fault("raw cell", remedy, text[:60])])
            elif kind == "markdown":
                body = to_lines(text.replace("\r\n", "\n"), name, cell=where)
                if not meta.get("title") and body and body[0].text.startswith("# "):
                    meta["title"], body = body[0].text[2:].strip(), body[1:]
                raise_if_any(code_faults(body))
                body = inline_values(body, raw.get("metadata") or {})
                lines += [*expander.expand(body, meta), Line("", name, 1, where)]
            elif kind == "code":
                cell = read_code_cell(name, number, raw)
                text_lines = code_cell(cell, project, meta, figures, None)
                lines += [
                    replace(cell.origin, text=part)
                    for block in text_lines
                    for part in block.split("\n")
                ]
        except FaultsError as error:
            faults += error.faults
    raise_if_any(faults)
    return Page(name, meta, tuple(lines), figures.files)


def read_page(project: Project, variables: Mapping[str, Any], name: str) -> Page:
    """Read one page of the project, notebook or text.

    Raises
    ------
    FaultsError
        With every fault found before pandoc runs.
    """
    files: dict[str, bytes] = {}
    figures = Figures(name, files)

    def embed(line: Line, notebook: str, label: str, echo: bool) -> list[Line]:
        return embed_cell(project, figures, line, notebook, label, echo=echo)

    expander = Expander(project, variables, embed, files)
    page = read_ipynb(expander, name) if name.endswith(".ipynb") else read_qmd(expander, name)
    if not page.meta.get("title"):
        raise_if_any([Fault(name, "page without a title", "set `title:` in its front matter", 1)])
    if str(page.meta.get("date")) in {"today", "now", "last-modified"}:
        remedy = "write the date, so that a build tomorrow gives the same page"
        raise_if_any([Fault(name, "date that changes by itself", remedy, 1, "date")])
    return page
