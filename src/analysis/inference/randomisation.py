"""Randomisation inference where villages were assigned: whole villages change arms in strata.

Only for assignment by village. Where households were assigned inside villages, sums by village do
not tell who could have been in which arm; that needs microdata.
"""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass

import numpy as np

from analysis.inference.arrays import Booleans, Floats, Integers

DRAWS = 9_999
SEED = 20_200
CHUNK = 2**22
TIE = 1e-9


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
    blocks = np.zeros(treated.size, np.int64) if stratum is None else stratum
    if treated.all() or not treated.any():
        raise ValueError("every village is in one arm: nothing to compare")
    possible = math.prod(
        math.comb(int((blocks == b).sum()), int(treated[blocks == b].sum()))
        for b in np.unique(blocks)
    )
    if possible == 1:
        raise ValueError("no stratum has villages in both arms: no other assignment is possible")
    points, statistics = _studentised(treated[None, :].astype(np.float64), weight, total)
    enumerated = possible <= draws
    if enumerated:
        arms = [_every(treated, blocks)]
    else:
        generator = np.random.Generator(np.random.Philox(seed))
        size = max(1, CHUNK // treated.size)
        arms = [
            _some(treated, blocks, min(size, draws - first), generator)
            for first in range(0, draws, size)
        ]
    drawn = np.concatenate([_studentised(block, weight, total)[1] for block in arms])
    count = (np.abs(drawn) >= np.abs(statistics) * (1 - TIE)).sum(axis=0)
    p = count / possible if enumerated else (count + 1) / (draws + 1)
    return RandomisationTest(points[0], statistics[0], p, drawn, enumerated)


def _studentised(arm: Floats, weight: Floats, total: Floats) -> tuple[Floats, Floats]:
    """Return differences of arms and their t statistics by CR0, each (b, k), for arms (b, v)."""
    difference, variance = np.zeros((2, arm.shape[0], total.shape[1]))
    for side, sign in ((arm, 1.0), (1 - arm, -1.0)):
        size = (side @ weight)[:, None]
        mean = side @ total / size
        # Σ (D − w m)² over the villages of the arm, multiplied out so that no array is b × v × k.
        squares = side @ total**2 - 2 * mean * (side @ (total * weight[:, None]))
        squares += mean**2 * (side @ weight**2)[:, None]
        difference += sign * mean
        variance += squares / size**2
    with np.errstate(divide="ignore", invalid="ignore"):
        statistic = difference / np.sqrt(np.maximum(variance, 0))
    return difference, np.where(difference == 0, 0.0, statistic)


def _every(treated: Booleans, blocks: Integers) -> Floats:
    """Return every assignment with the same number treated in each block, shape (b, v)."""
    choices = []
    for b in np.unique(blocks):
        members = np.flatnonzero(blocks == b)
        choices.append(list(itertools.combinations(members, int(treated[members].sum()))))
    found = list(itertools.product(*choices))
    arms = np.zeros((len(found), treated.size))
    for row, parts in enumerate(found):
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
