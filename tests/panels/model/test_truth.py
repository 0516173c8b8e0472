"""The truth against its meaning: each programme taken away, everything else as it was.

The expected values come from simulating the panel again without the programme, not from the
effects that the model adds up.
"""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import polars as pl
import pytest

from analysis import money
from analysis.faults import FaultsError
from analysis.panels.model import observation, parameters, world
from analysis.panels.model.assignment import NEVER
from analysis.panels.model.settings import VARIANTS, Settings, of_variant
from analysis.panels.model.truth import LINES, Truth, told
from analysis.panels.schemas import SOURCES

# The dip is part of the income that would have come anyway, but its households are named by the
# programme: without the programme the second simulation would not know who dips.
SWITCHES = {
    "clean": VARIANTS["clean"],
    "realistic": replace(VARIANTS["realistic"], dip=False),
}


@pytest.fixture(scope="module", params=list(SWITCHES))
def shared(request: pytest.FixtureRequest) -> world.World:
    asked = Settings(1500, 30, (2012, 2021), 11, request.param, SWITCHES[request.param])
    return world.build(asked, parameters.load())


@pytest.fixture(scope="module")
def run(shared: world.World) -> world.Run:
    return world.run(0, 30, shared)


@pytest.fixture(scope="module")
def table(shared: world.World, run: world.Run) -> pl.DataFrame:
    truth = Truth(shared)
    truth.add(run, observation.observe(run, shared))
    return truth.table()


def without(shared: world.World, number: int) -> world.Run:
    offers = list(shared.offers)
    offers[number] = replace(
        offers[number], first_year=np.full_like(offers[number].first_year, NEVER)
    )
    return world.run(0, 30, replace(shared, offers=tuple(offers)))


def groups(
    shared: world.World, run: world.Run
) -> Iterator[tuple[int, str, str, np.ndarray, np.ndarray]]:
    """Yield programme, who, and the rows and cohort of each group, found household by household."""
    for number, one in enumerate(run.effects):
        cohort = one.takers.cohort
        yield number, one.rule.name, "treated", np.flatnonzero(cohort != NEVER), cohort
        first = np.array([cohort[run.homes.village == v].min() for v in run.homes.village])
        others = np.flatnonzero((cohort == NEVER) & (first != NEVER))
        if one.spillover:
            yield number, one.rule.name, "untreated", others, first


def test_the_total_effect_is_what_goes_with_the_programme(
    shared: world.World, run: world.Run, table: pl.DataFrame
) -> None:
    seen = observation.observe(run, shared).complete
    checked = 0
    for number, name, who, rows, cohort in groups(shared, run):
        gone = without(shared, number)
        for sample, mask in (("all", np.ones_like(seen)), ("observed", seen)):
            found = table.filter(
                programme=name,
                who=who,
                effect="total",
                sample=sample,
                aggregation="group_time",
                per="household",
            )
            for s, source in enumerate((*SOURCES, "total")):
                change = (
                    run.total() - gone.total()
                    if source == "total"
                    else run.income[s] - gone.income[s]
                )
                for g, t, total, n in (
                    found.filter(outcome=source)
                    .select("cohort", "period", "sum", "n_households")
                    .iter_rows()
                ):
                    here = rows[cohort[rows] == g]
                    column = t - 2012
                    kept = mask[here, column]
                    assert total == change[here, column][kept].sum(), (name, who, source, g, t)
                    assert n == kept.sum()
                    checked += 1
    assert checked > 1000


def test_nobody_else_is_touched_by_a_programme(shared: world.World, run: world.Run) -> None:
    for number, one in enumerate(run.effects):
        changed = (run.total() - without(shared, number).total()).any(axis=1)
        inside = {int(v) for v in run.homes.village[one.rows]}
        assert {int(v) for v in run.homes.village[changed]} <= inside
        if not one.spillover:
            assert set(np.flatnonzero(changed)) <= set(one.rows)


