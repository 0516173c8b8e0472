"""One draw of a design: villages from the model panel, laid out as cells, with the true effects.

Two outcomes are laid out side by side: household income, and the same income without anything the
programme does. The effect on the first is the truth, on the second it is zero, so one draw tells
coverage, power and size at once. Amounts are yuan a year at the model's prices.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from functools import cache
from typing import Final

import numpy as np

from analysis.cells.handling import comparisons
from analysis.did.estimators.table import Leg, Moments, Table
from analysis.inference.arrays import Booleans, Floats, Integers
from analysis.panels.model import observation, parameters, places, world
from analysis.panels.model.assignment import NEVER, Offers
from analysis.panels.model.assignment import offers as offers_of
from analysis.panels.model.draws import Stream, uniform
from analysis.panels.model.settings import Settings
from analysis.validation.designs import Design

SEED: Final = 20_160
PERIODS: Final = (2012, 2021)
HOUSEHOLDS: Final = 45
"""Households of a village, on average: 10,800 in 240 villages, the size of the panel."""
STRATA: Final = ("other", "registered")
OUTCOMES: Final = ("income", "without")
CALIBRATION: Final = Settings(240 * HOUSEHOLDS, 240, PERIODS, SEED)


@dataclass(frozen=True)
class Truth:
    """What the programme adds for those who take part; g cohorts, t periods.

    Attributes
    ----------
    cohorts : array, shape (g,)
        First treated periods.
    total : array, shape (g, t)
        Sum of direct effect and spillover over the participants, yuan.
    n : array, shape (g,)
        Participants.
    """

    cohorts: Integers
    total: Floats
    n: Integers


@dataclass(frozen=True)
class Homes:
    """Where households belong; n households.

    Attributes
    ----------
    village, cohort : array of int, shape (n,)
        Cohort 0 for who never takes part.
    registered : array of bool, shape (n,)
        The stratum: on the register of poor households or not, as pages compare them.
    """

    village: Integers
    cohort: Integers
    registered: Booleans


@dataclass(frozen=True)
class Draw:
    """One draw: cells with the two `OUTCOMES`, and the truth."""

    table: Table
    truth: Truth


def seed_of(seed: int, design: str, draw: int) -> int:
    """Return the seed of one draw; it does not depend on how many draws are made.

    Examples
    --------
    >>> seed_of(1, "lot_6_6", 0) == seed_of(1, "lot_6_6", 0) != seed_of(1, "lot_6_6", 1)
    True
    """
    text = f"{seed}/{design}/{draw}".encode()
    return int.from_bytes(hashlib.sha256(text).digest()[:8], "big") >> 1


def draw(design: Design, number: int, *, seed: int = SEED) -> Draw:
    """Make one draw of a design.

    Parameters
    ----------
    design : Design
        By lot: villages of the model panel without difficulties, at the income scale of one large
        panel, so that villages are independent of each other but for the prices of the year. As
        offered: exactly the panel that `analysis simulate` makes with this seed and these switches.
    number : int
        Number of the draw, from 0.
    seed : int
        Of the whole run.
    """
    own = Settings(
        design.villages * HOUSEHOLDS,
        design.villages,
        PERIODS,
        seed_of(seed, design.id, number),
        design.switch,
        design.switches,
    )
    result = _by_lot(design, own) if design.kind == "lot" else world.build(own, parameters.load())
    run = world.run(0, design.villages, result)
    seen = observation.observe(run, result)
    effect = next(e for e in run.effects if e.rule.name == design.programme)
    cohort = np.where(effect.takers.cohort == NEVER, 0, effect.takers.cohort)
    direct = np.zeros((cohort.size, own.years.size), np.int64)
    direct[effect.rows] = sum(effect.direct.values())
    added = direct + sum(effect.spillover.values(), start=np.zeros_like(direct))
    reported = sum(seen.income, start=np.zeros_like(direct))
    values = np.stack([reported, reported - added], axis=-1) / result.fen[:, None]
    where = Homes(run.homes.village, cohort, run.homes.registered)
    table = lay_out(where, own.years, values, seen.complete)
    cohorts = np.unique(cohort[cohort > 0])
    member = (cohort == cohorts[:, None]).astype(np.float64)
    truth = Truth(cohorts, member @ (added / result.fen), member.sum(axis=1).astype(np.int64))
    return Draw(replace(table, programme=design.programme, tier="model"), truth)


@cache
def _calibrated() -> world.World:
    """Return one large panel's world: its scale of income is that of every randomised draw."""
    return world.build(CALIBRATION, parameters.load())


