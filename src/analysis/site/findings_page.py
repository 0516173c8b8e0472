"""The pages of findings, one for each notebook, and what pages without a kernel print of them.

The address of a finding is its page and its id, so it stays when others come and go.
"""

from __future__ import annotations

import html
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from analysis import printing
from analysis.findings.record import link
from analysis.methods import api
from analysis.methods.proof import Proof
from analysis.methods.registry import Method
from analysis.results.badge import TIERS
from analysis.site import sources_page
from analysis.templates import fill

TEMPLATES = Path(__file__).parent / "templates"
FOLDER = "findings"
INDEX = "findings.qmd"
NUMBERS = ("number", "word")
HEAD = ("What it is", "Value", "Evidence", "Rows and villages", "How it was made", "Inputs")
Record = Mapping[str, Any]


def variables(records: Iterable[Record]) -> dict[str, str]:
    """Return what ``{{< var finding.ID >}}`` prints, by id: the numbers as links."""
    return {
        str(record["id"]): link(str(record["text"]), str(record["page"]), str(record["id"]))
        for record in records
        if record["kind"] in NUMBERS
    }


def values(records: Iterable[Record], chinese: Mapping[str, str]) -> dict[str, dict[str, str]]:
    """Return what ``{{< val NAME >}}`` prints, by language and name; and tiers, by name.

    Parameters
    ----------
    records : iterable of record
        All findings; a name made of page and place (``01-training.3``) may move, so none but the
        page itself prints it.
    chinese : mapping of str to str
        What pages in Chinese print, by name.
    """
    records = list(records)
    kept = {name: text for name, text in variables(records).items() if "." not in name}
    return {
        "en": kept,
        "zh": {name: chinese[name] for name in kept if name in chinese},
        "tiers": {str(record["id"]): str(record["tier"]) for record in records},
    }


def pages(
    by_page: Mapping[str, Sequence[Record]],
    proof: Proof,
    methods: Mapping[str, Method] | None = None,
    notebooks: Mapping[str, Notebook] | None = None,
) -> dict[str, str]:
    """Return the pages of findings, Markdown by file name.

    Parameters
    ----------
    by_page : mapping of str to sequence of records
        Findings by the notebook that shows them, without its folder and ending.
    proof : Proof
        Where functions stand, and what tests them.
    methods : mapping of str to Method, optional
        The record of each function that has one.
    notebooks : mapping of str to Notebook, optional
        Names and code cells of the notebooks, by page.
    """
    empty = Notebook("", ())
    by_name = {
        f"{FOLDER}/{page}.qmd": _page(
            page, records, proof, methods or {}, (notebooks or {}).get(page, empty)
        )
        for page, records in by_page.items()
        if records
    }
    return {INDEX: _index(by_page), **by_name}


def _index(by_page: Mapping[str, Sequence[Record]]) -> str:
    rows = []
    for page, records in by_page.items():
        if not records:
            continue
        numbers = sum(record["kind"] in NUMBERS for record in records)
        tiers = sorted({str(record["tier"]) for record in records})
        badges = " ".join(f"[{TIERS[tier]}]{{.badge .tier-{tier}}}" for tier in tiers)
        shown = len(records) - numbers
        rows.append({"page": page, "numbers": numbers, "exhibits": shown, "badges": badges})
    unique = {str(record["id"]): record for records in by_page.values() for record in records}
    numbers = sum(record["kind"] in NUMBERS for record in unique.values())
    return fill(
        TEMPLATES / "findings.md.j2", numbers=numbers, exhibits=len(unique) - numbers, rows=rows
    )


@dataclass(frozen=True)
class Notebook:
    """What a page of findings needs of its notebook.

    Attributes
    ----------
    name : str
        As the project names it; that of the page if empty.
    cells : sequence of mapping
        Its code cells.
    """

    name: str
    cells: Sequence[Mapping[str, Any]]


