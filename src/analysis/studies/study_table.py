"""The list of studies: what each found first, filters by programme, outcome and design."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

import polars as pl

from analysis.results import ResultTable, formatting
from analysis.results.labels import country, labels
from analysis.results.table_html import Filter
from analysis.studies.contracts import RISKS
from analysis.studies.evidence_map import COLUMNS, printed

if TYPE_CHECKING:
    from analysis.studies.estimates import Studies, Tables

UNITS: Final = {"currency": "in money", "sd": "SD", "percentage_points": "points", "share": "share"}
"""How units that are no per cent are printed after a result."""
FILTERS: Final = ("programme", "outcome", "design")


def table_of(studies: Studies, *, filterable: bool = False, language: str = "en") -> ResultTable:
    """Return the rows of a library as a table of six columns.

    Of one programme alone, and without filters, the column of the programme is left out.
    """
    from analysis.studies.estimates import tables

    known, words, frame = tables(), labels(language), studies.ordered()
    names = dict(known.programmes.select("id", f"name_{language}").iter_rows())
    heads = {key: words[f"column_{key}"] for key in ("result", "study", *FILTERS, "place")}
    families = dict(known.outcomes.select("id", f"name_{language}").iter_rows())
    rows = [
        {
            "result": found(row, language),
            "study": row["short"],
            "programme": names[str(row["programme"])],
            "outcome": row["outcome"] if language == "en" else families[str(row["outcome_family"])],
            "design": words[f"risk_{row['risk_of_bias']}"],
            "place": country(row["country"], language),
        }
        for row in frame.iter_rows(named=True)
    ]
    shown = pl.DataFrame(rows, schema=dict.fromkeys(heads, pl.String)).rename(heads)
    if not filterable and frame["programme"].n_unique() == 1:
        shown = shown.drop(heads["programme"])
    return ResultTable(
        shown=shown,
        data=frame,
        provenance=studies.provenance,
        filters=_filters(frame, heads, known, language) if filterable else (),
    )


def _filters(
    frame: pl.DataFrame, heads: Mapping[str, str], known: Tables, language: str
) -> tuple[Filter, ...]:
    words = labels(language)
    column = {family: key for key, families in COLUMNS.items() for family in families}
    outcomes = {key: words[f"map_{key}"] for key in COLUMNS} | {
        family: name
        for family, name in known.outcomes.select("id", f"name_{language}").iter_rows()
        if family not in column
    }
    values = {
        "programme": [str(x) for x in frame["programme"]],
        "outcome": [column.get(str(x), str(x)) for x in frame["outcome_family"]],
        "design": [str(x) for x in frame["risk_of_bias"]],
    }
    names = {
        "programme": dict(known.programmes.select("id", f"name_{language}").iter_rows()),
        "outcome": outcomes,
        "design": {risk: words[f"risk_{risk}"] for risk in RISKS},
    }
    return tuple(Filter(heads[key], key, values[key], names[key]) for key in FILTERS)


def found(row: Mapping[str, Any], language: str = "en") -> str:
    """Return what a study found: per cent with its interval, else in its own unit.

    Examples
    --------
    >>> row = {"percent": None, "estimate": 38.62, "error": 11.2, "unit": "currency"}
    >>> found(row | {"direction": None})
    '39 (11) in money'
    """
    if row["percent"] is not None or row["estimate"] is None:
        return printed(row, language)
    decimals = formatting.places(row["error"])
    bracket = "" if row["error"] is None else f" ({formatting.number(row['error'], decimals)})"
    unit = UNITS.get(str(row["unit"]), "") if language == "en" else ""
    return f"{formatting.number(row['estimate'], decimals)}{bracket} {unit}".rstrip()
