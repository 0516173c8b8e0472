"""Tables of great_tables and data frames as pages show them: no ids by chance, no own styles.

The site's style sheet dresses them; each sits in a wrapper that scrolls by itself.
"""

from __future__ import annotations

import re
from html import escape

_TABLE = re.compile(
    r'<div id="\w+" style="[^"]*">\s*<style>.*?</style>\s*'
    r'(<table class="gt_table".*?</table>)\s*</div>',
    re.DOTALL,
)
_FRAME = re.compile(
    r"<div>\s*<style[^>]*>.*?</style>\s*(?P<shape><small>.*?</small>)?\s*"
    r'<table border="1" class="dataframe">(?P<rows>.*?)</table>(?P<after>.*?)</div>',
    re.DOTALL,
)
_ID = re.compile(r'(<t[hdr]\b[^>]*?)\s(?:id|headers)="[^"]*"')


def plain_tables(html: str, name: str = "") -> str:
    """Return HTML whose tables by great_tables are as plain as those of the site.

    Parameters
    ----------
    html : str
        An output of a cell.
    name : str
        What the table shows, for a reader who cannot see it.

    Examples
    --------
    >>> made = (
    ...     '<div id="abc" style="x"><style>#abc {}</style>'
    ...     '<table class="gt_table"><tr><th scope="col" id="a">a</th></tr></table></div>'
    ... )
    >>> plain_tables(f"<p>Text</p>{made}", "Effects")  # doctest: +NORMALIZE_WHITESPACE
    '<p>Text</p><div class="table-scroll" tabindex="0" role="region" aria-label="Effects"><table
    class="gt_table" data-quarto-disable-processing="true"><tr><th
    scope="col">a</th></tr></table></div>'
    """

    def plain(match: re.Match[str]) -> str:
        table = match[1]
        while _ID.search(table):
            table = _ID.sub(r"\1", table)
        table = re.sub(r' data-quarto-[\w-]+="\w+"', "", table)
        mark = '<table class="gt_table" data-quarto-disable-processing="true"'
        table = table.replace('<table class="gt_table"', mark, 1)
        return _boxed(table, name)

    def frame(hit: re.Match[str]) -> str:
        rows = re.sub(r'<tr style="[^"]*">', "<tr>", hit["rows"])
        # Polars names the type of each column in a second row of the head.
        rows = re.sub(r"<th>(?=[^<])", '<th scope="col">', rows).replace("<th></th>", "<td></td>")
        mark = '<table class="dataframe" data-quarto-disable-processing="true">'
        shape = f'<p class="table-note">{hit["shape"]}</p>' if hit["shape"] else ""
        return _boxed(f"{mark}{rows}</table>", name) + shape + hit["after"].strip()

    return _FRAME.sub(frame, _TABLE.sub(plain, html))


def _boxed(table: str, name: str) -> str:
    label = escape(name or "Table")
    box = f'<div class="table-scroll" tabindex="0" role="region" aria-label="{label}">'
    return f"{box}{table}</div>"
