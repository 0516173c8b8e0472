"""Every disclosure rule with the attack that it prevents.

Each test first mounts the attack on the tables as they would be published, and gets the secret:
the income of one household. Then it shows that the pack is refused, and by which rule.
"""

from __future__ import annotations

import math
import tomllib
from collections.abc import Callable
from dataclasses import replace
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
from analysis.cells.outcomes import Outcome, Transform
from analysis.cells.pack import Pack
from analysis.cells.pack_estimates import Estimated, Point
from analysis.cells.pack_estimates import published as told
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
    weights = more.pop("weights", {})
    homes = [
        {"household": h, "village": f"v{i % 4}", "weight": weights.get(h, 1.0)}
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


def refused(cells: Cells, asked: Declaration, rule: str, log: Path, **more: Any) -> None:
    with pytest.raises(FaultsError) as caught:
        pack.make(cells, asked, log=log, **more)
    assert rule in {fault.column for fault in caught.value.faults}, str(caught.value)
    assert f"rule {rule}: " in str(caught.value)
    if rule in attacks.ATTACKS and "joint" not in more:
        # Had it been published all the same, the attack on the pack alone finds it, or says that
        # only the cells can tell, and with the cells it is found.
        outside = {a.rule: a.state for a in attacks.run(leaked(cells, asked, more))}
        assert outside[rule] in ("breaks", "not told"), outside
        if outside[rule] == "not told":
            assert rule in ONLY_CELLS
            told = attacks.run(
                leaked(cells, asked, more), cells=cells, villages=more.get("villages")
            )
            assert rule in {a.rule for a in told if a.state == "breaks"}


ONLY_CELLS = ("dominance", "presence", "difference", "headcount", "adjacent_lines")
"""Rules on groups that a pack alone need not show."""


def leaked(cells: Cells, asked: Declaration, more: dict[str, Any]) -> Pack:
    """Return the pack that the rules refuse."""
    if cells.design.village_groups:
        groups = grouping.by_size(
            grouping.sizes(cells, more["villages"]), cells.design.village_groups
        )
        cells = grouping.merge(cells, groups)
    cells = grouping.apart(cells, pack._told_apart(cells.design, asked))
    return Pack(
        name=asked.name,
        tier=cells.tier,
        design=cells.design,
        periods=cells.periods,
        weighted=cells.weighted,
        tables=pack.publishable(cells),
        covariance=("estimated" in more and told(more["estimated"], households=99, least=3))
        or None,
        declaration=asked.text,
        rules=asked.rules,
        account={"rows_used": cells.account.rows_used, "left_out": {}},
        meta={},
    )


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return tmp_path / "releases.jsonl"


def test_min_households(make: Make, log: Path) -> None:
    asked = declared()
    cells = build(people(make, {**crowd(12), "x": SECRET}, {"x": 2014}), asked.design)
    assert published(cells).filter(cohort=2014)["sum_total"].to_list() == [SECRET] * 3
    refused(cells, asked, "min_households", log)


def test_difference_of_two_pairs(make: Make, log: Path) -> None:
    """In 2013, the pair 2012–2013 less the pair 2013–2014 is the income of who left in 2014."""
    asked = declared(design='handling = "pairs"')
    cells = build(people(make, {**crowd(12), "x": {2012: 1, 2013: SECRET}}), asked.design)
    pairs = published(cells, "pairs")
    first = pairs.filter(base=2012, period=2013)["sum_total_period"].item()
    assert first - pairs.filter(base=2013, period=2014)["sum_total_base"].item() == SECRET
    refused(cells, asked, "difference", log)


def test_a_pair_and_its_period_are_not_both_published(make: Make) -> None:
    """The totals of 2012 less the pair 2012–2013 would be the income of who left."""
    cells = build(
        people(make, {**crowd(12), "x": {2012: SECRET}}),
        declared(design='handling = "pairs"').design,
    )
    both = published(cells, "pairs").filter(base=2012)["sum_total_base"].item()
    assert cells.totals.filter(period=2012)["sum_total"].sum() - both == SECRET
    assert "totals" not in pack.publishable(cells)


def test_dominance(make: Make, log: Path) -> None:
    """A total of which one household makes nearly all tells its income."""
    asked = declared()
    cells = build(people(make, {**crowd(12, 5), "x": 10**9}), asked.design)
    assert published(cells)["sum_total"][0] == pytest.approx(10**9, rel=1e-6)
    refused(cells, asked, "dominance", log)


def test_dominance_of_a_loss_is_seen_in_absolute_values(make: Make, log: Path) -> None:
    """Gains and losses cancel, so shares of the sum itself would mean nothing."""
    asked = declared()
    cells = build(people(make, {**crowd(12, 1_000), "x": -400_000}), asked.design)
    refused(cells, asked, "dominance", log)


def test_dominance_by_weight_alone(make: Make, log: Path) -> None:
    """With a weight of 10⁶ the mean is the income of one, though the plain sum hides it."""
    asked = declared()
    incomes = {**crowd(12), "x": 5_432}
    cells = build(people(make, incomes, weights={"x": 1e6}), asked.design)
    row = published(cells).row(0, named=True)
    assert row["wsum_total"] / row["weight"] == pytest.approx(5_432, rel=1e-4)
    assert "sum_total" not in row
    refused(cells, asked, "dominance", log)


def test_headcount(make: Make, log: Path) -> None:
    """One poor household: its gap is the line less its income."""
    asked = declared(POOR + GAP)
    cells = build(people(make, {**crowd(12), "x": 123}), asked.design)
    row = published(cells).row(0, named=True)
    assert (row["sum_poor"], 1_000 - row["sum_gap"]) == (1, 123)
    refused(cells, asked, "headcount", log)


def test_all_or_none(make: Make, log: Path) -> None:
    """Thirteen of thirteen poor: everyone in the group is known to be poor."""
    asked = declared(POOR)
    cells = build(people(make, crowd(13, 123)), asked.design)
    row = published(cells).row(0, named=True)
    assert row["sum_poor"] == row["n"]
    refused(cells, asked, "all_or_none", log)
    stated = declared(POOR, rules="all_or_none = true")
    assert pack.make(cells, stated, log=log).rules.all_or_none


def test_all_or_none_of_a_source(make: Make, log: Path) -> None:
    """A transfer total of zero over absolute values: nobody in the group has any."""
    asked = declared('[[outcome]]\nname = "transfer"\n')
    refused(build(people(make, crowd(13)), asked.design), asked, "all_or_none", log)


def test_adjacent_lines(make: Make, log: Path) -> None:
    """gap(z2) − gap(z1) − HC(z1)(z2 − z1) = z2 − y for the one household between the lines."""
    second = (
        '[[outcome]]\nname = "poor2"\nheadcount = 2000\n[[outcome]]\nname = "gap2"\ngap = 2000\n'
    )
    asked = declared(POOR + GAP + second)
    cells = build(people(make, {**crowd(12), **crowd(12, 400, 50), "x": 1_717}), asked.design)
    row = published(cells).row(0, named=True)
    found = 2_000 - (row["sum_gap2"] - row["sum_gap"] - row["sum_poor"] * 1_000)
    assert (row["sum_poor2"] - row["sum_poor"], found) == (1, 1_717)
    refused(cells, asked, "adjacent_lines", log)


def test_one_scale(make: Make, log: Path) -> None:
    """Lines per person and per household cross; with one member each they differ by one secret."""
    asked = declared(POOR + '[[outcome]]\nname = "low"\nthreshold = 1001\n')
    cells = build(people(make, {**crowd(12), **crowd(12, 400, 50), "x": 1_000}), asked.design)
    row = published(cells).row(0, named=True)
    assert row["sum_low"] - row["sum_poor"] == 1  # so someone has 1,000 exactly
    refused(cells, asked, "one_scale", log)


def test_gap_needs_headcount(make: Make, log: Path) -> None:
    """Without the headcount nobody can see that the gap is that of one household."""
    asked = declared(GAP)
    cells = build(people(make, {**crowd(12), "x": 123}), asked.design)
    assert 1_000 - published(cells)["sum_gap"][0] == 123
    refused(cells, asked, "gap_needs_headcount", log)


def test_presence(make: Make, log: Path) -> None:
    """B[2012, 2014] is a third of the 2012 incomes of who stays, so who leaves is the rest."""
    asked = declared(design='handling = "cross_sections"\ninverse = ["all"]')
    cells = build(people(make, {**crowd(12), "x": {2012: SECRET, 2013: 5}}), asked.design)
    stays = published(cells, "inverse").filter(base=2012, period=2014)["b_total"].item() * 3
    everyone = published(cells).filter(period=2012)["sum_total"].item()
    assert everyone - stays == pytest.approx(SECRET)
    refused(cells, asked, "presence", log)


def estimated(treated: int) -> Estimated:
    point = Point("overall", "total", 1.0, treated, 12, treated + 12, 9.0, float(treated), 12.0)
    return Estimated((point,), np.array([[9.0]]))


def test_villages(make: Make, log: Path) -> None:
    """With one treated village and controls that hardly vary, the error is its influence."""
    asked = declared()
    cells = build(people(make, crowd(13)), asked.design)
    refused(cells, asked, "villages", log, estimated=estimated(2))
    assert pack.make(cells, asked, estimated(3), log=log).covariance is not None


def publish(panel: Panel, asked: Declaration, folder: Path, log: Path) -> pack.Pack:
    made = pack.make(build(panel, asked.design), asked, log=log)
    pack.write(made, folder / asked.name, log=log)
    return made


def test_one_handling(make: Make, log: Path, tmp_path: Path) -> None:
    """Balanced and cross-sections of one panel differ by the income of who left."""
    panel = people(make, {**crowd(12), "x": {2012: SECRET, 2013: 5}})
    first = publish(panel, declared(), tmp_path, log)
    asked = declared(name="second", design='handling = "cross_sections"')
    cells = build(panel, asked.design)
    before, after = (
        t.filter(period=2012)["sum_total"].item()
        for t in (first.tables["totals"], published(cells))
    )
    assert after - before == SECRET
    refused(cells, asked, "one_handling", log)


def test_adjacent_releases_of_a_panel_that_grew_by_one(
    make: Make, log: Path, tmp_path: Path
) -> None:
    first = publish(people(make, crowd(12)), declared(), tmp_path, log)
    asked = declared(name="second")
    cells = build(people(make, {**crowd(12), "x": SECRET // 100}), asked.design)
    grown = published(cells)["sum_total"][0] - first.tables["totals"]["sum_total"][0]
    assert grown == SECRET // 100
    refused(cells, asked, "adjacent_releases", log)
    more = build(people(make, crowd(24)), asked.design)
    assert pack.make(more, asked, log=log).name == "second"


def test_adjacent_releases_in_which_one_household_took_the_place_of_another(
    make: Make, log: Path, tmp_path: Path
) -> None:
    """As many households, another sum: the difference of two incomes."""
    publish(people(make, crowd(12)), declared(), tmp_path, log)
    asked = declared(name="second")
    cells = build(people(make, {**crowd(11), "x": SECRET // 100}), asked.design)
    refused(cells, asked, "adjacent_releases", log)


def test_adjacent_releases_with_lines_close_together(make: Make, log: Path, tmp_path: Path) -> None:
    """A second line in a second release isolates who is between the two."""
    panel = people(make, {**crowd(12), **crowd(12, 400, 50), "x": 1_717})
    publish(panel, declared(POOR), tmp_path, log)
    asked = declared('[[outcome]]\nname = "poor2"\nheadcount = 2000\n', name="second")
    refused(build(panel, asked.design), asked, "adjacent_releases", log)
    third = declared('[[outcome]]\nname = "low"\nthreshold = 1001\n', name="third")
    refused(build(panel, third.design), third, "adjacent_releases", log)


def other_pairs() -> Declaration:
    return declared(name="second", design='handling = "pairs"\nanticipation = 1')


def test_one_handling_covers_the_pairs_that_are_compared(
    make: Make, log: Path, tmp_path: Path
) -> None:
    """Another anticipation means other pairs, whose differences were never checked together."""
    panel = people(make, crowd(26), dict.fromkeys(crowd(13), 2014))
    publish(panel, declared(design='handling = "pairs"'), tmp_path, log)
    refused(build(panel, other_pairs().design), other_pairs(), "one_handling", log)


def two_programmes(make: Make, odd: dict[str, int]) -> Panel:
    """Training for the first 12 of 36, a loan for the same and for some others."""
    incomes = {**crowd(36), "h020": SECRET // 100}
    loans = {**dict.fromkeys(crowd(12), 2014), **odd}
    more = [{"unit": h, "first_period": c, "programme": "microcredit"} for h, c in loans.items()]
    return people(make, incomes, dict.fromkeys(crowd(12), 2014), treated=more)


def test_one_division(make: Make, log: Path, tmp_path: Path) -> None:
    """Never trained less never lent to is the income of the one household that only had a loan."""
    panel = two_programmes(make, {"h020": 2014})
    first = publish(panel, declared(), tmp_path, log)
    asked = declared(name="second", programme="microcredit")
    cells = build(panel, asked.design)
    never = [t.filter(cohort=0)["sum_total"][0] for t in (first.tables["totals"], published(cells))]
    assert never[0] - never[1] == SECRET // 100
    refused(cells, asked, "one_division", log)
    joint = build(
        panel,
        CellsDesign(
            ("training", "microcredit"), outcomes=asked.design.outcomes, stratum="", disclosure=True
        ),
    )
    refused(cells, asked, "one_division", log, joint=(joint,))


def test_two_programmes_whose_joint_groups_are_large_enough(
    make: Make, log: Path, tmp_path: Path
) -> None:
    panel = two_programmes(make, dict.fromkeys(crowd(12, start=12), 2014))
    publish(panel, declared(), tmp_path, log)
    asked = declared(name="second", programme="microcredit")
    joint = build(
        panel,
        CellsDesign(
            ("training", "microcredit"), outcomes=asked.design.outcomes, stratum="", disclosure=True
        ),
    )
    refused(build(panel, asked.design), asked, "one_division", log)
    assert pack.make(build(panel, asked.design), asked, log=log, joint=(joint,)).name == "second"


def test_a_pack_that_was_made_holds_against_every_attack(
    make: Make, log: Path, tmp_path: Path
) -> None:
    asked = declared()
    cells = build(people(make, crowd(40), {f"h{i:03d}": 2014 for i in range(15)}), asked.design)
    made = pack.make(cells, asked, log=log)
    pack.write(made, tmp_path / "pack", log=log)
    read = pack.read(tmp_path / "pack")
    found = attacks.run(read, releases.read(log), cells)
    assert [a.rule for a in found] == list(RULES)
    assert {a.rule: a.state for a in found} == dict.fromkeys(RULES, "holds")
    # The pack alone leaves open what only cells and log can tell, and says so.
    alone = attacks.frame(attacks.run(read))
    untold = alone.filter(state="not told")
    assert untold["rule"].to_list() == ["dominance", *attacks.OF_RELEASES]
    assert untold["found"].str.contains("analysis attack --").all()
    # A pack of other households does not follow from these cells.
    other = build(people(make, crowd(41), {f"h{i:03d}": 2014 for i in range(15)}), asked.design)
    with pytest.raises(FaultsError, match="do not follow from these cells"):
        attacks.run(read, releases.read(log), other)
    # Beside a release of the same households but one, it can be subtracted.
    fewer = pack.make(other, asked, log=tmp_path / "none")
    pack.write(fewer, tmp_path / "other", log=log)
    states = {a.rule: a.state for a in attacks.run(read, releases.read(log))}
    assert states["adjacent_releases"] == "breaks"


def test_every_rule_has_its_attack() -> None:
    text = Path(__file__).read_text(encoding="utf-8")
    missing = [rule for rule in RULES if f'"{rule}"' not in text and f"rule {rule}" not in text]
    assert not missing


COUNTIES = pl.DataFrame({"village": ["v0", "v1", "v2", "v3"], "county": ["c", "c", "d", "d"]})


def test_min_households_and_dominance_hold_in_groups_of_villages(make: Make, log: Path) -> None:
    """A group of villages too small is a household nearly named; merged, it passes."""
    panel = people(make, crowd(48))
    small, large = (declared(design=f"village_groups = {least}") for least in (8, 20))
    cells = build(panel, small.design)
    assert cells.totals.filter(period=2012)["n"].to_list() == [12] * 4
    few = declared(design="village_groups = 8", rules="min_households = 13")
    refused(cells, few, "min_households", log, villages=COUNTIES)
    made = pack.make(build(panel, large.design), large, log=log, villages=COUNTIES)
    assert made.tables["totals"].filter(period=2012)["n"].to_list() == [24, 24]
    assert made.as_cells().totals.equals(made.tables["totals"])
    assert pack.make(cells, small, log=log, villages=COUNTIES).tables["ever"].height == 4


def test_one_division_of_villages(make: Make, log: Path, tmp_path: Path) -> None:
    """Two groupings subtract: groups of two villages less one of them is the other village."""
    panel = people(make, crowd(48))
    first, second = (declared(name=f"of {n}", design=f"village_groups = {n}") for n in (8, 20))
    made = pack.make(build(panel, first.design), first, log=log, villages=COUNTIES)
    pack.write(made, tmp_path / "first", log=log)
    assert pack.read(tmp_path / "first").tables["totals"].equals(made.tables["totals"])
    cells = build(panel, second.design)
    merged = cells.totals.filter(pl.col("village").is_in(["v0", "v1"]), period=2012)[
        "sum_total"
    ].sum()
    one = made.tables["totals"].filter(pl.col("village").str.starts_with("c 1 "), period=2012)
    other = cells.totals.filter(village="v1", period=2012)["sum_total"].item()
    assert merged - one["sum_total"].item() == other
    refused(cells, second, "one_division", log, villages=COUNTIES)
    third = declared(name="third", design="village_groups = 8")
    elsewhere = COUNTIES.with_columns(county=pl.lit("e"))
    cells = build(people(make, crowd(96)), third.design)
    refused(cells, third, "one_division", log, villages=elsewhere)
    assert pack.make(cells, third, log=log, villages=COUNTIES).name == "third"


def test_a_pack_of_groups_beside_one_without(make: Make, log: Path, tmp_path: Path) -> None:
    """The same households in both: nothing to subtract. One household more: refused."""
    publish(people(make, crowd(48)), declared(where="anywhere"), tmp_path, log)
    asked = declared(name="groups", design="village_groups = 8")
    same = build(people(make, crowd(48)), asked.design)
    assert pack.make(same, asked, log=log, villages=COUNTIES).name == "groups"
    more = build(people(make, crowd(49)), asked.design)
    refused(more, asked, "adjacent_releases", log, villages=COUNTIES)
    with pytest.raises(ValueError, match="village and county"):
        pack.make(same, asked, log=log)


def test_second_moments(make: Make, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
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
    made = pack.make(many, asked, log=tmp_path / "log")
    assert not any(c.startswith(SECOND) for t in made.tables.values() for c in t.columns)
    monkeypatch.setattr(pack, "TABLES", (*pack.TABLES, "second"))
    refused(many, asked, "second_moments", tmp_path / "log")


def test_recentred_influence(make: Make, tmp_path: Path) -> None:
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
    refused(build(panel, asked.design), asked, "recentred_influence", tmp_path / "log")


def test_winsorised(make: Make, tmp_path: Path) -> None:
    """A plain sum less a winsorised one is what the richest household has above the cut."""
    outcomes = (
        Outcome("total"),
        Outcome("total_cut", "total", transform=Transform("winsorised", shares=(0.0, 0.975))),
    )
    panel = people(make, {**crowd(39), "a": 90_000})
    asked = replace(declared(), design=replace(declared().design, outcomes=outcomes))
    cells = build(panel, asked.design)
    (*_, cut) = cells.design.outcomes[1].measured.bounds
    plain, winsorised = (
        cells.totals.filter(period=2012).select(pl.col("sum_total", "sum_total_cut").sum()).row(0)
    )
    assert plain - winsorised + cut == pytest.approx(90_000)
    refused(cells, asked, "winsorised", tmp_path / "log")


def grouped_in_one_village(panel: Panel) -> Panel:
    return replace(panel, households=panel.households.with_columns(village=pl.lit("v")))


def test_groups_of_villages_beside_villages_told_apart(
    make: Make, log: Path, tmp_path: Path
) -> None:
    """Where all groups but one are of one kind, the kinds less those groups split the last one."""
    publish(people(make, crowd(48)), declared(), tmp_path, log)
    asked = declared(name="groups", design="village_groups = 8")
    refused(
        build(people(make, crowd(48)), asked.design), asked, "one_division", log, villages=COUNTIES
    )


def test_villages_told_apart_for_their_controls(make: Make, log: Path) -> None:
    """One household is untreated where others are treated: alone, once such villages are apart."""
    secret = 6_543
    homes = {**crowd(40), "h040": secret}
    # Villages follow each other by household: v0 has every fourth, and the last one.
    treated = {name: 2013 for i, name in enumerate(homes) if i % 4 == 0 and name != "h040"}
    panel = people(make, homes, treated)
    free = declared(where="anywhere")
    cells = build(panel, free.design)
    kept = pack.make(cells, free, log=log)
    assert "village" not in kept.tables["totals"].columns
    asked = declared()
    apart = grouping.apart(cells, {"training": "never"})
    alone = published(apart).filter(cohort=0, village=grouping.SOME)
    assert alone["sum_total"].to_list() == [secret] * 3
    refused(cells, asked, "min_households", log)
