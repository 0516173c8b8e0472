"""The record of each number, figure and table that a page shows.

A notebook notes a result on its `Page`; the `Finding` it gets back prints itself inline, with a
link to its record. When a notebook has run, the pipeline asks `export_json` for the records; they
end up in ``reports/findings.csv`` and on the findings page, and `compare` says what moved.
"""

from __future__ import annotations

import csv
import hashlib
import io
import json
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, fields, replace
from fractions import Fraction
from pathlib import Path
from typing import Protocol, TypeVar

import polars as pl

from analysis import paths, printing
from analysis.claims.intervals import Interval
from analysis.faults import Fault, FaultsError

TIERS = {
    "reported": "Reported claim",
    "published": "Published study",
    "public": "Public microdata",
    "model": "Model panel (simulated, truth known)",
    "twin": "Synthetic twin (drawn from a survey, no truth known)",
    "yours": "Your data",
}
TOLERANCE = 1e-9
"""Relative difference up to which two runs agree: the rounding of double precision, added up."""
DIGITS = 9
"""Significant digits of a table's numbers that enter its digest, for the same reason."""


@dataclass(frozen=True)
class Finding:
    """One published number, figure or table.

    Attributes
    ----------
    id : str
        Permanent name; the anchor on the findings page.
    kind : str
        ``number``, ``word``, ``figure`` or ``table``.
    page : str
        Notebook that shows it.
    tier : str
        Evidence tier, a key of `TIERS`.
    what : str
        The estimand, or what the number is.
    value : float or None
        The number; None for a figure or table, or where only an interval is known.
    low, high : float or None
        Ends of its interval; None where there is none on that side.
    unit : str
        Unit as in the ledger; yuan are nominal unless `what` names a price year.
    text : str
        As printed.
    rows_in, rows_used : int or None
        Rows that entered and rows that were used.
    method : str
        How it was obtained, in a few words.
    function : str
        The function that made it.
    inputs : str
        Input files with the first 12 digits of their sha256, joined by semicolons.
    digest : str
        For a figure or table: digest of its data to nine significant digits.
    tolerance : float
        Relative difference up to which two runs agree.
    """

    id: str
    kind: str
    page: str
    tier: str
    what: str
    value: float | None
    low: float | None
    high: float | None
    unit: str
    text: str
    rows_in: int | None
    rows_used: int | None
    method: str
    function: str
    inputs: str
    digest: str
    tolerance: float

    def markdown(self) -> str:
        """Return the printed text as a link to its record."""
        return f"[{self.text}](/findings.qmd#{self.id}){{.finding}}"

    def _repr_markdown_(self) -> str:
        return self.markdown()

    def __str__(self) -> str:
        return self.text


_noted: dict[str, Finding] = {}
"""What this process has noted; a notebook's kernel is one process."""


@dataclass(frozen=True)
class Badge:
    """The badge of an evidence tier, printed inline."""

    tier: str

    def _repr_markdown_(self) -> str:
        return f"[{TIERS[self.tier]}]{{.badge .tier-{self.tier}}}"


class Exhibit(Protocol):
    """A figure or table: named, with its data."""

    @property
    def name(self) -> str:
        """Label of its cell."""

    @property
    def data(self) -> pl.DataFrame:
        """What is shown."""


E = TypeVar("E", bound=Exhibit)


