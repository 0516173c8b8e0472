"""Small panels made row by row, and one simulated panel on disk."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import polars as pl
import pytest

from analysis.panels import schemas
from analysis.panels.account import Account
from analysis.panels.model.simulate import simulate
from analysis.panels.panel import Panel

Make = Callable[..., Panel]


def make_panel(
    households: Sequence[dict[str, object]],
    income: Sequence[dict[str, object]],
    participation: Sequence[dict[str, object]],
    price_year: int | None = None,
) -> Panel:
    """Return a panel; whatever a row does not say has a plain value."""
    kinds = {name: schemas.polars_schema(name) for name in schemas.TABLES}
    homes = [
        {
            "size_baseline": 1,
            "weight": 1.0,
            "stratum": "all",
            **row,
            "weight_type": "none" if row.get("weight", 1.0) == 1.0 else "sampling",
        }
        for row in households
    ]
    rows = [{"wage": 0, "business": 0, "property": 0, "transfer": 0, **row} for row in income]
    for row in rows:
        row["complete"] = all(row[source] is not None for source in schemas.SOURCES)
    treated = [{"programme": "training", "unit_level": "household", **row} for row in participation]
    tables = {
        name: schemas.conform(pl.LazyFrame(data, schema=kinds[name]), name)
        for name, data in (("households", homes), ("income", rows), ("participation", treated))
    }
    villages = [{"village": v, "county": "c"} for v in sorted({str(r["village"]) for r in homes})]
    return Panel(
        name="by hand",
        tier="yours",
        account=Account(len(rows), len(rows)),
        villages=pl.LazyFrame(villages, schema=kinds["villages"]),
        price_year=price_year,
        prices="tibet_cpi",
        **tables,  # type: ignore[arg-type]
    )


@pytest.fixture(scope="session")
def make() -> Make:
    """Return the function that makes a panel row by row."""
    return make_panel


@pytest.fixture(scope="session")
def realistic(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A simulated panel with every difficulty: 400 households, 20 villages, six years."""
    folder = tmp_path_factory.mktemp("cells") / "realistic"
    simulate(
        folder, households=400, villages=20, periods=(2012, 2017), variant="realistic", chunk=100
    )
    return folder


@pytest.fixture(scope="session")
def clean(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A simulated panel in which every household has every year."""
    folder = tmp_path_factory.mktemp("cells") / "clean"
    simulate(folder, households=400, villages=20, periods=(2012, 2017))
    return folder
