"""Targeting: who is on the register and who is poor, by one year's income and by several years'."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Final

import numpy as np
import polars as pl

from analysis import paths, programmes
from analysis.answers import choices
from analysis.answers.bundles import starts
from analysis.effects.table import refuse
from analysis.inference.arrays import Floats
from analysis.panels import records
from analysis.panels.panel import Panel
from analysis.welfare import linearised
from analysis.welfare.linearised import Measures
from analysis.welfare.people import People, SurveyDesign, per_head, weights

DEFINITIONS: Final = {
    "line": "below the national line in the first year",
    "as_many": "as many of the poorest as are registered, first year",
    "lasting": "as many of the poorest as are registered, mean of the first years",
}
"""Who is called poor. The last two need no line: exclusion and inclusion error are then equal."""
REGISTER: Final = "register"


@dataclass(frozen=True)
class Options:
    """Values of ``data/parameters/targeting.toml``.

    Attributes
    ----------
    poorest : tuple of float
        Shares of the poorest households.
    mean_years : int
        First years whose mean stands for lasting income.
    bins : int
        Groups of income inside which households are compared.
    after : int
        Years since the start at which leavers are looked at.
    """

    poorest: tuple[float, ...]
    mean_years: int
    bins: int
    after: int


@cache
def options() -> Options:
    """Read the file once.

    Examples
    --------
    >>> options().poorest[-1], options().mean_years
    (0.4, 2)
    """
    content = records.read_toml(paths.data() / "parameters" / "targeting.toml")
    values = {name: entry["value"] for name, entry in content.items()}
    return Options(**{**values, "poorest": tuple(values["poorest"])})


def baseline(people: People) -> pl.DataFrame:
    """Return households as first seen with all sources.

    Parameters
    ----------
    people : People
        From `analysis.welfare.people.of_panel`.

    Returns
    -------
    polars.DataFrame
        household, cluster, weight (of the household), registered, period, income (real, per
        baseline member, panel's money), lasting (mean of the first years; null for households seen
        in fewer), poor (below the national line that year; null where no line fits), rank and
        rank_lasting (place from 0, poorest, to 1, by weight; the middle of the household's place).

    Raises
    ------
    FaultsError
        If no household has all four sources.
    """
    if people.frame.is_empty():
        refuse(
            "no household of this panel has all four sources of income",
            "add the sources",
            column="income",
        )
    rows = people.frame.sort("household", "period")
    years = options().mean_years
    rows = rows.with_columns(
        income=pl.Series(per_head(rows)), weight=pl.Series(weights(rows, "household"))
    )
    first = rows.group_by("household", maintain_order=True).agg(
        pl.col("cluster", "weight", "registered", "period", "total_fen", "size").first(),
        income=pl.col("income").first(),
        lasting=pl.when(pl.len() >= years).then(pl.col("income").head(years).mean()),
    )
    first = first.with_columns(poor=below(people, first))
    return first.with_columns(
        rank=_rank(first, "income"), rank_lasting=_rank(first, "lasting")
    ).drop("total_fen", "size")


def below(people: People, rows: pl.DataFrame) -> pl.Series:
    """Return whether households are below the national line of their period; null without one."""
    if not people.has_lines:
        return pl.Series("poor", [None] * rows.height, dtype=pl.Boolean)
    name = choices.load().poverty_line
    lines = {period: people.line_fen(name, period) for period in rows["period"].unique()}
    line = pl.col("period").replace_strict(lines, return_dtype=pl.Int64)
    return rows.select(poor=pl.col("total_fen") < line * pl.col("size"))["poor"]


def _rank(rows: pl.DataFrame, column: str) -> pl.Series:
    """Return places from 0 to 1 by weight, ties sharing the middle; null where income is null."""
    known = rows.with_row_index("_i").filter(pl.col(column).is_not_null())
    sums = known.group_by(column).agg(pl.col("weight").sum()).sort(column)
    middle = (pl.col("weight").cum_sum() - pl.col("weight") / 2) / pl.col("weight").sum()
    place = dict(sums.select(column, middle).iter_rows())
    return rows[column].replace_strict(place, default=None, return_dtype=pl.Float64)


def shares(
    rows: pl.DataFrame,
    design: SurveyDesign,
    wanted: Sequence[tuple[dict[str, str], pl.Expr, pl.Expr]],
) -> Measures:
    """Return weighted shares of rows, with their joint influence by village.

    Parameters
    ----------
    rows : polars.DataFrame
        With cluster and weight.
    design : SurveyDesign
        Of the clusters.
    wanted : sequence of (labels, of whom, who)
        Of each share: its labels, the condition that its rows meet, and the one that is counted;
        a row that meets neither for want of an answer counts in neither.
    """
    c = len(design.clusters)
    cluster, weight = rows["cluster"].to_numpy(), rows["weight"].to_numpy().astype(float)
    tops: list[Floats] = []
    bottoms: list[Floats] = []
    sizes = []
    for _, whom, who in wanted:
        counted = rows.select(who.is_not_null())[:, 0].to_numpy()
        of = rows.select(whom.fill_null(False))[:, 0].to_numpy() & counted
        met = of & rows.select(who.fill_null(False))[:, 0].to_numpy()
        bottoms.append(np.bincount(cluster, weight * of, c).astype(np.float64))
        tops.append(np.bincount(cluster, weight * met, c).astype(np.float64))
        sizes.append(int(of.sum()))
    labels = pl.DataFrame([label for label, _, _ in wanted])
    return linearised.ratios(
        labels, np.stack(tops, -1), np.stack(bottoms, -1), np.array(sizes, np.int64), design
    )


def errors(people: People) -> Measures:
    """Return the register's errors against each definition of who is poor.

    Returns
    -------
    Measures
        Labels `definition` (of `DEFINITIONS`) and `measure`: ``poor`` (share of households),
        ``exclusion`` (of the poor, not on the register), ``inclusion`` (of the registered, not
        poor). Households are counted, by weight; definitions that the data lack are left out.

    Raises
    ------
    FaultsError
        If the panel has no register, or everybody is on it.

    Notes
    -----
    Errors as in Coady, Grosh & Hoddinott (2004): exclusion is undercoverage, inclusion is leakage.
    The share registered, by which the poorest are cut off, is taken as known.
    """
    rows = registered(people)
    share = float(
        np.average(rows["registered"].to_numpy().astype(float), weights=rows["weight"].to_numpy())
    )
    poor = {
        "line": pl.col("poor"),
        "as_many": pl.col("rank") < share,
        "lasting": pl.col("rank_lasting") < share,
    }
    known = {"line": "poor", "as_many": "rank", "lasting": "rank_lasting"}
    wanted = []
    for name, condition in poor.items():
        if rows[known[name]].null_count() == rows.height:
            continue
        everybody = condition.is_not_null()
        wanted += [
            ({"definition": name, "measure": "poor"}, everybody, condition),
            ({"definition": name, "measure": "exclusion"}, condition, ~pl.col("registered")),
            ({"definition": name, "measure": "inclusion"}, pl.col("registered"), ~condition),
        ]
    return shares(rows, people.design, wanted)


def registered(people: People) -> pl.DataFrame:
    """Return the baseline of households of which it is known whether they are registered.

    Raises
    ------
    FaultsError
        If the panel has no register, or all or none are on it.
    """
    rows = baseline(people).filter(pl.col("registered").is_not_null())
    if rows["registered"].n_unique() < 2:
        refuse(
            "the panel does not say who is on a register of the poor",
            "add registered_poor",
            column="registered_poor",
        )
    return rows


def reach(people: People, panel: Panel) -> Measures:
    """Return how much of the register, and of each programme, reaches the poorest.

    Returns
    -------
    Measures
        Labels `programme` (`REGISTER` or an id) and `poorest` (share, as text): share of those
        reached who are among the poorest households by first-year income per head. Over the share
        itself it is the targeting ratio: above 1, the poorest get more than an equal part.
    """
    rows = baseline(people)
    there = starts(panel).select("household", "programme")
    wanted = []
    names = [REGISTER, *_programmes(there)]
    for name in names:
        mine = there.filter(pl.col("programme") == name)["household"].implode()
        whom = pl.col("registered") if name == REGISTER else pl.col("household").is_in(mine)
        wanted += [
            ({"programme": name, "poorest": f"{share:g}"}, whom, pl.col("rank") < share)
            for share in options().poorest
        ]
    found = shares(rows, people.design, wanted)
    return found.at(np.asarray(found.n_rows > 0))


def _programmes(there: pl.DataFrame) -> list[str]:
    """Return the panel's programmes, in the order of the catalogue, unknown ones last."""
    order = programmes.load().programmes["id"].to_list()
    names = there["programme"].unique().to_list()
    return sorted(
        names, key=lambda name: (order.index(name) if name in order else len(order), name)
    )


@dataclass(frozen=True)
class Concentration:
    """How the places on the register lie along income.

    Attributes
    ----------
    curves : polars.DataFrame
        income (``one year`` or ``mean of the first years``), share (of households, poorest first,
        0 to 1), held (share of the registered among them).
    index : dict of str to float
        Concentration index of each: −1 if all went to the poorest household, 0 if everybody had the
        same chance.
    """

    curves: pl.DataFrame
    index: dict[str, float]


def concentration(people: People) -> Concentration:
    """Return the concentration curve of the register, by one year's and by lasting income.

    Raises
    ------
    FaultsError
        If the panel has no register.

    Notes
    -----
    Kakwani, Wagstaff & van Doorslaer (1997): index = 2 cov(h, r) / mean(h), h whether registered,
    r the rank.
    """
    rows = registered(people)
    steps = np.linspace(0, 1, options().bins + 1)
    curves, index = [], {}
    for name, column in (("one year", "rank"), ("mean of the first years", "rank_lasting")):
        known = rows.filter(pl.col(column).is_not_null())
        if known.is_empty():
            continue
        rank, weight = known[column].to_numpy(), known["weight"].to_numpy().astype(float)
        held = known["registered"].to_numpy().astype(float)
        curves += [
            (name, float(s), float(weight @ (held * (rank < s)) / (weight @ held))) for s in steps
        ]
        mean = np.average(held, weights=weight)
        middle = np.average(rank, weights=weight)
        index[name] = float(2 * np.average((held - mean) * (rank - middle), weights=weight) / mean)
    schema = {"income": pl.String, "share": pl.Float64, "held": pl.Float64}
    return Concentration(pl.DataFrame(curves, schema=schema, orient="row"), index)
