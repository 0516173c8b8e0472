"""How much of each arm each cluster holds, and the degrees of freedom that follow."""

from __future__ import annotations

import numpy as np

from analysis.designs.sample import Sample
from analysis.inference import degrees
from analysis.inference.arrays import Floats, Integers
from analysis.inference.degrees import Arms


def arms_of(sample: Sample, group: Integers | None = None, controls: Floats | None = None) -> Arms:
    """Return the weight and the rows that each cluster has in each arm, shape (G, 1).

    Parameters
    ----------
    sample : Sample
        Its weights, arms and clusters.
    group : array, shape (n,), optional
        Other clusters.
    controls : array, shape (n,), optional
        Weights of controls where they are others, such as the odds of treatment.
    """
    group = sample.group if group is None else group
    size = int(group.max()) + 1

    def total(values: Floats) -> Floats:
        return np.bincount(group, values, size).astype(np.float64)[:, None]

    d, other = sample.d, sample.w if controls is None else controls
    return Arms(total(sample.w * d), total(other * (1 - d)), total(d), total(1 - d))


def degrees_of(
    sample: Sample,
    group: Integers | None = None,
    *,
    linear: bool = False,
    controls: Floats | None = None,
) -> float:
    """Return the degrees of freedom of an effect by cluster, by the rule for all estimators.

    Parameters
    ----------
    sample, group, controls
        As in `arms_of`.
    linear : bool
        Whether the effect is a difference of weighted means of both arms; the degrees of other
        effects are capped by the effective clusters of the smaller arm less one.
    """
    values = degrees.design_degrees(arms_of(sample, group, controls), np.array([linear]))
    return float(values[0])


def too_few(
    sample: Sample,
    group: Integers | None = None,
    *,
    linear: bool = False,
    controls: Floats | None = None,
) -> str:
    """Return why an effect by cluster has no interval; empty where it has one.

    Parameters
    ----------
    sample, group, linear, controls
        As in `degrees_of`.
    """
    arms = arms_of(sample, group, controls)
    freedom = degrees.design_degrees(arms, np.array([linear]))
    if not degrees.few(arms.clusters, freedom)[0]:
        return ""
    inside = bool(((arms.treated > 0) & (arms.control > 0)).any())
    return degrees.few_clusters(arms.clusters[:, 0], arms.effective[:, 0], inside=inside)
