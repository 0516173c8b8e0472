"""A panel in a few small tables: who is in it, what they live on, who is poor, who gets what."""

from __future__ import annotations

from typing import Final

import polars as pl

from analysis import money
from analysis.faults import FaultsError
from analysis.panels import schemas
from analysis.panels.panel import Panel

COVARIATES = {
    "size_baseline": "persons/households",
    "workers_baseline": "persons/households",
    "registered_poor": "share of households",
    "income_baseline": "yuan/persons/years",
    "remoteness_km": "kilometres",
}
"""Baseline columns compared by `balance`, with their units; income is per baseline member."""


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


LINES: Final = {"national": "national line", "planning_2020": "4,000 yuan of 2020"}
"""Official poverty lines, in words."""
RELATIVE: Final = "half the median"
"""The line where no official one is set for the money of a panel."""


def recorded(panel: Panel) -> tuple[str, ...]:
    """Return the sources of income that anybody in the panel was asked for."""
    counts = panel.income.select(pl.col(name).count() for name in schemas.SOURCES).collect()
    return tuple(name for name in schemas.SOURCES if counts[name].item())


def household_periods(panel: Panel) -> pl.DataFrame:
    """Return every household and period whose recorded sources of income are all known.

    Returns
    -------
    polars.DataFrame
        household, village, period, each recorded source and income, their sum (whole hundredths of
        the currency, per household), size (members at baseline), weight.
    """
    sources = recorded(panel)
    known = pl.all_horizontal(pl.lit(True), *(pl.col(name).is_not_null() for name in sources))
    homes = panel.households.select("household", "village", "weight", size="size_baseline")
    return (
        panel.income.filter(known)
        .join(homes, on="household")
        .select(
            "household",
            "village",
            "period",
            *sources,
            pl.sum_horizontal(pl.lit(0, pl.Int64), *sources).alias("income"),
            "size",
            "weight",
        )
        .sort("household", "period")
        .collect()
    )


def with_lines(rows: pl.DataFrame, panel: Panel) -> tuple[pl.DataFrame, dict[str, str]]:
    """Add poverty lines to household-periods, a column each, per person.

    Official lines are set for yuan of each year and the sum of all four sources; every other panel
    has half the median income per head of the period.

    Parameters
    ----------
    rows : polars.DataFrame
        From `household_periods`.
    panel : Panel
        Whose money it is.

    Returns
    -------
    tuple of DataFrame and dict
        The rows, and the column of each line by its name, as `analysis.poverty` takes them.
    """
    official = _official(rows, panel)
    if official is not None:
        named = {LINES.get(name, name): name for name in official.columns[1:]}
        return rows.join(official, on="period", how="left", maintain_order="left"), named
    median = (pl.col("income") / pl.col("size")).median().over("period")
    return rows.with_columns((median / 2).alias("line")), {RELATIVE: "line"}


def _official(rows: pl.DataFrame, panel: Panel) -> pl.DataFrame | None:
    """Return official lines by period; None where none is set for the panel's money and years."""
    nominal_yuan = panel.currency == "yuan" and panel.price_year is None
    if rows.is_empty() or not nominal_yuan or len(recorded(panel)) < len(schemas.SOURCES):
        return None
    try:
        # A line is carried by the panel's own index, or stands in the years it was published for.
        series = panel.prices if isinstance(panel.prices, str) else ""
        table = money.load().line_table(span(rows), series=series)
    except FaultsError:
        return None
    return table.pivot(on="line_name", index="period", values="line_fen")


def span(rows: pl.DataFrame) -> tuple[int, int]:
    """Return the first and the last period of some rows."""
    periods = rows["period"].unique().sort().to_list()
    return periods[0], periods[-1]


def ends(rows: pl.DataFrame) -> pl.DataFrame:
    """Return the rows of the first and the last period."""
    period = pl.col("period")
    return rows.filter((period == period.min()) | (period == period.max()))


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
    own = {
        name: "as given"
        for name, dtype in panel.households.collect_schema().items()
        if name.startswith(schemas.COVARIATE_PREFIX) and dtype.is_numeric()
    }
    units = {**COVARIATES, "income_baseline": f"{panel.currency}/persons/years", **own}
    homes = (
        panel.households.join(panel.villages.select("village", "remoteness_km"), on="village")
        .join(of_household.with_columns(yes), on="household", how="left")
        .join(of_village.with_columns(yes.alias("village_yes")), on="village", how="left")
        .select(
            (pl.col("yes").is_not_null() | pl.col("village_yes").is_not_null()).alias("treated"),
            *(pl.col(name).cast(pl.Float64) for name in units if name != "income_baseline"),
            income_baseline=pl.col("income_baseline_fen")
            / pl.col("size_baseline")
            / money.FEN_PER_YUAN,
        )
    )
    stats = [
        expression.alias(f"{name}_{key}")
        for name in units
        for key, expression in (
            ("mean", pl.col(name).mean()),
            ("var", pl.col(name).var()),
            ("n", pl.col(name).count()),
        )
    ]
    frame = homes.group_by("treated").agg(stats).collect()
    arms = {row["treated"]: row for row in frame.iter_rows(named=True)}
    rows = [
        _balance_row(programme, name, units[name], arms)
        for name in units
        if any(arm[f"{name}_n"] for arm in arms.values())
    ]
    return pl.DataFrame(rows, schema=BALANCE_SCHEMA)


def _balance_row(
    programme: str, name: str, unit: str, arms: dict[bool, dict[str, float]]
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
        "unit": unit,
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
