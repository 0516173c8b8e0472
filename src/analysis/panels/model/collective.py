"""Books of the village collective: what they earn, and what they report near the floor."""

from __future__ import annotations

import numpy as np
import polars as pl

from analysis import money
from analysis.panels.model.draws import Stream, normal, uniform
from analysis.panels.model.places import names
from analysis.panels.model.world import World

ENTERPRISE = "collective_enterprise"


def books(world: World) -> pl.DataFrame:
    """Return the books of every village and year.

    Returns
    -------
    polars.DataFrame
        village, period, net_income (as reported), paid_out, and true_net_income: Int64 fen.
    """
    p, settings = world.parameters["collective"], world.settings
    villages = np.arange(settings.villages, dtype=np.int64)
    years = settings.years
    log = p.number("sd") * normal(settings.seed, Stream.COLLECTIVE, villages)[:, None]
    log = log + p.number("shock_sd") * normal(
        settings.seed, Stream.COLLECTIVE_SHOCK, villages, years
    )
    yuan = p.number("median") * np.exp(log + p.number("growth") * (years - 2020))
    numbers = {rule.name: rule.number for rule in world.parameters.rules}
    if ENTERPRISE in numbers:
        since = world.offers[numbers[ENTERPRISE]].first_year[:, None] <= years
        yuan = yuan + since * p.number("enterprise_gain")
    true = np.rint(yuan * world.fen).astype(np.int64)
    reported = true.copy()
    if settings.switches.misreporting:
        floor = int(p.number("floor")) * money.FEN_PER_YUAN
        draw = uniform(settings.seed, Stream.COLLECTIVE_REPORT, villages, years)
        chance = p.number("floor_probability")
        near = (true < floor) & (true >= p.number("floor_reach") * floor)
        bends = near & (years >= p.number("floor_from")) & (draw < chance)
        above = floor * (1 + p.number("floor_margin") * (draw / chance) ** 2)
        reported = np.where(bends, np.rint(above).astype(np.int64), true)
    paid = np.rint(true * p.number("paid_out")).astype(np.int64)
    return pl.DataFrame(
        {
            "village": names("v", villages.repeat(years.size), 6),
            "period": pl.Series(np.tile(years, villages.size), dtype=pl.Int32),
            "net_income": reported.ravel(),
            "paid_out": paid.ravel(),
            "true_net_income": true.ravel(),
        }
    )
