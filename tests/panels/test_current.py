"""The panel that pages are about: the one named, with the settings it was simulated with."""

import pytest

import analysis as va
from analysis.faults import FaultsError
from analysis.panels import current


def test_settings_are_those_that_the_panel_was_simulated_with(tmp_path, monkeypatch):
    folder = tmp_path / "panel"
    va.simulate(folder, households=120, villages=6, periods=(2012, 2014), seed=3)
    monkeypatch.setenv("PANEL", str(folder))
    settings = current.simulation()
    assert (settings["seed"], settings["households"], settings["villages"]) == (3, 120, 6)


def test_a_folder_that_is_no_panel_is_refused(tmp_path, monkeypatch):
    monkeypatch.setenv("PANEL", str(tmp_path))
    with pytest.raises(FaultsError, match="PANEL is not a panel"):
        current.simulation()
