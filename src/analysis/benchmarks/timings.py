"""Measurements stored in ``reports/benchmarks.csv``: made by hand runs, printed by pages."""

from __future__ import annotations

import datetime
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Final

import dataframely as dy
import polars as pl

from analysis import contract, paths, printing
from analysis.files import write_atomic

OURS: Final = "analysis"
"""What this package is called among the others."""
MEASURED: Final = {"seconds": "seconds", "gibibytes": "gibibytes"}
"""What is stored of a timed job, and in which unit."""
DECIMALS: Final = 4
"""Of what is stored of a timed job."""


class Benchmarks(contract.Row):
    """One measurement of speed or memory: what was run, on which machine, when."""

    id = dy.String(primary_key=True, regex=r"^[a-z][a-z0-9_]*$", description="name on pages")
    what = dy.String(description="what was measured")
    value = dy.Float64(min=0, description="the measurement")
    unit = dy.String(description="its unit")
    command = dy.String(description="what was run")
    machine = dy.String(description="where")
    date = dy.Date(description="when")
    job = dy.String(nullable=True, description="the job, where several packages were timed on it")
    package = dy.String(nullable=True, description="whose code did it, with its version")
    level = dy.String(
        nullable=True, regex="^(village|household)$", description="what was assigned to cohorts"
    )
    rows = dy.Int64(nullable=True, min=1, description="household-years in the panel")


class SpeedTargets(contract.Row):
    """A target of speed or memory, and the timed job that is held against it."""

    id = dy.String(primary_key=True, regex=r"^[a-z][a-z0-9_]*$", description="name")
    what = dy.String(description="what is measured")
    kind = dy.Enum(
        ["times_faster", "memory_share", "times_bare", "seconds", "gibibytes"],
        description="how it is computed from the stored jobs",
    )
    job = dy.String(description="the job")
    level = dy.Enum(["village", "household"], description="what was assigned to cohorts")
    rows = dy.Int64(min=1, description="household-years in the panel")
    limit = dy.Float64(min_exclusive=0, description="what it should reach, or not exceed")
    unit = dy.String(description="unit of the limit")
    source = dy.String(description="where the limit comes from")


def load(file: Path | None = None) -> pl.DataFrame:
    """Return every measurement.

    Raises
    ------
    FaultsError
        If the file does not fit its schema.
    """
    return contract.read(file or _file(), Benchmarks).drop("line", strict=False)


def jobs(measurements: pl.DataFrame) -> pl.DataFrame:
    """Return the timed jobs, one row for each package and size.

    Returns
    -------
    polars.DataFrame
        ``job, level, package, version, rows, seconds, gibibytes``; memory is null where a job was
        too short to measure it.
    """
    timed = measurements.filter(pl.col("job").is_not_null()).with_columns(
        pl.col("package").str.split(" ").list.get(0).alias("package"),
        pl.col("package").str.split(" ").list.get(1, null_on_oob=True).alias("version"),
    )
    keys = ["job", "level", "package", "version", "rows"]
    wide = timed.pivot("unit", index=keys, values="value", aggregate_function="last")
    missing = [
        pl.lit(None, pl.Float64).alias(u) for u in MEASURED.values() if u not in wide.columns
    ]
    return wide.with_columns(missing).select(*keys, *MEASURED.values()).sort(keys)


def targets(timed: pl.DataFrame, file: Path | None = None) -> pl.DataFrame:
    """Hold the timed jobs against what they should reach.

    Parameters
    ----------
    timed : polars.DataFrame
        From `jobs`.
    file : Path, optional
        The targets; ``data/parameters/speed_targets.csv`` if left out.

    Returns
    -------
    polars.DataFrame
        ``id, what, rows, limit, unit, measured, met``; measured and met are null where a job has
        not been timed.
    """
    wanted = contract.read(file or paths.data() / "parameters" / "speed_targets.csv", SpeedTargets)
    measured = [_measured(timed, row) for row in wanted.iter_rows(named=True)]
    return wanted.with_columns(measured=pl.Series(measured, dtype=pl.Float64)).select(
        "id",
        "what",
        "rows",
        "limit",
        "unit",
        "measured",
        met=pl.when(pl.col("kind") == "times_faster")
        .then(pl.col("measured") >= pl.col("limit"))
        .otherwise(pl.col("measured") <= pl.col("limit")),
    )


