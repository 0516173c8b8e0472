"""Laws of cells, on generated panels: additive, blind to order and cuts, scale-equivariant, exact.

The oracle is a loop over households with exact fractions; it shares no code with the package.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis.cells.build import build
from analysis.cells.design import CellsDesign
from analysis.cells.outcomes import Outcome, gap, headcount, standard
from analysis.cells.result import Cells
from analysis.panels.panel import Panel

Make = Callable[..., Panel]
PERIODS = (2012, 2013, 2015)
SOURCES = ("wage", "business", "property", "transfer")
FEN = st.integers(-(10**11), 10**11)
OUTCOMES = (
    *standard(),
    Outcome("head", "total", per="head"),
    Outcome("poor", transform=headcount(10**10)),
    Outcome("gap", transform=gap(10**10)),
)
World = dict[str, Any]


@st.composite
def worlds(draw: st.DrawFn) -> World:
    """Households with village, size, weight and cohort, and the rows in which they are seen."""
    homes, rows = {}, {}
    for number in range(draw(st.integers(2, 7))):
        name = f"h{number}"
        homes[name] = {
            "village": draw(st.sampled_from(["v", "w"])),
            "size_baseline": draw(st.integers(1, 6)),
            "weight": draw(st.sampled_from([1.0, 1.0, 0.5, 3.25])),
            "stratum": draw(st.sampled_from(["poor", "other"])),
            "cohort": draw(st.sampled_from([0, 2012, 2013, 2015])),
        }
        # The first household is always seen, so that no handling is left with nothing.
        seen = PERIODS if number == 0 else draw(st.sets(st.sampled_from(PERIODS)))
        for period in sorted(seen):
            values = [abs(draw(FEN)), *(draw(FEN) for _ in range(3))]
            if number and draw(st.integers(0, 9)) == 0:
                values[2] = None
            rows[name, period] = values
    homes["h0"]["cohort"] = 2013
    return {"homes": homes, "rows": rows}


def panel_of(world: World, make: Make) -> Panel:
    homes = [
        {"household": h, **{k: v for k, v in values.items() if k != "cohort"}}
        for h, values in world["homes"].items()
    ]
    rows = [
        {"household": h, "period": t, **dict(zip(SOURCES, values, strict=True))}
        for (h, t), values in world["rows"].items()
    ]
    treated = [
        {"unit": h, "first_period": values["cohort"]}
        for h, values in world["homes"].items()
        if values["cohort"]
    ]
    return make(homes, rows, treated)


def design(handling: str = "cross_sections", **options: Any) -> CellsDesign:
    return CellsDesign(("training",), outcomes=OUTCOMES, handling=handling, **options)  # type: ignore[arg-type]


def total_of(world: World) -> dict[str, dict[int, int]]:
    """Return the total of each household in each period in which all four sources are there."""
    found: dict[str, dict[int, int]] = defaultdict(dict)
    for (h, t), values in world["rows"].items():
        if None not in values:
            found[h][t] = sum(values)
    return found


def key_of(world: World, h: str) -> tuple[str, int, str]:
    home = world["homes"][h]
    return home["village"], home["cohort"], home["stratum"]


def sums(frame: pl.DataFrame) -> list[str]:
    return [c for c in frame.columns if c.startswith(("n", "weight", "sum_", "wsum_"))]


def close(left: pl.DataFrame, right: pl.DataFrame, scale: float) -> None:
    """Whole numbers are equal; floats are within 1e-12 of what their absolute values add up to."""
    assert left.columns == right.columns
    assert left.height == right.height
    for name, kind in left.schema.items():
        if kind == pl.Float64:
            apart = (left[name] - right[name]).abs().max() or 0.0
            assert apart <= 1e-12 * scale, name
        else:
            assert left[name].to_list() == right[name].to_list(), name


def size_of(world: World) -> float:
    """Return Σ w|x| over everything, an upper bound for every sum."""
    return sum(
        max(1.0, world["homes"][h]["weight"])
        * (sum(abs(v) for v in values if v is not None) + 6 * 10**10)
        for (h, _), values in world["rows"].items()
    )


@given(world=worlds())
@settings(max_examples=30)
def test_totals_and_ever_are_what_a_loop_finds(world: World, make: Make) -> None:
    cells = build(panel_of(world, make), design())
    expected: dict[tuple[str, int, str, int], list[Any]] = {}
    for h, by in total_of(world).items():
        home = world["homes"][h]
        for t, y in by.items():
            lacking = max(10**10 * home["size_baseline"] - y, 0)
            row = expected.setdefault((*key_of(world, h), t), [0, 0.0, 0, 0, 0])
            for i, v in enumerate((1, home["weight"], y, int(lacking > 0), lacking)):
                row[i] += v
    columns = ["n", "weight", "sum_total", "sum_poor", "sum_gap"]
    found = {
        row[:4]: list(row[4:])
        for row in cells.totals.select(
            "village", "cohort", "stratum", "period", *columns
        ).iter_rows()
    }
    assert found == expected
    seen: dict[tuple[str, int, str], int] = defaultdict(int)
    for h in total_of(world):
        seen[key_of(world, h)] += 1
    assert {r[:3]: r[3] for r in cells.ever.iter_rows()} == seen


@given(world=worlds())
@settings(max_examples=30)
def test_pairs_are_what_a_loop_finds(world: World, make: Make) -> None:
    cells = build(panel_of(world, make), design("pairs"))
    assert cells.pairs is not None
    expected: dict[tuple[Any, ...], list[Any]] = {}
    for base, period in cells.pairs.select("base", "period").unique().iter_rows():
        for h, by in total_of(world).items():
            if base in by and period in by:
                row = expected.setdefault((*key_of(world, h), base, period), [0, 0.0, 0, 0])
                for i, v in enumerate((1, world["homes"][h]["weight"], by[base], by[period])):
                    row[i] += v
    columns = ["n", "weight", "sum_total_base", "sum_total_period"]
    found = {
        row[:5]: list(row[5:])
        for row in cells.pairs.select(
            "village", "cohort", "stratum", "base", "period", *columns
        ).iter_rows()
    }
    assert found == expected
    wanted = {(a, b) for a, b in ((2012, 2013), (2013, 2015), (2012, 2015), (2013, 2012))}
    assert wanted >= set(cells.pairs.select("base", "period").iter_rows())
    assert (2012, 2013) in set(cells.pairs.select("base", "period").iter_rows())


@given(world=worlds(), anticipation=st.integers(0, 1))
@settings(max_examples=30)
def test_inverse_count_moments_are_what_a_loop_finds(
    world: World, anticipation: int, make: Make
) -> None:
    """Fractions throughout: A and B of the formula sheet by their definition, weighted."""
    cells = build(
        panel_of(world, make), design(inverse=("untreated", "all"), anticipation=anticipation)
    )
    assert cells.inverse is not None
    weighted = any(home["weight"] != 1 for home in world["homes"].values())
    a: dict[tuple[Any, ...], Fraction] = defaultdict(Fraction)
    b: dict[tuple[Any, ...], Fraction] = defaultdict(Fraction)
    for h, by in total_of(world).items():
        home = world["homes"][h]
        weight = Fraction(home["weight"]) if weighted else Fraction(1)
        early = [t for t in by if not home["cohort"] or t < home["cohort"] - anticipation]
        for omega, inside in (("untreated", early), ("all", list(by))):
            for s in inside:
                for t in by:
                    key = (*key_of(world, h), omega, s, t)
                    a[key] += weight / len(inside)
                    b[key] += weight * by[s] / len(inside)
    found = {
        row[:6]: row[6:]
        for row in cells.inverse.select(
            "village", "cohort", "stratum", "omega", "base", "period", "a", "b_total"
        ).iter_rows()
    }
    assert set(found) == set(a)
    for key, (x, y) in found.items():
        assert x == pytest.approx(float(a[key]), rel=1e-14)
        assert abs(y - float(b[key])) <= 1e-12 * size_of(world)


@given(world=worlds(), cut=st.sets(st.integers(0, 6)))
@settings(max_examples=20)
def test_cells_add_up_over_any_division_of_the_households(
    world: World, cut: set[int], make: Make
) -> None:
    panel = panel_of(world, make)
    part = [f"h{number}" for number in cut]
    whole, halves = build(panel, design()), []
    for side in (pl.col("household").is_in(part), ~pl.col("household").is_in(part)):
        half = replace(panel, income=panel.income.filter(side))
        periods = (
            half.income.filter("complete").select(pl.col("period").n_unique()).collect().item()
        )
        if periods >= 2:
            halves.append(build(half, design()))
        elif half.income.filter("complete").collect().height:
            return
    keys = ["village", "cohort", "stratum", "period"]
    columns = sums(whole.totals)
    frames = [
        h.totals.select(
            *keys,
            *(
                pl.col(c)
                if c in h.totals.columns
                else pl.col(c.replace("wsum", "sum")).cast(pl.Float64).alias(c)
                for c in columns
            ),
        )
        for h in halves
    ]
    added = pl.concat(frames).group_by(keys).agg(pl.col(columns).sum()).sort(keys)
    close(added, whole.totals, size_of(world))
    assert sum(h.account.rows_used for h in halves) == whole.account.rows_used


@given(world=worlds(), seed=st.integers(0, 99), handling=st.sampled_from(["balanced", "pairs"]))
@settings(max_examples=20)
def test_order_and_cuts_of_the_rows_do_not_matter(
    world: World, seed: int, handling: str, tmp_path_factory: pytest.TempPathFactory, make: Make
) -> None:
    panel = panel_of(world, make)
    folder = tmp_path_factory.mktemp("cut")
    income = panel.income.collect().sample(fraction=1.0, shuffle=True, seed=seed)
    for number, first in enumerate(range(0, income.height, 3)):
        income[first : first + 3].write_parquet(folder / f"{number}.parquet")
    mixed = replace(
        panel,
        income=pl.scan_parquet(folder / "*.parquet"),
        households=panel.households.collect().sample(fraction=1.0, shuffle=True, seed=seed).lazy(),
    )
    one, other = (build(p, design(handling, inverse=("all",))) for p in (panel, mixed))
    for table in ("totals", "ever", "pairs", "inverse"):
        left, right = getattr(one, table), getattr(other, table)
        if left is not None:
            close(left, right, size_of(world))
    assert one.account == other.account


@given(world=worlds(), factor=st.sampled_from([-7, 0, 3, 1000]))
@settings(max_examples=20)
def test_money_times_a_factor_gives_sums_times_that_factor(
    world: World, factor: int, make: Make
) -> None:
    outcomes = tuple(o for o in OUTCOMES if o.transform is None)
    asked = replace(design("pairs"), outcomes=outcomes)
    panel = panel_of(world, make)
    scaled = replace(panel, income=panel.income.with_columns(pl.col(SOURCES) * factor))
    one, other = build(panel, asked), build(scaled, asked)
    for table in ("totals", "pairs"):
        left, right = getattr(one, table), getattr(other, table)
        money = [c for c in left.columns if "sum_" in c]
        close(left.with_columns(pl.col(money) * factor), right, 1000 * size_of(world))


@given(world=worlds(), handling=st.sampled_from(["balanced", "pairs", "cross_sections"]))
@settings(max_examples=20)
def test_the_four_sources_add_up_to_the_total_exactly(
    world: World, handling: str, make: Make
) -> None:
    cells = build(panel_of(world, make), design(handling))
    alone = build(panel_of(world, make), replace(design(handling), outcomes=(Outcome("total"),)))
    added = sum((cells.totals[f"sum_{source}"] for source in SOURCES[1:]), cells.totals["sum_wage"])
    assert added.to_list() == cells.totals["sum_total"].to_list()
    assert added.to_list() == alone.totals["sum_total"].to_list()
    if cells.weighted:
        # The total is made of its sources, so that not even the last bit is lost.
        others = (cells.totals[f"wsum_{source}"] for source in SOURCES[1:])
        assert (
            sum(others, cells.totals["wsum_wage"]).to_list() == cells.totals["wsum_total"].to_list()
        )


def test_balanced_panels_have_the_closed_form_of_the_moments(clean: Path) -> None:
    """A_st = n/|Ω_g| and B_st = S_s/|Ω_g| (formula sheet, 7)."""
    cells: Cells = build(clean, CellsDesign(("training",), inverse=("untreated",)))
    assert cells.inverse is not None
    at = cells.totals.select("village", "cohort", "stratum", base="period", n="n", s="sum_total")
    both = cells.inverse.join(at, on=["village", "cohort", "stratum", "base"])
    first = cells.periods[0]
    omega = pl.when(cohort=0).then(len(cells.periods)).otherwise(pl.col("cohort") - first)
    assert both.height == cells.inverse.height
    assert both.select((pl.col("a") - pl.col("n") / omega).abs().max()).item() < 1e-12
    assert both.select((pl.col("b_total") - pl.col("s") / omega).abs().max()).item() < 1e-3  # fen
