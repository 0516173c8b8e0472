"""Villages and counties of the model panel: levels, trends, shared shocks."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl

from analysis.panels.model.draws import Floats, Integers, Stream, normal, persistent, uniform
from analysis.panels.model.parameters import Parameters
from analysis.panels.model.settings import Settings


@dataclass(frozen=True)
class Places:
    """Every village, in the order of its number; v villages, t periods.

    Attributes
    ----------
    start : array of int, shape (v + 1,)
        First household of each village; village j has households start[j] to start[j + 1] - 1.
    county, prefecture : array of int, shape (v,)
        By number.
    census : array of int, shape (v,)
        Households that live in the village.
    remoteness : array of float, shape (v,)
        Kilometres of road to the county town.
    level_score, trend_score : array of float, shape (v,)
        Standardised level and trend of income, on which selection acts.
    log_income : array of float, shape (v, t)
        Level, trend and shocks shared by the village, log income.
    business : array of float, shape (v, t)
        Factor on business income from prices and snow.
    loss : array of float, shape (v, t)
        Probability that a business ends the year with a loss.
    bundle : array of float, shape (v,)
        Standard normal common to all programmes of the village.
    """

    start: Integers
    county: Integers
    prefecture: Integers
    census: Integers
    remoteness: Floats
    level_score: Floats
    trend_score: Floats
    log_income: Floats
    business: Floats
    loss: Floats
    bundle: Floats


def build(settings: Settings, parameters: Parameters) -> Places:
    """Draw every village and its years."""
    seed, years = settings.seed, settings.years
    places, shocks = parameters["places"], parameters["shocks"]
    villages = np.arange(settings.villages, dtype=np.int64)
    county = villages // int(places.number("villages_per_county"))
    counties = np.arange(county[-1] + 1, dtype=np.int64)
    start = _starts(
        settings, normal(seed, Stream.VILLAGE_SIZE, villages), places.number("village_size_sd")
    )
    census = places.number("census_median") * np.exp(
        places.number("census_sd") * normal(seed, Stream.VILLAGE_CENSUS, villages)
    )
    distance = normal(seed, Stream.VILLAGE_REMOTENESS, villages)
    own = places.number("village_sd") * normal(seed, Stream.VILLAGE_LEVEL, villages)
    own += places.number("remoteness_slope") * distance
    among_counties = places.number("county_sd") * normal(seed, Stream.COUNTY_LEVEL, counties)
    level = own + among_counties[county]
    trend_score = normal(seed, Stream.VILLAGE_TREND, villages)
    shared = persistent(
        normal(seed, Stream.VILLAGE_SHOCK, villages, years),
        places.number("village_shock_persistence"),
        places.number("village_shock_sd"),
    )
    shared += (
        places.number("county_shock_sd") * normal(seed, Stream.COUNTY_SHOCK, counties, years)
    )[county]
    growth = places.number("village_trend_sd") * trend_score[:, None] * (years - years[0])
    herds = np.clip(
        shocks.number("herds_mean")
        + shocks.number("herds_sd") * normal(seed, Stream.VILLAGE_HERDS, villages),
        0,
        1,
    )[:, None]
    price = shocks.number("price_sd") * normal(seed, Stream.PRICE, np.zeros(1, np.int64), years)
    snow = uniform(seed, Stream.COUNTY_SNOW, counties, years) < shocks.number("snow_probability")
    snowed = snow[county]
    spread = np.sqrt(
        places.number("county_sd") ** 2
        + places.number("village_sd") ** 2
        + places.number("remoteness_slope") ** 2
    )
    return Places(
        start=start,
        county=county,
        prefecture=county // int(places.number("counties_per_prefecture")),
        census=np.maximum(np.rint(census).astype(np.int64), np.diff(start)),
        remoteness=np.round(
            places.number("remoteness_median") * np.exp(places.number("remoteness_sd") * distance),
            1,
        ),
        level_score=level / spread,
        trend_score=trend_score,
        log_income=level[:, None] + growth + shared,
        business=np.exp(herds * price) * (1 - shocks.number("snow_loss") * herds * snowed),
        loss=np.where(
            snowed, shocks.number("loss_probability_snow"), shocks.number("loss_probability")
        ),
        bundle=normal(seed, Stream.VILLAGE_BUNDLE, villages),
    )


def _starts(settings: Settings, noise: Floats, sd: float) -> Integers:
    """Cut the households into villages of unequal size, each with at least one."""
    size = np.exp(sd * noise)
    spare = settings.households - settings.villages
    ends = np.floor(np.cumsum(size) / size.sum() * spare).astype(np.int64)
    ends[-1] = spare
    return np.concatenate([[0], ends + np.arange(1, settings.villages + 1)])


def names(letter: str, numbers: Integers, digits: int) -> pl.Series:
    """Return names whose order as text is the order of the numbers.

    Examples
    --------
    >>> names("v", np.array([3, 12]), 4).to_list()
    ['v0003', 'v0012']
    """
    return letter + pl.Series(numbers).cast(pl.String).str.zfill(digits)


def frame(places: Places) -> pl.DataFrame:
    """Return the villages table of the contract."""
    numbers = np.arange(places.county.size, dtype=np.int64)
    return pl.DataFrame(
        {
            "village": names("v", numbers, 6),
            "county": names("c", places.county, 5),
            "prefecture": names("p", places.prefecture, 4),
            "n_households": pl.Series(places.census, dtype=pl.Int32),
            "remoteness_km": places.remoteness,
        }
    )
