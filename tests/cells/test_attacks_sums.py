"""Attacks by adding and subtracting sums of one release, and through who makes most of a sum.

As in `test_attacks`: the attack gets the secret from the tables, then the pack is refused.
"""

from __future__ import annotations

import math
import tomllib
from collections import Counter
from dataclasses import replace
from itertools import combinations
from typing import Any

import numpy as np
import polars as pl
import pytest
from tests.cells.test_attacks import (
    GAP,
    POOR,
    SECRET,
    TOTAL,
    YEARS,
    Make,
    crowd,
    declared,
    people,
    published,
    refused,
    released,
    steady,
)

from analysis.cells import audit, declaration, pack
from analysis.cells.build import build
from analysis.cells.parameters import parameters
from analysis.faults import FaultsError
from analysis.panels.panel import Panel


def test_a_source_left_out_is_not_got_from_the_total(make: Make) -> None:
    """The transfer of one household, in one release or in two: total less three sources."""
    homes = crowd(24)
    panel = people(make, homes)
    income = panel.income.with_columns(
        transfer=pl.when(pl.col("household") == "h003").then(SECRET).otherwise(0),
        wage=pl.lit(900) + pl.col("period"),
        property=pl.lit(40) + pl.col("period"),
    )
    panel = replace(panel, income=income)
    three = "".join(f'[[outcome]]\nname = "{o}"\n' for o in ("wage", "business", "property"))
    asked = declared(TOTAL + three)
    cells = build(panel, asked.design)
    row = published(cells).row(0, named=True)
    assert row["sum_total"] - row["sum_wage"] - row["sum_business"] - row["sum_property"] == SECRET
    refused(cells, asked, "dominance")
    # In prices of a year the sources are the same unknowns: everybody has the index.
    real = replace(panel, price_year=2015)
    twins = declared(TOTAL + three.replace('"\n', '"\nreal = 2015\n'))
    refused(build(real, twins.design), twins, "dominance")
    # The total alone passes: then the three sources are refused beside it.
    alone = declared(TOTAL)
    before = [released(build(panel, alone.design), alone)]
    sources = declared(three, name="second")
    refused(build(panel, sources.design), sources, "dominance", before=before)
    assert released(build(panel, sources.design), sources).name == "second"


def test_no_remedy_of_leaving_outcomes_out_gives_the_transfer_back(make: Make) -> None:
    """Whatever is left out: no pack passes from which the one transfer follows."""
    panel = people(make, steady(24))
    income = panel.income.with_columns(
        transfer=pl.when(pl.col("household") == "h003")
        .then(SECRET * pl.col("period"))
        .otherwise(0),
        wage=900 + pl.col("business") % 97 * (pl.col("period") - 2010),
        property=40 + pl.col("business") % 89 * (pl.col("period") - 2009),
    )
    panel, passed = replace(panel, income=income), []
    names = ("wage", "business", "property", "transfer", "total")
    for chosen in (c for k in range(1, 6) for c in combinations(names, k)):
        asked = declared("".join(f'[[outcome]]\nname = "{o}"\n' for o in chosen))
        try:
            pack.make(build(panel, asked.design), asked)
        except FaultsError:
            continue
        passed.append(chosen)
        known = np.array([[1.0 if n in ("total", s) else 0.0 for s in names[:4]] for n in chosen])
        alone = np.array([[0.0, 0.0, 0.0, 1.0]])
        rank = np.linalg.matrix_rank
        assert rank(np.concatenate([known, alone])) > rank(known), chosen
    assert ("wage", "business", "property") in passed
    assert ("wage", "business", "property", "total") not in passed


def rotating(make: Make, more: dict[str, tuple[int, ...]] | None = None) -> Panel:
    """Who is seen in 2013 (all), 2012, 2014, 2015, 2016; only x has its pattern."""
    patterns = {
        "x": (2012, 2014),
        "c": (2012, 2016),
        "a": (2012, 2015),
        "b": (2014, 2015),
        "d": (2014, 2016),
        **(more or {}),
    }
    homes: dict[str, Any] = {}
    for name, years in patterns.items():
        for i in range(1 if name == "x" else 24):
            income = SECRET if name == "x" else 5_000 + 7 * i
            homes[f"{name}{i:02d}"] = dict.fromkeys((2013, *years), income)
    full = {f"z{i:02d}": dict.fromkeys(range(2012, 2017), 5_000 + 11 * i) for i in range(24)}
    return people(make, {**homes, **full}, {f"z{i:02d}": 2014 for i in range(12)})


