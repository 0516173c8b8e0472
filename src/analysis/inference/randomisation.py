"""Randomisation inference where villages were assigned: whole villages change arms in strata.

Only for assignment by village. Where households were assigned inside villages, sums by village do
not tell who could have been in which arm; that needs microdata.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from analysis.inference.arrays import Booleans, Floats, Integers
from analysis.results import formatting

DRAWS = 9_999
SEED = 20_200
CHUNK = 2**22
TIE = 1e-9
FAR = 2**12
"""Errors from the estimate beyond which an interval has no end."""


@dataclass(frozen=True)
class RandomisationTest:
    """A test of no effect on any village.

    Attributes
    ----------
    points : array, shape (k,)
        Treated less untreated mean, per unit of weight, of each outcome.
    statistics : array, shape (k,)
        Points over their CR0 standard errors.
    p_values : array, shape (k,)
        Share of assignments with a statistic at least as far from zero; with random draws the
        actual assignment counts as one more.
    drawn : array, shape (draws, k)
        Statistics under the drawn assignments, for adjustment over outcomes.
    enumerated : bool
        Whether every assignment that the design allows was used.
    """

    points: Floats
    statistics: Floats
    p_values: Floats
    drawn: Floats
    enumerated: bool

    def __repr__(self) -> str:
        every = "all" if self.enumerated else "random"
        lines = [
            f"Randomisation test of no effect on any cluster: {self.drawn.shape[0]:,} other"
            f" assignments ({every})"
        ]
        for point, statistic, p in zip(
            self.points.tolist(), self.statistics.tolist(), self.p_values.tolist(), strict=True
        ):
            lines.append(
                f"  difference {formatting.number(point)}, t {statistic:.2f},"
                f" p {formatting.p_value(p)}"
            )
        return "\n".join(lines)


def permute(
    weight: Floats,
    total: Floats,
    treated: Booleans,
    stratum: Integers | None = None,
    *,
    draws: int = DRAWS,
    seed: int = SEED,
) -> RandomisationTest:
    """Compare two arms of villages with every, or many, other assignments.

    Parameters
    ----------
    weight : array, shape (v,)
        Weight (or number) of households of each village.
    total : array, shape (v, k)
        Sum of each outcome, or of its change, over the village's households.
    treated : array, shape (v,)
        The actual assignment.
    stratum : array, shape (v,), optional
        Villages changed places only inside strata of the design.
    draws, seed : int
        Random assignments. If there are not more in all, each is used once.

    Raises
    ------
    ValueError
        If an arm is empty, or the design allows only the actual assignment.

    Examples
    --------
    Six villages of one household, the three best treated: 2 of 20 assignments go as far.

    >>> change = np.array([[4.0], [5], [6], [1], [2], [3]])
    >>> arm = np.array([True] * 3 + [False] * 3)
    >>> found = permute(np.ones(6), change, arm)
    >>> found.points.item(), found.p_values.item(), found.enumerated
    (3.0, 0.1, True)
    """
    arms, enumerated = _assignments(treated, stratum, draws, seed)
    points, statistics, p, drawn = _compared(weight, total, treated, arms, enumerated)
    return RandomisationTest(points, statistics, p, drawn, enumerated)


def _assignments(
    treated: Booleans, stratum: Integers | None, draws: int, seed: int
) -> tuple[list[Floats], bool]:
    """Return blocks of assignments, each (b, v), and whether they are all there are."""
    blocks = np.zeros(treated.size, np.int64) if stratum is None else stratum
    if treated.all() or not treated.any():
        raise ValueError("every village is in one arm: nothing to compare")
    possible = math.prod(
        math.comb(int((blocks == b).sum()), int(treated[blocks == b].sum()))
        for b in np.unique(blocks)
    )
    if possible == 1:
        raise ValueError("no stratum has villages in both arms: no other assignment is possible")
    if possible <= draws:
        return [_all_assignments(treated, blocks)], True
    generator = np.random.Generator(np.random.Philox(seed))
    size = max(1, CHUNK // treated.size)
    sizes = [min(size, draws - first) for first in range(0, draws, size)]
    return [_some(treated, blocks, each, generator) for each in sizes], False


def _compared(
    weight: Floats, total: Floats, treated: Booleans, arms: list[Floats], enumerated: bool
) -> tuple[Floats, Floats, Floats, Floats]:
    """Return points, statistics, p values and the statistics of the assignments."""
    points, statistics = _studentised(treated[None, :].astype(np.float64), weight, total)
    drawn = np.concatenate([_studentised(block, weight, total)[1] for block in arms])
    count = (np.abs(drawn) >= np.abs(statistics) * (1 - TIE)).sum(axis=0)
    n = drawn.shape[0]
    p: Floats = count / n if enumerated else (count + 1) / (n + 1)
    return points[0], statistics[0], p, drawn


def interval(
    weight: Floats,
    total: Floats,
    treated: Booleans,
    stratum: Integers | None = None,
    *,
    level: float = 0.95,
    draws: int = DRAWS,
    seed: int = SEED,
) -> tuple[float, float]:
    """Return the effects, the same on each unit of weight, that the test does not reject.

    The same assignments are used at every value, and each end is found by halving, to a thousandth
    of the CR0 error; an end is infinite where no value is rejected, as with too few assignments.

    Parameters
    ----------
    weight, treated, stratum, draws, seed
        As for `permute`.
    total : array, shape (v,)
        Sum of one outcome.
    level : float
        Probability of the interval.

    Examples
    --------
    Five villages rise by 9 to 11, five stay near 0: of 252 assignments 5 % are 12.

    >>> change = np.array([9.0, 9.5, 10, 10.5, 11, -1, -0.5, 0, 0.5, 1])
    >>> low, high = interval(np.ones(10), change, np.arange(10) < 5)
    >>> round(low, 1), round(high, 1)
    (8.7, 11.3)
    """
    own = treated.astype(np.float64)
    points, statistics = _studentised(own[None, :], weight, total[:, None])
    point = float(points[0, 0])
    unit = abs(point / float(statistics[0, 0])) if statistics[0, 0] else 0.0
    arms, enumerated = _assignments(treated, stratum, draws, seed)

    def not_rejected(effect: float) -> bool:
        rest = (total - weight * own * effect)[:, None]
        return float(_compared(weight, rest, treated, arms, enumerated)[2][0]) > 1 - level

    if not np.isfinite(unit) or unit == 0:
        return -math.inf, math.inf
    return end(not_rejected, point, -unit), end(not_rejected, point, unit)


def end(kept: Callable[[float], bool], point: float, unit: float) -> float:
    """Return the value on the side of `unit` from which a test rejects, to a thousandth of it."""
    inside, step = 0.0, 2.0
    while kept(point + step * unit):
        inside, step = step, step * 2
        if step > FAR:
            return float(np.copysign(np.inf, unit))
    outside = step
    while outside - inside > 1e-3:
        middle = (inside + outside) / 2
        inside, outside = (middle, outside) if kept(point + middle * unit) else (inside, middle)
    return point + outside * unit


def _studentised(arm: Floats, weight: Floats, total: Floats) -> tuple[Floats, Floats]:
    """Return differences of arms and their t statistics by CR0, each (b, k), for arms (b, v)."""
    difference, variance = np.zeros((2, arm.shape[0], total.shape[1]))
    for side, sign in ((arm, 1.0), (1 - arm, -1.0)):
        size = side @ weight
        for k, sums in enumerate(total.T):
            mean = side @ sums / size
            # Σ (D − w m)² from the residuals: multiplied out, sums that are large against their
            # spread would leave none of it. One outcome at a time, so that no array is b × v × k.
            squares = (((sums - weight * mean[:, None]) * side) ** 2).sum(axis=1)
            difference[:, k] += sign * mean
            variance[:, k] += squares / size**2
    with np.errstate(divide="ignore", invalid="ignore"):
        statistic = difference / np.sqrt(variance)
    return difference, np.where(difference == 0, 0.0, statistic)


def _all_assignments(treated: Booleans, blocks: Integers) -> Floats:
    """Return every assignment with the same number treated in each block, shape (b, v)."""
    choices = []
    for b in np.unique(blocks):
        members = np.flatnonzero(blocks == b)
        choices.append(list(itertools.combinations(members, int(treated[members].sum()))))
    entries = list(itertools.product(*choices))
    arms = np.zeros((len(entries), treated.size))
    for row, parts in enumerate(entries):
        arms[row, [v for part in parts for v in part]] = 1.0
    return arms


def _some(
    treated: Booleans, blocks: Integers, draws: int, generator: np.random.Generator
) -> Floats:
    """Return random assignments with the same number treated in each block."""
    arms = np.zeros((draws, treated.size))
    for b in np.unique(blocks):
        members = np.flatnonzero(blocks == b)
        order = np.argsort(generator.random((draws, members.size)), axis=1)
        arms[:, members] = order < int(treated[members].sum())
    return arms
