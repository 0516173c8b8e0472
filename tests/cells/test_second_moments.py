"""Second moments: by hand, against a loop with exact fractions, and their laws on each engine."""

from __future__ import annotations

import random
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

from analysis import money
from analysis.cells import second_moments
from analysis.cells.build import build
from analysis.cells.design import CellsDesign, Handling
from analysis.cells.outcomes import Outcome, headcount, squared_gap, standard
from analysis.cells.result import Cells
from analysis.faults import FaultsError
from analysis.panels.panel import Panel

Make = Callable[..., Panel]
TOTAL = (Outcome("total"),)
SOURCES = ("wage", "business", "property", "transfer")
PERIODS = (2012, 2013, 2015)
KEYS = ["village", "cohort", "stratum", "base", "period"]
ALL: Any = {"moments": ("change", "dose", "lin"), "covariates": ("registered_poor", "x_land")}


def design(handling: Handling = "balanced", **options: Any) -> CellsDesign:
    return CellsDesign(("training",), handling=handling, **{"outcomes": TOTAL, **ALL, **options})


def with_land(panel: Panel, land: dict[str, float]) -> Panel:
    """Give households a covariate that is not among the columns of the contract."""
    column = pl.col("household").replace_strict(land, return_dtype=pl.Float64).alias("x_land")
    return replace(panel, households=panel.households.with_columns(column))


@pytest.fixture
def three(make: Make) -> Panel:
    """Households a and b are trained in 2013 with doses 2 and 3, c never; b is not seen in 2014.

    Totals 10, 15, 40; 100, 130; 7, 7, 9. Poor: a. Land 1, 2, 4.
    """
    panel = make(
        [{"household": h, "village": "v", "registered_poor": h == "a"} for h in "abc"],
        [
            {"household": h, "period": t, "wage": y, "business": -1, "transfer": 1}
            for h, ys in (("a", (10, 15, 40)), ("b", (100, 130)), ("c", (7, 7, 9)))
            for t, y in zip((2012, 2013, 2014), ys, strict=False)
        ],
        [
            {"unit": u, "first_period": 2013, "dose": d, "dose_unit": "days"}
            for u, d in (("a", 2.0), ("b", 3.0))
        ],
    )
    return with_land(panel, {"a": 1.0, "b": 2.0, "c": 4.0})


def view(cells: Cells, base: int | None, period: int, cohort: int = 2013) -> dict[str, Any]:
    assert cells.second is not None
    here = pl.col("base").is_null() if base is None else pl.col("base") == base
    return cells.second.filter(here, period=period, cohort=cohort).row(0, named=True)


def test_by_hand(three: Panel) -> None:
    cells = build(three, design("pairs"))
    change = view(cells, 2012, 2013)
    assert (change["n"], change["sum_total"], change["ss_total"]) == (2, 5 + 30, 25 + 900)
    assert (change["zsum_dose"], change["zz_dose_dose"]) == (5, 4 + 9)
    assert change["zs_dose_total"] == 2 * 5 + 3 * 30
    assert (change["zsum_registered_poor"], change["zsum_x_land"]) == (1, 3)
    assert change["zz_registered_poor_x_land"] == 1
    assert (change["zs_x_land_total"], change["zz_dose_x_land"]) == (1 * 5 + 2 * 30, 2 + 6)
    alone = view(cells, 2013, 2014)
    assert (alone["n"], alone["sum_total"], alone["ss_total"]) == (1, 25, 625)
    level = view(cells, None, 2012)
    assert (level["sum_total"], level["ss_total"]) == (110, 10_100)
    assert (level["zs_dose_total"], level["zs_x_land_total"]) == (2 * 10 + 3 * 100, 210)
    never = view(cells, 2012, 2014, cohort=0)
    assert (never["ss_total"], never["zsum_dose"], never["zs_dose_total"]) == (4, 0, 0)


def test_the_handling_decides_who_is_in(three: Panel) -> None:
    balanced = view(build(three, design()), 2012, 2013)
    assert (balanced["n"], balanced["ss_total"]) == (1, 25)  # b is not always seen
    sections = view(build(three, design("cross_sections")), 2012, 2013)
    assert (sections["n"], sections["ss_total"]) == (2, 925)


@pytest.mark.parametrize("handling", ["balanced", "pairs", "cross_sections"])
def test_first_moments_do_not_change(three: Panel, handling: Handling) -> None:
    """The same totals, pairs and account come out of the values side by side."""
    options: Any = {"inverse": ("untreated",), "disclosure": True, "outcomes": standard()}
    plain = build(three, CellsDesign(("training",), handling=handling, **options))
    both = build(three, design(handling, **options))
    assert both.account == plain.account
    for table in ("totals", "ever", "pairs", "inverse", "untreated", "risk"):
        left, right = getattr(plain, table), getattr(both, table)
        assert left is right is None or left.equals(right), table


