"""The sums that articles make, beside a design with a comparison: how far off they are."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
import polars as pl

from analysis.answers import together
from analysis.answers.design import NOMINAL, TOTAL, Design
from analysis.answers.estimates import Estimates
from analysis.answers.missing import Missing
from analysis.answers.truth import Truth
from analysis.cells import build
from analysis.cells.result import Cells
from analysis.effects.record import Effect
from analysis.effects.result import EffectSet
from analysis.faults import Fault, FaultsError
from analysis.money import FEN_PER_YUAN
from analysis.panels.panel import Panel

METHODS = {
    "before_after_nominal": "Before and after, prices of each year",
    "before_after": "Before and after, constant prices",
    "with_without": "With and without, last year",
    "design": "Compared, one programme at a time",
    "together": "Compared, all programmes at once",
}


@dataclass(frozen=True)
class Naive:
    """The last year's effect by the sums of articles, and by the design.

    Attributes
    ----------
    period : int
        The last year.
    rows : polars.DataFrame
        method (a key of `METHODS`), estimate, ci_low, ci_high (null: such sums have none), truth
        (null if nobody knows it), off (estimate less truth), times (estimate over truth).
    rows_in, rows_used : int
        Household-years.
    """

    period: int
    rows: pl.DataFrame
    rows_in: int
    rows_used: int

    def value(self, method: str, column: str = "estimate") -> float | None:
        """Return one number; None where there is none."""
        found = self.rows.filter(pl.col("method") == method)
        return None if found.is_empty() else found[column][0]


def naive(
    panel: Panel,
    design: Design,
    found: Estimates,
    second: EffectSet | Missing,
    known: Truth | Missing,
) -> Naive:
    """Make the sums that articles make.

    *Before and after*: mean income of the participants in the last year less their mean in the year
    before each cohort began. *With and without*: mean income of participants less that of everybody
    else in the last year. Both take whoever was seen, as a report from the village would; neither
    has an interval.

    Raises
    ------
    FaultsError
        If nobody is without the programme and no cohort has a year before it.
    """
    cells = _cells(panel, design)
    last = max(design.periods)
    made: list[Line] = [(name, value, None, None) for name, value in _sums(cells, last).items()]
    rows = [*made, *_design(found, last), *_together(second, design.programme, last)]
    if not rows:
        raise FaultsError(
            [
                Fault(
                    "answers",
                    "no sum can be made: nobody has a year before, and "
                    "nobody is without the programme",
                    "add periods",
                )
            ]
        )
    truth = known.of(TOTAL, "calendar", last) if isinstance(known, Truth) else None
    numbers = dict.fromkeys(("estimate", "ci_low", "ci_high"), pl.Float64)
    frame = pl.DataFrame(rows, schema={"method": pl.String, **numbers}, orient="row").with_columns(
        truth=pl.lit(truth, pl.Float64)
    )
    return Naive(
        last,
        frame.with_columns(
            off=pl.col("estimate") - pl.col("truth"), times=pl.col("estimate") / pl.col("truth")
        ),
        cells.account.rows_read,
        cells.account.rows_used,
    )


def sums(panel: Panel, design: Design) -> dict[str, float]:
    """Return the sums of articles alone, by the key of `METHODS`; see `naive`."""
    return _sums(_cells(panel, design), max(design.periods))


def _cells(panel: Panel, design: Design) -> Cells:
    """Return the cells of everybody who was seen; only the total is asked for."""
    kept = tuple(one for one in design.cells.outcomes if one.name in (TOTAL, NOMINAL))
    return build.build(panel, replace(design.cells, handling="cross_sections", outcomes=kept))


def _sums(cells: Cells, last: int) -> dict[str, float]:
    means = _means(cells.totals, cells.weighted)
    shares = means.filter(pl.col("period") == last, pl.col("cohort") > 0)
    found = {
        "before_after_nominal": _before_after(means, shares, NOMINAL),
        "before_after": _before_after(means, shares, TOTAL),
        "with_without": _with_without(means, last),
    }
    return {name: value for name, value in found.items() if value is not None}


def _means(totals: pl.DataFrame, weighted: bool) -> pl.DataFrame:
    """Return cohort, period, weight, and sums of total income (yuan) over villages and strata."""
    prefix = "wsum_" if weighted else "sum_"
    return (
        totals.group_by("cohort", "period")
        .agg(
            pl.col("weight").sum(),
            *(pl.col(prefix + name).sum().alias(name) / FEN_PER_YUAN for name in (TOTAL, NOMINAL)),
        )
        .sort("cohort", "period")
    )


Line = tuple[str, float, float | None, float | None]


def _before_after(means: pl.DataFrame, shares: pl.DataFrame, outcome: str) -> float | None:
    before = means.filter(pl.col("cohort") > 0, pl.col("period") < pl.col("cohort"))
    base = before.group_by("cohort").agg(pl.all().sort_by("period").last())
    both = shares.join(base, on="cohort", suffix="_before").sort("cohort")
    if both.is_empty():
        return None
    change = pl.col(outcome) / pl.col("weight")
    change -= pl.col(f"{outcome}_before") / pl.col("weight_before")
    size = pl.col("weight")
    return float(both.select((change * size).sum() / size.sum()).item())


def _with_without(means: pl.DataFrame, last: int) -> float | None:
    now = means.filter(pl.col("period") == last)
    sides = [now.filter(pl.col("cohort") > 0), now.filter(pl.col("cohort") == 0)]
    if any(side.is_empty() for side in sides):
        return None
    taking, others = (float(side[TOTAL].sum()) / float(side["weight"].sum()) for side in sides)
    return taking - others


def _design(found: Estimates, last: int) -> list[Line]:
    place = found.one(TOTAL, "calendar", last)
    if place is None:
        return []
    return [_line("design", next(found.summed.at(np.array([place])).effects()))]


def _together(second: EffectSet | Missing, programme: str, last: int) -> list[Line]:
    one = together.of(second, programme, "calendar", at=last)
    return [] if one is None else [_line("together", next(one.effects()))]


def _line(method: str, effect: Effect) -> Line:
    low, high = (None if math.isnan(end) else end for end in (effect.ci_low, effect.ci_high))
    return method, effect.estimate, low, high
