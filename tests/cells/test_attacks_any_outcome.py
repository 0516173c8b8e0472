"""Attacks through outcomes that are no income: other columns, logarithms, winsorised values.

As in `test_attacks`: the attack gets the secret from the tables, then the pack is refused.
"""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import polars as pl
import pytest
from tests.cells.test_attacks import (
    Make,
    crowd,
    declared,
    people,
    published,
    refused,
    released,
)
from tests.cells.test_attacks_releases import two_programmes

from analysis.cells import audit, pack
from analysis.cells.build import build
from analysis.cells.design import CellsDesign
from analysis.cells.outcome_rules import broken
from analysis.cells.outcomes import Outcome, Transform
from analysis.panels import panel as panels
from analysis.panels.outcomes import PanelOutcome
from analysis.panels.panel import Panel

KINDS = (
    PanelOutcome("land", "number", "mu"),
    PanelOutcome("food", "money"),
    PanelOutcome("consumption", "money"),
    PanelOutcome("owns", "yes_no"),
    PanelOutcome("part", "share"),
)
LAND, FOOD = ('[[outcome]]\nname = "land"\n', '[[outcome]]\nname = "food"\n')
OWNS = '[[outcome]]\nname = "owns"\n'


def with_columns(panel: Panel, **columns: pl.Expr) -> Panel:
    """Add columns to the income table; nobody answered what a source of income is."""
    number = pl.col("household").str.slice(1).cast(pl.Int64)
    plain = {
        "land": number * 0.5 + 10 + (pl.col("period") - 2012),
        "food": number * 7 + 5_000 + pl.col("period"),
        "consumption": number * 17 + 9_000 + 2 * pl.col("period"),
        "part": number / 100,
        "owns": (number % 2).cast(pl.Float64),
    }
    empty = {name: pl.lit(None, pl.Int64) for name in ("wage", "business", "property", "transfer")}
    income = panel.income.with_columns(
        **{**plain, **columns}, **empty, complete=pl.lit(value=False)
    )
    return replace(panel, income=income, outcomes=KINDS)


def first_has(value: float | pl.Expr, other: pl.Expr) -> pl.Expr:
    return pl.when(pl.col("household") == "h003").then(value).otherwise(other)


@pytest.mark.parametrize("outcome", [LAND, FOOD, LAND.rstrip() + '\nper = "head"\n'])
def test_any_column_passes_without_an_income(make: Make, outcome: str) -> None:
    panel = with_columns(people(make, crowd(24)))
    asked = declared(outcome)
    cells = build(panel, asked.design)
    before = [released(cells, asked)]
    assert released(cells, replace(asked, name="again"), before).name == "again"


def test_most_of_a_column_is_of_one(make: Make) -> None:
    """One household has nearly all land; and, in another panel, nearly all of its change."""
    asked = declared(LAND)
    level = with_columns(people(make, crowd(24)), land=first_has(9_000.0, pl.lit(0.25)))
    cells = build(level, asked.design)
    assert published(cells)["sum_land"][0] - 23 * 0.25 == 9_000
    refused(cells, asked, "dominance")
    late = pl.when(pl.col("period") == 2014).then(90.0).otherwise(20.0)
    steady = pl.lit(20.0) + (pl.col("period") - 2012) * 0.125
    change = with_columns(people(make, crowd(24)), land=first_has(0, steady))
    change = with_columns(
        change, land=pl.when(pl.col("household") == "h003").then(late).otherwise(steady)
    )
    refused(build(change, asked.design), asked, "dominance")


