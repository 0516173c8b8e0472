"""Programmes that come together: who has which, and whether two give more than each alone."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final, get_args

import numpy as np
import polars as pl

from analysis import programmes
from analysis.answers import choices
from analysis.answers.design import TOTAL, design_of
from analysis.answers.estimates import OVERALL
from analysis.answers.missing import Missing
from analysis.cells import build
from analysis.cells.design import CellsDesign
from analysis.claims import ledger
from analysis.effects import aggregate, group_time, layout
from analysis.effects.record import Key
from analysis.effects.result import EffectSet, stack
from analysis.effects.table import Table, refuse
from analysis.panels.panel import Panel
from analysis.sensitivity.combine import combination

MORE: Final = "more together"
"""Key of the interaction: both at once, less each alone."""


def described() -> pl.DataFrame:
    """Return the articles with how many programmes they give figures of: source, programmes."""
    known = programmes.load().programmes.filter(pl.col("is_programme") == "yes")["id"]
    claims = ledger.load().claims.filter(pl.col("programme").is_in(known.implode()))
    return claims.group_by("source").agg(programmes=pl.col("programme").n_unique()).sort("source")


def starts(panel: Panel) -> pl.DataFrame:
    """Return who ever takes part in what: household, village, weight, programme, first.

    A household of a village that has a programme as a village has it too; `first` is the earliest.
    """
    homes = panel.households.select("household", "village", "weight")
    parts = panel.participation.with_columns(pl.col("unit_level").cast(pl.String))
    found = [
        homes.join(
            parts.filter(pl.col("unit_level") == level).select(
                pl.col("unit").alias(level), "programme", first="first_period"
            ),
            on=level,
        ).select("household", "village", "weight", "programme", "first")
        for level in ("household", "village")
    ]
    return (
        pl.concat(found)
        .group_by("household", "village", "weight", "programme")
        .agg(pl.col("first").min())
        .sort("programme", "household")
        .collect()
    )


def overlap(panel: Panel) -> pl.DataFrame:
    """Return how programmes overlap.

    Returns
    -------
    polars.DataFrame
        programme, other, share (of the programme's households that are ever in the other too, by
        weight, per cent), all (share of all households that are in the other, per cent), n (of its
        households); every ordered pair of two programmes.
    """
    rows = starts(panel).select("household", "weight", "programme")
    size = rows.group_by("programme").agg(n=pl.len(), whole=pl.col("weight").sum())
    both = (
        rows.join(rows.select("household", other="programme"), on="household")
        .filter(pl.col("programme") != pl.col("other"))
        .group_by("programme", "other")
        .agg(pl.col("weight").sum())
    )
    names = size.select("programme")
    everybody = panel.households.select(pl.col("weight").sum()).collect().item()
    usual = size.select(other="programme", all=100 * pl.col("whole") / everybody)
    return (
        names.join(names.select(other="programme"), how="cross")
        .filter(pl.col("programme") != pl.col("other"))
        .join(both, on=["programme", "other"], how="left")
        .join(size, on="programme")
        .join(usual, on="other")
        .select(
            "programme",
            "other",
            share=100 * pl.col("weight").fill_null(0) / pl.col("whole"),
            all="all",
            n="n",
        )
        .sort("programme", "other")
    )


def how_many(panel: Panel) -> pl.DataFrame:
    """Return how many programmes households are ever in: programmes (0 and up), share, per cent."""
    counts = starts(panel).group_by("household").agg(programmes=pl.len())
    homes = panel.households.select("household", "weight").collect()
    rows = homes.join(counts, on="household", how="left").with_columns(
        pl.col("programmes").fill_null(0).cast(pl.Int64)
    )
    return (
        rows.group_by("programmes")
        .agg(pl.col("weight").sum())
        .select("programmes", share=100 * pl.col("weight") / pl.col("weight").sum())
        .sort("programmes")
    )


@dataclass(frozen=True)
class Interaction:
    """Two programmes of one level, from cells keyed by the pair of first years.

    Attributes
    ----------
    first, second : str
        The programmes.
    effects : EffectSet
        Overall effects on total income; `Key.programme` is a word of `layout.PAIRS`, or `MORE`.
    households : dict of str to int
        Households of each of `layout.PAIRS`.
    unit : str
        Of the effects.
    """

    first: str
    second: str
    effects: EffectSet
    households: dict[str, int]
    unit: str


def pairs(panel: Panel) -> pl.DataFrame:
    """Return pairs of programmes given to households by how many began both in one year."""
    level = pl.col("unit_level").cast(pl.String) == "household"
    rows = panel.participation.filter(level).select("unit", "programme", "first_period").collect()
    both = rows.join(rows.rename({"programme": "other"}), on=["unit", "first_period"])
    return (
        both.filter(pl.col("programme") < pl.col("other"))
        .group_by("programme", "other")
        .agg(n=pl.len())
        .sort(["n", "programme", "other"], descending=[True, False, False])
    )


def interaction(panel: Panel) -> Interaction:
    """Estimate the pair of programmes that most households began in one year.

    The pair is chosen by counts, before any income is read. First years that one village
    has alone are left out. Controls have neither programme and
    live where nobody has either.

    Raises
    ------
    FaultsError
        If no household began two programmes in one year, or one of the three effects cannot be
        estimated.
    """
    chosen = pairs(panel)
    if chosen.is_empty():
        refuse("no household began two programmes in one year", "none is needed")
    first, second, _ = chosen.row(0)
    how = design_of(panel, first)
    if isinstance(how, Missing):
        refuse(how.reason, "choose another panel")
    other = design_of(panel, second)
    years = [one.comparison.anticipation for one in (how, other) if not isinstance(one, Missing)]
    design = CellsDesign(
        (first, second),
        level="household",
        outcomes=(how.cells.outcome(TOTAL),),
        handling=how.cells.handling,
        stratum="",
        anticipation=max(years),
    )
    cells = build.build(panel, design)
    comparison = replace(how.comparison, anticipation=max(years))
    made: list[EffectSet] = []
    sizes: dict[str, int] = {}
    pair: layout.Pair
    for pair in get_args(layout.Pair):
        table = _shared(layout.from_cells(cells, TOTAL, pair=pair), comparison)
        found = group_time.estimate(table, comparison, leads=False)
        one = aggregate.aggregate(replace(found, missing=()), table, (OVERALL,)).in_yuan()
        if not len(one):
            refuse("nobody is left to compare with", "add villages", value=layout.PAIRS[pair])
        made.append(replace(one, keys=(Key(TOTAL, OVERALL, programme=pair),), missing=()))
        sizes[pair] = int(table.n_ever[table.cohort > 0].sum())
    joint = stack(*made)
    more = combination(joint, np.array([-1.0, -1.0, 1.0]), Key(TOTAL, OVERALL, programme=MORE))
    return Interaction(
        first, second, replace(stack(joint, more), level=choices.load().level), sizes, how.unit
    )


def _shared(table: Table, how: group_time.Comparison) -> Table:
    """Return the table without first years for which one village alone stands.

    Nobody can say how far the effect in one village is from that in another, so a sum over them
    would have no interval. Who is left out depends on counts, never on incomes.
    """
    found = group_time.estimate(table, how, leads=False)
    alone = {key.cohort for key, note in zip(found.keys, found.notes, strict=True) if note}
    kept = set(table.cohorts) - {cohort for cohort in alone if cohort is not None}
    return table.rows(np.isin(table.cohort, [0, *kept])) if alone and kept else table
