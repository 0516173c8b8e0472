"""Where the reported figures are from, and which source of income reported money would reach."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import dataframely as dy
import polars as pl

from analysis import contract, paths
from analysis.claims.implied import ImpliedIncome
from analysis.claims.ledger import Ledger
from analysis.claims.summary import quantities
from analysis.faults import Fault, raise_if_any

FILE = "places.csv"
SOURCES = ("wage", "business", "property", "transfer")
MEASURES = {
    "income": "income",
    "spending": "spending",
    "payment": "payment",
    "turnover": "turnover",
}


class Places(contract.Row):
    """Where a place that claims name is drawn: a tile, not a position on a map."""

    place = dy.String(primary_key=True, description="place as claims name it")
    name_zh = dy.String(nullable=False, description="name in Chinese")
    tile = dy.String(nullable=False, description="name on its tile; places may share one")
    column = dy.Int64(min=1, max=9, nullable=False, description="from west to east")
    row = dy.Int64(min=1, max=9, nullable=False, description="from north to south")
    basis = dy.String(nullable=False, min_length=5, description="why it is drawn there")


def by_place(ledger: Ledger, file: Path | None = None) -> pl.DataFrame:
    """Count quantities by tile.

    Parameters
    ----------
    ledger : Ledger
        The ledger.
    file : Path, optional
        The tiles; ``data/claims/places.csv`` if left out.

    Returns
    -------
    polars.DataFrame
        tile, column, row, n_places, n: one row per tile, the most quantities first.

    Raises
    ------
    FaultsError
        If a place of a claim has no tile, or two tiles lie on each other.
    """
    file = file or paths.data() / "claims" / FILE
    name, tiles = contract.project_name(file), contract.read(file, Places)
    counted = quantities(ledger).group_by("place").agg(n=pl.len().cast(pl.Int64))
    remedy = "add it, with the column and row of its tile"
    missing = sorted(set(counted["place"]) - set(tiles["place"]))
    faults = [Fault(name, "a place of a claim has no tile", remedy, value=p) for p in missing]
    spots = tiles.select("tile", "column", "row").unique()
    twice = spots.filter(
        pl.struct("column", "row").is_duplicated() | pl.col("tile").is_duplicated()
    )
    faults += [
        Fault(name, "two tiles lie on each other, or one in two places", "move one", value=tile)
        for tile in sorted(set(twice["tile"]))
    ]
    raise_if_any(faults)
    return (
        tiles.join(counted, on="place", how="inner", validate="1:1")
        .group_by("tile", "column", "row")
        .agg(n_places=pl.len().cast(pl.Int64), n=pl.col("n").sum())
        .sort(["n", "tile"], descending=[True, False])
    )


def money_flow(programmes: pl.DataFrame, figures: Iterable[ImpliedIncome]) -> pl.DataFrame:
    """Say which source of income each programme can reach, and what money was reported for it.

    Parameters
    ----------
    programmes : polars.DataFrame
        The catalogue's programmes.
    figures : iterable of ImpliedIncome
        What the claims imply; those per household count.

    Returns
    -------
    polars.DataFrame
        programme, name, source, low, high, measures: one row for each channel of each programme,
        in the catalogue's order. Money is in nominal yuan per household of the year of the article
        (a loan once, other money a year), from the lowest to the highest figure; null where no
        figure per household is reported, `high` also where the highest is open.
    """
    found: dict[tuple[str, str], list[ImpliedIncome]] = {}
    for figure in figures:
        if figure.basis == "per_household" and figure.yuan is not None:
            found.setdefault((figure.programme, figure.channel), []).append(figure)
    rows = []
    kept = programmes.filter(
        (pl.col("is_programme") == "yes") & pl.col("channels").is_not_null()
    ).select("id", "name_en", "channels")
    for programme, name, channels in kept.iter_rows():
        for source in str(channels).split(";"):
            reported = found.get((programme, source), [])
            rows.append((programme, name, source, *_range(reported), _measured(reported)))
    columns = {
        "programme": pl.String,
        "name": pl.String,
        "source": pl.String,
        "low": pl.Float64,
        "high": pl.Float64,
        "measures": pl.String,
    }
    return pl.DataFrame(rows, schema=columns, orient="row")


def _range(figures: list[ImpliedIncome]) -> tuple[float | None, float | None]:
    ranges = [figure.yuan for figure in figures if figure.yuan is not None]
    lows = [float(one.low.value) for one in ranges if one.low.value is not None]
    highs = [one.high.value for one in ranges]
    if not lows:
        return None, None
    known = [float(high) for high in highs if high is not None]
    return min(lows), (max(known) if len(known) == len(highs) else None)


def _measured(figures: list[ImpliedIncome]) -> str | None:
    words = dict.fromkeys(
        "loan" if figure.frequency == "one_off" else MEASURES[figure.measures] for figure in figures
    )
    return " and ".join(words) or None
