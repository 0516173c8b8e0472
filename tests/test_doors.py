"""One survey in many shapes through three doors: each is refused, or counted and printed.

Rows of the table: a shape; what a frame, a file through the command and an import do with it.
``refused`` shapes name the value; ``counted`` ones say how many rows or units. Counts by hand: 20
villages of four households in four years, 320 rows; one household has four.
"""

from __future__ import annotations

import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from typer.testing import CliRunner

import analysis as va
from analysis.cli import app
from analysis.faults import FaultsError
from analysis.panels.importing.run import import_survey

MAP = """
[map]
survey = "shapes"
[[files]]
id = "main"
file = "s.csv"
household = "hh"
period = "year"
[household]
village = "village"
weight = "weight"
weight_type = "sampling"
[income]
members = {{ constant = 1 }}
absent = {{ property = "no", transfer = "no", business = "no" }}
[[income.items]]
source = "wage"
column = "income"
unit = "yuan"
per = "year"
[[participation]]
programme = "training"
{treated} = "first"
"""


@pytest.fixture(scope="module")
def survey() -> pl.DataFrame:
    rng = np.random.default_rng(5)
    rows = [
        (f"h{v:02}_{h}", f"v{v:02}", t, 2013 if v < 10 else None, 1000 + 50 * rng.normal(), 1.0)
        for v in range(20)
        for h in range(4)
        for t in (2011, 2012, 2013, 2014)
    ]
    names = ["hh", "village", "year", "first", "income", "weight"]
    return pl.DataFrame(rows, schema=names, orient="row").with_columns(pl.col("income").round(2))


def by_frame(data: pl.DataFrame, folder: Path, treated: str) -> str:
    return repr(va.did(data, "income", "hh", "year", "first", "village", weight="weight"))


def by_file(data: pl.DataFrame, folder: Path, treated: str) -> str:
    data.write_csv(folder / "s.csv")
    names = "--y income --unit hh --time year --first first --cluster village --weight weight"
    done = CliRunner().invoke(app, ["did", str(folder / "s.csv"), *names.split()])
    if isinstance(done.exception, FaultsError):
        raise done.exception
    return done.output


def by_import(data: pl.DataFrame, folder: Path, treated: str) -> str:
    data.write_csv(folder / "s.csv")
    (folder / "map.toml").write_text(MAP.format(treated=treated))
    report = import_survey([folder / "s.csv"], folder / "map.toml", folder / "panel")
    found = va.did(va.read_panel(folder / "panel"), y="wage", programme="training")
    return f"{report.summary()}\n{found}"


DOORS = {"frame": by_frame, "file": by_file, "import": by_import}
ONE, V0 = pl.col("hh") == "h00_0", pl.col("village") == "v00"


def first_of(value: object) -> dict[str, pl.Expr]:
    return {"first": pl.when(V0).then(value).otherwise("first")}


def weight_of(value: object) -> dict[str, pl.Expr]:
    return {"weight": pl.when(ONE).then(value).otherwise("weight")}


def days(since: pl.Expr, name: str) -> pl.Expr:
    return (pl.date(name, 1, 1) - since).dt.total_days()


@dataclass(frozen=True)
class Shape:
    """A change of columns, and what each door says: ``refused: …`` or ``counted: …``."""

    change: dict[str, pl.Expr]
    frame: str
    file: str
    imported: str
    twice: int = 0
    treated: str = "first_year"


