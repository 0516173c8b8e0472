"""What must hold for an adjusted estimate: balance, overlap, no strong hidden cause."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from analysis.designs import estimates, propensity
from analysis.designs.balance import normalised_difference
from analysis.designs.sample import Sample
from analysis.faults import refuse
from analysis.inference.arrays import Floats
from analysis.results import Comparison, Provenance, Result
from analysis.results.result import frame_of
from analysis.sensitivity import confounding

if TYPE_CHECKING:
    from analysis.designs.adjusted import Adjusted, AdjustedResult

QUANTILES: Final = (0.0, 0.1, 0.5, 0.9, 1.0)


def balance(result: AdjustedResult) -> Result:
    """Compare covariates before and after adjustment."""
    fit = _first(result)
    sample = fit.sample
    after = sample.w if fit.controls is None else np.where(sample.treated, sample.w, fit.controls)
    rows = []
    for name, values in zip(sample.covariates, sample.x.T, strict=True):
        before = normalised_difference(values, sample.d, sample.w)
        arms = [
            np.average(values[arm], weights=after[arm]) for arm in (sample.treated, ~sample.treated)
        ]
        spreads = [
            np.average((values[arm] - mean) ** 2, weights=after[arm])
            for arm, mean in zip((sample.treated, ~sample.treated), arms, strict=True)
        ]
        row = estimates.row(
            name,
            "",
            # Over the spread before weighting, so that both are on one scale (Stuart 2010).
            _scaled(arms[0] - arms[1], values, sample),
            math.nan,
            math.nan,
            unit="standard deviations",
            note=f"before {before:.2f}",
            **estimates.counts(sample),
            before=before,
            mean_treated=float(arms[0]),
            mean_control=float(arms[1]),
            variance_ratio=float(spreads[0] / spreads[1]) if spreads[1] else math.nan,
        )
        rows.append(row)
    return _result(
        result,
        fit,
        rows,
        balance,
        "Balance",
        "difference of means over the standard deviation, treated less controls",
    )


def _scaled(difference: float, values: Floats, sample: Sample) -> float:
    raw = np.average(values[sample.treated], weights=sample.w[sample.treated]) - np.average(
        values[~sample.treated], weights=sample.w[~sample.treated]
    )
    whole = normalised_difference(values, sample.d, sample.w)
    return float(difference / (raw / whole)) if raw else 0.0


def overlap(result: AdjustedResult) -> Result:
    """Describe the propensities of both arms, and the weights."""
    fit = _first(result)
    sample = fit.sample
    p = propensity.propensity(sample) if fit.propensity is None else fit.propensity
    treated, control = p[sample.treated], p[~sample.treated]
    n = estimates.counts(sample)
    values = {
        f"propensity of {arm}, {_name(q)}": (float(np.quantile(part, q)), "probability")
        for arm, part in (("treated", treated), ("controls", control))
        for q in QUANTILES
    }
    beyond = float(((treated > control.max()) | (treated < control.min())).sum())
    values["treated outside the range of controls"] = (beyond, "units")
    if fit.controls is not None:
        weights = fit.controls[fit.controls > 0]
        values["effective number of controls"] = (float(1 / (weights**2).sum()), "units")
        values["largest weight of a control"] = (float(weights.max()), "share")
    rows = [
        estimates.row(term, "", value, math.nan, math.nan, unit=unit, note=" ", **n)
        for term, (value, unit) in values.items()
    ]
    what = "probability of treatment by a logit on the covariates"
    return _result(result, fit, rows, overlap, "Overlap", what)


def _name(q: float) -> str:
    return {0.0: "lowest", 0.5: "median", 1.0: "highest"}.get(q, f"quantile {q:g}")


def sensitivity(result: AdjustedResult) -> Result:
    """Say how strong a hidden cause must be, and what one as strong as a covariate would do."""
    fit = _first(result)
    sample, n = fit.sample, estimates.counts(fit.sample)
    point, error, degrees = _classical(sample.y, sample.d, sample.x, sample.w)
    strength = confounding.robustness(point / error, degrees, level=result.level)
    rows = [
        estimates.row(term, sample.outcome, value, math.nan, math.nan, unit="share", note=" ", **n)
        for term, value in (
            ("partial R² of treatment with outcome", strength.partial_r2),
            ("robustness value", strength.value),
            ("robustness value of the interval", strength.value_interval),
        )
    ]
    for k, name in enumerate(sample.covariates):
        r2_treatment, r2_outcome = benchmark(sample, k)
        if not (r2_treatment < 1 and r2_outcome <= 1):
            note = "no estimate: a cause as strong would explain everything"
            value, std_error = math.nan, math.nan
        else:
            value, std_error = confounding.adjusted(point, error, degrees, r2_outcome, r2_treatment)
            note = ""
        rows.append(
            estimates.row(
                f"effect if a hidden cause were as strong as {name}",
                sample.outcome,
                value,
                std_error,
                degrees - 1,
                unit=sample.unit,
                level=result.level,
                note=note,
                **n,
                r2_treatment=r2_treatment,
                r2_outcome=r2_outcome,
            )
        )
    what = "strength of a hidden cause, least squares with classical errors"
    return _result(result, fit, rows, sensitivity, "Sensitivity", what)


def benchmark(sample: Sample, number: int, times: float = 1.0) -> tuple[float, float]:
    """Return the partial R² of a hidden cause some times as strong as a covariate.

    Cinelli & Hazlett (2020, equations 56 to 59): with treatment, and with the outcome.
    """
    others = np.delete(sample.x, number, axis=1)
    covariate = sample.x[:, number]
    d = _partial(sample.d, covariate, others, sample.w)
    y = _partial(sample.y, covariate, np.column_stack([others, sample.d]), sample.w)
    if times * d >= 1:
        return math.inf, math.inf
    shared = times * d**2 / ((1 - times * d) * (1 - d))
    if shared >= 1:
        return math.inf, math.inf
    root = (math.sqrt(times) + math.sqrt(shared)) / math.sqrt(1 - shared)
    return times * d / (1 - d), root**2 * y / (1 - y)


def _partial(y: Floats, z: Floats, x: Floats, w: Floats) -> float:
    """Return the share of the rest of y's variance, given x, that z explains."""
    root = np.sqrt(w)
    columns = np.column_stack([np.ones(y.size), x]) * root[:, None]
    both = np.column_stack([y, z]) * root[:, None]
    rest = both - columns @ np.linalg.lstsq(columns, both, rcond=None)[0]
    return float(
        (rest[:, 0] @ rest[:, 1]) ** 2 / ((rest[:, 0] ** 2).sum() * (rest[:, 1] ** 2).sum())
    )


