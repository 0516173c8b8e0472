"""The worked maps: every one is in order; those of public surveys run on the real files."""

from __future__ import annotations

import os
import tomllib
from pathlib import Path

import polars as pl
import pytest

from analysis import paths
from analysis.panels import panel
from analysis.panels.importing import import_survey
from analysis.panels.importing.mapfile import read_map

MAPS = sorted((paths.data() / "maps").glob("*.toml"))


def external(name: str) -> Path:
    """A file that is not in the repository, or a skip that says how to get it."""
    folder = Path(os.environ.get("ANALYSIS_EXTERNAL") or paths.data() / "external")
    if not (folder / name).is_file():
        entries = tomllib.loads((paths.data() / "external.toml").read_text(encoding="utf-8"))
        (key,) = [key for key, entry in entries.items() if entry["file"] == name]
        pytest.skip(f"{name} is not here: make data ARGS={key}, or set ANALYSIS_EXTERNAL")
    return folder / name


@pytest.mark.parametrize("path", MAPS, ids=[path.stem for path in MAPS])
def test_a_committed_map_is_in_order(path: Path) -> None:
    survey = read_map(path)
    assert survey.status == ("unverified" if "like" in path.stem else "verified")
    assert ("UNVERIFIED" in path.read_text(encoding="utf-8")) == (survey.status == "unverified")


# Counted in the files with pandas, apart from the code under test: households, villages (thana and
# village together), rows, takers of credit, takers in the first wave, food spending of all
# households in taka (per head times members).
COUNTED = (
    ("bangladesh-microcredit-panel", "hh_9198.dta", 826, 87, 1652, 565, 427, 29_146_710.40),
    ("bangladesh-microcredit-1998", "hh_98.dta", 1129, 104, 1129, 718, 718, None),
)


@pytest.mark.parametrize(
    ("name", "file", "households", "villages", "rows", "takers", "at_once", "food"),
    COUNTED,
    ids=[row[0] for row in COUNTED],
)
def test_a_worked_map_gives_what_the_file_holds(
    name: str,
    file: str,
    households: int,
    villages: int,
    rows: int,
    takers: int,
    at_once: int,
    food: float | None,
    tmp_path: Path,
) -> None:
    survey = external(file)
    report = import_survey([survey], paths.data() / "maps" / f"{name}.toml", tmp_path / "panel")
    assert (report.n_households, report.n_villages, report.n_periods) == (
        households,
        villages,
        rows,
    )
    assert report.participation == {"microcredit": takers}
    assert report.total.records_rejected == 0
    found = panel.read(tmp_path / "panel")
    assert panel.check(found) == ()
    first = found.participation.filter(first_period=found.income.collect()["period"].min())
    assert first.collect().height == at_once
    if food is not None:
        kept = pl.read_parquet(tmp_path / "panel" / "income.parquet")
        # Each row is rounded to a hundredth of a taka.
        assert kept["food_spending"].sum() / 100 == pytest.approx(food, abs=rows * 0.005)


def test_the_cfps_like_map_runs_on_files_of_its_columns(tmp_path: Path) -> None:
    # Synthetic files: what is tested is that the map hangs together, not that CFPS looks so.
    for wave, size, cid in (
        ("12", "familysize", "cid"),
        ("14", "familysize", "cid14"),
        ("16", "familysize16", "cid16"),
    ):
        pl.DataFrame(
            {
                f"fid{wave}": [1, 2],
                cid: [11, 12],
                f"fswt_natcs{wave}": [1.5, 2.5],
                "provcd": [42, 42],
                "countyid": [7, 7],
                size: [3, 4],
                "fwage_1": [12000.0, -8.0],
                "foperate_1": [-500.0, 100.0],
                "fproperty_1": [0.0, -1.0],
                "ftransfer_1": [10.0, 20.0],
            }
        ).write_csv(tmp_path / f"w{wave}.csv")
    text = (paths.data() / "maps" / "cfps-like.toml").read_text(encoding="utf-8")
    for wave in ("12", "14", "16"):
        text = text.replace(f"cfps20{wave}famecon.dta", f"w{wave}.csv")
    (tmp_path / "map.toml").write_text(text, encoding="utf-8")
    report = import_survey([tmp_path], tmp_path / "map.toml", tmp_path / "panel")
    income = pl.read_parquet(tmp_path / "panel" / "income.parquet")
    assert income.row(0) == ("1", 2011, 1_200_000, -50_000, 0, 1_000, 3, True)
    # Household 2: -8 is taken for zero wages, -1 (does not know) for no answer.
    assert income.filter(household="2").row(0) == ("2", 2011, 0, 10_000, None, 2_000, 4, False)
    assert (report.n_periods, report.n_incomplete) == (6, 3)
