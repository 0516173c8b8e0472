"""Attacks by subtracting one release from another.

As in `test_attacks`: the attack gets the secret from the tables, then the pack is refused.
"""

from __future__ import annotations

import tomllib
from dataclasses import replace

import polars as pl
import pytest
from tests.cells.test_attacks import (
    POOR,
    SECRET,
    Make,
    crowd,
    declared,
    people,
    published,
    refused,
    released,
)

from analysis.cells import declaration, pack
from analysis.cells.build import build
from analysis.cells.disclosure import Held, check
from analysis.cells.releases import Release
from analysis.cells.result import Cells
from analysis.faults import FaultsError
from analysis.panels.panel import Panel


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
        one, other = (build(panel, each.design) for each in (first, second))
        both = replace(second.design, programmes=("training", "microcredit"))
        return [released(one, first)], one, other, build(panel, both)

    before, one, other, joint = made({"h020": 2014})
    never = [published(c).filter(cohort=0)["sum_total"][0] for c in (one, other)]
    assert never[0] - never[1] == SECRET // 100
    refused(other, second, "releases", before=before)
    refused(other, second, "min_households", before=before, joint=joint)
    before, one, other, joint = made(dict.fromkeys(crowd(12, start=12), 2014))
    refused(other, second, "releases", before=before)
    before.append(released(other, second, before, joint=joint))
    assert before[-1].name == "second"
    # Cells tell two programmes apart at once: of a third no remedy is printed that does not work.
    third = declared(name="third", programme="credit", where="anywhere")
    panel = two_programmes(make, {})
    renamed = panel.participation.with_columns(pl.col("programme").str.replace("micro", ""))
    cells = build(replace(panel, participation=renamed), third.design)
    with pytest.raises(FaultsError, match="by 2 programmes at most: publish nothing more"):
        pack.make(cells, third, before=before)
