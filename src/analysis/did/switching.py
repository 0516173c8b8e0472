"""Treatment that switches on and off (de Chaisemartin & D'Haultfœuille 2020, 2024): diff-diff."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from importlib.metadata import version
from typing import Any, Final

import numpy as np
import pandas as pd
import polars as pl
from diff_diff import ChaisemartinDHaultfoeuille  # type: ignore[import-untyped]

from analysis.designs import estimates
from analysis.did import library
from analysis.did.columns import Columns
from analysis.did.library import Estimate, LibraryDid
from analysis.faults import refuse
from analysis.inference import degrees as design
from analysis.results import Account, Comparison, FrameDigest, Provenance
from analysis.results.result import frame_of

MISSING: Final = "{} is missing or not finite"
GAPS: Final = "not seen in every period"


def estimate(
    frame: pl.DataFrame,
    columns: Columns,
    units: Mapping[str, str],
    kind: str,
    *,
    level: float = 0.95,
) -> LibraryDid:
    """Compare units whose treatment changes with those whose treatment stays as it was.

    Parameters
    ----------
    frame : polars.DataFrame
        One row per unit and period.
    columns : Columns
        ``first`` is the treatment of each row: 0 and 1, or a dose.
    units : mapping of str to str
        Unit of each outcome.
    kind : str
        Kind of evidence.
    level : float
        Probability of the intervals.

    Returns
    -------
    LibraryDid
        ``overall`` is the mean effect per period and unit of treatment; event time 0 is the first
        period of the new treatment; ``joiners`` and ``leavers`` in that period.

    Raises
    ------
    FaultsError
        If there are weights, a column is no number, or nobody switches.

    Notes
    -----
    de Chaisemartin & D'Haultfœuille (2020), American Economic Review 110(9); (2024), Review of
    Economics and Statistics. Groups are clusters where treatment is the same for a whole cluster,
    units otherwise; errors are by group.
    """
    if columns.weight:
        refuse("this method takes no weights", "leave weight= out", column=columns.weight)
    table, group, left_out, decisions = _panel(frame, columns)
    periods = sorted(table["time"].unique().tolist())
    table = table.assign(time=table["time"].map({t: k for k, t in enumerate(periods)}))
    covariates = [name for name in table.columns if name.startswith("x")]
    by_name = {
        outcome: _fit(table, f"y{k}", covariates) for k, outcome in enumerate(columns.outcomes)
    }
    moved = table.groupby("group")["d"].nunique() > 1
    n_moved, n_stay = int(moved.sum()), int((~moved).sum())
    degrees = float(max(min(n_moved, n_stay or n_moved) - 1, 0))
    clusters = np.array([n_moved, n_stay], float)
    few = bool(design.few(clusters[:, None], np.array([degrees]))[0])
    why = design.few_clusters(clusters, clusters, inside=False)
    rows = [
        estimates.row(
            effect.name(),
            outcome,
            effect.estimate,
            float("nan") if few else effect.std_error,
            degrees,
            unit=units.get(outcome, "") or outcome,
            level=level,
            note=why if few else "",
            n=effect.n,
            n_clusters_treated=n_moved,
            n_clusters_control=n_stay,
            kind=effect.kind,
            event_time=effect.event_time,
        )
        for outcome, result in by_name.items()
        for effect in result
    ]
    every = frame_of(rows)
    comparison = Comparison(
        estimator="switching treatment (de Chaisemartin & D'Haultfœuille 2024)",
        estimand="mean effect on those who switch, per period and unit of treatment",
        compared="those whose treatment changes with those of the same treatment before, unchanged",
        base="last period before the change",
        adjusted=", ".join(columns.covariates),
        errors=f"of the library, by {group}; t with the groups of the smaller arm less one",
        library=f"diff-diff {version('diff-diff')}",
    )
    return LibraryDid(
        frame=every.drop("kind"),
        comparison=comparison,
        account=Account(
            rows_in=frame.height,
            rows_used=len(table),
            left_out=left_out,
            decisions=decisions,
            units=columns.unit or "units",
            clusters=f"groups ({group})",
            n_clusters_treated=n_moved,
            n_clusters_control=n_stay,
        ),
        provenance=Provenance.of(
            estimate,
            evidence=kind,
            method=comparison.estimator,
            inputs=(FrameDigest(frame.select(list(columns.named())), "data"),),
        ),
        title=f"Effect on {', '.join(by_name)}",
        level=level,
        every=every,
    )


def _panel(
    frame: pl.DataFrame, columns: Columns
) -> tuple[pd.DataFrame, str, dict[str, int], tuple[str, ...]]:
    """Return group, time, d, outcomes, covariates; the group's name; rows left out; decisions."""
    if not columns.unit:
        refuse("units are not followed over time", "name unit=", column="unit")
    numbers = {
        "d": columns.first,
        **{f"y{k}": name for k, name in enumerate(columns.outcomes)},
        **{f"x{k}": name for k, name in enumerate(columns.covariates)},
    }
    for name in (*numbers.values(), columns.time, columns.unit):
        if name not in frame.columns:
            refuse(
                "there is no such column", f"the data have {', '.join(frame.columns)}", value=name
            )
    rows = frame.select(
        unit=pl.col(columns.unit).cast(pl.String),
        cluster=pl.col(columns.cluster or columns.unit).cast(pl.String),
        time=pl.col(columns.time).cast(pl.Int64),
        **{short: pl.col(name).cast(pl.Float64) for short, name in numbers.items()},
    )
    left_out: dict[str, int] = {}
    for short, name in numbers.items():
        less = rows.filter(pl.col(short).is_finite().fill_null(False))
        if less.height < rows.height:
            left_out[MISSING.format(name)] = rows.height - less.height
        rows = less
    whole = rows.filter(pl.len().over("unit") == rows["time"].n_unique())
    if whole.height < rows.height:
        left_out[f"{columns.unit} {GAPS}"] = rows.height - whole.height
    if whole.is_empty():
        refuse("nobody is seen in every period", "leave periods out", column=columns.time)
    same = whole.group_by("cluster", "time").agg(pl.col("d").n_unique().alias("k"))["k"].max() == 1
    name = columns.cluster or columns.unit
    decisions: list[str] = []
    if not same:
        name = columns.unit
        decisions.append(
            f"treatment differs inside {columns.cluster}: groups are {columns.unit}, and errors are"
            " not by cluster"
        )
    group = "cluster" if same else "unit"
    table = pd.DataFrame({"group": whole[group].rank("dense").to_numpy().astype(int)})
    for short in ("time", *numbers):
        table[short] = whole[short].to_numpy()
    if (table["d"] == table["d"].round()).all():
        table["d"] = table["d"].astype(int)
    return table, name, left_out, tuple(decisions)


