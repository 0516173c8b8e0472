"""Income without any programme, by source, before it is scaled to the official means."""

from __future__ import annotations

import numpy as np

from analysis.panels.model.draws import Floats, Stream, normal, persistent, uniform
from analysis.panels.model.households import Households
from analysis.panels.model.parameters import Parameters
from analysis.panels.model.places import Places
from analysis.panels.model.settings import Settings

WAGE, BUSINESS = 0, 1


def incomes(
    homes: Households, places: Places, settings: Settings, parameters: Parameters
) -> list[Floats]:
    """Return income by source in units of its own; `calibration` turns them into fen.

    Returns
    -------
    list of four arrays of float, shape (n, t)
        Wage, business, property, transfer. Only business can be negative.
    """
    seed, years = settings.seed, settings.years
    p, q = parameters["households"], parameters["sources"]
    log_income = persistent(
        normal(seed, Stream.SHOCK, homes.number, years),
        p.number("shock_persistence"),
        p.number("shock_sd"),
    )
    log_income += places.log_income[homes.village]
    log_income += (p.number("level_sd") * homes.level_score)[:, None]
    log_income += p.number("trend_sd") * homes.trend_score[:, None] * (years - years[0])
    has, level_sd, shock_sd, slope = (
        q.numbers(name) for name in ("has", "level_sd", "shock_sd", "income_slope")
    )
    results = []
    for s in range(4):
        level = level_sd[s] * normal(seed, Stream.SOURCE_LEVEL, homes.number, item=s)
        log_source = shock_sd[s] * normal(seed, Stream.SOURCE_SHOCK, homes.number, years, item=s)
        log_source += slope[s] * log_income
        log_source += level[:, None]
        present = uniform(seed, Stream.HAS_SOURCE, homes.number, item=s) < has[s]
        scale = present.astype(np.float64)
        if s == WAGE:
            scale *= homes.workers / homes.size
        results.append(np.exp(log_source) * scale[:, None] * homes.members)
    business = results[BUSINESS]
    business *= places.business[homes.village]
    draw = uniform(seed, Stream.LOSS, homes.number, years)
    lost = draw < places.loss[homes.village]
    business[lost] *= -parameters["shocks"].number("loss_size")
    return results
