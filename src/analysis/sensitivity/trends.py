"""How far trends may differ before an event study changes its sign (Rambachan & Roth 2023).

Relative magnitudes: after treatment the two arms drift apart from one period to the next by at most
``bound`` times their largest such drift before it. Smoothness: the slope of their difference
changes by at most ``bound`` per period. Both need points and their covariance only, so they also
work from a published pack.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import polars as pl
from scipy import special  # type: ignore[import-untyped]

from analysis.did.estimators.table import refuse
from analysis.inference.arrays import Floats
from analysis.sensitivity import moments
from analysis.sensitivity.event_study import EventStudy

BOUNDS = (0.0, 0.5, 1.0, 1.5, 2.0)
"""Multiples of the largest drift before treatment, as in the authors' own examples."""
STEPS = 12
"""Halvings of the search for a breakdown value."""


def relative_magnitudes(
    study: EventStudy,
    weights: Floats,
    bounds: tuple[float, ...] = BOUNDS,
    *,
    level: float = 0.95,
) -> pl.DataFrame:
    """Return intervals if trends drift at most `bound` times as far as before treatment.

    Parameters
    ----------
    study : EventStudy
        n event times; drifts are per period, so that gaps between event times are allowed for.
    weights : array, shape (after,)
        Not negative: the effect is this combination of those after treatment.
    bounds : tuple of float
        M̄, times the largest drift before treatment.
    level : float
        Probability of the intervals.

    Returns
    -------
    DataFrame
        One row per bound: `bound`, `set_low` and `set_high` (what the points allow, without
        sampling error), `ci_low`, `ci_high`, in the unit of the outcome.

    Notes
    -----
    Rambachan & Roth (2023, Review of Economic Studies 90, section 3): the conditional test with a
    least favourable first stage, inverted; the sets are unions over the drift that is largest. With
    few villages the covariance is scaled by (t/z)², so that a bound of zero gives back the t
    interval up to the two-stage form of the test.
    """
    weights = _weights(study, weights)
    scaled = _scaled(study, level)
    rows = []
    for bound in bounds:
        low, high = _interval(scaled, weights, bound, level)
        middle, reach = _allowed(study, weights, bound)
        rows.append(
            {
                "bound": float(bound),
                "set_low": middle - reach,
                "set_high": middle + reach,
                "ci_low": low,
                "ci_high": high,
            }
        )
    return pl.DataFrame(rows)


def smoothness(
    study: EventStudy,
    weights: Floats,
    bounds: tuple[float, ...],
    *,
    level: float = 0.95,
) -> pl.DataFrame:
    """Return intervals if the slope of the difference in trends changes by at most `bound`.

    Parameters
    ----------
    study : EventStudy
        Its event times must follow each other without a gap.
    weights : array, shape (after,)
        Not negative.
    bounds : tuple of float
        M, in the unit of the outcome per period; 0 is a straight line.
    level : float
        Probability of the intervals.

    Returns
    -------
    DataFrame
        One row per bound: `bound`, `estimate` (a weighted sum of all points), `ci_low`, `ci_high`.

    Raises
    ------
    FaultsError
        If event times have a gap, as with anticipation.

    Notes
    -----
    The shortest interval of fixed length around an affine estimator (Rambachan & Roth 2023,
    section 4.1; Armstrong & Kolesár 2018).
    """
    weights = _weights(study, weights)
    whole = np.arange(study.times[0], study.times[-1] + 1)
    if study.times.size != whole.size - 1:
        refuse(
            "smoothness needs event times that follow each other",
            "use relative magnitudes, or leave out the earliest event times",
            column="event time",
            value=study.times.tolist(),
        )
    scaled = _scaled(study, level)
    rows = []
    for bound in bounds:
        middle, half = moments.fixed_length(
            scaled.points, scaled.covariance, scaled.before, weights, bound, level
        )
        rows.append(
            {
                "bound": float(bound),
                "estimate": middle,
                "ci_low": middle - half,
                "ci_high": middle + half,
            }
        )
    return pl.DataFrame(rows)


@dataclass(frozen=True)
class Breakdown:
    """The largest bound at which an interval lies on one side of zero.

    Attributes
    ----------
    bound : float
        0 if the interval holds zero even at a bound of zero; `most` if it never does.
    sign : int
        1 or -1 on which side the interval lies at the bound; 0 if it holds zero from the start.
    most : float
        Where the search ended.
    """

    bound: float
    sign: int
    most: float


