"""Where the tables are and who computes: Polars, DuckDB or Spark, all through narwhals.

A result comes home as Parquet, so that nothing but the engine and Polars is needed, and a result
larger than the engine's memory is no special case.
"""

from __future__ import annotations

import importlib
import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any, Final, Literal

import narwhals as nw
import polars as pl

from analysis.faults import Fault, FaultsError
from analysis.panels import panel as panels
from analysis.panels.panel import Panel

EngineName = Literal["polars", "duckdb", "spark"]
ENGINES: Final = ("polars", "duckdb", "spark")
NEEDED: Final = ("households", "income", "participation")
Frame = nw.LazyFrame[Any]


@dataclass(frozen=True)
class Tables:
    """The tables of a panel as one engine holds them.

    Attributes
    ----------
    engine : str
        One of `ENGINES`.
    version : str
        Version of the engine.
    households, income, participation : narwhals.LazyFrame
        The tables of the contract; nothing is read yet. Participation has its unit also in the
        columns ``household`` and ``village``, as a join with either needs it. Households and
        villages may have numbers for names.
    collect : callable
        Computes a frame and brings it home as a Polars one.
    keep : callable
        Computes a frame of one row per household now, since several results follow from it; it
        stays with the engine, or on disk.
    villages : polars.Series or None
        Names of villages by number, where they have numbers.
    """

    engine: str
    version: str
    households: Frame
    income: Frame
    participation: Frame
    collect: Callable[[Frame], pl.DataFrame]
    keep: Callable[[Frame], Frame]
    villages: pl.Series | None = None

    def named(self, frame: pl.DataFrame) -> pl.DataFrame:
        """Return a frame that was brought home with the names of its villages."""
        if self.villages is None:
            return frame
        return frame.with_columns(self.villages.gather(frame["village"]).alias("village"))


@contextmanager
def opened(
    source: Panel | Path, engine: EngineName = "polars", session: Any = None
) -> Iterator[Tables]:
    """Open the tables of a panel in an engine, and close the engine at the end.

    Parameters
    ----------
    source : Panel or Path
        A panel, or the folder of one. Engines other than Polars read the folder's files; a `Panel`
        is first written to a temporary folder for them.
    engine : str
        One of `ENGINES`.
    session : optional
        A DuckDB connection or Spark session of yours; it is left open.

    Raises
    ------
    FaultsError
        If the engine is not installed, or the folder is no panel.
    """
    if engine not in ENGINES:
        raise ValueError(f"engine {engine!r} is none of {', '.join(ENGINES)}")
    with ExitStack() as stack:
        if engine == "polars":
            panel = panels.read(source) if isinstance(source, Path) else source
            yield _polars(panel)
            return
        stage = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="cells-")))
        folder = source if isinstance(source, Path) else _write(source, stage)
        files = {table: _files(folder, table) for table in NEEDED}
        opener = _duckdb if engine == "duckdb" else _spark
        yield opener(files, stage, stack, session)


def _polars(panel: Panel) -> Tables:
    # A join is decided after a look at so many rows of each side, which wait in memory until then;
    # by itself Polars looks at ten million.
    os.environ.setdefault("POLARS_JOIN_SAMPLE_LIMIT", "100000")
    pl.Config.reload_env_vars()
    native, villages = _numbered({table: panel.table(table) for table in NEEDED})
    frames = {table: nw.from_native(frame).lazy() for table, frame in native.items()}
    return Tables(
        "polars",
        pl.__version__,
        collect=_collect_polars,
        keep=_keep_polars,
        villages=villages,
        households=frames["households"],
        income=frames["income"],
        participation=frames["participation"],
    )


def _numbered(
    tables: dict[str, pl.LazyFrame],
) -> tuple[dict[str, pl.LazyFrame], pl.Series | None]:
    """Give households and villages numbers for names: joins and groups take half the time.

    Should two households of the panel get the same number, all names stay, for they would be
    added up as one.
    """
    number, village = pl.col("household").hash(), pl.col("village")
    asked = tables["households"].select(number.n_unique() == pl.len(), village.unique().implode())
    frame = asked.collect(engine=affinity())
    names = frame["village"][0].drop_nulls().sort()
    unit = pl.col("unit")
    if not frame["household"][0]:
        both = tables["participation"].with_columns(household=unit, village=unit)
        return {**tables, "participation": both}, None
    place = pl.Enum(names)
    return {
        "households": tables["households"].with_columns(number, village.cast(place).to_physical()),
        "income": tables["income"].with_columns(number),
        "participation": tables["participation"].with_columns(
            unit.hash().alias("household"),
            unit.cast(place, strict=False).to_physical().alias("village"),
        ),
    }, names


