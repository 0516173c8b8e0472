"""The page of what changed: published numbers that moved, then the changelog."""

from __future__ import annotations

import html
import re
from collections.abc import Mapping

import polars as pl

LISTING = "pages/_changes.qmd"
_VERSION = re.compile(r"^## \[?([^\]\s]+)\]?(?: - (.*))?$")


def listing(changelog: str, moved: pl.DataFrame, places: Mapping[str, str]) -> str:
    """Return what the page of changes includes.

    Parameters
    ----------
    changelog : str
        Markdown, in the style of Keep a Changelog.
    moved : polars.DataFrame
        As `analysis.changes.load` gives it.
    places : mapping of str to str
        The page of each finding that is still published.
    """
    return f"{_table(moved, places)}\n{_notes(changelog)}"


def _table(moved: pl.DataFrame, places: Mapping[str, str]) -> str:
    if moved.is_empty():
        return "## Numbers that moved {#sec-moved}\n\nNone has moved so far.\n"
    head = "".join(
        f'<th scope="col"{extra}>{name}</th>'
        for name, extra in (
            ("Date", ""),
            ("Version", " data-filter"),
            ("Finding", ""),
            ("Before", ""),
            ("Now", ""),
            ("Why", ""),
        )
    )
    rows = "\n".join(_row(row, places) for row in moved.reverse().iter_rows(named=True))
    return f"""## Numbers that moved {{#sec-moved}}

Newest first; {moved.height:,} changes of {moved["finding"].n_unique():,} findings.

```{{=html}}
<div class="table-scroll filterable" tabindex="0" role="region" aria-label="Numbers that moved">
<table data-filterable>
<thead><tr>{head}</tr></thead>
<tbody>
{rows}
</tbody>
</table>
</div>
```
"""


def _row(row: Mapping[str, object], places: Mapping[str, str]) -> str:
    finding = str(row["finding"])
    name = f"<code>{html.escape(finding)}</code>"
    if finding in places:
        address = f"../findings/{places[finding]}.html#{finding}"
        name = f'<a href="{html.escape(address)}">{name}</a>'
    cells = [
        str(row["date"]),
        str(row["version"]),
        name,
        html.escape(str(row["before"])),
        html.escape(str(row["after"] or "published no more")),
        html.escape(str(row["why"])),
    ]
    kinds = [' class="nowrap"', "", "", ' class="nowrap"', ' class="nowrap"', ""]
    return "<tr>" + "".join(f"<td{k}>{c}</td>" for k, c in zip(kinds, cells, strict=True)) + "</tr>"


def _notes(changelog: str) -> str:
    r"""Return the versions of a changelog, without what stands before the first.

    Examples
    --------
    >>> print(_notes("# Changelog\n\nAll.\n\n## [0.1.0] - unreleased\n\n### Added\n\n- A.\n"))
    ## Version 0.1.0, unreleased
    <BLANKLINE>
    ### Added
    <BLANKLINE>
    - A.
    <BLANKLINE>
    """
    lines: list[str] = []
    for line in changelog.split("\n"):
        version = _VERSION.match(line)
        if version:
            day = f", {version[2]}" if version[2] else ""
            lines.append(f"## Version {version[1]}{day}")
        elif lines:
            lines.append(line)
    return "\n".join(lines)
