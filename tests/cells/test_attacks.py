"""Every disclosure rule with the attack that it prevents.

Each test first mounts the attack on the tables as they would be published, and gets the secret:
the income of one household. Then it shows that the pack is refused, and by which rule.
"""

from __future__ import annotations

import math
import tomllib
from collections.abc import Callable, Sequence
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
