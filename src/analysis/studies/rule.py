"""What may be pooled: one rule, applied to every row of a programme, with the reason for each no.

A row enters a pool if its number is verified and has a standard error, and if it answers the
pool's question: the same outcome, a randomised design, the effect on those offered, all of the
study's people, a horizon in the window, and no second row of the same people.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

import polars as pl

from analysis import contract, paths
from analysis.faults import Fault, raise_if_any
from analysis.studies.library import Library

FEWEST = 2
"""Studies that make a pool."""
LACKING = ("number not seen", "number not verified", "no standard error seen")
"""Reasons that better reporting, or a better document, could remove."""


def judged(library: Library, pool: str) -> pl.DataFrame:
    """Judge every row of a pool's programme.

    Parameters
    ----------
    library : Library
        The studies.
    pool : str
        An id of ``pools.csv``.

    Returns
    -------
    polars.DataFrame
        The programme's estimates with ``why_not``: every reason why the row stays out, joined by
        semicolons; empty for a row that enters.

    Raises
    ------
    FaultsError
        If two rows of the same people enter: the data must say which horizon counts.
    """
    question = library.pools.row(by_predicate=pl.col("id") == pool, named=True)
    rows = library.estimates.filter(pl.col("programme") == question["programme"])
    reasons = ["; ".join(_reasons(row, question)) for row in rows.iter_rows(named=True)]
    found = rows.with_columns(why_not=pl.Series(reasons, dtype=pl.String))
    members = found.filter(pl.col("why_not") == "")
    twice = [sample for sample, n in Counter(members["people"]).items() if n > 1]
    file = contract.project_name(paths.data() / "studies" / "earlier" / "pools.csv")
    raise_if_any(
        Fault(
            file,
            f"two rows of the same people ({sample}) enter",
            "narrow the months",
            question["line"],
            "months_from, months_to",
            pool,
        )
        for sample in twice
    )
    return found


def _reasons(row: dict[str, Any], question: dict[str, Any]) -> Iterator[str]:
    """Yield every reason why a row does not answer a pool's question."""
    if row["outcome"] not in question["outcomes"].split(";"):
        yield "another outcome"
    if row["level"] not in ("household", "individual"):
        yield "means of an area or of several studies"
    if row["design"] != question["design"]:
        yield "another design"
    if row["effect"] != question["effect"]:
        yield "not the effect of the offer"
    if row["subgroup"] == "yes":
        yield "a subgroup"
    if row["estimate"] is None:
        yield "number not seen"
    elif not row["verified"]:
        yield "number not verified"
    elif row["percent"] is None:
        yield "not on a per cent scale"
    elif row["percent_se"] is None:
        yield "no standard error seen"
    months = row["horizon_months"]
    if months is None:
        yield "horizon not known"
    elif not question["months_from"] <= months <= question["months_to"]:
        yield "another horizon"


def members(library: Library, pool: str) -> pl.DataFrame:
    """Return the rows that enter a pool, in order of their effect.

    Returns
    -------
    polars.DataFrame
        Columns of `Library.estimates`; no row where nothing may enter.
    """
    return judged(library, pool).filter(pl.col("why_not") == "").sort("percent", "id")


def membership(library: Library) -> pl.DataFrame:
    """Say of each pool how many rows were considered, how many enter, and why the others do not.

    Returns
    -------
    polars.DataFrame
        One row per pool: id, programme, question, considered, members, pooled (yes or no), nearest
        (rows that lack only a number or its standard error, with that reason).
    """
    rows = []
    for pool in library.pools.iter_rows(named=True):
        found = judged(library, pool["id"])
        n = found.filter(pl.col("why_not") == "").height
        near = found.filter(pl.col("why_not").is_in(LACKING))
        rows.append(
            {
                "id": pool["id"],
                "programme": pool["programme"],
                "question": pool["question"],
                "considered": found.height,
                "members": n,
                "pooled": "yes" if n >= FEWEST else "no",
                "nearest": "; ".join(
                    f"{short}, {country} ({why})"
                    for short, country, why in near.select("short", "country", "why_not").rows()
                ),
            }
        )
    return pl.DataFrame(rows)
