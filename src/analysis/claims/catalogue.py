"""Every claim and every system as lists that readers filter, in English and Chinese."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from analysis import contract, paths, printing
from analysis.claims import formatting, places
from analysis.claims.exhibits import names
from analysis.results.labels import labels, span
from analysis.results.table import ResultTable
from analysis.results.table_html import Filter

if TYPE_CHECKING:
    from analysis.claims.reported import Claims


def claim_table(claims: Claims, *, filterable: bool = False, language: str = "en") -> ResultTable:
    """Return the quantities: what each says first, as printed, of which programme and place.

    In Chinese the words of the article say what is counted. Of one programme alone, and without
    filters, the column of the programme is left out.
    """
    words, named = labels(language), names(language)
    located = places_in(language)
    arrows = {row.claim: formatting.interval(row.printed) for row in claims.narrowings}

    def says(claim: str, unit: str) -> str:
        text = span(formatting.interval(claims.interval_of(claim)), language)
        if claim in arrows:
            text = f"{span(arrows[claim], language)} → {text}"
        return f"{text} {printing.unit(unit, text)}".rstrip() if language == "en" else text

    source, alone = claims.quantities, bool(claims.programme) and not filterable
    rows = [
        {
            "says": says(row["id"], row["unit"]),
            "printed": row["printed"],
            **({"counted": row["counted"]} if language == "en" else {}),
            **({} if alone else {"programme": named[row["programme"]]}),
            "place": located.get(row["place"], row["place"]),
            "claim": row["id"],
        }
        for row in source.iter_rows(named=True)
    ]
    heads = {key: words[f"column_{key}"] for key in rows[0]} if rows else {}
    articles = [str(x) for x in source["source"]]
    filters = (
        Filter(words["column_programme"], "programme"),
        Filter(words["column_place"], "place"),
        Filter(words["column_claim"], "article", articles, title=words["column_article"]),
    )
    return ResultTable(
        shown=pl.DataFrame(rows).rename(heads),
        data=claims.frame,
        provenance=claims.provenance,
        filters=filters if filterable and rows else (),
    )


def system_table(claims: Claims, *, filterable: bool = False, language: str = "en") -> ResultTable:
    """Return systems and procedures, with their names in both languages."""
    words = labels(language)
    other = "zh" if language == "en" else "en"
    columns = {
        "system": f"name_{language}",
        "chinese" if language == "en" else "english": f"name_{other}",
        "numbers": "numeric_parameter",
        "rule": "description",
    }
    heads = {key: words[f"column_{key}"] for key in (*columns, "programme", "article")}
    programme = pl.col("programme").replace_strict(names(language), default="")
    frame = claims.systems.select(
        *(pl.col(name).alias(heads[key]) for key, name in columns.items()),
        programme.alias(heads["programme"]),
        pl.col("source").alias(heads["article"]),
    )
    filters = tuple(Filter(heads[key], key) for key in ("programme", "article"))
    return ResultTable(
        shown=frame,
        data=claims.systems,
        provenance=claims.provenance,
        filters=filters if filterable else (),
    )


def places_in(language: str) -> dict[str, str]:
    """Return places as a language names them."""
    if language == "en":
        return {}
    frame = contract.read(paths.data() / "claims" / places.FILE, places.Places)
    return dict(frame.select("place", "name_zh").iter_rows())
