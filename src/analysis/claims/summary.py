"""Small tables that describe the ledger: what the pages count and show."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction

import polars as pl

from analysis import programmes
from analysis.claims import formatting
from analysis.claims.expressions import Operand
from analysis.claims.implied import ImpliedIncome
from analysis.claims.ledger import Ledger
from analysis.claims.printed import read_number
from analysis.claims.relations import VERDICTS, Verdict

PRECISION = {
    "exact": "printed in full",
    "rounded": "rounded or cut at the last digit",
    "open": "open on one side (more than, at least)",
    "assumed": "needs an assumption (nearly)",
}


def quantities(ledger: Ledger) -> pl.DataFrame:
    """Return the claims that are quantities: slogan numerals left out."""
    return ledger.claims.filter(pl.col("slogan") == "no")


@dataclass(frozen=True)
class Counts:
    """How many claims there are, and of what sort.

    Attributes
    ----------
    claims, slogans, quantities : int
        Rows; numerals that only name a scheme; the rest.
    people_or_events : int
        Quantities that count people, households, events or teaching hours; rules and rates, such
        as "at least two in every village", are not counts.
    yuan : int
        Quantities that are amounts of money.
    income : int
        Quantities that enter an income figure per person or household.
    in_full, rounded, open, assumed : int
        Quantities by precision.
    systems : int
        Systems and procedures that the articles describe.
    """

    claims: int
    slogans: int
    quantities: int
    people_or_events: int
    yuan: int
    income: int
    in_full: int
    rounded: int
    open: int
    assumed: int
    systems: int


def counts(ledger: Ledger, figures: Iterable[ImpliedIncome]) -> Counts:
    """Count the ledger.

    Parameters
    ----------
    ledger : Ledger
        The ledger.
    figures : iterable of ImpliedIncome
        What the claims imply; a claim used there enters an income figure.
    """
    rows = quantities(ledger)
    kinds = dict(ledger.units.select("unit", "kind").iter_rows())
    kind = rows["unit"].str.split("/").list.first().replace_strict(kinds, default=None)
    events = kind.is_in(["people", "household", "event"]) | (rows["unit"] == "class_hours")
    plain = (rows["kind"] == "count") & ~rows["unit"].str.contains("/")
    used = {name for figure in figures for name in figure.claims}
    precise = [precision_of(ledger.operands[name]) for name in rows["id"]]
    return Counts(
        claims=ledger.claims.height,
        slogans=ledger.claims.height - rows.height,
        quantities=rows.height,
        people_or_events=int((events & plain).sum()),
        yuan=int((kind == "money").sum()),
        income=len(used & set(rows["id"])),
        in_full=precise.count("exact"),
        rounded=precise.count("rounded"),
        open=precise.count("open"),
        assumed=precise.count("assumed"),
        systems=programmes.load().systems.height,
    )


def by_programme_and_kind(ledger: Ledger) -> pl.DataFrame:
    """Count quantities by programme and kind.

    Returns
    -------
    polars.DataFrame
        ``programme`` (name in English), ``kind``, ``n``.
    """
    names = programmes.load().programmes.select(programme="id", name="name_en")
    return (
        quantities(ledger)
        .join(names, on="programme", how="left", validate="m:1")
        .group_by(programme="name", kind=pl.col("kind").cast(pl.String))
        .agg(n=pl.len())
        .sort("programme", "kind")
    )


def precision_of(operand: Operand) -> str:
    """Say how precise a printed number is; a key of `PRECISION`.

    Examples
    --------
    >>> from analysis.claims.intervals import Interval
    >>> from analysis.claims.units import Unit
    >>> precision_of(Operand(Interval.more_than(30), Unit()))
    'open'
    """
    interval = operand.interval
    if interval.low.assumed or interval.high.assumed:
        return "assumed"
    if not interval.is_bounded:
        return "open"
    return "exact" if interval.is_point else "rounded"


def precision(ledger: Ledger) -> pl.DataFrame:
    """Count quantities by source and precision.

    Returns
    -------
    polars.DataFrame
        ``source`` (id and publisher), ``precision`` (a value of `PRECISION`), ``n``.
    """
    labels = dict(
        ledger.sources.select("id", pl.col("publisher").str.split(" (").list.first()).iter_rows()
    )
    rows = [
        {
            "source": f"{row['source']} {short(labels[row['source']])}",
            "precision": PRECISION[precision_of(ledger.operands[row["id"]])],
        }
        for row in quantities(ledger).iter_rows(named=True)
    ]
    return (
        pl.DataFrame(rows)
        .group_by("source", "precision")
        .agg(n=pl.len())
        .sort("source", "precision")
    )


def short(publisher: str) -> str:
    """Shorten a publisher's name for a label.

    Examples
    --------
    >>> short("not printed, datelined Lhasa")
    'not printed'
    """
    return publisher.split(",")[0].strip()


def verdict_counts(verdicts: Iterable[Verdict]) -> pl.DataFrame:
    """Count relations by role and verdict.

    Returns
    -------
    polars.DataFrame
        ``role``, ``verdict``, ``n``, in the order of `VERDICTS`.
    """
    frame = pl.DataFrame({"role": v.role, "verdict": v.verdict} for v in verdicts)
    order = {verdict: i for i, verdict in enumerate(VERDICTS)}
    return (
        frame.group_by("role", "verdict")
        .agg(n=pl.len())
        .sort("role", pl.col("verdict").replace_strict(order))
    )


def implied_per_head(figures: Iterable[ImpliedIncome]) -> pl.DataFrame:
    """Return the figures per person that can be drawn on one axis.

    Returns
    -------
    polars.DataFrame
        ``label``, ``low``, ``high`` (yuan per person, null where unbounded), ``printed`` (the same
        in words), ``official`` (yuan per person a year), ``frequency``, ``measures``.
    """

    def end(value: Fraction | None) -> float | None:
        return None if value is None else float(value)

    return pl.DataFrame(
        {
            "label": f.title,
            "low": end(f.yuan.low.value),
            "high": end(f.yuan.high.value),
            "printed": formatting.interval(f.yuan),
            "official": float(f.official_yuan),
            "frequency": f.frequency,
            "measures": f.measures,
        }
        for f in figures
        if f.yuan is not None and f.basis == "per_head"
    )


@dataclass(frozen=True)
class Example:
    """A printed number taken apart: the phrase, its value, and the worth of its last digit."""

    printed: str
    value: Fraction
    step: Fraction
    unit: str


def example(ledger: Ledger, claim: str) -> Example:
    """Take one claim's printed number apart.

    Raises
    ------
    ValueError
        If the phrase holds no numeral.
    """
    row = ledger.claims.row(by_predicate=pl.col("id") == claim, named=True)
    reading = read_number(row["printed"])
    if reading is None:
        raise ValueError(f"{claim}: no numeral in {row['printed']}")
    return Example(row["printed"], reading.value, reading.step, row["unit"])


@dataclass(frozen=True)
class Extremes:
    """The smallest and the largest figure per person, by their nearer ends."""

    lowest: ImpliedIncome
    highest: ImpliedIncome


def extremes(figures: Iterable[ImpliedIncome]) -> Extremes:
    """Return the figures per person whose range begins lowest and highest.

    Raises
    ------
    ValueError
        If no figure is per person.
    """

    def begins(figure: ImpliedIncome) -> Fraction:
        low = figure.yuan.low.value if figure.yuan else None
        return low if low is not None else Fraction(0)

    drawn = [f for f in figures if f.yuan is not None and f.basis == "per_head"]
    return Extremes(min(drawn, key=begins), max(drawn, key=begins))


@dataclass(frozen=True)
class Tested:
    """Identities and bounds: how many there are, can be computed, hold, fail, or stay open."""

    total: int
    computed: int
    hold: int
    fail: int
    open: int


def tested(verdicts: Iterable[Verdict]) -> Tested:
    """Count what tests the articles against themselves."""
    found = [v.verdict for v in verdicts if v.role in ("identity", "bound")]
    hold = sum(verdict in ("consistent", "certain") for verdict in found)
    fail = sum(verdict in ("inconsistent", "impossible") for verdict in found)
    computed = sum(verdict != "not computable" for verdict in found)
    return Tested(len(found), computed, hold, fail, computed - hold - fail)
