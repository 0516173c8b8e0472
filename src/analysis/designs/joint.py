"""Several coefficients, each of a regression of its own, with their joint covariance.

An effect, the mean of the controls and the effect on taking part come from three regressions on the
same units; ratios of them need their covariance. Without clusters it is HC2 (MacKinnon & White
1985), with clusters the jackknife (CV3; MacKinnon, Nielsen & Webb 2023, equation 16). Degrees of
freedom come from the design, not from the estimated variance (Bell & McCaffrey 2002; Imbens &
Kolesár 2016). Shapes: n rows, k coefficients, p columns of a regression, G clusters.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from analysis.designs import least_squares as ls
from analysis.designs.arms import too_few
from analysis.designs.sample import Sample
from analysis.inference import clusters
from analysis.inference.arrays import Floats, Integers

WHOLE = 1e-9
"""A row whose leverage is nearer than this to 1 has no residual: its variance cannot be told."""
LONE = "no interval: a unit alone decides the estimate"


@dataclass(frozen=True)
class Target:
    """One coefficient.

    Attributes
    ----------
    y : array, shape (n,)
        Outcome.
    x : array, shape (n, p)
        Columns of the regression, of full rank.
    w : array, shape (n,)
        Weights; zero for rows that do not enter.
    column : int
        Which coefficient.
    """

    y: Floats
    x: Floats
    w: Floats
    column: int = 0


@dataclass(frozen=True)
class Joint:
    """Coefficients with their joint covariance.

    Attributes
    ----------
    points : array, shape (k,)
    covariance : array, shape (k, k)
    degrees : array, shape (k,)
        Degrees of freedom of each.
    notes : tuple of str
        Why a coefficient has no error; empty where it has one.
    errors : str
        ``HC2`` or ``CV3``.
    """

    points: Floats
    covariance: Floats
    degrees: Floats
    notes: tuple[str, ...]
    errors: str

    @property
    def std_errors(self) -> Floats:
        """Standard errors, shape (k,)."""
        values: Floats = np.sqrt(np.diag(self.covariance))
        return values

    def ratio(self, top: int, bottom: int) -> tuple[float, float]:
        """Return the ratio of two coefficients and its standard error, by the delta method."""
        ratio = self.points[top] / self.points[bottom]
        slope = np.zeros(self.points.size)
        slope[top] += 1 / self.points[bottom]
        slope[bottom] -= ratio / self.points[bottom]
        return float(ratio), float(np.sqrt(slope @ self.covariance @ slope))


def mean(y: Floats, w: Floats) -> Target:
    """Return the weighted mean of some rows as a target."""
    return Target(y, np.ones((y.size, 1)), w)


def estimate(targets: Sequence[Target], group: Integers | None = None) -> Joint:
    """Estimate coefficients with their joint covariance.

    Parameters
    ----------
    targets : sequence of Target
        On the same n rows.
    group : array, shape (n,), optional
        Number of each row's cluster, 0 to G − 1; HC2 without.

    Returns
    -------
    Joint

    Examples
    --------
    Two arms, means 5 and 3, variances 4 and 7 over three units each: error √(11/3).

    >>> y, d = np.array([3.0, 5, 7, 1, 2, 6]), np.array([1.0, 1, 1, 0, 0, 0])
    >>> x = np.column_stack([np.ones(6), d])
    >>> found = estimate([Target(y, x, np.ones(6), 1), mean(y, 1 - d)])
    >>> [a.round(6).tolist() for a in (found.points, found.std_errors**2, found.degrees)]
    [[2.0, 3.0], [3.666667, 2.333333], [4.0, 2.0]]
    """
    return _robust(targets) if group is None else _jackknife(targets, group)


def _robust(targets: Sequence[Target]) -> Joint:
    """Estimate with HC2 and Bell and McCaffrey's degrees of freedom."""
    points, influences, degrees = [], [], []
    for target in targets:
        root = np.sqrt(target.w)
        q, r = np.linalg.qr(target.x * root[:, None])
        beta = np.linalg.solve(r, q.T @ (target.y * root))
        pull = q @ np.linalg.solve(r.T, np.eye(r.shape[0])[target.column])
        rest = (target.y - target.x @ beta) * root
        free = 1 - (q**2).sum(axis=1)
        lone = (free < WHOLE) & (np.abs(pull) > WHOLE * np.abs(pull).max())
        free = np.where(free < WHOLE, 1.0, free)
        influence = pull * rest / np.sqrt(free)
        influences.append(np.full_like(influence, np.nan) if lone.any() else influence)
        # C = A(I − H)A with A = diag(a), a = pull/√(1 − h): degrees tr(C)²/tr(C²).
        square = pull**2 / free
        inside = q.T @ (square[:, None] * q)
        trace = (square * free).sum()
        squares = (square**2 * (2 * free - 1)).sum() + (inside**2).sum()
        degrees.append(trace**2 / squares if squares > 0 else np.nan)
        points.append(beta[target.column])
    stacked = np.stack(influences)
    covariance = stacked @ stacked.T
    notes = tuple(LONE if np.isnan(v) else "" for v in np.diag(covariance))
    return Joint(np.array(points), covariance, np.array(degrees), notes, "HC2")


