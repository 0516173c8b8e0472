"""Random-effects pooling with few studies: Paule and Mandel, Hartung and Knapp, prediction.

The heterogeneity comes from statsmodels; the interval for the mean and the prediction interval are
a few lines on top, each with its equation.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy import stats  # type: ignore[import-untyped]
from statsmodels.stats.meta_analysis import combine_effects

from analysis.studies import rule
from analysis.studies.library import Library

LEVEL = 0.95
FEWEST_FOR_PREDICTION = 3
"""The prediction interval has k - 2 degrees of freedom."""
HETEROGENEITY = {"pm": "Paule and Mandel", "dl": "DerSimonian and Laird"}
Array = NDArray[np.float64]


@dataclass(frozen=True)
class Pooled:
    """The mean effect over studies, and what another study may find.

    Attributes
    ----------
    k : int
        Studies.
    mean, std_error : float
        Random-effects mean and its standard error.
    ci_low, ci_high : float
        Hartung-Knapp interval with k - 1 degrees of freedom.
    tau : float
        Standard deviation of the effects between studies.
    q, i_squared : float
        Cochran's statistic, and the share (0 to 1) of variation beyond sampling error.
    factor : float
        Hartung and Knapp's factor before it is raised to one.
    prediction_low, prediction_high : float or None
        Interval for the effect in a further study; None with fewer than three.
    members : tuple of str
        Names of what was pooled.
    """

    k: int
    mean: float
    std_error: float
    ci_low: float
    ci_high: float
    tau: float
    q: float
    i_squared: float
    factor: float
    prediction_low: float | None
    prediction_high: float | None
    members: tuple[str, ...]


def heterogeneity(effects: Array, variances: Array, method: str = "pm") -> float:
    r"""Return the variance of effects between studies, by statsmodels.

    Parameters
    ----------
    effects, variances : array
        Estimates and their squared standard errors.
    method : {"pm", "dl"}
        Paule and Mandel, who solve :math:`Q(\tau^2) = k - 1`, or DerSimonian and Laird.

    Raises
    ------
    ValueError
        If the iteration has not solved its equation.
    """
    with np.errstate(divide="ignore"):  # its H2 is zero where all effects are equal
        tau2 = max(0.0, float(combine_effects(effects, variances, method_re=method).tau2))
    if method == "pm" and tau2 > 0:
        _, _, factor = weighted(effects, variances, tau2)
        if not math.isclose(factor, 1, abs_tol=1e-4):
            raise ValueError(f"Paule and Mandel's equation is not solved: factor {factor}")
    return tau2


def weighted(effects: Array, variances: Array, tau2: float) -> tuple[float, float, float]:
    r"""Return mean, standard error and Hartung and Knapp's factor for a given heterogeneity.

    Notes
    -----
    With :math:`w_i = 1/(s_i^2 + \tau^2)`, the mean is
    :math:`\hat\mu = \sum w_i y_i / \sum w_i`, its standard error :math:`1/\sqrt{\sum w_i}`,
    and the factor :math:`q = \sum w_i (y_i - \hat\mu)^2 / (k - 1)` (Hartung and Knapp 2001).

    Examples
    --------
    >>> weighted(np.array([1.0, 3.0]), np.array([1.0, 1.0]), 0.0)
    (2.0, 0.7071067811865475, 2.0)
    """
    weights = 1 / (variances + tau2)
    mean = float(weights @ effects / weights.sum())
    factor = float(weights @ (effects - mean) ** 2 / (len(effects) - 1))
    return mean, 1 / math.sqrt(float(weights.sum())), factor


def pooled(
    effects: Sequence[float],
    std_errors: Sequence[float],
    members: Sequence[str] = (),
    *,
    method: str = "pm",
    raise_factor: bool = True,
) -> Pooled:
    r"""Pool estimates by random effects.

    Parameters
    ----------
    effects, std_errors : sequence of float
        Two or more.
    members : sequence of str
        Their names.
    method : {"pm", "dl"}
        Estimator of the heterogeneity.
    raise_factor : bool
        Raise Hartung and Knapp's factor to one where it is less, so that few studies that agree by
        chance do not give a narrow interval (Röver, Knapp and Friede 2015).

    Raises
    ------
    ValueError
        With fewer than two estimates, or a standard error that is not positive.

    Notes
    -----
    The interval of the mean is :math:`\hat\mu \pm t_{k-1} \sqrt{q / \sum w_i}`; that of a
    further study :math:`\hat\mu \pm t_{k-2} \sqrt{\tau^2 + 1/\sum w_i}` (Higgins, Thompson and
    Spiegelhalter 2009). Where Paule and Mandel's variance is positive, :math:`q = 1`.
    """
    y, v = np.asarray(effects, dtype=float), np.asarray(std_errors, dtype=float) ** 2
    k = len(y)
    if k < rule.FEWEST or not (v > 0).all():
        raise ValueError("pooling needs two or more estimates with positive standard errors")
    tau2 = heterogeneity(y, v, method)
    mean, plain, factor = weighted(y, v, tau2)
    error = plain * math.sqrt(max(1.0, factor) if raise_factor else factor)
    reach = error * stats.t.ppf((1 + LEVEL) / 2, k - 1)
    q = weighted(y, v, 0.0)[2] * (k - 1)
    ahead = None
    if k >= FEWEST_FOR_PREDICTION:
        ahead = float(stats.t.ppf((1 + LEVEL) / 2, k - 2)) * math.sqrt(tau2 + plain**2)
    return Pooled(
        k=k,
        mean=mean,
        std_error=error,
        ci_low=float(mean - reach),
        ci_high=float(mean + reach),
        tau=math.sqrt(tau2),
        q=q,
        i_squared=max(0.0, 1 - (k - 1) / q) if q > 0 else 0.0,
        factor=factor,
        prediction_low=None if ahead is None else mean - ahead,
        prediction_high=None if ahead is None else mean + ahead,
        members=tuple(members),
    )


def pool(library: Library, name: str) -> Pooled | None:
    """Pool what the rule lets into a pool; None if that is fewer than two studies."""
    return _of(rule.members(library, name))


def _of(rows: pl.DataFrame, **how: bool | str) -> Pooled | None:
    if rows.height < rule.FEWEST:
        return None
    columns = (rows[name].to_list() for name in ("percent", "percent_se", "id"))
    return pooled(*columns, **how)  # type: ignore[arg-type]


def all_pools(library: Library) -> dict[str, Pooled]:
    """Return every pool that has two studies or more, by its name."""
    found = {name: pool(library, name) for name in library.pools["id"]}
    return {name: result for name, result in found.items() if result is not None}


def sensitivity(library: Library, name: str) -> pl.DataFrame:
    """Pool again in other defensible ways.

    Parameters
    ----------
    library : Library
        The studies.
    name : str
        A pool with two studies or more.

    Returns
    -------
    polars.DataFrame
        One row per way: way, k, mean, ci_low, ci_high, tau. The first row is the way of the page.
    """
    rows = rule.members(library, name)
    plain = rows.with_columns(percent_se=pl.col("percent_se") / pl.col("se_multiplier"))
    ways: list[tuple[str, Pooled | None]] = [
        ("as on this page", _of(rows)),
        ("standard errors without multiplier", _of(plain)),
        ("heterogeneity of DerSimonian and Laird", _of(rows, method="dl")),
        ("Hartung and Knapp's factor not raised", _of(rows, raise_factor=False)),
    ]
    if rows.height > rule.FEWEST:
        ways += [
            (f"without {short}, {country}", _of(rows.filter(pl.col("id") != one)))
            for one, short, country in rows.select("id", "short", "country").iter_rows()
        ]
    return pl.DataFrame(
        {
            "way": way,
            "k": p.k,
            "mean": p.mean,
            "ci_low": p.ci_low,
            "ci_high": p.ci_high,
            "tau": p.tau,
        }
        for way, p in ways
        if p is not None
    )
