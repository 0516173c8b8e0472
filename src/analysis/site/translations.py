"""Which Chinese texts stand behind the English they were written from, and the list of terms.

``python -m analysis.site.translations`` says which and exits with 1 if any do; after the Chinese
has been edited, ``--refresh`` notes that it stands for the English as it is now. A text whose
Chinese needs no edit is named: ``--still zh/index.qmd#in-short``.

A source is tracked by its words, not by its numbers: values come from findings and may move.
"""

from __future__ import annotations

import argparse
import ast
import csv
import hashlib
import io
import json
import re
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path

import dataframely as dy
import polars as pl

from analysis import contract, datapackage, paths
from analysis.faults import Fault, FaultsError
from analysis.files import write_if_changed

FOLDER = Path("data") / "translations"
KINDS = ["glossary", "programme", "text"]
NOTED = frozenset({"number", "interval", "effect", "estimate", "word", "show"})
"""Methods that note a finding: the words they take are of the record, not of the page."""
_HEADING = re.compile(r"^(#{1,6}) +(.*?)(?: *\{#([\w-]+)[^}]*\})? *$")
_HEAD = re.compile(r"\A---\n.*?\n---\n", re.DOTALL)


class Terms(contract.Row):
    """A term in English and in Chinese, one to one."""

    en = dy.String(primary_key=True, description="English, as pages print it")
    zh = dy.String(description="Chinese, as pages print it")
    kind = dy.Enum(
        KINDS,
        description="glossary: an entry of both glossaries; programme: a name of "
        "the catalogue of programmes; text: a word of the pages",
    )
    note = dy.String(nullable=True, description="why this word, or what it is not")


class Words(contract.Row):
    """A word that a finding prints, in English and in Chinese."""

    en = dy.String(primary_key=True, description="as the finding prints it")
    zh = dy.String(description="as pages in Chinese print it")


class Answers(contract.Row):
    """A text in Chinese and an English text it was written from."""

    zh = dy.String(
        primary_key=True,
        regex=r"^zh/[\w-]+\.qmd#[\w-]+$",
        description="page and section in Chinese",
    )
    source = dy.String(
        primary_key=True,
        regex=r"^[\w./-]+[#:][\w-]+$",
        description="page#section, table.csv#key or module:function",
    )
    digest = dy.String(
        regex=r"^[0-9a-f]{12}$", description="sha256 of the English words, first 12 digits"
    )
    digest_zh = dy.String(regex=r"^[0-9a-f]{12}$", description="the same of the Chinese section")
    written = dy.Date(description="day the Chinese was last held against the English")


class Negations(contract.Row):
    """A word that negates a sentence, or that only looks as if it did."""

    language = dy.Enum(["en", "zh"], primary_key=True, description="language of the word")
    word = dy.String(primary_key=True, description="the word")
    negates = dy.Enum(["yes", "no"], description="no: it only holds a word that does")


SCHEMAS: dict[str, type[contract.Row]] = {
    "terms": Terms,
    "words": Words,
    "answers": Answers,
    "negations": Negations,
}
"""Tables of the folder by name."""


@dataclass(frozen=True)
class Stale:
    """A text in Chinese whose English has changed since it was written.

    Attributes
    ----------
    zh, source : str
        As `Answers` names them.
    edited : bool
        Whether the Chinese was edited since.
    """

    zh: str
    source: str
    edited: bool

    def __str__(self) -> str:
        state = "edited since: --refresh" if self.edited else "not edited yet"
        return f"{self.zh}: {self.source} has changed ({state})"


def package() -> str:
    """Return the description of the tables for other programs, as JSON."""
    what = "Terms, words of findings, and texts in Chinese with the English they stand for"
    files = (datapackage.csv_file(name, schema) for name, schema in SCHEMAS.items())
    by_name = datapackage.package("translations", "Translations", what, files)
    return datapackage.as_json(by_name)


