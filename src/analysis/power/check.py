"""The formula for the power of a study, beside studies drawn from the panel's own households."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

import polars as pl

from analysis import printing
from analysis.faults import FaultsError
from analysis.power import study
from analysis.power.shown import HOUSEHOLDS, Headline, Look, linked, possible
from analysis.power.study import Design, Estimator

DRAWS: Final = 2000
SEED: Final = 16
"""Of the drawing."""
CHECK = {
    "villages": pl.Int64,
    "households": pl.Int64,
    "before": pl.Int64,
    "after": pl.Int64,
    "effect": pl.Float64,
    "formula": pl.Float64,
    "exact": pl.Float64,
    "drawn": pl.Float64,
    "error": pl.Float64,
}


def by_drawing(seen: Look) -> pl.DataFrame:
    """Set the formula beside the noncentral t and beside studies drawn from the panel.

    Returns
    -------
    polars.DataFrame
        One row per design: villages, households, before, after, effect (the minimum detectable
        one), formula (the power it is for), exact (by statsmodels), drawn (share of drawn studies
        that find it), error (simulation standard error). Designs larger than the panel's
        villages allow are left out.
    """
    if seen.found is None or seen.parts is None:
        return pl.DataFrame(schema=CHECK)
    rows: list[dict[str, object]] = []
    for before, after in possible(len(seen.found.periods)):
        for villages in (8, 40):
            estimator: Estimator = "change" if before else "after only"
            design = Design(villages, HOUSEHOLDS, before, after, estimator)
            effect = study.detectable(seen.parts, design)
            try:
                drawn, error = study.found_share(
                    seen.found, design, effect, draws=DRAWS, seed=SEED + len(rows)
                )
            except FaultsError:
                continue
            rows.append(
                {
                    "villages": villages,
                    "households": HOUSEHOLDS,
                    "before": before,
                    "after": after,
                    "effect": effect,
                    "formula": study.POWER,
                    "exact": study.power_of(seen.parts, design, effect),
                    "drawn": drawn,
                    "error": error,
                }
            )
    return pl.DataFrame(rows, schema=CHECK)


def shown(frame: pl.DataFrame) -> pl.DataFrame:
    """Return the check with powers in per cent."""
    shares = {name: 100 * pl.col(name) for name in ("formula", "exact", "drawn", "error")}
    return frame.with_columns(**shares).with_columns(
        pl.col("effect").map_elements(printing.number, pl.String),
        *(pl.col(name).map_elements(lambda x: printing.number(x, 1), pl.String) for name in shares),
    )


def headlines(frame: pl.DataFrame) -> tuple[Headline, ...]:
    """Return the least and the largest share found; none without rows."""
    if frame.is_empty():
        return ()
    shares = 100 * frame["drawn"]
    return tuple(
        Headline(
            f"power_drawn_{word}",
            float(value),  # type: ignore[arg-type]
            f"{word} share of drawn studies that find the minimum detectable effect",
            "percent",
            1,
        )
        for word, value in (("smallest", shares.min()), ("largest", shares.max()))
    )


def text(frame: pl.DataFrame, numbers: Iterable[object]) -> str:
    """Say how often drawn studies find the effect, from the findings of `headlines`."""
    if frame.is_empty():
        return "Studies cannot be drawn from this panel."
    low, high = (linked(number) for number in numbers)
    return (
        f"Over the {frame.height} designs of @tbl-check, between {low} and {high} per cent of the "
        f"studies drawn from the panel's own households find the effect that "
        f"{printing.number(100 * study.POWER)} per cent should."
    )
