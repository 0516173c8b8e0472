"""Figures of costs, targets and study design: alt text and data say what was computed."""

from __future__ import annotations

import polars as pl

from analysis.figures import costs, power, scenarios


def test_a_ratio_at_or_below_zero_is_an_arrow_and_stays_in_the_text() -> None:
    rows = pl.DataFrame(
        {
            "name": ["A", "B", "C"],
            "low": [-2.0, 0.5, None],
            "draws_low": [-1.0, 1.0, None],
            "middle": [0.4, 2.0, None],
            "draws_high": [3.0, 4.0, None],
            "high": [9.0, 8.0, None],
        }
    )
    figure = costs.per_yuan("fig-x", rows)
    assert figure.data["name"].to_list() == ["A", "B"]
    assert "A: −2.0 to 9.0" in figure.alt
    assert "C" not in figure.data["name"].to_list()
    assert figure.light.startswith("<?xml") and figure.light != figure.dark


def test_the_gains_of_targets_are_told() -> None:
    rows = pl.DataFrame(
        {
            "name": ["T"],
            "percent_low": [0.0],
            "percent_draws_low": [1.0],
            "percent_median": [2.0],
            "percent_draws_high": [3.0],
            "percent_high": [4.5],
        }
    )
    assert "T: 0.0 to 4.5, median 2.0" in scenarios.gains("fig-x", rows).alt


def test_detectable_effects_are_told_and_nothing_is_said_where_there_is_nothing() -> None:
    rows = pl.DataFrame({"villages": [10, 20], "households": [15, 15], "percent": [20.0, 14.0]})
    assert "10 villages 20.0 per cent" in power.detectable("fig-x", "model", rows).alt
    none = power.detectable("fig-x", "yours", rows.clear(), empty="one village only")
    assert "one village only" in none.alt
