"""Which mean the overall effect is: cohorts and periods weighted by their households, by hand."""

from __future__ import annotations

import polars as pl
import pytest

import analysis as va
from analysis.did.result import DidResult

EFFECTS = {(2, 2): 1.0, (2, 3): 4.0, (3, 3): 10.0}
"""By cohort and period, without noise."""
SIZES = {0: 8, 2: 12, 3: 4}
"""Households by cohort; 0 is never."""


@pytest.fixture(scope="module")
def result() -> DidResult:
    rows = [
        (f"{cohort}-{n}", cohort, period, n + 2.0 * period + EFFECTS.get((cohort, period), 0.0))
        for cohort, size in SIZES.items()
        for n in range(size)
        for period in (1, 2, 3)
    ]
    frame = pl.DataFrame(rows, schema=["household", "cohort", "period", "income"], orient="row")
    return va.did(frame, y="income", unit="household", time="period", first="cohort")


def test_the_overall_effect_weights_households_and_periods_alike(result: DidResult) -> None:
    """(12 x 1 + 12 x 4 + 4 x 10) / 28; a mean over event times or over cohorts is another number."""
    assert result.overall.value == pytest.approx(100 / 28)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("simple", 100 / 28),
        # event times 0 and 1: (12 x 1 + 4 x 10) / 16 and 4
        ("event_time_overall", (52 / 16 + 4) / 2),
        # cohorts 2 and 3: (1 + 4) / 2 and 10, of 12 and 4 households
        ("cohort_overall", (12 * 2.5 + 4 * 10) / 16),
        # periods 2 and 3: 1 and (12 x 4 + 4 x 10) / 16
        ("calendar_overall", (1 + 88 / 16) / 2),
    ],
)
def test_each_mean_by_hand(result: DidResult, name: str, expected: float) -> None:
    assert result.aggregate(name).effect.value == pytest.approx(expected)
