"""One scale for many studies: per cent of the comparison group's own outcome, where that is known.

A per cent of consumption is not a per cent of income, and a per cent of one person's earnings, of
farm income or of a county's mean is neither. The scale of a row says which it is; only rows of
household income and household consumption are set beside reported household money, and only if the
household is of those that the programme reaches.
"""

from __future__ import annotations

import polars as pl

from analysis.studies.schemas import NORMAL, VERIFIED

SCALES = {
    "income": "household income",
    "consumption": "household consumption",
    "earnings": "earnings, a part of household income",
    "business": "farm income or business profit, a part of household income",
    "area": "mean of a county or province",
    "other": "not an income scale",
}
COMPARABLE = ("income", "consumption")
"""Scales that may stand beside a household's reported money."""
REACHED = "reached"
"""The side of a programme's bargain that it reaches; a lease reaches who leases out."""


def _scale() -> pl.Expr:
    """Return the scale of a row: what its per cent would be a per cent of."""
    outcome, level = (pl.col(name).cast(pl.String) for name in ("outcome", "level"))
    return (
        pl.when(outcome.is_in(["other", "wage_rate"]))
        .then(pl.lit("other"))
        .when(level.is_in(["county", "province", "state"]))
        .then(pl.lit("area"))
        .when(outcome.is_in(["household_income", "income_per_head"]))
        .then(pl.lit("income"))
        .when(outcome == "consumption")
        .then(pl.lit("consumption"))
        .when(outcome.is_in(["household_earnings", "individual_earnings"]))
        .then(pl.lit("earnings"))
        .otherwise(pl.lit("business"))
    )


def scaled(estimates: pl.DataFrame) -> pl.DataFrame:
    r"""Add the scale of each row and, where it can be computed, its effect in per cent.

    Parameters
    ----------
    estimates : polars.DataFrame
        Rows of ``estimates.csv``.

    Returns
    -------
    polars.DataFrame
        The same rows with ``scale`` (a key of `SCALES`), ``percent`` and ``percent_se`` (null
        where not known; the standard error times the row's multiplier), ``percent_low`` and
        ``percent_high`` (normal 95 per cent interval), ``verified`` and ``comparable``.

    Notes
    -----
    A per cent of the comparison's mean is taken as printed; an amount :math:`b` beside a mean
    :math:`m` is :math:`100\,b/m`; log points :math:`b` are :math:`100\,(e^b-1)`, with the
    standard error :math:`100\,e^b s` of the delta method. The sampling error of
    :math:`m` is ignored.

    Examples
    --------
    >>> row = {"outcome": "consumption", "level": "household", "estimate": 6.0, "std_error": 3.0,
    ...        "ci_low": None, "ci_high": None, "unit": "currency", "control_mean": 80.0,
    ...        "se_multiplier": 1.0, "status": "seen", "side": "reached"}
    >>> scaled(pl.DataFrame([row])).select("scale", "percent", "percent_se").row(0)
    ('consumption', 7.5, 3.75)
    """
    b = pl.col("estimate")
    unit = pl.col("unit").cast(pl.String)
    low, high = (pl.col(end).cast(pl.Float64) for end in ("ci_low", "ci_high"))
    s = pl.coalesce(pl.col("std_error"), (high - low) / (2 * NORMAL)) * pl.col("se_multiplier")
    factor = (
        pl.when(unit == "percent_of_control")
        .then(pl.lit(1.0))
        .when(unit == "log_points")
        .then(100 * b.exp())
        .when(unit == "currency")
        .then(100 / pl.col("control_mean"))
    )
    percent = pl.when(unit == "log_points").then(100 * (b.exp() - 1)).otherwise(b * factor)
    onto = _scale() != "other"
    return estimates.with_columns(
        scale=_scale(),
        percent=pl.when(onto).then(percent),
        percent_se=pl.when(onto).then(s * factor),
        verified=pl.col("status").cast(pl.String).is_in(VERIFIED),
    ).with_columns(
        percent_low=pl.col("percent") - NORMAL * pl.col("percent_se"),
        percent_high=pl.col("percent") + NORMAL * pl.col("percent_se"),
        comparable=pl.col("verified")
        & pl.col("percent").is_not_null()
        & pl.col("scale").is_in(COMPARABLE)
        & (pl.col("side").cast(pl.String) == REACHED),
    )
