"""Outcomes of a panel besides the four sources of income: their names, kinds and units."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final

import polars as pl

from analysis.faults import Fault

KINDS: Final[Mapping[str, str]] = {
    "money": "whole hundredths of the currency a year; price rules apply",
    "stock": "money at a point in time, whole hundredths of the currency; price rules apply",
    "number": "a number in a unit of its own, never rounded",
    "share": "a number from 0 to 1, never rounded",
    "yes_no": "1 or 0",
}
"""What an outcome can be."""
MONEY: Final = ("money", "stock")
"""Kinds that are amounts of money."""
NAME: Final = re.compile(r"[a-z][a-z0-9_]*")


@dataclass(frozen=True)
class PanelOutcome:
    """A column of the income table beyond the contract's own.

    Attributes
    ----------
    name : str
        Of the column.
    kind : str
        One of `KINDS`.
    unit : str
        In words, for a number: ``hours a week``; empty for money, shares and yes or no.
    """

    name: str
    kind: str
    unit: str = ""

    @property
    def dtype(self) -> pl.DataType:
        """Type of the column."""
        return pl.Int64() if self.kind in MONEY else pl.Float64()

    @property
    def allowed(self) -> tuple[float, float] | None:
        """Smallest and largest value; None without a limit."""
        return (0.0, 1.0) if self.kind in ("share", "yes_no") else None


def read(rows: Sequence[Mapping[str, Any]]) -> tuple[PanelOutcome, ...]:
    """Read what a manifest says of its outcomes."""
    return tuple(PanelOutcome(**row) for row in rows)


def written(outcomes: Sequence[PanelOutcome]) -> list[dict[str, Any]]:
    """Return outcomes as a manifest has them."""
    return [asdict(outcome) for outcome in outcomes]


def value_faults(income: pl.LazyFrame, outcomes: Sequence[PanelOutcome]) -> Iterator[Fault]:
    """Yield a fault for each outcome that holds what its kind does not allow."""
    for outcome in outcomes:
        value = pl.col(outcome.name)
        odd = ~value.is_finite() if outcome.kind not in MONEY else pl.lit(value=False)
        if outcome.allowed:
            odd = odd | ~value.is_between(*outcome.allowed)
        if outcome.kind == "yes_no":
            odd = odd | (value != value.round(0))
        rows = income.filter(odd.fill_null(value=False)).select(
            pl.len().alias("n"), value.first().alias("value")
        )
        n, first = rows.collect().row(0)
        if n:
            yield Fault(
                "income.parquet",
                f"not {KINDS[outcome.kind]} ({n} rows)",
                "correct it, set it missing, or declare another kind",
                column=outcome.name,
                value=str(first),
            )
