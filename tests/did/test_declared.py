"""The estimands file on a panel: command, page and front door give one number."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from typer.testing import CliRunner

import analysis as va
from analysis import paths
from analysis.cells import keys_page
from analysis.cli import app
from analysis.did.declared import NotEstimable
from analysis.faults import FaultsError
from analysis.panels.panel import Panel

FILE = """
name = "training, declared"
[design]
programmes = ["training"]
stratum = ""
[[outcome]]
name = "wage"
[[outcome]]
name = "total"
[[estimand]]
name = "overall"
aggregation = "simple"
[[estimand]]
name = "events"
aggregation = "event_time"
[[estimand]]
name = "later"
aggregation = "simple"
controls = "not_yet"
drop = [2015]
[[estimand]]
name = "sampled"
aggregation = "simple"
psu = "village"
[[estimand]]
name = "adjusted"
aggregation = "simple"
where = "anywhere"
covariates = ["size_baseline"]
"""


@pytest.fixture(scope="module")
def panel(tmp_path_factory: pytest.TempPathFactory) -> Panel:
    folder = tmp_path_factory.mktemp("declared") / "panel"
    return va.simulate(folder, households=1_600, villages=80, periods=(2012, 2016), seed=1)


@pytest.fixture(scope="module")
def folder(panel: Panel, tmp_path_factory: pytest.TempPathFactory) -> Path:
    made: Path = sorted(tmp_path_factory.getbasetemp().glob("declared*/panel"))[-1]
    (made.parent / "e.toml").write_text(FILE, encoding="utf-8")
    return made


@pytest.fixture(scope="module")
def declared(folder: Path) -> Any:
    return va.estimate(folder, folder.parent / "e.toml")


def numbers(rows: pl.DataFrame) -> pl.DataFrame:
    return rows.select("outcome", "estimate", "std_error", "ci_low", "ci_high")


def test_each_estimand_is_what_the_front_door_gives(panel: Panel, declared: Any) -> None:
    y = ["wage", "total"]
    plain = va.did(panel, y=y, programme="training")
    assert numbers(declared.estimand("overall").frame).equals(
        numbers(plain.aggregate("simple").frame)
    )
    assert numbers(declared.estimand("events").frame).equals(numbers(plain.event_study.frame))
    later = va.did(panel, y=y, programme="training", controls="not_yet", drop=[2015]).aggregate(
        "simple"
    )
    assert numbers(declared.estimand("later").frame).equals(numbers(later.frame))
    adjusted = va.did(
        panel, y=y, programme="training", covariates=["size_baseline"], where="anywhere"
    )
    assert numbers(declared.estimand("adjusted").frame).equals(
        numbers(adjusted.aggregate("simple").frame)
    )


def test_households_and_cells_give_the_same_point(declared: Any) -> None:
    """With villages as sampling units only the errors are of another formula."""
    sampled, plain = (declared.estimand(name).frame for name in ("sampled", "overall"))
    assert sampled["estimate"].to_list() == pytest.approx(plain["estimate"].to_list(), rel=1e-9)
    assert declared.fits["sampled"].account.rows_in == declared.fits["overall"].account.rows_in


def test_command_page_and_front_door_print_one_number(
    folder: Path, declared: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    file = folder.parent / "e.toml"
    command = ["did", str(folder), "--estimands", str(file), "--estimand", "overall"]
    run = CliRunner().invoke(app, [*command, "--out", str(tmp_path / "out")])
    assert run.exit_code == 0, run.output
    saved = pl.read_csv(tmp_path / "out" / "estimates.csv")
    assert saved["estimate"].to_list() == declared.estimand("overall").frame["estimate"].to_list()
    shown = page(folder, file, monkeypatch, tmp_path)
    assert str(shown["effects"].overall) == str(
        va.did(folder, y=["wage", "total"], programme="training")
        .aggregate("simple")
        .effect_of(outcome="total")
    )
    assert (tmp_path / "reports" / "yours" / "effects" / "estimates.csv").is_file()


def page(
    folder: Path, estimands: Path | None, monkeypatch: pytest.MonkeyPatch, work: Path
) -> dict[str, Any]:
    """Run the code cells of the page; return its names."""
    notebook = paths.root() / "notebooks" / "yours" / "your-effects.ipynb"
    cells = json.loads(notebook.read_text(encoding="utf-8"))["cells"]
    here = work / "notebooks" / "yours"
    here.mkdir(parents=True, exist_ok=True)
    monkeypatch.chdir(here)
    monkeypatch.setenv("PANEL", str(folder))
    monkeypatch.setenv("ESTIMANDS", str(estimands or ""))
    names: dict[str, Any] = {}
    for cell in cells:
        if cell["cell_type"] == "code":
            exec("".join(cell["source"]), names)  # the project's own page
    return names


def test_what_a_panel_cannot_answer_is_said_and_stops_nothing(
    panel: Panel, declared: Any, tmp_path: Path
) -> None:
    one = FILE.replace("[2015]", "[2014, 2015]").replace('name = "wage"', 'name = "property"')
    (tmp_path / "one.toml").write_text(
        one[: one.index('[[estimand]]\nname = "sampled"')].replace(
            'name = "overall"\naggregation = "simple"',
            'name = "overall"\naggregation = "simple"\ndrop = [2014, 2015]',
        )
    )
    alone = va.estimate(panel, tmp_path / "one.toml").leave_out()
    assert isinstance(alone, NotEstimable)
    assert "there is one cohort" in repr(alone)
    both = declared.few_villages(99).frame
    assert both["p_value"].null_count() == 0
    assert set(declared.leave_out().frame["term"]) >= {"overall", "without cohort 2015"}


def test_a_panel_decides_itself_who_is_who(panel: Panel) -> None:
    with pytest.raises(FaultsError, match="have their own"):
        va.did(panel, y=["wage"], programme="training", weight="w")
    with pytest.raises(FaultsError, match="estimate from the panel"):
        va.did(va.cells(panel, "training"), y=["wage"], covariates=["size_baseline"])
    with pytest.raises(FaultsError, match="no such column; the households have village"):
        va.did(panel, y=["wage"], programme="training", covariates=["x_age"], where="anywhere")


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('where = "anywhere"', 'where = "any"', "use one of: other_villages, same_village"),
        ('name = "wage"', 'name = "wage"\ntransform = "sqrt"', "'sqrt' is none of log, asinh"),
        ('name = "wage"', 'name = "wage"\nwinsorised = [0.9, 0.1]', "has two shares"),
        ("drop = [2015]", "drop = 2015", r"not a list; write \[ … \]"),
        ("drop = [2015]", "dropped = [2015]", "unknown key"),
    ],
)
def test_what_does_not_fit_is_named(
    panel: Panel, tmp_path: Path, old: str, new: str, message: str
) -> None:
    (tmp_path / "e.toml").write_text(FILE.replace(old, new))
    with pytest.raises(FaultsError, match=message):
        va.estimate(panel, tmp_path / "e.toml")


def test_the_page_of_keys_is_current() -> None:
    for path, text in keys_page.outputs().items():
        assert path.read_text(encoding="utf-8") == text, "python -m analysis.cells.keys_page"