def _page(
    page: str,
    records: Sequence[Record],
    proof: Proof,
    methods: Mapping[str, Method],
    notebook: Notebook,
) -> str:
    ordered = sorted(records, key=lambda r: str(r["id"]))
    behind = {str(r["id"]): sources_page.cell_of(r, notebook.cells) for r in ordered}
    return fill(
        TEMPLATES / "findings-of-page.md.j2",
        page=page,
        name=notebook.name or f"notebooks/{page}.ipynb",
        head=HEAD,
        rows=[_row(r, proof, methods, behind[str(r["id"])]) for r in ordered],
        cells=list(sources_page.cell_blocks(notebook.cells, behind.values())),
    )


def _row(record: Record, proof: Proof, methods: Mapping[str, Method], cell: str) -> str:
    tier = str(record["tier"])
    cells = [
        f"{html.escape(str(record['what']))}<br><code>{html.escape(str(record['id']))}</code>",
        _value(record),
        f'<span class="badge tier-{tier}">{html.escape(TIERS[tier])}</span>',
        _rows(record),
        _how_computed(record, proof, methods, cell),
        _inputs(record),
    ]
    return (
        f'<tr id="{html.escape(str(record["id"]))}">'
        + "".join(f"<td>{cell}</td>" for cell in cells)
        + "</tr>"
    )


def _value(record: Record) -> str:
    if record["kind"] not in NUMBERS:
        return f"{record['kind']}, digest <code>{html.escape(str(record['digest']))}</code>"
    parts = [html.escape(f"{record['text']} {printing.unit(str(record['unit']))}".strip())]
    if record["value"] is not None:
        parts.append(f"exactly {record['value']:.10g}")
    ends = ["" if record[end] is None else f"{record[end]:.10g}" for end in ("low", "high")]
    if any(ends):
        parts.append(f"interval {ends[0] or '−∞'} to {ends[1] or '∞'}")
    return "<br>".join(parts)


def _rows(record: Record) -> str:
    used, total, treated, control = (
        None if record[name] is None else f"{record[name]:,}"
        for name in ("rows_used", "rows_in", "n_villages_treated", "n_villages_control")
    )
    parts = [f"{used} of {total} rows used"] if used and total else []
    if treated and control:
        parts.append(f"{treated} villages treated, {control} of controls")
    return "<br>".join(parts)


def _inputs(record: Record) -> str:
    """Return the inputs with their digests, and where to get them."""
    parts = [part for part in str(record["inputs"] or record["digest"]).split(";") if part]
    shown = [f"<code>{html.escape(part)}</code>" for part in parts]
    if record["inputs"]:
        shown.append('<a href="../pages/data.html">the data, or how to get them</a>')
    elif record["kind"] not in NUMBERS:
        file = html.escape(str(record["id"]))
        shown.append(f'<a href="../downloads/{file}.csv">the data shown</a>')
    return "<br>".join(shown)


def _how_computed(record: Record, proof: Proof, methods: Mapping[str, Method], cell: str) -> str:
    """Return method, its record, function, source line and tests."""
    function = str(record["function"])
    parts = [html.escape(str(record["method"]))]
    method = methods.get(function)
    if method is not None:
        target = PurePosixPath("..") / method.address.replace(".qmd#", ".html#")
        parts.append(f'<a href="{target}">{html.escape(method.name)}</a>')
    if cell:
        parts.append(f'<a href="#cell-{html.escape(cell)}">the cell that called it</a>')
    place = proof.places.get(function)
    if place is None:
        return "<br>".join([*parts, f"<code>{html.escape(function)}</code>"])
    described = _described(function, proof)
    target = PurePosixPath("..") / api.address(described).replace(".qmd#", ".html#")
    parts.append(f'<a href="{target}"><code>{html.escape(function)}</code></a>')
    if sources_page.known(function, proof):
        source = PurePosixPath("..") / sources_page.address(function).replace(".qmd#", ".html#")
        parts.append(f'<a href="{source}">its source and tests</a>')
    parts.append(f"<code>{html.escape(str(place))}</code>")
    tests = proof.tests(function, most=2)
    parts += [f"<code>{html.escape(test.name)}</code>" for test in tests]
    return "<br>".join(parts)


def _described(function: str, proof: Proof) -> str:
    """Return the name under which a function is described: a method stands with its class."""
    above = function.rpartition(".")[0]
    return function if above in proof.modules else above
