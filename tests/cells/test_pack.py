"""A pack on disk, and what follows from it."""

from __future__ import annotations

import json
import tomllib
from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from analysis.cells import declaration, pack, releases
from analysis.cells.build import build
from analysis.cells.declaration import Declaration
from analysis.cells.pack import Pack
from analysis.cells.pack_estimates import Estimated, Point
from analysis.cells.result import Cells
from analysis.faults import FaultsError
from analysis.panels.model.simulate import simulate

TEXT = """
name = "village fund"
[design]
programmes = ["dividend"]
stratum = ""
HANDLING
[[outcome]]
name = "total"
[[outcome]]
name = "total_2015"
source = "total"
real = 2015
[[estimand]]
name = "overall"
aggregation = "event_time_overall"
[disclosure]
min_households = 5
"""


def declare(handling: str = 'handling = "balanced"') -> Declaration:
    text = TEXT.replace("HANDLING", handling)
    return declaration.parse(tomllib.loads(text), text, "estimands.toml")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("pack") / "panel"
    simulate(out, households=2_400, villages=120, periods=(2012, 2016))
    return out


@pytest.fixture(scope="module")
def cells(folder: Path) -> Cells:
    return build(folder, declare().design)


ESTIMATED = Estimated(
    (
        Point("overall", "total", 12.5, 14, 15, 29, 15.54, 8.4, 10.2),
        Point("overall", "total_2015", 13.25, 14, 15, 29, 15.5, 8.4, 10.2),
    ),
    np.array([[5.0, 1.5], [1.5, 3.5]]),
)


@pytest.fixture
def made(cells: Cells) -> Pack:
    return pack.make(cells, declare(), ESTIMATED)[0]


def test_a_pack_holds_no_village_and_adds_up_to_the_cells(made: Pack, cells: Cells) -> None:
    for frame in made.tables.values():
        assert "village" not in frame.columns
    assert made.tables["totals"]["sum_total"].sum() == cells.totals["sum_total"].sum()
    again = made.as_cells()
    assert again.totals["village"].unique().to_list() == ["all"]
    keys = ["cohort", "stratum", "period"]
    added = cells.totals.group_by(keys).agg(pl.col("n", "sum_total").sum()).sort(keys)
    assert again.totals.select(*keys, "n", "sum_total").equals(added)


@pytest.mark.parametrize("handling", ["balanced", "pairs", "cross_sections"])
def test_what_is_written_is_read_back(folder: Path, tmp_path: Path, handling: str) -> None:
    asked = declare(f'handling = "{handling}"\ninverse = ["untreated", "all"]')
    log = tmp_path / "log.jsonl"
    made = pack.publish(build(folder, asked.design), asked, ESTIMATED, tmp_path / "pack", log=log)
    again = pack.read(tmp_path / "pack")
    assert again.digest == made.digest
    for name, frame in made.tables.items():
        assert again.tables[name].schema == frame.schema
        assert again.tables[name].equals(frame)
    assert (again.design, again.rules, again.declaration) == (made.design, made.rules, asked.text)
    assert again.covariance is not None
    # √5 = 2.236…, √3.5 = 1.870…, and 1.5 / √17.5 = 0.3585….
    assert again.covariance.errors.tolist() == [2.24, 1.87]
    assert again.covariance.correlations is not None
    assert again.covariance.correlations.tolist() == [[1.0, 0.359], [0.359, 1.0]]
    assert [p.estimate for p in again.covariance.points] == [12.5, 13.25]
    assert [p.degrees for p in again.covariance.points] == [15.5, 15.5]
    totals = again.as_cells().totals
    assert (totals.height == 0) == (handling == "pairs")
    assert {"cohort", "stratum", "period", "n", "weight", "sum_total"} <= set(totals.columns)


def test_the_same_pack_may_be_made_again_and_is_logged_once(cells: Cells, tmp_path: Path) -> None:
    log = tmp_path / "log.jsonl"
    first, again = (
        pack.publish(cells, declare(), ESTIMATED, tmp_path / "pack", log=log) for _ in range(2)
    )
    assert first.digest == again.digest
    assert len(log.read_text(encoding="utf-8").splitlines()) == 1


