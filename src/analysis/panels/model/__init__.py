"""The model panel: simulated households whose true effects are known.

Nothing in it is a measurement. It answers one question: would a design have found the effect?
Read in this order: `parameters`, `settings`, `draws` (random numbers that belong to a household),
`places`, `households`, `untreated` (income without programmes), `assignment`, `effects`, `world`
(a run of villages), `observation`, `truth`, `tables`, `simulate`, `targets`.
"""

from analysis.panels.model.settings import Settings, Switches
from analysis.panels.model.simulate import (
    SimulationReport,
    read_truth,
    simulate,
    simulate_settings,
)
from analysis.panels.model.targets import targets

__all__ = [
    "Settings",
    "SimulationReport",
    "Switches",
    "read_truth",
    "simulate",
    "simulate_settings",
    "targets",
]
