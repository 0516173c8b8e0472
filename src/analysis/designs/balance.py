"""Balance: whether arms are alike in what was measured before treatment."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from analysis.designs import estimates, joint
from analysis.designs.joint import Target
from analysis.designs.sample import prepare
from analysis.faults import FaultsError, refuse
from analysis.inference import wald as joint_test
from analysis.inference.arrays import Floats
from analysis.results import Comparison, Provenance, Result
from analysis.results.result import frame_of

if TYPE_CHECKING:
    from analysis.designs.randomised_result import RandomisedResult

ALL = "all covariates (F)"


def normalised_difference(values: Floats, d: Floats, w: Floats) -> float:
    """Return the difference of means over the root of the mean variance of both arms.

    Imbens & Rubin (2015, equation 14.1): does not grow with the sample, as t does.

    Examples
    --------
    Means 2 and 1, variances 1 and 1.

    >>> values, d = np.array([1.0, 2, 3, 0, 1, 2]), np.array([1.0, 1, 1, 0, 0, 0])
    >>> normalised_difference(values, d, np.ones(6))
    1.0
    """
    means, variances = [], []
    for arm in (d == 1, d == 0):
        part, weight = values[arm], w[arm]
        mean = np.average(part, weights=weight)
        size = weight.sum() ** 2 / (weight**2).sum()
        means.append(mean)
        spread = np.average((part - mean) ** 2, weights=weight)
        variances.append(spread * size / (size - 1) if size > 1 else math.nan)
    scale = math.sqrt(sum(variances) / 2)
    return float((means[0] - means[1]) / scale) if scale else math.nan


def of_experiment(result: RandomisedResult, covariates: Sequence[str]) -> Result:
    """Compare covariates between the arms of an experiment, one by one and all together.

    Raises
    ------
    FaultsError
        If no covariate is named, or one is missing, constant or a mix of the others.
    """
    from analysis.designs.randomised import arms

    if not covariates:
        refuse("no covariate is named", "name columns measured before treatment", column="balance")
    first = next(iter(result.fits.values())).sample
    sample = prepare(
        result.source.frame,
        covariates[0],
        first.treatment,
        cluster=first.cluster,
        stratum=first.stratum,
        weight=first.weight,
        missing="leave_out",
        extra=covariates,
    )
    design = arms(sample)
    sample, x, group = design.sample, design.x, design.group
    values = sample.more.T
    targets = [Target(y, x, sample.w, design.column) for y in values]
    both = [joint.mean(y, sample.w * arm) for arm in (sample.d, 1 - sample.d) for y in values]
    joint_test = joint.few(joint.estimate([*targets, *both], group), sample, group)
    size, n = len(covariates), estimates.counts(sample)
    rows = []
    for k, name in enumerate(covariates):
        point, error, degrees, note = estimates.value(joint_test, k)
        row = estimates.row(
            name,
            "",
            point,
            error,
            degrees,
            unit=result.source.units.get(name, name),
            level=result.level,
            note=note,
            **n,
            mean_treated=float(joint_test.points[size + k]),
            mean_control=float(joint_test.points[2 * size + k]),
            normalised_difference=normalised_difference(sample.more[:, k], sample.d, sample.w),
        )
        rows.append(row)
    f, p, degrees = wald(
        joint_test.points[:size], joint_test.covariance[:size, :size], joint_test.degrees[0]
    )
    rows.append(
        estimates.row(ALL, "", f, math.nan, degrees, unit="F", note=f"p {p:.3f}")
        | {"p_value": p, "statistic": f, **n}
    )
    return Result(
        frame=frame_of(rows),
        comparison=Comparison(
            estimator=f"balance by {result.comparison.estimator}",
            estimand="difference before treatment",
            compared=result.comparison.compared,
            weights=result.comparison.weights,
            errors=result.comparison.errors,
        ),
        account=estimates.account([sample], result.account.units, group=group),
        provenance=Provenance.of(
            of_experiment,
            evidence=result.source.evidence,
            method="balance of arms",
            inputs=result.provenance.inputs,
        ),
        title=f"Balance: {first.treatment}",
        level=result.level,
    )


def wald(points: Floats, covariance: Floats, degrees: float) -> tuple[float, float, float]:
    """Return F, p value and second degrees of freedom of the test that all of q are zero.

    Hotelling: with d degrees, W (d − q + 1)/(d q) is F with q and d − q + 1.

    Examples
    --------
    One coefficient of two errors with 10 degrees: F is t², p that of t.

    >>> f, p, degrees = wald(np.array([2.0]), np.array([[1.0]]), 10.0)
    >>> from scipy import special
    >>> round(f, 6), round(p - 2 * float(special.stdtr(10, -2)), 6), degrees
    (4.0, 0.0, 10.0)
    """
    try:
        test = joint_test.wald(points, covariance, math.inf, degrees)
    except FaultsError:
        return math.nan, math.nan, math.nan
    rest = degrees - points.size + 1
    return test.statistic * rest / (degrees * points.size), test.p_value, float(rest)
