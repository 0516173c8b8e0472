"""What a future study could detect: minimum effects, villages needed, and a check by drawing.

Whole villages are randomised to a programme; a household's income is measured in some years
before and some after. All follows from two matrices of `variances`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final, Literal

import numpy as np
from scipy import stats  # type: ignore[import-untyped]
from statsmodels.stats.power import TTestIndPower

from analysis.faults import Fault, FaultsError
from analysis.power.variances import FEWEST, Components, Incomes

ALPHA: Final = 0.05
"""Two-sided level of the test."""
POWER: Final = 0.8
"""Probability with which an effect of the minimum size is found."""
MOST: Final = 2000
"""Villages in each arm beyond which a study is not thought of."""
Estimator = Literal["change", "baseline as covariate", "after only"]


@dataclass(frozen=True)
class Design:
    """A study: villages randomised into two arms of equal size.

    Attributes
    ----------
    villages : int
        In each arm.
    households : int
        Measured in each village.
    before, after : int
        Years measured before and after the programme began.
    estimator : str
        ``change`` (difference in differences), ``baseline as covariate`` (analysis of
        covariance) or ``after only``.
    """

    villages: int
    households: int
    before: int
    after: int
    estimator: Estimator = "change"


def variance(parts: Components, design: Design) -> float:
    r"""Return the variance of what one village contributes to an arm, currency squared.

    Raises
    ------
    FaultsError
        If the panel has fewer years than the design, or a change has no year before.

    Notes
    -----
    With :math:`V = \Sigma_b + \Sigma_w/n` the covariance of village means, and p, q the means over
    the years after and before: the mean after has :math:`p'Vp`; the change
    :math:`(p-q)'V(p-q)`, which is Burlig, Preonas & Woerman (2020), equation 2, for village
    means; the baseline as covariate :math:`p'Vp-(p'Vq)^2/q'Vq` (Frison & Pocock 1992; McKenzie
    2012). With one correlation for every pair of years these are McKenzie's formulas.
    """
    years = design.before + design.after
    without = design.estimator != "after only" and not design.before
    if years > len(parts.within) or not design.after or without:
        raise FaultsError(
            [
                Fault(
                    "income.parquet",
                    "the panel lacks years for this design",
                    "ask for fewer years before or after",
                    value=f"{design.before} and {design.after}",
                )
            ]
        )
    v = (parts.between + parts.within / design.households)[-years:, -years:]
    after, before = np.zeros(years), np.zeros(years)
    after[design.before :] = 1 / design.after
    if design.estimator == "after only":
        return float(after @ v @ after)
    before[: design.before] = 1 / design.before
    if design.estimator == "change":
        change = after - before
        return float(change @ v @ change)
    return float(after @ v @ after - (after @ v @ before) ** 2 / (before @ v @ before))


def degrees(design: Design) -> int:
    """Return the degrees of freedom: villages less means, and less a slope if there is one."""
    return 2 * design.villages - 2 - (design.estimator == "baseline as covariate")


def multiplier(degrees_of_freedom: int) -> float:
    """Return the minimum detectable effect in standard errors (Bloom 1995).

    Examples
    --------
    >>> round(multiplier(1000), 2), round(multiplier(4), 2)
    (2.8, 3.72)
    """
    t = stats.t(degrees_of_freedom)
    return float(t.ppf(1 - ALPHA / 2) + t.ppf(POWER))


def std_error(parts: Components, design: Design) -> float:
    """Return the standard error of the difference between the arms, currency a year."""
    return float(np.sqrt(2 * variance(parts, design) / design.villages))


def detectable(parts: Components, design: Design) -> float:
    """Return the minimum detectable effect on a household's income, currency a year.

    It is `multiplier` times `std_error` (Bloom 1995; Duflo, Glennerster & Kremer 2007, section
    4.2): the effect found with probability `POWER` by a two-sided test at `ALPHA`.
    """
    return multiplier(degrees(design)) * std_error(parts, design)


def power_of(parts: Components, design: Design, effect: float) -> float:
    """Return the probability that an effect is found, by the noncentral t of statsmodels."""
    size = effect / float(np.sqrt(variance(parts, design)))
    test = TTestIndPower()
    return float(
        test.power(size, design.villages, ALPHA, df=degrees(design), alternative="two-sided")
    )


def villages_needed(parts: Components, design: Design, effect: float) -> int | None:
    """Return the fewest villages in each arm that detect an effect; None if over `MOST`."""
    if effect <= 0 or detectable(parts, replace(design, villages=MOST)) > effect:
        return None
    low, high = 2, MOST
    while low < high:  # the detectable effect falls as villages are added
        middle = (low + high) // 2
        enough = detectable(parts, replace(design, villages=middle)) <= effect
        low, high = (low, middle) if enough else (middle + 1, high)
    return low


def found_share(
    incomes: Incomes, design: Design, effect: float, *, draws: int, seed: int
) -> tuple[float, float]:
    """Return how often an effect is found in studies drawn from the panel's own households.

    Villages are drawn with replacement, households inside them without (with it, the luck of who
    is in the panel would count twice); half of the villages get the effect in the years after.
    Nothing is assumed normal, and no variance formula is used: a t-test of the villages' means
    decides.

    Parameters
    ----------
    incomes : Incomes
        The households; villages with fewer than the design measures are not drawn.
    design : Design
        With the estimator ``change`` or ``after only``.
    effect : float
        Currency a year, the same for every household.
    draws, seed : int
        Studies to draw, and the seed of the generator.

    Returns
    -------
    tuple of float
        The share found, and its simulation standard error.

    Raises
    ------
    FaultsError
        If fewer than `FEWEST` villages are large enough.
    """
    if design.estimator == "baseline as covariate":
        raise ValueError("only a difference of means is drawn")
    window = incomes.amount[:, -(design.before + design.after) :]
    score = window[:, design.before :].mean(axis=1)
    if design.estimator == "change":
        score = score - window[:, : design.before].mean(axis=1)
    members = [np.flatnonzero(incomes.village == v) for v in range(len(incomes.villages))]
    large = [rows for rows in members if len(rows) >= design.households]
    if len(large) < FEWEST:
        raise FaultsError(
            [
                Fault(
                    "households.parquet",
                    "too few villages are large enough",
                    "ask for fewer households in each village",
                    value=str(design.households),
                )
            ]
        )
    random = np.random.default_rng(seed)
    means = np.empty((draws, 2 * design.villages))
    drawn = random.integers(len(large), size=means.shape)
    for number, rows in enumerate(large):
        here = np.nonzero(drawn == number)
        keys = random.random((len(here[0]), len(rows)))
        chosen = np.argpartition(keys, design.households - 1, axis=1)[:, : design.households]
        means[here] = score[rows[chosen]].mean(axis=1)
    means[:, design.villages :] += effect
    test = stats.ttest_ind(means[:, design.villages :], means[:, : design.villages], axis=1)
    share = float((test.pvalue < ALPHA).mean())
    return share, float(np.sqrt(share * (1 - share) / draws))