def breakdown(
    intervals: Callable[[tuple[float, ...]], pl.DataFrame], most: float, steps: int = STEPS
) -> Breakdown:
    """Search the largest bound at which the sign holds.

    Parameters
    ----------
    intervals : callable
        From bounds to a frame with `ci_low` and `ci_high`, such as a partial `smoothness`.
    most : float
        The largest bound to look at.
    steps : int
        Halvings of the search; the error is ``most / 2**steps``.

    Examples
    --------
    >>> grow = lambda bounds: pl.DataFrame({"ci_low": [1 - b for b in bounds],
    ...                                     "ci_high": [3 + b for b in bounds]})
    >>> round(breakdown(grow, 4.0).bound, 2)
    1.0
    """

    def sign(bound: float) -> int:
        low, high = intervals((bound,)).select("ci_low", "ci_high").row(0)
        return int(low > 0) - int(high < 0)

    start = sign(0.0)
    if start == 0:
        return Breakdown(0.0, 0, most)
    if sign(most) == start:
        return Breakdown(most, start, most)
    inside, outside = 0.0, most
    for _ in range(steps):
        middle = (inside + outside) / 2
        if sign(middle) == start:
            inside = middle
        else:
            outside = middle
    return Breakdown(float(f"{inside:.6g}"), start, most)


def needed_drift(study: EventStudy, weights: Floats) -> float:
    """Return how far trends must drift per period, always one way, to make the effect zero.

    Parameters
    ----------
    study : EventStudy
        The event study.
    weights : array, shape (after,)
        As in `relative_magnitudes`.

    Returns
    -------
    float
        In the unit of the outcome per period; no sampling error in it.
    """
    middle, _ = _allowed(study, weights, 0.0)
    return abs(middle) / float(weights @ (study.times[study.before :] - study.reference))


def _weights(study: EventStudy, weights: Floats) -> Floats:
    if weights.shape != (study.after,) or (weights < 0).any() or not weights.any():
        refuse(
            "weights do not fit the effects after treatment",
            "give one weight, not negative, per event time from treatment on",
            column="weights",
            value=weights.tolist(),
        )
    return weights


def _scaled(study: EventStudy, level: float) -> EventStudy:
    """Return the study with its covariance scaled so that z quantiles of it are t quantiles."""
    probability = (1 + level) / 2
    z = special.ndtri(probability)
    t = special.stdtrit(study.degrees, probability) if np.isfinite(study.degrees) else z
    return replace(study, covariance=study.covariance * (t / z) ** 2)


def _drifts(study: EventStudy) -> Floats:
    """Return the matrix that makes drifts per period of points, shape (n, n).

    Row by row in the order of time; the reference is a point of zero.
    """
    times = np.insert(study.times, study.before, study.reference)
    change = np.diff(np.eye(times.size), axis=0) / np.diff(times)[:, None]
    return np.asarray(np.delete(change, study.before, axis=1))


def _allowed(study: EventStudy, weights: Floats, bound: float) -> tuple[float, float]:
    """Return the effect by the points, and how far a bound lets it be from the truth."""
    largest = np.abs(_drifts(study)[: study.before] @ study.points).max()
    periods = study.times[study.before :] - study.reference
    return float(weights @ study.points[study.before :]), float(bound * largest * weights @ periods)


def _interval(
    study: EventStudy, weights: Floats, bound: float, level: float
) -> tuple[float, float]:
    """Return the union of the confidence sets over which drift is the largest, and its sign."""
    drift = _drifts(study)
    middle, reach = _allowed(study, weights, bound)
    error = float(np.sqrt(weights @ study.covariance[study.before :, study.before :] @ weights))
    low, high = np.inf, -np.inf
    for s in range(study.before):
        for sign in (1.0, -1.0):
            most = np.repeat([[1.0], [bound]], (study.before, study.after), axis=0) * (
                sign * drift[s]
            )
            rows = np.concatenate([drift - most, -drift - most])
            # Rows of periods before treatment only are dropped: a larger set, so still valid, and
            # what the authors' package does when there are two effects after treatment or more.
            rows = rows[(np.abs(rows[:, study.before :]) > moments.TINY).any(axis=1)]
            entries = moments.accepted(
                study.points,
                study.covariance,
                rows,
                study.before,
                weights,
                level,
                (middle, error, reach),
            )
            low, high = min(low, entries[0]), max(high, entries[1])
    return low, high
