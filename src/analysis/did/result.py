"""Difference in differences as results: overall, by event time, cohort, period, group and time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import polars as pl

from analysis.did.estimators import dose as dose_slopes
from analysis.did.estimators import families, few_villages, pretrends, relative
from analysis.did.estimators.aggregate import aggregate
from analysis.did.estimators.effect_set import EffectSet
from analysis.did.estimators.estimates import Estimates
from analysis.did.estimators.group_time import Comparison
from analysis.did.estimators.table import Table
from analysis.did.event_study import EventStudy, one_estimand
from analysis.did.tidy import AGGREGATES, added, mean_of, tidy
from analysis.faults import refuse
from analysis.inference import randomisation, wild
from analysis.panels.calendar import label
from analysis.results.result import Result, frame_of
from analysis.sensitivity import event_study, trends
from analysis.sensitivity import spillovers as interference

if TYPE_CHECKING:
    from matplotlib.axes import Axes


@dataclass(frozen=True, eq=False, kw_only=True)
class DidResult(Result):
    """A difference in differences.

    `tidy` has the overall effect and the effects by event time; the other aggregates are asked for
    by name.

    Attributes
    ----------
    estimates : Estimates
        Group-time effects (from cells or observations), or what a pack declares.
    cells : Table or None
        Arrays that they were made from; None from a pack.
    how : Comparison or None
        Controls, base, anticipation; None where the estimator has its own.
    shift : int
        What was added to the user's periods inside.
    shares : str
        How cohorts are weighted in aggregates.
    calendar : str
        What a period is: a key of `analysis.panels.calendar.CALENDARS`.
    """

    estimates: Estimates
    cells: Table | None = None
    how: Comparison | None = None
    shift: int = 0
    shares: str = "estimated"
    calendar: str = "number"

    # ----------------------------------------------------------------------------- aggregates

    @property
    def overall(self) -> Any:
        """The mean effect over the treated and their periods; a `Result` of several outcomes.

        A pack may declare another mean than that: its term says which.
        """
        result = self.aggregate(mean_of(self.estimates))
        return result.effect if result.frame.height == 1 else result

    @cached_property
    def event_study(self) -> EventStudy:
        """Effects by event time, with joint bands."""
        effects = one_estimand(self._added("event_time"))
        reference = event_study.reference_of(effects)
        base = self._result(effects, band=True)
        values = {name: getattr(base, name) for name in base.__dataclass_fields__}
        return EventStudy(**values, reference=reference)

    @property
    def by_cohort(self) -> Result:
        """Effects by first treated period."""
        return self.aggregate("cohort")

    @property
    def by_period(self) -> Result:
        """Effects by period."""
        return self.aggregate("calendar")

    @property
    def group_time(self) -> Result:
        """Every group-time effect."""
        return self._result(self.estimates.select(aggregation="group_time"))

    def aggregate(self, name: str) -> Result:
        """Return one aggregation.

        Parameters
        ----------
        name : str
            One of ``simple``, ``event_time``, ``cohort``, ``calendar``, ``event_time_overall``,
            ``cohort_overall``, ``calendar_overall``.

        Raises
        ------
        FaultsError
            If there is none of that name.
        """
        if name not in AGGREGATES:
            refuse(
                "no such aggregation",
                f"use one of {', '.join(AGGREGATES)}",
                column="aggregate",
                value=name,
            )
        return self._result(self._added(name))

    def without(self, cohort: int) -> DidResult:
        """Return the same estimates without a cohort.

        Raises
        ------
        FaultsError
            If the result comes from a pack, or is adjusted for covariates.
        """
        self._plain("leaving a cohort out")
        cells = self._cells("leaving a cohort out")
        gone = cohort + self.shift
        kept = self.estimates.at(np.array([key.cohort != gone for key in self.estimates.keys]))
        return replace(self, estimates=kept, cells=cells.rows(cells.cohort != gone))

    def period_name(self, period: int) -> str:
        """Return a period as people write it."""
        return label(self.calendar, period)

    def _added(self, name: str) -> Estimates:
        return added(self.estimates, self.cells, name, self.shares)

    def _result(self, effects: Estimates, *, band: bool = False) -> Result:
        frame = tidy(effects, self.shift, band=band, calendar=self.calendar)
        return Result(
            frame=frame,
            comparison=self.comparison,
            account=self.account,
            provenance=self.provenance,
            title=self.title,
            level=self.level,
        )

    def plot(self, ax: Axes | None = None, **options: Any) -> Axes:
        """Draw the event study; the overall effects where there is none."""
        if "event_time" in self._aggregations:
            return self.event_study.plot(ax=ax, **options)
        return super().plot(ax=ax, **options)

    @property
    def _aggregations(self) -> set[str]:
        if self.cells is not None:
            return set(AGGREGATES)
        return {key.aggregation for key in self.estimates.keys}

    # ---------------------------------------------------------------------------------- tests

    def pretrends(self, outcome: str = "", *, first: int | None = None) -> pretrends.PreTrends:
        """Test that effects before treatment are zero, and say what the test could have seen.

        Parameters
        ----------
        outcome : str
            Which; may be left out where there is one.
        first : int, optional
            Earliest event time tested, where there are too few clusters to test them all.
        """
        universal, cells = self._universal()
        return pretrends.pre_trends(universal, cells, self._outcome(outcome), first=first)

    def honest(
        self,
        bound: float | Sequence[float] = trends.BOUNDS,
        *,
        outcome: str = "",
        kind: str = "relative_magnitude",
        first: int | None = None,
        last: int | None = None,
    ) -> Result:
        """Return intervals of the mean effect if trends differ (Rambachan & Roth 2023).

        Parameters
        ----------
        bound : float or sequence of float
            Times the largest drift before treatment (``relative_magnitude``), or the change of
            slope per period in the unit of the outcome (``smoothness``).
        outcome : str
            Which; may be left out where there is one.
        kind : str
            ``relative_magnitude`` or ``smoothness``.
        first, last : int, optional
            Event times to look at; all by default.

        Returns
        -------
        Result
            One row per bound; ``set_low`` and ``set_high`` are what the points allow without
            sampling error.
        """
        restrictions = {
            "relative_magnitude": trends.relative_magnitudes,
            "smoothness": trends.smoothness,
        }
        if kind not in restrictions:
            refuse(
                "no such restriction",
                f"use {' or '.join(restrictions)}",
                column="kind",
                value=kind,
            )
        name = self._outcome(outcome)
        events = self._events()
        study = event_study.of_effects(events, name, first=first, last=last)
        bounds = (bound,) if isinstance(bound, (int, float)) else tuple(bound)
        if not all(isinstance(b, (int, float)) and b >= 0 for b in bounds):
            refuse(
                "a bound is a number of 0 or more",
                "such as honest(1.0)",
                column="bound",
                value=bound,
            )
        frame = restrictions[kind](study, study.average(), bounds, level=self.level)
        unit = events.about.units.get(name, "")
        point = float(study.points[study.before :] @ study.average())
        rows = [
            {
                **row,
                "term": f"trends differ by up to {row['bound']:g}",
                "outcome": name,
                "estimate": point,
                "unit": unit,
            }
            for row in frame.iter_rows(named=True)
        ]
        return Result(
            frame=frame_of(rows),
            comparison=replace(self.comparison, base="last period before treatment"),
            account=self.account,
            provenance=self.provenance,
            title=f"Mean effect on {name} if trends differ ({kind.replace('_', ' ')})",
            level=self.level,
        )

    def wild(
        self,
        draws: int = wild.DRAWS,
        *,
        cohort: int | None = None,
        period: int | None = None,
        outcome: str = "",
        seed: int = wild.SEED,
    ) -> wild.WildTest:
        """Test one effect by the restricted wild cluster bootstrap.

        Parameters
        ----------
        draws : int
            Draws; all sign patterns where fewer are possible.
        cohort, period : int, optional
            Which group-time effect; left out with one cohort: its mean over all treated periods,
            each by the units seen in it.
        outcome : str
            Which; may be left out where there is one.
        seed : int
            Of the draws.
        """
        if draws < 1:
            refuse("no draws", "ask for 999 or more", column="draws", value=draws)
        two = self._two_by_two(cohort, period)
        return few_villages.wild_bootstrap(two, self._outcome(outcome), draws=draws, seed=seed)

    def randomise(
        self,
        draws: int = randomisation.DRAWS,
        *,
        cohort: int | None = None,
        period: int | None = None,
        outcome: str = "",
        seed: int = randomisation.SEED,
    ) -> randomisation.RandomisationTest:
        """Test that no cluster was moved, by other assignments of whole clusters.

        Parameters are those of `wild`. It is a test only where whole clusters were assigned by
        chance.
        """
        two = self._two_by_two(cohort, period)
        name = self._outcome(outcome)
        at = two.outcomes.index(name)
        chosen = replace(two, total=two.total[..., [at]], outcomes=(name,))
        return few_villages.randomise(chosen, draws=draws, seed=seed)

    # ------------------------------------------------------------------------ other questions

    def per_cent(self, aggregate: str = "simple") -> Result:
        """Return effects in per cent of what the treated would have had, by the delta method.

        Parameters
        ----------
        aggregate : str
            As of `aggregate`.
        """
        self._plain("an effect in per cent")
        cells = self._cells("an effect in per cent")
        return self._result(relative.per_cent(self._influence(), cells, (aggregate,)))

    def dose_response(self, dose: Mapping[Any, float], unit: str = "unit of dose") -> DidResult:
        """Return effects per unit of dose, where whole clusters are treated to different degrees.

        It takes *strong* parallel trends: doses would have had the same effect on everyone.

        Parameters
        ----------
        dose : mapping
            Dose of each treated cluster, by its id.
        unit : str
            Of the dose, for print.
        """
        self._plain("a dose response")
        cells = self._cells("a dose response")
        given = {str(cluster): amount for cluster, amount in dose.items()}
        effects = dose_slopes.by_village(cells, given, self.how, unit=unit)
        each = (added(effects, cells, name, self.shares) for name in ("simple", "event_time"))
        frame = pl.concat(
            [tidy(estimates, self.shift) for estimates in each], how="diagonal_relaxed"
        )
        return replace(self, frame=frame, estimates=effects, title=f"{self.title}, per {unit}")

    def spillovers(self, outcome: str = "") -> Result:
        """Return the overall effect against controls elsewhere, beside the treated, and both.

        And the effect on the untreated beside the treated, where households were treated.

        Parameters
        ----------
        outcome : str
            Which; may be left out where there is one.
        """
        self._plain("a comparison of controls")
        cells = self._cells("a comparison of controls")
        alternatives = interference.alternatives(cells, self._outcome(outcome))
        names = pl.Series("term", [name.replace("_", " ") for name in alternatives.names])
        lost = tuple(f"not estimated: {name}: {why}" for name, why in alternatives.missing.items())
        account = replace(self.account, decisions=(*self.account.decisions, *lost))
        frame = tidy(alternatives.effects, self.shift).with_columns(names)
        return replace(self._result(alternatives.effects), frame=frame, account=account)

    def adjusted_p_values(self, aggregate: str = "group_time") -> pl.DataFrame:
        """Return p values of all effects, adjusted for looking at them all.

        Of an `aggregate`, or of ``group_time``; columns as of
        `analysis.did.estimators.families.adjust`.
        """
        effects = self._influence()
        if aggregate != "group_time":
            effects = cast("EffectSet", added(effects, self.cells, aggregate, self.shares))
        return families.adjust(effects)

    def _influence(self) -> EffectSet:
        """Return the estimates with the influence of each cluster, which a pack does not hold."""
        if not isinstance(self.estimates, EffectSet):
            self._cells("the influence of each cluster")
        return cast("EffectSet", self.estimates)

    def _plain(self, what: str) -> None:
        """Refuse what is made from plain cells where the estimate is made in another way."""
        about = self.estimates.about
        if about.covariates:
            refuse(
                f"{what} does not know the covariates",
                "estimate without covariates to make it",
                column="covariates",
                value=", ".join(about.covariates),
            )
        if about.estimator != "group_time":
            refuse(
                f"{what} is of group-time effects",
                'estimate with method="doubly_robust"',
                column="method",
                value=about.estimator,
            )

    def _two_by_two(self, cohort: int | None, period: int | None) -> few_villages.TwoByTwo:
        self._plain("the test")
        cells = self._cells("the test")
        how = self.how or Comparison(where="anywhere")
        cohorts = [g for g in cells.cohorts if cells.periods[0] < g <= cells.periods[-1]]
        if cohort is None and len(cohorts) > 1:
            listed = ", ".join(str(g - self.shift) for g in cohorts)
            refuse("the test is of one cohort", f"name one: cohort= {listed}", column="cohort")
        g = cohorts[0] if cohort is None else cohort + self.shift
        if period is not None:
            return few_villages.two_by_two(cells, g, period + self.shift, how)
        every = [few_villages.two_by_two(cells, g, int(t), how) for t in cells.periods if t >= g]
        return few_villages.over_periods(every)

    def _events(self) -> Estimates:
        """Return effects by event time with one base; of a pack, what it declares."""
        if self.cells is None:
            return one_estimand(self.estimates.select(aggregation="event_time"))
        universal, cells = self._universal()
        return aggregate(universal, cells, ("event_time",))

    def _universal(self) -> tuple[EffectSet, Table]:
        from analysis.did.estimators import group_time

        cells = self._cells("an event study with its base")
        if self.how is None or self.comparison.adjusted:
            if isinstance(self.estimates, EffectSet) and self.estimates.about.base == "universal":
                return self.estimates, cells
            refuse(
                "trends before treatment are compared with one base",
                "estimate with base='universal'",
                column="base",
            )
        self._plain("the event study with one base")
        if isinstance(self.estimates, EffectSet) and self.how.base == "universal":
            return self.estimates, cells
        return group_time.estimate(cells, replace(self.how, base="universal")), cells

    def _cells(self, what: str) -> Table:
        if self.cells is None:
            refuse(
                f"{what} needs cells or data, and a pack has neither",
                "ask who holds the data to run it inside",
                column="pack",
            )
        return self.cells

    def _outcome(self, name: str) -> str:
        names = list(dict.fromkeys(key.outcome for key in self.estimates.keys))
        if not name and len(names) == 1:
            return names[0]
        if name not in names:
            refuse("name an outcome", f"one of {', '.join(names)}", column="outcome", value=name)
        return name
