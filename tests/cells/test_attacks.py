"""Every disclosure rule with the attack that it prevents.

Each test first mounts the attack on the tables as they would be published, and gets the secret:
the income of one household. Then it shows that the pack is refused, and by which rule.
"""

from __future__ import annotations

import math
import tomllib
from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from analysis.cells import attacks, declaration, grouping, pack, recentred, releases
from analysis.cells.build import build
from analysis.cells.declaration import Declaration
from analysis.cells.design import CellsDesign
from analysis.cells.disclosure import RULES, SECOND
from analysis.cells.outcomes import Outcome
from analysis.cells.pack_estimates import Estimated, Point
from analysis.cells.releases import Release
from analysis.cells.result import Cells
from analysis.faults import FaultsError
from analysis.panels.panel import Panel

Make = Callable[..., Panel]
YEARS = (2012, 2013, 2014)
SECRET = 777_777
TOTAL = '[[outcome]]\nname = "total"\n'
POOR = '[[outcome]]\nname = "poor"\nheadcount = 1000\n'
GAP = '[[outcome]]\nname = "gap"\ngap = 1000\n'


def declared(
    outcomes: str = TOTAL, design: str = "", rules: str = "", **options: Any
) -> Declaration:
    text = (
        f'name = "{options.get("name", "first")}"\n[design]\n'
        f'programmes = ["{options.get("programme", "training")}"]\nstratum = ""\n{design}\n'
        f'{outcomes}\n[[estimand]]\nname = "overall"\naggregation = "event_time_overall"\n'
        f'where = "{options.get("where", "other_villages")}"\n'
        f"[disclosure]\n{rules}\n"
    )
    return declaration.parse(tomllib.loads(text), text, "estimands.toml")


def people(
    make: Make, incomes: dict[str, Any], cohorts: dict[str, int] | None = None, **more: Any
) -> Panel:
    """Return a panel: each household's income, one for all years or by year, by its name."""
    rows = []
    for h, income in incomes.items():
        by = income if isinstance(income, dict) else dict.fromkeys(YEARS, income)
        rows += [{"household": h, "period": t, "business": y} for t, y in by.items()]
    weights, villages = more.pop("weights", {}), more.pop("villages", 4)
    homes = [
        {"household": h, "village": f"v{i % villages}", "weight": weights.get(h, 1.0)}
        for i, h in enumerate(incomes)
    ]
    treated = [{"unit": h, "first_period": c} for h, c in (cohorts or {}).items()]
    treated += more.pop("treated", [])
    return make(homes, rows, treated or [{"unit": "nobody", "first_period": 2014}])


def crowd(n: int, income: Any = None, start: int = 0) -> dict[str, Any]:
    """Return households of about the same income."""
    return {
        f"h{i:03d}": 5_000 + 7 * i if income is None else income for i in range(start, start + n)
    }


def published(cells: Cells, table: str = "totals") -> pl.DataFrame:
    return pack.publishable(cells)[table]


def refused(cells: Cells, asked: Declaration, rule: str, **more: Any) -> None:
    with pytest.raises(FaultsError) as caught:
        pack.make(cells, asked, **more)
    assert rule in {fault.column for fault in caught.value.faults}, str(caught.value)
    assert f"rule {rule}: " in str(caught.value)


def released(
    cells: Cells, asked: Declaration, before: Sequence[Release] = (), **more: Any
) -> Release:
    """Return what the log keeps of a pack that passes."""
    return pack.make(cells, asked, before=before, **more)[1]


def test_min_households(make: Make) -> None:
    asked = declared()
    cells = build(people(make, {**crowd(12), "x": SECRET}, {"x": 2014}), asked.design)
    assert published(cells).filter(cohort=2014)["sum_total"].to_list() == [SECRET] * 3
    refused(cells, asked, "min_households")


def test_difference_of_two_pairs(make: Make) -> None:
    """In 2013, the pair 2012–2013 less the pair 2013–2014 is the income of who left in 2014."""
    asked = declared(design='handling = "pairs"')
    cells = build(people(make, {**crowd(12), "x": {2012: 1, 2013: SECRET}}), asked.design)
    pairs = published(cells, "pairs")
    first = pairs.filter(base=2012, period=2013)["sum_total_period"].item()
    assert first - pairs.filter(base=2013, period=2014)["sum_total_base"].item() == SECRET
    refused(cells, asked, "min_households")


