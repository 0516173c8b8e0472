"""Columns of a frame of units over time."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Columns:
    """Which column is what.

    Attributes
    ----------
    outcomes : tuple of str
        Numbers.
    unit, time, first, cluster : str
        Unit followed over time (empty: other units in each period), period, first treated period,
        cluster.
    weight, strata, psu, within : str
        Weights; design strata and primary sampling units of the sample; groups inside which units
        are compared. Empty where there is none.
    covariates : tuple of str
        Numbers, measured before treatment.
    """

    outcomes: tuple[str, ...]
    unit: str
    time: str
    first: str
    cluster: str
    weight: str = ""
    strata: str = ""
    psu: str = ""
    within: str = ""
    covariates: tuple[str, ...] = ()

    def named(self) -> dict[str, str]:
        """Return every column that is used, with what it is used for."""
        roles = dict.fromkeys(self.outcomes, "y") | dict.fromkeys(self.covariates, "covariates")
        for role in ("unit", "time", "first", "cluster", "weight", "strata", "psu", "within"):
            if getattr(self, role):
                roles.setdefault(getattr(self, role), role)
        return roles