def test_poverty_is_counted_household_by_household(
    shared: world.World, run: world.Run, table: pl.DataFrame
) -> None:
    number = next(r.number for r in shared.parameters.rules if r.name == "training")
    gone, size = without(shared, number), run.homes.size
    cohort = run.effects[number].takers.cohort
    found = table.filter(
        programme="training", who="treated", effect="total", sample="all", aggregation="group_time"
    )
    for line in LINES:
        for g, t, n, persons in (
            found.filter(outcome="total")
            .select("cohort", "period", "n_households", "n_persons")
            .iter_rows()
        ):
            fen = money.load().line_fen(line, t)
            rows = np.flatnonzero(cohort == g)
            poor = lacking = members = 0
            for i in rows:
                a, b = int(run.total()[i, t - 2012]), int(gone.total()[i, t - 2012])
                need = fen * int(size[i])
                poor += (a < need) - (b < need)
                members += ((a < need) - (b < need)) * int(size[i])
                lacking += max(need - a, 0) - max(need - b, 0)
            here = found.filter(cohort=g, period=t)
            values = {
                (row["outcome"], row["per"]): (row["sum"], row["att"])
                for row in here.iter_rows(named=True)
            }
            assert values[f"poor_{line}", "household"] == (poor, pytest.approx(poor / n, abs=1e-15))
            assert values[f"poor_{line}", "person"] == (
                members,
                pytest.approx(members / persons, abs=1e-15),
            )
            assert values[f"gap_{line}", "person"] == (
                lacking,
                pytest.approx(lacking / persons / 100, abs=1e-12),
            )


def test_sources_add_up_and_direct_and_spillover_too(table: pl.DataFrame) -> None:
    cells = table.filter(aggregation="group_time", per="household")
    keys = ("programme", "who", "effect", "sample", "cohort", "period")
    wide = cells.pivot("outcome", index=keys, values="sum")
    assert (
        wide["wage"] + wide["business"] + wide["property"] + wide["transfer"] == wide["total"]
    ).all()
    kinds = cells.filter(who="treated").pivot(
        "effect", index=("programme", "sample", "cohort", "period", "outcome"), values="sum"
    )
    assert (kinds["direct"] + kinds["spillover"] == kinds["total"]).all()


def test_a_clean_panel_has_no_spillover_and_no_anticipation() -> None:
    shared = world.build(Settings(400, 10, (2012, 2021), 1), parameters.load())
    run = world.run(0, 10, shared)
    truth = Truth(shared)
    truth.add(run, observation.observe(run, shared))
    table = truth.table()
    assert table["who"].unique().to_list() == ["treated"]
    assert (table.filter(effect="spillover", aggregation="group_time")["sum"] == 0).all()
    before = table.filter(pl.col("period") < pl.col("cohort"))
    assert before.height > 0 and (before["sum"] == 0).all()
    keys = ("programme", "effect", "aggregation", "at", "cohort", "period", "outcome", "per")
    both = [table.filter(sample=sample).sort(keys)["att"] for sample in ("all", "observed")]
    assert both[0].equals(both[1])


def test_what_is_told_is_one_row_for_each_estimate_and_adds_up_over_sources(
    table: pl.DataFrame,
) -> None:
    rows = told(table, "cooperative")
    assert rows.select("outcome", "estimand").is_unique().all()
    assert {"simple", "event_time_overall", "event_time(0)"} <= set(rows["estimand"])
    wide = rows.pivot("outcome", index="estimand", values="att")
    summed = wide.select(pl.sum_horizontal(SOURCES)).to_series()
    assert summed.to_list() == pytest.approx(wide["total"].to_list(), abs=1e-9)
    assert told(table, "no such programme").is_empty()


def test_one_difficulty_alone_is_a_variant() -> None:
    asked = of_variant("spillover", 600, 12, (2012, 2021), 1)
    assert [name for name, on in asked.switches.as_dict().items() if on] == ["spillover"]
    with pytest.raises(FaultsError, match="spillover, bundling"):
        of_variant("nonsense", 600, 12, (2012, 2021), 1)
