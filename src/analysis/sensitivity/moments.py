"""Intervals under bounds on trends: conditional tests of moment inequalities, and fixed lengths.

The numbers behind `trends`, for any restriction A δ ≤ 0 on differences in trends.
"""

from __future__ import annotations

from functools import cache
from itertools import combinations

import numpy as np
from scipy import special  # type: ignore[import-untyped]

from analysis.inference.arrays import Booleans, Floats

FIRST_STAGE = 0.1
"""Part of the error that the first stage may spend: κ = α/10 (Rambachan & Roth 2023, 3.2.2)."""
DRAWS = 10_000
SEED = 1
GRID = 401
"""Values of the effect tried at first; the ends of the accepted ones are then refined."""
HALVINGS = 12
WIDTH = 6.0
"""Half width of the grid in standard errors, beyond what the bound itself allows."""
TINY = 1e-10
LENGTHS = 200


def accepted(
    points: Floats,
    covariance: Floats,
    restriction: Floats,
    before: int,
    weights: Floats,
    level: float,
    scale: tuple[float, float, float],
) -> tuple[float, float]:
    """Return the lowest and the highest effect that a test does not reject.

    Parameters
    ----------
    points : array, shape (n,)
        Coefficients, those before treatment first.
    covariance : array, shape (n, n)
        Their covariance.
    restriction : array, shape (m, n)
        A: differences in trends δ with A δ ≤ 0 are allowed.
    before : int
        Coefficients before treatment.
    weights : array, shape (n - before,)
        The effect is this combination of effects after treatment.
    level : float
        Probability of the interval.
    scale : tuple of float
        Where to look: the middle, a standard error, and how far the restriction reaches.

    Returns
    -------
    tuple of float
        (inf, -inf) if every value is rejected.

    Notes
    -----
    The effects after treatment other than the one asked for are nuisance parameters, and the
    largest standardised moment over them is a maximum over the vertices of a cone (Andrews, Roth &
    Pakes 2023). Conditional on which vertex is the largest, its value is a truncated normal.
    """
    basis = _basis(weights)
    middle, error, reach = scale
    inverse = np.linalg.inv(basis)
    after = restriction[:, before:] @ inverse
    moment, spread = restriction @ points, restriction @ covariance @ restriction.T
    vertices = _vertices(after[:, 1:], np.sqrt(np.diag(spread)))
    first = _least_favourable(vertices, spread, FIRST_STAGE * (1 - level))
    # Everything that the test needs is linear in the effect.
    constant, slope = vertices @ moment, vertices @ after[:, 0]
    cross = vertices @ spread @ vertices.T

    def ok(effects: Floats) -> Booleans:
        return _not_rejected(constant[:, None] - slope[:, None] * effects, cross, first, 1 - level)

    half = reach + WIDTH * error
    grid = np.linspace(middle - half, middle + half, GRID)
    inside = np.flatnonzero(ok(grid))
    if not inside.size:
        return np.inf, -np.inf
    step = grid[1] - grid[0]
    ends = []
    for end, outward in ((grid[inside[0]], -step), (grid[inside[-1]], step)):
        kept, lost = end, end + outward
        while ok(np.array([lost]))[0]:
            kept, lost = lost, lost + 4 * (lost - kept)
        for _ in range(HALVINGS):
            tried = (kept + lost) / 2
            kept, lost = (tried, lost) if ok(np.array([tried]))[0] else (kept, tried)
        ends.append(float(kept))
    return ends[0], ends[1]


def _basis(weights: Floats) -> Floats:
    """Return an invertible matrix whose first row are the weights."""
    lead = int(np.flatnonzero(weights)[0])
    rest = np.delete(np.eye(weights.size), lead, axis=0)
    return np.vstack([weights, rest])


