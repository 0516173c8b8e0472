"""A source of income that a survey does not ask about blocks itself and the total, nothing else.

Five households a village; expected values by hand: wages rise by 100 in treated villages.
"""

from __future__ import annotations

import polars as pl
import pytest
from typer.testing import CliRunner

import analysis as va
from analysis.cli import app
from analysis.faults import FaultsError

MAP = """
[map]
survey = "wages only"
[[files]]
id = "main"
file = "wages.csv"
household = "hh"
period = "year"
[household]
village = "village"
[income]
members = { constant = 1 }
absent = { property = "not asked", transfer = "not asked" }
[[income.items]]
source = "wage"
column = "wage"
unit = "yuan"
per = "year"
[[income.items]]
source = "business"
column = "farm"
unit = "yuan"
per = "year"
[[participation]]
programme = "training"
level = "village"
first_year = "first"
"""


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    folder = tmp_path_factory.mktemp("absent")
    rows = [
        (f"h{v}_{h}", f"v{v:02}", t, 1000 + 10 * v + h + 100 * (v < 8 and t == 2013), 50 + v + t)
        for v in range(16)
        for h in range(5)
        for t in (2011, 2012, 2013)
    ]
    data = pl.DataFrame(rows, schema=["hh", "village", "year", "wage", "farm"], orient="row")
    first = pl.when(pl.col("village") < "v08").then(2013)
    # One household does not say its farm income: that is no reason to lose its wages.
    farm = pl.when(pl.col("hh") != "h0_0").then("farm")
    data.with_columns(first=first, farm=farm).write_csv(folder / "wages.csv")
    (folder / "map.toml").write_text(MAP)
    va.import_survey(folder / "wages.csv", folder / "map.toml", folder / "panel")
    return folder / "panel"


@pytest.fixture(scope="module")
def panel(written):
    return va.read_panel(written)


def test_a_source_that_is_there_is_estimated_from_every_row_that_has_it(panel):
    found = va.did(panel, y="wage", programme="training")
    assert found.overall.value == pytest.approx(100.0)
    assert (found.account.rows_in, found.account.rows_used) == (240, 240)


def test_rows_are_complete_for_the_outcomes_asked_for(panel):
    found = va.did(panel, y=("wage", "business"), programme="training")
    assert (found.account.rows_used, sum(found.account.left_out.values())) == (237, 3)


def test_what_is_absent_is_left_out_and_said_where_nobody_named_it(panel):
    found = va.did(panel, programme="training")
    assert found.frame["outcome"].unique().sort().to_list() == ["business", "wage"]
    assert "the panel does not have property, transfer" in repr(found)


@pytest.mark.parametrize("y", ["total", "property"])
def test_what_is_absent_and_asked_for_is_refused_with_what_there_is(panel, y):
    with pytest.raises(
        FaultsError, match="the panel has no such outcome; use one of: wage, business"
    ):
        va.did(panel, y=y, programme="training")


def test_commands_leave_out_what_is_absent(written, tmp_path):
    args = ["cells", str(written), "--programme", "training", "--out", str(tmp_path / "c")]
    done = CliRunner().invoke(app, args)
    assert done.exit_code == 0, done.output
    assert "the panel does not have property, transfer" in done.output
