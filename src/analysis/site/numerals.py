"""Numbers typed in the prose of a page: each is listed with the reason, or it is a fault.

Numbers of the report come from code. What may be typed stands in ``data/prose/numerals.csv``: the
numeral with the words after it, its page, and why. Years from 1800 to 2099 and the numbers of a
list may always be typed; numbers in words, in code, in formulas and in links are not looked at.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import polars as pl

from analysis import contract
from analysis.faults import Fault
from analysis.methods.schemas import Numerals
from analysis.site.digest import source_of

FILE: Final = Path("data") / "prose" / "numerals.csv"
PAGES: Final = ("*.qmd", "pages/*.qmd", "zh/*.qmd", "notebooks/*.ipynb", "notebooks/data/*.ipynb")
GENERATED: Final = (
    "pages/dictionary.qmd",
    "pages/estimands.qmd",
    "pages/_*.qmd",
    "findings.qmd",
    "methods.qmd",
)
"""Pages that code writes from data; other tests hold them to it."""
WORDS: Final = 3
"""The numeral and the words after it, which tell it from another."""
LONGEST: Final = 16
"""Characters of a word that count; Chinese has no spaces between words."""
_NOT_PROSE: Final = re.compile(
    r"\A---\n.*?\n---\n|```.*?```|`[^`]*`|\{\{<.*?>\}\}|<!--.*?-->|\$\$.*?\$\$|\$[^$\n]+\$"
    r"|\{[#.=][^}]*\}|\]\([^)]*\)|\[@[^\]]*\]|https?://\S+|@[\w-]+|<[^>]+>"
    r"|^[ \t]*(?:\*\*)?\d{1,2}\.(?=\s)",
    re.DOTALL | re.MULTILINE,
)
_NUMERAL: Final = re.compile(r"(?<![A-Za-z0-9_.,-])[−-]?\d[\d,]*(?:\.\d+)?(?<!,)")
_YEAR: Final = re.compile(r"(?:1[89]|20)\d\d")


@dataclass(frozen=True)
class Typed:
    """A number typed in prose.

    Attributes
    ----------
    text : str
        The numeral and the words after it.
    line : int
        Line of the page; of a notebook, of its Markdown put together.
    """

    text: str
    line: int


def typed(prose: str) -> tuple[Typed, ...]:
    r"""Return the numbers that stand in prose, years and numbers of a list left out.

    Parameters
    ----------
    prose : str
        Markdown.

    Examples
    --------
    >>> [one.text for one in typed("1. In 1998, `x = 3` gave 4.5 per cent, [@a2001]\n2. of CV1")]
    ['4.5 per cent,']
    """
    bare = _NOT_PROSE.sub(lambda match: " " + "\n" * match[0].count("\n"), prose)
    return tuple(
        Typed(
            _words(bare[match.start() :]),
            bare.count("\n", 0, match.start()) + 1,
        )
        for match in _NUMERAL.finditer(bare)
        if not _YEAR.fullmatch(match[0])
    )


def _words(text: str) -> str:
    paragraph = text.split("\n\n", maxsplit=1)[0]
    return " ".join(word[:LONGEST] for word in paragraph.split(maxsplit=WORDS)[:WORDS])


def pages(root: Path) -> Iterator[tuple[str, str]]:
    """Yield the name and the prose of every page that a person writes.

    Parameters
    ----------
    root : Path
        The project folder.
    """
    for path in sorted(path for pattern in PAGES for path in root.glob(pattern)):
        name = path.relative_to(root).as_posix()
        if any(Path(name).match(pattern) for pattern in GENERATED):
            continue
        text = path.read_text(encoding="utf-8")
        if path.suffix == ".ipynb":
            cells = json.loads(text)["cells"]
            text = "\n\n".join(source_of(c) for c in cells if c["cell_type"] == "markdown")
        yield name, text


def faults(root: Path) -> tuple[Fault, ...]:
    """Return every typed number that is not listed, and every row that lists none.

    Without a list no number may be typed.

    Parameters
    ----------
    root : Path
        The project folder.

    Raises
    ------
    FaultsError
        If the list does not fit its schema.
    """
    listed = contract.read(root / FILE, Numerals) if (root / FILE).is_file() else None
    listed = Numerals.create_empty() if listed is None else listed
    known = set(listed.select("page", "text").iter_rows())
    entries = [(name, numeral) for name, text in pages(root) for numeral in typed(text)]
    remedy = f"print it from code; if it is no result, list it with the reason in {FILE.as_posix()}"
    unlisted = [
        Fault(name, "a number is typed in the text", remedy, row=numeral.line, value=numeral.text)
        for name, numeral in entries
        if (name, numeral.text) not in known
    ]
    there = pl.DataFrame(
        [(name, numeral.text) for name, numeral in entries],
        schema={"page": pl.String, "text": pl.String},
        orient="row",
    )
    stale = [
        Fault(
            FILE.as_posix(),
            "the page does not say so",
            "take the row out",
            row=row["line"],
            column="text",
            value=row["text"],
        )
        for row in listed.join(there, on=["page", "text"], how="anti").iter_rows(named=True)
    ]
    return (*unlisted, *stale)