def read(name: str, root: Path | None = None) -> pl.DataFrame:
    """Read ``terms``, ``words`` or ``answers``.

    Raises
    ------
    FaultsError
        With every cell that does not fit.
    """
    return contract.read((root or paths.root()) / FOLDER / f"{name}.csv", SCHEMAS[name])


# --------------------------------------------------------------------------------------- sources


def slug(title: str) -> str:
    """Return the address that a heading gets where it states none.

    Examples
    --------
    >>> slug("How sure are we?"), slug("各类项目")
    ('how-sure-are-we', '各类项目')
    """
    return "-".join(re.sub(r"[^\w\s-]", "", title.lower()).split())


def section(text: str, anchor: str) -> str | None:
    r"""Return what stands below a heading, up to the next one of its level; ``top`` comes first.

    Examples
    --------
    >>> section("---\ntitle: T\n---\nLead\n## A b\nOne\n### C\nTwo\n## D", "a-b")
    'One\n### C\nTwo'
    >>> section("Lead\n## A", "top")
    'Lead'
    """
    lines = _HEAD.sub("", text).split("\n")
    begun: int | None = 0 if anchor == "top" else None
    level = 6
    for at, line in enumerate(lines):
        match = _HEADING.match(line)
        if not match:
            continue
        if begun is not None and len(match[1]) <= level:
            return "\n".join(lines[begun:at]).strip()
        if begun is None and anchor in (match[3], slug(match[2])):
            begun, level = at + 1, len(match[1])
    return None if begun is None else "\n".join(lines[begun:]).strip()


def words_of(code: str, function: str) -> str | None:
    r"""Return the words that a function puts into sentences: its texts, without names and labels.

    Examples
    --------
    >>> words_of('def f(n):\n    "Doc."\n    return f"There are {n} of them."', "f")
    'There are  of them.'
    """
    for node in ast.walk(ast.parse(code)):
        if isinstance(node, ast.FunctionDef | ast.ClassDef) and node.name == function:
            body = node.body[1:] if ast.get_docstring(node) else node.body
            return "\n".join(text for part in body for text in _texts(part))
        if isinstance(node, ast.Assign | ast.AnnAssign) and node.value is not None:
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            if any(isinstance(target, ast.Name) and target.id == function for target in targets):
                return "\n".join(_texts(node.value))
    return None


def _texts(node: ast.AST) -> Iterator[str]:
    """Yield the texts with a space in them, those of an f-string as one."""
    if isinstance(node, ast.JoinedStr):
        parts = [str(v.value) if isinstance(v, ast.Constant) else "" for v in node.values]
        if " " in "".join(parts).strip():
            yield "".join(parts)
        for value in node.values:
            yield from () if isinstance(value, ast.Constant) else _texts(value)
    elif isinstance(node, ast.Constant):
        if isinstance(node.value, str) and " " in node.value.strip():
            yield node.value
    elif isinstance(node, ast.Call) and getattr(node.func, "attr", "") in NOTED:
        return
    else:
        for child in ast.iter_child_nodes(node):
            yield from _texts(child)


def text_of(source: str, root: Path) -> str | None:
    """Return the text behind the name of a source; None where there is none.

    Parameters
    ----------
    source : str
        ``page.qmd#section``, ``notebook.ipynb#section`` (its Markdown), ``table.csv#key`` (a row)
        or ``package.module:function``.
    root : Path
        The project folder.
    """
    if ":" in source:
        module, _, function = source.partition(":")
        path = root / "src" / Path(*module.split(".")).with_suffix(".py")
        return words_of(path.read_text(encoding="utf-8"), function) if path.is_file() else None
    name, _, anchor = source.partition("#")
    path = root / name
    if not path.is_file():
        return None
    text = path.read_text(encoding="utf-8")
    if name.endswith(".csv"):
        rows = (row for row in csv.reader(io.StringIO(text)) if row and row[0] == anchor)
        return next(("\n".join(row) for row in rows), None)
    if name.endswith(".ipynb"):
        cells = [c for c in json.loads(text)["cells"] if c["cell_type"] == "markdown"]
        text = "\n\n".join("".join(cell["source"]) for cell in cells)
    return section(text, anchor)