def _classical(y: Floats, d: Floats, x: Floats, w: Floats) -> tuple[float, float, float]:
    """Return the coefficient of d, its classical error and residual degrees (statsmodels)."""
    from analysis.designs import least_squares

    columns = np.column_stack([np.ones(y.size), d, x])
    fit = least_squares.ordinary(y, columns, w, "classical", np.arange(y.size))
    return float(fit.points[1]), float(fit.std_errors[1]), fit.degrees


def _first(result: AdjustedResult) -> Adjusted:
    fit = next(iter(result.fits.values()))
    if not fit.sample.covariates:
        refuse("there are no covariates", "name them in adjust", column="covariates")
    return fit


def _result(
    result: AdjustedResult,
    fit: Adjusted,
    rows: Sequence[dict[str, Any]],
    function: Callable[..., Any],
    title: str,
    estimand: str,
) -> Result:
    comparison = result.comparison
    return Result(
        frame=frame_of(rows),
        comparison=Comparison(
            estimator=comparison.estimator,
            estimand=estimand,
            compared=comparison.compared,
            weights=comparison.weights,
        ),
        account=estimates.account([fit.sample], result.account.units),
        provenance=Provenance.of(
            function,
            evidence=result.provenance.evidence,
            method=estimand,
            inputs=result.provenance.inputs,
        ),
        title=f"{title}: {fit.sample.treatment}",
        level=result.level,
    )
