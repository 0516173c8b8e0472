"""Measurements stored in ``reports/benchmarks.csv``: made by hand runs, printed by pages."""

from __future__ import annotations

from pathlib import Path

import dataframely as dy

from analysis import contract, paths, printing


class Benchmarks(contract.Row):
    """One measurement."""

    id = dy.String(primary_key=True, regex=r"^[a-z][a-z0-9_]*$", description="name on pages")
    what = dy.String(description="what was measured")
    value = dy.Float64(min=0, description="the measurement")
    unit = dy.String(description="its unit")
    command = dy.String(description="what was run")
    machine = dy.String(description="where")
    date = dy.Date(description="when")


def variables(file: Path | None = None) -> dict[str, str]:
    """Return what ``{{< var benchmark.ID >}}`` prints, by id.

    Raises
    ------
    FaultsError
        If the file does not fit its schema.

    Examples
    --------
    >>> variables()["import_rows"]
    '10,000,000'
    """
    rows = contract.read(file or paths.root() / "reports" / "benchmarks.csv", Benchmarks)
    return {name: _as_stored(value) for name, value in rows.select("id", "value").iter_rows()}


def _as_stored(value: float) -> str:
    """Print a measurement with the decimals it was stored with."""
    return printing.number(value, 0 if value.is_integer() else len(str(value).partition(".")[2]))
