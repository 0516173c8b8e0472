"""Simulate a panel into a folder, run by run, with its truth beside it."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

import numpy as np
import polars as pl

from analysis import money
from analysis.panels import panel
from analysis.panels.account import Account
from analysis.panels.digest import TableDigest
from analysis.panels.model import collective, observation, parameters, places, tables, world
from analysis.panels.model.settings import Settings, of_variant
from analysis.panels.model.truth import Truth

TRUTH, TRUE_BOOKS = "truth.parquet", "truth_collective.parquet"
SEED: Final = 1
"""Of the panel that the report shows, unless another is asked for."""
PARTS: Final = ("households", "income", "participation")
"""Tables that grow with the households: written in parts."""


@dataclass(frozen=True)
class SimulationReport:
    """What a simulation made.

    Attributes
    ----------
    folder : str
        Where the panel is.
    variant : str
        Which difficulties it has.
    households, villages, rows : int
        Sizes; `rows` is those of the income table.
    chunks : int
        Runs it was made in.
    seconds, rows_per_second : float
        Wall time, and records (seen or not) simulated in a second.
    bytes_written : int
        Size of the folder.
    peak_memory : int
        Largest resident memory of this process since it began, bytes.
    account : Account
        Records simulated, seen, and not seen by reason.
    digests : dict of str to str
        Content digest of each table, the truth included; the same for any chunks.
    """

    folder: str
    variant: str
    households: int
    villages: int
    rows: int
    chunks: int
    seconds: float
    rows_per_second: float
    bytes_written: int
    peak_memory: int
    account: Account
    digests: dict[str, str]

    def as_dict(self) -> dict[str, object]:
        """Return the report as plain values, for JSON."""
        return {**asdict(self), "account": self.account.as_dict()}


def simulate(
    out: Path,
    *,
    households: int = 10_800,
    villages: int = 240,
    periods: tuple[int, int] = (2012, 2021),
    seed: int = SEED,
    variant: str = "clean",
    chunk: int | None = None,
    replace: bool = False,
) -> SimulationReport:
    """Simulate a household panel whose true effects are known, and write it.

    Parameters
    ----------
    out : Path
        Folder of the panel; a panel that is there is replaced at the end, or not at all.
    households, villages : int
        How many.
    periods : tuple of int
        First and last calendar year; official incomes are known for 2012 to 2021.
    seed : int
        The same seed gives the same panel, whatever the chunks.
    variant : str
        ``clean``: participation by chance, everything seen. ``realistic``: with every difficulty
        of `Switches`.
    chunk : int, optional
        Households simulated at once, rounded up to whole villages.
    replace : bool
        Whether a panel that is not simulated, or a twin, may be replaced.

    Raises
    ------
    FaultsError
        If a setting is not legal, or `out` is a folder of something else: of a survey's panel too,
        unless `replace`.
    """
    settings = of_variant(variant, households, villages, periods, seed, chunk)
    return simulate_settings(out, settings, replace=replace)


def simulate_settings(
    out: Path,
    settings: Settings,
    *,
    replace: bool = False,
    known: parameters.Parameters | None = None,
) -> SimulationReport:
    """Simulate a panel with any combination of switches, and other parameters if wanted.

    See `simulate`; `known` are the parameters, those of ``data/parameters`` if left out.
    """
    begun = time.perf_counter()
    name = f"model panel, {settings.variant} (simulated)"
    if not replace:
        panel.keep_another(out, name=name, tier="model")
    shared = world.build(settings, parameters.load() if known is None else known)
    with panel.staged(out) as stage:
        digests, account, chunks = _write(stage, shared)
        panel.write_manifest(
            stage,
            name=name,
            tier="model",
            account=account,
            tables=digests,
            about={"currency": "yuan", "price_year": None, "prices": money.PRICE_INDEX},
            more={"simulation": settings.as_dict()},
        )
    seconds = time.perf_counter() - begun
    return SimulationReport(
        folder=out.name,
        variant=settings.variant,
        households=settings.households,
        villages=settings.villages,
        rows=account.rows_used,
        chunks=chunks,
        seconds=seconds,
        rows_per_second=account.rows_read / seconds,
        bytes_written=panel.size_on_disk(out),
        peak_memory=peak_memory(),
        account=account,
        digests={name: digest.hexdigest() for name, digest in digests.items()},
    )


def _write(stage: Path, shared: world.World) -> tuple[dict[str, TableDigest], Account, int]:
    """Write every table; only one run is in memory at a time."""
    digests = {table: TableDigest() for table in (*PARTS, "villages", "collective", "truth")}
    for table in PARTS:
        (stage / table).mkdir()
    known, account, chunks = Truth(shared), Account(0, 0), 0
    for number, (first, last) in enumerate(pieces(shared.places, shared.settings.chunk)):
        run = world.run(first, last, shared)
        seen = observation.observe(run, shared)
        known.add(run, seen)
        account += Account(seen.seen.size, int(seen.seen.sum()), seen.left_out)
        frames = {
            "households": tables.households(run, seen),
            "income": tables.income(run, seen, shared),
            "participation": tables.household_participation(run),
        }
        for table, frame in frames.items():
            digests[table].update(frame)
            frame.write_parquet(stage / table / f"part-{number:05}.parquet")
        chunks = number + 1
    of_villages = tables.village_participation(shared)
    digests["participation"].update(of_villages)
    of_villages.write_parquet(stage / "participation" / f"part-{chunks:05}.parquet")
    books = collective.books(shared)
    whole = {
        "villages": places.frame(shared.places),
        "collective": books.drop("true_net_income"),
        "truth": known.table(),
    }
    for table, frame in whole.items():
        digests[table].update(frame)
        frame.write_parquet(stage / f"{table}.parquet")
    books.select("village", "period", "net_income", "true_net_income").write_parquet(
        stage / TRUE_BOOKS
    )
    return digests, account, chunks


def pieces(where: places.Places, chunk: int) -> Iterator[tuple[int, int]]:
    """Cut the villages into runs of at least `chunk` households, whole villages each.

    Yields
    ------
    first, last : int
        Villages of the run: first up to, but without, last.
    """
    first, count = 0, where.start.size - 1
    while first < count:
        last = int(np.searchsorted(where.start, where.start[first] + chunk))
        last = min(max(last, first + 1), count)
        yield first, last
        first = last


def peak_memory() -> int:
    """Return the largest resident memory of this process so far, bytes; 0 where none is told."""
    try:
        import resource
    except ImportError:  # Windows has none
        return 0
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


def read_truth(folder: Path) -> pl.DataFrame:
    """Read the truth beside a simulated panel; columns as in `truth.COLUMNS`."""
    return pl.read_parquet(folder / TRUTH)