@dataclass(frozen=True)
class Page:
    """A page that notes its findings.

    Attributes
    ----------
    name : str
        The notebook, without its ending.
    tier : str
        Evidence tier of its numbers unless one says otherwise.
    inputs : tuple of str
        Files or folders below the project folder that its numbers come from.
    also : tuple of str
        Other inputs, each with its digest, as ``name:digest``: a panel that lies elsewhere.
    """

    name: str
    tier: str
    inputs: tuple[str, ...]
    also: tuple[str, ...] = ()

    def number(
        self,
        id: str,
        value: float | Fraction | Interval,
        what: str,
        *,
        unit: str,
        function: Callable[..., object],
        rows_in: int,
        rows_used: int,
        method: str = "count",
        digits: int | None = None,
    ) -> Finding:
        """Note a number and return the finding that prints it.

        Parameters
        ----------
        id : str
            Permanent name.
        value : float, Fraction or Interval
            The number, or the interval where that is all that is known.
        what : str
            The estimand, or what the number is.
        unit : str
            Unit as in the ledger; printed with the number only where the text does so.
        function : callable
            The function that made it.
        method : str
            How, in a few words.
        rows_in, rows_used : int
            Rows that entered and were used; of a figure made of claims, the names it could and
            does use.
        digits : int, optional
            Decimals to print.

        Raises
        ------
        ValueError
            If the name is taken by another value.
        """
        low = high = point = None
        if isinstance(value, Interval):
            low = None if value.low.value is None else float(value.low.value)
            high = None if value.high.value is None else float(value.high.value)
            point = low if value.is_point else None
            text = printing.interval(value, digits)
        else:
            point, text = float(value), printing.number(value, digits)
        return self._note(
            id=id, kind="number", what=what, value=point, low=low, high=high, unit=unit, text=text,
            rows_in=rows_in, rows_used=rows_used, method=method, function=function, digest="",
        )  # fmt: skip

    def word(
        self,
        id: str,
        text: str,
        what: str,
        *,
        function: Callable[..., object],
        rows_in: int,
        rows_used: int,
        method: str = "as computed",
    ) -> Finding:
        """Note a computed word, such as a verdict or the name of the largest figure."""
        return self._note(
            id=id, kind="word", what=what, value=None, low=None, high=None, unit="", text=text,
            rows_in=rows_in, rows_used=rows_used, method=method, function=function, digest="",
        )  # fmt: skip

    def exhibit(
        self,
        id: str,
        kind: str,
        what: str,
        data: pl.DataFrame,
        function: Callable[..., object],
        rows_in: int | None = None,
    ) -> Finding:
        """Note a figure or table by the digest of its data."""
        return self._note(
            id=id, kind=kind, what=what, value=None, low=None, high=None, unit="", text=what,
            rows_in=data.height if rows_in is None else rows_in, rows_used=data.height,
            method="shown as computed",
            function=function, digest=frame_digest(data),
        )  # fmt: skip

    def show(self, exhibit: E, what: str, function: Callable[..., object]) -> E:
        """Note a figure or table and return it, to be shown as the last line of its cell.

        Parameters
        ----------
        exhibit : Figure or Table
            Anything with a name that begins with ``fig-`` or ``tbl-``, and data.
        what : str
            What it shows.
        function : callable
            The function that made it.
        """
        kind = "figure" if exhibit.name.startswith("fig-") else "table"
        self.exhibit(exhibit.name, kind, what, exhibit.data, function)
        if hasattr(exhibit, "tier"):  # a figure draws its badge, a table carries it
            return replace(exhibit, tier=self.tier)  # type: ignore[type-var]
        return exhibit

    def _note(self, *, function: Callable[..., object], **parts: object) -> Finding:
        finding = Finding(
            page=self.name,
            tier=self.tier,
            function=f"{function.__module__}.{function.__qualname__}",
            inputs=";".join([*(f"{n}:{file_digest(n)}" for n in self.inputs), *self.also]),
            tolerance=TOLERANCE,
            **parts,  # type: ignore[arg-type]
        )
        known = _noted.setdefault(finding.id, finding)
        if known != finding:
            raise ValueError(f"finding {finding.id} is noted twice with different content")
        return finding


def file_digest(name: str) -> str:
    """Return 12 digits of the sha256 of a file, or of a folder: its files' names and content."""
    target = paths.root() / name
    files = sorted(p for p in target.rglob("*") if p.is_file()) if target.is_dir() else [target]
    total = hashlib.sha256()
    for file in files:
        total.update(file.relative_to(paths.root()).as_posix().encode())
        total.update(file.read_bytes().replace(b"\r\n", b"\n"))
    return total.hexdigest()[:12]


