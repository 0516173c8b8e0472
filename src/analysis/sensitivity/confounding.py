"""How strong a hidden cause must be to explain an estimate away: partial R², δ, E-value.

For estimates that rest on observed covariates, such as regressions on microdata. An estimate from
differences over time is threatened by other trends instead: see `trends`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import special  # type: ignore[import-untyped]

from analysis.faults import Fault, FaultsError


@dataclass(frozen=True)
class Robustness:
    """How strong a confounder must be (Cinelli & Hazlett 2020).

    Attributes
    ----------
    partial_r2 : float
        Share of the rest of the outcome's variance that the treatment explains. A confounder that
        explains all the rest of the outcome must explain this much of the treatment to bring the
        estimate to zero.
    value : float
        Robustness value: a confounder that explains this share of the rest of the treatment and of
        the outcome takes away `share` of the estimate.
    value_interval : float
        The same to bring the interval's end nearest zero there.
    share : float
        Part of the estimate that is taken away; 1: all of it.
    """

    partial_r2: float
    value: float
    value_interval: float
    share: float


def robustness(
    statistic: float, degrees: float, *, share: float = 1.0, level: float = 0.95
) -> Robustness:
    """Return how strong a confounder must be, from a t statistic alone.

    Parameters
    ----------
    statistic : float
        Estimate over its classical standard error.
    degrees : float
        Residual degrees of freedom of the regression.
    share : float
        Part of the estimate to take away, above 0.
    level : float
        Probability of the interval.

    Raises
    ------
    FaultsError
        If there are no degrees of freedom, or the share is not positive.

    Notes
    -----
    Cinelli & Hazlett (2020, Journal of the Royal Statistical Society B 82, section 4). The formulas
    hold for the classical standard error of least squares.

    Examples
    --------
    Their example of Darfur, table 1: t 4.18 with 783 degrees.

    >>> found = robustness(4.18445, 783)
    >>> round(found.partial_r2, 3), round(found.value, 3), round(found.value_interval, 3)
    (0.022, 0.139, 0.076)
    """
    if degrees <= 1 or share <= 0:
        raise FaultsError(
            [
                Fault(
                    "sensitivity",
                    "no robustness value",
                    "give residual degrees above 1 and a share above 0",
                    column="degrees, share",
                    value=f"{degrees}, {share}",
                )
            ]
        )
    f = abs(statistic) / np.sqrt(degrees)
    critical = special.stdtrit(degrees - 1, (1 + level) / 2) / np.sqrt(degrees - 1)
    return Robustness(
        float(f**2 / (1 + f**2)),
        _value(share * f),
        _value(share * f - critical, share * f, critical),
        share,
    )


def _value(excess: float, strength: float | None = None, critical: float = 0.0) -> float:
    """Return the smallest r2 = R²(Y) = R²(D) that brings |f| down to a critical value."""
    if excess <= 0:
        return 0.0
    square = excess**2
    value = float((np.sqrt(square**2 + 4 * square) - square) / 2)
    if strength is None or strength <= 0:
        return value
    # Where the loss of a degree of freedom matters more, the extreme value binds (appendix B.3).
    extreme = float((strength**2 - critical**2) / (1 + strength**2))
    return value if strength < 1 / critical else extreme


def adjusted(
    estimate: float, std_error: float, degrees: float, r2_outcome: float, r2_treatment: float
) -> tuple[float, float]:
    """Return estimate and standard error if a confounder of stated strength were controlled for.

    Parameters
    ----------
    estimate, std_error : float
        Of the regression without it, in the unit of the outcome.
    degrees : float
        Residual degrees of freedom of that regression.
    r2_outcome, r2_treatment : float
        Share of the rest of the outcome, and of the treatment, that the confounder explains.

    Returns
    -------
    tuple of float
        The estimate brought towards zero (past it if the confounder is that strong).

    Notes
    -----
    Cinelli & Hazlett (2020, section 3): bias = se √(R²_Y R²_D / (1 − R²_D) · df).
    """
    bias = std_error * np.sqrt(r2_outcome * r2_treatment / (1 - r2_treatment) * degrees)
    error = std_error * np.sqrt((1 - r2_outcome) / (1 - r2_treatment) * degrees / (degrees - 1))
    return float(np.sign(estimate) * (abs(estimate) - bias)), float(error)


@dataclass(frozen=True)
class Selection:
    """Selection on what is not observed, in units of selection on what is (Oster 2019).

    Attributes
    ----------
    delta : float
        How much stronger than the observed it must be to make the estimate zero; infinite where
        the covariates move nothing.
    at_equal : float
        The effect if it is just as strong, in the unit of the estimate, on the side that the
        covariates moved the estimate to.
    """

    delta: float
    at_equal: float


@dataclass(frozen=True)
class Movement:
    """What a short and a long regression of an outcome on a treatment say; the long has covariates.

    Attributes
    ----------
    short, r2_short : float
        Estimate and R² without covariates.
    long, r2_long : float
        With them.
    variance_outcome, variance_treatment : float
        Of the outcome and of the treatment.
    variance_rest : float
        Of the treatment less what the covariates predict of it.
    """

    short: float
    r2_short: float
    long: float
    r2_long: float
    variance_outcome: float
    variance_treatment: float
    variance_rest: float


def selection(moved: Movement, r2_most: float) -> Selection:
    """Return how much selection on unobservables would explain an estimate away.

    Parameters
    ----------
    moved : Movement
        The two regressions.
    r2_most : float
        R² if everything were observed, above that of the long regression; Oster proposes 1.3 times
        that.

    Raises
    ------
    FaultsError
        If the R² do not rise, or variances are not positive and falling.

    Notes
    -----
    The exact form of Oster (2019, Journal of Business & Economic Statistics 37, proposition 2 and
    corollary 1). With a = β̃ − β, b = β̇ − β̃, τ the rest of the treatment's variance,
    δ = [a(R̃ − Ṙ)σ²_Y τ + aσ²_X τb² + 2a²τbσ²_X + a³(τσ²_X − τ²)] / [(R − R̃)σ²_Y bσ²_X
    + (R − R̃)σ²_Y a(σ²_X − τ) + a²τbσ²_X + a³(τσ²_X − τ²)]. At δ = 1 the cubes cancel, and a solves
    a quadratic whose roots have opposite signs.

    Examples
    --------
    A cause seen and one not seen, each with variance 1 and covariance 0.5 with a treatment of
    variance 2, no effect: y is their sum with noise of variance 1. Short 1/2, long 1/3.5.

    >>> moved = Movement(0.5, 1 / 6, 2 / 7, 8 / 21, 3.0, 2.0, 1.75)
    >>> found = selection(moved, 2 / 3)
    >>> round(found.delta, 9), abs(round(found.at_equal, 9))
    (1.0, 0.0)
    """
    r2 = (moved.r2_short, moved.r2_long, r2_most)
    if not 0 <= r2[0] < r2[1] < r2[2] <= 1:
        raise FaultsError(
            [
                Fault(
                    "sensitivity",
                    "R² does not rise from the short over the long regression to the most there is",
                    "check the three, and that covariates are in the long one",
                    column="r2",
                    value=", ".join(str(x) for x in r2),
                )
            ]
        )
    y, x, rest = moved.variance_outcome, moved.variance_treatment, moved.variance_rest
    if not (y > 0 and 0 < rest <= x):
        raise FaultsError(
            [
                Fault(
                    "sensitivity",
                    "variances must be above zero, and the covariates leave no more than there was",
                    "check the three",
                    column="variance",
                    value=f"{y}, {x}, {rest}",
                )
            ]
        )
    b = moved.short - moved.long
    seen, unseen = (moved.r2_long - moved.r2_short) * y, (r2_most - moved.r2_long) * y

    def delta(a: float) -> float:
        common = a**2 * rest * b * x + a**3 * (rest * x - rest**2)
        top = a * seen * rest + a * x * rest * b**2 + a**2 * rest * b * x + common
        bottom = unseen * b * x + unseen * a * (x - rest) + common
        return top / bottom if bottom else float("inf")

    if b == 0:
        return Selection(delta(moved.long), moved.long)
    square, line, level = rest * b * x, seen * rest + x * rest * b**2 - unseen * (x - rest), -unseen
    roots = np.roots([square, line, level * b * x]).real
    return Selection(delta(moved.long), float(moved.long - roots[np.sign(roots) == np.sign(b)][0]))


def e_value(ratio: float) -> float:
    """Return the E-value of a risk ratio (VanderWeele & Ding 2017).

    The ratio by which a confounder must move both treatment and outcome to explain it away.

    Examples
    --------
    Their example of smoking and lung cancer: a risk ratio of 10.73.

    >>> round(e_value(10.73), 2), e_value(1.0), round(e_value(0.5), 4) == round(e_value(2.0), 4)
    (20.95, 1.0, True)
    """
    if ratio <= 0:
        raise FaultsError(
            [Fault("sensitivity", "a risk ratio is above zero", "correct it", value=str(ratio))]
        )
    above = max(ratio, 1 / ratio)
    return float(above + np.sqrt(above * (above - 1)))
