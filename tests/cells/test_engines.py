"""The same cells from each engine: whole numbers equal, floats to 1e-12 of Σ|x|."""

from __future__ import annotations

import importlib.util
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from analysis.cells import engines
from analysis.cells.build import build
from analysis.cells.design import CellsDesign
from analysis.cells.outcomes import Outcome, gap, headcount, squared_gap, standard, threshold
from analysis.cells.result import TABLES, Cells
from analysis.faults import FaultsError
from analysis.panels import panel as panels
from analysis.panels.panel import Panel

OUTCOMES = (
    *standard(),
    *(Outcome(f"{o.name}_2015", source=o.source, real=2015) for o in standard()),
    Outcome("total_head", "total", per="head"),
    Outcome("poor", transform=headcount("national")),
    Outcome("gap", transform=gap("national")),
    Outcome("gap_head", per="head", real=2015, transform=gap("national")),
    Outcome("squared_gap", transform=squared_gap("national")),
    Outcome("below", real=2015, transform=threshold(3_000_000)),
)
DESIGNS = [
    CellsDesign(("training",), outcomes=OUTCOMES),
    CellsDesign(
        ("training",), outcomes=OUTCOMES, handling="pairs", anticipation=1, disclosure=True
    ),
    CellsDesign(
        ("dividend",),
        outcomes=OUTCOMES,
        handling="cross_sections",
        inverse=("untreated", "all"),
        unit="person",
    ),
    CellsDesign(
        ("training", "dividend"),
        outcomes=OUTCOMES[:1],
        handling="cross_sections",
        stratum="registered_poor",
        periods=(2013, 2016),
    ),
    CellsDesign(
        ("training",),
        outcomes=OUTCOMES[4::3],
        handling="pairs",
        disclosure=True,
        moments=("change", "dose", "lin"),
        covariates=("workers_baseline",),
    ),
    CellsDesign(("training",), outcomes=OUTCOMES[:1], stratum="village"),
]
IDS = ["balanced", "pairs", "persons", "two programmes", "second moments", "strata are villages"]


def same(one: Cells, other: Cells) -> None:
    assert one.account == other.account
    assert (one.periods, one.weighted, one.design) == (other.periods, other.weighted, other.design)
    for table in TABLES:
        left, right = getattr(one, table), getattr(other, table)
        assert (left is None) == (right is None)
        if left is None:
            continue
        assert left.schema == right.schema, table
        for name, kind in left.schema.items():
            if kind == pl.Float64:
                # Σ|x| over the households of the largest cell, from below: no easier than asked.
                assert ((left[name] - right[name]).abs() <= 1e-12 * left[name].abs().max()).all(), (
                    name
                )
            else:
                assert left[name].equals(right[name]), (table, name)


@pytest.mark.parametrize("design", DESIGNS, ids=IDS)
def test_duckdb_gives_the_same_cells(realistic: Path, design: CellsDesign) -> None:
    pytest.importorskip("duckdb")
    polars, duckdb = build(realistic, design), build(realistic, design, "duckdb")
    same(polars, duckdb)
    assert duckdb.meta["engine"] == "duckdb"


@pytest.mark.parametrize("engine", ["polars", "duckdb"])
def test_a_panel_in_memory_gives_the_same_cells_as_its_folder(realistic: Path, engine: Any) -> None:
    same(build(realistic, DESIGNS[1], engine), build(panels.read(realistic), DESIGNS[1], engine))


def test_duckdb_adds_weights_as_polars_does(make: Callable[..., Panel]) -> None:
    homes = [{"household": f"h{i}", "village": f"v{i % 3}", "weight": 1 + i / 7} for i in range(40)]
    rows = [
        {"household": f"h{i}", "period": t, "wage": 10**9 + i * t, "business": -i}
        for i in range(40)
        for t in (2012, 2013)
        if (i + t) % 5
    ]
    panel = make(homes, rows, [{"unit": f"h{i}", "first_period": 2013} for i in range(0, 40, 4)])
    design = CellsDesign(("training",), handling="pairs", inverse=("all",), disclosure=True)
    same(build(panel, design), build(panel, design, "duckdb"))


