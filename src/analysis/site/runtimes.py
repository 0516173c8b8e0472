"""How long a build takes, notebook by notebook: ``python -m analysis.site.runtimes`` measures it.

The result, ``reports/runtimes.csv``, is committed with the machine it was measured on; a build
never writes it, so a site does not depend on the machine that made it.
"""

from __future__ import annotations

import platform
import sys
from datetime import date
from pathlib import Path
from typing import Final

import polars as pl

from analysis import doctor, paths
from analysis.files import write_atomic
from analysis.site.build import STATE, build
from analysis.site.execute import cores, execute

TABLE: Final = Path("reports") / "runtimes.csv"
STEPS: Final = {
    "stage": "pages of findings, methods and reference, alt text, downloads",
    "render": "pages to HTML",
    "check": "links, texts, ids, weight",
}
"""Steps of a build after its notebooks."""
Row = tuple[str, str, float, int | None]
MEBIBYTE: Final = 2**20
GIBIBYTE: Final = 2**30


def machine() -> str:
    """Return what this machine is: cores, memory, system, Python."""
    memory = doctor.memory()
    size = "memory unknown" if memory is None else f"{memory / GIBIBYTE:.0f} GiB"
    version = ".".join(platform.python_version_tuple()[:2])
    return f"{cores()} cores, {size}, {platform.system()} {platform.machine()}, Python {version}"


def most_memory() -> int | None:
    """Return the most memory that one process started here has used, MiB; None if not known."""
    try:
        import resource
    except ImportError:  # Windows has no such module
        return None
    unit = 1 if sys.platform == "darwin" else 1024
    return max(1, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * unit // MEBIBYTE)


def notebooks(root: Path) -> pl.DataFrame:
    """Run every notebook afresh, one after the other.

    Parameters
    ----------
    root : Path
        The project folder.

    Returns
    -------
    polars.DataFrame
        stage, what, seconds, memory_mib, date, machine; a row for each, then one for all.
    """
    ran = execute(root, parallel=1, afresh=True).notebooks
    rows: list[Row] = [
        ("notebook", Path(executed.name).stem, executed.seconds, None) for executed in ran
    ]
    whole = sum(executed.seconds for executed in ran)
    return _table([*rows, ("execute", "all notebooks, one after the other", whole, most_memory())])


def steps(root: Path) -> pl.DataFrame:
    """Build the site anew from executed notebooks; columns as of `notebooks`, a row for a step."""
    (root / STATE).unlink(missing_ok=True)  # so that pages are rendered again
    seconds = dict(build(root).seconds)
    return _table(
        [(step, what, seconds[step], None) for step, what in STEPS.items() if step in seconds]
    )


def _table(rows: list[Row]) -> pl.DataFrame:
    return pl.DataFrame(
        rows,
        orient="row",
        schema={
            "stage": pl.String,
            "what": pl.String,
            "seconds": pl.Float64,
            "memory_mib": pl.Int64,
        },
    ).with_columns(pl.col("seconds").round(1), date=date.today(), machine=pl.lit(machine()))


def main(root: Path) -> None:
    """Measure and write the table; what notebooks took is kept even if the build then fails."""
    ran = notebooks(root)
    write_atomic(root / TABLE, ran.write_csv().encode())
    write_atomic(root / TABLE, pl.concat([ran, steps(root)]).write_csv().encode())


if __name__ == "__main__":
    main(paths.root())
