"""Small panels: one counted by hand, and one simulated."""

import polars as pl
import pytest

from analysis.panels import panel as panels
from analysis.panels import schemas
from analysis.panels.account import Account
from analysis.panels.model import Settings, simulate_settings
from analysis.panels.panel import Panel


def made(incomes, first, *, tier="yours", **more):
    """A panel of household → {period: wage in fen}, and household → first period (0: never).

    Household ``a1`` lives in village ``a``; every village is its own.
    """
    homes = sorted(incomes)
    households = pl.DataFrame(
        {
            "household": homes,
            "village": [name[0] for name in homes],
            "size_baseline": [2] * len(homes),
            "weight": 1.0,
            "weight_type": "none",
            "stratum": "all",
            "income_baseline_fen": [min(incomes[h].items())[1] for h in homes],
        },
        schema_overrides={"size_baseline": pl.Int32},
    )
    rows = [(h, t, fen) for h in homes for t, fen in incomes[h].items()]
    income = pl.DataFrame(rows, schema=["household", "period", "wage"], orient="row").with_columns(
        pl.col("period").cast(pl.Int32),
        pl.lit(0, pl.Int64).alias("business"),
        pl.lit(0, pl.Int64).alias("property"),
        pl.lit(0, pl.Int64).alias("transfer"),
        complete=pl.lit(value=True),
    )
    treated = [(h, g) for h, g in first.items() if g]
    participation = pl.DataFrame(
        {
            "programme": "training",
            "unit_level": "household",
            "unit": [h for h, _ in treated],
            "first_period": [g for _, g in treated],
            "dose": None,
            "dose_unit": None,
        },
        schema_overrides={
            "first_period": pl.Int32,
            "unit": pl.String,
            "programme": pl.String,
            "unit_level": pl.String,
            "dose": pl.Float64,
            "dose_unit": pl.String,
        },
    )
    villages = pl.DataFrame({"village": sorted({h[0] for h in homes}), "county": "c"})
    tables = {
        "households": households,
        "villages": villages,
        "income": income,
        "participation": participation,
    }
    frames = {name: schemas.conform(frame.lazy(), name) for name, frame in tables.items()}
    return Panel("by hand", tier, account=Account(len(rows), len(rows)), **{**frames, **more})


@pytest.fixture(scope="session")
def simulated(tmp_path_factory):
    """Folder of a clean simulated panel, small enough to be quick."""
    folder = tmp_path_factory.mktemp("answers") / "panel"
    simulate_settings(folder, Settings(1200, 40, (2012, 2021), 3))
    return folder


@pytest.fixture(scope="session")
def panel(simulated):
    return panels.read(simulated)
