"""What the draws of a design tell: bias, coverage, size and power, each with its Monte Carlo error.

The truth is that of the population a draw is taken from: effects added up over every draw, divided
by the participants added up over every draw. Villages are the sample, so their effects vary too.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import polars as pl

from analysis.inference.arrays import Floats
from analysis.inference.clusters import quantile
from analysis.panels import estimands

LEVEL: Final = 0.95
DIGITS: Final = 9
"""Significant digits of what is stored."""
LEAST, MOST = 0.93, 0.98
"""Coverage that `reported` promises, within two Monte Carlo errors; the most from `MANY` on."""
MANY: Final = 10
"""Villages of the smaller arm from which intervals must not be too wide."""
RULES: Final = {
    "reported": "CV3, t with degrees from the design; bands: Šidák, multipliers",
    "villages": "CV3, t of the villages less one; bands by Bonferroni",
    "parity": "CR0, normal quantiles; bands by multipliers",
}
SUMMARY: Final = (
    "design",
    "estimator",
    "rule",
    "measure",
    "value",
    "mc_error",
    "draws",
    "estimates",
)
MEASURES: Final = {
    "bias": "mean estimate of the overall effect less the truth, yuan a year",
    "truth": "overall effect, yuan a year",
    "spread": "standard deviation of the estimates of the overall effect, yuan a year",
    "error": "mean standard error of the overall effect, yuan a year",
    "coverage_simple": "intervals of the overall effect that hold the truth",
    "coverage_event_time": "intervals of the effects by event time that hold the truth, mean",
    "coverage_group_time": "intervals of the group-time effects that hold the truth, mean",
    "lowest_event_time": "lowest coverage among event times",
    "highest_event_time": "highest coverage among event times",
    "band_event_time": "joint bands over event times that hold every truth",
    "band_group_time": "joint bands over group-time effects that hold every truth",
    "size": "draws in which no effect at all is found to be one",
    "power": "draws in which the effect is found",
}


@dataclass(frozen=True)
class Share:
    """A mean over draws with its Monte Carlo error."""

    value: float
    mc_error: float


def _mean(values: Floats) -> Share:
    """Return the mean over draws and its error."""
    if values.size < 2:
        return Share(float("nan"), float("nan"))
    return Share(float(values.mean()), float(values.std(ddof=1) / np.sqrt(values.size)))


def truths(drawn: pl.DataFrame) -> pl.DataFrame:
    """Return the effect in the population of the draws.

    Parameters
    ----------
    drawn : polars.DataFrame
        As `analysis.validation.montecarlo.run` gives it.

    Returns
    -------
    polars.DataFrame
        aggregation, at, cohort, period, truth: yuan a year per participating household.
    """
    by = ("cohort", "period")
    cells = (
        drawn.filter(estimator="truth")
        .group_by(by)
        .agg(pl.col("estimate").sum(), size=pl.col("std_error").sum())
        .sort(by)
        .with_columns(att=pl.col("estimate") / pl.col("size"))
    )
    periods = cells["period"].unique().sort().to_list()
    cohorts = cells.select("cohort", "size").unique().sort("cohort")
    weighting = estimands.weights(cohorts, periods[0], periods[-1], leads=len(periods)).filter(
        pl.col("aggregation").is_in(["simple", "event_time"])
    )
    sums = estimands.aggregate(cells.select(*by, "att"), weighting)
    empty = [pl.lit(None, pl.Int32).alias(name) for name in by]
    own = pl.lit("group_time").alias("aggregation"), pl.lit(None, pl.Int32).alias("at")
    return pl.concat(
        [
            sums.select("aggregation", "at", *empty, truth="att"),
            cells.select(*own, *by, truth="att"),
        ]
    )


def compared(drawn: pl.DataFrame) -> pl.DataFrame:
    """Return the estimates of income beside the truth, those that every draw has."""
    key = ("aggregation", "at", "cohort", "period")
    n = drawn["draw"].n_unique()
    return (
        drawn.filter(pl.col("estimator") != "truth")
        .join(truths(drawn), on=key, how="inner", nulls_equal=True, maintain_order="left")
        .with_columns(
            truth=pl.when(pl.col("outcome") == "income").then("truth").otherwise(0.0),
            there=pl.len().over("estimator", "outcome", *key) == n,
        )
        .filter("there")
        .drop("there")
    )


def summary(design: str, drawn: pl.DataFrame) -> pl.DataFrame:
    """Return what the draws of one design tell; columns `SUMMARY`, measures `MEASURES`.

    Parameters
    ----------
    design : str
        Its name.
    drawn : polars.DataFrame
        As `analysis.validation.montecarlo.run` gives it.
    """
    both = compared(drawn)
    rows: list[tuple[str, str, str, Share, int]] = []
    for (estimator,), part in both.group_by("estimator", maintain_order=True):
        simple = part.filter(outcome="income", aggregation="simple")
        null = part.filter(outcome="without", aggregation="simple")
        rows += [(str(estimator), "any", *row) for row in _plain(simple)]
        for rule in RULES:
            held = _held(part, rule)
            rows += [
                (str(estimator), rule, *row)
                for row in (
                    *_pointwise(held.filter(outcome="income")),
                    ("size", _mean(_rejection_rates(null, rule)), 1),
                    ("power", _mean(_rejection_rates(simple, rule)), 1),
                    *(_joint(part, rule) if estimator == "group_time" else ()),
                )
            ]
    frame = pl.DataFrame(
        [(e, r, m, s.value, s.mc_error, n) for e, r, m, s, n in rows],
        orient="row",
        schema=["estimator", "rule", "measure", "value", "mc_error", "estimates"],
    )
    return frame.with_columns(
        pl.col("value", "mc_error").round_sig_figs(DIGITS),
        design=pl.lit(design),
        draws=pl.lit(drawn["draw"].n_unique()),
    ).select(SUMMARY)


def _plain(simple: pl.DataFrame) -> list[tuple[str, Share, int]]:
    """Return what does not depend on the interval, of the overall effect."""
    estimate, truth = simple["estimate"].to_numpy(), simple["truth"].to_numpy()
    n = estimate.size
    spread = float(estimate.std(ddof=1))
    # The error of a standard deviation is that of a normal one, σ/√(2(n − 1)).
    return [
        ("truth", Share(float(truth.mean()), 0.0), 1),
        ("bias", _mean(estimate - truth), 1),
        ("spread", Share(spread, spread / float(np.sqrt(2 * (n - 1)))), 1),
        ("error", _mean(simple["std_error"].to_numpy()), 1),
    ]


def _half(part: pl.DataFrame, rule: str) -> Floats:
    """Return half the width of the intervals of a rule."""
    error = part["parity_error" if rule == "parity" else "std_error"].to_numpy()
    if rule == "parity":
        degrees = np.full(part.height, np.inf)
    else:
        degrees = part["degrees" if rule == "reported" else "degrees_villages"].to_numpy()
    half: Floats = quantile(0.5 + LEVEL / 2, degrees) * error
    return half


def _held(part: pl.DataFrame, rule: str) -> pl.DataFrame:
    """Return whether each interval holds the truth."""
    off = np.abs(part["estimate"].to_numpy() - part["truth"].to_numpy())
    return part.with_columns(held=pl.Series(off <= _half(part, rule)))


def _rejection_rates(simple: pl.DataFrame, rule: str) -> Floats:
    """Return in which draws the interval leaves zero out."""
    off: Floats = np.abs(simple["estimate"].to_numpy())
    return (off > _half(simple, rule)).astype(np.float64)


def _pointwise(held: pl.DataFrame) -> list[tuple[str, Share, int]]:
    entries = []
    for name in ("simple", "event_time", "group_time"):
        part = held.filter(aggregation=name)
        if not part.height:
            continue
        by_draw = part.group_by("draw", maintain_order=True).agg(pl.col("held").mean())
        each = part.group_by("at", "cohort", "period").agg(pl.col("held").mean())["held"]
        entries.append((f"coverage_{name}", _mean(by_draw["held"].to_numpy()), each.len()))
        if name == "event_time":
            n = by_draw.height
            for word, value in (("lowest", each.min()), ("highest", each.max())):
                share = float(value)  # type: ignore[arg-type]
                error = float(np.sqrt(share * (1 - share) / n))
                entries.append((f"{word}_event_time", Share(share, error), each.len()))
    return entries


def _joint(part: pl.DataFrame, rule: str) -> list[tuple[str, Share, int]]:
    """Return how often a joint band holds all truths of its family."""
    column = {"reported": "band", "villages": "band_villages", "parity": "band_parity"}[rule]
    error = "parity_error" if rule == "parity" else "std_error"
    entries = []
    for family in ("event_time", "group_time"):
        inside = part.filter(pl.col("outcome") == "income", aggregation=family)
        inside = inside.filter(pl.col(column).is_finite(), pl.col(error).is_finite())
        if not inside.height:
            continue
        held = (pl.col("estimate") - pl.col("truth")).abs() <= pl.col(column) * pl.col(error)
        by_draw = inside.group_by("draw", maintain_order=True).agg(held.all().alias("held"))
        most = inside.group_by("draw").len()["len"].max()
        held_all = by_draw["held"].cast(pl.Float64).to_numpy()
        entries.append((f"band_{family}", _mean(held_all), int(most)))  # type: ignore[arg-type]
    return entries


def keeps_promise(row: Share, villages: int = MANY) -> bool:
    """Say whether a coverage is what was promised, give or take two of its errors.

    Parameters
    ----------
    row : Share
        Coverage.
    villages : int
        Of the smaller arm.

    Examples
    --------
    >>> keeps_promise(Share(0.925, 0.004)), keeps_promise(Share(0.915, 0.004))
    (True, False)
    >>> keeps_promise(Share(0.995, 0.002), 6), keeps_promise(Share(0.995, 0.002), 12)
    (True, False)
    """
    most = MOST if villages >= MANY else 1.0
    return LEAST - 2 * row.mc_error <= row.value <= most + 2 * row.mc_error
