"""Declared effects, from a panel to a pack, also as commands."""

import numpy as np
import pytest
from typer.testing import CliRunner

from analysis import cli, paths
from analysis.cells import declaration, pack, result
from analysis.cells.build import build
from analysis.did.estimators import aggregate, declared, group_time, layout
from analysis.panels.model import read_truth, simulate

EXAMPLE = paths.data() / "estimands" / "example.toml"
runner = CliRunner()


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    out = tmp_path_factory.mktemp("declared") / "panel"
    simulate(out, households=4_800, villages=120, periods=(2012, 2018), seed=3)
    return out


@pytest.fixture(scope="module")
def plan():
    return declaration.read(EXAMPLE)


@pytest.fixture(scope="module")
def cells(folder, plan):
    return build(folder, plan.design)


@pytest.fixture(scope="module")
def found(cells, plan):
    return declared.estimate(cells, plan)


def test_exactly_what_is_declared_is_estimated(found, cells):
    """The same numbers as the estimators give one by one."""
    table = layout.from_cells(cells)
    single = aggregate.aggregate(group_time.estimate(table), table, ("simple",))
    overall = found.effects.at(np.array([name == "overall" for name in found.names]))
    assert overall.points.tolist() == single.points.tolist()
    assert set(found.names) == {"event study", "overall"}


def test_the_joint_covariance_travels_and_no_village_does(found):
    carried = found.estimated()
    assert np.array_equal(carried.matrix, found.effects.covariance, equal_nan=True)
    assert len(carried.points) == len(found.names)
    assert not hasattr(carried, "influence")


def test_the_truth_lies_inside_four_standard_errors(found, folder):
    """Simulated panel: the declared overall effect on property income against its truth, in yuan."""
    truth = read_truth(folder).filter(
        programme="dividend",
        who="treated",
        effect="total",
        sample="all",
        aggregation="simple",
        outcome="property",
        per="household",
    )
    keys = [key.outcome for key in found.effects.keys]
    place = next(
        i for i, name in enumerate(found.names) if name == "overall" and keys[i] == "property"
    )
    yuan = found.effects.in_yuan()
    distance = abs(yuan.points[place] - truth["att"].item())
    assert distance < 4 * yuan.std_errors[place]


def test_a_pack_carries_the_declared_estimates(found, cells, plan, tmp_path):
    log = tmp_path / "log.jsonl"
    pack.publish(cells, plan, found.estimated(), tmp_path / "pack", log=log)
    again = pack.read(tmp_path / "pack")
    assert [p.estimate for p in again.covariance.points] == found.effects.points.tolist()


def test_the_commands_lead_from_a_panel_to_a_pack(folder, tmp_path):
    made, sent, log = tmp_path / "cells", tmp_path / "pack", folder.parent / "log.jsonl"
    plan = ["--estimands", str(EXAMPLE)]
    done = runner.invoke(cli.app, ["cells", str(folder), *plan, "--out", str(made)])
    assert done.exit_code == 0, done.output
    assert result.read(made).n_villages == 120
    done = runner.invoke(cli.app, ["effects", str(made), *plan])
    assert done.exit_code == 0, done.output
    assert "simulated panel" in done.output
    done = runner.invoke(cli.app, ["pack", str(made), *plan, "--out", str(sent), "--log", str(log)])
    assert done.exit_code == 0, done.output
    assert (sent / "pack.json").is_file()
    assert log.is_file()


def test_cells_of_another_design_are_refused(folder, tmp_path):
    """Cells of training with a file about dividends: no estimate under a wrong name."""
    made = tmp_path / "cells"
    words = ["cells", str(folder), "--programme", "training", "--out", str(made)]
    assert runner.invoke(cli.app, words).exit_code == 0
    done = runner.invoke(cli.app, ["effects", str(made), "--estimands", str(EXAMPLE)])
    assert done.exit_code == 1
    assert "the cells are not those of the estimands file" in str(done.exception)


def test_cells_of_one_programme_need_no_file(folder, tmp_path):
    made = tmp_path / "cells"
    words = ["cells", str(folder), "--programme", "training", "--out", str(made)]
    assert runner.invoke(cli.app, words).exit_code == 0
    done = runner.invoke(cli.app, ["effects", str(made), "--convention", "parity"])
    assert done.exit_code == 0, done.output
    assert "simple" in done.output
    assert runner.invoke(cli.app, ["cells", str(folder), "--out", str(made)]).exit_code == 2
    wrong = ["cells", str(folder), "--programme", "training", "--engine", "x", "--out", str(made)]
    assert runner.invoke(cli.app, wrong).exit_code == 2
