"""One draw: the cells of a draw against those of the panel on disk, the truth against the panel's."""

import dataclasses

import numpy as np
import polars as pl
import pytest

from analysis.cells.build import build
from analysis.cells.design import CellsDesign
from analysis.cells.outcomes import Outcome
from analysis.did.estimators import layout
from analysis.faults import FaultsError
from analysis.panels.model import Settings, Switches, observation, parameters, read_truth, world
from analysis.panels.model.assignment import NEVER
from analysis.panels.model.simulate import simulate_settings
from analysis.validation import designs, draws

EVERY = Switches(**{field.name: True for field in dataclasses.fields(Switches)})
SMALL = Settings(600, 24, (2012, 2021), 11, "all", EVERY)
DESIGNS = {design.id: design for design in designs.load()}


@pytest.fixture(scope="module")
def simulated(tmp_path_factory):
    folder = tmp_path_factory.mktemp("draws") / "panel"
    simulate_settings(folder, SMALL)
    return folder


@pytest.fixture(scope="module")
def laid_out():
    """The same households, from memory, in nominal fen."""
    made = world.build(SMALL, parameters.load())
    run = world.run(0, SMALL.villages, made)
    seen = observation.observe(run, made)
    one = next(e for e in run.effects if e.rule.name == "training")
    cohort = np.where(one.takers.cohort == NEVER, 0, one.takers.cohort)
    values = np.stack([sum(seen.income), 0 * seen.income[0]], axis=-1).astype(float)
    homes = draws.Homes(run.homes.village, cohort, run.homes.registered)
    return draws.lay_out(homes, SMALL.years, values, seen.complete)


def test_cells_in_memory_are_those_of_the_scan(simulated, laid_out):
    """Two ways apart: households in memory, and the scan of the panel's files."""
    design = CellsDesign(
        ("training",), outcomes=(Outcome("total"),), handling="pairs", inverse=("untreated", "all")
    )
    scanned = layout.from_cells(build(simulated, design), "total")
    assert scanned.strata == laid_out.strata
    for name in ("village", "cohort", "stratum", "n", "n_ever", "periods"):
        assert np.array_equal(getattr(scanned, name), getattr(laid_out, name)), name
    assert np.array_equal(scanned.total[..., 0], laid_out.total[..., 0])
    assert set(scanned.pairs) <= set(laid_out.pairs)
    for key, leg in scanned.pairs.items():
        assert np.array_equal(leg.n, laid_out.pairs[key].n)
        assert np.array_equal(leg.total[:, 0], laid_out.pairs[key].total[:, 0])
    pairs = (
        (scanned.all_periods, laid_out.all_periods),
        (scanned.imputed.untreated, laid_out.imputed.untreated),
    )
    for theirs, mine in pairs:
        assert np.allclose(theirs.a, mine.a, rtol=1e-12, atol=1e-12)
        assert np.allclose(theirs.b[..., 0], mine.b[..., 0], rtol=1e-9, atol=1e-3)


def test_the_truth_of_a_draw_is_that_beside_the_panel(tmp_path):
    """truth.parquet holds nominal fen; a draw holds yuan at the model's prices."""
    design = DESIGNS["training_all"]
    made = draws.draw(design, 0)
    own = Settings(
        design.villages * draws.HOUSEHOLDS,
        design.villages,
        draws.PERIODS,
        draws.seed_of(draws.SEED, design.id, 0),
        "all",
        EVERY,
    )
    simulate_settings(tmp_path / "panel", own)
    truth = read_truth(tmp_path / "panel").filter(
        programme="training",
        who="treated",
        effect="total",
        sample="all",
        aggregation="group_time",
        outcome="total",
        per="household",
    )
    fen = world.build(own, parameters.load()).fen
    for row in truth.iter_rows(named=True):
        g, t = np.flatnonzero(made.truth.cohorts == row["cohort"])[0], row["period"] - 2012
        assert made.truth.n[g] == row["n_households"]
        assert made.truth.total[g, t] * fen[t] == pytest.approx(row["sum"], rel=1e-9, abs=1e-6)


def test_villages_are_given_by_lot_in_the_numbers_asked_for():
    design = DESIGNS["lot_40"]
    one, other = draws.draw(design, 0).table, draws.draw(design, 1).table
    for table in (one, other):
        of_village = pl.DataFrame({"v": table.village, "g": table.cohort}).unique()
        counted = of_village.group_by("g").len().sort("g")
        assert tuple(counted.iter_rows()) == tuple(sorted(design.arms))
    assert not np.array_equal(one.cohort, other.cohort)


def test_without_the_programme_nothing_is_added():
    """Income less the effect on who takes part is the outcome whose effect is zero."""
    made = draws.draw(DESIGNS["lot_6_6"], 0)
    moved = (made.table.total[..., 0] - made.table.total[..., 1])[made.table.cohort > 0].sum(axis=0)
    assert np.allclose(moved, made.truth.total.sum(axis=0), rtol=1e-9)
    assert (moved[:4] == 0).all() and (moved[4:] != 0).all()


def test_a_wrong_design_is_said_with_its_line(tmp_path):
    file = tmp_path / "designs.csv"
    text = (designs.paths.data() / "validation" / "designs.csv").read_text(encoding="utf-8")
    file.write_text(text.replace("6,2016:6,", "6,2016:5,", 1).replace(",dip,", ",dipp,"))
    with pytest.raises(FaultsError) as error:
        designs.load(file)
    assert [(f.row, f.column) for f in error.value.faults] == [(2, "cohorts"), (12, "switches")]
