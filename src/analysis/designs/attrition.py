"""Who is not seen in an experiment, and what the effect can be without them (Lee 2009)."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from analysis.designs import estimates, joint, lee_bounds
from analysis.designs.joint import Target
from analysis.designs.lee_bounds import Bounds
from analysis.designs.sample import Sample, prepare
from analysis.faults import FaultsError, refuse
from analysis.inference import clusters
from analysis.inference.arrays import Booleans, Floats
from analysis.results import Comparison, Effect, Provenance, Range, Result
from analysis.results.result import frame_of

if TYPE_CHECKING:
    from analysis.designs.randomised_result import Fit, RandomisedResult

SEEN = "__seen"
SHARES = ("seen, treated", "seen, controls", "seen, difference")
LOW, HIGH = "lower bound", "upper bound"


@dataclass(frozen=True, eq=False, kw_only=True, repr=False)
class AttritionResult(Result):
    """Shares seen by arm, and Lee's bounds.

    Attributes
    ----------
    low, high : Effect
        Ends of the bounds, where there is one outcome.
    interval : Range
        Holds the effect with the stated probability.
    """

    @property
    def low(self) -> Effect:
        """The lower bound."""
        return self.effect_of(LOW)

    @property
    def high(self) -> Effect:
        """The upper bound."""
        return self.effect_of(HIGH)

    @property
    def difference(self) -> Effect:
        """Share seen among the treated less that among controls."""
        return self.effect_of(SHARES[2])

    @property
    def interval(self) -> Range:
        """Interval of the effect (Imbens & Manski 2004), where there is one outcome."""
        return self._interval(self.low.outcome)

    def lines(self) -> list[tuple[str, str]]:
        """Return what is printed above the estimates, as label and text."""
        lines = super().lines()
        for outcome in dict.fromkeys(self.frame.filter(pl.col("term") == LOW)["outcome"]):
            text = f"{self._interval(outcome)}, {self.level:.0%}, holds the effect on {outcome}"
            lines.append(("interval", text))
        return lines

    def _interval(self, outcome: str) -> Range:
        low, high = self.effect_of(LOW, outcome), self.effect_of(HIGH, outcome)
        bounds = Bounds(low.value, high.value, math.nan, 1, 1, 0, 0, 0, 0, 1, 0)
        ends = (math.nan, math.nan)
        if min(low.error, high.error) > 0:
            ends = lee_bounds.interval(
                bounds, low.error, high.error, level=self.level, degrees=low.df
            )
        return Range(
            low=ends[0],
            high=ends[1],
            decimals=low.decimals,
            what=f"interval of the effect on {outcome} within Lee's bounds",
            unit=low.unit,
            provenance=low.provenance,
        )


def attrition(result: RandomisedResult) -> AttritionResult:
    """Compare who is seen between arms, and bound the effect on those seen in either arm.

    Rows without the outcome are those not seen; covariates do not enter.
    """
    rows, samples = [], []
    for outcome, fit in result.fits.items():
        sample, y = _everybody(result, outcome, fit)
        samples.append(sample)
        rows += _rows(sample, y, fit.sample, result.level)
    return AttritionResult(
        frame=frame_of(rows),
        comparison=Comparison(
            estimator="trimming bounds (Lee 2009)",
            estimand="effect on those who would be seen in either arm",
            compared=result.comparison.compared,
            base="treatment moves who is seen one way only",
            weights=result.comparison.weights,
            errors="by cluster, each left out in turn" if samples[0].cluster else "influence",
        ),
        account=estimates.account(samples, result.account.units),
        provenance=Provenance.of(
            attrition,
            evidence=result.source.evidence,
            method="Lee bounds",
            inputs=result.provenance.inputs,
        ),
        title=f"Attrition: {result.title.partition(': ')[2]}",
        level=result.level,
    )


def _everybody(result: RandomisedResult, outcome: str, fit: Fit) -> tuple[Sample, Floats]:
    """Return a sample whose outcome is being seen, and the outcome where it is."""
    column = result.source.frame[outcome].cast(pl.Float64, strict=False)
    seen = column.is_not_null() & column.is_not_nan()
    if seen.all():
        refuse("everybody is seen", "there is no attrition to bound", column=outcome)
    first = fit.sample
    sample = prepare(
        result.source.frame.with_columns(seen.alias(SEEN)),
        SEEN,
        first.treatment,
        cluster=first.cluster,
        stratum=first.stratum if fit.inside else "",
        weight=first.weight,
        missing="leave_out",
    )
    return sample, column.fill_null(0.0).fill_nan(0.0).to_numpy()[sample.index]


def _rows(sample: Sample, y: Floats, used: Sample, level: float) -> list[dict[str, Any]]:
    n, w, outcome = estimates.counts(sample), sample.w, used.outcome
    group = sample.group if sample.cluster else None
    x = np.column_stack([np.ones(len(sample)), sample.d])
    means = [joint.mean(sample.y, w * arm) for arm in (sample.d, 1 - sample.d)]
    joint_test = joint.few(
        joint.estimate([*means, Target(sample.y, x, w, 1)], group), sample, group
    )
    rows = []
    for k, term in enumerate(SHARES):
        share = estimates.of_sample(
            term, sample, estimates.value(joint_test, k), level, unit="share"
        )
        rows.append(share | {"outcome": outcome})
    bounds = _lee(sample, y, np.ones(len(sample), bool))
    errors = _errors(sample, y, bounds)
    degrees = float(joint_test.degrees[2]) if group is not None else math.inf
    for term, end, error in zip((LOW, HIGH), (bounds.low, bounds.high), errors, strict=True):
        rows.append(
            estimates.row(
                term,
                outcome,
                end,
                error,
                degrees,
                unit=used.unit,
                level=level,
                trimmed=bounds.trimmed,
                **n,
            )
        )
    return rows


def _lee(sample: Sample, y: Floats, kept: Booleans) -> Bounds:
    return lee_bounds.lee(
        y[kept],
        sample.treated[kept],
        sample.y[kept] == 1,
        weight=sample.w[kept],
        stratum=sample.block[kept],
    )


def _errors(sample: Sample, y: Floats, full: Bounds) -> Floats:
    """Return the errors of both ends: by cluster left out in turn, otherwise by influence."""
    if not sample.cluster:
        values: Floats = np.sqrt((influence(sample, y, full) ** 2).sum(axis=0))
        return values
    ends = []
    for number in range(int(sample.group.max()) + 1):
        try:
            less = _lee(sample, y, sample.group != number)
        except FaultsError:
            return np.array([math.nan, math.nan])
        ends.append([less.low, less.high])
    without = np.array(ends)
    variance = clusters.jackknife_covariance(
        np.array([full.low, full.high]), without, np.ones_like(without, bool)
    )
    return np.asarray(np.sqrt(np.diag(variance)), np.float64)


def influence(sample: Sample, y: Floats, full: Bounds) -> Floats:
    """Return each unit's influence on both bounds, shape (n, 2).

    The share to trim is estimated too (Lee 2009, proposition 3), and so are the weights of strata.
    """
    values = np.zeros((len(sample), 2))
    whole = 0.0
    for block in range(int(sample.block.max()) + 1):
        rows = np.flatnonzero(sample.block == block)
        part = _stratum(sample, y, rows)
        if part is None:
            continue
        ends, influences, size, of_size = part
        values[rows] += size * influences + of_size[:, None] * (
            np.array(ends) - np.array([full.low, full.high])
        )
        whole += size
    return values / whole


def _stratum(
    sample: Sample, y: Floats, rows: Any
) -> tuple[tuple[float, float], Floats, float, Floats] | None:
    """Return bounds of a stratum, influence on them, its weight and influence on the weight."""
    w, seen = sample.w[rows], sample.y[rows] == 1
    arms = (sample.treated[rows], ~sample.treated[rows])
    if not all((arm & seen).any() for arm in arms):
        return None
    rate = [w[arm & seen].sum() / w[arm].sum() for arm in arms]
    of_rate = [
        np.where(arm, w * (seen - r) / w[arm].sum(), 0.0) for arm, r in zip(arms, rate, strict=True)
    ]
    more = int(rate[1] > rate[0])
    less = 1 - more
    keep = rate[less] / rate[more]
    of_keep = of_rate[less] / rate[more] - keep * of_rate[more] / rate[more]
    values = y[rows]
    plain = arms[less] & seen
    mean = np.average(values[plain], weights=w[plain])
    of_mean = np.where(plain, w * (values - mean) / w[plain].sum(), 0.0)
    trimmed, of_trimmed = [], []
    cut = arms[more] & seen
    for top in (True, False):
        end = lee_bounds.trimmed_mean(values[cut], w[cut], keep, top=top)
        edge = _edge(values[cut], w[cut], keep, top=top)
        inside = values <= edge if top else values >= edge
        score = np.where(inside, values - edge, 0.0) - keep * (end - edge)
        own = np.where(cut, w * score / (w[cut].sum() * keep), 0.0)
        trimmed.append(end)
        of_trimmed.append(own + (edge - end) / keep * of_keep)
    # Trimmed from above is the least mean of the arm that is seen more.
    if more == 0:
        ends = trimmed[0] - mean, trimmed[1] - mean
        influences = np.stack([of_trimmed[0] - of_mean, of_trimmed[1] - of_mean], axis=1)
    else:
        ends = mean - trimmed[1], mean - trimmed[0]
        influences = np.stack([of_mean - of_trimmed[1], of_mean - of_trimmed[0]], axis=1)
    total = w[arms[0]].sum()
    of_size = np.where(arms[0], w * rate[less], 0.0) + total * of_rate[less]
    return (float(ends[0]), float(ends[1])), influences, float(total * rate[less]), of_size


def _edge(values: Floats, w: Floats, keep: float, *, top: bool) -> float:
    """Return the value at which trimming begins."""
    order = np.argsort(values if top else -values)
    cumulated = np.cumsum(w[order])
    place = min(int(np.searchsorted(cumulated, keep * cumulated[-1] * (1 - 1e-12))), order.size - 1)
    return float(values[order][place])