@pytest.mark.parametrize("form", ["log", "asinh", "it is"])
@pytest.mark.parametrize("column", ["land", "part"])
def test_one_change_in_every_form(make: Make, column: str, form: str) -> None:
    """One household of 24 changes, by a third: the change of a sum is its own, in every form."""
    asked = declared(
        f'[[outcome]]\nname = "o"\nsource = "{column}"\n'
        + ("" if form == "it is" else f'transform = "{form}"\n')
    )
    number = pl.col("household").str.slice(1).cast(pl.Int64)
    steady = 0.25 + number / 100
    later = pl.when(pl.col("period") > 2012).then(steady * 4 / 3).otherwise(steady)
    panel = with_columns(people(make, crowd(24)), **{column: first_has(later, steady)})
    cells = build(panel, asked.design)
    sums = published(cells).sort("period")["sum_o"]
    was = 0.28
    change = {"log": math.log(4 / 3), "it is": was / 3}.get(
        form, math.asinh(was * 4 / 3) - math.asinh(was)
    )
    assert sums[1] - sums[0] == pytest.approx(change)
    refused(cells, asked, "dominance")
    everyone = with_columns(
        people(make, crowd(24)), **{column: steady * (pl.col("period") - 2008) / 9}
    )
    assert released(build(everyone, asked.design), asked).name == "first"


def test_sizes_of_a_column_by_hand(make: Make, tmp_path: Path) -> None:
    """Land 5 and 2, then 1 and 2: two have any, 7 in all; the change is 4, of one."""
    homes = [{"household": h, "village": "v"} for h in "abc"]
    rows = [{"household": h, "period": t, "wage": None} for h in "abc" for t in (2012, 2013)]
    panel = make(homes, rows, [{"unit": "c", "first_period": 2013}])
    early = pl.when(pl.col("period") == 2012).then(5.0).otherwise(1.0)
    land = pl.when(pl.col("household") == "b").then(2.0).otherwise(early)
    panel = replace(panel, income=panel.income.with_columns(land=land), outcomes=KINDS[:1])
    design = CellsDesign(("training",), outcomes=(Outcome("land"),), stratum="", disclosure=True)
    panels.write(panel, tmp_path / "panel")
    for engine in ("polars", "duckdb"):
        found = build(tmp_path / "panel", design, engine).sizes
        assert found is not None
        found = found.filter(cohort=0)
        names = ["num_land", "abs_land", "top_land", "sq_land"]
        level = found.filter(pl.col("base").is_null(), period=2012)
        assert level.select(names).row(0) == (2, 7.0, 5.0, 29.0)
        assert found.filter(base=2012, period=2013).select(names).row(0) == (1, 4.0, 4.0, 16.0)
        # What nobody answered counts as nothing, and identifies nobody.
        assert level["abs_column_wage"].to_list() == [0]


def test_few_say_yes(make: Make) -> None:
    """Three of 24 own a house: so few are no group; nor is it told that nobody does."""
    asked = declared(OWNS)
    three = pl.when(pl.col("household") < "h003").then(1.0).otherwise(0.0)
    cells = build(with_columns(people(make, crowd(24)), owns=three), asked.design)
    assert published(cells)["sum_owns"].to_list() == [3] * 3
    refused(cells, asked, "headcount")
    nobody = build(with_columns(people(make, crowd(24)), owns=pl.lit(0.0)), asked.design)
    refused(nobody, asked, "all_or_none")
    half = build(with_columns(people(make, crowd(24))), asked.design)
    assert released(half, asked).name == "first"


def test_winsorised_beside_plain(make: Make) -> None:
    """The difference of the two sums is what one household has above the bound: one_form."""
    land = first_has(400.0, pl.lit(20.0) + (pl.col("period") - 2012))
    panel = with_columns(people(make, crowd(40)), land=land)
    drawn = '[[outcome]]\nname = "drawn"\nsource = "land"\nwinsorised = [0.0, 0.97]\n'
    both = declared(LAND + drawn)
    cells = build(panel, both.design)
    (bound,) = {o.measured.bounds[1] for o in cells.design.outcomes if o.name == "drawn"}
    row = published(cells).row(0, named=True)
    assert row["sum_land"] - row["sum_drawn"] + bound == pytest.approx(400)
    refused(cells, both, "one_form")
    alone, second = declared(drawn), declared(LAND, name="second")
    sent, release = pack.make(build(panel, alone.design), alone)
    before = [release]
    # The bound is what one household has, or lies between two: it stays inside.
    assert [o.measured.bounds for o in (*sent.design.outcomes, *release.design.outcomes)] == [
        ()
    ] * 2
    refused(build(panel, second.design), second, "one_form", before=before)


