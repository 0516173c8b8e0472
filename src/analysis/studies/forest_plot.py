"""The forest plot of pooled studies."""

from __future__ import annotations

import math
from statistics import NormalDist
from typing import TYPE_CHECKING, Any, Final

import polars as pl

from analysis.faults import Fault, FaultsError
from analysis.results.forest import forest, rows_of
from analysis.results.labels import country, labels, word

if TYPE_CHECKING:
    from matplotlib.axes import Axes

BY: Final = {
    "": "",
    "sub_type": "by_subtype",
    "setting": "by_setting",
}
"""Columns that a forest plot may be grouped by, with the means of their groups."""


def forest_plot(pooled: Any, *, by: str = "", language: str = "en", ax: Axes | None = None) -> Axes:
    """Draw studies with their weights, the mean as a diamond, and the prediction interval.

    Parameters
    ----------
    pooled : PoolResult
        Studies pooled (`analysis.pool`).
    by : {"", "sub_type", "setting"}
        Groups, each with its mean; a reader can single one out on the page.
    language : str
        ``en`` or ``zh``.
    ax : matplotlib Axes, optional
        Where; a new figure if left out.

    Raises
    ------
    FaultsError
        If studies cannot be grouped by `by`.
    """
    if by not in BY or (by and by not in pooled.studies.columns):
        remedy = f"use one of: {', '.join(name for name in BY if name)}"
        raise FaultsError(
            [Fault("plot", "studies have no such groups", remedy, column="by", value=by)]
        )
    studies = printed(pooled.studies, pooled.scale, pooled.level, language)
    if by:
        studies = studies.sort(pl.col(by), "estimate", maintain_order=True)
    words = labels(language)
    unit = pooled.unit
    if "comparison mean" in unit:
        unit = words["per_cent_mean"]
    means = means_of(pooled, by)
    rows = rows_of(studies, means, by=by, language=language)
    return forest(
        rows, unit, data=pooled.studies, provenance=pooled.provenance, language=language, ax=ax
    )


def _countries(studies: pl.DataFrame) -> list[str]:
    return [str(x) for x in studies["country"].drop_nulls().unique(maintain_order=True)]


def printed(
    studies: pl.DataFrame, scale: str, level: float = 0.95, language: str = "en"
) -> pl.DataFrame:
    """Return studies with label, estimate and interval as printed.

    Parameters
    ----------
    studies : polars.DataFrame
        effect, std_error, weight, and study or short, country.
    scale : str
        On ``log`` effects are logarithms, printed as per cent.
    level : float
        Of the intervals.
    language : str
        ``en`` or ``zh``, for countries.

    Examples
    --------
    >>> frame = pl.DataFrame({"study": ["a"], "effect": [0.1], "std_error": [0.0], "weight": [1.0]})
    >>> printed(frame, "log")["estimate"].round(2).item()
    10.52
    """
    wide = NormalDist().inv_cdf((1 + level) / 2)
    ends = {
        "estimate": pl.col("effect"),
        "ci_low": pl.col("effect") - wide * pl.col("std_error"),
        "ci_high": pl.col("effect") + wide * pl.col("std_error"),
    }
    if scale == "log":
        ends = {name: 100 * (end.exp() - 1) for name, end in ends.items()}
    name = pl.col("short") if "short" in studies.columns else pl.col("study")
    if "country" in studies.columns:
        place = pl.col("country").replace({x: country(x, language) for x in _countries(studies)})
        name = pl.concat_str([name, place], separator=", ", ignore_nulls=True)
        if "place" in studies.columns:
            # Two samples of one work in one country are told apart by their place.
            sites = {x: word(x, language) for x in studies["place"].drop_nulls().unique()}
            apart = pl.concat_str([name, pl.col("place").replace(sites)], separator=", ")
            name = pl.when(name.is_duplicated()).then(apart).otherwise(name)
    # Digits follow the error itself, as in lists and on the evidence map.
    error = pl.lit(math.nan) if scale == "log" else pl.col("std_error")
    return studies.with_columns(label=name, error=error, **ends)


def means_of(pooled: Any, by: str = "") -> pl.DataFrame:
    """Return the mean over all, and of each group: estimate, interval, prediction interval."""
    rows = [
        {
            "estimate": pooled.mean.value,
            "ci_low": pooled.mean.low,
            "ci_high": pooled.mean.high,
            "error": pooled.mean.error,
            "prediction_low": pooled.prediction.low,
            "prediction_high": pooled.prediction.high,
            **({by: ""} if by else {}),
        }
    ]
    if by:
        groups = getattr(pooled, BY[by])
        rows += [
            {
                "estimate": row["mean"],
                "ci_low": row["ci_low"],
                "ci_high": row["ci_high"],
                "error": math.nan,
                "prediction_low": math.nan,
                "prediction_high": math.nan,
                by: row[by],
            }
            for row in groups.iter_rows(named=True)
            if row["n_studies"] > 1
        ]
    return pl.DataFrame(rows)
