"""The parameters of disclosure control, from ``data/parameters/disclosure.toml``."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import cache

from analysis import paths


@dataclass(frozen=True)
class Parameters:
    """How strict disclosure control is where an estimands file asks for no more.

    Attributes
    ----------
    min_households, fewest_ever : int
        Households behind every number; and the least that a file may ask for.
    min_villages : int
        Villages behind every number.
    two_largest : float
        Most that the two largest households may make of a sum of absolute values.
    within : float
        How closely nobody may know the largest, by what is published and the second largest.
    residual_degrees : int
        Villages of the smaller arm less the rank of a published covariance, at least.
    few_villages : int
        Villages in an arm up to which errors have fewer digits and no covariance is published.
    digits, digits_few_villages : int
        Significant digits of errors.
    errors_without_matrix : int
        Errors that a pack without a covariance carries at most.
    largest_system : int
        Sums plus unknowns up to which the audit is made; beyond, the pack is refused.
    """

    min_households: int
    fewest_ever: int
    min_villages: int
    two_largest: float
    within: float
    residual_degrees: int
    few_villages: int
    digits: int
    digits_few_villages: int
    errors_without_matrix: int
    largest_system: int


@cache
def parameters() -> Parameters:
    """Return the parameters."""
    text = (paths.data() / "parameters" / "disclosure.toml").read_text(encoding="utf-8")
    return Parameters(**{name: entry["value"] for name, entry in tomllib.loads(text).items()})
