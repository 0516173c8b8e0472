"""The summary page as a Word file of two pages, in both languages: the same bytes on every build.

It is the first page of the site with its values as text: figures and links, which lead nowhere on
paper, are left out.
"""

from __future__ import annotations

import os
import re
import subprocess
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from analysis.faults import Fault, FaultsError
from analysis.site.embedded.pandoc import executable

FILES: Final = {
    "index.qmd": ("en", "downloads/summary.docx"),
    "zh/index.qmd": ("zh", "downloads/summary-zh.docx"),
}
"""Language and document of each page that has one."""
FILTER: Final = Path(__file__).parent / "summary.lua"
_VALUE: Final = re.compile(r"\{\{<\s*val\s+([\w-]+)\s*>\}\}")
_EMBED: Final = re.compile(r"^\{\{<\s*embed\b.*?>\}\}\s*$\n*(?:[^\n]+\n)?", re.MULTILINE)
"""A figure and the line below it, which says what it shows."""
_LINK: Final = re.compile(r"^\[(?P<text>.*)\]\([^)]*\)(?:\{[^}]*\})?$", re.DOTALL)


def text_of(page: str, values: Mapping[str, str], name: str) -> str:
    r"""Return a page as it stands on paper: values as text, without embedded figures.

    Parameters
    ----------
    page : str
        Markdown of the page.
    values : mapping of str to str
        What ``{{< val NAME >}}`` prints, by name: links to findings.
    name : str
        The page, for messages.

    Raises
    ------
    FaultsError
        If a value has no finding.

    Examples
    --------
    >>> text_of("Rose by {{< val a >}}.\n", {"a": "[9 %](/findings/b.qmd#a){.finding}"}, "p.qmd")
    'Rose by 9 %.\n'
    """
    unknown = sorted({result for result in _VALUE.findall(page) if result not in values})
    if unknown:
        remedy = "keep a number under this name: va.keep"
        raise FaultsError(
            [Fault(name, "no number is kept", remedy, value=item) for item in unknown]
        )

    def printed(match: re.Match[str]) -> str:
        linked = _LINK.match(values[match[1]])
        return linked["text"] if linked else values[match[1]]

    return _VALUE.sub(printed, _EMBED.sub("", page))


def document(text: str, epoch: str) -> bytes:
    """Return Markdown as a Word file.

    Parameters
    ----------
    text : str
        With front matter.
    epoch : str
        Seconds since 1970 that stand as its date.

    Raises
    ------
    FaultsError
        If pandoc refuses it.
    """
    with tempfile.TemporaryDirectory() as folder:
        target = Path(folder) / "summary.docx"
        done = subprocess.run(
            [executable(), "--from", "markdown", "--lua-filter", FILTER, "--output", target],
            input=text.encode(),
            capture_output=True,
            env={**os.environ, "SOURCE_DATE_EPOCH": epoch},
            check=False,
        )
        if done.returncode:
            lines = done.stderr.decode(errors="replace").strip().splitlines()
            problem = f"pandoc makes no document: {lines[-1] if lines else done.returncode}"
            raise FaultsError([Fault("summary.docx", problem, "correct the page")])
        return target.read_bytes()


def documents(
    pages: Mapping[str, bytes], values: Mapping[str, Mapping[str, str]], epoch: str
) -> dict[str, bytes]:
    """Return the Word files by their place in the site.

    Parameters
    ----------
    pages : mapping of str to bytes
        Pages of the project by name, as written.
    values : mapping of str to mapping
        What pages print of findings, by language and name.
    epoch : str
        As `document` takes it.
    """
    return {
        target: document(text_of(pages[name].decode(), values[language], name), epoch)
        for name, (language, target) in FILES.items()
        if name in pages
    }
