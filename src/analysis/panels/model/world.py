"""A run of whole villages with every potential outcome, and the scale that meets the means."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from analysis import money
from analysis.panels.model import assignment, effects, households, places, untreated
from analysis.panels.model.draws import Floats, Integers
from analysis.panels.model.parameters import PRICE_YEAR, Parameters
from analysis.panels.model.settings import Settings

CALIBRATION_HOUSEHOLDS: Final = 50_000
"""Households on which the scale is set; all of a smaller panel."""
LEAST_WITHOUT: Final = 0.1
"""Least part of the official mean of a source that comes without programmes."""


@dataclass(frozen=True)
class World:
    """What all runs share.

    Attributes
    ----------
    settings : Settings
        As asked for.
    parameters : Parameters
        As read.
    places : Places
        Every village.
    offers : tuple of Offers
        By programme, in the order of ``parameters.rules``.
    fen : array of float, shape (t,)
        Nominal fen of each year per yuan of the parameters.
    scale : array of float, shape (t, 4)
        Fen per unit of `untreated.incomes`, by year and source.
    """

    settings: Settings
    parameters: Parameters
    places: places.Places
    offers: tuple[assignment.Offers, ...]
    fen: Floats
    scale: Floats


@dataclass(frozen=True)
class Run:
    """Households of whole villages; n households, t periods.

    Attributes
    ----------
    homes : Households
        As they are at baseline.
    income : tuple of four arrays of int, shape (n, t)
        True income by source, with every programme, fen.
    effects : tuple of Effect
        What each programme adds to it.
    """

    homes: households.Households
    income: tuple[Integers, ...]
    effects: tuple[effects.Effect, ...]

    def total(self) -> Integers:
        """Return true total income, fen, shape (n, t)."""
        wage, business, prop, transfer = self.income
        return wage + business + prop + transfer


def build(settings: Settings, parameters: Parameters) -> World:
    """Draw what is shared and set the scale to the official means.

    Income is linear in the scale, so one pass over a sample of households solves for it: official
    mean per head × members = scale × income without programmes + effects of the programmes.
    """
    where = places.build(settings, parameters)
    known = money.load()
    fen = np.array(
        [float(known.factor(int(year), PRICE_YEAR) * money.FEN_PER_YUAN) for year in settings.years]
    )
    offers = tuple(
        assignment.offers(rule, where, settings, parameters) for rule in parameters.rules
    )
    unscaled = World(settings, parameters, where, offers, fen, np.ones((fen.size, 4)))
    scale = _scale(unscaled)
    return World(settings, parameters, where, offers, fen, scale)


def _scale(world: World) -> Floats:
    """Solve for the scale on the first households of every village, or of evenly spread ones."""
    start = world.places.start
    step = max(1, -(-(start.size - 1) // CALIBRATION_HOUSEHOLDS))
    most = -(-CALIBRATION_HOUSEHOLDS * step // (start.size - 1))
    chosen = np.arange(0, start.size - 1, step)
    number = np.concatenate(
        [
            np.arange(a, min(a + most, b))
            for a, b in zip(start[chosen], start[chosen + 1], strict=True)
        ]
    )
    homes, latent, takers = _latent(number, world)
    # Spillovers are bound by the wage, which is not known yet; the official mean stands in.
    years = range(world.settings.periods[0], world.settings.periods[1] + 1)
    target = world.parameters.means(years) * money.FEN_PER_YUAN * homes.members.sum(axis=0)[:, None]
    unbound = np.full_like(homes.members, 2**40)
    added = np.zeros_like(target)
    for rule, taker in zip(world.parameters.rules, takers, strict=True):
        effect = effects.effect(rule, taker, homes, unbound, world.fen, world.settings)
        for parts in (effect.direct, effect.spillover):
            for s, fen in parts.items():
                added[:, s] += fen.sum(axis=0)
    # In a panel of a few households a programme can add more than the official mean, or nobody has
    # a source: such a panel misses its targets, and `targets` says so, but it stays legal.
    without = np.maximum(target - added, LEAST_WITHOUT * target)
    present = np.column_stack([part.sum(axis=0) for part in latent])
    result: Floats = np.where(present > 0, without / np.where(present > 0, present, 1), 0.0)
    return result


def _latent(
    number: Integers, world: World
) -> tuple[households.Households, list[Floats], list[assignment.Takers]]:
    """Return households, their income before scaling (with the dip), and who takes part."""
    settings, parameters = world.settings, world.parameters
    homes = households.build(number, world.places, settings, parameters)
    latent = untreated.incomes(homes, world.places, settings, parameters)
    takers = [
        assignment.takers(rule, offer, homes, settings, parameters)
        for rule, offer in zip(parameters.rules, world.offers, strict=True)
    ]
    for rule, taker in zip(parameters.rules, takers, strict=True):
        if settings.switches.dip and rule.dip:
            latent[untreated.WAGE][effects.dip(taker, settings)] *= 1 - rule.dip
    return homes, latent, takers


def run(first_village: int, last_village: int, world: World) -> Run:
    """Simulate villages from the first up to, but without, the last."""
    start = world.places.start
    number = np.arange(start[first_village], start[last_village], dtype=np.int64)
    homes, latent, takers = _latent(number, world)
    income = [np.rint(part * world.scale[:, s]).astype(np.int64) for s, part in enumerate(latent)]
    wage = income[untreated.WAGE].copy()
    estimates = []
    for rule, taker in zip(world.parameters.rules, takers, strict=True):
        effect = effects.effect(rule, taker, homes, wage, world.fen, world.settings)
        for s, fen in effect.direct.items():
            income[s][effect.rows] += fen
        for s, fen in effect.spillover.items():
            income[s] += fen
        estimates.append(effect)
    return Run(homes, tuple(income), tuple(estimates))
