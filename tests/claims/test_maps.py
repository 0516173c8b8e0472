"""Where figures are from and where money would go: counted again by hand, and faults named."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from analysis import paths, programmes
from analysis.claims import implied, ledger, maps
from analysis.faults import FaultsError


@pytest.fixture(scope="module")
def reported() -> ledger.Ledger:
    """The ledger of the project."""
    return ledger.load()


def test_every_quantity_has_a_tile(reported: ledger.Ledger) -> None:
    with (paths.data() / "claims" / "claims.csv").open(encoding="utf-8", newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["slogan"] == "no"]
    tiles = maps.by_place(reported)
    assert tiles["n"].sum() == len(rows)
    counted = dict(tiles.select("tile", "n").iter_rows())
    assert counted["Ngari Prefecture"] == sum(row["place"] == "Ngari Prefecture" for row in rows)
    villages = [row for row in rows if row["place"].endswith(" Village")]
    assert counted["Villages"] == len(villages)


def test_a_place_without_a_tile_and_tiles_on_each_other_are_named(
    reported: ledger.Ledger, tmp_path: Path
) -> None:
    text = (paths.data() / "claims" / maps.FILE).read_text(encoding="utf-8")
    file = tmp_path / maps.FILE
    lines = [line for line in text.splitlines() if not line.startswith("Qamdo")]
    file.write_text("\n".join(lines) + "\n", encoding="utf-8")
    with pytest.raises(FaultsError, match="'Qamdo City': a place of a claim has no tile"):
        maps.by_place(reported, file)
    file.write_text(text.replace("Qamdo City,5,2", "Qamdo City,4,2"), encoding="utf-8")
    with pytest.raises(FaultsError, match="'Qamdo City': two tiles lie on each other"):
        maps.by_place(reported, file)


def test_money_flows_along_the_channels_of_the_catalogue(reported: ledger.Ledger) -> None:
    known = programmes.load().programmes
    flow = maps.money_flow(known, implied.implied(reported))
    channels = {
        (row["id"], source)
        for row in known.iter_rows(named=True)
        if row["is_programme"] == "yes" and row["channels"]
        for source in row["channels"].split(";")
    }
    assert set(flow.select("programme", "source").iter_rows()) == channels
    money = {row["programme"]: row for row in flow.iter_rows(named=True) if row["measures"]}
    # 1146万 yuan for 247 households: from half a 万 below what is printed to one 万 above.
    dividend = money["dividend"]
    assert (round(dividend["low"]), round(dividend["high"])) == (46377, 46437)
    assert dividend["source"] == "property" and dividend["measures"] == "payment"
    # 300,000 yuan a year or more for a village of 265 households, and a floor of 50,000.
    collective = money["collective_enterprise"]
    assert (round(collective["low"]), collective["high"]) == (round(50_000 / 265), None)
    assert money["microcredit"]["measures"] == "loan"
    assert "training" not in money and "cooperative" not in money
