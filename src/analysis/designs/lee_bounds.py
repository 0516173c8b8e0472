"""What people who leave the data may hide: bounds by trimming, and bounds by the worst case."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np
from scipy import special  # type: ignore[import-untyped]

from analysis.did.estimators.table import refuse
from analysis.inference.arrays import Booleans, Floats, Integers


@dataclass(frozen=True)
class Bounds:
    """The least and the most that an effect can be, given who is missing.

    Attributes
    ----------
    low, high : float
        Ends, in the unit of the outcome.
    estimate : float
        Difference of those seen, as if nobody were missing.
    seen_treated, seen_control : float
        Shares of each arm that are seen, by weight.
    trimmed : float
        Share of the seen of the better-seen arm that is taken away, mean over strata; 0 if bounds
        are not by trimming.
    rows_in, rows_used, rows_left_out : int
        Households at the base, those seen again, and those of strata that were left out; the others
        are not seen.
    strata, strata_left_out : int
        Strata used, and those in which an arm has nobody or nobody seen.
    """

    low: float
    high: float
    estimate: float
    seen_treated: float
    seen_control: float
    trimmed: float
    rows_in: int
    rows_used: int
    rows_left_out: int
    strata: int
    strata_left_out: int


@dataclass(frozen=True)
class _Stratum:
    """One stratum: low, high, difference of the seen, share trimmed, weight, rows used."""

    low: float
    high: float
    estimate: float
    trimmed: float
    weight: float
    rows: int


def lee(
    outcome: Floats,
    treated: Booleans,
    seen: Booleans,
    *,
    weight: Floats | None = None,
    stratum: Integers | None = None,
) -> Bounds:
    """Return bounds on the effect on those who would be seen in either arm (Lee 2009).

    Parameters
    ----------
    outcome : array, shape (n,)
        Of each household; whatever stands where it is not seen is not read.
    treated, seen : array, shape (n,)
        Arms, and who is seen.
    weight : array, shape (n,), optional
        Weights; 1 by default.
    stratum : array, shape (n,), optional
        Numbers of strata known at the base. Bounds inside strata are tighter, and the arm that is
        seen less may differ between them.

    Returns
    -------
    Bounds
        Mean over strata by the weight of the treated who would be seen in either arm.

    Raises
    ------
    FaultsError
        If no stratum has both arms seen.

    Notes
    -----
    Lee (2009, Review of Economic Studies 76, section 3). Treatment must move who is seen one way
    only, and arms must be comparable: by chance, or, for changes, by parallel trends of all
    quantiles. From the arm seen more, the share that exceeds the other is cut off at the top or at
    the bottom; the household on the edge counts in part.

    Examples
    --------
    By hand: a quarter of the controls is not seen, so one of four treated is cut off.

    >>> y = np.array([1.0, 2, 3, 10, 0, 1, 2, np.nan])
    >>> arm, there = np.repeat([True, False], 4), ~np.isnan(y)
    >>> found = lee(y, arm, there)
    >>> found.low, found.high, found.estimate, found.trimmed
    (1.0, 4.0, 3.0, 0.25)
    """
    weight = np.ones(outcome.size) if weight is None else weight
    stratum = np.zeros(outcome.size, np.int64) if stratum is None else stratum

    def of_stratum(rows: Integers) -> _Stratum | None:
        arms = [rows[treated[rows]], rows[~treated[rows]]]
        inside = [arm[seen[arm]] for arm in arms]
        if not all(part.size and weight[part].sum() > 0 for part in inside):
            return None
        rate = [
            weight[some].sum() / weight[arm].sum() for some, arm in zip(inside, arms, strict=True)
        ]
        keep = [min(rate) / r for r in rate]
        ends = [
            (
                trimmed_mean(outcome[part], weight[part], share, top=True),
                trimmed_mean(outcome[part], weight[part], share, top=False),
            )
            for part, share in zip(inside, keep, strict=True)
        ]
        means = [np.average(outcome[part], weights=weight[part]) for part in inside]
        return _Stratum(
            ends[0][0] - ends[1][1],
            ends[0][1] - ends[1][0],
            float(means[0] - means[1]),
            1 - min(keep),
            float(weight[arms[0]].sum() * min(rate)),
            sum(p.size for p in inside),
        )

    return _over_strata(treated, seen, weight, stratum, of_stratum)


def _over_strata(
    treated: Booleans,
    seen: Booleans,
    weight: Floats,
    stratum: Integers,
    entry: Callable[[Integers], _Stratum | None],
) -> Bounds:
    order = np.argsort(stratum, kind="stable")
    parts = np.split(order, np.flatnonzero(np.diff(stratum[order])) + 1)
    strata = [entry(rows) for rows in parts]
    used = [each for each in strata if each is not None]
    if not used:
        refuse(
            "no stratum has households of both arms that are seen",
            "join strata, or look at another period",
            column="seen",
        )
    share = np.array([each.weight for each in used])

    def mean(name: str) -> float:
        return float(np.average([getattr(each, name) for each in used], weights=share))

    def rate(arm: Booleans) -> float:
        return float(np.average(seen[arm], weights=weight[arm]))

    return Bounds(
        mean("low"),
        mean("high"),
        mean("estimate"),
        rate(treated),
        rate(~treated),
        mean("trimmed"),
        int(seen.size),
        sum(each.rows for each in used),
        sum(rows.size for rows, each in zip(parts, strata, strict=True) if each is None),
        len(used),
        len(strata) - len(used),
    )


def trimmed_mean(values: Floats, weight: Floats, keep: float, *, top: bool) -> float:
    """Return the mean without the top (or bottom) share; the value on the edge counts in part.

    Examples
    --------
    >>> y, w = np.array([1.0, 2.0, 3.0]), np.ones(3)
    >>> trimmed_mean(y, w, 0.5, top=True), trimmed_mean(y, w, 0.5, top=False)
    (1.3333333333333333, 2.6666666666666665)
    """
    order = np.argsort(values if top else -values)
    cumulated = np.cumsum(weight[order])
    limit = keep * cumulated[-1]
    kept = np.clip(limit - (cumulated - weight[order]), 0, weight[order])
    return float(values[order] @ kept / limit)


def interval(
    bounds: Bounds,
    error_low: float,
    error_high: float,
    *,
    level: float = 0.95,
    degrees: float = np.inf,
) -> tuple[float, float]:
    """Return an interval that holds the effect, not the whole set, with a probability.

    Parameters
    ----------
    bounds : Bounds
        The bounds.
    error_low, error_high : float
        Their standard errors.
    level : float
        Probability.
    degrees : float
        Degrees of freedom, with few clusters; infinite for normal quantiles.

    Notes
    -----
    Imbens & Manski (2004, Econometrica 72, equation 6): with bounds far apart the effect can be
    near one end only, so a one-sided quantile is enough; with equal bounds it is two-sided.

    Examples
    --------
    >>> same = Bounds(1.0, 1.0, 1.0, 1.0, 1.0, 0.0, 2, 2, 0, 1, 0)
    >>> tuple(round(end, 3) for end in interval(same, 1.0, 1.0))
    (-0.96, 2.96)
    """
    gap = (bounds.high - bounds.low) / max(error_low, error_high)
    few = np.isfinite(degrees)
    cdf = partial(special.stdtr, degrees) if few else special.ndtr
    two_sided = (1 + level) / 2
    most = special.stdtrit(degrees, two_sided) if few else special.ndtri(two_sided)
    from scipy.optimize import brentq  # type: ignore[import-untyped]  # slow to import

    critical = brentq(lambda c: cdf(c + gap) - cdf(-c) - level, 0, most + 1e-9)
    return bounds.low - critical * error_low, bounds.high + critical * error_high
