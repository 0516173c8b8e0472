"""Timings beside those of other packages: targets, every timed job, growth with rows."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import polars as pl

from analysis import printing
from analysis.benchmarks import timings
from analysis.benchmarks.timings import DECIMALS, OURS, divided, least
from analysis.results import formatting
from analysis.results.log_log import Line, log_log
from analysis.results.number import Number
from analysis.results.provenance import Provenance
from analysis.results.stored import of_files
from analysis.results.table import ResultTable

if TYPE_CHECKING:
    from matplotlib.axes import Axes

FILES: Final = ("reports/benchmarks.csv", "data/parameters/speed_targets.csv")
MILLION: Final = 1_000_000
REACHED: Final = {True: "yes", False: "no", None: "not timed"}


@dataclass(frozen=True, eq=False)
class Comparison:
    """Timed jobs and the targets they are held against.

    Attributes
    ----------
    timed : polars.DataFrame
        As `analysis.benchmarks.timings.jobs`.
    held : polars.DataFrame
        As `analysis.benchmarks.timings.targets`.
    """

    timed: pl.DataFrame
    held: pl.DataFrame

    @property
    def n_targets(self) -> Number:
        """How many targets there are."""
        return self._count(self.held.height, "targets of speed and memory")

    @property
    def n_reached(self) -> Number:
        """How many targets were reached."""
        count = int(self.held["met"].fill_null(value=False).sum())
        return self._count(count, "targets of speed and memory that were reached")

    def _count(self, count: int, what: str) -> Number:
        provenance = _stored(timings.targets, self.held.height)
        return Number(value=float(count), unit="targets", what=what, provenance=provenance)

    def measured(self, target: str) -> Number:
        """Return what was measured for one target.

        Parameters
        ----------
        target : str
            Its id.

        Examples
        --------
        >>> compare().measured("register_seconds").unit
        'seconds'
        """
        row = self.held.filter(id=target).row(0, named=True)
        return Number(
            value=math.nan if row["measured"] is None else row["measured"],
            unit=row["unit"],
            what=f"simulated panel of {printing.number(row['rows'])} rows: {row['what']}",
            provenance=_stored(timings.targets, 1),
        )

    def times_faster(self, job: str, level: str, rows: int) -> Number:
        """Return how many times the seconds of this package the fastest other one takes.

        Parameters
        ----------
        job, level : str
            The job, and what was assigned to cohorts.
        rows : int
            Rows of the simulated panel.

        Examples
        --------
        >>> compare().times_faster("group-time", "village", 100_000).unit
        'times'
        """
        same = self.timed.filter(job=job, level=level, rows=rows)
        others = least(same.filter(pl.col("package") != OURS), "seconds")
        ratio = divided(others, least(same.filter(package=OURS), "seconds"))
        return Number(
            value=math.nan if ratio is None else ratio,
            unit="times",
            what=f"{job}, {printing.number(rows)} simulated rows: fastest other package over ours",
            provenance=_stored(Comparison.times_faster, same.height),
        )

    def targets(self) -> ResultTable:
        """Return targets beside what was measured, one row each.

        Examples
        --------
        >>> compare().targets().shown.columns
        ['what', 'measured', 'target', 'reached', 'rows']
        """
        limit = pl.col("limit").map_elements(printing.number, pl.String)
        shown = self.held.select(
            "what",
            pl.col("measured").map_elements(_printed, pl.String),
            pl.concat_str(limit, "unit", separator=" ").alias("target"),
            pl.col("met").replace_strict(REACHED, return_dtype=pl.String).alias("reached"),
            pl.col("rows").map_elements(printing.number, pl.String),
        )
        provenance = _stored(Comparison.targets, self.held.height)
        return ResultTable(shown=shown, data=self.held, provenance=provenance)

    def table(self) -> ResultTable:
        """Return every timed job, the fastest first; readers can filter by job and package.

        Examples
        --------
        >>> compare().table().shown.columns
        ['job', 'package', 'rows', 'seconds', 'memory, GiB', 'cohorts of']
        """
        data = self.timed.sort("job", "level", "rows", "seconds")
        version = pl.when(pl.col("package") != OURS).then("version")
        named = pl.col("package").replace(OURS, _name(OURS))
        shown = data.select(
            "job",
            pl.concat_str(named, version, separator=" ", ignore_nulls=True),
            pl.col("rows").map_elements(printing.number, pl.String),
            pl.col("seconds").map_elements(_printed, pl.String),
            pl.col("gibibytes").map_elements(_printed, pl.String).alias("memory, GiB"),
            pl.concat_str("level", pl.lit("s")).alias("cohorts of"),
        )
        provenance = _stored(Comparison.table, data.height)
        return ResultTable(shown=shown, data=data, provenance=provenance).filterable(
            "job", "package"
        )

    def growth(self, job: str, level: str, ax: Axes | None = None) -> Axes:
        """Draw seconds against rows of one job, one line for each package.

        Parameters
        ----------
        job, level : str
            The job, and what was assigned to cohorts.
        ax : matplotlib Axes, optional
            Where; a new figure if left out.

        Examples
        --------
        >>> compare().growth("group-time", "village").get_xlabel()
        'million rows (households × years, simulated)'
        """
        rows = self.timed.filter(job=job, level=level)
        data = rows.select("package", "rows", "seconds").sort("rows")
        packages = [OURS, *sorted(set(data["package"]) - {OURS})]
        lines = [
            Line(
                _name(package),
                tuple(
                    (rows / MILLION, seconds, _timing_text(package, rows, seconds))
                    for _, rows, seconds in data.filter(package=package).iter_rows()
                ),
            )
            for package in packages
        ]
        return log_log(
            lines,
            "million rows (households × years, simulated)",
            "seconds, from file to interval",
            what=f"seconds against rows of simulated panels, {job}",
            data=data,
            provenance=_stored(Comparison.growth, data.height),
            ax=ax,
        )


def compare(timed: pl.DataFrame | None = None) -> Comparison:
    """Hold the timed jobs against their targets.

    Parameters
    ----------
    timed : polars.DataFrame, optional
        As `analysis.benchmarks.timings.jobs`; those stored if left out.

    Examples
    --------
    >>> compare().n_targets.unit
    'targets'
    """
    known = timings.jobs(timings.load()) if timed is None else timed
    return Comparison(known, timings.targets(known))


def _stored(function: Callable[..., Any], rows: int) -> Provenance:
    return of_files(
        function,
        *FILES,
        evidence="model",
        rows_in=rows,
        rows_used=rows,
        method="timed by hand, stored",
    )


def _name(package: str) -> str:
    return "this package" if package == OURS else package


def _timing_text(package: str, rows: int, seconds: float) -> str:
    return f"{_name(package)}, {printing.number(rows)} rows: {_printed(seconds)} seconds"


def _printed(value: float) -> str:
    """Print a measurement: three digits, and no more decimals than are stored."""
    return formatting.number(value, min(printing.decimals(value), DECIMALS))