def _with_units(frames: dict[str, Frame]) -> dict[str, Frame]:
    """Give participation the columns that households and villages are joined by."""
    unit = nw.col("unit")
    both = frames["participation"].with_columns(unit.alias("household"), unit.alias("village"))
    return {**frames, "participation": both}


def affinity() -> Literal["auto", "streaming"]:
    """Return how Polars is to run: streaming, unless its own variable names an engine.

    Streaming adds floats up in the order in which parts happen to come, so their last digits
    differ between runs. The kernels of a report name the other one, for the same bytes each time.
    """
    return "auto" if "POLARS_ENGINE_AFFINITY" in os.environ else "streaming"


def _collect_polars(frame: Frame) -> pl.DataFrame:
    native = frame.to_native()
    assert isinstance(native, pl.LazyFrame)  # noqa: S101  # the type checker cannot see it
    return native.collect(engine=affinity())


def _keep_polars(frame: Frame) -> Frame:
    return nw.from_native(_collect_polars(frame).lazy()).lazy()


def _lazy(native: Any) -> Frame:
    frame: Frame = nw.from_native(native).lazy()
    return frame


def _write(panel: Panel, stage: Path) -> Path:
    for table in NEEDED:
        panel.table(table).sink_parquet(stage / f"{table}.parquet")
    return stage


def _files(folder: Path, table: str) -> list[str]:
    """Return the files of a table: one, or numbered parts in a folder."""
    path = folder / f"{table}.parquet"
    files = [path] if path.is_file() else sorted((folder / table).glob("part-*.parquet"))
    if not files:
        raise FaultsError(
            [
                Fault(
                    f"{folder.name}/{table}.parquet",
                    "the file is missing",
                    "name a folder that simulate or import wrote",
                )
            ]
        )
    return [str(file) for file in files]


def _module(name: str, remedy: str) -> Any:
    try:
        return importlib.import_module(name)
    except ImportError:
        raise FaultsError([Fault("engine", f"{name} is not installed", remedy)]) from None


def _duckdb(files: dict[str, list[str]], stage: Path, stack: ExitStack, session: Any) -> Tables:
    # Not by name: another package may have it.
    duckdb = _module("duckdb", "in the folder of this project: pip install '.[engines]'")
    connection = session or stack.enter_context(duckdb.connect())

    numbers = count()

    def write(frame: Frame) -> str:
        target = str(stage / f"{next(numbers)}.parquet")
        relation: Any = frame.to_native()
        relation.write_parquet(target)
        return target

    def collect(frame: Frame) -> pl.DataFrame:
        return pl.read_parquet(write(frame), memory_map=False)

    def keep(frame: Frame) -> Frame:
        return _lazy(connection.read_parquet(write(frame)))

    frames = {table: _lazy(connection.read_parquet(paths)) for table, paths in files.items()}
    frames = _with_units(frames)
    return Tables(
        "duckdb",
        duckdb.__version__,
        frames["households"],
        frames["income"],
        frames["participation"],
        collect,
        keep,
    )


def _spark(files: dict[str, list[str]], stage: Path, stack: ExitStack, session: Any) -> Tables:
    remedy = "install pyspark, and Java (Debian package default-jre-headless)"
    pyspark = _module("pyspark", remedy)
    spark = session
    if spark is None:
        spark = _module("pyspark.sql", remedy).SparkSession.builder.getOrCreate()
        stack.callback(spark.stop)

    numbers = count()

    def write(frame: Frame) -> Path:
        target = stage / str(next(numbers))
        native: Any = frame.to_native()
        native.write.parquet(str(target))
        return target

    def collect(frame: Frame) -> pl.DataFrame:
        return pl.read_parquet(write(frame) / "*.parquet", memory_map=False)

    def keep(frame: Frame) -> Frame:
        return _lazy(spark.read.parquet(str(write(frame))))

    frames = {table: _lazy(spark.read.parquet(*paths)) for table, paths in files.items()}
    frames = _with_units(frames)
    return Tables(
        "spark",
        pyspark.__version__,
        frames["households"],
        frames["income"],
        frames["participation"],
        collect,
        keep,
    )
