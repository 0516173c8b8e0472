"""Monte Carlo: the estimators on panels whose true effects are known, drawn again and again.

Each draw has a seed of its own, so the first n draws are the same however many follow, on however
many processes. Draws are written in blocks, whole or not at all: an interrupted run goes on where
it stopped. What is learnt from them is in `analysis.validation.coverage`.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import numpy as np
import polars as pl
from joblib import Parallel, delayed  # type: ignore[import-untyped]

from analysis.did.estimators.effect_set import EffectSet
from analysis.inference import bands, clusters
from analysis.inference.arrays import Floats
from analysis.inference.clusters import quantile
from analysis.validation import draws
from analysis.validation.designs import Design
from analysis.validation.estimators import AMONG_HOUSEHOLDS, ESTIMATORS

BLOCK: Final = 100
"""Draws of a file."""
PARITY_DRAWS: Final = 999
"""Multiplier draws of the bands of `parity`, as packages make by default."""
FAMILIES: Final = ("event_time", "group_time")
"""Estimates that a joint band is asked of, on income, by the group-time estimator."""
KEYS: Final = ("draw", "estimator", "outcome", "aggregation", "at", "cohort", "period")


def one_draw(design: Design, number: int, *, seed: int = draws.SEED) -> pl.DataFrame:
    """Make one draw and estimate everything.

    Returns
    -------
    polars.DataFrame
        One row per estimator, outcome and estimand: estimate, std_error (CV3), degrees (by arm),
        degrees_villages (villages less one), parity_error (CR0), and for families the widths of
        the joint bands in standard errors: band, band_villages, band_parity.
        Rows of estimator ``truth`` have the sum of the effects in `estimate` and the participants
        in `std_error`, by cohort and period.
    """
    draw = draws.draw(design, number, seed=seed)
    frames = [_truth(draw.truth, draw.table.periods.tolist())]
    used = ESTIMATORS if design.kind == "lot" else ESTIMATORS | AMONG_HOUSEHOLDS
    for name, estimator in used.items():
        effects = estimator(draw.table)
        kept = [key.outcome == "income" or key.aggregation == "simple" for key in effects.keys]
        frames.append(_rows(effects.at(np.array(kept)), name))
    return pl.concat(frames).select(pl.lit(number, pl.Int32).alias("draw"), pl.all())


def _truth(truth: draws.Truth, periods: list[int]) -> pl.DataFrame:
    g, t = (index.ravel() for index in np.indices(truth.total.shape))
    size = g.size
    return _frame(
        "truth",
        ["income"] * size,
        ["group_time"] * size,
        [None] * size,
        truth.cohorts[g].tolist(),
        [periods[i] for i in t],
        {"estimate": truth.total[g, t], "std_error": truth.n[g].astype(np.float64)},
    )


def _rows(effects: EffectSet, name: str) -> pl.DataFrame:
    keys = effects.keys
    villages = clusters.degrees_of_freedom(effects.used)
    numbers = {
        "estimate": effects.points,
        # Also where `reported` prints none, to show what it would have promised.
        "std_error": np.sqrt(
            np.diag(clusters.jackknife_covariance(effects.points, effects.without, effects.used))
        ),
        "degrees": effects.degrees,
        "degrees_villages": villages,
        "parity_error": effects.under("parity").std_errors,
        **_bands(effects, name, villages),
    }
    return _frame(
        name,
        [key.outcome for key in keys],
        [key.aggregation for key in keys],
        [key.at for key in keys],
        [key.cohort for key in keys],
        [key.period for key in keys],
        numbers,
    )


def _bands(effects: EffectSet, name: str, villages: Floats) -> dict[str, Floats]:
    """Return the widths of the joint bands of the families, NaN elsewhere."""
    widths = {
        column: np.full(len(effects), np.nan) for column in ("band", "band_villages", "band_parity")
    }
    for family in FAMILIES if name == "group_time" else ():
        inside = np.array(
            [key.aggregation == family and key.outcome == "income" for key in effects.keys]
        )
        part = effects.at(inside)
        covariance = clusters.influence_covariance(part.influence)
        # As `Estimates.band`, also for arms of two villages, where `reported` has no band.
        widths["band"][inside] = bands.band(
            covariance, part.degrees, float(part.smaller_effective.min())
        ).critical
        widths["band_villages"][inside] = quantile(1 - 0.025 / inside.sum(), villages[inside])
        widths["band_parity"][inside] = bands.multiplier_quantile(covariance, draws=PARITY_DRAWS)
    return widths


def _frame(
    name: str,
    outcome: list[str],
    aggregation: list[str],
    at: list[int | None],
    cohort: list[int | None],
    period: list[int | None],
    numbers: dict[str, Floats],
) -> pl.DataFrame:
    columns = (
        "estimate",
        "std_error",
        "degrees",
        "degrees_villages",
        "parity_error",
        "band",
        "band_villages",
        "band_parity",
    )
    empty = np.full(len(outcome), np.nan)
    return pl.DataFrame(
        {
            "estimator": [name] * len(outcome),
            "outcome": outcome,
            "aggregation": aggregation,
            "at": pl.Series(at, dtype=pl.Int32),
            "cohort": pl.Series(cohort, dtype=pl.Int32),
            "period": pl.Series(period, dtype=pl.Int32),
            **{column: numbers.get(column, empty) for column in columns},
        }
    )


def block(design: Design, first: int, last: int, *, seed: int = draws.SEED) -> pl.DataFrame:
    """Return the draws from the first up to, but without, the last."""
    return pl.concat(one_draw(design, number, seed=seed) for number in range(first, last))


def run(
    design: Design,
    folder: Path,
    *,
    number: int | None = None,
    seed: int = draws.SEED,
    processes: int = -1,
) -> pl.DataFrame:
    """Make the draws of a design, or what is left of them.

    Parameters
    ----------
    design : Design
        What is drawn.
    folder : Path
        Where blocks are kept; it belongs to one seed and one state of the code.
    number : int, optional
        Draws; those of the design by default.
    seed : int
        Of the whole run.
    processes : int
        As joblib counts them; -1 for every core.

    Returns
    -------
    polars.DataFrame
        As `one_draw`, in the order of the draws.
    """
    number = number or design.draws
    wanted = list(_blocks(number))
    own = folder / design.id
    own.mkdir(parents=True, exist_ok=True)
    missing = [(a, b) for a, b in wanted if not _file(own, a, b).is_file()]
    Parallel(n_jobs=processes)(
        delayed(_keep)(design, a, b, seed, _file(own, a, b)) for a, b in missing
    )
    return pl.concat(pl.read_parquet(_file(own, a, b)) for a, b in wanted)


def _blocks(number: int) -> Iterator[tuple[int, int]]:
    for first in range(0, number, BLOCK):
        yield first, min(first + BLOCK, number)


def _file(folder: Path, first: int, last: int) -> Path:
    return folder / f"{first:05}-{last:05}.parquet"


def _keep(design: Design, first: int, last: int, seed: int, file: Path) -> None:
    """Write one block under another name first, so that half a block is never read."""
    part = file.with_suffix(f".{os.getpid()}.part")
    block(design, first, last, seed=seed).write_parquet(part)
    part.replace(file)