def _vertices(nuisance: Floats, sd: Floats) -> Floats:
    """Return the vertices of {γ ≥ 0, γ′X = 0, γ′sd = 1}, shape (vertices, m)."""
    rays = _rays(tuple(map(tuple, nuisance.tolist())), nuisance.shape[1])
    kept = rays[rays @ sd > TINY * sd.max()]
    return np.asarray(kept / (kept @ sd)[:, None])


@cache
def _rays(rows: tuple[tuple[float, ...], ...], columns: int) -> Floats:
    """Return the extreme rays of {γ ≥ 0, γ′X = 0}; they are the same for every bound."""
    matrix = np.array(rows).reshape(len(rows), columns)
    system = np.hstack([matrix, np.ones((len(rows), 1))]).transpose()
    at = np.array(list(combinations(range(len(rows)), columns + 1)))
    square = system[:, at].transpose(1, 0, 2)
    regular = np.abs(np.linalg.det(square)) > TINY
    right = np.zeros((columns + 1, 1))
    right[-1] = 1
    solved = np.linalg.solve(square[regular], np.broadcast_to(right, (regular.sum(), *right.shape)))
    values = np.zeros((int(regular.sum()), len(rows)))
    np.put_along_axis(values, at[regular], solved[:, :, 0], axis=1)
    values = values[(values >= -TINY).all(axis=1)]
    return np.unique(np.round(np.maximum(values, 0), 9), axis=0)


def _least_favourable(vertices: Floats, spread: Floats, size: float) -> float:
    """Return the critical value of the first stage: all moments at zero."""
    values, vectors = np.linalg.eigh(spread)
    root = vectors * np.sqrt(np.maximum(values, 0))
    drawn = np.random.default_rng(SEED).standard_normal((DRAWS, values.size)) @ root.T
    return float(np.quantile((drawn @ vertices.T).max(axis=1), 1 - size))


def _not_rejected(statistics: Floats, cross: Floats, first: float, error: float) -> Booleans:
    """Return which columns of the statistics of the vertices, (vertices, values), are accepted."""
    best = statistics.argmax(axis=0)
    largest = statistics.max(axis=0)
    size = (error - FIRST_STAGE * error) / (1 - FIRST_STAGE * error)
    # A vertex may be a constant, in opposite bounds on one drift; it rejects if above zero.
    variance = np.maximum(np.diag(cross)[best], TINY**2)
    ratio = cross[:, best] / variance
    with np.errstate(divide="ignore", invalid="ignore"):
        edge = (statistics - ratio * largest) / (1 - ratio)
    below = np.where(ratio < 1 - TINY, edge, -np.inf).max(axis=0)
    above = np.where(ratio > 1 + TINY, edge, np.inf).min(axis=0)
    sd = np.sqrt(variance)
    low, high, here = below / sd, np.minimum(above, first) / sd, largest / sd
    tail = _tail(here, np.minimum(low, here), np.maximum(high, here))
    # The critical value is never below zero: with all moments slack nothing is rejected.
    return np.asarray((largest <= first) & ((tail > size) | (largest <= 0)))


def _tail(here: Floats, low: Floats, high: Floats) -> Floats:
    """Return P(Z > here | low ≤ Z ≤ high) of a standard normal Z; 1 where nothing is between."""
    # Of two tails the one is taken that does not lose its digits.
    upper = low > 0
    sign = np.where(upper, -1.0, 1.0)
    at_here, at_low, at_high = (special.ndtr(sign * z) for z in (here, low, high))
    with np.errstate(divide="ignore", invalid="ignore"):
        result = (at_high - at_here) / (at_high - at_low)
    return np.where(high - low > TINY, result, 1.0)


