"""Estimates on one scale: per cent of the comparison's mean, and logarithms, with their errors.

Every conversion carries the standard error by the delta method; what cannot be converted stays
empty and is counted by who uses it.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import polars as pl
from scipy import special  # type: ignore[import-untyped]

PER_CENT = 100.0


def percent_of_log(effect: float, std_error: float) -> tuple[float, float]:
    r"""Return an effect in log points as per cent, :math:`100 (e^b - 1)`, and its error.

    Examples
    --------
    >>> [round(x, 4) for x in percent_of_log(0.0724, 0.0078)]
    [7.5085, 0.8386]
    """
    factor = math.exp(effect)
    return PER_CENT * (factor - 1), PER_CENT * factor * std_error


def log_of_percent(percent: float, std_error: float) -> tuple[float, float]:
    r"""Return an effect in per cent as log points, :math:`\log(1 + p/100)`, and its error.

    Raises
    ------
    ValueError
        If the effect is a loss of all or more.

    Examples
    --------
    >>> [round(x, 6) for x in log_of_percent(*percent_of_log(0.0724, 0.0078))]
    [0.0724, 0.0078]
    """
    if percent <= -PER_CENT:
        raise ValueError(f"no logarithm of a change by {percent} per cent")
    return math.log1p(percent / PER_CENT), std_error / (PER_CENT + percent)


def percent_of_mean(effect: float, std_error: float, mean: float) -> tuple[float, float]:
    """Return an effect as per cent of the comparison's mean, and its error.

    The mean is taken as known: its own sampling error is small beside that of the effect, and
    most tables do not print it.

    Examples
    --------
    >>> [round(x, 2) for x in percent_of_mean(886.3, 488.2, 5090.0)]
    [17.41, 9.59]
    """
    return PER_CENT * effect / mean, PER_CENT * std_error / mean


def error_from_interval(low: float, high: float, level: float = 0.95) -> float:
    """Return the standard error of a normal interval.

    Examples
    --------
    >>> round(error_from_interval(40, 88), 1)
    12.2
    """
    return (high - low) / (2 * float(special.ndtri((1 + level) / 2)))


def error_from_t(effect: float, t_value: float) -> float:
    """Return the standard error of an effect from its t value.

    Examples
    --------
    >>> round(error_from_t(0.0724, 9.27), 4)
    0.0078
    """
    return abs(effect / t_value)


def error_from_p(effect: float, p_value: float) -> float:
    """Return the standard error of an effect from its two-sided p value, by normal quantiles.

    Examples
    --------
    >>> round(error_from_p(0.366, 0.004), 3)
    0.127
    """
    return abs(effect) / -float(special.ndtri(p_value / 2))


def combined(
    effects: Sequence[float], std_errors: Sequence[float], sizes: Sequence[float]
) -> tuple[float, float]:
    r"""Return the effect on a whole sample from those on its independent parts, and its error.

    :math:`\hat\beta = \sum n_g \hat\beta_g / n`, with error :math:`\sqrt{\sum (n_g s_g / n)^2}`.

    Examples
    --------
    >>> [round(x, 1) for x in combined([1242.6, 1116.6], [358.8, 568.6], [6102, 5102])]
    [1185.2, 324.4]
    """
    total = math.fsum(sizes)
    shares = [size / total for size in sizes]
    effect = math.fsum(w * b for w, b in zip(shares, effects, strict=True))
    return effect, math.sqrt(
        math.fsum((w * s) ** 2 for w, s in zip(shares, std_errors, strict=True))
    )


def with_percent(estimates: pl.DataFrame) -> pl.DataFrame:
    r"""Add effects in per cent and in log points, with errors adjusted for clusters.

    Parameters
    ----------
    estimates : polars.DataFrame
        unit, estimate, std_error, se_multiplier, comparison_mean.

    Returns
    -------
    polars.DataFrame
        The rows with error (times its multiplier), percent, percent_se, percent_low, percent_high
        (95 per cent; normal on the scale of the estimate, so that ends of logarithms are turned as
        the estimate is), log_effect, log_se; null where the unit allows none: a share needs the
        mean of its comparison, a standard deviation or an elasticity never is a per cent.

    Examples
    --------
    >>> row = pl.DataFrame({"unit": ["log_points"], "estimate": [0.018], "std_error": [0.013],
    ...     "se_multiplier": [1.0], "comparison_mean": [None]})
    >>> [round(x, 2) for x in with_percent(row).select("percent_low", "percent_high").row(0)]
    [-0.75, 4.44]
    """
    unit = pl.col("unit").cast(pl.String)
    mean = pl.col("comparison_mean")
    factor = pl.col("estimate").exp()
    of_mean = unit.is_in(["currency", "quantity", "share", "count"]) & (mean > 0)
    percent = (
        pl.when(unit == "percent")
        .then("estimate")
        .when(unit == "log_points")
        .then(PER_CENT * (factor - 1))
        .when(of_mean)
        .then(PER_CENT * pl.col("estimate") / mean)
    )
    percent_se = (
        pl.when(unit == "percent")
        .then("error")
        .when(unit == "log_points")
        .then(PER_CENT * factor * pl.col("error"))
        .when(of_mean)
        .then(PER_CENT * pl.col("error") / mean)
    )
    quantile = float(special.ndtri(0.975))

    def end(sign: int) -> pl.Expr:
        log_end = pl.col("estimate") + sign * quantile * pl.col("error")
        return (
            pl.when(unit == "log_points")
            .then(PER_CENT * (log_end.exp() - 1))
            .otherwise(pl.col("percent") + sign * quantile * pl.col("percent_se"))
        )

    positive = pl.col("percent") > -PER_CENT
    return (
        estimates.with_columns(error=pl.col("std_error") * pl.col("se_multiplier"))
        .with_columns(percent=percent, percent_se=percent_se)
        .with_columns(
            percent_low=end(-1),
            percent_high=end(1),
            log_effect=pl.when(unit == "log_points")
            .then("estimate")
            .when(positive)
            .then((pl.col("percent") / PER_CENT).log1p()),
            log_se=pl.when(unit == "log_points")
            .then("error")
            .when(positive)
            .then(pl.col("percent_se") / (PER_CENT + pl.col("percent"))),
        )
    )