def test_a_rotating_panel_by_three_subtractions(make: Make) -> None:
    """In 2013, with base 2013: S12 + S14 − S15 − S16 is twice the income of one household."""
    asked = declared(design='handling = "pairs"', where="anywhere")
    cells = build(rotating(make), asked.design)
    pairs = published(cells, "pairs").filter(cohort=0)

    def at_2013(other: int) -> int:
        side = pairs.filter(base=2013, period=other)["sum_total_base"]
        return int(side.item())

    found = at_2013(2012) + at_2013(2014) - at_2013(2015) - at_2013(2016)
    assert found == 2 * SECRET
    refused(cells, asked, "min_households")


def test_no_remedy_of_fewer_periods_gives_the_one_household_back(make: Make) -> None:
    """Whatever span of periods is left: in no pack that passes does a sum of few follow."""
    panel, passed = rotating(make), []
    seen = panel.income.group_by("household").agg("period").collect()
    for first, last in combinations(range(2012, 2017), 2):
        span = f'handling = "pairs"\nperiods = [{first}, {last}]'
        asked = declared(design=span, where="anywhere")
        cells = build(panel, asked.design)
        try:
            pack.make(cells, asked)
        except FaultsError:
            continue
        passed.append((first, last))
        of = Counter(
            frozenset(t for t in years if first <= t <= last)
            for name, years in seen.iter_rows()
            if name < "z" or name >= "z12"
        )
        names = [(there, t) for there in of for t in sorted(there)]
        shown = published(cells, "pairs").filter(cohort=0).select("base", "period").rows()
        rows = [
            [float(t == at and {base, period} <= there) for there, t in names]
            for base, period in shown
            for at in (base, period)
        ]
        for place, (there, _) in enumerate(names):
            alone = np.eye(len(names))[[place]]
            follows = np.linalg.matrix_rank([*rows, *alone]) == np.linalg.matrix_rank(rows)
            assert not (follows and of[there] < 10), (first, last)
    assert passed and (2012, 2016) not in passed


def test_the_number_of_rows_used_is_a_published_sum_too(make: Make) -> None:
    """Twice all pairs less the rows used is the number seen in all three years: one."""
    homes = {
        f"{name}{i:02d}": dict.fromkeys(years, 5_000 + 7 * i)
        for name, years in {"a": (2012, 2013), "b": (2013, 2014), "c": (2012, 2014)}.items()
        for i in range(24)
    }
    homes["x00"] = dict.fromkeys(YEARS, 5_003)
    asked = declared(design='handling = "pairs"', where="anywhere")
    panel = people(make, homes, {f"{name}{i:02d}": 2014 for name in "abc" for i in range(12)})
    cells = build(panel, asked.design)
    pairs = published(cells, "pairs")
    both = pairs.filter(pl.col("base") < pl.col("period"))
    assert 2 * both["n"].sum() - cells.account.rows_used == 1
    refused(cells, asked, "min_households")


