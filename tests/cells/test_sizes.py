"""How large the largest are, by hand, and the same on both engines."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import polars as pl
from polars.testing import assert_frame_equal

from analysis.cells.build import build
from analysis.cells.design import CellsDesign
from analysis.cells.outcomes import Outcome, gap, headcount, squared_gap
from analysis.panels.panel import Panel

Make = Callable[..., Panel]


def test_levels_and_changes_of_two_households(make: Make) -> None:
    """Wages 10 and 4, then 7 and 4; one has a weight of 2: each number is counted by hand."""
    homes = [{"household": h, "village": "v", "weight": w} for h, w in (("a", 2.0), ("b", 1.0))]
    rows = [
        {"household": h, "period": t, "wage": y}
        for h, t, y in (("a", 2012, 10), ("a", 2013, 7), ("b", 2012, 4), ("b", 2013, 4))
    ]
    panel = make(homes, rows, [{"unit": "nobody", "first_period": 2013}])
    design = CellsDesign(("training",), outcomes=(Outcome("wage"),), stratum="", disclosure=True)
    found = build(panel, design).sizes
    assert found is not None
    names = ["num", "abs", "top", "sq", "wabs", "wtop", "wsq"]
    columns = [f"{name}_household__1" for name in names]
    level = found.filter(pl.col("base").is_null(), period=2012).select(columns).row(0)
    assert level == (2, 14, 10, 116, 24, 20, 416)
    change = found.filter(base=2012, period=2013).select(columns).row(0)
    assert change == (1, 3, 3, 9, 6, 6, 36)
    # The total is the wage here; property is nothing.
    assert found.filter(base=2012)["abs_household__15"].to_list() == [3]
    assert found["num_household__4"].to_list() == [0, 0, 0]


def test_who_is_below_and_above_the_line_of_a_gap_by_hand(make: Make) -> None:
    """Of 30, 40 and 500 with a line of 100: two below have 70, one above 500; then 30 is above."""
    homes = [{"household": h, "village": "v"} for h in "abc"]
    incomes = {2012: (30, 40, 500), 2013: (130, 40, 500)}
    rows = [
        {"household": h, "period": t, "wage": y}
        for t, by in incomes.items()
        for h, y in zip("abc", by, strict=True)
    ]
    panel = make(homes, rows, [{"unit": "z", "first_period": 2013}])
    outcomes = (Outcome("lack", transform=gap(100)),)
    design = CellsDesign(("training",), outcomes=outcomes, stratum="", disclosure=True)
    found = build(panel, design).sizes
    assert found is not None
    for side, level, change in (
        ("below", (2, 70, 40, 2_500), (1, 30, 30, 900)),
        ("above", (1, 500, 500, 250_000), (1, 130, 130, 16_900)),
    ):
        columns = [f"{name}_{side}_lack" for name in ("num", "abs", "top", "sq")]
        of = found.filter(pl.col("base").is_null(), period=2012).select(columns)
        assert of.row(0) == level
        assert found.filter(base=2012, period=2013).select(columns).row(0) == change


def test_both_engines_agree(realistic: Path) -> None:
    outcomes = (
        Outcome("total", real=2012),
        Outcome("poor", transform=headcount(300_000)),
        Outcome("deep", transform=squared_gap(300_000)),
        Outcome("lack", transform=gap(300_000)),
    )
    design = CellsDesign(
        ("training",),
        outcomes=outcomes,
        handling="cross_sections",
        periods=(2012, 2014),
        disclosure=True,
    )
    for unit in ("household", "person"):
        one, other = (
            build(realistic, replace(design, unit=unit), engine) for engine in ("polars", "duckdb")
        )
        assert one.sizes is not None and other.sizes is not None
        assert_frame_equal(one.sizes.sort(pl.all()), other.sizes.sort(pl.all()), rel_tol=1e-9)
