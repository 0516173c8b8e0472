"""Estimates as the frame, comparison and account of a result."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Final

import numpy as np
import polars as pl

from analysis.columns import SHOWN
from analysis.did.estimators.aggregate import aggregate
from analysis.did.estimators.effect_set import EffectSet
from analysis.did.estimators.estimates import CONVENTIONS, Estimates
from analysis.did.estimators.group_time import WHERE
from analysis.did.estimators.record import Effect as EffectRecord
from analysis.did.estimators.record import Key
from analysis.did.estimators.table import Table
from analysis.did.survey import SurveyEffects
from analysis.inference import clusters
from analysis.inference.arrays import Booleans, Floats
from analysis.panels.calendar import label
from analysis.results.result import Account, frame_of
from analysis.results.result import Comparison as Compared

OVERALL: Final = "overall"
LINEARISED: Final = "of the sample design, by stratum and sampling unit (Binder 1983)"
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
MEANS: Final = ("simple", "event_time_overall", "cohort_overall", "calendar_overall")
"""Aggregations to a single number, the overall effect first."""


def added(effects: Estimates, cells: Table | None, name: str, shares: str) -> Estimates:
    """Return one aggregation of group-time effects, or what a pack declares of it."""
    if cells is None or not isinstance(effects, EffectSet):
        return effects.select(aggregation=name)
    if all(key.aggregation != "group_time" for key in effects.keys):
        return effects.select(aggregation=name)
    return aggregate(effects, cells, (name,), shares=shares)  # type: ignore[arg-type]


def mean_of(effects: Estimates) -> str:
    """Return which aggregation the overall effect is: of a pack, the first that it declares."""
    declared = {key.aggregation for key in effects.keys}
    return next((name for name in MEANS if name in declared), MEANS[0])


def tidy(
    effects: Estimates, shift: int = 0, *, band: bool = False, calendar: str = "number"
) -> pl.DataFrame:
    """Return estimates as the frame of a result, periods as the user's."""
    critical = effects.band().critical if band and len(effects) else np.full(len(effects), math.nan)
    rows = []
    for effect, width in zip(effects.effects(), critical, strict=True):
        statistic = effect.estimate / effect.std_error if effect.std_error > 0 else math.nan
        p = clusters.p_values(np.array([statistic]), np.array([effect.degrees])).item()
        rows.append(
            {
                "term": term(effect.key, shift, calendar),
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


def term(key: Key, shift: int = 0, calendar: str = "number") -> str:
    """Return how an estimate is called in `tidy`.

    Examples
    --------
    >>> term(Key("income", "event_time", at=-2)), term(Key("income", "simple"))
    ('event time −2', 'overall')
    >>> term(Key("income", "group_time", cohort=2004, period=2006))
    'cohort 2004 in 2006'
    """
    if key.aggregation == "group_time":
        cohort, period = (label(calendar, (p or 0) - shift) for p in (key.cohort, key.period))
        return f"cohort {cohort} in {period}"
    name = AGGREGATES.get(key.aggregation, key.aggregation)
    if key.at is None:
        return name
    if key.aggregation != "event_time":
        return f"{name} {label(calendar, key.at - shift)}"
    return f"{name} {key.at}".replace("-", "−")


def comparison_of(
    effects: Estimates,
    estimand: str,
    covariates: Sequence[str],
    names: Mapping[str, str],
    cluster: str = "villages",
) -> Compared:
    """Return what was compared, as a result prints it."""
    about = effects.about
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
        errors=LINEARISED if isinstance(effects, SurveyEffects) else _convention(effects, cluster),
        library=about.library,
    )


def _convention(effects: Estimates, cluster: str) -> str:
    """Return how errors were computed, with the clusters as the user calls them."""
    words = cluster if cluster == "villages" else f"clusters ({cluster})"
    return CONVENTIONS[effects.convention].replace("villages", words)


def account_of(
    effects: Estimates,
    cells: Table | None,
    units: str,
    cluster: str,
    decisions: Sequence[str],
    overall: Estimates,
    shift: int = 0,
) -> Account:
    """Return every row and unit accounted for; units are distinct, never added over comparisons.

    Effective clusters and leverage are those of the overall effect (the first outcome's).
    """
    about = effects.about
    treated, control = about.n_units or (None, None)
    n_treated = n_control = None
    if cells is not None and isinstance(effects, EffectSet):
        treats: Booleans = np.asarray(effects.treated.any(axis=1))
        serves: Booleans = np.asarray(effects.control.any(axis=1))
        n_treated, n_control = int(treats.sum()), int((serves & ~treats).sum())
    elif len(overall):
        villages = overall.n_villages
        n_treated, n_control = int(villages[0][0]), int(villages[1][0])
    notes = list(decisions)
    for key, why in effects.missing:
        notes.append(f"not estimated: {term(key, shift)} on {key.outcome}: {why}")
    notes += _not_asked(effects, shift)
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
        leverage=_largest(overall.max_leverage),
    )


def _not_asked(effects: Estimates, shift: int) -> list[str]:
    """Return a line for each reason why effects are not asked for, with cohorts and periods."""
    reasons: dict[str, list[str]] = {}
    for key, why in effects.unasked:
        reasons.setdefault(why, []).append(term(key, shift))
    lines = []
    for why, given in reasons.items():
        terms = list(dict.fromkeys(given))
        shown = ", ".join(terms[:SHOWN]) + (", …" if len(terms) > SHOWN else "")
        lines.append(f"{len(terms):,} effects are not asked for, as {why}: {shown}")
    return lines


def _two(effective: Floats) -> tuple[float, float]:
    """Return the effective clusters of the first estimate by arm."""
    return float(effective[0, 0]), float(effective[1, 0])


def _largest(leverage: Floats) -> float | None:
    """Return the leverage of the first estimate; None where there is none, or it is not told."""
    return None if not leverage.size or math.isnan(leverage[0]) else float(leverage[0])


def without_lone_cohorts(
    estimates: Estimates, cells: Table | None, shares: str, shift: int
) -> tuple[pl.DataFrame, tuple[str, ...]]:
    """Return the overall effect of the cohorts with several clusters, where one has a single one.

    No cluster of such a cohort can be left out, so nothing that includes it has an interval.
    """
    if cells is None or not isinstance(estimates, EffectSet):
        return pl.DataFrame(), ()
    known = {key.cohort for key in estimates.keys if key.cohort}
    lone = [g for g in sorted(known) if np.unique(cells.village[cells.cohort == g]).size == 1]
    if not lone or len(lone) == len(known):
        return pl.DataFrame(), ()
    kept = estimates.at(np.array([key.cohort not in lone for key in estimates.keys]))
    kept = replace(kept, missing=tuple(p for p in kept.missing if p[0].cohort not in lone))
    fewer = cells.rows(~np.isin(cells.cohort, lone))
    listed = ", ".join(str(g - shift) for g in lone)
    rest = tidy(added(kept, fewer, "simple", shares), shift)
    note = (
        f"cohort {listed} has one cluster, so nothing that includes it has an interval;"
        f" drop=[{listed}] leaves it out"
    )
    return rest.with_columns(term=pl.lit(f"overall without cohort {listed}")), (note,)
