"""A result table as plain HTML: rows become cards on a phone, columns can be filtered.

No styles and no ids of its own: assets/site.css dresses it, assets/site.js filters it. In Jupyter
it looks as Jupyter's own tables do.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from html import escape
from typing import TYPE_CHECKING, Final

import polars as pl

if TYPE_CHECKING:
    from analysis.results.table import ResultTable

NUMBER: Final = re.compile(r"^[−–(\[<]?[\d.,% −–to()\[\]<∞至]*$")


@dataclass(frozen=True)
class Filter:
    """A column that readers can filter by.

    Attributes
    ----------
    column : str
        Of the table as shown.
    key : str
        Its name in an address, such as ``page.html?programme=training``.
    values : sequence of str
        One a row; the texts of the column if left out.
    names : mapping of str to str
        How values are called; values without a name are called by themselves.
    title : str
        Name of the control; that of the column if left out.
    """

    column: str
    key: str
    values: Sequence[str] = ()
    names: Mapping[str, str] = field(default_factory=dict)
    title: str = ""


def is_numeric(column: pl.Series) -> bool:
    """Return whether a column is all printed numbers, which stand on the right."""
    texts = [x for x in column.to_list() if x not in (None, "")]
    return bool(texts) and all(not isinstance(x, str) or NUMBER.match(x) for x in texts)


def table_html(table: ResultTable) -> str:
    """Return a table as HTML.

    Parameters
    ----------
    table : ResultTable
        What to show; every text is escaped.
    """
    names = table.shown.columns
    filters = {item.column: item for item in table.filters}
    numeric = {name for name in names[1:] if is_numeric(table.shown[name])}
    head = "".join(_head(name, filters.get(name), name in numeric) for name in names)
    rows = "\n".join(
        _row(names, row, number, filters, numeric) for number, row in enumerate(table.shown.rows())
    )
    caption = f"<caption>{escape(table.title)}</caption>" if table.title else ""
    marked = " data-filterable" if filters else ""
    notes = "".join(f'<p class="table-note">{escape(note)}</p>' for note in table.notes)
    return (
        f'<div class="table-scroll result-table">\n<table{marked} role="table" '
        f'data-quarto-disable-processing="true">{caption}\n'
        f'<thead role="rowgroup"><tr role="row">{head}</tr></thead>\n'
        f'<tbody role="rowgroup">\n{rows}\n</tbody>\n</table>\n</div>{notes}'
    )


def _head(name: str, chosen: Filter | None, numeric: bool) -> str:
    more = ' class="number"' if numeric else ""
    if chosen:
        more += f' data-filter="{escape(chosen.key)}"'
        if chosen.title:
            more += f' data-title="{escape(_capital(chosen.title))}"'
        if chosen.names:
            more += f' data-names="{escape(json.dumps(dict(chosen.names), ensure_ascii=False))}"'
    return f'<th scope="col" role="columnheader"{more}>{escape(_capital(name))}</th>'


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def _row(
    names: Sequence[str],
    row: Sequence[object],
    number: int,
    filters: Mapping[str, Filter],
    numeric: set[str],
) -> str:
    cells = []
    for place, (name, value) in enumerate(zip(names, row, strict=True)):
        chosen = filters.get(name)
        more = f' data-value="{escape(chosen.values[number])}"' if chosen and chosen.values else ""
        more += ' class="number"' if name in numeric else ""
        text = escape("" if value is None else str(value))
        if place:
            label = f' data-label="{escape(_capital(name))}"' if text else ""
            cells.append(f'<td role="cell"{label}{more}>{text}</td>')
        else:
            cells.append(f'<th scope="row" role="rowheader"{more}>{text}</th>')
    return f'<tr role="row">{"".join(cells)}</tr>'
