"""A panel in a few small tables: who is in it, what they live on, who is poor, who gets what."""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from analysis import money
from analysis.panels import estimands, schemas
from analysis.panels.panel import Panel

COVARIATES = {
    "size_baseline": "persons/households",
    "workers_baseline": "persons/households",
    "registered_poor": "share of households",
    "income_baseline": "yuan/persons/years",
    "remoteness_km": "kilometres",
}
"""Baseline columns compared by `balance`, with their units; income is per baseline member."""


@dataclass(frozen=True)
class Description:
    """What a page prints of a panel; every frame has at most some hundred rows.

    Attributes
    ----------
    sizes : polars.DataFrame
        what, n: households, villages, counties, periods, rows, rows complete.
    sources : polars.DataFrame
        From `sources`.
    poverty : polars.DataFrame
        From `poverty`; no rows for a panel in another currency or in real prices.
    programmes : polars.DataFrame
        From `programmes`.
    balance : polars.DataFrame
        From `balance`, of every programme.
    missing : polars.DataFrame
        From `missing`.
    left_out : polars.DataFrame
        reason, rows, share of the rows read.
    """

    sizes: pl.DataFrame
    sources: pl.DataFrame
    poverty: pl.DataFrame
    programmes: pl.DataFrame
    balance: pl.DataFrame
    missing: pl.DataFrame
    left_out: pl.DataFrame


def describe(panel: Panel) -> Description:
    """Return every table of a panel's description."""
    given = programmes(panel)
    balances = [balance(panel, name) for name in given["programme"].unique(maintain_order=True)]
    nominal_yuan = panel.currency_unit == "fen" and panel.price_year is None
    return Description(
        sizes=sizes(panel),
        sources=sources(panel),
        poverty=poverty(panel) if nominal_yuan else pl.DataFrame(schema=POVERTY_SCHEMA),
        programmes=given,
        balance=pl.concat(balances) if balances else pl.DataFrame(schema=BALANCE_SCHEMA),
        missing=missing(panel),
        left_out=left_out(panel),
    )


def sizes(panel: Panel) -> pl.DataFrame:
    """Return what, n: how large the panel is."""
    income = panel.income.select(
        pl.len().alias("rows"),
        pl.col("complete").sum().alias("rows complete"),
        pl.col("period").n_unique().alias("periods"),
    )
    parts = [
        panel.households.select(households=pl.len()),
        panel.villages.select(villages=pl.len(), counties=pl.col("county").n_unique()),
        income,
    ]
    wide = pl.concat(pl.collect_all(parts), how="horizontal")
    return wide.cast(pl.Int64).unpivot(variable_name="what", value_name="n")


def sources(panel: Panel) -> pl.DataFrame:
    """Return the mean of each source by period, over complete rows, unweighted.

    Returns
    -------
    polars.DataFrame
        period, source (``total`` last), per_household and per_head (currency units a year, per
        member present), share of the total, n_rows. Rows without members count for the first only.
    """
    names = (*schemas.SOURCES, "total")
    counted = pl.col("members_present").is_not_null()
    wide = (
        panel.income.filter("complete")
        .with_columns(schemas.total())
        .group_by("period")
        .agg(
            pl.len().cast(pl.Int64).alias("n_rows"),
            pl.col("members_present").sum().alias("persons"),
            *(pl.col(name).sum().alias(f"sum_{name}") for name in names),
            *(pl.col(name).filter(counted).sum().alias(f"counted_{name}") for name in names),
        )
        .sort("period")
        .collect()
    )
    frames = [
        wide.select(
            "period",
            source=pl.lit(name),
            per_household=pl.col(f"sum_{name}") / pl.col("n_rows") / money.FEN_PER_YUAN,
            per_head=pl.col(f"counted_{name}") / pl.col("persons") / money.FEN_PER_YUAN,
            share=pl.col(f"sum_{name}") / pl.col("sum_total"),
            n_rows="n_rows",
        )
        for name in names
    ]
    return pl.concat(frames).sort("period", maintain_order=True)


