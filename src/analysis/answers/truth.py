"""What the model panel knows of a programme's effect, in the unit of the estimates."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import polars as pl

from analysis import money
from analysis.answers import choices
from analysis.answers.design import POOR, SHOWN, Design
from analysis.answers.missing import Missing
from analysis.panels import estimands

KINDS: Final = ("total", "all", "treated")
"""Effect, sample, and on whom: the programme against no programme at all, on all its households."""


@dataclass(frozen=True)
class Truth:
    """True effects of one programme.

    Attributes
    ----------
    values : polars.DataFrame
        outcome, aggregation, at, att: real yuan per household a year; a share for the headcount.
    percent : float or None
        The overall effect on the total in per cent of the counterfactual income of the treated.
    """

    values: pl.DataFrame
    percent: float | None

    def of(self, outcome: str, aggregation: str, at: int | None = None) -> float | None:
        """Return one true effect; None if there is none."""
        rows = self.values.filter(
            pl.col("outcome") == outcome,
            pl.col("aggregation") == aggregation,
            pl.col("at").eq_missing(pl.lit(at, pl.Int32)),
        )
        return None if rows.is_empty() else rows["att"][0]


def truth_of(known: pl.DataFrame | None, design: Design) -> Truth | Missing:
    """Return the truth of a programme; missing for a survey, where nobody knows it.

    Parameters
    ----------
    known : polars.DataFrame or None
        As `analysis.panels.current.truth` gives it.
    design : Design
        Of the programme; its price year brings nominal yuan to the estimates' prices.

    Notes
    -----
    It is the effect on every household in the programme, also in years in which it was not seen,
    of the programme against no programme at all: spillovers on participants included.
    """
    if known is None:
        return Missing("the true effect in a survey is not known to anyone")
    effect, sample, who = KINDS
    line = f"poor_{choices.load().poverty_line}"
    cells = known.filter(
        pl.col("programme") == design.programme,
        pl.col("effect") == effect,
        pl.col("sample") == sample,
        pl.col("who") == who,
        pl.col("per") == "household",
        pl.col("aggregation") == "group_time",
        pl.col("outcome").is_in([*SHOWN, line]),
    )
    if cells.is_empty():
        return Missing("the model panel has no true effect of this programme")
    periods = cells["period"].unique().sort().to_list()
    prices = _prices(periods, design.price_year)
    is_money = pl.col("outcome") != line
    factor = pl.when(is_money).then(pl.col("period").replace_strict(prices)).otherwise(1.0)
    real = cells.with_columns(
        att=pl.col("att") * factor,
        mean=pl.col("sum_realised") / pl.col("n_households") / money.FEN_PER_YUAN * factor,
        outcome=pl.when(is_money).then("outcome").otherwise(pl.lit(POOR)),
    )
    sizes = cells.select("cohort", size="n_ever").unique().sort("cohort")
    weighting = estimands.weights(sizes, periods[0], periods[-1], leads=periods[-1] - periods[0])
    by = ("outcome",)
    values = estimands.aggregate(real.select("outcome", "cohort", "period", "att"), weighting, by)
    means = estimands.aggregate(
        real.select("outcome", "cohort", "period", att="mean"), weighting, by
    )
    return Truth(values.select("outcome", "aggregation", "at", "att"), _percent(values, means))


def _prices(periods: list[int], real: int | None) -> dict[int, float]:
    if real is None:
        return dict.fromkeys(periods, 1.0)
    return {period: float(money.load().factor(real, period)) for period in periods}


def _percent(values: pl.DataFrame, means: pl.DataFrame) -> float | None:
    wanted = {"outcome": "total", "aggregation": "simple"}
    effect = values.filter(**wanted)["att"].item()
    mean = means.filter(**wanted)["att"].item()
    return None if effect is None or mean is None else float(100 * effect / (mean - effect))
