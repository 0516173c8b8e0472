"""Event studies with their joint covariance, from estimated effects or from a published pack."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from analysis.did.estimators.estimates import Estimates
from analysis.did.estimators.table import refuse
from analysis.inference.arrays import Floats, Integers


@dataclass(frozen=True, eq=False)
class EventStudy:
    """Effects by event time with their joint covariance: n event times, none the reference.

    Attributes
    ----------
    outcome : str
        Name of the outcome.
    times : array, shape (n,)
        Event times, ascending; those below `reference` come before treatment.
    reference : int
        Event time of the universal base, where the effect is zero by definition.
    points : array, shape (n,)
        Effects, in the unit of the outcome.
    covariance : array, shape (n, n)
        Their covariance (CV3 by default).
    degrees : float
        Degrees of freedom of the intervals; infinite for normal quantiles.
    smaller_arm : int
        Effective clusters of the smaller arm, rounded down.

    Raises
    ------
    FaultsError
        If there is no coefficient before or after, the covariance is not one, or there are as many
        coefficients as effective clusters in the smaller arm.
    """

    outcome: str
    times: Integers
    reference: int
    points: Floats
    covariance: Floats
    degrees: float
    smaller_arm: int

    def __post_init__(self) -> None:
        n = self.times.size
        if self.points.shape != (n,) or self.covariance.shape != (n, n):
            refuse(
                "points and covariance do not fit the event times",
                "give one row per time",
                column="covariance",
                value=self.covariance.shape,
            )
        if not (self.before and self.after):
            refuse(
                "an event study needs effects before and after treatment",
                "use more periods, or fewer periods of anticipation",
                column="event time",
                value=self.times.tolist(),
            )
        if not np.isfinite(self.covariance).all():
            refuse(
                "some effects have no standard error",
                "leave those event times out",
                column="covariance",
                value=self.outcome,
            )
        if n >= self.smaller_arm:
            refuse(
                "there are as many event times as effective clusters in the smaller arm",
                "look at fewer event times",
                column="event time",
                value=f"{n} for {self.smaller_arm} clusters",
            )

    @property
    def before(self) -> int:
        """Number of event times before the reference."""
        return int((self.times < self.reference).sum())

    @property
    def after(self) -> int:
        """Number of event times from treatment on."""
        return int((self.times > self.reference).sum())

    def average(self) -> Floats:
        """Return the weights of the plain mean of the effects after treatment, shape (after,)."""
        return np.full(self.after, 1 / self.after)

    def at(self, time: int) -> Floats:
        """Return the weights of the effect at one event time, shape (after,)."""
        return np.asarray(self.times[self.before :] == time, np.float64)


def of_effects(
    effects: Estimates, outcome: str, *, first: int | None = None, last: int | None = None
) -> EventStudy:
    """Take an event study out of estimated effects.

    Parameters
    ----------
    effects : Estimates
        Aggregates by event time, of effects with the universal base; from cells, or one estimand
        of a pack: ``from_pack.estimate(pack).estimand("event study")``.
    outcome : str
        Which outcome.
    first, last : int, optional
        The event times to look at; all by default. Those of anticipation are left out, as the
        programme may act in them already.

    Raises
    ------
    FaultsError
        If the base is not universal, or as `EventStudy`.
    """
    if effects.about.base != "universal":
        refuse(
            "trends before treatment are compared with one base",
            "estimate with base universal",
            column="base",
            value=effects.about.base,
        )
    chosen = effects.select(outcome=outcome, aggregation="event_time")
    chosen = chosen.at(np.argsort(np.array([key.at for key in chosen.keys], int), kind="stable"))
    times = np.array([key.at for key in chosen.keys], int)
    reference = reference_of(chosen) if len(chosen) else -1
    if reference is None:
        refuse(
            "cohorts are compared with bases at different distances from their first period",
            "estimate each cohort by itself, or number waves so that cohorts start at a wave",
            column="base",
            value=outcome,
        )
    kept = _estimated_periods(times, reference, first, last)
    chosen = chosen.at(kept)
    if not len(chosen):
        refuse(
            "there is no event study of this outcome",
            "aggregate by event time",
            column="outcome",
            value=outcome,
        )
    return EventStudy(
        outcome,
        times[kept],
        reference,
        chosen.points,
        chosen.covariance,
        float(chosen.degrees.min()),
        int(chosen.smaller_effective.min()),
    )


def reference_of(effects: Estimates) -> int | None:
    """Return the event time that all effects by event time are compared with; None if several."""
    bases = {key.base for key in effects.keys if key.aggregation == "event_time"}
    return bases.pop() if len(bases) == 1 else None


def _estimated_periods(
    times: Integers, reference: int, first: int | None, last: int | None
) -> Integers:
    low = times.min(initial=0) if first is None else first
    high = times.max(initial=0) if last is None else last
    known = (times >= low) & (times <= high) & ((times >= 0) | (times < reference))
    return np.flatnonzero(known)
