"""The benchmark of effects runs, on a panel too small to time: its jobs agree with another package."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest

FOLDER = Path(__file__).resolve().parents[3] / "benchmarks"


def loaded(name: str, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(str(FOLDER))
    for beside in ("panels", "peers"):
        monkeypatch.delitem(sys.modules, beside, raising=False)
    spec = importlib.util.spec_from_file_location(f"benchmark_of_{name}", FOLDER / f"{name}.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, spec.name, module)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def effects(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    return loaded("effects", monkeypatch)


@pytest.mark.parametrize("level", ["village", "household"])
@pytest.mark.filterwarnings("ignore")
def test_the_timed_jobs_find_what_diff_diff_finds(
    tmp_path: Path, effects: ModuleType, level: str
) -> None:
    folder = tmp_path / "panel"
    effects.panels.make(folder, 6_000, villages=60)
    ours = effects.ours_group_time(folder, level)
    assert ours == pytest.approx(effects.peers.diff_diff_group_time(folder, level), rel=1e-9)
    ours = effects.ours_imputation(folder, level)
    assert ours == pytest.approx(effects.peers.diff_diff_imputation(folder, level), rel=1e-7)


def test_a_panel_made_in_pieces_holds_every_row(
    tmp_path: Path, effects: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(effects.panels, "PIECE", 700)
    effects.panels.make(tmp_path / "panel", 6_000, villages=60)
    assert effects.peers.bare(tmp_path / "panel", "village") == 60 * 10
    assert effects.cells(tmp_path / "panel", "village").account.rows_used == 6_000


@pytest.mark.filterwarnings("ignore")
def test_jobs_of_whole_processes_find_what_diff_diff_finds(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """From a file and a frame alike; a panel's wages are in fen, its effects in yuan.

    diff-diff keeps propensities 0.01 from 0 and 1, so doubly robust points differ a little.
    """
    speed = loaded("speed", monkeypatch)
    folder = tmp_path / "panel"
    speed.panels.make(folder, 6_000, villages=60)
    speed.write_file(folder)
    points = {
        (job.job, job.start, job.package): job.run(folder)
        for job in speed.JOBS
        if job.package in (speed.OURS, "diff-diff")
    }
    for (job, start, package), point in points.items():
        if package != speed.OURS:
            closely = 1e-4 if job == "doubly robust" else 1e-7
            assert points[job, start, speed.OURS] == pytest.approx(point, rel=closely)
    group_time = points["group-time", "frame", speed.OURS]
    assert points["group-time", "panel", speed.OURS] == pytest.approx(group_time / 100, rel=1e-12)
    assert points["group-time", "file", speed.OURS] == pytest.approx(group_time, rel=1e-12)
