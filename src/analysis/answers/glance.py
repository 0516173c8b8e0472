"""All programmes at a glance: reported, known elsewhere, findable in a panel, how sure."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import polars as pl

from analysis import programmes
from analysis.answers import choices, overview
from analysis.answers.certainty import Certainty, certainty
from analysis.answers.reported import Elsewhere, Reported, elsewhere, reported
from analysis.claims import ledger
from analysis.studies import comparison, library, pooling

INCOME = ("income", "payment")
"""What reported money must measure to be said to reach a household; the rest is spent or lent."""
DESIGN = "together"
"""The design whose verdicts are shown: all programmes at once, since they come together."""


@dataclass(frozen=True)
class Glance:
    """One programme.

    Attributes
    ----------
    programme, name : str
        Its id, and what it is called.
    reported : Reported
        What the articles report.
    elsewhere : Elsewhere
        What studies elsewhere found.
    simulated : dict of str to str
        Variant of `analysis.answers.overview.variants` to a verdict of `overview.verdict`; empty
        for what the model panel does not treat as a programme.
    certainty : Certainty
        How sure.
    """

    programme: str
    name: str
    reported: Reported
    elsewhere: Elsewhere
    simulated: dict[str, str]
    certainty: Certainty


def glances() -> tuple[Glance, ...]:
    """Return every programme of the catalogue, in its order."""
    studies = library.load()
    pools = pooling.all_pools(studies)
    chosen = choices.load()
    verdicts = simulated()
    catalogue = programmes.load().programmes.filter(pl.col("is_programme") == "yes")
    return tuple(
        Glance(
            id,
            name,
            reported(id),
            elsewhere(id),
            verdicts.get(id, {}),
            certainty(studies, pools, id, chosen),
        )
        for id, name in catalogue.select("id", "name_en").iter_rows()
    )


@cache
def certainty_of(programme: str) -> Certainty:
    """Return how sure one is of one programme, by the rule and the studies of `glances`."""
    studies = library.load()
    return certainty(studies, pooling.all_pools(studies), programme, choices.load())


def simulated() -> dict[str, dict[str, str]]:
    """Return programme to variant to the verdict on `DESIGN` in the stored simulations."""
    found: dict[str, dict[str, str]] = {}
    for row in overview.stored().iter_rows(named=True):
        ends = (row[f"{DESIGN}_low"], row[f"{DESIGN}_high"])
        word = overview.verdict(row["truth"], *ends)
        found.setdefault(row["programme"], {})[row["variant"]] = word
    return found


def marks(all_of: tuple[Glance, ...]) -> pl.DataFrame:
    """Return what the figure of the summary draws, the two tiers apart.

    Returns
    -------
    polars.DataFrame
        One row per reported figure (tier ``reported``, unit ``yuan``, nominal), comparable study
        and pooled mean (tier ``published``, unit ``per cent``): programme, tier, label, kind
        (``received`` or ``put in``; ``lot``, ``other`` or ``mean``), basis (``per_head``,
        ``per_household`` or empty), low, high (equal for a point; null where unbounded), middle (of
        a mean), unit. A programme with nothing of a tier has one row of kind ``nothing``.
    """
    studies = library.load()
    rows: list[dict[str, object]] = []
    for one in all_of:
        rows += _told(one) or [_nothing(one, "reported", "no yuan per person or household")]
        rows += _found(one, studies) or [_nothing(one, "published", "no number found")]
    return pl.DataFrame(rows, schema=SCHEMA)


SCHEMA = {
    **dict.fromkeys(("programme", "tier", "label", "kind", "basis"), pl.String),
    **dict.fromkeys(("low", "high", "middle"), pl.Float64),
    "unit": pl.String,
}


def _nothing(one: Glance, tier: str, why: str) -> dict[str, object]:
    return {"programme": one.name, "tier": tier, "label": why, "kind": "nothing"}


def _told(one: Glance) -> list[dict[str, object]]:
    rows: list[dict[str, object]] = []
    for figure in one.reported.computed:
        assert figure.yuan is not None  # noqa: S101 — computed means so
        low, high = (
            None if end.value is None else float(end.value)
            for end in (figure.yuan.low, figure.yuan.high)
        )
        kind = "received" if figure.measures in INCOME else "put in"
        rows.append(
            {
                "programme": one.name,
                "tier": "reported",
                "label": figure.title,
                "kind": kind,
                "basis": figure.basis,
                "low": low,
                "high": high,
                "unit": "yuan",
            }
        )
    return rows


def _found(one: Glance, studies: library.Library) -> list[dict[str, object]]:
    rows: list[dict[str, object]] = []
    for row in comparison.span(studies, one.programme).iter_rows(named=True):
        kind = "lot" if row["design"] == "randomised" else "other"
        rows.append(
            {
                "programme": one.name,
                "tier": "published",
                "label": f"{row['short']}, {row['country']}",
                "kind": kind,
                "basis": "",
                "low": row["percent"],
                "high": row["percent"],
                "middle": row["percent"],
                "unit": "per cent",
            }
        )
    for pool in one.elsewhere.pools.values():
        rows.append(
            {
                "programme": one.name,
                "tier": "published",
                "label": f"mean of {pool.k} trials",
                "kind": "mean",
                "basis": "",
                "low": pool.ci_low,
                "high": pool.ci_high,
                "middle": pool.mean,
                "unit": "per cent",
            }
        )
    return rows


def price_years(all_of: tuple[Glance, ...]) -> tuple[int, int]:
    """Return the first and last year whose prices the reported yuan are in."""
    official = dict(ledger.load().official.select("id", "year").iter_rows())
    years = [official[figure.official] for one in all_of for figure in one.reported.computed]
    return min(years), max(years)
