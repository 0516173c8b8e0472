"""Numbers that teach how to read an interval and a band, from the model panel itself."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl
from scipy.stats import norm, t  # type: ignore[import-untyped]

from analysis.answers.design import TOTAL
from analysis.answers.estimates import Estimates

WINDOW = (-4, 5)
"""Years since the start that the figure shows; all years enter the band."""


@dataclass(frozen=True)
class Path:
    """One path of estimates with intervals for each year and a band for all.

    Attributes
    ----------
    rows : polars.DataFrame
        at (years since the start), estimate, ci_low, ci_high, band_low, band_high.
    n : int
        Years on the path, those outside the figure too.
    pointwise, joint : float
        Half the width of an interval, and of the band, in standard errors; median over years.
    rows_in, rows_used : int
        Household-years.
    """

    rows: pl.DataFrame
    n: int
    pointwise: float
    joint: float
    rows_in: int
    rows_used: int


def path(found: Estimates) -> Path:
    """Return the path of total income with intervals and its joint band.

    Parameters
    ----------
    found : Estimates
        Of one programme.
    """
    events = found.events().select(outcome=TOTAL)
    critical = events.band().critical
    rows = [
        {
            "at": effect.key.at,
            "estimate": effect.estimate,
            "ci_low": effect.ci_low,
            "ci_high": effect.ci_high,
            "band_low": effect.estimate - width * effect.std_error,
            "band_high": effect.estimate + width * effect.std_error,
            "half": (effect.ci_high - effect.estimate) / effect.std_error
            if effect.std_error
            else float("nan"),
        }
        for effect, width in zip(events.effects(), critical, strict=True)
    ]
    frame = pl.DataFrame(rows).sort("at")
    about = events.about
    return Path(
        frame.drop("half").filter(pl.col("at").is_between(*WINDOW)),
        frame.height,
        float(np.median(frame["half"].to_numpy())),
        float(np.median(critical)),
        about.rows_in,
        about.rows_used,
    )


def missed(n: int, level: float) -> float:
    """Return the probability that one or more of n independent intervals leave their truth out.

    Examples
    --------
    >>> round(missed(2, 0.9), 2), missed(1, 0.75)
    (0.19, 0.25)
    """
    return 1.0 - level**n


def wider(villages: int, level: float) -> float:
    """Return how many times wider an interval from few villages is than one from very many.

    For the same standard error: Student's quantile with one degree fewer than villages, over the
    normal one.

    Parameters
    ----------
    villages : int
        Of the side with fewer.
    level : float
        Of the interval.

    Examples
    --------
    Printed tables have 12.706 for one degree of freedom and 1.960 for very many:

    >>> round(wider(2, 0.95), 2)
    6.48
    """
    tail = (1.0 + level) / 2.0
    return float(t.ppf(tail, villages - 1) / norm.ppf(tail))
