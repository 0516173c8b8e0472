"""Triple differences (Ortiz-Villavicencio & Sant'Anna 2025): diff-diff."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd
from diff_diff import StaggeredTripleDifference  # type: ignore[import-untyped]

from analysis.did import library
from analysis.did.check import Observations
from analysis.did.estimators.group_time import Comparison as How
from analysis.did.library import Estimate, LibraryDid, Panel
from analysis.faults import refuse


def estimate(observed: Observations, how: How, units: Mapping[str, str], kind: str) -> LibraryDid:
    """Subtract from the difference in differences of the eligible that of the ineligible.

    ``within=`` names the column that says who could be treated (the larger of its two values); a
    cohort's treatment reaches only them. Other parameters are those of
    `analysis.did.extended_two_way.estimate`.

    Raises
    ------
    FaultsError
        If ``within`` is not named, or has other than two values.

    Notes
    -----
    Ortiz-Villavicencio & Sant'Anna (2025), doubly robust. Trends of the eligible may differ between
    cohorts as long as those of the ineligible differ alike.
    """
    panel = library.panel_of(observed, "triple_difference")
    if "within" not in panel.table or panel.table["within"].nunique() != 2:
        refuse(
            "triple differences need a column of two groups, those who can be treated and others",
            "name it: within=",
            column="within",
            value=observed.columns.within,
        )

    def fit(table: pd.DataFrame, y: str) -> list[Estimate]:
        return _fit(table, y, panel, how)

    by_name = {
        outcome: fit(panel.table, f"y{k}") for k, outcome in enumerate(observed.columns.outcomes)
    }
    comparison = library.compared(
        "triple differences, doubly robust (Ortiz-Villavicencio & Sant'Anna 2025)",
        observed,
        how,
        jackknife=False,
        controls=(
            f"{'never' if how.controls == 'never' else 'not yet'} treated, less the same of those"
            f" who cannot be treated ({observed.columns.within})"
        ),
        base="last period before treatment",
    )
    return library.result(observed, panel, by_name, comparison, units, kind, estimate)


def _fit(table: pd.DataFrame, y: str, panel: Panel, how: How) -> list[Estimate]:
    model = StaggeredTripleDifference(
        control_group="nevertreated" if how.controls == "never" else "notyettreated",
        anticipation=how.anticipation,
        base_period=how.base,
        cluster="cluster",
        cband=False,
    )
    result: Any = library.quiet(
        lambda: model.fit(
            table,
            y,
            "unit",
            "time",
            "first",
            "within",
            covariates=panel.covariates,
            aggregate="event_study",
        )
    )
    estimates = [Estimate("overall", result.overall_att, result.overall_se, n=result.n_obs)]
    for at, item in sorted((result.event_study_effects or {}).items()):
        if item["se"] > 0:
            estimates.append(Estimate("event_time", item["effect"], item["se"], event_time=int(at)))
    for (cohort, time), item in sorted(result.group_time_effects.items()):
        if item["se"] > 0:
            g, t = panel.periods[int(cohort)], panel.periods[int(time)]
            estimates.append(Estimate("group_time", item["effect"], item["se"], cohort=g, period=t))
    return estimates