def test_a_system_too_large_to_be_solved_is_refused(
    make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = declared()
    cells = build(people(make, crowd(24)), asked.design)
    assert released(cells, asked).name == "first"
    monkeypatch.setattr(audit, "parameters", lambda: replace(parameters(), largest_system=1))
    refused(cells, asked, "min_households")
    with pytest.raises(FaultsError, match="2 sums and unknowns is too large to be audited"):
        pack.make(cells, asked)


def test_a_cohort_of_one_village(make: Make) -> None:
    """Only `simple` is declared, but totals are by cohort: the cohort is a village."""
    homes = crowd(64)
    treated = {h: 2013 for i, h in enumerate(homes) if i % 4 == 0}
    panel = people(make, homes, treated)
    asked = declared(where="anywhere")
    text = asked.text.replace("event_time_overall", "simple")
    asked = declaration.parse(tomllib.loads(text), text, "estimands.toml")
    cells = build(panel, asked.design)
    of_v0 = cells.totals.filter(village="v0", period=2012)["sum_total"].sum()
    assert published(cells).filter(cohort=2013, period=2012)["sum_total"].item() == of_v0
    refused(cells, asked, "min_households")


def test_contributors_are_counted(make: Make) -> None:
    """Eleven households have a gap that nobody dominates, nine have: the sum is of too few."""
    for n, passes in ((11, True), (9, False)):
        panel = people(make, crowd(30))
        number = pl.col("household").str.slice(1).cast(pl.Int32)
        transfer = pl.when(number < n).then(1_000 + number + pl.col("period")).otherwise(0)
        panel = replace(panel, income=panel.income.with_columns(transfer=transfer))
        asked = declared('[[outcome]]\nname = "transfer"\n')
        cells = build(panel, asked.design)
        if passes:
            assert released(cells, asked).name == "first"
        else:
            refused(cells, asked, "dominance")


def test_dominance_of_a_change(make: Make) -> None:
    """Levels pass; all of the change from 2012 to 2013 is one household's."""
    incomes = {**crowd(20), "x": {2012: 5_000, 2013: 5_000 + SECRET, 2014: 5_000}}
    text = declared().text.replace('stratum = ""', 'stratum = ""\nperiods = [2012, 2013]')
    asked = declaration.parse(tomllib.loads(text), text, "estimands.toml")
    small = {**incomes, "x": {2012: 5_000, 2013: 5_050, 2014: 5_000}}
    cells = build(people(make, small), asked.design)
    sums = published(cells)["sum_total"]
    assert sums[1] - sums[0] == 50
    refused(cells, asked, "dominance")


def test_the_second_largest_may_not_know_the_largest(make: Make) -> None:
    """Two households of 11 make 81 %: under the share of two, but 19 % is within reach of one."""
    asked = declared(rules="within = 0.25")
    incomes = {**crowd(11, 3_000), "a": 70_000, "b": 69_000}
    shaken = {h: dict(zip(YEARS, (y, 2 * y, 3 * y), strict=True)) for h, y in incomes.items()}
    cells = build(people(make, shaken), asked.design)
    total = published(cells)["sum_total"][0]
    assert total - 70_000 - 69_000 > 0.25 * 70_000
    assert released(cells, asked).name == "first"
    less = {
        **shaken,
        **{h: dict(zip(YEARS, (1_000, 2_000, 3_000), strict=True)) for h in crowd(11)},
    }
    refused(build(people(make, less), asked.design), asked, "dominance")


def test_dominance_of_a_squared_gap(make: Make) -> None:
    """Ten poor just under the line and one with nothing: the squared gap is nearly that one's."""
    squared = '[[outcome]]\nname = "deep"\nsquared_gap = 1000\n'
    asked = declared(POOR + squared)
    poor = {f"p{i}": 985 - i for i in range(10)}
    cells = build(people(make, {**crowd(12), **poor, "x": 0}), asked.design)
    row = published(cells).row(0, named=True)
    assert 1 - math.sqrt(row["sum_deep"]) < 0.01  # so its income is below 1 % of the line
    refused(cells, asked, "dominance")


def test_the_poor_and_the_others_follow_from_a_gap(make: Make) -> None:
    """line × headcount − gap is what the poor have, and the total less that what the others have."""
    poor_gap = POOR + GAP
    homes = {**crowd(12), **crowd(10, 0, 50), "x": 900}
    asked = declared(poor_gap)
    cells = build(people(make, homes), asked.design)
    row = published(cells).row(0, named=True)
    assert 1_000 * row["sum_poor"] - row["sum_gap"] == 900
    refused(cells, asked, "dominance")
    # Ten poor have some too: then nobody's income is told.
    spread = {**homes, **{f"h{i:03d}": 880 - i for i in range(50, 60)}}
    assert released(build(people(make, spread), asked.design), asked).name == "first"

    rich = {**crowd(20, 990), **crowd(10, 2_000, 50), "x": 150_000}
    panel, both = people(make, rich), declared(TOTAL + poor_gap)
    cells = build(panel, both.design)
    row = published(cells).row(0, named=True)
    above = row["sum_total"] - (1_000 * row["sum_poor"] - row["sum_gap"])
    assert 150_000 / above > 0.85 > 150_000 / row["sum_total"]
    refused(cells, both, "dominance")
    counted, plain = declared(TOTAL + POOR), declared(TOTAL, name="second")
    assert released(build(panel, counted.design), counted).name == "first"
    before = [released(build(panel, asked.design), asked)]
    refused(build(panel, plain.design), plain, "dominance", before=before)


def test_bounds_by_linear_programming(make: Make) -> None:
    """With one pattern more, S12 + S14 − S15 − S16 is not only x, but wages are not below zero."""
    panel = rotating(make, more={"e": (2014,)})
    wage = pl.when(pl.col("household") == "x00").then(100_000).otherwise(1)
    panel = replace(panel, income=panel.income.with_columns(wage=wage))
    asked = declared('[[outcome]]\nname = "wage"\n', 'handling = "pairs"', where="anywhere")
    cells = build(panel, asked.design)
    pairs = published(cells, "pairs").filter(cohort=0, base=2013)
    sums = dict(pairs.select("period", "sum_wage_base").iter_rows())
    # x and the few wages of c and a make S12; those of c are in S16, those of a in S15.
    assert 100_000 * 0.99 < sums[2012] - sums[2015] - sums[2016] <= 100_000
    assert 100_000 <= sums[2012] < 100_000 * 1.01
    refused(cells, asked, "bounds")
