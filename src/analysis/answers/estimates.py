"""The effects of one programme on one panel: overall, by event time, by cohort, in every unit."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import polars as pl
from scipy import stats  # type: ignore[import-untyped]

from analysis.answers import choices
from analysis.answers.design import NOMINAL, PER_HEAD, POOR, SHOWN, TOTAL, Design
from analysis.answers.missing import Missing, attempt, said
from analysis.cells import build
from analysis.cells.result import Cells
from analysis.effects import aggregate, group_time, layout, pretrends, relative, table
from analysis.effects.result import EffectSet
from analysis.effects.table import Table
from analysis.faults import Fault, FaultsError
from analysis.panels.panel import Panel
from analysis.panels.schemas import SOURCES

OVERALL = "simple"
"""The headline: the mean over every household and year in the programme."""
WANTED = (OVERALL, "event_time", "cohort", "calendar")


@dataclass(frozen=True)
class Identity:
    """Whether the four sources add up to the total.

    Attributes
    ----------
    n_estimates : int
        Effects on the total that were compared with the sum of the effects on the sources.
    largest_gap : float
        Largest difference, yuan (or the panel's money) per household a year.
    holds : bool
        Whether it is rounding of double precision and no more.
    """

    n_estimates: int
    largest_gap: float
    holds: bool


@dataclass(frozen=True)
class Estimates:
    """What the design finds.

    Attributes
    ----------
    design : Design
        How.
    table : Table
        The cells.
    found : EffectSet
        Group-time effects in fen, leads too, against one base.
    summed : EffectSet
        Overall, by event time, by cohort and by calendar year; yuan and shares.
    percent : EffectSet or Missing
        The overall effect on the total in per cent of what the treated would have had; from the
        households seen in every period.
    pretrends : PreTrends or Missing
        Test of the leads of the total, and its power; yuan.
    identity : Identity
        Sources against the total.
    constant : tuple of str
        Outcomes that are the same in every cell and period, hence without an effect to estimate.
    uncompared : tuple of str
        Cohorts and periods that nobody is left to be compared with, such as ``2019 in 2021``; the
        sums are over the others.
    """

    design: Design
    table: Table
    found: EffectSet
    summed: EffectSet
    percent: EffectSet | Missing
    pretrends: pretrends.PreTrends | Missing
    identity: Identity
    constant: tuple[str, ...]
    uncompared: tuple[str, ...]

    @property
    def overall(self) -> EffectSet:
        """The overall effect on each outcome."""
        return self.summed.select(aggregation=OVERALL)

    @property
    def rows(self) -> dict[str, int]:
        """Household-years in and used, as findings ask for them."""
        about = self.summed.about
        return {"rows_in": about.rows_in, "rows_used": about.rows_used}

    def one(self, outcome: str, aggregation: str = OVERALL, at: int | None = None) -> int | None:
        """Return the place of an estimate in `summed`; None if there is none."""
        for place, key in enumerate(self.summed.keys):
            if (key.outcome, key.aggregation, key.at) == (outcome, aggregation, at):
                return place
        return None

    def events(self) -> EffectSet:
        """Return the effects by event time on the total and the sources."""
        chosen = [
            key.aggregation == "event_time" and key.outcome in SHOWN for key in self.summed.keys
        ]
        return self.summed.at(np.array(chosen, bool))

    def cohorts(self) -> EffectSet:
        """Return the effects by cohort on the total."""
        return self.summed.select(aggregation="cohort", outcome=TOTAL)


def estimate(panel: Panel, design: Design) -> Estimates:
    """Estimate what a design asks of a panel.

    Raises
    ------
    FaultsError
        If nothing can be estimated on the total.
    """
    cells = build.build(panel, design.cells)
    laid, constant = without_constants(layout.from_cells(cells))
    if TOTAL in constant:
        raise FaultsError(
            [
                Fault(
                    "effects",
                    "total income is the same everywhere and always",
                    "check the panel's incomes",
                )
            ]
        )
    found = group_time.estimate(laid, design.comparison)
    gone = [key for key, _ in (*found.missing, *found.unasked) if key.outcome == TOTAL]
    # What has no controls is named and left out of every sum: a headline over the rest, said to be
    # so, is worth more to a reader than none.
    summed = aggregate.aggregate(replace(found, missing=()), laid, WANTED).in_yuan()
    if not any((key.outcome, key.aggregation) == (TOTAL, OVERALL) for key in summed.keys):
        raise FaultsError(
            [
                Fault(
                    "effects",
                    "nobody is left to be compared with in any year of the programme",
                    "find villages without it",
                )
            ]
        )
    level = choices.load().level
    return Estimates(
        design=design,
        table=laid,
        found=found,
        summed=replace(summed, level=level),
        percent=attempt(_percent, panel, design, cells),
        pretrends=_tested(found, laid),
        identity=identity(summed),
        constant=constant,
        uncompared=tuple(f"{key.cohort} in {key.period}" for key in gone),
    )


def without_constants(whole: Table) -> tuple[Table, tuple[str, ...]]:
    """Return the table without outcomes that never differ, and their names.

    A panel without property income, say, still has a total and three sources.
    """
    constant = []
    for name in whole.outcomes:
        if isinstance(attempt(table.check_constant, whole.select(name)), Missing):
            constant.append(name)
    kept = [name for name in whole.outcomes if name not in constant]
    return (whole.select(*kept) if constant else whole), tuple(constant)


def identity(summed: EffectSet) -> Identity:
    """Compare each effect on the total with the sum of the effects on the sources.

    Parameters
    ----------
    summed : EffectSet
        Of the total and of those sources that are not the same everywhere.
    """
    total = summed.select(outcome=TOTAL)
    parts = [summed.select(outcome=name).points for name in SOURCES]
    added = np.sum([part for part in parts if part.size], axis=0)
    gap = float(np.abs(total.points - added).max(initial=0.0))
    scale = max(1.0, float(np.abs(total.points).max(initial=0.0)))
    # A sum of a few hundred floats: their rounding, and nothing that a person could earn.
    return Identity(len(total), gap, gap <= 1e-6 * scale)


def _percent(panel: Panel, design: Design, cells: Cells) -> EffectSet:
    """Return the overall effect in per cent, from households seen in every period."""
    if cells.design.handling != "balanced":
        cells = build.build(panel, replace(design.cells, handling="balanced"))
    laid = layout.from_cells(cells, TOTAL)
    found = group_time.estimate(laid, design.comparison, leads=False)
    return relative.per_cent(found, laid, (OVERALL,))


def _tested(found: EffectSet, laid: Table) -> pretrends.PreTrends | Missing:
    chosen = choices.load()
    try:
        return pretrends.pre_trends(
            replace(found, missing=()).in_yuan(),
            laid,
            TOTAL,
            overall=OVERALL,
            level=chosen.level,
            power=chosen.power,
        )
    except FaultsError as error:
        return Missing(said(error))
    except ValueError as error:  # the joint test's own refusal: too many leads for the villages
        return Missing(str(error))


UNITS = {
    TOTAL: "per household",
    **dict.fromkeys(SOURCES, "per household"),
    PER_HEAD: "per head",
    POOR: "share of households below the national line",
    NOMINAL: "per household, prices of each year",
}
"""What an estimate of an outcome is per."""


def power_of(error: float, degrees: float) -> float:
    """Return the smallest effect found with the chosen power by a test at the chosen level.

    Quantiles of t with the degrees of the interval, times the standard error (Bloom 1995):
    (1.96 + 0.84) errors for 0.95, 0.8 and many villages.

    Examples
    --------
    >>> round(power_of(100.0, float("inf"))), round(power_of(100.0, 4))
    (280, 372)
    """
    chosen = choices.load()
    wanted = np.array([0.5 + chosen.level / 2, chosen.power])
    return float(stats.t.ppf(wanted, degrees).sum() * error)


def frame(found: EffectSet, *, band: bool = False) -> pl.DataFrame:
    """Return estimates as a table with plain numbers; NaN becomes empty."""
    floats = pl.col(pl.Float64)
    return found.to_frame(band=band).with_columns(floats.fill_nan(None))
