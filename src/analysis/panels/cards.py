"""Cards of the public data sets: what each is, where it comes from, what it can and cannot say.

One TOML file in ``data/public/`` is one card. A card is also a contract: rows, columns, types and
the checksum of the file that the data come from, so that a changed package is noticed.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from analysis import paths
from analysis.contract import project_name
from analysis.faults import Fault, FaultsError, raise_if_any
from analysis.files import digest_files
from analysis.panels.records import build, read_toml
from analysis.results.provenance import Provenance
from analysis.results.table import ResultTable

TYPES = {"Int64": pl.Int64, "Float64": pl.Float64, "String": pl.String}
"""Types that a column may have."""

ORIGINS = ("observed", "partly generated")
"""Whether every value was observed, or some were made up by the author of a textbook."""

KNOWN = {
    "table seen": "as printed",
    "quoted elsewhere": "as printed, quoted elsewhere",
    "from memory": "as printed, from memory (not checked)",
    "authors' programs": "authors' programs",
}
"""How a published number is known, with the estimator that its result names."""


@dataclass(frozen=True)
class Column:
    """One column of a data set, as our loader returns it.

    Attributes
    ----------
    name : str
        Its name in our frame.
    type : str
        ``Int64``, ``Float64`` or ``String``.
    unit : str
        The unit, or the code: ``1 = yes, 0 = no``.
    about : str
        What it holds.
    source : str
        Its name in the file; empty where that is the same.
    """

    name: str
    type: str
    unit: str
    about: str
    source: str = ""

    @property
    def in_file(self) -> str:
        """The column's name in the file."""
        return self.source or self.name


@dataclass(frozen=True)
class Published:
    """A number that a publication prints, which the data must give.

    Attributes
    ----------
    id : str
        Short name, unique on the card.
    what : str
        Outcome, sample and estimand.
    estimate : float
        The number as printed; unit of the outcome's column.
    where : str
        Table, row and column.
    known : str
        One of `KNOWN`; a number of the authors' programs was computed by them from the data.
    std_error : float
        As printed; 0 where none is.
    outcome : str
        The column of the outcome; empty where it is made of several.
    n : int
        Rows behind it; 0 where that is not printed.
    term : str
        Which estimate of a result it stands beside, such as ``effect`` or ``overall``.
    """

    id: str
    what: str
    estimate: float
    where: str
    known: str
    std_error: float = 0.0
    outcome: str = ""
    n: int = 0
    term: str = "effect"


@dataclass(frozen=True)
class PackageFile:
    """A file inside an installed package.

    Attributes
    ----------
    package, version : str
        The package, and the version whose file the card describes.
    path : str
        The file, below the package's folder.
    sha256 : str
        Checksum of the file.
    """

    package: str
    version: str
    path: str
    sha256: str


@dataclass(frozen=True)
class Download:
    """An entry of ``data/external.toml``; address and checksum stand there.

    Attributes
    ----------
    external : str
        Its name there.
    member : str
        The file inside, where the download is an archive.
    """

    external: str
    member: str = ""


@dataclass(frozen=True)
class Card:
    """What a data set is.

    Attributes
    ----------
    id, title : str
        Name in the code and on pages.
    place, period : str
        Where and when the data were collected.
    design : str
        How treatment came about: experiment, cutoff, or none.
    unit : str
        Unit of observation: what one row is.
    origin : str
        One of `ORIGINS`.
    rows : int
        Rows of the file; the loader returns all of them.
    file_columns : int
        Columns of the file; the loader returns those in `columns`.
    licence, citation : str
        Terms of use, and whom to cite.
    says, does_not_say : str
        What the data can and cannot tell about household income.
    source : PackageFile or Download
        Where the file is.
    columns : tuple of Column
        The columns that the loader returns, in this order.
    published : tuple of Published
        Numbers that a publication prints; empty where none was seen.
    currency : str
        Currency of the amounts of money; ``none`` where there are none.
    prices : str
        Year whose prices those are in, or what is known of it; ``none`` where there are none.
    """

    id: str
    title: str
    place: str
    period: str
    design: str
    unit: str
    origin: str
    rows: int
    file_columns: int
    licence: str
    citation: str
    says: str
    does_not_say: str
    source: PackageFile | Download
    columns: tuple[Column, ...]
    published: tuple[Published, ...]
    currency: str
    prices: str

    @property
    def money(self) -> str:
        """Currency and prices, in a few words; empty where the data hold no money."""
        return "" if self.currency == "none" else f"{self.currency}, prices: {self.prices}"

    @property
    def file(self) -> str:
        """The card's own file, as the project names it."""
        return f"data/public/{self.id}.toml"

    @property
    def origin_of_file(self) -> str:
        """Where the data come from, in words."""
        if isinstance(self.source, Download):
            return "download"
        return f"package {self.source.package} {self.source.version}"


def load(folder: Path | None = None) -> dict[str, Card]:
    """Read every card, by id in alphabetical order.

    Parameters
    ----------
    folder : Path, optional
        Where the cards are; ``data/public`` of the project by default.

    Raises
    ------
    FaultsError
        With every fault of every card.
    """
    folder = folder or paths.data() / "public"
    cards: dict[str, Card] = {}
    faults: list[Fault] = []
    for path in sorted(folder.glob("*.toml")):
        try:
            cards[path.stem] = read(path)
        except FaultsError as error:
            faults.extend(error.faults)
    raise_if_any(faults)
    return cards