def test_a_pair_and_its_period_are_not_both_published(make: Make) -> None:
    """The totals of 2012 less the pair 2012–2013 would be the income of who left."""
    cells = build(
        people(make, {**crowd(12), "x": {2012: SECRET}}),
        declared(design='handling = "pairs"').design,
    )
    both = published(cells, "pairs").filter(base=2012)["sum_total_base"].item()
    assert cells.totals.filter(period=2012)["sum_total"].sum() - both == SECRET
    assert "totals" not in pack.publishable(cells)


def test_dominance(make: Make) -> None:
    """A total of which one household makes nearly all tells its income."""
    asked = declared()
    cells = build(people(make, {**crowd(12, 5), "x": 10**9}), asked.design)
    assert published(cells)["sum_total"][0] == pytest.approx(10**9, rel=1e-6)
    refused(cells, asked, "dominance")


def test_dominance_of_a_loss_is_seen_in_absolute_values(make: Make) -> None:
    """Gains and losses cancel, so shares of the sum itself would mean nothing."""
    asked = declared()
    cells = build(people(make, {**crowd(12, 1_000), "x": -400_000}), asked.design)
    refused(cells, asked, "dominance")


def test_dominance_by_weight_alone(make: Make) -> None:
    """With a weight of 10⁶ the mean is the income of one, though the plain sum hides it."""
    asked = declared()
    incomes = {**crowd(12), "x": 5_432}
    cells = build(people(make, incomes, weights={"x": 1e6}), asked.design)
    row = published(cells).row(0, named=True)
    assert row["wsum_total"] / row["weight"] == pytest.approx(5_432, rel=1e-4)
    assert "sum_total" not in row
    refused(cells, asked, "dominance")


def test_headcount(make: Make) -> None:
    """One poor household: its gap is the line less its income."""
    asked = declared(POOR + GAP)
    cells = build(people(make, {**crowd(12), "x": 123}), asked.design)
    row = published(cells).row(0, named=True)
    assert (row["sum_poor"], 1_000 - row["sum_gap"]) == (1, 123)
    refused(cells, asked, "headcount")


def test_all_or_none(make: Make) -> None:
    """Thirteen of thirteen poor: everyone in the group is known to be poor."""
    asked = declared(POOR)
    cells = build(people(make, crowd(13, 123)), asked.design)
    row = published(cells).row(0, named=True)
    assert row["sum_poor"] == row["n"]
    refused(cells, asked, "all_or_none")
    stated = declared(POOR, rules="all_or_none = true")
    assert pack.make(cells, stated)[0].rules.all_or_none


def test_all_or_none_of_a_source(make: Make) -> None:
    """A transfer total of zero over absolute values: nobody in the group has any."""
    asked = declared('[[outcome]]\nname = "transfer"\n')
    refused(build(people(make, crowd(13)), asked.design), asked, "all_or_none")


def test_adjacent_lines(make: Make) -> None:
    """gap(z2) − gap(z1) − HC(z1)(z2 − z1) = z2 − y for the one household between the lines."""
    second = (
        '[[outcome]]\nname = "poor2"\nheadcount = 2000\n[[outcome]]\nname = "gap2"\ngap = 2000\n'
    )
    asked = declared(POOR + GAP + second)
    cells = build(people(make, {**crowd(12), **crowd(12, 400, 50), "x": 1_717}), asked.design)
    row = published(cells).row(0, named=True)
    found = 2_000 - (row["sum_gap2"] - row["sum_gap"] - row["sum_poor"] * 1_000)
    assert (row["sum_poor2"] - row["sum_poor"], found) == (1, 1_717)
    refused(cells, asked, "adjacent_lines")


def test_one_scale(make: Make) -> None:
    """Lines per person and per household cross; with one member each they differ by one secret."""
    asked = declared(POOR + '[[outcome]]\nname = "low"\nthreshold = 1001\n')
    cells = build(people(make, {**crowd(12), **crowd(12, 400, 50), "x": 1_000}), asked.design)
    row = published(cells).row(0, named=True)
    assert row["sum_low"] - row["sum_poor"] == 1  # so someone has 1,000 exactly
    refused(cells, asked, "one_scale")


