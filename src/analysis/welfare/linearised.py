"""Measures of a population with their influence by cluster: errors, intervals, differences.

A measure θ of weighted rows has the linearised value w_i ∂θ/∂w_i of each row (Deville 1999; Demnati
& Rao 2004). Added up by cluster it is the influence ψ of the cluster, and the variance is that of a
total over clusters: Σ_h n_h/(n_h − 1) Σ_j (ψ_hj − ψ̄_h)², h the strata of the sampling design.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import polars as pl

from analysis.inference import clusters
from analysis.inference.arrays import Booleans, Floats, Integers

LEVEL = 0.95
NOTHING = 1e-12
"""Error under which no cluster varies, as a share of the measure or of one."""
Kind = Literal["share", "positive", "any"]
"""What a measure can be: between 0 and 1, above 0, anything."""


@dataclass(frozen=True, eq=False)
class SurveyDesign:
    """How the sample was drawn: c clusters in strata of the sampling design.

    Attributes
    ----------
    clusters : tuple of str
        Primary sampling units.
    stratum : array, shape (c,)
        Number of each cluster's design stratum; zeros without strata.
    """

    clusters: tuple[str, ...]
    stratum: Integers


@dataclass(frozen=True, eq=False)
class Measures:
    """k measures with their joint influence over c clusters.

    Attributes
    ----------
    labels : polars.DataFrame
        What each is of, k rows.
    points : array, shape (k,)
        Values.
    influence : array, shape (c, k)
        ψ by cluster; columns sum to zero up to rounding.
    used : array, shape (c, k)
        Clusters that have a row in the measure.
    n_rows : array, shape (k,)
        Household-years used.
    design : SurveyDesign
        Of the clusters.
    kinds : tuple of str
        What each measure can be, for its interval; anything if empty, as a difference.
    """

    labels: pl.DataFrame
    points: Floats
    influence: Floats
    used: Booleans
    n_rows: Integers
    design: SurveyDesign
    kinds: tuple[Kind, ...] = ()

    def __len__(self) -> int:
        return self.points.size

    @property
    def covariance(self) -> Floats:
        """Joint covariance by cluster within design strata, shape (k, k)."""
        if len(self.design.clusters) < clusters.LEAST_VILLAGES:
            return np.full((len(self), len(self)), np.nan)
        return clusters.stratified_covariance(self.influence, self.design.stratum)

    @property
    def std_errors(self) -> Floats:
        """Standard errors, shape (k,); NaN with fewer than three clusters in the measure."""
        few = self.used.sum(axis=0) < clusters.LEAST_VILLAGES
        return np.where(few, np.nan, np.sqrt(np.diag(self.covariance)))

    @property
    def degrees(self) -> Floats:
        """Degrees of freedom, shape (k,): clusters used less the strata they lie in."""
        strata = [np.unique(self.design.stratum[column]).size for column in self.used.T]
        return np.asarray(self.used.sum(axis=0) - np.array(strata, np.int64), np.float64)

    def at(self, index: Booleans | Integers | Sequence[int]) -> Measures:
        """Return some of the measures, by number or mask."""
        every = np.arange(len(self))
        chosen = every[np.asarray(index)] if len(index) else every[:0]
        return replace(
            self,
            labels=self.labels[chosen.tolist()],
            points=self.points[chosen],
            influence=self.influence[:, chosen],
            used=self.used[:, chosen],
            n_rows=self.n_rows[chosen],
            kinds=tuple(self.kinds[k] for k in chosen) if self.kinds else (),
        )


def less(after: Measures, before: Measures, labels: pl.DataFrame) -> Measures:
    """Return the difference of measures one by one; households seen twice count as one sample."""
    return Measures(
        labels,
        after.points - before.points,
        after.influence - before.influence,
        after.used | before.used,
        after.n_rows + before.n_rows,
        after.design,
    )


def of_rows(
    labels: pl.DataFrame,
    points: Sequence[float],
    linear: Sequence[Floats],
    rows: Sequence[Integers],
    design: SurveyDesign,
) -> Measures:
    """Return measures from the linearised values of rows.

    Parameters
    ----------
    labels : polars.DataFrame
        What each is of, k rows.
    points : sequence of float
        Values.
    linear : sequence of array, shape (r_k,)
        w ∂θ/∂w of each measure's rows.
    rows : sequence of array, shape (r_k,)
        Cluster number of those rows.
    design : SurveyDesign
        Of the clusters.
    """
    c = len(design.clusters)
    columns = [np.bincount(at, value, c) for at, value in zip(rows, linear, strict=True)]
    seen = [np.bincount(at, minlength=c) > 0 for at in rows]
    shape = (c, len(points))
    return Measures(
        labels,
        np.asarray(points, np.float64),
        np.stack(columns, axis=-1).astype(np.float64) if columns else np.zeros(shape),
        np.stack(seen, axis=-1) if seen else np.zeros(shape, bool),
        np.array([at.size for at in rows], np.int64),
        design,
    )


def interval(
    point: float, error: float, degrees: float, level: float, kind: Kind
) -> tuple[float, float]:
    """Return an interval inside what the measure can be.

    That of a share by logit, of what is only above zero (and of a share above one, where incomes
    are negative) by logarithm.

    Examples
    --------
    A share of one half with error 0.1: logit 0 ± 1.96·0.1/0.25.

    >>> [round(x, 3) for x in interval(0.5, 0.1, math.inf, 0.95, "share")]
    [0.313, 0.687]
    """
    if not math.isfinite(error):
        return math.nan, math.nan
    half = clusters.half_width(np.array([error]), np.array([degrees]), level).item()
    if kind == "any" or point <= 0:
        return point - half, point + half
    if kind == "positive" or point >= 1:
        return point * math.exp(-half / point), point * math.exp(half / point)
    middle, step = math.log(point / (1 - point)), half / (point * (1 - point))
    low, high = (1 / (1 + math.exp(-(middle + sign * step))) for sign in (-1, 1))
    return low, high