def get(name: str) -> Card:
    """Return one card.

    Raises
    ------
    FaultsError
        If there is no such card; the message lists those there are.
    """
    files = {path.stem: path for path in sorted((paths.data() / "public").glob("*.toml"))}
    if name not in files:
        remedy = f"use one of: {', '.join(files)}"
        raise FaultsError([Fault("data/public", "no card of that name", remedy, value=name)])
    return read(files[name])


def read(path: Path) -> Card:
    """Read one card and check it.

    Raises
    ------
    FaultsError
        With every unknown, missing or mistyped key, and every value outside its vocabulary.
    """
    file = project_name(path)
    table = read_toml(path)
    nested = {name: table.pop(name, {}) for name in ("source", "columns", "published")}
    kind = Download if "external" in nested["source"] else PackageFile
    faults: list[Fault] = []

    def attempt(record: type[Any], raw: Any, where: str, **given: Any) -> Any:
        try:
            return build(record, raw, file, where, **given)
        except FaultsError as error:
            faults.extend(error.faults)
            return None

    source = attempt(kind, nested["source"], "source")
    columns = tuple(
        attempt(Column, raw, f"columns.{number}") for number, raw in enumerate(nested["columns"], 1)
    )
    published = tuple(
        attempt(Published, raw, f"published.{number}")
        for number, raw in enumerate(nested["published"], 1)
    )
    card: Card | None = attempt(
        Card, table, "card", source=source, columns=columns, published=published
    )
    raise_if_any(faults)
    assert card is not None  # noqa: S101 — no fault, so there is a card
    raise_if_any(_contradictions(card, path))
    return card


def _contradictions(card: Card, path: Path) -> Iterator[Fault]:
    """Yield what is well formed and yet wrong."""
    file = project_name(path)
    if card.id != path.stem:
        yield Fault(
            file, "the id is not the file's name", f"write {path.stem}", None, "id", card.id
        )
    if card.origin not in ORIGINS:
        remedy = f"use one of: {', '.join(ORIGINS)}"
        yield Fault(file, "not in the vocabulary", remedy, None, "origin", card.origin)
    if not card.columns:
        yield Fault(
            file, "the card has no columns", "describe those that are used", None, "columns"
        )
    if len(card.columns) > card.file_columns:
        problem = f"{len(card.columns)} columns are described"
        yield Fault(file, problem, "correct it", None, "file_columns", str(card.file_columns))
    names = [column.name for column in card.columns]
    for name in sorted({name for name in names if names.count(name) > 1}):
        yield Fault(file, "the column occurs more than once", "keep one", None, "columns", name)
    for column in card.columns:
        if column.type not in TYPES:
            remedy = f"use one of: {', '.join(TYPES)}"
            yield Fault(file, "unknown type", remedy, None, f"columns.{column.name}", column.type)
    for item in card.published:
        if item.known not in KNOWN:
            remedy = f"use one of: {', '.join(KNOWN)}"
            where = f"published.{item.id}"
            yield Fault(file, "not in the vocabulary", remedy, None, where, item.known)
    if isinstance(card.source, PackageFile) and not re.fullmatch(
        "[0-9a-f]{64}", card.source.sha256
    ):
        remedy = "write the 64 hexadecimal digits of the file's sha256"
        yield Fault(file, "not a checksum", remedy, None, "source.sha256", card.source.sha256)


def cards_frame() -> pl.DataFrame:
    """Return all cards as a table for a page.

    Returns
    -------
    polars.DataFrame
        One row per data set: ``id``, ``title``, ``place``, ``period``, ``design``, ``unit``,
        ``money``, ``n_rows``, ``n_columns``, ``origin``, ``source``, ``licence``, ``citation``,
        ``says``, ``does_not_say``.
    """
    return pl.DataFrame(
        [
            {
                "id": card.id,
                "title": card.title,
                "place": card.place,
                "period": card.period,
                "design": card.design,
                "unit": card.unit,
                "money": card.money,
                "n_rows": card.rows,
                "n_columns": len(card.columns),
                "origin": card.origin,
                "source": card.origin_of_file,
                "licence": card.licence,
                "citation": card.citation,
                "says": card.says,
                "does_not_say": card.does_not_say,
            }
            for card in load().values()
        ]
    )


def table() -> ResultTable:
    """Return all cards as a table that readers can filter, observed data first.

    Examples
    --------
    >>> table().filters[0].key
    'origin'
    """
    data = cards_frame().sort(pl.col("origin") != "observed", "title")
    folder = paths.data() / "public"
    digest = digest_files(paths.root(), sorted(folder.glob("*.toml")))[:12]
    shown = data.select(
        pl.col("title").alias("data"),
        pl.format("{}; {}", "place", "period").alias("where and when"),
        "design",
        pl.col("says").alias("what it can say"),
        pl.col("does_not_say").alias("what it cannot"),
        "origin",
    )
    provenance = Provenance.of(
        cards_frame,
        evidence="public",
        rows_in=data.height,
        rows_used=data.height,
        method="cards of public data sets",
        inputs=(f"data/public:{digest}",),
    )
    return ResultTable(shown=shown, data=data, provenance=provenance).filterable("origin")
