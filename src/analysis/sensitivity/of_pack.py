"""What a pack lets one ask of trends: its event study with one base, and how far it holds."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl

from analysis.effects.pack_effects import PackEffects
from analysis.effects.pack_texts import Sentence
from analysis.faults import FaultsError
from analysis.printing import escaped
from analysis.sensitivity import event_study, trends
from analysis.sensitivity.event_study import EventStudy


@dataclass(frozen=True)
class Inputs:
    """The event study of a pack that questions of trends start from.

    Attributes
    ----------
    study : EventStudy or None
        Of the widest span of event times that its villages allow; None if there is none.
    why : str
        Why there is none; empty if there is one.
    outcome, estimand : str
        What it is of.
    dropped : tuple of int
        Event times at the ends left out, because too few villages reach them.
    """

    study: EventStudy | None
    why: str
    outcome: str = ""
    estimand: str = ""
    dropped: tuple[int, ...] = ()


def inputs(found: PackEffects, outcome: str = "") -> Inputs:
    """Take the inputs of a sensitivity analysis out of a pack.

    Event times whose error the pack does not tell are left out, then those at the ends, with fewest
    villages first, until there are more villages in the smaller arm than event times.

    Parameters
    ----------
    found : PackEffects
        From `analysis.effects.from_pack.estimate`.
    outcome : str
        Which outcome; the first by event time if empty.
    """
    why = "no estimand by event time was declared"
    for name in dict.fromkeys(found.names):
        own = found.estimand(name).select(aggregation="event_time")
        if outcome:
            own = own.select(outcome=outcome)
        if not len(own):
            continue
        own = own.select(outcome=own.keys[0].outcome)
        own = own.at(np.argsort(np.array([key.at for key in own.keys], int)))
        told = np.isfinite(own.std_errors)
        dropped = [int(key.at or 0) for key in own.at(~told).keys]
        own = own.at(told)
        while len(own) > 1 and len(own) >= int(own.smaller_effective.min()):
            fewest = own.smaller_effective
            end = 0 if fewest[0] <= fewest[-1] else len(own) - 1
            dropped.append(int(own.keys[end].at or 0))
            own = own.at(np.arange(len(own)) != end)
        try:
            study = event_study.of_effects(own, own.keys[0].outcome)
        except FaultsError as error:
            why = error.faults[0].problem
            continue
        return Inputs(study, "", study.outcome, name, tuple(sorted(dropped)))
    return Inputs(None, why)


def sentence(found: Inputs) -> Sentence:
    """Say what the pack lets one ask of trends before treatment, or why nothing."""
    if found.study is None:
        return Sentence(f"This pack says nothing of how far trends may differ: {found.why}.")
    left = ", ".join(map(str, found.dropped))
    short = (
        f" Too few villages reach these event times, which are left out: {left}." if left else ""
    )
    return Sentence(
        f"The points and the joint covariance of *{escaped(found.estimand)}* on {found.outcome}, "
        f"with one base for all years, are all that this takes.{short}"
    )


def table(found: Inputs) -> pl.DataFrame:
    """Return the inputs as a table: at, estimate, std_error; the reference is not in it."""
    if found.study is None:
        return pl.DataFrame(
            schema={"at": pl.Int64, "estimate": pl.Float64, "std_error": pl.Float64}
        )
    return pl.DataFrame(
        {
            "at": found.study.times,
            "estimate": found.study.points,
            "std_error": np.sqrt(np.diag(found.study.covariance)),
        }
    )


def bounds(found: Inputs) -> pl.DataFrame:
    """Return intervals of the mean effect after treatment under relative bounds on trends.

    Returns
    -------
    polars.DataFrame
        As `analysis.sensitivity.trends.relative_magnitudes`; without rows if there are no inputs.
    """
    if found.study is None:
        columns = ("bound", "set_low", "set_high", "ci_low", "ci_high")
        return pl.DataFrame(schema=dict.fromkeys(columns, pl.Float64))
    return trends.relative_magnitudes(found.study, found.study.average())