def fixed_length(
    points: Floats, covariance: Floats, before: int, weights: Floats, bound: float, level: float
) -> tuple[float, float]:
    """Return middle and half length of the shortest interval if slopes change by at most a bound.

    Parameters
    ----------
    points, covariance, before, weights, level
        As in `accepted`; event times follow each other.
    bound : float
        M, the largest change of the slope from one period to the next.

    Returns
    -------
    tuple of float
        In the unit of the points.

    Notes
    -----
    The estimator takes a weighted sum of the slopes before treatment off the effect; u are the
    cumulated weights, the last is fixed so that a straight line is taken off whole. Its largest
    bias is M (constant + Σ|u|) and its variance quadratic in u (Rambachan & Roth 2023, eq. 17):
    the best pairs of both are a lasso path, along which the length is minimised.
    """
    after = weights.size
    periods = np.arange(1, after + 1)
    target = float(weights @ periods)
    constant = sum(abs(float(np.arange(1, s + 1) @ weights[after - s :])) for s in periods) - target
    # The weight of a point before treatment is the second difference of u.
    second = np.zeros((before, before))
    for t in range(before):
        second[t, t] = 1
        if t >= 1:
            second[t, t - 1] = -2
        if t >= 2:
            second[t, t - 2] = 1
    part = covariance[:before, :before], covariance[:before, before:] @ weights
    gram, linear = second.T @ part[0] @ second, second.T @ part[1]
    rest = float(weights @ covariance[before:, before:] @ weights)

    def measures(u: Floats) -> tuple[float, float]:
        variance = float(u @ gram @ u + 2 * linear @ u + rest)
        return constant + float(np.abs(u).sum()), float(np.sqrt(variance))

    def path(penalty: float) -> Floats:
        return _lasso(gram, linear, penalty, target)

    def length(penalty: float) -> float:
        bias, sd = measures(path(penalty))
        return sd * folded_quantile(bound * bias / sd, level)

    if before == 1 or bound == 0:
        best = path(0.0)
    else:
        top = 2 * np.abs(gram[:-1, -1] * target + linear[:-1]).max()
        tried = top * np.concatenate([[0], np.geomspace(1e-6, 1, LENGTHS)])
        number = int(np.argmin([length(penalty) for penalty in tried]))
        ends = tried[max(number - 1, 0)], tried[min(number + 1, LENGTHS)]
        from scipy.optimize import minimize_scalar  # type: ignore[import-untyped]  # slow

        refined = minimize_scalar(length, bounds=ends, method="bounded").x
        best = path(min((tried[number], refined), key=length))
    bias, sd = measures(best)
    middle = float(weights @ points[before:] + (second @ best) @ points[:before])
    return middle, sd * folded_quantile(bound * bias / sd, level)


def _lasso(gram: Floats, linear: Floats, penalty: float, last: float) -> Floats:
    """Minimise u′Gu + 2 l′u + penalty Σ|u| with the last u fixed, by coordinates."""
    u = np.zeros(linear.size)
    u[-1] = last
    free = range(linear.size - 1)
    if penalty == 0 and linear.size > 1:
        u[:-1] = np.linalg.solve(gram[:-1, :-1], -(linear[:-1] + gram[:-1, -1] * last))
        return u
    for _ in range(100_000):
        before = u.copy()
        for j in free:
            pull = linear[j] + gram[j] @ u - gram[j, j] * u[j]
            u[j] = -np.sign(pull) * max(abs(pull) - penalty / 2, 0) / gram[j, j]
        if np.abs(u - before).max(initial=0) <= 1e-10 * max(abs(last), 1):
            break
    return u


def folded_quantile(bias: float, level: float) -> float:
    """Return c with P(|Z + bias| ≤ c) = level for a standard normal Z.

    Examples
    --------
    >>> round(folded_quantile(0.0, 0.95), 4), round(folded_quantile(5.0, 0.95), 4)
    (1.96, 6.6449)
    """
    from scipy.optimize import brentq  # slow to import

    if bias > 8:
        return float(bias + special.ndtri(level))
    return float(
        brentq(lambda c: special.ndtr(c - bias) - special.ndtr(-c - bias) - level, 0, bias + 10)
    )