def test_gap_needs_headcount(make: Make) -> None:
    """Without the headcount nobody can see that the gap is that of one household."""
    asked = declared(GAP)
    cells = build(people(make, {**crowd(12), "x": 123}), asked.design)
    assert 1_000 - published(cells)["sum_gap"][0] == 123
    refused(cells, asked, "gap_needs_headcount")


def test_presence(make: Make) -> None:
    """B[2012, 2014] is a third of the 2012 incomes of who stays, so who leaves is the rest."""
    asked = declared(design='handling = "cross_sections"\ninverse = ["all"]')
    cells = build(people(make, {**crowd(12), "x": {2012: SECRET, 2013: 5}}), asked.design)
    stays = published(cells, "inverse").filter(base=2012, period=2014)["b_total"].item() * 3
    everyone = published(cells).filter(period=2012)["sum_total"].item()
    assert everyone - stays == pytest.approx(SECRET)
    refused(cells, asked, "min_households")


def estimated(treated: int) -> Estimated:
    point = Point("overall", "total", 1.0, treated, 12, treated + 12, 9.0, float(treated), 12.0)
    return Estimated((point,), np.array([[9.0]]))


def test_villages(make: Make) -> None:
    """With one treated village and controls that hardly vary, the error is its influence."""
    asked = declared()
    cells = build(people(make, crowd(13)), asked.design)
    refused(cells, asked, "villages", estimated=estimated(2))
    assert pack.make(cells, asked, estimated(3))[0].covariance is not None


# ---------------------------------------------------------------------------- several releases


def test_a_household_that_left_is_not_got_from_two_handlings(make: Make) -> None:
    """Balanced and cross-sections of one panel differ by the income of who left."""
    panel = people(make, {**crowd(12), "x": {2012: SECRET, 2013: 5}})
    first = build(panel, declared().design)
    asked = declared(name="second", design='handling = "cross_sections"')
    cells = build(panel, asked.design)
    before, after = (published(c).filter(period=2012)["sum_total"].item() for c in (first, cells))
    assert after - before == SECRET
    refused(cells, asked, "releases", before=[released(first, declared())])


