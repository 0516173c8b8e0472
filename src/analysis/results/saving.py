"""A result as files: estimates, how they were made, tables and a figure."""

from __future__ import annotations

import html
import json
import math
import re
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from analysis import printing
from analysis.faults import Fault, FaultsError
from analysis.files import write_atomic
from analysis.results.figure_svg import drawing
from analysis.results.formatting import escaped

if TYPE_CHECKING:
    from analysis.results.result import Result

FILES: Final = ("estimates.csv", "result.json", "table.md", "table.tex", "figure.svg")
INSIDE: Final = "inside; not checked for disclosure"
"""What a result from records or cells is marked with: only a pack has been checked."""
A_PACK: Final = re.compile(r"pack .*:[0-9a-f]{12}", re.DOTALL)
"""How an input says that it is the totals of a pack."""
OF_PACK: Final = "of a pack, which passed its disclosure rules"


def save(result: Result, folder: Path) -> Path:
    """Write `FILES` into a folder, each whole or not at all; return the folder."""
    if folder.exists() and not folder.is_dir():
        remedy = "name a folder"
        raise FaultsError([Fault(folder.name, "a file of this name is there", remedy)])
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except (FileExistsError, NotADirectoryError):
        problem = "a file stands where a folder of this path is to be"
        raise FaultsError([Fault(str(folder), problem, "name another folder")]) from None
    write_atomic(folder / "estimates.csv", printing.download(result.frame).encode())
    text = json.dumps(description(result), ensure_ascii=False, indent=2, allow_nan=False)
    write_atomic(folder / "result.json", f"{text}\n".encode())
    write_atomic(folder / "table.md", with_notes_markdown(result).encode())
    write_atomic(folder / "table.tex", with_notes_latex(result).encode())
    write_atomic(folder / "figure.svg", figure(result))
    return folder


def description(result: Result) -> dict[str, Any]:
    """Return a result with how it was made, as plain values for JSON."""
    provenance = asdict(result.provenance) | {
        "inputs": [str(x) for x in result.provenance.inputs],
        "rows_in": result.account.rows_in,
        "rows_used": result.account.rows_used,
    }
    return {
        "title": result.title,
        "comparison": {k: v for k, v in asdict(result.comparison).items() if v},
        "account": asdict(result.account),
        "provenance": provenance,
        "disclosure": disclosure(result),
        "level": result.level,
        "software": {name: version(name) for name in ("polars", "numpy", "scipy")},
        "estimates": [
            {
                name: None if isinstance(x, float) and not math.isfinite(x) else x
                for name, x in row.items()
            }
            for row in result.frame.iter_rows(named=True)
        ],
    }


def disclosure(result: Result) -> str:
    """Return whether what a result was made from passed disclosure control."""
    inputs = [x for x in result.provenance.inputs if isinstance(x, str)]
    return OF_PACK if any(map(A_PACK.fullmatch, inputs)) else INSIDE


def _lines(result: Result) -> list[tuple[str, str]]:
    """Return the lines of a result, and whether it may leave: files are passed on one by one."""
    return [*result.lines(), ("disclosure", disclosure(result))]


def with_notes_markdown(result: Result) -> str:
    """Return the table of a result with its caption, and below what it was made from."""
    notes = "\n".join(f"- {label}: {text}" for label, text in _lines(result))
    return f"**{result.caption}**\n\n{result.to_markdown()}\n\n{notes}\n"


def with_notes_latex(result: Result) -> str:
    """Return the tabular of a result with its caption, and below what it was made from."""
    rows = result.rows()
    width = len(rows.columns)
    head, *body, end = result.to_latex().split("\n")
    wide = [
        rf"\multicolumn{{{width}}}{{p{{\linewidth}}}}{{\footnotesize {escaped(text)}}} \\"
        for text in (f"{label}: {text}" for label, text in _lines(result))
    ]
    title = rf"\multicolumn{{{width}}}{{l}}{{{escaped(result.caption)}}} \\"
    return "\n".join([head, title, *body, *wide, end, ""])


def figure(result: Result) -> bytes:
    """Return the figure of a result as SVG with its caption: the same bytes on every run."""
    from matplotlib import pyplot as plt

    ax = result.plot()
    drawn = ax.get_figure(root=True)
    assert drawn is not None  # noqa: S101  # axes lie in a figure
    if not ax.get_title() and not ax.get_title(loc="left"):
        ax.set_title(result.caption, loc="left", fontsize="medium")
    text = drawing(drawn)
    plt.close(drawn)
    notes = "; ".join(f"{label}: {line}" for label, line in _lines(result))
    words = f"<title>{html.escape(result.caption)}</title>\n<desc>{html.escape(notes)}</desc>\n"
    start = text.index(">", text.index("<svg")) + 1
    return f"{text[:start]}\n{words}{text[start:]}".encode()
