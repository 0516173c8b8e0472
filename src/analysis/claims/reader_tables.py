"""The ledger as a reader sees it: each table of the pages, in words and printed numbers."""

from __future__ import annotations

from collections.abc import Iterable

import polars as pl

from analysis import printing, programmes
from analysis.claims import formatting
from analysis.claims.implied import ImpliedIncome
from analysis.claims.intervals import Interval
from analysis.claims.ledger import Ledger
from analysis.claims.relations import Verdict
from analysis.claims.units import PERCENT


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
        name: formatting.interval(ledger.operands[name].interval * _scale(unit))
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
        return f"{formatting.interval(verdict.interval * scale)} {unit}".strip()
    left, right = (formatting.interval(side * scale) for side in (verdict.left, verdict.right))
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
            "yuan": formatting.interval(f.yuan) if f.yuan else f.reason,
            "per": f.basis.removeprefix("per_"),
            "how_often": f.frequency.replace("_", " "),
            "measures": f.measures,
            "official": printing.number(f.official_yuan)
            + ("" if f.official_status != "from_memory" else " (unverified)"),
            "share": f"{formatting.interval(f.share * Interval.point(100))} %" if f.share else "",
            "why_not_effect": f.why_not_effect,
            "assumption": f.assumption,
        }
        for f in figures
    )


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
