"""Stacked difference in differences (Wing, Freedman & Hollingsworth 2024): diff-diff."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd
from diff_diff import StackedDiD  # type: ignore[import-untyped]

from analysis.did import library
from analysis.did.check import Observations
from analysis.did.estimators.group_time import Comparison as How
from analysis.did.library import Estimate, LibraryDid, Panel
from analysis.faults import refuse


def estimate(observed: Observations, how: How, units: Mapping[str, str], kind: str) -> LibraryDid:
    """Stack one clean experiment for each cohort, weigh controls, and regress.

    The window is the widest in which every cohort has a period before and one after.

    Parameters are those of `analysis.did.extended_two_way.estimate`.

    Notes
    -----
    Wing, Freedman & Hollingsworth (2024), NBER working paper 32054: weights make the stack a mean
    of cohorts over the same event times. Where clusters are others than units each is left out in
    turn, as the library clusters by unit.
    """
    panel = library.panel_of(observed, "stacked")
    before, after = window(panel)

    def fit(table: pd.DataFrame, y: str) -> list[Estimate]:
        return _fit(table, y, panel, how, before, after)

    by_name = {
        outcome: (library.jackknifed if panel.clustered else _plain)(fit, panel.table, f"y{k}")
        for k, outcome in enumerate(observed.columns.outcomes)
    }
    comparison = library.compared(
        f"stacked experiments, {before} periods before and {after + 1} after"
        " (Wing, Freedman & Hollingsworth 2024)",
        observed,
        how,
        jackknife=panel.clustered,
        controls="never treated" if how.controls == "never" else "not yet treated",
        base="last period before treatment",
    )
    return library.result(observed, panel, by_name, comparison, units, kind, estimate)


def _plain(fit: library.Fit, table: pd.DataFrame, y: str) -> list[Estimate]:
    return fit(table, y)


def window(panel: Panel) -> tuple[int, int]:
    """Return periods before and after the first treated one that every cohort has.

    Raises
    ------
    FaultsError
        If some cohort has no period before treatment.
    """
    firsts = panel.table.loc[panel.table["first"] > 0, "first"]
    before, after = int(firsts.min()), int(panel.table["time"].max() - firsts.max())
    if before < 1 or after < 0:
        refuse("cohorts share no window", "leave cohorts out: drop=", column="first")
    return before, after


def _fit(
    table: pd.DataFrame, y: str, panel: Panel, how: How, before: int, after: int
) -> list[Estimate]:
    control = "never_treated" if how.controls == "never" else "not_yet_treated"
    model = StackedDiD(
        kappa_pre=before, kappa_post=after, control_group=control, anticipation=how.anticipation
    )
    result: Any = library.quiet(
        lambda: model.fit(table, y, "unit", "time", "first", covariates=panel.covariates)
    )
    result.aggregate("event_study")
    estimates = [Estimate("overall", result.overall_att, result.overall_se, n=result.n_stacked_obs)]
    for at, item in sorted(result.event_study_effects.items()):
        if item["se"] > 0:
            estimates.append(
                Estimate(
                    "event_time", item["effect"], item["se"], event_time=int(at), n=item["n_obs"]
                )
            )
    return estimates
