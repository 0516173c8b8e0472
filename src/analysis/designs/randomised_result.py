"""Effects of an experiment as a result: printing, means, per cent, and its further tests."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import polars as pl

from analysis.designs import estimates
from analysis.designs.frames import Source
from analysis.designs.joint import Joint
from analysis.designs.sample import Sample
from analysis.inference import clusters
from analysis.inference.arrays import Floats, Integers
from analysis.inference.wild import DRAWS, SEED, Weights
from analysis.results import Effect, Number, Range, Result

if TYPE_CHECKING:
    from analysis.designs.attrition import AttritionResult

EFFECT: Final = "effect"
PARTICIPANTS: Final = "effect_on_participants"
FIRST: Final = "first_stage"


@dataclass(frozen=True, eq=False)
class Arms:
    """How arms are compared.

    Attributes
    ----------
    sample : Sample
        Strata that have both arms.
    x : array, shape (n, p)
        Columns of the regression.
    column : int
        Which coefficient is the effect.
    group : array or None
        Clusters that errors are by; None for HC2.
    inside : bool
        Whether arms are compared inside each stratum and weighed by its units.
    """

    sample: Sample
    x: Floats
    column: int
    group: Integers | None
    inside: bool


@dataclass(frozen=True, eq=False)
class Fit(Arms):
    """One outcome of an experiment.

    Attributes
    ----------
    joint : Joint
        Effect, mean of controls, mean of treated; with take-up also its effect on taking part.
    """

    joint: Joint


@dataclass(frozen=True, eq=False, kw_only=True, repr=False)
class RandomisedResult(Result):
    """Effects of an experiment.

    Attributes
    ----------
    fits : mapping of str to Fit
        What each outcome was estimated from.
    source : Source
        The rows that were given.
    """

    fits: Mapping[str, Fit] = field(repr=False)
    source: Source = field(repr=False)

    @property
    def effect(self) -> Effect:
        """Effect of being assigned to treatment (of the offer), where there is one outcome."""
        return self.effect_of(EFFECT)

    @property
    def effect_on_participants(self) -> Effect:
        """Effect on those who take part because of the offer, where there is one outcome."""
        return self.effect_of(PARTICIPANTS)

    @property
    def first_stage(self) -> Effect:
        """Effect of the offer on taking part, where there is one outcome."""
        return self.effect_of(FIRST)

    @property
    def first_stage_f(self) -> Number:
        """F statistic of the first stage, with the printed error."""
        return self._number(FIRST, self.first_stage.statistic**2, "F of the first stage", "")

    @property
    def anderson_rubin(self) -> Range:
        """Interval of the effect on participants that holds however weak the first stage."""
        row = self._row(PARTICIPANTS)
        effect = self.effect_on_participants
        return Range(
            low=real(row["ar_low"]),
            high=real(row["ar_high"]),
            decimals=effect.decimals,
            what=f"Anderson–Rubin interval of {effect.what}",
            unit=effect.unit,
            provenance=effect.provenance,
        )

    @property
    def mean_control(self) -> Number:
        """Weighted mean of the controls, where there is one outcome."""
        return self.mean(treated=False)

    @property
    def mean_treated(self) -> Number:
        """Weighted mean of the treated, where there is one outcome."""
        return self.mean(treated=True)

    @property
    def per_cent(self) -> Effect:
        """Effect in per cent of the mean of the controls (delta method), for one outcome."""
        return self.per_cent_of()

    def mean(self, outcome: str = "", *, treated: bool = False) -> Number:
        """Return the weighted mean of an arm.

        Parameters
        ----------
        outcome : str
            May be left out where there is one.
        treated : bool
            Of the treated; otherwise of the controls.
        """
        row, arm = self._row(EFFECT, outcome), "treated" if treated else "control"
        return self._number(
            EFFECT,
            row[f"mean_{arm}"],
            f"mean of {row['outcome']}, {'treated' if treated else 'controls'}",
            row["unit"],
            outcome,
            row[f"mean_{arm}_error"],
        )

    def per_cent_of(self, outcome: str = "") -> Effect:
        """Return the effect in per cent of the mean of the controls, by the delta method.

        Parameters
        ----------
        outcome : str
            May be left out where there is one.
        """
        row = self._row(EFFECT, outcome)
        unit = "per cent of the mean of controls"
        by_name = estimates.row(
            "per_cent",
            row["outcome"],
            real(row["per_cent"]),
            real(row["per_cent_error"]),
            real(row["df"]),
            unit=unit,
            level=self.level,
            note=row["note"],
            **{name: row[name] for name in ("n", "n_clusters_treated", "n_clusters_control")},
        )
        return self._effect(by_name)

    def minimum_detectable(self, power: float = 0.8, outcome: str = "") -> Number:
        """Return the effect that a design with this error finds with a probability (Bloom 1995).

        Parameters
        ----------
        power : float
            Probability of an interval without zero.
        outcome : str
            May be left out where there is one.
        """
        effect = self.effect_of(EFFECT, outcome)
        degrees = np.array([effect.df])
        times = sum(clusters.quantile(p, degrees).item() for p in ((1 + self.level) / 2, power))
        return replace(
            self._number(EFFECT, times * effect.error, "", effect.unit, outcome),
            what=f"minimum detectable effect on {effect.outcome}, power {power:g}",
        )

    def balance(self, covariates: Sequence[str]) -> Result:
        """Compare covariates measured before treatment between arms.

        Parameters
        ----------
        covariates : sequence of str
            Numeric columns.

        Returns
        -------
        Result
            A row per covariate: difference of means (within strata, by cluster, weighted as the
            effect is), means by arm, normalised difference; last a joint Wald test of them all.
        """
        from analysis.designs.balance import of_experiment

        return of_experiment(self, covariates)

    def wild(
        self, draws: int = DRAWS, *, weights: Weights = "rademacher", seed: int = SEED
    ) -> Result:
        """Test and interval by the restricted wild bootstrap over clusters.

        Parameters
        ----------
        draws, seed : int
            Sign vectors; all of them where there are not more.
        weights : str
            ``rademacher`` (signs), or ``webb`` (six weights, for fewer than about ten clusters).
        """
        from analysis.designs.few_clusters import wild_bootstrap

        return wild_bootstrap(self, draws, seed, weights)

    def randomise(self, draws: int = DRAWS, *, interval: bool = False, seed: int = SEED) -> Result:
        """Test no effect on anybody by assigning treatment again (Fisher; studentised).

        Parameters
        ----------
        draws, seed : int
            Assignments inside strata, of whole clusters; all of them where there are not more.
        interval : bool
            Whether to look for the effects, the same on everybody, that the test does not reject;
            it takes about forty times as long.
        """
        from analysis.designs.few_clusters import randomisation

        return randomisation(self, draws, seed, interval)

    def attrition(self) -> AttritionResult:
        """Say who is not seen in each arm, and bound the effect without them (Lee 2009).

        Returns
        -------
        AttritionResult
            Shares seen by arm, their difference, both ends of Lee's bounds; ``interval`` holds the
            effect with the stated probability (Imbens & Manski 2004).
        """
        from analysis.designs.attrition import attrition

        return attrition(self)

    def lines(self) -> list[tuple[str, str]]:
        """Return what is printed above the estimates, as label and text."""
        lines = super().lines()
        for outcome in self.fits:
            of = f" of {outcome}" if len(self.fits) > 1 else ""
            mean, percent = self.mean(outcome), self.per_cent_of(outcome)
            lines.append((f"mean{of}", f"{mean} in controls; effect {percent} per cent of it"))
        for outcome in self.fits if FIRST in self.frame["term"] else ():
            f = self.effect_of(FIRST, outcome).statistic ** 2
            row = self._row(PARTICIPANTS, outcome)
            decimals = self.effect_of(PARTICIPANTS, outcome).decimals
            ar = Range(low=real(row["ar_low"]), high=real(row["ar_high"]), decimals=decimals)
            of = f" of {outcome}" if len(self.fits) > 1 else ""
            pieces = f" ({row['ar_note']})" if row["ar_note"] else ""
            lines.append(
                (f"participants{of}", f"first stage F {f:.1f}; Anderson–Rubin {ar}{pieces}")
            )
        return lines

    def _row(self, term: str, outcome: str = "") -> dict[str, Any]:
        effect = self.effect_of(term, outcome)
        return self.frame.row(by_predicate=_is(term, effect.outcome), named=True)

    def _number(
        self,
        term: str,
        value: float,
        what: str,
        unit: str,
        outcome: str = "",
        error: float = math.nan,
    ) -> Number:
        provenance = self.effect_of(term, outcome).provenance
        return Number(value=value, error=error, what=what, unit=unit, provenance=provenance)


def _is(term: str, outcome: str) -> Any:
    return (pl.col("term") == term) & (pl.col("outcome") == outcome)


def real(value: float | None) -> float:
    """Return a number of a frame; NaN where it is empty."""
    return math.nan if value is None else float(value)
