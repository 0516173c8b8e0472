"""Leads tested, and what that test could have seen: the trend it finds with a given power.

A test of leads that finds nothing says little where it had no power: Roth (2022, American Economic
Review: Insights 4(3)) asks which linear difference in trends it would have found, say, four times
in five, and how far such a trend would move the estimate.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from scipy import special  # type: ignore[import-untyped]

from analysis.did.estimators.aggregate import aggregate
from analysis.did.estimators.effect_set import EffectSet
from analysis.did.estimators.table import Table, refuse
from analysis.inference.arrays import Floats, Integers
from analysis.inference.wald import WaldTest
from analysis.results import formatting

FARTHEST = 1e8
"""Noncentrality beyond which the search for a detectable trend is given up."""


@dataclass(frozen=True)
class PreTrends:
    """A joint test of leads, and the linear trend that it finds with a given power.

    Attributes
    ----------
    test : WaldTest
        That all leads are zero.
    event_times : tuple of int
        Leads tested.
    alarm : bool
        Whether the test rejects at one less `level`.
    level, power : float
        Of the test, and asked of it.
    slope : float
        Difference in trends, in the outcome's unit a period, that the test finds with that power.
    bias : float
        How far such a trend moves the overall effect, were it to go on.
    bias_at : mapping of int to float
        How far it moves the effect at each event time.
    """

    test: WaldTest
    event_times: tuple[int, ...]
    alarm: bool
    level: float
    power: float
    slope: float
    bias: float
    bias_at: dict[int, float]

    def __repr__(self) -> str:
        times = ", ".join(f"{time}".replace("-", "−") for time in self.event_times)
        lines = [
            f"Effects before treatment (event time {times}) are all zero:"
            f" p {formatting.p_value(self.test.p_value)}",
            f"  Wald statistic {self.test.statistic:.2f} of {self.test.restrictions} effects",
        ]
        if np.isfinite(self.slope):
            digits = formatting.places(abs(self.slope))
            slope, bias = (formatting.number(x, digits) for x in (self.slope, self.bias))
            lines.append(
                f"  a linear trend of {slope} a period is found with probability {self.power:.0%};"
                f" it moves the mean effect by {bias}"
            )
        else:
            lines.append("  no linear trend, however steep, is found with that probability")
        return "\n".join(lines)


def pre_trends(
    effects: EffectSet,
    table: Table,
    outcome: str,
    *,
    first: int | None = None,
    overall: str = "simple",
    level: float = 0.95,
    power: float = 0.8,
) -> PreTrends:
    """Test the leads of an outcome, and say which linear trend that test would have found.

    Parameters
    ----------
    effects : EffectSet
        Group-time effects with a universal base and with leads.
    table : Table
        The table they were made from.
    outcome : str
        Which outcome.
    first : int, optional
        Earliest event time tested; all leads if left out.
    overall : str
        The aggregation whose bias is asked for.
    level, power : float
        Of the test, and wanted of it.

    Returns
    -------
    PreTrends
        Leads are the event times before the base; periods of anticipation are left out.

    Raises
    ------
    FaultsError
        If the base is not universal, there is no lead, leads are as many as the effective clusters
        of the smaller arm, or one has no standard error.

    Notes
    -----
    The power is that of Hotelling's T² at a linear trend: the noncentral F distribution with
    noncentrality γ² d′V⁻¹d, where d are the periods between each lead and the base and V their
    covariance. Bias is that of a trend that goes on, not conditional on a test passed.
    """
    if effects.about.base != "universal":
        refuse(
            "leads of a varying base are changes from year to year, not a path",
            "estimate with the universal base",
            column="base",
            value=effects.about.base,
        )
    estimates = effects.select(outcome=outcome)
    events = aggregate(estimates, table, ("event_time",))
    elapsed = _elapsed(estimates, table, ("event_time",))
    # A base of its own for each cohort: then the earliest of them.
    base = [
        -1 - effects.about.anticipation if key.base is None else key.base for key in events.keys
    ]
    at = np.array([key.at or 0 for key in events.keys])
    leads = (at < min(base)) & (at >= (at.min() if first is None else first))
    if not leads.any():
        refuse(
            "there is no period before the base to test",
            "use a panel with earlier periods" if first is None else "choose an earlier first=",
            column="event_time",
            value=outcome if first is None else first,
        )
    tested = events.at(leads)
    test = tested.wald()
    degrees, k = float(tested.degrees.min()), len(tested)
    distance = elapsed.points[leads]
    information = float(distance @ np.linalg.solve(tested.covariance, distance))
    slope = detectable(information, k, degrees, level=level, power=power)
    return PreTrends(
        test=test,
        event_times=tuple(int(key.at or 0) for key in tested.keys),
        alarm=test.p_value < 1 - level,
        level=level,
        power=power,
        slope=slope,
        bias=float(slope * _elapsed(estimates, table, (overall,)).points[0]),
        bias_at={
            int(key.at or 0): float(slope * gone)
            for key, gone in zip(elapsed.keys, elapsed.points, strict=True)
        },
    )


def _elapsed(effects: EffectSet, table: Table, wanted: tuple[str, ...]) -> EffectSet:
    """Return the periods between period and base, added up as effects are."""
    gone: Integers = np.array([(key.period or 0) - (key.base or 0) for key in effects.keys])
    return aggregate(
        replace(effects, points=gone.astype(np.float64)), table, wanted, shares="fixed"
    )


def detectable(
    information: float, restrictions: int, degrees: float, *, level: float, power: float
) -> float:
    """Return the slope that a joint test of leads finds with a given power.

    Parameters
    ----------
    information : float
        d′V⁻¹d: squared distances of the leads from the base over their covariance.
    restrictions : int
        Leads tested, k.
    degrees : float
        Degrees of freedom m; infinite: chi-squared.
    level, power : float
        Of the test, and wanted of it.

    Examples
    --------
    One lead, one period from its base, standard error 1, normal quantiles: the slope found four
    times in five is 1.96 + 0.84 standard errors (the other side adds almost nothing).

    >>> round(detectable(1.0, 1, np.inf, level=0.95, power=0.8), 2)
    2.8
    """

    def rejection_probability(noncentrality: float) -> float:
        if np.isinf(degrees):
            critical = special.chdtri(restrictions, 1 - level)
            return 1 - float(special.chndtr(critical, restrictions, noncentrality))
        below = degrees - restrictions + 1
        critical = special.fdtri(restrictions, below, level)
        return 1 - float(special.ncfdtr(restrictions, below, noncentrality, critical))

    if np.isfinite(degrees) and degrees - restrictions + 1 <= 0:
        return float("nan")  # the test has no distribution: nothing could be found
    top = 1.0
    while not rejection_probability(top) >= power:
        top *= 2
        if top > FARTHEST:
            return float("nan")
    from scipy.optimize import brentq  # type: ignore[import-untyped]  # slow to import

    needed = brentq(lambda x: rejection_probability(x) - power, 1e-9, top)
    return float(np.sqrt(needed / information))


def path(tested: PreTrends) -> tuple[Integers, Floats]:
    """Return event times and the path of the trend that would have been found, to be drawn."""
    times = np.array(sorted(tested.bias_at))
    return times, np.array([tested.bias_at[int(time)] for time in times])
