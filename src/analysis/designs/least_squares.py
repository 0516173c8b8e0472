"""Least squares and two-stage least squares on microdata, with the errors that results name.

Points, classical and robust errors are statsmodels'; what it lacks is here: leaving out one
cluster at a time (CV3), and robust errors of two-stage least squares. Shapes: n rows, k columns,
G clusters.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

import numpy as np

from analysis.did.estimators.table import refuse
from analysis.inference import clusters
from analysis.inference import degrees as design
from analysis.inference.arrays import Booleans, Floats, Integers

Errors = Literal["classical", "HC1", "HC2", "CV1", "CV3"]
ALONE = "no interval: without one cluster the effect cannot be estimated"


@dataclass(frozen=True)
class Fit:
    """Coefficients of a regression.

    Attributes
    ----------
    points, std_errors : array, shape (k,)
        Coefficients and their errors; NaN where a cluster cannot be left out.
    degrees : float
        Degrees of freedom.
    convention : str
        Kind of error: one of `Errors`.
    note : str
        Why there are no errors.
    """

    points: Floats
    std_errors: Floats
    degrees: float
    convention: Errors
    note: str = ""


def ordinary(
    y: Floats, x: Floats, w: Floats, errors: Errors, group: Integers, column: int = 1
) -> Fit:
    """Regress by weighted least squares.

    Parameters
    ----------
    y : array, shape (n,)
        Outcome.
    x : array, shape (n, k)
        Columns, of full rank; a constant must be among them if one is wanted.
    w : array, shape (n,)
        Weights; robust errors treat them as sampling weights, as Stata's pweights.
    errors : str
        Kind of error.
    group : array, shape (n,)
        Cluster of each row, for CV1 and CV3.
    column : int
        The coefficient that the degrees of CV3 are of.

    Raises
    ------
    FaultsError
        If there are no more rows than columns.
    """
    n, k = x.shape
    if n <= k:
        refuse(
            "there are no more rows than columns of the regression",
            "use fewer covariates",
            value=f"{n} rows, {k} columns",
        )
    if errors == "CV3":
        return _jackknife(y, x, x, w, group, column)
    from statsmodels.regression.linear_model import WLS  # slow to import

    model = WLS(y, x, weights=w)
    if errors == "CV1":
        size = np.unique(group).size
        result = model.fit(cov_type="cluster", cov_kwds={"groups": group}, use_t=True)
        return Fit(result.params, result.bse, size - 1, errors)
    result = model.fit(cov_type="nonrobust" if errors == "classical" else errors, use_t=True)
    return Fit(result.params, result.bse, n - k, errors)


def two_stage(
    y: Floats,
    x: Floats,
    z: Floats,
    w: Floats,
    errors: Errors,
    group: Integers,
    column: int = 1,
) -> Fit:
    """Regress by two-stage least squares, as many instruments as columns or more.

    β = (X̂′WX)⁻¹X̂′Wy with X̂ the projection of X on Z; errors by the sandwich of X̂ and y − Xβ
    (Wooldridge 2010, section 5.2), with factor N/(N − k), or G/(G − 1)·(N − 1)/(N − k) by cluster.

    Parameters
    ----------
    y, w : array, shape (n,)
        Outcome, weights.
    x, z : array, shape (n, k), (n, m)
        Columns and instruments; exogenous columns are in both.
    errors : str
        ``classical``, ``HC1``, ``CV1`` or ``CV3``.
    group : array, shape (n,)
        Cluster of each row.
    column : int
        The coefficient that the degrees of CV3 are of.
    """
    if errors == "CV3":
        return _jackknife(y, x, z, w, group, column)
    n, k = x.shape
    root = np.sqrt(w)[:, None]
    fitted = z * root @ np.linalg.lstsq(z * root, x * root, rcond=None)[0]
    bread = np.linalg.inv(fitted.T @ (x * root))
    points = bread @ (fitted.T @ (y * root[:, 0]))
    residual = (y - x @ points) * root[:, 0]
    if errors == "classical":
        variance = bread * (residual @ residual) / (n - k)
        return Fit(points, np.sqrt(np.diag(variance)), n - k, errors)
    scores = fitted * residual[:, None]
    if errors == "HC1":
        factor, degrees = n / (n - k), float(n - k)
    else:
        scores = _sums(scores, group)
        size = scores.shape[0]
        factor, degrees = size / (size - 1) * (n - 1) / (n - k), float(size - 1)
    half = scores @ bread.T
    return Fit(points, np.sqrt(factor * (half**2).sum(axis=0)), degrees, errors)


def without_each(y: Floats, x: Floats, z: Floats, w: Floats, group: Integers) -> Floats:
    """Return the coefficients without each cluster, shape (G, k); NaN where there are none."""
    size = int(group.max()) + 1
    zx = _products(z, x, w, group, size)
    zz = _products(z, z, w, group, size)
    zy = _products(z, y[:, None], w, group, size)
    zx, zz, zy = (values.sum(axis=0) - values for values in (zx, zz, zy))
    estimates = np.full((size, x.shape[1]), np.nan)
    scale = np.sqrt(np.einsum("ii->i", zz.max(axis=0)).clip(min=1e-300))
    for number in range(size):
        # Scaled to unit columns, so that the rank does not hang on units of measurement.
        gram = zz[number] / np.outer(scale, scale)
        if np.linalg.matrix_rank(gram, hermitian=True, tol=1e-10) < scale.size:
            continue
        projection = np.linalg.solve(zz[number], zx[number])
        normal = projection.T @ zx[number]
        estimates[number] = np.linalg.solve(normal, projection.T @ zy[number])[:, 0]
    return estimates


def jackknife_degrees(
    x: Floats, w: Floats, group: Integers, column: int, correlation: float | None = None
) -> float:
    """Return the degrees of freedom of CV3 of a coefficient, from the design.

    Leaving cluster c out moves the coefficients by −(A − A_c)⁻¹X_c′W(y_c − X_cθ), A = X′WX. With
    the coefficient's columns g_c of WX_c(A − A_c)⁻¹ and p_c of A_c(A − A_c)⁻¹ this is
    d_c = p_c′θ − g_c′y_c; the degrees follow from the covariance of d as in
    `analysis.inference.degrees`, rows of a cluster sharing its shock.

    Parameters
    ----------
    x : array, shape (n, k)
        Columns; of two-stage least squares, as the instruments fit them.
    w, group : array, shape (n,)
        Weights, and number of each row's cluster.
    column : int
        Which coefficient.
    correlation : float, optional
        The intraclass correlation; that of the parameters by default.

    Returns
    -------
    float
        NaN where a cluster cannot be left out.

    Examples
    --------
    Two arms of three and four clusters of one row: (1/2 + 1/3)² / (1/2³ + 1/3³).

    >>> d = np.array([1.0, 1, 1, 0, 0, 0, 0])
    >>> x = np.column_stack([np.ones(7), d])
    >>> round(jackknife_degrees(x, np.ones(7), np.arange(7), 1), 6)
    4.285714
    """
    rho = design.rules().intraclass_correlation if correlation is None else correlation
    size = int(group.max()) + 1
    scale = np.sqrt((w[:, None] * x**2).sum(axis=0))
    x = x / np.where(scale > 0, scale, 1.0)
    gram = _products(x, x, w, group, size)
    whole = gram.sum(axis=0)
    if np.linalg.matrix_rank(whole, hermitian=True, tol=1e-10) < whole.shape[0]:
        return float("nan")
    rest = whole - gram
    if (np.linalg.matrix_rank(rest, hermitian=True, tol=1e-10) < whole.shape[0]).any():
        return float("nan")
    unit = np.zeros((size, whole.shape[0], 1))
    unit[:, column] = 1.0
    pull = np.linalg.solve(rest, unit)[..., 0]
    g = w * (x * pull[group]).sum(axis=1)
    inverse = np.linalg.inv(whole)
    sums, squares = np.bincount(group, g, size), np.bincount(group, g**2, size)
    weighted = _products(x, w[:, None], np.ones_like(w), group, size)[..., 0]
    noise = _products(x, (w * g)[:, None], np.ones_like(w), group, size)[..., 0]
    cross = (rho * weighted * sums[:, None] + (1 - rho) * noise) @ inverse
    spread = rho * weighted.T @ weighted + (1 - rho) * ((x * (w**2)[:, None]).T @ x)
    means = inverse @ spread @ inverse
    moved = np.einsum("cpq,cq->cp", gram, pull)
    own = rho * sums**2 + (1 - rho) * squares
    values = design.matched(own[:, None], moved[:, None], -cross[:, None], means[None])
    return float(values[0])


def _jackknife(y: Floats, x: Floats, z: Floats, w: Floats, group: Integers, column: int) -> Fit:
    """Return coefficients with CV3 (MacKinnon, Nielsen & Webb 2023, equation 16)."""
    root = np.sqrt(w)[:, None]
    fitted = z * root @ np.linalg.lstsq(z * root, x * root, rcond=None)[0]
    points: Floats = np.asarray(np.linalg.lstsq(fitted, y * root[:, 0], rcond=None)[0], float)
    without = without_each(y, x, z, w, group)
    used: Booleans = np.ones(without.shape, bool)
    variance = np.diag(clusters.jackknife_covariance(points, without, used))
    note = ALONE if np.isnan(variance).any() else ""
    columns = fitted / np.where(root > 0, root, 1.0)
    degrees = jackknife_degrees(columns, w, group, column)
    return Fit(points, np.sqrt(variance), degrees, "CV3", note)


def _products(a: Floats, b: Floats, w: Floats, group: Integers, size: int) -> Floats:
    """Return Σ w a b′ by cluster, shape (G, a, b)."""
    order = np.argsort(group, kind="stable")
    edges = np.searchsorted(group[order], np.arange(size + 1))
    left, right = (a * w[:, None])[order], b[order]
    parts = [left[s:e].T @ right[s:e] for s, e in pairwise(edges)]
    return np.stack(parts)


def _sums(values: Floats, group: Integers) -> Floats:
    estimates = np.zeros((int(group.max()) + 1, values.shape[1]))
    np.add.at(estimates, group, values)
    return estimates
