"""Small tables that describe the ledger: what the pages count and show."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction

import polars as pl

from analysis import printing, programmes
from analysis.claims.expressions import Operand
from analysis.claims.implied import ImpliedIncome
from analysis.claims.intervals import Interval
from analysis.claims.ledger import Ledger
from analysis.claims.printed import read_number
from analysis.claims.relations import VERDICTS, Verdict
from analysis.claims.units import PERCENT

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


def claims_table(ledger: Ledger, supports: pl.DataFrame) -> pl.DataFrame:
    """Return every claim as a reader sees it.

    Parameters
    ----------
    ledger : Ledger
        The ledger.
    supports : polars.DataFrame
        As `analysis.claims.implied.support` gives it.

    Returns
    -------
    polars.DataFrame
        One row per claim: id, source, paragraph, programme, place, period, counted, printed,
        says (the interval in words), unit, kind, supports.
    """
    names = programmes.load().programmes.select(programme="id", name="name_en")
    says = {
        name: printing.interval(ledger.operands[name].interval * _scale(unit))
        for name, unit in ledger.claims.select("id", "unit").iter_rows()
    }
    start, end = (pl.col(c).dt.strftime("%Y-%m") for c in ("period_start", "period_end"))
    return (
        ledger.claims.join(names, on="programme", how="left", validate="m:1")
        .join(supports.select("id", "supports"), on="id", how="left", validate="1:1")
        .select(
            "id",
            "source",
            "paragraph",
            programme="name",
            place="place",
            period=pl.when(start == end).then(start).otherwise(start + " to " + end)
            + pl.when(pl.col("period_basis") == "inferred")
            .then(pl.lit(" (inferred)"))
            .otherwise(pl.lit("")),
            counted="counted",
            printed="printed",
            says=pl.col("id").replace_strict(says, return_dtype=pl.String),
            unit=pl.col("unit").map_elements(printing.unit, return_dtype=pl.String),
            kind=pl.when(pl.col("slogan") == "yes")
            .then(pl.lit("slogan numeral"))
            .otherwise(pl.col("kind").cast(pl.String)),
            supports="supports",
        )
        .sort("id")
    )


def _scale(unit: str) -> Interval:
    """Percentages are held as fractions of one and shown as printed."""
    return Interval.point(100 if unit == PERCENT else 1)


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


def relations_table(verdicts: Iterable[Verdict]) -> pl.DataFrame:
    """Return every relation as a reader sees it.

    Returns
    -------
    polars.DataFrame
        One row per relation: id, role, question, result (interval with its unit, or both sides of
        a comparison), verdict, why (what is missing or assumed), expression.
    """
    return pl.DataFrame(
        {
            "id": v.id,
            "role": v.role,
            "question": v.question,
            "result": _result(v),
            "verdict": v.verdict,
            "why": v.reason or (f"assumes: {v.assumption}" if v.assumption else ""),
            "expression": v.expression,
        }
        for v in verdicts
    )


def _result(verdict: Verdict) -> str:
    scale = _scale(verdict.unit)
    unit = printing.unit(verdict.unit)
    if verdict.interval is None:
        return ""
    if verdict.left is None or verdict.right is None:
        return f"{printing.interval(verdict.interval * scale)} {unit}".strip()
    left, right = (printing.interval(side * scale) for side in (verdict.left, verdict.right))
    sign = next(s for s in ("==", "<=", ">=", "<", ">") if s in verdict.expression)
    words = {"==": "=", "<=": "≤", ">=": "≥"}
    return f"{left} {words.get(sign, sign)} {right}? {unit}".strip()


def implied_table(figures: Iterable[ImpliedIncome]) -> pl.DataFrame:
    """Return what the claims imply, as a reader sees it.

    Returns
    -------
    polars.DataFrame
        One row per figure: id, title, yuan (interval), per, how_often, measures, official (yuan
        per person a year, marked if unverified), share (of it, in per cent), why_not_effect,
        assumption.
    """
    return pl.DataFrame(
        {
            "id": f.id,
            "title": f.title,
            "yuan": printing.interval(f.yuan) if f.yuan else f.reason,
            "per": f.basis.removeprefix("per_"),
            "how_often": f.frequency.replace("_", " "),
            "measures": f.measures,
            "official": printing.number(f.official_yuan)
            + ("" if f.official_status != "from_memory" else " (unverified)"),
            "share": f"{printing.interval(f.share * Interval.point(100))} %" if f.share else "",
            "why_not_effect": f.why_not_effect,
            "assumption": f.assumption,
        }
        for f in figures
    )


def implied_per_head(figures: Iterable[ImpliedIncome]) -> pl.DataFrame:
    """Return the figures per person that can be drawn on one axis.

    Returns
    -------
    polars.DataFrame
        ``label``, ``low``, ``high`` (yuan per person, null where unbounded), ``official`` (yuan per
        person a year), ``frequency``, ``measures``.
    """

    def end(value: Fraction | None) -> float | None:
        return None if value is None else float(value)

    return pl.DataFrame(
        {
            "label": f.title,
            "low": end(f.yuan.low.value),
            "high": end(f.yuan.high.value),
            "official": float(f.official_yuan),
            "frequency": f.frequency,
            "measures": f.measures,
        }
        for f in figures
        if f.yuan is not None and f.basis == "per_head"
    )


def programmes_table(ledger: Ledger, figures: Iterable[ImpliedIncome]) -> pl.DataFrame:
    """Return the catalogue with what the articles report on each entry.

    Returns
    -------
    polars.DataFrame
        One row per programme or context: name, level, channels, dose_unit, n_claims (quantities),
        in_yuan (titles of the implied figures, or why there is none), identification, hard.
    """
    titles: dict[str, list[str]] = {}
    for figure in figures:
        titles.setdefault(figure.programme, []).append(figure.title)
    n = dict(quantities(ledger).group_by("programme").agg(pl.len()).iter_rows())
    return programmes.load().programmes.select(
        name="name_en",
        level=pl.col("level").cast(pl.String),
        channels=pl.col("channels").str.replace_all(";", ", "),
        dose_unit="dose_unit",
        n_claims=pl.col("id").replace_strict(n, default=0),
        in_yuan=pl.col("id").map_elements(
            lambda name: "; ".join(titles.get(name, ["nothing"])), return_dtype=pl.String
        ),
        identification="identification",
        hard="hard",
    )


def systems_table() -> pl.DataFrame:
    """Return every system the articles describe, with the name of its programme.

    Returns
    -------
    polars.DataFrame
        One row per system: id, source, paragraph, programme, name_en, name_zh, description,
        numeric_parameter, channel.
    """
    catalogue = programmes.load()
    names = dict(catalogue.programmes.select("id", "name_en").iter_rows())
    return catalogue.systems.with_columns(pl.col("programme").replace_strict(names)).drop("line")


def sources_table(ledger: Ledger) -> pl.DataFrame:
    """Return the articles with the number of their claims.

    Returns
    -------
    polars.DataFrame
        One row per article: id, title_en, title_zh, publisher, date (marked if inferred), place,
        n_claims.
    """
    n = dict(ledger.claims.group_by("source").agg(pl.len()).iter_rows())
    mark = pl.when(pl.col("date_basis") == "inferred").then(pl.lit(" (inferred)"))
    return ledger.sources.select(
        "id",
        "title_en",
        "title_zh",
        "publisher",
        date=pl.col("date").dt.strftime("%Y-%m-%d") + mark.otherwise(pl.lit("")),
        place="place",
        n_claims=pl.col("id").replace_strict(n, default=0),
    )


OFFICIAL_STATUS = {"found": "found", "derived": "derived", "from_memory": "unverified"}


def official_table(ledger: Ledger) -> pl.DataFrame:
    """Return the official figures with their status.

    Returns
    -------
    polars.DataFrame
        One row per figure: series, place, year (text), value (printed), unit, status, source,
        address.
    """
    return ledger.official.select(
        "series",
        "place",
        year=pl.col("year").cast(pl.String),
        value=pl.col("value")
        .cast(pl.Float64)
        .map_elements(printing.number, return_dtype=pl.String),
        unit=pl.col("unit").map_elements(printing.unit, return_dtype=pl.String),
        status=pl.col("status").cast(pl.String).replace_strict(OFFICIAL_STATUS),
        source="source",
        address="address",
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
