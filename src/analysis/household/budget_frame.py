"""A household's budget as the frame of a result."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import polars as pl

from analysis.household.calibration import SOURCES
from analysis.results.number import Number
from analysis.results.result import frame_of

if TYPE_CHECKING:
    from analysis.household.budget import Budget


def frame_of_budget(budget: Budget) -> pl.DataFrame:
    """Return the estimates: sources a head and a household, shares, size."""

    def row(term: str, outcome: str, number: Number, basis: str) -> dict[str, Any]:
        low, high = number.ends
        return {
            "term": term,
            "outcome": outcome,
            "estimate": number.value,
            "ci_low": low,
            "ci_high": high,
            "unit": number.unit,
            "note": number.provenance.method,
            "basis": basis,
        }

    of: list[tuple[str, Callable[[str], Number]]] = [
        ("a head", budget.source_per_head),
        ("a household", budget.of_household),
        ("share", budget.share),
    ]
    rows = [
        row(source, outcome, value(source), budget.facts[source].basis)
        for outcome, value in of
        for source in SOURCES
    ]
    total = budget.facts["total"].basis
    rows += [
        row("total", "a head", budget.per_head, total),
        row("total", "a household", budget.income, total),
        row("members", "a household", budget.size, budget.facts["size"].basis),
    ]
    return frame_of(rows)
