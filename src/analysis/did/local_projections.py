"""Local projections difference in differences (Dube, Girardi, Jordà & Taylor): diff-diff."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd
from diff_diff import LPDiD  # type: ignore[import-untyped]

from analysis.did import library
from analysis.did.check import Observations
from analysis.did.estimators.group_time import Comparison as How
from analysis.did.library import Estimate, LibraryDid, Panel


def estimate(observed: Observations, how: How, units: Mapping[str, str], kind: str) -> LibraryDid:
    """Regress long differences on entering treatment, one horizon at a time, clean controls only.

    Parameters are those of `analysis.did.extended_two_way.estimate`.

    Notes
    -----
    Dube, Girardi, Jordà & Taylor (2025), Journal of Applied Econometrics. Reweighted, so that
    each treated unit counts once; the mean effect is pooled over all horizons after treatment.
    """
    panel = library.panel_of(observed, "local_projections")

    def fit(table: pd.DataFrame, y: str) -> list[Estimate]:
        return _fit(table, y, panel, how)

    by_name = {
        outcome: fit(panel.table, f"y{k}") for k, outcome in enumerate(observed.columns.outcomes)
    }
    comparison = library.compared(
        "local projections (Dube, Girardi, Jordà & Taylor 2025)",
        observed,
        how,
        jackknife=False,
        controls="never treated" if how.controls == "never" else "not yet treated",
        base="last period before treatment",
    )
    return library.result(observed, panel, by_name, comparison, units, kind, estimate)


def _fit(table: pd.DataFrame, y: str, panel: Panel, how: How) -> list[Estimate]:
    firsts = table.loc[table["first"] > 0, "first"]
    last = int(table["time"].max())
    model = LPDiD(
        pre_window=max(2, int(firsts.max())),
        post_window=last - int(firsts.min()),
        control_group="never_treated" if how.controls == "never" else "clean",
        reweight=True,
        cluster="cluster",
    )
    result: Any = library.quiet(
        lambda: model.fit(table, y, "unit", "time", "treated", covariates=panel.covariates)
    )
    post = result.pooled[result.pooled["window"] == "post"].iloc[0]
    estimates = [
        Estimate("overall", float(post["coefficient"]), float(post["se"]), n=int(post["n_obs"]))
    ]
    for item in result.event_study.itertuples():
        if item.se == item.se:  # the base period has no error
            estimates.append(
                Estimate(
                    "event_time",
                    float(item.coefficient),
                    float(item.se),
                    event_time=int(item.horizon),
                    n=int(item.n_obs),
                )
            )
    return estimates
