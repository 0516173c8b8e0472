"""The overall effect under one comparison, and sums of effects with their joint influence."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from analysis.effects import aggregate, group_time
from analysis.effects.record import Key
from analysis.effects.result import EffectSet
from analysis.effects.table import Table, refuse
from analysis.inference.arrays import Floats
from analysis.inference.degrees import shares

ARMS = ("treated", "control", "used")
WEIGHTS = ("treated_weight", "control_weight")
SIZES = ("treated_size", "control_size")
COUNTS = ("n_treated", "n_control", "n_left_out")


def overall(table: Table, how: group_time.Comparison | None = None) -> EffectSet:
    """Return the effect over all treated household years, one per outcome, in yuan.

    Raises
    ------
    FaultsError
        If an effect that it needs has no controls.
    """
    found = group_time.estimate(table, how, leads=False)
    return aggregate.aggregate(found, table, ("simple",)).in_yuan()


def combination(effects: EffectSet, weights: Floats, key: Key) -> EffectSet:
    """Return one weighted sum of estimates, such as a difference or a mean.

    Parameters
    ----------
    effects : EffectSet
        k estimates.
    weights : array, shape (k,)
        Fixed numbers.
    key : Key
        What the sum is called.

    Returns
    -------
    EffectSet
        Of one estimate. Villages of an arm are those of any part; households are added up.
    """
    part = effects.at(np.flatnonzero(weights))
    w = weights[np.flatnonzero(weights)]
    arms: dict[str, Any] = {name: getattr(part, name).any(axis=1, keepdims=True) for name in ARMS}
    # Where arms of several estimates mix, a village holds what it moves of each.
    held = np.abs(w) / np.abs(w).sum()
    arms |= {name: (shares(getattr(part, name)) @ held)[:, None] for name in WEIGHTS}
    arms |= {name: getattr(part, name).max(axis=1, keepdims=True) for name in SIZES}
    counts: dict[str, Any] = {name: getattr(part, name).sum(keepdims=True) for name in COUNTS}
    unit = effects.about.units.get(part.keys[0].outcome, "")
    return replace(
        part,
        keys=(key,),
        points=np.array([part.points @ w]),
        influence=(part.influence @ w)[:, None],
        without=(part.without @ w)[:, None],
        about=replace(part.about, units={key.outcome: unit}),
        missing=(),
        linear=np.array([bool(part.linear.all())]),
        **arms,
        **counts,
    )


def difference(effects: EffectSet, first: int, second: int, key: Key) -> EffectSet:
    """Return the first less the second of two estimates, jointly estimated."""
    weights = np.zeros(len(effects))
    weights[first], weights[second] = 1.0, -1.0
    return combination(effects, weights, key)


def only(effects: EffectSet, outcome: str) -> EffectSet:
    """Return the one estimate on an outcome.

    Raises
    ------
    FaultsError
        If there is none, saying why.
    """
    found = effects.select(outcome=outcome)
    if not len(found):
        why = next((why for key, why in effects.missing if key.outcome == outcome), "not estimated")
        refuse("there is no overall effect", why, column="outcome", value=outcome)
    return found
