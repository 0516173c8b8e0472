"""Small tables that describe the ledger: what the pages count and show."""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction

import polars as pl

from analysis import printing, programmes
from analysis.claims.expressions import Operand
from analysis.claims.implied import ImpliedIncome
from analysis.claims.intervals import Interval
from analysis.claims.ledger import Ledger
from analysis.claims.relations import VERDICTS, Verdict
from analysis.claims.units import PERCENT

PRECISION = {
    "exact": "printed in full",
    "rounded": "rounded or cut at the last digit",
    "open": "open on one side (more than, at least)",
    "assumed": "needs an assumption (nearly, about)",
}


def quantities(ledger: Ledger) -> pl.DataFrame:
    """Return the claims that are quantities: slogan numerals left out."""
    return ledger.claims.filter(pl.col("slogan") == "no")


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
        One row per figure: id, title, yuan (interval), per, how_often, measures, official (yuan per
        person a year, marked if unverified), share (of it, in per cent), why_not_effect, assumption.
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


def widths(verdicts: Iterable[Verdict]) -> pl.DataFrame:
    """Return how wide each bounded derived quantity is, relative to its middle.

    Returns
    -------
    polars.DataFrame
        ``id``, ``question``, ``width`` (per cent of the middle of the interval).
    """
    rows = []
    for v in verdicts:
        if v.verdict != "bounded" or v.interval is None:
            continue
        low, high = v.interval.low.value, v.interval.high.value
        if low is None or high is None or low + high == 0:
            continue
        rows.append(
            {"id": v.id, "question": v.question, "width": float(200 * (high - low) / (high + low))}
        )
    return pl.DataFrame(rows, schema={"id": pl.String, "question": pl.String, "width": pl.Float64})
