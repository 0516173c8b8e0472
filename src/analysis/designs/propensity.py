"""Selection on observables: regression, propensity weighting and doubly robust, on the treated.

Treated and controls differ; these estimators are right only if they differ in the covariates alone.
Errors are the squared influence of each unit, estimated propensities and regressions included: the
treatment effects of statsmodels stop at an approximate optimum (the point moves in the fifth digit)
and lack the doubly robust effect on the treated. By cluster, each is left out in turn (CV3).
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

import numpy as np

from analysis.designs import least_squares as ls
from analysis.designs.arms import degrees_of, too_few
from analysis.designs.sample import Sample, check_columns
from analysis.faults import FaultsError, refuse
from analysis.inference import clusters
from analysis.inference.arrays import Floats

Overlap = Literal["all", "support"]
SUPPORT = "control with a propensity outside the range of the treated"
CERTAIN = 1e-8
"""A fitted propensity nearer than this to 0 for a treated unit, or to 1 for any, separates."""


@dataclass(frozen=True)
class Logit:
    """A logit for treatment.

    Attributes
    ----------
    p : array, shape (n,)
        Fitted probability of treatment.
    influence : array, shape (n, k)
        Each unit's influence on the coefficients, the constant's first.
    """

    p: Floats
    influence: Floats


Estimate = Callable[[Sample, Logit], tuple[float, Floats]]


def propensity(sample: Sample) -> Floats:
    """Return the fitted probability of treatment by a logit on the covariates, shape (n,).

    Raises
    ------
    FaultsError
        If there are no covariates, or they separate treated from controls.
    """
    return _logit(sample).p


def on_support(sample: Sample) -> Sample:
    """Leave out controls whose propensity is outside the range of the treated, and count them.

    Dehejia & Wahba (1999, section 3.1).
    """
    return _on_support(sample, _logit(sample))


def _on_support(sample: Sample, model: Logit) -> Sample:
    treated = model.p[sample.treated]
    inside = (model.p >= treated.min()) & (model.p <= treated.max())
    return sample.rows(inside | sample.treated, SUPPORT)


@dataclass(frozen=True)
class OnTreated:
    """An effect on the treated.

    Attributes
    ----------
    sample : Sample
        Units that entered.
    model : Logit or None
        For treatment; None for a regression among controls, which needs none.
    point, std_error, degrees : float
    errors : str
        ``influence``, or ``CV3`` by cluster.
    note : str
        Why there is no error.
    """

    sample: Sample
    model: Logit | None
    point: float
    std_error: float
    degrees: float
    errors: str
    note: str = ""


def estimated(sample: Sample, estimate: Estimate, overlap: Overlap = "all") -> OnTreated:
    """Estimate an effect on the treated with its error.

    Parameters
    ----------
    sample : Sample
        With covariates.
    estimate : callable
        One of `ESTIMATES`.
    overlap : str
        ``support`` leaves out, and counts, controls whose propensity is below the lowest or above
        the highest of the treated (Dehejia & Wahba 1999); the logit is then fitted again.
    """
    model = _fitted(sample, estimate)
    used = _on_support(sample, model) if overlap == "support" else sample
    model = model if used is sample else _fitted(used, estimate)
    point, influence = estimate(used, model)
    kept = None if estimate is _regressed else model
    if not used.cluster:
        error = float(np.sqrt((influence**2).sum()))
        return OnTreated(used, kept, point, error, float("inf"), "influence")
    without = np.array([[_without(used, number, estimate)] for number in range(_size(used))])
    variance = clusters.jackknife_covariance(
        np.array([point]), without, np.ones_like(without, bool)
    )
    note = ls.ALONE if np.isnan(variance).any() else ""
    controls = None if kept is None else _arms(used, kept.p)[1]
    degrees = degrees_of(used, controls=controls)
    error = float(np.sqrt(variance[0, 0]))
    lacking = too_few(used, controls=controls)
    if lacking:
        error, note = float("nan"), lacking
    return OnTreated(used, kept, point, error, degrees, "CV3", note)


def _fitted(sample: Sample, estimate: Estimate) -> Logit:
    """Return the logit; an empty one for a regression among controls, which needs none."""
    return Logit(np.empty(0), np.empty((0, 0))) if estimate is _regressed else _logit(sample)


def _size(sample: Sample) -> int:
    return int(sample.group.max()) + 1


def _without(sample: Sample, number: int, estimate: Estimate) -> float:
    """Return the estimate without a cluster; NaN where it cannot be made."""
    try:
        less = sample.rows(sample.group != number, "cluster left out")
        return estimate(less, _fitted(less, estimate))[0]
    except FaultsError:
        return float("nan")


def _design(sample: Sample) -> Floats:
    return np.column_stack([np.ones(len(sample)), sample.x])


def _logit(sample: Sample) -> Logit:
    """Fit a logit for treatment on the covariates."""
    from statsmodels.genmod.families import Binomial  # slow to import
    from statsmodels.genmod.generalized_linear_model import GLM
    from statsmodels.tools.sm_exceptions import ConvergenceWarning, PerfectSeparationWarning

    x = _design(sample)
    if not sample.covariates:
        refuse(
            "there are no covariates to tell who is treated by",
            "name them when preparing the sample",
            column="covariates",
        )
    # In standard units, so that the optimiser does not hang on units of measurement.
    spread = sample.x.std(axis=0)
    check_columns(sample.x, sample.covariates)
    scaled = np.column_stack([np.ones(len(sample)), (sample.x - sample.x.mean(axis=0)) / spread])
    with warnings.catch_warnings():
        for kind in (ConvergenceWarning, PerfectSeparationWarning, RuntimeWarning):
            warnings.simplefilter("ignore", kind)
        model: Any = GLM(sample.d, scaled, family=Binomial(), freq_weights=sample.w)
        p: Floats = np.asarray(model.fit(tol=1e-12, maxiter=100).fittedvalues)
    if (p[sample.treated] < CERTAIN).any() or (p > 1 - CERTAIN).any():
        refuse(
            "the covariates tell some treated units from all controls: there is nobody to"
            " compare them with",
            "leave a covariate out, or the units that have no match",
            column="covariates",
            value=", ".join(sample.covariates),
        )
    information = (x * (sample.w * p * (1 - p))[:, None]).T @ x
    scores = x * (sample.w * (sample.d - p))[:, None]
    return Logit(p, np.asarray(np.linalg.solve(information, scores.T).T, np.float64))


def _controls_fit(sample: Sample) -> tuple[Floats, Floats]:
    """Return y less its prediction (n,), and the influence on the coefficients (n, k)."""
    x, w0 = _design(sample), sample.w * (1 - sample.d)
    check_columns(sample.x[~sample.treated], sample.covariates)
    if (w0 > 0).sum() <= x.shape[1]:
        refuse("there are no more controls than covariates", "use fewer covariates")
    from statsmodels.regression.linear_model import WLS  # slow to import

    beta = WLS(sample.y, x, weights=w0).fit().params
    rest: Floats = sample.y - x @ beta
    gram = (x * w0[:, None]).T @ x
    scores = x * (w0 * rest)[:, None]
    influence: Floats = np.asarray(np.linalg.solve(gram, scores.T).T, np.float64)
    return rest, influence


def _regressed(sample: Sample, _: Logit) -> tuple[float, Floats]:
    rest, of_beta = _controls_fit(sample)
    w1 = sample.w * sample.d / (sample.w * sample.d).sum()
    point = float(w1 @ rest)
    return point, w1 * (rest - point) - of_beta @ (w1 @ _design(sample))


def _weighted(sample: Sample, model: Logit) -> tuple[float, Floats]:
    return _contrast(sample, model, sample.y)


def _augmented(sample: Sample, model: Logit) -> tuple[float, Floats]:
    rest, of_beta = _controls_fit(sample)
    point, influence = _contrast(sample, model, rest)
    w1, w0 = _arms(sample, model.p)
    return point, influence - of_beta @ ((w1 - w0) @ _design(sample))


def _arms(sample: Sample, p: Floats) -> tuple[Floats, Floats]:
    """Return the weights of the treated and, by the odds of treatment, of controls."""
    w1, w0 = sample.w * sample.d, sample.w * (1 - sample.d) * p / (1 - p)
    return w1 / w1.sum(), w0 / w0.sum()


def _contrast(sample: Sample, model: Logit, values: Floats) -> tuple[float, Floats]:
    """Return the weighted contrast of values, and each unit's influence, the logit's included."""
    w1, w0 = _arms(sample, model.p)
    top, bottom = float(w1 @ values), float(w0 @ values)
    slope = (w0 * (values - bottom)) @ _design(sample)
    influence: Floats = w1 * (values - top) - w0 * (values - bottom) - model.influence @ slope
    return top - bottom, influence


def control_weights(sample: Sample, model: Logit) -> Floats:
    """Return the weights of controls by the odds of treatment, adding up to 1, shape (n,)."""
    return _arms(sample, model.p)[1]


ESTIMATES: Final[Mapping[str, Estimate]] = {
    "regression": _regressed,
    "weighting": _weighted,
    "doubly_robust": _augmented,
}
"""Effects on the treated, by name."""
