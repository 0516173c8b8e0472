"""Small tables that describe the studies: what the page counts and lists."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import polars as pl

from analysis import printing
from analysis.studies import rule
from analysis.studies.comparison import between, names, said
from analysis.studies.library import Library
from analysis.studies.pooling import Pooled
from analysis.studies.schemas import STATUSES

TIBETAN = "Tibet|Diqing"
WORDS = {
    "randomised": "drawn by lot",
    "discontinuity": "cut-off",
    "instrument": "instrument",
    "difference_in_differences": "difference in differences",
    "synthetic_control": "synthetic control",
    "matching": "matching",
    "switching_regression": "switching regression",
    "regression": "regression",
    "review": "review",
    "income_per_head": "income per head",
    "offer": "those offered",
    "participation": "those who took part",
    "area": "mean of an area",
}


def words(name: str) -> str:
    """Put a word of the vocabularies into plain words.

    Examples
    --------
    >>> words("randomised"), words("household_income")
    ('drawn by lot', 'household income')
    """
    return WORDS.get(name, name.replace("_", " "))


@dataclass(frozen=True)
class Counts:
    """How many studies there are, and of what sort.

    Attributes
    ----------
    rows, works : int
        Estimates or reported directions; publications.
    verified, recomputed, unverified : int
        Rows whose number was seen or recomputed; the latter alone; rows whose number was not
        verified (from memory or a secondary source).
    no_number, nulls_unseen : int
        Rows with a direction only; those of them that report no effect.
    with_error : int
        Verified rows with a standard error on a per cent scale.
    randomised : int
        Verified rows from a draw by lot.
    china, china_randomised, china_verified, yunnan, tibet : int
        Rows from China; those of a draw by lot; those verified; those whose place names Yunnan;
        and those whose place names Tibet or Diqing.
    """

    rows: int
    works: int
    verified: int
    recomputed: int
    unverified: int
    no_number: int
    nulls_unseen: int
    with_error: int
    randomised: int
    china: int
    china_randomised: int
    china_verified: int
    yunnan: int
    tibet: int


def counts(library: Library) -> Counts:
    """Count the studies."""
    rows = library.estimates
    verified = rows.filter(pl.col("verified"))
    numberless = rows.filter(pl.col("estimate").is_null())
    china = rows.filter(pl.col("country") == "China")
    return Counts(
        rows=rows.height,
        works=library.works.height,
        verified=verified.height,
        recomputed=rows.filter(pl.col("status") == "recomputed").height,
        unverified=rows.filter(~pl.col("verified"), pl.col("estimate").is_not_null()).height,
        no_number=numberless.height,
        nulls_unseen=numberless.filter(pl.col("direction") == "null").height,
        with_error=verified.filter(pl.col("percent_se").is_not_null()).height,
        randomised=verified.filter(pl.col("design") == "randomised").height,
        china=china.height,
        china_randomised=china.filter(pl.col("design") == "randomised").height,
        china_verified=china.filter(pl.col("verified")).height,
        yunnan=china.filter(pl.col("place").str.contains("Yunnan")).height,
        tibet=rows.filter(pl.col("place").str.contains(TIBETAN)).height,
    )


def percent_of(library: Library, name: str) -> float:
    """Return the per cent of one estimate.

    Raises
    ------
    ValueError
        If it has none.
    """
    value = library.estimates.row(by_predicate=pl.col("id") == name, named=True)["percent"]
    if value is None:
        raise ValueError(f"{name} is not on a per cent scale")
    return float(value)


def directions(library: Library, intervention: str) -> dict[str, int]:
    """Count what was reported of one intervention, where the number was not seen.

    Returns
    -------
    dict of str to int
        Rows by direction; a direction that does not occur counts zero.
    """
    rows = library.estimates.filter(
        pl.col("intervention") == intervention, pl.col("direction").is_not_null()
    )
    found = dict(rows.group_by(pl.col("direction").cast(pl.String)).agg(pl.len()).iter_rows())
    return {name: found.get(name, 0) for name in ("positive", "null", "negative", "mixed")}


def by_status(library: Library) -> pl.DataFrame:
    """Count rows by programme and by how well the number is known.

    Returns
    -------
    polars.DataFrame
        ``programme`` (name in English), ``status`` (a value of `STATUSES`), ``n``.
    """
    return (
        library.estimates.join(names(), on="programme", how="left", validate="m:1")
        .group_by(
            programme="name",
            status=pl.col("status").cast(pl.String).replace_strict(STATUSES),
        )
        .agg(n=pl.len())
        .sort("programme", "status")
    )


def studies_table(library: Library) -> pl.DataFrame:
    """Return every row as a reader sees it.

    Returns
    -------
    polars.DataFrame
        One row per estimate: programme, study, intervention, where, design, outcome, effect_on,
        months, percent (with its interval where known), status, note, and reference.
    """
    references = library.works.select("citation", "doi", work="id")
    rows = library.estimates.join(names(), on="programme", how="left", validate="m:1").join(
        references, on="work", how="left", validate="m:1"
    )

    def shown(row: dict[str, Any]) -> str:
        if row["percent"] is None:
            return f"{row['direction']} (number not seen)" if row["direction"] else ""
        text = printing.number(row["percent"], 1)
        if row["percent_low"] is None:
            return text
        ends = between(row["percent_low"], row["percent_high"])
        return f"{text} ({printing.interval(ends, 1)})"

    columns = ("percent", "percent_low", "percent_high", "direction")
    return rows.select(
        "id",
        programme="name",
        study="short",
        intervention="intervention",
        where=pl.when(pl.col("place") == pl.col("country"))
        .then("country")
        .otherwise(pl.col("country") + ": " + pl.col("place")),
        design=_said("design"),
        outcome=_said("outcome"),
        effect_on=_said("effect"),
        months=pl.col("horizon_months").cast(pl.String),
        percent=pl.struct(columns).map_elements(shown, return_dtype=pl.String),
        status=pl.col("status").cast(pl.String).replace_strict(STATUSES),
        note="note",
        reference="citation",
        doi="doi",
    )


def _said(column: str) -> pl.Expr:
    return pl.col(column).cast(pl.String).map_elements(words, return_dtype=pl.String)


def unverified_table(library: Library) -> pl.DataFrame:
    """Return the rows that no pool and no range uses, with why.

    Returns
    -------
    polars.DataFrame
        One row per estimate without a verified number: programme, study, where, reported (the
        number from memory or a secondary source, or the direction), status, note.
    """
    shown = studies_table(library)
    keep = library.estimates.filter(~pl.col("verified"))["id"]
    return shown.filter(pl.col("id").is_in(keep.implode())).select(
        "programme", "study", "where", "outcome", reported="percent", status="status", note="note"
    )


def pools_table(library: Library, pools: Mapping[str, Pooled]) -> pl.DataFrame:
    """Return every question with what pools, as a reader sees it.

    Returns
    -------
    polars.DataFrame
        One row per question: programme, question, considered, members, result (mean and interval,
        or not pooled), ahead (prediction interval), nearest.
    """
    asked = rule.membership(library).join(names(), on="programme", how="left", validate="m:1")

    def ahead(result: Pooled | None) -> str:
        if result is None or result.prediction_low is None or result.prediction_high is None:
            return ""
        return printing.interval(between(result.prediction_low, result.prediction_high), 1)

    ids = asked["id"].to_list()
    return asked.select(
        "question", "considered", "members", "nearest", programme="name"
    ).with_columns(
        result=pl.Series([said(pools[n]) if n in pools else "not pooled" for n in ids]),
        ahead=pl.Series([ahead(pools.get(n)) for n in ids], dtype=pl.String),
    )


def sensitivity_table(frame: pl.DataFrame) -> pl.DataFrame:
    """Return the other ways to pool, printed.

    Returns
    -------
    polars.DataFrame
        One row per way: way, k, mean, interval, tau.
    """
    return pl.DataFrame(
        {
            "way": row["way"],
            "k": row["k"],
            "mean": printing.number(row["mean"], 1),
            "interval": printing.interval(between(row["ci_low"], row["ci_high"]), 1),
            "tau": printing.number(row["tau"], 1),
        }
        for row in frame.iter_rows(named=True)
    )