def tables_of(panel: Panel) -> dict[str, pl.LazyFrame]:
    return {name: panel.table(name) for name in engines.NEEDED}


@pytest.mark.parametrize("design", DESIGNS, ids=IDS)
def test_numbers_for_names_of_households_change_no_cell(
    realistic: Path, design: CellsDesign, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = tables_of(panels.read(realistic))
    made, villages = engines._numbered(names)
    assert made["income"].collect_schema()["household"] == pl.UInt64
    assert villages is not None and villages.is_sorted()
    numbered = build(realistic, design)
    monkeypatch.setattr(pl.Expr, "hash", lambda column: column.str.len_bytes().cast(pl.UInt64))
    assert engines._numbered(names)[1] is None
    same(numbered, build(realistic, design))


def test_names_stay_where_two_households_would_share_a_number(
    make: Callable[..., Panel], monkeypatch: pytest.MonkeyPatch
) -> None:
    homes = [{"household": f"h{i}", "village": f"v{i % 2}"} for i in range(4)]
    rows = [
        {"household": f"h{i}", "period": t, "wage": 10**i * t}
        for i in range(4)
        for t in (2012, 2013)
    ]
    panel = make(homes, rows, [{"unit": "h1", "first_period": 2013}])
    design = CellsDesign(("training",))
    before = build(panel, design)
    monkeypatch.setattr(pl.Expr, "hash", lambda column: column.str.len_bytes().cast(pl.UInt64))
    tables = tables_of(panel)
    assert engines._numbered(tables)[0]["income"] is tables["income"]
    same(build(panel, design), before)


def test_a_connection_of_the_user_stays_open(realistic: Path) -> None:
    duckdb = pytest.importorskip("duckdb")
    connection = duckdb.connect(config={"threads": 1, "memory_limit": "500MB"})
    same(build(realistic, DESIGNS[0], "duckdb", session=connection), build(realistic, DESIGNS[0]))
    assert connection.sql("select 1").fetchall() == [(1,)]
    connection.close()


@pytest.fixture(scope="module")
def spark() -> Iterator[Any]:
    if shutil.which("java") is None:
        pytest.skip("no Java on this machine: install the Debian package default-jre-headless")
    if importlib.util.find_spec("pyspark") is None:
        pytest.skip("pyspark is not installed: make spark")
    sql = importlib.import_module("pyspark.sql")
    builder = sql.SparkSession.builder.master("local[2]").config("spark.ui.enabled", "false")
    session = builder.config("spark.sql.shuffle.partitions", "2").getOrCreate()
    yield session
    session.stop()


@pytest.mark.parametrize("design", DESIGNS, ids=IDS)
def test_spark_gives_the_same_cells(realistic: Path, spark: Any, design: CellsDesign) -> None:
    made = build(realistic, design, "spark", session=spark)
    for engine in ("polars", "duckdb"):
        same(build(realistic, design, engine), made)


def test_an_engine_that_is_not_there_says_how_to_get_it(
    realistic: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def absent(name: str) -> None:
        raise ImportError(name)

    monkeypatch.setattr(engines.importlib, "import_module", absent)
    with pytest.raises(FaultsError, match="duckdb is not installed; in the folder of this project"):
        build(realistic, DESIGNS[0], "duckdb")
    with pytest.raises(FaultsError, match="default-jre-headless"):
        build(realistic, DESIGNS[0], "spark")


def test_an_unknown_engine_is_refused(realistic: Path) -> None:
    with pytest.raises(ValueError, match="none of polars, duckdb, spark"):
        build(realistic, DESIGNS[0], "excel")  # type: ignore[arg-type]