def test_what_was_told_before_counts_in_the_rank(cells: Cells, tmp_path: Path) -> None:
    """Two estimates of 14 villages leave two of rank to a second release; none to a third."""
    log, ranks = tmp_path / "log.jsonl", []
    for name in ("first", "second", "third"):
        asked = replace(declare(), name=name, text=f"{TEXT}# {name}\n")
        made = pack.publish(cells, asked, ESTIMATED, tmp_path / name, log=log)
        assert made.covariance is not None
        ranks.append((made.covariance.rank, made.covariance.correlations is not None))
    assert ranks == [(2, True), (2, True), (0, False)]


def test_a_mistyped_log_is_an_error(cells: Cells, tmp_path: Path) -> None:
    log = tmp_path / "releases.jsonl"
    pack.publish(cells, declare(), None, tmp_path / "pack", log=log)
    for wrong in ("relases.jsonl", "nowhere/releases.jsonl"):
        with pytest.raises(FaultsError, match=r"name releases\.jsonl|there is no folder"):
            pack.publish(cells, declare(), None, tmp_path / "again", log=tmp_path / wrong)
        assert not (tmp_path / wrong).exists() and not (tmp_path / "again").exists()
    with pytest.raises(FaultsError, match="there is no such log"):
        releases.read(tmp_path / "none.jsonl")
    with pytest.raises(FaultsError, match="the log is of the panel"):
        releases.read(log, "another")
    with releases.locked(log), pytest.raises(FaultsError, match="another release is being made"):
        pack.publish(cells, declare(), None, tmp_path / "again", log=log)


def test_the_log_lies_beside_the_panel(folder: Path, cells: Cells, tmp_path: Path) -> None:
    name, place = str(cells.meta["panel"]), folder.parent
    assert releases.beside(None, folder, name) == place / releases.LOG
    assert releases.beside(place / "log.jsonl", None, name) == place / "log.jsonl"
    with pytest.raises(FaultsError, match="lies beside the panel"):
        releases.beside(tmp_path / "log.jsonl", folder, name)
    with pytest.raises(FaultsError, match="no log of releases was named"):
        releases.beside(None, None, name)
    with pytest.raises(FaultsError, match="the cells are of another panel"):
        releases.beside(None, folder, "another")
    # A mistyped folder begins no log; one that is there is read wherever it lies.
    with pytest.raises(FaultsError, match=r"no panel .* beside it to begin one"):
        releases.beside(tmp_path / "log.jsonl", None, name)
    (tmp_path / "log.jsonl").touch()
    assert releases.beside(tmp_path / "log.jsonl", None, name) == tmp_path / "log.jsonl"


def test_a_changed_table_is_found(made: Pack, tmp_path: Path) -> None:
    pack.write(made, tmp_path / "pack")
    table = tmp_path / "pack" / "totals.csv"
    table.write_text(table.read_text(encoding="utf-8").replace("1", "2"), encoding="utf-8")
    with pytest.raises(FaultsError, match="not that of its digest"):
        pack.read(tmp_path / "pack")


CHANGES = {
    "tier": "public",
    "name": "another",
    "note": "a formal guarantee",
    "weighted": True,
    "periods": [2012, 2013],
    "new": 1,
    "account": {"rows_used": 9, "left_out": {}},
    "design": ("level", "household"),
    "rules": ("set", {"min_households": 10}),
    "meta": ("panel", "x"),
    "covariance": None,
}


@pytest.mark.parametrize("key", CHANGES)
def test_a_changed_manifest_is_found(made: Pack, tmp_path: Path, key: str) -> None:
    pack.write(made, tmp_path / "pack")
    file = tmp_path / "pack" / pack.MANIFEST
    about = json.loads(file.read_text(encoding="utf-8"))
    change = CHANGES[key]
    if isinstance(change, tuple):
        about[key][change[0]] = change[1]
    else:
        assert about.get(key) != change
        about[key] = change
    file.write_text(json.dumps(about), encoding="utf-8")
    with pytest.raises(FaultsError, match="not that of its digest"):
        pack.read(tmp_path / "pack")


