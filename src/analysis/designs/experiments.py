"""Randomised designs: two means, strata, clusters, adjustment by Lin (2013), take-up.

Each takes a `analysis.designs.sample.Sample` and returns a
`analysis.designs.micro.MicroEffect`. What is estimated is the effect of the offer unless said.
"""

from __future__ import annotations

import numpy as np

from analysis.designs import least_squares
from analysis.designs.least_squares import Errors
from analysis.designs.micro import MicroEffect, made
from analysis.designs.sample import Sample, check_columns
from analysis.effects.table import refuse
from analysis.inference.arrays import Floats

ALONE = "no interval: an arm has one unit"


def two_means(sample: Sample) -> MicroEffect:
    """Compare the means of two arms, units randomised one by one.

    Variance s₁²/n₁ + s₀²/n₀ (Neyman 1923; Imbens & Rubin 2015, equation 6.17), which is HC2, and
    Satterthwaite's degrees of freedom. Conservative for the sample's own mean effect.

    Parameters
    ----------
    sample : Sample
        Without clusters (use `clustered`), strata (use `stratified`) or weights.

    Raises
    ------
    FaultsError
        If the sample has clusters, strata or weights.
    """
    _refuse_clusters(sample, "clustered")
    if sample.stratum:
        refuse(
            "units were randomised inside strata",
            "use stratified, which weighs them",
            column=sample.stratum,
        )
    if sample.weight:
        refuse(
            "Neyman's variance is for means without weights",
            "use regression.least_squares with HC2",
            column=sample.weight,
        )
    point, variance, degrees = _difference(sample.y[sample.treated], sample.y[~sample.treated])
    return made(
        sample,
        "difference in means",
        "itt",
        point,
        np.sqrt(variance),
        degrees,
        "Neyman",
        controls="the other arm",
        note=ALONE if np.isnan(variance) else "",
        with_library="numpy",
    )


def stratified(sample: Sample) -> MicroEffect:
    """Compare means inside strata and weigh them by their units.

    Σ (n_s/n)(ȳ₁ₛ − ȳ₀ₛ), variance Σ (n_s/n)²(s₁ₛ²/n₁ₛ + s₀ₛ²/n₀ₛ) (Imbens & Rubin 2015, section
    9.5). Weights are those of the sample, not of a regression with dummies of strata, which gives
    strata with even arms more weight.

    Parameters
    ----------
    sample : Sample
        With a stratum.

    Raises
    ------
    FaultsError
        If there is no stratum, a stratum lacks an arm, or the sample has clusters or weights.
    """
    _refuse_clusters(sample, "clustered with dummies of strata as covariates")
    if not sample.stratum or sample.weight:
        refuse(
            "strata are needed, and no weights",
            "name the stratum when preparing the sample",
            column=sample.weight or "stratum",
        )
    parts = []
    for number, name in enumerate(sample.strata):
        inside = sample.block == number
        if not inside.any():
            continue
        arms = sample.y[inside & sample.treated], sample.y[inside & ~sample.treated]
        for arm, what in zip(arms, ("treated unit", "control"), strict=True):
            if not arm.size:
                refuse(
                    f"a stratum has no {what}",
                    "join it to another stratum",
                    column=sample.stratum,
                    value=name,
                )
        parts.append((inside.mean(), *_difference(*arms)))
    share, points, variances, degrees = np.array(parts).T
    pieces = share**2 * variances
    variance = pieces.sum()
    # Satterthwaite again, now of the strata; a stratum without spread adds none.
    spread = (pieces[pieces > 0] ** 2 / degrees[pieces > 0]).sum()
    return made(
        sample,
        f"difference in means inside {len(parts)} strata",
        "itt",
        share @ points,
        np.sqrt(variance),
        variance**2 / spread if spread else float("nan"),
        "Neyman",
        controls="the other arm of the stratum",
        with_library="numpy",
        note=ALONE if np.isnan(variance) else "",
    )


def clustered(sample: Sample, *, adjust: bool = True) -> MicroEffect:
    """Compare arms when whole clusters, or units inside them, were randomised.

    Least squares with the covariates; CV3 and t with clusters less one (MacKinnon, Nielsen & Webb
    2023).

    Parameters
    ----------
    sample : Sample
        With a cluster.
    adjust : bool
        Whether covariates enter.

    Raises
    ------
    FaultsError
        If there is no cluster.
    """
    if not sample.cluster:
        refuse(
            "no cluster is named",
            "name the village or other cluster when preparing",
            column="cluster",
        )
    x, used = _design(sample, adjust=adjust)
    fit = least_squares.ordinary(sample.y, x, sample.w, "CV3", sample.group)
    return made(
        sample,
        "difference in means by cluster",
        "itt",
        fit.points[1],
        fit.std_errors[1],
        fit.degrees,
        "CV3",
        used=used,
        controls="the other arm",
        note=fit.note,
    )