def test_a_logarithm_beside_its_source() -> None:
    """Sum and sum of logarithms tell how equal a group is; also of a part of the same total."""
    log = Outcome("log", "total", transform=Transform("log"))
    later = Outcome("later", "total", real=2015, transform=Transform("asinh"))
    plain, land = Outcome("wage"), Outcome("land")
    assert {f.column for f in broken((log, plain))} == {"one_form"}
    assert {f.column for f in broken((later,), (later, log))} == {"one_form"}
    assert not list(broken((log, land)))
    assert {f.column for f in broken((log, Outcome("each", "land", "head")))} == {"one_scale"}
    assert not list(broken((plain, replace(plain, name="real", real=2015))))


def test_columns_that_may_add_up_are_refused_by_numbers(make: Make) -> None:
    """Consumption by training, then food by loans: one home has a loan and no training.

    Nobody knows that food is part of consumption. What of both is of one home has a number of
    households that follows from both, and that is refused.
    """
    panel = with_columns(two_programmes(make, {"h020": 2014}))
    first, second = (
        declared(f'[[outcome]]\nname = "{o}"\n', name=o, programme=p, where="anywhere")
        for o, p in (("consumption", "training"), ("food", "microcredit"))
    )
    before = [released(build(panel, first.design), first)]
    joint = build(panel, replace(second.design, programmes=("training", "microcredit")))
    cells = build(panel, second.design)
    one = published(cells).filter(cohort=2014, period=2012)["n"].item()
    assert one - published(build(panel, first.design)).filter(cohort=2014)["n"][0] == 1
    refused(cells, second, "min_households", before=before, joint=joint)


def test_three_homes_between_two_divisions_by_hand() -> None:
    """Of 43 homes one release adds up 23 and 20, another 20 and 23: three are in between."""
    frame = pl.DataFrame(
        {"g0": ["a", "a", "b"], "g1": ["c", "d", "d"], "cohort": [0] * 3, "pattern": [1] * 3}
    )
    atoms = audit.Atoms(frame, [20, 3, 20], [frozenset(f"{k}{v}" for v in "xyz") for k in range(3)])

    def found(*names: str) -> tuple[bool, bool]:
        """Whether a number, and a sum, of the three follows."""
        designs = [CellsDesign(("training",), outcomes=(Outcome(name),)) for name in names]
        sources = [
            audit.Source(one, (2012,), f"g{number}", ("cohort",))
            for number, one in enumerate(designs)
        ]
        told = [f.period for f in audit.told(atoms, sources, 10, 3) if f.atoms == {1}]
        return None in told, 2012 in told

    assert found("wage", "wage") == found("land", "land") == (True, True)
    assert found("wage", "transfer") == found("land", "food") == (True, False)


def test_a_household_more_is_seen_without_any_income(make: Make) -> None:
    """Incomes are missing: the other columns tell that a release is of other households."""
    asked = declared(LAND)
    panel = with_columns(people(make, crowd(24)))
    before = [released(build(panel, asked.design), asked)]
    moved = with_columns(panel, food=first_has(1, pl.lit(5_000)).cast(pl.Int64))
    other = replace(asked, name="second", text=asked.text + "\n")
    refused(build(moved, asked.design), other, "releases", before=before)
    # The other question leaves out who did not answer it: these are other households.
    some = with_columns(panel, food=first_has(None, pl.lit(5_000)).cast(pl.Int64))  # type: ignore[arg-type]
    food = declared(FOOD, 'handling = "cross_sections"', name="third")
    refused(build(some, food.design), food, "releases", before=before)
