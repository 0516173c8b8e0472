"""The benchmark of effects runs, on a panel too small to time: its jobs agree with another package."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest

FOLDER = Path(__file__).resolve().parents[2] / "benchmarks"


@pytest.fixture
def effects(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(str(FOLDER))
    for name in ("panels", "effects"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    spec = importlib.util.spec_from_file_location("benchmark_of_effects", FOLDER / "effects.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, spec.name, module)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("level", ["village", "household"])
@pytest.mark.filterwarnings("ignore")
def test_the_timed_jobs_find_what_diff_diff_finds(
    tmp_path: Path, effects: ModuleType, level: str
) -> None:
    folder = tmp_path / "panel"
    effects.panels.make(folder, 6_000, villages=60)
    ours = effects.ours_group_time(folder, level)
    assert ours == pytest.approx(effects.diff_diff_group_time(folder, level), rel=1e-9)
    ours = effects.ours_imputation(folder, level)
    assert ours == pytest.approx(effects.diff_diff_imputation(folder, level), rel=1e-7)


def test_a_panel_made_in_pieces_holds_every_row(
    tmp_path: Path, effects: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(effects.panels, "PIECE", 700)
    effects.panels.make(tmp_path / "panel", 6_000, villages=60)
    assert effects.bare(tmp_path / "panel", "village") == 60 * 10
    assert effects.cells(tmp_path / "panel", "village").account.rows_used == 6_000