POVERTY_SCHEMA = {
    "period": pl.Int32,
    "line_name": pl.String,
    "line_yuan": pl.Float64,
    "line_status": pl.String,
    "group": pl.String,
    "headcount_households": pl.Float64,
    "headcount_persons": pl.Float64,
    "gap_per_person": pl.Float64,
    "n_rows": pl.Int64,
}


def poverty(panel: Panel, lines: tuple[str, ...] = ()) -> pl.DataFrame:
    """Return who is poor by period and line, in all and by the register, over complete rows.

    Parameters
    ----------
    panel : Panel
        In nominal fen.
    lines : tuple of str
        Poverty lines; all that are known if empty.

    Returns
    -------
    polars.DataFrame
        period, line_name, line_yuan (per person), line_status (one of `money.STATUSES`),
        group (all, registered, other), headcount_households, headcount_persons (shares; persons
        are baseline members), gap_per_person (yuan a year, the poor and the others), n_rows.
    """
    ends = panel.income.select(first=pl.col("period").min(), last=pl.col("period").max()).collect()
    if ends["first"][0] is None:
        return pl.DataFrame(schema=POVERTY_SCHEMA)
    table = money.load().line_table((ends["first"][0], ends["last"][0]), names=lines)
    group = (
        pl.when("registered_poor")
        .then(pl.lit("registered"))
        .when(~pl.col("registered_poor"))
        .then(pl.lit("other"))
    )
    rows = (
        panel.income.filter("complete")
        .join(
            panel.households.select("household", "size_baseline", "registered_poor"), on="household"
        )
        .join(table.lazy(), on="period")
        .with_columns(estimands.is_poor(), estimands.gap_fen(), group=group)
    )
    persons = pl.col("size_baseline")
    measures = [
        pl.col("is_poor").sum().alias("poor"),
        (pl.col("is_poor") * persons).sum().alias("poor_persons"),
        pl.col("gap_fen").sum(),
        persons.sum().alias("persons"),
        pl.len().cast(pl.Int64).alias("n_rows"),
        pl.col("line_fen").first(),
        pl.col("status").first(),
    ]
    keys = ["period", "line_name"]
    both = [
        rows.group_by(keys).agg(measures).with_columns(group=pl.lit("all")),
        rows.filter(pl.col("group").is_not_null()).group_by([*keys, "group"]).agg(measures),
    ]
    return (
        pl.concat(pl.collect_all(both), how="diagonal")
        .select(
            "period",
            "line_name",
            line_yuan=pl.col("line_fen") / money.FEN_PER_YUAN,
            line_status="status",
            group="group",
            headcount_households=pl.col("poor") / pl.col("n_rows"),
            headcount_persons=pl.col("poor_persons") / pl.col("persons"),
            gap_per_person=pl.col("gap_fen") / pl.col("persons") / money.FEN_PER_YUAN,
            n_rows="n_rows",
        )
        .sort("line_name", "group", "period")
    )


def programmes(panel: Panel) -> pl.DataFrame:
    """Return who gets which programme, by cohort.

    Returns
    -------
    polars.DataFrame
        programme, unit_level, cohort, n_units, share (of the panel's households or villages),
        dose_median, dose_unit; in the order of programme and cohort.
    """
    counts = pl.collect_all([panel.households.select(pl.len()), panel.villages.select(pl.len())])
    every = {"household": counts[0].item(), "village": counts[1].item()}
    return (
        panel.participation.with_columns(pl.col("unit_level").cast(pl.String))
        .group_by("programme", "unit_level", pl.col("first_period").alias("cohort"))
        .agg(
            n_units=pl.len().cast(pl.Int64),
            dose_median=pl.col("dose").median(),
            dose_unit=pl.col("dose_unit").first(),
        )
        .with_columns(
            share=pl.col("n_units")
            / pl.col("unit_level").replace_strict(every, return_dtype=pl.Float64)
        )
        .select("programme", "unit_level", "cohort", "n_units", "share", "dose_median", "dose_unit")
        .sort("programme", "unit_level", "cohort")
        .collect()
    )


