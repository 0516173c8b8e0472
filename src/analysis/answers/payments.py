"""What a programme's payments bring less what they replace: sources of income added up in part."""

from __future__ import annotations

from typing import Final

import numpy as np
import polars as pl

from analysis import programmes
from analysis.answers.estimates import OVERALL, Estimates
from analysis.answers.missing import Missing
from analysis.answers.truth import Truth
from analysis.effects.record import Key
from analysis.effects.result import EffectSet
from analysis.sensitivity.combine import combination

NET: Final = ("property", "business")
"""Rent and shares enter property; farm income given up leaves business, where orders enter."""


def payments(programme: str) -> pl.DataFrame:
    """Return the payments of a programme: name_en, name_zh, channel, paid_for, replaces."""
    rows = programmes.load().payments.filter(pl.col("programme") == programme)
    return rows.select("id", "name_en", "name_zh", "channel", "paid_for", "replaces")


def net(found: EffectSet, programme: str, sources: tuple[str, ...] = NET) -> EffectSet | Missing:
    """Return the sum of the overall effects on some sources, jointly estimated.

    Parameters
    ----------
    found : EffectSet
        With overall effects on these sources; of one programme or of several.
    programme : str
        The programme, where `found` has several.
    sources : tuple of str
        What is added up.

    Returns
    -------
    EffectSet or Missing
        One estimate, in the unit of `found`; missing if a source has none.
    """
    weights = np.zeros(len(found))
    for place, key in enumerate(found.keys):
        mine = key.programme in ("", programme)
        if mine and key.aggregation == OVERALL and key.outcome in sources:
            weights[place] = 1.0
    if weights.sum() != len(sources):
        return Missing(f"there is no estimate for each of {' and '.join(sources)} income")
    return combination(found, weights, Key(" and ".join(sources), OVERALL, programme=programme))


def net_of(found: Estimates) -> EffectSet | Missing:
    """Return what rent and shares bring less farm income given up; see `net`."""
    return net(found.summed, found.design.programme)


def true_net(truth: Truth | Missing, sources: tuple[str, ...] = NET) -> float | None:
    """Return the true effect on some sources together; None if nobody knows it."""
    if isinstance(truth, Missing):
        return None
    values = [truth.of(source, OVERALL) for source in sources]
    known = [value for value in values if value is not None]
    return sum(known) if len(known) == len(values) else None
