"""How long a build takes, notebook by notebook: ``python -m analysis.site.runtimes`` measures it.

The result, ``reports/runtimes.csv``, is committed with the machine it was measured on; a build
never writes it, so a site does not depend on the machine that made it.
"""

from __future__ import annotations

import platform
import sys
from datetime import date
from pathlib import Path
from typing import Any, Final

import polars as pl

from analysis import doctor, paths
from analysis.site.build import STATE, build
from analysis.site.execute import cores, execute

TABLE: Final = Path("reports") / "runtimes.csv"
STEPS: Final = {
    "stage": "pages of findings, methods and reference, alt text, downloads",
    "render": "pages to HTML",
    "check": "links, texts, ids, weight",
}
"""Steps of a build after its notebooks."""
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


def measure(root: Path) -> pl.DataFrame:
    """Run every notebook afresh, one after the other, and build the site anew.

    Parameters
    ----------
    root : Path
        The project folder; its built site is made again.

    Returns
    -------
    polars.DataFrame
        stage, what, seconds, memory_mib, date, machine; the steps of the build last.
    """
    rows: list[dict[str, Any]] = []
    ran = execute(root, parallel=1, afresh=True)
    rows += [{"stage": "notebook", "what": Path(one.name).stem, "seconds": one.seconds,
              "memory_mib": None} for one in ran.notebooks]  # fmt: skip
    whole = sum(one.seconds for one in ran.notebooks)
    rows.append({"stage": "execute", "what": "all notebooks, one after the other",
                 "seconds": whole, "memory_mib": most_memory()})  # fmt: skip
    (root / STATE).unlink(missing_ok=True)  # so that pages are rendered again
    seconds = dict(build(root).seconds)
    rows += [{"stage": step, "what": what, "seconds": seconds[step], "memory_mib": None}
             for step, what in STEPS.items() if step in seconds]  # fmt: skip
    return pl.DataFrame(rows, schema_overrides={"memory_mib": pl.Int64}).with_columns(
        pl.col("seconds").round(1), date=date.today(), machine=pl.lit(machine())
    )


if __name__ == "__main__":
    measure(paths.root()).write_csv(paths.root() / TABLE)
