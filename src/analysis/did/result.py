"""Difference in differences as results: overall, by event time, cohort, period, group and time."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import polars as pl

from analysis.did.check import refuse
from analysis.effects import few_villages, pretrends
from analysis.effects.aggregate import aggregate
from analysis.effects.estimates import CONVENTIONS, Estimates
from analysis.effects.group_time import WHERE, Comparison
from analysis.effects.record import Effect as EffectRecord
from analysis.effects.record import Key
from analysis.effects.result import EffectSet
from analysis.effects.table import Table
from analysis.inference import clusters, randomisation, wild
from analysis.inference.arrays import Booleans, Floats
from analysis.results.number import Effect
from analysis.results.result import Account, Result, frame_of
from analysis.results.result import Comparison as Compared
from analysis.sensitivity import event_study, trends

if TYPE_CHECKING:
    from matplotlib.axes import Axes

OVERALL: Final = "overall"
AGGREGATES: Final = {
    "simple": OVERALL,
    "event_time": "event time",
    "cohort": "cohort",
    "calendar": "period",
    "event_time_overall": "mean over event times",
    "cohort_overall": "mean over cohorts",
    "calendar_overall": "mean over periods",
}
"""Terms that aggregations are printed with."""


@dataclass(frozen=True, eq=False, kw_only=True)
class EventStudy(Result):
    """Effects by event time, with joint bands in ``band_low`` and ``band_high``.

    Attributes
    ----------
    reference : int or None
        Event time of the base, where the effect is zero by definition; None if it varies.
    """

    reference: int | None = None

    def plot(self, ax: Axes | None = None, **options: Any) -> Axes:
        """Draw effects by event time with intervals and joint bands."""
        from analysis.results.event_plot import event_study as draw

        return draw(self, ax=ax, **options)


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
    """

    estimates: Estimates
    cells: Table | None = None
    how: Comparison | None = None
    shift: int = 0
    shares: str = "estimated"

    # ----------------------------------------------------------------------------- aggregates

    @property
    def overall(self) -> Any:
        """The mean effect over the treated and their periods; a `Result` of several outcomes."""
        found = self.aggregate("simple")
        return found.effect if found.frame.height == 1 else found

    @cached_property
    def event_study(self) -> EventStudy:
        """Effects by event time, with joint bands."""
        found = self._added("event_time")
        reference = event_study.reference_of(found)
        base = self._result(found, band=True)
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

    def _added(self, name: str) -> Estimates:
        return added(self.estimates, self.cells, name, self.shares)

    def _result(self, found: Estimates, *, band: bool = False) -> Result:
        frame = tidy(found, self.shift, band=band)
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

    def pretrends(self, outcome: str = "") -> pretrends.PreTrends:
        """Test that effects before treatment are zero, and say what the test could have seen.

        Parameters
        ----------
        outcome : str
            Which; may be left out where there is one.
        """
        universal, cells = self._universal()
        return pretrends.pre_trends(universal, cells, self._outcome(outcome))

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
        universal, cells = self._universal()
        name = self._outcome(outcome)
        events = aggregate(universal, cells, ("event_time",))
        study = event_study.of_effects(events, name, first=first, last=last)
        bounds = (bound,) if isinstance(bound, (int, float)) else tuple(bound)
        found = restrictions[kind](study, study.average(), bounds, level=self.level)
        unit = universal.about.units.get(name, "")
        point = float(study.points[study.before :] @ study.average())
        rows = [
            {
                **row,
                "term": f"trends differ by up to {row['bound']:g}",
                "outcome": name,
                "estimate": point,
                "unit": unit,
            }
            for row in found.iter_rows(named=True)
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
            Which group-time effect; left out with one cohort: its mean over all treated periods.
        outcome : str
            Which; may be left out where there is one.
        seed : int
            Of the draws.
        """
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

    def _two_by_two(self, cohort: int | None, period: int | None) -> few_villages.TwoByTwo:
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
        if any(
            two.weight.shape != every[0].weight.shape or (two.weight != every[0].weight).any()
            for two in every
        ):
            refuse("other units are seen in each period", "name one: period=", column="period")
        return replace(every[0], total=np.mean([two.total for two in every], axis=0))

    def _universal(self) -> tuple[EffectSet, Table]:
        from analysis.effects import group_time

        cells = self._cells("an event study with its base")
        if self.how is None or self.comparison.adjusted:
            if isinstance(self.estimates, EffectSet) and self.estimates.about.base == "universal":
                return self.estimates, cells
            refuse(
                "trends before treatment are compared with one base",
                "estimate with base='universal'",
                column="base",
            )
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


def added(found: Estimates, cells: Table | None, name: str, shares: str) -> Estimates:
    """Return one aggregation of group-time effects, or what a pack declares of it."""
    if cells is None or not isinstance(found, EffectSet):
        return found.select(aggregation=name)
    if all(key.aggregation != "group_time" for key in found.keys):
        return found.select(aggregation=name)
    return aggregate(found, cells, (name,), shares=shares)  # type: ignore[arg-type]


def tidy(found: Estimates, shift: int = 0, *, band: bool = False) -> pl.DataFrame:
    """Return estimates as the frame of a result, periods as the user's."""
    critical = found.band().critical if band and len(found) else np.full(len(found), math.nan)
    rows = []
    for effect, width in zip(found.effects(), critical, strict=True):
        statistic = effect.estimate / effect.std_error if effect.std_error > 0 else math.nan
        p = clusters.p_values(np.array([statistic]), np.array([effect.degrees])).item()
        rows.append(
            {
                "term": term(effect.key, shift),
                "outcome": effect.key.outcome,
                "estimate": effect.estimate,
                "std_error": effect.std_error,
                "statistic": statistic,
                "p_value": math.nan if math.isnan(statistic) else p,
                "ci_low": effect.ci_low,
                "ci_high": effect.ci_high,
                "df": effect.degrees,
                "n": (effect.n_households_treated or 0) + (effect.n_households_control or 0),
                "n_treated": effect.n_households_treated,
                "n_control": effect.n_households_control,
                "n_clusters_treated": effect.n_villages_treated,
                "n_clusters_control": effect.n_villages_control,
                "unit": effect.about.units.get(effect.key.outcome, ""),
                "note": effect.note,
                **_places(effect, shift),
                **(
                    {
                        "band_low": effect.estimate - width * effect.std_error,
                        "band_high": effect.estimate + width * effect.std_error,
                    }
                    if band
                    else {}
                ),
            }
        )
    return frame_of(rows)


def _places(effect: EffectRecord, shift: int) -> dict[str, int | None]:
    key = effect.key

    def back(period: int | None) -> int | None:
        return None if period is None else period - shift

    is_event = key.aggregation == "event_time"
    return {
        "event_time": key.at if is_event else None,
        "cohort": back(key.at if key.aggregation == "cohort" else key.cohort),
        "period": back(key.at if key.aggregation == "calendar" else key.period),
        "base": None if is_event else back(key.base),
    }


def term(key: Key, shift: int = 0) -> str:
    """Return how an estimate is called in `tidy`.

    Examples
    --------
    >>> term(Key("income", "event_time", at=-2)), term(Key("income", "simple"))
    ('event time −2', 'overall')
    >>> term(Key("income", "group_time", cohort=2004, period=2006))
    'cohort 2004 in 2006'
    """
    if key.aggregation == "group_time":
        return f"cohort {(key.cohort or 0) - shift} in {(key.period or 0) - shift}"
    name = AGGREGATES.get(key.aggregation, key.aggregation)
    if key.at is None:
        return name
    at = key.at if key.aggregation == "event_time" else key.at - shift
    return f"{name} {at}".replace("-", "−")


def comparison_of(
    found: Estimates, estimand: str, covariates: Sequence[str], names: Mapping[str, str]
) -> Compared:
    """Return what was compared, as a result prints it."""
    about = found.about
    controls = {"never": "never treated", "not_yet": "not yet treated"}.get(about.controls, "")
    where = WHERE.get(about.where, "") if about.where != "anywhere" else ""
    parts = [f"first treated with {controls}" if controls else "", where]
    base = {
        "varying": "last period before treatment; before it, the period before",
        "universal": "last period before treatment",
    }.get(about.base, "")
    return Compared(
        estimator=names.get(about.estimator, about.estimator),
        estimand=estimand,
        compared=", ".join(part for part in parts if part),
        base=base,
        anticipation=f"{about.anticipation} periods",
        adjusted=", ".join(covariates),
        weights="" if about.weights == "none" else about.weights,
        errors=CONVENTIONS[found.convention],
        library=about.library,
    )


def account_of(
    found: Estimates,
    cells: Table | None,
    units: str,
    cluster: str,
    decisions: Sequence[str],
    overall: Estimates,
) -> Account:
    """Return every row and unit accounted for; units are distinct, never added over comparisons.

    Effective clusters and leverage are those of the overall effect (the first outcome's).
    """
    about = found.about
    treated = control = n_treated = n_control = None
    if cells is not None and isinstance(found, EffectSet):
        treats: Booleans = np.asarray(found.treated.any(axis=1))
        serves: Booleans = np.asarray(found.control.any(axis=1))
        n_treated, n_control = int(treats.sum()), int((serves & ~treats).sum())
        cohorts = {key.cohort for key in found.keys if key.cohort}
        in_use: Booleans = np.isin(cells.cohort, list(cohorts or cells.cohorts))
        used_villages: Booleans = treats | serves
        serving = ~in_use & used_villages[cells.village]
        if about.controls == "never":
            serving &= cells.cohort == 0
        treated, control = int(cells.n_ever[in_use].sum()), int(cells.n_ever[serving].sum())
        if cells.handling == "cross_sections":
            treated, control = int(cells.n[in_use].sum()), int(cells.n[serving].sum())
    notes = list(decisions)
    for key, why in found.missing:
        notes.append(f"not estimated: {term(key)} on {key.outcome}: {why}")
    return Account(
        rows_in=about.rows_in,
        rows_used=about.rows_used,
        left_out=about.left_out,
        decisions=tuple(notes),
        units=units,
        n_treated=treated,
        n_control=control,
        clusters=cluster,
        n_clusters_treated=n_treated,
        n_clusters_control=n_control,
        effective_clusters=_two(overall.effective_clusters) if len(overall) else None,
        leverage=float(overall.max_leverage[0]) if len(overall) else None,
    )


def _two(effective: Floats) -> tuple[float, float]:
    """Return the effective clusters of the first estimate by arm."""
    return float(effective[0, 0]), float(effective[1, 0])


def effect_of_one(result: Result) -> Effect:
    """Return the estimate of a result that has one."""
    return result.effect
