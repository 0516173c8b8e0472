"""Differences in differences of diff-diff as results: what peers expect, in the same form.

Estimates and standard errors are the library's; degrees of freedom are the project's: the effective
clusters of the smaller arm less one. Where the library cannot take the clusters of the data, each
is left out in turn (CV3).
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from importlib.metadata import version
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pandas as pd
import polars as pl

from analysis.designs import estimates
from analysis.did.check import Observations
from analysis.did.estimators.group_time import Comparison as How
from analysis.faults import refuse
from analysis.inference import clusters as by_cluster
from analysis.inference import degrees as design
from analysis.results import Account, Comparison, Effect, FrameDigest, Provenance, Result
from analysis.results.result import frame_of

if TYPE_CHECKING:
    from matplotlib.axes import Axes

ALWAYS: Final = "treated in the first period or before: no period before treatment"
OVERALL: Final = "overall"
GAPS: Final = "periods do not follow each other: event times count the periods that are seen"


@dataclass(frozen=True)
class Estimate:
    """One estimate of the library.

    Attributes
    ----------
    kind : str
        ``overall``, ``event_time``, ``cohort``, ``period`` or ``group_time``.
    estimate, std_error : float
    event_time, cohort, period : int or None
        Which; cohort and period as the user's.
    n : int or None
        Rows behind it.
    term : str
        What it is called; by its kind if empty.
    """

    kind: str
    estimate: float
    std_error: float
    event_time: int | None = None
    cohort: int | None = None
    period: int | None = None
    n: int | None = None
    term: str = ""

    def name(self) -> str:
        """Return what it is called, as `analysis.did` calls its own."""
        if self.term:
            return self.term
        if self.kind == "group_time":
            return f"cohort {self.cohort} in {self.period}"
        at = {"event_time": self.event_time, "cohort": self.cohort, "period": self.period}
        if self.kind not in at:
            return self.kind
        return f"{self.kind.replace('_', ' ')} {at[self.kind]}".replace("-", "−")


@dataclass(frozen=True, eq=False, kw_only=True, repr=False)
class LibraryDid(Result):
    """A difference in differences of a library.

    `tidy` has the overall effect and the effects by event time; other aggregates by name, where
    the estimator has them.

    Attributes
    ----------
    every : polars.DataFrame
        All estimates, with their ``kind``.
    """

    every: pl.DataFrame = field(repr=False)

    @property
    def overall(self) -> Any:
        """The mean effect; a `Result` of several outcomes."""
        result = self._part("overall")
        return result.effects[0] if result.frame.height == 1 else result

    @property
    def effect(self) -> Effect:
        """The mean effect, where there is one outcome."""
        return self.effect_of(OVERALL)

    @cached_property
    def event_study(self) -> Result:
        """Effects by event time."""
        return self._part("event_time")

    @property
    def by_cohort(self) -> Result:
        """Effects by first treated period."""
        return self._part("cohort")

    @property
    def by_period(self) -> Result:
        """Effects by period."""
        return self._part("period")

    @property
    def group_time(self) -> Result:
        """Effects by cohort and period."""
        return self._part("group_time")

    def plot(self, ax: Axes | None = None, **options: Any) -> Axes:
        """Draw the event study; all estimates where there is none."""
        if "event_time" not in self.every["kind"]:
            return super().plot(ax=ax, **options)
        from analysis.results.event_plot import event_study as draw

        return draw(self.event_study, ax=ax, **options)

    def _part(self, kind: str) -> Result:
        rows = self.every.filter(pl.col("kind") == kind)
        if not rows.height:
            there = ", ".join(dict.fromkeys(self.every["kind"].to_list()))
            refuse("this estimator has no such effects", f"it has {there}", value=kind)
        return Result(
            frame=rows.drop("kind"),
            comparison=self.comparison,
            account=self.account,
            provenance=self.provenance,
            title=self.title,
            level=self.level,
        )


@dataclass(frozen=True, eq=False)
class Panel:
    """Observations as the library takes them.

    Attributes
    ----------
    table : pandas.DataFrame
        unit, cluster (whole numbers), time (0, 1, 2, … in the order of the periods), first (the
        same; 0 for never, as cohorts begin at 1), treated (0, 1), within; outcomes ``y0``,
        ``y1``, …; covariates ``x0``, ….
    periods : list of int
        The user's.
    left_out : mapping of str to int
        Rows not used.
    decisions : tuple of str
        What was decided.
    """

    table: pd.DataFrame
    periods: list[int]
    left_out: Mapping[str, int]
    decisions: tuple[str, ...]

    @property
    def covariates(self) -> list[str] | None:
        """Names of covariates in the table; None where there are none."""
        return [name for name in self.table.columns if name.startswith("x")] or None

    @property
    def clustered(self) -> bool:
        """Whether clusters are others than units."""
        return bool(self.table["cluster"].nunique() < self.table["unit"].nunique())


def panel_of(observed: Observations, method: str) -> Panel:
    """Return observations of units followed over time as the library takes them.

    Raises
    ------
    FaultsError
        If units are not followed, there are weights, or nobody has a period before treatment.
    """
    if observed.cross_sections:
        refuse("units are not followed over time", "name unit=", column="unit")
    frame, columns = observed.frame, observed.columns
    if columns.weight and frame["weight"].n_unique() > 1:
        refuse(
            "this method takes no weights",
            'leave weight= out, or use method="doubly_robust"',
            column=columns.weight,
            value=method,
        )
    periods = sorted(frame["period"].unique().to_list())
    rank = {t: k for k, t in enumerate(periods)}
    firsts = {
        g: next((rank[t] for t in periods if t >= g), 0) if g else 0
        for g in frame["cohort"].unique().to_list()
    }
    always = [g for g, k in firsts.items() if g and g <= periods[0]]
    kept = frame.filter(~pl.col("cohort").is_in(always))
    left_out = dict(observed.left_out)
    if kept.height < frame.height:
        left_out[ALWAYS] = frame.height - kept.height
    if not kept.height or kept["cohort"].max() == 0:
        refuse("nobody is treated after the first period", "look at first=", column=columns.first)
    table = pd.DataFrame(
        {
            "unit": kept["unit"].rank("dense").to_numpy().astype(np.int64),
            "cluster": kept["cluster"].to_numpy().astype(np.int64),
            "time": np.array([rank[t] for t in kept["period"].to_list()]),
            "first": np.array([firsts[g] for g in kept["cohort"].to_list()]),
        }
    )
    table["treated"] = ((table["first"] > 0) & (table["time"] >= table["first"])).astype(int)
    if "within" in kept.columns:
        table["within"] = kept["within"].rank("dense").to_numpy().astype(int) - 1
    for k, name in enumerate(columns.outcomes):
        table[f"y{k}"] = kept[f"y:{name}"].to_numpy()
    for k, name in enumerate(columns.covariates):
        table[f"x{k}"] = kept[f"x:{name}"].to_numpy()
    user = [t - observed.shift for t in periods]
    gaps = (GAPS,) if len(set(np.diff(user).tolist())) > 1 or np.diff(user)[0] != 1 else ()
    return Panel(table, user, left_out, (*observed.decisions, *gaps))


def quiet(fit: Callable[[], Any]) -> Any:
    """Run a fit of the library without its warnings; its refusals in the user's words."""
    try:
        return unwarned(fit)
    except (ValueError, RuntimeError, np.linalg.LinAlgError) as lost:
        text = str(lost).splitlines()[0]
        refuse(f"diff-diff cannot estimate: {text}", "look at periods, cohorts and controls")


