"""What is known of an effect, and whether it fits what it is applied to."""

from __future__ import annotations

import math
from dataclasses import dataclass
from statistics import NormalDist
from typing import Any, Final, Protocol, runtime_checkable

from analysis.claims.intervals import Interval
from analysis.household import costs
from analysis.household.budget import Budget
from analysis.household.inputs import Given, Input, fault, read
from analysis.results.number import Number
from analysis.results.provenance import Provenance

BASES: Final = {
    "trainee_earnings": ("earnings",),
    "household_income": ("household income", "income"),
    "consumption": ("consumption",),
    "source_income": ("profit", "revenue", "earnings of the household"),
}
"""What per cent of the effect may be taken of, and the outcomes that fit it."""
KINDS: Final = ("offer", "participants", "area")
PUBLISHED: Final = Provenance(evidence="published")


@runtime_checkable
class Predictive(Protocol):
    """What the effect may be in the next place, as `analysis.studies` predicts it.

    Beside these, ``outcome`` (such as ``earnings``), ``effect`` (``offer`` or ``participants``),
    ``unit`` (``per cent``), ``rating`` and ``provenance`` are read where it has them.
    """

    @property
    def mean(self) -> Any:
        """Its mean."""

    @property
    def sd(self) -> Any:
        """Its standard deviation."""

    def quantile(self, p: float) -> Any:
        """Return its quantile at probability `p`."""


@runtime_checkable
class Pooled(Protocol):
    """A pooled mean that predicts the effect in the next place, as ``va.pool`` returns it."""

    def predictive(self) -> Any:
        """Return the distribution of the effect in the next place."""


Evidence = Predictive | Pooled | Number | Interval


@dataclass(frozen=True)
class NormalPredictive:
    """A normal distribution of an effect: of one estimate with its standard error.

    Attributes
    ----------
    mean, sd : float
        In `unit`.
    unit, outcome, effect, rating : str
        See `Predictive`.
    provenance : Provenance
        Of the estimate.
    """

    mean: float
    sd: float
    unit: str = "per cent"
    outcome: str = ""
    effect: str = ""
    rating: str = ""
    provenance: Provenance = PUBLISHED

    def quantile(self, p: float) -> float:
        """Return the quantile at probability `p`."""
        return self.mean if self.sd == 0 else NormalDist(self.mean, self.sd).inv_cdf(p)


def evidence_of(effect: object) -> tuple[Predictive | Interval, str, str, bool]:
    """Return the evidence, what it is an effect of, on what, and whether it is in per cent."""
    if isinstance(effect, Interval):
        return effect, "", "", False
    unit = str(getattr(effect, "unit", "per cent")).replace("%", "per cent").replace("percent", "")
    relative = "per cent" in unit or not unit.strip()
    kind, outcome = (str(getattr(effect, name, "") or "") for name in ("effect", "outcome"))
    if isinstance(effect, Number):
        sd = effect.error
        if not math.isfinite(sd):
            problem, remedy = "it has no standard error", "give an estimate that has one"
            raise fault("effect", problem, remedy, effect)
        effect = NormalPredictive(effect.value, sd, unit, outcome, "", "", effect.provenance)
        kind = ""
    if not isinstance(effect, Predictive):
        remedy = "give va.pool(...).predictive(), an estimate, or an interval of claims"
        raise fault("effect", "not an effect", remedy, type(effect).__name__)
    if not relative and "yuan" not in unit:
        remedy = "divide it by the comparison mean: va.number(100 * effect / mean, 'per cent')"
        raise fault("effect", f"it is in {unit}", remedy)
    if kind and kind not in KINDS:
        raise fault(
            "effect", "of what it is an effect is not known", f"use {' or '.join(KINDS)}", kind
        )
    return effect, kind, outcome.replace("_", " "), relative


def prediction_of(effect: object) -> object:
    """Return the prediction of a pooled mean for the next place; other evidence as it is."""
    return effect.predictive() if isinstance(effect, Pooled) else effect


def check_rating(rating: object) -> None:
    """Refuse evidence that is rated below moderate; what is not rated passes.

    Raises
    ------
    FaultsError
        If the rating is too low for a distribution.
    """
    word = str(rating or "").split()
    if word and word[0] not in costs.RATED:
        raise fault(
            "rating",
            "the evidence is too weak for a distribution",
            "show what it must add to pay: budget.break_even(cost=...)",
            rating,
        )


def check_kind(kind: str, people_are: str, take_up: Given | None) -> None:
    """Refuse effects of offers on participants, and of participation on people only offered it.

    Raises
    ------
    FaultsError
        If what the effect is of does not fit whom it is applied to.
    """
    if people_are not in ("", "offered", "participants"):
        raise fault("people_are", "not known", "use 'offered' or 'participants'", people_are)
    if kind == "offer" and take_up is not None:
        raise fault(
            "take_up",
            "an effect of an offer has take-up within it already",
            "leave take_up out, or use an effect on participants",
            take_up,
        )
    if kind == "area" and (people_are or take_up is not None):
        raise fault(
            "people_are",
            "the effect is on the average of a whole area",
            "leave people_are and take_up out",
            people_are or take_up or "",
        )
    if kind == "offer" and people_are == "participants":
        raise fault(
            "people_are",
            "an effect of an offer is multiplied by those who took part",
            "count those who were offered it, or use an effect on participants",
            people_are,
        )
    if kind == "participants" and people_are == "offered" and take_up is None:
        raise fault(
            "people_are",
            "an effect on participants is multiplied by those who were only offered it",
            "give take_up, or count participants",
            people_are,
        )
    if people_are == "participants" and take_up is not None:
        raise fault(
            "take_up",
            "participants have all taken part",
            "leave take_up out, or count those offered",
            take_up,
        )


def base_of(
    budget: Budget, base: str | Given | None, source: str, outcome: str = ""
) -> tuple[Input, bool]:
    """Return what per cent are of, and whether it is of each head of the household.

    Parameters
    ----------
    budget : Budget
        The household.
    base, source : str
        As `add` has them.
    outcome : str
        What the effect is on, if known; it must fit the base.

    Raises
    ------
    FaultsError
        If the base is not named, unknown, or not what the effect is on.
    """
    if base is None:
        remedy = f"name one of {', '.join(BASES)}, or give yuan a year"
        raise fault("base", "of what the per cent are is not said", remedy)
    if not isinstance(base, str):
        unit = "yuan a person a year"
        return read("base", "earnings that the per cent are of", base, unit, least=0), False
    if base not in BASES:
        raise fault("base", "no such base", f"use one of {', '.join(BASES)}", base)
    if outcome and not any(word in outcome for word in BASES[base]):
        fits = [name for name, words in BASES.items() if any(w in outcome for w in words)]
        remedy = f"use {' or '.join(fits) or 'an effect on what the base is of'}"
        raise fault("base", f"the effect is on {outcome}", remedy, base)
    if base == "trainee_earnings":
        unit = "yuan a person a year"
        return read("base", budget.trainee_earnings.what, budget.trainee_earnings, unit), False
    unit = "yuan a head a year"
    if base == "household_income":
        return read("base", "income of the household", budget.per_head, unit), True
    if base == "consumption":
        return read("base", "consumption of the household", budget.consumption, unit), True
    amount = budget.source_per_head(source)
    return read("base", f"{source} income of the household", amount, unit), True