@pytest.mark.parametrize("more", [1, 12])
def test_a_panel_that_grew(make: Make, more: int) -> None:
    """Which households are new is not told by cells, so none may be released beside the old."""
    first = build(people(make, crowd(12)), declared().design)
    asked = declared(name="second")
    homes = {**crowd(11 + more), "x": SECRET // 100}
    cells = build(people(make, homes), asked.design)
    before = [released(first, declared())]
    if more == 1:
        grown = published(cells)["sum_total"][0] - published(first)["sum_total"][0]
        assert grown == SECRET // 100
    refused(cells, asked, "releases", before=before)
    assert released(first, declared(name="again"), before).name == "again"


def test_lines_in_two_releases(make: Make) -> None:
    """A second line in a second release isolates who is between the two, by weights too."""
    homes = {**crowd(12), **crowd(12, 400, 50), "x": 1_717}
    second = declared('[[outcome]]\nname = "poor2"\nheadcount = 2000\n', name="second")
    weights = {name: 1 + i / 97 for i, name in enumerate(homes)}
    for given in ({}, weights):
        panel = people(make, homes, weights=given)
        cells = build(panel, second.design)
        first = build(panel, declared(POOR).design)
        column = "wsum" if given else "sum"
        apart = published(cells)[f"{column}_poor2"][0] - published(first)[f"{column}_poor"][0]
        # Who stands between the lines is told by the weight.
        assert apart == pytest.approx(given.get("x", 1.0))
        refused(cells, second, "adjacent_lines", before=[released(first, declared(POOR))])
    third = declared('[[outcome]]\nname = "low"\nthreshold = 1001\n', name="third")
    refused(
        build(panel, third.design), third, "one_scale", before=[released(first, declared(POOR))]
    )


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


def strata(panel: Panel, moved: bool = False, names: str = "AB") -> Panel:
    """Put half of the households into one stratum; one more if `moved`."""
    number = pl.col("household").str.slice(1).cast(pl.Int32)
    first = number < (25 if moved else 24)
    stratum = pl.when(first).then(pl.lit(names[0])).otherwise(pl.lit(names[1]))
    return replace(panel, households=panel.households.with_columns(stratum=stratum))


def test_strata_under_other_names(make: Make) -> None:
    """The same labels after one household moved, or the same strata relabelled."""
    panel = people(make, crowd(48))
    text = declared().text.replace('stratum = ""', 'stratum = "stratum"')
    asked = declaration.parse(tomllib.loads(text), text, "estimands.toml")
    first, second = (build(strata(panel, moved), asked.design) for moved in (False, True))
    a, b = (
        published(c).filter(stratum="A", period=2012)["sum_total"].item() for c in (first, second)
    )
    assert b - a == 5_000 + 7 * 24
    before = [released(first, asked)]
    other = replace(asked, name="second", text=asked.text + "\n")
    refused(second, other, "releases", before=before)
    refused(build(strata(panel, True, "XY"), asked.design), other, "releases", before=before)
    # A release without strata is coarser, and of the same households: it may be made.
    assert released(first, other, before).name == "second"
    plain = declared(name="third")
    whole = build(panel, plain.design)
    refused(whole, plain, "releases", before=before)
    from analysis.cells.disclosure import Held, check

    finest, own = Held(first, first.design), Held(whole, whole.design)
    assert check(own, plain.rules, before, finest) == []


def test_an_outcome_under_another_name_and_another_unit(make: Make) -> None:
    """Names do not count; another unit weighs the same households otherwise."""
    homes = crowd(24)
    panel = people(make, homes)
    sizes = pl.when(pl.col("household") == "h003").then(4).otherwise(3).cast(pl.Int32)
    kind = panel.households.collect_schema()["size_baseline"]
    panel = replace(panel, households=panel.households.with_columns(size_baseline=sizes.cast(kind)))
    first = build(panel, declared().design)
    before = [released(first, declared())]
    asked = declared(name="second", design='unit = "person"')
    cells = build(panel, asked.design)
    weighted = published(cells)["wsum_total"][0] - 3 * published(first)["sum_total"][0]
    assert weighted == 5_000 + 7 * 3  # the income of the household of four
    refused(cells, asked, "releases", before=before)
    head = declared('[[outcome]]\nname = "each"\nsource = "total"\nper = "head"\n', name="third")
    refused(build(panel, head.design), head, "one_scale", before=before)
    renamed = declared('[[outcome]]\nname = "all_income"\nsource = "total"\n', name="fourth")
    assert released(build(panel, renamed.design), renamed, before).name == "fourth"
    moved = people(make, {**homes, "h003": 9_999})
    refused(build(moved, renamed.design), renamed, "releases", before=before)


def two_programmes(make: Make, odd: dict[str, int]) -> Panel:
    """Training for the first 12 of 36, a loan for the same and for some others."""
    incomes = {**crowd(36), "h020": SECRET // 100}
    loans = {**dict.fromkeys(crowd(12), 2014), **odd}
    more = [{"unit": h, "first_period": c, "programme": "microcredit"} for h, c in loans.items()]
    return people(make, incomes, dict.fromkeys(crowd(12), 2014), treated=more)


def test_two_programmes(make: Make) -> None:
    """Never trained less never lent to is the income of the one household that only had a loan."""
    first = declared(where="anywhere")
    second = declared(name="second", programme="microcredit", where="anywhere")

    def made(odd: dict[str, int]) -> tuple[list[Release], Cells, Cells, Cells]:
        panel = two_programmes(make, odd)
        cells = [build(panel, one.design) for one in (first, second)]
        both = replace(second.design, programmes=("training", "microcredit"))
        return [released(cells[0], first)], *cells, build(panel, both)

    before, one, other, joint = made({"h020": 2014})
    never = [published(c).filter(cohort=0)["sum_total"][0] for c in (one, other)]
    assert never[0] - never[1] == SECRET // 100
    refused(other, second, "releases", before=before)
    refused(other, second, "min_households", before=before, joint=joint)
    before, one, other, joint = made(dict.fromkeys(crowd(12, start=12), 2014))
    refused(other, second, "releases", before=before)
    assert released(other, second, before, joint=joint).name == "second"


# ------------------------------------------------------------------------------- dominance


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


# ---------------------------------------------------------------------------- the whole of a pack


def steady(n: int) -> dict[str, Any]:
    """Return households whose incomes all differ and all change."""
    return {
        f"h{i:03d}": {t: 5_000 + 7 * i + (40 + i % 5) * (t - 2012) for t in YEARS} for i in range(n)
    }


def test_what_was_tried_on_a_pack_is_said(make: Make, tmp_path: Path) -> None:
    asked, log = declared(where="anywhere"), tmp_path / "releases.jsonl"
    cells = build(people(make, steady(40), {f"h{i:03d}": 2014 for i in range(15)}), asked.design)
    pack.publish(cells, asked, None, tmp_path / "pack", log=log)
    read = pack.read(tmp_path / "pack")
    found = attacks.run(read, releases.read(log), cells)
    assert [a.rule for a in found] == list(attacks.TRIED)
    assert {a.state for a in found} == {"nothing found"}
    alone = attacks.frame(attacks.run(read))
    assert alone.filter(state="not tried")["rule"].to_list() == ["audit"]
    # A pack of other households does not follow from these cells.
    other = build(people(make, steady(41), {f"h{i:03d}": 2014 for i in range(15)}), asked.design)
    with pytest.raises(FaultsError, match="do not follow from these cells"):
        attacks.run(read, [], other)
    # Beside a release of other households the audit finds something.
    beside = [released(other, declared(name="other", where="anywhere"))]
    assert attacks.run(read, beside, cells)[-1].state == "found"


def test_every_rule_has_its_attack() -> None:
    files = Path(__file__).parent.glob("test_attacks*.py")
    text = "".join(file.read_text(encoding="utf-8") for file in files)
    assert not [rule for rule in RULES if f'"{rule}"' not in text]


def test_second_moments(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    """A sum and a sum of squares of two households are their two incomes."""
    alone = people(make, {"a": SECRET, "b": 5_000})
    design = CellsDesign(
        ("training",), outcomes=(Outcome("total"),), stratum="", moments=("change",)
    )
    cells = build(grouped_in_one_village(alone), design)
    assert cells.second is not None
    two = cells.second.filter(pl.col("base").is_null(), period=2012)
    total, squares = two.select("sum_total", "ss_total").row(0)
    half_gap = math.sqrt(2 * squares - total**2) / 2
    assert (total / 2 + half_gap, total / 2 - half_gap) == (SECRET, 5_000)

    # No file asks for second moments; cells made in Python may have them.
    asked = declared()
    asked = replace(asked, design=replace(asked.design, moments=("change",)))
    many = build(people(make, crowd(40)), asked.design)
    assert many.second is not None
    made = pack.make(many, asked)[0]
    assert not any(c.startswith(SECOND) for t in made.tables.values() for c in t.columns)
    monkeypatch.setattr(pack, "TABLES", (*pack.TABLES, "second"))
    refused(many, asked, "second_moments")


def test_recentred_influence(make: Make) -> None:
    """The sum of the influence on a quantile gives the count below it, without any threshold."""
    panel = people(make, {**crowd(39), "a": 1_234})
    frozen = recentred.reference(panel, periods=(2012,), per="household", shares=(0.02,))
    outcomes = (Outcome("total"), *recentred.outcomes(frozen, gini=False))
    cells = build(panel, CellsDesign(("training",), outcomes=outcomes, stratum=""))
    ((share, value, density),) = frozen.quantiles
    sums = cells.totals.filter(period=2012).select(pl.col("n", "sum_total_q2").sum()).row(0)
    below = sums[0] * share - (sums[1] - sums[0] * value) * density
    assert (round(below, 9), value) == (1, 1_234)

    asked = replace(declared(), design=replace(declared().design, outcomes=outcomes))
    refused(build(panel, asked.design), asked, "recentred_influence")


def grouped_in_one_village(panel: Panel) -> Panel:
    return replace(panel, households=panel.households.with_columns(village=pl.lit("v")))


def test_villages_told_apart_for_their_controls(make: Make) -> None:
    """One household is untreated where others are treated: alone, once such villages are apart."""
    secret = 6_543
    homes = {**crowd(40), "h040": secret}
    # Villages follow each other by household: v0 has every eighth, and the last one.
    treated = {name: 2013 for i, name in enumerate(homes) if i % 8 < 4 and name != "h040"}
    panel = people(make, homes, treated, villages=8)
    free = declared(where="anywhere")
    cells = build(panel, free.design)
    kept = pack.make(cells, free)[0]
    assert "village" not in kept.tables["totals"].columns
    asked = declared()
    apart = grouping.apart(cells, {"training": "never"})
    alone = published(apart).filter(cohort=0, village=grouping.SOME)
    assert alone["sum_total"].to_list() == [secret] * 3
    refused(cells, asked, "min_households")
