"""Degrees of the jackknife of a regression, against every leave-out as a matrix."""

import numpy as np
import pytest

from analysis.designs import least_squares


@pytest.mark.parametrize("rho", [0.0, 0.1, 0.6])
def test_degrees_are_those_of_the_jackknife_by_brute_force(rho):
    """Households of a village share its shock; weights and a covariate."""
    draw = np.random.default_rng(5)
    group = np.repeat(np.arange(9), draw.integers(2, 9, 9))
    n = group.size
    d = (group < 4) * 1.0
    x, w = np.column_stack([np.ones(n), d, draw.normal(size=n)]), draw.uniform(0.5, 3, n)

    def pull(rows):
        weighted = (x[rows] * w[rows][:, None]).T
        found = np.zeros(n)
        found[rows] = np.linalg.solve(weighted @ x[rows], weighted)[1]
        return found

    moved = np.stack([pull(group != g) - pull(group >= 0) for g in range(9)])
    omega = rho * (group[:, None] == group) + (1 - rho) * np.eye(n)
    c = moved @ omega @ moved.T
    found = least_squares.jackknife_degrees(x, w, group, 1, rho)
    assert found == pytest.approx(np.trace(c) ** 2 / np.trace(c @ c), rel=1e-9)


def test_a_cluster_that_cannot_be_left_out_leaves_no_degrees():
    x = np.column_stack([np.ones(6), [1.0, 1, 0, 0, 0, 0]])
    group = np.array([0, 0, 1, 1, 2, 2])
    assert np.isnan(least_squares.jackknife_degrees(x, np.ones(6), group, 1))
