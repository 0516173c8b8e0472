"""The one menu below a figure or table: data, image, code, record, and how to cite it."""

from __future__ import annotations

import html
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from analysis.site.cite import Source

WORDS: Final[Mapping[str, Mapping[str, str]]] = {
    "en": {
        ".csv": "Data (CSV)",
        ".svg": "Image (SVG)",
        "code": "Code",
        "record": "Record",
        "cite": "Cite",
    },
    "zh": {
        ".csv": "数据（CSV）",
        ".svg": "图（SVG）",
        "code": "代码",
        "record": "记录",
        "cite": "引用",
    },
}


@dataclass(frozen=True)
class Exhibits:
    """What is known of the figures and tables of one notebook, beyond its cells.

    Attributes
    ----------
    records : mapping of str to str
        What each shows, by its label, for those that are findings.
    source : Source, optional
        How to cite the report.
    cells : mapping of str to str
        Id of the cell behind each, by its label; the page of records shows these cells.
    """

    records: Mapping[str, str] = field(default_factory=dict)
    source: Source | None = None
    cells: Mapping[str, str] = field(default_factory=dict)


def menu(
    label: str,
    files: Sequence[str],
    name: str = "",
    title: str = "",
    about: Exhibits | None = None,
    language: str = "en",
) -> str:
    """Return the Markdown of the menu below a figure or table.

    Parameters
    ----------
    label : str
        Of its cell.
    files : sequence of str
        Its downloads.
    name, title : str
        Its notebook, and the title of that.
    about : Exhibits, optional
        Records and citation; without them there are downloads only.
    language : str
        ``en`` or ``zh``.
    """
    about, words = about or Exhibits(), WORDS[language]
    links = [f"[{words[Path(file).suffix]}](/downloads/{file}){{.download}}" for file in files]
    records = f"/findings/{Path(name).stem}.qmd"
    if label in about.records:
        if about.cells.get(label):
            links.append(f"[{words['code']}]({records}#cell-{about.cells[label]})")
        links.append(f"[{words['record']}]({records}#{label})")
    lines = ["::: {.figure-links}", " · ".join(links)]
    if about.source and label in about.records:
        place = f"{Path(name).with_suffix('.html').as_posix()}#{label}"
        cited = about.source.forms(about.records[label], title, place)
        parts = "\n".join(
            f'<cite class="{form}">{html.escape(text, quote=False)}</cite>'
            for form, text in cited.items()
        )
        quote = f"<details><summary>{words['cite']}</summary>\n{parts}\n</details>"
        lines += ["", "```{=html}", quote, "```"]
    return "\n".join([*lines, ":::"])


def menu_cell(label: str, text: str) -> dict[str, Any]:
    """Return the Markdown cell that holds the menu of an exhibit."""
    return {
        "cell_type": "markdown",
        "id": f"links-{label}"[:64],
        "metadata": {},
        "source": text,
    }


_EMBED = re.compile(r"^\{\{<\s*embed\s+\S+?#(?P<label>[\w-]+)[^>]*>\}\}\s*$")
_BLOCK = re.compile(r"^(?P<colons>:{3,})\s*(?P<more>\S.*)?$")


def menus_of(content: Mapping[str, Any]) -> dict[str, str]:
    """Return the menus of a dressed notebook by the label of their exhibit."""
    return {
        str(cell["id"]).removeprefix("links-"): str(cell["source"])
        for cell in content["cells"]
        if str(cell.get("id", "")).startswith("links-")
    }


def with_menus(text: str, menus: Mapping[str, str]) -> str:
    r"""Return a page with the menu of each exhibit that it embeds, below it or below its block.

    Parameters
    ----------
    text : str
        A page, or a Markdown cell.
    menus : mapping of str to str
        By label; an exhibit whose data the page links already gets none.

    Examples
    --------
    >>> page = "::: {#fig-b}\n{{< embed n.ipynb#fig-a >}}\n\nCaption\n:::\n\nText"
    >>> print(with_menus(page, {"fig-a": "[Data](/downloads/fig-a.csv)"}))
    ::: {#fig-b}
    {{< embed n.ipynb#fig-a >}}
    <BLANKLINE>
    Caption
    :::
    <BLANKLINE>
    [Data](/downloads/fig-a.csv)
    <BLANKLINE>
    <BLANKLINE>
    Text
    """
    lines, depth, waiting = [], 0, list[str]()
    for line in text.split("\n"):
        lines.append(line)
        block, embedded = _BLOCK.match(line), _EMBED.match(line)
        if block:
            depth += 1 if block["more"] else -1
        if embedded and f"/downloads/{embedded['label']}.csv" not in text:
            menu = menus.get(embedded["label"])
            waiting += [menu] if menu else []
        if waiting and depth == 0:
            lines += [part for menu in waiting for part in ("", menu, "")]
            waiting.clear()
    return "\n".join(lines)
