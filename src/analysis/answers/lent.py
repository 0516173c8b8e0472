"""Loans: the principal is never income; what a loan moves is set against what was lent."""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from analysis.answers.design import TOTAL
from analysis.answers.estimates import OVERALL, Estimates
from analysis.answers.missing import Missing
from analysis.answers.truth import Truth
from analysis.faults import Fault, FaultsError
from analysis.panels.panel import Panel

UNIT = "yuan lent"


@dataclass(frozen=True)
class Lent:
    """What was lent, and income a year beside it.

    Attributes
    ----------
    loan : float
        Mean loan of a borrowing household, yuan.
    n_borrowers : int
        Households with a loan.
    per_yuan, low, high : float
        Overall estimate of total income a year over the mean loan, and its interval (NaN: none).
    truth : float or None
        The true one; None where nobody knows it.
    """

    loan: float
    n_borrowers: int
    per_yuan: float
    low: float
    high: float
    truth: float | None


def lent(panel: Panel, programme: str, found: Estimates, known: Truth | Missing) -> Lent:
    """Set the overall estimate against the mean loan.

    Parameters
    ----------
    panel : Panel
        Whose doses of the programme are yuan lent to households.
    programme : str
        The programme that lends.
    found : Estimates
        Of the programme.
    known : Truth or Missing
        True effects.

    Raises
    ------
    FaultsError
        If a dose is missing or no loan in yuan.
    """
    rows = panel.participation.filter(
        pl.col("programme") == programme, pl.col("unit_level") == "household"
    )
    units = rows.select(pl.col("dose_unit").unique()).collect()["dose_unit"].to_list()
    if units != [UNIT]:
        said = ", ".join(sorted(str(unit) for unit in units)) or "none"
        raise FaultsError(
            [
                Fault(
                    "participation",
                    "the doses are no loans in yuan",
                    f"give the dose in {UNIT}",
                    value=said,
                )
            ]
        )
    weights = panel.households.select(pl.col("household").alias("unit"), "weight")
    loans = rows.join(weights, on="unit").select("dose", "weight").collect()
    loan = float(
        loans.select((pl.col("dose") * pl.col("weight")).sum() / pl.col("weight").sum()).item()
    )
    place = found.one(TOTAL)
    assert place is not None  # noqa: S101 — `estimate` refuses panels without it
    one = list(found.summed.effects())[place]
    truth = known.of(TOTAL, OVERALL) if isinstance(known, Truth) else None
    return Lent(
        loan,
        loans.height,
        one.estimate / loan,
        one.ci_low / loan,
        one.ci_high / loan,
        None if truth is None else truth / loan,
    )
