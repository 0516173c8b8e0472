"""Dress an executed notebook for the page: alt text and links to downloads."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import yaml

from analysis.faults import Fault
from analysis.site.digest import source_of
from analysis.site.exhibit_menu import Exhibits, menu, menu_cell
from analysis.site.tables_html import plain_tables

_OPTION = re.compile(r"^#\|\s?(.*)$")
RAW_FORMATS = ("text/html", "text/markdown")
"""Forms of raw cells that a web page shows."""


@dataclass(frozen=True)
class Dressed:
    """A notebook as renderers get it, with what it offers for download.

    Attributes
    ----------
    content : dict
        The notebook.
    downloads : dict of str to str
        Texts by file name.
    faults : tuple of Fault
        What keeps it from being published.
    """

    content: dict[str, Any]
    downloads: dict[str, str] = field(default_factory=dict)
    faults: tuple[Fault, ...] = ()


def split_options(source: str) -> tuple[list[str], list[str]]:
    r"""Return the ``#|`` lines at the top of a cell, and the rest.

    Examples
    --------
    >>> split_options("#| label: fig-a\nplot()")
    (['#| label: fig-a'], ['plot()'])
    """
    lines = source.split("\n")
    count = 0
    while count < len(lines) and _OPTION.match(lines[count]):
        count += 1
    return lines[:count], lines[count:]


def cell_options(source: str) -> dict[str, Any]:
    r"""Return the ``#|`` options of a cell.

    Raises
    ------
    yaml.YAMLError
        If they are not YAML.

    Examples
    --------
    >>> cell_options("#| label: fig-a\n#| fig-cap: How many\nplot()")
    {'label': 'fig-a', 'fig-cap': 'How many'}
    """
    lines, _ = split_options(source)
    text = "\n".join(_OPTION.sub(r"\1", line) for line in lines)
    result = yaml.load(text, Loader=yaml.CSafeLoader)
    return result if isinstance(result, dict) else {}


def quoted(text: str) -> str:
    r"""Return text as a YAML string on one line.

    Examples
    --------
    >>> quoted('He said "no":\n twice')
    '"He said \\"no\\": twice"'
    """
    return json.dumps(" ".join(text.split()), ensure_ascii=False)


def language_of(content: Mapping[str, Any]) -> str:
    """Return the language of a notebook by its front matter, ``en`` or ``zh``."""
    return "zh" if str(_front(content).get("lang", "")).startswith("zh") else "en"


def title_of(content: Mapping[str, Any]) -> str:
    """Return the title in the front matter of a notebook; empty if it has none."""
    return str(_front(content).get("title", ""))


def _front(content: Mapping[str, Any]) -> dict[str, Any]:
    first = next(iter(content["cells"]), None)
    if not first or first["cell_type"] != "raw":
        return {}
    try:
        meta = yaml.safe_load(source_of(first).strip().strip("-"))
    except yaml.YAMLError:  # the renderer names the line
        return {}
    return meta if isinstance(meta, dict) else {}


def dress(content: Mapping[str, Any], name: str, about: Exhibits | None = None) -> Dressed:
    """Return an executed notebook with alt texts, downloads, and how to cite what it shows.

    Parameters
    ----------
    content : mapping
        The executed notebook; not changed.
    name : str
        The notebook as the project names it.
    about : Exhibits, optional
        Records and citation of its figures and tables.
    """
    title, language = title_of(content), language_of(content)
    cells: list[dict[str, Any]] = []
    downloads: dict[str, str] = {}
    faults: list[Fault] = []
    for number, cell in enumerate(content["cells"], start=1):
        if cell["cell_type"] != "code":
            cells.append(as_markdown(cell) if number > 1 else dict(cell))
            continue
        dressed, offered, problems = _dress_cell(cell, name, f"cell {number}")
        faults.extend(problems)
        names = sorted({Path(file).stem for file in offered.keys() & downloads.keys()})
        faults.extend(taken_twice(name, f"cell {number}", label) for label in names)
        downloads |= offered
        cells.append(dressed)
        if offered:
            label = cell_options(source_of(cell))["label"]
            shown = menu(label, list(offered), name, title, about, language)
            cells.append(menu_cell(label, shown))
    # Cache keys stay out: a stage differs only if what readers see differs.
    metadata = {key: value for key, value in content["metadata"].items() if key != "analysis"}
    return Dressed({**content, "cells": cells, "metadata": metadata}, downloads, tuple(faults))


def raw_format(cell: Mapping[str, Any]) -> str:
    """Return the form of a raw cell, which editors note under two names."""
    metadata = cell.get("metadata") or {}
    return str(metadata.get("format") or metadata.get("raw_mimetype") or "")


def as_markdown(cell: Mapping[str, Any]) -> dict[str, Any]:
    """Return a raw cell of HTML or Markdown as a Markdown cell; any other cell as it is.

    Examples
    --------
    >>> raw = {"cell_type": "raw", "metadata": {"format": "text/html"}, "source": "<b>x</b>"}
    >>> print(as_markdown(raw)["source"])
    ```{=html}
    <b>x</b>
    ```
    """
    form = raw_format(cell) if cell["cell_type"] == "raw" else ""
    if form not in RAW_FORMATS:
        return dict(cell)
    text = source_of(cell)
    source = f"```{{=html}}\n{text}\n```" if form == "text/html" else text
    return {**cell, "cell_type": "markdown", "metadata": {}, "source": source}


def taken_twice(name: str, place: str, label: str) -> Fault:
    """Return the fault of a label that two figures or tables carry."""
    return Fault(
        name,
        "two figures or tables have this label, so their downloads would collide",
        "give each its own label",
        column=place,
        value=label,
    )


def _dress_cell(
    cell: Mapping[str, Any], name: str, place: str
) -> tuple[dict[str, Any], dict[str, str], list[Fault]]:
    """Return a code cell with its alt text, its downloads by file name, and its faults."""
    source = source_of(cell)
    try:
        options = cell_options(source)
    except yaml.YAMLError as error:
        problem = f"the #| options are not YAML: {str(error).splitlines()[0]}"
        return dict(cell), {}, [Fault(name, problem, "correct them", column=place)]
    label = str(options.get("label", ""))
    name_of_table = str(options.get("tbl-cap") or label or f"Output of {place}")
    outputs = [_lean(_plain(output, name_of_table)) for output in cell["outputs"]]
    bare = {**cell, "source": source, "outputs": outputs}
    about = next(
        (
            output["metadata"]["analysis"]
            for output in cell["outputs"]
            if "analysis" in output.get("metadata", {})
        ),
        None,
    )
    faults = []
    if label.startswith("fig-") and not options.get("fig-alt"):
        alt = str((about or {}).get("alt") or "").strip()
        if alt:
            head, rest = split_options(source)
            bare["source"] = "\n".join([*head, f"#| fig-alt: {quoted(alt)}", *rest])
        elif not options.get("fig-subcap"):  # panels carry their own alt texts
            remedy = "show the .plot() of a result, or write #| fig-alt"
            lines = source.split("\n")
            row = next((n for n, line in enumerate(lines, 1) if label in line), None)
            where = f"{place}, line counted in the cell"
            faults.append(Fault(name, "a figure has no alt text", remedy, row, where, label))
    if about is None or not about.get("csv"):
        return bare, {}, faults
    if not label.startswith(("fig-", "tbl-")):
        remedy = 'write "#| label: fig-…" or "#| label: tbl-…" at the top of the cell'
        problem = "a figure or table without a label cannot be linked or downloaded"
        faults.append(Fault(name, problem, remedy, column=place, value=str(about.get("name", ""))))
        return bare, {}, faults
    offered = {f"{label}.csv": str(about["csv"]).rstrip("\n") + "\n"}
    image = str(about.get("svg") or "") or _first_svg(cell["outputs"])
    faults += [_undated(name, place, label, text) for text in axis_labels(image) if undated(text)]
    if image and label.startswith("fig-"):
        offered[f"{label}.svg"] = image
    return bare, offered, faults


_GROUP, _TEXT = "{http://www.w3.org/2000/svg}g", "{http://www.w3.org/2000/svg}text"
_DATED = re.compile(r"\b(?:19|20)\d\d\b|\bnominal\b|prices of each year|for each yuan")


def axis_labels(image: str) -> list[str]:
    """Return the labels of the axes of a drawing by Matplotlib, its text as text."""
    if not image:
        return []
    names = []
    for axis in ElementTree.fromstring(image).iter(_GROUP):  # noqa: S314 -- our own drawing
        if not (axis.get("id") or "").startswith("matplotlib.axis"):
            continue
        for group in axis.findall(_GROUP):  # ticks hold theirs one level deeper
            lines = [" ".join(text.itertext()) for text in group.findall(_TEXT)]
            if lines:
                names.append(" ".join(" ".join(lines).split()))
    return names


def undated(label: str) -> bool:
    """Say whether a label has yuan but not of which year.

    Examples
    --------
    >>> undated("yuan a year"), undated("yuan a year, prices of 2020"), undated("per cent")
    (True, False, False)
    >>> undated("yuan of income for each yuan spent"), undated("yuan (nominal)")
    (False, False)
    """
    return "yuan" in label and not _DATED.search(label)


def _undated(name: str, place: str, label: str, text: str) -> Fault:
    problem = f"an axis of {label} has yuan, but not of which year"
    remedy = "write the year of prices, or nominal, into its label"
    return Fault(name, problem, remedy, column=place, value=text)


def _plain(output: Mapping[str, Any], name: str) -> dict[str, Any]:
    """Return an output whose tables are in the form of the site."""
    data = output.get("data") or {}
    if "text/html" not in data:
        return dict(output)
    html = "".join(data["text/html"])
    return {**output, "data": {**data, "text/html": plain_tables(html, name)}}


def _lean(output: Mapping[str, Any]) -> dict[str, Any]:
    """Return an output without the table and drawing in its metadata: they are downloads now."""
    about = output.get("metadata", {}).get("analysis")
    if not about:
        return dict(output)
    kept = {key: value for key, value in about.items() if key not in ("csv", "svg")}
    return {**output, "metadata": {**output["metadata"], "analysis": kept}}


def _first_svg(outputs: Iterable[Mapping[str, Any]]) -> str:
    """Return the first image of a cell: the one for light pages."""
    for output in outputs:
        image = output.get("data", {}).get("image/svg+xml")
        if image:
            return image if isinstance(image, str) else "".join(image)
    return ""