def lin(sample: Sample) -> MicroEffect:
    """Adjust for covariates that interact with treatment (Lin 2013).

    y on d, x − x̄ and d(x − x̄): consistent whatever the true shape, and never less precise in large
    samples. HC2, or CV3 where the sample has clusters.

    Parameters
    ----------
    sample : Sample
        With covariates measured before treatment.

    Raises
    ------
    FaultsError
        If there are no covariates, or they do not vary inside an arm.
    """
    if not sample.covariates:
        refuse("there are no covariates to adjust for", "use two_means", column="covariates")
    centred = sample.x - np.average(sample.x, axis=0, weights=sample.w)
    for arm in (sample.treated, ~sample.treated):
        check_columns(centred[arm], sample.covariates)
    constant = np.ones(len(sample))
    x = np.column_stack([constant, sample.d, centred, centred * sample.d[:, None]])
    errors: Errors = "CV3" if sample.cluster else "HC2"
    fit = least_squares.ordinary(sample.y, x, sample.w, errors, sample.group)
    return made(
        sample,
        "adjustment with interactions (Lin 2013)",
        "itt",
        fit.points[1],
        fit.std_errors[1],
        fit.degrees,
        errors,
        used=sample.covariates,
        controls="the other arm",
        note=fit.note,
    )


def take_up(sample: Sample, part: Floats, name: str, *, errors: Errors = "HC1") -> MicroEffect:
    """Scale the effect of the offer by its effect on taking part (Wald; two-stage least squares).

    Parameters
    ----------
    sample : Sample
        Its treatment is the offer.
    part : array, shape (n,)
        Taking part: 0 or 1, or an amount; the estimate is then per unit of it.
    name : str
        What it is called.
    errors : str
        ``classical``, ``HC1``, ``CV1`` or ``CV3``; by cluster if the sample has clusters.

    Returns
    -------
    MicroEffect
        `more` has the effect of the offer on taking part, its error and F statistic.

    Raises
    ------
    FaultsError
        If the offer does not change taking part at all, a value is missing, or errors ignore the
        clusters.
    """
    if part.shape != sample.y.shape or not np.isfinite(part).all():
        refuse(
            "taking part must be known for every row used",
            "leave such rows out before",
            column=name,
        )
    if sample.cluster and errors not in ("CV1", "CV3"):
        refuse("these errors ignore the clusters", "use CV3", column="errors", value=errors)
    z, used = _design(sample, adjust=True)
    first = least_squares.ordinary(part, z, sample.w, errors, sample.group)
    if abs(first.points[1]) <= 1e-12 * max(float(np.ptp(part)), 1e-300) or not np.ptp(part):
        refuse(
            "the offer does not change who takes part",
            "without that there is no effect of taking part to estimate",
            column=name,
        )
    x = z.copy()
    x[:, 1] = part
    fit = least_squares.two_stage(sample.y, x, z, sample.w, errors, sample.group)
    ratio = first.points[1] / first.std_errors[1]
    return made(
        sample,
        f"effect per unit of {name} (two-stage least squares)",
        "late",
        fit.points[1],
        fit.std_errors[1],
        fit.degrees,
        errors,
        used=used,
        controls="the other arm",
        note=fit.note,
        with_library="numpy",
        more={
            "first_stage": float(first.points[1]),
            "first_stage_error": float(first.std_errors[1]),
            "first_stage_f": float(ratio**2),
        },
    )


def _design(sample: Sample, *, adjust: bool) -> tuple[Floats, tuple[str, ...]]:
    """Return a constant, the treatment and the covariates, and the names of these."""
    columns = [np.ones(len(sample)), sample.d]
    if not adjust:
        return np.column_stack(columns), ()
    x = np.column_stack([*columns, sample.x])
    check_columns(x[:, 1:], (sample.treatment, *sample.covariates))
    return x, sample.covariates


def _difference(treated: Floats, control: Floats) -> tuple[float, float, float]:
    """Return the difference of two means, its variance and Satterthwaite's degrees of freedom."""
    point = float(treated.mean() - control.mean())
    if min(treated.size, control.size) < 2:
        return point, float("nan"), float("nan")
    pieces = np.array([arm.var(ddof=1) / arm.size for arm in (treated, control)])
    size = np.array([treated.size, control.size])
    spread = (pieces**2 / (size - 1)).sum()
    variance = float(pieces.sum())
    return point, variance, variance**2 / spread if spread else float("nan")


def _refuse_clusters(sample: Sample, instead: str) -> None:
    if sample.cluster:
        refuse("units of a cluster are not independent", f"use {instead}", column=sample.cluster)
