"""Discontinuity at a cutoff of a score: local regression (rdrobust) and polynomials, with checks.

The effect is that on units at the cutoff. rdrobust is an optional extra (GPL); the polynomial, the
balance of covariates and the count test need nothing but this project.
"""

from __future__ import annotations

import contextlib
import importlib
import io
import warnings
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import polars as pl
from scipy import stats  # type: ignore[import-untyped]

from analysis.designs import least_squares as ls
from analysis.designs import sample as samples
from analysis.designs.least_squares import Errors
from analysis.designs.micro import MicroEffect, MicroEffects, made
from analysis.designs.sample import Missing, Sample, check_columns
from analysis.effects.table import refuse
from analysis.faults import Fault, FaultsError
from analysis.inference.arrays import Floats

SCORE = "score"
"""First covariate of every sample here: distance from the cutoff, treated or not."""
DONUT = "nearer to the cutoff than the donut"
REMEDY = 'install it: python -m pip install -e ".[discontinuity]"'


def prepare(
    frame: pl.DataFrame,
    outcome: str,
    score: str,
    covariates: Sequence[str] = (),
    *,
    cutoff: float = 0.0,
    treated_below: bool = False,
    cluster: str = "",
    donut: float = 0.0,
    missing: Missing = "refuse",
    tier: str = "yours",
    unit: str = "",
    programme: str = "",
) -> Sample:
    """Make a sample whose treatment is the side of a cutoff.

    Parameters
    ----------
    frame : polars.DataFrame
        One row per unit.
    outcome, score : str
        Columns.
    covariates : sequence of str
        Columns measured before treatment, for `balance`.
    cutoff : float
        Units at it count as above it.
    treated_below : bool
        Whether those below it are treated, as by a poverty score.
    cluster : str
        Column of the cluster.
    donut : float
        Units nearer to the cutoff than this are left out and counted.
    missing, tier, unit, programme
        As in `analysis.designs.sample.prepare`.

    Returns
    -------
    Sample
        Its first covariate is the distance from the cutoff, negative below it.

    Raises
    ------
    FaultsError
        If all units are on one side, or a column cannot be used.
    """
    if score not in frame.columns:
        refuse("there is no such column", f"the data have {', '.join(frame.columns)}", column=score)
    distance = pl.col(score).cast(pl.Float64) - cutoff
    side = (distance < 0) if treated_below else (distance >= 0)
    made_ = frame.with_columns(distance.alias(SCORE), side.cast(pl.Int64).alias("treated"))
    found = samples.prepare(
        made_,
        outcome,
        "treated",
        (SCORE, *covariates),
        cluster=cluster,
        missing=missing,
        tier=tier,
        unit=unit,
        programme=programme,
    )
    return found.rows(np.abs(found.x[:, 0]) >= donut, DONUT) if donut else found


def polynomial(
    sample: Sample, degree: int = 1, *, within: float | None = None, errors: Errors | None = None
) -> MicroEffect:
    """Regress on a polynomial of the score on each side; the jump at the cutoff.

    Parameters
    ----------
    sample : Sample
        As `prepare` makes it.
    degree : int
        1 or 2; higher ones give far-away units much weight (Gelman & Imbens 2019) and are refused.
    within : float, optional
        Only units at most this far from the cutoff.
    errors : str, optional
        HC1, or CV3 with clusters, by default.

    Raises
    ------
    FaultsError
        If the degree is another, or too few units are left on a side.
    """
    if degree not in (1, 2):
        refuse(
            "the degree is neither 1 nor 2",
            "use a straight line or a quadratic",
            column="degree",
            value=degree,
        )
    kept = sample
    if within is not None:
        kept = sample.rows(np.abs(sample.x[:, 0]) <= within, f"farther than {within:g} away")
    s = kept.x[:, 0] / np.abs(kept.x[:, 0]).max()
    powers = np.column_stack([s**k for k in range(1, degree + 1)])
    x = np.column_stack([np.ones(len(kept)), kept.d, powers, powers * kept.d[:, None]])
    kind: Errors = errors or ("CV3" if kept.cluster else "HC1")
    check_columns(
        x[:, 1:],
        (kept.treatment, *(f"score on a side, term {k}" for k in range(1, 2 * degree + 1))),
    )
    fit = ls.ordinary(kept.y, x, kept.w, kind, kept.group)
    name = {1: "line on each side", 2: "quadratic on each side"}[degree]
    return made(
        kept,
        name,
        "cutoff",
        fit.points[1],
        fit.std_errors[1],
        fit.degrees,
        kind,
        used=(SCORE,),
        controls="other side of the cutoff",
        note=fit.note,
        more={} if within is None else {"bandwidth": within},
    )


