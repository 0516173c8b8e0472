"""Figures of study design: alt text and data say what was computed."""

from __future__ import annotations

import polars as pl

from analysis.figures import power


def test_detectable_effects_are_told_and_nothing_is_said_where_there_is_nothing() -> None:
    rows = pl.DataFrame({"villages": [10, 20], "households": [15, 15], "percent": [20.0, 14.0]})
    assert "10 villages 20.0 per cent" in power.detectable("fig-x", "model", rows).alt
    none = power.detectable("fig-x", "yours", rows.clear(), empty="one village only")
    assert "one village only" in none.alt
