"""The page of all findings, and what pages without a kernel print of them."""

from __future__ import annotations

import html
from collections.abc import Iterable, Mapping, Sequence

from analysis import printing
from analysis.findings import TIERS


def variables(records: Iterable[Mapping[str, object]]) -> dict[str, str]:
    """Return what ``{{< var finding.ID >}}`` prints, by id: the numbers as links."""
    return {
        str(record["id"]): f"[{record['text']}](/findings.qmd#{record['id']}){{.finding}}"
        for record in records
        if record["kind"] in ("number", "word")
    }


def page_markdown(records: Sequence[Mapping[str, object]]) -> str:
    """Return the page of all findings, in Markdown with one HTML table."""
    numbers = sum(record["kind"] in ("number", "word") for record in records)
    head = ["id", "what", "as printed", "value", "interval", "unit", "tier", "page"]
    head += ["rows used / in", "method", "function", "inputs"]
    cells = "".join(f'<th scope="col">{name}</th>' for name in head)
    body = "\n".join(_row(record) for record in sorted(records, key=lambda r: str(r["id"])))
    return f"""---
title: "Findings"
description: "Every number, figure and table of this report, with what it is made of"
---

Each of the {numbers} numbers and {len(records) - numbers} figures and tables of this report is a
record: what it is, its value and interval, the rows it rests on, the function that made it, and the
digest of its inputs. Numbers in the text lead here. `make verify` computes all of them again and
says what moved. The same table as a file: [findings.csv](/downloads/findings.csv).

```{{=html}}
<div class="table-scroll filterable" tabindex="0" role="region" aria-label="All findings">
<table class="findings-table" data-filterable>
<thead><tr>{cells}</tr></thead>
<tbody>
{body}
</tbody>
</table>
</div>
```
"""


def _row(record: Mapping[str, object]) -> str:
    ends = ["" if record[end] is None else f"{record[end]:.10g}" for end in ("low", "high")]
    value = "" if record["value"] is None else f"{record['value']:.10g}"
    page, tier = str(record["page"]), str(record["tier"])
    rows = " / ".join(
        "–" if record[n] is None else f"{record[n]:,}" for n in ("rows_used", "rows_in")
    )
    cells = [
        f"<code>{html.escape(str(record['id']))}</code>",
        html.escape(str(record["what"])),
        html.escape(str(record["text"]))
        if record["kind"] in ("number", "word")
        else str(record["kind"]),
        value,
        f"{ends[0] or '−∞'} to {ends[1] or '∞'}" if any(ends) else "",
        html.escape(printing.unit(str(record["unit"]))),
        f'<span class="badge tier-{tier}">{html.escape(TIERS[tier])}</span>',
        f'<a href="notebooks/{html.escape(page)}.html">{html.escape(page)}</a>',
        rows if rows != "– / –" else "",
        html.escape(str(record["method"])),
        f"<code>{html.escape(str(record['function']))}</code>",
        f"<code>{html.escape(str(record['inputs'] or record['digest']))}</code>",
    ]
    return (
        f'<tr id="{html.escape(str(record["id"]))}">'
        + "".join(f"<td>{c}</td>" for c in cells)
        + "</tr>"
    )