def _jackknife(targets: Sequence[Target], group: Integers) -> Joint:
    """Estimate leaving out one cluster at a time."""
    size = int(group.max()) + 1
    points, without, used = [], [], []
    for target in targets:
        root = np.sqrt(target.w)
        beta = np.linalg.lstsq(target.x * root[:, None], target.y * root, rcond=None)[0]
        points.append(beta[target.column])
        each = ls.without_each(target.y, target.x, target.x, target.w, group)
        without.append(each[:, target.column])
        used.append(np.bincount(group, target.w, size) > 0)
    inside = np.stack(used, axis=1)
    covariance = clusters.jackknife_covariance(np.array(points), np.stack(without, axis=1), inside)
    notes = tuple(ls.ALONE if np.isnan(v) else "" for v in np.diag(covariance))
    degrees = [_degrees(target, group) for target in targets]
    return Joint(np.array(points), covariance, np.array(degrees), notes, "CV3")


def _degrees(target: Target, group: Integers) -> float:
    """Return the degrees of one coefficient; rows and clusters without weight do not count."""
    rows = target.w > 0
    number = np.unique(group[rows], return_inverse=True)[1]
    return ls.jackknife_degrees(target.x[rows], target.w[rows], number, target.column)


def few(joint: Joint, sample: Sample, group: Integers | None) -> Joint:
    """Return coefficients without errors where an arm has too few clusters.

    Nothing changes without clusters.
    """
    if group is None:
        return joint
    note = too_few(sample, group, linear=True)
    if not note:
        return joint
    nothing = np.full_like(joint.covariance, np.nan)
    return replace(joint, covariance=nothing, notes=(note,) * joint.points.size)


def anderson_rubin(
    joint: Joint, top: int, bottom: int, critical: float
) -> list[tuple[float, float]]:
    """Return the ratios β that t² ≤ c² of (top − β bottom) does not reject (Anderson & Rubin 1949).

    Valid however weak the instrument. The set is one interval, two rays, the whole line, or empty;
    with one instrument it is never empty.

    Parameters
    ----------
    joint : Joint
        Effects of the offer on the outcome and on taking part.
    top, bottom : int
        Their numbers.
    critical : float
        Quantile c.

    Returns
    -------
    list of (float, float)
        Pieces, ascending.

    Examples
    --------
    Effects 2 and 1 with variances 1 and 0.01, no covariance, c = 2: (2 − β)² ≤ 4(1 + 0.01 β²).

    >>> found = Joint(np.array([2.0, 1.0]), np.diag([1.0, 0.01]), np.ones(2), ("", ""), "HC2")
    >>> np.round(anderson_rubin(found, 0, 1, 2.0), 6).tolist()
    [[0.0, 4.166667]]
    """
    y, p = joint.points[top], joint.points[bottom]
    v, c2 = joint.covariance, critical**2
    a = p**2 - c2 * v[bottom, bottom]
    b = -2 * (y * p - c2 * v[top, bottom])
    c = y**2 - c2 * v[top, top]
    if not np.isfinite([a, b, c]).all():
        return []
    root = b**2 - 4 * a * c
    if root < 0:
        return [(-np.inf, np.inf)]
    low, high = sorted(((-b - np.sqrt(root)) / (2 * a), (-b + np.sqrt(root)) / (2 * a)))
    return [(low, high)] if a > 0 else [(-np.inf, low), (high, np.inf)]
