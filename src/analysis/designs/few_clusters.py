"""Tests of an experiment that hold with few clusters: wild bootstrap and randomisation."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from analysis.designs import estimates
from analysis.designs.sample import Sample
from analysis.faults import refuse
from analysis.inference import randomisation as permutations
from analysis.inference import wild
from analysis.inference.arrays import Booleans, Floats, Integers
from analysis.results import Provenance, Result
from analysis.results.result import frame_of

if TYPE_CHECKING:
    from analysis.designs.randomised_result import Fit, RandomisedResult


def wild_bootstrap(
    result: RandomisedResult, draws: int, seed: int, weights: wild.Weights = "rademacher"
) -> Result:
    """Test each effect, and invert the test to an interval, by the restricted wild bootstrap.

    Raises
    ------
    FaultsError
        If there are no clusters.
    """
    rows = []
    for fit in result.fits.values():
        sample, group = fit.sample, fit.group
        if group is None:
            refuse(
                "the wild bootstrap here is by cluster, and there are none",
                "name cluster=, or use .randomise()",
                column="cluster",
            )
        gram = _products(fit.x, fit.x, sample.w, group)
        moment = _products(fit.x, sample.y[:, None], sample.w, group)[:, :, 0]
        options: dict[str, Any] = {"draws": draws, "seed": seed, "weights": weights}
        test = wild.bootstrap(gram, moment, fit.column, **options)
        low, high = wild.interval(gram, moment, fit.column, level=result.level, **options)
        row = _row(fit, result, test.p_value, draws=test.draws, enumerated=test.enumerated)
        rows.append(row | {"statistic": test.statistic, "ci_low": low, "ci_high": high, "note": ""})
    name = {"rademacher": "signs", "webb": "Webb's six weights"}[weights]
    errors = (
        f"restricted wild bootstrap over clusters ({name}); interval of the effects it does not"
        " reject"
    )
    return _result(result, rows, errors, wild_bootstrap)


def randomisation(
    result: RandomisedResult, draws: int, seed: int, interval: bool = False
) -> Result:
    """Test no effect on anybody by other assignments that the design could have made.

    Whole clusters change arms where treatment was by cluster, units inside clusters otherwise;
    always inside strata. Covariates do not enter.
    """
    rows = []
    for fit in result.fits.values():
        weight, total, treated, block = assignment(fit.sample)
        try:
            test = permutations.permute(
                weight, total[:, None], treated, block, draws=draws, seed=seed
            )
        except ValueError as error:
            refuse(str(error), "no test of this design is possible", column=fit.sample.treatment)
        row = _row(
            fit,
            result,
            test.p_values.item(),
            draws=test.drawn.shape[0],
            enumerated=test.enumerated,
        )
        row |= {"statistic": test.statistics.item()}
        if interval:
            low, high = permutations.interval(
                weight, total, treated, block, level=result.level, draws=draws, seed=seed
            )
            row |= {"ci_low": low, "ci_high": high, "note": ""}
        rows.append(row)
    errors = "randomisation inference, studentised, inside strata of the design"
    return _result(result, rows, errors, randomisation)


def assignment(sample: Sample) -> tuple[Floats, Floats, Booleans, Integers]:
    """Return weight, sum of the outcome, arm and block of each unit that was assigned.

    The outcome is centred inside each stratum, which no assignment changes.
    """
    size = int(sample.block.max()) + 1
    sums = np.bincount(sample.block, sample.w, size)
    means = np.bincount(sample.block, sample.w * sample.y, size) / np.maximum(sums, 1e-300)
    centred = sample.w * (sample.y - means[sample.block])
    if not sample.cluster:
        return sample.w, centred, sample.treated, sample.block
    number = int(sample.group.max()) + 1
    count = np.bincount(sample.group, minlength=number)
    share = np.bincount(sample.group, sample.d, number) / count
    low, high = np.full(number, size), np.zeros(number, np.int64)
    np.minimum.at(low, sample.group, sample.block)
    np.maximum.at(high, sample.group, sample.block)
    if ((share > 0) & (share < 1)).any() or (low != high).any():
        return sample.w, centred, sample.treated, sample.block * number + sample.group
    total: Floats = np.bincount(sample.group, centred, number).astype(np.float64)
    weight = np.bincount(sample.group, sample.w, number).astype(np.float64)
    return weight, total, share == 1, high


def _products(a: Floats, b: Floats, w: Floats, group: Integers) -> Floats:
    """Return Σ w a b′ by cluster, shape (G, a, b)."""
    values = np.zeros((int(group.max()) + 1, a.shape[1], b.shape[1]))
    np.add.at(values, group, (a * w[:, None])[:, :, None] * b[:, None, :])
    return values


def _row(fit: Fit, result: RandomisedResult, p_value: float, **more: Any) -> dict[str, Any]:
    sample = fit.sample
    row = estimates.row(
        "effect",
        sample.outcome,
        float(fit.joint.points[0]),
        math.nan,
        math.nan,
        unit=sample.unit,
        level=result.level,
        note="no interval: a test of no effect",
        **estimates.counts(sample),
        **more,
    )
    return row | {"p_value": p_value}


def _result(
    result: RandomisedResult,
    rows: Sequence[dict[str, Any]],
    errors: str,
    function: Callable[..., Any],
) -> Result:
    used = max(row["draws"] for row in rows)
    every = "all" if all(row["enumerated"] for row in rows) else "random"
    provenance = Provenance.of(
        function,
        evidence=result.provenance.evidence,
        method=f"{result.comparison.estimator}; {errors}",
        inputs=result.provenance.inputs,
    )
    return Result(
        frame=frame_of(rows),
        comparison=replace(result.comparison, errors=f"{errors}, {used:,} draws ({every})"),
        account=result.account,
        provenance=provenance,
        title=result.title,
        level=result.level,
    )
