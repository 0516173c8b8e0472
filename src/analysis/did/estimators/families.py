"""Many estimates as one family: p values adjusted for looking at all of them."""

from __future__ import annotations

import numpy as np
import polars as pl
from scipy import special  # type: ignore[import-untyped]

from analysis.did.estimators.effect_set import EffectSet
from analysis.inference import bands, clusters, degrees, multiplicity
from analysis.inference.arrays import Floats


def adjust(effects: EffectSet, *, draws: int = bands.DRAWS, seed: int = bands.SEED) -> pl.DataFrame:
    """Return p values of a family of estimates, each alone and adjusted.

    Family-wise error: Romano and Wolf's step-down where the smaller arm has 20 effective clusters
    or more; with fewer the draws promise too much, and Holm's step-down on the t p values is used,
    the step-down form of the Bonferroni rule. False discovery rate: Benjamini and Hochberg.

    Parameters
    ----------
    effects : EffectSet
        The family, of any outcomes and programmes; estimates without an interval are left out.
    draws, seed : int
        Of Romano and Wolf.

    Returns
    -------
    polars.DataFrame
        programme, outcome, estimand, estimate, p_value, p_family, p_discovery, rule.
    """
    part = effects.at(effects.std_errors > 0)
    p = clusters.p_values(part.points / part.std_errors, part.degrees)
    many = len(part) > 0 and part.smaller_effective.min() >= degrees.rules().multipliers_from
    family = _romano_wolf(part, p, draws, seed) if many else holm(p)
    return pl.DataFrame(
        {
            "programme": [key.programme for key in part.keys],
            "outcome": [key.outcome for key in part.keys],
            "estimand": [key.estimand for key in part.keys],
            "estimate": part.points,
            "p_value": p,
            "p_family": family,
            "p_discovery": multiplicity.false_discovery(p) if p.size else p,
            "rule": ["romano_wolf" if many else "holm"] * p.size,
        }
    )


def _romano_wolf(part: EffectSet, p: Floats, draws: int, seed: int) -> Floats:
    """Compare normal scores of the t p values, so that estimated errors keep their price."""
    drawn = bands.normal_draws(
        clusters.influence_covariance(part.influence), draws=draws, seed=seed
    )
    return multiplicity.romano_wolf(-special.ndtri(p / 2), drawn)


def holm(p: Floats) -> Floats:
    """Return p values adjusted by Holm's step-down (1979).

    Examples
    --------
    >>> holm(np.array([0.01, 0.04, 0.03])).round(3).tolist()
    [0.03, 0.06, 0.06]
    """
    order = np.argsort(p, kind="stable")
    stepped = np.maximum.accumulate(p[order] * np.arange(p.size, 0, -1))
    adjusted = np.empty(p.size)
    adjusted[order] = np.minimum(stepped, 1)
    return adjusted
