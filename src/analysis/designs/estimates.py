"""Estimates of a design as the rows of a result, and the account of its sample."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np

from analysis.designs.arms import arms_of
from analysis.designs.joint import Joint
from analysis.designs.sample import Sample
from analysis.inference import clusters
from analysis.results import Account

Estimate = tuple[float, float, float, str]
"""Point, standard error, degrees of freedom, note."""
ERRORS: Final[Mapping[str, str]] = {
    "HC2": "robust to unequal variances (HC2), t with degrees from the design (Bell–McCaffrey)",
    "CV3": "jackknife over clusters (CV3), t with degrees from the design",
    "matching": "Abadie and Imbens (2006), normal quantiles",
    "influence": "squared influence of each unit, normal quantiles",
}
"""How standard errors and intervals are computed, as results print it."""
NO_VARIANCE: Final = "no interval: nothing varies within the arms"
NONE: Final = 1e-12
"""Share of the estimate under which an error is none: what rounding leaves."""


def row(
    term: str,
    outcome: str,
    point: float,
    std_error: float,
    degrees: float,
    *,
    unit: str,
    level: float = 0.95,
    note: str = "",
    **more: Any,
) -> dict[str, Any]:
    """Return one estimate as a row of a result's frame.

    Parameters
    ----------
    term, outcome : str
        Which estimate, of what.
    point, std_error, degrees : float
        NaN where there is no error; infinite degrees are normal quantiles.
    unit : str
        Of the point.
    level : float
        Probability of the interval.
    note : str
        Why there is no interval.
    **more
        Further columns.

    Examples
    --------
    >>> made = row("effect", "income", 2.0, 1.0, float("inf"), unit="yuan", n=8)
    >>> round(made["ci_low"], 2), round(made["p_value"], 3), made["n"]
    (0.04, 0.046, 8)
    >>> row("effect", "income", 2.0, 0.0, 5.0, unit="yuan")["note"]
    'no interval: nothing varies within the arms'
    """
    if math.isfinite(std_error) and std_error <= NONE * abs(point):
        std_error, note = math.nan, note or NO_VARIANCE
    error, df = np.array([std_error]), np.array([float(degrees)])
    half = clusters.half_width(error, df, level).item()
    known = math.isfinite(std_error) and math.isfinite(half)
    statistic = point / std_error if known else math.nan
    p = clusters.p_values(np.array([statistic]), df).item() if known else math.nan
    return {
        "term": term,
        "outcome": outcome,
        "estimate": float(point),
        "std_error": float(std_error),
        "statistic": statistic,
        "p_value": p,
        "ci_low": point - half if known else math.nan,
        "ci_high": point + half if known else math.nan,
        "df": float(degrees),
        "unit": unit,
        "note": note,
        **more,
    }


def of_sample(
    term: str, sample: Sample, entries: Estimate, level: float, *, unit: str = "", **more: Any
) -> dict[str, Any]:
    """Return the row of an estimate of a sample, with its counts.

    Parameters
    ----------
    term : str
        What the estimate is called.
    sample : Sample
        Its units.
    entries : tuple
        Point, standard error, degrees of freedom, note.
    level : float
        Probability of the interval.
    unit : str
        That of the outcome if left out.
    **more
        Further columns.
    """
    point, error, degrees, note = entries
    options: dict[str, Any] = {"unit": unit or sample.unit, "level": level, "note": note}
    return row(term, sample.outcome, point, error, degrees, **options, **counts(sample), **more)


def counts(sample: Sample) -> dict[str, Any]:
    """Return rows and clusters of a sample by arm, as columns of a result's frame."""
    treated, clustered = sample.treated, bool(sample.cluster)
    arms = [
        int(np.unique(sample.group[arm]).size) if clustered else None for arm in (treated, ~treated)
    ]
    return {
        "n": len(sample),
        "n_treated": int(treated.sum()),
        "n_control": int((~treated).sum()),
        "n_clusters_treated": arms[0],
        "n_clusters_control": arms[1],
    }


def account(samples: Sequence[Sample], units: str, *, group: Any = None) -> Account:
    """Return the account of the samples of one or several outcomes.

    Rows used are those that entered at least one estimate; where outcomes differ in what was left
    out, each reason names its outcome.
    """
    first = samples[0]
    same = all(dict(sample.left_out) == dict(first.left_out) for sample in samples)
    left_out = dict(first.left_out)
    if not same:
        left_out = {
            f"{why} (for {sample.outcome})": n
            for sample in samples
            for why, n in sample.left_out.items()
        }
    used = np.unique(np.concatenate([sample.index for sample in samples]))
    n = counts(first)
    n |= {"n_treated": _distinct(samples, 1), "n_control": _distinct(samples, 0)}
    clustered = bool(first.cluster)
    arms = arms_of(first, group)
    effective = arms.effective[:, 0]
    decisions = dict.fromkeys(line for sample in samples for line in sample.decisions)
    return Account(
        rows_in=first.rows_in,
        rows_used=int(used.size),
        left_out=left_out,
        decisions=tuple(decisions),
        units=units,
        n_treated=n["n_treated"],
        n_control=n["n_control"],
        clusters=f"clusters ({first.cluster})" if clustered else "",
        n_clusters_treated=n["n_clusters_treated"],
        n_clusters_control=n["n_clusters_control"],
        effective_clusters=(float(effective[0]), float(effective[1])) if clustered else None,
        leverage=float(arms.leverage[0]) if clustered else None,
    )


def _distinct(samples: Sequence[Sample], arm: int) -> int:
    return int(
        np.unique(np.concatenate([sample.index[sample.d == arm] for sample in samples])).size
    )


def value(joint: Joint, number: int) -> Estimate:
    """Return point, error, degrees and note of one coefficient."""
    return (
        float(joint.points[number]),
        float(joint.std_errors[number]),
        float(joint.degrees[number]),
        joint.notes[number],
    )