def _by_lot(design: Design, own: Settings) -> world.World:
    """Return a world in which villages are randomised to the programme, so many in each arm."""
    known = parameters.load()
    where = places.build(own, known)
    villages = np.arange(design.villages)
    arms = np.concatenate([np.full(n, g if g else NEVER) for g, n in design.arms])
    offers = []
    for rule in known.rules:
        offer = offers_of(rule, where, own, known)
        if rule.name == design.programme:
            lot = uniform(own.seed, Stream.VILLAGE_OFFER, villages, item=rule.number)
            offer = Offers(arms[np.argsort(lot)], offer.dose)
        offers.append(offer)
    large = _calibrated()
    return world.World(own, known, where, tuple(offers), large.fen, large.scale)


def lay_out(homes: Homes, periods: Integers, values: Floats, seen: Booleans) -> Table:
    """Lay households out as cells: balanced if all are always seen, else pairs with moments.

    Written apart from `analysis.cells`, household by household in memory, so that the two hold
    each other to account; a test does.

    Parameters
    ----------
    homes : Homes
        Where each household belongs.
    periods : array, shape (t,)
        Calendar years.
    values : array, shape (n, t, k)
        Outcomes.
    seen : array, shape (n, t)
        Whether the household has a complete row.
    """
    village, cohort = homes.village, homes.cohort
    keys, cell = np.unique(
        np.stack([village, cohort, homes.registered]), axis=1, return_inverse=True
    )
    cell = cell.reshape(-1)
    order = np.argsort(cell, kind="stable")
    starts = np.searchsorted(cell[order], np.arange(keys.shape[1]))

    def add(array: Floats) -> Floats:
        estimates: Floats = np.add.reduceat(array[order], starts, axis=0)
        return estimates

    inside = seen.astype(np.float64)
    n, income = add(inside), values * inside[..., None]
    ever: Floats = inside.max(axis=1)
    n_ever = add(ever)
    whole = Table(
        villages=tuple(f"v{v:06}" for v in np.unique(village)),
        strata=STRATA,
        outcomes=OUTCOMES,
        periods=periods,
        village=np.unique(keys[0], return_inverse=True)[1],
        cohort=keys[1],
        stratum=keys[2],
        n=n.astype(np.int64),
        weight=n,
        total=add(income),
        n_ever=n_ever.astype(np.int64),
        weight_ever=n_ever,
        units=dict.fromkeys(OUTCOMES, "yuan/households/years"),
        rows_in=seen.size,
    )
    if seen.all():
        return whole
    pairs = {}
    years, cohorts = tuple(periods.tolist()), whole.cohorts
    # With the base one year earlier too, for estimators that allow for anticipation.
    for b, t in {*comparisons(cohorts, years, 0), *comparisons(cohorts, years, 1)}:
        at_b, at_t = whole.place(b), whole.place(t)
        both: Floats = inside[:, at_b] * inside[:, at_t]
        m: Floats = add(both)
        moved: Floats = (values[:, at_t] - values[:, at_b]) * both[:, None]
        pairs[b, t] = Leg(1.0, m.astype(np.int64), m, add(moved))

    def moments(omega: Floats, chosen: Booleans) -> Moments:
        share: Floats = omega / np.maximum(omega.sum(axis=1), 1)[:, None]
        there: Floats = inside * chosen[:, None]
        a = add(share[:, :, None] * there[:, None, :])
        b = add((share[:, :, None] * there[:, None, :])[..., None] * values[:, :, None, :])
        return Moments(a, b)

    untreated = inside * ((cohort == 0)[:, None] | (cohort[:, None] > periods))
    some = untreated.any(axis=1)
    part = add(inside * some[:, None])
    imputed = replace(
        whole,
        n=part.astype(np.int64),
        weight=part,
        total=add(income * some[:, None, None]),
        untreated=moments(untreated, some),
        handling="pairs",
    )
    everyone = np.ones(some.size, bool)
    return replace(
        whole, handling="pairs", pairs=pairs, all_periods=moments(inside, everyone), imputed=imputed
    )
