"""What a pooled mean rests on: priors halved and doubled, each study left out, kinds apart."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import polars as pl

from analysis.results import formatting
from analysis.results.table import ResultTable

if TYPE_CHECKING:
    from analysis.studies.pool_result import PoolResult

HEADS = ("what is changed", "studies", "mean", "95% interval", "next place")
PRIORS = {0.5: "priors half as wide", 1.0: "priors as stated", 2.0: "priors twice as wide"}


def sensitivity_table(pool: PoolResult) -> ResultTable:
    """Return the mean of a pool as other choices would have it, one line a choice.

    Parameters
    ----------
    pool : PoolResult
        Of `va.pool`, or the ``pooled`` of a rating.

    Returns
    -------
    ResultTable
        The random-effects mean; the hierarchical model with the scales of its priors halved, as
        stated and doubled; the mean without each study; the mean of each kind of the programme,
        if there are several. In the unit of the pool. Its data: change, n_studies, mean, ci_low,
        ci_high, predictive_low, predictive_high.
    """
    data = pl.DataFrame(
        list(_lines(pool)),
        schema_overrides={"predictive_low": pl.Float64, "predictive_high": pl.Float64},
    )
    places = formatting.places(pool.mean.error)
    shown = pl.DataFrame(
        [
            (
                row["change"],
                str(row["n_studies"]),
                formatting.number(row["mean"], places),
                formatting.span(row["ci_low"], row["ci_high"], places),
                "–"
                if row["predictive_low"] is None
                else formatting.span(row["predictive_low"], row["predictive_high"], places),
            )
            for row in data.iter_rows(named=True)
        ],
        schema=list(HEADS),
        orient="row",
    )
    return ResultTable(shown=shown, data=data, provenance=pool.provenance)


def _lines(pool: PoolResult) -> Iterator[dict[str, Any]]:
    studies = pool.studies["study"].n_unique()
    low, high = pool.mean.ends
    ahead = {"predictive_low": None, "predictive_high": None}
    first = {"n_studies": studies, "mean": pool.mean.value, "ci_low": low, "ci_high": high}
    yield {"change": "random effects", **first, **ahead}
    for row in pool.prior_sensitivity.iter_rows(named=True):
        name = f"hierarchical model, {PRIORS[row['scale']]}"
        kept = {key: row[key] for key in ("mean", "ci_low", "ci_high", *ahead)}
        yield {"change": name, "n_studies": studies, **kept}
    short = dict(pool.studies.select("study", _name()).iter_rows())
    for row in pool.leave_one_out.iter_rows(named=True):
        yield {"change": f"without {short[row['left_out']]}", **_mean(row), **ahead}
    kinds = pool.by_subtype
    for row in kinds.iter_rows(named=True) if kinds.height > 1 else ():
        yield {"change": f"{row['sub_type'].replace('_', ' ')} alone", **_mean(row), **ahead}


def _name() -> pl.Expr:
    """Return the name of a study; two of one name are told apart by their samples."""
    sample = pl.format("{} ({})", "short", pl.col("study").str.replace_all("_", " "))
    return (
        pl.when(pl.col("short").n_unique().over("short") < pl.len().over("short"))
        .then(sample)
        .otherwise("short")
    )


def _mean(row: dict[str, Any]) -> dict[str, Any]:
    return {key: row[key] for key in ("n_studies", "mean", "ci_low", "ci_high")}
