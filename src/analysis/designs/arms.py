"""How much of each arm each cluster holds, and the degrees of freedom that follow."""

from __future__ import annotations

import numpy as np

from analysis.designs.sample import Sample
from analysis.inference import degrees
from analysis.inference.arrays import Floats, Integers
from analysis.inference.degrees import Arms


def arms_of(sample: Sample, group: Integers | None = None) -> Arms:
    """Return the weight and the rows that each cluster has in each arm, shape (G, 1).

    Parameters
    ----------
    sample : Sample
        Its weights, arms and clusters.
    group : array, shape (n,), optional
        Other clusters.
    """
    group = sample.group if group is None else group
    size = int(group.max()) + 1

    def total(values: Floats) -> Floats:
        return np.bincount(group, values, size).astype(np.float64)[:, None]

    d = sample.d
    return Arms(total(sample.w * d), total(sample.w * (1 - d)), total(d), total(1 - d))


def degrees_of(sample: Sample, group: Integers | None = None, *, linear: bool = False) -> float:
    """Return the degrees of freedom of an effect by cluster, by the rule for all estimators.

    Parameters
    ----------
    sample, group
        As in `arms_of`.
    linear : bool
        Whether the effect is a difference of weighted means of both arms; the degrees of other
        effects are capped by the effective clusters of the smaller arm less one.
    """
    found = degrees.design_degrees(arms_of(sample, group), np.array([linear]))
    return float(found[0])


def too_few(sample: Sample, group: Integers | None = None) -> str:
    """Return why an effect by cluster has no interval; empty where it has one."""
    smaller = arms_of(sample, group).smaller
    return FEW if degrees.few(smaller)[0] else ""


FEW = (
    "no interval: too few clusters in an arm (effective number under"
    f" {degrees.rules().least_effective:g}); .randomise() needs none"
)
"""Said of an effect whose smaller arm has too few effective clusters for a t interval."""