BALANCE_SCHEMA = {
    "programme": pl.String,
    "covariate": pl.String,
    "unit": pl.String,
    "treated": pl.Float64,
    "untreated": pl.Float64,
    "standardised_difference": pl.Float64,
    "n_treated": pl.Int64,
    "n_untreated": pl.Int64,
}


def balance(panel: Panel, programme: str) -> pl.DataFrame:
    """Compare households ever treated with those never treated, at baseline.

    Returns
    -------
    polars.DataFrame
        programme, covariate, unit, treated and untreated (means), standardised_difference (over
        the root of the mean of the two variances), n_treated, n_untreated (households with the
        covariate). A covariate that no household has is left out.
    """
    part = panel.participation.filter(programme=programme)
    of_household = part.filter(unit_level="household").select(household="unit")
    of_village = part.filter(unit_level="village").select(village="unit")
    yes = pl.lit(True).alias("yes")
    homes = (
        panel.households.join(panel.villages.select("village", "remoteness_km"), on="village")
        .join(of_household.with_columns(yes), on="household", how="left")
        .join(of_village.with_columns(yes.alias("village_yes")), on="village", how="left")
        .select(
            (pl.col("yes").is_not_null() | pl.col("village_yes").is_not_null()).alias("treated"),
            *(pl.col(name).cast(pl.Float64) for name in COVARIATES if name != "income_baseline"),
            income_baseline=pl.col("income_baseline_fen")
            / pl.col("size_baseline")
            / money.FEN_PER_YUAN,
        )
    )
    stats = [
        expression.alias(f"{name}_{key}")
        for name in COVARIATES
        for key, expression in (
            ("mean", pl.col(name).mean()),
            ("var", pl.col(name).var()),
            ("n", pl.col(name).count()),
        )
    ]
    found = homes.group_by("treated").agg(stats).collect()
    arms = {row["treated"]: row for row in found.iter_rows(named=True)}
    rows = [
        _balance_row(programme, name, arms)
        for name in COVARIATES
        if any(arm[f"{name}_n"] for arm in arms.values())
    ]
    return pl.DataFrame(rows, schema=BALANCE_SCHEMA)


def _balance_row(
    programme: str, name: str, arms: dict[bool, dict[str, float]]
) -> dict[str, object]:
    treated, untreated = (
        {key: arms.get(arm, {}).get(f"{name}_{key}") for key in ("mean", "var", "n")}
        for arm in (True, False)
    )
    difference = None
    spread = ((treated["var"] or 0.0) + (untreated["var"] or 0.0)) / 2
    if treated["mean"] is not None and untreated["mean"] is not None and spread > 0:
        difference = (treated["mean"] - untreated["mean"]) / spread**0.5
    return {
        "programme": programme,
        "covariate": name,
        "unit": COVARIATES[name],
        "treated": treated["mean"],
        "untreated": untreated["mean"],
        "standardised_difference": difference,
        "n_treated": treated["n"] or 0,
        "n_untreated": untreated["n"] or 0,
    }


def missing(panel: Panel) -> pl.DataFrame:
    """Return what is missing by period.

    Returns
    -------
    polars.DataFrame
        period, n_rows, share_seen (of all households), share_complete (of the rows), the share of
        rows that lack each source, and members_present.
    """
    every = panel.households.select(pl.len()).collect().item()
    columns = (*schemas.SOURCES, "members_present")
    return (
        panel.income.group_by("period")
        .agg(
            n_rows=pl.len().cast(pl.Int64),
            share_seen=pl.len() / max(every, 1),
            share_complete=pl.col("complete").mean(),
            **{f"missing_{name}": pl.col(name).is_null().mean() for name in columns},
        )
        .sort("period")
        .collect()
    )


def left_out(panel: Panel) -> pl.DataFrame:
    """Return reason, rows, share: the account of the panel, the rows used first."""
    account = panel.account
    reasons = {"used": account.rows_used, **account.left_out}
    return pl.DataFrame(
        {"reason": list(reasons), "rows": list(reasons.values())},
        schema={"reason": pl.String, "rows": pl.Int64},
    ).with_columns(share=pl.col("rows") / max(account.rows_read, 1))
