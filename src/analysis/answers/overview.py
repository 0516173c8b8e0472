"""Every programme under every difficulty: what articles, one design and two would have said.

Stored, since it takes simulations: ``python -m analysis.answers.overview`` makes
``reports/validation/programmes.csv`` again (under a minute). One panel a difficulty, seed 1 for
all, never chosen: a table of what happened, not of what happens on average.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Final

import numpy as np
import polars as pl

from analysis import programmes, stored_tables
from analysis.answers import together
from analysis.answers.design import NOMINAL, TOTAL, Design, design_of
from analysis.answers.estimates import OVERALL
from analysis.answers.missing import Missing, attempt
from analysis.answers.naive import sums
from analysis.answers.truth import Truth, truth_of
from analysis.cells import build
from analysis.effects import aggregate, group_time, layout
from analysis.effects.result import EffectSet
from analysis.faults import Fault, FaultsError
from analysis.panels import panel as panels
from analysis.panels.model import Settings, Switches, read_truth, simulate_settings
from analysis.panels.model.settings import ALONE, VARIANTS
from analysis.panels.panel import Panel

SEED: Final = 1
SIZE: Final = (10_800, 240, (2012, 2021))
"""Households, villages, years: those of the default model panel."""
NOT_INCOME: Final = ("misreporting",)
"""Switches that move the books of villages and no household's income."""
DECIMALS: Final = 2


def variants() -> dict[str, Switches]:
    """Return the difficulties: none, each alone, and all.

    Examples
    --------
    >>> list(variants())[:3], list(variants())[-1]
    (['clean', 'selection_level', 'selection_trend'], 'realistic')
    """
    alone = {name: switches for name, switches in ALONE.items() if name not in NOT_INCOME}
    return {"clean": VARIANTS["clean"], **alone, "realistic": VARIANTS["realistic"]}


def made(names: tuple[str, ...] = ()) -> pl.DataFrame:
    """Simulate, estimate and compare.

    Parameters
    ----------
    names : tuple of str
        Names of `variants`; all if empty.

    Returns
    -------
    polars.DataFrame
        One row per variant and programme: variant, programme, truth (overall), truth_last (last
        year), before_after, with_without (last year), design, design_low, design_high (one
        programme at a time), together, together_low, together_high (all at once). Yuan per
        household a year in the prices of the programme pages; null where there is none.
    """
    rows = []
    with tempfile.TemporaryDirectory() as place:
        for name, switches in variants().items():
            if names and name not in names:
                continue
            folder = Path(place) / name
            households, villages, periods = SIZE
            simulate_settings(folder, Settings(households, villages, periods, SEED, name, switches))
            rows += list(_rows(name, panels.read(folder), read_truth(folder)))
    numbers = pl.col(pl.Float64)
    return pl.DataFrame(rows, infer_schema_length=None).with_columns(numbers.round(DECIMALS))


def _rows(variant: str, panel: Panel, known: pl.DataFrame) -> Iterator[dict[str, object]]:
    second: EffectSet | Missing | None = None
    for programme in programmes.load().designs["programme"]:
        how = design_of(panel, programme)
        if isinstance(how, Missing):
            raise FaultsError(
                [Fault("model panel", how.reason, "simulate a larger panel", value=programme)]
            )
        second = together.together_of(panel, how) if second is None else second
        truth = truth_of(known, how)
        last = max(how.periods)
        articles = sums(panel, how)
        yield {
            "variant": variant,
            "programme": programme,
            "truth": truth.of(TOTAL, OVERALL) if isinstance(truth, Truth) else None,
            "truth_last": truth.of(TOTAL, "calendar", last) if isinstance(truth, Truth) else None,
            **{name: articles.get(name) for name in ("before_after", "with_without")},
            **_ends("design", attempt(_first, panel, how)),
            **_ends("together", together.of(second, programme, OVERALL)),
        }


def _first(panel: Panel, how: Design) -> EffectSet:
    """Return the overall effect on the total by the design of the programme page."""
    kept = tuple(outcome for outcome in how.cells.outcomes if outcome.name in (TOTAL, NOMINAL))
    laid = layout.from_cells(build.build(panel, replace(how.cells, outcomes=kept)), TOTAL)
    found = group_time.estimate(laid, how.comparison, leads=False)
    return aggregate.aggregate(replace(found, missing=()), laid, (OVERALL,)).in_yuan()


def _ends(name: str, found: EffectSet | Missing | None) -> dict[str, float | None]:
    if found is None or isinstance(found, Missing):
        return dict.fromkeys((name, f"{name}_low", f"{name}_high"))
    one = next(found.effects())
    values = (one.estimate, one.ci_low, one.ci_high)
    return {
        f"{name}{end}": float(value) if np.isfinite(value) else None
        for end, value in zip(("", "_low", "_high"), values, strict=True)
    }


FILE: Final = Path("reports") / "validation" / "programmes.csv"


def stored() -> pl.DataFrame:
    """Return the stored table; see `made`.

    Raises
    ------
    FaultsError
        If it is not there.
    """
    return stored_tables.read(FILE, "analysis.answers.overview")


def verdict(truth: float | None, low: float | None, high: float | None) -> str:
    """Say in a word what a design came to, where the truth is known.

    Parameters
    ----------
    truth : float or None
        The true effect.
    low, high : float or None
        Ends of the interval; None or not finite where there is none.

    Returns
    -------
    str
        ``found`` (the truth inside, zero outside), ``imprecise`` (both inside), ``missed`` (the
        truth outside) or ``unknown`` (no interval, or no truth).

    Examples
    --------
    >>> verdict(5.0, 2.0, 8.0), verdict(5.0, -2.0, 8.0), verdict(5.0, 6.0, 8.0)
    ('found', 'imprecise', 'missed')
    >>> verdict(5.0, None, None)
    'unknown'
    """
    if truth is None or low is None or high is None or not np.isfinite([low, high]).all():
        return "unknown"
    if not low <= truth <= high:
        return "missed"
    return "imprecise" if low <= 0 <= high else "found"


def judged(table: pl.DataFrame) -> pl.DataFrame:
    """Add whether intervals hold the truth, and how far off each way is.

    Returns
    -------
    polars.DataFrame
        With design_holds, together_holds (null without an interval), and before_after_times,
        with_without_times (over the last year's truth), design_off, together_off (yuan).
    """
    truth = pl.col("truth")
    holds = {
        f"{name}_holds": truth.is_between(pl.col(f"{name}_low"), pl.col(f"{name}_high"))
        for name in ("design", "together")
    }
    return table.with_columns(
        **holds,
        **{f"{n}_off": pl.col(n) - truth for n in ("design", "together")},
        **{
            f"{n}_times": pl.col(n) / pl.col("truth_last") for n in ("before_after", "with_without")
        },
    )


def main() -> None:
    """Make the table again and write it."""
    stored_tables.write(FILE, made())


if __name__ == "__main__":
    main()
