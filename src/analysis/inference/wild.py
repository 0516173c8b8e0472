"""Restricted wild cluster bootstrap, exact from one small matrix per village.

A regression whose fixed effects are nested in villages needs only X_v′X_v and X_v′y_v of each
village (fixed effects projected out): a draw flips the sign of a village's restricted scores. So a
draw costs a few products, however many households there are. Cameron, Gelbach & Miller (2008),
with the null imposed and CR0 t statistics (small-sample factors cancel). With few villages two
signs give few different draws: Webb's (2023) six weights ±√(1/2), ±1, ±√(3/2) give 6^G.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np

from analysis.inference.arrays import Floats
from analysis.inference.randomisation import end
from analysis.results import formatting

DRAWS = 9_999
SEED = 20_200
CHUNK = 2**22
"""Numbers in one block of sign draws: about 32 MB."""
TIE = 1e-9
"""Relative difference up to which two statistics are the same: rounding must not break ties."""
WEBB: Floats = (np.sqrt([0.5, 1.0, 1.5]) * np.array([[-1.0], [1.0]])).ravel()
"""Webb's six weights: mean 0, variance 1, fourth moment 7/6."""
Weights = Literal["rademacher", "webb"]
NONE = 1e-6
"""Share of the pulls of single villages below which an error is none: a difference of squares keeps
half the digits of a number."""


@dataclass(frozen=True)
class WildTest:
    """A test of one coefficient.

    Attributes
    ----------
    point, null : float
        The estimate and the value tested.
    statistic : float
        (point − null) over the CR0 standard error.
    p_value : float
        Share of draws whose statistic is at least as far from zero; with random draws the data
        count as one more draw, so that it is never zero.
    draws : int
        Sign vectors used.
    enumerated : bool
        Whether these are all there are.
    n_villages : int
        Villages.
    weights : str
        ``rademacher`` or ``webb``.
    """

    point: float
    null: float
    statistic: float
    p_value: float
    draws: int
    enumerated: bool
    n_villages: int
    weights: str = "rademacher"

    def __repr__(self) -> str:
        kind = {"rademacher": "signs", "webb": "Webb's six weights"}[self.weights]
        every = "all" if self.enumerated else "random"
        null = formatting.number(self.null)
        return (
            f"Restricted wild bootstrap over {self.n_villages:,} clusters:"
            f" effect {formatting.number(self.point)}, p {formatting.p_value(self.p_value)}\n"
            f"  of no other effect than {null}; t {self.statistic:.2f};"
            f" {self.draws:,} draws ({every}, {kind})"
        )


def contrast_moments(weight: Floats, total: Floats) -> tuple[Floats, Floats]:
    """Return the moments of a regression whose last coefficient is a contrast of two arms.

    The regression has a constant for each stratum, the treated arm times (stratum − its share of
    the treated), and the treated arm: saturated, so that the last coefficient is the difference of
    the arms in each stratum, averaged with the shares of the treated. The shares are taken as known.

    Parameters
    ----------
    weight, total : array, shape (v, 2) or (v, s, 2)
        Σw and Σw·ΔY of each village's treated (first) and untreated households, by stratum; each
        stratum has households in both arms.

    Returns
    -------
    gram : array, shape (v, 2s, 2s)
    moment : array, shape (v, 2s)

    Examples
    --------
    Two strata, differences 2 and 5, with three of four treated in the first.

    >>> weight = np.array([[[3.0, 1], [1, 1]]])
    >>> total = np.array([[[9.0, 1], [6, 1]]])
    >>> gram, moment = contrast_moments(weight, total)
    >>> round(np.linalg.solve(gram[0], moment[0])[-1].item(), 12)
    2.75
    """  # noqa: E501
    if weight.ndim == 2:
        weight, total = weight[:, None], total[:, None]
    s = weight.shape[1]
    share = weight[..., 0].sum(axis=0) / weight[..., 0].sum()
    # A row of regressors for each stratum and arm: every household of it has the same.
    rows = np.zeros((s, 2, 2 * s))
    rows[:, :, :s] = np.eye(s)[:, None]
    rows[:, 0, s:-1] = (np.eye(s) - share)[:, : s - 1]
    rows[:, 0, -1] = 1.0
    gram = np.einsum("vsa,sai,saj->vij", weight, rows, rows)
    return gram, np.einsum("vsa,sai->vi", total, rows)


