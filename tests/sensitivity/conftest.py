"""Model panels with one difficulty each: the same households and draws, one switch apart."""

import pytest

from analysis.cells.build import build
from analysis.cells.design import CellsDesign
from analysis.cells.outcomes import Outcome, standard
from analysis.did.estimators.layout import from_cells
from analysis.panels.model.settings import Settings, Switches
from analysis.panels.model.simulate import simulate_settings


@pytest.fixture(scope="session")
def world(tmp_path_factory):
    """Folder of a panel with these switches, simulated once."""
    made = {}

    def folder(*switches, households=12000, villages=300, seed=3):
        key = (switches, households, villages, seed)
        if key not in made:
            made[key] = tmp_path_factory.mktemp("world") / "panel"
            on = Switches(**dict.fromkeys(switches, True))
            simulate_settings(
                made[key],
                Settings(
                    households, villages, (2013, 2020), seed, "-".join(switches) or "clean", on
                ),
            )
        return made[key]

    return folder


@pytest.fixture(scope="session")
def cells_of(world):
    """Cells of a programme in such a panel."""

    def made(programme, *switches, outcomes=None, handling="balanced", **more):
        design = CellsDesign((programme,), outcomes=outcomes or standard(), handling=handling)
        return build(world(*switches, **more), design)

    return made


@pytest.fixture(scope="session")
def table_of(cells_of):
    """The same as arrays, total income only."""

    def made(programme, *switches, **more):
        return from_cells(cells_of(programme, *switches, outcomes=(Outcome("total"),), **more))

    return made
