"""How group-time effects are added up: one definition for the truth and for every estimator.

An effect ATT(g, t) belongs to the cohort g (first treated period) and the period t. Every
aggregation is a set of weights on them, made from cohort shares p_g (weight of the households of
cohort g ever seen). So an aggregate of the truth and of an estimate cannot mean two things.
"""

from __future__ import annotations

from typing import Final

import polars as pl

from analysis.panels import schemas

AGGREGATIONS: Final = {
    "event_time": "e periods after the first: cohorts that reach e, weighted by p_g",
    "cohort": "one cohort: plain mean over its treated periods",
    "calendar": "one period: cohorts treated by then, weighted by p_g",
    "simple": "every cohort and treated period, weighted by p_g",
    "event_time_overall": "plain mean of event_time over e of 0 and more",
    "cohort_overall": "cohort, weighted by p_g",
    "calendar_overall": "plain mean of calendar over the periods with a treated cohort",
}
"""Aggregations and what they mean; `at` is e, the cohort, or the period; null for the last four."""

EFFECTS: Final = {
    "direct": "the household's own participation, everyone else's as it was",
    "spillover": "the participation of others in the village, the household's own as it was",
    "total": "direct and spillover: the programme against no programme at all",
}
WHO: Final = {
    "treated": "households in the programme",
    "untreated": "households outside it in villages where others are in it",
}
POVERTY_MEMBERS: Final = "size_baseline"
"""Poverty is per baseline member: members present may themselves move with a programme."""


def is_poor(line_fen: str = "line_fen") -> pl.Expr:
    """Return whether a household is below a line, in fen per person: total < line × members.

    A household exactly on the line is not poor.

    Examples
    --------
    >>> frame = pl.DataFrame({"wage": [9, 10], "business": 0, "property": 0, "transfer": 0,
    ...                       "size_baseline": 2, "line_fen": 5})
    >>> frame.select(is_poor())["is_poor"].to_list()
    [True, False]
    """
    return (schemas.total() < pl.col(line_fen) * pl.col(POVERTY_MEMBERS)).alias("is_poor")


def gap_fen(line_fen: str = "line_fen") -> pl.Expr:
    """Return what a household lacks to the line, whole fen a year; 0 if it is not poor."""
    lacking = pl.col(line_fen) * pl.col(POVERTY_MEMBERS) - schemas.total()
    return lacking.clip(lower_bound=0).alias("gap_fen")


def weights(cohorts: pl.DataFrame, first: int, last: int, leads: int = 0) -> pl.DataFrame:
    """Return the weights of every aggregation.

    Parameters
    ----------
    cohorts : polars.DataFrame
        cohort (Int32, first treated period) and size (p_g, or anything proportional to it).
    first, last : int
        First and last period. A cohort treated by the first period has no period before, and one
        after the last no period after: neither has a weight.
    leads : int
        Periods before treatment for which event_time is wanted too (negative e).

    Returns
    -------
    polars.DataFrame
        aggregation, at (Int32), cohort, period (Int32), weight. Within aggregation and at the
        weights sum to one.

    Examples
    --------
    >>> sizes = pl.DataFrame({"cohort": [2014, 2015], "size": [3, 1]},
    ...                      schema_overrides={"cohort": pl.Int32})
    >>> found = weights(sizes, 2013, 2015)
    >>> found.filter(aggregation="event_time", at=0)["weight"].to_list()
    [0.75, 0.25]
    >>> found.filter(aggregation="simple")["weight"].round(4).to_list()
    [0.4286, 0.4286, 0.1429]
    """
    cells = (
        cohorts.filter(pl.col("cohort").is_between(first + 1, last), pl.col("size") > 0)
        .select("cohort", pl.col("size").cast(pl.Float64))
        .join(pl.DataFrame({"period": range(first, last + 1)}, {"period": pl.Int32}), how="cross")
        .with_columns(e=pl.col("period") - pl.col("cohort"))
        .sort("cohort", "period")
    )
    post = cells.filter(pl.col("e") >= 0)
    share = pl.col("size") / pl.col("size").sum()
    # Means of means: the weight inside, over how many means there are.
    means = post.with_columns(
        by_event=share.over("e") / pl.col("e").n_unique(),
        by_period=share.over("period") / pl.col("period").n_unique(),
        by_cohort=pl.col("size")
        / (pl.col("size") / pl.len().over("cohort")).sum()
        / pl.len().over("cohort"),
    )
    nowhere = pl.lit(None, dtype=pl.Int32)
    parts = [
        ("event_time", cells.filter(pl.col("e") >= -leads), pl.col("e"), share.over("e")),
        ("cohort", post, pl.col("cohort"), 1 / pl.len().over("cohort")),
        ("calendar", post, pl.col("period"), share.over("period")),
        ("simple", post, nowhere, share),
        ("event_time_overall", means, nowhere, pl.col("by_event")),
        ("cohort_overall", means, nowhere, pl.col("by_cohort")),
        ("calendar_overall", means, nowhere, pl.col("by_period")),
    ]
    return pl.concat(
        frame.select(
            aggregation=pl.lit(name),
            at=at.cast(pl.Int32),
            cohort="cohort",
            period="period",
            weight=weight,
        )
        for name, frame, at, weight in parts
    )


def aggregate(att: pl.DataFrame, weighting: pl.DataFrame, by: tuple[str, ...] = ()) -> pl.DataFrame:
    """Add group-time effects up.

    Parameters
    ----------
    att : polars.DataFrame
        cohort, period, att, and the columns of `by`.
    weighting : polars.DataFrame
        From `weights`; may carry columns of `by` too, and is then matched on them.
    by : tuple of str
        Columns that tell effects apart: programme, outcome, ...

    Returns
    -------
    polars.DataFrame
        by, aggregation, at, att. An aggregate that lacks one of its group-time effects is null.
    """
    shared = [name for name in by if name in weighting.columns]
    kinds = att.select(by).unique(maintain_order=True)
    if shared:
        wanted = weighting.join(kinds, on=shared, how="left", maintain_order="left_right")
    else:
        wanted = weighting.join(kinds, how="cross") if by else weighting
    missing = pl.col("att").null_count() > 0
    value = pl.when(missing).then(None).otherwise((pl.col("att") * pl.col("weight")).sum())
    # Orders are kept throughout: a sum of floats depends on the order of its terms.
    return (
        wanted.join(att, on=[*by, "cohort", "period"], how="left", maintain_order="left")
        .group_by(*by, "aggregation", "at", maintain_order=True)
        .agg(value.alias("att"))
    )
