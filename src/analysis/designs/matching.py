"""Nearest-neighbour matching on covariates, for the treated (Abadie & Imbens 2006, 2011)."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

import numpy as np
from scipy.spatial import cKDTree  # type: ignore[import-untyped]

from analysis.designs.sample import Sample, check_columns
from analysis.faults import refuse
from analysis.inference.arrays import Floats, Integers

TIE: Final = 1e-9
"""Relative difference up to which two distances are the same: all that tie are matches."""


@dataclass(frozen=True)
class Match:
    """An effect on the treated by matching.

    Attributes
    ----------
    point, std_error : float
        In the unit of the outcome.
    controls : array, shape (n,)
        Weight that each control was given, adding up to 1; zero for the treated.
    note : str
        Why there is no error.
    """

    point: float
    std_error: float
    controls: Floats
    note: str = ""


def matched(sample: Sample, matches: int = 1) -> Match:
    """Match each treated unit with its nearest controls, with replacement.

    Parameters
    ----------
    sample : Sample
        With covariates, without weights and clusters.
    matches : int
        Controls per treated unit; those at the same distance all count.

    Returns
    -------
    Match

    Raises
    ------
    FaultsError
        If the sample has weights or clusters, for which errors of matching are not known, or there
        are fewer controls than matches.

    Notes
    -----
    Mahalanobis distance. The imputed outcome is moved by a regression among the controls that are
    used, weighted by how often (Abadie & Imbens 2011, equation 3). Variance by Abadie & Imbens
    (2006, theorem 7), with the conditional variance from the nearest unit of the same arm.

    Examples
    --------
    By hand: treated at 1 and 2 meet controls at 1 and 2; differences 3 and 1. The regression among
    the two controls moves nothing, as matches are exact.

    >>> import polars as pl
    >>> from analysis.designs.sample import prepare
    >>> frame = pl.DataFrame({"y": [5.0, 4, 2, 3, 9], "d": [1, 1, 0, 0, 0], "x": [1.0, 2, 1, 2, 9]})
    >>> found = matched(prepare(frame, "y", "d", ["x"]))
    >>> round(found.point, 9), found.controls.tolist()
    (2.0, [0.0, 0.0, 0.5, 0.5, 0.0])
    """
    for name, what in ((sample.weight, "weights"), (sample.cluster, "clusters")):
        if name:
            refuse(
                f"errors of matching are not known with {what}",
                'use method="doubly_robust"',
                column=name,
            )
    check_columns(sample.x, sample.covariates)
    treated, control = np.flatnonzero(sample.treated), np.flatnonzero(~sample.treated)
    if control.size < matches + 1:
        refuse("there are no more controls than matches", "match with fewer", column="matches")
    whitened = sample.x @ np.linalg.cholesky(np.linalg.inv(np.atleast_2d(np.cov(sample.x.T))))
    near = _nearest(whitened[control], whitened[treated], matches)
    used, squares = np.zeros(len(sample)), np.zeros(len(sample))
    for some in near:
        used[control[some]] += 1 / some.size
        squares[control[some]] += 1 / some.size**2
    slope = _slope(sample, used)
    imputed = np.array(
        [
            (sample.y[control[some]] + (sample.x[i] - sample.x[control[some]]) @ slope).mean()
            for i, some in zip(treated, near, strict=True)
        ]
    )
    differences = sample.y[treated] - imputed
    point = float(differences.mean())
    spread = _conditional_variance(sample, whitened, control)
    variance = ((differences - point) ** 2).sum() + (
        (used[control] ** 2 - squares[control]) * spread
    ).sum()
    error = math.sqrt(max(variance, 0.0)) / treated.size
    return Match(point, error, used / treated.size)


def _nearest(pool: Floats, wanted: Floats, matches: int) -> list[Integers]:
    """Return for each wanted row the numbers of its nearest rows of the pool, ties included."""
    tree = cKDTree(pool)
    distance, _ = tree.query(wanted, k=matches)
    reach = np.asarray(distance).reshape(wanted.shape[0], -1)[:, -1]
    floor = TIE * max(float(np.abs(pool).max()), 1.0)
    result = tree.query_ball_point(wanted, reach * (1 + TIE) + floor)
    return [np.array(sorted(some), np.int64) for some in result]


def _slope(sample: Sample, used: Floats) -> Floats:
    """Return the coefficients of the covariates among controls, weighted by their use."""
    root = np.sqrt(used)
    columns = np.column_stack([np.ones(len(sample)), sample.x]) * root[:, None]
    values: Floats = np.linalg.lstsq(columns, sample.y * root, rcond=None)[0][1:]
    return values


def _conditional_variance(sample: Sample, whitened: Floats, control: Integers) -> Floats:
    """Return the variance of controls' outcomes given covariates, from the nearest control."""
    tree = cKDTree(whitened[control])
    _, near = tree.query(whitened[control], k=2)
    own = np.arange(control.size)
    other = np.where(near[:, 0] == own, near[:, 1], near[:, 0])
    y = sample.y[control]
    values: Floats = (y - y[other]) ** 2 / 2
    return values
