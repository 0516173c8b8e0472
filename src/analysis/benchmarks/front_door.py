"""What a number costs from nothing, in this package and others: timed by hand, stored, compared."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import dataframely as dy
import polars as pl

from analysis import contract, paths, printing
from analysis.benchmarks.timings import OURS
from analysis.files import write_atomic
from analysis.results import formatting
from analysis.results.number import Number
from analysis.results.provenance import Provenance
from analysis.results.stored import of_files
from analysis.results.table import ResultTable

FILE: Final = "reports/speed.csv"
KEYS: Final = ("job", "start", "rows")
"""What packages are compared on."""
BARE: Final = "bare aggregate"
"""The job that adds up what is read: no method can do without."""
STARTS: Final = {"file": "CSV file", "frame": "frame (Parquet)", "panel": "panel of the contract"}


class Processes(contract.Row):
    """One job of one package, timed as whole processes by the operating system: medians."""

    job = dy.String(primary_key=True, description="the question")
    start = dy.String(primary_key=True, regex="^(file|frame|panel)$", description="what is read")
    rows = dy.Int64(primary_key=True, min=1, description="household-years read")
    package = dy.String(primary_key=True, description="whose code")
    version = dy.String(description="of the package")
    cpu_seconds = dy.Float64(min=0, description="of all its threads, from nothing to the number")
    seconds = dy.Float64(min=0, description="by the clock")
    gibibytes = dy.Float64(min=0, description="largest memory")
    point = dy.Float64(description="the number")
    command = dy.String(description="what was run")
    machine = dy.String(description="where")
    date = dy.Date(description="when")


@dataclass(frozen=True, eq=False)
class FrontDoor:
    """Jobs through the front door beside the same jobs of other packages.

    Attributes
    ----------
    timed : polars.DataFrame
        As `Processes`, with ``times`` and ``times_memory``: each package over ours.
    """

    timed: pl.DataFrame

    @property
    def n_compared(self) -> Number:
        """How many rows of other packages are compared with ours."""
        return self._count(self._others.height, "rows of other packages compared with ours")

    @property
    def n_ahead(self) -> Number:
        """In how many of them ours takes less CPU time."""
        ahead = self._others.filter(pl.col("times") > 1).height
        return self._count(ahead, "rows in which ours takes less CPU time")

    @property
    def _others(self) -> pl.DataFrame:
        return self.timed.filter(
            pl.col("times").is_not_null(), pl.col("package") != OURS, pl.col("job") != BARE
        )

    def _count(self, count: int, what: str) -> Number:
        provenance = _provenance(self._others.height)
        return Number(value=float(count), unit="rows", what=what, provenance=provenance)

    def times(self, job: str, start: str, rows: int, *, memory: bool = False) -> Number:
        """Return how many times our CPU seconds, or memory, the best other package takes.

        Parameters
        ----------
        job : str
            Such as ``group-time``.
        start : str
            ``file`` or ``frame``.
        rows : int
            Household-years read.
        memory : bool
            Of the largest memory, not of the CPU seconds.

        Raises
        ------
        ValueError
            If no other package was timed on it.
        """
        same = self._others.filter(job=job, start=start, rows=rows)
        if not same.height:
            raise ValueError(f"no other package was timed on {job} from a {start} of {rows:,} rows")
        counted = "largest memory" if memory else "CPU seconds"
        return Number(
            value=float(same["times_memory" if memory else "times"].min()),  # type: ignore[arg-type]
            unit="times",
            what=f"{job} from a {start}, {printing.number(rows)} simulated rows: best other"
            f" package over ours, {counted} of whole processes",
            provenance=_provenance(same.height),
        )

    def table(self) -> ResultTable:
        """Return every job, ours first; readers can filter by job."""
        ours = pl.col("package") == OURS
        data = self.timed.sort(
            "job", "start", "rows", ours, "cpu_seconds", descending=[False] * 3 + [True, False]
        )
        shown = data.select(
            "job",
            pl.col("start").replace_strict(STARTS).alias("reads"),
            _printed("rows", 0),
            pl.when(ours)
            .then(pl.lit("this package"))
            .otherwise(pl.concat_str("package", "version", separator=" "))
            .alias("package"),
            _printed("cpu_seconds", 2).alias("CPU seconds"),
            _printed("times", 2).alias("times ours"),
            _printed("gibibytes", 2).alias("memory, GiB"),
        )
        provenance = _provenance(data.height)
        return ResultTable(shown=shown, data=data, provenance=provenance).filterable("job", "reads")


def _printed(column: str, decimals: int) -> pl.Expr:
    def text(value: float) -> str:
        return formatting.number(value, decimals)

    return pl.col(column).map_elements(text, pl.String).fill_null(formatting.NONE)


def front_door(file: Path | None = None) -> FrontDoor:
    """Return the stored timings, each package beside ours.

    Parameters
    ----------
    file : Path, optional
        ``reports/speed.csv`` if left out.

    Raises
    ------
    FaultsError
        If the file does not fit its schema.

    Examples
    --------
    >>> front_door().n_compared.unit
    'rows'
    """
    stored = contract.read(file or paths.root() / FILE, Processes).drop("line", strict=False)
    ours = stored.filter(package=OURS).select(
        *KEYS, ours_cpu="cpu_seconds", ours_memory="gibibytes"
    )
    base = pl.col("ours_cpu"), pl.col("ours_memory")
    return FrontDoor(
        stored.join(ours, on=KEYS, how="left", maintain_order="left")
        .with_columns(
            times=pl.col("cpu_seconds") / base[0], times_memory=pl.col("gibibytes") / base[1]
        )
        .drop("ours_cpu", "ours_memory")
    )


def record(rows: Iterable[Mapping[str, Any]], file: Path | None = None) -> None:
    """Store timed jobs; a job of a package that was stored before is replaced.

    Parameters
    ----------
    rows : iterable of mapping
        Rows of `Processes`.
    file : Path, optional
        ``reports/speed.csv`` if left out.
    """
    file = file or paths.root() / FILE
    columns = [name for name in Processes.columns() if name != "line"]
    new = pl.DataFrame(list(rows)).select(columns)
    if file.exists():
        old = contract.read(file, Processes).drop("line", strict=False)
        new = new.cast(dict(old.schema))  # type: ignore[arg-type]
        new = pl.concat([old.join(new, on=[*KEYS, "package"], how="anti"), new])
    ordered = new.sort(*KEYS, "package").with_columns(
        pl.col("cpu_seconds", "seconds", "gibibytes").round(3)
    )
    write_atomic(file, ordered.write_csv().encode())


def _provenance(rows: int) -> Provenance:
    return of_files(
        front_door,
        FILE,
        evidence="model",
        rows_in=rows,
        rows_used=rows,
        method="timed by hand as whole processes, stored",
    )