def unwarned(fit: Callable[[], Any]) -> Any:
    """Run a fit of the library without its warnings."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return fit()


Fit = Callable[[pd.DataFrame, str], list[Estimate]]
"""Takes the table and the name of an outcome."""


def jackknifed(fit: Fit, table: pd.DataFrame, y: str) -> list[Estimate]:
    """Return estimates with CV3: each cluster is left out in turn.

    An estimate that cannot be made without some cluster has no error.
    """
    full = fit(table, y)
    points = np.array([estimate.estimate for estimate in full])
    names = [estimate.name() for estimate in full]
    groups = np.unique(table["cluster"])
    without = np.full((groups.size, points.size), np.nan)
    for row, number in enumerate(groups):
        less = {
            estimate.name(): estimate.estimate
            for estimate in fit(table[table["cluster"] != number], y)
        }
        without[row] = [less.get(name, np.nan) for name in names]
    variance = np.diag(
        by_cluster.jackknife_covariance(points, without, np.ones_like(without, bool))
    )
    return [
        Estimate(**{**vars(estimate), "std_error": math.sqrt(v) if v >= 0 else math.nan})
        for estimate, v in zip(full, variance, strict=True)
    ]


def result(
    observed: Observations,
    panel: Panel,
    by_name: Mapping[str, Sequence[Estimate]],
    comparison: Comparison,
    units: Mapping[str, str],
    kind: str,
    function: Callable[..., Any],
    *,
    level: float = 0.95,
) -> LibraryDid:
    """Return estimates of each outcome as a result.

    Parameters
    ----------
    observed, panel
        What was estimated from.
    by_name : mapping of str to sequence of Estimate
        By outcome.
    comparison : Comparison
        What was compared; its library is filled in.
    units : mapping of str to str
        Unit of each outcome.
    kind : str
        Kind of evidence.
    function : callable
        That made it.
    level : float
        Probability of the intervals.
    """
    table = panel.table
    people = table.drop_duplicates("unit")
    treated = people["first"] > 0
    shares = [
        people.loc[arm].groupby("cluster").size().to_numpy().astype(float)
        for arm in (treated, ~treated)
    ]
    effective = [float(design.effective_clusters(w[:, None])[0]) for w in shares]
    smaller = design.smaller(np.array(effective)[:, None])
    degrees = float(np.maximum(smaller - 1, 0.0)[0])
    clusters = np.array([len(arm) for arm in shares], float)
    few = bool(design.few(clusters[:, None], np.array([degrees]))[0])
    why = design.few_clusters(clusters, np.array(effective), inside=False)
    rows = []
    for outcome, result in by_name.items():
        for estimate in result:
            row = estimates.row(
                estimate.name(),
                outcome,
                estimate.estimate,
                math.nan if few else estimate.std_error,
                degrees,
                unit=units.get(outcome, "") or outcome,
                level=level,
                note=why if few else "" if math.isfinite(estimate.std_error) else "no interval",
                n=estimate.n,
                n_treated=int(treated.sum()),
                n_control=int((~treated).sum()),
                n_clusters_treated=int(shares[0].size),
                n_clusters_control=int(shares[1].size),
                kind=estimate.kind,
                event_time=estimate.event_time,
                cohort=estimate.cohort,
                period=estimate.period,
            )
            rows.append(row)
    every = frame_of(rows)
    columns = observed.columns
    shown = every.filter(pl.col("kind").is_in(["overall", "event_time"])).drop("kind")
    digest = FrameDigest(pl.from_dict(dict(table.items())), "data")
    return LibraryDid(
        frame=shown,
        comparison=comparison,
        account=Account(
            rows_in=observed.rows_in,
            rows_used=len(table),
            left_out=panel.left_out,
            decisions=panel.decisions,
            units=columns.unit or "units",
            n_treated=int(treated.sum()),
            n_control=int((~treated).sum()),
            clusters=f"clusters ({columns.cluster or columns.unit})",
            n_clusters_treated=int(shares[0].size),
            n_clusters_control=int(shares[1].size),
            effective_clusters=(effective[0], effective[1]),
        ),
        provenance=Provenance.of(
            function, evidence=kind, method=comparison.estimator, inputs=(digest,)
        ),
        title=f"Effect on {', '.join(by_name)}",
        level=level,
        every=every,
    )


def compared(
    estimator: str, observed: Observations, how: How, *, jackknife: bool, controls: str, base: str
) -> Comparison:
    """Return what was compared, as a result prints it."""
    errors = (
        "jackknife over clusters (CV3)" if jackknife else "of the library, by cluster, no jackknife"
    )
    return Comparison(
        estimator=estimator,
        estimand="mean effect on the treated",
        compared=f"treated with {controls}",
        base=base,
        anticipation=f"{how.anticipation} periods",
        adjusted=", ".join(observed.columns.covariates),
        errors=f"{errors}; t with the effective clusters of the smaller arm less one",
        library=f"diff-diff {version('diff-diff')}",
    )