def local(sample: Sample, *, level: float = 0.95) -> MicroEffects:
    """Estimate by local linear regression with the bandwidth of least error (rdrobust's default).

    Triangular kernel; errors from nearest neighbours, or by cluster. The first result ignores the
    bias that the bandwidth leaves, the second corrects it and counts the correction's own error
    (Calonico, Cattaneo & Titiunik 2014): its interval is the one to print.

    Parameters
    ----------
    sample : Sample
        As `prepare` makes it.
    level : float
        Probability of the intervals.

    Returns
    -------
    MicroEffects
        Conventional and robust; `more` has the bandwidth and the units inside it by side.

    Raises
    ------
    FaultsError
        If rdrobust is not installed, or finds too few units near the cutoff.
    """
    rdrobust = _package()
    clustered = {"cluster": sample.group, "vce": "cr1"} if sample.cluster else {}
    with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
        warnings.simplefilter("ignore")
        try:
            found: Any = rdrobust.rdrobust(sample.y, sample.x[:, 0], c=0, **clustered)
        except Exception as lost:  # noqa: BLE001 — rdrobust raises bare Exceptions
            refuse(
                f"rdrobust cannot estimate: {lost}",
                "look at how many units are near the cutoff, or use polynomial",
                column=SCORE,
            )
    sign = 1.0 if sample.d[np.argmax(sample.x[:, 0])] == 1 else -1.0
    bandwidth, inside = float(found.bws.iloc[0, 0]), [int(n) for n in found.N_h]
    more = {
        "bandwidth": bandwidth,
        "n_below_inside": float(inside[0]),
        "n_above_inside": float(inside[1]),
    }
    effects = []
    for row, convention in (("Conventional", "conventional"), ("Robust", "robust")):
        point, error = sign * float(found.coef.loc[row].item()), float(found.se.loc[row].item())
        effects.append(
            made(
                sample,
                f"local linear regression, {convention}",
                "cutoff",
                point,
                error,
                float("inf"),
                convention,
                used=(SCORE,),
                controls="other side of the cutoff",
                level=level,
                with_library="rdrobust",
                more=more,
            )
        )
    return MicroEffects(tuple(effects))


def balance(sample: Sample, *, degree: int = 1, within: float | None = None) -> MicroEffects:
    """Estimate the jump of each covariate, which treatment cannot have moved.

    Parameters
    ----------
    sample : Sample
        With covariates beside the score.
    degree, within
        As in `polynomial`.

    Raises
    ------
    FaultsError
        If there are no covariates.
    """
    if len(sample.covariates) < 2:
        refuse("there are no covariates to compare", "name them in prepare", column="covariates")
    found = []
    for k, name in enumerate(sample.covariates[1:], 1):
        one = replace(sample, outcome=name, y=sample.x[:, k], unit="")
        found.append(polynomial(one, degree, within=within))
    return MicroEffects(tuple(found))


def count_test(sample: Sample, within: float) -> pl.DataFrame:
    """Test that as many units are just below the cutoff as just above it.

    Exact binomial test in a small window (Cattaneo, Idrobo & Titiunik 2020, section 4.4.2): a score
    that is bent to get in leaves more units on the better side.

    Parameters
    ----------
    sample : Sample
        As `prepare` makes it, without a donut.
    within : float
        Half the width of the window, in units of the score: small, for the density has a slope.

    Returns
    -------
    polars.DataFrame
        One row: ``within``, ``n_below``, ``n_above``, ``p_value``.

    Raises
    ------
    FaultsError
        If nobody is in the window, or a donut has emptied it.
    """
    s: Floats = sample.x[:, 0]
    if DONUT in sample.left_out:
        refuse("units near the cutoff were left out", "test before cutting the donut")
    below, above = int(((s < 0) & (s >= -within)).sum()), int(((s >= 0) & (s <= within)).sum())
    if not below + above:
        refuse(
            "nobody is that near to the cutoff", "widen the window", column="within", value=within
        )
    p = float(stats.binomtest(below, below + above).pvalue)
    return pl.DataFrame(
        {"within": [within], "n_below": [below], "n_above": [above], "p_value": [p]}
    )


def _package() -> Any:
    try:
        return importlib.import_module("rdrobust")
    except ImportError:
        fault = Fault("pyproject.toml", "the package rdrobust is not installed", REMEDY)
        raise FaultsError([fault]) from None