STATA = pl.date(1960, 1, 1)
REJECTED = "counted: 316 accepted, 4 rejected"
SHAPES = {
    "negative weight": Shape(
        weight_of(-1.0),
        r"refused: \[weight\] '-1.0'.* in 4 rows",
        r"refused: s.csv \[weight\] '-1.0'.* in 4 rows",
        REJECTED,
    ),
    "infinite weight": Shape(
        weight_of(float("inf")),
        r"refused: \[weight\] 'inf'.* in 4 rows",
        r"refused: s.csv:2 \[weight\] 'inf'.* in 4 rows",
        REJECTED,
    ),
    "missing weight": Shape(
        weight_of(None),
        "refused: a weight is missing, negative or infinite in 4 rows",
        "refused: a weight is missing, negative or infinite in 4 rows",
        "counted: the weight of the household is never given",
    ),
    "weight 0": Shape(weight_of(0.0), "counted: 4: weight 0", "counted: 4: weight 0", REJECTED),
    "blank village": Shape(
        {"village": pl.when(ONE).then(pl.lit(" ")).otherwise("village")},
        "counted: 4: no name of the village",
        "counted: 4: no name of the village",
        "counted: the village of the household is never given",
    ),
    "near-equal villages": Shape(
        {"village": pl.when(ONE).then(pl.lit("V00 ")).otherwise("village")},
        "counted: 1 names of village nearly agree",
        "counted: 1 names of village nearly agree",
        "counted: 1 names of village nearly agree",
    ),
    "repeated rows": Shape(
        {},
        r"refused: h00_0 in 2011 \(rows 1, 321\).* 2 rows",
        r"refused: h00_0 in 2011 \(rows 1, 321\).* 2 rows",
        "counted: 320 accepted, 1 rejected",
        twice=1,
    ),
    "treated before the first period": Shape(
        first_of(2009),
        "counted: 16: rows of cohorts with no period before treatment",
        "counted: 16: rows of cohorts with no period before treatment",
        "counted: 4 participations begin in the first period or before",
    ),
    "treated after the last period": Shape(
        first_of(2016),
        "counted: 16: rows of periods in which their cohort is in no comparison",
        "counted: 16: rows of periods in which their cohort is in no comparison",
        "counted: 4 participations begin after the last period",
    ),
    "never treated is 9999": Shape(
        {"first": pl.col("first").fill_null(9999)},
        "refused: never=9999",
        "refused: never=9999",
        "refused: impossible_year 160",
    ),
    "never treated is 0": Shape(
        {"first": pl.col("first").fill_null(0)},
        "counted: never treated: 160 rows where first is 0",
        "counted: never treated: 160 rows where first is 0",
        "refused: impossible_year 160",
    ),
    "treatment that ends": Shape(
        {"first": ((pl.col("village") < "v10") & (pl.col("year") == 2013)).cast(pl.Int8)},
        "refused: treatment ends in 40 units",
        "refused: treatment ends in 40 units",
        "counted: 40 units of training are treated and later not",
        treated="indicator",
    ),
    "one household of a village treated": Shape(
        {"first": pl.when(ONE).then(2013)},
        "counted: 1 clusters hold treated and never treated units",
        "counted: 1 clusters hold treated and never treated units",
        "counted: 12: rows of periods in which their cohort is in no comparison",
    ),
    "days of Stata": Shape(
        {"year": days(STATA, "year"), "first": days(STATA, "first")},
        r"refused: '18628'.*days of Stata or SAS \(2011-01-01\)",
        r"refused: '18628'.*days of Stata or SAS \(2011-01-01\)",
        "refused: impossible_year 320",
    ),
    "days of Excel": Shape(
        {"year": days(pl.date(1899, 12, 30), "year")},
        r"refused: '40544'.*days of Excel \(2011-01-01\)",
        r"refused: '40544'.*days of Excel \(2011-01-01\)",
        "refused: impossible_year 320",
    ),
    "seconds of SPSS": Shape(
        {"year": days(pl.date(1582, 10, 14), "year") * 86_400},
        r"refused: seconds of SPSS \(2011-01-01\)",
        r"refused: seconds of SPSS \(2011-01-01\)",
        "refused: impossible_year 320",
    ),
}


@pytest.mark.parametrize("door", DOORS)
@pytest.mark.parametrize("name", SHAPES)
def test_a_shape_is_refused_or_counted(survey, tmp_path, name, door):
    shape = SHAPES[name]
    data = pl.concat([survey, survey.head(shape.twice)]).with_columns(**shape.change)
    kind, _, said = getattr(shape, "imported" if door == "import" else door).partition(": ")
    if kind == "refused":
        with pytest.raises(FaultsError, match=said):
            DOORS[door](data, tmp_path, shape.treated)
    else:
        assert said in DOORS[door](data, tmp_path, shape.treated)


def test_codes_of_single_precision_are_refused(survey):
    number = 510_000_000 + pl.col("village").str.slice(1).cast(pl.Int64)
    single = survey.with_columns(village=number.cast(pl.Float32))
    with pytest.raises(FaultsError, match=r"\[village\].*more digits"):
        by_frame(single, Path(), "")
    trial = single.filter(pl.col("year") == 2013).with_columns(t=pl.col("first").is_not_null())
    with pytest.raises(FaultsError, match=r"\[village\].*more digits"):
        va.rct(trial, "income", "t", cluster="village")


def test_the_front_door_shows_its_names_and_imports_nothing_heavy():
    heavy = "polars numpy pandas scipy statsmodels matplotlib great_tables diff_diff"
    code = (
        "import sys, analysis;"
        "print(sorted(set(dir(analysis)) - set(analysis.__all__)));"
        f"print([m for m in {heavy.split()} if m in sys.modules])"
    )
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert said.stdout.splitlines() == ["['__version__']", "[]"]


def test_the_remedy_for_day_counts_gives_years(survey):
    coded = survey.with_columns(year=days(STATA, "year"), first=days(STATA, "first"))
    with pytest.raises(FaultsError) as refused:
        by_frame(coded, Path(), "")
    remedy = refused.value.faults[0].remedy
    code = remedy[remedy.index("data.with_columns") : remedy.index(" if they are days of Stata")]
    years = eval(code, {"pl": pl, "data": coded})  # what the user would paste
    assert years["year"].to_list() == survey["year"].to_list()