def bootstrap(
    gram: Floats,
    moment: Floats,
    coefficient: int,
    *,
    null: float = 0.0,
    draws: int = DRAWS,
    seed: int = SEED,
    weights: Weights = "rademacher",
) -> WildTest:
    """Test one coefficient of a regression.

    Parameters
    ----------
    gram : array, shape (v, p, p)
        X′X of each village, fixed effects projected out; the sum must not be singular.
    moment : array, shape (v, p)
        X′y of each village.
    coefficient : int
        Which coefficient.
    null : float
        Its value under the null.
    draws, seed : int
        Random sign vectors. If there are not more than `draws` in all, each is used once.
    weights : str
        ``rademacher``: signs; ``webb``: six weights, always drawn, for few villages.

    Examples
    --------
    Four villages, two an arm, one household each, changes 3, 5 against 1, 1: the difference is 3,
    its CR0 error √((1 + 1)/4) = 0.707. No sign vector but the data's own and its mirror goes as
    far, so p is 2/16.

    >>> weight = np.array([[1.0, 0], [1, 0], [0, 1], [0, 1]])
    >>> found = bootstrap(*contrast_moments(weight, weight * [[3.0], [5], [1], [1]]), 1)
    >>> found.point, round(found.statistic, 3), found.p_value, found.draws
    (3.0, 4.243, 0.125, 16)
    """
    v = moment.shape[0]
    whole = gram.sum(axis=0)
    inverse = np.linalg.inv(whole)
    full = inverse @ moment.sum(axis=0)
    row = inverse[coefficient]
    error = _error(gram, moment, full, row)
    statistic = (full[coefficient] - null) / error

    restricted = _restricted(gram, moment, coefficient, null)
    score = moment - gram @ restricted
    pull = score @ row
    tug = np.einsum("vij,i->vj", gram, row) @ inverse
    enumerated = weights == "rademacher" and 2**v <= draws
    limit, floor = abs(statistic) * (1 - TIE), _floor(moment, row)
    count = used = 0
    for signs in _signs(v, draws, seed, enumerated, weights):
        shift = signs @ score
        # Σ(e·pull − shift′tug)², multiplied out: no array is draws by villages by columns.
        cross = signs @ (pull[:, None] * tug)
        variance = signs**2 @ pull**2 - 2 * (shift * cross).sum(1)
        variance += np.einsum("bi,ij,bj->b", shift, tug.T @ tug, shift)
        distance = np.abs(signs @ pull)
        count += int((distance >= limit * np.sqrt(np.maximum(variance, floor**2))).sum())
        used += signs.shape[0]
    p_value = count / used if enumerated else (count + 1) / (used + 1)
    return WildTest(
        float(full[coefficient]), null, float(statistic), p_value, used, enumerated, v, weights
    )


def _error(gram: Floats, moment: Floats, full: Floats, row: Floats) -> float:
    """Return the CR0 standard error of a coefficient, not below what rounding leaves of none."""
    error = float(np.sqrt((((moment - gram @ full) @ row) ** 2).sum()))
    return max(error, _floor(moment, row))


def _floor(moment: Floats, row: Floats) -> float:
    """Return the error that stands for none: where changes are equal within each arm.

    Without it the data's own sign vector would differ from itself by rounding, and not be counted.
    """
    return NONE * float(np.sqrt(((moment @ row) ** 2).sum()))


def _restricted(gram: Floats, moment: Floats, coefficient: int, null: float) -> Floats:
    """Return the coefficients with one of them fixed."""
    whole, sums = gram.sum(axis=0), moment.sum(axis=0)
    rest = np.arange(sums.size) != coefficient
    values = np.full(sums.size, null)
    right = sums[rest] - whole[rest, coefficient] * null
    values[rest] = np.linalg.solve(whole[np.ix_(rest, rest)], right)
    return values


def _signs(v: int, draws: int, seed: int, enumerated: bool, weights: Weights) -> Iterator[Floats]:
    """Yield blocks of sign vectors or weights, shape (b, v)."""
    if enumerated:
        bits = np.arange(2**v)[:, None] >> np.arange(v) & 1
        yield 1.0 - 2.0 * bits.astype(np.float64)
        return
    generator = np.random.Generator(np.random.Philox(seed))
    block = max(1, CHUNK // v)
    for first in range(0, draws, block):
        size = (min(block, draws - first), v)
        if weights == "webb":
            yield WEBB[generator.integers(0, WEBB.size, size)]
            continue
        yield 2.0 * generator.integers(0, 2, size, dtype=np.int8).astype(np.float64) - 1.0


def interval(
    gram: Floats,
    moment: Floats,
    coefficient: int,
    *,
    level: float = 0.95,
    draws: int = DRAWS,
    seed: int = SEED,
    weights: Weights = "rademacher",
) -> tuple[float, float]:
    """Return the values of a coefficient that the test does not reject; ends can be infinite.

    The ends are found by halving, to a thousandth of the CR0 standard error, with the same signs
    at every value.
    """

    def not_rejected(null: float) -> bool:
        wild_test = bootstrap(
            gram, moment, coefficient, null=null, draws=draws, seed=seed, weights=weights
        )
        return wild_test.p_value > 1 - level

    inverse = np.linalg.inv(gram.sum(axis=0))
    full = inverse @ moment.sum(axis=0)
    point, unit = float(full[coefficient]), _error(gram, moment, full, inverse[coefficient])
    return end(not_rejected, point, -unit), end(not_rejected, point, unit)
