"""Tables on great_tables: fixed ids, no styles of their own, data for download.

The site's style sheet dresses them, so that they are readable in the dark and on a phone; each
sits in a wrapper that scrolls by itself.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape

import polars as pl
from great_tables import GT
from IPython.display import publish_display_data

from analysis import printing
from analysis.findings import TIERS


@dataclass(frozen=True)
class Table:
    """A table ready to show.

    Attributes
    ----------
    name : str
        The label of its cell, ``tbl-...``; its download carries it.
    markup : str
        HTML.
    data : polars.DataFrame
        What is shown, for download.
    tier : str
        Evidence tier, whose badge stands above the table; empty for none.
    """

    name: str
    markup: str
    data: pl.DataFrame
    tier: str = ""

    def _ipython_display_(self) -> None:
        """Show the table; its data travel as metadata."""
        about = {"name": self.name, "csv": printing.download(self.data)}
        publish_display_data({"text/html": self.badge + self.markup}, {"analysis": about})

    @property
    def badge(self) -> str:
        """The badge of the tier, as HTML."""
        if not self.tier:
            return ""
        words = escape(TIERS[self.tier])
        return f'<p class="table-tier"><span class="badge tier-{self.tier}">{words}</span></p>'


def table(
    name: str,
    data: pl.DataFrame,
    labels: Mapping[str, str],
    *,
    caption: str,
    filters: Sequence[str] = (),
    download: pl.DataFrame | None = None,
) -> Table:
    """Lay a data frame out as a table.

    Parameters
    ----------
    name : str
        The label of its cell, ``tbl-...``.
    data : polars.DataFrame
        What to show; numbers to the right, text to the left. Text is escaped.
    labels : mapping of str to str
        Columns to show, in order, with their headings.
    caption : str
        What the table holds, for a reader who cannot see it.
    filters : sequence of str
        Columns a reader can filter by; a table with filters can be searched and sorted too.
    download : polars.DataFrame, optional
        Data to download, if more than what is shown.

    Raises
    ------
    KeyError
        If a label names no column.
    """
    unknown = [column for column in labels if column not in data.columns]
    if unknown:
        raise KeyError(f"no column {', '.join(unknown)} in the data of {name}")
    shown = data.select(list(labels))
    grid = GT(shown, id=name.replace("tbl-", "gt-")).cols_label(cases=dict(labels))
    grid = grid.fmt_integer(columns=_integers(shown)).cols_align("right", columns=_numeric(shown))
    grid = grid.sub_missing(missing_text="").tab_options(quarto_disable_processing=True)
    inner = re.search(r"<table.*</table>", grid.as_raw_html(), flags=re.DOTALL)
    if inner is None:
        raise ValueError(f"great_tables gave no table for {name}")
    markup = inner.group()
    for column in filters:
        heading = f'id="{name.replace("tbl-", "gt-")}-{column}"'
        markup = markup.replace(heading, f"{heading} data-filter", 1)
    for column in _long_columns(shown):
        heading = f'id="{name.replace("tbl-", "gt-")}-{column}"'
        markup = markup.replace(heading, f"{heading} data-long", 1)
    if filters:
        markup = markup.replace("<table ", "<table data-filterable ", 1)
    classes = "table-scroll filterable" if filters else "table-scroll"
    label = escape(caption)
    wrapped = (
        f'<div class="{classes}" tabindex="0" role="region" aria-label="{label}">{markup}</div>'
    )
    return Table(name, wrapped, shown if download is None else download)


NUMBER = r"^[−-]?[\d,]+(\.\d+)?( %)?$"
"""A number as the formatter prints it."""


def _integers(shown: pl.DataFrame) -> list[str]:
    return [name for name, kind in shown.schema.items() if kind.is_integer()]


def _numeric(shown: pl.DataFrame) -> list[str]:
    """Return the columns of numbers: those typed so, and texts that are all printed numbers."""
    printed = [
        name
        for name, kind in shown.schema.items()
        if kind == pl.String and shown[name].str.contains(NUMBER).drop_nulls().all()
    ]
    return printed + [name for name, kind in shown.schema.items() if kind.is_numeric()]


LONG = 60
"""Characters from which a column of text gets more room."""


def _long_columns(shown: pl.DataFrame) -> list[str]:
    texts = [name for name, kind in shown.schema.items() if kind == pl.String]
    longest = {name: shown[name].str.len_chars().max() for name in texts}
    return [name for name, length in longest.items() if isinstance(length, int) and length >= LONG]
