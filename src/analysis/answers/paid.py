"""Payments to whole villages: how much total income rises per yuan paid, and other income moves.

A payment is itself income, so its effect on total income is the payment plus what it moves. The
arithmetic needs no comparison: in its first year a payment cannot add much more than itself.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import polars as pl

from analysis.answers.design import TOTAL, Design
from analysis.answers.estimates import OVERALL
from analysis.answers.missing import Missing
from analysis.answers.money_rules import rules
from analysis.answers.truth import Truth
from analysis.cells import build
from analysis.effects import group_time, layout, relative
from analysis.effects.record import Effect
from analysis.effects.result import EffectSet
from analysis.effects.table import Table
from analysis.faults import Fault, FaultsError
from analysis.money import FEN_PER_YUAN
from analysis.panels.panel import Panel

PER: Final = {"yuan per head": "size_baseline", "yuan per household": None}
"""Units of a dose that is a payment a year, and what it is multiplied by for a household."""
EVENT: Final = "event_time"


@dataclass(frozen=True)
class PaidOut:
    """What a payment to whole villages does to total income, per yuan.

    Attributes
    ----------
    programme : str
        What pays.
    paid : float
        Yuan per household a year, mean over every household and year in the programme.
    per_yuan : EffectSet
        Yuan of total income per yuan paid: overall, and by years since the start.
    other : EffectSet
        Effect on income other than the payment, yuan per household a year.
    truths : mapping of (int or None) to float
        True yuan of total income per yuan paid: by years since the start, and overall (None);
        empty where nobody knows them.
    together : tuple of float or None
        The estimate with all programmes at once over `paid`, with both ends of its interval.
    prices : str
        Whose prices the doses are read in.
    """

    programme: str
    paid: float
    per_yuan: EffectSet
    other: EffectSet
    truths: Mapping[int | None, float]
    together: tuple[float, float, float] | None
    prices: str

    @property
    def overall(self) -> Effect:
        """Yuan of total income per yuan paid, overall."""
        return next(self.per_yuan.select(aggregation=OVERALL).effects())

    @property
    def first_year(self) -> Effect | None:
        """Yuan of total income per yuan paid in the first year; None if it has no estimate."""
        found = [
            effect
            for effect in self.per_yuan.select(aggregation=EVENT).effects()
            if effect.key.at == 0
        ]
        return found[0] if found else None

    @property
    def rest(self) -> Effect:
        """Effect on income other than the payment, overall."""
        return next(self.other.select(aggregation=OVERALL).effects())

    @property
    def breaks_the_rule(self) -> bool | None:
        """Whether the whole overall interval lies above what a payment can add in its first year.

        None where there is no interval.
        """
        low = self.overall.ci_low
        return None if not np.isfinite(low) else bool(low > rules().multiple)


def paid_out(
    panel: Panel, design: Design, known: Truth | Missing, second: EffectSet | None
) -> PaidOut:
    """Estimate the effect of a payment per yuan of it, from households seen in every period.

    Parameters
    ----------
    panel : Panel
        Whose doses of the programme are yuan per head or per household a year.
    design : Design
        Of the programme; a village's households are all paid or none is.
    known : Truth or Missing
        True effects.
    second : EffectSet or None
        The overall estimate of total income with all programmes at once.

    Raises
    ------
    FaultsError
        If doses are no payments, single households are paid, or nobody is seen in every period.

    Notes
    -----
    Who is in every period is paid the dose from the first period on, each year, in the prices of
    the design. `analysis.effects.relative.pass_through` has the delta method.
    """
    if design.level != "village":
        _refuse("the programme pays households, not villages", design.programme)
    amounts = household_payments(panel, design.programme)
    cells = build.build(panel, replace(design.cells, handling="balanced"))
    laid = layout.from_cells(cells, TOTAL)
    found = group_time.estimate(laid, design.comparison, leads=False)
    paid = _by_village(panel, amounts, laid)
    per_yuan, other = relative.pass_through(
        replace(found, missing=()), laid, paid, (OVERALL, EVENT)
    )
    last = max(design.periods)
    mean = _mean(amounts, last)
    return PaidOut(
        design.programme,
        mean,
        per_yuan,
        other.in_yuan(),
        _truths(known, amounts, last),
        _over(second, mean),
        design.prices,
    )


def household_payments(panel: Panel, programme: str) -> pl.DataFrame:
    """Return what each household of a paying village is paid a year.

    Returns
    -------
    polars.DataFrame
        household, village, weight, first_period, amount (yuan a year).

    Raises
    ------
    FaultsError
        If a village has no dose, or its unit is none of `PER`.
    """
    wanted = pl.col("programme") == programme, pl.col("unit_level") == "village"
    doses = panel.participation.filter(*wanted).collect()
    units = doses["dose_unit"].unique().to_list()
    if not units or any(unit not in PER for unit in units):
        said = ", ".join(sorted(str(unit) for unit in units)) or "none"
        _refuse("the doses are no payments in yuan per head or per household", said)
    rows = doses.select(pl.col("unit").alias("village"), "first_period", "dose", "dose_unit")
    homes = panel.households.select("household", "village", "weight", "size_baseline").collect()
    size = pl.when(pl.col("dose_unit") == "yuan per head").then("size_baseline").otherwise(1)
    return homes.join(rows, on="village", maintain_order="left").select(
        "household", "village", "weight", "first_period", amount=pl.col("dose") * size
    )


def _by_village(
    panel: Panel, amounts: pl.DataFrame, laid: Table
) -> Mapping[tuple[str, int], float]:
    """Return the fen paid to a village's always seen households, weighted as the outcomes are."""
    periods = laid.periods.tolist()
    always = (
        panel.income.filter("complete", pl.col("period").is_in(periods))
        .group_by("household")
        .len()
        .filter(pl.col("len") == len(periods))
    ).collect()
    mine = amounts.join(always, on="household", how="semi")
    sums = mine.group_by("village", "first_period").agg(
        fen=(pl.col("amount") * pl.col("weight")).sum() * FEN_PER_YUAN,
        weight=pl.col("weight").sum(),
    )
    _check(sums, laid)
    return {
        (row["village"], period): row["fen"] if period >= row["first_period"] else 0.0
        for row in sums.iter_rows(named=True)
        for period in periods
    }


