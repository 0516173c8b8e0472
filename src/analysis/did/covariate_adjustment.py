"""Group-time effects adjusted for covariates: regression, weighting, or doubly robust.

Sant'Anna & Zhao (2020) inside Callaway & Sant'Anna (2021).
"""

from __future__ import annotations

import polars as pl

from analysis.did.check import Observations, refuse
from analysis.effects import doubly_robust, households
from analysis.effects.group_time import Comparison
from analysis.effects.result import EffectSet, stack


def estimate(observed: Observations, how: Comparison, method: str) -> EffectSet:
    """Estimate every group-time effect on every outcome.

    Parameters
    ----------
    observed : Observations
        With covariates.
    how : Comparison
        Controls, base and anticipation; controls may live anywhere.
    method : str
        ``doubly_robust``.

    Raises
    ------
    FaultsError
        If covariates separate treated from controls, or no effect can be made.
    """
    if method != "doubly_robust":
        refuse(
            "not with covariates yet", 'use method="doubly_robust"', column="method", value=method
        )
    names = observed.columns.covariates
    frame = observed.frame.with_columns(
        village=pl.Series(observed.clusters).gather(observed.frame["cluster"])
    )
    sets = []
    for outcome in observed.columns.outcomes:
        prepared = households.prepare(
            frame.rename({f"y:{outcome}": outcome, **{f"x:{name}": name for name in names}}),
            outcome,
            names,
            household="unit",
            weight="weight" if observed.columns.weight else "",
            cross_sections=observed.cross_sections,
        )
        sets.append(doubly_robust.estimate(prepared, how))
    return sets[0] if len(sets) == 1 else stack(*sets)