def frame_digest(data: pl.DataFrame) -> str:
    """Return 12 digits of the sha256 of a table, its floats at nine significant digits."""
    floats = [name for name, kind in data.schema.items() if kind.is_float()]
    rounded = data.with_columns(pl.col(floats).round_sig_figs(DIGITS)) if floats else data
    return hashlib.sha256(rounded.write_csv().encode()).hexdigest()[:12]


def export_json() -> str:
    """Return everything noted in this process, in order of noting, as JSON."""
    return json.dumps([asdict(finding) for finding in _noted.values()], ensure_ascii=False)


def forget() -> None:
    """Forget everything noted in this process."""
    _noted.clear()


COLUMNS = tuple(field.name for field in fields(Finding))


def write_csv(records: Sequence[Mapping[str, object]], path: Path) -> None:
    """Write the records, sorted by id, whole or not at all."""
    buffer = io.StringIO()
    writer = csv.DictWriter(buffer, COLUMNS, lineterminator="\n")
    writer.writeheader()
    for record in sorted(records, key=lambda record: str(record["id"])):
        writer.writerow({name: _cell(record[name]) for name in COLUMNS})
    part = path.with_suffix(".part")
    path.parent.mkdir(parents=True, exist_ok=True)
    part.write_text(buffer.getvalue(), encoding="utf-8", newline="\n")
    part.replace(path)


def _cell(value: object) -> str:
    return "" if value is None else repr(value) if isinstance(value, float) else str(value)


def read_csv(path: Path) -> list[dict[str, object]]:
    """Read records as `write_csv` wrote them.

    Raises
    ------
    FaultsError
        If the file is missing or is not such a file.
    """
    name = path.name
    try:
        with path.open(encoding="utf-8", newline="") as handle:
            rows = list(csv.DictReader(handle))
    except FileNotFoundError:
        raise FaultsError([Fault(name, "the file is missing", "make it: make report")]) from None
    if rows and tuple(rows[0]) != COLUMNS:
        raise FaultsError(
            [Fault(name, "the columns are not those of a findings file", "restore it from git", 1)]
        )
    floats, integers = {"value", "low", "high", "tolerance"}, {"rows_in", "rows_used"}
    return [
        {
            column: (None if text == "" and column in floats | integers
                     else float(text) if column in floats
                     else int(text) if column in integers else text)
            for column, text in row.items()
        }
        for row in rows
    ]  # fmt: skip


@dataclass(frozen=True)
class Moved:
    """A finding that differs between two runs.

    Attributes
    ----------
    id, page : str
        Which finding, and where it is shown.
    column : str
        ``value``, ``low``, ``high``, ``digest``, ``unit``, ``rows_used`` ..., or ``record`` if one
        of the runs lacks it.
    before, after : str
        What the two runs say.
    """

    id: str
    page: str
    column: str
    before: str
    after: str


COMPARED = ("value", "low", "high", "unit", "text", "tier", "rows_in", "rows_used", "digest")


def compare(
    before: Iterable[Mapping[str, object]], after: Iterable[Mapping[str, object]]
) -> tuple[Moved, ...]:
    """Return what moved between two runs, by id; numbers within their tolerance did not move."""
    old = {str(record["id"]): record for record in before}
    new = {str(record["id"]): record for record in after}
    moved = []
    for name in sorted(old.keys() | new.keys()):
        if name not in old or name not in new:
            page = str((old.get(name) or new[name])["page"])
            known = ("published", "gone") if name in old else ("not published", "new")
            moved.append(Moved(name, page, "record", *known))
            continue
        for column in COMPARED:
            a, b = old[name][column], new[name][column]
            if not _agree(a, b, new[name]["tolerance"]):
                moved.append(Moved(name, str(new[name]["page"]), column, _cell(a), _cell(b)))
    return tuple(moved)


def _agree(a: object, b: object, tolerance: object) -> bool:
    if isinstance(a, float) and isinstance(b, float) and isinstance(tolerance, float):
        return math.isclose(a, b, rel_tol=tolerance, abs_tol=0)
    return a == b
