"""How often intervals of pooled studies hold the truth, with 2, 3, 6 and 20 studies.

``python -m analysis.validation.pooling_coverage`` makes ``reports/validation/pooling.csv`` again
(a few minutes, on one core).
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import dataframely as dy
import numpy as np
import polars as pl

from analysis import contract, stored_tables
from analysis.studies.bayesian import Prior, posterior
from analysis.studies.multilevel import three_level
from analysis.studies.random_effects import random_effects

FILE: Final = Path("reports") / "validation" / "pooling.csv"
STUDIES: Final = (2, 3, 6, 20)
SPREADS: Final = (0.0, 5.0, 10.0)
"""True standard deviations between places, per cent."""
TRUTH: Final = 5.0
ERRORS: Final = (2.0, 10.0)
"""Ends of the standard errors of studies, per cent: those of the library's trials."""
PRIOR: Final = Prior(0.0, 20.0, 10.0)
DRAWS: Final = {"frequentist": 2000, "three_level": 200, "bayesian": 400}
ARMS: Final = 3
"""Estimates a study in the three-level draws."""
SEED: Final = 20261128
LEVEL: Final = 0.95


class Coverage(contract.Row):
    """How often one interval held the truth."""

    model = dy.String(primary_key=True, description="reml, three_level, cluster_robust or bayesian")
    interval = dy.String(primary_key=True, description="of the mean, or of a next place")
    n_studies = dy.Int64(primary_key=True, description="studies pooled")
    spread = dy.String(
        primary_key=True, description="true standard deviation between places, or drawn from prior"
    )
    coverage = dy.Float64(min=0, max=1, description="share of draws whose interval held the truth")
    mc_error = dy.Float64(min=0, description="its Monte Carlo standard error")
    width = dy.Float64(description="median width of the interval, per cent")
    draws = dy.Int64(description="draws")
    nominal = dy.Float64(description="probability that the interval promises")


def _errors(rng: np.random.Generator, k: int) -> Any:
    """Draw standard errors evenly on the logarithm."""
    return np.exp(rng.uniform(math.log(ERRORS[0]), math.log(ERRORS[1]), k))


def _row(
    model: str, interval: str, k: int, spread: str, held: list[bool], width: list[float]
) -> dict[str, Any]:
    share = float(np.mean(held))
    return {
        "model": model,
        "interval": interval,
        "n_studies": k,
        "spread": spread,
        "coverage": round(share, 4),
        "mc_error": round(math.sqrt(share * (1 - share) / len(held)), 4),
        "width": round(float(np.median(width)), 2),
        "draws": len(held),
        "nominal": LEVEL,
    }


def frequentist(k: int, tau: float, draws: int) -> Iterator[dict[str, Any]]:
    """Yield coverage of the mean and of a next place for REML with Hartung and Knapp.

    Parameters
    ----------
    k : int
        Studies.
    tau : float
        True spread between places, the same in every draw.
    draws : int
        Draws.
    """
    rng = np.random.default_rng([SEED, 1, k, int(10 * tau)])
    mean: tuple[list[bool], list[float]] = ([], [])
    ahead: tuple[list[bool], list[float]] = ([], [])
    for _ in range(draws):
        errors = _errors(rng, k)
        fit = random_effects(rng.normal(TRUTH, np.hypot(tau, errors)), errors)
        place = rng.normal(TRUTH, tau)
        for (held, width), truth, (low, high) in (
            (mean, TRUTH, fit.interval(LEVEL)),
            (ahead, place, fit.prediction(LEVEL)),
        ):
            if math.isfinite(low):
                held.append(bool(low <= truth <= high))
                width.append(high - low)
    yield _row("reml", "mean", k, f"{tau:g}", *mean)
    if ahead[0]:
        yield _row("reml", "next place", k, f"{tau:g}", *ahead)


def dependent(k: int, tau: float, draws: int) -> Iterator[dict[str, Any]]:
    """Yield coverage of the mean with three estimates a study, half of the variance within."""
    rng = np.random.default_rng([SEED, 2, k, int(10 * tau)])
    model: tuple[list[bool], list[float]] = ([], [])
    robust: tuple[list[bool], list[float]] = ([], [])
    names = [f"study {i // ARMS}" for i in range(k * ARMS)]
    for _ in range(draws):
        errors = _errors(rng, k * ARMS)
        shared = np.repeat(rng.normal(0, tau / math.sqrt(2), k), ARMS)
        own = rng.normal(0, np.hypot(tau / math.sqrt(2), errors))
        fit = three_level(TRUTH + shared + own, errors, names)
        for (held, width), (low, high) in (
            (model, fit.interval(LEVEL)),
            (robust, fit.robust_interval(LEVEL)),
        ):
            held.append(bool(low <= TRUTH <= high))
            width.append(high - low)
    yield _row("three_level", "mean", k, f"{tau:g}", *model)
    yield _row("cluster_robust", "mean", k, f"{tau:g}", *robust)


def bayesian(k: int, draws: int, fixed: float | None = None) -> Iterator[dict[str, Any]]:
    """Yield coverage of the hierarchical model, truths drawn from its prior or fixed.

    Averaged over the prior an exact posterior holds the truth as often as it says: anything else
    is an error of the integration. With a fixed truth it need not, and what it does is shown.

    Parameters
    ----------
    k : int
        Studies.
    draws : int
        Draws.
    fixed : float, optional
        True spread between places; the mean is then `TRUTH`.
    """
    rng = np.random.default_rng([SEED, 3, k, 0 if fixed is None else 1 + int(10 * fixed)])
    spread = "drawn from the prior" if fixed is None else f"{fixed:g}"
    mean: tuple[list[bool], list[float]] = ([], [])
    ahead: tuple[list[bool], list[float]] = ([], [])
    for _ in range(draws):
        truth = rng.normal(PRIOR.mean, PRIOR.sd) if fixed is None else TRUTH
        tau = abs(rng.normal(0, PRIOR.tau_scale)) if fixed is None else fixed
        errors = _errors(rng, k)
        after = posterior(rng.normal(truth, np.hypot(tau, errors)), errors, PRIOR)
        place = rng.normal(truth, tau)
        for (held, width), value, mixture in (
            (mean, truth, after.mean_effect),
            (ahead, place, after.predictive),
        ):
            low, high = mixture.interval(LEVEL)
            held.append(bool(low <= value <= high))
            width.append(high - low)
    yield _row("bayesian", "mean", k, spread, *mean)
    yield _row("bayesian", "next place", k, spread, *ahead)


def simulate(draws: dict[str, int] | None = None) -> pl.DataFrame:
    """Return coverage of every model by number of studies, as `Coverage` describes it."""
    draws = DRAWS if draws is None else draws
    rows: list[dict[str, Any]] = []
    for k in STUDIES:
        for tau in SPREADS:
            rows += frequentist(k, tau, draws["frequentist"])
        rows += dependent(k, SPREADS[1], draws["three_level"])
        for fixed in (None, *SPREADS):
            rows += bayesian(k, draws["bayesian"], fixed)
    return pl.DataFrame(rows)


def load() -> pl.DataFrame:
    """Return the stored table.

    Raises
    ------
    FaultsError
        If it is not there.
    """
    return stored_tables.read(FILE, __name__)


if __name__ == "__main__":
    stored_tables.write(FILE, simulate())
