"""What a pack tells of a covariance, and the attack of `village_attack` on it: it gets nothing."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from itertools import product
from pathlib import Path

import numpy as np
import pytest
from tests.cells.village_attack import on_effects, parts

import analysis as va
from analysis.cells import pack_estimates
from analysis.cells.pack_estimates import Covariance, Estimated, Point, published
from analysis.did.estimators import group_time, layout
from analysis.inference import clusters
from analysis.inference.arrays import Booleans, Floats


def village_sums(
    parity: Floats,
    reported: Floats,
    size: Floats,
    treated: Booleans,
    means: Floats,
    truth: Floats | None = None,
) -> Floats:
    """Return the changes of village sums that two matrices give, shape (v, k).

    Parameters
    ----------
    parity, reported : array, shape (k, k)
        CR0 and CV3 of k differences of two means.
    size : array, shape (v,)
        Households of each village.
    treated : array, shape (v,)
    means : array, shape (2, k)
        Mean change of controls and treated: they follow from published totals.
    truth : array, shape (v, k), optional
        The influence itself, to take the signs from: more than any attacker has, where 2^v signs
        are too many to try.
    """
    found = np.zeros((size.size, parity.shape[0]))
    known = parts(parity, reported, size, treated.astype(int))
    for arm in (0, 1):
        inside = treated == bool(arm)
        pieces = [part for group, part in known if group == arm]
        scale, level = (1 if arm else -1) * size[inside].sum(), size[inside, None] * means[arm]
        best = np.inf
        for signs in _signs(pieces, truth):
            influence = np.tensordot(signs, np.stack(pieces)[:, inside], axes=1)
            sums = scale * influence + level
            odd = np.abs(sums - np.round(sums)).sum()
            if odd < best:
                best, found[inside] = odd, np.round(sums)
    return found


def _signs(pieces: list[Floats], truth: Floats | None) -> Iterable[tuple[int, ...]]:
    if truth is None:
        return product((-1, 1), repeat=len(pieces))
    return [tuple(1 if (piece * truth).sum() > 0 else -1 for piece in pieces)]


class Villages:
    """Two arms of villages with whole sums of k changes, and the matrices of their differences."""

    def __init__(self, treated: int, control: int, k: int) -> None:
        random = np.random.default_rng(11)
        g = treated + control
        self.treated = np.arange(g) < treated
        self.size = random.permutation(np.arange(20, 20 + g)).astype(float)
        self.sums = random.integers(-900_000, 900_000, (g, k)).astype(float)
        self.means = np.stack([self._mean(~self.treated), self._mean(self.treated)])
        share = np.where(self.treated, 1.0, -1.0) / np.where(
            self.treated, self.size[self.treated].sum(), self.size[~self.treated].sum()
        )
        own = self.means[self.treated.astype(int)]
        self.influence = share[:, None] * (self.sums - self.size[:, None] * own)
        self.parity = clusters.influence_covariance(self.influence)
        without = np.stack([self._without(v) for v in range(g)])
        self.points = self.means[1] - self.means[0]
        used = np.ones((g, k), bool)
        self.reported = clusters.jackknife_covariance(self.points, without, used)
        names = [f"o{i}" for i in range(k)]
        self.estimated = Estimated(
            tuple(
                Point("e", n, float(p), treated, control, g, 9.87, float(treated), float(control))
                for n, p in zip(names, self.points, strict=True)
            ),
            self.reported,
        )

    def _mean(self, rows: np.ndarray) -> Floats:
        mean: Floats = self.sums[rows].sum(axis=0) / self.size[rows].sum()
        return mean

    def _without(self, village: int) -> Floats:
        others = np.arange(self.size.size) != village
        return self._mean(self.treated & others) - self._mean(~self.treated & others)

    def attacked(self, parity: Floats, reported: Floats) -> int:
        """Count the sums that the attack gets to within one in a hundred."""
        there = np.isfinite(np.diag(reported))
        found = village_sums(
            parity[np.ix_(there, there)],
            reported[np.ix_(there, there)],
            self.size,
            self.treated,
            self.means[:, there],
            self.influence[:, there],
        )
        return int(np.isclose(found, self.sums[:, there], rtol=1e-2, atol=0.5).sum())


def test_the_attack_gets_every_sum_from_two_matrices_at_full_precision() -> None:
    """4 + 6 villages and 10 changes: every sum to the fen, as on the packs of before."""
    villages = Villages(4, 6, 10)
    found = village_sums(
        villages.parity, villages.reported, villages.size, villages.treated, villages.means
    )
    assert np.array_equal(found, villages.sums)
    more = Villages(12, 14, 24)
    assert more.attacked(more.parity, more.reported) == more.sums.size


def test_the_attack_gets_every_village_of_cells_at_full_precision(tmp_path: Path) -> None:
    """Dividends in 20 simulated villages, five outcomes in six years: all 16 that enter, to 1 %."""
    va.simulate(tmp_path / "p", households=800, villages=20, periods=(2012, 2018), seed=5)
    cells = layout.from_cells(va.cells(tmp_path / "p", "dividend"))
    effects = group_time.estimate(cells, group_time.Comparison(where="anywhere"))
    assert on_effects(effects, effects.covariance) == (16, 16)


@pytest.mark.parametrize(("treated", "control", "k"), [(13, 15, 3), (16, 18, 6), (20, 24, 10)])
def test_the_attack_fails_on_what_a_pack_tells(treated: int, control: int, k: int) -> None:
    """Even with CR0 at full precision, which no pack has, every size and every sign known."""
    villages = Villages(treated, control, k)
    told = published(villages.estimated, households=20, least=10)
    assert told.correlations is not None and told.rank == k
    assert villages.attacked(villages.parity, told.matrix) == 0


@pytest.mark.parametrize(("treated", "control"), [(4, 6), (8, 8), (10, 30)])
def test_few_villages_tell_two_errors_of_two_digits_and_no_matrix(
    treated: int, control: int
) -> None:
    villages = Villages(treated, control, 10)
    told = published(villages.estimated, households=20, least=10)
    assert told.correlations is None
    assert [p.std_error is not None for p in told.points] == [True] * 2 + [False] * 8
    exact = np.sqrt(np.diag(villages.reported))[:2]
    assert told.errors[:2].tolist() == [float(f"{x:.2g}") for x in exact]
    assert "no covariance is told" in told.note
    assert np.isnan(told.matrix[0, 1])


def test_rank_leaves_ten_degrees() -> None:
    """20 villages in the smaller arm: a rank of 10 is told, of 11 is not; nor 10 after 1."""
    ten, eleven = Villages(20, 30, 10), Villages(20, 30, 11)
    assert published(ten.estimated, households=20, least=10).rank == 10
    assert published(eleven.estimated, households=20, least=10).correlations is None
    again = published(ten.estimated, households=20, least=10, rank_before=1)
    assert (again.correlations, again.rank) == (None, 1)
    small = published(ten.estimated, households=9, least=10)
    assert np.isnan(small.errors).all() and small.note == pack_estimates.SMALL_VILLAGE


def test_estimates_of_few_villages_lose_their_errors_first() -> None:
    villages = Villages(30, 40, 4)
    points = (replace(villages.estimated.points[0], n_villages_treated=5),)
    told = published(
        replace(villages.estimated, points=points + villages.estimated.points[1:]),
        households=20,
        least=10,
    )
    assert [p.std_error is None for p in told.points] == [True, False, False, False]
    assert told.rank == 3 and "fewer than 30 villages" in told.note


def test_errors_have_three_digits_and_the_matrix_is_semidefinite() -> None:
    """Of four estimates one is the sum of the others: rank 3, and rounding must not break it."""
    villages = Villages(30, 40, 3)
    mix = np.concatenate([np.eye(3), np.ones((1, 3))])
    matrix = mix @ villages.reported @ mix.T
    points = (*villages.estimated.points, villages.estimated.points[0])
    told = published(Estimated(points, matrix), households=20, least=10)
    assert told.rank == 3
    assert told.errors.tolist() == [float(f"{x:.3g}") for x in np.sqrt(np.diag(matrix))]
    assert np.linalg.eigvalsh(told.matrix / np.outer(told.errors, told.errors)).min() > -1e-12
    assert np.allclose(np.sqrt(np.diag(told.matrix)), told.errors, rtol=1e-12)
    again = pack_estimates.from_dict(pack_estimates.as_dict(told))
    assert again.points == told.points and np.array_equal(again.matrix, told.matrix)
    assert {p.degrees for p in told.points} == {9.8}


def test_correlations_have_the_shape_of_the_points() -> None:
    with pytest.raises(ValueError, match="correlations are"):
        Covariance(Villages(4, 6, 2).estimated.points, np.eye(3))