def test_weights_prices_and_shares(make: Make) -> None:
    """Real changes are changes of real amounts; a poor household counts one; weights multiply."""
    outcomes = (
        Outcome("real", "total", real=2014),
        Outcome("poor", transform=headcount(50)),
        Outcome("head", "total", per="head"),
        Outcome("depth", transform=squared_gap(50)),
    )
    panel = make(
        [{"household": "a", "village": "v", "weight": 2.5, "size_baseline": 2}],
        [{"household": "a", "period": t, "wage": y} for t, y in ((2011, 90), (2014, 150))],
        [{"unit": "a", "first_period": 2014, "dose": 1.0, "dose_unit": "days"}],
    )
    asked = design(outcomes=outcomes, moments=("change",), covariates=())
    found = view(build(panel, asked), 2011, 2014, cohort=2014)
    factor = float(money.load().factor(2014, 2011))
    change = 150 - factor * 90
    assert found["ss_real"] == pytest.approx(change**2, rel=1e-12)
    assert found["wss_real"] == pytest.approx(2.5 * change**2, rel=1e-12)
    assert (found["sum_poor"], found["ss_poor"], found["wss_poor"]) == (-1, 1.0, 2.5)
    assert (found["sum_head"], found["ss_head"], found["wsum_head"]) == (30.0, 900.0, 75.0)
    # (100 − 90)/100 squared is 0.01, and its change −0.01.
    assert found["ss_depth"] == pytest.approx(1e-4, rel=1e-12)


@st.composite
def worlds(draw: st.DrawFn) -> list[dict[str, Any]]:
    """Households with dose, covariates and the totals of the periods in which they are seen."""
    homes = []
    for number in range(draw(st.integers(2, 6))):
        seen = PERIODS if number == 0 else draw(st.sets(st.sampled_from(PERIODS)))
        cohort = draw(st.sampled_from([0, 2013, 2015]))
        fen = st.integers(-(10**12), 10**12)
        homes.append(
            {
                "household": f"h{number}",
                "village": draw(st.sampled_from("vw")),
                "weight": draw(st.sampled_from([1.0, 1.0, 0.5, 3.25])),
                "cohort": cohort if number else 2013,
                "dose": draw(st.integers(0, 40)) / 8,
                "registered_poor": draw(st.booleans()),
                "x_land": draw(st.integers(-8, 8)) / 4,
                "rows": {
                    t: (abs(draw(fen)), draw(fen), draw(fen), draw(fen)) for t in sorted(seen)
                },
            }
        )
    return homes


def panel_of(world: list[dict[str, Any]], make: Make, factor: int = 1) -> Panel:
    own = ("household", "village", "weight", "registered_poor")
    rows = [
        {
            "household": h["household"],
            "period": t,
            **{s: factor * v for s, v in zip(SOURCES, values, strict=True)},
        }
        for h in world
        for t, values in h["rows"].items()
    ]
    treated = [
        {
            "unit": h["household"],
            "first_period": h["cohort"],
            "dose": h["dose"],
            "dose_unit": "days",
        }
        for h in world
        if h["cohort"]
    ]
    panel = make([{k: h[k] for k in own} for h in world], rows, treated)
    return with_land(panel, {h["household"]: h["x_land"] for h in world})


def by_loop(world: list[dict[str, Any]]) -> dict[tuple[Any, ...], dict[str, Fraction]]:
    """Return every moment of the total, household by household, with exact fractions."""
    found: dict[tuple[Any, ...], dict[str, Fraction]] = defaultdict(lambda: defaultdict(Fraction))
    weighted = any(h["weight"] != 1 for h in world)
    for h in world:
        w = Fraction(h["weight"])
        z = {
            "dose": Fraction(h["dose"]) if h["cohort"] else Fraction(0),
            "registered_poor": Fraction(h["registered_poor"]),
            "x_land": Fraction(h["x_land"]),
        }
        level = {t: Fraction(sum(values)) for t, values in h["rows"].items()}
        views = {(None, t): y for t, y in level.items()}
        views |= {(b, t): y - level[b] for b in level for t, y in level.items() if b < t}
        for (base, t), v in views.items():
            row = found[h["village"], h["cohort"], "all", base, t]
            terms = {"n": Fraction(1), "weight": w, "sum_total": v, "ss_total": v * v}
            terms |= {"wsum_total": w * v, "wss_total": w * v * v} if weighted else {}
            names = list(z)
            terms |= {f"zsum_{a}": w * z[a] for a in names}
            terms |= {f"zs_{a}_total": w * z[a] * v for a in names}
            terms |= {
                f"zz_{a}_{b}": w * z[a] * z[b] for i, a in enumerate(names) for b in names[i:]
            }
            for name, term in terms.items():
                row[name] += term
                row[f"|{name}|"] += abs(term)
    return found


@given(world=worlds())
@settings(max_examples=40)
def test_moments_are_what_a_loop_finds(world: list[dict[str, Any]], make: Make) -> None:
    """Whole squares are the exact sum rounded once; other sums are within 1e-12 of Σ|x|."""
    cells = build(panel_of(world, make), design("cross_sections"))
    assert cells.second is not None
    expected = by_loop(world)
    assert set(cells.second.select(KEYS).iter_rows()) == set(expected)
    for row in cells.second.iter_rows(named=True):
        own = expected[tuple(row[key] for key in KEYS)]
        assert row["n"] == own["n"]
        assert row["sum_total"] == own["sum_total"]
        assert row["ss_total"] == float(own["ss_total"])
        for name in (c for c in row if c.startswith(("w", "z"))):
            assert abs(row[name] - own[name]) <= 1e-12 * float(own[f"|{name}|"]), name


