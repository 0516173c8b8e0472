"""What each programme adds to each source of a household's income: whole fen, kept apart.

Effects add: a household's income is its income without programmes, plus the direct effect of each
programme it takes part in, plus the spillover of each programme on it. So taking one programme
away, all others as they are, leaves a potential outcome that is known exactly.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from analysis.panels.model.assignment import NEVER, Takers
from analysis.panels.model.draws import Booleans, Floats, Integers, Stream, normal
from analysis.panels.model.households import Households
from analysis.panels.model.parameters import Rule
from analysis.panels.model.settings import Settings
from analysis.panels.model.untreated import WAGE

WAGE_SHARE_AT_STAKE = 4
"""A spillover takes at most this part (a quarter) of a wage, so that no wage falls below zero."""


@dataclass(frozen=True)
class Effect:
    """One programme among n households over t periods; m of them take part.

    Attributes
    ----------
    rule : Rule
        The programme.
    takers : Takers
        Cohort and dose of all n households.
    rows : array of int, shape (m,)
        Which of the n take part.
    direct : dict of int to array of int, shape (m, t)
        Source to effect of the household's own participation, nominal fen.
    spillover : dict of int to array of int, shape (n, t)
        Source to effect of the participation of others in the village, nominal fen.
    """

    rule: Rule
    takers: Takers
    rows: Integers
    direct: dict[int, Integers]
    spillover: dict[int, Integers]


def effect(
    rule: Rule,
    takers: Takers,
    homes: Households,
    wage: Integers,
    fen: Floats,
    settings: Settings,
) -> Effect:
    """Work out what a programme does to each household.

    Parameters
    ----------
    rule, takers, homes
        The programme, who takes part, and the households: whole villages only.
    wage : array of int, shape (n, t)
        Wage income without programmes, fen.
    fen : array of float, shape (t,)
        Nominal fen of each year per yuan of the parameters.
    settings : Settings
        Switches say whether there is anticipation and spillover.
    """
    rows = np.flatnonzero(takers.cohort != NEVER)
    since = settings.years - takers.cohort[rows][:, None]
    scale = _scale(rule, takers, homes, rows, settings)
    direct = {
        s: np.rint(
            _path(rule, s, path, settings)[_step(since, path)] * scale[:, None] * fen
        ).astype(np.int64)
        for s, path in rule.effects.items()
    }
    spillover = {}
    if settings.switches.spillover and rule.spillovers:
        exposure = exposure_of(takers.cohort, homes.village, settings)
        for s, yuan in rule.spillovers.items():
            spillover[s] = np.rint(exposure * yuan * fen).astype(np.int64)
        if WAGE in spillover:
            spillover[WAGE] = np.maximum(spillover[WAGE], -(wage // WAGE_SHARE_AT_STAKE))
    return Effect(rule, takers, rows, direct, spillover)


def _scale(
    rule: Rule, takers: Takers, homes: Households, rows: Integers, settings: Settings
) -> Floats:
    """Return how strongly a programme works on each participant; 1 is the path as written."""
    own = normal(settings.seed, Stream.RESPONSE, homes.number[rows], item=rule.number)
    # Less half the variance, so that the mean over households stays one.
    scale = np.exp(rule.spread * own - rule.spread**2 / 2)
    scale *= (takers.dose[rows] / rule.dose) ** rule.dose_elasticity
    scale *= np.where(homes.registered[rows], rule.registered, 1.0)
    if rule.per_member:
        scale *= homes.size[rows]
    return scale


def _path(rule: Rule, source: int, path: tuple[float, ...], settings: Settings) -> Floats:
    """Return the effect two or more years before, the year before, and from the start on."""
    before = rule.anticipations.get(source, 0.0) if settings.switches.anticipation else 0.0
    return np.array([0.0, before, *path])


def _step(since: Integers, path: tuple[float, ...]) -> Integers:
    """Return where in `_path` a number of years since the start stands."""
    return np.clip(since + 2, 0, len(path) + 1)


def exposure_of(cohort: Integers, village: Integers, settings: Settings) -> Floats:
    """Return the share of the other households of the village that take part, by year.

    Parameters
    ----------
    cohort, village : array of int, shape (n,)
        Of whole villages; the village numbers in rising order.

    Returns
    -------
    array of float, shape (n, t)
        0 in a village of one household.

    Examples
    --------
    >>> two = Settings(4, 2, (2014, 2015), 1)
    >>> exposure_of(np.array([2014, NEVER, 2015]), np.zeros(3, int), two).tolist()
    [[0.0, 0.5], [0.5, 1.0], [0.5, 0.5]]
    """
    treated = (cohort[:, None] <= settings.years).astype(np.int64)
    first = np.flatnonzero(np.diff(village, prepend=-1))
    place = np.cumsum(np.diff(village, prepend=-1) != 0) - 1
    sums = np.add.reduceat(treated, first, axis=0)
    others = np.diff(first, append=village.size)[place] - 1
    result: Floats = (sums[place] - treated) / np.maximum(others, 1)[:, None]
    return result


def exposed(takers: Takers, village: Integers) -> tuple[Integers, Integers]:
    """Return who never takes part in villages where others do, and the village's first year.

    Returns
    -------
    rows, cohort : array of int, shape (k,)
        Households, and the first year in which someone of their village takes part.
    """
    starts = np.flatnonzero(np.diff(village, prepend=-1))
    place = np.cumsum(np.diff(village, prepend=-1) != 0) - 1
    first = np.minimum.reduceat(takers.cohort, starts)[place]
    rows = np.flatnonzero((takers.cohort == NEVER) & (first != NEVER))
    return rows, first[rows]


def dip(takers: Takers, settings: Settings) -> Booleans:
    """Return where wages fall because the household is about to enrol, shape (n, t)."""
    result: Booleans = takers.cohort[:, None] - 1 == settings.years
    return result
