"""The library of published studies: every estimate, read and checked, on the scales it allows."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from analysis import contract, paths, programmes
from analysis.faults import Fault, FaultsError, raise_if_any
from analysis.studies.scale import scaled
from analysis.studies.schemas import OUTCOMES, SCHEMAS


@dataclass(frozen=True)
class Library:
    """Published studies, read and checked.

    Attributes
    ----------
    works : polars.DataFrame
        One row per publication.
    estimates : polars.DataFrame
        One row per estimate or reported direction, with what `analysis.studies.scale` adds, and
        ``short``, the authors and year of its work.
    pools : polars.DataFrame
        One row per question that studies might be pooled to answer.
    """

    works: pl.DataFrame
    estimates: pl.DataFrame
    pools: pl.DataFrame


def load(folder: Path | None = None) -> Library:
    """Read the studies and check them.

    Parameters
    ----------
    folder : Path, optional
        Where the files are; ``data/studies/earlier`` of the project by default.

    Raises
    ------
    FaultsError
        With every fault of every file: cells, vocabularies, keys, references between files.
    """
    folder = folder or paths.data() / "studies" / "earlier"
    tables: dict[str, pl.DataFrame] = {}
    faults: list[Fault] = []
    for name, schema in SCHEMAS.items():
        try:
            tables[name] = contract.read(folder / f"{name}.csv", schema)
        except FaultsError as error:
            faults.extend(error.faults)
    raise_if_any(faults)
    raise_if_any(_reference_faults(tables, folder))
    shorts = tables["works"].select("short", work="id")
    return Library(
        works=tables["works"],
        estimates=scaled(tables["estimates"]).join(shorts, on="work", how="left", validate="m:1"),
        pools=tables["pools"],
    )


def _reference_faults(tables: dict[str, pl.DataFrame], folder: Path) -> Iterator[Fault]:
    """Check what one file says of another."""
    files = {name: contract.project_name(folder / f"{name}.csv") for name in SCHEMAS}
    catalogue = set(programmes.load().programmes["id"])
    works = set(tables["works"]["id"])
    cited = set(tables["estimates"]["work"])
    for name in ("estimates", "pools"):
        for line, programme in tables[name].select("line", "programme").iter_rows():
            if programme not in catalogue:
                yield Fault(
                    files[name],
                    "unknown programme",
                    "use an id of data/programmes/programmes.csv",
                    line,
                    "programme",
                    programme,
                )
    for line, work in tables["estimates"].select("line", "work").iter_rows():
        if work not in works:
            yield Fault(
                files["estimates"],
                "unknown work",
                f"add it to {files['works']}",
                line,
                "work",
                work,
            )
    for line, work in tables["works"].select("line", "id").iter_rows():
        if work not in cited:
            yield Fault(
                files["works"],
                "no estimate is of this work",
                f"add one to {files['estimates']}, or remove the work",
                line,
                "id",
                work,
            )
    for line, outcomes in tables["pools"].select("line", "outcomes").iter_rows():
        unknown = sorted(set(outcomes.split(";")) - set(OUTCOMES))
        if unknown:
            yield Fault(
                files["pools"],
                f"unknown outcome {', '.join(unknown)}",
                f"use {', '.join(OUTCOMES)}",
                line,
                "outcomes",
                outcomes,
            )