def digest(text: str) -> str:
    r"""Return the digest of a text's words: line breaks, spaces and numbers do not count.

    Examples
    --------
    >>> digest("Of 12 rows\n3 hold.") == digest("Of 13 rows 4 hold.") != digest("Of 12 rows.")
    True
    """
    plain = " ".join(re.sub(r"\d+(?:[.,]\d+)*", "#", text).split())
    return hashlib.sha256(plain.encode()).hexdigest()[:12]


# --------------------------------------------------------------------------------------- answers


def stale(answers: pl.DataFrame, root: Path) -> tuple[list[Stale], list[Fault]]:
    """Return the texts in Chinese that stand behind, and the rows that name nothing.

    Parameters
    ----------
    answers : polars.DataFrame
        As `read` gives it.
    root : Path
        The project folder.
    """
    behind, faults = [], []
    for row in answers.iter_rows(named=True):
        english, chinese = text_of(row["source"], root), text_of(row["zh"], root)
        for name, text in ((row["source"], english), (row["zh"], chinese)):
            if text is None:
                file, remedy = (FOLDER / "answers.csv").as_posix(), "mend the name, or drop the row"
                faults.append(Fault(file, "no such text", remedy, row["line"], value=name))
        if english is None or chinese is None or digest(english) == row["digest"]:
            continue
        behind.append(Stale(row["zh"], row["source"], digest(chinese) != row["digest_zh"]))
    return behind, faults


def refreshed(
    answers: pl.DataFrame, behind: Iterable[Stale], still: Iterable[str], today: date, root: Path
) -> pl.DataFrame:
    """Return the rows with the digests of today, where the Chinese was edited or still holds.

    Parameters
    ----------
    answers : polars.DataFrame
        As `read` gives it.
    behind : iterable of Stale
        As `stale` found them.
    still : iterable of str
        Sections in Chinese that need no edit.
    today : date
        The day to note.
    root : Path
        The project folder.
    """
    named = set(still)
    done = {(stale.zh, stale.source) for stale in behind if stale.edited or stale.zh in named}
    rows = []
    for row in answers.drop("line").iter_rows(named=True):
        english, chinese = text_of(row["source"], root), text_of(row["zh"], root)
        if english is None or chinese is None:
            rows.append(row)
            continue
        if (row["zh"], row["source"]) in done:
            row |= {"digest": digest(english), "digest_zh": digest(chinese), "written": today}
        elif digest(english) == row["digest"]:
            row |= {"digest_zh": digest(chinese)}
        rows.append(row)
    return pl.DataFrame(rows, schema=answers.drop("line").schema)


def main(arguments: Sequence[str] | None = None) -> int:
    """Report, and refresh where asked; 1 if a text stands behind."""
    parser = argparse.ArgumentParser(
        prog="python -m analysis.site.translations", description=__doc__
    )
    parser.add_argument("--refresh", action="store_true", help="note texts that were edited")
    parser.add_argument("--still", nargs="+", default=[], help="sections that need no edit")
    asked = parser.parse_args(arguments)
    root = paths.root()
    try:
        answers = read("answers", root)
    except FaultsError as error:
        print(error, file=sys.stderr)
        return 1
    behind, faults = stale(answers, root)
    if asked.refresh or asked.still:
        today = datetime.now(UTC).date()
        table = refreshed(answers, behind, asked.still, today, root)
        write_if_changed(root / FOLDER / "answers.csv", table.write_csv().encode())
        write_if_changed(root / FOLDER / datapackage.NAME, package().encode())
        behind, faults = stale(read("answers", root), root)
    for line in (*faults, *behind):
        print(line)
    print(f"{answers.height} pairs of texts, {len(behind)} behind")
    return 1 if behind or faults else 0


if __name__ == "__main__":
    sys.exit(main())