def test_a_changed_declaration_is_found(made: Pack, tmp_path: Path) -> None:
    pack.write(made, tmp_path / "pack")
    file = tmp_path / "pack" / "estimands.toml"
    file.write_text(file.read_text(encoding="utf-8") + "\n# more\n", encoding="utf-8")
    with pytest.raises(FaultsError, match="not that of its digest"):
        pack.read(tmp_path / "pack")


def test_a_log_that_cannot_be_read_stops_every_release(cells: Cells, tmp_path: Path) -> None:
    log = tmp_path / "log.jsonl"
    log.write_text("{}\n", encoding="utf-8")
    with pytest.raises(FaultsError, match="without it releases can be subtracted"):
        pack.publish(cells, declare(), None, tmp_path / "pack", log=log)


def test_only_what_was_declared_is_packed(cells: Cells) -> None:
    other = Estimated((Point("dynamic", "total", 1.0, 9, 9, 18, 16.0, 9.0, 9.0),), np.eye(1))
    with pytest.raises(FaultsError, match="'dynamic of total': an estimate that was not declared"):
        pack.make(cells, declare(), other)
    with pytest.raises(FaultsError, match="not those of the estimands file"):
        pack.make(cells, declare('handling = "pairs"'))


def test_cells_without_the_largest_values_are_refused(folder: Path) -> None:
    asked = declare()
    bare = build(folder, replace(asked.design, disclosure=False))
    with pytest.raises(FaultsError, match="not those of the estimands file"):
        pack.make(bare, asked)
    with pytest.raises(FaultsError, match="rule dominance: the cells do not say how large"):
        pack.make(bare, replace(asked, design=bare.design))


def test_the_caller_can_only_be_stricter(cells: Cells) -> None:
    assert pack.make(cells, declare(), min_households=2)[0].rules.min_households == 5
    with pytest.raises(FaultsError, match=r"rule min_households: .* fewer than 900 households"):
        pack.make(cells, declare(), min_households=900)


def test_small_numbers_in_the_account_are_hidden(cells: Cells) -> None:
    account = replace(
        cells.account, rows_read=cells.account.rows_used + 54, left_out={"many": 50, "few": 4}
    )
    made = pack.make(replace(cells, account=account), declare())[0]
    assert made.account["left_out"] == {"many": 50, "few": "fewer than 5"}


def test_the_manifest_says_what_the_rules_mean(made: Pack, tmp_path: Path) -> None:
    pack.write(made, tmp_path / "pack")
    about = json.loads((tmp_path / "pack" / "pack.json").read_text(encoding="utf-8"))
    assert about["rules"]["set"]["min_households"] == 5
    assert "two largest households" in about["rules"]["meaning"]["dominance"]
    assert "not a formal guarantee" in about["note"]


def test_a_pack_says_what_it_is(made: Pack) -> None:
    assert "Pack 'village fund' (balanced, tier model): rows of " in repr(made)
    assert "2 estimates; every" in repr(made)


def test_a_folder_without_a_pack_says_so(tmp_path: Path) -> None:
    with pytest.raises(FaultsError, match="`analysis pack` wrote"):
        pack.read(tmp_path)


@pytest.mark.parametrize("key", ["name", "design", "periods", "rules", "digest"])
def test_a_pack_without_an_entry_of_its_manifest_is_refused(
    made: Pack, tmp_path: Path, key: str
) -> None:
    pack.write(made, tmp_path / "pack")
    path = tmp_path / "pack" / pack.MANIFEST
    about = json.loads(path.read_text(encoding="utf-8"))
    del about[key]
    path.write_text(json.dumps(about), encoding="utf-8")
    with pytest.raises(FaultsError, match=f"missing or damaged: KeyError: '{key}'"):
        pack.read(tmp_path / "pack")


@pytest.mark.parametrize("content", [b"", b"village,period\n\xff\xfe", b'a,"b\n1'])
def test_a_damaged_table_of_a_pack_is_refused(made: Pack, tmp_path: Path, content: bytes) -> None:
    pack.write(made, tmp_path / "pack")
    (tmp_path / "pack" / "totals.csv").write_bytes(content)
    with pytest.raises(FaultsError, match=r"pack\.json"):
        pack.read(tmp_path / "pack")