def _fit(table: pd.DataFrame, y: str, covariates: Sequence[str]) -> list[Estimate]:
    before = table.sort_values("time").groupby("group")["d"].first()
    moved = table[table["d"] != table["group"].map(before)]
    if moved.empty:
        refuse("nobody's treatment changes", "look at first=, the treatment of each row")
    longest = int(table["time"].max() - moved["time"].min()) + 1
    result = _longest(table, y, covariates, longest)
    estimates = [Estimate("overall", result.overall_att, result.overall_se, n=result.n_obs)]
    for at, item in sorted((result.placebo_event_study or {}).items()):
        estimates.append(_event(int(at) - 1, item))
    for at, item in sorted(result.event_study_effects.items()):
        estimates.append(_event(int(at) - 1, item))
    first = (
        _longest(table, y, [], 0) if table["d"].isin([0, 1]).all() and not covariates else result
    )
    for name in ("joiners", "leavers"):
        if getattr(first, f"{name}_available"):
            point, error = getattr(first, f"{name}_att"), getattr(first, f"{name}_se")
            estimates.append(Estimate("switchers", point, error, term=name))
    return [estimate for estimate in estimates if np.isfinite(estimate.estimate)]


def _event(at: int, row: Mapping[str, Any]) -> Estimate:
    return Estimate("event_time", row["effect"], row["se"], event_time=at, n=row["n_obs"])


def _longest(table: pd.DataFrame, y: str, covariates: Sequence[str], longest: int) -> Any:
    """Fit with as many periods after the change as the library can; 0: the first one only."""
    model = ChaisemartinDHaultfoeuille()

    def fit(horizon: int) -> Any:
        return model.fit(
            table,
            y,
            "group",
            "time",
            "d",
            L_max=horizon or None,
            covariates=list(covariates) or None,
        )

    for horizon in range(longest, 1, -1):
        try:
            return library.unwarned(partial(fit, horizon))
        except ValueError:
            continue
    return library.quiet(partial(fit, min(longest, 1)))
