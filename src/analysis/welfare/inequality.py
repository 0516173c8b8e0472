"""Inequality of income per head: Gini and both Theil indices, with linearised errors by village.

* Gini = Σ_i Σ_j w_i w_j |y_i − y_j| / (2 W² μ). Zero and negative incomes count as they are; with
  losses it can pass one, and it is not defined unless the mean is above zero.
* Theil T = Σ w (y/μ) ln(y/μ) / W. Zero counts as its limit, zero; negative incomes are left out.
* Theil L = Σ w ln(μ/y) / W, the mean log deviation. Zero and negative incomes are left out.

Whom an index leaves out is counted with it; μ is then the mean of the others.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from analysis.inference.arrays import Booleans, Floats
from analysis.welfare.linearised import Kind

Linearised = tuple[float, Floats]
"""A value and w ∂θ/∂w of each row; NaN and zeros where it is not defined."""


def gini(income: Floats, weight: Floats) -> Linearised:
    """Return the Gini index and its linearised values.

    With D_i = Σ_j w_j |y_i − y_j|, T = Σ w y and G = A/(W T), A = Σ w D / 2, the derivative is
    ∂G/∂w_i = (D_i − A/W − A y_i/T) / (W T), as in Davidson (2009), with weights.

    Parameters
    ----------
    income, weight : array, shape (r,)
        Income and weight of each row.

    Examples
    --------
    One of two has all: half, the most that two can have.

    >>> gini(np.array([0.0, 10.0]), np.ones(2))[0]
    0.5
    """
    order = np.argsort(income, kind="stable")
    y, w = income[order], weight[order]
    size, total = w.sum(), float(w @ y)
    if not y.size or total <= 0:
        return float("nan"), np.zeros(income.size)
    below, held = np.cumsum(w), np.cumsum(w * y)
    distance = y * (2 * below - size) + total - 2 * held
    half = float(w @ distance) / 2
    slope = (distance - half / size - half * y / total) / (size * total)
    linear = np.empty(income.size)
    linear[order] = w * slope
    return float(half / (size * total)), linear


def theil_t(income: Floats, weight: Floats) -> Linearised:
    """Return Theil's T of incomes of zero and more, and its linearised values.

    T = B/S − ln(S/W), B = Σ w y ln y, S = Σ w y: ∂T/∂w_i = (y ln y)_i/S − B y_i/S² − y_i/S + 1/W.

    Examples
    --------
    One of two has all: ln 2.

    >>> round(theil_t(np.array([0.0, 10.0]), np.ones(2))[0], 6)
    0.693147
    """
    size, total = weight.sum(), float(weight @ income)
    if not income.size or total <= 0:
        return float("nan"), np.zeros(income.size)
    logs = np.where(income > 0, income * np.log(np.where(income > 0, income, 1.0)), 0.0)
    entropy = float(weight @ logs)
    slope = logs / total - entropy * income / total**2 - income / total + 1 / size
    return entropy / total - float(np.log(total / size)), weight * slope


def theil_l(income: Floats, weight: Floats) -> Linearised:
    """Return Theil's L (mean log deviation) of incomes above zero, and its linearised values.

    L = ln(S/W) − C/W, C = Σ w ln y: ∂L/∂w_i = y_i/S − 1/W − ln y_i / W + C/W².

    Examples
    --------
    Incomes 1 and 3 have mean 2: ln 2 − (ln 3)/2.

    >>> round(theil_l(np.array([1.0, 3.0]), np.ones(2))[0], 6)
    0.143841
    """
    size, total = weight.sum(), float(weight @ income)
    if not income.size:
        return float("nan"), np.zeros(0)
    logs = np.log(income)
    mean_log = float(weight @ logs / size)
    slope = income / total - 1 / size - (logs - mean_log) / size
    return float(np.log(total / size)) - mean_log, weight * slope


@dataclass(frozen=True)
class Index:
    """An index of inequality: its function, which incomes it is defined for, and what it can be."""

    title: str
    function: Callable[[Floats, Floats], Linearised]
    keeps: Callable[[Floats], Booleans]
    rule: str
    kind: Kind


INDICES = {
    "gini": Index("Gini", gini, lambda y: np.isfinite(y), "every income counts as it is", "share"),
    "theil_t": Index(
        "Theil T", theil_t, lambda y: y >= 0, "negative incomes are left out", "positive"
    ),
    "theil_l": Index(
        "Theil L", theil_l, lambda y: y > 0, "zero and negative incomes are left out", "positive"
    ),
}
