"""Random numbers that belong to a household, not to the order of computing.

The generator is SplitMix64 (Steele, Lea and Flood 2014) used as a counter: the draw of a stream for
a unit in a period is a hash of (seed, stream, unit, period). Cutting the panel into other chunks,
or computing a part of it, gives every household the same numbers.
"""

from __future__ import annotations

from enum import IntEnum, auto
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri  # type: ignore[import-untyped]

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
Booleans = NDArray[np.bool_]
Keys = NDArray[np.uint64]

GOLDEN: Final = np.uint64(0x9E3779B97F4A7C15)
MIX_1: Final = np.uint64(0xBF58476D1CE4E5B9)
MIX_2: Final = np.uint64(0x94D049BB133111EB)


class Stream(IntEnum):
    """What a random number is for; a new use gets a new name at the end."""

    VILLAGE_SIZE = auto()
    VILLAGE_CENSUS = auto()
    VILLAGE_LEVEL = auto()
    VILLAGE_TREND = auto()
    VILLAGE_SHOCK = auto()
    VILLAGE_HERDS = auto()
    VILLAGE_REMOTENESS = auto()
    VILLAGE_BUNDLE = auto()
    VILLAGE_OFFER = auto()
    VILLAGE_DOSE = auto()
    COUNTY_LEVEL = auto()
    COUNTY_SHOCK = auto()
    COUNTY_SNOW = auto()
    PRICE = auto()
    SIZE = auto()
    WORKERS = auto()
    LEVEL = auto()
    TREND = auto()
    REGISTER = auto()
    SHOCK = auto()
    LOSS = auto()
    HAS_SOURCE = auto()
    SOURCE_LEVEL = auto()
    SOURCE_SHOCK = auto()
    MEMBERS = auto()
    BUNDLE = auto()
    TAKE_UP = auto()
    DELAY = auto()
    DOSE = auto()
    RESPONSE = auto()
    ATTRITION = auto()
    NOT_REACHED = auto()
    ITEM_MISSING = auto()
    HEAPING = auto()
    COLLECTIVE = auto()
    COLLECTIVE_SHOCK = auto()
    COLLECTIVE_REPORT = auto()


def _mix(x: Keys) -> Keys:
    """Scramble 64 bits: the finaliser of SplitMix64."""
    x = x ^ (x >> np.uint64(30))
    x *= MIX_1
    x ^= x >> np.uint64(27)
    x *= MIX_2
    x ^= x >> np.uint64(31)
    return x


def uniform(
    seed: int, stream: Stream, units: Integers, periods: Integers | None = None, item: int = 0
) -> Floats:
    """Return one number in (0, 1) per unit, or per unit and period.

    Parameters
    ----------
    seed : int
        Of the simulation.
    stream : Stream
        What the numbers are for.
    units : array of int, shape (n,)
        Households, villages or counties by number.
    periods : array of int, shape (t,), optional
        Calendar years.
    item : int
        Programme or source by number, where a stream serves several.

    Returns
    -------
    array of float, shape (n,) or (n, t)
        Odd multiples of 2⁻⁵³, never 0 or 1.

    Examples
    --------
    >>> whole = uniform(1, Stream.LEVEL, np.arange(5))
    >>> bool((uniform(1, Stream.LEVEL, np.arange(3, 5)) == whole[3:]).all())
    True
    """
    # Whole numbers of Python, cut to 64 bits: a scalar of numpy would warn of the overflow.
    mixed = int(_mix(np.array([(seed + int(GOLDEN)) % 2**64], dtype=np.uint64))[0])
    key = _mix(np.array([(mixed + (stream * 1000 + item) * int(GOLDEN)) % 2**64], np.uint64))
    keys = _mix(key + (units.astype(np.uint64) + np.uint64(1)) * GOLDEN)
    if periods is not None:
        keys = keys[:, None] + periods.astype(np.uint64)[None, :] * GOLDEN
    bits = _mix(keys) >> np.uint64(12)
    # Half a step is added, so that neither end is reached and the normal stays finite.
    return (bits.astype(np.float64) + 0.5) * 2.0**-52


def normal(
    seed: int, stream: Stream, units: Integers, periods: Integers | None = None, item: int = 0
) -> Floats:
    """Return one standard normal per unit, or per unit and period; see `uniform`."""
    result: Floats = ndtri(uniform(seed, stream, units, periods, item))
    return result


def persistent(noise: Floats, rho: float, sd: float) -> Floats:
    """Return a stationary first-order autoregression along the periods.

    Parameters
    ----------
    noise : array of float, shape (n, t)
        Standard normals.
    rho : float
        Correlation of one period with the next.
    sd : float
        Standard deviation in each period.

    Examples
    --------
    >>> persistent(np.array([[1.0, 0.0, 0.0]]), 0.5, 2.0).tolist()
    [[2.0, 1.0, 0.5]]
    """
    result = np.empty_like(noise)
    result[:, 0] = sd * noise[:, 0]
    step = sd * float(np.sqrt(1 - rho**2))
    for t in range(1, noise.shape[1]):
        result[:, t] = rho * result[:, t - 1] + step * noise[:, t]
    return result
