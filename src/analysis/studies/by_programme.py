"""One line a programme and outcome: size, number and kind of studies, prediction, rating."""

from __future__ import annotations

import math
from functools import cache
from typing import Any, Final

import polars as pl

from analysis.results import formatting
from analysis.results.table import ResultTable
from analysis.studies.estimates import Studies, studies, tables
from analysis.studies.rating import Rating, rate

RANK: Final = ("high", "moderate", "low", "very_low", "none")


@cache
def summary_by_programme() -> pl.DataFrame:
    """Return what the library says of each programme and rated outcome.

    Returns
    -------
    polars.DataFrame
        One row per programme and outcome of which there is any row, in the order of the report:
        programme, programme_en, programme_zh, outcome_family, outcome_en, outcome_zh;
        n_estimates, n_studies, n_works, n_randomised (studies), n_china (studies),
        n_directions, n_null (directions), n_reviews, n_usable (estimates that may enter a range);
        effect, risk_of_bias, n_pooled (studies), mean, ci_low, ci_high, prediction_low,
        prediction_high, tau, i_squared, predictive_mean, predictive_low, predictive_high
        (hierarchical model), descriptive, mostly_prior; n_associations, association_low,
        association_high (studies and per cent, matched or plain comparisons); n_without_error,
        without_error_low, without_error_high (a comparison, but no standard error); rating,
        rating_en, rating_zh, raises; first (the line of the first screen: the best rating, then
        the most studies pooled, then the order of outcomes).

    Examples
    --------
    >>> lines = summary_by_programme().filter("first")
    >>> lines["programme"].n_unique()
    9
    """
    known = tables()
    rated = known.outcomes.filter(pl.col("rated").cast(pl.String) == "yes")
    rows = []
    for programme in known.programmes.iter_rows(named=True):
        result = studies(programme["id"])
        families = set(result.frame["outcome_family"].cast(pl.String))
        lines = [
            _line(result, programme, outcome)
            for outcome in rated.iter_rows(named=True)
            if outcome["id"] in families
        ]
        best = min(range(len(lines)), key=lambda i: (*_order(lines[i]), i))
        rows += [line | {"first": i == best} for i, line in enumerate(lines)]
    return pl.DataFrame(rows, infer_schema_length=None)


HEADS: Final = {
    "en": ("programme", "measured on", "studies", "mean, %", "next place, %", "how sure"),
    "zh": ("项目", "衡量对象", "研究", "平均，%", "下一地区，%", "把握"),
}
"""Heads of the table of answers, by language."""


def answers(library: Studies, language: str = "en") -> ResultTable:
    """Return one line a programme as a table; see `summary_by_programme`.

    Parameters
    ----------
    library : Studies
        All of them; it gives the record.
    language : str
        ``en`` or ``zh``.
    """
    lines = summary_by_programme().filter("first")
    shown = []
    for line in lines.iter_rows(named=True):
        pooled = rate(studies(line["programme"]), line["outcome_family"]).pooled
        mean = ahead = formatting.NONE
        if pooled is not None:
            mean = f"{pooled.mean.text} ({pooled.mean.interval.text})"
            ahead = pooled.predictive_interval.text
        texts = (
            (mean, ahead) if language == "en" else (x.replace(" to ", "至") for x in (mean, ahead))
        )
        shown.append(
            (
                line[f"programme_{language}"],
                line[f"outcome_{language}"],
                str(line["n_pooled"]),
                *texts,
                line[f"rating_{language}"],
            )
        )
    return ResultTable(
        shown=pl.DataFrame(shown, HEADS[language], orient="row"),
        data=lines,
        provenance=library.provenance,
    )


def _order(line: dict[str, Any]) -> tuple[int, int]:
    """Return what puts the best rating first, then the most studies."""
    return RANK.index(line["rating"]), -int(line["n_pooled"])


def _line(studies: Studies, programme: dict[str, Any], outcome: dict[str, Any]) -> dict[str, Any]:
    rows = studies.outcome(outcome["id"]).frame
    kind = pl.col("kind").cast(pl.String)
    estimates = rows.filter(kind == "estimate")
    directions = rows.filter(kind == "direction")
    rating = rate(studies, outcome["id"])
    randomised = estimates.filter(pl.col("risk_of_bias").cast(pl.String) == "randomised")
    china = pl.concat([estimates, directions]).filter(pl.col("country") == "China")
    null = directions.filter(pl.col("direction").cast(pl.String) == "null")
    return {
        "programme": programme["id"],
        "programme_en": programme["name_en"],
        "programme_zh": programme["name_zh"],
        "outcome_family": outcome["id"],
        "outcome_en": outcome["name_en"],
        "outcome_zh": outcome["name_zh"],
        "n_estimates": estimates.height,
        "n_studies": estimates["study"].n_unique(),
        "n_works": rows["work"].n_unique(),
        "n_randomised": randomised["study"].n_unique(),
        "n_china": china["study"].n_unique(),
        "n_directions": directions.height,
        "n_null": null.height,
        "n_reviews": rows.filter(kind == "review").height,
        "n_usable": estimates.filter(pl.col("usable").cast(pl.String) == "yes").height,
        **_pooled(rating),
        **_range(rating.associations, "n_associations", "association"),
        **_range(rating.without_error, "n_without_error", "without_error"),
        "rating": rating.rating,
        "rating_en": rating.word.text,
        "rating_zh": rating.word_zh.text,
        "raises": "; ".join(rating.raises),
    }


def _pooled(rating: Rating) -> dict[str, Any]:
    names = (
        "effect",
        "risk_of_bias",
        "n_pooled",
        "mean",
        "ci_low",
        "ci_high",
        "prediction_low",
        "prediction_high",
        "tau",
        "i_squared",
        "predictive_mean",
        "predictive_low",
        "predictive_high",
        "descriptive",
        "mostly_prior",
    )
    pooled = rating.pooled
    if pooled is None:
        return dict.fromkeys(names) | {"n_pooled": 0}
    ahead = pooled.predictive()
    low, high = ahead.interval()
    values = (
        pooled.question.effect,
        pooled.question.designs[0],
        pooled.studies["study"].n_unique(),
        pooled.mean.value,
        pooled.mean.ci_low,
        pooled.mean.ci_high,
        pooled.prediction.ci_low,
        pooled.prediction.ci_high,
        pooled.model.tau,
        pooled.i_squared,
        ahead.mean,
        low,
        high,
        pooled.descriptive,
        pooled.mostly_prior,
    )
    by_name = dict(zip(names, values, strict=True))
    return {k: None if isinstance(x, float) and math.isnan(x) else x for k, x in by_name.items()}


def _range(rows: pl.DataFrame, count: str, name: str) -> dict[str, Any]:
    return {
        count: rows["study"].n_unique(),
        f"{name}_low": rows["percent"].min(),
        f"{name}_high": rows["percent"].max(),
    }


def rating_legend(language: str = "en") -> ResultTable:
    """Return the four ratings with what each asks for.

    Parameters
    ----------
    language : str
        ``en`` or ``zh``.

    Examples
    --------
    >>> rating_legend().shown.height
    4
    """
    heads = {"en": ("how sure", "what it asks for"), "zh": ("把握", "条件")}[language]
    known = tables().ratings
    shown = known.select(
        pl.col(f"name_{language}").alias(heads[0]), pl.col(f"meaning_{language}").alias(heads[1])
    )
    return ResultTable(shown=shown, data=known, provenance=studies().provenance)
