"""Who takes part in which programme, from when, with what dose."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from scipy.special import ndtr  # type: ignore[import-untyped]

from analysis.panels.model.draws import Booleans, Floats, Integers, Stream, normal, uniform
from analysis.panels.model.households import Households
from analysis.panels.model.parameters import Parameters, Rule
from analysis.panels.model.places import Places
from analysis.panels.model.settings import Settings

NEVER: Final = 9999
"""Cohort of who never takes part; later than any year."""


@dataclass(frozen=True)
class Offers:
    """One programme in every village; v villages.

    Attributes
    ----------
    first_year : array of int, shape (v,)
        When the village begins; `NEVER` if it does not.
    dose : array of float, shape (v,)
        Dose of the village, used by programmes of villages.
    """

    first_year: Integers
    dose: Floats


@dataclass(frozen=True)
class Takers:
    """One programme among a run of households; n households.

    Attributes
    ----------
    cohort : array of int, shape (n,)
        First year of participation; `NEVER` if none.
    dose : array of float, shape (n,)
        Dose, also for who never takes part.
    """

    cohort: Integers
    dose: Floats


def offers(rule: Rule, places: Places, settings: Settings, parameters: Parameters) -> Offers:
    """Draw which villages begin a programme, and when: the higher the propensity, the earlier."""
    seed, switches = settings.seed, settings.switches
    villages = np.arange(places.county.size, dtype=np.int64)
    propensity = _propensity(
        rule,
        rule.select_village,
        (places.level_score, places.trend_score, places.bundle),
        normal(seed, Stream.VILLAGE_OFFER, villages, item=rule.number),
        settings,
        parameters,
    )
    covered = switches.coverage and rule.covers_all
    share = parameters["selection"].number("coverage_villages") if covered else rule.villages
    rank = (1 - propensity) / share
    years = np.array([*rule.first_years, NEVER])
    ends = np.cumsum(rule.year_shares) / sum(rule.year_shares)
    first = years[np.searchsorted(ends, rank)]
    first[first > settings.periods[1]] = NEVER
    dose = _doses(rule, Stream.VILLAGE_DOSE, villages, seed)
    if rule.village_amount:
        persons = places.census * parameters["households"].number("size_mean")
        dose = np.round(rule.village_amount / persons, 2)
    return Offers(first, dose)


def takers(
    rule: Rule, offer: Offers, homes: Households, settings: Settings, parameters: Parameters
) -> Takers:
    """Draw which households take part; in a programme of villages, all of the village."""
    offered = offer.first_year[homes.village]
    if rule.level == "village":
        return Takers(offered, offer.dose[homes.village])
    seed = settings.seed
    propensity = _propensity(
        rule,
        rule.select_household,
        (homes.level_score, homes.trend_score, homes.bundle),
        normal(seed, Stream.TAKE_UP, homes.number, item=rule.number),
        settings,
        parameters,
    )
    covered = settings.switches.coverage and rule.covers_all
    share = parameters["selection"].number("coverage_households") if covered else rule.take_up
    joins: Booleans = (offered != NEVER) & (propensity > 1 - share)
    if rule.eligible == "registered":
        joins &= homes.registered
    delay = np.searchsorted(
        np.cumsum(rule.delays)[:-1], uniform(seed, Stream.DELAY, homes.number, item=rule.number)
    )
    cohort = np.where(joins, offered + delay, NEVER)
    cohort[cohort > settings.periods[1]] = NEVER
    return Takers(cohort, _doses(rule, Stream.DOSE, homes.number, seed))


def _propensity(
    rule: Rule,
    select_level: float,
    scores: tuple[Floats, Floats, Floats],
    noise: Floats,
    settings: Settings,
    parameters: Parameters,
) -> Floats:
    """Return a uniform rank that leans on level, trend and bundle where these are switched on."""
    switches = settings.switches
    loads = (
        select_level if switches.selection_level else 0.0,
        rule.select_trend if switches.selection_trend else 0.0,
        parameters["selection"].number("bundle") if switches.bundling else 0.0,
    )
    rest = np.sqrt(max(0.0, 1 - sum(load**2 for load in loads)))
    latent = rest * noise
    for load, score in zip(loads, scores, strict=True):
        if load:
            latent = latent + load * score
    result: Floats = ndtr(latent)
    return result


def _doses(rule: Rule, stream: Stream, units: Integers, seed: int) -> Floats:
    noise = normal(seed, stream, units, item=rule.number)
    return np.round(rule.dose * np.exp(rule.dose_sd * noise), 2)
