"""Households of the model panel as they are at baseline, and how many live there each year."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import ndtri, pdtr  # type: ignore[import-untyped]

from analysis.panels.model.draws import (
    Booleans,
    Floats,
    Integers,
    Stream,
    normal,
    uniform,
)
from analysis.panels.model.parameters import Parameters
from analysis.panels.model.places import Places
from analysis.panels.model.settings import Settings


@dataclass(frozen=True)
class Households:
    """A run of households; n households, t periods.

    Attributes
    ----------
    number, village : array of int, shape (n,)
        Household and village by number.
    size, workers : array of int, shape (n,)
        Members, and members able to work, at baseline.
    members : array of int, shape (n, t)
        Members present.
    registered : array of bool, shape (n,)
        On the register of poor households.
    level_score, trend_score, bundle : array of float, shape (n,)
        Standard normals: permanent income inside the village, trend, what programmes share.
    """

    number: Integers
    village: Integers
    size: Integers
    workers: Integers
    members: Integers
    registered: Booleans
    level_score: Floats
    trend_score: Floats
    bundle: Floats


def build(
    number: Integers, places: Places, settings: Settings, parameters: Parameters
) -> Households:
    """Draw households by their numbers.

    Parameters
    ----------
    number : array of int, shape (n,)
        Any households of the panel; each is the same whichever others are asked for.
    """
    seed, p = settings.seed, parameters["households"]
    village = np.searchsorted(places.start, number, side="right") - 1
    level = normal(seed, Stream.LEVEL, number)
    registered = _registered(number, level, places.level_score[village], seed, parameters)
    size = _sizes(uniform(seed, Stream.SIZE, number), registered, parameters)
    workers = np.floor(
        size * p.number("worker_share") + uniform(seed, Stream.WORKERS, number)
    ).astype(np.int64)
    return Households(
        number=number,
        village=village,
        size=size,
        workers=np.minimum(workers, size),
        members=_members(size, number, settings, parameters),
        registered=registered,
        level_score=level,
        trend_score=normal(seed, Stream.TREND, number),
        bundle=normal(seed, Stream.BUNDLE, number),
    )


def _registered(
    number: Integers, level: Floats, village_level: Floats, seed: int, parameters: Parameters
) -> Booleans:
    """Register the households with the lowest score: permanent income, seen with error."""
    p, q = parameters["households"], parameters["places"]
    inside, among = p.number("level_sd"), q.number("village_sd")
    permanent = (inside * level + among * village_level) / np.hypot(inside, among)
    accuracy = p.number("register_accuracy")
    score = accuracy * permanent + np.sqrt(1 - accuracy**2) * normal(seed, Stream.REGISTER, number)
    result: Booleans = score < ndtri(p.number("registered_share"))
    return result


def _sizes(draw: Floats, registered: Booleans, parameters: Parameters) -> Integers:
    """Return sizes: one and a Poisson number, with the mean of the household's group."""
    p = parameters["households"]
    mean, poor, share = (
        p.number(name) for name in ("size_mean", "size_mean_registered", "registered_share")
    )
    others = (mean - share * poor) / (1 - share)
    further = np.arange(int(p.number("size_largest")) - 1)
    sizes = [1 + np.searchsorted(pdtr(further, m - 1), draw) for m in (others, poor)]
    return np.where(registered, sizes[1], sizes[0]).astype(np.int64)


def _members(
    size: Integers, number: Integers, settings: Settings, parameters: Parameters
) -> Integers:
    """Let one member come or go now and then; the first year has the baseline size."""
    p = parameters["households"]
    change = p.number("member_change") / 2
    draw = uniform(settings.seed, Stream.MEMBERS, number, settings.years)
    step = (draw > 1 - change).astype(np.int64) - (draw < change)
    step[:, 0] = 0
    present = size[:, None] + np.cumsum(step, axis=1)
    result: Integers = np.clip(present, 1, int(p.number("size_largest")))
    return result