@given(world=worlds(), seed=st.integers(0, 99))
@settings(max_examples=20)
def test_order_of_rows_does_not_matter_and_money_scales(
    world: list[dict[str, Any]], seed: int, make: Make
) -> None:
    small = [
        {**h, "rows": {t: tuple(v // 1000 for v in values) for t, values in h["rows"].items()}}
        for h in world
    ]
    one = build(panel_of(small, make), design("pairs")).second
    mixed = small[:1] + random.Random(seed).sample(small[1:], len(small) - 1)
    assert one is not None
    other = build(panel_of(mixed, make), design("pairs")).second
    assert other is not None
    exact = [*KEYS, "n", "sum_total", "ss_total"]
    assert one.select(exact).equals(other.select(exact))
    tripled = build(panel_of(small, make, factor=3), design("pairs")).second
    assert tripled is not None
    assert (tripled["sum_total"] == 3 * one["sum_total"]).all()
    assert ((tripled["ss_total"] - 9 * one["ss_total"]).abs() <= 1e-15 * tripled["ss_total"]).all()


def test_villages_add_up(realistic: Path) -> None:
    """The moments of all households in one village are the sums of those by village."""
    from analysis.panels import panel as panels

    asked = replace(design("pairs"), covariates=("workers_baseline",))
    opened = panels.read(realistic)
    joined = replace(opened, households=opened.households.with_columns(village=pl.lit("v")))
    apart, whole = build(opened, asked).second, build(joined, asked).second
    assert apart is not None and whole is not None
    by = ["cohort", "stratum", "base", "period"]
    values = [c for c in apart.columns if c not in (*by, "village")]
    added = apart.group_by(by).agg(pl.col(values).sum()).sort(by)
    for name in values:
        assert (added[name] - whole[name]).abs().max() <= 1e-12 * whole[name].abs().max()


@pytest.mark.parametrize("handling", ["balanced", "pairs", "cross_sections"])
def test_duckdb_gives_the_same_moments(realistic: Path, handling: Handling) -> None:
    pytest.importorskip("duckdb")
    outcomes = (
        Outcome("wage"),
        Outcome("total"),
        Outcome("real", "total", real=2015),
        Outcome("head", "total", per="head"),
        Outcome("poor", transform=headcount("national")),
    )
    asked = design(handling, outcomes=outcomes, covariates=("workers_baseline",), disclosure=True)
    one, other = build(realistic, asked), build(realistic, asked, "duckdb")
    assert one.second is not None and other.second is not None
    assert one.second.schema == other.second.schema
    exact = [
        *KEYS,
        "n",
        *(f"{kind}_{o}" for kind in ("sum", "ss") for o in ("wage", "total", "poor")),
    ]
    assert one.second.select(exact).equals(other.second.select(exact))
    for name in one.second.columns:
        left, right = one.second[name], other.second[name]
        if left.dtype == pl.Float64:
            assert ((left - right).abs() <= 1e-12 * left.abs().max()).all(), name
    for table in ("totals", "risk", "ever", "pairs"):
        left, right = getattr(one, table), getattr(other, table)
        assert (left is None) == (right is None)
        if left is not None:
            whole = [name for name, kind in left.schema.items() if kind != pl.Float64]
            assert left.select(whole).equals(right.select(whole))


@pytest.mark.parametrize(
    ("make_it", "message"),
    [
        (lambda: design(moments=("cubes",), covariates=()), "second moments are change, dose, lin"),
        (lambda: design(covariates=()), "named together"),
        (lambda: design(moments=("change",)), "named together"),
        (lambda: replace(design(), programmes=("training", "dividend")), "of one programme"),
    ],
)
def test_designs_that_cannot_be_are_refused(make_it: Callable[[], object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        make_it()


def test_what_the_panel_lacks_is_named(three: Panel) -> None:
    no_dose = replace(
        three,
        participation=three.participation.with_columns(
            dose=pl.lit(None, pl.Float64), dose_unit=pl.lit(None, pl.String)
        ),
    )
    with pytest.raises(FaultsError, match="2 treated have no dose"):
        build(no_dose, design())
    for name, message in (
        ("village", "no number"),
        ("x_age", "no such column"),
        ("workers_baseline", "3 households lack it"),
    ):
        with pytest.raises(FaultsError, match=message):
            build(three, design(covariates=(name,)))


def test_designs_of_before_are_still_read() -> None:
    values = design(moments=("change",), covariates=()).as_dict()
    old = {key: value for key, value in values.items() if key not in ("moments", "covariates")}
    assert CellsDesign.from_dict(old) == design(moments=(), covariates=())
    assert second_moments.LIMB == 21