def _check(sums: pl.DataFrame, laid: Table) -> None:
    """Refuse payments of other households than those of the cells."""
    there = np.bincount(laid.village, laid.weight[:, 0], len(laid.villages))
    cells = dict(zip(laid.villages, there, strict=True))
    for village, weight in sums.select("village", "weight").iter_rows():
        if not np.isclose(cells.get(village, 0.0), weight):
            _refuse("payments and cells are of different households", village)


def _mean(amounts: pl.DataFrame, last: int) -> float:
    """Return the mean over household-years in the programme, every household counted."""
    years = (last + 1 - pl.col("first_period")).clip(lower_bound=0) * pl.col("weight")
    return float(amounts.select((pl.col("amount") * years).sum() / years.sum()).item())


def _truths(known: Truth | Missing, amounts: pl.DataFrame, last: int) -> dict[int | None, float]:
    """Return the true effect over what was paid, on every household, seen or not."""
    if isinstance(known, Missing):
        return {}
    overall = known.of(TOTAL, OVERALL)
    found: dict[int | None, float] = (
        {} if overall is None else {None: overall / _mean(amounts, last)}
    )
    for since in range(last + 1 - min(amounts["first_period"].to_list(), default=last + 1)):
        there = amounts.filter(pl.col("first_period") + since <= last)
        paid = there.select((pl.col("amount") * pl.col("weight")).sum() / pl.col("weight").sum())
        value = known.of(TOTAL, EVENT, since)
        if value is not None:
            found[since] = value / paid.item()
    return found


def _over(second: EffectSet | None, paid: float) -> tuple[float, float, float] | None:
    if second is None:
        return None
    one = next(second.effects())
    return one.estimate / paid, one.ci_low / paid, one.ci_high / paid


def _refuse(problem: str, value: str) -> None:
    raise FaultsError([Fault("participation", problem, "see the doses of the panel", value=value)])
