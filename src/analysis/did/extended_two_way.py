"""Extended two-way fixed effects (Wooldridge 2021), with covariates: diff-diff."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd
from diff_diff import WooldridgeDiD  # type: ignore[import-untyped]

from analysis.did import library
from analysis.did.check import Observations
from analysis.did.estimators.group_time import Comparison as How
from analysis.did.library import Estimate, LibraryDid, Panel


def estimate(observed: Observations, how: How, units: Mapping[str, str], kind: str) -> LibraryDid:
    """Regress on effects of unit and period and a dummy of every cohort and period.

    Parameters
    ----------
    observed : Observations
        As `analysis.did` checks them.
    how : Comparison
        Controls and anticipation.
    units : mapping of str to str
        Unit of each outcome.
    kind : str
        Kind of evidence.

    Notes
    -----
    Wooldridge (2021), "Two-way fixed effects, the two-way Mundlak regression, and event studies".
    Covariates are centred at cohorts and interact with treatment, cohorts and periods. With not yet
    treated controls effects before treatment are zero by construction and not shown.
    """
    panel = library.panel_of(observed, "extended_two_way")

    def fit(table: pd.DataFrame, y: str) -> list[Estimate]:
        return _fit(table, y, panel, how)

    by_name = {
        outcome: fit(panel.table, f"y{k}") for k, outcome in enumerate(observed.columns.outcomes)
    }
    controls = "never treated" if how.controls == "never" else "not yet treated"
    comparison = library.compared(
        "extended two-way fixed effects (Wooldridge 2021)",
        observed,
        how,
        jackknife=False,
        controls=controls,
        base="periods before treatment" if how.controls != "never" else "last period before",
    )
    return library.result(observed, panel, by_name, comparison, units, kind, estimate)


def _fit(table: pd.DataFrame, y: str, panel: Panel, how: How) -> list[Estimate]:
    control = "never_treated" if how.controls == "never" else "not_yet_treated"
    model = WooldridgeDiD(cluster="cluster", control_group=control, anticipation=how.anticipation)
    result: Any = library.quiet(
        lambda: model.fit(table, y, "unit", "time", "first", xtvar=panel.covariates)
    )
    estimates = [Estimate("overall", result.overall_att, result.overall_se, n=result.n_obs)]
    for kind, name in (("event", "event_time"), ("group", "cohort"), ("calendar", "period")):
        result.aggregate(kind)
        parts = {
            "event": result.event_study_effects,
            "group": result.group_effects,
            "calendar": result.calendar_effects,
        }[kind]
        for at, item in sorted(parts.items()):
            place = int(at) if kind == "event" else panel.periods[int(at)]
            which: dict[str, Any] = {name: place}
            estimates.append(Estimate(name, item["att"], item["se"], **which))
    for (cohort, time), item in sorted(result.group_time_effects.items()):
        g, t = panel.periods[int(cohort)], panel.periods[int(time)]
        estimates.append(Estimate("group_time", item["att"], item["se"], cohort=g, period=t))
    return estimates
