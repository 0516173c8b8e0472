"""A killed or failed import leaves the panel that was there, to the byte."""

from __future__ import annotations

import hashlib
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from analysis.faults import FaultsError
from analysis.panels import panel
from analysis.panels.importing import run as importing

SCRIPT = """
import os, signal, sys
from pathlib import Path
from analysis import folders
from analysis.panels import panel
from analysis.panels.importing import import_survey, run, staging
def die(*_, **__):
    os.kill(os.getpid(), signal.SIGKILL)
owner, name = {"stage": (run, "stage"), "records": (run.records, "records"),
    "take": (run._Work, "_take"), "rejected": (run._Work, "_rejected"),
    "manifest": (panel, "write_manifest"), "check": (panel, "check"),
    "swap": (folders, "_swap"), "between": (None, "")}[sys.argv[4]]
if owner is None:
    # The old panel has moved aside, the new one is not yet in its place.
    rename, out = Path.rename, Path(sys.argv[3])
    Path.rename = lambda self, to: rename(self, to) if self == out else die()
else:
    setattr(owner, name, die)
import_survey([Path(sys.argv[1])], Path(sys.argv[2]), Path(sys.argv[3]))
"""


def content(folder: Path) -> dict[str, str]:
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def test_the_panel_of_another_survey_is_only_replaced_if_told(
    small: Any, csv_of: Any, good: Any
) -> None:
    small.write(csv_of(good))
    small.write_map()
    small.run()
    before = content(small.out)
    path = small.write_map()
    path.write_text(path.read_text().replace('survey = "small"', 'survey = "other"'))
    with pytest.raises(FaultsError, match="holds 'small'"):
        small.run()
    assert content(small.out) == before
    importing.import_survey([small.folder / "survey.csv"], path, small.out, replace=True)
    assert panel.read(small.out).name == "other"


@pytest.mark.parametrize(
    "step", ["stage", "records", "take", "rejected", "manifest", "check", "swap", "between"]
)
def test_a_killed_import_leaves_the_panel_before(
    step: str, small: Any, csv_of: Any, good: Any
) -> None:
    small.write(csv_of(good))
    small.write_map()
    small.run()
    before = content(small.out)
    small.write(csv_of(good[:2]))
    survey, map_file = small.folder / "survey.csv", small.folder / "map.toml"
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, survey, map_file, small.out, step], check=False
    )
    assert done.returncode == -signal.SIGKILL
    panel.read(small.out)  # puts a panel back that had only moved aside
    assert content(small.out) == before
    # What the dead import left is cleared by the next, which goes through.
    assert small.run().n_households == 1
    assert not list(small.folder.glob(".panel.*"))


def test_a_failed_import_leaves_nothing_behind(
    small: Any, csv_of: Any, good: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    small.write(csv_of(good))
    small.write_map()

    def fail(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(importing._Work, "_rejected", fail)
    with pytest.raises(KeyboardInterrupt):
        small.run()
    assert sorted(path.name for path in small.folder.iterdir()) == ["map.toml", "survey.csv"]


def test_a_folder_that_is_no_panel_is_not_replaced(small: Any, csv_of: Any, good: Any) -> None:
    small.write(csv_of(good))
    small.write_map()
    small.out.mkdir()
    (small.out / "thesis.txt").write_text("years of work")
    with pytest.raises(FaultsError, match="exists and is not a panel; choose a new folder"):
        small.run()
    assert (small.out / "thesis.txt").read_text() == "years of work"
