"""Many estimates at once: family-wise error (Romano and Wolf) and false discovery rate."""

from __future__ import annotations

import numpy as np

from analysis.inference.arrays import Floats


def romano_wolf(statistics: Floats, drawn: Floats) -> Floats:
    """Return p values adjusted by step-down over the largest statistic (Romano & Wolf 2005, 2016).

    Parameters
    ----------
    statistics : array, shape (k,)
        t statistics.
    drawn : array, shape (draws, k)
        t statistics were every effect zero, drawn jointly: `bands.normal_draws`, or the statistics
        of randomisation.

    Returns
    -------
    array, shape (k,)
        (draws at least as far + 1) / (draws + 1), never falling as the statistics fall.

    Examples
    --------
    The largest of both draws is 3 and 1: 2.5 is passed once, 0.5 twice, each plus one of three.

    >>> romano_wolf(np.array([2.5, 0.5]), np.array([[3.0, 1.0], [1.0, -1.0]])).round(3).tolist()
    [0.667, 1.0]
    """
    order = np.argsort(-np.abs(statistics), kind="stable")
    far = np.abs(drawn)[:, order]
    # The largest among a hypothesis and all that come after it.
    largest = np.maximum.accumulate(far[:, ::-1], axis=1)[:, ::-1]
    count = (largest >= np.abs(statistics)[order]).sum(axis=0)
    stepped = np.maximum.accumulate((count + 1) / (drawn.shape[0] + 1))
    adjusted = np.empty(statistics.size)
    adjusted[order] = stepped
    return adjusted


def false_discovery(p_values: Floats) -> Floats:
    """Return p values adjusted to the false discovery rate (Benjamini & Hochberg 1995).

    Examples
    --------
    >>> false_discovery(np.array([0.01, 0.02, 0.9])).round(3).tolist()
    [0.03, 0.03, 0.9]
    """
    order = np.argsort(p_values, kind="stable")
    ranked = p_values[order] * p_values.size / np.arange(1, p_values.size + 1)
    adjusted = np.empty(p_values.size)
    adjusted[order] = np.minimum(np.minimum.accumulate(ranked[::-1])[::-1], 1.0)
    return adjusted
