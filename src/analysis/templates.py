"""Fill the templates of generated pages: the text stands in Markdown, the code gives values."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import jinja2

from analysis import printing


@cache
def _environment(folder: Path) -> jinja2.Environment:
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(folder),
        undefined=jinja2.StrictUndefined,
        autoescape=False,  # noqa: S701 -- Markdown, made of the project's own files
        trim_blocks=True,
        lstrip_blocks=True,
        comment_start_string="<#",  # Markdown writes the name of a heading as {#name}
        comment_end_string="#>",
    )
    environment.filters["number"] = printing.number
    return environment


def fill(template: Path, **values: Any) -> str:
    """Return a template with its values.

    Parameters
    ----------
    template : Path
        A file of Jinja's syntax. The filter ``number(decimals)`` prints a number as pages do.
    **values : Any
        What the template names.

    Raises
    ------
    jinja2.UndefinedError
        If the template names a value that is not given.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     template = Path(folder) / "rows.md.j2"
    ...     _ = template.write_text("{{ rows | number }} rows.", encoding="utf-8")
    ...     fill(template, rows=12000)
    '12,000 rows.'
    """
    return _environment(template.parent).get_template(template.name).render(values)
