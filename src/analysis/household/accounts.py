"""Accounts that need no study: growth of income by source against what was reported, at most.

What a reported programme paid cannot be more, on the average of a place, than the source of income
that it enters. This is bookkeeping and no effect: what people earn because of a payment, or stop
earning, is not in it. And it says nothing of a household that received it.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date
from fractions import Fraction
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import polars as pl

from analysis import contract, paths, printing, programmes
from analysis.claims import ledger, narrowing
from analysis.claims.expressions import Operand, check_fit, evaluate, names, parse
from analysis.claims.intervals import Interval
from analysis.claims.units import Unit
from analysis.faults import Fault, raise_if_any
from analysis.household import calibration
from analysis.household.budget import Budget, household
from analysis.household.calibration import SOURCES
from analysis.household.inputs import fault
from analysis.results import formatting
from analysis.results.bars import Bar, bars
from analysis.results.number import Number
from analysis.results.result import Account, Comparison, Result, frame_of
from analysis.results.table import ResultTable

if TYPE_CHECKING:
    from matplotlib.axes import Axes

PACKAGE: Final = (
    "National key poor counties",
    "effect of the whole poverty programme on rural income",
)
PER_HEAD: Final = Unit.parse("yuan/persons/years")
TRANSFERRED: Final = "labour income of transferred workers"
MISMATCHES: Final = frozenset({"place", "period", "time_type"})
"""Every row accepts them: its assumption says what stands for what."""


@dataclass(frozen=True)
class Entry:
    """A reported programme against a source of income, yuan a head and year.

    Attributes
    ----------
    id, programme, source, against, what, assumption : str
        As in ``accounts.csv``.
    added : Number
        What it would add to the average of the place, at most.
    available : Number
        Growth or level of the source.
    share : Number
        The one in per cent of the other.
    """

    id: str
    programme: str
    source: str
    against: str
    what: str
    assumption: str
    added: Number
    available: Number
    share: Number


@dataclass(frozen=True, eq=False, repr=False, kw_only=True)
class Accounts(Result):
    """Growth of income by source, and what reported programmes come to at most.

    Attributes
    ----------
    before, after : Budget
        The average household in the first and the last year.
    entries : tuple of Entry
        One a reported programme of the place.
    """

    before: Budget
    after: Budget
    entries: tuple[Entry, ...]

    def growth(self, source: str = "total") -> Number:
        """Return growth of income by source, or in ``total``, yuan a head."""
        if source == "total":
            change = self.after.per_head - self.before.per_head
        else:
            change = self.after.source_per_head(source) - self.before.source_per_head(source)
        what = f"growth of {source} income, {self.after.name} {self._span}"
        return replace(change, what=what, unit="yuan a head a year")

    @property
    def _span(self) -> str:
        return f"{self.before.year} to {self.after.year}"

    def growth_share(self, source: str) -> Number:
        """Return the part of growth that came from a source, per cent."""
        share = 100 * self.growth(source) / self.growth()
        return replace(share, what=f"share of growth from {source}", unit="per cent")

    @property
    def property_ceiling(self) -> Number:
        """All property income, per cent of income: dividends and rents cannot exceed it."""
        return replace(
            self.after.share("property"), what="ceiling of dividends, rents and interest"
        )

    @property
    def package(self) -> Number:
        """Effect of the whole poverty programme on rural income in key poor counties, per cent."""
        place, item = PACKAGE
        rows = calibration.load().facts.filter(pl.col("place") == place, pl.col("item") == item)
        row = rows.row(0, named=True)
        return Number(
            value=row["value"],
            what=row["item"],
            unit="per cent",
            provenance=replace(
                self.provenance, evidence="published", method=row["source"], rows_used=1
            ),
        )

    @property
    def package_yuan(self) -> Number:
        """The same in yuan a head of the place: of what income would have been without it."""
        part = self.package.value / (100 + self.package.value)
        return replace(
            self.after.per_head * part,
            what="the whole programme, at the effect in key poor counties",
            provenance=replace(self.provenance, evidence="published"),
        )

    def entry(self, name: str) -> Entry:
        """Return an entry by its id or programme.

        Raises
        ------
        FaultsError
            If there is none, or more than one.
        """
        entries = [entry for entry in self.entries if name in (entry.id, entry.programme)]
        if len(entries) != 1:
            there = ", ".join(f"{entry.id} ({entry.programme})" for entry in self.entries) or "none"
            raise fault("entry", "none or several entries of that name", f"there: {there}", name)
        return entries[0]

    def rows(self) -> pl.DataFrame:
        """Return reported programmes as printed, one a row."""
        named = dict(programmes.load().programmes.select("id", "name_en").iter_rows())
        return pl.DataFrame(
            [
                {
                    "programme": named[entry.programme],
                    "what is counted": entry.what,
                    "comes to, yuan a head": _spanned(entry.added),
                    "set against": f"{entry.against} of {entry.source} income, "
                    f"{entry.available.text} yuan",
                    "per cent of it": _spanned(entry.share),
                    "if": entry.assumption,
                }
                for entry in self.entries
            ]
        )

    def growth_rows(self) -> pl.DataFrame:
        """Return growth by source as printed."""
        rows = []
        for source in (*SOURCES, "total"):
            first, last = (
                b.per_head if source == "total" else b.source_per_head(source)
                for b in (self.before, self.after)
            )
            rows.append(
                {
                    "source of income": source,
                    f"{self.before.year}, yuan a head": first.text,
                    f"{self.after.year}, yuan a head": last.text,
                    "growth, yuan": self.growth(source).text,
                    "per cent of all growth": "100"
                    if source == "total"
                    else self.growth_share(source).text,
                }
            )
        return pl.DataFrame(rows)

    def table(self) -> ResultTable:
        """Return what reported programmes come to at most, as a table."""
        return ResultTable(shown=self.rows(), data=self.frame, provenance=self.provenance)

    def growth_table(self) -> ResultTable:
        """Return growth by source as a table."""
        return ResultTable(shown=self.growth_rows(), data=self.frame, provenance=self.provenance)

    def plot(self, ax: Axes | None = None, **options: Any) -> Axes:
        """Draw each reported programme beside the growth or level of its source."""
        rows = [
            Bar(
                f"{entry.programme.replace('_', ' ')}, {entry.source}",
                entry.added.value,
                f"{_spanned(entry.added)} of {entry.available.text} ({entry.against})",
                whole=entry.available.value,
            )
            for entry in self.entries
        ]
        return bars(
            rows,
            "yuan a head a year, average of the place",
            what=self.title,
            data=self.frame,
            provenance=self.provenance,
            ax=ax,
        )


def _spanned(number: Number) -> str:
    """Print a number with its range, three digits, unless both ends print alike."""
    if not math.isfinite(number.low):
        return number.text
    if not math.isfinite(number.high):
        return f"more than {formatting.number(number.low)}"
    decimals = printing.decimals(number.value)
    low, high = (formatting.number(end, decimals) for end in (number.low, number.high))
    return low if low == high else f"{low} to {high}"


def accounts(budget: Budget, since: int | None = None) -> Accounts:
    """Return growth of income by source against what reported programmes add at most.

    Parameters
    ----------
    budget : Budget
        The household in the last year.
    since : int, optional
        First year; the year before if left out.

    Returns
    -------
    Accounts

    Raises
    ------
    FaultsError
        If a row of ``accounts.csv`` does not fit, or `since` is no earlier year.

    Examples
    --------
    >>> from analysis.household.budget import household
    >>> ngari = accounts(household("ngari", 2019))
    >>> str(ngari.entry("paired_assistance").added)
    '37.7'
    """
    first = budget.year - 1 if since is None else since
    if first >= budget.year:
        raise fault("since", "not before the last year", "give an earlier year", first)
    before = household(budget.place, first)
    empty = Accounts(
        frame=budget.frame.clear(),
        comparison=Comparison(
            estimand="what reported programmes come to at most, on the average of a place",
            compared=f"{budget.name}, {first} and {budget.year}",
            errors="exact ranges of the claims; official figures as published",
        ),
        account=Account(
            rows_in=budget.account.rows_in, rows_used=budget.account.rows_used, units="facts"
        ),
        provenance=replace(
            budget.provenance,
            function=f"{accounts.__module__}.{accounts.__qualname__}",
            method="interval arithmetic over claims and official figures",
        ),
        title=f"Growth of income, {budget.name} {first} to {budget.year}",
        before=before,
        after=budget,
        entries=(),
    )
    result = replace(empty, entries=tuple(_entries(empty)))
    return replace(result, frame=_frame(result))


@cache
def _rows(folder: Path) -> pl.DataFrame:
    frame = contract.read(folder / "accounts.csv", calibration.AccountRows)
    file = contract.project_name(folder / "accounts.csv")
    places = set(calibration.load(folder).places["id"])
    known = set(programmes.load().programmes["id"])
    raise_if_any(
        Fault(file, "not known", "use an id that exists", row["line"], column, row[column])
        for row in frame.iter_rows(named=True)
        for column, ids in (("place", places), ("programme", known))
        if row[column] not in ids
    )
    return frame


@cache
def _operands() -> dict[str, Operand]:
    return narrowing.narrowed_operands(ledger.load())


def _entries(result: Accounts) -> Iterator[Entry]:
    folder = paths.data() / "household"
    budget = result.after
    operands = _operands() | _of_place(result.before, budget)
    for row in _rows(folder).filter(pl.col("place") == budget.place).iter_rows(named=True):
        expression = parse(row["expression"])
        unknown = [name for name in names(expression) if name not in operands]
        if set(unknown) <= {"labour_income", "labour_income_before"} and unknown:
            continue  # no labour income is published for one of the two years
        unit = None if unknown else check_fit(expression, operands, MISMATCHES).unit
        if unknown or unit != PER_HEAD:
            problem = f"unknown {', '.join(unknown)}" if unknown else f"it is in {unit}"
            file = contract.project_name(folder / "accounts.csv")
            remedy = f"write a quantity in {PER_HEAD}"
            raise_if_any([Fault(file, problem, remedy, row["line"], "expression", expression.text)])
        level = budget.source_per_head(row["source"])
        available = result.growth(row["source"]) if row["against"] == "growth" else level
        yield _entry(row, evaluate(expression, operands), available, result)


def _of_place(before: Budget, after: Budget) -> dict[str, Operand]:
    """Return rural population and labour income of transferred workers as operands."""
    by_name = {}
    if "people" in after.facts:
        people = Interval.point(Fraction(str(after.facts["people"].value)))
        by_name["people"] = Operand(people, Unit.parse("persons"))
    known = calibration.load()
    for name, year in (("labour_income_before", before.year), ("labour_income", after.year)):
        rows = known.facts.filter(
            pl.col("item") == TRANSFERRED, pl.col("year") == year, pl.col("period") == "year"
        )
        if rows.height:
            amount = Interval.point(Fraction(str(rows["value"][0])))
            days = (date(before.year, 1, 1), date(after.year, 12, 31))
            by_name[name] = Operand(amount, Unit.parse("yuan/years"), "flow", "", days)
    return by_name


def _entry(row: dict[str, Any], added: Interval, available: Number, result: Accounts) -> Entry:
    low = math.nan if added.low.value is None else float(added.low.value)
    high = math.inf if added.high.value is None else float(added.high.value)
    value = low if math.isinf(high) else (low + high) / 2
    apart = low != high
    number = Number(
        value=value,
        low=low if apart else math.nan,
        high=high if apart else math.nan,
        what=row["what"],
        unit="yuan a head a year",
        provenance=result.provenance,
    )
    share = replace(
        number * (100 / available.value),
        what=f"{row['what']}, of the {row['against']} of {row['source']} income",
        unit="per cent",
    )
    return Entry(
        **{k: row[k] for k in ("id", "programme", "source", "against", "what", "assumption")},
        added=number,
        available=available,
        share=share,
    )


def _frame(result: Accounts) -> pl.DataFrame:
    def row(term: str, outcome: str, number: Number, about: str = "") -> dict[str, Any]:
        low, high = number.ends
        return {
            "term": term,
            "outcome": outcome,
            "estimate": number.value,
            "ci_low": low,
            "ci_high": high,
            "unit": number.unit,
            "note": about,
        }

    rows = [row(s, "growth", result.growth(s)) for s in (*SOURCES, "total")]
    for entry in result.entries:
        rows.append(row(entry.id, entry.what, entry.added, entry.assumption))
        rows.append(row(entry.id, f"per cent of {entry.against} of {entry.source}", entry.share))
    rows.append(row("whole programme", "ceiling", result.package))
    return frame_of(rows)