def _measured(timed: pl.DataFrame, target: Mapping[str, Any]) -> float | None:
    """Return what was measured for a target."""
    same = timed.filter(
        pl.col("job") == target["job"],
        pl.col("level") == target["level"],
        pl.col("rows") == target["rows"],
    )
    ours = same.filter(pl.col("package") == OURS)
    if not ours.height:
        return None
    kind = str(target["kind"])
    if kind in MEASURED:
        return least(ours, kind)
    if kind == "times_bare":
        bare = timed.filter(job="bare sums", rows=target["rows"], level=target["level"])
        return divided(least(ours, "seconds"), least(bare, "seconds"))
    others = same.filter(pl.col("package") != OURS)
    if kind == "times_faster":
        return divided(least(others, "seconds"), least(ours, "seconds"))
    return divided(least(ours, "gibibytes"), least(others, "gibibytes"))


def least(timed: pl.DataFrame, column: str) -> float | None:
    """Return the smallest measurement; None if there is none."""
    entries = timed[column].min()
    return None if entries is None else float(entries)  # type: ignore[arg-type]


def divided(top: float | None, bottom: float | None) -> float | None:
    """Return a ratio; None if one of both was not measured."""
    return None if top is None or bottom is None else top / bottom


def record(
    rows: Iterable[Mapping[str, Any]],
    versions: Mapping[str, str],
    machine: str,
    command: str,
    file: Path | None = None,
    *,
    date: datetime.date | None = None,
) -> None:
    """Store timed jobs; a job that was stored before is replaced.

    Parameters
    ----------
    rows : iterable of mapping
        ``job, level, package, rows, seconds, gibibytes`` of each.
    versions : mapping of str to str
        Version of each package.
    machine, command : str
        Where, and what was run.
    file : Path, optional
        The committed file if left out.
    date : date, optional
        Today if left out.
    """
    records = [
        {
            "id": _id(f"{row['job']} {row['level']} {row['package']} {row['rows']} {unit}"),
            "what": f"{row['job']}, cohorts of {row['level']}s, {row['rows']:,} rows",
            "value": round(float(row[name]), DECIMALS),
            "unit": unit,
            "command": command,
            "machine": machine,
            "date": date,
            "job": row["job"],
            "package": f"{row['package']} {versions[row['package']]}",
            "level": row["level"],
            "rows": row["rows"],
        }
        for row in rows
        for name, unit in MEASURED.items()
        if row[name] is not None
    ]
    store(records, file)


def store(made: Iterable[Mapping[str, Any]], file: Path | None = None) -> None:
    """Store measurements; those stored before under the same id are replaced.

    Parameters
    ----------
    made : iterable of mapping
        Columns of `Benchmarks`; the date is today if it is left out.
    file : Path, optional
        The committed file if left out.
    """
    file = file or _file()
    old = load(file)
    new = pl.DataFrame(list(made), schema_overrides=old.schema)
    absent = [pl.lit(None).alias(c) for c in old.columns if c not in new.columns]
    new = new.with_columns(absent).select(pl.col(c).cast(t) for c, t in old.schema.items())
    new = new.with_columns(pl.col("date").fill_null(datetime.date.today()))
    kept = old.filter(~pl.col("id").is_in(new["id"].to_list()))
    write_atomic(file, pl.concat([kept, new]).write_csv().encode())


def _id(name: str) -> str:
    return re.sub(r"[^a-z0-9]+", "_", name.lower()).strip("_")


def _file() -> Path:
    return paths.root() / "reports" / "benchmarks.csv"


def variables(file: Path | None = None) -> dict[str, str]:
    """Return what ``{{< var benchmark.ID >}}`` prints, by id.

    Raises
    ------
    FaultsError
        If the file does not fit its schema.

    Examples
    --------
    >>> variables()["import_rows"]
    '20,000,000'
    """
    return {name: _as_stored(value) for name, value in load(file).select("id", "value").iter_rows()}


def _as_stored(value: float) -> str:
    """Print a measurement with the decimals it was stored with."""
    return printing.number(value, 0 if value.is_integer() else len(str(value).partition(".")[2]))
