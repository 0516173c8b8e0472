"""What an estimate is of, what was compared, and all that a page prints of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Key:
    """What an estimate is of.

    Attributes
    ----------
    outcome : str
        Name of the outcome.
    aggregation : str
        ``group_time``, or one of `analysis.panels.estimands.AGGREGATIONS`.
    at : int or None
        Event time, cohort or period of an aggregate.
    cohort, period, base : int or None
        Of a group-time effect: first treated period, the period, and the one it is compared with.
        Of an effect by event time `base` is the event time it is compared with, None if several.
    programme : str
        What was treated.
    """

    outcome: str
    aggregation: str
    at: int | None = None
    cohort: int | None = None
    period: int | None = None
    base: int | None = None
    programme: str = ""

    @property
    def estimand(self) -> str:
        """Name of the estimand.

        Examples
        --------
        >>> Key("wage", "event_time", at=2).estimand, Key("wage", "simple").estimand
        ('event_time(2)', 'simple')
        >>> Key("wage", "group_time", cohort=2015, period=2016).estimand
        'group_time(2015, 2016)'
        """
        if self.aggregation == "group_time":
            return f"group_time({self.cohort}, {self.period})"
        return self.aggregation if self.at is None else f"{self.aggregation}({self.at})"


@dataclass(frozen=True)
class About:
    """What was estimated and from what.

    Attributes
    ----------
    estimator : str
        ``group_time``, ``imputation``, ``two_way``; of microdata, in words.
    tier : str
        Evidence tier.
    controls, base, where : str
        Who was compared, with which period, and where they live; empty if that has no meaning.
    anticipation : int
        Periods before the first in which the programme may act.
    weights : str
        ``none`` or ``baseline weights``.
    handling : str
        Of households not always seen.
    rows_in, rows_used : int
        Household × period records of the source, and those that entered an estimate.
    n_units : tuple of int, or None
        Distinct units treated and not treated that entered; None where it is not told.
    left_out : mapping of str to int
        Records not used, by reason.
    parity_factor : float
        What the parity variance is multiplied by.
    units : mapping of str to str
        Unit of each outcome.
    covariates : tuple of str
        Covariates adjusted for.
    library : str
        The library behind the estimate with its version; empty where it is this project.
    """

    estimator: str
    tier: str
    controls: str = ""
    base: str = ""
    where: str = ""
    anticipation: int = 0
    weights: str = "none"
    handling: str = "balanced"
    rows_in: int = 0
    rows_used: int = 0
    n_units: tuple[int, int] | None = None
    left_out: Mapping[str, int] = field(default_factory=dict)
    parity_factor: float = 1.0
    units: Mapping[str, str] = field(default_factory=dict)
    covariates: tuple[str, ...] = ()
    library: str = ""


@dataclass(frozen=True)
class Effect:
    """One estimate, all that a page prints of it.

    Attributes
    ----------
    key : Key
        What it is of.
    estimate, std_error, ci_low, ci_high : float
        NaN where there is no interval; `note` says why.
    degrees : float
        Degrees of freedom.
    convention : str
        ``reported`` or ``parity``.
    n_villages_treated, n_villages_control, n_villages : int
        Villages by arm, and in either.
    n_households_treated, n_households_control : int or None
        Households by arm (of an aggregate: added over its comparisons); None where a pack does not
        tell.
    note : str
        Why there is no interval; empty if there is one.
    effective_treated, effective_control : float
        Effective clusters by arm, (Σw)²/Σw² of the weights of villages.
    max_leverage : float
        Largest share of an arm that one village holds; NaN where a pack does not tell.
    about : About
        What was compared.
    """

    key: Key
    estimate: float
    std_error: float
    ci_low: float
    ci_high: float
    degrees: float
    convention: str
    n_villages_treated: int
    n_villages_control: int
    n_villages: int
    n_households_treated: int | None
    n_households_control: int | None
    note: str
    effective_treated: float
    effective_control: float
    max_leverage: float
    about: About

    def __str__(self) -> str:
        interval = self.note or f"{self.ci_low:,.6g} to {self.ci_high:,.6g}"
        return (
            f"{self.key.estimand} on {self.key.outcome}: {self.estimate:,.6g} ({interval};"
            f" villages {self.n_villages_treated} treated,"
            f" {self.n_villages_control} control, effective {self.effective_treated:g} and"
            f" {self.effective_control:g})"
        )
